"""Can somebody empty what only grows, by the statement that fires no trigger of a row?"""

import asyncio
from typing import Any

import asyncpg
import pytest

from laddbok.store.embedded import Dsn

MUST_GROW = (
    "frame", "frame_rest", "frame_20260101", "quarantine", "decision", "session_range", "cdr", "rated_line", "proof",
    "spot_price", "billing_position", "invoice", "invoice_event", "invoice_document", "number_series", "journal_entry",
    "posting", "bank_file", "bank_entry", "payment", "payment_allocation", "payment_request", "refund", "card_hold",
    "bank_entry_told", "write_off", "contract_charge", "host_settlement", "host_settled", "dispute", "dispute_decision", "tariff_version",
)  # fmt: skip
UNGUARDED = """
    SELECT DISTINCT t.tgrelid::regclass::text AS name FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND t.tgtype & 1 = 1 AND t.tgtype & 8 = 8 AND NOT EXISTS (
        SELECT FROM pg_trigger AS g WHERE g.tgrelid = t.tgrelid AND g.tgtype & 32 = 32)"""
"""Tables on which a trigger refuses DELETE, and none TRUNCATE."""


def on(dsn: Dsn, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(**dsn)
        try:
            rows: list[Any] = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())


@pytest.mark.parametrize("table", MUST_GROW)
def test_the_owner_can_not_empty_what_only_grows(fresh_database: Dsn, table: str) -> None:
    on(fresh_database, "SELECT laddbok_frame_partition('2026-01-01')")
    for statement in (f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.FeatureNotSupportedError)) as refused:
            on(fresh_database, statement)
    assert isinstance(refused.value, asyncpg.RestrictViolationError), "nor with what refers to it"


def test_emptying_what_others_hang_on_empties_nothing(fresh_database: Dsn) -> None:
    for table in ("tenant", "session", "site", "legal_entity", "host"):
        with pytest.raises(asyncpg.RestrictViolationError):
            on(fresh_database, f"TRUNCATE {table} CASCADE")


def test_whatever_can_not_be_deleted_row_by_row_can_not_be_emptied(fresh_database: Dsn) -> None:
    assert [row["name"] for row in on(fresh_database, UNGUARDED)] == []

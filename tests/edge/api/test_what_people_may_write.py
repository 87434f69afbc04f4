"""May the API's role write what the API writes, and nothing else of the books? Tried by plain SQL on a billed month."""

import asyncio
from typing import Any

import asyncpg
import pytest

from laddbok.store.reads import on_behalf
from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, OCTOBER, billed, filled

__all__ = ["billed", "filled"]

INVOICE = "norrladd-10000001"


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("filled").clock.at = AFTER


def asked(api: RunningApi, *statements: str) -> None:
    """Run statements as the API does for tenant 1, in one transaction that is taken back."""

    async def run() -> None:
        pool = await asyncpg.create_pool(**api.dsn, min_size=1, max_size=1)
        try:
            async with on_behalf(pool, 1, write=True) as connection:
                for statement in statements:
                    await connection.execute(statement)
                raise Undone
        except Undone:
            pass
        finally:
            await pool.close()

    asyncio.run(run())


class Undone(Exception):
    """What was tried is taken back."""


def event(kind: str, number: int = 1) -> str:
    return (
        "INSERT INTO invoice_event (tenant, invoice_id, number, at, kind, by, body) "
        f"VALUES (1, '{INVOICE}', 90, now(), '{kind}', 'x', '{{\"number\": {number}}}')"
    )


DISPUTE = (
    "INSERT INTO dispute (tenant, invoice_id, number, reason, opened_at, opened_by, deadline) "
    f"VALUES (1, '{INVOICE}', 1, 'x', now(), 'x', '2026-12-01')"
)
DECISION = (
    "INSERT INTO dispute_decision (tenant, invoice_id, number, decision, note, decided_at, decided_by) "
    f"VALUES (1, '{INVOICE}', 1, 'rejected', 'x', now(), 'x')"
)


@pytest.mark.parametrize("kind", ["paid", "sent", "credited", "rendered", "reminded", "disputed", "dispute_accepted"])
def test_an_event_that_is_of_no_dispute_is_refused(billed: RunningApi, kind: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asked(billed, event(kind))


def test_events_of_a_dispute_say_what_is_so(billed: RunningApi) -> None:
    asked(billed, DISPUTE, event("disputed"))
    asked(billed, DISPUTE, DECISION, event("dispute_rejected"))
    for wrong in (event("disputed", 2), event("dispute_accepted"), event("sent")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asked(billed, DISPUTE, DECISION, wrong)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_run SET done = 0",
        "UPDATE billing_run SET done = 99, ended_at = NULL",
        "UPDATE billing_run SET planned = 0, ended_at = NULL, result = NULL",
        "UPDATE billing_run SET result = '{}', ended_at = NULL",
        "UPDATE billing_run SET started_by = 'somebody else'",
        "UPDATE billing_run SET legal_entity_id = 'x', ended_at = NULL",
        "INSERT INTO billing_run (tenant, id, legal_entity_id, period_start, period_end, started_at, started_by, done) "
        "VALUES (1, 'x', 'norrladd', '2026-09-01', '2026-09-30', now(), 'x', 7)",
        "UPDATE billing_plan SET result = '{}'",
        "UPDATE billing_plan SET customers = 5",
        "UPDATE number_series SET next_number = 1",
        "UPDATE decision SET body = '{}'",
        "UPDATE tariff_version SET document = '{}'",
        "UPDATE card_hold SET captured = 0",
        "UPDATE payment_request SET state = 'paid'",
        "UPDATE refund SET amount = 1",
        "INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at) "
        "VALUES (1, 'norrladd', '2026-11-05', 'x', 'invoice', 'x', now())",
        "INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at) "
        "VALUES (1, 'norrladd', '2026-11-05', 'x', 'accrual', 'x', now())",
    ],
)
def test_what_is_the_workers_to_write_is_refused(billed: RunningApi, statement: str) -> None:
    billed.client.post("/billing-runs/plan", json=OCTOBER).raise_for_status()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asked(billed, statement)


def test_a_run_that_has_ended_is_asked_for_again_and_one_that_has_not_is_left_alone(billed: RunningApi) -> None:
    again: Any = billed.sql("SELECT * FROM billing_run")[0]
    asked(
        billed,
        "UPDATE billing_run SET planned = done + 1, ended_at = NULL, result = NULL, started_by = 'x'",
        "UPDATE billing_run SET planned = 999, ended_at = NULL, result = NULL",
    )
    assert billed.sql("SELECT * FROM billing_run")[0] == again

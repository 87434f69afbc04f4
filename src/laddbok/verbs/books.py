"""How do `laddbok reconcile`, `laddbok ledger` and `laddbok sie export` run?"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok import app
from laddbok.billing.sie4 import sie4
from laddbok.flow.billing_run import period_of
from laddbok.flow.reconcile import Checked
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.settings import Settings
from laddbok.store.billing import seller_terms
from laddbok.store.database import open_database
from laddbok.store.ledger import account_card, accrue, journal, trial_balance
from laddbok.store.reconcile import reconcile
from laddbok.store.sql import query

Days = tuple[date | None, date | None]
"""First and last day, both included; None: the usual ones."""


async def reconcile_all(settings: Settings, as_json: bool) -> tuple[dict[str, Any], int]:
    """Hold everything against everything. Returns: the checks; exit code 1 when anything differs."""
    async with opened(settings) as (connection, tenant):
        checks = await reconcile(connection, tenant, settings.clock.now())
    found = sum(each.differences for each in checks)
    if not as_json:
        _print_checks(checks)
    return {"differences": found, "checks": msgspec.to_builtins(checks)}, 1 if found else 0


async def balance(settings: Settings, seller_id: str | None, days: Days, as_json: bool) -> dict[str, Any]:
    """The trial balance of a seller. Raises: NotFound, Conflict."""
    async with opened(settings) as (connection, tenant):
        terms = await _seller(connection, tenant, seller_id)
        first, last = _span(days, terms, settings.clock.now())
        rows = await trial_balance(connection, tenant, terms.seller.id, first, last)
    if not as_json:
        print(f"{terms.seller.name}, {first} to {last}")
        for row in rows:
            sums = " ".join(f"{row[name]:>14}" for name in ("opening", "debit", "credit", "closing"))
            print(f"  {row['account']} {row['currency']} {sums}")
    return {"seller": terms.seller.id, "from": first, "to": last, "accounts": rows}


async def card(settings: Settings, seller_id: str | None, account: str, days: Days, as_json: bool) -> dict[str, Any]:
    """The postings on an account of a seller. Raises: NotFound, Conflict."""
    async with opened(settings) as (connection, tenant):
        terms = await _seller(connection, tenant, seller_id)
        first, last = _span(days, terms, settings.clock.now())
        rows = await account_card(connection, tenant, terms.seller.id, account, first, last)
    if not as_json:
        for row in rows:
            print(f"  {row['date']} {row['entry']:>8} {row['amount']:>14} {row['balance']:>14} {row['text']}")
    return {"seller": terms.seller.id, "account": account, "from": first, "to": last, "postings": rows}


async def accrue_month(settings: Settings, seller_id: str | None, month: str, as_json: bool) -> dict[str, Any]:
    """Post what was earned and not billed at a month's end, of one seller or of all. Raises: NotFound, Conflict, Invalid."""
    now, answers = settings.clock.now(), []
    async with opened(settings) as (connection, tenant):
        found = await seller_terms(connection, tenant, seller_id)
        if not found:
            raise NotFound("legal entity", seller_id or "")
        async with connection.transaction():
            for terms in found:
                entries = await accrue(connection, tenant, terms, period_of(month, terms, now), now)
                amount = entries[0].postings[0].amount if entries else Decimal(0)
                answers.append({"seller": terms.seller.id, "amount": amount, "entries": len(entries)})
    if not as_json:
        for each in answers:
            print(f"{each['seller']}: {each['amount']} accrued for {month}, and taken back the day after")
    return {"period": month, "sellers": answers}


async def export_sie(
    settings: Settings, seller_id: str | None, days: Days, file: Path, as_json: bool
) -> dict[str, Any]:
    """The journal of a seller as a SIE 4 file. Raises: NotFound, Conflict, Invalid."""
    now = settings.clock.now()
    async with opened(settings) as (connection, tenant):
        terms = await _seller(connection, tenant, seller_id)
        first, last = _span(days, terms, now)
        entries = await journal(connection, tenant, terms.seller.id, first, last)
    written = sie4(terms.seller, entries, now.astimezone(ZoneInfo(terms.time_zone)).date())
    try:
        file.write_bytes(written)
    except OSError as error:
        raise Invalid("-o", f"{file} can't be written: {error.strerror}") from error
    if not as_json:
        print(f"{file}: {len(entries)} entries from {first} to {last}")
    return {
        "seller": terms.seller.id, "from": first, "to": last, "entries": len(entries), "file": str(file), "bytes": len(written),
    }  # fmt: skip


async def _seller(connection: asyncpg.Connection, tenant: int, seller_id: str | None) -> SellerTerms:
    """The seller of this id, or the only one."""
    found = await seller_terms(connection, tenant, seller_id)
    if not found:
        raise NotFound("legal entity", seller_id or "")
    if len(found) > 1:
        raise Conflict(f"say which seller: {', '.join(each.seller.id for each in found)}")
    return found[0]


def _span(days: Days, terms: SellerTerms, now: datetime) -> tuple[date, date]:
    """From one day to another; without them, this year so far, by the seller's clock. Raises: Invalid."""
    today = now.astimezone(ZoneInfo(terms.time_zone)).date()
    first, last = days[0] or date(today.year, 1, 1), days[1] or today
    if last < first:
        raise Invalid("--to", f"{last} is before {first}")
    return first, last


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[asyncpg.Connection, int]]:
    """A connection to the database, and the oldest tenant."""
    async with open_database(settings.database_url, settings.state_folder) as database:
        await app.prepare_tenant(settings, database)
        connection = await database.connect()
        try:
            yield connection, await connection.fetchval(query("oldest_tenant"))
        finally:
            await connection.close()


def _print_checks(checks: Sequence[Checked]) -> None:
    for each in checks:
        parts = ", ".join(f"{name} {count}" for name, count in each.counted.items())
        print(f"{each.check:12} {each.differences} {parts and f'({parts})'}")
        for item in each.items:
            print(f"  {item.id}: {item.detail}")

"""What stands in a seller's books, account by account, and how is a month closed?"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg
import msgspec

from laddbok.billing.accrual import accrual_of, charged, earned
from laddbok.billing.books import taken_back
from laddbok.billing.draft import Period
from laddbok.flow.billing_run import ends_before
from laddbok.model.billing import ContractCharge, JournalEntry, Position, Posting, SellerTerms
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Conflict
from laddbok.model.rated import Rating
from laddbok.store.exchange_rates import in_books
from laddbok.store.journal import post
from laddbok.store.sql import query

PORTION = 1_000
MAX_POSTINGS = 10_000
"""That an account card shows."""

_charge = msgspec.json.Decoder(ContractCharge)
_cdr, _rating = msgspec.json.Decoder(Cdr), msgspec.json.Decoder(Rating)


async def trial_balance(
    connection: asyncpg.Connection, tenant: int, seller_id: str, first: date, last: date
) -> list[dict[str, Any]]:
    """The accounts of a seller: `account, currency, opening, debit, credit, closing`."""
    return [dict(row) for row in await connection.fetch(query("ledger_balance"), tenant, seller_id, first, last)]


async def account_card(
    connection: asyncpg.Connection, tenant: int, seller_id: str, account: str, first: date, last: date
) -> list[dict[str, Any]]:
    """The postings on an account, with the balance after each; MAX_POSTINGS at most."""
    rows = await connection.fetch(query("ledger_card"), tenant, seller_id, account, first, last, MAX_POSTINGS)
    return [{name: value for name, value in row.items() if name != "line"} for row in rows]


async def journal(
    connection: asyncpg.Connection, tenant: int, seller_id: str, first: date, last: date
) -> list[tuple[int, JournalEntry]]:
    """The entries of these days, with their numbers."""
    rows = await connection.fetch(query("ledger_entries"), tenant, seller_id, first, last)
    return [(number, _entry(list(group))) for number, group in groupby(rows, key=itemgetter("id"))]


async def accrue(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, period: Period, now: datetime
) -> tuple[JournalEntry, ...]:
    """Post what a seller earned to the end of a month and had billed on no document by then, and take it back the next day.

    Returns: the two entries; none when there was nothing.
    Raises: Conflict when the month was accrued already, or is not over; Invalid when a session's VAT is not known.
    Source: docs/rules.md "Ledger".
    """
    before = ends_before(period, terms)
    if now < before:
        raise Conflict(f"{period.start:%Y-%m} is not over")
    revenue: dict[str, Decimal] = {}
    async with connection.transaction():
        arguments = (tenant, terms.seller.id, terms.currency, before, period.end)
        cursor = await connection.cursor(query("ledger_earned"), *arguments)
        while rows := await cursor.fetch(PORTION):
            for name, amount in earned(map(_position, rows), terms.accounts).items():
                revenue[name] = revenue.get(name, Decimal(0)) + amount
        month = f"{period.start:%Y-%m}"
        rows = await connection.fetch(query("ledger_charged"), tenant, terms.seller.id, month, period.end)
        for name, amount in charged((_charge.decode(row["content"]) for row in rows), terms.accounts).items():
            revenue[name] = revenue.get(name, Decimal(0)) + amount
        entries = accrual_of(revenue, period.end, terms.seller.id, terms.currency, terms.accounts)
        if entries:
            [earned_entry] = await in_books(connection, tenant, terms.seller.id, entries[:1])
            entries = (earned_entry, taken_back(earned_entry, entries[1]))
        try:
            async with connection.transaction():
                await post(connection, tenant, terms.seller.id, entries, now)
        except asyncpg.UniqueViolationError:
            raise Conflict(f"{period.start:%Y-%m} of {terms.seller.id} was accrued already") from None
    return entries


def _position(row: asyncpg.Record) -> Position:
    """What the revenue of a position needs; where it was is told on documents only."""
    names = ("session_id", "revision", "kind", "contract_id")
    return Position(
        place="",
        station="",
        cdr=_cdr.decode(row["cdr"]),
        rating=_rating.decode(row["rating"]),
        **{name: row[name] for name in names},
    )


def _entry(rows: Sequence[asyncpg.Record]) -> JournalEntry:
    names = ("date", "text", "source_kind", "source_id", "currency", "book_currency")
    postings = tuple(Posting(**{name: row[name] for name in ("account", "amount", "book_amount")}) for row in rows)
    return JournalEntry(postings=postings, **{name: rows[0][name] for name in names})

"""What becomes of money that came on a day without an exchange rate?

It is booked in its own currency, and waits. When the rate of its day comes in, an entry of its own says what it is worth in the
currency of the books; from then on that one stands in the books, and the first is what it was made of. Until then
reconciling names it.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import asyncpg

from laddbok.billing.books import worth_later
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.exchange import DailyRate
from laddbok.model.market_prices import Kept
from laddbok.store.exchange_rates import in_books, keep_rates
from laddbok.store.journal import post
from laddbok.store.sql import query

PORTION = 500
"""Entries that are looked at together."""


async def take_in(
    connection: asyncpg.Connection, tenants: Sequence[int], rates: Sequence[DailyRate], now: datetime
) -> tuple[Kept, int]:
    """Keep rates, and book what waited for them: all of it, or nothing. Returns: the counts, and the entries that were booked.

    Args: connection, of the tables' owner; rates, none twice.
    Source: our choice, docs/rules.md "Other currencies".
    """
    async with connection.transaction():
        kept = await keep_rates(connection, tenants, rates, now)
        booked = [await book_waiting(connection, tenant, now) for tenant in tenants]
    return kept, sum(booked)


async def book_waiting(connection: asyncpg.Connection, tenant: int, now: datetime) -> int:
    """Book the entries of a tenant that waited for a rate that is there now, in the caller's transaction. Returns: how many."""
    count, after = 0, 0
    while rows := await connection.fetch(query("waiting_entries"), tenant, after, PORTION):
        for number, group in groupby(rows, key=itemgetter("id")):
            count += await _book(connection, tenant, number, list(group), now)
            after = number
    return count


async def _book(
    connection: asyncpg.Connection, tenant: int, number: int, rows: Sequence[asyncpg.Record], now: datetime
) -> bool:
    seller_id = rows[0]["legal_entity_id"]
    await connection.execute(query("payments_lock"), tenant, seller_id)
    [entry] = await in_books(connection, tenant, seller_id, [_entry(rows)])
    if entry.book_currency is None:
        return False
    await post(connection, tenant, seller_id, [worth_later(entry, number)], now)
    return True


def _entry(rows: Sequence[asyncpg.Record]) -> JournalEntry:
    names = ("date", "text", "source_kind", "source_id", "currency")
    lines = ("account", "amount", "invoice_id", "payer_id", "valued_on", "stood")
    postings = tuple(Posting(**{name: row[name] for name in lines}) for row in rows)
    return JournalEntry(postings=postings, **{name: rows[0][name] for name in names})

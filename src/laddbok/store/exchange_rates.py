"""Where are exchange rates kept, and how do entries in another currency come into the books?

Rates are rows that are added and never changed. An entry in another currency than the seller's books gets the day's rate when
it is written; what it clears of a document goes out at the document's own rate.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec

from laddbok.billing.books import OpenItem, booked
from laddbok.model.billing import JournalEntry
from laddbok.model.exchange import MAX_AGE_DAYS, DailyRate, rate_on
from laddbok.model.market_prices import Kept
from laddbok.store.sql import query

NEWEST = 2_000
"""Rates that are read with a seller's terms: of two currencies more than two years."""

_accounts = msgspec.json.Decoder(dict[str, str])


async def keep_rates(
    connection: asyncpg.Connection, tenants: Sequence[int], rates: Sequence[DailyRate], received_at: datetime
) -> Kept:
    """Keep rates for these tenants, in one transaction: whole, or nothing of them.

    Args: connection, of the tables' owner; rates, none twice.
    Source: our choice, docs/rules.md "Other currencies".
    """
    columns = [[getattr(each, name) for each in rates] for name in ("base", "currency", "day", "rate", "source")]
    async with connection.transaction():
        await connection.execute(query("exchange_rates_alone"))
        row = await connection.fetchrow(query("exchange_rates_keep"), list(tenants), *columns, received_at)
    written = row["new"] + row["changed"]
    return Kept(row["new"], row["changed"], len(rates) * len(tenants) - written)


async def read_rates(
    connection: asyncpg.Connection, tenant: int, currencies: Sequence[str], first: date | None, last: date | None
) -> tuple[DailyRate, ...]:
    """The rates of these currencies that count, the newest first. Args: first, last, None: without a bound; NEWEST at most."""
    rows = await connection.fetch(query("exchange_rates_read"), tenant, list(currencies), first, last, NEWEST)
    return tuple(DailyRate(**dict(row)) for row in rows)


async def in_books(
    connection: asyncpg.Connection, tenant: int, seller_id: str, entries: Sequence[JournalEntry]
) -> list[JournalEntry]:
    """Entries as they stand in a seller's books. One of a day without a rate stays in its own currency: money came all the same.

    Source: docs/rules.md "Other currencies".
    """
    row = await connection.fetchrow(query("books_of_seller"), tenant, seller_id)
    books, accounts = row["books"], _accounts.decode(row["accounts"])
    items: dict[str, OpenItem] = {}
    return [
        each
        if each.book_currency is not None or each.currency == books
        else await _booked(connection, tenant, each, books, accounts, items)
        for each in entries
    ]


async def _booked(
    connection: asyncpg.Connection,
    tenant: int,
    entry: JournalEntry,
    books: str,
    accounts: dict[str, str],
    items: dict[str, OpenItem],
) -> JournalEntry:
    """Args: items, what is open of documents after the entries before this one; changed by this one."""
    found = {}
    for day in {each.valued_on or entry.date for each in entry.postings}:
        known = await read_rates(connection, tenant, (entry.currency, books), day - timedelta(days=MAX_AGE_DAYS), day)
        if (rate := rate_on(day, entry.currency, books, known)) is None:
            return entry
        found[day] = rate.rate
    named = sorted({each.invoice_id for each in entry.postings if each.invoice_id} - items.keys())
    rows = await connection.fetch(query("open_items"), tenant, named) if named else ()
    items |= {row["invoice_id"]: OpenItem(row["open"], row["rate"]) for row in rows if row["rate"] is not None}
    made = booked(entry, books, found.get(entry.date, Decimal(0)), accounts, items, found)
    for each in entry.postings:
        if (item := items.get(each.invoice_id or "")) is not None:
            items[each.invoice_id or ""] = OpenItem(item.open + each.amount, item.rate)
    return made

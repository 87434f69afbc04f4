"""How are journal entries written?

Each in the transaction of what it follows from, and each source once: the database refuses the second one.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from laddbok.model.billing import JournalEntry
from laddbok.store.exchange_rates import in_books
from laddbok.store.sql import query


async def post(
    connection: asyncpg.Connection, tenant: int, seller_id: str, entries: Sequence[JournalEntry], now: datetime
) -> None:
    """Write journal entries, in the caller's transaction; each source can be posted once."""
    entries = await in_books(connection, tenant, seller_id, entries)
    columns = [[getattr(each, name) for each in entries] for name in ("date", "text", "source_kind", "source_id")]
    rows = await connection.fetch(query("journal_add"), tenant, seller_id, *columns, now)
    ids = {(row["source_kind"], row["source_id"]): row["id"] for row in rows}
    postings = [
        (
            ids[entry.source_kind, entry.source_id],
            line,
            p.account,
            p.amount,
            entry.currency,
            p.invoice_id,
            p.payer_id,
            p.book_amount,
            entry.book_currency,
            p.valued_on,
            p.stood or None,
        )
        for entry in entries
        for line, p in enumerate(entry.postings, start=1)
    ]
    if postings:
        await connection.execute(query("postings_add"), tenant, *map(list, zip(*postings, strict=True)))

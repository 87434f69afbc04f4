"""How is what a reminder claimed taken back?

From the accounts on which it stands, once, in the caller's transaction; what of it was written off gives way.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.reminders import REMINDER, entry_of_cancelled
from laddbok.model.billing import JournalEntry, Posting, SellerTerms
from laddbok.model.write_off import WriteOffKind
from laddbok.store.journal import post
from laddbok.store.sql import query
from laddbok.store.written_off import give_way

REMINDER_CANCELLED = "reminder_cancelled"
"""The kind of the event on an invoice."""


async def take_claim_back(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, invoice_id: str, number: int, reason: str,
    now: datetime, by: str,
) -> bool:  # fmt: skip
    """Cancel a reminder of an invoice. Returns: False, when it was cancelled before.

    Source: our choice, docs/rules.md "Reminders".
    """
    seller_id = terms.seller.id
    await connection.fetchval(query("reminder_hold"), tenant, invoice_id, number)
    if not await connection.fetchval(query("reminder_cancel"), tenant, invoice_id, number, reason, now, by):
        return False
    posted = await _entry(connection, tenant, seller_id, f"{invoice_id}/{number}")
    if posted is not None:
        today = now.astimezone(ZoneInfo(terms.time_zone)).date()
        await post(connection, tenant, seller_id, [entry_of_cancelled(posted, today)], now)
        await give_way(connection, tenant, terms, [invoice_id], WriteOffKind.CANCELLED, now)
    await connection.execute(query("delivery_drop"), tenant, invoice_id, number, now)
    told = msgspec.json.encode({"number": number, "reason": reason}).decode()
    await connection.execute(query("invoice_event_add"), tenant, invoice_id, now, REMINDER_CANCELLED, by, told)
    return True


async def _entry(connection: asyncpg.Connection, tenant: int, seller_id: str, source: str) -> JournalEntry | None:
    """What a reminder posted; None: it claimed nothing."""
    rows = await connection.fetch(query("entry_of_source"), tenant, seller_id, REMINDER, source)
    if not rows:
        return None
    names = ("account", "amount", "invoice_id", "payer_id", "book_amount")
    postings = tuple(Posting(**{name: row[name] for name in names}) for row in rows)
    head = {name: rows[0][name] for name in ("date", "text", "source_kind", "source_id", "currency", "book_currency")}
    return JournalEntry(postings=postings, **head)

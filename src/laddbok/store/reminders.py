"""How are customers reminded of what is late?

Invoice by invoice, each in one transaction under its seller's lock on money: what is left is read, the reminder is frozen,
its claim is posted, and its PDF is queued. Either all of it is there or nothing, and each stage of an invoice is there
once, whoever looks how often. What can't be decided (a reference rate that is not given) is named; the others go on.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

import asyncpg
import msgspec

from laddbok.billing.balance import summed_up
from laddbok.billing.late_terms import LateTerms, parse_late_terms
from laddbok.billing.reminders import entry_of_claim
from laddbok.billing.reminding import Earlier, LateInvoice, in_the_way, is_due, next_reminder
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.invoice import Invoice
from laddbok.model.reminder import Reminder
from laddbok.store.billing import seller_terms
from laddbok.store.journal import post
from laddbok.store.reminder_claims import take_claim_back
from laddbok.store.rows import as_json
from laddbok.store.sql import query

RENDER_REMINDER = "render_reminder"
"""The kind of the job that makes the PDF of a reminder; its key is tenant, number and invoice id."""
REMINDED = "reminded"
"""The kind of the event on an invoice."""
REMINDED_WITHIN = timedelta(days=365)
"""So long after its last reminder's day an invoice is looked at; what is older is for a person."""
PORTION = 500
MAX_NAMED = 1_000
MAX_REASON_CHARS = 500

_invoice, _reminder = msgspec.json.Decoder(Invoice), msgspec.json.Decoder(Reminder)
_encode = msgspec.json.Encoder(order="deterministic").encode


class NotReminded(msgspec.Struct, frozen=True):
    """An invoice whose reminder was due and did not go out."""

    invoice_id: str
    reason: str


class Reminded(msgspec.Struct, kw_only=True):
    """What came of looking through a seller's late invoices; the first so many of each are named."""

    seller_id: str
    day: date
    count: int = 0
    reminders: list[Reminder] = []
    left_out: list[NotReminded] = []
    """Disputed, or something is in the way."""


async def remind_all(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, today: date, now: datetime, by: str, *, dry: bool = False
) -> Reminded:  # fmt: skip
    """Issue all reminders of a seller that are due on a day; done twice, the second time changes nothing.

    Args: today, of the seller; dry, only tell what would be issued.
    Raises: Invalid when the seller's terms can't be read.
    Source: docs/rules.md "Reminders".
    """
    told = Reminded(seller_id=terms.seller.id, day=today)
    late_terms = parse_late_terms(terms.late_terms)
    stages = late_terms.reminder_days
    if not stages:
        return told
    last, due_by = "", today - timedelta(days=stages[0])
    due_since = today - timedelta(days=stages[-1]) - REMINDED_WITHIN
    while True:
        rows = await connection.fetch(
            query("reminders_due"), tenant, terms.seller.id, due_by, last, len(stages), PORTION, due_since
        )
        for row in rows:
            await _remind(connection, tenant, terms, late_terms, row["id"], today, now, by, told, dry=dry)
        if len(rows) < PORTION:
            return told
        last = rows[-1]["id"]


async def _remind(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, late_terms: LateTerms, invoice_id: str, today: date,
    now: datetime, by: str, told: Reminded, *, dry: bool,
) -> None:  # fmt: skip
    async with connection.transaction():
        if not dry:
            await connection.execute(query("payments_lock"), tenant, terms.seller.id)
        late = await late_invoice(connection, tenant, invoice_id)
        try:
            reminder = next_reminder(late, late_terms, today)
        except Invalid as error:
            reminder, why = None, str(error)
        else:
            why = in_the_way(late) if is_due(late, late_terms, today) else ""
        if reminder is not None and (dry or await _issued(connection, tenant, terms, reminder, now, by)):
            told.count += 1
            told.reminders += [reminder] if len(told.reminders) < MAX_NAMED else []
        elif why and len(told.left_out) < MAX_NAMED:
            told.left_out.append(NotReminded(invoice_id, why))


async def late_invoice(connection: asyncpg.Connection, tenant: int, invoice_id: str) -> LateInvoice:
    """An invoice with what is open of it, by day, and the reminders of it. Raises: NotFound."""
    row = await connection.fetchrow(query("reminder_ground"), tenant, invoice_id)
    if row is None:
        raise NotFound("invoice", invoice_id)
    steps = await connection.fetch(query("invoice_owed_steps"), tenant, invoice_id)
    earlier = [
        Earlier(pay_by=before.pay_by, claim=before.claim, is_cancelled=each["is_cancelled"])
        for each in await connection.fetch(query("reminders_of_invoice"), tenant, invoice_id)
        for before in [_reminder.decode(each["content"])]
    ]
    invoice = _invoice.decode(row["content"])
    asked = tenant, row["legal_entity_id"], [invoice.buyer.id], invoice.currency
    [credit] = await connection.fetch(query("payer_credit"), *asked)
    return LateInvoice(
        id=invoice_id,
        invoice=invoice,
        owed=tuple(summed_up((each["date"], each["amount"]) for each in steps)),
        earlier=tuple(earlier),
        is_disputed=row["is_disputed"],
        credit=credit["credit"],
    )


async def _issued(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, reminder: Reminder, now: datetime, by: str
) -> bool:
    """Write a reminder with its journal entry, its event and the job that renders it."""
    claimed, invoice_id = reminder.claim, reminder.invoice_id
    is_new = await connection.fetchval(
        query("reminder_add"), tenant, invoice_id, reminder.number, terms.seller.id, reminder.issue_date, reminder.pay_by,
        reminder.currency, reminder.principal, claimed.total, now, by, _encode(reminder),
    )  # fmt: skip
    if not is_new:
        return False
    if claimed.total:
        entry = entry_of_claim(
            claimed, invoice_id, reminder.buyer.id, reminder.number, reminder.issue_date, reminder.currency, terms.accounts
        )  # fmt: skip
        await post(connection, tenant, terms.seller.id, [entry], now)
    body = {"number": reminder.number, "claimed": str(claimed.total), "total": str(reminder.total)}
    await _tell(connection, tenant, invoice_id, now, REMINDED, by, body)
    job = {"tenant": tenant, "kind": RENDER_REMINDER, "key": f"{tenant}/{reminder.number}/{invoice_id}", "due_at": now}
    await connection.execute(query("add_jobs"), as_json([job]))
    return True


async def cancel_reminder(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, number: int, reason: str, now: datetime, by: str
) -> bool:  # fmt: skip
    """Take back what a reminder claimed, in one transaction. Returns: False, when it was cancelled before.

    Raises: NotFound; Invalid when no reason is given.
    Source: our choice, docs/rules.md "Reminders".
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_CHARS:
        raise Invalid("reason", f"must say why, in {MAX_REASON_CHARS} characters at most")
    async with connection.transaction():
        seller_id = (await stored_reminder(connection, tenant, invoice_id, number)).seller.id
        [terms] = await seller_terms(connection, tenant, seller_id)
        await connection.execute(query("payments_lock"), tenant, seller_id)
        return await take_claim_back(connection, tenant, terms, invoice_id, number, reason, now, by)


async def stored_reminder(connection: asyncpg.Connection, tenant: int, invoice_id: str, number: int) -> Reminder:
    """A reminder as it was frozen. Raises: NotFound."""
    row = await connection.fetchrow(query("reminder_one"), tenant, invoice_id, number)
    if row is None:
        raise NotFound("reminder", f"{invoice_id}/{number}")
    return _reminder.decode(row["content"])


async def keep_pdf(connection: asyncpg.Connection, tenant: int, reminder: Reminder, pdf: bytes, now: datetime) -> bool:
    """Store the PDF of a reminder if none is; unless it was cancelled, it waits to be sent.

    Returns: whether what is stored is this one.
    """
    key, digest = (tenant, reminder.invoice_id, reminder.number), sha256(pdf).digest()
    async with connection.transaction():
        stands = await connection.fetchval(query("reminder_hold"), *key)
        if await connection.fetchval(query("reminder_document_add"), *key, pdf, digest, now):
            if stands:
                await connection.execute(query("delivery_add"), *key, now)
            return True
    stored = await connection.fetchrow(query("reminder_document"), *key)
    return stored is not None and stored["sha256"] == digest


async def sellers(connection: asyncpg.Connection, tenant: int, seller_id: str | None) -> Sequence[SellerTerms]:
    """The sellers of a tenant, or the one of this id. Raises: NotFound."""
    found = await seller_terms(connection, tenant, seller_id)
    if not found and seller_id is not None:
        raise NotFound("legal entity", seller_id)
    return found


async def _tell(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, now: datetime, kind: str, by: str, body: dict[str, object]
) -> None:  # fmt: skip
    told = msgspec.json.encode(body).decode()
    await connection.execute(query("invoice_event_add"), tenant, invoice_id, now, kind, by, told)

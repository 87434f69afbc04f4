"""How does money that arrives become rows and postings, once?

A bank's file is taken in by one transaction: each of its lines that no file told before becomes payments, each payment is
matched with what is open, and its parts and its journal entry are written with it. The same file twice has no effect, and
of files that overlap each line counts once. Whoever moves money of a seller holds its lock, so that what is open is so
until the end of the transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

import asyncpg
import msgspec

from laddbok.billing.payment_postings import entry_of_move, entry_of_payment
from laddbok.billing.payments import match, numbers_named
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.payment import (
    REFUND_TASKS,
    Allocation,
    AllocationKind,
    BankEntry,
    BankFile,
    OpenInvoice,
    Payment,
    Reason,
)
from laddbok.store.billing import post, seller_terms
from laddbok.store.receipt_jobs import receipt_is_due, session_of
from laddbok.store.sql import query

BY_LADDBOK = "laddbok"
MIN_REFERENCE_CHARS = 8
_encode = msgspec.json.Encoder(order="deterministic").encode


class Imported(msgspec.Struct, kw_only=True):
    """What a file brought. `known`: lines that another file told before, `detailed`: those of them whose payments are told
    now; `pending`: announced, and left out."""

    message_id: str
    is_new: bool
    entries: int = 0
    known: int = 0
    detailed: int = 0
    pending: int = 0
    payments: int = 0
    in_suspense: int = 0
    refund_tasks: int = 0
    received: dict[str, Decimal] = {}
    """By currency; what went out is taken off."""


class Recorded(msgspec.Struct, frozen=True):
    """A payment that was written, with its parts."""

    id: str
    parts: tuple[Allocation, ...]


async def import_file(
    connection: asyncpg.Connection, tenant: int, file: BankFile, content: bytes, name: str, now: datetime, by: str
) -> Imported:
    """Take a bank's file in, in one transaction (or the caller's).

    Args: content, the file's bytes, by which it is known again.
    Returns: what it brought; nothing, if it was imported before.
    Raises: Invalid when an account in it is no seller's; then nothing is written.
    Source: our choice, docs/rules.md "Bank files"; case B55.
    """
    told = Imported(message_id=file.message_id, is_new=True)
    digest = sha256(content).digest()
    async with connection.transaction():
        sellers = await _sellers_of(connection, tenant, file)
        for seller_id in sorted({terms.seller.id for terms in sellers.values()}):
            await connection.execute(query("payments_lock"), tenant, seller_id)
        if not await connection.fetchval(query("bank_file_add"), tenant, digest, file.message_id, name, now, by):
            return Imported(message_id=file.message_id, is_new=False)
        for entry in file.entries:
            await _take_entry(connection, tenant, sellers[entry.account], entry, digest, now, told)
    return told


async def record(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    payment: Payment,
    parts: Sequence[Allocation],
    now: datetime,
    *,
    request_id: str | None = None,
    digest: bytes | None = None,
) -> Recorded | None:
    """Write a payment with its parts and its journal entry, in the caller's transaction; None: it is known already.

    A part for which nothing is owed gets a refund task for a person.
    """
    payment_id = payment_id_of(terms.seller.id, payment)
    is_new = await connection.fetchval(
        query("payment_add"), tenant, payment_id, payment.provider, payment.reference, terms.seller.id, payment.received_on,
        payment.amount, payment.currency, payment.payer_name, payment.payer_account, payment.text, _encode(payment).decode(),
        request_id, digest, now,
    )  # fmt: skip
    if not is_new:
        return None
    await add_parts(connection, tenant, payment_id, 0, parts, now, BY_LADDBOK)
    await post(connection, tenant, terms.seller.id, [entry_of_payment(payment, payment_id, parts, terms.accounts)], now)
    await _propose_refunds(connection, tenant, payment_id, parts, payment.currency, now)
    for session_id in {session_of(part.payer_id) for part in parts} - {None}:
        await receipt_is_due(connection, tenant, str(session_id), now)
    return Recorded(payment_id, tuple(parts))


async def _propose_refunds(
    connection: asyncpg.Connection,
    tenant: int,
    payment_id: str,
    parts: Sequence[Allocation],
    currency: str,
    now: datetime,
) -> None:
    for part in parts:
        if part.reason in REFUND_TASKS:
            key = f"{part.reason.value}/{payment_id}"
            await connection.fetchval(
                query("refund_add"), tenant, refund_id_of(key), key, payment_id, part.amount, currency,
                part.reason.value, "proposed", BY_LADDBOK, now,
            )  # fmt: skip


async def add_parts(
    connection: asyncpg.Connection,
    tenant: int,
    payment_id: str,
    after: int,
    parts: Sequence[Allocation],
    now: datetime,
    by: str,
    refund_id: str | None = None,
) -> None:
    """Write rows of a payment. Args: after, the number of its last row so far."""
    columns = zip(
        *((p.kind.value, p.amount, p.invoice_id, p.payer_id, p.reason.value) for p in parts),
        strict=True,
    )
    await connection.execute(
        query("payment_parts_add"), tenant, payment_id, after, *map(list, columns), refund_id, now, by
    )


def payment_id_of(seller_id: str, payment: Payment) -> str:
    """Our id of a payment: the same payment, whoever tells it when, has the same."""
    return "p" + sha256(f"{seller_id}/{payment.provider}/{payment.reference}".encode()).hexdigest()[:20].upper()


def refund_id_of(key: str) -> str:
    """The id of the refund under an idempotency key: 32 digits, as providers want them, and as a bank transfer can carry."""
    return sha256(f"refund/{key}".encode()).hexdigest()[:32].upper()


async def open_invoices(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    *,
    numbers: Sequence[str] = (),
    ids: Sequence[str] = (),
    payer_ids: Sequence[str] = (),
    owed: Decimal | None = None,
) -> list[OpenInvoice]:
    """Invoices with what is open on them: those of these numbers, references or ids, and those of payers on which so much is."""
    plain = [number.lstrip("0") for number in numbers]
    rows = await connection.fetch(
        query("payment_invoices"), tenant, terms.seller.id, plain, list(ids), list(payer_ids), owed
    )
    return [OpenInvoice(**dict(row)) for row in rows]


async def matched(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payment: Payment
) -> tuple[Allocation, ...]:
    """Where a payment goes, by what is open now."""
    settled = await _settled(connection, tenant, terms, payment)
    if settled:
        return settled
    rows = await connection.fetch(query("payment_payers"), tenant, payment.payer_name, payment.payer_account)
    payer_ids = [row["id"] for row in rows if row["id"] is not None]
    numbers = sorted(numbers_named(payment))
    found = await open_invoices(connection, tenant, terms, numbers=numbers, payer_ids=payer_ids, owed=payment.amount)
    return match(payment, found, terms.currency, payer_ids)


async def _settled(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payment: Payment
) -> tuple[Allocation, ...]:
    """A provider's payment that the bank tells of too: no customer pays again."""
    words = {*payment.text.split(), payment.end_to_end_id or "", *(each.reference for each in payment.remitted)}
    references = sorted(word for word in words if len(word) >= MIN_REFERENCE_CHARS)
    if payment.amount < 0 or not references:
        return ()
    rows = await connection.fetch(query("settled_by_provider"), tenant, terms.seller.id, references)
    if len(rows) != 1 or rows[0]["amount"] != payment.amount or payment.currency != terms.currency:
        return ()
    return (Allocation(kind=AllocationKind.SETTLEMENT, amount=payment.amount, reason=Reason.SETTLED),)


async def _refund_left(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payment: Payment, now: datetime
) -> tuple[Allocation, ...]:
    """A refund that finance paid by bank: its id is the payment's own id, or stands among its words."""
    if payment.amount > 0:
        return ()
    words = sorted({payment.end_to_end_id or "", *payment.text.split(), *(each.reference for each in payment.remitted)})
    rows = await connection.fetch(
        query("refund_waiting"), tenant, terms.seller.id, words, -payment.amount, payment.currency
    )
    if len(rows) != 1:
        return ()
    await connection.fetchval(
        query("refund_becomes"), tenant, rows[0]["id"], "paid", payment.reference[:200], None, now
    )
    return (Allocation(kind=AllocationKind.REFUND, amount=payment.amount, reason=Reason.REQUESTED),)


async def _sellers_of(connection: asyncpg.Connection, tenant: int, file: BankFile) -> dict[str, SellerTerms]:
    """Whose each account in a file is. Raises: Invalid when it is nobody's."""
    rows = await connection.fetch(query("seller_accounts"), tenant)
    owners = {
        (number or "").replace(" ", "").replace("-", "").upper(): row["id"]
        for row in rows
        for number in (row["bankgiro"], row["iban"])
    }
    owners.pop("", None)
    found: dict[str, SellerTerms] = {}
    for number in sorted({entry.account for entry in file.entries}):
        if number not in owners:
            raise Invalid("account", f"no legal entity is paid on {number}: neither its bankgiro nor its IBAN")
        [found[number]] = await seller_terms(connection, tenant, owners[number])
    return found


async def _take_entry(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    entry: BankEntry,
    digest: bytes,
    now: datetime,
    told: Imported,
) -> None:
    if not entry.is_booked:
        told.pending += 1
        return
    row = (terms.seller.id, entry.reference, entry.account, entry.booked_on, entry.amount, entry.currency, digest)
    if not await connection.fetchval(query("bank_entry_add"), tenant, *row):
        told.known += 1
        told.detailed += await _details_later(connection, tenant, terms, entry, now)
        return
    told.entries += 1
    for payment in entry.payments:
        if not payment.amount:
            continue
        parts = await _refund_left(connection, tenant, terms, payment, now)
        parts = parts or await matched(connection, tenant, terms, payment)
        recorded = await record(connection, tenant, terms, payment, parts, now, digest=digest)
        if recorded is None:
            raise Invalid("file", f"payment {payment.reference} is known from another line of the account")
        told.payments += 1
        told.in_suspense += any(part.kind is AllocationKind.SUSPENSE for part in parts)
        told.refund_tasks += any(part.reason in REFUND_TASKS for part in parts)
        told.received[payment.currency] = told.received.get(payment.currency, Decimal(0)) + payment.amount


async def _details_later(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, entry: BankEntry, now: datetime
) -> bool:
    """A statement told of an entry as one sum, and a notification tells its payments: what nobody has touched yet goes
    where they say."""
    whole = msgspec.structs.replace(entry.payments[0], reference=f"{entry.reference}/0")
    payment_id = payment_id_of(terms.seller.id, whole)
    rows = await connection.fetch(query("payment_parts"), tenant, payment_id)
    has_details = len(entry.payments) > 1 or entry.payments[0].remitted or entry.payments[0].payer_name
    is_untouched = [(row["kind"], row["amount"]) for row in rows] == [(AllocationKind.SUSPENSE, entry.amount)]
    if not has_details or not is_untouched:
        return False
    last = len(rows)
    for each in entry.payments:
        parts = await matched(connection, tenant, terms, each)
        if all(part.kind is AllocationKind.SUSPENSE for part in parts):
            continue
        moved = [Allocation(kind=AllocationKind.SUSPENSE, amount=-each.amount), *parts]
        await add_parts(connection, tenant, payment_id, last, moved, now, BY_LADDBOK)
        source = f"{payment_id}/{last + 1}"
        made = entry_of_move(source, entry.booked_on, entry.currency, moved, terms.accounts)
        await post(connection, tenant, terms.seller.id, [made], now)
        await _propose_refunds(connection, tenant, payment_id, parts, entry.currency, now)
        last += len(moved)
    return last > len(rows)

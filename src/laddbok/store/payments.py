"""How do payments become rows and postings, once?

A payment is matched with what is open; its parts and its journal entry are written with it. Whoever moves money of a seller
holds its lock, so that what is open is so until the end of the transaction. Many payments are matched and written at once:
each as if it came after the one before it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

import asyncpg
import msgspec

from laddbok.billing.payment_postings import entry_of_payment
from laddbok.billing.payments import numbers_named
from laddbok.flow.open_items import OpenItems, bare, words_of
from laddbok.model.billing import SellerTerms
from laddbok.model.payment import REFUND_TASKS, Allocation, AllocationKind, OpenInvoice, Payment
from laddbok.model.write_off import WriteOffKind
from laddbok.store.journal import post
from laddbok.store.receipt_jobs import receipts_are_due
from laddbok.store.sql import query
from laddbok.store.written_off import give_way

BY_LADDBOK = "laddbok"
_encode = msgspec.json.Encoder(order="deterministic").encode
Matched = tuple[Payment, tuple[Allocation, ...]]


class Recorded(msgspec.Struct, frozen=True):
    """A payment that was written, with its parts."""

    id: str
    parts: tuple[Allocation, ...]


async def record(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    payment: Payment,
    parts: Sequence[Allocation],
    now: datetime,
    *,
    request_id: str | None = None,
) -> Recorded | None:
    """Write a payment with its parts and its journal entry, in the caller's transaction; None: it is known already.

    A part for which nothing is owed gets a refund task for a person.
    """
    made = await record_all(connection, tenant, terms, [(payment, tuple(parts))], now, request_id=request_id)
    return made[0] if made else None


async def record_all(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    matched: Sequence[Matched],
    now: datetime,
    *,
    request_id: str | None = None,
    digest: bytes | None = None,
    perhaps_same_as: Sequence[str] = (),
) -> list[Recorded]:
    """Write payments with their parts and journal entries, in the caller's transaction. Returns: those that were not known.

    Args: perhaps_same_as, the payments that all of them may be.
    """
    seller_id = terms.seller.id
    rows = {payment_id_of(seller_id, payment): (payment, parts) for payment, parts in matched}
    columns = zip(*(_columns(payment_id, payment) for payment_id, (payment, _) in rows.items()), strict=True)
    told = await connection.fetch(
        query("payments_add"), tenant, seller_id, *map(list, columns), request_id, digest, now, perhaps_same_as
    )
    new = {row["id"]: rows[row["id"]] for row in told}
    if not new:
        return []
    await _write_parts(connection, tenant, {each: (0, parts) for each, (_, parts) in new.items()}, now, BY_LADDBOK)
    entries = [entry_of_payment(payment, each, parts, terms.accounts) for each, (payment, parts) in new.items()]
    await post(connection, tenant, seller_id, entries, now)
    paid = {part.invoice_id for _, parts in new.values() for part in parts if part.kind is AllocationKind.INVOICE}
    await give_way(connection, tenant, terms, filter(None, paid), WriteOffKind.PAID, now)
    for payment_id, (payment, parts) in new.items():
        await propose_refunds(connection, tenant, payment_id, parts, payment.currency, now)
        await receipts_are_due(connection, tenant, parts, now)
    return [Recorded(payment_id, parts) for payment_id, (_, parts) in new.items()]


def _columns(payment_id: str, payment: Payment) -> tuple[object, ...]:
    return (
        payment_id, payment.provider, payment.reference, payment.received_on, payment.amount, payment.currency,
        payment.payer_name, payment.payer_account, payment.text, _encode(payment).decode(),
    )  # fmt: skip


async def propose_refunds(
    connection: asyncpg.Connection,
    tenant: int,
    payment_id: str,
    parts: Sequence[Allocation],
    currency: str,
    now: datetime,
) -> None:
    """Ask a person whether parts for which nothing is owed are to be paid back."""
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
    await _write_parts(connection, tenant, {payment_id: (after, parts)}, now, by, refund_id)


async def _write_parts(
    connection: asyncpg.Connection,
    tenant: int,
    parts_of: Mapping[str, tuple[int, Sequence[Allocation]]],
    now: datetime,
    by: str,
    refund_id: str | None = None,
) -> None:
    """Args: parts_of, by payment its rows, and the number of its last row so far."""
    columns = zip(
        *(
            (payment_id, number, p.kind.value, p.amount, p.invoice_id, p.payer_id, p.reason.value)
            for payment_id, (after, parts) in parts_of.items()
            for number, p in enumerate(parts, start=after + 1)
        ),
        strict=True,
    )
    await connection.execute(query("payment_parts_add"), tenant, *map(list, columns), refund_id, now, by)


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
    owed: Sequence[Decimal] = (),
) -> list[OpenInvoice]:
    """Invoices with what is open on them: those of these numbers, references or ids, and those of payers on which so much is."""
    plain = sorted({bare(number) for number in numbers})
    rows = await connection.fetch(
        query("payment_invoices"), tenant, terms.seller.id, plain, list(ids), list(payer_ids), list(owed)
    )
    return [OpenInvoice(**dict(row)) for row in rows]


async def matched(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payment: Payment
) -> tuple[Allocation, ...]:
    """Where a payment goes, by what is open now."""
    [(_, parts)] = await match_all(connection, tenant, terms, [payment])
    return parts


async def match_all(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payments: Sequence[Payment]
) -> list[Matched]:
    """Where payments go, one after the other, by what is open now.

    Args: payments, of which no two are from one account: what the first paid tells who the next one is from.
    Source: our choice, docs/rules.md "Payments".
    """
    names, accounts = ([getattr(each, field) for each in payments] for field in ("payer_name", "payer_account"))
    payers: dict[int, set[str]] = defaultdict(set)
    for row in await connection.fetch(query("payment_payers"), tenant, names, accounts):
        payers[row["number"]].add(row["id"])
    found = await open_invoices(
        connection, tenant, terms,
        numbers=[number for each in payments for number in numbers_named(each)],
        payer_ids=sorted(set().union(*payers.values())),
        owed=sorted({each.amount + each.charge for each in payments}),
    )  # fmt: skip
    collected: dict[str, list[Decimal]] = defaultdict(list)
    words = sorted({word for each in payments for word in words_of(each)})
    for row in await connection.fetch(query("settled_by_provider"), tenant, terms.seller.id, words):
        collected[row["reference"]].append(row["amount"])
    known = {number: frozenset(ids) for number, ids in payers.items()}
    items = OpenItems(terms.currency, found, known, collected)
    return [(each, items.take(number, each)) for number, each in enumerate(payments, start=1)]

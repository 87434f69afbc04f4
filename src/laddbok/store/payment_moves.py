"""How is money moved out of suspense, and paid back once?

A person says where a part of a payment belongs, or that it is to be paid back. Each move is rows that take back and rows that
stand elsewhere, with a journal entry, in one transaction under the seller's lock. A refund has a key: asked for twice it is
one. It sets its amount aside at once, so that no more than what nobody owes can be paid back, and is then carried out: by
the provider that the money came through, or by hand, when it came by bank.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.moves import Where, freed, moved, refundable, refunded, standing
from laddbok.billing.payment_postings import entry_of_move, entry_of_refund
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.payment import PAID_BACK_BY_BANK, Allocation, AllocationKind, Reason
from laddbok.model.write_off import WriteOffKind
from laddbok.store.billing import seller_terms
from laddbok.store.journal import post
from laddbok.store.payments import BY_LADDBOK, add_parts, open_invoices, refund_id_of
from laddbok.store.receipt_jobs import receipt_is_due, session_of
from laddbok.store.rows import as_json
from laddbok.store.sql import query
from laddbok.store.written_off import give_way

SEND_REFUND = "send_refund"
"""The kind of the job that asks a provider to pay a refund; its key is tenant and refund id."""


class KnownPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A stored payment, as moves need it: its seller's terms and its rows so far."""

    id: str
    provider: str
    reference: str
    amount: Decimal
    currency: str
    received_on: date
    perhaps_same_as: Sequence[str]
    terms: SellerTerms
    parts: tuple[Allocation, ...]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person wants a part of a payment: on an invoice (id or number), to a customer's credit, or settled; `to_kind` fee:
    it is a fee of the bank, same: it is what it was perhaps the same as, and of an amount above its own the bank kept the rest."""

    amount: Decimal
    source: AllocationKind = AllocationKind.SUSPENSE
    invoice: str | None = None
    payer_id: str | None = None
    to_kind: AllocationKind | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it stands."""

    id: str
    payment_id: str
    amount: Decimal
    state: str


async def held_payment(connection: asyncpg.Connection, tenant: int, payment_id: str) -> KnownPayment:
    """A payment under its seller's lock, in the caller's transaction. Raises: NotFound."""
    row = await connection.fetchrow(query("payment_one"), tenant, payment_id)
    if row is None:
        raise NotFound("payment", payment_id)
    await connection.execute(query("payments_lock"), tenant, row["legal_entity_id"])
    [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
    parts = tuple(
        Allocation(
            kind=AllocationKind(each["kind"]), amount=each["amount"], invoice_id=each["invoice_id"],
            payer_id=each["payer_id"], reason=Reason(each["reason"]),
        )
        for each in await connection.fetch(query("payment_parts"), tenant, payment_id)
    )  # fmt: skip
    names = ("id", "provider", "reference", "amount", "currency", "received_on", "perhaps_same_as")
    return KnownPayment(**{name: row[name] for name in names}, terms=terms, parts=parts)


async def allocate(
    connection: asyncpg.Connection, tenant: int, payment_id: str, move: Move, now: datetime, by: str
) -> tuple[Allocation, ...]:
    """Move a part of a payment out of suspense, or out of a customer's credit. Returns: all rows of the payment.

    Raises: NotFound, Invalid, Conflict: more than stands there, or than is owed on the invoice.
    Source: our choice, docs/rules.md "Suspense".
    """
    async with connection.transaction():
        payment = await held_payment(connection, tenant, payment_id)
        terms = payment.terms
        if move.invoice is not None and move.payer_id is not None:
            raise Invalid("payer_id", "an invoice or a customer, not both")
        if move.to_kind is AllocationKind.SAME and not payment.perhaps_same_as:
            raise Conflict(f"payment {payment_id} is not held for being perhaps the same as another one")
        if move.payer_id is not None and not await connection.fetchval(query("payer_known"), tenant, move.payer_id):
            raise NotFound("payer", move.payer_id)
        invoice = None
        if move.invoice is not None:
            if payment.currency != terms.currency:
                raise Invalid("invoice", f"the payment is in {payment.currency}, the invoice in {terms.currency}")
            found = await open_invoices(connection, tenant, terms, numbers=[move.invoice], ids=[move.invoice])
            if not found:
                raise NotFound("invoice", move.invoice)
            invoice = found[0]
        most = None
        if move.source is AllocationKind.BALANCE:
            most = await _credit_of(connection, tenant, payment)
        rows = moved(
            payment.parts, move.source, move.amount, to_invoice=invoice, to_balance_of=move.payer_id, most=most,
            to_kind=move.to_kind, told=await connection.fetchval(query("payments_sum"), tenant, payment.perhaps_same_as),
        )  # fmt: skip
        await write_rows(connection, tenant, payment, rows, now, by)
        if session_id := session_of(move.payer_id):
            await receipt_is_due(connection, tenant, session_id, now)
    return (*payment.parts, *rows)


async def request_refund(
    connection: asyncpg.Connection, tenant: int, payment_id: str, amount: Decimal, key: str, now: datetime, by: str
) -> Refund:
    """Set an amount of a payment aside to be paid back, once for each key; a job sends it, or finance does.

    Raises: NotFound; Invalid: the amount; Conflict: more than nobody owes us, or the key stands for another refund.
    Source: our choice, docs/rules.md "Refunds"; case B51.
    """
    async with connection.transaction():
        payment = await held_payment(connection, tenant, payment_id)
        refund_id = refund_id_of(key)
        earlier = await connection.fetchrow(query("refund_by_key"), tenant, key)
        if earlier is not None:
            if earlier["payment_id"] != payment_id or earlier["amount"] != amount:
                raise Conflict("this key was used for another refund")
            return Refund(**dict(earlier))
        rows = refunded(await _refundable(connection, tenant, payment), amount, Reason.BY_HAND)
        await connection.fetchval(
            query("refund_add"), tenant, refund_id, key, payment_id, amount, payment.currency, Reason.BY_HAND.value,
            "requested", by, now,
        )  # fmt: skip
        await _set_aside(connection, tenant, payment, refund_id, rows, now, by)
    return Refund(id=refund_id, payment_id=payment_id, amount=amount, state="requested")


async def free_overpaid(connection: asyncpg.Connection, tenant: int, payment_id: str, now: datetime) -> None:
    """What of a payment is on documents that were credited since goes to their payers' credit, in the caller's transaction."""
    payment = await held_payment(connection, tenant, payment_id)
    if rows := freed(await _refundable(connection, tenant, payment)):
        await write_rows(connection, tenant, payment, rows, now, BY_LADDBOK)


async def refund_left_over(
    connection: asyncpg.Connection, tenant: int, payment_id: str, most: Decimal, now: datetime
) -> Decimal:
    """Pay back what of a payment is to its payer's credit, in the caller's transaction. Returns: how much.

    Args: most, that may be paid back. Done again nothing is left to pay back.
    Source: our choice, docs/rules.md "Receipt".
    """
    payment = await held_payment(connection, tenant, payment_id)
    sources = [each for each in await _refundable(connection, tenant, payment) if each[0][0] is AllocationKind.BALANCE]
    amount = min(most, sum((part for _, part in sources), Decimal(0)))
    if amount <= 0:
        return Decimal(0)
    key = f"{Reason.LEFT_OVER.value}/{payment_id}/{len(payment.parts)}"
    rows = refunded(sources, amount, Reason.LEFT_OVER)
    await connection.fetchval(
        query("refund_add"), tenant, refund_id_of(key), key, payment_id, amount, payment.currency,
        Reason.LEFT_OVER.value, "requested", BY_LADDBOK, now,
    )  # fmt: skip
    await _set_aside(connection, tenant, payment, refund_id_of(key), rows, now, BY_LADDBOK)
    return amount


async def decide_refund(
    connection: asyncpg.Connection, tenant: int, refund_id: str, *, pay: bool, now: datetime, by: str
) -> Refund:
    """What a person says to a proposed refund. Said twice, it is said once.

    Raises: NotFound; Conflict when the other was decided, or the money is no longer there.
    """
    async with connection.transaction():
        row = await _refund(connection, tenant, refund_id)
        payment = await held_payment(connection, tenant, row["payment_id"])
        row = await _refund(connection, tenant, refund_id)
        if row["state"] != "proposed":
            if pay is (row["state"] == "dropped"):
                raise Conflict(f"refund {refund_id} is {row['state']} already")
            return _told(row)
        if pay:
            rows = refunded(await _refundable(connection, tenant, payment), row["amount"], Reason(row["reason"]))
            await connection.fetchval(query("refund_becomes"), tenant, refund_id, "requested", None, None, None)
            await _set_aside(connection, tenant, payment, refund_id, rows, now, by)
        else:
            await connection.fetchval(query("refund_becomes"), tenant, refund_id, "dropped", None, None, now)
        return _told(await _refund(connection, tenant, refund_id))


async def refund_left(
    connection: asyncpg.Connection, tenant: int, refund_id: str, provider_reference: str, now: datetime
) -> None:
    """The provider paid it: the debt goes out of the books, and the money. Told twice, it is written once."""
    async with connection.transaction():
        row = await _refund(connection, tenant, refund_id)
        payment = await held_payment(connection, tenant, row["payment_id"])
        if await connection.fetchval(query("refund_becomes"), tenant, refund_id, "paid", provider_reference, None, now):
            entry = entry_of_refund(
                refund_id, payment.provider, _today(payment.terms, now), payment.currency, row["amount"],
                payment.terms.accounts, paid_on=payment.received_on,
            )  # fmt: skip
            await post(connection, tenant, payment.terms.seller.id, [entry], now)


async def refund_failed(connection: asyncpg.Connection, tenant: int, refund_id: str, why: str, now: datetime) -> None:
    """The provider will not pay it: what was set aside goes where it was. Told twice, it is written once."""
    async with connection.transaction():
        row = await _refund(connection, tenant, refund_id)
        payment = await held_payment(connection, tenant, row["payment_id"])
        if not await connection.fetchval(query("refund_becomes"), tenant, refund_id, "failed", None, why[:500], now):
            return
        rows = await connection.fetch(query("payment_parts"), tenant, payment.id)
        back = [
            Allocation(
                kind=AllocationKind(each["kind"]), amount=-each["amount"], invoice_id=each["invoice_id"],
                payer_id=each["payer_id"], reason=Reason.RETURNED,
            )
            for each in rows if each["refund_id"] == refund_id
        ]  # fmt: skip
        await write_rows(connection, tenant, payment, back, now, "laddbok", refund_id)


async def _set_aside(
    connection: asyncpg.Connection,
    tenant: int,
    payment: KnownPayment,
    refund_id: str,
    rows: Sequence[Allocation],
    now: datetime,
    by: str,
) -> None:
    await write_rows(connection, tenant, payment, rows, now, by, refund_id)
    if payment.provider not in PAID_BACK_BY_BANK:
        job = {"tenant": tenant, "kind": SEND_REFUND, "key": f"{tenant}/{refund_id}", "due_at": now}
        await connection.execute(query("add_jobs"), as_json([job]))


async def write_rows(
    connection: asyncpg.Connection,
    tenant: int,
    payment: KnownPayment,
    rows: Sequence[Allocation],
    now: datetime,
    by: str,
    refund_id: str | None = None,
) -> None:
    """Write rows that come to 0, with their journal entry, in the caller's transaction under the seller's lock."""
    last = len(payment.parts)
    await add_parts(connection, tenant, payment.id, last, rows, now, by, refund_id)
    terms = payment.terms
    entry = entry_of_move(
        f"{payment.id}/{last + 1}", _today(terms, now), payment.currency, rows, terms.accounts, before=payment.parts,
        paid_on=payment.received_on,
    )  # fmt: skip
    await post(connection, tenant, terms.seller.id, [entry], now)
    paid = {part.invoice_id for part in rows if part.kind is AllocationKind.INVOICE}
    await give_way(connection, tenant, terms, filter(None, paid), WriteOffKind.PAID, now)


async def _refundable(
    connection: asyncpg.Connection, tenant: int, payment: KnownPayment
) -> list[tuple[Where, Decimal]]:
    where = standing(payment.parts)
    invoice_ids = sorted({invoice_id for _, invoice_id, _ in where if invoice_id})
    invoices = await open_invoices(connection, tenant, payment.terms, ids=invoice_ids) if invoice_ids else []
    overpaid = {each.id: -each.open for each in invoices if each.open < 0}
    return refundable(payment.parts, overpaid, await _credits(connection, tenant, payment))


async def _credits(connection: asyncpg.Connection, tenant: int, payment: KnownPayment) -> dict[str, Decimal]:
    payer_ids = sorted({payer_id for _, _, payer_id in standing(payment.parts) if payer_id})
    terms = payment.terms
    rows = await connection.fetch(query("payer_credit"), tenant, terms.seller.id, payer_ids, payment.currency)
    return {row["payer_id"]: max(Decimal(0), row["credit"]) for row in rows}


async def _credit_of(connection: asyncpg.Connection, tenant: int, payment: KnownPayment) -> Decimal:
    return sum((await _credits(connection, tenant, payment)).values(), Decimal(0))


async def _refund(connection: asyncpg.Connection, tenant: int, refund_id: str) -> asyncpg.Record:
    row = await connection.fetchrow(query("refund_one"), tenant, refund_id)
    if row is None:
        raise NotFound("refund", refund_id)
    return row


def _told(row: asyncpg.Record) -> Refund:
    return Refund(id=row["id"], payment_id=row["payment_id"], amount=row["amount"], state=row["state"])


def _today(terms: SellerTerms, now: datetime) -> date:
    return now.astimezone(ZoneInfo(terms.time_zone)).date()

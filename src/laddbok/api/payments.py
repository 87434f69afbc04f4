"""What money came in, what of it does nobody understand, and where shall it go?

A bank's file is posted as it is; it is read whole and taken in by one transaction. What stands in suspense a person moves to
an invoice, to a customer's credit, or to what a provider settles. A refund needs an `Idempotency-Key`: the same click twice
is one refund, for ever and not only for a day. A refund task was made by the platform, for money that nobody owes us; a
person says whether it is paid back.
"""

import asyncio
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody, QueryParameter

from laddbok.api.door import OPEN
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, idempotency_key, written
from laddbok.model.errors import Invalid
from laddbok.model.money import minor_digits
from laddbok.model.payment import AllocationKind
from laddbok.store.bank_import import import_file
from laddbok.store.payment_moves import Move, allocate, decide_refund, request_refund
from laddbok.store.payment_requests import ASK_PAYMENT, CARD_HOLD
from laddbok.store.reads import POOL_TIMEOUT_S, Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.rows import as_json
from laddbok.store.set_offs import send_to_credit
from laddbok.store.sql import query

ASK_JOBS = {"payment_request": ASK_PAYMENT, "card_hold": CARD_HOLD}
"""The kinds of the jobs that ask a provider how it stands."""
MAX_FILE_NAME_CHARS = 200


class PaymentView(msgspec.Struct):
    """A payment; what of it stands in suspense, to a customer's credit, and is paid back or to be."""

    id: str
    provider: str
    reference: str
    seller_id: str
    received_on: date
    amount: Decimal
    currency: str
    payer_name: str | None
    payer_account: str | None
    text: str
    suspense: Decimal
    balance: Decimal
    refund: Decimal
    reason: str | None
    """Why its first part went where it went."""
    perhaps_same_as: list[str]
    """The payments that it may be, told by another file under other references or with another amount."""
    named: list[str]
    """The references that the payer gave (OCR), right or wrong."""


class PartView(msgspec.Struct):
    """A row of a payment: a part that went somewhere, or, with the other sign, was taken back from there."""

    number: int
    kind: str
    amount: Decimal
    invoice_id: str | None
    payer_id: str | None
    reason: str
    refund_id: str | None


class PaymentDetail(msgspec.Struct):
    """A payment with its rows, and the refunds of it."""

    payment: PaymentView
    parts: list[PartView]


class ImportedView(msgspec.Struct):
    """What a bank's file brought. `is_new` false: it was imported before, and has no effect."""

    message_id: str
    is_new: bool
    entries: int
    known: int
    detailed: int
    pending: int
    payments: int
    in_suspense: int
    refund_tasks: int
    received: dict[str, Decimal]


class NewAllocation(msgspec.Struct, forbid_unknown_fields=True):
    """Where a part goes: to an invoice (number or id), to a customer's credit, to what a provider settles
    (`settlement`), to the bank's fees (`fee`), or nowhere, for it is what it was perhaps the same as
    (`same`; an amount above its own: the rest is the bank's fee)."""

    amount: Decimal
    to: Literal["invoice", "balance", "settlement", "fee", "same"]
    invoice: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    payer_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    source: Literal["suspense", "balance"] = "suspense"


class NewRefund(msgspec.Struct, forbid_unknown_fields=True):
    """How much is paid back."""

    amount: Decimal


class RefundView(msgspec.Struct):
    """A refund. `proposed`: the platform asks whether; `requested`: to be paid; `sent`: the provider has it."""

    id: str
    payment_id: str
    amount: Decimal
    currency: str
    reason: str
    state: str
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None
    last_error: str | None


class RefundDecision(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a proposed refund is paid."""

    pay: bool


@get("/payments")
async def list_payments(
    request: ApiRequest,
    in_suspense: Annotated[bool | None, QueryParameter(description="Whether a part of it waits for a person.")] = None,
    provider: Annotated[str | None, QueryParameter(max_length=30)] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[PaymentView]:
    """Payments, the newest first; `in_suspense` true: those of which a part waits for a person."""
    filters = Filters()
    if in_suspense is not None:
        filters.add("(coalesce(a.suspense, 0) <> 0) = ?", in_suspense)
    if provider is not None:
        filters.add("p.provider = ?", provider)
    if cursor is not None:
        day, payment_id = parse_cursor(cursor, int, str)
        filters.add("(p.received_on, p.id) < (?, ?)", _day_of(day), payment_id)
    rows, following = await read_page(
        request, "payment_rows", filters, limit, lambda row: (row["received_on"].toordinal(), row["id"])
    )
    return Page([PaymentView(*row.values()) for row in rows], following)


@get("/payments/{payment_id:str}")
async def show_payment(request: ApiRequest, payment_id: FromPath[str]) -> PaymentDetail:
    """One payment with its rows."""
    async with asked(request) as connection:
        return await _payment(connection, request.user.tenant, payment_id)


@post("/payments/import", status_code=200)
async def import_payments(
    request: ApiRequest, name: Annotated[str, QueryParameter(max_length=MAX_FILE_NAME_CHARS)] = ""
) -> ImportedView:
    """Take in a bank's file, camt.054 or camt.053, posted as it is; the same file twice has no effect."""
    content = await request.body()
    file = await asyncio.to_thread(parts_of(request).payments.read_bank_file, content)
    now = parts_of(request).clock.now()
    async with asked(request, write=True) as connection:
        told = await import_file(connection, request.user.tenant, file, content, name, now, request.user.name)
    return ImportedView(**msgspec.structs.asdict(told))


@post("/payments/{payment_id:str}/allocations", status_code=201)
async def allocate_payment(
    request: ApiRequest,
    payment_id: FromPath[str],
    data: JSONBody[NewAllocation],
    idempotency_key: IdempotencyKey = None,
) -> Response[PaymentDetail]:
    """Move a part of a payment out of suspense, or out of a customer's credit."""
    if (data.to == "invoice") is not (data.invoice is not None):
        raise Invalid("invoice", "names the invoice, and goes with to: invoice")
    if (data.to == "balance") is not (data.payer_id is not None):
        raise Invalid("payer_id", "names the customer, and goes with to: balance")
    move = Move(
        amount=checked_amount(data.amount),
        source=AllocationKind(data.source),
        invoice=data.invoice,
        payer_id=data.payer_id,
        to_kind=AllocationKind(data.to) if data.to in ("fee", "same") else None,
    )
    tenant, now = request.user.tenant, parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> PaymentDetail:
        filters = Filters()
        if data.payer_id is not None:
            filters.add("p.id = ?", data.payer_id)
            await read_one(connection, "payer_rows", filters, "payer", data.payer_id)
        await allocate(connection, tenant, payment_id, move, now, request.user.name)
        return await _payment(connection, tenant, payment_id)

    return await written(request, work, status=201)


@post("/payments/{payment_id:str}/refunds", status_code=201)
async def refund_payment(
    request: ApiRequest, payment_id: FromPath[str], data: JSONBody[NewRefund], idempotency_key: IdempotencyKey = None
) -> Response[RefundView]:
    """Pay a part of a payment back: what is in suspense, to the customer's credit, or credited on its invoice."""
    key = _key(request)
    tenant, now, amount = request.user.tenant, parts_of(request).clock.now(), checked_amount(data.amount)

    async def work(connection: asyncpg.Connection) -> RefundView:
        made = await request_refund(connection, tenant, payment_id, amount, key, now, request.user.name)
        return await _refund(connection, made.id)

    return await written(request, work, status=201)


@post("/invoices/{invoice_id:str}/to-credit", status_code=201)
async def to_credit(
    request: ApiRequest, invoice_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[PaymentDetail]:
    """Send what we owe on a document to its payer's credit: a payment of 0, from which it pays an invoice or is paid back."""
    tenant, now = request.user.tenant, parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> PaymentDetail:
        payment_id = await send_to_credit(connection, tenant, invoice_id, now, request.user.name)
        return await _payment(connection, tenant, payment_id)

    return await written(request, work, status=201)


@get("/refunds")
async def list_refunds(
    request: ApiRequest,
    in_state: Annotated[str | None, QueryParameter(name="state", max_length=20)] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[RefundView]:
    """Refunds, the newest first; `state` proposed: those that wait for a person."""
    filters = Filters()
    if in_state is not None:
        filters.add("r.state = ?", in_state)
    if cursor is not None:
        at, refund_id = parse_cursor(cursor, int, str)
        filters.add("(r.requested_at, r.id) < (?, ?)", cursor_instant(at), refund_id)
    rows, following = await read_page(
        request, "refund_rows", filters, limit, lambda row: (cursor_number(row["requested_at"]), row["id"])
    )
    return Page([RefundView(*row.values()) for row in rows], following)


@post("/refunds/{refund_id:str}/decision", status_code=200)
async def decide(
    request: ApiRequest,
    refund_id: FromPath[str],
    data: JSONBody[RefundDecision],
    idempotency_key: IdempotencyKey = None,
) -> Response[RefundView]:
    """Say whether a proposed refund is paid."""
    tenant, now = request.user.tenant, parts_of(request).clock.now()

    async def work(connection: asyncpg.Connection) -> RefundView:
        await decide_refund(connection, tenant, refund_id, pay=data.pay, now=now, by=request.user.name)
        return await _refund(connection, refund_id)

    return await written(request, work)


@post("/payment-callbacks/{provider:str}", opt=OPEN, status_code=204)
async def take_callback(request: Request[Any, Any, State], provider: FromPath[str]) -> None:
    """A provider says that something happened. It is not believed: a job asks the provider how it stands."""
    parts = parts_of(request)
    reference = parts.payments.read_callback(provider, dict(request.headers), await request.body())
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        rows = await owner.fetch(query("asked_of_provider"), provider, reference)
        jobs = [
            {"tenant": row["tenant"], "kind": ASK_JOBS[row["what"]], "key": f"{row['tenant']}/{row['id']}", "due_at": parts.clock.now()}
            for row in rows
        ]  # fmt: skip
        if jobs:
            await owner.execute(query("add_jobs"), as_json(jobs))


async def _payment(connection: asyncpg.Connection, tenant: int, payment_id: str) -> PaymentDetail:
    filters = Filters()
    filters.add("p.id = ?", payment_id)
    row = await read_one(connection, "payment_rows", filters, "payment", payment_id)
    parts = await connection.fetch(query("payment_parts"), tenant, payment_id)
    return PaymentDetail(PaymentView(*row.values()), [PartView(*part.values()) for part in parts])


async def _refund(connection: asyncpg.Connection, refund_id: str) -> RefundView:
    filters = Filters()
    filters.add("r.id = ?", refund_id)
    return RefundView(*(await read_one(connection, "refund_rows", filters, "refund", refund_id)).values())


def _key(request: ApiRequest) -> str:
    key = idempotency_key(request)
    if key is None:
        raise Invalid("Idempotency-Key", "a refund needs one: the same click twice is one refund")
    return key


def checked_amount(amount: Decimal) -> Decimal:
    """An amount that somebody typed. Raises: Invalid when it is none, or has parts of the smallest coin."""
    if not amount.is_finite() or abs(amount) >= 10**12 or amount != round(amount, minor_digits("SEK")):
        raise Invalid("amount", "is not an amount with at most two decimals")
    return amount


def _day_of(number: int | str) -> date:
    try:
        return date.fromordinal(int(number))
    except (ValueError, OverflowError) as error:
        raise Invalid("cursor", "not a cursor that this list gave out") from error

"""How is somebody asked to pay, and how is an amount held on a card?

An invoice, or a session without a contract, is paid through a provider: the request is stored with a job that sends it and asks
how it stands. A session's hold is kept above its cost by a job, which stops the session before it passes it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.payments import checked_amount
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.store.billing import seller_terms
from laddbok.store.payment_requests import NewRequest, add_hold, add_request
from laddbok.store.payments import open_invoices
from laddbok.store.sql import query

Provider = Annotated[str, msgspec.Meta(min_length=1, max_length=30)]


class PaymentRequestChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked for: of an invoice (all that is owed, unless `amount` says less), or of a session that is paid at once."""

    provider: Provider
    invoice: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    session_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    amount: Decimal | None = None
    payer_alias: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8,15}$")] | None = None


class PaymentRequestView(msgspec.Struct):
    """A request: `wanted`, `asked`, `paid`, `declined`, `cancelled` or `expired`."""

    id: str
    provider: str
    amount: Decimal
    currency: str
    state: str
    invoice_id: str | None
    session_id: str | None
    created_at: datetime
    ended_at: datetime | None


class NewHold(msgspec.Struct, forbid_unknown_fields=True):
    """How much is held for a session, and up to which it may be raised (left out: it can't be)."""

    provider: Provider
    amount: Decimal
    highest: Decimal | None = None


class HoldView(msgspec.Struct):
    """A hold: `wanted`, `asked`, `held`, `captured`, `released` or `failed`. `not_covered`: what the session came to beyond it."""

    id: str
    session_id: str
    provider: str
    amount: Decimal
    highest: Decimal | None
    currency: str
    held: Decimal
    captured: Decimal
    not_covered: Decimal
    state: str
    stop_asked_at: datetime | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


@post("/payment-requests", status_code=201)
async def ask_for_payment(
    request: ApiRequest, data: JSONBody[PaymentRequestChange], idempotency_key: IdempotencyKey = None
) -> Response[PaymentRequestView]:
    """Ask somebody to pay an invoice, or a session."""
    _check_provider(request, data.provider)
    if (data.invoice is None) == (data.session_id is None):
        raise Invalid("invoice", "name the invoice, or the session that is paid at once")
    now, tenant = parts_of(request).clock.now(), request.user.tenant

    async def work(connection: asyncpg.Connection) -> PaymentRequestView:
        seller_id, wanted = await (
            _of_invoice(connection, tenant, data) if data.invoice else _of_session(connection, tenant, data)
        )
        request_id = await add_request(connection, tenant, seller_id, wanted, now)
        return await _request(connection, tenant, request_id)

    return await written(request, work, status=201)


@get("/payment-requests/{request_id:str}")
async def show_payment_request(request: ApiRequest, request_id: FromPath[str]) -> PaymentRequestView:
    """One request as it stands."""
    async with asked(request) as connection:
        return await _request(connection, request.user.tenant, request_id)


@post("/sessions/{session_id:str}/hold", status_code=201)
async def hold_for_session(
    request: ApiRequest, session_id: FromPath[str], data: JSONBody[NewHold], idempotency_key: IdempotencyKey = None
) -> Response[HoldView]:
    """Hold an amount on a card for a session."""
    _check_provider(request, data.provider)
    now, tenant, session = parts_of(request).clock.now(), request.user.tenant, normalise_session_id(session_id)
    amount = checked_amount(data.amount)
    highest = None if data.highest is None else checked_amount(data.highest)

    async def work(connection: asyncpg.Connection) -> HoldView:
        seller_id, currency = await _seller_of(connection, tenant, session)
        await add_hold(connection, tenant, seller_id, session, data.provider, amount, highest, currency, now)
        return await _hold(connection, tenant, session)

    return await written(request, work, status=201)


@get("/sessions/{session_id:str}/hold")
async def show_hold(request: ApiRequest, session_id: FromPath[str]) -> HoldView:
    """The hold of a session as it stands."""
    async with asked(request) as connection:
        return await _hold(connection, request.user.tenant, normalise_session_id(session_id))


def _check_provider(request: ApiRequest, name: str) -> None:
    known = parts_of(request).payments.providers
    if name not in known:
        raise Invalid("provider", f"{name!r} is not set up here: {', '.join(sorted(known)) or 'none is'}")


async def _of_invoice(
    connection: asyncpg.Connection, tenant: int, data: PaymentRequestChange
) -> tuple[str, NewRequest]:
    row = await connection.fetchrow(query("invoice_seller"), tenant, data.invoice)
    if row is None:
        raise NotFound("invoice", str(data.invoice))
    [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
    [invoice] = await open_invoices(connection, tenant, terms, ids=[row["id"]])
    if invoice.open <= 0:
        raise Conflict(f"nothing is owed on {data.invoice}")
    amount = invoice.open if data.amount is None else checked_amount(data.amount)
    if amount > invoice.open:
        raise Invalid("amount", f"{amount} is more than the {invoice.open} that are owed")
    wanted = NewRequest(
        provider=data.provider, amount=amount, currency=invoice.currency, message=f"Faktura {invoice.number}",
        invoice_id=invoice.id, payer_id=invoice.payer_id, payer_alias=data.payer_alias,
    )  # fmt: skip
    return terms.seller.id, wanted


async def _of_session(
    connection: asyncpg.Connection, tenant: int, data: PaymentRequestChange
) -> tuple[str, NewRequest]:
    session_id = normalise_session_id(str(data.session_id))
    seller_id, currency = await _seller_of(connection, tenant, session_id)
    if data.amount is None:
        raise Invalid("amount", "is missing: how much the session is to be paid with")
    wanted = NewRequest(
        provider=data.provider, amount=checked_amount(data.amount), currency=currency, session_id=session_id,
        message=f"Laddning {session_id}", payer_alias=data.payer_alias,
    )  # fmt: skip
    return seller_id, wanted


async def _seller_of(connection: asyncpg.Connection, tenant: int, session_id: str) -> tuple[str, str]:
    """Who sells a session, and in which currency."""
    row = await connection.fetchrow(query("session_seller"), tenant, session_id)
    if row is None:
        raise NotFound("session", session_id)
    if row["seller_id"] is None:
        raise Conflict(f"nobody sells session {session_id}: its site had no seller when it began")
    return row["seller_id"], row["currency"]


async def _request(connection: asyncpg.Connection, tenant: int, request_id: str) -> PaymentRequestView:
    row = await connection.fetchrow(query("payment_request_one"), tenant, request_id)
    if row is None:
        raise NotFound("payment request", request_id)
    return PaymentRequestView(*(row[name] for name in PaymentRequestView.__struct_fields__))


async def _hold(connection: asyncpg.Connection, tenant: int, session_id: str) -> HoldView:
    row = await connection.fetchrow(query("card_hold_of_session"), tenant, session_id)
    if row is None:
        raise NotFound("hold of session", session_id)
    return HoldView(*(row[name] for name in HoldView.__struct_fields__))

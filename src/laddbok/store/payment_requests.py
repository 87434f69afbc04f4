"""How do requests for money, and holds on cards, become rows, payments and postings?

A request and a hold are rows that end once and for good. What was paid or captured becomes a payment under the provider's
own reference, so that it is written once however often it is told; it goes where it was asked for, and, when it came too
late, to the customer's credit with a refund task.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.payments import match
from laddbok.flow.card_payments import ENDED, HoldDo, HoldStep, Step
from laddbok.flow.payment_provider import ProviderState
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.payment import Allocation, AllocationKind, Payment, Reason, Remitted
from laddbok.store.billing import seller_terms
from laddbok.store.payments import Recorded, open_invoices, record
from laddbok.store.receipt_jobs import driver_of, receipt_is_due
from laddbok.store.rows import as_json
from laddbok.store.sql import query

ASK_PAYMENT, CARD_HOLD = "ask_payment", "card_hold"
"""Kinds of the jobs that ask how a request or a hold stands; their keys are tenant and id."""


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be collected: of an invoice, or of a session that is paid at once."""

    provider: str
    amount: Decimal
    currency: str = "SEK"
    message: str
    invoice_id: str | None = None
    session_id: str | None = None
    payer_id: str | None = None
    payer_alias: str | None = None


async def add_request(
    connection: asyncpg.Connection, tenant: int, seller_id: str, wanted: NewRequest, now: datetime
) -> str:
    """Write a request, with the job that sends it and asks about it. Returns: its id."""
    if wanted.amount <= 0:
        raise Invalid("amount", "what is collected is above 0")
    request_id = uuid4().hex.upper()
    async with connection.transaction():
        await connection.fetchval(
            query("payment_request_add"), tenant, request_id, seller_id, wanted.provider, wanted.amount, wanted.currency,
            wanted.message, wanted.invoice_id, wanted.session_id, wanted.payer_id, wanted.payer_alias, now,
        )  # fmt: skip
        await _job(connection, tenant, ASK_PAYMENT, request_id, now)
    return request_id


async def add_hold(
    connection: asyncpg.Connection,
    tenant: int,
    seller_id: str,
    session_id: str,
    provider: str,
    amount: Decimal,
    highest: Decimal | None,
    currency: str,
    now: datetime,
) -> str:
    """Write a hold for a session, with its job. Returns: its id. Raises: Conflict when the session has one."""
    if amount <= 0 or (highest is not None and highest < amount):
        raise Invalid("amount", "a hold is above 0, and at most its highest")
    hold_id = uuid4().hex.upper()
    async with connection.transaction():
        is_new = await connection.fetchval(
            query("card_hold_add"), tenant, hold_id, seller_id, session_id, provider, amount, highest, currency, now
        )
        if not is_new:
            raise Conflict(f"session {session_id} has a hold already")
        await _job(connection, tenant, CARD_HOLD, hold_id, now)
    return hold_id


_ONE = {"card_hold": "card_hold_one", "payment_request": "payment_request_one", "refund": "refund_one"}


async def stored(connection: asyncpg.Connection, tenant: int, name: str, key: str) -> Mapping[str, Any]:
    """A request or a hold as it stands. Args: name, of its table. Raises: NotFound."""
    row = await connection.fetchrow(query(_ONE[name]), tenant, key)
    if row is None:
        raise NotFound(name.replace("_", " "), key)
    return dict(row)


async def request_became(
    connection: asyncpg.Connection, tenant: int, request_id: str, step: Step, told: ProviderState, now: datetime
) -> Recorded | None:
    """Write what became of a request, and the payment if it was paid; told twice it is written once."""
    async with connection.transaction():
        row = await stored(connection, tenant, "payment_request", request_id)
        await connection.execute(query("payments_lock"), tenant, row["legal_entity_id"])
        recorded = None
        is_known = await connection.fetchval(query("payment_of_request"), tenant, request_id)
        if step.paid is not None and not is_known:
            [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
            payment = _payment(row, terms, told.settled_as or request_id, step.paid, told.currency, now)
            parts = await _parts(connection, tenant, terms, row, payment, is_too_late=step.is_too_late)
            recorded = await record(connection, tenant, terms, payment, parts, now, request_id=request_id)
        await connection.execute(
            query("payment_request_becomes"), tenant, request_id, step.state, told.reference, told.reason, now
        )
        if row["session_id"] and step.state in ENDED:
            await receipt_is_due(connection, tenant, row["session_id"], now)
    return recorded


async def hold_became(
    connection: asyncpg.Connection, tenant: int, hold_id: str, step: HoldStep, told: ProviderState, now: datetime,
    *, is_stopping: bool = False,
) -> Recorded | None:  # fmt: skip
    """Write what became of a hold, and the payment if it was captured; told twice it is written once."""
    async with connection.transaction():
        row = await stored(connection, tenant, "card_hold", hold_id)
        await connection.execute(query("payments_lock"), tenant, row["legal_entity_id"])
        recorded = None
        captured = Decimal(0)
        if step.state == "captured":
            captured = step.amount
            [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
            payment = _payment(row, terms, hold_id, captured, told.currency, now)
            part = _credit(captured, driver_of(row["session_id"]), Reason.REQUESTED)
            recorded = await record(connection, tenant, terms, payment, [part], now)
        held = told.amount if told.status.value == "held" else row["held"]
        await connection.execute(
            query("card_hold_becomes"), tenant, hold_id, step.state, told.reference, held, captured, step.not_covered,
            step.amount if step.do is HoldDo.RAISE else Decimal(0), now if is_stopping else None, told.reason, now,
        )  # fmt: skip
        if step.do is HoldDo.END:
            await receipt_is_due(connection, tenant, row["session_id"], now)
    return recorded


def _payment(
    row: Mapping[str, Any], terms: SellerTerms, reference: str, amount: Decimal, currency: str, now: datetime
) -> Payment:
    return Payment(
        provider=row["provider"],
        reference=reference,
        received_on=now.astimezone(ZoneInfo(terms.time_zone)).date(),
        amount=amount,
        currency=currency,
        remitted=(Remitted(row["invoice_id"]),) if row.get("invoice_id") else (),
        text=f"session {row['session_id']}" if row["session_id"] else row.get("message") or "",
    )


async def _parts(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    row: Mapping[str, Any],
    payment: Payment,
    *,
    is_too_late: bool,
) -> tuple[Allocation, ...]:
    """What was asked for is paid by it; what came too late, or in another currency, is not."""
    if payment.currency != row["currency"] or payment.currency != terms.currency:
        return (Allocation(kind=AllocationKind.SUSPENSE, amount=payment.amount, reason=Reason.WRONG_CURRENCY),)
    invoices = await open_invoices(connection, tenant, terms, ids=[row["invoice_id"]]) if row["invoice_id"] else []
    payer_id = row["payer_id"] or (invoices[0].payer_id if invoices else driver_of(row["session_id"]))
    if is_too_late:
        return (_credit(payment.amount, payer_id, Reason.PAID_AFTER_CANCEL),)
    if invoices:
        named = msgspec.structs.replace(payment, remitted=(Remitted(invoices[0].number),))
        return match(named, invoices, terms.currency)
    return (_credit(payment.amount, payer_id, Reason.REQUESTED),)


def _credit(amount: Decimal, payer_id: str | None, reason: Reason) -> Allocation:
    """To somebody's credit; of nobody known it is in suspense."""
    kind = AllocationKind.SUSPENSE if payer_id is None else AllocationKind.BALANCE
    return Allocation(kind=kind, amount=amount, payer_id=payer_id, reason=reason)


async def _job(connection: asyncpg.Connection, tenant: int, kind: str, key: str, now: datetime) -> None:
    job = {"tenant": tenant, "kind": kind, "key": f"{tenant}/{key}", "due_at": now}
    await connection.execute(query("add_jobs"), as_json([job]))

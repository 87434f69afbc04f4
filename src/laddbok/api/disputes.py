"""What does a customer object to, and what is decided?

Support opens a dispute for a customer, or the customer does on the page of the invoice. Support decides: accepted, with
what is done about it, or rejected, with why. Each is also an event in the life of the document.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from litestar import Response, post
from litestar.params import FromPath, JSONBody

from laddbok.api.credits import credit
from laddbok.api.parts import ApiRequest, parts_of
from laddbok.api.problems import NotAllowed
from laddbok.api.writes import IdempotencyKey, written
from laddbok.billing.credit import CreditWish
from laddbok.billing.dispute import MAX_REASON_CHARS, check_opening, deadline_of
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.invoice import InvoiceKind
from laddbok.store.reads import as_owner
from laddbok.store.sql import query

CUSTOMER = "customer"
"""Who opened a dispute on the page of the invoice."""
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_CHARS)]


class DisputeView(msgspec.Struct, kw_only=True):
    """An objection; `decision` null: it is open until the `deadline`."""

    number: int
    session_id: str | None
    reason: str
    opened_at: datetime
    opened_by: str
    deadline: date
    decision: str | None
    note: str | None
    decided_at: datetime | None
    decided_by: str | None


class NewDispute(msgspec.Struct, forbid_unknown_fields=True):
    """What a customer objects to; the deadline is two weeks off when it is left out."""

    reason: Words
    session_id: str | None = None
    deadline: date | None = None


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """What is decided, in words for the customer.

    `credit`: what the dispute is about is credited with it: the lines of its session, or what is left of the document; or
    `gross` of it, VAT included, at the rate `vat_percent`.
    """

    decision: Annotated[str, msgspec.Meta(pattern="^(accepted|rejected)$")]
    note: Words
    credit: bool = False
    gross: Decimal | None = None
    vat_percent: Decimal | None = None


@post("/invoices/{invoice_id:str}/disputes", status_code=201)
async def open_dispute(
    request: ApiRequest, invoice_id: FromPath[str], data: JSONBody[NewDispute], idempotency_key: IdempotencyKey = None
) -> Response[DisputeView]:
    """Open a dispute for a customer."""
    now = parts_of(request).clock.now()
    by = request.user.full_name or request.user.name

    async def work(connection: asyncpg.Connection) -> DisputeView:
        await opened(connection, invoice_id, data, by, now)
        return (await disputes(connection, invoice_id))[-1]

    return await written(request, work, status=201)


@post("/invoices/{invoice_id:str}/disputes/{number:int}/decision", status_code=200)
async def decide_dispute(
    request: ApiRequest,
    invoice_id: FromPath[str],
    number: FromPath[int],
    data: JSONBody[Decision],
    idempotency_key: IdempotencyKey = None,
) -> Response[DisputeView]:
    """Accept or reject a dispute; a credit needs the role administrator, and is made with the decision or not at all."""
    now = parts_of(request).clock.now()
    by = request.user.full_name or request.user.name
    note = data.note.strip()
    if not note:
        raise Invalid("note", "must say why")
    _check_credit(request, data)

    async def work(connection: asyncpg.Connection) -> DisputeView:
        dispute = await _undecided(connection, invoice_id, number)
        credited = {}
        if data.credit:
            about = dispute.session_id if data.gross is None else None
            wish = CreditWish(
                reason=note, gross=data.gross, vat_percent=data.vat_percent, session_id=about, dispute=number
            )
            async with as_owner(connection):
                credited["credit_note"] = (await credit(request, connection, invoice_id, wish, now)).id
        try:
            await connection.execute(query("dispute_decide"), invoice_id, number, data.decision, note, now, by)
        except asyncpg.UniqueViolationError as error:
            raise Conflict(f"somebody else decides dispute {number} of {invoice_id} at this moment") from error
        body = {"number": number, "note": note, **credited}
        await add_event(connection, invoice_id, now, f"dispute_{data.decision}", by, body)
        return (await disputes(connection, invoice_id))[number - 1]

    return await written(request, work)


def _check_credit(request: ApiRequest, data: Decision) -> None:
    """Raises: Invalid; NotAllowed."""
    if not data.credit:
        if data.gross is not None or data.vat_percent is not None:
            raise Invalid("gross", "goes with credit: true")
        return
    if data.decision != "accepted":
        raise Invalid("credit", "goes with an accepted dispute")
    if request.user.role != "administrator":
        raise NotAllowed(f"to credit needs the role administrator; {request.user.name} is {request.user.role}")


async def _undecided(connection: asyncpg.Connection, invoice_id: str, number: int) -> DisputeView:
    """The dispute of this number. Raises: NotFound; Conflict when it is decided already."""
    found = {each.number: each for each in await disputes(connection, invoice_id)}
    if number not in found:
        raise NotFound("dispute", f"{invoice_id}/{number}")
    if found[number].decision is not None:
        raise Conflict(f"dispute {number} of {invoice_id} is decided already")
    return found[number]


async def opened(connection: asyncpg.Connection, invoice_id: str, wanted: NewDispute, by: str, now: datetime) -> int:
    """Open a dispute, in the caller's transaction. Returns: its number.

    Raises: NotFound; Invalid; Conflict when one is open.
    Source: our choice, docs/rules.md "Dispute".
    """
    row = await connection.fetchrow(query("dispute_ground"), invoice_id)
    if row is None:
        raise NotFound("invoice", invoice_id)
    reason = check_opening(InvoiceKind(row["kind"]), wanted.reason)
    if wanted.session_id is not None and not await connection.fetchval(
        query("dispute_is_of_invoice"), invoice_id, wanted.session_id
    ):
        raise Invalid("session_id", "is not on this invoice")
    deadline = deadline_of(now.astimezone(ZoneInfo(row["time_zone"])).date(), wanted.deadline)
    try:
        number: int = await connection.fetchval(
            query("dispute_open"), invoice_id, wanted.session_id, reason, now, by, deadline
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(f"invoice {row['number']} is disputed already") from error
    body = {"number": number, "reason": reason, "session_id": wanted.session_id, "deadline": deadline.isoformat()}
    await add_event(connection, invoice_id, now, "disputed", by, body)
    return number


async def disputes(connection: asyncpg.Connection, invoice_id: str) -> list[DisputeView]:
    """The disputes of a document, in order."""
    return [DisputeView(**dict(row)) for row in await connection.fetch(query("dispute_rows"), invoice_id)]


async def add_event(
    connection: asyncpg.Connection, invoice_id: str, at: datetime, kind: str, by: str, body: dict[str, object]
) -> None:
    """One more event in the life of a document, after those before it."""
    await connection.execute(query("invoice_tell"), invoice_id, at, kind, by, msgspec.json.encode(body).decode())

"""Who was reminded of what, and how is that taken back?

Reminders go out by themselves, every day. They are looked at here, and a person in finance can cancel one: its claim is taken
back in the books, and the next stage comes when it is due.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.reminder import Reminder
from laddbok.store.reads import POOL_TIMEOUT_S, Filters, parse_cursor, read_rows
from laddbok.store.reminders import MAX_REASON_CHARS, NotReminded, cancel_reminder
from laddbok.store.sql import query

_reminder = msgspec.json.Decoder(Reminder)
_left_out = msgspec.json.Decoder(list[NotReminded])


class ReminderView(msgspec.Struct, kw_only=True):
    """A reminder. `principal` is what was left of the invoice, `earlier` what reminders before it claimed; `delivery`: waiting, sent,
    failed or dropped, null while it has no PDF."""

    invoice_id: str
    invoice_number: str
    payer_id: str | None
    payer_name: str | None
    number: int
    issue_date: date
    pay_by: date
    currency: str
    principal: Decimal
    earlier: Decimal
    fee: Decimal
    compensation: Decimal
    interest: Decimal
    total: Decimal
    issued_at: datetime
    issued_by: str
    is_rendered: bool
    delivery: str | None
    cancelled_because: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None


class ReminderRunView(msgspec.Struct, kw_only=True):
    """What came of looking through a seller's late invoices on a day; `left_out` are disputed, or something is in the way."""

    seller_id: str
    day: date
    ended_at: datetime
    count: int
    left_out: list[NotReminded]


class Cancellation(msgspec.Struct, forbid_unknown_fields=True):
    """Why a reminder is cancelled."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_CHARS)]


@get("/reminders")
async def list_reminders(
    request: ApiRequest,
    invoice_id: FromQuery[str | None] = None,
    payer_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ReminderView]:
    """Reminders, the newest first."""
    filters = Filters()
    for column, value in (("r.invoice_id", invoice_id), ("i.payer_id", payer_id)):
        if value is not None:
            filters.add(f"{column} = ?", value)
    if cursor is not None:
        day, document, number = parse_cursor(cursor, int, str, int)
        filters.add("(r.issue_date, r.invoice_id, r.number) < (?, ?, ?)", _day_of(day), document, number)
    rows, following = await read_page(request, "reminder_rows", filters, limit, _by_day)
    return Page([_view(row) for row in rows], following)


@get("/reminder-runs")
async def list_reminder_runs(request: ApiRequest) -> list[ReminderRunView]:
    """When each seller's late invoices were looked through last, and which of them were left out."""
    async with asked(request) as connection:
        rows = await connection.fetch(query("reminder_runs_last"))
    return [
        ReminderRunView(
            seller_id=row["legal_entity_id"], day=row["day"], ended_at=row["ended_at"], count=row["count"],
            left_out=_left_out.decode(row["left_out"]),
        )
        for row in rows
    ]  # fmt: skip


@get("/invoices/{invoice_id:str}/reminders/{number:int}/pdf")
async def show_reminder_pdf(request: ApiRequest, invoice_id: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """A reminder as it was rendered; 404 until a worker made it."""
    async with asked(request) as connection:
        row = await connection.fetchrow(query("reminder_document"), request.user.tenant, invoice_id, number)
    if row is None:
        raise NotFound("document", f"{invoice_id}/reminders/{number}/pdf")
    headers = {"Content-Disposition": f'inline; filename="{invoice_id}-{number}.pdf"'}
    return Response(row["bytes"], media_type="application/pdf", headers=headers)


@post("/invoices/{invoice_id:str}/reminders/{number:int}/cancel", status_code=200, opt=ADMINISTRATOR)
async def cancel(
    request: ApiRequest, invoice_id: FromPath[str], number: FromPath[int], data: JSONBody[Cancellation]
) -> ReminderView:
    """Cancel a reminder: what it claimed is taken back. Said twice, it is said once."""
    parts, asker = parts_of(request), request.user
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await cancel_reminder(
            owner, asker.tenant, invoice_id, number, data.reason, parts.clock.now(), asker.full_name or asker.name
        )
    filters = Filters()
    filters.add("r.invoice_id = ?", invoice_id)
    filters.add("r.number = ?", number)
    async with asked(request) as connection:
        return _view(await read_one(connection, "reminder_rows", filters, "reminder", f"{invoice_id}/{number}"))


async def reminders_of(connection: asyncpg.Connection, invoice_id: str) -> list[ReminderView]:
    """The reminders of an invoice, in order."""
    filters = Filters()
    filters.add("r.invoice_id = ?", invoice_id)
    rows = await read_rows(connection, "reminder_rows", filters, 100)
    return [_view(row) for row in reversed(rows)]


def _view(row: asyncpg.Record) -> ReminderView:
    fields = dict(row)
    frozen = _reminder.decode(fields.pop("content"))
    claimed = frozen.claim
    del fields["claimed"]
    return ReminderView(
        **fields, earlier=frozen.earlier, fee=claimed.fee, compensation=claimed.compensation, interest=claimed.interest,
        total=frozen.total,
    )  # fmt: skip


def _by_day(row: asyncpg.Record) -> tuple[int, str, int]:
    return (row["issue_date"].toordinal(), row["invoice_id"], row["number"])


def _day_of(number: int | str) -> date:
    try:
        return date.fromordinal(int(number))
    except (ValueError, OverflowError) as error:
        raise Invalid("cursor", "not a cursor that this list gave out") from error

"""What is on its way to customers, what does not get there, and what is to be given out by hand?

Who has an e-mail address gets documents by mail; a worker does that. What it could not deliver is named here and sent again
when the address is mended. The rest is printed, or handed over, and a person says that it was done.
"""

from datetime import date, datetime
from typing import Annotated, Literal

import asyncpg
import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.store.deliveries import MAX_AT_ONCE, all_given_out, given_out, send_again
from laddbok.store.reads import POOL_TIMEOUT_S, Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.sql import query


class DeliveryView(msgspec.Struct, kw_only=True):
    """A document, or (`reminder` above 0) a reminder of it. `address` is where it goes now, null: by hand; `tried`: where it was tried last."""

    invoice_id: str
    reminder: int
    kind: str
    number: str
    payer_id: str | None
    payer_name: str | None
    issue_date: date
    state: str
    address: str | None
    tried: str | None
    tries: int
    last_error: str | None
    due_at: datetime
    changed_at: datetime


class DeliveryFigures(msgspec.Struct, kw_only=True):
    """How much waits for what. `has_mail_server` false: none is set up, and what is to be mailed waits; `trouble`: what it said last."""

    has_mail_server: bool
    for_mail: int
    by_hand: int
    failed: int
    trouble: str | None


class GivenOut(msgspec.Struct, forbid_unknown_fields=True):
    """A document, or a reminder of it, that was given out."""

    invoice_id: str
    reminder: Annotated[int, msgspec.Meta(ge=0, lt=1_000)] = 0


class ManyGivenOut(msgspec.Struct, forbid_unknown_fields=True):
    """Documents that were given out together."""

    documents: Annotated[list[GivenOut], msgspec.Meta(min_length=1, max_length=MAX_AT_ONCE)]


@get("/deliveries")
async def list_deliveries(
    request: ApiRequest,
    in_state: Annotated[Literal["waiting", "sent", "failed", "dropped"] | None, QueryParameter(name="state")] = None,
    way: Annotated[Literal["mail", "hand"] | None, QueryParameter(description="Whether there is an address.")] = None,
    invoice_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[DeliveryView]:
    """Documents and reminders on their way, what changed last first."""
    filters = Filters()
    if in_state is not None:
        filters.add("d.state = ?", in_state)
    if way is not None:
        filters.add("(a.address IS NOT NULL) = ?", way == "mail")
    if invoice_id is not None:
        filters.add("d.invoice_id = ?", invoice_id)
    if cursor is not None:
        at, document, reminder = parse_cursor(cursor, int, str, int)
        filters.add("(d.changed_at, d.invoice_id, d.reminder) < (?, ?, ?)", cursor_instant(at), document, reminder)
    rows, following = await read_page(request, "delivery_rows", filters, limit, _by_change)
    return Page([DeliveryView(**dict(row)) for row in rows], following)


@get("/deliveries/figures")
async def show_delivery_figures(request: ApiRequest) -> DeliveryFigures:
    """How many documents wait for the mail server or a person's hands, and how many could not be mailed."""
    async with asked(request) as connection:
        return await _figures(connection, request)


@post("/deliveries/sent", status_code=200)
async def say_all_sent(request: ApiRequest, data: JSONBody[ManyGivenOut]) -> DeliveryFigures:
    """All of these were printed, or given out otherwise. 404, 409: one was not to be; then none is noted."""
    parts, asker = parts_of(request), request.user
    documents = [(each.invoice_id, each.reminder) for each in data.documents]
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await all_given_out(owner, asker.tenant, documents, parts.clock.now(), asker.full_name or asker.name)
    async with asked(request) as connection:
        return await _figures(connection, request)


@post("/deliveries/{invoice_id:str}/{reminder:int}/sent", status_code=200)
async def say_sent(request: ApiRequest, invoice_id: FromPath[str], reminder: FromPath[int]) -> DeliveryView:
    """A document was printed, or given out otherwise. Said twice, it is said once."""
    parts, asker = parts_of(request), request.user
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await given_out(owner, asker.tenant, invoice_id, reminder, parts.clock.now(), asker.full_name or asker.name)
    async with asked(request) as connection:
        return await _one(connection, invoice_id, reminder)


@post("/deliveries/{invoice_id:str}/{reminder:int}/again", status_code=200)
async def mail_again(request: ApiRequest, invoice_id: FromPath[str], reminder: FromPath[int]) -> DeliveryView:
    """Mail a document anew that could not be mailed, to the address of today. 409: it was sent, or dropped."""
    parts, asker = parts_of(request), request.user
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        await send_again(owner, asker.tenant, invoice_id, reminder, parts.clock.now(), asker.full_name or asker.name)
    async with asked(request) as connection:
        return await _one(connection, invoice_id, reminder)


async def _figures(connection: asyncpg.Connection, request: ApiRequest) -> DeliveryFigures:
    row = await connection.fetchrow(query("delivery_figures"), request.user.tenant)
    assert row is not None
    return DeliveryFigures(has_mail_server=parts_of(request).settings.mails, **dict(row))


async def _one(connection: asyncpg.Connection, invoice_id: str, reminder: int) -> DeliveryView:
    filters = Filters()
    filters.add("d.invoice_id = ?", invoice_id)
    filters.add("d.reminder = ?", reminder)
    return DeliveryView(
        **dict(await read_one(connection, "delivery_rows", filters, "delivery", f"{invoice_id}/{reminder}"))
    )


def _by_change(row: asyncpg.Record) -> tuple[int, str, int]:
    return (cursor_number(row["changed_at"]), row["invoice_id"], row["reminder"])

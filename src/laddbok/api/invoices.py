"""Which invoices are there, and what is the whole life of one?

A document is shown as it was frozen, with what happened to it, what it did to the books, what took it back, what its
customer objected to, and whether its place in the chain of hashes is right.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from laddbok.api.disputes import DisputeView, disputes
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.reminders import ReminderView, reminders_of
from laddbok.api.write_offs import WriteOffView, write_offs_of
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.invoice import InvoiceKind
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.receipt_links import receipt_path
from laddbok.store.sql import query

MEDIA = {"pdf": "application/pdf", "xml": "application/xml"}


class InvoiceState(StrEnum):
    """Where a document stands; `disputed` beside one of the others."""

    OPEN = "open"
    OVERDUE = "overdue"
    PAID = "paid"
    CREDITED = "credited"
    WRITTEN_OFF = "written_off"
    CREDIT_NOTE = "credit_note"
    DISPUTED = "disputed"


class InvoiceRow(msgspec.Struct, kw_only=True):
    """A document in a list. `open` is what is left to pay, by the books, `claims_open` what of it reminders claimed,
    `written_off` what was given up; `deadline`: of its open dispute."""

    id: str
    seller_id: str
    kind: str
    number: str
    run_id: str | None
    payer_id: str | None
    payer_name: str | None
    contract_id: str | None
    period_start: date
    period_end: date
    issue_date: date
    due_date: date
    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal
    payable: Decimal
    payment_reference: str | None
    refers_to: str | None
    finalised_at: datetime
    open: Decimal
    claims_open: Decimal
    credited: Decimal
    written_off: Decimal
    is_disputed: bool
    state: str
    deadline: date | None


class InvoiceEvent(msgspec.Struct):
    """Something that happened to a document after it was final."""

    number: int
    at: datetime
    kind: str
    by: str
    body: Any


class EntryPosting(msgspec.Struct):
    """One posting; debit above 0."""

    account: str
    amount: Decimal
    currency: str
    of_this: bool


class InvoiceEntry(msgspec.Struct):
    """A journal entry that touches the document."""

    id: int
    date: date
    text: str
    source_kind: str
    posted_at: datetime
    postings: list[EntryPosting]


class CreditRef(msgspec.Struct):
    """A credit note that takes back from the document."""

    id: str
    number: str
    issue_date: date
    gross: Decimal


class StoredDocument(msgspec.Struct):
    """A rendering that is stored."""

    kind: str
    sha256: str
    rendered_at: datetime
    size: int


class Chain(msgspec.Struct):
    """The document's place in the chain of its series; `is_right`: the hash is that of the content and the one before."""

    hash: str
    previous_hash: str | None
    is_right: bool


class InvoiceView(InvoiceRow, kw_only=True):
    """One document with its whole life. `page` is where its customer sees it without a log-in."""

    content: Any
    chain: Chain
    events: list[InvoiceEvent]
    entries: list[InvoiceEntry]
    credits: list[CreditRef]
    disputes: list[DisputeView]
    reminders: list[ReminderView]
    write_offs: list[WriteOffView]
    documents: list[StoredDocument]
    page: str


@get("/invoices")
async def list_invoices(
    request: ApiRequest,
    in_state: Annotated[InvoiceState | None, QueryParameter(name="state")] = None,
    kind: FromQuery[InvoiceKind | None] = None,
    payer_id: FromQuery[str | None] = None,
    seller_id: FromQuery[str | None] = None,
    run_id: FromQuery[str | None] = None,
    number: Annotated[str | None, QueryParameter(max_length=64, description="Number, its begin, or OCR.")] = None,
    month: Annotated[str | None, QueryParameter(pattern=r"^\d{4}-\d{2}$", description="Of the period's end.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[InvoiceRow]:
    """Documents, the newest first."""
    filters = Filters(parts_of(request).clock.now())
    if in_state is InvoiceState.DISPUTED:
        filters.add("m.is_disputed")
    elif in_state is not None:
        filters.add("m.state = ?", in_state.value)
    columns = {"kind": kind and kind.value, "payer_id": payer_id, "legal_entity_id": seller_id, "run_id": run_id}
    for column, value in columns.items():
        if value is not None:
            filters.add(f"i.{column} = ?", value)
    if number and number.strip():
        filters.add("(starts_with(i.number_text, ?) OR i.payment_reference = ?)", number.strip(), number.strip())
    if month is not None:
        filters.add("i.period_end >= ? AND i.period_end < (? + interval '1 month')", _first_day(month, "month"))
    if cursor is not None:
        day, document = parse_cursor(cursor, str, str)
        filters.add("(i.issue_date, i.id) < (?, ?)", _day(str(day)), document)
    rows, following = await read_page(request, "invoice_rows", filters, limit, _by_issue)
    return Page([InvoiceRow(**dict(row)) for row in rows], following)


@get("/invoices/{invoice_id:str}")
async def show_invoice(request: ApiRequest, invoice_id: FromPath[str]) -> InvoiceView:
    """One document with its whole life."""
    parts = parts_of(request)
    now = parts.clock.now()
    async with asked(request) as connection:
        filters = Filters(now)
        filters.add("i.id = ?", invoice_id)
        row = await read_one(connection, "invoice_rows", filters, "invoice", invoice_id)
        told = await _life(connection, invoice_id)
    page = await receipt_path(parts.pool, request.user.tenant, invoice_id, now)
    return InvoiceView(**dict(row), **told, page=page)


@get("/invoices/{invoice_id:str}/content")
async def show_content(request: ApiRequest, invoice_id: FromPath[str]) -> Response[bytes]:
    """The frozen content, byte for byte as it was hashed."""
    async with asked(request) as connection:
        row = await connection.fetchrow(query("invoice_frozen"), invoice_id)
    if row is None:
        raise NotFound("invoice", invoice_id)
    return Response(row["content"], media_type="application/json")


@get("/invoices/{invoice_id:str}/pdf")
async def show_pdf(request: ApiRequest, invoice_id: FromPath[str]) -> Response[bytes]:
    """The document for people, as it was rendered."""
    async with asked(request) as connection:
        return await rendering(connection, invoice_id, "pdf")


@get("/invoices/{invoice_id:str}/xml")
async def show_xml(request: ApiRequest, invoice_id: FromPath[str]) -> Response[bytes]:
    """The document for the customer's system (UBL, EN 16931), as it was rendered."""
    async with asked(request) as connection:
        return await rendering(connection, invoice_id, "xml")


async def rendering(connection: asyncpg.Connection, invoice_id: str, kind: str) -> Response[bytes]:
    """A stored rendering as a file. Raises: NotFound when there is none, or not yet."""
    row = await connection.fetchrow(query("invoice_rendering"), invoice_id, kind) if kind in MEDIA else None
    if row is None:
        raise NotFound("document", f"{invoice_id}/{kind}")
    headers = {"Content-Disposition": f'inline; filename="{row["number"]}.{kind}"'}
    return Response(row["bytes"], media_type=MEDIA[kind], headers=headers)


async def _life(connection: asyncpg.Connection, invoice_id: str) -> dict[str, Any]:
    frozen = await connection.fetchrow(query("invoice_frozen"), invoice_id)
    assert frozen is not None, invoice_id
    content = msgspec.json.decode(frozen["content"])
    for session in content.get("sessions", ()):
        session.pop("rated", None)  # the session's own page tells its price in words
    previous, hashed = frozen["previous_hash"], frozen["hash"]
    is_right = sha256((previous or b"") + frozen["content"]).digest() == hashed
    events = await connection.fetch(query("invoice_events"), invoice_id)
    return {
        "content": content,
        "chain": Chain(hashed.hex(), previous.hex() if previous else None, is_right),
        "events": [_event(row) for row in events],
        "entries": _entries(await connection.fetch(query("invoice_entries"), invoice_id), invoice_id),
        "credits": [CreditRef(*row.values()) for row in await connection.fetch(query("invoice_credits"), invoice_id)],
        "disputes": await disputes(connection, invoice_id),
        "reminders": await reminders_of(connection, invoice_id),
        "write_offs": await write_offs_of(connection, invoice_id),
        "documents": [
            StoredDocument(*row.values()) for row in await connection.fetch(query("invoice_documents"), invoice_id)
        ],
    }


def _event(row: asyncpg.Record) -> InvoiceEvent:
    return InvoiceEvent(row["number"], row["at"], row["kind"], row["by"], msgspec.json.decode(row["body"]))


def _entries(rows: list[asyncpg.Record], invoice_id: str) -> list[InvoiceEntry]:
    entries: dict[int, InvoiceEntry] = {}
    for row in rows:
        head = {name: row[name] for name in ("id", "date", "text", "source_kind", "posted_at")}
        entry = entries.setdefault(row["id"], InvoiceEntry(**head, postings=[]))
        entry.postings.append(
            EntryPosting(row["account"], row["amount"], row["currency"], row["invoice_id"] == invoice_id)
        )
    return list(entries.values())


def _first_day(month: str, field: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise Invalid(field, f"{month!r} is not a month such as 2026-10") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("cursor", "not a cursor that this list gave out") from None


def _by_issue(row: asyncpg.Record) -> tuple[str, str]:
    return (row["issue_date"].isoformat(), row["id"])

"""At whose places do stations stand, what was agreed with them, and what were they paid?

A host has agreements for its sites, each from a day on by the clock of the site, and a statement for each month that was
settled: a document like every other, with its PDF.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, JSONBody, QueryParameter

from laddbok.api import parties
from laddbok.api.contracts import IdInPath, Name
from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.payers import Country
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.host import HostTerms, parse_host_terms
from laddbok.model.tariff import decode_object
from laddbok.store.deliveries import look_again
from laddbok.store.hosts import agree, end_agreement
from laddbok.store.reads import Filters, as_owner, parse_cursor
from laddbok.store.sql import query

Line = Annotated[str, msgspec.Meta(max_length=500)]


class HostRow(msgspec.Struct, kw_only=True):
    """A host. `vat_number` null: not registered, then there is no VAT on what it gets; `sites`: with an agreement now or to come."""

    id: str
    name: str
    organisation_number: str | None
    vat_number: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str
    bankgiro: str | None
    iban: str | None
    email: str | None
    f_skatt: bool
    sites: int
    settled: str | None
    """The last month that was settled with it."""


class HostAgreement(msgspec.Struct, kw_only=True):
    """What was agreed for a site, from an instant on, up to another one (null: it holds); the days are those of the site's clock,
    `until_day` the first one on which it does not hold any more."""

    site_id: str
    site_name: str
    time_zone: str
    valid_from: datetime
    valid_to: datetime | None
    first_day: date
    until_day: date | None
    terms: HostTerms
    agreed_by: str


class HostStatement(msgspec.Struct, kw_only=True):
    """A month that was settled: its document, and whether its PDF is there yet."""

    seller_id: str
    month: str
    invoice_id: str
    number: str
    issue_date: date
    payable: Decimal
    currency: str
    has_pdf: bool


class HostView(HostRow, kw_only=True):
    """A host with its agreements, the newest first, and its statements, the newest first."""

    agreements: list[HostAgreement]
    statements: list[HostStatement]


class HostChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a host shall be."""

    name: Name
    organisation_number: Line | None = None
    vat_number: Line | None = None
    address: Line | None = None
    postal_code: Line | None = None
    city: Line | None = None
    country: Country = "SE"
    bankgiro: Line | None = None
    iban: Line | None = None
    email: Line | None = None
    f_skatt: bool = False


class NewAgreement(msgspec.Struct, forbid_unknown_fields=True, rename={"first": "from"}):
    """From a day on by the site's clock this is agreed, and what was before ends; `terms` null: from then on nothing is."""

    first: date
    terms: dict[str, Any] | None


@get("/hosts")
async def list_hosts(
    request: ApiRequest,
    q: Annotated[str | None, QueryParameter(max_length=100, description="A part of the name, or the id.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[HostRow]:
    """Hosts by id."""
    filters = Filters()
    if q and q.strip():
        filters.add("(position(lower(?) IN lower(h.name)) > 0 OR h.id = ?)", q.strip(), q.strip())
    if cursor is not None:
        filters.add("h.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "host_rows", filters, limit, lambda row: (row["id"],))
    return Page([HostRow(**dict(row)) for row in rows], following)


@get("/hosts/{host_id:str}")
async def show_host(request: ApiRequest, host_id: FromPath[str]) -> HostView:
    """One host, with what was agreed with it and what it was paid."""
    async with asked(request) as connection:
        return await _host(connection, host_id)


@put("/hosts/{host_id:str}", opt=ADMINISTRATOR)
async def put_host(
    request: ApiRequest, host_id: IdInPath, data: JSONBody[HostChange], idempotency_key: IdempotencyKey = None
) -> Response[HostView]:
    """Add or change a host."""
    values = msgspec.structs.asdict(data) | {
        "organisation_number": parties.organisation_number(data.organisation_number, data.country),
        "vat_number": parties.vat_number(data.vat_number),
        "bankgiro": parties.bankgiro(data.bankgiro),
        "iban": parties.iban(data.iban),
        "email": parties.email(data.email),
    }

    async def work(connection: asyncpg.Connection) -> HostView:
        await connection.execute(query("host_put"), host_id, *(values[name] for name in data.__struct_fields__))
        async with as_owner(connection):
            await look_again(connection, request.user.tenant, parts_of(request).clock.now(), host_id=host_id)
        return await _host(connection, host_id)

    return await written(request, work)


@put("/hosts/{host_id:str}/agreements/{site_id:str}", opt=ADMINISTRATOR)
async def put_host_agreement(
    request: ApiRequest,
    host_id: FromPath[str],
    site_id: FromPath[str],
    data: JSONBody[NewAgreement],
    idempotency_key: IdempotencyKey = None,
) -> Response[HostView]:
    """Let something be agreed for a site from a day on, or end what is."""
    exact = decode_object(await request.body(), "body")["terms"]
    terms = None if data.terms is None else parse_host_terms(msgspec.json.encode(exact))
    tenant, by = request.user.tenant, request.user.full_name or request.user.name

    async def work(connection: asyncpg.Connection) -> HostView:
        await _host(connection, host_id)
        zone = await connection.fetchval(query("host_site_zone"), site_id)
        if zone is None:
            raise NotFound("site", site_id)
        since = datetime(data.first.year, data.first.month, data.first.day, tzinfo=ZoneInfo(zone))
        if await connection.fetchval(query("host_settled_since"), host_id, site_id, since, f"{data.first:%Y-%m}"):
            raise Invalid("from", f"what {site_id} took after {data.first} is settled already")
        if terms is None:
            if not await end_agreement(connection, tenant, site_id, since):
                raise Conflict(f"nothing is agreed for {site_id} on {data.first}")
        else:
            await agree(connection, tenant, site_id, host_id, since, msgspec.json.encode(terms), by)
        return await _host(connection, host_id)

    return await written(request, work)


async def _host(connection: asyncpg.Connection, host_id: str) -> HostView:
    filters = Filters()
    filters.add("h.id = ?", host_id)
    row = await read_one(connection, "host_rows", filters, "host", host_id)
    agreed = await connection.fetch(query("host_agreement_rows"), host_id)
    settled = await connection.fetch(query("host_statement_rows"), host_id)
    return HostView(
        **dict(row),
        agreements=[
            HostAgreement(**{**dict(each), "terms": parse_host_terms(each["terms"].encode())}) for each in agreed
        ],
        statements=[HostStatement(**dict(each)) for each in settled],
    )

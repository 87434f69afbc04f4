"""Where do stations stand, and who sells there?

A site has a time zone, which governs its tariff windows, and a seller by date. A seller is a legal entity of the tenant.
"""

from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, JSONBody

from laddbok.api.contracts import IdInPath, Name
from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, written
from laddbok.rating.local_time import zone_named
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.sql import query

Line = Annotated[str, msgspec.Meta(max_length=500)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class SiteView(msgspec.Struct):
    """A site and who sells there now."""

    id: str
    name: str
    address: str | None
    city: str | None
    country: str
    time_zone: str
    latitude: float | None
    longitude: float | None
    host_id: str | None
    seller_id: str | None


class SiteChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a site shall be. A seller that is left out stays; a change of seller begins now."""

    name: Name
    time_zone: str
    country: Country = "SE"
    address: Line | None = None
    city: Line | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    host_id: str | None = None
    seller_id: str | msgspec.UnsetType | None = msgspec.UNSET


class LegalEntityView(msgspec.Struct):
    """A seller."""

    id: str
    name: str
    organisation_number: str | None
    vat_number: str | None
    f_skatt: bool
    address: str | None
    bankgiro: str | None
    currency: str
    time_zone: str
    number_series: str | None


class LegalEntityChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a seller shall be."""

    name: Name
    organisation_number: Line | None = None
    vat_number: Line | None = None
    f_skatt: bool = False
    address: Line | None = None
    bankgiro: Line | None = None
    currency: Currency = "SEK"
    time_zone: str = "Europe/Stockholm"
    number_series: Line | None = None


@get("/sites")
async def list_sites(request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[SiteView]:
    """Sites by id."""
    filters = Filters(parts_of(request).clock.now())
    if cursor is not None:
        filters.add("s.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "site_rows", filters, limit, lambda row: (row["id"],))
    return Page([SiteView(*row.values()) for row in rows], following)


@get("/sites/{site_id:str}")
async def show_site(request: ApiRequest, site_id: FromPath[str]) -> SiteView:
    """One site."""
    async with asked(request) as connection:
        return await _site(connection, site_id, parts_of(request).clock.now())


@put("/sites/{site_id:str}", opt=ADMINISTRATOR)
async def put_site(
    request: ApiRequest, site_id: IdInPath, data: JSONBody[SiteChange], idempotency_key: IdempotencyKey = None
) -> Response[SiteView]:
    """Add or change a site."""
    zone_named(data.time_zone)

    async def work(connection: asyncpg.Connection) -> SiteView:
        now = parts_of(request).clock.now()
        await connection.execute(
            query("site_put"), site_id, data.name, data.address, data.city, data.country, data.time_zone,
            data.latitude, data.longitude, data.host_id,
        )  # fmt: skip
        if data.seller_id is not msgspec.UNSET:
            await connection.execute(query("site_unlink_seller"), site_id, data.seller_id, now)
            if data.seller_id is not None:
                await connection.execute(query("site_link_seller"), site_id, data.seller_id, now)
        return await _site(connection, site_id, now)

    return await written(request, work)


@get("/legal-entities")
async def list_legal_entities(
    request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[LegalEntityView]:
    """Sellers by id."""
    filters = Filters()
    if cursor is not None:
        filters.add("e.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "legal_entity_rows", filters, limit, lambda row: (row["id"],))
    return Page([LegalEntityView(*row.values()) for row in rows], following)


@get("/legal-entities/{entity_id:str}")
async def show_legal_entity(request: ApiRequest, entity_id: FromPath[str]) -> LegalEntityView:
    """One seller."""
    async with asked(request) as connection:
        return await _legal_entity(connection, entity_id)


@put("/legal-entities/{entity_id:str}", opt=ADMINISTRATOR)
async def put_legal_entity(
    request: ApiRequest, entity_id: IdInPath, data: JSONBody[LegalEntityChange], idempotency_key: IdempotencyKey = None
) -> Response[LegalEntityView]:
    """Add or change a seller."""
    zone_named(data.time_zone)

    async def work(connection: asyncpg.Connection) -> LegalEntityView:
        await connection.execute(query("legal_entity_put"), entity_id, *msgspec.structs.astuple(data))
        return await _legal_entity(connection, entity_id)

    return await written(request, work)


async def _site(connection: asyncpg.Connection, site_id: str, now: datetime) -> SiteView:
    filters = Filters(now)
    filters.add("s.id = ?", site_id)
    row = await read_one(connection, "site_rows", filters, "site", site_id)
    return SiteView(*row.values())


async def _legal_entity(connection: asyncpg.Connection, entity_id: str) -> LegalEntityView:
    filters = Filters()
    filters.add("e.id = ?", entity_id)
    row = await read_one(connection, "legal_entity_rows", filters, "legal entity", entity_id)
    return LegalEntityView(*row.values())

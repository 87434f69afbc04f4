"""Where do stations stand, and who sells there?

A site has a time zone, which governs its tariff windows, and a seller by date.
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


async def _site(connection: asyncpg.Connection, site_id: str, now: datetime) -> SiteView:
    filters = Filters(now)
    filters.add("s.id = ?", site_id)
    row = await read_one(connection, "site_rows", filters, "site", site_id)
    return SiteView(*row.values())

"""Which stations are there, and how does one get in?

A person names a station and gets its password, once; or finds it in the lobby, where those wait that connected before
anybody knew them. The lobby belongs to no tenant: whoever admits a station takes it into their own.
"""

import re
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laddbok.api.door import ADMINISTRATOR, LOBBY
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.station_view import StationEvse, StationView, station_evses, station_views
from laddbok.api.tariff_checks import StationTariffFinding, not_allowed_at
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.store.reads import Filters, after_cursor, parse_cursor, read_rows
from laddbok.store.sql import query
from laddbok.store.station_password import new_station_password

MAX_STATION_ID_CHARS = 48
"""Source: OCPP 2.0.1 Part 2, SecurityCtrlr Identity."""
MAX_EVSES = 100
_STATION_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9*\-_=:+|@.]{1,48}")
"""Source: OCPP 2.0.1 identifierString, and the dot that 1.6 stations use, but not the paths "." and ".."."""


class NewConnector(msgspec.Struct, forbid_unknown_fields=True):
    """A connector as a person describes it; `standard` in OCPI's words (IEC_62196_T2, ...)."""

    connector_id: Annotated[int, msgspec.Meta(ge=1, le=100)]
    standard: Annotated[str, msgspec.Meta(max_length=50)] | None = None


class NewEvse(msgspec.Struct, forbid_unknown_fields=True):
    """An EVSE as a person describes it. Power in W."""

    evse_id: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    max_power_w: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    phases: Annotated[int, msgspec.Meta(ge=1, le=3)] | None = None
    connectors: Annotated[list[NewConnector], msgspec.Meta(max_length=20)] = []


class NewStation(msgspec.Struct, forbid_unknown_fields=True):
    """A station to admit."""

    station_id: str
    site_id: str
    name: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    evses: Annotated[list[NewEvse], msgspec.Meta(max_length=MAX_EVSES)] = []


class StationChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a person may change of a station; what is left out stays."""

    site_id: str | None = None
    name: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    evses: Annotated[list[NewEvse], msgspec.Meta(max_length=MAX_EVSES)] = []


class Admission(msgspec.Struct, forbid_unknown_fields=True):
    """How to admit a station from the lobby: to which site, and whether it keeps the password that it first presented."""

    site_id: str | None = None
    keep_password: bool = False


class ChangedStation(StationView):
    """A station as it is now. `tariff_findings`: what its tariff may not ask there of drivers without a contract."""

    tariff_findings: list[StationTariffFinding]


class AdmittedStation(ChangedStation):
    """A station with its password, which is shown here and never again (null: it keeps its own)."""

    password: str | None


class StationPassword(msgspec.Struct):
    """A station's new password, shown here and never again."""

    station_id: str
    password: str | None


class LobbyItem(msgspec.Struct):
    """A station that nobody has admitted. Another address or password under one identity may be a stranger's."""

    station_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    address: str
    other_address: str | None
    other_password: bool
    protocol: str
    attempts: int
    vendor: str | None
    model: str | None


@get("/stations")
async def list_stations(
    request: ApiRequest,
    connected: FromQuery[bool | None] = None,
    site_id: FromQuery[str | None] = None,
    q: Annotated[str | None, QueryParameter(max_length=200, description="Part of the identity or name.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[StationView]:
    """Stations by identity."""
    filters = Filters()
    if connected is not None:
        filters.add("t.connected = ?", connected)
    if site_id is not None:
        filters.add("t.site_id = ?", site_id)
    if q and q.strip():
        filters.add(
            "(position(lower(?) IN lower(t.identity)) > 0 OR position(lower(?) IN lower(t.name)) > 0)", q.strip()
        )
    if cursor is not None:
        filters.add("t.identity > ?", *parse_cursor(cursor, str))
    async with asked(request) as connection:
        stations = await station_views(connection, filters, limit=limit + 1)
    following = after_cursor((stations[limit - 1].station_id,)) if len(stations) > limit else None
    return Page(stations[:limit], following)


@get("/stations/{station_id:str}")
async def show_station(request: ApiRequest, station_id: FromPath[str]) -> StationView:
    """One station."""
    async with asked(request) as connection:
        return await station_by_id(connection, station_id)


@post("/stations", opt=ADMINISTRATOR)
async def add_station(
    request: ApiRequest, data: JSONBody[NewStation], idempotency_key: IdempotencyKey = None
) -> Response[AdmittedStation]:
    """Admit a station by name; its password is in the answer, once."""
    if not _STATION_ID.fullmatch(data.station_id):
        allowed = f"1 to {MAX_STATION_ID_CHARS} letters, digits or one of * - _ = : + | @ ."
        raise Invalid("station_id", f'must be {allowed}, and neither "." nor ".."')

    async def work(connection: asyncpg.Connection) -> AdmittedStation:
        password, stored = new_station_password()
        await connection.fetchrow(query("lobby_leave"), data.station_id)
        return _with_password(await _admit(request, connection, data, stored), password)

    return await written(request, work, status=201, kept=_without_password)


@patch("/stations/{station_id:str}", opt=ADMINISTRATOR)
async def change_station(
    request: ApiRequest,
    station_id: FromPath[str],
    data: JSONBody[StationChange],
    idempotency_key: IdempotencyKey = None,
) -> Response[ChangedStation]:
    """Change a station's site or name, or describe its EVSEs."""

    async def work(connection: asyncpg.Connection) -> ChangedStation:
        station_no = await connection.fetchval(query("station_change"), station_id, data.name, data.site_id)
        if station_no is None:
            raise NotFound("station", station_id)
        await _describe(connection, station_no, data.evses)
        return await _changed(request, connection, station_id)

    return await written(request, work)


@post("/stations/{station_id:str}/password", opt=ADMINISTRATOR, status_code=200)
async def renew_password(
    request: ApiRequest, station_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[StationPassword]:
    """Give a station a new password; the old one ends now."""

    async def work(connection: asyncpg.Connection) -> StationPassword:
        password, stored = new_station_password()
        if await connection.fetchval(query("station_password"), station_id, stored) is None:
            raise NotFound("station", station_id)
        return StationPassword(station_id, password)

    return await written(request, work, kept=lambda answer: StationPassword(answer.station_id, None))


@get("/evses")
async def list_evses(
    request: ApiRequest,
    station_id: FromQuery[str | None] = None,
    site_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[StationEvse]:
    """EVSEs by station and number."""
    filters = Filters()
    if station_id is not None:
        filters.add("t.identity = ?", station_id)
    if site_id is not None:
        filters.add("t.site_id = ?", site_id)
    if cursor is not None:
        filters.add("(t.identity, e.evse_id) > (?, ?::bigint)", *parse_cursor(cursor, str, int))
    async with asked(request) as connection:
        rows = await read_rows(connection, "evse_rows", filters, limit + 1)
        rows, following = cut(rows, limit, lambda row: (row["station_id"], row["evse_id"]))
        return Page(await station_evses(connection, rows), following)


@get("/lobby", opt=LOBBY)
async def list_lobby(request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[LobbyItem]:
    """Stations that connected and that nobody has admitted, by identity."""
    filters = Filters()
    if cursor is not None:
        filters.add("identity > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "lobby_rows", filters, limit, lambda row: (row["station_id"],))
    return Page([LobbyItem(*row.values()) for row in rows], following)


@post("/lobby/{station_id:str}/admit", opt=LOBBY, status_code=201)
async def admit(
    request: ApiRequest, station_id: FromPath[str], data: JSONBody[Admission], idempotency_key: IdempotencyKey = None
) -> Response[AdmittedStation]:
    """Take a station out of the lobby into the asker's tenant. With one site only, the site may be left out."""

    async def work(connection: asyncpg.Connection) -> AdmittedStation:
        seen = await connection.fetchrow(query("lobby_leave"), station_id)
        if seen is None:
            raise NotFound("station in the lobby", station_id)
        site_id = data.site_id or await _only_site(connection)
        password: str | None
        password, stored = new_station_password()
        if data.keep_password:
            password, stored = None, _password_to_keep(station_id, seen)
        station = NewStation(station_id=station_id, site_id=site_id)
        return _with_password(await _admit(request, connection, station, stored, seen), password)

    return await written(request, work, status=201, kept=_without_password)


@delete("/lobby/{station_id:str}", opt=LOBBY)
async def dismiss(request: ApiRequest, station_id: FromPath[str]) -> None:
    """Forget a station in the lobby; it comes back if it connects again."""
    async with asked(request, write=True) as connection:
        if await connection.fetchrow(query("lobby_leave"), station_id) is None:
            raise NotFound("station in the lobby", station_id)


async def station_by_id(connection: asyncpg.Connection, station_id: str) -> StationView:
    """One station.

    Raises: NotFound.
    """
    filters = Filters()
    filters.add("t.identity = ?", station_id)
    found = await station_views(connection, filters, limit=1)
    if not found:
        raise NotFound("station", station_id)
    return found[0]


async def _admit(
    request: ApiRequest,
    connection: asyncpg.Connection,
    station: NewStation,
    stored_password: bytes,
    seen: asyncpg.Record | None = None,
) -> ChangedStation:
    protocol, vendor, model = (seen["protocol"], seen["vendor"], seen["model"]) if seen else (None, None, None)
    try:
        station_no = await connection.fetchval(
            query("station_add"), station.station_id, station.site_id, station.name, stored_password,
            protocol, vendor, model, parts_of(request).clock.now(),
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise Conflict(f"there is a station {station.station_id} already") from error
    await _describe(connection, station_no, station.evses)
    return await _changed(request, connection, station.station_id)


async def _changed(request: ApiRequest, connection: asyncpg.Connection, station_id: str) -> ChangedStation:
    found = await not_allowed_at(connection, station_id, parts_of(request).clock.now())
    station = await station_by_id(connection, station_id)
    return ChangedStation(**msgspec.structs.asdict(station), tariff_findings=found)


async def _describe(connection: asyncpg.Connection, station_no: int, evses: list[NewEvse]) -> None:
    for evse in evses:
        await connection.execute(query("evse_put"), station_no, evse.evse_id, evse.max_power_w, evse.phases)
        for connector in evse.connectors:
            await connection.execute(
                query("connector_put"), station_no, evse.evse_id, connector.connector_id, connector.standard
            )


def _password_to_keep(station_id: str, seen: asyncpg.Record) -> bytes:
    """What a station in the lobby presented.

    Raises: Conflict when it presented none, or when nobody can know whose it is.
    """
    if seen["other_password"] or seen["other_address"] is not None:
        raise Conflict(
            f"another password or address was seen for station {station_id}: "
            "admit it with a new password, or dismiss it and let it come again"
        )
    if seen["password_hash"] is None:
        raise Conflict(f"station {station_id} has presented no password to keep")
    return bytes(seen["password_hash"])


async def _only_site(connection: asyncpg.Connection) -> str:
    rows = await read_rows(connection, "site_rows", Filters(None), 2)
    if len(rows) != 1:
        raise Invalid("site_id", "is needed, because there is not exactly one site")
    return str(rows[0]["id"])


def _with_password(station: ChangedStation, password: str | None) -> AdmittedStation:
    return AdmittedStation(**msgspec.structs.asdict(station), password=password)


def _without_password(answer: AdmittedStation) -> AdmittedStation:
    return msgspec.structs.replace(answer, password=None)

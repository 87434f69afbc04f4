"""How does a station look from outside?

With its EVSEs, their connectors as they last reported themselves, and the session that occupies each EVSE.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from laddbok.store.reads import Filters, read_rows
from laddbok.store.sql import query


class ConnectorView(msgspec.Struct):
    """A connector in the station's own words (status: Available, Charging, ...). `told_at`: when we heard of it."""

    connector_id: int
    standard: str | None
    status: str | None
    status_at: datetime | None
    told_at: datetime | None
    error_code: str | None
    info: str | None


class EvseView(msgspec.Struct):
    """An EVSE with its connectors and the session that occupies it. Power in W."""

    evse_id: int
    max_power_w: int | None
    connectors: list[ConnectorView]
    session_id: str | None


class StationEvse(EvseView):
    """An EVSE with the station that it belongs to."""

    station_id: str
    site_id: str
    phases: int | None


class StationView(msgspec.Struct):
    """A station. `station_id` is its identity in the websocket's path; `tariff_id` one of its own, if it has one."""

    station_id: str
    name: str | None
    site_id: str
    protocol: str | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    connected: bool
    connection_changed_at: datetime | None
    last_frame_at: datetime | None
    booted_at: datetime | None
    tariff_id: str | None
    evses: list[EvseView]


async def station_views(connection: asyncpg.Connection, filters: Filters, *, limit: int) -> list[StationView]:
    """The stations that fit, by identity."""
    rows = await read_rows(connection, "station_rows", filters, limit)
    numbers = [row["station_no"] for row in rows]
    evses = await _evses(connection, numbers)
    columns = [name for name in StationView.__struct_fields__ if name != "evses"]
    return [StationView(**{name: row[name] for name in columns}, evses=evses[row["station_no"]]) for row in rows]


async def station_evses(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[StationEvse]:
    """The EVSEs of these rows of `evse_rows`, with connectors and sessions."""
    evses = await _evses(connection, list({row["station_no"] for row in rows}))
    views = {(number, evse.evse_id): evse for number, found in evses.items() for evse in found}
    return [
        StationEvse(
            **msgspec.structs.asdict(views[row["station_no"], row["evse_id"]]),
            station_id=row["station_id"],
            site_id=row["site_id"],
            phases=row["phases"],
        )
        for row in rows
    ]


async def _evses(connection: asyncpg.Connection, numbers: list[int]) -> dict[int, list[EvseView]]:
    running = {
        (row["station_no"], row["evse_id"]): row["id"]
        for row in await connection.fetch(query("running_sessions_of"), numbers)
    }
    found: dict[int, list[EvseView]] = defaultdict(list)
    for row in await connection.fetch(query("outlets_of"), numbers):
        key = (row["station_no"], row["evse_id"])
        evses = found[key[0]]
        if not evses or evses[-1].evse_id != key[1]:
            evses.append(EvseView(key[1], row["max_power_w"], [], running.get(key)))
        if row["connector_id"] is not None:
            evses[-1].connectors.append(ConnectorView(*(row[name] for name in ConnectorView.__struct_fields__)))
    return found

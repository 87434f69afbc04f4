"""How are things right now?

Counts, the power that flows, the energy of the day, and what is broken. "Today" is the day of the first seller's zone.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.model.clock import Clock
from laddbok.model.station import TOLD_LATE_AFTER
from laddbok.store.sql import query

MAX_PROBLEMS = 50
LOOK_BACK = timedelta(days=3)
"""No session of today began earlier than this."""
QUARANTINE_SHOWN = timedelta(days=1)


class StationCounts(msgspec.Struct):
    """Stations: all, connected, with a fault."""

    total: int
    connected: int
    faulted: int


class SessionCounts(msgspec.Struct):
    """Sessions: running, ended and not yet settled, held for a person, ended today."""

    active: int
    ended: int
    review: int
    finished_today: int


class ProblemView(msgspec.Struct, omit_defaults=True):
    """Something is broken. `text_key` and `params` make the sentence in the reader's language."""

    kind: str
    text_key: str
    since: datetime | None
    params: dict[str, Any]
    station_id: str | None = None
    session_id: str | None = None


class Overview(msgspec.Struct):
    """Everything at a glance. `demo_speed`: how many business seconds a second has; null when the time is real."""

    as_of: datetime
    demo_speed: float | None
    stations: StationCounts
    sessions: SessionCounts
    power_w: int
    energy_today_wh: int
    problems: list[ProblemView]


async def overview(connection: asyncpg.Connection, clock: Clock) -> Overview:
    """How things are at this moment in the tenant that the connection acts for."""
    now = clock.now()
    stations = await connection.fetchrow(query("overview_stations"), TOLD_LATE_AFTER)
    sessions = await connection.fetchrow(query("overview_sessions"))
    live = await connection.fetchrow(query("overview_live"))
    day = _day_began(now, await connection.fetchval(query("overview_zone")))
    finished = await connection.fetchrow(query("overview_finished"), day - LOOK_BACK, day)
    return Overview(
        as_of=now,
        demo_speed=clock.speed if clock.speed != 1 else None,
        stations=StationCounts(**dict(stations)),
        sessions=SessionCounts(**dict(sessions), finished_today=finished["sessions"]),
        power_w=live["power_w"],
        energy_today_wh=finished["energy_wh"] + live["energy_wh"],
        problems=await _problems(connection, now),
    )


async def _problems(connection: asyncpg.Connection, now: datetime) -> list[ProblemView]:
    rows = await connection.fetch(query("problem_rows"), MAX_PROBLEMS, now - QUARANTINE_SHOWN, TOLD_LATE_AFTER)
    return [
        ProblemView(
            row["kind"],
            row["kind"],
            row["since"],
            msgspec.json.decode(row["params"]),
            row["station_id"],
            row["session_id"],
        )
        for row in rows
    ]


def _day_began(now: datetime, time_zone: str | None) -> datetime:
    local = now.astimezone(ZoneInfo(time_zone) if time_zone else UTC)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

"""How did power, energy and state of charge run during the charge?

Decoded from the session's frames when somebody looks, in small portions so that nobody else waits, and thinned to what
a screen can show. Energy counts from the session's begin.
"""

import asyncio
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from laddbok.api.parts import ApiRequest, asked
from laddbok.api.session_frames import VERSIONS, read_event
from laddbok.api.session_view import facts_of
from laddbok.api.timeline import Subject, subject_of
from laddbok.model.cdr import ChargingPeriod
from laddbok.ocpp.curve import REGISTER, Point, curve
from laddbok.store.sql import query

PORTION = 200
"""Frames decoded in one go: about 2 ms."""
MAX_FRAMES = 50_000
"""A session with a reading each 5 s for three days; what comes later is not drawn."""
MAX_POINTS = 2_000
DEFAULT_POINTS = 600
DRAWN = (REGISTER, "power_w", "soc_pct")


class CurvesView(msgspec.Struct):
    """Points as [ms since 1970, value], by time, in W, Wh since the begin, and %; and the charging periods."""

    power_w: list[tuple[int, int]]
    energy_wh: list[tuple[int, int]]
    soc_pct: list[tuple[int, int]]
    periods: list[ChargingPeriod]


@get("/sessions/{session_id:str}/curve")
async def show_curve(
    request: ApiRequest,
    session_id: FromPath[str],
    points: Annotated[int, QueryParameter(ge=10, le=MAX_POINTS)] = DEFAULT_POINTS,
) -> CurvesView:
    """The curves of a session with at most so many points each, and its charging periods."""
    series: dict[str, set[Point]] = {name: set() for name in DRAWN}
    async with asked(request) as connection:
        subject = await subject_of(connection, session_id)
        body = await connection.fetchrow(query("session_body"), subject.id)
        await _decode(connection, subject, series)
    meter = facts_of(body["body"]).meter
    periods = [*meter.closed_periods, *([meter.open_period] if meter.open_period else [])]
    begin_wh = meter.begin_wh or 0
    return CurvesView(
        power_w=[(_ms(at), value) for at, value in thinned(sorted(series["power_w"]), points)],
        energy_wh=[(_ms(at), max(0, value - begin_wh)) for at, value in thinned(sorted(series[REGISTER]), points)],
        soc_pct=[(_ms(at), value) for at, value in thinned(sorted(series["soc_pct"]), points)],
        periods=periods,
    )


def thinned(points: list[Point], most: int) -> list[Point]:
    """At most so many of the points, evenly picked, the first and the last among them.

    >>> from datetime import UTC, datetime
    >>> [value for _, value in thinned([(datetime(2026, 1, 1, tzinfo=UTC), n) for n in range(10)], 4)]
    [0, 3, 6, 9]
    """
    if len(points) <= most:
        return points
    return [points[number * (len(points) - 1) // (most - 1)] for number in range(most)]


async def _decode(connection: asyncpg.Connection, subject: Subject, series: dict[str, set[Point]]) -> None:
    epoch, seq = -1, -1
    for _ in range(0, MAX_FRAMES, PORTION):
        rows = await connection.fetch(query("session_frames"), subject.id, epoch, seq, PORTION)
        for name, found in _portion(subject, rows).items():
            if name in series:
                series[name].update(found)
        if len(rows) < PORTION:
            return
        epoch, seq = rows[-1]["epoch"], rows[-1]["seq"]
        await asyncio.sleep(0)


def _portion(subject: Subject, rows: list[asyncpg.Record]) -> dict[str, list[Point]]:
    if not rows:
        return {}
    version = VERSIONS[rows[0]["protocol"]]
    mine: list[tuple[datetime, bytes]] = []
    for row in rows:
        event = read_event(row["raw"], version)
        if event is not None and subject.wire.concerns(event):
            mine.append((row["received_at"], row["raw"]))
    return curve(mine, version)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

"""How did power, energy and state of charge run during the charge?

Of a finished session it was packed when that was settled; else it is decoded from the session's frames when somebody
looks, in small portions so that nobody else waits. It is thinned to what a screen can show. Energy counts from the session's begin.
"""

import asyncio
from typing import Annotated

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from laddbok.api.parts import ApiRequest, asked
from laddbok.api.session_frames import VERSIONS, read_event
from laddbok.api.session_view import facts_of
from laddbok.api.timeline import Subject, subject_of
from laddbok.flow.packed_curve import Point, ms, unpack
from laddbok.model.cdr import ChargingPeriod
from laddbok.ocpp.curve import REGISTER, readings
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
    async with asked(request) as connection:
        subject = await subject_of(connection, session_id)
        body = await connection.fetchrow(query("session_body"), subject.id)
        packed = await connection.fetchval(query("session_curve"), subject.id)
        series = unpack(packed, DRAWN) if packed is not None else await _decoded(connection, subject)
    meter = facts_of(body["body"]).meter
    periods = [*meter.closed_periods, *([meter.open_period] if meter.open_period else [])]
    begin_wh = meter.begin_wh or 0
    return CurvesView(
        power_w=thinned(series.get("power_w", []), points),
        energy_wh=[(at, max(0, value - begin_wh)) for at, value in thinned(series.get(REGISTER, []), points)],
        soc_pct=thinned(series.get("soc_pct", []), points),
        periods=periods,
    )


def thinned(points: list[Point], most: int) -> list[Point]:
    """At most so many of the points, evenly picked, the first and the last among them.

    >>> [value for _, value in thinned([(0, n) for n in range(10)], 4)]
    [0, 3, 6, 9]
    """
    if len(points) <= most:
        return points
    return [points[number * (len(points) - 1) // (most - 1)] for number in range(most)]


async def _decoded(connection: asyncpg.Connection, subject: Subject) -> dict[str, list[Point]]:
    series: dict[str, set[Point]] = {name: set() for name in DRAWN}
    epoch, seq = -1, -1
    for _ in range(0, MAX_FRAMES, PORTION):
        rows = await connection.fetch(query("session_frames"), subject.id, epoch, seq, PORTION)
        for row in rows:
            event = read_event(row["raw"], VERSIONS[row["protocol"]])
            if event is None or not subject.wire.concerns(event):
                continue
            for name, at, value in readings(event):
                if name in series:
                    series[name].add((ms(at or row["received_at"]), value))
        if len(rows) < PORTION:
            break
        epoch, seq = rows[-1]["epoch"], rows[-1]["seq"]
        await asyncio.sleep(0)
    return {name: sorted(points) for name, points in series.items()}

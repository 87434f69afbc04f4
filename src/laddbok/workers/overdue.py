"""Who ends the sessions of stations that never come back?

A station that is connected is its gateway's. For one that has been silent for too long a worker takes the ownership
first, so that nobody else can move its sessions, and closes what still runs at its last reading. If the station does
come back, its newer connection takes it over, and its late stop is kept as evidence.
"""

from collections.abc import Callable
from datetime import datetime

import asyncpg

from laddbok.flow.apply import Desk
from laddbok.sessions.advance import LOST_STOP_AFTER
from laddbok.store.database import borrowed
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query
from laddbok.workers.again import again_and_again

EVERY_S = 30.0
MAX_STATIONS = 100
"""Stations taken over in one round."""


class Overdue:
    """The loop over silent stations."""

    def __init__(self, name: str, store: PostgresStore, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._name = name
        self._store = store
        self._pool = pool
        self._now = now

    async def run(self) -> None:
        """Look until cancelled."""
        await again_and_again("sessions of silent stations", self.once, EVERY_S)

    async def once(self) -> int:
        """Close what is overdue. Returns: how many sessions were closed."""
        now = self._now()
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(query("silent_stations"), now - LOST_STOP_AFTER, MAX_STATIONS)
        if not rows:
            return 0
        claims = await self._store.claim([row["station_no"] for row in rows], self._name, now)
        desk = Desk(self._store)
        for claim in claims.values():
            desk.take_over(claim)
        closed = desk.lost_sessions(now, silent=True)
        for elapsed in closed:
            await desk.apply([elapsed])
        heard_at = {row["station_no"]: row["heard_at"] for row in rows}
        epochs = [claim.epoch for claim in claims.values()]
        async with borrowed(self._pool) as connection:
            await connection.execute(
                query("stations_gone"), list(claims), epochs, now, [heard_at[number] for number in claims]
            )
        return len(closed)

"""What must be done now and then, whoever asks?

Partitions for the evidence of the days to come are made ahead, so that no frame ever waits for one. Stations in the lobby
that knock no more are forgotten, and so is what was published of sessions that are not open any more.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query
from laddbok.workers.again import again_and_again

EVERY_S = 600.0
"""In business time it may be days in a demo; partitions are made that far ahead."""
LOBBY_LASTS = timedelta(days=7)
"""A station that was not heard for so long is no longer in the lobby."""


class Housekeeper:
    """The loop of small chores."""

    def __init__(self, store: PostgresStore, pool: asyncpg.Pool, now: Callable[[], datetime], days_ahead: int) -> None:
        self._store = store
        self._pool = pool
        self._now = now
        self._days_ahead = days_ahead

    async def run(self) -> None:
        """Keep house until cancelled."""
        await again_and_again("housekeeping", self.once, EVERY_S)

    async def once(self) -> None:
        """All chores."""
        await self._store.create_frame_partitions(self._now(), self._days_ahead)
        async with self._pool.acquire(timeout=10) as connection:
            await connection.execute(query("lobby_forget"), self._now() - LOBBY_LASTS)
            await connection.execute(query("forget_live"))

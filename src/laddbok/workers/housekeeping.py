"""What must be done now and then, whoever asks?

Partitions for the evidence of the days to come are made ahead, so that no frame ever waits for one.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import asyncpg

from laddbok.flow.changes import StoreDown
from laddbok.store.postgres import PostgresStore

log = logging.getLogger(__name__)

EVERY_S = 600.0
"""In business time it may be days in a demo; partitions are made that far ahead."""


class Housekeeper:
    """The loop of small chores."""

    def __init__(self, store: PostgresStore, now: Callable[[], datetime], days_ahead: int) -> None:
        self._store = store
        self._now = now
        self._days_ahead = days_ahead

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            try:
                await self.once()
            except (StoreDown, asyncpg.PostgresError) as error:
                log.warning("housekeeping: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """All chores."""
        await self._store.create_frame_partitions(self._now(), self._days_ahead)

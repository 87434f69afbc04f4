"""Who does the work that can wait?

A worker takes due jobs, does each, and says so. A job that fails comes again later, twice as late each time; after the
last attempt it waits for a person. Doing a job twice changes nothing, so a worker may die at any moment.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from laddbok.flow.changes import StoreDown
from laddbok.flow.store import LeasedJob, Store

log = logging.getLogger(__name__)

JOBS_AT_ONCE = 8
IDLE_S = 0.5
"""How long an idle worker waits before it looks again."""
DOWN_S = 2.0

Does = Callable[[LeasedJob], Awaitable[datetime | None]]
"""Does one job. Returns: None when it is done, else when it is to be tried again."""


class Worker:
    """The loop over due jobs."""

    def __init__(self, name: str, store: Store, now: Callable[[], datetime], kinds: Mapping[str, Does]) -> None:
        self._name = name
        self._store = store
        self._now = now
        self._kinds = kinds

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                if not await self.work_once():
                    await asyncio.sleep(IDLE_S)
            except StoreDown as error:
                log.warning("the database is not available: %s", error)
                await asyncio.sleep(DOWN_S)

    async def work_once(self) -> int:
        """Do the jobs that are due now, some at once. Returns: how many."""
        leased = await self._store.take_jobs(self._name, self._now(), JOBS_AT_ONCE)
        await asyncio.gather(*(self._do(each) for each in leased))
        return len(leased)

    async def _do(self, leased: LeasedJob) -> None:
        does = self._kinds.get(leased.job.kind)
        try:
            if does is None:
                raise LookupError(f"no worker does {leased.job.kind!r}")
            again_at = await does(leased)
        except StoreDown:
            raise
        except Exception as error:
            log.exception("job %s %s", leased.job.kind, leased.job.key)
            await self._store.fail_job(leased, f"{type(error).__name__}: {error}", self._now())
            return
        await self._store.finish_job(leased, again_at)

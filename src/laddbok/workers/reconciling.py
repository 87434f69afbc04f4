"""Who holds the books against the evidence every night?

Once a day, from three in the morning on by the clock of UTC, each tenant is reconciled and what was found is kept. The files of
documents are hashed again some thousand a night, one night after the other; what was found in one is looked at every night. A difference
is an error in the log, with its check and how many there are; `laddbok reconcile` names them.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import asyncpg
import msgspec

from laddbok.store.reconcile import files_of_the_night, reconcile
from laddbok.store.sql import query
from laddbok.workers.again import again_and_again

log = logging.getLogger(__name__)

EVERY_S = 60.0
AT = time(3, tzinfo=UTC)


class NightlyReconciler:
    """The loop that reconciles every tenant once a day."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def run(self) -> None:
        """Reconcile until cancelled."""
        await again_and_again("reconciliation", self.once, EVERY_S)

    async def once(self) -> int:
        """Reconcile the tenants that are due. Returns: how many."""
        now, done = self._now(), 0
        async with self._pool.acquire() as connection:
            for row in await connection.fetch(query("all_tenants")):
                last = await connection.fetchrow(query("reconciliation_last"), row["tenant"])
                if last is None or last["at"] < due_since(now):
                    await self._reconcile(connection, row["tenant"], now)
                    done += 1
        return done

    async def _reconcile(self, connection: asyncpg.Connection, tenant: int, now: datetime) -> None:
        files = await files_of_the_night(connection, tenant)
        checks = await reconcile(connection, tenant, now, files)
        found = sum(each.differences for each in checks)
        body = msgspec.json.encode(checks).decode()
        await connection.execute(query("reconciliation_keep"), tenant, now, found, body, files.through)
        for each in checks:
            if each.differences:
                log.error("reconciliation of tenant %d: %s: %d differences", tenant, each.check, each.differences)


def due_since(now: datetime) -> datetime:
    """The last time at which a reconciliation was due.

    >>> due_since(datetime(2026, 11, 5, 2, 59, tzinfo=UTC)).isoformat()
    '2026-11-04T03:00:00+00:00'
    """
    today = datetime.combine(now.astimezone(UTC).date(), AT)
    return today if today <= now else today - timedelta(days=1)

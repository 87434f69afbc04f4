"""How do lists of apartments and statements of charging at home get their PDF?

One job per revision, queued by the transaction that made it. The same content gives the same bytes; doing it twice changes nothing.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import asyncpg

from laddbok.billing.statement_files import statement_pdf
from laddbok.flow.store import LeasedJob
from laddbok.model.statement import StatementKind
from laddbok.store.statements import RENDER_STATEMENT, keep_pdf, kept_statement
from laddbok.workers.jobs import Does
from laddbok.workers.render_invoice import TYPESETTER


class StatementRenderer:
    """Does jobs of kind `render_statement` (store.statements.RENDER_STATEMENT)."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Render one revision. Returns: None, for it is done. Raises: NotFound."""
        tenant = leased.job.tenant
        _, kind, month, revision, subject_id = leased.job.key.split("/", 4)
        which = (StatementKind(kind), subject_id, month, int(revision))
        async with self._pool.acquire() as connection:
            statement, _ = await kept_statement(connection, tenant, *which)
        pdf = await asyncio.get_running_loop().run_in_executor(TYPESETTER, statement_pdf, statement)
        async with self._pool.acquire() as connection:
            await keep_pdf(connection, tenant, *which, pdf, self._now())
        return None


def statement_jobs(pool: asyncpg.Pool, now: Callable[[], datetime]) -> dict[str, Does]:
    """What a worker does with statements, by the kind of job."""
    return {RENDER_STATEMENT: StatementRenderer(pool, now)}

"""How do reminders get their PDF?

As documents do (workers.render_invoice): a job that the reminder's transaction queued reads the frozen content, sets it in the one
typesetter of this process, and stores it once. From then on it waits to be sent.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import asyncpg

from laddbok.billing.reminder_page import reminder_pdf
from laddbok.flow.store import LeasedJob
from laddbok.store.reminders import keep_pdf, stored_reminder
from laddbok.workers.render_invoice import TYPESETTER

log = logging.getLogger(__name__)


class ReminderRenderer:
    """Does jobs of kind `render_reminder` (store.reminders.RENDER_REMINDER)."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Render one reminder. Returns: None, for it is done. Raises: NotFound."""
        tenant = leased.job.tenant
        _, number, invoice_id = leased.job.key.split("/", 2)
        async with self._pool.acquire() as connection:
            reminder = await stored_reminder(connection, tenant, invoice_id, int(number))
        pdf = await asyncio.get_running_loop().run_in_executor(TYPESETTER, reminder_pdf, reminder)
        async with self._pool.acquire() as connection:
            if not await keep_pdf(connection, tenant, reminder, pdf, self._now()):
                log.error("reminder %s of %s gives another file than the one that is stored", number, invoice_id)
        return None

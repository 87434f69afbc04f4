"""Who reminds customers of what is late, every day?

From six in the morning by each seller's clock, after the night's bank files, its late invoices are looked through once a day, and
what came of it is kept. A worker that dies in between begins anew, and whoever was reminded is not reminded twice.
"""

import logging
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid
from laddbok.store.billing import seller_terms
from laddbok.store.reminders import NotReminded, Reminded, remind_all
from laddbok.store.sql import query
from laddbok.workers.again import again_and_again

log = logging.getLogger(__name__)

EVERY_S = 300.0
AT = time(6)
BY = "laddbok"


class DailyReminders:
    """The loop that reminds, once a day."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def run(self) -> None:
        """Remind until cancelled."""
        await again_and_again("reminders", self.once, EVERY_S)

    async def once(self) -> int:
        """Look through what is due of each seller. Returns: how many reminders went out."""
        now, count = self._now(), 0
        async with self._pool.acquire() as connection:
            for row in await connection.fetch(query("all_tenants")):
                tenant = row["tenant"]
                last = {each["id"]: each["day"] for each in await connection.fetch(query("reminder_run_days"), tenant)}
                for terms in await seller_terms(connection, tenant, None):
                    today = due_day(now, terms.time_zone, last.get(terms.seller.id))
                    if today is not None:
                        count += await self._remind(connection, tenant, terms, today, now)
        return count

    async def _remind(
        self, connection: asyncpg.Connection, tenant: int, terms: SellerTerms, today: date, now: datetime
    ) -> int:
        try:
            told = await remind_all(connection, tenant, terms, today, now, BY)
        except Invalid as error:
            told = Reminded(seller_id=terms.seller.id, day=today, left_out=[NotReminded("", str(error))])
        for each in told.left_out:
            log.warning("reminders of %s: %s: %s", terms.seller.id, each.invoice_id, each.reason)
        kept = {"count": told.count, "left_out": told.left_out}
        body = msgspec.json.encode(kept).decode()
        await connection.execute(query("reminder_run_keep"), tenant, terms.seller.id, today, now, body)
        return told.count


def due_day(now: datetime, time_zone: str, last: date | None) -> date | None:
    """The day of a seller that is to be looked through now; None: it was, or it is too early.

    >>> due_day(datetime.fromisoformat("2026-11-26T05:00Z"), "Europe/Stockholm", date(2026, 11, 25))
    datetime.date(2026, 11, 26)
    >>> due_day(datetime.fromisoformat("2026-11-26T04:59Z"), "Europe/Stockholm", date(2026, 11, 25)) is None
    True
    """
    local = now.astimezone(ZoneInfo(time_zone))
    is_done = last is not None and last >= local.date()
    return None if is_done or local.time() < AT else local.date()

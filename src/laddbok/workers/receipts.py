"""Who issues the receipts of drivers who pay at once?

One job per session, queued with its CDR, with each credit of one, and when a hold, a request or a payment of it has come to its
end. While the session or a provider is not ready it looks again; what is in the way of a document fails the job by name.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from laddbok.flow.store import LeasedJob
from laddbok.store.database import borrowed
from laddbok.store.receipts import Check, settle_paid_at_once

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=10)
"""Whatever makes a receipt due queues its job; this finds what came otherwise, such as a session that was voided unpriced."""


class Receipts:
    """Does jobs of kind `receipt` (store.receipt_jobs.RECEIPT); their key is tenant and session id."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime], check: Check) -> None:
        """Args: check, what is in the way of a document, asked before its number is taken."""
        self._pool = pool
        self._now = now
        self._check = check

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Do what is due for one session. Returns: when to look again; None: nothing is left to do.

        Raises: Conflict, Invalid: a person must mend something first.
        """
        tenant, session_id = leased.job.tenant, leased.job.key.partition("/")[2]
        async with borrowed(self._pool) as connection:
            settled = await settle_paid_at_once(connection, tenant, session_id, self._now(), self._check)
        if settled.documents or settled.refunded:
            log.info("session %s: %s, %s paid back", session_id, ", ".join(settled.documents), settled.refunded)
        return self._now() + LOOK_AGAIN if settled.is_early else None

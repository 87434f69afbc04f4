"""How do final documents get their files?

One job per document, queued by the transaction that made it final: read the frozen content, make the e-invoice, if it is one,
and the PDF, and store both. The typesetter works in one thread of its own, so that other jobs go on. Doing it twice changes
nothing; other bytes than those that are stored are told as an event and never replace them.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import asyncpg

from laddbok.flow.documents import rendered
from laddbok.flow.store import LeasedJob
from laddbok.store.invoice_documents import Kept, document_to_render, keep_rendering

log = logging.getLogger(__name__)

TYPESETTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="typesetter")
"""One for the process: the typesetter can't be used by two threads at once."""


class InvoiceRenderer:
    """Does jobs of kind `render_invoice` (store.billing.RENDER); their key is tenant and document id."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Render one document. Returns: None, for it is done.

        Raises: NotFound; Invalid when it can't be rendered: then a person must look.
        """
        tenant, invoice_id = leased.job.tenant, leased.job.key.partition("/")[2]
        async with self._pool.acquire() as connection:
            work = await document_to_render(connection, tenant, invoice_id)
        render = partial(rendered, work.invoice, e_invoice=work.e_invoice)
        made = await asyncio.get_running_loop().run_in_executor(TYPESETTER, render)
        async with self._pool.acquire() as connection:
            kept = await keep_rendering(connection, tenant, invoice_id, made, self._now())
        if kept is Kept.DIFFERS:
            log.error("document %s gives other files than those that are stored", invoice_id)
        return None

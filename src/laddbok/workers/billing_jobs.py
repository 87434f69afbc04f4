"""Who bills a month that somebody asked for in the console?

Two kinds of job, `billing_plan` and `billing_run`; the key of both is tenant, seller and month. Either may take minutes, so
it runs beside the other jobs, and the job is looked at again until it has ended. A worker that dies leaves the job, and the
next one goes on: what is final stays. Two workers never bill the same month at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from laddbok.flow.billing_jobs import BILLING_RUN, parse_key
from laddbok.flow.billing_outlook import LeftOut, Outlook, add, obstruct
from laddbok.flow.billing_run import InTheWay, Planned, ends_before, period_of
from laddbok.flow.changes import Job
from laddbok.flow.store import LeasedJob
from laddbok.model.errors import NotFound
from laddbok.store import billing
from laddbok.store.sql import query
from laddbok.workers.billing_run import BillingRun, Check, RunResult

LOOK_AGAIN = timedelta(seconds=1)
FIRST_LOOK_S = 1.0
"""A short run is done before its job is looked at again."""
WRITE_PROGRESS_S = 0.5


class Biller:
    """Does jobs of kind `billing_plan` and `billing_run`."""

    def __init__(
        self, connect: Callable[[], Awaitable[asyncpg.Connection]], now: Callable[[], datetime], check: Check
    ) -> None:
        """Args: check, what is in the way of a document, asked before any number is taken."""
        self._connect = connect
        self._now = now
        self._check = check
        self._running: dict[tuple[str, str], asyncio.Task[bool]] = {}

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        """Begin a job, or see how far it is. Returns: when to look again; None: it is done."""
        name = (leased.job.kind, leased.job.key)
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = asyncio.create_task(self._work(leased.job))
        await asyncio.wait([task], timeout=FIRST_LOOK_S)
        if not task.done():
            return self._now() + LOOK_AGAIN
        del self._running[name]
        return None if task.result() else self._now() + LOOK_AGAIN

    async def stop(self) -> None:
        """Leave what is running; it is taken up again by the next worker."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _work(self, job: Job) -> bool:
        """Returns: whether it was done; not, when another worker is doing it."""
        seller_id, month = parse_key(job.key)
        async with self._connected() as connection, self._connected() as reader:
            if not await connection.fetchval(query("billing_alone"), f"{job.kind} {job.key}"):
                return False
            async with self._connected() as teller:
                await self._bill(job, (seller_id, month), connection, reader, teller)
        return True

    async def _bill(
        self,
        job: Job,
        asked_for: tuple[str, str],
        connection: asyncpg.Connection,
        reader: asyncpg.Connection,
        teller: asyncpg.Connection,
    ) -> None:
        seller_id, month = asked_for
        found = await billing.seller_terms(connection, job.tenant, seller_id)
        if not found:
            raise NotFound("legal entity", seller_id)
        terms, now = found[0], self._now()
        period = period_of(month, terms, now)
        run = BillingRun(connection, reader, job.tenant, terms, period)
        where = (job.tenant, seller_id, period.start)
        told = _Told(run, where, connection, teller, self._check)
        outlook = await told.run(now, final=job.kind == BILLING_RUN)
        rows = await connection.fetch(query("billing_left_out"), job.tenant, seller_id, ends_before(period, terms))
        obstruct(outlook, run.result.in_the_way, map(_left_out, rows))
        result = msgspec.json.encode(outlook).decode()
        if job.kind == BILLING_RUN:
            await connection.execute(query("billing_run_told"), job.tenant, run.id, result)
            await connection.execute(query("billing_plan_drop"), *where)
        else:
            await connection.execute(query("billing_plan_end"), *where, outlook.customers, now, result)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._connect()
        try:
            yield connection
        finally:
            await connection.close()


class _Told:
    """A run whose progress is told to whoever asked for it, and which is counted document by document."""

    def __init__(
        self,
        run: BillingRun,
        where: tuple[int, str, date],
        connection: asyncpg.Connection,
        teller: asyncpg.Connection,
        check: Check,
    ) -> None:
        """Args: where, the tenant, seller and first day of the period; teller, a connection that the run doesn't use."""
        self._run, self._where, self._connection, self._teller = run, where, connection, teller
        self._check = check
        self._outlook = Outlook()

    async def run(self, now: datetime, *, final: bool) -> Outlook:
        asked = await self._connection.fetchrow(query("billing_asked"), *self._where, self._run.id)
        by, planned = (asked["by"], asked["planned"]) if asked else ("laddbok", 0)
        telling = asyncio.create_task(self._tell())
        try:
            result = await self._run.run(now, by, self._checked, final=final, show=self._show, expected=planned)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        outlook = self._outlook
        outlook.sessions, outlook.customers = result.sessions, result.customers
        outlook.netted, outlook.nothing = result.netted, result.nothing
        return outlook

    def _checked(self, planned: Planned) -> Sequence[InTheWay]:
        stops = self._check(planned)
        if not stops:
            add(self._outlook, planned)
        return stops

    def _show(self, result: RunResult) -> None:
        self._outlook.customers = result.customers

    async def _tell(self) -> None:
        """A plan tells how many customers it has looked at; the documents of a run are counted as they become final."""
        while True:
            await asyncio.sleep(WRITE_PROGRESS_S)
            with contextlib.suppress(asyncpg.PostgresError):
                await self._teller.execute(query("billing_plan_advance"), *self._where, self._outlook.customers)


def _left_out(row: asyncpg.Record) -> LeftOut:
    return LeftOut(
        session_id=row["id"], state=row["state"], reasons=list(row["review_reasons"] or ()), ended_at=row["ended_at"]
    )

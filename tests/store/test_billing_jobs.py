"""Does a month that was asked for get billed by one worker, to its end, whoever dies or comes second?"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.flow.billing_jobs import BILLING_PLAN, BILLING_RUN, key_of
from laddbok.flow.billing_run import Planned
from laddbok.flow.changes import Job
from laddbok.flow.store import LeasedJob
from laddbok.model.errors import NotFound
from laddbok.store.embedded import Dsn
from laddbok.store.sql import query
from laddbok.workers.billing_jobs import Biller

NOW = datetime(2026, 11, 5, 9, tzinfo=UTC)
CUSTOMERS, SESSIONS = 12, 60
MONTH = "2026-10"


def free(_: Planned) -> tuple[Any, ...]:
    return ()


def job(tenant: int, kind: str, seller: str = billing_data.SELLER) -> LeasedJob:
    return LeasedJob(1, Job(tenant=tenant, kind=kind, key=key_of(tenant, seller, MONTH), due_at=NOW), 1, 1)


def on(dsn: Dsn, work: Callable[[asyncpg.Connection, Biller, int], Any]) -> Any:
    async def main() -> Any:
        connection = await asyncpg.connect(**dsn)
        biller = Biller(lambda: asyncpg.connect(**dsn), lambda: NOW, free)
        try:
            tenant: int = await connection.fetchval(
                "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
            )
            await billing_data.fill(connection, tenant, CUSTOMERS, SESSIONS)
            return await work(connection, biller, tenant)
        finally:
            await biller.stop()
            await connection.close()

    return asyncio.run(main())


async def to_its_end(biller: Biller, leased: LeasedJob) -> None:
    async with asyncio.timeout(60):
        while await biller(leased) is not None:
            pass


async def invoices(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM invoice")
    return count


def test_two_workers_do_not_bill_the_same_month_at_once(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, biller: Biller, tenant: int) -> None:
        leased = job(tenant, BILLING_RUN)
        other = f"{BILLING_RUN} {leased.job.key}"
        assert await connection.fetchval(query("billing_alone"), other)
        again_at = await biller(leased)
        assert again_at is not None and again_at > NOW
        assert await invoices(connection) == 0
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await to_its_end(biller, leased)
        assert await invoices(connection) == CUSTOMERS
        await to_its_end(biller, leased)
        assert await invoices(connection) == CUSTOMERS

    on(new_database(), work)


def test_a_plan_is_what_the_run_then_does(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, biller: Biller, tenant: int) -> None:
        asked = (tenant, billing_data.SELLER, NOW)
        await connection.execute(
            "INSERT INTO billing_plan (tenant, legal_entity_id, period_start, asked_at, asked_by) VALUES ($1, $2, '2026-10-01', $3, 'a')",
            *asked,
        )  # fmt: skip
        await to_its_end(biller, job(tenant, BILLING_PLAN))
        assert await invoices(connection) == 0
        plan = await connection.fetchval("SELECT result FROM billing_plan WHERE ended_at = $1", NOW)
        await to_its_end(biller, job(tenant, BILLING_RUN))
        run = await connection.fetchrow("SELECT result, done FROM billing_run")
        assert run is not None and (run["result"], run["done"]) == (plan, CUSTOMERS)
        assert await connection.fetchval("SELECT count(*) FROM billing_plan") == 0, "it came true"

    on(new_database(), work)


def test_a_worker_that_stops_leaves_the_rest_to_the_next(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, biller: Biller, tenant: int) -> None:
        first = asyncio.create_task(biller(job(tenant, BILLING_RUN)))
        await asyncio.sleep(0)
        await biller.stop()
        await asyncio.gather(first, return_exceptions=True)
        await to_its_end(biller, job(tenant, BILLING_RUN))
        numbers = [row["number"] for row in await connection.fetch("SELECT number FROM invoice ORDER BY number")]
        assert numbers == list(range(1, CUSTOMERS + 1))

    on(new_database(), work)


def test_a_seller_that_is_not_there_is_an_error_by_name(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, biller: Biller, tenant: int) -> None:
        with pytest.raises(NotFound, match="nobody"):
            await to_its_end(biller, job(tenant, BILLING_PLAN, "nobody"))

    on(new_database(), work)

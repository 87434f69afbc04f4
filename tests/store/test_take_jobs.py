"""Does a worker get no more jobs than it asked for, whatever the database believes of the size of its table?"""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from laddbok.flow.changes import Changes, Job
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from tests.store.stores import minutes

JOBS = 40
TENANT = "INSERT INTO tenant (name, created_at) VALUES (gen_random_uuid()::text, $1) RETURNING tenant"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize("known", [0, 1, 2])
def test_no_more_jobs_are_leased_than_asked_for(fresh_database: Dsn, runner: asyncio.Runner, known: int) -> None:
    """The statistics are of a moment when the table was nearly empty, as a table of jobs is."""

    async def taken() -> list[int]:
        async with asyncpg.create_pool(**fresh_database, min_size=1, max_size=1) as pool:
            store = PostgresStore(pool)
            tenant = await pool.fetchval(TENANT, minutes(0))
            jobs = [Job(tenant=tenant, kind="settle", key=f"{number}", due_at=minutes(0)) for number in range(JOBS)]
            await pool.execute("DELETE FROM job")
            await store.commit(Changes(jobs=jobs[:known]))
            await pool.execute("VACUUM ANALYZE job")
            await store.commit(Changes(jobs=jobs[known:]))
            return [len(await store.take_jobs("worker", minutes(1), 8)) for _ in range(6)]

    assert runner.run(taken()) == [8, 8, 8, 8, 8, 0]

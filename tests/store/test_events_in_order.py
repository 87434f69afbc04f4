"""Do events of a document come one after the other, though many tell them at once?"""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from laddbok.store.embedded import Dsn
from laddbok.store.sql import query
from tests.store.test_billing_run import NOW, on, run_october

AT_ONCE = 8
NEXT = "SELECT array_agg(number ORDER BY number) FROM invoice_event WHERE invoice_id = $1"


@pytest.mark.parametrize("is_told_by_people", [False, True])
def test_events_that_are_told_at_once_are_numbered_one_after_the_other(
    new_database: Callable[[], Dsn], is_told_by_people: bool
) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        invoice_id = await connection.fetchval("SELECT min(id) FROM invoice")
        first, *others = [await asyncpg.connect(**dsn) for _ in range(AT_ONCE)]

        async def tell(teller: asyncpg.Connection) -> None:
            async with teller.transaction():
                if is_told_by_people:
                    await teller.execute("SELECT set_config('laddbok.tenant', $1, true)", str(tenant))
                    await teller.execute(query("invoice_tell"), invoice_id, NOW, "x", "eva", "{}")
                else:
                    await teller.execute(query("invoice_event_add"), tenant, invoice_id, NOW, "x", "laddbok", "{}")

        async with first.transaction():  # all others wait for it, with what they saw before it
            await first.execute(query("invoice_event_add"), tenant, invoice_id, NOW, "first", "laddbok", "{}")
            telling = [asyncio.create_task(tell(each)) for each in others]
            while await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < len(others):
                await asyncio.sleep(0.01)
        await asyncio.gather(*telling)
        assert await connection.fetchval(NEXT, invoice_id) == list(range(1, AT_ONCE + 1))
        for each in (first, *others):
            await each.close()

    on(dsn, work)

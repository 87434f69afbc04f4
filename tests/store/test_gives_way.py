"""Does a transaction that PostgreSQL chose to give way come again by itself? Real deadlocks, on a real database (S68)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from laddbok.flow.changes import Changes, OutletSeen, StoreDown
from laddbok.model.session import FramePosition
from laddbok.model.station import Outlet, Station
from laddbok.store.embedded import Dsn
from laddbok.store.gives_way import SERIALIZATION_TRIES
from laddbok.store.postgres import PostgresStore
from tests.store.stores import NOON, station_of
from tests.store.test_contract import frame

WAIT_S = 20.0
Body = Callable[[PostgresStore, asyncpg.Pool, list[Station]], Awaitable[None]]


def on(dsn: Dsn, body: Body, **settings: str) -> None:
    """Run a body on a store with two stations of a new tenant."""

    async def run() -> None:
        async with (
            asyncpg.create_pool(**dsn, min_size=1, max_size=2, server_settings=settings) as pool,
            asyncpg.create_pool(**dsn, min_size=1, max_size=3) as beside,
        ):
            await body(PostgresStore(pool), beside, await stations(beside))

    asyncio.run(run())


async def stations(pool: asyncpg.Pool) -> list[Station]:
    tenant = await pool.fetchval("INSERT INTO tenant (name, created_at) VALUES ('t', $1) RETURNING tenant", NOON)
    await pool.execute("INSERT INTO site (tenant, id, name, time_zone) VALUES ($1, 'yard', 'Yard', 'UTC')", tenant)
    add = (
        "INSERT INTO station (tenant, identity, site_id, protocol, admitted_at) "
        "VALUES ($1, $2, 'yard', '1.6', $3) RETURNING station_no"
    )
    names = [f"{name}-{tenant}" for name in ("one", "two")]
    return [station_of(tenant, await pool.fetchval(add, tenant, name, NOON), name) for name in names]


def outlet(station: Station, status: str) -> OutletSeen:
    return OutletSeen(station.tenant, station.station_no, Outlet(evse_id=1, connector_id=1, status=status))


async def until_it_waits(pool: asyncpg.Pool) -> None:
    """Until a transaction waits for a lock of another one in this database."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(WAIT_S):
        while not await pool.fetchval(waits):
            await asyncio.sleep(0.01)


async def lock(connection: Any, station: Station) -> None:
    await connection.execute(
        "UPDATE connector SET info = 'mine' WHERE tenant = $1 AND station_no = $2", station.tenant, station.station_no
    )


def test_S68_a_deadlock_is_retried_inside_and_what_it_wrote_is_there_once(fresh_database: Dsn) -> None:
    async def body(store: PostgresStore, pool: asyncpg.Pool, both: list[Station]) -> None:
        one, two = both
        await store.commit(Changes(outlets=[outlet(each, "Available") for each in both]))
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        before = await pool.fetchval(deadlocks)
        async with pool.acquire() as other:
            holding = other.transaction()
            await holding.start()
            await lock(other, two)
            changes = Changes(frames=[frame(one, 1, 1)], outlets=[outlet(each, "Charging") for each in both])
            committing = asyncio.create_task(store.commit(changes))
            await until_it_waits(pool)  # it has one's row, and waits for two's
            await lock(other, one)  # now each waits for the other; who waits longer finds out and gives way
            await holding.commit()
        await asyncio.wait_for(committing, WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while await pool.fetchval(deadlocks) == before:
                await asyncio.sleep(0.05)
        told = await pool.fetch("SELECT DISTINCT status FROM connector WHERE tenant = $1", one.tenant)
        assert [row["status"] for row in told] == ["Charging"]
        assert await pool.fetchval("SELECT count(*) FROM frame WHERE station_no = $1", one.station_no) == 1
        assert await store.stored([(one.station_no, FramePosition(1, 1))])

    on(fresh_database, body)


@pytest.mark.parametrize("what", ["commit", "claim"])
def test_S68_a_serialisation_failure_is_retried_inside(fresh_database: Dsn, what: str) -> None:
    async def body(store: PostgresStore, pool: asyncpg.Pool, both: list[Station]) -> None:
        one = both[0]
        await store.commit(Changes(outlets=[outlet(one, "Available")]))
        async with pool.acquire() as other:
            holding = other.transaction()
            await holding.start()
            await lock(other, one)
            await other.execute("UPDATE station SET name = 'n' WHERE station_no = $1", one.station_no)
            work = store.commit(Changes(outlets=[outlet(one, "Charging")]))
            claimed = store.claim([one.station_no], "g", NOON)
            doing: asyncio.Task[Any] = asyncio.create_task(work if what == "commit" else claimed)
            (claimed if what == "commit" else work).close()
            await until_it_waits(pool)
            await holding.commit()
        done = await asyncio.wait_for(doing, WAIT_S)
        if what == "claim":
            assert done[one.station_no].epoch == 1
        else:
            told = await pool.fetchval("SELECT status FROM connector WHERE tenant = $1", one.tenant)
            assert told == "Charging"

    on(fresh_database, body, default_transaction_isolation="repeatable read")


def test_S68_what_gives_way_every_time_is_tried_again_later(fresh_database: Dsn) -> None:
    class Unlucky(PostgresStore):
        tries = 0

        async def _commit(self, changes: Changes) -> None:
            self.tries += 1
            await super()._commit(changes)

    async def body(_: PostgresStore, pool: asyncpg.Pool, both: list[Station]) -> None:
        await pool.execute(
            "CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'deadlock_detected'; END $$"
        )
        await pool.execute("CREATE TRIGGER planted BEFORE INSERT ON connector EXECUTE FUNCTION give_way()")
        store = Unlucky(pool)
        with pytest.raises(StoreDown):
            await store.commit(Changes(frames=[frame(both[0], 1, 1)], outlets=[outlet(both[0], "Available")]))
        assert store.tries == SERIALIZATION_TRIES
        assert not await store.stored([(both[0].station_no, FramePosition(1, 1))])

    on(fresh_database, body)

"""Two processes write about one session in the same moment: does each get its place?"""

import asyncio
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from laddbok.flow.changes import Attributed, Changes, Decision
from laddbok.model.session import Session
from laddbok.store.embedded import Dsn
from tests.store.stores import Ground, commit, in_postgres, minutes
from tests.store.test_contract import opened

DECISION = (
    "INSERT INTO decision SELECT tenant, session_id, max(number) + 1, max(at), 'settled', 'laddbok', '{}' "
    "FROM decision WHERE session_id = $1 GROUP BY tenant, session_id"
)
RANGE = (
    "INSERT INTO session_range SELECT tenant, session_id, max(number) + 1, max(station_no), 1, 2, 1, 2, max(from_at), "
    "max(from_at) FROM session_range WHERE session_id = $1 GROUP BY tenant, session_id"
)


@pytest.fixture
def ground(fresh_database: Dsn) -> Iterator[Ground]:
    yield from in_postgres(fresh_database)


def decision(session: Session, kind: str) -> Decision:
    return Decision(
        tenant=session.tenant, session_id=session.id, at=minutes(2), kind=kind, decided_by="laddbok", body={}
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DECISION, lambda session: Changes(decisions=[decision(session, "superseded")])),
        (RANGE, lambda session: Changes(attributed=[Attributed(session, minutes(2))])),
    ],
)
def test_the_later_one_takes_the_next_number(
    ground: Ground, fresh_database: Dsn, first: str, second: Callable[[Session], Changes]
) -> None:
    """A worker settles a session while its gateway hears that the next one has begun: neither is bad data."""
    session = opened(ground.new_station("CP"))
    commit(ground, opened=[session], decisions=[decision(session, "facts")])

    async def both() -> None:
        other = await asyncpg.connect(**fresh_database)
        try:
            async with other.transaction():
                await other.execute(first, session.id)
                ours = asyncio.create_task(ground.store.commit(second(session)))
                await until_it_waits(other)
            await ours
        finally:
            await other.close()

    ground.run(both())
    table = first.split()[2]

    async def numbers() -> list[int]:
        connection = await asyncpg.connect(**fresh_database)
        try:
            statement = f"SELECT number FROM {table} WHERE session_id = $1 ORDER BY number"
            return [row["number"] for row in await connection.fetch(statement, session.id)]
        finally:
            await connection.close()

    assert ground.run(numbers()) == [1, 2, 3]


async def until_it_waits(connection: asyncpg.Connection) -> None:
    """Until somebody waits for what this connection has not committed yet."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    async with asyncio.timeout(10):
        while not await connection.fetchval(waits):
            await asyncio.sleep(0.01)

"""Does the table of live sessions hold open ones only, and can stations be updated by many at once?"""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.flow.changes import RangeClosed
from laddbok.model.session import SessionState
from laddbok.store.embedded import Dsn
from laddbok.store.sql import query
from tests.store.stores import NOON, Ground, commit, in_postgres, minutes
from tests.store.test_contract import opened

ROUNDS = 40


@pytest.fixture
def ground(fresh_database: Dsn) -> Iterator[Ground]:
    yield from in_postgres(fresh_database)


async def value(dsn: Dsn, statement: str) -> object:
    connection = await asyncpg.connect(**dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_what_changes_after_settling_is_not_published(ground: Ground, fresh_database: Dsn) -> None:
    session = opened(ground.new_station("CP"))
    commit(ground, opened=[session])
    ground.run(ground.store.checkpoint([session], minutes(1)))
    count = "SELECT count(*) FROM session_live"
    assert ground.run(value(fresh_database, count)) == 1
    settled = replace(session, state=SessionState.SETTLED)
    commit(ground, moved=[settled], closed_ranges=[RangeClosed(settled, minutes(2))])
    ground.run(ground.store.checkpoint([replace(session, unplugged_at=minutes(3))], minutes(3)))
    assert ground.run(value(fresh_database, count)) == 0


def test_a_row_that_was_published_while_its_session_settled_is_swept_away(ground: Ground, fresh_database: Dsn) -> None:
    one, two = (opened(ground.new_station(name)) for name in ("one", "two"))
    commit(ground, opened=[one, two])
    ground.run(ground.store.checkpoint([one, two], minutes(1)))
    commit(ground, moved=[replace(one, state=SessionState.SETTLED)])
    ground.run(value(fresh_database, query("forget_live")))
    assert ground.run(value(fresh_database, "SELECT string_agg(session_id, ' ') FROM session_live")) == two.id


def test_updates_of_the_same_stations_in_any_order_never_lock_each_other_out(
    ground: Ground, fresh_database: Dsn
) -> None:
    numbers = [ground.new_station(f"CP-{n}").station_no for n in range(60)]

    async def note(turn: int) -> None:
        connection = await asyncpg.connect(**fresh_database)
        ordered = numbers if turn % 2 else numbers[::-1]
        epochs = [0] * len(ordered)
        try:
            for n in range(ROUNDS):
                at = [minutes(turn * ROUNDS + n)] * len(ordered)
                await connection.execute(query("stations_heard"), ordered, epochs, at)
                await connection.execute(query("stations_gone"), ordered, epochs, NOON, at)
                await connection.execute(query("stations_speak"), ordered, [f"{turn}.{n}"] * len(ordered))
        finally:
            await connection.close()

    async def all_at_once() -> None:
        await asyncio.gather(*(note(turn) for turn in range(4)))

    ground.run(all_at_once())

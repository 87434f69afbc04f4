"""Does the table of live sessions hold open ones only, and can stations be updated by many at once?"""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.flow.changes import RangeClosed
from laddbok.model.session import FramePosition, Session, SessionState
from laddbok.model.station import Station
from laddbok.sessions.meter import take_reading
from laddbok.store.embedded import Dsn
from laddbok.store.live import Published
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


def long_session(ground: Ground) -> Session:
    session = opened(ground.new_station("CP"))
    commit(ground, opened=[session])
    return session


def after_hours(session: Session, hours: int) -> Session:
    """The session after so many hours of charging at 4 kW."""
    meter = take_reading(session.meter, minutes(60 * hours), 1000 + 4000 * hours)
    return replace(session, meter=meter, through=FramePosition(1, 1 + hours), last_contact_at=minutes(60 * hours))


def publish(ground: Ground, session: Session) -> None:
    ground.run(ground.store.checkpoint([session], session.last_contact_at))


def test_what_is_published_of_a_session_does_not_grow_with_it(ground: Ground, fresh_database: Dsn) -> None:
    session = long_session(ground)
    sizes, own = [], f"session_id = '{session.id}'"
    first_written = f"SELECT string_agg(xmin::text, ' ' ORDER BY number) FROM live_period WHERE {own} AND number < 4"
    for hours in (2, 3, 40):
        session = after_hours(session, hours)
        publish(ground, session)
        sizes.append(ground.run(value(fresh_database, f"SELECT length(body::text) FROM session_live WHERE {own}")))
        if hours == 2:
            written = ground.run(value(fresh_database, first_written))
    assert max(sizes) - min(sizes) < 10  # digits of the register
    count = f"SELECT count(*) FROM live_period WHERE {own}"
    assert ground.run(value(fresh_database, count)) == len(session.meter.closed_periods)
    assert ground.run(value(fresh_database, first_written)) == written


def test_only_the_periods_that_closed_since_are_sent() -> None:
    station = Station(station_no=1, tenant=1, identity="CP", site_id="home", time_zone="UTC")
    session, published = opened(station), Published()
    sent = []
    for hours in (1, 2, 2, 40, 41):
        session = after_hours(session, hours)
        [row] = published.rows([session], session.last_contact_at)
        assert row["body"].meter.closed_periods == ()
        sent.append((row["first"], len(row["periods"]), row["closed"]))
    assert sent == [(0, 3, 3), (3, 4, 7), (7, 0, 7), (7, 152, 159), (159, 4, 163)]


def test_what_the_database_lost_in_a_crash_is_published_again(ground: Ground, fresh_database: Dsn) -> None:
    session = after_hours(long_session(ground), 2)
    publish(ground, session)
    ground.run(value(fresh_database, "TRUNCATE session_live, live_period"))
    session = after_hours(session, 3)
    publish(ground, session)
    claimed = ground.run(ground.store.claim([session.station_no], "gateway", minutes(0)))
    assert claimed[session.station_no].state.sessions == {"77": session}


def test_a_published_row_with_a_period_missing_is_not_believed(ground: Ground, fresh_database: Dsn) -> None:
    session = long_session(ground)
    publish(ground, after_hours(session, 2))
    ground.run(value(fresh_database, f"DELETE FROM live_period WHERE session_id = '{session.id}' AND number = 3"))
    claimed = ground.run(ground.store.claim([session.station_no], "gateway", minutes(0)))
    assert claimed[session.station_no].state.sessions == {"77": session}


def test_periods_that_turned_out_otherwise_are_written_anew(ground: Ground, fresh_database: Dsn) -> None:
    session = long_session(ground)
    publish(ground, after_hours(session, 3))
    shorter = replace(after_hours(session, 2), through=FramePosition(1, 9))
    publish(ground, shorter)
    claimed = ground.run(ground.store.claim([session.station_no], "gateway", minutes(0)))
    assert claimed[session.station_no].state.sessions == {"77": shorter}


def test_a_settled_session_leaves_no_period_behind(ground: Ground, fresh_database: Dsn) -> None:
    session = after_hours(long_session(ground), 2)
    publish(ground, session)
    settled = replace(session, state=SessionState.SETTLED)
    commit(ground, moved=[settled], closed_ranges=[RangeClosed(settled, minutes(200))])
    left = f"SELECT count(*) FROM live_period WHERE session_id = '{session.id}'"
    assert ground.run(value(fresh_database, left)) == 0


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

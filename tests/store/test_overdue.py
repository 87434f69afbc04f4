"""Are the sessions of stations that never come back closed, and those of the others left alone?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from laddbok.model.session import SessionState
from laddbok.sessions.advance import LOST_STOP_AFTER
from laddbok.store.embedded import Dsn
from laddbok.workers.overdue import Overdue
from tests.store.stores import NOON, Ground, _pool, commit, in_postgres
from tests.store.test_contract import opened

LATE = NOON + LOST_STOP_AFTER + timedelta(hours=1)


@pytest.fixture
def ground(fresh_database: Dsn) -> Iterator[Ground]:
    yield from in_postgres(fresh_database)


def test_a_silent_station_is_taken_over_and_its_session_closed_at_the_last_reading(
    ground: Ground, fresh_database: Dsn
) -> None:
    gone, here = (ground.new_station(name) for name in ("gone", "here"))
    lost, living = opened(gone), opened(here)
    commit(ground, opened=[lost, living])

    async def look() -> tuple[int, int, list[tuple[str, str, bool]]]:
        pool = await _pool(fresh_database)
        async with pool.acquire() as connection:
            await connection.execute("UPDATE station SET last_frame_at = $1", NOON)
            await connection.execute("UPDATE station SET connected = true WHERE station_no = $1", here.station_no)
        overdue = Overdue("worker", ground.store, pool, lambda: LATE)  # type: ignore[arg-type]
        first, second = await overdue.once(), await overdue.once()
        async with pool.acquire() as connection:
            rows = await connection.fetch(
                "SELECT s.id, s.state, t.connected FROM session AS s JOIN station AS t USING (station_no) ORDER BY 1"
            )
        await pool.close()
        return first, second, [tuple(row) for row in rows]

    first, second, rows = ground.run(look())
    assert (first, second) == (1, 0)
    assert set(rows) == {(lost.id, "ended", False), (living.id, "active", True)}
    [leased] = ground.run(ground.store.take_jobs("worker", LATE + timedelta(minutes=1), 9))
    evidence = ground.run(ground.store.session_evidence(1, leased.job.key))
    assert evidence.session.id == lost.id and evidence.session.ended_by == "soft"
    assert evidence.session.state is SessionState.ENDED
    assert [decision.kind for decision in evidence.decisions] == ["closed_softly"]

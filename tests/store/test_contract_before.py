"""Where did the session before leave the register? The same answer from memory and from PostgreSQL."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from msgspec.structs import replace

from laddbok.model.cdr import Activity
from laddbok.model.session import Doubt, FramePosition, LastRegister, Meter, Session, SessionState
from laddbok.model.station import Station
from laddbok.store.embedded import Dsn
from tests.store.stores import Ground, commit, found, in_memory, in_postgres, minutes


@pytest.fixture(params=["memory", "postgres"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    if request.param == "memory":
        yield from in_memory()
    else:
        dsn: Dsn = request.getfixturevalue("fresh_database")
        yield from in_postgres(dsn)


def session(
    station: Station, number: int, ended_by: str | None, doubt: Doubt | None = None, evse_id: int = 1
) -> Session:
    """A session at minute `number` whose register was last read at 1,000 Wh more than that of the one before."""
    at = minutes(number)
    return Session(
        id=f"{station.station_no:012}{number:04}", tenant=station.tenant, station_no=station.station_no,
        station=station.identity, evse_id=evse_id, connector_id=1, protocol="1.6", transaction_id=str(number),
        state=SessionState.ACTIVE, opened=FramePosition(1, number), through=FramePosition(1, number), started_at=at,
        last_contact_at=at, start_key=f"start {number}",
        meter=Meter(mark_at=at, activity=Activity.CHARGING, begin_wh=0, mark_wh=1000 * number, doubt=doubt),
        ended_by=ended_by,
    )  # fmt: skip


def before(ground: Ground, station: Station, at: datetime, transaction_id: str = "new") -> LastRegister | None:
    return found(ground, station, at, start_key="a start", transaction_id=transaction_id).facts.before


def test_of_the_sessions_at_an_outlet_the_last_one_counts(ground: Ground) -> None:
    station = ground.new_station("CP")
    assert before(ground, station, minutes(9)) is None
    first, second, other = (session(station, n, "stop", evse_id=evse) for n, evse in ((1, 1), (2, 1), (3, 2)))
    commit(ground, opened=[first, second, other])
    assert before(ground, station, minutes(9)) == LastRegister(second.id, 2000, minutes(2))
    assert before(ground, station, minutes(2)) == LastRegister(first.id, 1000, minutes(1))
    assert before(ground, station, minutes(9), transaction_id="2") == LastRegister(first.id, 1000, minutes(1))


@pytest.mark.parametrize(
    ("ended_by", "doubt", "was_stopped"),
    [("stop", None, True), ("soft", None, False), (None, None, False), ("stop", Doubt(minutes(1), 0), False)],
    ids=["its stop", "closed at a guess", "it still runs", "its stop was not believed"],
)
def test_S33_whether_it_ended_there(
    ground: Ground, ended_by: str | None, doubt: Doubt | None, was_stopped: bool
) -> None:
    station = ground.new_station("CP")
    last = session(station, 1, ended_by, doubt)
    commit(ground, opened=[last])
    assert before(ground, station, minutes(9)) == LastRegister(last.id, 1000, minutes(1), was_stopped)


def test_S33_what_its_owner_published_counts_while_it_runs(ground: Ground) -> None:
    station = ground.new_station("CP")
    last = session(station, 1, None)
    commit(ground, opened=[last])
    read = replace(last, through=FramePosition(1, 5), meter=replace(last.meter, mark_at=minutes(4), mark_wh=4000))
    ground.run(ground.store.checkpoint([read], minutes(4)))
    assert before(ground, station, minutes(9)) == LastRegister(last.id, 4000, minutes(4), False)


def test_S33_a_session_that_was_first_read_while_it_ran_counts_too(ground: Ground) -> None:
    """A 2.0.1 start may tell no register; what ran on afterwards is no energy of the next session."""
    station = ground.new_station("CP")
    first, last = session(station, 1, "stop"), session(station, 2, None)
    last = replace(last, meter=replace(last.meter, begin_wh=None, mark_wh=None))
    commit(ground, opened=[first, last])
    read = replace(
        last, through=FramePosition(1, 5), meter=replace(last.meter, mark_at=minutes(4), begin_wh=3000, mark_wh=9000)
    )
    ground.run(ground.store.checkpoint([read], minutes(4)))
    assert before(ground, station, minutes(9)) == LastRegister(last.id, 9000, minutes(4), False)

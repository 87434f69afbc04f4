"""What is a message about that does not say so?"""

from datetime import timedelta

import pytest

from laddbok.flow.orphans import Wanted, question_of_orphan, to_own_session, to_session
from laddbok.flow.rebuild import rebuild
from laddbok.model.errors import Conflict
from laddbok.model.session import FramePosition, ReviewReason, Session, SessionState
from tests.rules.sessions.stage import NOON, OTHER_TOKEN, TOKEN, Stage, step, text_of

NO_IDS = [0, -1, -16]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def values(*registers: tuple[str, int, float]) -> list[dict[str, object]]:
    return [
        {"timestamp": text_of(NOON + timedelta(minutes=m)), "sampledValue": [{"value": str(wh), "context": context}]}
        for context, wh, m in registers
    ]


@pytest.mark.parametrize("transaction_id", NO_IDS)
def test_S9_a_stop_without_an_id_ends_the_one_session_it_fits(stage: Stage, transaction_id: int) -> None:
    stage.starts_16(1000)
    stage.starts_16(8000, OTHER_TOKEN, connectorId=2)
    stage.stops_16(3000, transaction_id, idTag=TOKEN)
    mine, other = stage.sessions()
    assert (mine.state, mine.energy_wh, other.state) == (SessionState.ENDED, 2000, SessionState.ACTIVE)
    assert stage.refolded(mine) == mine
    stage.settle()
    assert stage.sessions()[0].state is SessionState.SETTLED and stage.store.orphans == {}


def test_S9_of_two_that_fit_none_is_ended(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.starts_16(1000, connectorId=2)
    stage.stops_16(3000, -1)
    assert [session.state for session in stage.sessions()] == [SessionState.ACTIVE] * 2
    assert len(stage.store.orphans) == 1


@pytest.mark.parametrize("stop", [{"register_wh": 500}, {"register_wh": 909_948}, {"idTag": OTHER_TOKEN}], ids=str)
def test_S13_a_stop_without_an_id_never_ends_what_it_does_not_fit(stage: Stage, stop: dict[str, object]) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.stops_16(transaction_id=0, **{"register_wh": 3000} | stop)  # type: ignore[arg-type]
    assert stage.session().state is SessionState.ACTIVE and len(stage.store.orphans) == 1


def test_S9_a_stop_from_before_the_session_is_not_its_own(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(3000, 0, timestamp=text_of(NOON - timedelta(hours=1)))
    assert stage.session().state is SessionState.ACTIVE


def test_S16_only_the_stop_of_a_16_station_with_one_outlet(stage: Stage) -> None:
    stage.status_16("Available")
    told = values(("Transaction.Begin", 2000, -120), ("Sample.Periodic", 5000, -90), ("Transaction.End", 9000, -60))
    at = text_of(NOON - timedelta(minutes=60))
    stage.stops_16(9000, 4711, timestamp=at, idTag=TOKEN, transactionData=told)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.token) == (SessionState.REVIEW, 7000, TOKEN)
    assert ReviewReason.INCOMPLETE_START in session.review_reasons
    assert (session.started_at, session.transaction_ended_at) == (
        NOON - timedelta(minutes=120),
        NOON - timedelta(minutes=60),
    )
    assert rebuild(stage.evidence(session)) == ()
    stage.stops_16(9000, 4711, timestamp=at, transactionData=told)
    assert len(stage.sessions()) == 1


def test_S16_a_stop_without_values_is_measured_from_the_session_before(stage: Stage) -> None:
    stage.status_16("Available")
    stage.starts_16(1000)
    stage.stops_16(2000)
    stage.settle()
    stage.stops_16(7000, 4711, after_s=3600)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.REVIEW, 5000)
    assert session.energy is not None and session.energy.method == "continued"


def test_S16_nothing_is_guessed_while_somebody_charges_there(stage: Stage) -> None:
    stage.status_16("Available")
    stage.starts_16(1000)
    stage.stops_16(7000, 4711)
    assert len(stage.sessions()) == 1 and stage.session().state is SessionState.ACTIVE
    assert len(stage.store.orphans) == 1


def orphaned(stage: Stage) -> FramePosition:
    [(_, place)] = stage.store.orphans
    return place


def wanted(**fields: object) -> Wanted:
    return Wanted(reason="the driver called", by="anna", at=NOON, **fields)  # type: ignore[arg-type]


def test_S7_a_person_matches_an_orphan_to_a_session_that_was_closed_at_a_guess(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.stops_16(4000, 4711, after_s=60)
    stage.waits(days=2)
    guessed = stage.settle()
    assert (guessed.ended_by, guessed.energy_wh) == ("soft", 1000)
    frame = stage.store.stations[1].frames[orphaned(stage)]
    step(stage.store.commit(to_session(frame, wanted(session_id=guessed.id), guessed, stage.now)))
    session = stage.settle()
    assert (session.ended_by, session.energy_wh, session.revision) == ("stop", 3000, 2)
    assert rebuild(stage.evidence(session)) == () and stage.store.orphans == {}


def test_S7_an_orphan_can_be_a_session_of_its_own(stage: Stage) -> None:
    told = values(("Transaction.Begin", 2000, -120), ("Transaction.End", 9000, -60))
    stage.stops_16(9000, 4711, timestamp=text_of(NOON - timedelta(minutes=60)), transactionData=told)
    frame = stage.store.stations[1].frames[orphaned(stage)]
    wish, station = wanted(evse_id=2, id_token=TOKEN), stage.desk.stations[1].state.station
    [found] = step(stage.store.look_up([question_of_orphan(frame, wish, station)]))
    step(stage.store.commit(to_own_session(frame, wish, station, found.facts, stage.now)))
    session = stage.settle()
    assert (session.evse_id, session.token, session.energy_wh, session.state) == (2, TOKEN, 7000, SessionState.REVIEW)
    assert rebuild(stage.evidence(session)) == ()


def test_S16_a_stop_alone_is_one_reading_and_no_energy(stage: Stage) -> None:
    stage.stops_16(9000, 4711)
    frame = stage.store.stations[1].frames[orphaned(stage)]
    wish, station = wanted(evse_id=2), stage.desk.stations[1].state.station
    [found] = step(stage.store.look_up([question_of_orphan(frame, wish, station)]))
    step(stage.store.commit(to_own_session(frame, wish, station, found.facts, stage.now)))
    session = stage.settle()
    assert session.energy is None or session.energy.energy_wh is None
    assert stage.store.cdrs == {}


def test_an_orphan_is_matched_to_no_session_that_still_runs(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(4000, 4711)
    frame = stage.store.stations[1].frames[orphaned(stage)]
    session: Session = stage.session()
    with pytest.raises(Conflict, match="not settled yet"):
        to_session(frame, wanted(session_id=session.id), session, stage.now)

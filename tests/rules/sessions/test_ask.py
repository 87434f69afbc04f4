"""Is a transaction over, when a station came back and says nothing of it? We ask."""

from datetime import timedelta

import msgspec
import pytest

from laddbok.flow.changes import CommandMoved, OutcomeUnknown, StoreDown
from laddbok.flow.messages import ASK_AFTER, Commanded, Returned
from laddbok.model.session import SessionState
from laddbok.ocpp.frame import OcppVersion
from laddbok.sessions.advance import AVAILABLE_GRACE
from tests.rules.flow.test_apply import FaultyStore
from tests.rules.sessions.stage import TOKEN, Stage, step


@pytest.fixture
def store() -> FaultyStore:
    return FaultyStore()


@pytest.fixture
def stage(store: FaultyStore) -> Stage:
    stage = Stage("2.0.1", store=store)
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=3000)
    stage.now += timedelta(hours=1)
    stage.connect()
    return stage


def answers(stage: Stage, **status: bool) -> None:
    """We ask about what ran, and the station answers."""
    stage.now += ASK_AFTER
    [queued] = step(stage.desk.ask(stage.now))
    stage.apply([Commanded.of_queued(queued, stage.epoch, OcppVersion.V201, stage.now)])
    returned = Returned(
        station_no=1,
        epoch=stage.epoch,
        received_at=stage.now,
        version=OcppVersion.V201,
        command_id=queued.command_id,
        action=queued.action,
        status="answered",
        raw=msgspec.json.encode([3, queued.command_id, status]),
        answer=msgspec.json.encode(status),
    )
    stage.apply([returned])
    assert stage.refolded(stage.session()) == stage.session()


def test_S31_nothing_is_asked_before_the_station_spoke_and_settled(stage: Stage) -> None:
    stage.now += timedelta(minutes=5)
    assert step(stage.desk.ask(stage.now)) == []
    stage.status_201("Occupied")
    assert step(stage.desk.ask(stage.now)) == []
    assert len(step(stage.desk.ask(stage.now + ASK_AFTER))) == 1
    assert step(stage.desk.ask(stage.now + 2 * ASK_AFTER)) == []


def test_S31_what_speaks_by_itself_is_not_asked_about(stage: Stage) -> None:
    stage.event_201("Updated", register_wh=3000, after_s=1)
    assert step(stage.desk.ask(stage.now + ASK_AFTER)) == []


def test_S31_a_question_that_was_not_stored_is_asked_the_next_time(stage: Stage, store: FaultyStore) -> None:
    stage.status_201("Occupied")
    store.faults = ["down"]
    with pytest.raises(StoreDown):
        step(stage.desk.ask(stage.now + ASK_AFTER))
    [queued] = step(stage.desk.ask(stage.now + ASK_AFTER))
    assert list(store.commands) == [queued.command_id]


def test_S31_a_question_of_which_we_do_not_know_whether_it_was_stored_is_there_once(
    stage: Stage, store: FaultyStore
) -> None:
    stage.status_201("Occupied")
    store.faults = ["unheard"]
    with pytest.raises(OutcomeUnknown):
        step(stage.desk.ask(stage.now + ASK_AFTER))
    [row] = store.commands.values()
    row.moved = CommandMoved(command_id=row.queued.command_id, status="sent", at=stage.now)
    assert len(step(stage.desk.ask(stage.now + ASK_AFTER))) == 1
    assert list(store.commands.values()) == [row]
    assert step(stage.desk.ask(stage.now + ASK_AFTER)) == []


def test_S24_ended_with_messages_to_come_awaits_the_stop(stage: Stage) -> None:
    stage.status_201("Available")
    answers(stage, ongoingIndicator=False, messagesInQueue=True)
    stage.waits(seconds=AVAILABLE_GRACE.total_seconds() - 60)
    assert stage.session().state is SessionState.ACTIVE
    stage.event_201("Ended", register_wh=9000, after_s=1)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.ended_by) == (SessionState.SETTLED, 8000, "stop")


def test_S24_ended_and_nothing_kept_is_closed_at_the_last_reading(stage: Stage) -> None:
    stage.status_201("Occupied")
    answers(stage, ongoingIndicator=False, messagesInQueue=False)
    stage.apply(stage.desk.lost_sessions(stage.now))
    session = stage.settle()
    assert (session.state, session.energy_wh, session.ended_by) == (SessionState.SETTLED, 2000, "soft")


def test_S24_one_that_goes_on_is_left_alone(stage: Stage) -> None:
    stage.status_201("Available")
    answers(stage, ongoingIndicator=True, messagesInQueue=True)
    stage.waits(seconds=2 * AVAILABLE_GRACE.total_seconds())
    assert stage.session().state is SessionState.ACTIVE

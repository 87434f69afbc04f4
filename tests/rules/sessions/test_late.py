"""What if we were wrong to think that a session was over, or whose it was? Late messages correct it, and lose nothing."""

from datetime import timedelta

import pytest

from laddbok.flow.charge_to_cash import running_price
from laddbok.flow.rebuild import rebuild
from laddbok.model.events import AuthorizationStatus
from laddbok.model.session import ReviewReason, SessionState
from laddbok.model.tariff import parse_tariff
from laddbok.ocpp.frame import OcppVersion
from laddbok.sessions.advance import AVAILABLE_GRACE
from tests.rules.sessions.stage import OTHER_TOKEN, TOKEN, Stage, tariff_document, text_of


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_connected_station_that_says_nothing_of_its_transaction_has_not_lost_the_stop(stage: Stage) -> None:
    stage.starts_16(1000)
    for _ in range(30):
        stage.now += timedelta(hours=1)
        assert stage.desk.lost_sessions(stage.now) == []
    stage.stops_16(41_000)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.ended_by) == (SessionState.SETTLED, 40_000, "stop")


def test_a_station_that_comes_back_has_time_to_send_what_it_kept(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.status_16("Available")
    stage.now += timedelta(hours=2)
    memory = stage.desk.stations[1]
    memory.held_since = stage.now
    assert stage.desk.lost_sessions(stage.now + AVAILABLE_GRACE - timedelta(seconds=1)) == []
    assert len(stage.desk.lost_sessions(stage.now + AVAILABLE_GRACE)) == 1


def test_lost_stops_are_looked_for_in_portions(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.status_16("Available")
    late = stage.now + 2 * AVAILABLE_GRACE
    assert [len(stage.desk.lost_sessions(late, among=some)) for some in ([1, 2], [2], [])] == [1, 0, 0]


def test_B24_a_real_stop_after_settling_is_a_credit_and_a_new_revision(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    guessed = stage.settle()
    assert (guessed.ended_by, guessed.energy_wh, guessed.revision) == ("soft", 1000, 1)
    stop_at = stage.now - timedelta(hours=40)
    assert stage.stops_16(4000, timestamp=text_of(stop_at)) == {}
    session = stage.settle()
    assert (session.state, session.ended_by, session.energy_wh, session.revision) == (
        SessionState.SETTLED, "stop", 3000, 2,
    )  # fmt: skip
    issued = [(c.kind, c.session.revision, c.cdr.energy_wh) for c in stage.store.cdrs.values()]
    assert issued == [("cdr", 1, 1000), ("credit", 1, 1000), ("cdr", 2, 3000)]
    assert stage.refolded(session).energy_wh == 3000


def test_settling_a_correction_again_changes_nothing(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    stage.settle()
    at = text_of(stage.now - timedelta(hours=40))
    stage.stops_16(4000, timestamp=at)
    before = stage.settle()
    stage.stops_16(4000, timestamp=at)
    assert stage.settle() == before and len(stage.store.cdrs) == 3


def test_readings_after_a_guessed_end_reopen_it_until_it_is_settled(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.status_16("Available")
    stage.waits(seconds=AVAILABLE_GRACE.total_seconds())
    assert stage.session().ended_by == "soft"
    stage.reads_16(3000, after_s=5)
    assert (stage.session().state, stage.session().ended_by) == (SessionState.ACTIVE, None)
    stage.stops_16(5000)
    session = stage.settle()
    assert (session.energy_wh, session.revision, stage.cdr().energy_wh) == (4000, 1, 4000)


def test_a_void_session_that_charged_after_all_is_held_for_a_person() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="EVConnected")
    stage.waits(days=2)
    assert stage.settle().state is SessionState.VOID
    stage.event_201("Updated", register_wh=9000, token=TOKEN, state="Charging")
    stage.event_201("Ended", register_wh=21_000)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.id_token and session.id_token.value) == (
        SessionState.REVIEW, 20_000, TOKEN,
    )  # fmt: skip
    assert ReviewReason.LATE_MESSAGES in session.review_reasons and stage.store.cdrs == {}
    assert session.tariff is not None and session.authorization is AuthorizationStatus.ACCEPTED
    assert ReviewReason.UNKNOWN_TOKEN not in session.review_reasons
    assert rebuild(stage.evidence(session)) == ()


def test_S25_an_id_that_comes_again_after_a_boot_is_another_driver_s_transaction() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN, transaction_id="1")
    stage.event_201("Updated", register_wh=3000, transaction_id="1")
    stage.event_201("Started", register_wh=3000, state="Charging", token=OTHER_TOKEN, transaction_id="1")
    stage.event_201("Ended", register_wh=13_000, transaction_id="1", after_s=3600)
    stage.work()
    energies = {session.token: session.energy_wh for session in stage.sessions()}
    assert energies == {TOKEN: 2000, OTHER_TOKEN: 10_000}


def test_S25_a_start_repeated_after_its_id_came_again_is_answered_and_not_for_ever_refused() -> None:
    stage = Stage("2.0.1")
    at = text_of(stage.now)
    started = {"token": TOKEN, "transaction_id": "1"}
    stage.event_201("Started", register_wh=1000, timestamp=at, **started)
    stage.event_201("Started", register_wh=3000, **started)
    entry = stage.entry(
        OcppVersion.V201,
        "TransactionEvent",
        {
            "eventType": "Started", "timestamp": at, "triggerReason": "CablePluggedIn", "seqNo": 1,
            "transactionInfo": {"transactionId": "1"}, "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": TOKEN, "type": "ISO14443"},
        },
    )  # fmt: skip
    [reply] = stage.apply([entry])
    assert not reply.is_dropped and reply.error is None
    assert len(stage.sessions()) == 2


def test_S27_two_starts_with_the_same_useless_stamp_are_two_sessions(stage: Stage) -> None:
    first = stage.starts_16(0, timestamp="1970-01-01T00:00:00Z")["transactionId"]
    assert stage.starts_16(0, timestamp="1970-01-01T00:00:00Z")["transactionId"] == first
    stage.stops_16(7000, first, after_s=7200)
    second = stage.starts_16(0, timestamp="1970-01-01T00:00:00Z", after_s=3600)["transactionId"]
    assert second != first
    stage.stops_16(5000, second, after_s=7200)
    stage.work()
    assert [session.energy_wh for session in stage.sessions()] == [7000, 5000]


def test_B9_a_driver_who_is_known_later_pays_by_the_tariff_of_the_start() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1000, state="EVConnected")
    started_at = stage.session().started_at
    entry = stage.entry(OcppVersion.V201, "TransactionEvent", updated(stage))
    question = entry.question(stage.desk.stations[1])
    assert question is not None and question.at == started_at


def updated(stage: Stage) -> dict[str, object]:
    return {
        "eventType": "Updated",
        "timestamp": text_of(stage.now + timedelta(minutes=10)),
        "triggerReason": "Authorized",
        "seqNo": 9,
        "transactionInfo": {"transactionId": "tx-1"},
        "idToken": {"idToken": TOKEN, "type": "ISO14443"},
    }


def test_B24_the_running_price_counts_idle_time_to_the_last_sign_of_life_and_no_further() -> None:
    tariff = tariff_document(idle={"per_min": "1.00"})
    stage = Stage(tariff=tariff)
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("SuspendedEV")
    full_at = stage.session().charging_ended_at
    assert full_at is not None
    idle = [
        [line.quantity for line in rating.lines if line.kind == "idle"]
        for rating in (
            running_price(stage.session(), parse_tariff(tariff), full_at + timedelta(minutes=minutes))
            for minutes in (12, 30)
        )
    ]
    assert idle == [[12 * 60], [30 * 60]]


@pytest.mark.parametrize("reconnects", [False, True])
def test_S63_a_late_stop_takes_nothing_of_the_session_that_began_after_the_settling(
    stage: Stage, reconnects: bool
) -> None:
    lost = stage.starts_16(1000)["transactionId"]
    stage.reads_16(3000)
    stage.waits(days=2)
    assert stage.settle().ended_by == "soft"
    if reconnects:
        stage.connect()
    second = stage.starts_16(5000)["transactionId"]
    stage.stops_16(9000, second)
    stage.settle()
    stage.stops_16(9000, lost)
    stage.settle()
    billed = [(c.kind, c.cdr.energy_wh) for c in stage.store.cdrs.values()]
    assert billed == [("cdr", 2000), ("cdr", 4000)]
    assert all(rebuild(stage.evidence(each)) == () for each in stage.sessions())


def test_S63_a_late_stop_from_before_the_next_session_corrects_the_guess(stage: Stage) -> None:
    lost = stage.starts_16(1000)["transactionId"]
    stage.reads_16(3000)
    stage.waits(days=2)
    stage.settle()
    stage.connect()
    ended_at = text_of(stage.now)
    second = stage.starts_16(5000)["transactionId"]
    stage.stops_16(9000, second)
    stage.settle()
    stage.stops_16(5000, lost, timestamp=ended_at)
    stage.settle()
    billed = [(c.kind, c.cdr.energy_wh) for c in stage.store.cdrs.values()]
    assert billed == [("cdr", 2000), ("cdr", 4000), ("credit", 2000), ("cdr", 4000)]
    assert all(rebuild(stage.evidence(each)) == () for each in stage.sessions())


def test_S63_a_stop_from_before_it_gave_way_mends_a_session_that_is_settled_by_then(stage: Stage) -> None:
    lost = stage.starts_16(1000)["transactionId"]
    stage.reads_16(3000)
    ended_at = text_of(stage.now + timedelta(minutes=5))
    second = stage.starts_16(5000, after_s=600)["transactionId"]
    stage.work()
    stage.connect()
    stage.stops_16(5000, lost, timestamp=ended_at)
    stage.stops_16(9000, second)
    stage.settle()
    billed = [(c.kind, c.cdr.energy_wh) for c in stage.store.cdrs.values()]
    assert billed == [("cdr", 2000), ("credit", 2000), ("cdr", 4000), ("cdr", 4000)]
    assert all(rebuild(stage.evidence(each)) == () for each in stage.sessions())

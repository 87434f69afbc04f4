"""What if messages come in another order, twice, later, or from another life of the station?"""

from datetime import timedelta
from typing import Any

import pytest

from laddbok.flow.apply import Desk
from laddbok.flow.rebuild import rebuild
from laddbok.model.session import ReviewReason, SessionState
from laddbok.sessions.advance import AVAILABLE_GRACE
from laddbok.sessions.close import SETTLE_AFTER
from laddbok.sessions.timekeeping import OLDEST
from tests.rules.sessions.stage import NOON, OTHER_TOKEN, TOKEN, Stage, tariff_document, text_of

ACTIVE, ENDED, SETTLED, REVIEW = SessionState.ACTIVE, SessionState.ENDED, SessionState.SETTLED, SessionState.REVIEW
MAX_31_BITS = 2**31 - 1


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def stage_201() -> Stage:
    return Stage("2.0.1")


def value(register_wh: int, at: Any, context: str = "Sample.Periodic") -> list[dict[str, Any]]:
    return [{"timestamp": text_of(at), "sampledValue": [{"value": register_wh, "context": context}]}]


# ------------------------------------------------------------------ identity
def test_S1_the_same_start_of_2_0_1_again_is_the_same_transaction(stage_201: Stage) -> None:
    at = text_of(NOON)
    for _ in range(3):
        stage_201.event_201(
            "Started", register_wh=1_000, state="Charging", token=TOKEN, timestamp=at, seqNo=0, after_s=60
        )
    assert len(stage_201.sessions()) == 1 and stage_201.session().started_at == NOON


def test_S4_of_two_ends_of_2_0_1_the_first_wins(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    for register_wh in (3_000, 3_500):
        assert stage_201.event_201("Ended", register_wh=register_wh, after_s=5) == {}
    session = stage_201.settle()
    assert (session.state, session.energy_wh, len(stage_201.store.cdrs)) == (REVIEW, 2_000, 0)
    assert session.review_reasons == (ReviewReason.MORE_THAN_THE_OUTLET_CAN,)


def test_S5_an_end_of_2_0_1_brings_its_values_once(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    at = stage_201.now
    values = [*value(2_000, at + timedelta(minutes=5)), *value(3_000, at + timedelta(minutes=10), "Transaction.End")]
    for _ in range(2):
        stage_201.event_201("Ended", meterValue=values, timestamp=text_of(at + timedelta(minutes=10)))
    session = stage_201.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 2_000)


def test_S7_an_update_of_2_0_1_that_names_no_outlet_is_kept(stage_201: Stage) -> None:
    assert stage_201.event_201("Updated", register_wh=5_000) == {}
    [orphan] = stage_201.store.orphans.values()
    assert (orphan.action, orphan.transaction_id) == ("TransactionEvent", "tx-1") and stage_201.sessions() == []


def test_S10_values_of_2_0_1_outside_a_transaction_belong_to_what_runs_there(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    at = stage_201.now + timedelta(seconds=600)
    stage_201.says_201("MeterValues", {"evseId": 1, "meterValue": value(1_800, at)}, 600)
    stage_201.says_201("MeterValues", {"evseId": 2, "meterValue": value(9_000, at)}, 1)
    assert (stage_201.session().energy_wh, stage_201.session().inferred) == (800, 1)


@pytest.mark.parametrize("transaction_id", [2**63 - 1, 2**31, -(2**63)])
def test_S11_a_transaction_id_outside_of_ours_is_accepted(stage: Stage, transaction_id: int) -> None:
    stage.starts_16(1_000)
    assert stage.reads_16(1_800, transaction_id) == {}
    assert stage.session().energy_wh == 800
    assert stage.stops_16(5_000, transaction_id + 1 if transaction_id < 0 else transaction_id) == {}
    assert stage.store.quarantined == []


def test_S12_our_transaction_ids_have_31_bits_and_come_once(stage: Stage) -> None:
    ids = []
    for _ in range(3):
        ids += [
            stage.starts_16(1_000)["transactionId"],
            stage.starts_16(1_000, OTHER_TOKEN, connectorId=2)["transactionId"],
        ]
        stage.connect()
        stage.desk = Desk(stage.store)  # the gateway starts anew
        stage.connect()
    assert len(set(ids)) == 6 and all(0 < number <= MAX_31_BITS for number in ids)


def test_S13_another_driver_may_end_a_session_of_2_0_1_but_never_pays(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    stage_201.event_201("Ended", register_wh=3_000, token=OTHER_TOKEN)
    session = stage_201.settle()
    assert (session.token, session.stopped_by, session.state) == (TOKEN, OTHER_TOKEN, SETTLED)


@pytest.mark.parametrize("more", [{}, {"idToken": {"idToken": "", "type": "NoAuthorization"}}], ids=["none", "empty"])
def test_S14_an_end_of_2_0_1_needs_no_token(stage_201: Stage, more: dict[str, Any]) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    stage_201.event_201("Ended", register_wh=3_000, **more)
    session = stage_201.settle()
    assert (session.state, session.token, session.stopped_by) == (SETTLED, TOKEN, None)


@pytest.mark.parametrize("transaction_id", ["0", "-1", "00000000-0000-4000-8000-000000000000"])
def test_S25_in_2_0_1_the_id_is_the_stations_and_may_be_0(stage_201: Stage, transaction_id: str) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, transaction_id=transaction_id)
    stage_201.event_201("Updated", register_wh=2_000, transaction_id=transaction_id)
    assert stage_201.session().energy_wh == 1_000
    stage_201.event_201("Ended", register_wh=3_000, transaction_id=transaction_id)
    session = stage_201.settle()
    assert (session.state, session.energy_wh, session.ended_by) == (SETTLED, 2_000, "stop")
    assert stage_201.store.orphans == {} and rebuild(stage_201.evidence(session)) == ()


# ------------------------------------------------------------------ S25: order
def test_S25_a_number_that_is_repeated_loses_nothing(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, seqNo=0)
    stage_201.event_201("Updated", register_wh=2_000, seqNo=0)
    stage_201.event_201("Ended", register_wh=3_000, seqNo=0)
    assert (stage_201.settle().energy_wh, stage_201.session().state) == (2_000, SETTLED)


def test_S25_an_older_update_that_comes_later_changes_nothing(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, seqNo=0)
    at = stage_201.now
    stage_201.event_201("Updated", register_wh=3_000, seqNo=2, after_s=1200)
    before = stage_201.session().meter
    older = at + timedelta(seconds=600)
    stage_201.event_201("Updated", seqNo=1, after_s=1, timestamp=text_of(older), meterValue=value(2_000, older))
    assert stage_201.session().meter == before
    stage_201.event_201("Ended", register_wh=4_000, seqNo=3)
    session = stage_201.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 3_000) and rebuild(stage_201.evidence(session)) == ()


def test_S25_an_update_that_comes_after_the_end_changes_nothing(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, seqNo=0)
    at = stage_201.now + timedelta(seconds=300)
    stage_201.event_201("Ended", register_wh=3_000, seqNo=2)
    stage_201.event_201("Updated", seqNo=1, after_s=1, timestamp=text_of(at), meterValue=value(2_000, at))
    session = stage_201.settle()
    assert (session.state, session.energy_wh, session.ended_by) == (SETTLED, 2_000, "stop")


def test_S25_a_start_that_comes_after_its_update_is_of_the_same_transaction(stage_201: Stage) -> None:
    outlet, at = {"id": 1, "connectorId": 1}, NOON + timedelta(minutes=10)
    stage_201.event_201("Updated", evse=outlet, timestamp=text_of(at), meterValue=value(2_000, at), after_s=900)
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, timestamp=text_of(NOON), after_s=1)
    assert len(stage_201.sessions()) == 1 and stage_201.session().token == TOKEN
    stage_201.event_201("Ended", register_wh=4_000)
    session = stage_201.settle()
    assert session.state is REVIEW and ReviewReason.INCOMPLETE_START in session.review_reasons


def test_S25_a_start_that_comes_after_its_end_opens_nothing(stage_201: Stage) -> None:
    outlet, at = {"id": 1, "connectorId": 1}, NOON + timedelta(minutes=30)
    values = value(3_000, at, "Transaction.End")
    stage_201.event_201("Ended", evse=outlet, token=TOKEN, timestamp=text_of(at), meterValue=values, after_s=3600)
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, timestamp=text_of(NOON), after_s=1)
    session = stage_201.settle()
    assert [s.id for s in stage_201.sessions()] == [session.id]
    assert (session.state, session.review_reasons[:1]) == (REVIEW, (ReviewReason.INCOMPLETE_START,))
    assert rebuild(stage_201.evidence(session)) == ()


def test_S25_an_older_start_again_whose_id_was_given_to_a_newer_one(stage_201: Stage) -> None:
    """It gets its answer; a station that never got one would say it for ever."""
    stamps = [text_of(NOON + timedelta(minutes=minute)) for minute in (10, 20, 10)]
    stage_201.now += timedelta(minutes=30)
    for stamp in stamps:
        answer = stage_201.event_201("Started", state="Charging", token=TOKEN, timestamp=stamp, after_s=5)
        assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert [session.started_at.minute for session in stage_201.sessions()] == [10, 20]
    assert stage_201.session().state is ACTIVE
    stage_201.event_201("Ended", register_wh=5_000)
    assert [session.state is ENDED for session in stage_201.sessions()] == [True, True]


def test_S25_only_the_first_event_names_the_outlet(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN, evse={"id": 2, "connectorId": 1})
    stage_201.event_201("Updated", register_wh=2_000)
    stage_201.event_201("Ended", register_wh=3_000)
    session = stage_201.settle()
    assert (session.evse_id, session.energy_wh, session.state) == (2, 2_000, SETTLED)


def test_S25_events_that_were_kept_carry_their_own_time(stage_201: Stage) -> None:
    begun_at, stage_201.now = stage_201.now, stage_201.now + timedelta(hours=5)
    kept = [("Started", 1_000, 0), ("Updated", 2_500, 20), ("Ended", 4_000, 40)]
    for kind, register_wh, minutes in kept:
        at = begun_at + timedelta(minutes=minutes)
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        more: dict[str, Any] = {"token": TOKEN, "state": "Charging"} if kind == "Started" else {}
        values = value(register_wh, at, context)
        stage_201.event_201(kind, offline=True, timestamp=text_of(at), meterValue=values, after_s=1, **more)
    session = stage_201.settle()
    assert (session.started_at, session.transaction_ended_at) == (begun_at, begun_at + timedelta(minutes=40))
    assert (session.state, session.energy_wh) == (SETTLED, 3_000)


# ------------------------------------------------------------------ ends
def test_S21_no_status_of_2_0_1_closes_a_session(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    for status in ("Available", "Occupied", "Unavailable", "Faulted"):
        stage_201.status_201(status)
        assert stage_201.session().state is ACTIVE
    stage_201.event_201("Ended", register_wh=3_000)
    assert stage_201.settle().energy_wh == 2_000


def closing(stage: Stage, register_wh: int, after_s: float) -> None:
    at = text_of(stage.now + timedelta(seconds=after_s))
    sampled = [{"value": str(register_wh), "context": "Transaction.End"}]
    stage.reads_16(0, after_s=after_s, meterValue=[{"timestamp": at, "sampledValue": sampled}])


def test_S23_closing_values_after_the_stop_refine_the_energy(stage: Stage) -> None:
    stage.starts_16(1_000)
    stage.stops_16(3_000)
    ended_at = stage.session().transaction_ended_at
    closing(stage, 3_020, after_s=5)
    assert (stage.session().energy_wh, stage.session().state) == (2_020, ENDED)
    session = stage.settle()
    assert (session.state, session.transaction_ended_at) == (SETTLED, ended_at)
    assert rebuild(stage.evidence(session)) == ()


def test_S23_only_while_they_are_awaited(stage: Stage) -> None:
    stage.starts_16(1_000)
    stage.stops_16(3_000)
    closing(stage, 3_500, after_s=SETTLE_AFTER.total_seconds() + 1)
    assert (stage.session().energy_wh, stage.session().state) == (2_000, ENDED)
    assert stage.settle().energy_wh == 2_000


def test_S23_only_values_that_say_that_they_are_closing(stage: Stage) -> None:
    stage.starts_16(1_000)
    stage.stops_16(3_000)
    stage.reads_16(3_400, after_s=5)
    assert stage.settle().energy_wh == 2_000


def test_S30_a_station_that_resumes_its_transaction_after_a_boot_of_2_0_1(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Norrboks", "model": "Vik"}}
    stage_201.says_201("BootNotification", boot, 600)
    stage_201.event_201("Updated", register_wh=2_000, after_s=AVAILABLE_GRACE.total_seconds() - 60)
    stage_201.waits(hours=2)
    assert stage_201.session().state is ACTIVE
    stage_201.event_201("Ended", register_wh=3_000)
    assert stage_201.settle().energy_wh == 2_000


def test_S30_a_station_of_2_0_1_that_forgot_its_transaction(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    stage_201.event_201("Updated", register_wh=2_000)
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Norrboks", "model": "Vik"}}
    stage_201.says_201("BootNotification", boot, 600)
    stage_201.waits(seconds=AVAILABLE_GRACE.total_seconds())
    session = stage_201.settle()
    assert (session.ended_by, session.state, session.energy_wh) == ("soft", SETTLED, 1_000)


def test_S32_an_update_after_the_end_of_2_0_1_opens_nothing(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    stage_201.event_201("Ended", register_wh=3_000)
    stage_201.event_201("Updated", register_wh=3_700, state="Charging", after_s=5)
    settled = stage_201.settle()
    stage_201.event_201("Updated", register_wh=3_900, state="Charging")
    assert stage_201.session() == settled and (settled.state, settled.energy_wh) == (SETTLED, 2_000)


def test_S63_one_plug_in_in_many_transactions_of_2_0_1(stage_201: Stage) -> None:
    register_wh = 1_000
    for number in range(5):
        name = f"tx-{number}"
        stage_201.event_201(
            "Started", register_wh=register_wh, state="Charging", token=TOKEN, transaction_id=name, after_s=5
        )
        register_wh += 137
        stage_201.event_201("Ended", register_wh=register_wh, transaction_id=name, after_s=60)
    stage_201.settle()
    assert [session.energy_wh for session in stage_201.sessions()] == [137] * 5


# ------------------------------------------------------------------ late
def kept_for(stage: Stage, age: timedelta) -> None:
    """A whole charge of an hour that the station could tell only so much later."""
    at = stage.now - age
    stage.starts_16(1_000, timestamp=text_of(at))
    stage.stops_16(6_000, timestamp=text_of(at + timedelta(hours=1)), after_s=1)


def test_B26_a_session_that_arrives_after_its_month_keeps_its_dates(stage: Stage) -> None:
    kept_for(stage, timedelta(days=45))
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 5_000)
    assert stage.cdr().started_at == NOON - timedelta(days=45) and stage.cdr().started_at.month == 1
    assert stage.cdr().periods[-1].end_at == NOON - timedelta(days=45) + timedelta(hours=1)


def test_B26_what_is_older_than_any_queue_is_held_with_its_energy(stage: Stage) -> None:
    kept_for(stage, OLDEST + timedelta(days=1))
    session = stage.settle()
    assert session.state is REVIEW and ReviewReason.TIME_ESTIMATED in session.review_reasons


def test_B24_a_real_stop_of_2_0_1_corrects_what_was_closed_at_a_guess() -> None:
    stage = Stage("2.0.1", tariff=tariff_document(idle={"per_min": "1.00", "until": "transaction"}))
    stage.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=2_000)
    stage.waits(days=2)
    guessed = stage.settle()
    assert (guessed.state, guessed.ended_by, stage.rating().lines[-1].kind) == (SETTLED, "soft", "energy")
    at = guessed.started_at + timedelta(hours=1)
    stage.event_201("Ended", timestamp=text_of(at), meterValue=value(4_000, at, "Transaction.End"))
    session = stage.settle()
    assert (session.revision, session.energy_wh, len(stage.sessions())) == (2, 3_000, 1)
    assert [c.kind for c in stage.store.cdrs.values()] == ["cdr", "credit", "cdr"]
    assert rebuild(stage.evidence(session)) == ()

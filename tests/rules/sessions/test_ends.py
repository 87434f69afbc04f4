"""When is a charge over, if stop, status, boot and cable come in any order, or not at all?"""

from datetime import timedelta

import pytest

from laddbok.model.cdr import Activity
from laddbok.model.session import SessionState
from laddbok.sessions.advance import AVAILABLE_GRACE, LOST_STOP_AFTER, UNPLUG_TIMEOUT
from tests.rules.sessions.stage import OTHER_TOKEN, PRICE, TOKEN, Stage, tariff_document, text_of

ACTIVE, ENDED, SETTLED = SessionState.ACTIVE, SessionState.ENDED, SessionState.SETTLED


def idle_tariff(until: str) -> bytes:
    return tariff_document(idle={"per_min": "1.00", "until": until})


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("status", ["Available", "Finishing", "Preparing", "Faulted", "Unavailable"])
def test_S21_no_status_closes_a_session(stage: Stage, status: str) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16(status)
    assert stage.session().state is ACTIVE
    stage.stops_16(3000, after_s=60)
    assert stage.session().ended_by == "stop"
    stage.status_16("Finishing")
    stage.status_16("Available")
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 2000)


def test_S21_available_and_then_no_stop_is_a_soft_close_at_the_last_reading(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    last_reading_at = stage.now
    stage.status_16("Available", after_s=300)
    stage.waits(seconds=AVAILABLE_GRACE.total_seconds() - 1)
    assert stage.session().state is ACTIVE
    stage.waits(seconds=1)
    assert (stage.session().state, stage.session().ended_by) == (ENDED, "soft")
    assert stage.session().transaction_ended_at == last_reading_at
    assert stage.settle().state is SETTLED
    assert stage.cdr().energy_wh == 1000


def test_S21_charging_again_after_available_ends_the_wait(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.status_16("Available")
    stage.reads_16(2000, after_s=60)
    stage.waits(seconds=2 * AVAILABLE_GRACE.total_seconds())
    assert stage.session().state is ACTIVE


def test_S21_readings_of_an_idle_outlet_do_not_keep_a_lost_stop_alive(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("Available")
    for _ in range(3):
        stage.reads_16(2000, transaction_id=None, after_s=AVAILABLE_GRACE.total_seconds() / 3)
    stage.waits(seconds=0)
    assert (stage.session().state, stage.session().ended_by) == (ENDED, "soft")
    assert stage.session().energy_wh == 1000


def test_S21_available_before_the_stop_is_the_unplugging(stage: Stage) -> None:
    stage = Stage(tariff=idle_tariff("unplug"))
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("Available", after_s=30)
    stage.stops_16(2000, after_s=5)
    assert stage.session().unplugged_at == stage.session().transaction_ended_at == stage.now
    stage.settle()
    assert stage.now < stage.session().last_contact_at + timedelta(minutes=5)


def test_S22_available_of_2_0_1_while_the_cable_is_in_stops_no_idle_time() -> None:
    stage = Stage("2.0.1", tariff=idle_tariff("transaction"))
    stage.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage.event_201("Updated", register_wh=3000, state="SuspendedEV")
    full_at = stage.now
    stage.status_201("Available")
    stage.event_201("Updated", register_wh=3000, state="EVConnected", after_s=60)
    assert stage.session().unplugged_at is None and stage.session().state is ACTIVE
    stage.event_201("Ended", register_wh=3000, triggerReason="EVCommunicationLost", after_s=539)
    session = stage.settle()
    assert (session.charging_ended_at, session.unplugged_at) == (full_at, session.transaction_ended_at)
    assert [line.excl_vat for line in stage.rating().lines] == [2 * PRICE, 10]


def test_S30_a_boot_waits_for_the_transaction_to_go_on(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.boots_16(after_s=60)
    stage.reads_16(2000, after_s=300)
    stage.waits(seconds=3600)
    assert stage.session().state is ACTIVE
    stage.stops_16(3000)
    assert stage.settle().energy_wh == 2000


def test_S30_a_boot_after_which_nothing_comes_ends_it_at_the_last_reading(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.boots_16(after_s=7200)
    stage.waits(seconds=AVAILABLE_GRACE.total_seconds())
    assert (stage.session().ended_by, stage.session().energy_wh) == ("soft", 1000)


def test_S30_a_stop_for_the_power_cut_without_a_reading(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.boots_16(after_s=7200)
    stop = {"transactionId": 1, "timestamp": text_of(stage.now), "reason": "PowerLoss"}
    assert stage.says_16("StopTransaction", stop) == {}
    session = stage.settle()
    assert (session.energy_wh, session.stop_reason) == (1000, "PowerLoss")


def test_S32_values_after_the_end_change_nothing(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    ended = stage.session()
    stage.reads_16(2600, after_s=5)
    assert stage.session() == ended
    settled = stage.settle()
    stage.reads_16(2900)
    assert stage.session() == settled and settled.energy_wh == 1000


def test_a_lost_stop_is_closed_softly_a_day_after_the_last_contact(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(seconds=LOST_STOP_AFTER.total_seconds() - 1)
    assert stage.session().state is ACTIVE
    stage.waits(seconds=LOST_STOP_AFTER.total_seconds())
    assert (stage.session().ended_by, stage.session().state) == ("soft", ENDED)


def test_B24_nothing_is_billed_after_the_last_contact() -> None:
    stage = Stage(tariff=idle_tariff("unplug"))
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    session = stage.settle()
    assert session.state is SETTLED and session.ended_by == "soft"
    assert [line.kind for line in stage.rating().lines] == ["energy"]


def test_B24_idle_time_before_the_last_contact_still_counts() -> None:
    stage = Stage(tariff=idle_tariff("transaction"))
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("SuspendedEV")
    stage.reads_16(2000, after_s=600)
    stage.waits(days=2)
    stage.settle()
    [idle] = [line for line in stage.rating().lines if line.kind == "idle"]
    assert idle.excl_vat == 10


def test_a_real_stop_that_comes_before_settling_is_adopted(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    assert stage.session().ended_by == "soft"
    stop_at = stage.now - timedelta(hours=30)
    stage.stops_16(4000, timestamp=text_of(stop_at), after_s=30)
    session = stage.settle()
    assert (session.ended_by, session.energy_wh, session.state) == ("stop", 3000, SETTLED)
    assert session.transaction_ended_at == session.charging_ended_at == stop_at


def test_the_idle_time_of_an_adopted_stop_begins_when_the_vehicle_was_full() -> None:
    stage = Stage(tariff=idle_tariff("transaction"))
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("SuspendedEV", after_s=60)
    full_at = stage.now
    stage.waits(days=2)
    stage.stops_16(2000, timestamp=text_of(full_at + timedelta(minutes=30)))
    assert stage.settle().charging_ended_at == full_at
    [idle] = [line for line in stage.rating().lines if line.kind == "idle"]
    assert idle.excl_vat == 30


def test_S63_two_drivers_within_half_a_minute(stage: Stage) -> None:
    first, second = (
        stage.starts_16(register_wh, token, after_s=after_s)["transactionId"]
        for register_wh, token, after_s in ((1000, TOKEN, 1), (1000, OTHER_TOKEN, 30))
    )
    before, after = stage.sessions()
    assert (before.ended_by, before.state, after.state) == ("soft", ENDED, ACTIVE)
    stage.reads_16(1600, second)
    stage.stops_16(1005, first, after_s=1)
    stage.stops_16(2000, second, after_s=600)
    stage.settle()
    # The late stop's 5 Wh were counted from the second start on: together they are what the register moved.
    energies = {session.token: session.energy_wh for session in stage.sessions()}
    assert energies == {TOKEN: 0, OTHER_TOKEN: 1000}


def test_S63_one_plug_in_in_many_transactions_counts_each_wh_once(stage: Stage) -> None:
    register_wh = 1000
    for number in range(1, 6):
        stage.starts_16(register_wh, after_s=5)
        register_wh += 137
        stage.stops_16(register_wh, number, after_s=60)
    stage.settle()
    assert [session.energy_wh for session in stage.sessions()] == [137] * 5


def test_the_cdr_waits_for_the_cable_when_the_tariff_bills_for_it() -> None:
    stage = Stage(tariff=idle_tariff("unplug"))
    stage.starts_16(1000)
    stage.stops_16(2000)
    stopped_at = stage.now
    stage.waits(minutes=30)
    stage.status_16("Available", after_s=0)
    session = stage.settle()
    assert session.unplugged_at == stopped_at + timedelta(minutes=30)
    [idle] = [line for line in stage.rating().lines if line.kind == "idle"]
    assert idle.excl_vat == 30
    assert stage.now < stopped_at + timedelta(hours=1)


def test_the_cdr_does_not_wait_for_the_cable_without_end() -> None:
    stage = Stage(tariff=idle_tariff("unplug"))
    stage.starts_16(1000)
    stage.stops_16(2000)
    stopped_at = stage.now
    assert stage.settle().state is SETTLED
    assert stage.now == stopped_at + UNPLUG_TIMEOUT
    assert [line.kind for line in stage.rating().lines] == ["energy"]


def test_the_next_driver_proves_that_the_cable_was_out() -> None:
    stage = Stage(tariff=idle_tariff("unplug"))
    stage.starts_16(1000)
    stage.stops_16(2000)
    stage.starts_16(2000, OTHER_TOKEN, after_s=900)
    began_at = stage.now
    assert stage.sessions()[0].unplugged_at == began_at


def test_an_unplugging_that_comes_after_the_cdr_is_still_recorded(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    assert stage.settle().state is SETTLED
    stage.connect()
    stage.status_16("Available", after_s=60)
    session = stage.settle()
    assert session.state is SETTLED and stage.cdr().unplugged_at is None


def test_B34_a_pause_by_us_is_never_idle() -> None:
    stage = Stage(tariff=idle_tariff("transaction"))
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.status_16("SuspendedEVSE")
    stage.reads_16(2000, after_s=3600)
    stage.stops_16(2000)
    session = stage.settle()
    assert session.charging_ended_at == session.transaction_ended_at
    assert [line.kind for line in stage.rating().lines] == ["energy"]
    paused = [period for period in stage.cdr().periods if period.activity is Activity.PAUSED_BY_EVSE]
    assert sum((p.end_at - p.start_at for p in paused), timedelta()) == timedelta(seconds=4200)


def test_a_vehicle_that_takes_more_later_was_not_done() -> None:
    stage = Stage(tariff=idle_tariff("transaction"))
    stage.starts_16(1000)
    stage.status_16("SuspendedEV", after_s=600)
    stage.status_16("Charging", after_s=600)
    stage.reads_16(3000)
    stage.status_16("SuspendedEV", after_s=0)
    full_at = stage.now
    stage.stops_16(3000, after_s=300)
    assert stage.settle().charging_ended_at == full_at
    [idle] = [line for line in stage.rating().lines if line.kind == "idle"]
    assert idle.excl_vat == 5

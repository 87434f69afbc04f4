"""Which energy is billed, if the registers are odd?"""

from datetime import datetime, timedelta

import pytest

from laddbok.model.cdr import Activity
from laddbok.model.energy import Method
from laddbok.model.session import ReviewReason, SessionState
from laddbok.sessions.meter import begin_meter, finish, fitted, periods, take_reading, turn
from tests.rules.sessions.stage import NOON, TOKEN, Stage, text_of


@pytest.fixture
def stage() -> Stage:
    return Stage()


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize("register_wh", [1989, 1400, 0])
def test_S37_a_stop_below_the_last_sample_is_not_believed(stage: Stage, register_wh: int) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.stops_16(register_wh)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (1000, SessionState.REVIEW)
    assert session.review_reasons == (ReviewReason.REGISTER_WENT_BACK,)


def test_S43_a_start_and_a_stop_are_a_whole_session(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(12_345, after_s=7200)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (11_345, SessionState.SETTLED)
    assert sum(period.energy_wh for period in stage.cdr().periods) == 11_345


def test_S36_one_odd_zero_does_not_become_the_base(stage: Stage) -> None:
    stage.starts_16(1000)
    for register_wh in (2000, 0, 2500):
        stage.reads_16(register_wh)
    assert (stage.session().energy_wh, stage.session().meter.rejected) == (1500, 1)
    stage.stops_16(3000)
    assert stage.settle().energy_wh == 2000


def test_S42_values_without_energy_leave_the_total_as_it_is(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    power = [{"value": "7400", "measurand": "Power.Active.Import", "unit": "W"}]
    stage.reads_16(0, meterValue=[{"timestamp": text_of(stage.now), "sampledValue": power}])
    assert (stage.session().energy_wh, stage.session().meter.power_w) == (1000, 7400)


def test_the_first_register_is_the_base_when_the_start_names_none() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", token=TOKEN, state="Charging")
    stage.event_201("Updated", register_wh=909_948)
    stage.event_201("Ended", register_wh=910_031)
    assert stage.settle().energy_wh == 83


def test_more_than_the_outlet_can_give_is_held(stage: Stage) -> None:
    stage.starts_16(0)
    stage.stops_16(909_948, after_s=600)
    session = stage.settle()
    assert (session.energy_wh, session.state) == (0, SessionState.REVIEW)
    assert session.energy is not None and session.energy.energy_wh is None
    assert next((e.method, e.energy_wh) for e in session.energy.estimates) == (Method.REGISTERS, 909_948)
    assert session.review_reasons == (ReviewReason.MORE_THAN_THE_OUTLET_CAN,)


def test_S33_an_absurd_jump_at_an_outlet_of_unknown_power_is_held() -> None:
    stage = Stage(max_power_w=None)
    stage.starts_16(0)
    stage.stops_16(909_948, after_s=3 * 3600)
    session = stage.settle()
    assert session.max_power_w is None and session.review_reasons == (ReviewReason.MORE_THAN_THE_OUTLET_CAN,)


def test_readings_in_any_order_count_once(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    later = stage.session()
    old = [{"timestamp": text_of(NOON + timedelta(minutes=5)), "sampledValue": [{"value": "1500"}]}]
    stage.reads_16(0, meterValue=old, after_s=1)
    assert stage.session().meter == later.meter


def test_a_sample_after_the_stops_own_stamp_moves_the_end(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.stops_16(2000, timestamp=text_of(stage.now - timedelta(seconds=90)), after_s=1)
    session = stage.settle()
    assert stage.cdr().periods[-1].end_at == session.transaction_ended_at


def test_energy_flows_while_the_outlet_charges() -> None:
    meter = begin_meter(at(0), 0, Activity.CHARGING)
    meter = turn(turn(meter, at(4), Activity.PAUSED_BY_EV), at(8), Activity.CHARGING)
    meter = take_reading(meter, at(10), 600)
    spans = [(p.start_at, p.end_at, p.activity, p.energy_wh) for p in periods(meter)]
    assert spans == [
        (at(0), at(4), Activity.CHARGING, 400),
        (at(4), at(8), Activity.PAUSED_BY_EV, 0),
        (at(8), at(10), Activity.CHARGING, 200),
    ]


def test_periods_end_with_each_quarter_hour() -> None:
    meter = take_reading(begin_meter(at(7), 0, Activity.CHARGING), at(37), 3000)
    assert [(p.start_at, p.end_at, p.energy_wh) for p in periods(meter)] == [
        (at(7), at(15), 800),
        (at(15), at(30), 1500),
        (at(30), at(37), 700),
    ]


def test_a_long_gap_makes_estimates() -> None:
    meter = take_reading(begin_meter(at(0), 0, Activity.CHARGING), at(30), 10)
    assert not any(period.estimated for period in periods(meter))
    meter = take_reading(meter, at(61), 20)
    assert [period.estimated for period in periods(meter)] == [False, False, True, True, True]


def test_time_without_readings_has_no_energy() -> None:
    meter = finish(take_reading(begin_meter(at(0), 0, Activity.CHARGING), at(10), 500), at(20))
    assert [(p.end_at, p.energy_wh) for p in periods(meter)] == [(at(15), 500), (at(20), 0)]


def test_a_sample_in_the_open_quarter_touches_no_other() -> None:
    """The cost of a sample is constant: what is closed is handed on as it is, however much there is."""
    meter = begin_meter(at(0), 0, Activity.CHARGING)
    for minute in range(1, 3000):
        before = meter
        meter = take_reading(meter, at(minute), minute * 100)
        is_new_quarter = minute > 1 and minute % 15 == 1
        assert (meter.closed_periods is not before.closed_periods) == is_new_quarter
    assert len(periods(meter)) == 200


def test_a_session_that_lasted_no_time_can_have_energy() -> None:
    meter = fitted(begin_meter(at(0), 1000, Activity.CHARGING), 7)
    assert (meter.energy_wh, [(p.start_at, p.end_at, p.energy_wh) for p in periods(meter)]) == (7, [(at(0), at(0), 7)])

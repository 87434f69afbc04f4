"""What if a reading does not go on from the last one?"""

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laddbok.model.cdr import Activity
from laddbok.model.session import Meter, MeterNote, ReviewReason, SessionState
from laddbok.sessions.meter import begin_meter, periods, take_reading
from laddbok.sessions.odd import JUMP, Gauge
from laddbok.sessions.plausibility import bound_wh
from tests.rules.sessions.stage import NOON, TOKEN, Stage

SETTLED, REVIEW = SessionState.SETTLED, SessionState.REVIEW
GARBAGE = [0, 2**32, 2**31 - 1, 4_296_944_685, 10**9]
POWER_W = 22_000


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def followed(*registers: int, gauge: Gauge = Gauge(POWER_W), every_min: float = 10) -> Meter:
    """A meter that was read in these steps, the first at its begin."""
    meter = begin_meter(at(0), registers[0], Activity.CHARGING)
    for step, register_wh in enumerate(registers[1:], start=1):
        meter = take_reading(meter, at(step * every_min), register_wh, gauge)
    return meter


# ------------------------------------------------------------------ S36: one odd reading
@pytest.mark.parametrize("protocol", ["1.6", "2.0.1"])
@pytest.mark.parametrize("odd", [(0,), (0, 0), (0, 0, 0), (2**32,), (2**32, 2**32), (0, 2**32)], ids=str)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_S36_garbage_between_good_readings_changes_nothing(protocol: str, odd: tuple[int, ...], place: int) -> None:
    stage = Stage(protocol)
    registers = [11_000, 12_000]
    registers[place:place] = odd
    if protocol == "1.6":
        stage.starts_16(10_000)
        for register_wh in registers:
            stage.reads_16(register_wh)
        stage.stops_16(13_500)
    else:
        stage.event_201("Started", register_wh=10_000, state="Charging", token=TOKEN)
        for register_wh in registers:
            stage.event_201("Updated", register_wh=register_wh)
        stage.event_201("Ended", register_wh=13_500)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.meter.notes) == (SETTLED, 3_500, ())


def test_S36_one_0_while_it_runs_changes_no_running_energy() -> None:
    stage = Stage()
    stage.starts_16(10_000)
    energies = []
    for register_wh in (11_000, 0, 12_000):
        stage.reads_16(register_wh)
        energies.append(stage.session().energy_wh)
    assert energies == [1_000, 1_000, 2_000] and stage.session().meter.rejected == 1


def test_S36_a_reading_a_little_below_is_rounding() -> None:
    meter = followed(1_000, 2_000, 1_991, 2_500)
    assert (meter.energy_wh, meter.rejected, meter.notes) == (1_500, 0, ())


# ------------------------------------------------------------------ S36, B14: the register has changed
@pytest.mark.parametrize("protocol", ["1.6", "2.0.1"])
def test_B14_a_reset_in_the_session(protocol: str) -> None:
    stage = Stage(protocol)
    if protocol == "1.6":
        stage.starts_16(5_000)
        for register_wh in (6_000, 7_200, 0, 1_500):
            stage.reads_16(register_wh)
        assert stage.session().energy_wh == 3_700
        stage.stops_16(1_500)
    else:
        stage.event_201("Started", register_wh=5_000, state="Charging", token=TOKEN)
        for register_wh in (6_000, 7_200, 0, 1_500):
            stage.event_201("Updated", register_wh=register_wh)
        stage.event_201("Ended", register_wh=1_500)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.meter.notes) == (SETTLED, 3_700, (MeterNote.RESET,))


def test_B14_also_if_the_register_ends_above_its_begin() -> None:
    """The difference of start and stop, 600 Wh, is then no negative number that would betray it."""
    stage = Stage()
    stage.starts_16(1_000)
    for register_wh in (2_000, 3_000, 0, 1_500):
        stage.reads_16(register_wh)
    stage.stops_16(1_600)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 3_600)


@pytest.mark.parametrize("protocol", ["1.6", "2.0.1"])
def test_B14_where_it_came_back_to_where_it_was_a_person_must_look(protocol: str) -> None:
    """8,000 Wh or 13,000: the register tells of both, and begin and end of 2.0.1 are no second witness."""
    stage = Stage(protocol)
    registers = (9_000, 0, 3_000, 7_000)
    if protocol == "1.6":
        stage.starts_16(5_000)
        for register_wh in registers:
            stage.reads_16(register_wh, after_s=1200)
        stage.stops_16(13_000, after_s=1200)
    else:
        stage.event_201("Started", register_wh=5_000, state="Charging", token=TOKEN)
        for register_wh in registers:
            stage.event_201("Updated", register_wh=register_wh, after_s=1200)
        stage.event_201("Ended", register_wh=13_000, after_s=1200)
    session = stage.settle()
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.ESTIMATES_DISAGREE,))
    assert session.energy_wh == 8_000


def test_B14_what_a_reset_register_shows_at_first_counts_too() -> None:
    assert followed(5_000, 7_200, 300, 1_500).energy_wh == 2_200 + 1_500


def test_S36_a_stop_at_0_is_not_a_reset_but_held() -> None:
    stage = Stage()
    stage.starts_16(5_000)
    stage.reads_16(7_200)
    stage.stops_16(0)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (REVIEW, 2_200)
    assert session.review_reasons == (ReviewReason.REGISTER_WENT_BACK,)


@pytest.mark.parametrize("power_w", [POWER_W, None])
@pytest.mark.parametrize("lower_wh", [12_000, 40_000])
def test_S36_another_meter_with_a_lower_register_invents_no_energy(power_w: int | None, lower_wh: int) -> None:
    stage = Stage(max_power_w=power_w)
    stage.starts_16(50_000)
    for register_wh in (51_000, 52_000, 53_000, lower_wh, lower_wh + 500, lower_wh + 1_000):
        stage.reads_16(register_wh)
    stage.stops_16(lower_wh + 1_100)
    session = stage.settle()
    assert (session.energy_wh, session.meter.notes) == (3_000 + 1_100, (MeterNote.RESET,))


def test_S36_another_meter_with_a_higher_register_invents_no_energy() -> None:
    stage = Stage()
    stage.starts_16(50_000)
    for register_wh in (51_000, 52_000, 300_000, 300_500, 301_000):
        stage.reads_16(register_wh)
    stage.stops_16(301_100)
    session = stage.settle()
    assert (session.energy_wh, session.meter.notes) == (2_000 + 1_100, (MeterNote.JUMPED,))
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.MORE_THAN_THE_OUTLET_CAN,))


def test_S33_noughts_before_the_first_reading_are_one_begin() -> None:
    meter = followed(0, 0, 0, 909_948, 909_990)
    assert (meter.energy_wh, meter.begin_wh, meter.notes) == (42, 909_948, (MeterNote.BEGIN_REPLACED,))


def test_B13_a_roll_over_counts_at_once() -> None:
    gauge = Gauge(POWER_W, modulus_wh=1_000_000)
    assert followed(999_990, 12, gauge=gauge).energy_wh == 22
    assert followed(500_000, 12, gauge=gauge).energy_wh == 0


# ------------------------------------------------------------------ properties
steps = st.lists(st.integers(0, 3_600), min_size=2, max_size=12)
"""Whole Wh in 10 minutes at 22 kW."""


@given(steps, st.data())
def test_one_garbage_reading_anywhere_changes_nothing_in_the_end(growth: list[int], data: st.DataObject) -> None:
    """Between a good begin and a good last reading, however high or low it is, unless the outlet could have given it."""
    registers = [100_000]
    for grown_wh in growth:
        registers.append(registers[-1] + grown_wh)
    place = data.draw(st.integers(1, len(registers) - 1))
    most_wh = registers[place - 1] + JUMP * bound_wh(POWER_W, 600)
    garbage = data.draw(st.integers(0, registers[place - 1] - 11) | st.integers(most_wh + 1, 2**33))
    odd = [*registers[:place], garbage, *registers[place:]]
    if registers[place] > garbage > registers[place - 1] - 11:
        return  # it lies on the way
    assert followed(*odd).energy_wh == followed(*registers).energy_wh == registers[-1] - registers[0]


@given(st.lists(st.integers(0, 2**33) | st.sampled_from(GARBAGE) | st.integers(90_000, 130_000), max_size=12))
@example([0, 5, 100_000, 0, 7])
@example([2**32, 2**32 + 1, 0, 1, 2**32, 2**32 + 1])
def test_energy_never_runs_back_and_never_exceeds_what_the_steps_can_give(registers: list[int]) -> None:
    meter = begin_meter(at(0), 100_000, Activity.CHARGING)
    for step, register_wh in enumerate(registers, start=1):
        before = meter
        meter = take_reading(meter, at(step * 10), register_wh, Gauge(POWER_W))
        assert before.energy_wh is not None and meter.energy_wh is not None
        grown_wh = meter.energy_wh - before.energy_wh
        since_s = (meter.mark_at - before.mark_at) // timedelta(seconds=1)
        assert 0 <= grown_wh <= JUMP * bound_wh(POWER_W, since_s) + bound_wh(POWER_W, since_s)
        assert sum(period.energy_wh for period in periods(meter)) == meter.energy_wh
        assert all(period.energy_wh >= 0 for period in periods(meter))


@given(steps, st.integers(0, 50_000))
def test_a_register_that_begins_anew_loses_no_wh_that_was_shown(growth: list[int], first_wh: int) -> None:
    before, after = growth[: len(growth) // 2], growth[len(growth) // 2 :]
    registers = [first_wh + 100_000]
    for grown_wh in before:
        registers.append(registers[-1] + grown_wh)
    anew = [0]
    for grown_wh in after:
        anew.append(anew[-1] + max(grown_wh, 1))
    assert followed(*registers, *anew).energy_wh == sum(before) + anew[-1]

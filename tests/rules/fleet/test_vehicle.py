"""Is energy exact, however often the meter is read?"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from laddbok.fleet.vehicle import Meter
from tests.rules.fleet.central import NOON, car

steps = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 150_000)), max_size=40)


@given(steps=steps, need_wh=st.integers(1, 50_000))
def test_the_register_rises_by_what_the_car_took(steps: list[tuple[int, int]], need_wh: int) -> None:
    meter, vehicle, at = Meter(5_000_000_000, NOON), car(need_wh), NOON
    risen_wh = 0
    for elapsed_us, power_w in steps:
        at += timedelta(microseconds=elapsed_us)
        risen_wh += meter.advance(at, power_w, vehicle)
    offered_wus = sum(elapsed_us * power_w for elapsed_us, power_w in steps)
    assert meter.register_wh == 5_000_000_000 + risen_wh
    assert risen_wh == min(offered_wus // 3_600_000_000, need_wh)
    assert vehicle.is_full == (offered_wus >= need_wh * 3_600_000_000)


@given(cuts=st.lists(st.integers(1, 3_599_999_999), unique=True, max_size=20))
def test_reading_more_often_changes_nothing(cuts: list[int]) -> None:
    meter, vehicle = Meter(0, NOON), car(100_000)
    for cut_us in [*sorted(cuts), 3_600_000_000]:
        meter.advance(NOON + timedelta(microseconds=cut_us), 7_321, vehicle)
    assert meter.register_wh == 7_321


def test_a_clock_set_back_takes_nothing_away() -> None:
    meter, vehicle = Meter(100, NOON), car()
    meter.advance(NOON + timedelta(hours=1), 1_000, vehicle)
    assert meter.advance(NOON, 1_000, vehicle) == 0
    assert meter.register_wh == 1_100


@given(power_w=st.integers(1, 400_000), need_wh=st.integers(1, 100_000))
def test_a_car_is_full_exactly_after_the_time_that_it_says(power_w: int, need_wh: int) -> None:
    vehicle, meter = car(need_wh), Meter(0, NOON)
    wait = vehicle.full_after(power_w)
    meter.advance(NOON + wait - timedelta(microseconds=1), power_w, vehicle)
    assert not vehicle.is_full
    meter.advance(NOON + wait, power_w, vehicle)
    assert vehicle.is_full

"""Do drivers come, charge and leave, the same way for the same seed?"""

from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from laddbok.fleet.driver import Driver, Habits
from tests.rules.fleet.central import Central

HABITS = Habits(tokens=("04A1", "04A2", "04A3"), time_zone=ZoneInfo("Europe/Stockholm"))


def live_through(protocol: str, hours: int, seed: int = 5, habits: Habits = HABITS) -> Central:
    """A station with its drivers for some hours, and then everybody goes home."""
    central = Central(protocol)
    drivers = [Driver(central.station, n, habits, Random(seed + n), central.now) for n in (1, 2)]
    central.connect()
    until_s = hours * 3600
    start = central.now
    while (central.now - start).total_seconds() < until_s:
        moments = [due for due in (d.due() for d in drivers) if due is not None]
        central.wait(max(0.0, (min(moments) - central.now).total_seconds()) if moments else until_s)
        for driver in drivers:
            central.take(driver.act(central.now))
    for driver in drivers:
        central.take(driver.go_home(central.now))
    return central


@pytest.mark.parametrize("protocol", ["1.6", "2.0.1"])
def test_a_day_and_a_half_of_visits(protocol: str) -> None:
    central = live_through(protocol, 36)
    records = central.ledger.transactions
    assert len(records) >= 4
    assert central.station.is_drained
    assert all(record.acknowledged and record.unplugged_at for record in records)
    risen_wh = sum(outlet.meter.register_wh - 1_000_000 for outlet in central.station.outlets)
    assert sum(record.energy_wh for record in records) == risen_wh > 0
    assert {"Local", "EVDisconnected"} == {record.stop_reason for record in records}
    assert all(record.energy_wh * 3600 <= 22_080 * (r_s(record) + 1) for record in records)


def r_s(record: object) -> float:
    return (record.ended_at - record.started_at).total_seconds()  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_day() -> None:
    first, second = (msgspec.json.encode(live_through("1.6", 12).ledger) for _ in range(2))
    assert first == second
    assert first != msgspec.json.encode(live_through("1.6", 12, seed=6).ledger)


def test_some_drivers_ask_the_operator_to_stop() -> None:
    asked: list[tuple[str, str]] = []
    habits = Habits(
        tokens=("04A1",), time_zone=HABITS.time_zone, ask_operator=lambda station, named: asked.append((station, named))
    )
    central = live_through("1.6", 96, habits=habits)
    assert asked
    assert {named for _, named in asked} <= {record.transaction_id for record in central.ledger.transactions}


def test_nobody_comes_when_arrivals_are_off() -> None:
    habits = Habits(tokens=("04A1",), time_zone=HABITS.time_zone, are_arriving=False)
    assert not live_through("1.6", 1, habits=habits).ledger.transactions

"""Which limit counts when several charging profiles apply?"""

from datetime import datetime, timedelta
from typing import Any

from laddbok.fleet.profiles import ChargingProfile, Draw, ProfileShelf, Purpose
from tests.rules.fleet.central import NOON


def profile(number: int, limit_w: float, purpose: Purpose = Purpose.DEFAULT, **more: Any) -> ChargingProfile:
    given = {"stack_level": 0, "evse_id": 0, "kind": "Absolute", "start_at": NOON} | more
    return ChargingProfile(profile_id=number, purpose=purpose, unit="W", periods=((0, limit_w, 3),), **given)


def limit_w(*profiles: ChargingProfile, at: datetime = NOON, sharing: int = 1) -> int | None:
    shelf = ProfileShelf()
    for each in profiles:
        shelf.add(each)
    draw = Draw(evse_id=1, phases=3, began_at=NOON, transaction_id="7", sharing=sharing)
    return shelf.limit_w(draw, at)


def test_no_profile_no_limit() -> None:
    assert limit_w() is None


def test_a_transaction_profile_goes_before_the_default() -> None:
    own = profile(2, 9_000, Purpose.TRANSACTION, evse_id=1)
    assert limit_w(profile(1, 5_000), own) == 9_000


def test_a_transaction_profile_of_another_transaction_is_no_limit() -> None:
    assert limit_w(profile(2, 9_000, Purpose.TRANSACTION, transaction_id="8")) is None


def test_the_highest_valid_stack_level_counts() -> None:
    low, high = profile(1, 5_000), profile(2, 8_000, stack_level=3, duration_s=600)
    assert limit_w(low, high) == 8_000
    assert limit_w(low, high, at=NOON + timedelta(seconds=600)) == 5_000


def test_the_station_maximum_bounds_all_and_is_shared() -> None:
    whole = profile(3, 10_000, Purpose.STATION)
    assert limit_w(whole, profile(1, 8_000)) == 8_000
    assert limit_w(whole, profile(1, 8_000), sharing=2) == 5_000


def test_validity_and_recurrence() -> None:
    tomorrow = NOON + timedelta(days=1)
    assert limit_w(profile(1, 5_000, valid_to=NOON)) is None
    assert limit_w(profile(1, 5_000, valid_from=tomorrow)) is None
    daily = profile(1, 5_000, kind="Recurring", recurrence_s=86_400, duration_s=3_600)
    assert limit_w(daily, at=tomorrow + timedelta(minutes=30)) == 5_000
    assert limit_w(daily, at=tomorrow + timedelta(hours=2)) is None


def test_a_relative_profile_counts_from_the_start_of_the_transaction() -> None:
    relative = profile(1, 5_000, kind="Relative", start_at=None, duration_s=60)
    assert limit_w(relative, at=NOON + timedelta(seconds=59)) == 5_000
    assert limit_w(relative, at=NOON + timedelta(seconds=60)) is None


def test_a_profile_with_the_same_place_replaces_the_old_one() -> None:
    assert limit_w(profile(1, 5_000), profile(2, 7_000)) == 7_000

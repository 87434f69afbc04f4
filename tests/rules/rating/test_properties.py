"""What holds for every session and every tariff?

Sessions have powers of multiples of 3.6 kW, so that every second has whole Wh and cutting loses nothing. Thresholds are
multiples of 6 Wh, and so is every stretch, so that they are crossed at a whole second.
"""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import STOCKHOLM, element, idle, local, session
from tests.rules.rating.second_by_second import price

NIGHTS = [local("2026-03-29T01:20"), local("2026-10-25T01:20"), local("2026-05-08T23:20"), local("2026-12-31T23:40")]
ACTIVITIES = [Activity.CHARGING, Activity.PAUSED_BY_EV, Activity.PAUSED_BY_EVSE, Activity.IDLE]


def some_session(seed: int) -> Cdr:
    pick = random.Random(seed)
    start_at = pick.choice(NIGHTS) + timedelta(seconds=pick.randrange(3600))
    stretches = [(pick.randrange(10, 250) / 10, Activity.CHARGING, 0)]
    stretches += [(pick.randrange(10, 250) / 10, pick.choice(ACTIVITIES), 0) for _ in range(pick.randrange(5))]
    powered = [
        (minutes, activity, round(minutes * 60) * pick.choice([1, 2, 6]) if activity is Activity.CHARGING else 0)
        for minutes, activity, _ in stretches
    ]
    return session(start_at, *powered)


def some_restrictions(pick: random.Random) -> dict[str, Any]:
    start, end = pick.sample(["00:00", "00:30", "01:45", "02:00", "02:30", "03:00", "22:00", "23:59"], 2)
    least, most = sorted(pick.sample(range(6, 9_000, 6), 2))
    choices: list[dict[str, Any]] = [
        {"start_time": start, "end_time": end},
        {"start_time": start},
        {"day_of_week": pick.sample(["FRIDAY", "SATURDAY", "SUNDAY", "MONDAY"], 2)},
        {"end_date": "2026-05-09"},
        {"start_date": "2026-10-25", "end_date": "2027-01-01"},
        {"min_kwh": least / 1000, "max_kwh": most / 1000},
        {"max_kwh": pick.choice([1.2, 2.4, 7.2])},
        {"min_duration": least, "max_duration": most},
        {"min_power": 5},
        {"max_power": 22},
    ]
    both = pick.sample(choices, pick.choice([1, 1, 2]))
    return {key: value for each in both for key, value in each.items()}


def some_tariff(seed: int) -> dict[str, Any]:
    pick = random.Random(seed)
    elements = []
    for _ in range(pick.randrange(1, 5)):
        kinds = pick.sample(["ENERGY", "TIME", "PARKING_TIME", "FLAT"], pick.randrange(1, 5))
        prices = {kind: (pick.randrange(0, 900) / 100, pick.choice([0, 1, 60, 300, 900])) for kind in kinds}
        elements.append(element(some_restrictions(pick) if pick.random() < 0.7 else None, **prices))
    return {"id": "T", "currency": "SEK", "elements": elements}


def sliced(cdr: Cdr, cuts: set[int]) -> Cdr:
    """The same session as a busier station would have reported it: also cut at these seconds."""
    periods = []
    for period in cdr.periods:
        length_s = int((period.end_at - period.start_at).total_seconds())
        offset_s = int((period.start_at - cdr.started_at).total_seconds())
        inside = [cut - offset_s for cut in sorted(cuts) if 0 < cut - offset_s < length_s]
        for start_s, end_s in pairwise([0, *inside, length_s]):
            periods.append(
                ChargingPeriod(
                    start_at=period.start_at + timedelta(seconds=start_s),
                    end_at=period.start_at + timedelta(seconds=end_s),
                    activity=period.activity,
                    energy_wh=period.energy_wh // length_s * (end_s - start_s),
                )
            )
    return msgspec.structs.replace(cdr, periods=tuple(periods))


seeds = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(seeds, seeds, st.sets(st.integers(1, 9_000), max_size=12))
def test_slicing_never_changes_a_price(session_seed: int, tariff_seed: int, cuts: set[int]) -> None:
    cdr, compiled = some_session(session_seed), compile_tariff(parse_tariff(some_tariff(tariff_seed)), STOCKHOLM)
    whole, cut = rate(cdr, compiled), rate(sliced(cdr, cuts), compiled)
    assert cut == whole


@settings(max_examples=100, deadline=None)
@given(seeds, seeds, st.sampled_from(["YES", "NO"]))
def test_lines_sum_to_totals_and_rating_twice_is_the_same(session_seed: int, tariff_seed: int, tax: str) -> None:
    document = some_tariff(tariff_seed) | {"tax_included": tax, "max_price": {"before_taxes": 20}}
    cdr, compiled = some_session(session_seed), compile_tariff(parse_tariff(document), STOCKHOLM)
    rating = rate(cdr, compiled)
    assert sum(line.excl_vat or 0 for line in rating.lines) == rating.excl_vat
    assert sum(line.incl_vat or 0 for line in rating.lines) == rating.incl_vat
    assert rating.excl_vat is not None and 0 <= rating.excl_vat <= 20
    assert msgspec.json.encode(rate(cdr, compiled)) == msgspec.json.encode(rating)


@settings(max_examples=150, deadline=None)
@given(seeds, st.lists(st.integers(0, 30), min_size=4, max_size=4), st.sampled_from(["YES", "NO", "N/A"]))
def test_nothing_costs_more_than_the_highest_price(seed: int, limits: list[int], tax: str) -> None:
    least, least_gross, most, most_gross = limits
    elements = element(vat=0, FLAT=seed % 7), element(vat=25, ENERGY=seed % 11)
    given = {
        "min_price": {"before_taxes": least, "after_taxes": least_gross} if seed % 2 else {"before_taxes": least},
        "max_price": {"before_taxes": most, "after_taxes": most_gross},
    }
    document = {"id": "T", "currency": "SEK", "elements": [*elements], "tax_included": tax, **given}
    try:
        compiled = compile_tariff(parse_tariff(document), STOCKHOLM)
    except Invalid:
        return
    rating = rate(session(NIGHTS[0], (60, Activity.CHARGING, 1_000 + seed % 3_000)), compiled)
    assert rating.excl_vat is None or rating.excl_vat <= most
    assert rating.incl_vat is None or rating.incl_vat <= most_gross
    assert None in (rating.excl_vat, rating.incl_vat) or rating.excl_vat <= rating.incl_vat  # type: ignore[operator]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.integers(0, 100), st.integers(1, 300))
def test_the_running_price_at_the_end_is_the_final_price(grace_min: int, cap: int, idle_min: int) -> None:
    final = session(datetime(2026, 5, 8, 8, tzinfo=UTC), (60, Activity.CHARGING, 5000), (idle_min, Activity.IDLE, 0))
    running = msgspec.structs.replace(final, transaction_ended_at=None, unplugged_at=None)
    terms = idle(1.5, grace_s=grace_min * 60, cap=cap, exempt=[{"start_time": "11:00", "end_time": "12:00"}])
    then, now = rate(final, terms), rate(running, terms, final.transaction_ended_at)
    assert (now.excl_vat, now.lines, now.final) == (then.excl_vat, then.lines, False)


def test_the_price_is_that_of_a_walk_second_by_second() -> None:
    for seed in range(100):
        cdr, document = some_session(seed), some_tariff(seed + 1_000_000)
        compiled = compile_tariff(parse_tariff(document), STOCKHOLM)
        assert rate(cdr, compiled).excl_vat == price(cdr, document), seed

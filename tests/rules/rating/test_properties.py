"""What holds for every session and every tariff?

Sessions and tariffs are those of `generated`, where every second has whole Wh, so that cutting a session loses nothing.
Plainer ones, that OCPI can say, are drawn here for other tests as well.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.model.cdr import Activity, Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import STOCKHOLM, element, idle, local, session
from tests.rules.rating.compared import real
from tests.rules.rating.generated import Generated, generated

seeds = st.integers(0, 2**32)
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
                msgspec.structs.replace(
                    period,
                    start_at=period.start_at + timedelta(seconds=start_s),
                    end_at=period.start_at + timedelta(seconds=end_s),
                    energy_wh=period.energy_wh // length_s * (end_s - start_s),
                )
            )
    return msgspec.structs.replace(cdr, periods=tuple(periods))


def as_read(rating: Rating) -> Rating:
    """A rating without the marks of what was interpolated: a busier station leaves less to that."""
    lines = tuple(msgspec.structs.replace(line, estimated=False) for line in rating.lines)
    return msgspec.structs.replace(rating, lines=lines)


def at_end(case: Generated, **changes: Any) -> Generated:
    """The session as it is once all its periods are over and the cable is out, with these changes."""
    end_at = case.cdr.periods[-1].end_at
    ends = {"transaction_ended_at": end_at, "unplugged_at": end_at, "last_contact_at": end_at}
    return msgspec.structs.replace(case, cdr=msgspec.structs.replace(case.cdr, **{**ends, **changes}), as_of=end_at)


def ever_dearer(case: Generated) -> Generated:
    """The case without what can make a longer session cheaper: prices below 0, steps, and several VAT rates."""
    other_limit = (
        "min_price" if case.seed % 2 else "max_price"
    )  # with another VAT than it was written for, both may not fit
    tariff = {name: value for name, value in case.tariff.items() if name != other_limit}
    ours = {name: terms for name, terms in tariff.get("laddbok", {}).items() if name != "spot"}
    for name in ("idle", "subscription"):
        if name in ours:
            ours[name] = {**ours[name], "vat": 25}
    elements = [
        {
            **each,
            "price_components": [
                {**component, "price": abs(component["price"]), "step_size": 1, "vat": 25}
                for component in each["price_components"]
            ],
        }
        for each in tariff["elements"]
    ] or [element(ENERGY=1)]
    return msgspec.structs.replace(case, tariff={**tariff, "elements": elements, "laddbok": ours})


def after_each_period(case: Generated) -> list[Rating]:
    """What the session cost at the end of each of its periods, as it was known then."""
    ratings, wh = [], 0
    for i, period in enumerate(case.cdr.periods):
        wh += period.energy_wh
        ended_at = case.cdr.charging_ended_at
        running = msgspec.structs.replace(
            case.cdr,
            periods=case.cdr.periods[: i + 1],
            energy_wh=wh,
            charging_ended_at=ended_at if ended_at and ended_at <= period.end_at else None,
            transaction_ended_at=None,
            unplugged_at=None,
            last_contact_at=period.end_at,
        )
        ratings.append(real(msgspec.structs.replace(case, cdr=running, as_of=period.end_at)))
    return ratings


@settings(max_examples=300)
@given(seeds, st.sets(st.integers(1, 4_000), max_size=12))
def test_slicing_never_changes_a_price(seed: int, cuts: set[int]) -> None:
    case = generated(seed)
    cut = msgspec.structs.replace(case, cdr=sliced(case.cdr, cuts))
    assert as_read(real(cut)) == as_read(real(case))


@settings(max_examples=300)
@given(seeds)
def test_lines_sum_to_totals_and_rating_twice_is_the_same(seed: int) -> None:
    rating = real(generated(seed))
    for side in ("excl_vat", "incl_vat"):
        amounts = [getattr(line, side) for line in rating.lines]
        total = getattr(rating, side)
        assert total is None or (None not in amounts and sum(amounts) == total)
    assert any(line.pending for line in rating.lines) == (rating.excl_vat is None and rating.incl_vat is None)
    assert msgspec.json.encode(real(generated(seed))) == msgspec.json.encode(rating)


@settings(max_examples=300)
@given(seeds)
def test_no_session_costs_less_than_nothing_unless_its_terms_say_so(seed: int) -> None:
    case = generated(seed)
    rating = real(case)
    if not case.tariff.get("laddbok", {}).get("may_be_negative"):
        assert rating.excl_vat is None or rating.excl_vat >= 0
        assert rating.incl_vat is None or rating.incl_vat >= 0


@settings(max_examples=300)
@given(seeds)
def test_without_steps_and_negative_prices_time_never_makes_a_session_cheaper(seed: int) -> None:
    for earlier, later in pairwise(after_each_period(ever_dearer(generated(seed)))):
        assert earlier.excl_vat is not None and later.excl_vat is not None and earlier.excl_vat <= later.excl_vat
        # The least price of a session in which nothing has a price says no VAT rate.
        assert earlier.incl_vat is None or later.incl_vat is None or earlier.incl_vat <= later.incl_vat


def test_a_step_can_make_a_longer_session_cheaper() -> None:
    """Why the rule above excludes steps: they are those of the price that applied last, as OCPI has it."""
    both = [element({"max_kwh": 1}, ENERGY=(5, 5_000)), element(ENERGY=(1, 1))]
    compiled = compile_tariff(parse_tariff({"id": "T", "currency": "SEK", "elements": both}), STOCKHOLM)
    prices = [rate(session("2026-05-08T08:00", (60, Activity.CHARGING, wh)), compiled).excl_vat for wh in (1000, 1001)]
    assert prices == [Decimal("25.00"), Decimal("5.00")]


@settings(max_examples=200)
@given(seeds)
def test_the_running_price_at_the_end_is_the_final_one(seed: int) -> None:
    case = generated(seed)
    final = real(at_end(case))
    running = real(at_end(case, transaction_ended_at=None, unplugged_at=None))
    assert (running.excl_vat, running.incl_vat, running.lines) == (final.excl_vat, final.incl_vat, final.lines)
    assert (running.final, final.final) == (False, True)


@settings(max_examples=150)
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


@settings(max_examples=50)
@given(st.integers(0, 200), st.integers(0, 100), st.integers(1, 300))
def test_the_running_price_at_the_end_is_the_final_price(grace_min: int, cap: int, idle_min: int) -> None:
    final = session(datetime(2026, 5, 8, 8, tzinfo=UTC), (60, Activity.CHARGING, 5000), (idle_min, Activity.IDLE, 0))
    running = msgspec.structs.replace(final, transaction_ended_at=None, unplugged_at=None)
    terms = idle(1.5, grace_s=grace_min * 60, cap=cap, exempt=[{"start_time": "11:00", "end_time": "12:00"}])
    then, now = rate(final, terms), rate(running, terms, final.transaction_ended_at)
    assert (now.excl_vat, now.lines, now.final) == (then.excl_vat, then.lines, False)


@pytest.mark.parametrize("limit", ["min_price", "max_price"])
def test_where_no_tax_applies_both_sides_of_a_limit_are_one(limit: str) -> None:
    """The least of 10 before and 11 after taxes is 11, the highest 10; and a session of 0 has a least price all the same."""
    terms = {limit: {"before_taxes": 10, "after_taxes": 11}, "tax_included": "N/A"}
    document = {"id": "T", "currency": "SEK", "elements": [element(vat=25, ENERGY=0 if limit == "min_price" else 99)]}
    compiled = compile_tariff(parse_tariff(document | terms), STOCKHOLM)
    rating = rate(session("2026-05-08T08:00", (60, Activity.CHARGING, 5_000)), compiled)
    assert {rating.excl_vat, rating.incl_vat} == {Decimal("11.00") if limit == "min_price" else Decimal("10.00")}

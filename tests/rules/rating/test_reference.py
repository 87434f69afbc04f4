"""Do two readings of the rules of price agree to the öre?

The real one and a walk second by second, on 300 generated sessions and tariffs; `python -m tests.rules.rating.reference`
takes any number. Agreement says something only if the sessions reach the rules: so each special case occurs often, and a
reading that overlooked a rule would be found.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest

from laddbok.model.cdr import Activity
from laddbok.model.errors import Invalid
from tests.rules.rating import reference
from tests.rules.rating.compared import as_simple, features, real, simple
from tests.rules.rating.generated import Generated, generated
from tests.rules.rating.walked_price import Price

COUNT = 300

AT_LEAST_PERCENT = {
    "spot price": 15, "price below 0": 10, "price_pending": 5, "capped": 20, "line floor": 3, "tier": 15, "line idle": 10,
    "line min_price": 5, "line max_price": 15, "line parking_time": 25, "line time": 50, "line flat": 50, "idle exempt": 8,
    "idle until": 5, "idle cap": 1, "energy by several elements": 5, "time by several elements": 5, "zero_energy": 2,
    "parking_time by several elements": 1, "step_size rounds up": 35, "several VAT rates": 15, "vat_absent": 15,
    "tax_included YES": 15, "tax_included NO": 15, "tax_included absent": 15, "tax_included N/A": 5, "terms of the start": 10,
    "may be negative": 15, "midnight": 15, "month end": 5, "summer time changes": 5, "it runs": 5, "no_matching_element": 20,
    "unknown_restriction": 2, "current_not_recorded": 3, "unplug_unknown": 1, "spot grid": 10, "spot energy_tax": 10,
    "restriction start_time": 10, "restriction end_time": 10, "restriction day_of_week": 10, "restriction start_date": 8,
    "restriction end_date": 8, "restriction min_kwh": 15, "restriction max_kwh": 15, "restriction min_power": 10,
    "restriction max_power": 10, "restriction min_current": 6, "restriction max_current": 6, "restriction min_duration": 10,
    "restriction max_duration": 15, "line reservation_flat": 8, "line reservation_time": 8, "a reservation expired": 3,
}  # fmt: skip


@cache
def cases() -> tuple[Generated, ...]:
    return tuple(generated(seed) for seed in range(COUNT))


@cache
def simple_prices() -> tuple[Price, ...]:
    return tuple(simple(case) for case in cases())


def test_the_price_is_that_of_a_walk_second_by_second() -> None:
    for case, expected in zip(cases(), simple_prices(), strict=True):
        assert as_simple(real(case), case.tariff) == expected, case.seed


def test_each_special_case_occurs_often() -> None:
    seen = Counter(name for case in cases() for name in features(case, real(case)))
    rare = {name: seen[name] for name, percent in AT_LEAST_PERCENT.items() if seen[name] * 100 < percent * COUNT}
    assert not rare


@pytest.mark.parametrize(("told", "status"), [(None, 0), ("seed 7: 1 is not 2", 1)])
def test_the_command_tells_what_differs(
    told: str | None, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if told:
        monkeypatch.setattr(reference, "compared", lambda seeds: ([told], Counter(spot=len(seeds))))
    assert reference.main(["--count", "2", "--from", "7", "--jobs", "1"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith(f"2 sessions, {status} differ")
    assert (told in lines) is bool(told)


def without_restriction(*names: str) -> Callable[[Generated], Generated]:
    """The case as if nobody had read these restrictions."""

    def changed(case: Generated) -> Generated:
        elements = [
            {
                **each,
                "restrictions": {
                    name: value for name, value in each.get("restrictions", {}).items() if name not in names
                },
            }
            for each in case.tariff["elements"]
        ]
        return msgspec.structs.replace(case, tariff={**case.tariff, "elements": elements})

    return changed


def with_components(**changes: Any) -> Callable[[Generated], Generated]:
    """The case as if its price components said this."""

    def changed(case: Generated) -> Generated:
        elements = [
            {**each, "price_components": [component | changes for component in each["price_components"]]}
            for each in case.tariff["elements"]
        ]
        return msgspec.structs.replace(case, tariff={**case.tariff, "elements": elements})

    return changed


def without_term(*names: str) -> Callable[[Generated], Generated]:
    """The case as if its tariff did not say this, at the top or in our own object."""

    def changed(case: Generated) -> Generated:
        ours = {name: value for name, value in case.tariff.get("laddbok", {}).items() if name not in names}
        kept = {name: value for name, value in case.tariff.items() if name not in names}
        return msgspec.structs.replace(case, tariff={**kept, "laddbok": ours})

    return changed


def without_part(term: str, *names: str) -> Callable[[Generated], Generated]:
    """The case as if one of our own terms did not say this."""

    def changed(case: Generated) -> Generated:
        ours = dict(case.tariff.get("laddbok", {}))
        if term in ours:
            ours[term] = {name: value for name, value in ours[term].items() if name not in names}
        return msgspec.structs.replace(case, tariff={**case.tariff, "laddbok": ours})

    return changed


def with_cdr(**changes: Any) -> Callable[[Generated], Generated]:
    return lambda case: msgspec.structs.replace(case, cdr=msgspec.structs.replace(case.cdr, **changes))


def with_activity(told: Activity, taken_for: Activity) -> Callable[[Generated], Generated]:
    """The case as if one activity were another."""

    def changed(case: Generated) -> Generated:
        periods = tuple(
            msgspec.structs.replace(period, activity=taken_for if period.activity is told else period.activity)
            for period in case.cdr.periods
        )
        return msgspec.structs.replace(case, cdr=msgspec.structs.replace(case.cdr, periods=periods))

    return changed


def with_elements(order: Callable[[list[Any]], list[Any]]) -> Callable[[Generated], Generated]:
    return lambda case: msgspec.structs.replace(
        case, tariff={**case.tariff, "elements": order(case.tariff["elements"])}
    )


def as_if_somebody_came(case: Generated) -> Generated:
    """The case as if its reservation had not expired."""
    held = case.cdr.reservation
    return case if held is None else with_cdr(reservation=msgspec.structs.replace(held, expired=False))(case)


def an_hour_off(case: Generated) -> Generated:
    """The case as if the clock were that of another zone."""
    if case.prices is None:
        return case
    moved = {at + 3600: price for at, price in case.prices.by_start_s.items()}
    return msgspec.structs.replace(case, prices=msgspec.structs.replace(case.prices, by_start_s=moved))


def a_gap_is_nought(case: Generated) -> Generated:
    if case.prices is None:
        return case
    known = case.prices.by_start_s
    first_s = int(case.cdr.started_at.timestamp()) // 900 * 900
    last_s = int(case.cdr.periods[-1].end_at.timestamp())
    filled = {at: known.get(at, 0) for at in range(first_s, last_s + 900, 900)}
    return msgspec.structs.replace(case, prices=msgspec.structs.replace(case.prices, by_start_s=filled))


OVERLOOKED: dict[str, Callable[[Generated], Generated]] = {
    "times of day": without_restriction("start_time", "end_time"),
    "the end of a time of day": without_restriction("end_time"),
    "days of the week": without_restriction("day_of_week"),
    "dates": without_restriction("start_date", "end_date"),
    "least energy": without_restriction("min_kwh"),
    "most energy": without_restriction("max_kwh"),
    "least power": without_restriction("min_power"),
    "most power": without_restriction("max_power"),
    "least current": without_restriction("min_current"),
    "most current": without_restriction("max_current"),
    "least duration": without_restriction("min_duration"),
    "most duration": without_restriction("max_duration"),
    "what nobody knows": without_restriction("moon_phase"),
    "steps": with_components(step_size=1),
    "VAT that differs": with_components(vat=25),
    "the order of elements": with_elements(lambda elements: elements[::-1]),
    "whether VAT is in the price": without_term("tax_included"),
    "the least price": without_term("min_price"),
    "the highest price": without_term("max_price"),
    "the idle fee": without_term("idle"),
    "the grace": without_part("idle", "grace_s"),
    "the cap of the idle fee": without_part("idle", "cap"),
    "exempt hours": without_part("idle", "exempt"),
    "idle until the cable is out": without_part("idle", "until"),
    "VAT of the idle fee": without_part("idle", "vat"),
    "markup": without_part("spot", "markup"),
    "grid fee": without_part("spot", "grid"),
    "energy tax": without_part("spot", "energy_tax"),
    "VAT of the spot price": without_part("spot", "vat"),
    "VAT of a subscription": without_part("subscription", "vat"),
    "tiers": lambda case: msgspec.structs.replace(case, tier_ends_wh=()),
    "the quarter": an_hour_off,
    "a gap in the prices": a_gap_is_nought,
    "that it may be negative": without_term("may_be_negative"),
    "that dates are those of the start": without_term("at_tax_change"),
    "when the transaction ended": lambda case: with_cdr(transaction_ended_at=case.cdr.periods[-1].end_at)(case),
    "when the cable was out": with_cdr(unplugged_at=None),
    "the last contact": with_cdr(last_contact_at=None),
    "when charging ended": with_cdr(charging_ended_at=None),
    "the reservation": with_cdr(reservation=None),
    "that nobody came": as_if_somebody_came,
    "pauses of ours": with_activity(Activity.PAUSED_BY_EVSE, Activity.PAUSED_BY_EV),
    "pauses of the vehicle": with_activity(Activity.PAUSED_BY_EV, Activity.CHARGING),
}


@pytest.mark.parametrize("rule", OVERLOOKED)
def test_a_reading_that_overlooks_a_rule_is_found(rule: str) -> None:
    """Each rule decides some of the prices: a price computed without it differs from that of the walk."""
    altered = (price_without(OVERLOOKED[rule](case)) for case in cases())
    found = [price for price, expected in zip(altered, simple_prices(), strict=True) if price not in (None, expected)]
    assert len(found) > 1


def price_without(case: Generated) -> Price | None:
    """The real price of an altered case; None where its tariff can't be written so."""
    try:
        return as_simple(real(case), case.tariff)
    except Invalid:
        return None

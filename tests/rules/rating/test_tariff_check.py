"""Is what is wrong in a tariff found when it is written, at its place, and nothing else?"""

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.model.cdr import Activity
from laddbok.model.rated import LineKind
from laddbok.model.tariff import Dimension, Restrictions, Tariff, parse_tariff
from laddbok.model.tariff_finding import Severity, TariffFinding
from laddbok.rating.compile import compile_tariff
from laddbok.rating.coverage import box, holes, week_text
from laddbok.rating.price_list import price_list
from laddbok.rating.rate import rate
from laddbok.rating.tariff_check import MAX_COMPARED, MAX_FINDINGS, check, hole_boxes
from tests.rules.rating.building import STOCKHOLM, element, session
from tests.rules.rating.test_properties import some_session, some_tariff

KINDS = {
    Dimension.ENERGY: LineKind.ENERGY,
    Dimension.TIME: LineKind.TIME,
    Dimension.FLAT: LineKind.FLAT,
    Dimension.PARKING_TIME: LineKind.PARKING_TIME,
}
WHOLE = element(ENERGY=3)


def read(*elements: dict[str, Any], **more: Any) -> Tariff:
    return parse_tariff({"id": "T", "currency": "SEK", "elements": list(elements), **more})


def told(findings: tuple[TariffFinding, ...]) -> list[tuple[str, str, str]]:
    return [(finding.code.value, finding.path, finding.severity.value) for finding in findings]


def test_a_plain_tariff_has_no_finding() -> None:
    assert check(read(element(ENERGY=3, PARKING_TIME=6, FLAT=5), type="REGULAR")) == ()


@pytest.mark.parametrize("power_w", [50_000, 150_000, 350_000])
def test_B39_ad_hoc_at_50_kW_neither_start_fee_nor_charging_time(power_w: int) -> None:
    tariff = read(element(ENERGY=5, TIME=6, PARKING_TIME=60, FLAT=10), type="AD_HOC_PAYMENT")
    assert told(check(tariff, max_power_w=power_w)) == [
        ("afir_price", "elements[0].price_components[1]", "refused"),
        ("afir_price", "elements[0].price_components[3]", "refused"),
    ]


def test_B39_ad_hoc_at_50_kW_kWh_and_minutes_of_occupancy_are_allowed() -> None:
    tariff = read(element(ENERGY=5, PARKING_TIME=60), type="AD_HOC_PAYMENT")
    assert check(tariff, max_power_w=150_000) == ()
    idle = read(WHOLE, type="AD_HOC_PAYMENT", laddbok={"idle": {"per_min": 2, "grace_s": 600}})
    assert check(idle, max_power_w=150_000) == ()


def test_B39_ad_hoc_below_50_kW_all_kinds_of_prices_in_order() -> None:
    ordered = read(element(ENERGY=5, TIME=6, PARKING_TIME=60, FLAT=10), type="AD_HOC_PAYMENT")
    assert check(ordered, max_power_w=49_999) == ()
    late = read(element(FLAT=10, ENERGY=5), element(TIME=5), type="AD_HOC_PAYMENT")
    assert told(check(late, max_power_w=22_000)) == [("afir_order", "elements[0].price_components[1]", "warning")]
    assert [price.path for price in price_list(late)] == [
        "elements[0].price_components[1]",
        "elements[1].price_components[0]",
        "elements[0].price_components[0]",
    ]


@pytest.mark.parametrize(
    ("tax", "limit", "shown"),
    [
        ("YES", {"before_taxes": 80}, "80.00 kr per session + VAT"),
        ("YES", {"before_taxes": 80, "after_taxes": 100}, "100.00 kr per session incl. VAT"),
        ("NO", {"before_taxes": 80, "after_taxes": 100}, "80.00 kr per session + VAT"),
        ("N/A", {"before_taxes": 80, "after_taxes": 100}, "80.00 kr per session"),
        ("N/A", {"before_taxes": 80}, "80.00 kr per session"),
    ],
)
def test_a_highest_price_is_shown_on_the_side_of_the_VAT_where_it_holds(
    tax: str, limit: dict[str, int], shown: str
) -> None:
    listed = price_list(read(WHOLE, tax_included=tax, max_price=limit))
    assert listed[-1].en == f"at most {shown}"


def test_where_no_tax_applies_the_stricter_least_price_is_shown() -> None:
    listed = price_list(read(WHOLE, tax_included="N/A", min_price={"before_taxes": 80, "after_taxes": 100}))
    assert listed[-1].sv == "minst 100,00 kr per laddning"


@pytest.mark.parametrize(
    ("power_w", "ad_hoc", "kind", "severity"),
    [
        (None, None, "AD_HOC_PAYMENT", Severity.WARNING),
        (None, None, None, Severity.WARNING),
        (150_000, None, "ad_hoc_payment", Severity.WARNING),
        (150_000, None, None, Severity.WARNING),
        (150_000, True, None, Severity.REFUSED),
        (150_000, True, "REGULAR", Severity.REFUSED),
        (150_000, False, None, None),
        (150_000, None, "REGULAR", None),
        (11_000, None, None, None),
    ],
)
def test_whose_tariff_it_is_and_where_decides(
    power_w: int | None, ad_hoc: bool | None, kind: str | None, severity: Severity | None
) -> None:
    tariff = read(element(ENERGY=5, FLAT=10), **({"type": kind} if kind else {}))
    found = [each.severity for each in check(tariff, max_power_w=power_w, ad_hoc=ad_hoc)]
    assert found == ([] if severity is None else [severity])


def test_ad_hoc_prices_are_known_before_the_start() -> None:
    terms = {"spot": {"zone": "SE3", "vat": 25}, "subscription": {"month_fee": "99", "vat": 25}}
    tariff = read(type="AD_HOC_PAYMENT", laddbok=terms)
    assert told(check(tariff, max_power_w=11_000)) == [
        ("afir_not_fixed", "laddbok.spot", "refused"),
        ("afir_not_fixed", "laddbok.subscription", "refused"),
    ]
    assert check(tariff, ad_hoc=False) == ()


def test_a_least_price_and_long_steps_are_no_prices_per_minute() -> None:
    tariff = read(element(ENERGY=5, PARKING_TIME=(60, 600)), type="AD_HOC_PAYMENT", min_price={"before_taxes": 10})
    found = check(tariff, max_power_w=50_000)
    assert told(found) == [
        ("afir_price", "elements[0].price_components[1]", "refused"),
        ("afir_price", "min_price", "refused"),
    ]


@pytest.mark.parametrize(("step", "is_refused"), [(1, False), (1_000, False), (1_001, True), (100_000, True)])
def test_energy_in_long_steps_is_no_price_per_kWh(step: int, is_refused: bool) -> None:
    tariff = read(element(ENERGY=(5, step)), type="AD_HOC_PAYMENT")
    refused = [("afir_price", "elements[0].price_components[0]", "refused")]
    assert told(check(tariff, max_power_w=50_000)) == refused * is_refused


@pytest.mark.parametrize(
    ("restrictions", "field"),
    [
        ({"min_kwh": 10, "max_kwh": 10}, "max_kwh"),
        ({"min_power": 50, "max_power": 22}, "max_power"),
        ({"min_current": 16, "max_current": 10}, "max_current"),
        ({"min_duration": 3600, "max_duration": 1800}, "max_duration"),
        ({"start_date": "2026-06-01", "end_date": "2026-06-01"}, "end_date"),
    ],
)
def test_what_can_never_hold_is_refused(restrictions: dict[str, Any], field: str) -> None:
    tariff = read(element(restrictions, ENERGY=1), WHOLE)
    assert told(check(tariff)) == [("contradiction", f"elements[0].restrictions.{field}", "refused")]


def test_dates_of_what_is_added_to_the_market_price_contradict_too() -> None:
    tax = {"per_kwh": "0.36", "start_date": "2027-01-01", "end_date": "2026-01-01"}
    tariff = read(type="REGULAR", laddbok={"spot": {"zone": "SE3", "vat": 25, "energy_tax": [tax]}})
    assert told(check(tariff)) == [("contradiction", "laddbok.spot.energy_tax[0].end_date", "refused")]


def test_a_tariff_that_ends_before_it_begins_is_refused() -> None:
    dates = {"start_date_time": "2026-06-01T00:00:00Z", "end_date_time": "2026-06-01T00:00:00Z"}
    assert told(check(read(WHOLE, **dates))) == [("contradiction", "end_date_time", "refused")]
    assert check(read(WHOLE, **{**dates, "end_date_time": "2026-06-01T00:00:01Z"})) == ()


def test_a_highest_price_below_nothing_is_refused_unless_sessions_may_be() -> None:
    below = {"type": "REGULAR", "max_price": {"before_taxes": -5}}
    assert told(check(read(WHOLE, **below))) == [("contradiction", "max_price", "refused")]
    assert check(read(WHOLE, **below, laddbok={"may_be_negative": True})) == ()
    assert check(read(WHOLE, type="REGULAR", max_price={"before_taxes": 0})) == ()


def test_an_idle_fee_that_is_exempt_all_week_is_told() -> None:
    day, night = {"start_time": "06:00", "end_time": "22:00"}, {"start_time": "22:00", "end_time": "06:00"}
    both = read(WHOLE, laddbok={"idle": {"per_min": 1, "exempt": [day, night]}})
    assert told(check(both)) == [("unreachable", "laddbok.idle.exempt", "warning")]
    assert check(read(WHOLE, laddbok={"idle": {"per_min": 1, "exempt": [night]}})) == ()


def test_hours_that_are_read_in_two_ways_are_told() -> None:
    tariff = read(element({"start_time": "08:00", "end_time": "08:00", "day_of_week": []}, ENERGY=1))
    assert told(check(tariff)) == [
        ("ambiguous", "elements[0].restrictions.end_time", "warning"),
        ("ambiguous", "elements[0].restrictions.day_of_week", "warning"),
    ]


@pytest.mark.parametrize(
    ("elements", "paths"),
    [
        ([WHOLE, element({"start_time": "22:00"}, ENERGY=1)], ["elements[1]"]),
        ([element({"start_time": "22:00"}, ENERGY=1), WHOLE], []),
        ([WHOLE, element({"start_time": "22:00"}, ENERGY=1, FLAT=1)], ["elements[1].price_components[0]"]),
        ([element({"max_kwh": 20}, ENERGY=1), element({"min_kwh": 5, "max_kwh": 20}, ENERGY=2), WHOLE], ["elements[1]"]),
        ([element({"max_kwh": 20}, ENERGY=1), element({"min_kwh": 5, "max_kwh": 21}, ENERGY=2), WHOLE], []),
        (
            [element({"day_of_week": ["SATURDAY", "SUNDAY"]}, ENERGY=1),
             element({"day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]}, ENERGY=2), WHOLE],
            ["elements[2]"],
        ),
        ([element({"start_time": "06:00", "end_time": "22:00"}, ENERGY=1),
          element({"start_time": "22:00", "end_time": "06:00"}, ENERGY=2), WHOLE], ["elements[2]"]),
        ([element({"min_current": 0}, ENERGY=1), WHOLE], []),
        ([element({"min_current": 0}, ENERGY=1), element({"min_current": 6}, ENERGY=1), WHOLE], ["elements[1]"]),
        ([element({"moon_phase": "full"}, ENERGY=1), WHOLE], []),
        ([element({"reservation": "RESERVATION"}, FLAT=1), element(FLAT=1)], []),
        ([element({"end_date": "2027-01-01"}, ENERGY=1), element({"end_date": "2026-01-01"}, ENERGY=2), WHOLE],
         ["elements[1]"]),
    ],
)  # fmt: skip
def test_an_element_that_never_applies_is_found(elements: list[dict[str, Any]], paths: list[str]) -> None:
    assert [each.path for each in check(read(*elements)) if each.code.value == "unreachable"] == paths


def test_the_hours_that_a_week_forgets_are_named() -> None:
    work = element({"start_time": "08:00", "end_time": "18:00", "day_of_week": ["MONDAY", "TUESDAY"]}, ENERGY=1)
    [finding] = check(
        read(work, element({"day_of_week": ["SATURDAY"]}, ENERGY=2, FLAT=1), element(FLAT=2)), ad_hoc=False
    )
    assert finding.en == "ENERGY has no price Mon-Tue 00:00-08:00 18:00-24:00, Wed-Fri 00:00-24:00, Sun 00:00-24:00"
    assert finding.sv == "ENERGY har inget pris mån-tis 00:00-08:00 18:00-24:00, ons-fre 00:00-24:00, sön 00:00-24:00"
    assert (finding.code.value, finding.severity) == ("hole", Severity.WARNING)


def test_the_energy_tax_of_next_year_is_missing() -> None:
    taxes = [{"per_kwh": "0.36", "start_date": "2026-01-01", "end_date": "2027-01-01"}]
    terms = {"spot": {"zone": "SE3", "vat": 25, "energy_tax": taxes}}
    [finding] = check(read(type="REGULAR", laddbok=terms), today=date(2026, 11, 25))
    assert (finding.path, finding.en) == ("laddbok.spot.energy_tax", "nothing is added from 2027-01-01")
    for today, told_of in (
        (None, 2),
        (date(2025, 12, 31), 2),
        (date(2026, 1, 1), 1),
    ):  # before 2026 there is none either
        assert len(check(read(type="REGULAR", laddbok=terms), today=today)) == told_of


def test_what_is_past_is_told() -> None:
    tariff = read(element({"end_date": "2026-01-01"}, ENERGY=1), WHOLE)
    assert told(check(tariff, today=date(2026, 1, 1))) == [("past", "elements[0].restrictions.end_date", "warning")]
    assert check(tariff, today=date(2025, 12, 31)) == check(tariff) == ()


def test_what_is_amiss_with_money_is_told() -> None:
    tariff = read(element(vat=None, ENERGY=-1, PARKING_TIME=0), laddbok={"idle": {"per_min": 1}})
    assert [each[:2] for each in told(check(tariff))] == [
        ("vat_absent", "elements[0].price_components[0].vat"),
        ("vat_absent", "laddbok.idle.vat"),
        ("negative_price", "elements[0].price_components[0].price"),
        ("idle_and_parking", "laddbok.idle"),
    ]
    assert check(read(element(ENERGY=-1), laddbok={"may_be_negative": True})) == ()


@pytest.mark.parametrize(
    ("spot_vat", "fees", "is_missing"),
    [(25, {}, False), (25, {"FLAT": 5}, False), (12, {"FLAT": 5}, True), (25, {"vat": None, "FLAT": 0}, True)],
)
def test_the_vat_of_an_idle_fee_is_missing_where_a_rating_does_not_know_it(
    spot_vat: int, fees: dict[str, Any], is_missing: bool
) -> None:
    terms = {"spot": {"zone": "SE3", "vat": spot_vat}, "idle": {"per_min": 2}}
    tariff = read(*([element(**fees)] if fees else []), type="REGULAR", laddbok=terms)
    assert (compile_tariff(tariff, None).idle.component.vat_percent is None) is is_missing
    assert told(check(tariff)) == [("vat_absent", "laddbok.idle.vat", "warning")] * is_missing


def test_every_finding_speaks_both_languages() -> None:
    tariff = read(element({"moon": 1}, vat=None, FLAT=-1), type="AD_HOC_PAYMENT")
    for finding in check(tariff, max_power_w=50_000):
        assert finding.en and finding.sv and finding.en != finding.sv


def test_a_week_is_written_with_days_of_the_same_hours_together() -> None:
    def text(language: str, **hours: Any) -> str:
        found = box(Restrictions(**hours))
        assert found is not None
        return week_text(found.minutes, language)

    assert text("sv") == "mån-sön 00:00-24:00"
    assert text("en", start_time="22:00", end_time="06:30") == "Mon-Sun 00:00-06:30 22:00-24:00"


seeds = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(seeds, seeds)
def test_what_is_called_unreachable_never_prices_anything(session_seed: int, tariff_seed: int) -> None:
    pick = random.Random(tariff_seed)
    document = some_tariff(tariff_seed)
    document["elements"] += pick.choices(document["elements"], k=2)
    tariff = parse_tariff(document)
    never = set(_never(tariff))
    assert never or not all(box(each.restrictions) for each in tariff.elements)
    rating = rate(some_session(session_seed), compile_tariff(tariff, STOCKHOLM))
    assert not never & {(line.element, line.kind) for line in rating.lines}


def _never(tariff: Tariff) -> Iterator[tuple[int, LineKind]]:
    """Element and dimension of what check() calls unreachable."""
    for finding in check(tariff):
        if finding.code.value == "unreachable":
            i, *rest = (int(number) for number in re.findall(r"\[(\d+)\]", finding.path))
            components = tariff.elements[i].price_components
            yield from ((i, KINDS[each.type]) for each in ([components[rest[0]]] if rest else components))


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_hole_has_no_line_and_what_is_none_has_one(seed: int) -> None:
    pick = random.Random(seed)
    days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
    times = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    elements = []
    for _ in range(pick.randrange(1, 5)):
        start, end = pick.sample(times, 2)
        hours: dict[str, Any] = {
            "start_time": start,
            "end_time": end,
            "day_of_week": pick.sample(days, pick.randrange(1, 8)),
        }
        if pick.random() < 0.3:
            hours["end_date"] = "2026-05-07"
        elements.append(element(hours, ENERGY=1))
    tariff = read(*elements)
    compiled = compile_tariff(tariff, "UTC")
    found = list(holes(hole_boxes(tariff)[Dimension.ENERGY]))
    monday = datetime(2026, 5, 4, tzinfo=UTC)
    for quarter in pick.sample(range(7 * 96), 60):
        at = monday + timedelta(minutes=15 * quarter)
        cdr = session(at, (15, Activity.CHARGING, 1_000), time_zone="UTC")
        in_hole = any(
            hole.minutes >> 15 * quarter & 1
            for hole in found
            if (hole.start is None or hole.start <= at.date()) and (hole.end is None or at.date() < hole.end)
        )
        assert bool(rate(cdr, compiled).lines) is not in_hole, at


def test_very_many_findings_are_cut_what_is_refused_first() -> None:
    never = {"min_kwh": 2, "max_kwh": 1}
    elements = [element(vat=None, ENERGY=1) for _ in range(MAX_COMPARED + 1)]
    found = check(read(*elements, element(never, ENERGY=1)))
    assert (len(found), found[0].code.value) == (MAX_FINDINGS, "contradiction")
    assert "unreachable" not in {finding.code.value for finding in found}
    fewer = check(read(*elements[: MAX_COMPARED // 4], type="REGULAR"))
    assert len([each for each in fewer if each.code.value == "unreachable"]) == MAX_COMPARED // 4 - 1

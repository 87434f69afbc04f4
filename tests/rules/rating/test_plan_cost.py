"""Does a comparison of price plans come to what each plan would have billed, and name what it can't price?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from laddbok.model.cdr import Cdr, Reservation
from laddbok.model.errors import Invalid
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compare_plans import Comparison, compare, together
from laddbok.rating.compile import compile_tariff
from laddbok.rating.month_fee import Days, Month
from laddbok.rating.other_years import moved, weeks_of
from laddbok.rating.plan_cost import NOTHING, Amount, PlanCost, months_between, plan_cost, whole_months
from laddbok.rating.rate import rate
from tests.rules.rating.building import CHARGING, IDLE, STOCKHOLM, element, local, session

ZONE = ZoneInfo(STOCKHOLM)
MAY_1, MAY_2 = (session(f"2026-05-0{day}T10:00", (60, CHARGING, 60_000), session_id=f"MAY{day}") for day in (1, 2))
JULY = session("2026-07-31T23:30", (60, CHARGING, 40_000), session_id="AUGUST")


def tariff(name: str = "T", *elements: dict[str, Any], **more: Any) -> Tariff:
    return parse_tariff({"id": name, "currency": "SEK", "elements": list(elements), **more})


def subscription(fee: str = "99", to_kwh: int = 100, price: float = 2) -> Tariff:
    terms = {"month_fee": fee, "tiers": [{"to_kwh": to_kwh, "per_kwh": 0}], "vat": 25}
    return tariff("sub", element(ENERGY=price), laddbok={"subscription": terms})


def cost_of(terms: Tariff, *cdrs: Cdr, **more: Any) -> PlanCost:
    return plan_cost(terms.id, terms, cdrs, ZONE, whole_months(cdrs, ZONE), **more)


def market(*cdrs: Cdr, price: str = "0.50") -> dict[tuple[str, str], SpotPrices]:
    """The price of every quarter of these sessions."""
    starts = {
        at_s - at_s % QUARTER_S
        for cdr in cdrs
        for at_s in range(int(cdr.started_at.timestamp()), int(cdr.periods[-1].end_at.timestamp()), 60)
    }
    prices = SpotPrices(zone="SE3", currency="SEK", source="test", by_start_s=dict.fromkeys(starts, Decimal(price)))
    return {("SE3", "SEK"): prices}


def totals(found: Comparison) -> dict[str, Decimal | None]:
    return {plan.plan: plan.total.incl_vat for plan in found.plans}


def test_a_plans_total_is_what_it_would_have_billed() -> None:
    plain = tariff("plain", element(ENERGY=3, FLAT=5))
    cost = cost_of(plain, MAY_1, JULY)
    billed = [rate(cdr, compile_tariff(plain, STOCKHOLM)) for cdr in (MAY_1, JULY)]
    assert [each.rated for each in cost.sessions] == [Amount(each.excl_vat, each.incl_vat) for each in billed]
    [total] = compare([cost]).plans
    assert total.total == Amount(Decimal("310.00"), Decimal("387.50"))
    assert total.months == {
        "2026-05": Amount(Decimal("185.00"), Decimal("231.25")),
        "2026-08": Amount(Decimal("125.00"), Decimal("156.25")),
    }


def test_B41_the_included_energy_of_each_month_is_taken_off() -> None:
    cost = cost_of(subscription(), MAY_2, MAY_1, JULY)
    # 100 kWh are included in May, all 60 of the 1st and 40 of the 2nd; August has a hundred of its own.
    assert [each.included.excl_vat for each in cost.sessions] == [Decimal(-80), Decimal(-120), Decimal(-80)]
    assert [fee.month for fee in cost.fees] == ["2026-05", "2026-06", "2026-07", "2026-08"]
    [total] = compare([cost]).plans
    assert total.fees == Amount(Decimal("396.00"), Decimal("495.00"))
    assert total.total.excl_vat == Decimal("320.00") - Decimal("280.00") + Decimal("396.00")
    assert total.months["2026-06"] == Amount(Decimal("99.00"), Decimal("123.75"))


def test_the_cheapest_plan_is_named_and_so_are_two_that_are_alike() -> None:
    cheap, dear = tariff("cheap", element(ENERGY=1)), tariff("dear", element(ENERGY=2))
    assert compare([cost_of(dear, MAY_1), cost_of(cheap, MAY_1)]).cheapest == ("cheap",)
    same = replace(cheap, id="same")
    assert compare([cost_of(cheap, MAY_1), cost_of(same, MAY_1)]).cheapest == ("cheap", "same")


def test_B37_a_session_without_a_market_price_is_named_and_left_out_of_every_plan() -> None:
    spot = tariff("spot", laddbok={"spot": {"zone": "SE3", "vat": 25}})
    plain = tariff("plain", element(ENERGY=3))
    found = compare([cost_of(spot, MAY_1, MAY_2, prices=market(MAY_1)), cost_of(plain, MAY_1, MAY_2)])
    assert [(each.session_id, each.plan, each.why) for each in found.left_out] == [
        ("MAY2", "spot", "no market price at 2026-05-02T08:00:00Z")
    ]
    assert (found.session_count, found.energy_wh) == (1, 60_000)
    assert totals(found) == {"spot": Decimal("37.50"), "plain": Decimal("225.00")}


def test_B37_without_any_market_price_nothing_is_priced_at_nothing() -> None:
    spot = tariff("spot", laddbok={"spot": {"zone": "SE3", "vat": 25}})
    for prices in (None, {}, {("SE4", "SEK"): market(MAY_1)["SE3", "SEK"]}):
        cost = cost_of(spot, MAY_1, prices=prices)
        assert (cost.sessions[0].rated, cost.sessions[0].why is None) == (NOTHING, False)


def test_energy_of_a_session_without_a_price_counts_towards_the_tiers() -> None:
    terms = {"tiers": [{"to_kwh": 100, "per_kwh": 0}], "vat": 25}
    spot = tariff("spot", laddbok={"spot": {"zone": "SE3", "vat": 25}, "subscription": terms})
    cost = cost_of(spot, MAY_1, MAY_2, prices=market(MAY_2))
    assert cost.sessions[0].why is not None
    # The first session used 60 of the 100 kWh that are included, so 40 of the second are.
    assert cost.sessions[1].included == Amount(Decimal("-20.00"), Decimal("-25.00"))


def test_a_plan_that_needs_a_time_zone_that_is_none_prices_nothing() -> None:
    lost = replace(MAY_1, time_zone="Mars/Phobos")
    [found] = cost_of(tariff("T", element(ENERGY=1)), lost).sessions
    assert found.why is not None and "Mars/Phobos" in found.why


def test_contracts_together_are_their_sums() -> None:
    plain, sub = tariff("plain", element(ENERGY=3)), subscription()
    each = [compare([cost_of(plain, cdr), cost_of(sub, cdr)]) for cdr in (MAY_1, JULY)]
    found = together(each)
    assert found.session_count == 2
    assert totals(found) == {
        name: sum((totals(one)[name] or Decimal(0) for one in each), Decimal(0)) for name in ("plain", "sub")
    }
    assert found.cheapest == ("sub",)
    assert list(found.plans[0].months) == ["2026-05", "2026-08"]


def test_plans_are_compared_with_vat_or_all_without() -> None:
    silent = tariff("silent", element(ENERGY=3, vat=None))
    found = compare([cost_of(silent, MAY_1), cost_of(tariff("plain", element(ENERGY=2)), MAY_1)])
    assert (found.side, found.cheapest) == ("excl_vat", ("plain",))
    gross = tariff("gross", element(ENERGY=3, vat=None), tax_included="YES")
    with pytest.raises(Invalid, match="can't be compared"):
        compare([cost_of(silent, MAY_1), cost_of(gross, MAY_1)])


def test_what_can_not_be_compared_is_refused() -> None:
    plain = cost_of(tariff("plain", element(ENERGY=3)), MAY_1)
    for costs, field in (([], "plans"), ([plain, plain], "plans")):
        with pytest.raises(Invalid) as caught:
            compare(costs)
        assert caught.value.field == field
    with pytest.raises(Invalid, match="EUR and SEK"):
        compare([plain, replace(plain, plan="euro", currency="EUR")])


def test_a_span_of_days_is_charged_by_its_days() -> None:
    spans = months_between(local("2026-05-16T00:00"), local("2026-07-11T00:00"), ZONE)
    assert spans == (
        (Month(2026, 5), Days(15, 31)), (Month(2026, 6), Days(0, 30)), (Month(2026, 7), Days(0, 10)),
    )  # fmt: skip
    cost = plan_cost("sub", subscription(), [MAY_1], ZONE, spans)
    assert [str(fee.excl_vat) for fee in cost.fees] == ["51.10", "99.00", "31.94"]
    assert months_between(local("2026-05-01T00:00"), local("2026-06-01T00:00"), ZONE) == (
        (Month(2026, 5), Days(0, 31)),
    )
    with pytest.raises(Invalid, match="months"):
        months_between(datetime(1900, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), ZONE)
    assert whole_months([], ZONE) == ()


def test_a_session_in_another_year_keeps_its_weekday_and_its_time_of_day() -> None:
    night = session("2019-10-26T23:30", (300, CHARGING, 10_000), (60, IDLE, 0))  # the clock is put back in that night
    later = moved(replace(night, reservation=Reservation(start_at=night.started_at, end_at=night.started_at)), 6)
    start = later.started_at.astimezone(ZONE)
    assert (start.isoformat(), start.weekday()) == ("2025-10-25T23:30:00+02:00", 5)
    assert later.periods[-1].end_at - later.started_at == timedelta(minutes=360)
    assert later.reservation is not None and later.reservation.end_at == later.started_at
    assert [p.energy_wh for p in later.periods] == [p.energy_wh for p in night.periods]
    assert moved(night, 0) is night
    spring = session("2019-03-30T12:00", (60, CHARGING, 1_000))  # winter time then, summer time six years later
    assert moved(spring, 6).started_at.astimezone(ZONE).isoformat() == "2025-03-29T12:00:00+01:00"
    assert moved(spring, 5).started_at.astimezone(ZONE).isoformat() == "2024-03-30T12:00:00+01:00"
    assert moved(spring, 1).started_at.astimezone(ZONE).isoformat() == "2020-03-28T12:00:00+01:00"
    summer = session("2019-03-31T12:00", (60, CHARGING, 1_000))  # winter time a year before
    assert moved(summer, -1).started_at.astimezone(ZONE).isoformat() == "2018-04-01T12:00:00+02:00"


@pytest.mark.parametrize("years", [-100, -7, -1, 1, 2, 5, 28, 100])
def test_a_shift_is_never_more_than_half_a_week_off(years: int) -> None:
    assert abs(weeks_of(years) * 7 - years * 365.2425) <= 3.5


def test_a_shift_out_of_the_calendar_is_refused() -> None:
    with pytest.raises(Invalid):
        weeks_of(101)
    far = session(datetime(9990, 1, 1, tzinfo=UTC), (60, CHARGING, 1_000))
    with pytest.raises(Invalid, match="calendar"):
        moved(far, 50)

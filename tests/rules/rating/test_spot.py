"""Does energy at the market's price cost what each quarter says?"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import CHARGING, IDLE, codes, element, local, session, tariff


def spot(*elements: dict[str, Any], terms: dict[str, Any] | None = None, **more: Any) -> CompiledTariff:
    """The spot price of SE3 and these terms, beside these elements."""
    ours = {"spot": {"zone": "SE3", "vat": 25, **(terms or {})}, **more}
    return tariff(*elements, laddbok=ours)


def quarters(start: str, *per_kwh: str, fold: int = 0) -> SpotPrices:
    """Prices from a local time on, quarter by quarter; "" is a gap."""
    first_s = int(local(start, fold).timestamp())
    known = {first_s + n * QUARTER_S: Decimal(price) for n, price in enumerate(per_kwh) if price}
    return SpotPrices(zone="SE3", currency="SEK", source="test", by_start_s=known)


ADDED = {"markup": "0.05", "grid": [{"per_kwh": "0.25"}], "energy_tax": [{"per_kwh": "0.36"}]}


def test_B36_a_negative_market_price() -> None:
    rating = rate(
        session("2026-05-08T08:00", (15, CHARGING, 1_000)),
        spot(terms=ADDED),
        prices=quarters("2026-05-08T08:00", "-0.32"),
    )
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("0.34"), Decimal("0.43"))
    assert [line.price for line in rating.lines] == [Decimal("0.34")]


def test_B36_with_VAT_it_is_0_425_a_kilowatt_hour() -> None:
    rating = rate(
        session("2026-05-08T08:00", (15, CHARGING, 10_000)),
        spot(terms=ADDED),
        prices=quarters("2026-05-08T08:00", "-0.32"),
    )
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("3.40"), Decimal("4.25"))


def test_B36_the_floor_is_per_session_never_per_quarter() -> None:
    cdr = session("2026-05-08T08:00", (30, CHARGING, 2_000))
    dear_then_cheap = quarters("2026-05-08T08:00", "1.00", "-0.60")
    assert rate(cdr, spot(), prices=dear_then_cheap).excl_vat == Decimal("0.40")
    cheap = quarters("2026-05-08T08:00", "0.10", "-0.60")
    rating = rate(cdr, spot(), prices=cheap)
    assert (rating.excl_vat, rating.incl_vat, codes(rating)) == (
        Decimal("0.00"),
        Decimal("0.00"),
        {"not_below_nothing"},
    )
    assert sum(line.excl_vat or 0 for line in rating.lines) == 0
    allowed = rate(cdr, spot(may_be_negative=True), prices=cheap)
    assert (allowed.excl_vat, allowed.incl_vat) == (Decimal("-0.50"), Decimal("-0.63"))


def test_B37_a_quarter_without_a_price_is_pending() -> None:
    cdr = session("2026-05-08T08:00", (45, CHARGING, 3_000))
    rating = rate(cdr, spot(element(FLAT=5)), prices=quarters("2026-05-08T08:00", "1.00", "", "2.00"))
    assert (rating.excl_vat, rating.incl_vat, codes(rating)) == (None, None, {"price_pending"})
    pending = [(line.quantity, line.price, line.excl_vat) for line in rating.lines if line.pending]
    assert pending == [(1_000, None, None)]
    assert [line.excl_vat for line in rating.lines if not line.pending] == [Decimal(5), Decimal(1), Decimal(2)]


def test_a_quarter_that_waits_in_two_lines_is_one_quarter() -> None:
    fees = [{"per_kwh": "0.15", "end_time": "08:20"}, {"per_kwh": "0.25"}]
    rating = rate(session("2026-05-08T08:00", (30, CHARGING, 3_000)), spot(terms={"grid": fees}))
    assert len(rating.lines) == 3
    assert [finding.text[:35] for finding in rating.findings] == ["the market price of 2 quarters from"]


def test_B37_nothing_is_known() -> None:
    assert rate(session("2026-05-08T08:00", (45, CHARGING, 3_000)), spot()).excl_vat is None


def test_B3_the_two_hours_of_the_same_name_have_their_own_prices() -> None:
    """On the night in autumn 02:00 to 03:00 comes twice."""
    cdr = session(local("2026-10-25T02:00"), (60, CHARGING, 4_000), (60, CHARGING, 4_000))
    prices = quarters("2026-10-25T02:00", *["1.00"] * 4, *["3.00"] * 4)
    rating = rate(cdr, spot(), prices=prices)
    assert rating.excl_vat == Decimal("16.00")
    assert [line.price for line in rating.lines] == [Decimal("1.00")] * 4 + [Decimal("3.00")] * 4


def test_the_lines_are_shares_of_one_amount() -> None:
    """Three thirds of an öre are one öre, though each rounds to nothing."""
    cdr = session("2026-05-08T08:00", (45, CHARGING, 9))
    rating = rate(cdr, spot(), prices=quarters("2026-05-08T08:00", *["1.12"] * 3))
    assert rating.excl_vat == Decimal("0.01")
    assert [line.excl_vat for line in rating.lines] == [Decimal("0.01"), Decimal("0.00"), Decimal("0.00")]


def test_a_period_over_many_quarters_is_cut_and_estimated() -> None:
    cdr = session("2026-05-08T08:00", (30, CHARGING, 2_000))
    rating = rate(cdr, spot(), prices=quarters("2026-05-08T08:00", "1.00", "2.00"))
    assert [(line.quantity, line.estimated) for line in rating.lines] == [(1_000, True), (1_000, True)]


def test_B10_the_energy_tax_changes_at_local_midnight() -> None:
    tax = [
        {"per_kwh": "0.36", "end_date": "2027-01-01"},
        {"per_kwh": "0.40", "start_date": "2027-01-01"},
    ]
    cdr = session("2026-12-31T23:45", (15, CHARGING, 1_000), (15, CHARGING, 1_000))
    prices = quarters("2026-12-31T23:45", "1.00", "1.00")
    rating = rate(cdr, spot(terms={"energy_tax": tax}), prices=prices)
    assert [line.price for line in rating.lines] == [Decimal("1.36"), Decimal("1.40")]
    from_start = rate(cdr, spot(terms={"energy_tax": tax}, at_tax_change="start"), prices=prices)
    assert [line.price for line in from_start.lines] == [Decimal("1.36"), Decimal("1.36")]


def test_B10_VAT_changes_at_local_midnight_and_the_energy_is_interpolated() -> None:
    old, new = {"end_date": "2027-01-01"}, {"start_date": "2027-01-01"}
    changing = tariff(element(old, vat=25, ENERGY=1), element(new, vat=12, ENERGY=1))
    rating = rate(session("2026-12-31T23:30", (60, CHARGING, 10_000)), changing)
    told = [(line.quantity, line.vat_percent, line.estimated) for line in rating.lines]
    assert told == [(5_000, Decimal(25), True), (5_000, Decimal(12), True)]
    read_there = rate(session("2026-12-31T23:30", (30, CHARGING, 6_000), (30, CHARGING, 4_000)), changing)
    assert [(line.quantity, line.estimated) for line in read_there.lines] == [(6_000, False), (4_000, False)]


def test_the_grid_fee_of_the_day_and_of_the_night() -> None:
    grid = [{"per_kwh": "0.50", "start_time": "06:00", "end_time": "22:00"}, {"per_kwh": "0.10"}]
    cdr = session("2026-05-08T21:45", (15, CHARGING, 1_000), (15, CHARGING, 1_000), (15, IDLE, 0))
    rating = rate(cdr, spot(terms={"grid": grid}), prices=quarters("2026-05-08T21:45", "1.00", "1.00"))
    assert [line.price for line in rating.lines] == [Decimal("1.50"), Decimal("1.10")]


def test_included_energy_comes_before_the_market() -> None:
    months = {"subscription": {"tiers": [{"to_kwh": 100, "per_kwh": 0}, {"to_kwh": 200, "per_kwh": "0.50"}]}}
    cdr = session("2026-05-08T08:00", (15, CHARGING, 1_000), (15, CHARGING, 2_000))
    prices = quarters("2026-05-08T08:00", "3.00", "3.00")
    rating = rate(cdr, spot(**months), prices=prices, tier_ends_wh=(500, 1_500))
    lines = [(line.tier, line.quantity, line.excl_vat) for line in rating.lines]
    assert lines == [(0, 500, Decimal("0.00")), (1, 1_000, Decimal("0.50")), (None, 1_500, Decimal("4.50"))]


def test_tiers_of_a_plain_tariff() -> None:
    months = {"subscription": {"tiers": [{"to_kwh": 100, "per_kwh": 0}]}}
    rating = rate(
        session("2026-05-08T08:00", (15, CHARGING, 1_000)),
        tariff(element(ENERGY=2), laddbok=months),
        tier_ends_wh=(600,),
    )
    assert [(line.tier, line.quantity) for line in rating.lines] == [(0, 600), (None, 400)]
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("0.80"), Decimal("1.00"))


@pytest.mark.parametrize(
    ("ours", "more", "field"),
    [
        ({"spot": {"zone": "SE3"}}, {"tax_included": "YES"}, "laddbok.spot"),
        ({"spot": {"zone": "SE3"}}, {"elements": [element(ENERGY=1)]}, "laddbok.spot"),
        ({"spot": {"zone": "se 3"}}, {}, "laddbok.spot.zone"),
        ({"spot": {"zone": "SE3", "grid": [{"per_kwh": 1, "start_time": "25:00"}]}}, {}, "laddbok.spot.grid[0].start_time"),
        ({"spot": {"zone": "SE3", "energy_tax": [{"per_kwh": -1}]}}, {}, "laddbok.spot.energy_tax[0].per_kwh"),
        ({"subscription": {"tiers": [{"to_kwh": 9, "per_kwh": 1}] * 2}}, {"elements": [element(ENERGY=1)]}, "laddbok.subscription.tiers"),
    ],
)  # fmt: skip
def test_terms_that_can_be_read_in_two_ways_are_refused(ours: dict[str, Any], more: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_tariff({"id": "T", "currency": "SEK", "laddbok": ours, **more})
    assert caught.value.field == field


def test_an_unfinished_quarter_is_priced_as_far_as_it_went() -> None:
    start_at = local("2026-05-08T08:05")
    rating = rate(session(start_at, (5, CHARGING, 600)), spot(), prices=quarters("2026-05-08T08:00", "2.00"))
    [line] = rating.lines
    assert (line.excl_vat, line.end_at - line.start_at) == (Decimal("1.20"), timedelta(minutes=5))

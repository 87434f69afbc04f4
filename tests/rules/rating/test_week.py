"""Does the week show what a session that begins at a quarter hour pays?"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.model.errors import Invalid
from laddbok.model.rated import LineKind, RatedLine
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.example_session import example_session
from laddbok.rating.rate import rate
from laddbok.rating.week import WeekQuarter, week
from tests.rules.rating.building import CHARGING, STOCKHOLM, element, local, quantities, session, tariff
from tests.rules.rating.test_properties import seeds, some_tariff

MONDAYS = [date(2026, 3, 23), date(2026, 10, 19), date(2026, 5, 4), date(2026, 12, 28)]
NIGHT = {"start_time": "22:00", "end_time": "06:00"}


def at(compiled: CompiledTariff, start: str, fold: int = 0, **how: Any) -> WeekQuarter:
    """The quarter hour that begins at a local time."""
    days = week(compiled, date.fromisoformat(start[:10]), **how)
    [found] = [quarter for quarter in days[0].quarters if quarter.start_at == local(start, fold)]
    return found


def first_energy(
    compiled: CompiledTariff, started_at: datetime, power_w: int, prices: SpotPrices | None
) -> RatedLine | None:
    """What the first Wh of a session costs that begins then."""
    cdr = session(started_at, (1 / 60, CHARGING, 1))
    cdr = replace(cdr, periods=(replace(cdr.periods[0], max_power_w=power_w),))
    return next((line for line in rate(cdr, compiled, prices=prices).lines if line.kind is LineKind.ENERGY), None)


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from(MONDAYS), st.integers(0, 671), st.sampled_from([3_600, 11_000, 50_000]))
def test_a_quarter_costs_what_a_session_pays_that_begins_there(seed: int, monday: date, n: int, power_w: int) -> None:
    compiled = compile_tariff(parse_tariff(some_tariff(seed)), STOCKHOLM)
    quarters = [quarter for day in week(compiled, monday, power_w=power_w) for quarter in day.quarters]
    quarter = quarters[min(n, len(quarters) - 1)]
    line, told = first_energy(compiled, quarter.start_at, power_w, None), quarter.price
    assert (line and (line.price, line.element)) == (told and (told.price, told.element))


@pytest.mark.parametrize("monday", MONDAYS)
def test_a_quarter_at_the_market_costs_what_a_session_pays(monday: date) -> None:
    """Every third price is missing; the grid fee depends on the hour and the tax on the date."""
    grid = [{"per_kwh": "0.50", "start_time": "06:00", "end_time": "22:00"}, {"per_kwh": "0.10"}]
    tax = [{"per_kwh": "0.36", "end_date": "2027-01-01"}, {"per_kwh": "0.40", "start_date": "2027-01-01"}]
    terms = {"zone": "SE3", "markup": "0.05", "grid": grid, "energy_tax": tax, "vat": 25}
    compiled = tariff(laddbok={"spot": terms})
    start_s = int(local(f"{monday}T00:00").timestamp())
    known = {start_s + n * QUARTER_S: Decimal(n).scaleb(-2) for n in range(700) if n % 3}
    prices = SpotPrices(zone="SE3", currency="SEK", source="test", by_start_s=known)
    for day in week(compiled, monday, prices=prices):
        for quarter in day.quarters[::7]:
            line = first_energy(compiled, quarter.start_at, 11_000, prices)
            assert line and quarter.price
            assert (line.price, line.pending, line.parts) == (
                quarter.price.price,
                quarter.price.pending,
                quarter.price.parts,
            )


def test_the_days_of_the_week_have_the_hours_that_they_have() -> None:
    compiled = tariff(element(ENERGY=1))
    assert [len(day.quarters) for day in week(compiled, MONDAYS[0])] == [96] * 6 + [92]
    assert [len(day.quarters) for day in week(compiled, MONDAYS[1])] == [96] * 6 + [100]
    night = [quarter.second_of_day // 3600 for quarter in week(compiled, date(2026, 10, 25))[0].quarters[:20:4]]
    assert night == [0, 1, 2, 2, 3]
    assert {quarter.second_of_day // 3600 for quarter in week(compiled, date(2026, 3, 29))[0].quarters[:12]} == {
        0,
        1,
        3,
    }


def test_every_quarter_follows_the_one_before_it() -> None:
    for monday in MONDAYS:
        starts = [quarter.start_at for day in week(tariff(element(ENERGY=1)), monday) for quarter in day.quarters]
        assert starts == [starts[0] + n * timedelta(seconds=QUARTER_S) for n in range(len(starts))]


def test_day_and_night() -> None:
    compiled = tariff(element(NIGHT, ENERGY="1.90"), element(ENERGY="2.50"), tax_included="YES")
    night, morning = at(compiled, "2026-05-04T05:45").price, at(compiled, "2026-05-04T06:00").price
    assert night and morning
    assert (night.incl_vat, night.excl_vat) == (Decimal("1.90"), Decimal("1.5200"))
    assert (morning.incl_vat, morning.excl_vat, morning.element) == (Decimal("2.50"), Decimal("2.0000"), 1)
    assert night == at(compiled, "2026-05-04T22:00").price


@pytest.mark.parametrize(
    ("tax", "vat", "sides"),
    [
        ("NO", 25, ("1.0001", "1.2501")),
        ("YES", 25, ("0.8001", "1.0001")),
        ("N/A", 25, ("1.0001", "1.0001")),
        ("NO", None, ("1.0001", None)),
        ("YES", None, (None, "1.0001")),
    ],
)
def test_a_price_before_and_after_vat(tax: str, vat: int | None, sides: tuple[str | None, str | None]) -> None:
    price = at(tariff(element(vat=vat, ENERGY="1.0001"), tax_included=tax), "2026-05-04T12:00").price
    assert price
    assert (price.excl_vat, price.incl_vat) == tuple(None if side is None else Decimal(side) for side in sides)


def test_what_nothing_prices_has_no_price_and_free_has_one() -> None:
    assert at(tariff(element(NIGHT, ENERGY=1), element(FLAT=5)), "2026-05-04T12:00").price is None
    free = at(tariff(element(vat=None, ENERGY=0)), "2026-05-04T12:00").price
    assert free and (free.excl_vat, free.incl_vat, free.pending) == (0, 0, False)


def test_the_power_decides_where_the_tariff_asks_for_it() -> None:
    compiled = tariff(element({"min_power": 50}, ENERGY=6), element(ENERGY=4))
    slow, fast = at(compiled, "2026-05-04T12:00"), at(compiled, "2026-05-04T12:00", power_w=50_000)
    assert slow.price and fast.price and (slow.price.price, fast.price.price) == (4, 6)


def test_a_change_inside_a_quarter_is_told() -> None:
    compiled = tariff(element({"start_time": "06:10", "end_time": "22:00"}, ENERGY=2), element(ENERGY=1))
    told = [quarter.second_of_day for quarter in week(compiled, date(2026, 5, 4))[0].quarters if quarter.changes]
    assert told == [6 * 3600]


def test_a_week_that_cannot_be_shown_is_refused() -> None:
    timeless = compile_tariff(parse_tariff({"id": "T", "currency": "SEK", "elements": [element(ENERGY=1)]}), None)
    with pytest.raises(Invalid, match="time_zone"):
        week(timeless, MONDAYS[0])
    for day in (date.min, date.max):
        with pytest.raises(Invalid, match="from_date"):
            week(tariff(element(ENERGY=1)), day)


def test_an_example_session_is_priced_like_any_other() -> None:
    compiled = tariff(element(ENERGY=2), laddbok={"idle": {"per_min": 1, "grace_s": 900}})
    rating = rate(example_session(datetime(2026, 5, 4, 10, 7, tzinfo=UTC), 12_345, 5_000, 1_200, STOCKHOLM), compiled)
    assert quantities(rating) == [("energy", 12_345), ("idle", 300)]
    assert rating.final and not any(line.estimated for line in rating.lines)

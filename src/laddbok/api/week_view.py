"""How does a week of prices look from outside?

As a table: each day names the local time of its quarter hours and, for each, the place of its price in one list of
prices, so that a tariff with two prices says two prices and not 672.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from laddbok.api.price_view import PriceFinding, finding_view, restriction_of
from laddbok.api.timeline_text import Text
from laddbok.model.rated import PriceParts
from laddbok.model.tariff import Tariff, TaxIncluded
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.week import WeekDay, WeekPrice, WeekQuarter


class GridPrice(msgspec.Struct):
    """A price per kWh: as written, before and after VAT; null: not known. `restriction` is when it applies, null: always.

    `pending`: the market's price is not known yet.
    """

    per_kwh: Decimal | None
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    vat_rate: Decimal | None
    element: int | None
    restriction: Text | None
    parts: PriceParts | None
    pending: bool


class GridDay(msgspec.Struct):
    """A local day. `times` are its quarter hours by the clock on the wall, in the order in which they pass; 92 to 100 of them.

    `cells` are places in `prices`, null where nothing prices energy. `changes` names the quarters within which another
    price begins.
    """

    date: date
    start_at: datetime
    times: list[str]
    cells: list[int | None]
    changes: list[int]


class WeekGrid(msgspec.Struct):
    """The price per kWh of each quarter hour of seven days, for a session that begins there with this power."""

    currency: str
    tax_included: bool
    time_zone: str
    power_w: int
    uses_power: bool
    days: list[GridDay]
    prices: list[GridPrice]
    findings: list[PriceFinding]


def week_grid(tariff: Tariff, compiled: CompiledTariff, days: tuple[WeekDay, ...], power_w: int) -> WeekGrid:
    """The table of a week. Args: tariff, compiled, and its days of quarter hours."""
    places: dict[WeekPrice, int] = {}
    # Samoa once went over the date line and had no 30 December.
    shown = [_day(day, places) for day in days if day.quarters]
    return WeekGrid(
        currency=compiled.currency,
        tax_included=compiled.tax is TaxIncluded.YES,
        time_zone=compiled.time_zone or "",
        power_w=power_w,
        uses_power=compiled.uses_power,
        days=shown,
        prices=[_price(price, tariff) for price in places],
        findings=[finding_view(finding) for finding in compiled.findings],
    )


def _day(day: WeekDay, places: dict[WeekPrice, int]) -> GridDay:
    return GridDay(
        date=day.day,
        start_at=day.quarters[0].start_at,
        times=[_time(quarter) for quarter in day.quarters],
        cells=[None if each.price is None else places.setdefault(each.price, len(places)) for each in day.quarters],
        changes=[n for n, quarter in enumerate(day.quarters) if quarter.changes],
    )


def _time(quarter: WeekQuarter) -> str:
    hours, minutes = divmod(quarter.second_of_day // 60, 60)
    return f"{hours:02}:{minutes:02}"


def _price(price: WeekPrice, tariff: Tariff) -> GridPrice:
    return GridPrice(
        price.price, price.excl_vat, price.incl_vat, price.vat_percent, price.element,
        restriction_of(tariff, price.element), price.parts, price.pending,
    )  # fmt: skip

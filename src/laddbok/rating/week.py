"""What does a kWh cost at each quarter hour of a week?

The price that a driver meets who plugs in at that moment: the first kWh of a session that begins there, at a given power,
by the same functions that rate a session. A day has 23, 24 or 25 hours. A quarter that no element prices has no price; one
whose market price is not known has a pending one.

>>> from laddbok.rating.examples import tariff_of
>>> days = week(tariff_of(ENERGY="3.20"), date(2026, 3, 23))
>>> [len(day.quarters) for day in days]
[96, 96, 96, 96, 96, 96, 92]
>>> days[0].quarters[0].price.incl_vat
Decimal('4.0000')
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Activity
from laddbok.model.errors import Invalid
from laddbok.model.money import MILLIONTHS, divide_half_up
from laddbok.model.rated import PriceParts
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import TaxIncluded
from laddbok.rating.compile import CompiledTariff, Component
from laddbok.rating.local_time import DAY_S, Offset, boundaries, offset_at, offsets
from laddbok.rating.restrictions import Slice
from laddbok.rating.spot import spot_energy
from laddbok.rating.usage import component_at

DAYS = 7
POWER_W = 11_000
"""The power of the session that is thought of, where a price depends on it."""
SIDE_DIGITS = 4
"""A price per kWh on the other side of the VAT has so many decimals."""
YEARS = range(1990, 2200)


class WeekPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price per kWh: as written, before and after VAT; None: not known. `element` is the tariff element that says it."""

    price: Decimal | None
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    vat_percent: Decimal | None
    element: int | None
    parts: PriceParts | None
    pending: bool


class WeekQuarter(msgspec.Struct, frozen=True, kw_only=True):
    """A quarter hour. `price` None: nothing prices energy then. `changes`: it holds only for the beginning of the quarter."""

    start_at: datetime
    second_of_day: int
    price: WeekPrice | None
    changes: bool


class WeekDay(msgspec.Struct, frozen=True):
    """A local day with its quarter hours in the order in which they pass."""

    day: date
    quarters: tuple[WeekQuarter, ...]


def week(
    compiled: CompiledTariff, from_date: date, *, power_w: int = POWER_W, prices: SpotPrices | None = None
) -> tuple[WeekDay, ...]:
    """The price per kWh of each quarter hour of seven local days.

    Args: compiled, for a time zone; from_date, the first day; power_w [W], of the session that is thought of; prices, of the
        spot price's zone.
    Returns: days in order; equal prices are one object.
    Raises: Invalid when the tariff was compiled for no time zone, or the day is too far away.
    Source: our choice, docs/rules.md "A week of prices".
    """
    if compiled.zone is None:
        raise Invalid("time_zone", "a week needs one")
    starts_s = week_span(compiled.zone, from_date)
    known = offsets(compiled.zone, starts_s[0], starts_s[-1])
    slices = [_first_kwh(at_s, known, power_w) for at_s in range(starts_s[0], starts_s[-1], QUARTER_S)]
    priced = _priced(slices, compiled, prices)
    uneven = _uneven(known, starts_s[0], starts_s[-1], compiled.cut_seconds_of_day)
    quarters = [
        WeekQuarter(
            start_at=datetime.fromtimestamp(at.start_s, UTC),
            second_of_day=at.second_of_day,
            price=price,
            changes=at.start_s in uneven,
        )
        for at, price in zip(slices, priced, strict=True)
    ]
    places = [(start_s - starts_s[0]) // QUARTER_S for start_s in starts_s]
    return tuple(
        WeekDay(from_date + timedelta(days=n), tuple(quarters[places[n] : places[n + 1]])) for n in range(DAYS)
    )


def week_span(zone: ZoneInfo, from_date: date) -> list[int]:
    """The seconds since 1970 at which seven local days begin, and at which the last one ends.

    Raises: Invalid when the day is too far away.
    """
    if from_date.year not in YEARS:
        raise Invalid("from_date", f"{from_date.isoformat()} does not lie in {YEARS.start} to {YEARS.stop - 1}")
    days = [from_date + timedelta(days=n) for n in range(DAYS + 1)]
    return [int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) for day in days]


def _first_kwh(at_s: int, known: Sequence[Offset], power_w: int) -> Slice:
    """The beginning of a session that begins here: 1 Wh, nothing before it."""
    day, second_of_day = divmod(at_s + offset_at(known, at_s), DAY_S)
    return Slice(
        start_s=at_s, end_s=at_s + QUARTER_S, wh_before=0, wh=1, activity=Activity.CHARGING, power_w=power_w,
        day=day, terms_day=day, second_of_day=second_of_day,
    )  # fmt: skip


def _priced(slices: list[Slice], compiled: CompiledTariff, prices: SpotPrices | None) -> list[WeekPrice | None]:
    if compiled.spot is not None:
        usages = spot_energy(slices, compiled.spot, compiled.currency, prices)
        return [_price(usage.component, compiled.tax) for usage in usages]
    told = {id(component): _price(component, compiled.tax) for component in compiled.energy}
    return [told.get(id(component_at(compiled.energy, at))) for at in slices]


def _price(component: Component, tax: TaxIncluded) -> WeekPrice:
    price = component.price
    other = price if tax is TaxIncluded.NOT_APPLICABLE else _other_side(component, tax)
    return WeekPrice(
        price=price,
        excl_vat=other if tax is TaxIncluded.YES else price,
        incl_vat=price if tax is TaxIncluded.YES else other,
        vat_percent=component.vat_percent,
        element=component.element,
        parts=component.parts,
        pending=price is None,
    )


def _other_side(component: Component, tax: TaxIncluded) -> Decimal | None:
    """The price on the other side of the VAT, rounded once; a price of 0 needs no rate."""
    price, rate = component.price, component.vat_millionths
    if not price:
        return price
    if rate is None:
        return None
    numerator, denominator = price.as_integer_ratio()
    net, gross = MILLIONTHS, MILLIONTHS + rate
    times, over = (net, gross) if tax is TaxIncluded.YES else (gross, net)
    return Decimal(divide_half_up(numerator * times * 10**SIDE_DIGITS, denominator * over)).scaleb(-SIDE_DIGITS)


def _uneven(known: list[Offset], start_s: int, end_s: int, seconds_of_day: Sequence[int]) -> set[int]:
    """The quarters within which a condition on the clock changes."""
    found = (at_s for at_s in boundaries(known, end_s, seconds_of_day) if (at_s - start_s) % QUARTER_S)
    return {at_s - (at_s - start_s) % QUARTER_S for at_s in found}

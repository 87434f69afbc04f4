"""How does a tariff read in OCPP 2.1, where the station computes the cost itself?

Each dimension has its own list of prices, and the first whose conditions hold counts, as with us; so the order of the
elements is kept. Prices are without tax, times per minute, taxes one set per dimension. There are no steps, and idle time
is whatever is not charging, our own pauses too.

>>> from laddbok.model.tariff import parse_tariff
>>> prices = [{"type": "ENERGY", "price": "3.20", "vat": 25}, {"type": "TIME", "price": 6, "vat": 25}]
>>> tariff = parse_tariff({"id": "T", "currency": "SEK", "elements": [{"price_components": prices}]})
>>> to_ocpp21(tariff)["chargingTime"]
{'prices': [{'priceMinute': Decimal('0.1')}], 'taxRates': [{'type': 'VAT', 'tax': Decimal('25')}]}
"""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any, NamedTuple

from laddbok.model.superset import Weekday
from laddbok.model.tariff import Dimension, PriceComponent, PriceLimit, Restrictions, Tariff, TaxIncluded
from laddbok.wires.tariff_export.refusal import NotSayable, Unsayable, clock, taxes_within, unsayable_anywhere

MAX_ID_CHARS = 60
MAX_DECIMALS = 6
"""Source: OCPP 2.1 part 2, primitive datatypes: a decimal that is sent to a station has at most six decimals."""

_PRICES = {"energy": "priceKwh", "chargingTime": "priceMinute", "fixedFee": "priceFixed"}
_PRICES |= {"reservationTime": "priceMinute", "reservationFixed": "priceFixed"}
_FIELDS = {Dimension.ENERGY: "energy", Dimension.TIME: "chargingTime", Dimension.FLAT: "fixedFee"}
_RESERVED = {Dimension.TIME: "reservationTime", Dimension.FLAT: "reservationFixed"}
_NAMES = {"start_time": "startTimeOfDay", "end_time": "endTimeOfDay", "day_of_week": "dayOfWeek"}
_NAMES |= {"start_date": "validFromDate", "end_date": "validToDate", "min_kwh": "minEnergy", "max_kwh": "maxEnergy"}
_NAMES |= {"min_current": "minCurrent", "max_current": "maxCurrent", "min_power": "minPower", "max_power": "maxPower"}
_NAMES |= {"min_duration": "minTime", "max_duration": "maxTime"}
_AT_START = frozenset(("start_time", "end_time", "start_date", "end_date", "day_of_week"))
_THOUSANDS = frozenset(("min_kwh", "max_kwh", "min_power", "max_power"))


class _Price(NamedTuple):
    """A price component, where it stands, and when it applies."""

    path: str
    component: PriceComponent
    when: Restrictions


def to_ocpp21(tariff: Tariff) -> dict[str, Any]:
    """A tariff as OCPP's TariffType, of SetDefaultTariff and ChangeTransactionTariff, its numbers as Decimals.

    Raises: NotSayable, naming all that OCPP has no word for.
    Source: OCPP 2.1 edition 1, TariffType; I12.FR.30 (fixed fee), I12.FR.34 (the first price that applies).
    """
    listed = _listed(tariff)
    found = [*unsayable_anywhere(tariff), *_unsayable(tariff), *_unsayable_prices(listed, tariff.tax)]
    if found:
        raise NotSayable(found)
    begins_at = tariff.start_date_time
    written = {
        "tariffId": tariff.id,
        "currency": tariff.currency,
        **{field: _dimension(field, prices, tariff.tax) for field, prices in listed.items()},
        "validFrom": begins_at and f"{begins_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z",
        "minCost": _cost(tariff.min_price),
        "maxCost": _cost(tariff.max_price),
    }
    return {name: value for name, value in written.items() if value is not None}


def _listed(tariff: Tariff) -> dict[str, list[_Price]]:
    """The prices of each field, in order; of what has no field, under the name of its dimension."""
    found: dict[str, list[_Price]] = {}
    for i, element in enumerate(tariff.elements):
        when = element.restrictions or Restrictions()
        for j, component in enumerate(element.price_components):
            fields = _FIELDS if when.reservation is None else _RESERVED
            price = _Price(f"elements[{i}].price_components[{j}]", component, when)
            found.setdefault(fields.get(component.type, component.type.value), []).append(price)
    return found


def _unsayable(tariff: Tariff) -> Iterator[Unsayable]:
    if not 0 < len(tariff.id) <= MAX_ID_CHARS:
        yield Unsayable("id", f"OCPP allows 1 to {MAX_ID_CHARS} characters")
    if tariff.end_date_time is not None:
        yield Unsayable("end_date_time", "OCPP has no end of a tariff")
    if taxes_within(tariff):
        yield Unsayable("tax_included", "OCPP has prices without taxes only, and none comes to the same amounts")
    for i, element in enumerate(tariff.elements):
        if element.restrictions:
            yield from _unsayable_conditions(f"elements[{i}].restrictions", element.restrictions)
    for name in ("min_price", "max_price"):
        for side in ("before_taxes", "after_taxes"):
            yield from _too_fine(f"{name}.{side}", getattr(getattr(tariff, name), side, None))


def _unsayable_conditions(path: str, when: Restrictions) -> Iterator[Unsayable]:
    if when.reservation not in (None, "RESERVATION"):
        yield Unsayable(f"{path}.reservation", "the station prices a reservation that a transaction followed, no other")
    for name in _NAMES:
        given = getattr(when, name)
        if when.reservation is not None and given is not None:
            yield Unsayable(f"{path}.{name}", "when a reservation's price applies can't be said alike")
        elif isinstance(given, Decimal):
            yield from _too_fine(f"{path}.{name}", given * 1000 if name in _THOUSANDS else given)


def _unsayable_prices(listed: dict[str, list[_Price]], tax: TaxIncluded) -> Iterator[Unsayable]:
    for field, prices in listed.items():
        if field not in _PRICES:
            for price in prices:
                yield Unsayable(
                    price.path,
                    _NO_FIELD if price.when.reservation is None else "OCPP has no such price of a reservation",
                )
            continue
        yield from _unsayable_taxes(prices, tax)
        for price in prices:
            if (price.component.step_size or 1) > 1 and field not in ("fixedFee", "reservationFixed"):
                yield Unsayable(f"{price.path}.step_size", "OCPP has no steps")
            yield from _too_fine(f"{price.path}.price", _amount(field, price.component), price.component.price)
    yield from _unsayable_start_fee(listed.get("fixedFee", []))


_NO_FIELD = "OCPP's idle time is whatever is not charging, with it the pauses that we cause, which nobody pays with us"


def _unsayable_taxes(prices: list[_Price], tax: TaxIncluded) -> Iterator[Unsayable]:
    """One set of taxes per dimension; none at all says that there is no tax."""
    for price in prices if tax is not TaxIncluded.NOT_APPLICABLE else ():
        if price.component.vat is None:
            yield Unsayable(f"{price.path}.vat", "is not stated, which in OCPP says that there is no tax")
        elif price.component.vat != prices[0].component.vat:
            yield Unsayable(
                f"{price.path}.vat", f"OCPP has one rate for this dimension, and {prices[0].path} has another"
            )


def _unsayable_start_fee(prices: list[_Price]) -> Iterator[Unsayable]:
    """The station judges its fixed fee at the start only; with us the first one counts that ever applies."""
    for price in prices:
        for name in _NAMES:
            if name not in _AT_START and getattr(price.when, name) is not None:
                path = f"{price.path.partition('.')[0]}.restrictions.{name}"
                yield Unsayable(path, "OCPP judges a start fee by time and date only")
    if prices and any(getattr(prices[-1].when, name) is not None for name in _NAMES):
        yield Unsayable(
            prices[-1].path,
            "OCPP judges a start fee at the start only; ours may come later, unless the last always applies",
        )


def _too_fine(path: str, number: Decimal | None, written: Decimal | None = None) -> Iterator[Unsayable]:
    if number is not None and number != round(number, MAX_DECIMALS):
        yield Unsayable(
            path, f"{number if written is None else written} has more than {MAX_DECIMALS} decimals in OCPP's unit"
        )


def _amount(field: str, component: PriceComponent) -> Decimal:
    """A price in the unit of its field; one per minute that has no end is cut, and so found to be too fine."""
    return component.price / 60 if _PRICES[field] == "priceMinute" else component.price


def _dimension(field: str, prices: list[_Price], tax: TaxIncluded) -> dict[str, Any]:
    vat = prices[0].component.vat
    written: dict[str, Any] = {"prices": [_price(field, price) for price in prices]}
    return written | ({} if tax is TaxIncluded.NOT_APPLICABLE else {"taxRates": [{"type": "VAT", "tax": vat}]})


def _price(field: str, price: _Price) -> dict[str, Any]:
    conditions = {
        _NAMES[name]: _condition(name, getattr(price.when, name))
        for name in _NAMES
        if getattr(price.when, name) is not None
    }
    return {_PRICES[field]: _amount(field, price.component)} | ({"conditions": conditions} if conditions else {})


def _condition(name: str, given: Any) -> Any:
    if name in ("start_time", "end_time"):
        return clock(given)
    if name == "day_of_week":
        return [day.value.capitalize() for day in Weekday if day in given]
    if name in ("start_date", "end_date"):
        return given.isoformat()
    return given * 1000 if name in _THOUSANDS else given


def _cost(limit: PriceLimit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return {"exclTax": limit.before_taxes} | ({} if limit.after_taxes is None else {"inclTax": limit.after_taxes})

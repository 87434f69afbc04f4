"""What does a tariff say?

A tariff is OCPI's: elements in order, each with price components and restrictions; per dimension the first element
that matches at a moment prices it. OCPI 2.2.1 and 2.3.0 are read into one shape; a document is 2.3.0 if it carries
`tax_included`. What OCPI can't say stands in our own object `laddbok` inside the tariff. A restriction that we don't
know is kept by name: its element never matches, and every rating says so. In our own object nothing unknown is let
through.

>>> tariff = parse_tariff(b'{"id": "1", "currency": "SEK", "elements": [{"price_components":'
...     b' [{"type": "ENERGY", "price": 3.20, "vat": 25}]}], "tax_included": "YES"}')
>>> tariff.version, tariff.elements[0].price_components[0].price, tariff.tax
('2.3.0', Decimal('3.20'), <TaxIncluded.YES: 'YES'>)
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.money import net_of, number_of, round_money, vat_on
from laddbok.model.superset import Hours, Superset, Weekday

_T = TypeVar("_T")

MAX_ELEMENTS = 1_000
MAX_COMPONENTS = 4_000
"""Of all elements together: one of each dimension in each of them."""
MAX_NUMBER = Decimal(10) ** 9
MAX_VAT = Decimal(100)
MAX_DECIMALS = 18
"""Prices that went through floating point somewhere arrive as 0.10200000000000001; they are taken as they stand."""


class Dimension(StrEnum):
    """What a price component prices. Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class TaxIncluded(StrEnum):
    """Whether the amounts contain the tax. Source: OCPI 2.3.0 mod_tariffs, TaxIncluded; 2.2.1 amounts never do."""

    YES = "YES"
    NO = "NO"
    NOT_APPLICABLE = "N/A"


class PriceComponent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price per kWh, per hour or per session. `vat` is a percentage; None: nobody said. `step_size` in Wh or s."""

    type: Dimension
    price: Decimal
    vat: Decimal | None = None
    step_size: int | None = 1


class Restrictions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When an element applies; all that is given must hold at the moment. Source: OCPI 2.3.0 TariffRestrictions.

    kWh, kW and A as written, durations in seconds, times and dates local to the site.
    """

    start_time: str | None = None
    end_time: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[Weekday, ...] | None = None
    reservation: str | None = None
    unknown: tuple[str, ...] = ()
    """Names of restrictions that we don't know."""


class Element(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Price components that apply under the same restrictions."""

    price_components: tuple[PriceComponent, ...]
    restrictions: Restrictions | None = None


class PriceLimit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The least or most that a session costs, before and after taxes; both hold. Source: OCPI 2.3.0 PriceLimit."""

    before_taxes: Decimal
    after_taxes: Decimal | None = None


class Tariff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price list. Source: OCPI 2.2.1 and 2.3.0 mod_tariffs, Tariff object."""

    id: str
    currency: str
    elements: tuple[Element, ...] = ()
    type: str | None = None
    """Source: OCPI TariffType, such as AD_HOC_PAYMENT; None: for all kinds of sessions."""
    version: str = "2.2.1"
    tax: TaxIncluded = msgspec.field(default=TaxIncluded.NO, name="tax_included")
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None
    country_code: str | None = None
    party_id: str | None = None
    laddbok: Superset = Superset()


_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_KNOWN = frozenset(Restrictions.__struct_fields__) - {"unknown"}
_LIMIT_NAMES = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}


def parse_tariff(document: dict[str, Any] | bytes) -> Tariff:
    """Read an OCPI tariff of either version, with or without `laddbok`.

    Args: document, the JSON text or what was decoded from it.
    Raises: Invalid, with the path of the field.
    Source: OCPI 2.2.1 and 2.3.0 mod_tariffs.
    """
    fields = decode_object(document, "tariff") if isinstance(document, bytes) else document
    tariff = _in_utc(convert(_one_shape(fields), Tariff))
    _check(tariff)
    return tariff


def decode_object(text: bytes, what: str) -> dict[str, Any]:
    """The JSON object in this text, its numbers exact. Raises: Invalid naming `what` when there is none."""
    try:
        found = msgspec.json.Decoder(float_hook=_number).decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(what, f"is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Invalid(what, "is not a JSON object")
    return found


def convert(fields: Any, shape: type[_T]) -> _T:
    """Decoded JSON in the shape of a Struct; numbers written as text are accepted. Raises: Invalid with the path."""
    try:
        found = msgspec.convert(fields, shape, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        missing = re.search(r"missing required field `(\w+)`", reason)
        where = path.rstrip("`").lstrip(".")
        if missing:
            raise Invalid(f"{where}.{missing[1]}".lstrip("."), "is missing") from None
        raise Invalid(where or "document", reason) from None
    _check_digits(found, fields, "")
    return found


def below_maximum(number: Decimal) -> bool:
    """Whether a number lies within +-MAX_NUMBER, told without computing: an exponent may be too large for that."""
    return number.is_finite() and number.adjusted() < MAX_NUMBER.adjusted()


def in_utc(at: datetime, field: str) -> datetime:
    """OCPI's instants are UTC also where they carry no Z. Raises: Invalid naming the field, outside the calendar."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise Invalid(field, f"{at.isoformat()} lies outside the calendar") from None


def _number(text: str) -> Decimal | int | str:
    """A number of JSON; the text itself where no number can be that large, so that its field is named."""
    number = number_of(text)
    if number is None:
        return text
    return int(number) if below_maximum(number) and number == number.to_integral_value() else number


def _check_digits(found: Any, given: Any, path: str) -> None:
    """Numbers written as text are plain digits; `Decimal` would also take 1_0, blanks, and digits of other scripts.

    An exponent above 0 is refused: the database writes 1E+1 as 10, and a rating must be rebuilt to the byte.
    """
    if isinstance(found, msgspec.Struct):
        for name, key in zip(found.__struct_fields__, found.__struct_encode_fields__, strict=True):
            if key in given:
                _check_digits(getattr(found, name), given[key], f"{path}.{key}".lstrip("."))
    elif isinstance(found, tuple):
        for i, (each, text) in enumerate(zip(found, given, strict=True)):
            _check_digits(each, text, f"{path}[{i}]")
    elif isinstance(found, Decimal) and isinstance(given, str) and (number_of(given) is None or "E+" in str(found)):
        raise Invalid(path, f"{given!r} is not a number")


def _one_shape(fields: dict[str, Any]) -> dict[str, Any]:
    """A document of either version with the names of 2.3.0, and the names of unknown restrictions set aside."""
    shaped = {key: value for key, value in fields.items() if value is not None}
    shaped["version"] = "2.3.0" if "tax_included" in shaped else "2.2.1"
    for limit in ("min_price", "max_price"):
        if isinstance(shaped.get(limit), dict):
            shaped[limit] = {_LIMIT_NAMES.get(key, key): value for key, value in shaped[limit].items()}
    elements = shaped.get("elements")
    if isinstance(elements, list):
        shaped["elements"] = [_with_unknown(element) for element in elements]
    return shaped


def _in_utc(tariff: Tariff) -> Tariff:
    instants = {name: getattr(tariff, name) for name in ("start_date_time", "end_date_time")}
    return msgspec.structs.replace(tariff, **{name: in_utc(at, name) for name, at in instants.items() if at})


def _with_unknown(element: Any) -> Any:
    restrictions = element.get("restrictions") if isinstance(element, dict) else None
    if not isinstance(restrictions, dict):
        return element
    given = {key: value for key, value in restrictions.items() if value is not None}
    unknown = tuple(sorted(given.keys() - _KNOWN))
    known = {key: value for key, value in given.items() if key in _KNOWN}
    return element | {"restrictions": known | {"unknown": unknown}}


def _check(tariff: Tariff) -> None:
    if not re.fullmatch(r"[A-Z]{3}", tariff.currency):
        raise Invalid("currency", f"{tariff.currency!r} is not a currency code of ISO 4217")
    least = 0 if tariff.laddbok.spot else 1
    if not least <= len(tariff.elements) <= MAX_ELEMENTS:
        raise Invalid("elements", f"there must be {least} to {MAX_ELEMENTS}, not {len(tariff.elements)}")
    components = sum(len(element.price_components) for element in tariff.elements)
    if components > MAX_COMPONENTS:
        raise Invalid("elements", f"they have {components} price components, more than {MAX_COMPONENTS}")
    for path, number in _numbers(tariff, ""):
        _check_number(path, number)
    for path, hours in _all_hours(tariff):
        for name in ("start_time", "end_time"):
            time = getattr(hours, name)
            if time is not None and not _CLOCK.fullmatch(time):
                raise Invalid(f"{path}.{name}", f"{time!r} is not a time of day as HH:MM")
    _check_limits(tariff)
    _check_ours(tariff)


def _check_number(path: str, number: Decimal) -> None:
    if not below_maximum(number):
        raise Invalid(path, f"{number} is not a number below {MAX_NUMBER:,}")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_DECIMALS:
        raise Invalid(path, f"{number} has more than {MAX_DECIMALS} decimals")
    if not path.endswith((".price", "_taxes", ".markup")) and number < 0:
        raise Invalid(path, f"{number} is negative")
    if path.endswith(".vat") and (number > MAX_VAT or number != round(number, 4)):
        raise Invalid(path, f"{number} is not a percentage with at most four decimals")


def _numbers(value: Any, path: str) -> Iterator[tuple[str, Decimal]]:
    """Every number in a tariff, with its path."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _numbers(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, tuple):
        for i, each in enumerate(value):
            yield from _numbers(each, f"{path}[{i}]")
    elif isinstance(value, Decimal | int) and not isinstance(value, bool):
        yield path, Decimal(value)


def _all_hours(tariff: Tariff) -> Iterator[tuple[str, Hours | Restrictions]]:
    for i, element in enumerate(tariff.elements):
        if element.restrictions:
            yield f"elements[{i}].restrictions", element.restrictions
    yield from _our_hours(tariff.laddbok)


def _our_hours(ours: Superset) -> Iterator[tuple[str, Hours]]:
    """All hours in our own object. Raises: Invalid for a list that is too long."""
    named: list[tuple[str, tuple[Hours, ...]]] = [("idle.exempt", ours.idle.exempt)] if ours.idle else []
    named += [("spot.grid", ours.spot.grid), ("spot.energy_tax", ours.spot.energy_tax)] if ours.spot else []
    for where, all_hours in named:
        if len(all_hours) > MAX_ELEMENTS:
            raise Invalid(f"laddbok.{where}", f"there must be at most {MAX_ELEMENTS}, not {len(all_hours)}")
        for i, hours in enumerate(all_hours):
            yield f"laddbok.{where}[{i}]", hours


def _check_ours(tariff: Tariff) -> None:
    """Our own terms are refused where they could be read in two ways. Source: our choice, docs/rules.md."""
    ours = tariff.laddbok
    if ours.spot is not None:
        if tariff.tax is TaxIncluded.YES:
            raise Invalid("laddbok.spot", "market prices have no VAT in them: such a tariff is written without VAT")
        if any(c.type is Dimension.ENERGY for e in tariff.elements for c in e.price_components):
            raise Invalid("laddbok.spot", "it prices the energy, and so does an ENERGY component")
        if not re.fullmatch(r"[A-Z][A-Z0-9_-]{1,9}", ours.spot.zone):
            raise Invalid("laddbok.spot.zone", f"{ours.spot.zone!r} is not a bidding zone such as SE3")
    for tiers in (ours.subscription.tiers,) if ours.subscription else ():
        if any(next_.to_kwh <= tier.to_kwh for tier, next_ in pairwise(tiers)):
            raise Invalid("laddbok.subscription.tiers", "each must reach further than the one before it")


def _check_limits(tariff: Tariff) -> None:
    """Limits that no session can keep are refused. Source: our choice, docs/rules.md "Least and highest price"."""
    low, high = tariff.min_price, tariff.max_price
    for name in ("before_taxes", "after_taxes"):
        least, most = getattr(low, name, None), getattr(high, name, None)
        if least is not None and most is not None and least > most:
            raise Invalid("min_price", f"{name} {least} is more than max_price {most}")
    for limit, where in ((low, "min_price"), (high, "max_price")):
        if limit and limit.after_taxes is not None and limit.after_taxes < limit.before_taxes >= 0:
            text = f"after_taxes {limit.after_taxes} is less than before_taxes {limit.before_taxes}"
            raise Invalid(where, text)
    if low and high:
        _check_limits_across(low, high, tariff)


def _check_limits_across(low: PriceLimit, high: PriceLimit, tariff: Tariff) -> None:
    """The least price before taxes, with the lowest VAT, may reach the highest after them; and the other way round."""
    least_vat, most_vat = _vat_range(tariff)
    currency = tariff.currency
    net, gross = (round_money(amount or Decimal(0), currency) for amount in (low.before_taxes, low.after_taxes))
    most_net = round_money(high.before_taxes, currency)
    if gross > 0 and net_of(gross, most_vat, currency) > most_net:
        raise Invalid("min_price", f"after_taxes {gross} comes to more than max_price before_taxes {most_net}")
    most_gross = None if high.after_taxes is None else round_money(high.after_taxes, currency)
    if most_gross is not None and net > 0 and net + vat_on(net, least_vat, currency) > most_gross:
        raise Invalid("min_price", f"before_taxes {net} comes to more than max_price after_taxes {most_gross}")


def _vat_range(tariff: Tariff) -> tuple[Decimal, Decimal]:
    """The lowest and the highest VAT [%] that a session can have; a rate that nobody stated may be any."""
    if tariff.tax is TaxIncluded.NOT_APPLICABLE:
        return Decimal(0), Decimal(0)
    stated = [component.vat for element in tariff.elements for component in element.price_components]
    stated += [term.vat for term in (tariff.laddbok.idle, tariff.laddbok.spot) if term and term.vat is not None]
    lowest = min((Decimal(0) if vat is None else vat for vat in stated), default=Decimal(0))
    return lowest, max((MAX_VAT if vat is None else vat for vat in stated), default=MAX_VAT)

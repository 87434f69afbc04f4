"""How does a tariff read in OCPI?

Elements, components and restrictions keep their names and order, so whoever rates by OCPI comes to our price. OCPI 2.2.1
has prices without taxes only; 2.3.0 says which they are.

>>> from datetime import UTC
>>> from laddbok.model.tariff import parse_tariff
>>> energy = [{"price_components": [{"type": "ENERGY", "price": "3.20", "vat": 25}]}]
>>> document = {"id": "T", "currency": "SEK", "country_code": "SE", "party_id": "LAD", "elements": energy}
>>> written = to_ocpi(parse_tariff(document), "2.3.0", datetime(2026, 11, 25, tzinfo=UTC))
>>> written["tax_included"], written["last_updated"], written["elements"][0]["price_components"]
('NO', '2026-11-25T00:00:00Z', [{'type': 'ENERGY', 'price': Decimal('3.20'), 'step_size': 1, 'vat': Decimal('25')}])
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from laddbok.model.errors import Invalid
from laddbok.model.tariff import Element, PriceComponent, PriceLimit, Restrictions, Tariff, TaxIncluded
from laddbok.wires.tariff_export.refusal import NotSayable, Unsayable, clock, taxes_within, unsayable_anywhere

VERSIONS = ("2.2.1", "2.3.0")
TYPES = ("AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN", "REGULAR")
"""Source: OCPI 2.2.1 and 2.3.0 mod_tariffs, TariffType."""
RESERVATIONS = ("RESERVATION", "RESERVATION_EXPIRES")
MAX_ID_CHARS = 36

_LIMITS = {"2.2.1": ("excl_vat", "incl_vat"), "2.3.0": ("before_taxes", "after_taxes")}
_CHARACTERS = {"id": (1, MAX_ID_CHARS), "country_code": (2, 2), "party_id": (3, 3)}


def to_ocpi(tariff: Tariff, version: str, updated_at: datetime) -> dict[str, Any]:
    """A tariff as an OCPI Tariff object, its numbers as Decimals.

    Args: version, "2.2.1" or "2.3.0"; updated_at, for `last_updated`.
    Raises: Invalid for another version; NotSayable, naming all that this version has no word for.
    Source: OCPI 2.2.1 and 2.3.0 mod_tariffs, Tariff object.
    """
    if version not in VERSIONS:
        raise Invalid("to", f"{version!r} is neither of {', '.join(VERSIONS)}")
    found = [*unsayable_anywhere(tariff), *_unsayable(tariff, version)]
    if found:
        raise NotSayable(found)
    written = {
        "country_code": tariff.country_code,
        "party_id": tariff.party_id,
        "id": tariff.id,
        "currency": tariff.currency,
        "type": tariff.type,
        "min_price": _limit(tariff.min_price, version),
        "max_price": _limit(tariff.max_price, version),
        "elements": [_element(element) for element in tariff.elements],
        "tax_included": tariff.tax.value if version == "2.3.0" else None,
        "start_date_time": _instant(tariff.start_date_time),
        "end_date_time": _instant(tariff.end_date_time),
        "last_updated": _instant(updated_at),
    }
    return {name: value for name, value in written.items() if value is not None}


def _unsayable(tariff: Tariff, version: str) -> Iterator[Unsayable]:
    for name, (least, most) in _CHARACTERS.items():
        text = getattr(tariff, name)
        if text is None or not least <= len(text) <= most:
            yield Unsayable(name, f"OCPI requires {least if least == most else f'{least} to {most}'} characters")
    if tariff.type is not None and tariff.type not in TYPES:
        yield Unsayable("type", f"{tariff.type!r} is none of {', '.join(TYPES)}")
    if version == "2.2.1":
        yield from _of_taxes(tariff)
    for i, element in enumerate(tariff.elements):
        kind = element.restrictions.reservation if element.restrictions else None
        if kind is not None and kind not in RESERVATIONS:
            why = f"{kind!r} is neither of {', '.join(RESERVATIONS)}"
            yield Unsayable(f"elements[{i}].restrictions.reservation", why)


def _of_taxes(tariff: Tariff) -> Iterator[Unsayable]:
    """OCPI 2.2.1 knows prices without taxes only, and a VAT that is not stated is none; 2.3.0 has `tax_included`."""
    if tariff.tax is TaxIncluded.NOT_APPLICABLE:
        yield Unsayable(
            "tax_included", "OCPI 2.2.1 can't tell prices without any tax from those whose tax is forgotten"
        )
        return
    if taxes_within(tariff):
        yield Unsayable("tax_included", "OCPI 2.2.1 has prices without taxes only, and none comes to the same amounts")
    for i, element in enumerate(tariff.elements):
        for j, component in enumerate(element.price_components):
            if component.vat is None and component.price != 0:
                path = f"elements[{i}].price_components[{j}].vat"
                yield Unsayable(path, "is not stated, which in OCPI 2.2.1 says that no VAT is applicable")


def _element(element: Element) -> dict[str, Any]:
    written: dict[str, Any] = {"price_components": [_component(component) for component in element.price_components]}
    restrictions = _restrictions(element.restrictions) if element.restrictions else None
    return written | ({"restrictions": restrictions} if restrictions else {})


def _component(component: PriceComponent) -> dict[str, Any]:
    """A step of nothing is one of 1: OCPI requires a step, and readers divide by it."""
    written = {"type": component.type.value, "price": component.price, "step_size": max(component.step_size or 1, 1)}
    return written if component.vat is None else written | {"vat": component.vat}


def _restrictions(given: Restrictions) -> dict[str, Any]:
    written = {name: getattr(given, name) for name in given.__struct_fields__ if name != "unknown"}
    written["start_time"], written["end_time"] = clock(given.start_time), clock(given.end_time)
    for name in ("start_date", "end_date"):
        written[name] = written[name] and written[name].isoformat()
    written["day_of_week"] = given.day_of_week and [day.value for day in given.day_of_week]
    return {name: value for name, value in written.items() if value is not None}


def _limit(limit: PriceLimit | None, version: str) -> dict[str, Any] | None:
    if limit is None:
        return None
    before, after = _LIMITS[version]
    return {before: limit.before_taxes} | ({} if limit.after_taxes is None else {after: limit.after_taxes})


def _instant(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"

"""In which order, and how, is a tariff's price list shown to people?

Prices per kWh first, then per minute, then per session, then the rest. A price per hour is shown per minute where it is
exact.

>>> from laddbok.model.tariff import parse_tariff
>>> prices = [{"type": "FLAT", "price": 5, "vat": 25}, {"type": "TIME", "price": 12}, {"type": "ENERGY", "price": "3.2"}]
>>> tariff = parse_tariff({"id": "1", "currency": "SEK", "elements": [{"price_components": prices}]})
>>> [price.en for price in price_list(tariff)]
['3.20 kr/kWh + VAT', '0.20 kr/min + VAT', '5.00 kr per session + VAT']
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from laddbok.model.money import amount_text, number_text
from laddbok.model.superset import Idle, Spot
from laddbok.model.tariff import Dimension, PriceComponent, Restrictions, Tariff, TaxIncluded
from laddbok.rating.restriction_text import when

RANKS = {Dimension.ENERGY: 0, Dimension.TIME: 1, Dimension.PARKING_TIME: 1, Dimension.FLAT: 2}
"""kWh, minute, session. Source: Regulation (EU) 2023/1804 (AFIR) article 5(4)."""
OTHER = 3
MOST_DECIMALS = 6
"""A price per minute with more is shown per hour."""

_TAX = {
    TaxIncluded.YES: (" incl. VAT", " inkl. moms"),
    TaxIncluded.NO: (" + VAT", " + moms"),
    TaxIncluded.NOT_APPLICABLE: ("", ""),
}

Said = tuple[int, str, str, str]
"""Rank, path, and the price in English and Swedish."""


class ShownPrice(msgspec.Struct, frozen=True):
    """One price as people see it, and where it stands in the document."""

    path: str
    en: str
    sv: str


def price_list(tariff: Tariff) -> list[ShownPrice]:
    """The prices of a tariff, in the order in which they are shown.

    Source: Regulation (EU) 2023/1804 (AFIR) article 5(4) for the order; its words: our choice.
    """
    tax = _TAX[tariff.tax]
    found = sorted([*_of_elements(tariff), *_of_ours(tariff)], key=lambda said: said[0])
    return [*(ShownPrice(path, en + tax[0], sv + tax[1]) for _, path, en, sv in found), *_of_limits(tariff)]


def _of_elements(tariff: Tariff) -> Iterator[Said]:
    for i, element in enumerate(tariff.elements):
        for j, component in enumerate(element.price_components):
            path = f"elements[{i}].price_components[{j}]"
            en, sv = (_component_text(component, tariff.currency, language) for language in ("en", "sv"))
            given = element.restrictions
            rank = OTHER if given and given.reservation else RANKS[component.type]
            yield rank, path, en + _when(given, "en"), sv + _when(given, "sv")


def _component_text(component: PriceComponent, currency: str, language: str) -> str:
    price, unit = component.price, {Dimension.ENERGY: "kWh", Dimension.FLAT: ""}.get(component.type, "h")
    if unit == "h" and per_minute(price) is not None:
        price, unit = price / 60, "min"
    once = {"en": " per session", "sv": " per laddning"}[language]
    parked = {"en": " parked", "sv": " parkering"}[language] if component.type is Dimension.PARKING_TIME else ""
    return f"{amount_text(price, currency, language)}{f'/{unit}' if unit else once}{parked}"


def per_minute(per_hour: Decimal, decimals: int = MOST_DECIMALS) -> Decimal | None:
    """A price per hour as one per minute, None where that has more decimals."""
    scaled = per_hour.scaleb(decimals)
    return per_hour / 60 if scaled == scaled.to_integral_value() and int(scaled) % 60 == 0 else None


def _when(restrictions: Restrictions | None, language: str) -> str:
    if restrictions is None:
        return ""
    reserved = {"en": "for a reservation", "sv": "för en bokning"}[language] if restrictions.reservation else ""
    unknown = {"en": "never", "sv": "aldrig"}[language] if restrictions.unknown else ""
    said = ", ".join(word for word in (reserved, unknown, when(restrictions, language)) if word)
    return f" ({said})" if said else ""


def _of_ours(tariff: Tariff) -> Iterator[Said]:
    ours, currency = tariff.laddbok, tariff.currency
    if ours.spot:
        yield 0, "laddbok.spot", _spot_text(ours.spot, currency, "en"), _spot_text(ours.spot, currency, "sv")
    if ours.idle:
        yield 1, "laddbok.idle", _idle_text(ours.idle, currency, "en"), _idle_text(ours.idle, currency, "sv")
    if ours.subscription:
        en, sv = (amount_text(ours.subscription.month_fee, currency, language) for language in ("en", "sv"))
        yield OTHER, "laddbok.subscription", f"{en} a month", f"{sv} per månad"
        for i, tier in enumerate(ours.subscription.tiers):
            kwh = [number_text(tier.to_kwh, 0, language) for language in ("en", "sv")]
            price = [amount_text(tier.per_kwh, currency, language) for language in ("en", "sv")]
            en, sv = f"{price[0]}/kWh up to {kwh[0]} kWh a month", f"{price[1]}/kWh upp till {kwh[1]} kWh i månaden"
            yield OTHER, f"laddbok.subscription.tiers[{i}]", en, sv


def _spot_text(spot: Spot, currency: str, language: str) -> str:
    """The market's price and what is added to it; of several grid fees or taxes, from the lowest to the highest."""
    words = {"en": ("market price", "grid", "energy tax"), "sv": ("marknadspris", "nät", "energiskatt")}[language]
    parts = [f"{words[0]} {spot.zone}"]
    if spot.markup:
        parts.append(f"{amount_text(spot.markup, currency, language)}/kWh")
    for word, given in ((words[1], spot.grid), (words[2], spot.energy_tax)):
        prices = sorted({each.per_kwh for each in given})
        if prices:
            span = " - ".join(
                amount_text(price, currency, language) for price in dict.fromkeys((prices[0], prices[-1]))
            )
            parts.append(f"{word} {span}/kWh")
    return " + ".join(parts)


def _idle_text(idle: Idle, currency: str, language: str) -> str:
    free, most, hours, after = {
        "en": ("after {} min free", "at most {}", "some hours free", "idle"),
        "sv": ("efter {} min utan avgift", "högst {}", "vissa timmar utan avgift", "efter laddning"),
    }[language]
    remarks = [free.format(number_text(Decimal(idle.grace_s) / 60, 0, language))] if idle.grace_s else []
    if idle.cap is not None:
        remarks.append(most.format(amount_text(idle.cap, currency, language)))
    remarks += [hours] if idle.exempt else []
    said = f" ({', '.join(remarks)})" if remarks else ""
    return f"{amount_text(idle.per_min, currency, language)}/min {after}{said}"


def _of_limits(tariff: Tariff) -> Iterator[ShownPrice]:
    """The limits with VAT where the prices have it and the limit is told so, else without; without any tax the stricter side."""
    words = {"min_price": ("at least", "minst", max), "max_price": ("at most", "högst", min)}
    for field, (en, sv, stricter) in words.items():
        limit = getattr(tariff, field)
        if limit is None:
            continue
        amount, tax = limit.before_taxes, TaxIncluded.NO
        if limit.after_taxes is not None and tariff.tax is TaxIncluded.YES:
            amount, tax = limit.after_taxes, TaxIncluded.YES
        elif tariff.tax is TaxIncluded.NOT_APPLICABLE:
            sides = [side for side in (limit.before_taxes, limit.after_taxes) if side is not None]
            amount, tax = stricter(sides), TaxIncluded.NOT_APPLICABLE
        texts = [amount_text(amount, tariff.currency, language) for language in ("en", "sv")]
        yield ShownPrice(
            field, f"{en} {texts[0]} per session{_TAX[tax][0]}", f"{sv} {texts[1]} per laddning{_TAX[tax][1]}"
        )

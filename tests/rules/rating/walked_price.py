"""What does a walk second by second come to?

The second reading of rounding, VAT, the floor at nothing and the price limits, in fractions. Written from docs/rules.md, not
from the real one.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any

from laddbok.model.cdr import Cdr
from laddbok.model.spot_prices import SpotPrices
from tests.rules.rating.second_by_second import Document, Used, Walk, number, walk

DIGITS = {"JPY": 0, "KWD": 3}


@dataclass(frozen=True)
class Price:
    """Both totals [minor units], None where a VAT or a market price is not known; by kind what was used and its amount.

    The amounts are on the side of VAT on which the tariff is written; what a limit or the floor changed is no kind here.
    """

    net: int | None
    gross: int | None
    pending: bool
    kinds: dict[str, tuple[int, int | None]]
    events: frozenset[str]


def price(
    cdr: Cdr,
    tariff: Document,
    prices: SpotPrices | None = None,
    tier_ends_wh: tuple[int, ...] = (),
    as_of: datetime | None = None,
) -> Price:
    """The price of a session by the simplest reading of the rules."""
    steps, digits = walk(cdr, tariff, prices, tier_ends_wh, as_of), DIGITS.get(tariff["currency"], 2)
    lines = _amounts(steps, digits)
    kinds: dict[str, tuple[int, int | None]] = {}
    for used, amount in lines:
        quantity, before = kinds.get(used.kind, (0, 0))
        kinds[used.kind] = quantity + used.quantity, None if amount is None or before is None else before + amount
    known = [(amount, used.vat) for used, amount in lines if amount is not None]
    events = {"zero_energy"} if cdr.energy_wh == 0 else set()
    net, gross = both_sides(known, tariff)
    if len(known) == len(lines):
        terms = {name: value for name, value in tariff.items() if cdr.energy_wh or name != "min_price"}
        net, gross, changed = _lifted_and_limited(net, gross, one_rate(known), terms, digits)
        events |= changed
    if len(known) < len(lines):
        return Price(None, None, True, kinds, frozenset(events | {"price_pending"}))
    events |= {"vat_absent"} if net is None or gross is None else set()
    return Price(net, gross, False, kinds, frozenset(events))


def half_up(exact: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    return -floor(-exact + Fraction(1, 2)) if exact < 0 else floor(exact + Fraction(1, 2))


def _amounts(steps: Walk, digits: int) -> list[tuple[Used, int | None]]:
    return [(used, _rounded(used.amount, digits)) for used in steps.used.values()]


def _rounded(amount: Fraction | None, digits: int) -> int | None:
    return None if amount is None else half_up(amount * 10**digits)


def both_sides(lines: list[tuple[int, Fraction | None]], tariff: Document) -> tuple[int | None, int | None]:
    """The totals before and after VAT; one is None where its VAT is not stated and there is an amount to tax."""
    total, tax = sum(amount for amount, _ in lines), tariff.get("tax_included", "NO")
    if tax == "N/A":
        return total, total
    unknown = any(vat is None and amount for amount, vat in lines)
    if tax == "YES":
        rates = {vat for _, vat in lines if vat is not None}
        of_rate = {rate: sum(amount for amount, vat in lines if vat == rate) for rate in rates}
        nets = [half_up(gross / (1 + rate / 100)) for rate, gross in of_rate.items()]
        return None if unknown else sum(nets), total
    vat = half_up(sum((amount * (rate or Fraction(0)) / 100 for amount, rate in lines), Fraction(0)))
    return total, None if unknown else total + vat


def one_rate(lines: list[tuple[int, Fraction | None]]) -> Fraction | None:
    """The VAT rate that all amounts share; where all are 0, that of the lines."""
    rates = {rate for amount, rate in lines if amount} or {rate for _, rate in lines}
    return next(iter(rates)) if len(rates) == 1 else None


def _lifted_and_limited(
    net: int | None, gross: int | None, rate: Fraction | None, tariff: Document, digits: int
) -> tuple[int | None, int | None, set[str]]:
    events = set()
    if not tariff.get("laddbok", {}).get("may_be_negative"):
        lifted = (None if net is None else max(net, 0)), (None if gross is None else max(gross, 0))
        if lifted != (net, gross):
            events.add("not_below_nothing")
        net, gross = lifted
    for name, choose in (("min_price", max), ("max_price", min)):
        if name in tariff:
            limited = _limited(net, gross, _limit(tariff, name, choose, digits), choose, rate)
            if limited != (net, gross):
                events.add(f"{name}_applied")
            net, gross = limited
    return net, gross, events


def _limited(
    net: int | None, gross: int | None, limit: tuple[int, int | None], choose: Any, rate: Fraction | None
) -> tuple[int | None, int | None]:
    """Net against the limit before taxes, gross against the one after them; where there is none, at the one VAT rate, else
    in proportion."""
    before, after = limit
    new_net = None if net is None else choose(net, before)
    if gross is None:
        return new_net, None
    if after is not None:
        return new_net, choose(gross, after)
    if net is None or new_net == net:
        return new_net, gross
    if rate is not None:
        return new_net, new_net + half_up(new_net * rate / 100)
    return new_net, half_up(Fraction(gross * new_net, net)) if net > 0 else None


def _limit(tariff: Document, name: str, choose: Any, digits: int) -> tuple[int, int | None]:
    """The limit before and after taxes; where there are no taxes, both hold for the same amount."""
    given = tariff[name]
    both = [given.get("before_taxes", given.get("excl_vat")), given.get("after_taxes", given.get("incl_vat"))]
    amounts = [half_up(number(str(each)) * 10**digits) for each in both if each is not None]
    if tariff.get("tax_included") == "N/A":
        return choose(amounts), choose(amounts)
    return amounts[0], amounts[1] if len(amounts) > 1 else None

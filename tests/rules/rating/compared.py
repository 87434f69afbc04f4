"""Where do the two readings of price differ?"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.rated import Rating
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import STOCKHOLM
from tests.rules.rating.generated import Generated
from tests.rules.rating.walked_price import DIGITS, Price, price

EVENTS = frozenset(
    {"zero_energy", "price_pending", "vat_absent", "not_below_nothing", "min_price_applied", "max_price_applied"}
)
"""Findings that both readings have."""
CHANGES = ("floor", "min_price", "max_price")


def real(given: Generated) -> Rating:
    """The price by the real reading."""
    compiled = compile_tariff(parse_tariff(given.tariff), STOCKHOLM)
    return rate(given.cdr, compiled, given.as_of, prices=given.prices, tier_ends_wh=given.tier_ends_wh)


def simple(given: Generated) -> Price:
    """The price by the second reading."""
    return price(given.cdr, given.tariff, given.prices, given.tier_ends_wh, given.as_of)


def as_simple(rating: Rating, tariff: dict[str, Any]) -> Price:
    """The real price in the shape of the second one's."""
    digits = DIGITS.get(tariff["currency"], 2)
    kinds: dict[str, tuple[int, int | None]] = {}
    for line in rating.lines:
        if line.kind.value not in CHANGES:
            amount = _minor(line.incl_vat if rating.tax_included else line.excl_vat, digits)
            quantity, before = kinds.get(line.kind.value, (0, 0))
            known = None if amount is None or before is None else before + amount
            kinds[line.kind.value] = quantity + line.quantity, known
    pending = any(line.pending for line in rating.lines)
    events = {finding.code.value for finding in rating.findings} & EVENTS - ({"vat_absent"} if pending else set())
    net, gross = _minor(rating.excl_vat, digits), _minor(rating.incl_vat, digits)
    return Price(net, gross, pending, kinds, frozenset(events))


def comparison(given: Generated) -> tuple[str | None, set[str]]:
    """What the two readings of price say where it is not the same, and what this comparison has in it."""
    rating, theirs = real(given), simple(given)
    ours = as_simple(rating, given.tariff)
    told = None if ours == theirs else f"seed {given.seed}: {ours} is not {theirs}"
    return told, features(given, rating)


def features(given: Generated, rating: Rating) -> set[str]:
    """What is special about a session, its tariff and its price, so that nobody compares only what is easy."""
    names = {finding.code.value for finding in rating.findings} | {f"line {line.kind.value}" for line in rating.lines}
    for line in rating.lines:
        names |= {"step_size rounds up"} if line.measured != line.quantity else set()
        names |= {"idle cap"} if line.capped else set()
        names |= {"tier"} if line.tier is not None else set()
        names |= {"spot price"} if line.parts else set()
        names |= {"price below 0"} if line.price is not None and line.price < 0 else set()
    if {"max_price_applied", "idle cap"} & names:
        names.add("capped")
    for kind in ("energy", "time", "parking_time"):
        if len({line.element for line in rating.lines if line.kind.value == kind and line.element is not None}) > 1:
            names.add(f"{kind} by several elements")
    if len({line.vat_percent for line in rating.lines}) > 1:
        names.add("several VAT rates")
    return names | _terms(given) | _times(given)


def _terms(given: Generated) -> set[str]:
    tariff, ours = given.tariff, given.tariff.get("laddbok", {})
    names = {f"tax_included {tariff.get('tax_included', 'absent')}"}
    for element in tariff["elements"]:
        names |= {f"restriction {name}" for name in element.get("restrictions", {})}
    idle, spot = ours.get("idle", {}), ours.get("spot", {})
    names |= {f"idle {name}" for name in ("exempt", "until") if name in idle}
    names |= {f"spot {name}" for name in ("grid", "energy_tax") if len(spot.get(name, ())) > 1}
    names |= {"terms of the start"} if ours.get("at_tax_change") == "start" else set()
    return names | ({"may be negative"} if "may_be_negative" in ours else set())


def _times(given: Generated) -> set[str]:
    cdr, zone = given.cdr, ZoneInfo(given.cdr.time_zone)
    first, last = (at.astimezone(zone) for at in (cdr.started_at, cdr.periods[-1].end_at))
    names = {"summer time changes"} if first.utcoffset() != last.utcoffset() else set()
    names |= {"midnight"} if first.date() != last.date() else set()
    names |= {"month end"} if first.month != last.month else set()
    names |= {"it runs"} if cdr.transaction_ended_at is None else set()
    return names | ({"a reservation expired"} if cdr.reservation and cdr.reservation.expired else set())


def _minor(amount: Decimal | None, digits: int) -> int | None:
    if amount is None:
        return None
    whole = amount.scaleb(digits)
    assert whole == int(whole), amount
    return int(whole)

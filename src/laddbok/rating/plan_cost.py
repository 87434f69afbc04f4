"""What would a contract's sessions have cost under a price plan?

Each session is rated as it would have been billed, and its month is charged the plan's fee and given the plan's included
energy. What can't be priced, because the market's price of one of its quarter hours is not known, is named and never 0. Its
energy still counts towards the tiers of its month, as it would have.

>>> from laddbok.rating.examples import HOUR
>>> from laddbok.model.tariff import parse_tariff
>>> terms = {"month_fee": "99", "tiers": [{"to_kwh": 10, "per_kwh": 0}], "vat": 25}
>>> energy = [{"price_components": [{"type": "ENERGY", "price": "2", "vat": 25}]}]
>>> tariff = parse_tariff({"id": "T", "currency": "SEK", "elements": energy, "laddbok": {"subscription": terms}})
>>> zone = ZoneInfo("Europe/Stockholm")
>>> cost = plan_cost("Ten free", tariff, [HOUR], zone, whole_months([HOUR], zone))
>>> session = cost.sessions[0]
>>> str(session.rated.excl_vat), str(session.included.excl_vat), str(cost.fees[0].excl_vat)
('24.69', '-20.00', '99.00')
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.superset import Tier
from laddbok.model.tariff import Tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.month_fee import Days, Month, MonthFee, held_days, month_fee, month_of
from laddbok.rating.rate import rate
from laddbok.rating.subscription import difference, tier_ends

MAX_MONTHS = 1_200
ZoneAndCurrency = tuple[str, str]
Span = tuple[Month, Days]
"""A month, and the days of it that are looked at."""


class Amount(NamedTuple):
    """An amount before and after VAT; None: that side is not known."""

    excl_vat: Decimal | None
    incl_vat: Decimal | None

    def plus(self, other: "Amount") -> "Amount":
        """Both together."""
        excl_vat, incl_vat = (None if a is None or b is None else a + b for a, b in zip(self, other, strict=True))
        return Amount(excl_vat, incl_vat)


NOTHING = Amount(Decimal(0), Decimal(0))


class SessionCost(msgspec.Struct, frozen=True, kw_only=True):
    """One session under a plan: as it is rated, and what the tiers of its month change; `why` says why it has no price."""

    session_id: str
    month: Month
    energy_wh: int
    rated: Amount = NOTHING
    included: Amount = NOTHING
    why: str | None = None


class PlanCost(msgspec.Struct, frozen=True, kw_only=True):
    """A contract's sessions under a plan, in the order in which they were given, and the fee of each month."""

    plan: str
    currency: str
    sessions: tuple[SessionCost, ...]
    fees: tuple[MonthFee, ...]


def plan_cost(
    plan: str, tariff: Tariff, cdrs: Sequence[Cdr], zone: ZoneInfo, spans: Sequence[Span],
    prices: Mapping[ZoneAndCurrency, SpotPrices] | None = None,
) -> PlanCost:  # fmt: skip
    """What the sessions of one contract would have cost under a plan.

    Args: plan, its name; zone, of the seller, which governs months; spans, the months that are charged a fee; prices, of the
        market, by bidding zone and currency.
    Source: our choice, docs/rules.md "Comparing plans".
    """
    spot, subscription = tariff.laddbok.spot, tariff.laddbok.subscription
    known = (prices or {}).get((spot.zone, tariff.currency)) if spot else None
    tiers = subscription.tiers if subscription else ()
    compiled = {name: _compiled(tariff, name) for name in {cdr.time_zone for cdr in cdrs}}
    ends = _tier_ends(cdrs, tiers, zone)
    sessions = (
        _session_cost(cdr, compiled[cdr.time_zone], month_of(cdr, zone), end, known)
        for cdr, end in zip(cdrs, ends, strict=True)
    )
    fees = (
        (month_fee(subscription, days, month, tariff.currency, tariff.tax) for month, days in spans)
        if subscription
        else ()
    )
    return PlanCost(plan=plan, currency=tariff.currency, sessions=tuple(sessions), fees=tuple(fees))


def whole_months(cdrs: Sequence[Cdr], zone: ZoneInfo) -> tuple[Span, ...]:
    """All months from the first to the last in which a session ended, also those without any, from first day to last."""
    if not cdrs:
        return ()
    months = [month_of(cdr, zone) for cdr in cdrs]
    first, last = min(months), max(months)
    return tuple((month, Days(0, month.day_count)) for month in _months(first, last))


def months_between(start_at: datetime, end_at: datetime, zone: ZoneInfo) -> tuple[Span, ...]:
    """The months of a span of time, each with those of its days that lie in it."""
    first, last = (Month(at.year, at.month) for at in (start_at.astimezone(zone), end_at.astimezone(zone)))
    spans = ((month, held_days(month, start_at, end_at, zone)) for month in _months(first, last))
    return tuple((month, days) for month, days in spans if days.end > days.first)


def _months(first: Month, last: Month) -> list[Month]:
    found = [first]
    while found[-1] < last:
        if len(found) == MAX_MONTHS:
            raise Invalid("from", f"from {first} to {last} are more than {MAX_MONTHS} months")
        found.append(found[-1].next())
    return found


def _compiled(tariff: Tariff, time_zone: str) -> CompiledTariff | str:
    """The tariff for sites of a time zone, or why there is none."""
    try:
        return compile_tariff(tariff, time_zone)
    except Invalid as error:
        return str(error)


def _tier_ends(cdrs: Sequence[Cdr], tiers: Sequence[Tier], zone: ZoneInfo) -> list[tuple[int, ...]]:
    """Where the tiers end in each session, month by month."""
    found: list[tuple[int, ...]] = [()] * len(cdrs)
    by_month: dict[Month, list[int]] = {}
    for i, cdr in enumerate(cdrs if tiers else ()):
        by_month.setdefault(month_of(cdr, zone), []).append(i)
    for numbers in by_month.values():
        ends = tier_ends([cdrs[i] for i in numbers], tiers)
        for i, end in zip(numbers, ends, strict=True):
            found[i] = end
    return found


def _session_cost(
    cdr: Cdr, compiled: CompiledTariff | str, month: Month, ends_wh: tuple[int, ...], prices: SpotPrices | None
) -> SessionCost:
    cost = SessionCost(session_id=cdr.session_id, month=month, energy_wh=cdr.energy_wh)
    if isinstance(compiled, str):
        return msgspec.structs.replace(cost, why=compiled)
    try:
        issued = rate(cdr, compiled, prices=prices)
        billed = rate(cdr, compiled, prices=prices, tier_ends_wh=ends_wh) if ends_wh else issued
    except Invalid as error:
        return msgspec.structs.replace(cost, why=str(error))
    pending = next((rating for rating in (billed, issued) if rating.excl_vat is None and rating.incl_vat is None), None)
    if pending is not None:
        return msgspec.structs.replace(cost, why=_why(pending))
    changed = NOTHING if billed is issued else Amount(*difference(billed, issued))
    return msgspec.structs.replace(cost, rated=Amount(issued.excl_vat, issued.incl_vat), included=changed)


def _why(rating: Rating) -> str:
    waiting = next((line.start_at for line in rating.lines if line.pending), None)
    return "it has no price" if waiting is None else f"no market price at {waiting:%Y-%m-%dT%H:%M:%SZ}"

"""What does a tariff say, ready for arithmetic?

A tariff is compiled once for a time zone and then rates many CDRs. Per dimension it holds the priced components in the
order of their elements, with prices as integer fractions of the currency's minor unit, and the thresholds at which a
session must be cut.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.money import millionths, minor_digits, to_minor
from laddbok.model.rated import Finding, FindingCode, LineKind, PriceParts
from laddbok.model.superset import AtTaxChange, Idle, IdleUntil
from laddbok.model.tariff import Dimension, PriceLimit, Restrictions, Tariff, TaxIncluded
from laddbok.rating.compile_spot import CompiledSpot, compile_spot
from laddbok.rating.local_time import zone_named
from laddbok.rating.restrictions import (
    Conditions,
    compile_hours,
    compile_restrictions,
    looks_at_clock,
    looks_at_current,
    looks_at_power,
    seconds_of_day,
)

_KINDS = {
    Dimension.FLAT: LineKind.FLAT,
    Dimension.ENERGY: LineKind.ENERGY,
    Dimension.TIME: LineKind.TIME,
    Dimension.PARKING_TIME: LineKind.PARKING_TIME,
}
_RESERVATION_KINDS = {Dimension.FLAT: LineKind.RESERVATION_FLAT, Dimension.TIME: LineKind.RESERVATION_TIME}
_RESERVED, _EXPIRED = "RESERVATION", "RESERVATION_EXPIRES"
_UNIT = {
    LineKind.FLAT: 1,
    LineKind.RESERVATION_FLAT: 1,
    LineKind.RESERVATION_TIME: 3_600,
    LineKind.ENERGY: 1_000,
    LineKind.TIME: 3_600,
    LineKind.PARKING_TIME: 3_600,
    LineKind.IDLE: 60,
}
"""How many Wh or s one price is for."""


class Component(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A price: `quantity * numerator / denominator` is the amount in minor units. `vat_millionths` None: not stated.

    `price` None: it is not known yet. Components with `parts` are spot prices, which share one denominator and one rounding.
    """

    kind: LineKind
    element: int | None
    price: Decimal | None
    numerator: int
    denominator: int
    vat_percent: Decimal | None
    vat_millionths: int | None
    step_size: int = 1
    conditions: Conditions | None = None
    tier: int | None = None
    parts: PriceParts | None = None


class CompiledIdle(msgspec.Struct, frozen=True, kw_only=True):
    """The idle fee's terms; `cap_minor` in minor units."""

    component: Component
    grace_s: int
    cap_minor: int | None
    exempt: tuple[Conditions, ...]
    exempt_seconds: tuple[int, ...]
    until: IdleUntil


class CompiledReservation(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of a reservation that was used, and of one that expired, in the order in which they are asked."""

    used: tuple[Component, ...]
    expired: tuple[Component, ...]


class Limit(msgspec.Struct, frozen=True):
    """A price limit in minor units, before and after VAT."""

    excl_vat: int
    incl_vat: int | None


class CompiledTariff(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff for a time zone. `cut_wh`, `cut_elapsed_s` and `cut_seconds_of_day` are where a session is cut.

    `uses_zone` says that some price depends on local time; `priced` names what the tariff prices at all, also by
    elements that never apply.
    """

    tariff_id: str
    currency: str
    tax: TaxIncluded
    time_zone: str | None
    zone: ZoneInfo | None
    uses_zone: bool
    flat: tuple[Component, ...]
    energy: tuple[Component, ...]
    time: tuple[Component, ...]
    parking: tuple[Component, ...]
    idle: CompiledIdle | None
    spot: CompiledSpot | None
    tiers: tuple[Component, ...]
    uses_power: bool
    uses_current: bool
    dates_at_start: bool
    reservation: CompiledReservation
    cut_wh: tuple[int, ...]
    cut_elapsed_s: tuple[int, ...]
    cut_seconds_of_day: tuple[int, ...]
    min_price: Limit | None
    max_price: Limit | None
    floor: Limit | None
    priced: frozenset[LineKind]
    findings: tuple[Finding, ...]


def compile_tariff(tariff: Tariff, time_zone: str | None) -> CompiledTariff:
    """Make a tariff ready for rating at sites of one time zone.

    Args: time_zone, an IANA name; None will do for a tariff that never looks at the clock.
    Raises: Invalid for an unknown zone, or when the tariff needs one and there is none.
    """
    components, ours = list(_components(tariff)), tariff.laddbok
    idle = _compile_idle(tariff, ours.idle) if ours.idle else None
    spot = compile_spot(ours.spot) if ours.spot else None
    additions = (*spot.grid, *spot.energy_tax) if spot else ()
    reservation = _compile_reservation(tariff)
    conditions = [c.conditions for c in (*components, *reservation.expired) if c.conditions]
    conditions += [a.conditions for a in additions if a.conditions]
    uses_zone = any(map(looks_at_clock, conditions)) or bool(idle and any(map(looks_at_clock, idle.exempt)))
    if uses_zone and time_zone is None:
        raise Invalid("time_zone", "the tariff depends on local time, and the site's time zone is not known")
    by_kind = {kind: tuple(c for c in components if c.kind is kind) for kind in LineKind}
    return CompiledTariff(
        tariff_id=tariff.id,
        currency=tariff.currency,
        tax=tariff.tax,
        time_zone=time_zone,
        zone=None if time_zone is None else zone_named(time_zone),
        uses_zone=uses_zone,
        flat=by_kind[LineKind.FLAT],
        energy=by_kind[LineKind.ENERGY],
        time=by_kind[LineKind.TIME],
        parking=by_kind[LineKind.PARKING_TIME],
        idle=idle,
        spot=spot,
        tiers=tuple(_tiers(tariff)),
        uses_power=any(map(looks_at_power, conditions)),
        uses_current=any(map(looks_at_current, conditions)),
        dates_at_start=ours.at_tax_change is AtTaxChange.START,
        reservation=reservation,
        cut_wh=_sorted(x for c in conditions for x in (c.min_wh, c.max_wh)),
        cut_elapsed_s=_sorted(x for c in conditions for x in (c.min_s, c.max_s)),
        cut_seconds_of_day=_sorted(x for c in conditions for x in seconds_of_day(c)),
        min_price=_limit(tariff.min_price, tariff, max),
        max_price=_limit(tariff.max_price, tariff, min),
        floor=None if _may_be_negative(tariff) else Limit(0, 0),
        priced=frozenset(_priced(tariff)),
        findings=tuple(_findings(tariff)),
    )


def _priced(tariff: Tariff) -> Iterator[LineKind]:
    for element in tariff.elements:
        kinds = _KINDS if _reserves(element.restrictions) is None else _RESERVATION_KINDS
        yield from (kinds[component.type] for component in element.price_components if component.type in kinds)


def _compile_reservation(tariff: Tariff) -> CompiledReservation:
    """An expired reservation is asked of the prices for expired ones first. Source: OCPI ReservationRestrictionType, NOTE."""
    reserved = tuple(_components(tariff, _RESERVED))
    return CompiledReservation(used=reserved, expired=(*_components(tariff, _EXPIRED), *reserved))


def _components(tariff: Tariff, reservation: str | None = None) -> Iterator[Component]:
    """The components that can ever apply to a session, or to such a reservation, in order."""
    kinds = _KINDS if reservation is None else _RESERVATION_KINDS
    for i, element in enumerate(tariff.elements):
        given = element.restrictions
        if _reserves(given) != reservation or (given and given.unknown):
            continue
        conditions = compile_restrictions(given) if given else None
        unrestricted = conditions is None or conditions == Conditions()
        for price in element.price_components:
            if price.type in kinds:
                yield _component(
                    kinds[price.type], price.price, price.vat, tariff.currency,
                    element=i, step_size=price.step_size or 1, conditions=None if unrestricted else conditions,
                )  # fmt: skip


def _component(
    kind: LineKind, price: Decimal, vat: Decimal | None, currency: str, *,
    element: int | None = None, step_size: int = 1, conditions: Conditions | None = None,
    tier: int | None = None,
) -> Component:  # fmt: skip
    numerator, denominator = price.scaleb(minor_digits(currency)).as_integer_ratio()
    return Component(
        kind=kind,
        element=element,
        price=price,
        numerator=numerator,
        denominator=denominator * _UNIT[kind],
        vat_percent=vat,
        vat_millionths=None if vat is None else millionths(vat),
        step_size=step_size,
        conditions=conditions,
        tier=tier,
    )


def one_rate(tariff: Tariff) -> Decimal | None:
    """The VAT that all price components, and the spot price, agree on; None: they don't."""
    rates = {c.vat for e in tariff.elements for c in e.price_components}
    if tariff.laddbok.spot:
        rates.add(tariff.laddbok.spot.vat)
    return rates.pop() if len(rates) == 1 else None


def _compile_idle(tariff: Tariff, idle: Idle) -> CompiledIdle:
    vat = idle.vat if idle.vat is not None else one_rate(tariff)
    exempt = tuple(compile_hours(hours) for hours in idle.exempt)
    return CompiledIdle(
        component=_component(LineKind.IDLE, idle.per_min, vat, tariff.currency),
        grace_s=idle.grace_s,
        cap_minor=None if idle.cap is None else to_minor(idle.cap, tariff.currency),
        exempt=exempt,
        exempt_seconds=_sorted(x for c in exempt for x in seconds_of_day(c)),
        until=idle.until,
    )


def _tiers(tariff: Tariff) -> Iterator[Component]:
    """The prices of the subscription's tiers; its VAT, else the one rate that the tariff's prices agree on."""
    subscription = tariff.laddbok.subscription
    if subscription is None:
        return
    vat = subscription.vat if subscription.vat is not None else one_rate(tariff)
    for i, tier in enumerate(subscription.tiers):
        yield _component(LineKind.ENERGY, tier.per_kwh, vat, tariff.currency, tier=i)


def _limit(limit: PriceLimit | None, tariff: Tariff, stricter: Callable[[list[int]], int]) -> Limit | None:
    """In minor units. Where no tax applies both sides are one amount, and the stricter of what is given holds for it."""
    if limit is None:
        return None
    given = (limit.before_taxes, limit.after_taxes)
    amounts = [to_minor(amount, tariff.currency) for amount in given if amount is not None]
    if tariff.tax is TaxIncluded.NOT_APPLICABLE:
        return Limit(stricter(amounts), stricter(amounts))
    return Limit(amounts[0], amounts[1] if len(amounts) > 1 else None)


def _sorted(thresholds: Iterator[int | None]) -> tuple[int, ...]:
    return tuple(sorted({x for x in thresholds if x is not None}))


def _reserves(restrictions: Restrictions | None) -> str | None:
    """Which reservations an element is for; None: it is for sessions."""
    return None if restrictions is None else restrictions.reservation


def _may_be_negative(tariff: Tariff) -> bool:
    """Whether the terms let a session come to less than nothing: by our word for it, or by a least price below 0."""
    return tariff.laddbok.may_be_negative or (tariff.min_price is not None and tariff.min_price.before_taxes < 0)


def _findings(tariff: Tariff) -> Iterator[Finding]:
    for i, element in enumerate(tariff.elements):
        given = element.restrictions
        for name in given.unknown if given else ():
            text = f"element {i} never applies: its restriction {name!r} is not known"
            yield Finding(FindingCode.UNKNOWN_RESTRICTION, f"elements[{i}].restrictions.{name}", text)
        if _reserves(given) not in (None, _RESERVED, _EXPIRED):
            text = f"element {i} never applies: {_reserves(given)!r} is not a kind of reservation"
            yield Finding(FindingCode.UNKNOWN_RESTRICTION, f"elements[{i}].restrictions.reservation", text)
    if tariff.laddbok.subscription and tariff.laddbok.subscription.tiers:
        text = "what the subscription has for this energy is settled on the month's invoice"
        yield Finding(FindingCode.SETTLED_MONTHLY, "laddbok.subscription", text)
    parking = any(c.type is Dimension.PARKING_TIME for e in tariff.elements for c in e.price_components)
    if parking and tariff.laddbok.idle:
        text = "both an idle fee and a price for parking time: a driver may pay twice for the same minute"
        yield Finding(FindingCode.IDLE_AND_PARKING, "laddbok.idle", text)

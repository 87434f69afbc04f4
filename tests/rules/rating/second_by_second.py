"""What would a session cost if we walked through it second by second?

A second, deliberately simple reading of the rules of price, to check the real one against: no cuts, no compiled tariff,
just the tariff document asked anew for every second, and fractions. Written from OCPI 2.3.0 mod_tariffs and docs/rules.md,
not from the real one. It is exact where every second has whole Wh and where every threshold is reached at a whole second.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.spot_prices import SpotPrices

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
TIMES = {Activity.CHARGING: "TIME", Activity.PAUSED_BY_EV: "PARKING_TIME", Activity.IDLE: "PARKING_TIME"}
UNITS = {"energy": 1000, "time": 3600, "parking_time": 3600, "reservation_time": 3600, "idle": 60}
"""How much of it has the price: the Wh of a kWh, the seconds of an hour or of a minute."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Second:
    """What is true in one second: local time, what was used before it and is used in it."""

    at: datetime
    local: datetime
    first_day: str
    """The date by which dates are judged where the terms are those of the start; else this second's."""
    wh: int = 0
    per_s: int = 0
    power_w: int = 0
    elapsed_s: int = 0
    current_ma: int | None = None


@dataclass
class Used:
    """What was used at one price, before rounding; `amount` [currency] is exact, None while a price is missing."""

    kind: str
    vat: Fraction | None
    quantity: int = 0
    amount: Fraction | None = Fraction(0)
    price: Fraction = Fraction(0)
    step: int = 1

    def add(self, quantity: int, price: Fraction | None) -> None:
        self.quantity += quantity
        if price is None or self.amount is None:
            self.amount = None
        else:
            self.amount += price * quantity / UNITS.get(self.kind, 1)


@dataclass
class Walk:
    """What was used, by kind and what priced it, in the order of first use; and what was priced last, by kind."""

    used: dict[tuple[str, object], Used] = field(default_factory=dict)
    last: dict[str, Used] = field(default_factory=dict)

    def use(self, kind: str, by: object, quantity: int, price: Fraction | None, vat: Any, step: int = 1) -> None:
        found = self.used.setdefault((kind, by), Used(kind, None if vat is None else number(str(vat)), step=step))
        found.add(quantity, price)
        found.price = Fraction(0) if price is None else price
        self.last[kind] = found


@cache
def number(text: str) -> Fraction:
    return Fraction(text)


@cache
def thousandths(text: str) -> int:
    """kWh, kW and A of a tariff in Wh, W and mA."""
    exact = Fraction(text) * 1000
    assert exact.denominator == 1, text
    return int(exact)


def walk(
    cdr: Cdr, tariff: Document, prices: SpotPrices | None, tier_ends_wh: tuple[int, ...], as_of: datetime | None
) -> Walk:
    """Everything that this session used and that the tariff prices."""
    steps, ours = Walk(), tariff.get("laddbok", {})
    _reserved(cdr, tariff, steps)
    if cdr.energy_wh == 0:  # a session without energy costs nothing, the reservation before it what it costs
        _round_up(steps)
        return steps
    for activity, now in seconds_of(cdr, tariff):
        held = [_element_holds(element, now) for element in tariff["elements"]]
        if ("flat", "once") not in steps.used:
            _component_used(tariff, held, "FLAT", 1, steps, by="once")
        if now.per_s:
            _energy(now, tariff, held, prices, tier_ends_wh, steps)
        ended = cdr.transaction_ended_at is not None and now.at >= cdr.transaction_ended_at
        if activity in TIMES and not (ended and TIMES[activity] == "PARKING_TIME"):
            _component_used(tariff, held, TIMES[activity], 1, steps)
    if "idle" in ours:
        _idle(cdr, tariff, as_of, steps)
    _round_up(steps)
    return steps


def seconds_of(cdr: Cdr, tariff: Document) -> Iterator[tuple[Activity, Second]]:
    """Each second of a session and what the outlet did in it."""
    zone, wh = ZoneInfo(cdr.time_zone), 0
    first_day = cdr.started_at.astimezone(zone).date().isoformat()
    of_start = tariff.get("laddbok", {}).get("at_tax_change") == "start"
    for period in cdr.periods:
        seconds = int((period.end_at - period.start_at).total_seconds())
        per_s, left = divmod(period.energy_wh, seconds)
        assert not left, period
        for i in range(seconds):
            at = period.start_at + timedelta(seconds=i)
            local = at.astimezone(zone)
            day = first_day if of_start else local.date().isoformat()
            elapsed_s = int((at - cdr.started_at).total_seconds())
            yield period.activity, Second(at, local, day, wh, per_s, power_w(period), elapsed_s, period.current_ma)
            wh += per_s


def power_w(period: ChargingPeriod) -> int:
    """The highest power recorded, else the mean one; a vehicle that does not charge has none."""
    if period.max_power_w is not None:
        return period.max_power_w
    seconds = int((period.end_at - period.start_at).total_seconds())
    return period.energy_wh * 3600 // seconds if period.activity is Activity.CHARGING else 0


def _element_holds(element: Document, now: Second) -> bool:
    restrictions = element.get("restrictions", {})
    return "reservation" not in restrictions and _holds(restrictions, now)


def _holds(r: Document, now: Second) -> bool:
    """Whether all restrictions hold: minima are inclusive, maxima exclusive. Source: OCPI 2.3.0 TariffRestrictions."""
    return all(name in KNOWN and KNOWN[name](r, value, now) for name, value in r.items())


def _in_window(r: Document, _: Any, now: Second) -> bool:
    clock, start, end = now.local.strftime("%H:%M"), r.get("start_time", "00:00"), r.get("end_time", "00:00")
    if end == "00:00":
        return bool(start <= clock)
    if start < end:
        return bool(start <= clock < end)
    return bool(clock >= start or clock < end)


KNOWN = {
    "start_time": _in_window,
    "end_time": _in_window,
    "start_date": lambda _, date, now: now.first_day >= date,
    "end_date": lambda _, date, now: now.first_day < date,
    "min_kwh": lambda _, kwh, now: now.wh >= thousandths(str(kwh)),
    "max_kwh": lambda _, kwh, now: now.wh < thousandths(str(kwh)),
    "min_power": lambda _, kw, now: now.power_w >= thousandths(str(kw)),
    "max_power": lambda _, kw, now: now.power_w < thousandths(str(kw)),
    "min_current": lambda _, amps, now: now.current_ma is not None and now.current_ma >= thousandths(str(amps)),
    "max_current": lambda _, amps, now: now.current_ma is not None and now.current_ma < thousandths(str(amps)),
    "min_duration": lambda _, seconds, now: now.elapsed_s >= seconds,
    "max_duration": lambda _, seconds, now: now.elapsed_s < seconds,
    "day_of_week": lambda _, days, now: not days or DAYS[now.local.weekday()] in days,
    "reservation": lambda *_: True,
    "per_kwh": lambda *_: True,
}


def _component_used(
    tariff: Document, held: list[bool], dimension: str, quantity: int, steps: Walk, by: str | None = None
) -> None:
    """The first element that holds and prices the dimension prices it."""
    for i, element in enumerate(tariff["elements"]):
        found = [component for component in element["price_components"] if component["type"] == dimension]
        if held[i] and found:
            price, step = number(str(found[0]["price"])), found[0].get("step_size") or 1
            steps.use(dimension.lower(), by or i, quantity, price, found[0].get("vat"), step)
            return


def _energy(
    now: Second,
    tariff: Document,
    held: list[bool],
    prices: SpotPrices | None,
    tier_ends_wh: tuple[int, ...],
    steps: Walk,
) -> None:
    """A tier of the subscription, else the market's price, else the tariff's."""
    ours = tariff.get("laddbok", {})
    for i, end_wh in enumerate(tier_ends_wh):
        if now.wh < end_wh:
            terms = ours["subscription"]
            vat = vat_or_the_one_rate(tariff, terms.get("vat"))
            steps.use("energy", ("tier", i), now.per_s, number(str(terms["tiers"][i]["per_kwh"])), vat)
            return
    if "spot" in ours:
        steps.use("energy", "spot", now.per_s, spot_price(ours["spot"], now, prices), ours["spot"].get("vat"))
    else:
        _component_used(tariff, held, "ENERGY", now.per_s, steps)


def spot_price(spot: Document, now: Second, prices: SpotPrices | None) -> Fraction | None:
    """The price of a kWh in this second: the market's and what is added to it; None where the market's is not known."""
    at_s = int(now.at.timestamp())
    known = prices.by_start_s if prices else {}
    market = known.get(at_s - at_s % 900)
    if market is None:
        return None
    added = [
        next((number(str(entry["per_kwh"])) for entry in spot.get(name, ()) if _holds(entry, now)), Fraction(0))
        for name in ("grid", "energy_tax")
    ]
    return Fraction(market) + number(str(spot.get("markup", 0))) + sum(added)


def _reserved(cdr: Cdr, tariff: Document, steps: Walk) -> None:
    """The elements for reservations price it; of one that expired those for expiry come first, dimension by dimension."""
    held = cdr.reservation
    if held is None:
        return
    zone = ZoneInfo(cdr.time_zone)
    first_day = cdr.started_at.astimezone(zone).date().isoformat()
    of_start = tariff.get("laddbok", {}).get("at_tax_change") == "start"
    for i in range(int((held.end_at - held.start_at).total_seconds())):
        local = (held.start_at + timedelta(seconds=i)).astimezone(zone)
        now = Second(held.start_at, local, first_day if of_start else local.date().isoformat(), elapsed_s=i)
        names = ("RESERVATION_EXPIRES", "RESERVATION") if held.expired else ("RESERVATION",)
        for dimension, kind in (("FLAT", "reservation_flat"), ("TIME", "reservation_time")):
            if kind == "reservation_flat" and kind in steps.last:
                continue
            _reservation_used(tariff, names, dimension, kind, now, steps)


def _reservation_used(
    tariff: Document, names: tuple[str, ...], dimension: str, kind: str, now: Second, steps: Walk
) -> None:
    for name in names:
        for i, element in enumerate(tariff["elements"]):
            terms = element.get("restrictions", {})
            found = [component for component in element["price_components"] if component["type"] == dimension]
            if terms.get("reservation") == name and found and _holds(terms, now):
                price, step = number(str(found[0]["price"])), found[0].get("step_size") or 1
                steps.use(kind, i, 1, price, found[0].get("vat"), step)
                return


def _idle(cdr: Cdr, tariff: Document, as_of: datetime | None, steps: Walk) -> None:
    """Each second from the end of charging and the grace on that is neither exempt nor a pause of ours."""
    terms = tariff["laddbok"]["idle"]
    ends = [cdr.unplugged_at, cdr.last_contact_at, as_of]
    ends += [cdr.transaction_ended_at] if terms.get("until", "transaction") == "transaction" else []
    known = [end for end in ends if end is not None] or [cdr.transaction_ended_at or cdr.periods[-1].end_at]
    if cdr.charging_ended_at is None:
        return
    zone, vat = ZoneInfo(cdr.time_zone), vat_or_the_one_rate(tariff, terms.get("vat"))
    at = cdr.charging_ended_at + timedelta(seconds=terms.get("grace_s", 0))
    while at < min(known):
        now = Second(at, at.astimezone(zone), "")
        ours = any(p.start_at <= at < p.end_at for p in cdr.periods if p.activity is Activity.PAUSED_BY_EVSE)
        if not ours and not any(_holds(hours, now) for hours in terms.get("exempt", ())):
            steps.use("idle", "idle", 1, number(str(terms["per_min"])), vat)
        at += timedelta(seconds=1)
    if "cap" in terms and "idle" in steps.last:
        fee = steps.last["idle"]
        assert fee.amount is not None
        fee.amount = min(fee.amount, number(str(terms["cap"])))


def vat_or_the_one_rate(tariff: Document, stated: Any) -> Any:
    """What is stated, else the one rate on which the price components and the spot price agree."""
    rates = {component.get("vat") for element in tariff["elements"] for component in element["price_components"]}
    spot = tariff["laddbok"].get("spot")
    rates |= {spot.get("vat")} if spot else set()
    return next(iter(rates)) if stated is None and len(rates) == 1 else stated


def _round_up(steps: Walk) -> None:
    """Energy in steps; parking in steps if any was priced, else charging; a reservation in its own."""
    for kind in ("energy", "parking_time" if "parking_time" in steps.last else "time", "reservation_time"):
        if kind in steps.last:
            last = steps.last[kind]
            total = sum(used.quantity for (name, _), used in steps.used.items() if name == kind)
            more = -total % last.step
            if more:
                last.add(more, last.price)

"""Which sessions and tariffs are the two readings of price compared on?

One seed is one session under one tariff. Powers are multiples of 3.6 kW, so that every second has whole Wh, and each stretch
takes a multiple of 60 Wh, so that every threshold of a multiple of 60 Wh is reached at a whole second. Times, thresholds
and dates are drawn from those that the session comes by.
"""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from math import gcd
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod, Reservation
from laddbok.model.errors import Invalid
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from tests.rules.rating.building import STOCKHOLM, local

Document = dict[str, Any]

TURNS = (
    "2026-03-29T02:00", "2026-03-29T01:59", "2026-10-25T02:00", "2026-10-25T02:59", "2026-10-25T03:00", "2026-05-09T00:00",
    "2026-05-11T00:00", "2026-06-01T00:00", "2027-01-01T00:00", "2026-05-08T06:00", "2026-05-08T12:00", "2026-05-08T22:00",
)  # fmt: skip
"""Nights of summer time, midnights of weekends, months and years, and hours at which prices like to change."""
PER_SECOND_WH = (1, 2, 3, 4, 6, 10, 12, 15)
RATES: tuple[list[float | None], ...] = ([25], [25], [25], [25, 12, 6, 0], [25, None], [None])


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison: what the real reading and the second one are both given."""

    seed: int
    cdr: Cdr
    tariff: Document
    prices: SpotPrices | None
    tier_ends_wh: tuple[int, ...]
    as_of: datetime | None


def generated(seed: int) -> Generated:
    """The session, the tariff and the prices of a seed."""
    pick = random.Random(seed)
    cdr, as_of = some_session(pick)
    while True:
        tariff = some_tariff(pick, cdr)
        try:
            parse_tariff(tariff)
        except Invalid:  # limits that no session can keep
            continue
        break
    tiers = tariff.get("laddbok", {}).get("subscription", {}).get("tiers", ())
    ends_wh = sorted(some_wh(pick, cdr.energy_wh) for _ in tiers)
    prices = some_prices(pick, cdr, tariff["currency"]) if "spot" in tariff.get("laddbok", {}) else None
    return Generated(seed=seed, cdr=cdr, tariff=tariff, prices=prices, tier_ends_wh=tuple(ends_wh), as_of=as_of)


def chance(pick: random.Random, percent: int) -> bool:
    return pick.randrange(100) < percent


def some_wh(pick: random.Random, energy_wh: int) -> int:
    """A threshold that the session reaches, mostly."""
    return pick.randrange(0, energy_wh * 5 // 4 + 120, 60)


def some_session(pick: random.Random) -> tuple[Cdr, datetime | None]:
    """A session about a turn of the calendar; its times, and the instant for which the price is asked if it runs."""
    count, longest_s = pick.choice([1, 2, 3, 4, 5]), 4000 if chance(pick, 2) else pick.choice([100, 300, 800])
    start_at = local(pick.choice(TURNS), fold=pick.randrange(2)) - timedelta(seconds=pick.randrange(longest_s * 2))
    expired = chance(pick, 5)
    nothing, periods, at = chance(pick, 80 if expired else 3), [], start_at
    for i in range(count):
        activity = Activity.CHARGING if i == 0 else pick.choice([Activity.CHARGING, Activity.IDLE, *Activity])
        some = (i == 0 or chance(pick, 80 if activity is Activity.CHARGING else 5)) and not nothing
        per_s = pick.choice(PER_SECOND_WH) if some else 0
        every_s = 60 // gcd(60, per_s)
        seconds = pick.randrange(1, longest_s // every_s + 2) * every_s
        current_ma = pick.choice([None, 6_000, 16_000, 32_000, 48_000])
        peak_w = pick.choice([None, None, None, per_s * 3600, per_s * 4500])
        for length_s in some_slices(pick, at, seconds):
            until = at + timedelta(seconds=length_s)
            periods.append(
                ChargingPeriod(
                    start_at=at,
                    end_at=until,
                    activity=activity,
                    energy_wh=per_s * length_s,
                    current_ma=current_ma,
                    max_power_w=peak_w,
                )
            )
            at = until
    cdr, as_of = some_ends(pick, periods)
    if expired or chance(pick, 12):
        cdr = msgspec.structs.replace(cdr, reservation=some_reservation(pick, start_at, expired))
    return cdr, as_of


def some_slices(pick: random.Random, at: datetime, seconds: int) -> list[int]:
    """A stretch as a station reports it: whole, by the quarters of the clock, or anyhow."""
    cuts = {pick.randrange(1, seconds) for _ in range(pick.choice([0, 0, 1, 3]))} if seconds > 1 else set()
    if chance(pick, 50):
        first_s = -int(at.timestamp()) % QUARTER_S
        cuts |= set(range(first_s, seconds, QUARTER_S)) - {0}
    ends = [*sorted(cuts), seconds]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def some_ends(pick: random.Random, periods: list[ChargingPeriod]) -> tuple[Cdr, datetime | None]:
    """When charging, the transaction and the contact ended, and when the cable was pulled out."""
    start_at, end_at = periods[0].start_at, periods[-1].end_at
    charged = [period.end_at for period in periods if period.activity is Activity.CHARGING]
    later = [end_at, end_at, end_at, end_at - timedelta(seconds=pick.randrange(200))]
    ended_at = max(charged[-1], pick.choice(later))
    after = timedelta(seconds=pick.randrange(1500))
    runs = chance(pick, 10)
    cdr = Cdr(
        session_id="GENERATED",
        started_at=start_at,
        charging_ended_at=charged[-1],
        transaction_ended_at=None if runs else ended_at,
        unplugged_at=pick.choice([None, ended_at, ended_at + after]),
        last_contact_at=pick.choice(
            [None, ended_at, end_at + 2 * after, end_at + timedelta(seconds=after.seconds // 2)]
        ),
        energy_wh=sum(period.energy_wh for period in periods),
        periods=tuple(periods),
        time_zone=STOCKHOLM,
    )
    return cdr, end_at + after if runs else None


def some_reservation(pick: random.Random, start_at: datetime, expired: bool) -> Reservation:
    return Reservation(start_at=start_at - timedelta(seconds=pick.randrange(1, 2000)), end_at=start_at, expired=expired)


def some_tariff(pick: random.Random, cdr: Cdr) -> Document:
    """A tariff of one to five elements, with everything else now and then."""
    rates = pick.choice(RATES)
    ours = some_terms(pick, cdr, rates)
    kinds = ["TIME", "PARKING_TIME", "FLAT"] + ([] if "spot" in ours else ["ENERGY", "ENERGY"])
    tax = {"tax_included": "N/A"} if chance(pick, 10) else pick.choice([{}, {"tax_included": "NO"}])
    if "spot" not in ours and chance(pick, 35):
        tax = {"tax_included": "YES"}
    elements = [some_element(pick, cdr, kinds, rates) for _ in range(pick.randrange(0 if "spot" in ours else 1, 5))]
    if cdr.reservation is not None:
        elements += [some_reserving(pick, cdr, rates) for _ in range(pick.randrange(1, 4))]
        pick.shuffle(elements)
    limits = {}
    if chance(pick, 30):
        limits["min_price"] = some_limit(pick, "tax_included" in tax, 0, 9000)
    if chance(pick, 50):
        limits["max_price"] = some_limit(pick, "tax_included" in tax, 100, 3000)
    currency = pick.choice(["SEK"] * 18 + ["JPY", "KWD"])
    found = {"id": "G", "currency": currency, "elements": elements, **tax, **limits}
    return found | ({"laddbok": ours} if ours else {})


def some_limit(pick: random.Random, newer: bool, least: int, most: int) -> Document:
    before = pick.randrange(least, most)
    names = ("before_taxes", "after_taxes") if newer else ("excl_vat", "incl_vat")
    after = before * pick.choice([100, 110, 125, 140]) // 100
    return {name: value / 100 for name, value in zip(names, (before, after)[: pick.choice([1, 2])], strict=False)}


def some_element(pick: random.Random, cdr: Cdr, kinds: list[str], rates: list[float | None]) -> Document:
    chosen = sorted(set(pick.sample(kinds, pick.randrange(1, len(kinds) + 1))))
    components = [some_component(pick, kind, rates) for kind in chosen]
    restrictions = some_restrictions(pick, cdr) if chance(pick, 65) else {}
    return {"price_components": components} | ({"restrictions": restrictions} if restrictions else {})


def some_component(pick: random.Random, kind: str, rates: list[float | None]) -> Document:
    price = pick.randrange(-6000 if chance(pick, 10) else 0, 9000) / pick.choice([100, 100, 1000])
    vat = pick.choice(rates)
    step = pick.choice([0, 1, 1, 1, 60, 100, 300, 500, 900])
    return {"type": kind, "price": price, "step_size": step} | ({} if vat is None else {"vat": vat})


def some_reserving(pick: random.Random, cdr: Cdr, rates: list[float | None]) -> Document:
    kinds = pick.sample(["TIME", "FLAT"], pick.randrange(1, 3))
    more = some_hours(pick, cdr) if chance(pick, 20) else some_dates(pick, cdr) if chance(pick, 20) else {}
    return {
        "price_components": [some_component(pick, kind, rates) for kind in sorted(kinds)],
        "restrictions": {"reservation": pick.choice(["RESERVATION", "RESERVATION", "RESERVATION_EXPIRES"]), **more},
    }


def some_restrictions(pick: random.Random, cdr: Cdr) -> Document:
    """One to three conditions, of which the session meets about every other at some time."""
    least, most = sorted(some_wh(pick, cdr.energy_wh) for _ in range(2))
    length_s = int((cdr.periods[-1].end_at - cdr.started_at).total_seconds())
    first_s, last_s = sorted(pick.randrange(length_s * 5 // 4 + 2) for _ in range(2))
    choices: list[Document] = [
        some_hours(pick, cdr),
        some_hours(pick, cdr),
        *(some_dates(pick, cdr) for _ in range(4 if over_midnight(cdr) else 1)),
        {"min_kwh": least / 1000},
        {"max_kwh": most / 1000},
        {"min_kwh": least / 1000, "max_kwh": most / 1000},
        {"min_duration": first_s, "max_duration": last_s},
        {"max_duration": last_s},
        {"min_power": pick.choice([3.6, 3.601, 7.2, 7.201, 21.6])},
        {"max_power": pick.choice([3.6, 7.2, 22, 43.2])},
        {pick.choice(["min_current", "max_current"]): pick.choice([6, 16, 20, 32])},
    ]
    chosen = pick.sample(choices, pick.choice([1, 1, 2, 3]))
    found = {key: value for each in chosen for key, value in each.items()}
    return found | ({"moon_phase": "full"} if chance(pick, 3) else {})


def some_hours(pick: random.Random, cdr: Cdr) -> Document:
    """A window of the day or days of the week, of which one edge lies in or near the session."""
    zone = ZoneInfo(STOCKHOLM)
    length_s = int((cdr.periods[-1].end_at - cdr.started_at).total_seconds())
    first, last = sorted(cdr.started_at + timedelta(seconds=pick.randrange(length_s + 1)) for _ in range(2))
    edge, other = (at.astimezone(zone).strftime("%H:%M") for at in pick.sample([first, last], 2))
    far = pick.choice(["00:00", "02:00", "03:00", "06:00", "24:00", edge[:3] + "00"])
    around = [(edge, far), (far.replace("24", "00"), edge), ("00:00", edge), (edge, "00:00"), (edge, other)]
    start, end = pick.choice(around)
    days = pick.sample(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], 4)
    window = pick.choice([{"start_time": start, "end_time": end}, {"start_time": start}, {"end_time": end}])
    return pick.choice([window, window, {"day_of_week": days}, window | {"day_of_week": days}])


def over_midnight(cdr: Cdr) -> bool:
    first, last = (at.astimezone(ZoneInfo(STOCKHOLM)).date() for at in (cdr.started_at, cdr.periods[-1].end_at))
    return first != last


def some_dates(pick: random.Random, cdr: Cdr) -> Document:
    """From or up to a day of the session."""
    day = pick.choice([cdr.started_at, cdr.periods[-1].end_at]).astimezone(ZoneInfo(STOCKHOLM)).date()
    later = day + timedelta(days=pick.choice([1, 30]))
    return pick.choice(
        [{"start_date": str(day)}, {"end_date": str(day)}, {"start_date": str(day), "end_date": str(later)}]
    )


def some_terms(pick: random.Random, cdr: Cdr, rates: list[float | None]) -> Document:
    """What OCPI can't say."""
    vat, ours = pick.choice(rates), Document()
    taxed = {} if vat is None else {"vat": vat}
    if chance(pick, 40):
        ours["idle"] = {"per_min": pick.randrange(5, 500) / 100, "grace_s": pick.choice([0, 1, 60, 300])}
        ours["idle"] |= {"cap": pick.randrange(1, 30)} if chance(pick, 40) else {}
        ours["idle"] |= (
            {"exempt": [some_hours(pick, cdr) for _ in range(pick.randrange(1, 3))]} if chance(pick, 30) else {}
        )
        ours["idle"] |= {"until": "unplug"} if chance(pick, 30) else {}
        ours["idle"] |= taxed if chance(pick, 60) else {}
    if chance(pick, 30):
        entries = {
            name: [some_surcharge(pick, cdr) for _ in range(pick.randrange(4))] for name in ("grid", "energy_tax")
        }
        ours["spot"] = {"zone": "SE3", "markup": pick.choice(["0", "0.05", "0.0825"]), **entries, **taxed}
    if chance(pick, 20):
        tiers = [
            {"to_kwh": 10 * (i + 1), "per_kwh": pick.choice(["0", "0.49", "1.995"])}
            for i in range(pick.randrange(1, 4))
        ]
        ours["subscription"] = {"tiers": tiers, **taxed}
    if chance(pick, 25):
        ours["may_be_negative"] = True
    if chance(pick, 70 if over_midnight(cdr) else 15):
        ours["at_tax_change"] = pick.choice(["start", "start", "split"])
    return ours


def some_surcharge(pick: random.Random, cdr: Cdr) -> Document:
    hours = some_hours(pick, cdr) if chance(pick, 50) else {}
    dates = some_dates(pick, cdr) if chance(pick, 50) else {}
    return {"per_kwh": pick.choice(["0.25", "0.36", "0.439", "0.0075"]), **hours, **dates}


def some_prices(pick: random.Random, cdr: Cdr, currency: str) -> SpotPrices:
    """A price for each quarter that the session touches, often below nothing; now and then a gap."""
    first_s, last_s = int(cdr.started_at.timestamp()), int(cdr.periods[-1].end_at.timestamp())
    starts = range(first_s - first_s % QUARTER_S, last_s + QUARTER_S, QUARTER_S)
    least, most = pick.choice([(-20_000, 150_000), (-150_000, 100_000), (-300_000, -50_000)])
    found = {at: Decimal(pick.randrange(least, most)).scaleb(-5) for at in starts}
    for at in pick.sample(list(starts), pick.choice([1, len(starts)])) if chance(pick, 35) else ():
        del found[at]
    return SpotPrices(zone="SE3", currency=currency, source="generated", by_start_s=found)

"""What would a session cost if we walked through it second by second?

A second, deliberately simple reading of OCPI's tariff rules, to check the real one against: no cuts, no compiled tariff,
no integers, just the tariff document asked anew for every second. It is exact where every second has whole Wh.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.cdr import Activity, Cdr

DIMENSIONS = {Activity.CHARGING: "TIME", Activity.PAUSED_BY_EV: "PARKING_TIME", Activity.IDLE: "PARKING_TIME"}
UNITS = {"ENERGY": 1000, "TIME": 3600, "PARKING_TIME": 3600, "FLAT": 1}
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

Used = dict[tuple[int, str], int]
"""What was used, by element and dimension, in the order of use."""


def price(cdr: Cdr, tariff: dict[str, Any]) -> Decimal:
    """The net price of a session whose periods have whole Wh in every second."""
    used: Used = {}
    last: dict[str, int] = {}
    zone, wh, elapsed_s = ZoneInfo(cdr.time_zone), 0, 0
    for period in cdr.periods:
        seconds = int((period.end_at - period.start_at).total_seconds())
        per_s = period.energy_wh // seconds
        assert per_s * seconds == period.energy_wh
        for i in range(seconds):
            at = (period.start_at + timedelta(seconds=i)).astimezone(zone)
            for dimension, quantity in _quantities(period.activity, per_s, used):
                element = _element(tariff, dimension, at, wh, per_s * 3600, elapsed_s)
                if element is not None:
                    used[element, dimension] = used.get((element, dimension), 0) + quantity
                    last[dimension] = element
            wh, elapsed_s = wh + per_s, elapsed_s + 1
    _round_up(used, last, tariff)
    return sum((_amount(tariff, key, quantity) for key, quantity in used.items()), Decimal(0))


def _quantities(activity: Activity, per_s: int, used: Used) -> list[tuple[str, int]]:
    flat = [] if any(dimension == "FLAT" for _, dimension in used) else [("FLAT", 1)]
    energy = [("ENERGY", per_s)] if per_s else []
    return flat + energy + ([(DIMENSIONS[activity], 1)] if activity in DIMENSIONS else [])


def _element(tariff: dict[str, Any], dimension: str, at: datetime, wh: int, power_w: int, elapsed_s: int) -> int | None:
    for i, element in enumerate(tariff["elements"]):
        prices_it = any(component["type"] == dimension for component in element["price_components"])
        if prices_it and _holds(element.get("restrictions", {}), at, wh, power_w, elapsed_s):
            return i
    return None


def _holds(r: dict[str, Any], at: datetime, wh: int, power_w: int, elapsed_s: int) -> bool:
    clock, start, end = at.strftime("%H:%M"), r.get("start_time", "00:00"), r.get("end_time", "00:00")
    window = start <= clock < (end if end != "00:00" else "24:00") if start < end or end == "00:00" else (
        clock >= start or clock < end
    )  # fmt: skip
    return (
        window
        and (not r.get("day_of_week") or DAYS[at.weekday()] in r["day_of_week"])
        and ("start_date" not in r or at.date().isoformat() >= r["start_date"])
        and ("end_date" not in r or at.date().isoformat() < r["end_date"])
        and Fraction(str(r.get("min_kwh", 0))) * 1000 <= wh
        and ("max_kwh" not in r or wh < Fraction(str(r["max_kwh"])) * 1000)
        and r.get("min_power", 0) * 1000 <= power_w
        and ("max_power" not in r or power_w < r["max_power"] * 1000)
        and r.get("min_duration", 0) <= elapsed_s
        and ("max_duration" not in r or elapsed_s < r["max_duration"])
    )


def _component(tariff: dict[str, Any], key: tuple[int, str]) -> dict[str, Any]:
    element, dimension = key
    found = (c for c in tariff["elements"][element]["price_components"] if c["type"] == dimension)
    return dict(next(found))


def _round_up(used: Used, last: dict[str, int], tariff: dict[str, Any]) -> None:
    """Energy in steps; parking in steps if any was priced, else charging."""
    for dimension in ("ENERGY", "PARKING_TIME" if "PARKING_TIME" in last else "TIME"):
        if dimension in last:
            key = (last[dimension], dimension)
            step = _component(tariff, key).get("step_size") or 1
            used[key] += -sum(quantity for (_, kind), quantity in used.items() if kind == dimension) % step


def _amount(tariff: dict[str, Any], key: tuple[int, str], quantity: int) -> Decimal:
    exact = Decimal(str(_component(tariff, key)["price"])) * quantity / UNITS[key[1]]
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)

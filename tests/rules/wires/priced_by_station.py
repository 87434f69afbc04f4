"""What would a station that computes the cost itself (OCPP 2.1) ask for a session?

A second by second reading of TariffType, written from the specification alone: per dimension the first price in the list
whose conditions hold, a fixed fee judged at the start only, idle time whatever is not charging. Like ours, each price is
rounded once.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.cdr import Activity, Cdr

Price = dict[str, Any]
UNITS = {"energy": ("priceKwh", 1000), "chargingTime": ("priceMinute", 60), "idleTime": ("priceMinute", 60)}


def station_cost(cdr: Cdr, tariff: dict[str, Any]) -> Decimal:
    """The net cost of a session whose periods have whole Wh in every second; minCost and maxCost without taxes."""
    used: dict[tuple[str, int], int] = {}
    zone, wh, elapsed_s = ZoneInfo(cdr.time_zone), 0, 0
    for period in cdr.periods:
        seconds = int((period.end_at - period.start_at).total_seconds())
        per_s = period.energy_wh // seconds
        for i in range(seconds):
            at = (period.start_at + timedelta(seconds=i)).astimezone(zone)
            time = "chargingTime" if period.activity is Activity.CHARGING else "idleTime"
            for field, quantity in (("energy", per_s), (time, 1)):
                number = _first(tariff, field, at, wh, per_s * 3600, elapsed_s)
                if number is not None and quantity:
                    used[field, number] = used.get((field, number), 0) + quantity
            wh, elapsed_s = wh + per_s, elapsed_s + 1
    cost = sum(
        (_amount(tariff, field, number, quantity) for (field, number), quantity in used.items()), _fixed(cdr, tariff)
    )
    cost = max(cost, _limit(tariff, "minCost", cost))
    return min(cost, _limit(tariff, "maxCost", cost))


def _limit(tariff: dict[str, Any], name: str, otherwise: Decimal) -> Decimal:
    return Decimal(str(tariff[name]["exclTax"])) if name in tariff else otherwise


def _fixed(cdr: Cdr, tariff: dict[str, Any]) -> Decimal:
    at = cdr.started_at.astimezone(ZoneInfo(cdr.time_zone))
    for price in tariff.get("fixedFee", {}).get("prices", []):
        if _holds(price.get("conditions", {}), at, 0, 0, 0):
            return Decimal(str(price["priceFixed"]))
    return Decimal(0)


def _first(tariff: dict[str, Any], field: str, at: datetime, wh: int, power_w: int, elapsed_s: int) -> int | None:
    for number, price in enumerate(tariff.get(field, {}).get("prices", [])):
        if _holds(price.get("conditions", {}), at, wh, power_w, elapsed_s):
            return number
    return None


def _holds(c: dict[str, Any], at: datetime, wh: int, power_w: int, elapsed_s: int) -> bool:
    clock = at.hour * 60 + at.minute
    start, end = (_minutes(c.get(name, "00:00")) for name in ("startTimeOfDay", "endTimeOfDay"))
    within = start <= clock < (end or 1440) if start < (end or 1440) else clock >= start or clock < end
    return (
        within
        and at.strftime("%A") in c.get("dayOfWeek", [at.strftime("%A")])
        and c.get("validFromDate", "") <= at.date().isoformat() < c.get("validToDate", "9999")
        and c.get("minEnergy", 0) <= wh < c.get("maxEnergy", 10**9)
        and c.get("minPower", 0) <= power_w < c.get("maxPower", 10**9)
        and c.get("minTime", 0) <= elapsed_s < c.get("maxTime", 10**9)
    )


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _amount(tariff: dict[str, Any], field: str, number: int, quantity: int) -> Decimal:
    name, unit = UNITS[field]
    exact = Fraction(str(tariff[field]["prices"][number][name])) * quantity / unit
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)

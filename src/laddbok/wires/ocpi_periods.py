"""What happened in each charging period of a foreign CDR?

A period ends where the next one starts; the last one with the session. RESERVATION_TIME, TIME and PARKING_TIME say how much
of it was reserved, charging and parking, in this order; where neither of the last two is given, energy tells. Instants are
trusted to the second, volumes are not. The power and the current of a period are the highest that it states.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.money import divide_half_up
from laddbok.model.tariff import below_maximum

MAX_DECIMALS = 400
"""As many as a floating-point number can have when it is written out."""

TOLERANCE_S = 40
"""Volumes are hours, in the wild with as few as two decimals, so a period's times may miss its length by this much."""

_QUANTITIES = ("ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME")
_HIGHEST = ("MAX_CURRENT", "MAX_POWER")
_SIGNED = ("CURRENT", "MIN_CURRENT", "MIN_POWER", "POWER")
"""Below 0 when the vehicle feeds the grid."""
_PASSED_OVER = ("ENERGY_EXPORT", "ENERGY_IMPORT", "FLAT", "STATE_OF_CHARGE")
"""They say nothing about what is paid for; FLAT is of OCPI 2.1.1, and still sent."""


class Dimension(msgspec.Struct, frozen=True):
    """Source: OCPI 2.3.0 mod_cdrs, CdrDimension."""

    type: str
    volume: Decimal


class Period(msgspec.Struct, frozen=True):
    """Source: OCPI 2.3.0 mod_cdrs, ChargingPeriod."""

    start_date_time: datetime
    dimensions: tuple[Dimension, ...] | None = None


class Span(NamedTuple):
    """A period of the file, cleaned: seconds of each kind in their order, and energy [kWh], power and current if it says."""

    start_at: datetime
    reserved_s: int
    charging_s: int
    parking_s: int
    other_s: int
    energy_kwh: Decimal | None
    max_power_w: int | None
    current_ma: int | None

    @property
    def is_reservation(self) -> bool:
        """Whether the EVSE was only held in it."""
        return self.reserved_s > 0 and not (self.charging_s or self.parking_s or self.energy_kwh)


def span(period: Period, path: str, start_at: datetime, until_at: datetime, assume_charging: bool) -> Span:
    """A period that ends at `until_at`.

    Args: path, of the period in its document; assume_charging, that time which nobody accounts for was charging, since the
        CDR has energy and says nowhere when.
    Raises: Invalid for what is unknown, negative, or longer than the period.
    Source: OCPI 2.2.1 and 2.3.0 mod_cdrs, CdrDimensionType; our choice that restrictions on power and current are judged by
        the highest of a period: MAX_POWER and MAX_CURRENT, else the averages POWER and CURRENT, else MIN_CURRENT. A tariff
        that splits at 32 A then always has one answer, and a CPO has to start a period where that answer changes. Without
        any power the period's energy over its time is taken, which is never less than MIN_POWER.
    """
    volumes = _volumes(period, path)
    length_s = int(until_at.timestamp()) - int(start_at.timestamp())
    reserved_s = _reserved_s(volumes, length_s, path)
    charging_s, parking_s = _times(volumes, length_s - reserved_s, path, assume_charging)
    return Span(
        start_at=start_at,
        reserved_s=reserved_s,
        charging_s=charging_s,
        parking_s=parking_s,
        other_s=length_s - reserved_s - charging_s - parking_s,
        energy_kwh=volumes.get("ENERGY"),
        max_power_w=_thousandths(volumes, "MAX_POWER", "POWER"),
        current_ma=_thousandths(volumes, "MAX_CURRENT", "CURRENT", "MIN_CURRENT"),
    )


def charging_periods(spans: Sequence[Span], energies_wh: Sequence[int], spread: bool) -> Iterator[ChargingPeriod]:
    """Our periods in time order; what is neither charging nor parking is a pause that nobody pays for.

    Args: energies_wh, of each span; spread, whether they are a total spread over the charging time.
    """
    charged = False
    for at, energy_wh in zip(spans, energies_wh, strict=True):
        parked = Activity.IDLE if charged or at.charging_s else Activity.PAUSED_BY_EV
        activities = [
            (Activity.CHARGING, at.charging_s), (parked, at.parking_s), (Activity.PAUSED_BY_EVSE, at.other_s)
        ]  # fmt: skip
        present = [each for each in activities if each[1]] or ([] if at.is_reservation else [(Activity.CHARGING, 0)])
        start_at, left_wh = at.start_at + timedelta(seconds=at.reserved_s), energy_wh
        for activity, length_s in present:
            end_at = start_at + timedelta(seconds=length_s)
            measured = activity is present[0][0]
            yield ChargingPeriod(
                start_at=start_at, end_at=end_at, activity=activity, energy_wh=left_wh,
                max_power_w=at.max_power_w if measured else None, current_ma=at.current_ma if measured else None,
                estimated=spread and left_wh > 0,
            )  # fmt: skip
            start_at, left_wh = end_at, 0
        charged |= at.charging_s > 0


def is_quantity(number: Decimal) -> bool:
    """From 0, neither too large nor so small that computing with it would take long."""
    return _is_number(number) and number >= 0


def _is_number(number: Decimal) -> bool:
    return below_maximum(number) and number.adjusted() > -MAX_DECIMALS


def _volumes(period: Period, path: str) -> dict[str, Decimal]:
    """What is stated more than once is added up, a highest value is the highest of them."""
    volumes: dict[str, Decimal] = {}
    for j, dimension in enumerate(period.dimensions or ()):
        where, kind, volume = f"{path}.dimensions[{j}]", dimension.type, dimension.volume
        if kind in _PASSED_OVER:
            continue
        if kind not in (*_QUANTITIES, *_HIGHEST, *_SIGNED):
            hint = f"; it is written {kind.upper()}" if kind.upper() in (*_QUANTITIES, *_HIGHEST, *_SIGNED) else ""
            raise Invalid(f"{where}.type", f"{kind!r} is not a dimension of OCPI 2.2.1 or 2.3.0{hint}")
        if not (_is_number(volume) if kind in _SIGNED else is_quantity(volume)):
            raise Invalid(f"{where}.volume", f"{volume} is not a volume from 0")
        known = volumes.get(kind, Decimal(0) if kind in _QUANTITIES else volume)
        volumes[kind] = known + volume if kind in _QUANTITIES else max(known, volume)
    return volumes


def _reserved_s(volumes: dict[str, Decimal], length_s: int, path: str) -> int:
    """The reserved time [s] of a period of this length: all of it, where that is what the volume means."""
    stated_s = _seconds(volumes.get("RESERVATION_TIME", Decimal(0)))
    if stated_s > length_s + TOLERANCE_S:
        raise Invalid(f"{path}.dimensions", f"{stated_s} s of reservation in a period of {length_s} s")
    alone = stated_s > 0 and not any(volumes.get(kind) for kind in ("ENERGY", "TIME", "PARKING_TIME"))
    return length_s if alone and stated_s >= length_s - TOLERANCE_S else min(stated_s, length_s)


def _times(volumes: dict[str, Decimal], length_s: int, path: str, assume_charging: bool) -> tuple[int, int]:
    """Charging and parking [s] in what is left of a period after a reservation."""
    stated_s = {kind: _seconds(volumes[kind]) for kind in ("TIME", "PARKING_TIME") if kind in volumes}
    energy_kwh = volumes.get("ENERGY")
    total_s = sum(stated_s.values())
    if total_s > length_s + TOLERANCE_S:
        raise Invalid(f"{path}.dimensions", f"{total_s} s of time in a period of {length_s} s")
    parking_s = min(stated_s.get("PARKING_TIME", 0), length_s)
    assumed = assume_charging and not stated_s and not volumes.get("RESERVATION_TIME")
    if "TIME" not in stated_s and (energy_kwh or assumed):
        return length_s - parking_s, parking_s
    if not stated_s:
        return (0, 0) if energy_kwh is None else (0, length_s)
    if total_s < length_s - TOLERANCE_S:
        return stated_s.get("TIME", 0), parking_s
    if "PARKING_TIME" not in stated_s:
        return length_s, 0
    charging_s = min(stated_s.get("TIME", 0), length_s)
    return charging_s, length_s - charging_s


def _thousandths(volumes: dict[str, Decimal], *kinds: str) -> int | None:
    """The first of these that is stated, in thousandths (W of kW, mA of A); less than nothing flows into the grid: None."""
    stated = next((volumes[kind] for kind in kinds if kind in volumes), None)
    return None if stated is None or stated < 0 else divide_half_up(*(stated * 1000).as_integer_ratio())


def _seconds(hours: Decimal) -> int:
    return divide_half_up(*(hours * 3600).as_integer_ratio())

"""How much power does the car take, and what does the meter show?

A vehicle wants energy until its need is met, at most what its curve allows at its state of charge. Energy is kept as
whole watt-microseconds, so a register is exact however often it is read: the sum of what cars took is the register's
rise, to the last Wh.

>>> from datetime import UTC, datetime, timedelta
>>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> car = Vehicle(need_wh=1000, battery_wh=50_000, soc_pct=40, power_w=lambda soc_pct: 7400)
>>> meter = Meter(register_wh=500, read_at=noon)
>>> meter.advance(noon + timedelta(minutes=5), 7400, car), meter.register_wh
(616, 1116)
>>> meter.advance(noon + timedelta(minutes=10), 7400, car), meter.register_wh, car.is_full
(384, 1500, True)
"""

from collections.abc import Callable
from datetime import datetime, timedelta

WUS_PER_WH = 3_600_000_000
"""Watt-microseconds in one Wh."""

VOLTAGE_V = 230
"""Nominal phase voltage. Source: EN 50160."""

MIN_CURRENT_A = 6
"""An AC car takes nothing below this current per phase. Source: IEC 61851-1, Annex A."""

PowerCurve = Callable[[int], int]
"""From the state of charge [%] to the most that the car takes [W]."""

_MICROSECOND = timedelta(microseconds=1)


class Vehicle:
    """A plugged-in car: what it still needs, how full it is, and the most it takes now."""

    __slots__ = ("_need_wus", "_power_w", "_soc_pct", "_taken_wus", "battery_wh", "phases")

    def __init__(self, *, need_wh: int, battery_wh: int, soc_pct: int, power_w: PowerCurve, phases: int = 3) -> None:
        self.battery_wh = battery_wh
        self.phases = phases
        self._need_wus = need_wh * WUS_PER_WH
        self._taken_wus = 0
        self._soc_pct = soc_pct
        self._power_w = power_w

    @property
    def is_full(self) -> bool:
        """Whether its need is met."""
        return self._taken_wus >= self._need_wus

    @property
    def soc_pct(self) -> int:
        """State of charge [%]."""
        return min(100, self._soc_pct + self._taken_wus * 100 // (self.battery_wh * WUS_PER_WH))

    def wanted_w(self) -> int:
        """The most that it takes now [W]."""
        return 0 if self.is_full else self._power_w(self.soc_pct)

    def take(self, offered_wus: int) -> int:
        """Take of the offered energy [watt-microseconds] what is still needed; returns what it took."""
        taken = min(offered_wus, self._need_wus - self._taken_wus)
        self._taken_wus += taken
        return taken

    def full_after(self, power_w: int) -> timedelta:
        """How long until its need is met at this power [W, above 0]."""
        return timedelta(microseconds=-((self._taken_wus - self._need_wus) // power_w))


class Meter:
    """A lifetime register of imported energy that only rises."""

    __slots__ = ("_total_wus", "read_at")

    def __init__(self, register_wh: int, read_at: datetime) -> None:
        self._total_wus = register_wh * WUS_PER_WH
        self.read_at = read_at

    @property
    def register_wh(self) -> int:
        """The reading [whole Wh, rounded down, as a meter's digits turn]."""
        return self._total_wus // WUS_PER_WH

    def advance(self, at: datetime, power_w: int, vehicle: Vehicle | None) -> int:
        """Let the vehicle take `power_w` [W] from the last call until `at`; returns how far the reading rose [Wh].

        An instant before the last call: the clock was set back, which never takes energy away.
        """
        before_wh = self.register_wh
        elapsed_us = (at - self.read_at) // _MICROSECOND
        if elapsed_us > 0 and vehicle is not None and power_w > 0:
            self._total_wus += vehicle.take(power_w * elapsed_us)
        self.read_at = at
        return self.register_wh - before_wh

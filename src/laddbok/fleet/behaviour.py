"""When does a driver come, how long do they stay, and what does their vehicle take?

A visit is drawn in the order in which one thing shapes the next: the hour of arrival shapes how long the driver stays,
the stay shapes how much energy is wanted, and both bound the power class of the vehicle. Idle time is not drawn: it is
what is left of the stay when the vehicle is full. A vehicle takes its full power up to a state of charge, then less.
The figures are quantiles of real sessions, fitted by `tools/fit_behaviour.py`; docs/fleet-statistics.md has sources,
method and how well drawn visits agree with them.

>>> from datetime import datetime
>>> from random import Random
>>> visit = draw_visit(Random(7), SiteKind.PUBLIC_DC, datetime(2026, 3, 2, 12, 30))
>>> visit.phases, visit.dwell_s < 2 * 3600, power_at_soc(visit, 50) == visit.max_power_w
(0, True, True)
>>> power_at_soc(visit, 95) < power_at_soc(visit, 85) < visit.max_power_w
True
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from random import Random

import msgspec

from laddbok.fleet import behaviour_figures as figures


class SiteKind(StrEnum):
    """What sort of place drivers come to; each has figures of its own."""

    PUBLIC_AC = "public_ac"
    PUBLIC_DC = "public_dc"
    WORKPLACE = "workplace"
    RESIDENTIAL = "residential"


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One driver's visit: what they and their vehicle want, whatever the station can give.

    The vehicle stops at `soc_at_arrival_pct` + what `energy_need_wh` adds to it, or when the driver leaves. Energies are
    counted at the meter, so that a battery's losses need no figure of their own.
    """

    dwell_s: int
    """From plug-in to unplug."""
    energy_need_wh: int
    max_power_w: int
    """The most that the vehicle takes, before taper and whatever the station allows."""
    phases: int
    """1 or 3 on AC; 0 means DC."""
    battery_wh: int
    soc_at_arrival_pct: int


AC_PHASES = {3_700: 1, 7_400: 1, 11_000: 3, 22_000: 3}
"""The AC classes: single-phase 16 and 32 A, three-phase 16 and 32 A. Source: our choice, IEC 61851-1 currents at 230 V."""

BATTERIES_WH = (9_000, 14_000, 24_000, 40_000, 52_000, 64_000, 77_000, 95_000, 110_000)
"""Common battery sizes; the first two are plug-in hybrids. Source: our choice."""

SMALLEST_DC_BATTERY_WH = 24_000
LIKELY_BATTERIES = 3
"""A vehicle has one of this many smallest batteries that its need fits into."""

AC_TARGET_PCT = 100.0
DC_TARGET_PCT = (75.0, 92.0)
"""Drivers at a fast charger leave before the slow end. Source: our choice."""

LOWEST_ARRIVAL_PCT = 4.0

DC_TAPER = ((0.0, 0.9), (8.0, 1.0), (65.0, 1.0), (80.0, 0.6), (90.0, 0.35), (100.0, 0.1))
"""(state of charge [%], share of the peak power). Source: our choice; the data hold no state of charge, but the mean
power of drawn visits agrees with the measured one (docs/fleet-statistics.md)."""

AC_TAPER = ((0.0, 1.0), (figures.AC_TAPER_FROM_PCT, 1.0), (100.0, figures.AC_FINAL_SHARE))


def draw_visit(rng: Random, kind: SiteKind, now_local: datetime) -> Visit:
    """Draw one visit that begins now.

    Args: rng: the caller's random numbers: the same state gives the same visit. now_local: wall time at the site.
    Returns: a visit whose need its vehicle could take up during the stay, taper aside.
    Source: our choice, fitted figures; docs/fleet-statistics.md.
    """
    site = figures.SITES[kind.value]
    dwell_s = round(60 * _draw_quantile(rng, site.dwell_min[_window(now_local.hour)]))
    need_wh = round(_draw_quantile(rng, site.energy_wh[_dwell_class(dwell_s)]))
    max_power_w = _draw_power_w(rng, site.power_share, need_wh, dwell_s)
    need_wh = min(need_wh, max_power_w * dwell_s // 3600)
    is_dc = kind is SiteKind.PUBLIC_DC
    target_pct = rng.uniform(*DC_TARGET_PCT) if is_dc else AC_TARGET_PCT
    battery_wh = _draw_battery_wh(rng, need_wh, target_pct, is_dc)
    return Visit(
        dwell_s=dwell_s,
        energy_need_wh=need_wh,
        max_power_w=max_power_w,
        phases=0 if is_dc else AC_PHASES[max_power_w],
        battery_wh=battery_wh,
        soc_at_arrival_pct=max(0, round(target_pct - 100 * need_wh / battery_wh)),
    )


def arrival_rate_per_hour(kind: SiteKind, weekday: int, hour: int) -> float:
    """How many drivers come to one connector in this hour of the week, on average.

    Args: weekday: 0 is Monday. hour: 0 to 23, local wall time at the site.
    Source: our choice, fitted figures; docs/fleet-statistics.md.
    """
    site = figures.SITES[kind.value]
    hours = site.weekend_hour_share if weekday >= 5 else site.workday_hour_share
    return site.visits_per_week * site.weekday_share[weekday] * hours[hour]


def power_at_soc(visit: Visit, soc_pct: float) -> int:
    """How much the vehicle takes at this state of charge, if it is offered more. [W]

    Args: soc_pct: state of charge, 0 to 100 (clipped).
    """
    taper = AC_TAPER if visit.phases else DC_TAPER
    return round(visit.max_power_w * _interpolate(taper, soc_pct))


def _interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    x = min(max(x, points[0][0]), points[-1][0])
    for (left, low), (right, high) in pairwise(points):
        if x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return points[-1][1]


def _draw_quantile(rng: Random, quantiles: Sequence[float]) -> float:
    return _interpolate(tuple(zip(figures.QUANTILES, quantiles, strict=True)), rng.random())


def _window(hour: int) -> int:
    """Which of the windows of arrival an hour lies in; the last one runs over midnight."""
    begun = [index for index, first_hour in enumerate(figures.WINDOW_FIRST_HOUR) if hour >= first_hour]
    return begun[-1] if begun else len(figures.WINDOW_FIRST_HOUR) - 1


def _dwell_class(dwell_s: int) -> int:
    return sum(dwell_s >= 60 * limit_min for limit_min in figures.DWELL_LIMIT_MIN)


def _draw_power_w(rng: Random, share_by_power_w: dict[int, float], need_wh: int, dwell_s: int) -> int:
    """A power class, out of those that can deliver the need during the stay; the highest if none can."""
    able = [power_w for power_w in share_by_power_w if power_w * dwell_s >= need_wh * 3600]
    if not able:
        return max(share_by_power_w)
    return rng.choices(able, [share_by_power_w[power_w] for power_w in able])[0]


def _draw_battery_wh(rng: Random, need_wh: int, target_pct: float, is_dc: bool) -> int:
    room = (target_pct - LOWEST_ARRIVAL_PCT) / 100
    floor_wh = SMALLEST_DC_BATTERY_WH if is_dc else 0
    fitting = [size for size in BATTERIES_WH if size >= floor_wh and size * room >= need_wh]
    return rng.choice(fitting[:LIKELY_BATTERIES] or BATTERIES_WH[-1:])

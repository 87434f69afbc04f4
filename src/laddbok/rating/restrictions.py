"""Does a tariff element apply at this moment?

Restrictions are compiled to integers (Wh, W, s, local days and seconds of the day) and judged at the start of a slice;
slices are cut so that the answer holds to their end. All that is given must hold. An element with a restriction that we
can't judge never applies. Elements for reservations do not apply to a session.

>>> night = compile_restrictions(Restrictions(start_time="22:00", end_time="06:00"))
>>> at = Slice(start_s=0, end_s=900, wh_before=0, wh=500, activity=Activity.CHARGING, power_w=2000, second_of_day=23 * 3600)
>>> holds(night, at)
True
"""

from datetime import date
from decimal import Decimal

import msgspec

from laddbok.model.cdr import Activity
from laddbok.model.money import divide_half_up
from laddbok.model.superset import Hours, Surcharge, Weekday
from laddbok.model.tariff import Restrictions
from laddbok.rating.local_time import DAY_S

_WEEKDAYS = tuple(Weekday)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = 3
"""The first day of 1970 was a Thursday."""


class Slice(msgspec.Struct, kw_only=True, gc=False):
    """A piece of a session within which no restriction of the tariff changes its answer.

    `wh_before` is the session's energy at its start, `elapsed_s` the session's age then; `day` (since 1970), `second_of_day`
    and `terms_day`, by which dates are judged, are local, and only filled where the tariff looks at the clock. It is
    `interpolated` when no reading stands at its start: energy before and after it was taken from a straight line.
    """

    start_s: int
    end_s: int
    wh_before: int
    wh: int
    activity: Activity
    power_w: int
    current_ma: int | None = None
    elapsed_s: int = 0
    day: int = 0
    terms_day: int = 0
    second_of_day: int = 0
    estimated: bool = False
    interpolated: bool = False


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Restrictions as integers; minima are inclusive, maxima exclusive, a window may wrap midnight.

    `weekdays` has a bit per day, Monday first.
    """

    from_second: int | None = None
    to_second: int = DAY_S
    weekdays: int | None = None
    first_day: int | None = None
    end_day: int | None = None
    min_wh: int | None = None
    max_wh: int | None = None
    min_w: int | None = None
    max_w: int | None = None
    min_ma: int | None = None
    max_ma: int | None = None
    min_s: int | None = None
    max_s: int | None = None


def compile_restrictions(given: Restrictions) -> Conditions:
    """Restrictions that we can judge, ready to be judged. Source: OCPI 2.3.0 mod_tariffs, TariffRestrictions."""
    clock = compile_hours(Hours(start_time=given.start_time, end_time=given.end_time, day_of_week=given.day_of_week))
    return msgspec.structs.replace(
        clock,
        first_day=_day(given.start_date),
        end_day=_day(given.end_date),
        min_wh=_thousands(given.min_kwh),
        max_wh=_thousands(given.max_kwh),
        min_w=_thousands(given.min_power),
        max_w=_thousands(given.max_power),
        min_ma=_thousands(given.min_current),
        max_ma=_thousands(given.max_current),
        min_s=given.min_duration,
        max_s=given.max_duration,
    )


def compile_surcharge(given: Surcharge) -> Conditions:
    """When an addition to the spot price holds, ready to be judged."""
    return msgspec.structs.replace(compile_hours(given), first_day=_day(given.start_date), end_day=_day(given.end_date))


def compile_hours(hours: Hours) -> Conditions:
    """A part of the week, ready to be judged. An end of 00:00 is the end of the day."""
    windowed = hours.start_time is not None or hours.end_time is not None
    weekdays = sum(1 << _WEEKDAYS.index(day) for day in set(hours.day_of_week or ()))
    return Conditions(
        from_second=_second(hours.start_time or "00:00") if windowed else None,
        to_second=_second(hours.end_time or "00:00") or DAY_S,
        weekdays=weekdays or None,
    )


def holds(conditions: Conditions, at: Slice) -> bool:
    """Whether all conditions hold at the start of a slice.

    Source: OCPI 2.3.0 mod_tariffs, TariffRestrictions: "a logical AND".
    """
    c = conditions
    if c.from_second is not None and not _in_window(at.second_of_day, c.from_second, c.to_second):
        return False
    if c.weekdays is not None and not c.weekdays >> (at.day + _EPOCH_WEEKDAY) % 7 & 1:
        return False
    return (
        (c.first_day is None or at.terms_day >= c.first_day)
        and (c.end_day is None or at.terms_day < c.end_day)
        and (c.min_wh is None or at.wh_before >= c.min_wh)
        and (c.max_wh is None or at.wh_before < c.max_wh)
        and (c.min_w is None or at.power_w >= c.min_w)
        and (c.max_w is None or at.power_w < c.max_w)
        and (c.min_ma is None or (at.current_ma is not None and at.current_ma >= c.min_ma))
        and (c.max_ma is None or (at.current_ma is not None and at.current_ma < c.max_ma))
        and (c.min_s is None or at.elapsed_s >= c.min_s)
        and (c.max_s is None or at.elapsed_s < c.max_s)
    )


def looks_at_power(conditions: Conditions) -> bool:
    """Whether the answer depends on the power."""
    return conditions.min_w is not None or conditions.max_w is not None


def looks_at_current(conditions: Conditions) -> bool:
    """Whether the answer depends on the current, which not every session records."""
    return conditions.min_ma is not None or conditions.max_ma is not None


def looks_at_clock(conditions: Conditions) -> bool:
    """Whether the answer depends on local time, and so on the site's time zone."""
    c = conditions
    return any(x is not None for x in (c.from_second, c.weekdays, c.first_day, c.end_day))


def seconds_of_day(conditions: Conditions) -> set[int]:
    """The times of day [s] at which the answer can change."""
    c = conditions
    window = set() if c.from_second is None else {c.from_second, c.to_second % DAY_S}
    by_day = any(x is not None for x in (c.weekdays, c.first_day, c.end_day))
    return window | {0} if by_day else window


def _in_window(second: int, start: int, end: int) -> bool:
    return start <= second < end if start < end else second >= start or second < end


def _second(time: str) -> int:
    return (int(time[:2]) * 3600 + int(time[3:]) * 60) % DAY_S


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH_DAY


def _thousands(number: Decimal | None) -> int | None:
    return None if number is None else divide_half_up(*(number * 1000).as_integer_ratio())

"""When can a price apply, and does an earlier one always come before it?

A price's restrictions are a box: the minutes of the week, the dates, and from where to where of energy, power, duration
and current. Restrictions are judged each for itself, so a box lies within another if it does so on every axis. Minutes
of the week are a set, one bit a minute from Monday 00:00: there the union of several boxes is exact too.

>>> from laddbok.model.superset import Weekday
>>> weekdays = box(Restrictions(day_of_week=tuple(Weekday)[:5]))
>>> night = box(Restrictions(start_time="22:00", end_time="06:00"))
>>> unreachable([box(None), night]), unreachable([night, weekdays, box(None)])
([1], [])
>>> [week_text(hole.minutes) for hole in holes([night, weekdays])]
['Sat-Sun 06:00-22:00']
"""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from laddbok.model.tariff import Restrictions
from laddbok.rating.restrictions import Conditions, compile_restrictions, looks_at_current

DAY_MIN = 24 * 60
WHOLE_DAY = (1 << DAY_MIN) - 1
WHOLE_WEEK = (1 << 7 * DAY_MIN) - 1
DAY_NAMES = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "sv": ("mån", "tis", "ons", "tors", "fre", "lör", "sön"),
}

Span = tuple[int, int | None]
"""From this on, up to before that; None: without end."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """Where a price applies. `minutes` of the week; `days` since 1970; `milliamps` None: also where none is recorded."""

    minutes: int
    days: Span
    wh: Span
    watts: Span
    seconds: Span
    milliamps: Span | None
    reservation: str | None


class Hole(msgspec.Struct, frozen=True):
    """Minutes of the week without a price, from one date up to before another; None: since ever, for ever."""

    minutes: int
    start: date | None
    end: date | None


def box(restrictions: Restrictions | None) -> Box | None:
    """Where an element applies; None: nowhere, or where we can't judge. Source: OCPI 2.3.0 TariffRestrictions."""
    given = restrictions or Restrictions()
    return None if given.unknown else box_of(compile_restrictions(given), given.reservation)


def box_of(c: Conditions, reservation: str | None = None) -> Box | None:
    """Where conditions hold; None: nowhere."""
    spans = {
        "days": (c.first_day or 0, c.end_day),
        "wh": (c.min_wh or 0, c.max_wh),
        "watts": (c.min_w or 0, c.max_w),
        "seconds": (c.min_s or 0, c.max_s),
        "milliamps": (c.min_ma or 0, c.max_ma),
    }
    if any(end is not None and start >= end for start, end in spans.values()):
        return None
    milliamps = spans.pop("milliamps")
    known = milliamps if looks_at_current(c) else None
    return Box(minutes=_minutes(c), reservation=reservation, milliamps=known, **spans)


def unreachable(boxes: Sequence[Box | None]) -> list[int]:
    """Which boxes lie within those before them: what stands there never applies, because the first one that does counts.

    Source: OCPI 2.3.0 mod_tariffs, Tariff object ("the first Tariff Element ... with matching Tariff Restrictions").
    """
    return [i for i, inner in enumerate(boxes) if inner is not None and _covered(inner, boxes[:i])]


def holes(boxes: Sequence[Box | None], today: date | None = None) -> Iterator[Hole]:
    """The minutes of the week in which none of these boxes applies, whatever else holds.

    Args: today, what was before it is passed over.
    """
    known = [each for each in boxes if each is not None]
    edges: list[int] = sorted({edge for each in known for edge in each.days if edge is not None} | {0})
    first = 0 if today is None else today.toordinal() - _EPOCH_DAY
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        if end is not None and end <= first:
            continue
        missing = WHOLE_WEEK
        for each in known:
            if each.days[0] <= start and (each.days[1] is None or start < each.days[1]):
                missing &= ~each.minutes
        if missing:
            yield Hole(missing, _date(start) if start else None, None if end is None else _date(end))


def week_text(minutes: int, language: str = "en") -> str:
    """Minutes of the week as a person writes them, days with the same hours together."""
    days = [_hours(minutes >> day * DAY_MIN & WHOLE_DAY) for day in range(7)]
    names, found, day = DAY_NAMES[language], [], 0
    while day < 7:
        last = day
        while last < 6 and days[last + 1] == days[day]:
            last += 1
        if days[day]:
            name = names[day] if last == day else f"{names[day]}-{names[last]}"
            found.append(f"{name} {' '.join(days[day])}")
        day = last + 1
    return ", ".join(found)


def _covered(inner: Box, before: Sequence[Box | None]) -> bool:
    left = inner.minutes
    for outer in before:
        if outer is not None and _wider(outer, inner):
            left &= ~outer.minutes
    return not left


def _wider(outer: Box, inner: Box) -> bool:
    """Whether a box reaches as far on every axis but the week."""
    spans = (outer.days, inner.days), (outer.wh, inner.wh), (outer.watts, inner.watts), (outer.seconds, inner.seconds)
    if outer.reservation != inner.reservation or not all(_within(narrow, wide) for wide, narrow in spans):
        return False
    return outer.milliamps is None or (inner.milliamps is not None and _within(inner.milliamps, outer.milliamps))


def _within(narrow: Span, wide: Span) -> bool:
    return wide[0] <= narrow[0] and (wide[1] is None or (narrow[1] is not None and narrow[1] <= wide[1]))


def _minutes(c: Conditions) -> int:
    day = WHOLE_DAY
    if c.from_second is not None:
        start, end = c.from_second // 60, c.to_second // 60
        until, since = (1 << end) - 1, WHOLE_DAY & ~((1 << start) - 1)
        day = until & since if start < end else until | since
    return sum(day << i * DAY_MIN for i in range(7) if c.weekdays is None or c.weekdays >> i & 1)


def _hours(minutes: int) -> list[str]:
    """The stretches of a day's minutes, such as 06:00-08:00."""
    found, at = [], 0
    while minutes >> at:
        start = at + (minutes >> at & -(minutes >> at)).bit_length() - 1
        end = start + (~(minutes >> start) & (minutes >> start) + 1).bit_length() - 1
        found.append(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}")
        at = end
    return found


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH_DAY)

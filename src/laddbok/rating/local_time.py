"""What does the clock on the wall say at a site, and when does a tariff's hour begin?

Rating counts in whole seconds since 1970 (UTC). A zone's offset is constant but for a few transitions, so local time
is plain arithmetic between them: a window from 02:00 to 03:00 has no second on the night in spring that skips it, and
two hours on the night in autumn that repeats it.

>>> from datetime import UTC, datetime
>>> night = whole_seconds(datetime(2026, 3, 28, 23, tzinfo=UTC))
>>> offsets(ZoneInfo("Europe/Stockholm"), night, night + 4 * 3600) == [(night, 3600), (night + 2 * 3600, 7200)]
True
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from laddbok.model.errors import Invalid

DAY_S = 86_400
MAX_SESSION_S = 800 * DAY_S
"""No session is longer; a longer one is a wrong clock."""

_NOT_A_PLACE = ("localtime", "posixrules", "posix/", "right/")
"""Files beside the zones: what this machine's clock shows, and clocks that count leap seconds."""

Offset = tuple[int, int]
"""From this second on, local time is UTC plus so many seconds."""


def whole_seconds(at: datetime) -> int:
    """An instant in whole seconds since 1970, cut down: durations then add up however a session was sliced."""
    return int(at.timestamp())


def zone_named(time_zone: str) -> ZoneInfo:
    """The zone of this IANA name. Raises: Invalid when there is none."""
    try:
        if not time_zone.startswith(_NOT_A_PLACE):
            return ZoneInfo(time_zone)
    except (OSError, ValueError, KeyError):  # a folder's name, a path outside, a name that nobody knows
        pass
    raise Invalid("time_zone", f"{time_zone!r} is not a time zone")


def offsets(zone: ZoneInfo, start_s: int, end_s: int) -> list[Offset]:
    """The offset that holds at `start_s`, and every change of it before `end_s`.

    Raises: Invalid when the span is longer than any session, or its local time lies outside the calendar.
    """
    if end_s - start_s > MAX_SESSION_S:
        raise Invalid("periods", f"they span {(end_s - start_s) // DAY_S} days, more than {MAX_SESSION_S // DAY_S}")
    at_s, offset_s = start_s, _offset_at(zone, start_s)
    found = [(start_s, offset_s)]
    while at_s < end_s:
        next_s = min(at_s + DAY_S, end_s)
        next_offset_s = _offset_at(zone, next_s)
        if next_offset_s != offset_s:
            found.append((_change_between(zone, at_s, next_s), next_offset_s))
            offset_s = next_offset_s
        at_s = next_s
    return found


def offset_at(known: Sequence[Offset], at_s: int) -> int:
    """The offset [s] that holds at a second, among those found for its span."""
    held = known[0][1]
    for from_s, offset_s in known[1:]:
        if from_s > at_s:
            break
        held = offset_s
    return held


def boundaries(known: Sequence[Offset], end_s: int, seconds_of_day: Sequence[int]) -> list[int]:
    """Every second of the span at which the local clock shows one of these times of day, or is put forward or back."""
    found = [from_s for from_s, _ in known[1:]]
    for i, (from_s, offset_s) in enumerate(known):
        until_s = known[i + 1][0] if i + 1 < len(known) else end_s
        first_day_s = (from_s + offset_s) // DAY_S * DAY_S - offset_s
        for day_s in range(first_day_s, until_s, DAY_S):
            found += [day_s + second for second in seconds_of_day if from_s < day_s + second < until_s]
    return found


def _offset_at(zone: ZoneInfo, at_s: int) -> int:
    try:
        offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    except (ValueError, OverflowError):
        raise Invalid("periods", "their local time lies outside the calendar") from None
    assert offset is not None, zone
    return offset.days * DAY_S + offset.seconds


def _change_between(zone: ZoneInfo, before_s: int, after_s: int) -> int:
    """The first second of the later offset; two changes within a day do not occur."""
    old_s = _offset_at(zone, before_s)
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        if _offset_at(zone, middle_s) == old_s:
            before_s = middle_s
        else:
            after_s = middle_s
    return after_s

"""Which instants does a pair of local wall times mean?

Once a year an hour is missing and once an hour comes twice; a wall time in either can be read in two ways. They are read
so that the session is possible: it ends after it starts, and its energy fits into its duration at the most that the
connector gives. Where several readings are possible the first hour is taken, and a time in the missing hour is moved on
by that hour. Whichever it was, the session carries a flag.

>>> from zoneinfo import ZoneInfo
>>> oslo = ZoneInfo("Europe/Oslo")
>>> start, end = datetime(2019, 10, 27, 1, 50), datetime(2019, 10, 27, 2, 50)
>>> read_local(start, end, oslo, energy_wh=9_000, max_power_w=11_000).end_at.isoformat()
'2019-10-27T00:50:00+00:00'
>>> late = read_local(start, end, oslo, energy_wh=18_000, max_power_w=11_000)
>>> late.end_at.isoformat(), late.flags
('2019-10-27T01:50:00+00:00', ('ambiguous_hour_resolved',))
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from laddbok.wires.importers.row import BadRow

SHIFTED = "nonexistent_hour_shifted"
RESOLVED = "ambiguous_hour_resolved"
ASSUMED_FIRST = "ambiguous_hour_assumed_first"


class Interval(msgspec.Struct, frozen=True):
    """Two instants, and how doubtful hours were read."""

    start_at: datetime
    end_at: datetime
    flags: tuple[str, ...] = ()


def read_local(start: datetime, end: datetime, zone: ZoneInfo, energy_wh: int, max_power_w: int | None) -> Interval:
    """The instants of a session that was written down in local wall time.

    Args: start, end: wall times without offset. max_power_w: the most that the connector gives; None: unknown, then
    only the order of the two tells.
    Raises: BadRow: bad_time, at the edges of the calendar.
    Source: our choice; PEP 495 for the two readings of a wall time.
    """
    pairs = [(start_at, end_at) for start_at in _readings(start, zone) for end_at in _readings(end, zone)]
    ordered = [(start_at, end_at) for start_at, end_at in pairs if start_at <= end_at] or pairs
    fitting = [pair for pair in ordered if _holds(*pair, energy_wh, max_power_w)]
    kinds = {_shift(start, zone), _shift(end, zone)}
    flags = [SHIFTED] if "missing" in kinds else []
    if "twice" in kinds:
        flags.append(RESOLVED if len(fitting) == 1 else ASSUMED_FIRST)
    return Interval(*(fitting or ordered)[0], tuple(flags))


def _readings(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instant that a wall time means; of the two that it can mean, the one by the offset before the change first."""
    try:
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise BadRow("bad_time", f"{wall} is outside the calendar") from None
    return [first] if first == second else [first, second]


def _shift(wall: datetime, zone: ZoneInfo) -> str:
    """Whether the clocks' change made a wall time "missing" or come "twice"; else empty."""
    readings = _readings(wall, zone)
    if len(readings) == 1:
        return ""
    return "twice" if readings[0] < readings[1] else "missing"


def _holds(start_at: datetime, end_at: datetime, energy_wh: int, max_power_w: int | None) -> bool:
    """Whether the energy fits between the two instants."""
    return max_power_w is None or energy_wh * 3600 <= max_power_w * (end_at - start_at).total_seconds()

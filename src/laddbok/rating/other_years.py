"""When would a session have been in another year?

Sessions of one year can be priced at the prices of another. They are moved by whole weeks, as many as come nearest to the
years, so that a Monday stays a Monday and summer stays summer: 52 weeks for one year, 313 for six. The clock on the wall
shows the same at their start, also where summer time is different; how long anything took stays as it was.

>>> [weeks_of(years) for years in (1, -1, 6)]
[52, -52, 313]
>>> from laddbok.rating.examples import HOUR
>>> moved(HOUR, -1).started_at.isoformat(), HOUR.started_at.isoformat()
('2025-05-05T10:00:00+00:00', '2026-05-04T10:00:00+00:00')
"""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.money import divide_half_up
from laddbok.rating.local_time import zone_named

_DAYS_IN_10_000_YEARS = 3_652_425
MAX_YEARS = 100


def weeks_of(years: int) -> int:
    """The whole weeks that come nearest to so many years.

    Raises: Invalid for more years than prices are kept.
    Source: our choice, docs/rules.md "Comparing plans".
    """
    if abs(years) > MAX_YEARS:
        raise Invalid("shift_years", f"must be from -{MAX_YEARS} to {MAX_YEARS}")
    return divide_half_up(years * _DAYS_IN_10_000_YEARS, 10_000 * 7)


def moved(cdr: Cdr, years: int) -> Cdr:
    """The session as many whole weeks later as come nearest to the years, at the same time of its local day.

    Raises: Invalid when it would lie outside the calendar.
    """
    if not years:
        return cdr
    zone = zone_named(cdr.time_zone)
    try:
        local = cdr.started_at.astimezone(zone).replace(tzinfo=None) + timedelta(weeks=weeks_of(years))
        by = local.replace(tzinfo=zone).astimezone(UTC) - cdr.started_at
        return _later(cdr, by)
    except OverflowError:
        raise Invalid("shift_years", f"session {cdr.session_id} would lie outside the calendar") from None


def _later(cdr: Cdr, by: timedelta) -> Cdr:
    def at(instant: datetime | None) -> datetime | None:
        return None if instant is None else instant + by

    held = cdr.reservation
    return replace(
        cdr,
        started_at=cdr.started_at + by,
        charging_ended_at=at(cdr.charging_ended_at),
        transaction_ended_at=at(cdr.transaction_ended_at),
        unplugged_at=at(cdr.unplugged_at),
        last_contact_at=at(cdr.last_contact_at),
        periods=tuple(replace(p, start_at=p.start_at + by, end_at=p.end_at + by) for p in cdr.periods),
        reservation=None if held is None else replace(held, start_at=held.start_at + by, end_at=held.end_at + by),
    )

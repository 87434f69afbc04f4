"""What does it cost to stay plugged in after charging has ended?

Idle time runs from the end of charging plus the grace, which counts once per session and by the clock, to the first of:
the cable is out, the transaction ends (unless the fee runs until then), the last contact with the station, the instant
for which the price is asked. Exempt hours and pauses that we or the station caused are free; the fee stops at its cap.

Full at 13:00, unplugged at 14:00, 15 minutes of grace, exempt from 13:30: 15 minutes.

>>> from datetime import timedelta
>>> from msgspec.structs import replace
>>> from laddbok.rating.examples import HOUR, idle_tariff
>>> left_at = HOUR.transaction_ended_at + timedelta(hours=1)
>>> stayed = replace(HOUR, transaction_ended_at=left_at, unplugged_at=left_at, last_contact_at=left_at)
>>> terms = idle_tariff(per_min="2", grace_s=900, exempt=[{"start_time": "13:30"}])
>>> idle_fee(stayed, terms.idle, terms.zone, None)[0].quantity
900
"""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from laddbok.model.cdr import Activity, Cdr
from laddbok.model.superset import IdleUntil
from laddbok.rating.compile import CompiledIdle
from laddbok.rating.local_time import DAY_S, Offset, boundaries, offset_at, offsets, whole_seconds
from laddbok.rating.restrictions import Slice, holds
from laddbok.rating.usage import Usage


def idle_fee(cdr: Cdr, idle: CompiledIdle | None, zone: ZoneInfo | None, as_of: datetime | None) -> list[Usage]:
    """The billed idle time [s], or nothing.

    Args: zone, the site's, needed when some hours are exempt; as_of, the instant for which the price is asked.
    Source: our choice, docs/rules.md "Idle fee" (test_B24, test_B32 to test_B34).
    """
    if idle is None or cdr.charging_ended_at is None:
        return []
    start_s = whole_seconds(cdr.charging_ended_at) + idle.grace_s
    end_s = _end_s(cdr, idle.until, as_of)
    if end_s <= start_s:
        return []
    billed_s = _billed_s(cdr, idle, zone, start_s, end_s)
    return [Usage(idle.component, billed_s, billed_s, start_s, end_s)] if billed_s else []


def _end_s(cdr: Cdr, until: IdleUntil, as_of: datetime | None) -> int:
    ends = [cdr.unplugged_at, cdr.last_contact_at, as_of]
    if until is IdleUntil.TRANSACTION or not any(ends):
        ends.append(cdr.transaction_ended_at)
    known = [whole_seconds(at) for at in ends if at is not None]
    return min(known) if known else whole_seconds(cdr.periods[-1].end_at)


def _billed_s(cdr: Cdr, idle: CompiledIdle, zone: ZoneInfo | None, start_s: int, end_s: int) -> int:
    pauses = [
        (max(whole_seconds(period.start_at), start_s), min(whole_seconds(period.end_at), end_s))
        for period in cdr.periods
        if period.activity is Activity.PAUSED_BY_EVSE and whole_seconds(period.end_at) > start_s
    ]
    known = offsets(zone, start_s, end_s) if zone and idle.exempt else []
    if not pauses and not idle.exempt:
        return end_s - start_s
    edges = {start_s, end_s, *boundaries(known, end_s, idle.exempt_seconds)} if known else {start_s, end_s}
    edges.update(edge for pause in pauses for edge in pause if start_s < edge < end_s)
    return sum(
        until_s - from_s
        for from_s, until_s in pairwise(sorted(edges))
        if not any(pause[0] <= from_s < pause[1] for pause in pauses) and not _exempt(idle, known, from_s)
    )


def _exempt(idle: CompiledIdle, known: list[Offset], at_s: int) -> bool:
    day, second_of_day = divmod(at_s + offset_at(known, at_s), DAY_S) if known else (0, 0)
    at = Slice(
        start_s=at_s, end_s=at_s, wh_before=0, wh=0, activity=Activity.IDLE, power_w=0,
        day=day, second_of_day=second_of_day,
    )  # fmt: skip
    return any(holds(conditions, at) for conditions in idle.exempt)

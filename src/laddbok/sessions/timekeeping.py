"""When did it happen?

A station's stamp is believed when it lies in the window in which a sane station can stamp: not after we received the
message (but for a small drift), and not older than an offline queue can be. Otherwise our receive time counts, and the
session says that its time is estimated. Energy is never refused because of a clock (case S29).

A clock that is wrong by a constant betrays itself: messages that arrive minutes apart are all late by the same time, or
come before they were stamped. `clock_told` finds that from the stamps of one session; a station's learned offset and the
known habits of its model make the same correction, and only to stamps that are not right as they are (case S28).

>>> from datetime import UTC, datetime
>>> received = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> instant(datetime(1970, 1, 1, tzinfo=UTC), received) == (received, False)
True
>>> stamped = [(received + timedelta(hours=1, minutes=m), received + timedelta(minutes=m)) for m in (0, 5, 10)]
>>> clock_told(stamped).offset_s
-3600
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from laddbok.model.session import Clock

AHEAD = timedelta(minutes=5)
"""A station's clock may run ahead of ours by this much and is still believed."""
OLDEST = timedelta(days=90)
"""The longest time that a station may have kept a message before it could send it."""
LIVE = timedelta(minutes=2)
"""A stamp this close to our receipt is right as it is."""
SAME_LAG = timedelta(seconds=10)
"""Messages that are late by the same time, to this much."""
LEAST_SAME = 3
LEAST_APART = timedelta(minutes=2)
"""So many messages, received so far apart, with the same lag: that is a clock and not a queue, which gets shorter."""
SNAP = timedelta(seconds=90)
QUARTER = timedelta(minutes=15)
FARTHEST_OFFSET = timedelta(hours=26)
"""No clock is wrong by more because of a time zone; what is farther off is a clock that was never set."""

RIGHT = Clock()


def instant(stamped_at: datetime | None, received_at: datetime, clock: Clock = RIGHT) -> tuple[datetime, bool]:
    """(the instant, whether it is the station's own stamp, corrected if its clock is known to be wrong).

    Source: our choice, docs/rules.md "Whose clock counts"; cases S27, S28, S29.
    """
    if stamped_at is None or clock.is_useless:
        return received_at, False
    if (clock.offset_s or clock.zone is not None) and abs(received_at - stamped_at) > LIVE:
        corrected = _corrected(stamped_at, received_at, clock)
        if _is_sane(corrected, received_at):
            return corrected, True
    if _is_sane(stamped_at, received_at):
        return stamped_at, True
    if clock.anchor_s is not None:
        anchored = _moved(stamped_at, clock.anchor_s)
        if _is_sane(anchored, received_at):
            return anchored, False
    return received_at, False


def clock_told(stamps: Sequence[tuple[datetime, datetime]]) -> Clock:
    """What the stamps of one session say of the station's clock.

    Args: stamps: (stamped, received) of its messages, in order of receipt, as the station stamped them.
    Returns: an offset if the clock is provably off by a constant; an anchor if it was never set but runs.
    Source: our choice; cases S27 (anchor), S28 (offset).
    """
    lags = [(received - stamped, received) for stamped, received in stamps]
    near = [(lag, received) for lag, received in lags if abs(lag) <= FARTHEST_OFFSET]
    far = [(stamped, received) for stamped, received in stamps if not _is_sane(stamped, received)]
    anchor_s = _anchor_s([(s, r) for s, r in far if abs(r - s) > FARTHEST_OFFSET])
    offset_s = _offset_s(near)
    return Clock(offset_s=offset_s or 0, anchor_s=anchor_s, is_proven=offset_s is not None)


def _offset_s(lags: Sequence[tuple[timedelta, datetime]]) -> int | None:
    """The constant by which the clock is off [s], 0: it is right; None: the stamps prove nothing."""
    if not lags:
        return None
    least = min(lag for lag, _ in lags)
    same = [received for lag, received in lags if lag <= least + SAME_LAG]
    right = [received for lag, received in lags if abs(lag) <= LIVE]
    if abs(least) <= LIVE or len(right) >= len(same):
        return 0
    is_constant = len(same) >= LEAST_SAME and same[-1] - same[0] >= LEAST_APART
    return _snapped_s(least) if least < -AHEAD or (least > AHEAD and is_constant) else None


def _snapped_s(lag: timedelta) -> int:
    """Zones are whole quarters of an hour: what is close to one is that, the rest is the way of the message."""
    quarters = round(lag / QUARTER)
    return round((quarters * QUARTER if abs(lag - quarters * QUARTER) <= SNAP else lag).total_seconds())


def _anchor_s(stamps: Sequence[tuple[datetime, datetime]]) -> int | None:
    """What turns the stamps of a clock that was never set into ours [s]; None: it does not even run."""
    if len(stamps) < 2:
        return None
    ran = stamps[-1][0] - stamps[0][0]
    passed = stamps[-1][1] - stamps[0][1]
    if ran < passed - LIVE:
        return None
    return round(min(received - stamped for stamped, received in stamps).total_seconds())


def _corrected(stamped_at: datetime, received_at: datetime, clock: Clock) -> datetime:
    """The stamp in UTC. An hour that a zone's autumn night has twice is the later one that can be before our receipt."""
    if clock.zone is None:
        return _moved(stamped_at, clock.offset_s)
    try:
        local = stamped_at.replace(tzinfo=ZoneInfo(clock.zone))
        first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    except OverflowError:
        return stamped_at
    return second if first < second <= received_at + AHEAD else first


def _moved(stamped_at: datetime, seconds: int) -> datetime:
    try:
        return stamped_at + timedelta(seconds=seconds)
    except OverflowError:
        return stamped_at


def _is_sane(stamped_at: datetime, received_at: datetime) -> bool:
    return -AHEAD <= received_at - stamped_at <= OLDEST

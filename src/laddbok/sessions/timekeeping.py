"""When did it happen?

A station's stamp is believed when it lies in the window in which a sane station can stamp: not after we received the
message (but for a small drift), and not older than an offline queue can be. Otherwise our receive time counts, and the
session says that its time is estimated. Energy is never refused because of a clock (case S29).

>>> from datetime import UTC, datetime
>>> received = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> instant(datetime(1970, 1, 1, tzinfo=UTC), received) == (received, False)
True
"""

from datetime import datetime, timedelta

AHEAD = timedelta(minutes=5)
"""A station's clock may run ahead of ours by this much and is still believed."""
OLDEST = timedelta(days=90)
"""The longest time that a station may have kept a message before it could send it."""


def instant(stamped_at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    """(the instant, whether it is the station's own stamp).

    Source: our choice; cases S27, S29.
    """
    if stamped_at is None or not received_at - OLDEST <= stamped_at <= received_at + AHEAD:
        return received_at, False
    return stamped_at, True

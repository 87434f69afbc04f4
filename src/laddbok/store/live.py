"""What of a live session is published anew, and what stands there already?

Its owner publishes each live session every few seconds while it changes. A charging period that is over never changes
again, so it is written once; the row that is written each time holds the rest and stays as small on the third day as in
the first minute. What we remember to have written is only a guess, for the database may have lost it in a crash: the
statement says which sessions lack what came before, and those are published whole.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from laddbok.model.cdr import ChargingPeriod
from laddbok.model.session import Session
from laddbok.store.rows import position_row

MAX_REMEMBERED = 200_000
"""Sessions of which we remember what was published; an older one is published whole when it changes again."""


class Published:
    """The closed periods of live sessions that this process has published last."""

    def __init__(self) -> None:
        self._periods: dict[str, tuple[ChargingPeriod, ...]] = {}

    def rows(self, sessions: Sequence[Session], at: datetime) -> list[dict[str, Any]]:
        """The rows to write for sessions that changed; they count as published from now on."""
        return [self._row(session, at) for session in sessions]

    def forget(self, session_ids: Iterable[str]) -> None:
        """These are not there as we thought."""
        for session_id in session_ids:
            self._periods.pop(session_id, None)

    def _row(self, session: Session, at: datetime) -> dict[str, Any]:
        closed = session.meter.closed_periods
        first = self._written(session.id, closed)
        return {
            **position_row(session, session.through, at),
            "closed": len(closed),
            "first": first,
            "periods": closed[first:],
            "body": replace(session, meter=replace(session.meter, closed_periods=())) if closed else session,
        }

    def _written(self, session_id: str, closed: tuple[ChargingPeriod, ...]) -> int:
        """How many of these periods stand there already. They are compared only when one was added: once a quarter."""
        before = self._periods.pop(session_id, ())
        self._periods[session_id] = closed
        if len(self._periods) > MAX_REMEMBERED:
            del self._periods[next(iter(self._periods))]
        return len(before) if closed is before or closed[: len(before)] == before else 0

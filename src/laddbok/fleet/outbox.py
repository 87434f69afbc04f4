"""Which message does a station send next, and what happens to it until it is answered?

One call of the station is open at a time. Messages about a transaction are kept in order until they are acknowledged,
through lost connections and restarts; all others are forgotten with the connection. A transaction message that is
answered with an error, or not at all, is sent again after a growing pause, and given up after `max_attempts`.
Source: OCPP-J 1.6 4.1.1; OCPP 1.6 3.7; OCPP 2.0.1 part 4, 4.1.1 and E13.

>>> from datetime import UTC, datetime
>>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> box = Outbox("m", timeout_s=30)
>>> box.put(Call("StartTransaction", {}, kept=True)), box.put(Call("Heartbeat", {}))
(True, True)
>>> box.take(noon)[1].action, box.take(noon)
('StartTransaction', None)
>>> box.lose_connection(), box.take(noon)[1].action
(None, 'StartTransaction')
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MAX_QUEUED = 5_000
"""Most messages that wait in a station: three days of one-minute samples. Beyond it there is no new sample."""

RESERVED = 200
"""Of these, room kept for starts and stops."""


@dataclass(slots=True, eq=False)
class Call:
    """A message to be sent. `kept`: it belongs to a transaction. `subject`: whom its answer concerns.

    `frame` is what was sent last, whole: a message that is sent again has a new id.
    """

    action: str
    payload: dict[str, Any]
    kept: bool = False
    subject: Any = None
    attempts: int = 0
    order: int = 0
    frame: str = ""


class Outbox:
    """The waiting messages of one station and the one that is open."""

    def __init__(self, id_prefix: str, timeout_s: float, max_attempts: int = 1000, retry_interval_s: int = 60) -> None:
        self.timeout_s = timeout_s
        self.max_attempts = max_attempts
        self.retry_interval_s = retry_interval_s
        self._given_up = 0
        self._id_prefix = id_prefix
        self._sent = 0
        self._put = 0
        self._plain: deque[Call] = deque()
        self._kept: deque[Call] = deque()
        self._open: tuple[str, Call, datetime] | None = None
        self._retry_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is open."""
        return not self._kept and not self._plain and self._open is None

    @property
    def has_room(self) -> bool:
        """Whether a periodic message may still be put in."""
        return len(self._plain) + len(self._kept) < MAX_QUEUED - RESERVED

    def put(self, call: Call) -> bool:
        """Queue a message; False when the queue is full."""
        if len(self._plain) + len(self._kept) >= MAX_QUEUED:
            return False
        self._put += 1
        call.order = self._put
        (self._kept if call.kept else self._plain).append(call)
        return True

    def take(self, at: datetime) -> tuple[str, Call] | None:
        """The next message to send, with its id; None while one is open or nothing may be sent yet."""
        if self._open is not None:
            return None
        kept = self._kept[0] if self._kept and (self._retry_at is None or self._retry_at <= at) else None
        plain = self._plain[0] if self._plain else None
        if kept is not None and (plain is None or kept.order < plain.order):
            return self.open(kept, at), kept
        if plain is None:
            return None
        return self.open(self._plain.popleft(), at), plain

    def open(self, call: Call, at: datetime) -> str:
        """Make this call the open one; returns its new message id."""
        self._sent += 1
        message_id = f"{self._id_prefix}-{self._sent}"
        self._open = (message_id, call, at + timedelta(seconds=self.timeout_s))
        return message_id

    def answered(self, message_id: str) -> Call | None:
        """The open call, now acknowledged; None when this id is not open (a late or foreign answer)."""
        call = self._close(message_id)
        if call is not None and call.kept:
            self._kept.popleft()
            self._retry_at = None
        return call

    def refused(self, message_id: str, at: datetime) -> Call | None:
        """The open call, answered with an error; a transaction message is tried again later or given up."""
        call = self._close(message_id)
        if call is not None and call.kept:
            self._retry_later(call, at)
        return call

    def expired(self, at: datetime) -> Call | None:
        """The open call, when its answer is overdue; treated as `refused`."""
        if self._open is None or self._open[2] > at:
            return None
        return self.refused(self._open[0], at)

    def lose_connection(self) -> None:
        """Forget what isn't kept; the open transaction message will be sent again first, at once."""
        self._open = None
        self._retry_at = None
        self._plain.clear()

    def take_given_up(self) -> int:
        """How many messages were given up since the last time somebody asked."""
        count, self._given_up = self._given_up, 0
        return count

    def due(self) -> datetime | None:
        """When an answer is overdue or a message may be tried again."""
        if self._open is not None:
            return self._open[2]
        return self._retry_at if self._kept else None

    def waiting(self) -> list[Call]:
        """The messages about transactions that are not acknowledged, oldest first."""
        return list(self._kept)

    def interrupted(self) -> list[Call]:
        """What a lost connection would forget: the open call and the waiting ones that are not kept."""
        still_open = [self._open[1]] if self._open is not None and not self._open[1].kept else []
        return still_open + list(self._plain)

    def _close(self, message_id: str) -> Call | None:
        if self._open is None or self._open[0] != message_id:
            return None
        call = self._open[1]
        self._open = None
        return call

    def _retry_later(self, call: Call, at: datetime) -> None:
        call.attempts += 1
        if call.attempts >= self.max_attempts:
            self._kept.popleft()
            self._retry_at = None
            self._given_up += 1
            return
        self._retry_at = at + timedelta(seconds=self.retry_interval_s * call.attempts)

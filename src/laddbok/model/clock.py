"""What time is it, for the business?

One clock is handed in everywhere; no rule and no SQL asks for the time itself. `SystemClock` is the wall clock.
`ScaledClock` runs `speed` times as fast from a fixed start and is shared by platform and fleet in a demo: two
processes that hold the same three numbers read the same demo time.

>>> from datetime import UTC, datetime
>>> clock = ScaledClock(start_at=datetime(2026, 1, 1, tzinfo=UTC), wall_start_s=1000.0, speed=60.0, wall=lambda: 1002.0)
>>> clock.now().isoformat()
'2026-01-01T00:02:00+00:00'
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Business time: aware UTC instants, and how many business seconds pass in one second of the wall clock."""

    speed: float

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        ...


class SystemClock:
    """The wall clock of this machine."""

    speed = 1.0

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        return datetime.now(UTC)


class ScaledClock:
    """Business time that starts at `start_at` when the wall clock reads `wall_start_s` [s since 1970] and runs `speed` x.

    Source: our choice, design "Time in demo and tests".
    """

    def __init__(
        self, start_at: datetime, wall_start_s: float, speed: float, wall: Callable[[], float] = time.time
    ) -> None:
        self.start_at = start_at
        self.wall_start_s = wall_start_s
        self.speed = speed
        self._wall = wall

    def now(self) -> datetime:
        """The present instant of demo time, aware UTC."""
        return self.start_at + timedelta(seconds=(self._wall() - self.wall_start_s) * self.speed)

    def to_text(self) -> str:
        """The three numbers as one word that another process can be started with."""
        return f"{self.start_at.isoformat()}/{self.wall_start_s!r}/{self.speed!r}"

    @classmethod
    def from_text(cls, text: str) -> "ScaledClock":
        """The clock that `to_text` described.

        Raises: ValueError when the text is not of that form.
        """
        start_at, wall_start_s, speed = text.split("/")
        return cls(datetime.fromisoformat(start_at), float(wall_start_s), float(speed))


def clock_from_text(text: str | None) -> Clock:
    """The clock named by a setting: a scaled one, or the wall clock when the setting is empty."""
    return ScaledClock.from_text(text) if text else SystemClock()

"""What happens next, and when?

One clock that only events move, one heap of events, one source of chance per purpose, and a trail of everything that
happened, whose hash is the digest of the run. Coroutines run here without an event loop: `pause` gives back the
seconds to wait, and `Task` steps the coroutine when they are over, unless it was killed in between.
"""

import heapq
import types
from collections.abc import Callable, Coroutine, Generator
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

MAX_EVENTS = 400_000
"""Of one seed; beyond it something goes round in circles."""


class Violation(AssertionError):
    """An invariant does not hold. `subject` is the station, or other part, that it concerns."""

    def __init__(self, invariant: str, what: str, subject: str = "") -> None:
        super().__init__(f"{invariant}: {what}" + (f" ({subject})" if subject else ""))
        self.invariant = invariant
        self.what = what
        self.subject = subject

    @property
    def in_short(self) -> str:
        """One line of it."""
        last = self.what.strip().splitlines()[-1]
        return f"{self.invariant}: {last[:400]}" + (f" ({self.subject})" if self.subject else "")

    def __reduce__(self) -> tuple[type["Violation"], tuple[str, str, str]]:
        return Violation, (self.invariant, self.what, self.subject)


class World:
    """The virtual time and everything that is due in it."""

    def __init__(self, seed: int, begins_at: datetime) -> None:
        self.seed = seed
        self.began_at = begins_at
        self.now = begins_at
        self.events = 0
        self.trail: list[tuple[datetime, str, str, object]] = []
        self._heap: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = []
        self._put = 0
        self._digest = blake2b(digest_size=16)

    def chance(self, purpose: str) -> Random:
        """A stream of random numbers that no other purpose disturbs."""
        return Random(f"{self.seed}/{purpose}")

    def at(self, when: datetime, do: Callable[..., None], *args: Any) -> None:
        """Do this then; of two at the same instant the first comes first."""
        self._put += 1
        heapq.heappush(self._heap, (max(when, self.now), self._put, do, args))

    def after(self, seconds: float, do: Callable[..., None], *args: Any) -> None:
        """Do this after so many seconds."""
        self.at(self.now + timedelta(seconds=seconds), do, *args)

    def every(self, seconds: float, do: Callable[[], None]) -> None:
        """Do this again and again."""

        def again() -> None:
            do()
            self.after(seconds, again)

        self.after(seconds, again)

    def note(self, subject: str, what: str, detail: object = "") -> None:
        """Into the trail: what happened to whom."""
        self.trail.append((self.now, subject, what, detail))
        self._digest.update(f"{self.events} {subject} {what} {detail!r}\n".encode(errors="surrogatepass"))

    def steady_s(self) -> float:
        """A clock that only goes forward [s]."""
        return (self.now - self.began_at).total_seconds()

    def run_until(self, until: datetime) -> None:
        """Let everything happen that is due until then."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, do, args = heapq.heappop(heap)
            self.events += 1
            if self.events > MAX_EVENTS:
                raise Violation("it ends", f"more than {MAX_EVENTS} events")
            do(*args)
        self.now = max(self.now, until)

    def digest(self) -> str:
        """What happened, as one number."""
        return self._digest.hexdigest()


@types.coroutine
def pause(seconds: float) -> Generator[float, None, None]:
    """Wait, in a coroutine that a Task runs."""
    yield seconds


FOREVER = -1.0
"""What a coroutine waits that somebody has to wake."""


class Task:
    """A coroutine on the heap."""

    def __init__(
        self, world: World, coroutine: Coroutine[Any, Any, Any], done: Callable[[], None] | None = None
    ) -> None:
        self._world = world
        self._coroutine = coroutine
        self._done = done
        self.is_alive = True
        self._sleeps = False
        self._is_woken = False
        world.after(0, self._step)

    def wake(self) -> None:
        """End its sleep; if it is awake, it does not fall asleep the next time."""
        if not self._sleeps:
            self._is_woken = True
        elif self.is_alive:
            self._sleeps = False
            self._world.after(0, self._step)

    def kill(self) -> None:
        """End it where it stands, as a crash does."""
        self.is_alive = False
        self._coroutine.close()

    def _step(self) -> None:
        if not self.is_alive:
            return
        try:
            seconds = self._coroutine.send(None)
        except StopIteration:
            self.is_alive = False
            if self._done is not None:
                self._done()
            return
        if seconds != FOREVER:
            self._world.after(seconds, self._step)
        elif self._is_woken:
            self._is_woken = False
            self._world.after(0, self._step)
        else:
            self._sleeps = True

"""May somebody try once more to log in?

Attempts are counted per person and per address over a window, each before its password is looked at, so that guesses
sent at once count too; past the limit the answer is to wait. One that turned out right, or was not looked at after all,
is given back. A person's own failures are forgotten when they get in. The table is bounded: when it is full the entry
untouched for longest makes room.

>>> attempts = Attempts()
>>> [attempts.book("anna", "192.0.2.1", now_s=0.0) for _ in range(MAX_FAILURES_PER_PERSON)]
[0, 0, 0, 0, 0]
>>> attempts.book("anna", "192.0.2.2", now_s=10.0), attempts.book("bert", "192.0.2.1", now_s=10.0)
(290, 0)
"""

from collections import OrderedDict
from math import ceil

MAX_FAILURES_PER_PERSON = 5
MAX_FAILURES_PER_ADDRESS = 20
WINDOW_S = 300
MAX_ENTRIES = 10_000


class Attempts:
    """Failed log-ins of late, or other things that are not to be done too often. Times in seconds of any steady clock."""

    def __init__(self, per_person: int = MAX_FAILURES_PER_PERSON, per_address: int = MAX_FAILURES_PER_ADDRESS) -> None:
        self._per_person = per_person
        self._per_address = per_address
        self._failures: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def book(self, person: str, address: str, now_s: float) -> int:
        """Count an attempt as failed until it is known better.

        Returns: 0; or how long this person at this address must wait before the next one [s], and nothing is counted.
        """
        wait_s = max(
            self._wait_s(("person", person), self._per_person, now_s),
            self._wait_s(("address", address), self._per_address, now_s),
        )
        if wait_s == 0:
            for key in (("person", person), ("address", address)):
                since_s, count = self._failures.pop(key, (now_s, 0))
                if now_s - since_s >= WINDOW_S:
                    since_s, count = now_s, 0
                self._failures[key] = (since_s, count + 1)
            while len(self._failures) > MAX_ENTRIES:
                self._failures.popitem(last=False)
        return wait_s

    def give_back(self, person: str, address: str) -> None:
        """Take back one attempt, whose password was not looked at after all."""
        for key in (("person", person), ("address", address)):
            since_s, count = self._failures.get(key, (0.0, 0))
            if count > 1:
                self._failures[key] = (since_s, count - 1)
            else:
                self._failures.pop(key, None)

    def succeeded(self, person: str, address: str) -> None:
        """Take back the attempt that was right, and forget the person's failures; those of the address stay."""
        self.give_back(person, address)
        self._failures.pop(("person", person), None)

    def _wait_s(self, key: tuple[str, str], limit: int, now_s: float) -> int:
        since_s, count = self._failures.get(key, (now_s, 0))
        return max(0, ceil(since_s + WINDOW_S - now_s)) if count >= limit else 0

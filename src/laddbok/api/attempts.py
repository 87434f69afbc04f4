"""May somebody try once more to log in?

Failed attempts are counted per person and per address over a window; past the limit the answer is to wait, without
looking at the password. A person's own failures are forgotten when they get in. The table is bounded: when it is full
the entry untouched for longest makes room.

>>> attempts = Attempts()
>>> for _ in range(MAX_FAILURES_PER_PERSON): attempts.failed("anna", "192.0.2.1", now_s=0.0)
>>> attempts.wait_s("anna", "192.0.2.2", now_s=10.0), attempts.wait_s("bert", "192.0.2.1", now_s=10.0)
(290, 0)
"""

from collections import OrderedDict

MAX_FAILURES_PER_PERSON = 5
MAX_FAILURES_PER_ADDRESS = 20
WINDOW_S = 300
MAX_ENTRIES = 10_000


class Attempts:
    """Failed log-ins of late. Times in seconds of any steady clock."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def wait_s(self, person: str, address: str, now_s: float) -> int:
        """How long this person at this address must wait before the next attempt [s]; 0: not at all."""
        return max(
            self._wait_s(("person", person), MAX_FAILURES_PER_PERSON, now_s),
            self._wait_s(("address", address), MAX_FAILURES_PER_ADDRESS, now_s),
        )

    def failed(self, person: str, address: str, now_s: float) -> None:
        """Count a failed attempt."""
        for key in (("person", person), ("address", address)):
            since_s, count = self._failures.pop(key, (now_s, 0))
            if now_s - since_s >= WINDOW_S:
                since_s, count = now_s, 0
            self._failures[key] = (since_s, count + 1)
        while len(self._failures) > MAX_ENTRIES:
            self._failures.popitem(last=False)

    def succeeded(self, person: str) -> None:
        """Forget the person's failures; those of the address stay."""
        self._failures.pop(("person", person), None)

    def _wait_s(self, key: tuple[str, str], limit: int, now_s: float) -> int:
        since_s, count = self._failures.get(key, (now_s, 0))
        return max(0, int(since_s + WINDOW_S - now_s)) if count >= limit else 0

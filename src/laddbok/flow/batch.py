"""Which messages are committed together, and who may be answered?

Group commit: while one commit runs the next batch fills. Each station has at most one message in a batch, so that the
order of its messages is kept and a rule never sees a state that is not yet stored; further messages of the same station
wait in a short line of their own. This is a state machine without I/O: the gateway's writer runs it against the
database, the simulation against memory.

>>> batch = Batch(max_entries=2, max_waiting=8)
>>> [batch.offer(station, entry) for station, entry in [(1, "a"), (1, "b"), (2, "c")]]
[True, True, True]
>>> batch.next_batch(), batch.next_batch()
(['a', 'c'], [])
>>> batch.committed(); batch.next_batch()
['b']
"""

from collections import deque
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

MAX_ENTRIES = 512
"""Messages in one commit."""
MAX_WAITING = 20_000
"""Messages that wait over all stations; beyond it nothing is taken in until some are committed."""


class Batch(Generic[Entry]):
    """The line of messages between the sockets and the store. Source: our choice, design "Group commit"."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_waiting: int = MAX_WAITING) -> None:
        self._max_entries = max_entries
        self._max_waiting = max_waiting
        self._ready: deque[int] = deque()
        """Stations whose first waiting message may go into the next batch."""
        self._lines: dict[int, list[Entry]] = {}
        """What each station has waiting; nearly always one message, so a list is cheaper than a line with two ends."""
        self._under_way: list[tuple[int, Entry]] = []
        self._waiting = 0

    def __len__(self) -> int:
        """Messages that wait for a batch."""
        return self._waiting

    def __contains__(self, station_no: int) -> bool:
        """Whether a message of this station waits or is under way."""
        return station_no in self._lines

    def offer(self, station_no: int, entry: Entry) -> bool:
        """Take a message in; False: full, and the message is not taken."""
        if self._waiting >= self._max_waiting:
            return False
        self._waiting += 1
        line = self._lines.get(station_no)
        if line is None:
            self._lines[station_no] = [entry]
            self._ready.append(station_no)
        else:
            line.append(entry)
        return True

    def next_batch(self) -> list[Entry]:
        """The messages to commit now; empty while a commit is under way or nothing waits."""
        if self._under_way:
            return []
        for _ in range(min(self._max_entries, len(self._ready))):
            station_no = self._ready.popleft()
            self._under_way.append((station_no, self._lines[station_no].pop(0)))
        self._waiting -= len(self._under_way)
        return [entry for _, entry in self._under_way]

    def committed(self) -> None:
        """The batch is over, message by message answered or given up: the stations' next messages may go."""
        for station_no, _ in self._under_way:
            if self._lines.get(station_no):
                self._ready.append(station_no)
            else:
                self._lines.pop(station_no, None)
        self._under_way = []

    def postponed(self) -> None:
        """Nothing of the batch was written and it may be tried again: its messages stand first in their lines."""
        for station_no, entry in reversed(self._under_way):
            self._lines.setdefault(station_no, []).insert(0, entry)
            self._ready.appendleft(station_no)
        self._waiting += len(self._under_way)
        self._under_way = []

    def forget(self, station_no: int) -> list[Entry]:
        """Drop what a station has waiting: its connection is gone, and it will send again what was not answered."""
        line = self._lines.get(station_no)
        if not line:
            return []
        dropped = line.copy()
        line.clear()
        self._waiting -= len(dropped)
        if all(number != station_no for number, _ in self._under_way):
            del self._lines[station_no]
            self._ready.remove(station_no)
        return dropped

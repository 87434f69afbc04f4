"""Who runs the group commit?

One writer per gateway process: it takes over stations that came in, commits batch after batch, and gives the answers
back to the switchboard. While a commit runs the next batch fills; there is no timer. When the database is gone, what
waits is held for a few seconds, then everybody is sent away and comes back by itself when it is there again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import asyncpg

from laddbok.flow.apply import Desk
from laddbok.flow.batch import Batch
from laddbok.flow.changes import Changes, OutcomeUnknown, StoreDown
from laddbok.flow.messages import Entry, Reply
from laddbok.flow.store import Claim
from laddbok.gateway.switchboard import TRY_AGAIN_LATER, Line, Switchboard
from laddbok.model.events import Booted
from laddbok.ocpp.frame import Limits
from laddbok.ocpp.link import LinkLimits
from laddbok.sessions.quirks import QuirkTable
from laddbok.store.database import borrowed
from laddbok.store.postgres import LOST, PostgresStore
from laddbok.store.sql import query

log = logging.getLogger(__name__)
T = TypeVar("T")

HOLD_S = 10.0
"""How long messages wait for a database that is gone before their connections are closed."""
RETRY_S = 0.5
WATCH_EVERY_S = 1.0
LIVE_EVERY_S = 2.0
SWEEP_EVERY_S = 5.0
SWEEP_SLICE = 1_000
"""So many stations are looked at before others get their turn in the event loop."""
CONTACT_EVERY_S = 15.0
MAX_CONTACTS = 2_000
"""Stations whose last sign of life is written down in one statement."""
MAX_CLAIMS = 500
"""Stations taken over in one query; the pace at which a fleet that comes back is let in. Halved while it is too much."""
MAX_LIVE = 2_000
"""Sessions published in one statement."""
_GONE = (StoreDown, OutcomeUnknown, *LOST)


class Writer:
    """The loop between the batch and the store."""

    def __init__(
        self,
        name: str,
        store: PostgresStore,
        pool: asyncpg.Pool,
        now: Callable[[], datetime],
        max_entries: int,
        command_limit_s: float,
        max_frame_bytes: int,
        quirks: QuirkTable | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._pool = pool
        self._now = now
        self._wake = asyncio.Event()
        self.desk = Desk(store, quirks)
        self.batch: Batch[Entry] = Batch(max_entries=max_entries)
        limits = LinkLimits(frame=Limits(max_bytes=max_frame_bytes))
        self.switchboard = Switchboard(self.batch, now, self._wake.set, command_limit_s, limits)
        self._is_down = False
        self._asked_at_s: float | None = None
        """Since when the database was asked and has not answered."""
        self._max_claims = MAX_CLAIMS
        self._contacts_noted_at: datetime | None = None
        self.tasks: list[asyncio.Task[None]] = []
        """None of them ever ends by itself."""

    def wake(self) -> None:
        """Something waits to be committed."""
        self._wake.set()

    def start(self) -> None:
        """Begin to commit, to publish live sessions and to look for lost stops."""
        chores = (
            self._commit_forever(),
            self._every(WATCH_EVERY_S, self._watch),
            self._every(LIVE_EVERY_S, self._publish),
            self._every(SWEEP_EVERY_S, self._sweep),
            self._every(CONTACT_EVERY_S, self._note_contacts),
        )
        self.tasks = [asyncio.create_task(chore) for chore in chores]

    async def stop(self) -> None:
        """Commit what waits, publish a last time, and stop."""
        deadline_s = asyncio.get_running_loop().time() + HOLD_S
        board = self.switchboard
        while (len(self.batch) or board.leavers or board.cut_off) and asyncio.get_running_loop().time() < deadline_s:
            self._wake.set()
            await asyncio.sleep(0.02)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _commit_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._rim_work()
                while entries := self.batch.next_batch():
                    await self._commit(entries)
                    await self._rim_work()
            except _GONE as error:
                await self._wait_for_database(error)
            except Exception:  # the writer never ends: a fault of ours is logged, and the next message tries again
                log.exception("the writer")
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _commit(self, entries: list[Entry]) -> None:
        replies: list[Reply]
        try:
            with self._asking():
                replies = await self.desk.apply(entries)
        except StoreDown:
            self.batch.postponed()
            raise
        except Exception:  # outcome unknown, or a fault of ours: memory may differ from what is stored
            log.exception("a batch of %d could not be committed; its stations start over", len(entries))
            replies = [self._forget(entry) for entry in entries]
            self._asked_at_s = None
        self.batch.committed()
        self.switchboard.settle(replies)

    def _forget(self, entry: Entry) -> Reply:
        self.batch.forget(entry.station_no)
        return Reply.dropped(entry)

    async def _rim_work(self) -> None:
        """Stations that came and went, before the messages that follow from it."""
        board = self.switchboard
        while board.newcomers:
            await self._let_in(board.newcomers[: self._max_claims])
        # What a station said last was answered already if it was a boot, so it is taken in before the station is let go.
        if gone := [leaver for leaver in board.leavers if leaver[0] not in self.batch]:
            await self._in_parts(gone, self._note_leavers)
            noted = set(gone)
            board.leavers = [leaver for leaver in board.leavers if leaver not in noted]
        if cut_off := board.cut_off[:]:
            await self._in_parts(cut_off, lambda moves: self._store.commit(Changes(commands=list(moves))))
            del board.cut_off[: len(cut_off)]
        if boots := dict(board.lobby_boots):
            await self._in_parts(list(boots.items()), lambda some: self._note_lobby(dict(some)))
            board.lobby_boots = {key: boot for key, boot in board.lobby_boots.items() if boots.get(key) is not boot}

    async def _let_in(self, group: list[Line]) -> None:
        """Take over the first newcomers; so many at once as the database can answer in time."""
        try:
            await self._in_parts(group, self._claim, _turn_away)
        except _GONE:
            self._max_claims = max(1, self._max_claims // 2)
            raise
        self._max_claims = min(MAX_CLAIMS, self._max_claims * 2)
        del self.switchboard.newcomers[: len(group)]

    async def _in_parts(
        self,
        group: Sequence[T],
        store: Callable[[Sequence[T]], Awaitable[None]],
        give_up: Callable[[T], None] = lambda one: None,
    ) -> None:
        """Store a group at once; if something in it can't be, halve it until that stands alone and is given up."""
        try:
            with self._asking():
                await store(group)
        except _GONE:
            raise
        except Exception as error:
            if len(group) == 1:
                log.error("given up: %r: %s: %s", group[0], type(error).__name__, error)
                return give_up(group[0])
            half = len(group) // 2
            await self._in_parts(group[:half], store, give_up)
            await self._in_parts(group[half:], store, give_up)

    async def _note_leavers(self, leavers: Sequence[tuple[int, int, datetime]]) -> None:
        for station_no, epoch, _ in leavers:
            self.desk.drop(station_no, epoch)
        columns = [list(column) for column in zip(*leavers, strict=True)]
        async with borrowed(self._pool) as connection:
            await connection.execute(query("stations_gone"), columns[0], columns[1], self._now(), columns[2])

    async def _note_lobby(self, boots: Mapping[str, tuple[Line, Booted]]) -> None:
        """Write down what waits in the lobby. Who is not in it any more was admitted, and is to come in again."""
        seen = [(key, line.protocol, boot.vendor[:100], boot.model[:100]) for key, (line, boot) in boots.items()]
        columns = [list(column) for column in zip(*seen, strict=True)]
        async with borrowed(self._pool) as database:
            waits = {row["identity"] for row in await database.fetch(query("lobby_booted"), *columns, self._now())}
        for identity, (line, _) in boots.items():
            if identity not in waits:
                line.connection.close(TRY_AGAIN_LATER, "this station is not in the lobby any more")

    async def _claim(self, lines: Sequence[Line]) -> None:
        board = self.switchboard
        waiting = [line for line in lines if not line.epoch]
        newest = {number: line for line in waiting if board.lines.get(number := line.station_no or 0) is line}
        claims = await self._store.claim(list(newest), self.name, self._now())
        await self._note_protocols(newest)
        for station_no, line in newest.items():
            claim = claims.get(station_no)
            if claim is None:
                line.connection.close(TRY_AGAIN_LATER, "this station is not known any more")
            elif not self._take_over(station_no, line, claim):
                board.leavers.append((station_no, claim.epoch, self._now()))

    def _take_over(self, station_no: int, line: Line, claim: Claim) -> bool:
        """Begin to serve a station that is ours now. Returns: whether we do; it may have left meanwhile."""
        if self.switchboard.lines.get(station_no) is not line:
            return False
        self.batch.forget(station_no)
        try:
            self.desk.take_over(claim, line.protocol, self._now())
        except Exception:  # one station's stored state is no reason to keep the others waiting
            log.exception("station %d: its stored state can't be taken over", station_no)
            _turn_away(line)
            return False
        self.switchboard.claimed(line, claim.epoch)
        return True

    async def _note_protocols(self, newest: Mapping[int, Line]) -> None:
        """Write down what stations speak now, before their boot is answered: from then on they are sent commands."""
        protocols = [line.protocol for line in newest.values()]
        async with borrowed(self._pool) as connection:
            await connection.execute(query("stations_speak"), list(newest), protocols)

    async def _wait_for_database(self, error: BaseException) -> None:
        """What was asked for stays where it is, and is asked for again."""
        if not self._is_down:
            log.warning("the database is not available: %s", error)
        self._is_down = True
        await asyncio.sleep(RETRY_S)
        self._wake.set()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The database is asked for something; whatever it answers, it is there."""
        if self._asked_at_s is None:
            self._asked_at_s = asyncio.get_running_loop().time()
        try:
            yield
        except _GONE:
            raise
        except Exception:
            self._asked_at_s = None
            raise
        self._asked_at_s = None
        self._is_down = False

    async def _watch(self) -> None:
        """Hold for a while, then send everybody away, also while an answer of a database that hangs is waited for."""
        now_s = asyncio.get_running_loop().time()
        if self._asked_at_s is not None and now_s - self._asked_at_s >= HOLD_S:
            self.switchboard.close_all("the database is not available")
            for station_no in list(self.desk.stations):
                self.batch.forget(station_no)

    async def _every(self, pause_s: float, step: Callable[[], Awaitable[None]]) -> None:
        """Do something now and then; a failure is logged and the next time comes all the same."""
        while True:
            await asyncio.sleep(pause_s)
            try:
                await step()
            except StoreDown as error:
                log.warning("the database is not available: %s", error)
            except Exception:
                log.exception("the gateway's %s", step.__name__)

    async def _publish(self) -> None:
        """What changed in live sessions, for the readers and a quick restart."""
        changed = self.desk.changed_sessions()
        for start in range(0, len(changed), MAX_LIVE):
            await self._store.checkpoint(changed[start : start + MAX_LIVE], self._now())

    async def _sweep(self) -> None:
        """Give up unanswered commands, and close sessions whose stop never came."""
        self.switchboard.tick()
        stations = list(self.desk.stations)
        for start in range(0, len(stations), SWEEP_SLICE):
            for elapsed in self.desk.lost_sessions(self._now(), among=stations[start : start + SWEEP_SLICE]):
                self.batch.offer(elapsed.station_no, elapsed)
            await asyncio.sleep(0)
        self._wake.set()
        await self.desk.ask(self._now())

    async def _note_contacts(self) -> None:
        """When each connected station was last heard, if that was since we wrote it down; only people read it."""
        since, now = self._contacts_noted_at, self._now()
        lines = self.switchboard.lines.items()
        heard = [
            (n, line.epoch, at) for n, line in lines if (at := line.last_message_at) and (not since or at >= since)
        ]
        for start in range(0, len(heard), MAX_CONTACTS):
            columns = [list(column) for column in zip(*heard[start : start + MAX_CONTACTS], strict=True)]
            async with borrowed(self._pool) as connection:
                await connection.execute(query("stations_heard"), *columns)
        self._contacts_noted_at = now


def _turn_away(line: Line) -> None:
    line.connection.close(TRY_AGAIN_LATER, "the stored state of this station can't be read")

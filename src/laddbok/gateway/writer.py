"""Who runs the group commit?

One writer per gateway process: it takes over stations that came in, commits batch after batch, and gives the answers
back to the switchboard. While a commit runs the next batch fills; there is no timer. When the database is gone, what
waits is held for a few seconds, then everybody is sent away and comes back by itself when it is there again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import asyncpg

from laddbok.flow.apply import Desk
from laddbok.flow.batch import Batch
from laddbok.flow.changes import Changes, OutcomeUnknown, StoreDown
from laddbok.flow.messages import Entry, Reply
from laddbok.gateway.switchboard import TRY_AGAIN_LATER, Line, Switchboard
from laddbok.model.events import Booted
from laddbok.ocpp.frame import Limits
from laddbok.ocpp.link import LinkLimits
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query

log = logging.getLogger(__name__)

HOLD_S = 10.0
"""How long messages wait for a database that is gone before their connections are closed."""
RETRY_S = 0.5
LIVE_EVERY_S = 2.0
SWEEP_EVERY_S = 5.0
CONTACT_EVERY_S = 15.0
MAX_CLAIMS = 500
"""Stations taken over in one query; the pace at which a fleet that comes back is let in."""
MAX_LIVE = 2_000
"""Sessions published in one statement."""


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
    ) -> None:
        self.name = name
        self._store = store
        self._pool = pool
        self._now = now
        self._wake = asyncio.Event()
        self.desk = Desk(store)
        self.batch: Batch[Entry] = Batch(max_entries=max_entries)
        limits = LinkLimits(frame=Limits(max_bytes=max_frame_bytes))
        self.switchboard = Switchboard(self.batch, now, self._wake.set, command_limit_s, limits)
        self._down_since_s: float | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_down(self) -> bool:
        """Whether the database has been gone for so long that nobody is let in."""
        return self._down_since_s is not None

    def wake(self) -> None:
        """Something waits to be committed."""
        self._wake.set()

    def start(self) -> None:
        """Begin to commit, to publish live sessions and to look for lost stops."""
        chores = (
            self._commit_forever(),
            self._every(LIVE_EVERY_S, self._publish),
            self._every(SWEEP_EVERY_S, self._sweep),
            self._every(CONTACT_EVERY_S, self._note_contacts),
        )
        self._tasks = [asyncio.create_task(chore) for chore in chores]

    async def stop(self) -> None:
        """Commit what waits, publish a last time, and stop."""
        deadline_s = asyncio.get_running_loop().time() + HOLD_S
        board = self.switchboard
        while (len(self.batch) or board.leavers or board.cut_off) and asyncio.get_running_loop().time() < deadline_s:
            self._wake.set()
            await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _commit_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._rim_work()
                while entries := self.batch.next_batch():
                    await self._commit(entries)
                    await self._rim_work()
                self._down_since_s = None
            except (StoreDown, OutcomeUnknown, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                await self._wait_for_database(error)
            except Exception:  # the writer never ends: a fault of ours is logged, and the next message tries again
                log.exception("the writer")
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _commit(self, entries: list[Entry]) -> None:
        replies: list[Reply]
        try:
            replies = await self.desk.apply(entries)
        except StoreDown:
            self.batch.postponed()
            raise
        except Exception:  # outcome unknown, or a fault of ours: memory may differ from what is stored
            log.exception("a batch of %d could not be committed; its stations start over", len(entries))
            replies = [self._forget(entry) for entry in entries]
        self.batch.committed()
        self.switchboard.settle(replies)

    def _forget(self, entry: Entry) -> Reply:
        self.batch.forget(entry.station_no)
        return Reply.dropped(entry)

    async def _rim_work(self) -> None:
        """Stations that came and went, before the messages that follow from it."""
        board = self.switchboard
        while board.newcomers:
            group, board.newcomers = board.newcomers[:MAX_CLAIMS], board.newcomers[MAX_CLAIMS:]
            try:
                await self._claim(group)
            except BaseException:
                board.newcomers = group + board.newcomers
                raise
        if gone := board.leavers[:]:
            for station_no, epoch, _ in gone:
                self.desk.drop(station_no, epoch)
            columns = [list(column) for column in zip(*gone, strict=True)]
            async with self._pool.acquire(timeout=10) as connection:
                await connection.execute(query("stations_gone"), columns[0], columns[1], self._now(), columns[2])
            del board.leavers[: len(gone)]
        if cut_off := board.cut_off[:]:
            await self._store.commit(Changes(commands=cut_off))
            del board.cut_off[: len(cut_off)]
        while board.lobby_boots:
            await self._note_lobby(*board.lobby_boots[0])
            del board.lobby_boots[0]

    async def _note_lobby(self, line: Line, booted: Booted) -> None:
        """Write down what waits in the lobby. Who is not in it any more was admitted, and is to come in again."""
        connection = line.connection
        seen = (line.protocol, booted.vendor[:100], booted.model[:100])
        async with self._pool.acquire(timeout=10) as database:
            waits = await database.fetchval(query("lobby_booted"), connection.station_identity, *seen)
        if not waits:
            connection.close(TRY_AGAIN_LATER, "this station is not in the lobby any more")

    async def _claim(self, lines: list[Line]) -> None:
        board = self.switchboard
        newest = {number: line for line in lines if board.lines.get(number := line.station_no or 0) is line}
        claims = await self._store.claim(list(newest), self.name, self._now())
        await self._note_protocols(newest)
        for station_no, line in newest.items():
            claim = claims.get(station_no)
            if claim is None:
                line.connection.close(TRY_AGAIN_LATER, "this station is not known any more")
                continue
            self.batch.forget(claim.state.station.station_no)
            self.desk.take_over(claim, line.protocol)
            board.claimed(line, claim.epoch)

    async def _note_protocols(self, newest: Mapping[int, Line]) -> None:
        """Write down what stations speak now, before their boot is answered: from then on they are sent commands."""
        protocols = [line.protocol for line in newest.values()]
        async with self._pool.acquire(timeout=10) as connection:
            await connection.execute(query("stations_speak"), list(newest), protocols)

    async def _wait_for_database(self, error: BaseException) -> None:
        """Hold for a while, then send everybody away; try again until it is there."""
        loop = asyncio.get_running_loop()
        if self._down_since_s is None:
            log.warning("the database is not available: %s", error)
            self._down_since_s = loop.time()
        if loop.time() - self._down_since_s >= HOLD_S:
            self.switchboard.close_all("the database is not available")
            for station_no in list(self.desk.stations):
                self.batch.forget(station_no)
        await asyncio.sleep(RETRY_S)
        self._wake.set()

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
        for elapsed in self.desk.lost_sessions(self._now()):
            self.batch.offer(elapsed.station_no, elapsed)
        self._wake.set()

    async def _note_contacts(self) -> None:
        """When each connected station was last heard; people read it, nothing depends on it."""
        lines = self.switchboard.lines.items()
        heard = [(number, line.epoch, line.last_message_at) for number, line in lines if line.last_message_at]
        if heard:
            columns = [list(column) for column in zip(*heard, strict=True)]
            async with self._pool.acquire(timeout=10) as connection:
                await connection.execute(query("stations_heard"), *columns)

"""How does a gateway run without sockets, processes and an event loop?

The real switchboard, batch and desk; around them the thinnest stand-in for `gateway.writer.Writer` and
`gateway.commands.CommandDesk`: the same steps in the same order, as a coroutine that can be killed at every step.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from laddbok.flow.apply import Desk
from laddbok.flow.batch import Batch
from laddbok.flow.changes import Changes, CommandMoved, OutcomeUnknown, StoreDown
from laddbok.flow.messages import Entry, Reply
from laddbok.gateway.switchboard import Line, Switchboard
from laddbok.gateway.writer import HOLD_S, RETRY_S
from laddbok.ocpp.link import LinkLimits
from tests.sim.faults import Faults
from tests.sim.offices import Offices
from tests.sim.safety import Safety
from tests.sim.shaken_store import Database, ShakenStore
from tests.sim.wire import Socket, Wire
from tests.sim.world import FOREVER, Task, Violation, World, pause

COMMAND_LIMIT_S = 30.0
PUBLISH_EVERY_S = 17.0
SWEEP_EVERY_S = 31.0
RESTART_S = (0.5, 20.0)
SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1"}
MakesDesk = Callable[[ShakenStore], Desk]


class Gateway:
    """One gateway process: it can crash, and comes back with nothing but the store."""

    def __init__(self, world: World, database: Database, offices: Offices, name: str, makes_desk: MakesDesk) -> None:
        self.world = world
        self.name = name
        self.is_up = False
        self._database = database
        self._faults: Faults = database.faults
        self._safety: Safety = database.safety
        self._offices = offices
        self._makes_desk = makes_desk
        self._chance = world.chance(name)
        self._life = 0
        self._wires: list[Wire] = []
        self._tasks: list[Task] = []
        self.start()

    # ------------------------------------------------------------------ life and death
    def start(self) -> None:
        """Begin, as after a power cut: nobody is connected here."""
        self._life += 1
        self.is_up = True
        self.store = ShakenStore(self._database, f"{self.name} {self._life}")
        self.desk = self._makes_desk(self.store)
        self.batch: Batch[Entry] = Batch()
        self.board = Switchboard(
            self.batch, self._now, self._wake, COMMAND_LIMIT_S, LinkLimits(), steady_s=self.world.steady_s
        )
        self._asked_at_s: float | None = None
        self._passed_on: dict[str, int] = {}
        self._writer = Task(self.world, self._write_forever())
        chores = (self._publish, self._sweep, self._send_commands)
        paces = (PUBLISH_EVERY_S, SWEEP_EVERY_S, 5.0)
        self._tasks = [
            self._writer,
            *(Task(self.world, self._every(s, do)) for s, do in zip(paces, chores, strict=True)),
        ]
        self._offices.gateway_begins(self.name)

    def crash(self) -> None:
        """Everything in memory is gone; what was sent to nobody is lost; the store stays."""
        self.world.note(self.name, "crashes")
        self.is_up = False
        for task in self._tasks:
            task.kill()
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.crashed()
        self.world.after(self._chance.uniform(*RESTART_S), self.start)

    def _now(self) -> datetime:
        return self.world.now

    def _wake(self) -> None:
        self._writer.wake()

    # ------------------------------------------------------------------ sockets
    def admits(self, wire: Wire) -> Socket | None:
        """A station knocks; None: nobody is there."""
        box = wire.box
        if not self.is_up or self._database.is_down:
            return None
        socket = Socket(wire, box.identity, box.number, SUBPROTOCOLS[box.protocol])
        wire.socket = socket
        self._wires.append(wire)
        self.board.on_open(socket)
        return socket

    def takes(self, socket: Socket, data: bytes) -> None:
        """A frame arrived."""
        line: Line = socket.context
        self.world.note(socket.station_identity, f"{self.name} hears", data)
        frame = msgspec.json.decode(data)
        if frame[0] == 2:
            socket.calls[frame[1]] = (frame[2], data)
        self._safety.arrived(socket.station_no, line.epoch, data)
        self.board.on_message(socket, data)

    def sends(self, socket: Socket, data: bytes) -> None:
        """A frame leaves: what is acknowledged must be durable."""
        frame = msgspec.json.decode(data)
        self.world.note(socket.station_identity, f"{self.name} says", data)
        if frame[0] == 3:
            action, raw = socket.calls[frame[1]]
            self._safety.answered(socket.station_no, action, raw)
        elif frame[0] == 2:
            self._offices.sent(frame[1])

    def lost(self, socket: Socket, code: int) -> None:
        """A socket is gone."""
        self._wires = [wire for wire in self._wires if wire is not socket.wire]
        self.board.on_close(socket, code)

    # ------------------------------------------------------------------ the writer
    async def _write_forever(self) -> None:
        while True:
            await pause(FOREVER)
            try:
                await self._rim_work()
                while entries := self.batch.next_batch():
                    await self._commit(entries)
                    await self._rim_work()
                self._asked_at_s = None
            except (StoreDown, OutcomeUnknown):
                await self._wait_for_database()

    async def _commit(self, entries: list[Entry]) -> None:
        try:
            replies = await self.desk.apply(entries)
            self._check(entries)
        except StoreDown:
            self.batch.postponed()
            self._check(entries)
            raise
        except OutcomeUnknown:  # their memory may differ from what is stored, so they start over
            replies = [self._forget(entry) for entry in entries]
        self.batch.committed()
        self.board.settle(replies)

    def _check(self, entries: list[Entry]) -> None:
        for entry in entries:
            memory = self.desk.stations.get(entry.station_no)
            if memory is not None:
                self._safety.believed(entry.station_no, memory)

    def _forget(self, entry: Entry) -> Reply:
        self.batch.forget(entry.station_no)
        return Reply.dropped(entry)

    async def _rim_work(self) -> None:
        board = self.board
        while board.newcomers:
            group = board.newcomers[:]
            await self._claim(group)
            del board.newcomers[: len(group)]
        gone = [leaver for leaver in board.leavers if leaver[0] not in self.batch]
        for station_no, epoch, heard_at in gone:
            self.desk.drop(station_no, epoch)
            self._offices.left(station_no, epoch, heard_at)
        board.leavers = [leaver for leaver in board.leavers if leaver not in gone]
        if cut_off := board.cut_off[:]:
            await self._move_commands(cut_off)
            del board.cut_off[: len(cut_off)]

    async def _claim(self, lines: list[Line]) -> None:
        waiting = [line for line in lines if not line.epoch]
        newest = {line.station_no: line for line in waiting if self.board.lines.get(line.station_no or 0) is line}
        claims = await self.store.claim([number for number in newest if number], self.name, self.world.now)
        for station_no, line in newest.items():
            if station_no is None or station_no not in claims:
                raise Violation("stations are known", f"{station_no} is not")
            claim = claims[station_no]
            self._offices.came(station_no, claim.epoch, self.name)
            if self.board.lines.get(station_no) is not line:
                self.board.leavers.append((station_no, claim.epoch, self.world.now))
                continue
            self.batch.forget(station_no)
            self.desk.take_over(claim, line.protocol, self.world.now)
            self.board.claimed(line, claim.epoch)

    async def _wait_for_database(self) -> None:
        now_s = self.world.steady_s()
        self._asked_at_s = now_s if self._asked_at_s is None else self._asked_at_s
        if now_s - self._asked_at_s >= HOLD_S:
            self.board.close_all("the database is not available")
            for station_no in list(self.desk.stations):
                self.batch.forget(station_no)
        await pause(RETRY_S)
        self._wake()

    # ------------------------------------------------------------------ chores
    async def _every(self, pause_s: float, step: Callable[[], object]) -> None:
        while True:
            await pause(pause_s)
            try:
                await step()  # type: ignore[misc]
            except (StoreDown, OutcomeUnknown):
                self.world.note(self.name, "could not reach the database")

    async def _publish(self) -> None:
        changed = self.desk.changed_sessions()
        if changed:
            await self.store.checkpoint(changed, self.world.now)

    async def _sweep(self) -> None:
        self.board.tick()
        for elapsed in self.desk.lost_sessions(self.world.now):
            self.batch.offer(elapsed.station_no, elapsed)
        self._wake()

    async def _send_commands(self) -> None:
        """Queued commands to the stations that are connected here, each once on a connection."""
        for queued in self._offices.queued():
            line = self.board.lines.get(queued.station_no)
            if line is not None and line.epoch and self._passed_on.get(queued.command_id) != line.epoch:
                self._passed_on[queued.command_id] = line.epoch
                self.board.send_command(line, queued)

    async def _move_commands(self, moves: list[CommandMoved]) -> None:
        await self.store.commit(Changes(commands=moves))

    def stop(self) -> None:
        """It ends in order, with nobody connected and nothing left to do."""
        if len(self.batch) or self.board.lines or self.board.leavers or self.board.cut_off:
            raise Violation(
                "queues are empty", f"{len(self.batch)} messages wait, {len(self.board.lines)} lines", self.name
            )
        self.is_up = False
        for task in self._tasks:
            task.kill()

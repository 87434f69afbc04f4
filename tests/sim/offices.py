"""Who works behind the gateways?

A worker that settles sessions, somebody who ends the sessions of stations that never come back, and people who ask for
commands. The settling is `workers.settle.Settler` itself; around it stand-ins for `workers.jobs.Worker` and
`workers.overdue.Overdue` with the same steps. What the tables `station` and `command` hold is kept here.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

import msgspec

from laddbok.flow.apply import Desk
from laddbok.flow.changes import Changes, CommandQueued, OutcomeUnknown, StoreDown
from laddbok.flow.store import LeasedJob, Store
from laddbok.model.session import RUNNING_STATES
from laddbok.sessions.advance import LOST_STOP_AFTER
from laddbok.workers.jobs import JOBS_AT_ONCE, Does
from tests.sim.safety import Safety
from tests.sim.shaken_store import Database, ShakenStore
from tests.sim.world import Task, Violation, World, pause

WORK_EVERY_S = 7.0
LOOK_FOR_SILENT_S = 600.0
WORKER = "worker"
MakesSettler = Callable[[Store, Callable[[], datetime]], Does]


@dataclass(slots=True)
class Contact:
    """What the row of a station says of its connection."""

    heard_at: datetime
    epoch: int = 0
    owner: str = ""
    is_connected: bool = False


@dataclass(slots=True)
class Command:
    """A command's row."""

    queued: CommandQueued
    status: str = "queued"
    sent: int = field(default=0)


class Offices:
    """Everybody who is not a gateway."""

    def __init__(self, world: World, database: Database, makes_settler: MakesSettler) -> None:
        self.world = world
        self.contacts: dict[int, Contact] = {}
        self.commands: dict[str, Command] = {}
        self.pace_s = WORK_EVERY_S
        self._database = database
        self._safety: Safety = database.safety
        self._makes_settler = makes_settler
        self._jobs: list[Task] = []
        self._asked: Counter[int] = Counter()
        self._life = 0
        self.start()

    # ------------------------------------------------------------------ life and death
    def start(self) -> None:
        """The worker begins."""
        self._life += 1
        self.store = ShakenStore(self._database, f"{WORKER} {self._life}")
        self._settler = self._makes_settler(self.store, lambda: self.world.now)
        self._chores = [
            Task(self.world, self._every(self._work)),
            Task(self.world, self._every(self._end_silent, LOOK_FOR_SILENT_S)),
        ]

    def crash(self) -> None:
        """The worker dies at its present step and another begins."""
        self.world.note(WORKER, "crashes")
        for task in (*self._chores, *self._jobs):
            task.kill()
        self._jobs = []
        self.start()

    # ------------------------------------------------------------------ the rows of stations
    def admit(self, station_no: int) -> None:
        """A station of ours."""
        self.contacts[station_no] = Contact(self.world.now)

    def came(self, station_no: int, epoch: int, owner: str) -> None:
        """A station was claimed."""
        contact = self.contacts[station_no]
        contact.epoch, contact.owner, contact.is_connected = epoch, owner, True

    def left(self, station_no: int, epoch: int, heard_at: datetime) -> None:
        """A connection is gone; a newer one is not touched."""
        contact = self.contacts[station_no]
        if contact.epoch == epoch:
            contact.is_connected, contact.heard_at = False, max(heard_at, contact.heard_at)

    def gateway_begins(self, name: str) -> None:
        """Nobody is connected to it, and what it had sent has an unknown outcome."""
        for number, contact in self.contacts.items():
            if contact.owner == name and contact.is_connected:
                contact.is_connected, contact.heard_at = False, self.world.now
            if contact.owner == name:
                for command in self.commands.values():
                    if command.queued.station_no == number and command.status == "sent":
                        command.status = "unknown"

    # ------------------------------------------------------------------ commands
    def ask(self, station_no: int, action: str, payload: dict[str, object]) -> None:
        """A person asks a station for something."""
        self._asked[station_no] += 1
        command_id = str(uuid5(NAMESPACE_OID, f"{station_no} {self._asked[station_no]}"))
        queued = CommandQueued(
            tenant=self._safety.tenant,
            command_id=command_id,
            station_no=station_no,
            action=action,
            payload=msgspec.json.encode(payload),
            at=self.world.now,
        )
        Task(self.world, self._queue(queued))

    async def _queue(self, queued: CommandQueued) -> None:
        try:
            await self.store.commit(Changes(commands_queued=[queued]))
        except (StoreDown, OutcomeUnknown):
            return

    def queued(self) -> list[CommandQueued]:
        """What is to be sent."""
        return [command.queued for command in self.commands.values() if command.status == "queued"]

    def committed(self, changes: Changes) -> None:
        """A commit happened: the rows of commands follow."""
        for queued in changes.commands_queued:
            self.commands[queued.command_id] = Command(queued)
        for moved in changes.commands:
            command = self.commands[moved.command_id]
            if command.status == "queued" or (command.status == "sent" and not moved.from_queue):
                command.status = "queued" if moved.status == "not_connected" else moved.status

    def sent(self, command_id: str) -> None:
        """A command leaves a gateway: stored as sent, and only once."""
        command = self.commands[command_id]
        command.sent += 1
        if command.sent > 1 or command.status == "queued":
            name = self._safety.names[command.queued.station_no]
            raise Violation("a command goes out at most once", f"{command.queued.action}, {command.status}", name)

    # ------------------------------------------------------------------ the worker
    async def _every(self, step: Callable[[], object], pause_s: float | None = None) -> None:
        while True:
            await pause(pause_s or self.pace_s)
            try:
                await step()  # type: ignore[misc]
            except (StoreDown, OutcomeUnknown):
                self.world.note(WORKER, "could not reach the database")

    async def _work(self) -> None:
        taken = await self.store.take_jobs(WORKER, self.world.now, JOBS_AT_ONCE)
        leased = sorted(taken, key=lambda each: (each.job.due_at, each.job.key))  # a database gives them in any order
        self._jobs = [Task(self.world, self._do(each)) for each in leased]
        while any(job.is_alive for job in self._jobs):
            await pause(0.5)

    async def _do(self, leased: LeasedJob) -> None:
        try:
            again_at = await self._settler(leased)
            await self.store.finish_job(leased, again_at)
        except StoreDown:
            return  # its lease runs out
        except OutcomeUnknown as error:
            await self._fail(leased, error)

    async def _fail(self, leased: LeasedJob, error: Exception) -> None:
        try:
            await self.store.fail_job(leased, str(error), self.world.now)
        except StoreDown:
            return

    async def _end_silent(self) -> None:
        before = self.world.now - LOST_STOP_AFTER
        running = {s.station_no for s in self._safety.sessions.values() if s.state in RUNNING_STATES}
        silent = [
            number
            for number, contact in self.contacts.items()
            if number in running and not contact.is_connected and contact.heard_at <= before
        ]
        if not silent:
            return
        claims = await self.store.claim(silent, WORKER, self.world.now)
        desk = Desk(self.store)
        for number, claim in claims.items():
            self.came(number, claim.epoch, WORKER)
            desk.take_over(claim)
        for elapsed in desk.lost_sessions(self.world.now, silent=True):
            await desk.apply([elapsed])
        for number, claim in claims.items():
            self.left(number, claim.epoch, self.contacts[number].heard_at)

"""What can a database do to those who use it?

It answers late, is gone for a while, refuses a value, or loses the connection while a commit is under way, which then
may or may not have happened. Each user of the real store (a gateway, a worker) has one of these around it. Before and
after each call its user can be stopped, which is where crashes strike.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from laddbok.flow.changes import BadData, Changes, OutcomeUnknown, StoreDown
from laddbok.flow.store import Claim, Found, LeasedJob, Question, SessionEvidence, Store
from laddbok.model.session import FramePosition, Session
from laddbok.model.spot_prices import SpotPrices
from tests.sim.faults import Faults
from tests.sim.safety import Safety
from tests.sim.world import World, pause

POISON = b"poison"
"""A frame that holds this is one that the database refuses."""
SHORT_DOWN_S = (0.2, 8.0)
OUTAGE_S = (12.0, 45.0)
"""Longer than a gateway holds messages."""


class Database:
    """The real store, and how it fares."""

    def __init__(self, world: World, inner: Store, faults: Faults, safety: Safety) -> None:
        self.world = world
        self.inner = inner
        self.faults = faults
        self.safety = safety
        self.chance = world.chance("database")
        self.down_until: datetime | None = None
        self.read: dict[str, set[tuple[int, int]]] = {}
        """The frames that each session had when its evidence was read last."""
        self.listeners: list[Callable[[Changes], None]] = []
        """Told of every commit that happened, besides the safety."""

    def committed(self, changes: Changes, user: str) -> None:
        """A commit happened."""
        self.safety.committed(changes, user)
        for listener in self.listeners:
            listener(changes)

    @property
    def is_down(self) -> bool:
        """Whether it can't be reached now."""
        return self.down_until is not None and self.world.now < self.down_until and not self.faults.is_calm

    def goes_down(self, seconds: tuple[float, float]) -> None:
        """Out of reach for so long."""
        self.down_until = self.world.now + timedelta(seconds=self.chance.uniform(*seconds))
        self.world.note("database", "is down until", self.down_until)


class ShakenStore:
    """`flow.store.Store` as one user of it has it."""

    def __init__(self, database: Database, user: str) -> None:
        self._database = database
        self._inner = database.inner
        self._user = user
        self._chance: Random = database.world.chance(f"store of {user}")

    async def claim(self, station_numbers: Sequence[int], gateway: str, at: datetime) -> dict[int, Claim]:
        await self._reach()
        claims = await self._inner.claim(station_numbers, gateway, at)
        self._database.safety.claimed(claims)
        await self._return()
        return claims

    async def look_up(self, questions: Sequence[Question]) -> list[Found]:
        await self._reach()
        found = await self._inner.look_up(questions)
        await self._return()
        return found

    async def stored(self, positions: Sequence[tuple[int, FramePosition]]) -> set[tuple[int, FramePosition]]:
        await self._reach()
        return await self._inner.stored(positions)

    async def transaction_numbers(self) -> range:
        await self._reach()
        return await self._inner.transaction_numbers()

    async def commit(self, changes: Changes) -> None:
        await self._reach()
        faults, chance = self._database.faults, self._chance
        if any(POISON in frame.raw for frame in changes.frames):
            raise BadData("poison")
        is_lost = faults.strikes("outcome_unknown", chance, 0.02)
        if is_lost and chance.random() < 0.5:
            self._database.world.note(self._user, "lost the connection before the commit")
            raise OutcomeUnknown("the connection was lost before the commit")
        await self._inner.commit(changes)
        self._database.committed(changes, self._user)
        await self._return()
        if is_lost:
            self._database.world.note(self._user, "lost the connection after the commit")
            raise OutcomeUnknown("the connection was lost after the commit")

    async def checkpoint(self, sessions: Sequence[Session], at: datetime) -> None:
        await self._reach()
        await self._inner.checkpoint(sessions, at)

    async def session_evidence(self, tenant: int, session_id: str) -> SessionEvidence:
        await self._reach()
        evidence = await self._inner.session_evidence(tenant, session_id)
        self._database.read[session_id] = {(f.connection_epoch, f.seq) for f in evidence.frames}
        await self._return()
        return evidence

    async def spot_prices(
        self, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime
    ) -> SpotPrices:
        await self._reach()
        prices = await self._inner.spot_prices(tenant, zone, currency, start_at, end_at)
        await self._return()
        return prices

    async def take_jobs(self, worker: str, now: datetime, limit: int) -> list[LeasedJob]:
        await self._reach()
        jobs = await self._inner.take_jobs(worker, now, limit)
        await self._return()
        return jobs

    async def finish_job(self, leased: LeasedJob, again_at: datetime | None = None) -> None:
        await self._reach()
        await self._inner.finish_job(leased, again_at)

    async def fail_job(self, leased: LeasedJob, error: str, now: datetime) -> None:
        await self._reach()
        await self._inner.fail_job(leased, error, now)

    async def _reach(self) -> None:
        """On the way there: late, or the database is not there."""
        await self._wait()
        database = self._database
        if database.is_down:
            raise StoreDown("the database is not there")
        if database.faults.strikes("store_down", self._chance, 0.004):
            database.goes_down(SHORT_DOWN_S)
            raise StoreDown("the database went")
        if database.faults.strikes("outage", self._chance, 0.0008):
            database.goes_down(OUTAGE_S)
            raise StoreDown("the database went")

    async def _return(self) -> None:
        await self._wait()

    async def _wait(self) -> None:
        faults = self._database.faults
        if "slow_database" in faults:
            await pause(self._chance.choice((0.0, 0.01, 0.05, 0.3, 2.0)))
        elif "crash" in faults:
            await pause(0.002)

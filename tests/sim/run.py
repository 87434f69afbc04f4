"""What is one seed?

Twenty stations for two hours under the faults of the seed; then the faults stop, everybody goes home, and what is left
must come to its end: queues empty, sessions closed, CDRs issued, jobs done. All of it is one thread and one clock, so a
seed is one exact run.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.outlet import StationShape
from laddbok.flow.apply import Desk
from laddbok.flow.changes import Changes
from laddbok.flow.messages import Asked
from laddbok.model.session import OPEN_STATES, SessionState
from laddbok.workers.settle import Settler
from tests.sim import people
from tests.sim.books import Books
from tests.sim.box import OFF_S, Box
from tests.sim.faults import Faults
from tests.sim.gateway import Gateway, MakesDesk
from tests.sim.grounds import Ground, in_memory, step
from tests.sim.odd_stations import LARGE_WH
from tests.sim.offices import MakesSettler, Offices
from tests.sim.outcome import Extent, Outcome, check_belief, check_rebuilt, extent
from tests.sim.safety import Safety
from tests.sim.shaken_store import Database
from tests.sim.visitors import LONG_S, Visitors
from tests.sim.world import Violation, World

STATIONS = 20
LASTS = timedelta(hours=2)
DRAINS_WITHIN = timedelta(hours=6)
LOOK_S = 60
GRACE = timedelta(minutes=45)
"""Longer than a session waits for its stop after a boot."""
SILENCE = timedelta(hours=26)
UNPLUG = timedelta(hours=50)
NIGHTS = (
    "2026-03-28T23:40:00+00:00",
    "2026-03-29T00:20:00+00:00",
    "2026-10-24T23:40:00+00:00",
    "2026-10-25T00:10:00+00:00",
)
"""When Sweden changes its clocks within the two hours."""
BUILDS = ((2, 22_080, 3), (1, 11_040, 3), (2, 150_000, 0), (2, 7_360, 1))
"""EVSEs, rated power [W], phases (0: direct current)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a planted bug may replace."""

    desk: MakesDesk = Desk
    settler: MakesSettler = Settler
    gateway: type[Gateway] = Gateway


@dataclass(slots=True)
class Result:
    """What came of a seed."""

    seed: int
    digest: str = ""
    events: int = 0
    frames: int = 0
    transactions: int = 0
    sessions: int = 0
    faults: tuple[str, ...] = ()
    happened: dict[str, int] = field(default_factory=dict)
    violation: Violation | None = None


class Simulation:
    """One seed."""

    def __init__(
        self, seed: int, ground: Ground | None = None, parts: Parts | None = None, lasts: timedelta = LASTS
    ) -> None:
        parts = parts or Parts()
        self._lasts = lasts
        chance = World(seed, datetime(2026, 1, 1, tzinfo=UTC)).chance("date")
        faults = Faults.drawn(chance)
        begins_at = datetime(2026, 3, 2, 6, tzinfo=UTC) + timedelta(minutes=chance.randrange(3 * 24 * 60))
        if "dst_night" in faults.on:
            begins_at = datetime.fromisoformat(chance.choice(NIGHTS))
        self.world = World(seed, begins_at)
        self.faults = faults
        self.ground = ground or in_memory()
        self.ground.prepare(begins_at)
        self.safety = Safety(self.world, self.ground.tenant)
        self.database = Database(self.world, self.ground.store, faults, self.safety)
        self.offices = Offices(self.world, self.database, parts.settler)
        self.database.listeners += [self.offices.committed, self._settled]
        count = 2 if "two_gateways" in faults.on else 1
        self.gateways = [
            parts.gateway(self.world, self.database, self.offices, f"gateway {number + 1}", parts.desk)
            for number in range(count)
        ]
        self.books = Books()
        self.ledger = FleetRecord(stations=STATIONS)
        people.keep(self.ground, begins_at)
        self.prices = people.Prices(self.world, self.ground, faults)
        self.boxes = [self._box(number) for number in range(STATIONS)]
        self.visitors = [
            Visitors(box, outlet.evse_id, people.TOKENS, faults, self.offices)
            for box in self.boxes
            for outlet in box.station.outlets
        ]
        self.rebuilt: dict[str, Extent] = {}
        """How much each session was rebuilt from last."""
        self._plan_faults()

    def _box(self, number: int) -> Box:
        chance = self.world.chance(f"build of {number}")
        evses, rated_w, phases = BUILDS[number % len(BUILDS)]
        shape = StationShape(
            identity=f"CP-{number + 1:02d}",
            protocol=chance.choice(("1.6", "2.0.1")),
            kind="public_ac",
            evses=evses,
            rated_w=rated_w,
            phases=phases,
            register_wh=chance.choice((0, 40, chance.randrange(LARGE_WH, 90_000_000))),
        )
        station = self.ground.new_station(shape.identity, shape.protocol)
        self.safety.names[station.station_no] = shape.identity
        self.offices.admit(station.station_no)
        for evse_id in range(1, evses + 1):
            self.ground.keeps.add_evse(station.station_no, evse_id, rated_w)
        self.prices.assign(station.station_no, station.identity)
        return Box(self.world, self.faults, self.gateways, self.ledger, shape, station.station_no)

    # ------------------------------------------------------------------ faults that come from outside
    def _plan_faults(self) -> None:
        self._chance = self.world.chance("faults")
        for name, mean_s, strike in (
            ("cut", 90, self._cut),
            ("half_open", 300, self._half_open),
            ("flapping", 1500, self._flap),
            ("crash", 600, self._crash),
            ("power_cut", 240, self._cut_power),
            ("long_silence", 1800, self._fall_silent),
            ("poison", 200, self._poison),
        ):
            if name in self.faults.on:
                self._again(name, mean_s, strike)

    def _again(self, name: str, mean_s: float, strike: Callable[[], None]) -> None:
        def now() -> None:
            if self.faults.strikes(name, self._chance, 1.0):
                strike()
                self._again(name, mean_s, strike)

        self.world.after(self._chance.expovariate(1 / mean_s), now)

    def _cut(self) -> None:
        self._one_connected(lambda box: box.wire.cut() if box.wire else None)

    def _half_open(self) -> None:
        self._one_connected(lambda box: box.wire.cut(half_open=True) if box.wire else None)

    def _flap(self) -> None:
        """The whole fleet loses its connections, several times in a row."""
        for turn in range(self._chance.randrange(1, 5)):
            for box in self.boxes:
                self.world.after(turn * 25 + self._chance.uniform(0, 3), self._cut_one, box)

    def _cut_one(self, box: Box) -> None:
        if box.wire is not None and not self.faults.is_calm:
            box.wire.cut()

    def _crash(self) -> None:
        victim: Gateway | Offices = self._chance.choice((*self.gateways, self.offices))
        if not isinstance(victim, Gateway) or victim.is_up:
            victim.crash()

    def _cut_power(self) -> None:
        box = self._chance.choice(self.boxes)
        off_s = min(OFF_S[1], OFF_S[0] + self._chance.expovariate(1 / 200))
        if self._chance.random() < 0.1:
            off_s = self._chance.uniform(1500, OFF_S[1])
        box.lose_power(off_s)

    def _fall_silent(self) -> None:
        """A station goes off and nobody looks after it for a day."""
        running = [box for box in self.boxes if any(outlet.transaction for outlet in box.station.outlets)]
        if running:
            self._chance.choice(running).lose_power(None)

    def _poison(self) -> None:
        box = self._chance.choice(self.boxes)
        if box.wire is not None and box.station.is_online:
            payload = '{"vendorId":"poison","messageId":"m","data":"d"}'
            box.wire.up(f'[2,"p{self.world.events}","DataTransfer",{payload}]'.encode())

    def _one_connected(self, strike: Callable[[Box], None]) -> None:
        connected = [box for box in self.boxes if box.wire is not None and box.station.is_online]
        if connected:
            strike(self._chance.choice(connected))

    # ------------------------------------------------------------------ after each settling
    def _settled(self, changes: Changes) -> None:
        for session in changes.moved:
            if session.state in OPEN_STATES or session.tenant != self.ground.tenant:
                continue
            evidence = step(self.ground.store.session_evidence(session.tenant, session.id))
            overlapped = self.safety.overlapped(session)
            if (
                not overlapped
                and {(f.connection_epoch, f.seq) for f in evidence.frames} <= self.database.read[session.id]
            ):
                # Else it was settled on less than there is by now, and comes again.
                check_rebuilt(evidence)
                self.rebuilt[session.id] = extent(evidence)
            for gateway in self.gateways:
                is_quiet = gateway.is_up and session.station_no not in gateway.batch
                memory = gateway.desk.stations.get(session.station_no) if is_quiet else None
                if memory is None or memory.epoch != self.safety.epochs[session.station_no]:
                    continue
                belief = memory.state.sessions.get(session.transaction_id)
                is_it = belief is not None and belief.id == session.id and belief.version == session.version
                if belief is not None and is_it and belief.state is SessionState.ENDED and not overlapped:
                    check_belief(belief, evidence)

    # ------------------------------------------------------------------ the whole run
    def run(self) -> None:
        """Two hours of faults, then the end of everything. Raises: Violation."""
        world = self.world
        world.run_until(world.began_at + self._lasts)
        self.books.bill(list(self.ground.cdrs()), world.now)
        self.faults.is_calm = True
        world.note("world", "is calm")
        for visitors in self.visitors:
            visitors.go_home()
        asleep = [box for box in self.boxes if box.is_asleep]
        self._end([box for box in self.boxes if not box.is_asleep])
        self.offices.pace_s = 600.0
        world.run_until(world.now + SILENCE)
        self.books.bill(list(self.ground.cdrs()), world.now)
        if asleep:
            self._wake(asleep)
        world.run_until(world.now + UNPLUG)
        Outcome(self.ground, self.safety, self.prices, self.rebuilt).check(self.boxes, self.ledger.transactions)
        issued = list(self.ground.cdrs())
        self.books.bill(issued, world.now)
        self.books.check(issued)

    def _wake(self, asleep: list[Box]) -> None:
        """Stations come back after their sessions were ended at a guess, and tell what they kept."""
        for gateway in self.gateways:
            gateway.start()
        for box in asleep:
            box.get_power()
        self.world.run_until(self.world.now + timedelta(seconds=LONG_S))
        self._end(asleep)

    def _end(self, boxes: list[Box]) -> None:
        """These tell what they have to tell, wait a while, and leave; then the gateways end."""
        self._drain(boxes)
        self.world.run_until(self.world.now + GRACE)
        for box in boxes:
            box.leave()
        self.world.run_until(self.world.now + timedelta(minutes=20))
        for gateway in self.gateways:
            gateway.stop()

    def _drain(self, boxes: list[Box]) -> None:
        until = self.world.now + DRAINS_WITHIN
        while left := [box.identity for box in boxes if box.is_off or not box.station.is_drained]:
            if self.world.now >= until:
                raise Violation("queues are empty", f"{DRAINS_WITHIN} after the last fault: {left}", left[0])
            self.world.run_until(self.world.now + timedelta(seconds=LOOK_S))


@contextmanager
def frames_read_once() -> Iterator[None]:
    """A frame says the same whenever it is read, so a simulation, which reads each often, reads it once."""
    plain = Asked.of_row
    Asked.of_row = cache(plain)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Asked.of_row = plain  # type: ignore[method-assign]


def run_seed(
    seed: int, ground: Ground | None = None, parts: Parts | None = None, lasts: timedelta = LASTS
) -> tuple[Result, Simulation]:
    """Run a seed. Returns: what came of it, and the simulation for whoever wants to look at the trail."""
    simulation = Simulation(seed, ground, parts, lasts)
    world = simulation.world
    result = Result(seed)
    try:
        with frames_read_once():
            simulation.run()
    except Violation as violation:
        result.violation = violation
    except Exception:  # whatever the platform raises here would have killed a process of it
        result.violation = Violation("nothing raises", traceback.format_exc())
    result.digest = world.digest()
    result.events = world.events
    result.frames = len(simulation.safety.frames)
    result.transactions = len(simulation.ledger.transactions)
    result.sessions = len(simulation.safety.sessions)
    result.faults = tuple(sorted(simulation.faults.on))
    result.happened = simulation.faults.happened
    return result, simulation

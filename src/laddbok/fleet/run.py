"""How does a whole fleet run?

A run holds one client per station and a heap of the moments at which they are due. One loop attends to whoever is due;
messages are answered as they arrive. Draining sends all drivers home, waits until every message is acknowledged, and
says goodbye. What it metered is in its record.
"""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from laddbok.fleet.client import Client
from laddbok.fleet.driver import Driver, Habits
from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.outlet import StationShape
from laddbok.fleet.population import FleetSettings, station_shapes
from laddbok.fleet.station import Station
from laddbok.fleet.station16 import Station16
from laddbok.fleet.station201 import Station201
from laddbok.model.clock import Clock, SystemClock

BEAT_S = 0.02
"""How often the loop looks who is due [s of the wall clock]."""

CALL_TIMEOUT_S = 30.0
"""How long a station waits for an answer [s of the wall clock]."""

MAX_CONNECTING = 50
"""How many stations connect at the same moment."""

DRAIN_TIMEOUT_S = 30.0
"""How long draining waits for acknowledgements [s of the wall clock]."""

STATIONS: dict[str, type[Station]] = {"1.6": Station16, "2.0.1": Station201}


class FleetRun:
    """A fleet against one central system. `record` is up to date at any time."""

    def __init__(self, settings: FleetSettings, clock: Clock | None = None) -> None:
        """Build all stations; nothing connects yet.

        Raises: Invalid when a setting can't be.
        """
        settings.check()
        self.settings = settings
        self.clock = clock or SystemClock()
        self.record = FleetRecord(stations=settings.stations)
        self.clients: list[Client] = []
        self._due: list[tuple[datetime, int]] = []
        self._scheduled: dict[Client, datetime] = {}
        self._numbers: dict[Client, int] = {}
        self._habits = Habits(
            tokens=settings.tokens,
            time_zone=ZoneInfo(settings.time_zone),
            crowding=settings.crowding,
            longest_pause_s=settings.longest_pause_s,
            pause_speed=settings.pause_speed,
            are_arriving=settings.arrivals,
            ask_operator=settings.ask_operator,
        )
        now = self.clock.now()
        for shape in station_shapes(settings, now):
            self._add(shape, now)

    async def run(self, stop: asyncio.Event, progress: Callable[[FleetRecord], None] | None = None) -> FleetRecord:
        """Run until `stop` is set, drain, and return what was metered.

        Args: progress: called once a second of the wall clock.
        """
        gate = asyncio.Semaphore(MAX_CONNECTING)
        connecting = [asyncio.create_task(client.keep_connected(gate)) for client in self.clients]
        beating = asyncio.create_task(self._beat(progress))
        stopping = asyncio.create_task(stop.wait())
        tasks = [*connecting, beating]
        try:
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            await self._drain(tasks)
        finally:
            for task in [*tasks, stopping]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return self.record

    @property
    def is_drained(self) -> bool:
        """Whether no transaction runs and every message is acknowledged."""
        return all(client.station.is_drained for client in self.clients)

    async def _drain(self, tasks: list[asyncio.Task[None]]) -> None:
        """Send everybody home and wait until all is acknowledged, for a bounded time."""
        now = self.clock.now()
        for client in self.clients:
            client.go_home(now)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + DRAIN_TIMEOUT_S
        while not self.is_drained and loop.time() < give_up_at and not any(task.done() for task in tasks):
            await asyncio.sleep(BEAT_S)

    def _add(self, shape: StationShape, now: datetime) -> None:
        settings = self.settings
        rng = Random(f"{settings.seed} {shape.identity}")
        station = STATIONS[shape.protocol](
            shape,
            self.record,
            now,
            call_timeout_s=CALL_TIMEOUT_S * self.clock.speed,
            follow_server_time=settings.follow_server_time,
            sample_interval_s=settings.sample_interval_s,
        )
        drivers = [Driver(station, outlet.evse_id, self._habits, rng, now) for outlet in station.outlets]
        client = Client(station, drivers, settings.url, self.clock, rng, self._schedule)
        self._numbers[client] = len(self.clients)
        self.clients.append(client)
        self._schedule(client)

    def _schedule(self, client: Client) -> None:
        """Make sure that a client is attended to when it is due."""
        due = client.due()
        if due is None:
            return
        scheduled = self._scheduled.get(client)
        if scheduled is None or due < scheduled:
            self._scheduled[client] = due
            heapq.heappush(self._due, (due, self._numbers[client]))

    async def _beat(self, progress: Callable[[FleetRecord], None] | None) -> None:
        beats = 0
        while True:
            self._attend(self.clock.now())
            beats += 1
            if progress is not None and beats % round(1 / BEAT_S) == 0:
                progress(self.record)
            await asyncio.sleep(BEAT_S)

    def _attend(self, now: datetime) -> None:
        """Attend to everybody who is due now, each at most once."""
        ready: list[Client] = []
        while self._due and self._due[0][0] <= now:
            due, number = heapq.heappop(self._due)
            client = self.clients[number]
            if self._scheduled.get(client) == due:
                del self._scheduled[client]
                ready.append(client)
        for client in ready:
            client.attend(now)
            self._schedule(client)

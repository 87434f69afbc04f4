"""On which store does a seed run?

On dicts, where a seed takes less than a second, or on the real database, where the same seed runs the same way through
real SQL. Both keep what people keep by the same methods.
"""

import inspect
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from laddbok.flow.changes import CdrIssued
from laddbok.flow.store import Store
from laddbok.model.station import Station
from laddbok.store.memory import MemoryStore

T = TypeVar("T")
ZONE = "Europe/Stockholm"
SITE = "yard"


class Ground(NamedTuple):
    """A store, what people keep, and how to look into it."""

    store: Store
    keeps: Any
    tenant: int
    new_station: Callable[[str, str], Station]
    prepare: Callable[[datetime], None]
    """Make it ready for the days that follow."""
    cdrs: Callable[[], list[CdrIssued]]
    jobs_left: Callable[[], list[str]]


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waited for something")


def in_memory() -> Ground:
    """Dicts."""
    store = MemoryStore()

    def new_station(identity: str, protocol: str) -> Station:
        number = len(store.stations) + 1
        station = Station(
            station_no=number, tenant=1, identity=identity, site_id=SITE, time_zone=ZONE, protocol=protocol
        )
        store.add_station(station)
        return station

    return Ground(
        store=store,
        keeps=store.terms,
        tenant=1,
        new_station=new_station,
        prepare=lambda day: None,
        cdrs=lambda: list(store.cdrs.values()),
        jobs_left=lambda: [f"{row.job.kind} {row.job.key}: {row.last_error}" for row in store.jobs.rows.values()],
    )


class Blocking:
    """A store whose coroutines need an event loop, for callers that have none."""

    def __init__(self, store: Store, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._store = store
        self._run = run

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        assert inspect.iscoroutinefunction(method), name

        async def call(*args: Any, **options: Any) -> Any:
            return self._run(method(*args, **options))

        return call

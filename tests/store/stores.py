"""On what does the contract suite run? A store, what people keep for it, and somebody who steps its coroutines."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import asyncpg

from laddbok.flow.changes import Changes
from laddbok.flow.store import Found, LeasedJob, Question, Store
from laddbok.model.events import AuthorizationStatus
from laddbok.model.station import Station
from laddbok.model.tariff import parse_tariff
from laddbok.store.embedded import Dsn
from laddbok.store.memory import MemoryStore
from laddbok.store.memory_terms import ALWAYS, Terms
from laddbok.store.postgres import PostgresStore

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACCEPTED = AuthorizationStatus.ACCEPTED
_serial = itertools.count(1)


def minutes(count: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=count)


def tariff_document(tariff_id: str, price: str = "3.20", **laddbok: Any) -> bytes:
    component = {"type": "ENERGY", "price": price, "vat": 25, "step_size": 1}
    fields = {"id": tariff_id, "currency": "SEK", "elements": [{"price_components": [component]}]}
    return json.dumps(fields | {"last_updated": "2026-01-01T00:00:00Z", "laddbok": laddbok}).encode()


class PostgresKeeps:
    """What people keep, in their tables; the same methods as `Terms`."""

    def __init__(self, execute: Callable[..., None]) -> None:
        self._execute = execute

    def add_evse(self, station_no: int, evse_id: int, max_power_w: int) -> None:
        self._execute(
            "INSERT INTO evse (tenant, station_no, evse_id, max_power_w) "
            "SELECT tenant, station_no, $2, $3 FROM station WHERE station_no = $1",
            station_no, evse_id, max_power_w,
        )  # fmt: skip

    def add_token(
        self,
        tenant: int,
        token: str,
        status: AuthorizationStatus = ACCEPTED,
        valid_to: datetime | None = None,
        single_session: bool = False,
    ) -> None:
        self._execute(
            "INSERT INTO id_token (tenant, token, presented, status, valid_to, single_session) "
            "VALUES ($1, $2, $2, $3, $4, $5)",
            tenant, token, status.value, valid_to, single_session,
        )  # fmt: skip

    def add_alias(self, tenant: int, alias: str, token: str) -> None:
        self._execute("INSERT INTO id_token_alias (tenant, alias, token) VALUES ($1, $2, $3)", tenant, alias, token)

    def add_contract(
        self, tenant: int, contract_id: str, valid_from: datetime = ALWAYS, valid_to: datetime | None = None
    ) -> None:
        self._execute("INSERT INTO contract VALUES ($1, $2, $2, $3, $4)", tenant, contract_id, valid_from, valid_to)

    def link_token(
        self, tenant: int, token: str, contract_id: str, valid_from: datetime = ALWAYS, valid_to: datetime | None = None
    ) -> None:
        row = (tenant, token, contract_id, valid_from, valid_to)
        self._execute("INSERT INTO id_token_contract VALUES ($1, $2, $3, $4, $5)", *row)

    def add_tariff(self, tenant: int, document: bytes, valid_from: datetime = ALWAYS) -> None:
        tariff = parse_tariff(document)
        self._execute("INSERT INTO tariff VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", tenant, tariff.id, ALWAYS)
        self._execute(
            "INSERT INTO tariff_version SELECT $1, $2, count(*) + 1, $3, $4, $5, $6 FROM tariff_version "
            "WHERE tenant = $1 AND tariff_id = $2",
            tenant, tariff.id, valid_from, tariff.end_date_time, ALWAYS, document.decode(),
        )  # fmt: skip

    def assign_tariff(
        self, tenant: int, scope: str, scope_id: str, tariff_id: str, valid_from: datetime = ALWAYS
    ) -> None:
        row = (tenant, scope, scope_id, valid_from, tariff_id)
        self._execute("INSERT INTO tariff_assignment VALUES ($1, $2, $3, $4, $5)", *row)

    def assign_seller(
        self,
        tenant: int,
        site_id: str,
        seller_id: str,
        valid_from: datetime = ALWAYS,
        valid_to: datetime | None = None,
    ) -> None:
        entity = "INSERT INTO legal_entity (tenant, id, name) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING"
        self._execute(entity, tenant, seller_id)
        row = (tenant, site_id, seller_id, valid_from, valid_to)
        self._execute("INSERT INTO site_seller VALUES ($1, $2, $3, $4, $5)", *row)


class Ground(NamedTuple):
    """One store with one tenant of its own and a site "yard" in Stockholm."""

    store: Store
    keeps: Terms | PostgresKeeps
    tenant: int
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    new_station: Callable[[str], Station]


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the memory store waited for something")


def station_of(tenant: int, station_no: int, identity: str) -> Station:
    return Station(
        station_no=station_no, tenant=tenant, identity=identity, site_id="yard", time_zone="Europe/Stockholm"
    )


def in_memory() -> Iterator[Ground]:
    store = MemoryStore()

    def new_station(identity: str) -> Station:
        station = station_of(1, len(store.stations) + 1, identity)
        store.add_station(station)
        return station

    yield Ground(store, store.terms, 1, step, new_station)


def in_postgres(dsn: Dsn) -> Iterator[Ground]:
    """A new tenant in the module's database, with no job left over."""
    with asyncio.Runner() as runner:
        pool = runner.run(_pool(dsn))

        def fetch(statement: str, *values: Any) -> Any:
            return runner.run(pool.fetchval(statement, *values))

        fetch("DELETE FROM job")
        name = f"tenant {next(_serial)}"
        tenant = fetch("INSERT INTO tenant (name, created_at) VALUES ($1, $2) RETURNING tenant", name, NOON)
        fetch("INSERT INTO site (tenant, id, name, time_zone) VALUES ($1, 'yard', 'Yard', 'Europe/Stockholm')", tenant)

        def new_station(identity: str) -> Station:
            statement = (
                "INSERT INTO station (tenant, identity, site_id, protocol, admitted_at) "
                "VALUES ($1, $2, 'yard', '1.6', $3) RETURNING station_no"
            )
            unique = f"{identity}-{tenant}"
            return station_of(tenant, fetch(statement, tenant, unique, NOON), unique)

        try:
            yield Ground(PostgresStore(pool), PostgresKeeps(fetch), tenant, runner.run, new_station)
        finally:
            runner.run(pool.close())


async def _pool(dsn: Dsn) -> asyncpg.Pool:
    return await asyncpg.create_pool(**dsn, min_size=1, max_size=2)


def commit(ground: Ground, **changes: Any) -> None:
    ground.run(ground.store.commit(Changes(**changes)))


def take(ground: Ground, at_min: float = 0, limit: int = 9) -> list[LeasedJob]:
    return list(ground.run(ground.store.take_jobs("worker", minutes(at_min), limit)))


def found(ground: Ground, station: Station, at: datetime, **asked: Any) -> Found:
    fields = {"tenant": ground.tenant, "station_no": station.station_no, "evse_id": 1, "token": "04A1", "at": at}
    [answer] = ground.run(ground.store.look_up([Question(**{**fields, **asked})]))
    assert isinstance(answer, Found)
    return answer

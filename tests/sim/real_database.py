"""How does a seed run on the real database?

One embedded server for the seed, its tables freshly made, and the store's coroutines run to their end one by one: the
same events in the same order as on dicts, through real SQL.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from laddbok.flow.changes import CdrIssued
from laddbok.model.station import Station
from laddbok.store.embedded import Dsn, start
from laddbok.store.migrate import migrate
from laddbok.store.postgres import PostgresStore
from tests.sim.grounds import SITE, ZONE, Blocking, Ground
from tests.store.stores import PostgresKeeps

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "src/laddbok/store/migrations"
LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
DAYS = 8
"""A seed with its end lasts less."""
ALL_CDRS = "SELECT tenant, session_id, revision, kind FROM cdr ORDER BY session_id, revision, kind"


@contextmanager
def started() -> Iterator[Ground]:
    """A server of this seed's own, that goes with it."""
    with tempfile.TemporaryDirectory(prefix="laddbok-sim-") as folder, start(Path(folder)) as server:
        asyncio.run(_migrate(server.dsn))
        with ground_on(server.dsn) as ground:
            yield ground


@contextmanager
def ground_on(dsn: Dsn) -> Iterator[Ground]:
    """A migrated database with nothing of ours in it."""
    with asyncio.Runner() as runner:
        pool = runner.run(_pool(dsn))
        try:
            yield _Rows(runner, pool).ground()
        finally:
            runner.run(pool.close())


class _Rows:
    """What a seed writes and reads besides the store."""

    def __init__(self, runner: asyncio.Runner, pool: asyncpg.Pool) -> None:
        self._runner = runner
        self._pool = pool
        self._store = PostgresStore(pool)
        statement = "INSERT INTO tenant (name, created_at) VALUES ('sim', $1) RETURNING tenant"
        self._tenant = self._value(statement, LONG_AGO)
        site = "INSERT INTO site (tenant, id, name, time_zone) VALUES ($1, $2, 'Yard', $3)"
        self._value(site, self._tenant, SITE, ZONE)

    def ground(self) -> Ground:
        return Ground(
            store=Blocking(self._store, self._runner.run),  # type: ignore[arg-type]
            keeps=PostgresKeeps(self._value),
            tenant=self._tenant,
            new_station=self._new_station,
            prepare=lambda day: self._runner.run(self._store.create_frame_partitions(day, DAYS)),
            cdrs=self._cdrs,
            jobs_left=lambda: [str(dict(row)) for row in self._runner.run(self._pool.fetch("SELECT * FROM job"))],
        )

    def _value(self, statement: str, *values: Any) -> Any:
        return self._runner.run(self._pool.fetchval(statement, *values))

    def _new_station(self, identity: str, protocol: str) -> Station:
        statement = (
            "INSERT INTO station (tenant, identity, site_id, protocol, admitted_at) "
            "VALUES ($1, $2, $3, $4, $5) RETURNING station_no"
        )
        number = self._value(statement, self._tenant, identity, SITE, protocol, LONG_AGO)
        return Station(
            station_no=number,
            tenant=self._tenant,
            identity=identity,
            site_id=SITE,
            time_zone=ZONE,
            protocol=protocol,
        )

    def _cdrs(self) -> list[CdrIssued]:
        """The CDRs of the sessions' present revisions, as they are read back."""
        issued = []
        for row in self._runner.run(self._pool.fetch(ALL_CDRS)):
            evidence = self._runner.run(self._store.session_evidence(row["tenant"], row["session_id"]))
            if row["kind"] == "cdr" and evidence.issued is not None and row["revision"] == evidence.session.revision:
                issued.append(evidence.issued)
        return issued


async def _pool(dsn: Dsn) -> asyncpg.Pool:
    return await asyncpg.create_pool(**dsn, min_size=1, max_size=2)


async def _migrate(dsn: Dsn) -> None:
    connection = await asyncpg.connect(**dsn)
    try:
        await migrate(connection, MIGRATIONS)
    finally:
        await connection.close()

"""Is the schema brought up to date once, in order, and is everything unexpected refused?"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from laddbok.model.errors import ConfigurationError
from laddbok.store.embedded import Dsn, EmbeddedServer
from laddbok.store.migrate import Migration, migrate, migrations_in, plan

Work = Callable[[asyncpg.Connection], Coroutine[Any, Any, Any]]


@pytest.fixture
def empty_database(database_server: EmbeddedServer, worker_id: str) -> Any:
    dsn, name = database_server.dsn, f"migrate_{worker_id}"
    run(dsn, lambda connection: connection.execute(f"CREATE DATABASE {name}"))
    yield {**dsn, "database": name}
    run(dsn, lambda connection: connection.execute(f"DROP DATABASE {name} WITH (FORCE)"))


def run(dsn: Dsn, work: Work) -> Any:
    async def connected() -> Any:
        connection = await asyncpg.connect(**dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def folder_with(folder: Path, **files: str) -> Path:
    for name, sql in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(sql)
    return folder


def test_each_is_applied_once_in_order(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_first="CREATE TABLE a (x int); INSERT INTO a VALUES (1);")
    assert run(empty_database, lambda c: migrate(c, tmp_path)) == ["0001_first"]
    folder_with(tmp_path, m0002_second="INSERT INTO a SELECT x + 1 FROM a;")
    assert run(empty_database, lambda c: migrate(c, tmp_path)) == ["0002_second"]
    assert run(empty_database, lambda c: migrate(c, tmp_path)) == []
    assert run(empty_database, lambda c: c.fetchval("SELECT sum(x) FROM a")) == 3


def test_processes_that_start_together_migrate_once(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_slow="SELECT pg_sleep(0.2); CREATE TABLE a (x int);")

    async def together() -> list[list[str]]:
        connections = [await asyncpg.connect(**empty_database) for _ in range(3)]
        try:
            return await asyncio.gather(*(migrate(connection, tmp_path) for connection in connections))
        finally:
            for connection in connections:
                await connection.close()

    assert sorted(asyncio.run(together())) == [[], [], ["0001_slow"]]


def test_one_that_fails_leaves_nothing_and_those_before_it_stay(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_good="CREATE TABLE a (x int);", m0002_bad="CREATE TABLE b (x int); SELECT 1/0;")
    with pytest.raises(ConfigurationError, match="migration 0002_bad failed: division by zero"):
        run(empty_database, lambda c: migrate(c, tmp_path))
    assert run(empty_database, lambda c: c.fetchval("SELECT to_regclass('a') IS NOT NULL")) is True
    assert run(empty_database, lambda c: c.fetchval("SELECT to_regclass('b')")) is None
    folder_with(tmp_path, m0002_bad="CREATE TABLE b (x int);")
    assert run(empty_database, lambda c: migrate(c, tmp_path)) == ["0002_bad"]


def test_a_changed_one_is_refused(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_first="SELECT 1;")
    run(empty_database, lambda c: migrate(c, tmp_path))
    folder_with(tmp_path, m0001_first="SELECT 2;")
    with pytest.raises(ConfigurationError, match="0001_first is not the one that the database has"):
        run(empty_database, lambda c: migrate(c, tmp_path))


def test_a_newer_database_is_refused(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_first="SELECT 1;", m0002_second="SELECT 2;")
    run(empty_database, lambda c: migrate(c, tmp_path))
    (tmp_path / "0002_second.sql").unlink()
    with pytest.raises(ConfigurationError, match=r"newer than this version .* 0002_second, we know 0001_first"):
        run(empty_database, lambda c: migrate(c, tmp_path))


def test_after_a_refusal_others_can_go_on(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_bad="SELECT 1/0;")

    async def twice(connection: asyncpg.Connection) -> object:
        with pytest.raises(ConfigurationError):
            await migrate(connection, tmp_path)
        return await connection.fetchval(
            "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )

    assert run(empty_database, twice) is True


def test_a_database_too_old_is_refused(tmp_path: Path) -> None:
    class OldConnection:
        def get_server_version(self) -> Any:
            return type("Version", (), {"major": 14})()

    with pytest.raises(ConfigurationError, match="database too old: PostgreSQL 14"):
        asyncio.run(migrate(OldConnection(), tmp_path))


def test_row_security_covers_the_table_of_migrations(empty_database: Dsn, tmp_path: Path) -> None:
    folder_with(tmp_path, m0001_first="SELECT 1;")
    run(empty_database, lambda c: migrate(c, tmp_path))
    covered = "SELECT relrowsecurity FROM pg_class WHERE relname = 'schema_migration'"
    assert run(empty_database, lambda c: c.fetchval(covered)) is True


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0002_second.sql"], "should have number 0001"),
        (["0001_a.sql", "0001_b.sql"], "0001_b in .* should have number 0002"),
        (["0001-first.sql"], "0001-first.sql is not named as a migration"),
        ([], "no migrations"),
    ],
)
def test_folders_that_make_no_sense(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ConfigurationError, match=complaint):
        migrations_in(tmp_path)


def test_what_is_applied_must_be_the_beginning_of_what_we_have() -> None:
    ours = [Migration(1, "a", "A"), Migration(2, "b", "B")]
    assert plan(ours, []) == ours
    assert plan(ours, ours[:1]) == ours[1:]
    with pytest.raises(ConfigurationError):
        plan(ours, ours[1:])

"""Does the database have the tables that this version needs?

The schema grows by numbered SQL files, `0001_name.sql`, applied in order, each in a transaction of its own, one process
at a time. The table `schema_migration` remembers each with the checksum of its text: a file that was changed after it
was applied is refused, and so is a database that a newer version of the code has moved on.

>>> migration_from_name("0007_tariff_versions.sql", "SELECT 1;\\r\\n").number
7
"""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from laddbok.model.errors import ConfigurationError

OLDEST_MAJOR = 15
LOCK_KEY = 0x6C616464626F6B
"""Ours alone: "laddbok" in ASCII."""
LOCK_TIMEOUT = "10min"
"""Longest wait for another process that prepares the database."""
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

# When a migration was applied is a fact about this machine, so the machine's clock tells it.
CREATE_TABLE = """
CREATE TABLE schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE schema_migration ENABLE ROW LEVEL SECURITY;
"""


@dataclass(frozen=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    checksum: str
    sql: str = ""

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


async def migrate(connection: asyncpg.Connection, folder: Path) -> list[str]:
    """Apply the migrations of the folder that the database does not have yet.

    Args: connection: as the owner of the tables, not in a transaction.
    Returns: the names of those applied now, in order ("0001_name").
    Raises: ConfigurationError when the database is too old, newer than the code, was migrated by another text, or when
    a migration fails (that one is rolled back, those before it stay).
    Source: our choice, design "driver, SQL".
    """
    major = connection.get_server_version().major
    if major < OLDEST_MAJOR:
        raise ConfigurationError(f"database too old: PostgreSQL {major}, at least {OLDEST_MAJOR} is needed")
    wanted = migrations_in(folder)
    async with alone(connection):
        applied = await _applied(connection)
        pending = plan(wanted, applied)
        for migration in pending:
            await _apply(connection, migration)
    return [str(migration) for migration in pending]


@asynccontextmanager
async def alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Only one process at a time does this: the others wait for it.

    Raises: ConfigurationError when another one takes too long.
    Source: our choice.
    """
    await _lock(connection)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK_KEY)


def migrations_in(folder: Path) -> list[Migration]:
    """The migrations of a folder, by number.

    Raises: ConfigurationError when there are none, a file is not named as one, or the numbers are not 1, 2, 3, ...
    Source: our choice.
    """
    try:
        files = sorted(folder.glob("*.sql"))
        migrations = [migration_from_name(file.name, file.read_text()) for file in files]
    except OSError as error:
        raise ConfigurationError(f"migrations in {folder} can't be read: {error}") from error
    if not migrations:
        raise ConfigurationError(f"no migrations in {folder}")
    for number, migration in enumerate(migrations, start=1):
        if migration.number != number:
            raise ConfigurationError(f"migration {migration} in {folder} should have number {number:04}")
    return migrations


def migration_from_name(file_name: str, sql: str) -> Migration:
    """The migration in a file; its checksum does not depend on how lines end.

    Raises: ConfigurationError when the name is not that of a migration.
    Source: our choice.
    """
    named = FILE_NAME.fullmatch(file_name)
    if named is None:
        raise ConfigurationError(f"{file_name} is not named as a migration (0001_name.sql)")
    sql = "\n".join(sql.splitlines())
    return Migration(int(named[1]), named[2], hashlib.sha256(sql.encode()).hexdigest(), sql)


def plan(wanted: Sequence[Migration], applied: Sequence[Migration]) -> list[Migration]:
    """Which migrations are still to be applied.

    Args: wanted: what the code has, by number from 1. applied: what the database has, by number.
    Raises: ConfigurationError when the database has something else than the first migrations of the code.
    Source: our choice.
    """
    if len(applied) > len(wanted):
        raise ConfigurationError(
            f"the database is newer than this version of Laddbok: it has migration {applied[-1]}, we know {wanted[-1]}"
        )
    for ours, theirs in zip(wanted, applied, strict=False):
        if (ours.number, ours.checksum) != (theirs.number, theirs.checksum):
            raise ConfigurationError(f"migration {ours} is not the one that the database has ({theirs})")
    return list(wanted[len(applied) :])


async def _lock(connection: asyncpg.Connection) -> None:
    await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
    except asyncpg.LockNotAvailableError as error:
        raise ConfigurationError(f"another process has been preparing the database for {LOCK_TIMEOUT}") from error
    finally:
        await connection.execute("RESET lock_timeout")


async def _applied(connection: asyncpg.Connection) -> list[Migration]:
    if await connection.fetchval("SELECT to_regclass('schema_migration')") is None:
        await connection.execute(CREATE_TABLE)
    rows = await connection.fetch("SELECT number, name, checksum FROM schema_migration ORDER BY number")
    return [Migration(row["number"], row["name"], row["checksum"]) for row in rows]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number, migration.name, migration.checksum,
            )  # fmt: skip
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"migration {migration} failed: {error}") from error

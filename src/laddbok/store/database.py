"""Where is the database, and is it ready?

The embedded one, or the one that a URL names. `Database` gives connections to it; an embedded server that died is
started again by whoever finds it gone, so the platform heals by itself.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from laddbok.model.errors import ConfigurationError
from laddbok.store.embedded import EmbeddedServer
from laddbok.store.embedded import start as start_embedded
from laddbok.store.migrate import migrate

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_S = 10.0
POOL_CONNECTIONS = 16
ANSWER_S = 8.0
"""A database that does not answer for so long is as good as gone. Less than messages are held, so that there is time for
another connection."""
_SESSION = {"timezone": "UTC", "application_name": "laddbok"}


class Database:
    """One PostgreSQL database, embedded or external."""

    def __init__(self, url: str | None, embedded: EmbeddedServer | None) -> None:
        self._url = url
        self.embedded = embedded

    async def connect(self, *_: Any, **options: Any) -> asyncpg.Connection:
        """A new connection. Raises: OSError and asyncpg's errors when the database can't be reached."""
        settings = {**_SESSION, **(options.pop("server_settings", None) or {})}
        options.update(timeout=CONNECT_TIMEOUT_S, server_settings=settings)
        try:
            return await self._connect(options)
        except (OSError, asyncpg.exceptions.CannotConnectNowError):
            if self.embedded is None:
                raise
            await asyncio.to_thread(self.embedded.ensure_running)
            return await self._connect(options)

    async def pool(self, connections: int = POOL_CONNECTIONS) -> asyncpg.Pool:
        """A pool of connections to it.

        Whoever borrows one leaves nothing in its session: settings and locks end with their transaction. So it is taken
        back without a round trip; asyncpg's own reset cost a fifth of a small commit.
        """
        return await asyncpg.create_pool(
            connect=self.connect,
            reset=_as_it_is,
            min_size=1,
            max_size=connections,
            max_inactive_connection_lifetime=300,
        )

    async def _connect(self, options: dict[str, Any]) -> asyncpg.Connection:
        if self.embedded is not None:
            return await asyncpg.connect(**self.embedded.dsn, **options)
        return await asyncpg.connect(self._url, **options)


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """asyncpg has rolled back already what was left open."""


@asynccontextmanager
async def borrowed(pool: asyncpg.Pool, limit_s: float = ANSWER_S) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the pool, for a few statements.

    Args: limit_s: for getting it and for all statements together. When it is over, this connection is thrown away and
        no other of the pool is trusted: what hangs would else be waited for once per connection.
    Raises: TimeoutError when the database does not answer in time. A connection that breaks when it is given back
        raises nothing: what was committed on it is committed.
    Source: our choice.
    """
    connection = None
    try:
        async with asyncio.timeout(limit_s):
            connection = await pool.acquire()
            yield connection
    except TimeoutError:
        if connection is not None:
            throw_away(connection)
        await pool.expire_connections()
        raise
    finally:
        if connection is not None:
            await _given_back(pool, connection)


def throw_away(connection: asyncpg.Connection) -> None:
    """End a connection that may hang, without a word to the other side; nothing happens when it has ended."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _given_back(pool: asyncpg.Pool, connection: asyncpg.Connection) -> None:
    try:
        await pool.release(connection, timeout=ANSWER_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("a connection broke when it was given back: %s", error or type(error).__name__)


@asynccontextmanager
async def open_database(url: str | None, state_folder: Path, create: bool = True) -> AsyncIterator[Database]:
    """The database of this installation, up and migrated; an embedded one stops with its last user.

    Args: create: make an embedded database where there is none; commands that only read don't.
    Raises: ConfigurationError in one line: not there, not reachable, too old, newer than this program.
    """
    if url is None and not create and not (state_folder / "database").exists():
        raise ConfigurationError(f"there is no database in {state_folder}; `laddbok serve` or `laddbok demo` makes one")
    embedded = await asyncio.to_thread(start_embedded, state_folder) if url is None else None
    try:
        database = Database(url, embedded)
        await _migrate(database)
        yield database
    finally:
        if embedded is not None:
            await asyncio.to_thread(embedded.release)


async def _migrate(database: Database) -> None:
    try:
        connection = await database.connect()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError) as error:
        raise ConfigurationError(f"the database can't be reached: {error or type(error).__name__}") from error
    try:
        await migrate(connection, MIGRATIONS)
    finally:
        await connection.close()

"""Has the station answered yet?

One connection per process listens for the ids of commands that have ended, and wakes whoever waits. A notification may
be lost with its connection, so a waiter also looks for itself once in a while.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg

CHANNEL = "laddbok_command_done"
LOOK_EACH_S = 1.0
RECONNECT_S = 2.0
MAX_WAITING = 1_000

_log = logging.getLogger(__name__)


class CommandAnswers:
    """The waiters of this process, by command."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: dict[UUID, asyncio.Event] = {}

    @property
    def is_full(self) -> bool:
        """Whether no more waiters are taken."""
        return len(self._waiting) >= MAX_WAITING

    async def wait(self, command: UUID, look: Callable[[], Awaitable[bool]], time_limit_s: float) -> bool:
        """Wait until `look` says that the command has ended.

        Returns: False when the time is up.
        """
        ends_s = asyncio.get_running_loop().time() + time_limit_s
        woken = self._waiting.setdefault(command, asyncio.Event())
        try:
            while True:
                # Cleared before looking: what is told while we look must not be forgotten.
                woken.clear()
                if await look():
                    return True
                left_s = ends_s - asyncio.get_running_loop().time()
                if left_s <= 0:
                    return False
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), min(LOOK_EACH_S, left_s))
        finally:
            self._waiting.pop(command, None)

    async def listen(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                async with self._pool.acquire() as connection:
                    await self._listen_on(connection)
            except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.warning("listening for command answers was interrupted: %s", error)
            await asyncio.sleep(RECONNECT_S)

    async def _listen_on(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._ended)
        try:
            while not connection.is_closed():
                # A half-open connection is found by using it.
                await asyncio.sleep(RECONNECT_S)
                await connection.execute("SELECT 1", timeout=RECONNECT_S)
        finally:
            with suppress(asyncpg.InterfaceError):  # a connection that died can't even say so
                await connection.remove_listener(CHANNEL, self._ended)

    def _ended(self, _connection: Any, _process: int, _channel: str, payload: object) -> None:
        try:
            waiter = self._waiting.get(UUID(str(payload)))
        except ValueError:
            return
        if waiter is not None:
            waiter.set()

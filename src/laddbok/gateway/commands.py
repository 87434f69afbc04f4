"""How does a person's command reach a station?

A command is a row. Whoever asks for it announces it to the gateway that owns the station; that gateway puts it into the
station's line, sends it at most once, after its row says "sent", and writes down what became of it. An announcement may
be lost with its connection, so the gateway also looks for itself once in a while.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from laddbok.flow.changes import Changes, CommandMoved, CommandQueued, StoreDown
from laddbok.gateway.writer import Writer
from laddbok.model.errors import LaddbokError
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query

log = logging.getLogger(__name__)

CHANNEL = "laddbok_command"
RECONNECT_S = 1.0
LOOK_EACH_S = 2.0
MAX_ANNOUNCED = 10_000
MAX_PASSED_ON = 10_000
"""Commands remembered so that each is sent once; far more than can wait for an answer at once."""


class CommandDesk:
    """Listens for the commands of one gateway."""

    def __init__(
        self,
        writer: Writer,
        store: PostgresStore,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        now: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._store = store
        self._connect = connect
        self._now = now
        self._announced: asyncio.Queue[str] = asyncio.Queue(MAX_ANNOUNCED)
        self._passed_on: dict[str, None] = {}
        """The commands that went into a station's line last, oldest first."""

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                connection = await self._connect()
            except (OSError, asyncpg.PostgresError, TimeoutError, LaddbokError):
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                await connection.add_listener(CHANNEL, self._hear)
                await self._send_forever(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, StoreDown) as error:
                log.warning("commands: %s", error)
                await asyncio.sleep(RECONNECT_S)
            finally:
                connection.terminate()

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        owner, _, command_id = str(payload).rpartition(":")
        if owner == self._writer.name and not self._announced.full():
            self._announced.put_nowait(command_id)

    async def _send_forever(self, connection: asyncpg.Connection) -> None:
        while True:
            for row in await connection.fetch(query("commands_to_send"), self._writer.name, MAX_ANNOUNCED):
                await self._send(row)
            look_at_s = asyncio.get_running_loop().time() + LOOK_EACH_S
            while (command_id := await self._next_announced(look_at_s)) is not None:
                row = await connection.fetchrow(query("command_to_send"), command_id)
                if row is not None:
                    await self._send(row)

    async def _next_announced(self, until_s: float) -> str | None:
        try:
            async with asyncio.timeout_at(until_s):
                return await self._announced.get()
        except TimeoutError:
            return None

    async def _send(self, row: asyncpg.Record) -> None:
        """Into the station's line; or at once the answer that it is not here."""
        if row["id"] in self._passed_on:
            return
        line = self._writer.switchboard.lines.get(row["station_no"])
        if line is None or not line.epoch:
            ended = CommandMoved(command_id=row["id"], status="not_connected", at=self._now())
            await self._store.commit(Changes(commands=[ended]))
            return
        queued = CommandQueued(
            tenant=row["tenant"],
            command_id=row["id"],
            station_no=row["station_no"],
            action=row["action"],
            payload=row["payload"].encode(),
            at=self._now(),
        )
        self._passed_on[row["id"]] = None
        if len(self._passed_on) > MAX_PASSED_ON:
            del self._passed_on[next(iter(self._passed_on))]
        self._writer.switchboard.send_command(line, queued)

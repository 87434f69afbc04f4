"""How does a person's command reach a station?

A command is a row. Whoever asks for it announces it to the gateway that owns the station; that gateway puts it into the
station's line, sends it at most once, after its row says "sent", and writes down what became of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from laddbok.flow.changes import Changes, CommandMoved, CommandQueued, StoreDown
from laddbok.gateway.writer import Writer
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query

log = logging.getLogger(__name__)

CHANNEL = "laddbok_command"
RECONNECT_S = 1.0
PROBE_EACH_S = 2.0
"""How often a silent connection is used, since a dead one says nothing."""
MAX_ANNOUNCED = 10_000


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

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                connection = await self._connect()
            except (OSError, asyncpg.PostgresError, TimeoutError):
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                await connection.add_listener(CHANNEL, self._hear)
                await self._send_forever(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, StoreDown) as error:
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
            try:
                command_id = await asyncio.wait_for(self._announced.get(), PROBE_EACH_S)
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=PROBE_EACH_S)
                continue
            row = await connection.fetchrow(query("command_to_send"), command_id)
            if row is not None:
                await self._send(row)

    async def _send(self, row: asyncpg.Record) -> None:
        """Into the station's line; or at once the answer that it is not here."""
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
        self._writer.switchboard.send_command(line, queued)

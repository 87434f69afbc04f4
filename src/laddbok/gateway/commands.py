"""How does what a person asks reach a station?

A command is a row. Whoever asks for it announces it to the gateway that owns the station; that gateway puts it into the
station's line, sends it at most once, after its row says "sent", and writes down what became of it. An announcement may
be lost with its connection, so the gateway also looks for itself once in a while.

A renewed password is announced too: the connection that came in with the old one ends. What was missed while nobody
listened is caught up with by comparing the passwords of all open connections, once per listening connection.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg

from laddbok.flow.changes import Changes, CommandMoved, CommandQueued
from laddbok.gateway.writer import Writer
from laddbok.store.database import ANSWER_S
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query

log = logging.getLogger(__name__)

CHANNEL = "laddbok_command"
PASSWORD_CHANNEL = "laddbok_password"
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
        self._woken = asyncio.Event()
        self._announced: deque[str] = deque()
        self._renewed: set[int] = set()
        """Stations of ours that may have a new password, by station_no."""
        self._passed_on: dict[str, int] = {}
        """The commands that went into a station's line last, oldest first, and the epoch of its connection."""

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # the desk never ends: whatever happened, a new connection tries again
                log.warning("commands: %s: %s", type(error).__name__, error)
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        connection = await self._connect()
        try:
            await connection.add_listener(CHANNEL, self._hear)
            await connection.add_listener(PASSWORD_CHANNEL, self._hear_password)
            self._renewed.update(self._writer.switchboard.lines)
            self._woken.set()
            await self._send_forever(connection)
        finally:
            connection.terminate()

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        owner, _, command_id = str(payload).rpartition(":")
        if owner == self._writer.name and len(self._announced) < MAX_ANNOUNCED:
            self._announced.append(command_id)
            self._woken.set()

    def _hear_password(self, connection: object, pid: int, channel: str, payload: object) -> None:
        station_no = int(str(payload))
        if station_no in self._writer.switchboard.lines:
            self._renewed.add(station_no)
            self._woken.set()

    async def _send_forever(self, connection: asyncpg.Connection) -> None:
        while True:
            waiting = await connection.fetch(
                query("commands_to_send"), self._writer.name, MAX_ANNOUNCED, timeout=ANSWER_S
            )
            for row in waiting:
                await self._send(row)
            look_at_s = asyncio.get_running_loop().time() + LOOK_EACH_S
            while await self._is_woken(look_at_s):
                await self._end_old_passwords(connection)
                while self._announced:
                    announced = self._announced.popleft()
                    row = await connection.fetchrow(query("command_to_send"), announced, timeout=ANSWER_S)
                    if row is not None:
                        await self._send(row)

    async def _is_woken(self, until_s: float) -> bool:
        try:
            async with asyncio.timeout_at(until_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _end_old_passwords(self, connection: asyncpg.Connection) -> None:
        renewed, self._renewed = self._renewed, set()
        if renewed:
            for row in await connection.fetch(query("station_passwords"), list(renewed), timeout=ANSWER_S):
                self._writer.switchboard.end_old_password(row["station_no"], row["password_hash"])

    async def _send(self, row: asyncpg.Record) -> None:
        """Into the station's line; or at once the answer that it is not here. What we send by ourselves waits for it."""
        line = self._writer.switchboard.lines.get(row["station_no"])
        if line is None or not line.epoch:
            if row["requested_by"] == "laddbok":
                return
            ended = CommandMoved(command_id=row["id"], status="not_connected", at=self._now())
            await self._store.commit(Changes(commands=[ended]))
            return
        if self._passed_on.get(row["id"]) == line.epoch:
            return
        queued = CommandQueued(
            tenant=row["tenant"],
            command_id=row["id"],
            station_no=row["station_no"],
            action=row["action"],
            payload=row["payload"].encode(),
            at=self._now(),
        )
        self._passed_on[row["id"]] = line.epoch
        if len(self._passed_on) > MAX_PASSED_ON:
            del self._passed_on[next(iter(self._passed_on))]
        self._writer.switchboard.send_command(line, queued)

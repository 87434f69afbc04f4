"""What one station's bad luck does to the others of its gateway, on a real socket and a real database: nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from laddbok import app
from laddbok.flow.changes import OutcomeUnknown
from laddbok.gateway.admission import Doorkeeper
from laddbok.gateway.commands import CommandDesk
from laddbok.gateway.connection import SocketSettings
from laddbok.gateway.server import GatewayServer
from laddbok.gateway.switchboard import MAX_GARBLED, MAX_GARBLED_BYTES
from laddbok.gateway.writer import Writer
from laddbok.settings import read_settings
from laddbok.store.database import Database
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore

WAIT_S = 10.0
FIRST_KEYS = ("TransactionMessageAttempts", "TransactionMessageRetryInterval")
UNREADABLE = (
    "INSERT INTO session (tenant, id, origin, station_no, station, state, version, started_at, body) "
    "SELECT tenant, 'X', 'station', station_no, identity, 'active', 1, now(), '{}' FROM station WHERE identity = 'CP-1'"
)
LEFT_BY_OTHERS = ("session_range", "session", "quarantine", "lobby", "command", "connector", "evse", "station")
"""Tables with rows of the tests before, in the order in which they can go."""
BOOT = {"chargePointVendor": "Norrboks", "chargePointModel": "Vik"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


class Here(Database):
    """The test module's database."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__(None, None)
        self._dsn = dsn

    async def connect(self, *_: Any, **__: Any) -> asyncpg.Connection:
        return await asyncpg.connect(**self._dsn)


class Ground:
    """A gateway without its command desk, and a connection beside it."""

    def __init__(self, database: Database, pool: asyncpg.Pool, writer: Writer, port: int) -> None:
        self.database, self.pool, self.writer, self.port = database, pool, writer, port

    def station(self, identity: str) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/ocpp/{identity}", subprotocols=["ocpp1.6"])

    def desk(self, store: Any = None) -> CommandDesk:
        return CommandDesk(self.writer, store or PostgresStore(self.pool), self.database.connect, now)

    async def until(self, statement: str, expected: Any) -> None:
        async with asyncio.timeout(WAIT_S):
            while await self.pool.fetchval(statement) != expected:
                await asyncio.sleep(0.05)


def now() -> datetime:
    return datetime.now(UTC)


async def says(socket: ClientConnection, action: str, payload: dict[str, Any]) -> Any:
    await socket.send(json.dumps([2, "m", action, payload]))
    return json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))


@asynccontextmanager
async def gateway(dsn: Dsn, admit: bool = True) -> AsyncIterator[Ground]:
    database = Here(dsn)
    await app.prepare_tenant(read_settings({}), database)
    pool = await database.pool(8)
    await pool.execute("".join(f"DELETE FROM {table};" for table in LEFT_BY_OTHERS))
    writer = Writer("g", PostgresStore(pool), pool, now, 512, 30.0, 1_048_576)
    server = await GatewayServer.start(SocketSettings(port=0), Doorkeeper(pool, now, admit).admit, writer.switchboard)
    writer.start()
    try:
        yield Ground(database, pool, writer, server.port)
    finally:
        await server.close()
        await writer.stop()
        await pool.close()


def run(dsn: Dsn, body: Callable[[Ground], Awaitable[None]], admit: bool = True) -> None:
    async def main() -> None:
        async with gateway(dsn, admit) as ground:
            await body(ground)

    asyncio.run(main())


def test_a_station_whose_stored_state_can_not_be_read_is_sent_away_alone(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as one, ground.station("CP-2") as two:
            for socket in (one, two):
                assert (await says(socket, "StatusNotification", STATUS))[0] == 3
        await ground.pool.execute(UNREADABLE)
        async with ground.station("CP-1") as one, ground.station("CP-2") as two, ground.station("CP-3") as three:
            for socket in (two, three):
                assert (await says(socket, "StatusNotification", STATUS))[0] == 3
            with pytest.raises(ConnectionClosed) as closed:
                await says(one, "StatusNotification", STATUS)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
        await ground.pool.execute("DELETE FROM session")
        async with ground.station("CP-1") as one:
            assert (await says(one, "StatusNotification", STATUS))[0] == 3

    run(fresh_database, body)


def test_what_a_station_said_just_before_it_left_is_kept(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        for number in range(10):
            async with ground.station(f"CP-{number}") as socket:
                await says(socket, "BootNotification", BOOT)
            await ground.until(f"SELECT vendor FROM station WHERE identity = 'CP-{number}'", "Norrboks")

    run(fresh_database, body)


def test_only_who_was_heard_since_is_written_down_again(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as one, ground.station("CP-2") as two:
            for socket in (one, two):
                await says(socket, "StatusNotification", STATUS)
            await ground.writer._note_contacts()
            await ground.until("SELECT count(last_frame_at) FROM station", 2)
            await ground.pool.execute("UPDATE station SET last_frame_at = NULL")
            await says(two, "BootNotification", BOOT)
            await ground.writer._note_contacts()
            await ground.until("SELECT string_agg(identity, ' ') FROM station WHERE last_frame_at IS NOT NULL", "CP-2")

    run(fresh_database, body)


def test_what_can_not_be_stored_of_the_lobby_stops_nobody(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("bad") as bad, ground.station("good") as good:
            await says(bad, "BootNotification", {**BOOT, "chargePointVendor": "a\0b"})
            await says(good, "BootNotification", BOOT)
            await ground.until("SELECT vendor FROM lobby WHERE identity = 'good'", "Norrboks")

    run(fresh_database, body, admit=False)


def test_frames_that_can_not_be_read_are_kept_but_not_without_end(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket:
            await socket.send('[2,"a","StopTransaction",{"transactionId":' + " " * MAX_GARBLED_BYTES)
            assert json.loads(await socket.recv())[:3] == [4, "a", "FormationViolation"]
            for _ in range(MAX_GARBLED + 5):
                await socket.send("nonsense")
                await socket.recv()
            assert (await says(socket, "StatusNotification", STATUS))[0] == 3
        await ground.until("SELECT count(*) FROM quarantine", MAX_GARBLED)
        kept = await ground.pool.fetchrow("SELECT raw, reason FROM quarantine ORDER BY id LIMIT 1")
        assert kept["raw"].startswith(b'[2,"a","StopTransaction"') and len(kept["raw"]) == MAX_GARBLED_BYTES
        assert kept["reason"]

    run(fresh_database, body)


def test_first_settings_come_also_on_a_later_connection(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket:
            assert (await says(socket, "BootNotification", BOOT))[2]["status"] == "Accepted"
            await ground.until("SELECT count(*) FROM command WHERE status = 'queued'", 2)
        desk = asyncio.create_task(ground.desk().run())
        try:
            async with ground.station("CP-1") as socket:
                await says(socket, "StatusNotification", STATUS)
                first = json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))
                assert first[2] == "ChangeConfiguration"
            await ground.until("SELECT string_agg(status, ' ' ORDER BY status) FROM command", "queued unknown")
            async with ground.station("CP-1") as socket:
                await says(socket, "StatusNotification", STATUS)
                second = json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))
                assert {first[3]["key"], second[3]["key"]} == set(FIRST_KEYS)
                await socket.send(json.dumps([3, second[1], {"status": "Accepted"}]))
                await ground.until("SELECT string_agg(status, ' ' ORDER BY status) FROM command", "answered unknown")
        finally:
            desk.cancel()

    run(fresh_database, body)


def test_the_command_desk_outlives_an_unknown_outcome(fresh_database: Dsn) -> None:
    class Once(PostgresStore):
        failed = 0

        async def commit(self, changes: Any) -> None:
            if not self.failed:
                self.failed += 1
                raise OutcomeUnknown("planted")
            await super().commit(changes)

    async def body(ground: Ground) -> None:
        async with ground.station("CP-1"):
            await ground.until("SELECT count(*) FROM station WHERE owner = 'g'", 1)
        await ground.pool.execute(
            "INSERT INTO command (tenant, id, station_no, action, payload, status, requested_by, requested_at) "
            "SELECT tenant, gen_random_uuid(), station_no, 'Reset', '{}', 'queued', 'p', now() FROM station"
        )
        store = Once(ground.pool)
        desk = asyncio.create_task(ground.desk(store).run())
        try:
            await ground.until("SELECT status FROM command", "not_connected")
            assert store.failed == 1 and not desk.done()
        finally:
            desk.cancel()

    run(fresh_database, body)


def test_two_roles_prepare_an_empty_database_at_once(new_database: Callable[[], Dsn]) -> None:
    database = Here(new_database())

    async def main() -> None:
        settings = read_settings({})
        passwords = await asyncio.gather(*(app.prepare(settings, database) for _ in range(4)))
        assert sum(password is not None for password in passwords) == 1
        connection = await database.connect()
        try:
            for table in ("tenant", "site", "site_seller", "person"):
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1
        finally:
            await connection.close()

    asyncio.run(main())

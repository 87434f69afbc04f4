"""What do vanished, repeated, belated and overflowing connections do to a gateway? On real sockets and a real database."""

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from laddbok.gateway.switchboard import Line
from laddbok.ocpp.link import LinkLimits
from laddbok.sessions.receive import HEARTBEAT_INTERVAL_S
from laddbok.store.embedded import Dsn
from tests.edge.test_first_word import ORDER, STATUS_OF
from tests.edge.test_writer import BOOT, STATUS, WAIT_S, Ground, run, says

MANY = 1_000
HISTORY = 2_000
ORDER_OF_FRAMES = "SELECT message_id FROM frame WHERE direction = 'i' ORDER BY connection_epoch, seq"


def line_of(ground: Ground) -> Line:
    [line] = ground.writer.switchboard.lines.values()
    return line


def history(count: int) -> list[str]:
    """A start, readings, and a stop, as a station kept them while it was alone; one id each."""
    at = "2026-03-01T{:02}:{:02}:{:02}Z".format
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": at(0, 0, 0)}
    frames: list[list[Any]] = [[2, "0", "StartTransaction", start]]
    for number in range(1, count - 1):
        reading = {
            "timestamp": at(number // 3600, number // 60 % 60, number % 60),
            "sampledValue": [{"value": str(number)}],
        }
        frames.append([2, str(number), "MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [reading]}])
    stop = {"transactionId": 1, "meterStop": count, "timestamp": at(1, 0, 0)}
    frames.append([2, str(count - 1), "StopTransaction", stop])
    return [json.dumps(frame) for frame in frames]


def test_S26_a_whole_history_is_taken_in_in_order_and_nothing_is_dropped(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        open_at_once = 0

        async def tell(socket: ClientConnection) -> None:
            for frame in history(HISTORY):
                await socket.send(frame)

        # Its pings would wait behind its own messages, so this client does not judge us by them.
        url = f"ws://127.0.0.1:{ground.port}/ocpp/CP-1"
        history_of_one = connect(url, subprotocols=["ocpp1.6"], ping_interval=None)
        async with history_of_one as socket, ground.station("CP-2") as other:
            telling = asyncio.create_task(tell(socket))
            answered = []
            for number in range(HISTORY):
                answer = json.loads(await asyncio.wait_for(socket.recv(), 3 * WAIT_S))
                assert answer[0] == 3, answer
                answered.append(answer[1])
                lines = ground.writer.switchboard.lines.values()
                open_at_once = max([open_at_once, *(len(line.link._inbound) for line in lines)])
                if number % 300 == 0:
                    assert (await says(other, "StatusNotification", STATUS))[0] == 3
            await telling
        assert answered == [str(number) for number in range(HISTORY)]
        assert open_at_once <= LinkLimits().max_open_inbound, "the rest waits in its own socket"
        kept = [row["message_id"] for row in await ground.pool.fetch(ORDER_OF_FRAMES)]
        assert [each for each in kept if each != "m"] == answered
        energy = await ground.pool.fetchval("SELECT energy_wh FROM session")
        assert energy == HISTORY

    run(fresh_database, body)


class Raw:
    """A connection made by hand, for very many at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, identity: str) -> "Raw":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return cls(reader, writer)

    async def is_over(self) -> bool:
        """Wait for what comes: our close or the end, else nothing for a moment."""
        try:
            return (await asyncio.wait_for(self.reader.read(1), 0.5))[:1] in (b"", b"\x88")
        except TimeoutError:
            return False


async def ended(connections: Sequence[Raw]) -> list[Raw]:
    """Those that are still there, once all the others are gone."""
    left = list(connections)
    async with asyncio.timeout(WAIT_S * 3):
        while len(left) > 1:
            over = await asyncio.gather(*(each.is_over() for each in left))
            left = [each for each, is_over in zip(left, over, strict=True) if not is_over]
    return left


def test_S64_of_a_thousand_connections_with_one_identity_the_newest_is_left_alone(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        board, desk = ground.writer.switchboard, ground.writer.desk
        for first in range(0, MANY, 100):  # in waves, as from a station that tries again and again
            opening = (Raw.open(ground.port, "SAME") for _ in range(min(100, MANY - first)))
            everybody.extend(await asyncio.gather(*opening))
        [alive] = await ended(everybody)
        line = line_of(ground)
        alive.writer.write(Frame(Opcode.TEXT, b'[2,"1","Heartbeat",{}]').serialize(mask=True))
        assert b"currentTime" in await asyncio.wait_for(alive.reader.read(100), WAIT_S)
        await ground.until("SELECT connection_epoch FROM station WHERE connected", line.epoch)
        async with asyncio.timeout(WAIT_S):
            while board.newcomers or board.leavers or len(ground.writer.batch):
                await asyncio.sleep(0.02)
        assert {number: memory.epoch for number, memory in desk.stations.items()} == {line.station_no: line.epoch}
        for each in everybody:
            each.writer.transport.abort()
        await ground.until("SELECT connected FROM station", False)
        assert not board.lines and not desk.stations

    everybody: list[Raw] = []
    run(fresh_database, body)


def test_S64_the_late_end_of_a_vanished_connection_leaves_its_successor_alone(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        vanished = await Raw.open(ground.port, "CP-1")
        await ground.until("SELECT connected FROM station", True)
        old = line_of(ground)
        async with ground.station("CP-1") as socket:
            assert (await says(socket, "BootNotification", BOOT))[2]["status"] == "Accepted"
            new = line_of(ground)
            assert new is not old and new.epoch > old.epoch
            vanished.writer.transport.abort()  # it never read that it was closed
            async with asyncio.timeout(WAIT_S):
                while old.connection._phase.name != "CLOSED":  # type: ignore[attr-defined]
                    await asyncio.sleep(0.02)
            assert (await says(socket, "StatusNotification", STATUS))[0] == 3
            assert line_of(ground) is new and ground.writer.desk.stations[new.station_no or 0].epoch == new.epoch
            assert await ground.pool.fetchval("SELECT connected FROM station") is True

    run(fresh_database, body)


def test_S65_a_peer_that_vanished_without_a_word_is_noticed_by_its_deadline(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as socket:
            assert (await says(socket, "BootNotification", BOOT))[2]["interval"] == HEARTBEAT_INTERVAL_S
            connection = line_of(ground).connection
            assert connection.deadline_s >= 3 * HEARTBEAT_INTERVAL_S
            connection.deadline_s = 0.5
            await ground.until("SELECT connected FROM station", False)
            assert not ground.writer.switchboard.lines and not ground.writer.desk.stations

    run(fresh_database, body)


def test_S66_a_station_is_answered_while_it_owes_us_an_answer(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        desk = asyncio.create_task(ground.desk().run())
        try:
            async with ground.station("CP-1") as socket:
                await says(socket, "StatusNotification", STATUS)
                await ground.pool.execute(ORDER)
                order = json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))
                assert order[2] == "Reset"
                assert (await says(socket, "Authorize", {"idTag": "T"}))[2] == {"idTagInfo": {"status": "Invalid"}}
                await socket.send(json.dumps([3, order[1], {"status": "Accepted"}]))
                await ground.until(STATUS_OF, "answered")
        finally:
            desk.cancel()

    run(fresh_database, body)


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/G%C3%A5rd%207%7CA", "Gård 7|A"),
        ("/any/prefix/ocpp/south/CP%2D9/", "CP-9"),
        ("//ocpp//CP-9?token=1", "CP-9"),
    ],
)
def test_S72_a_station_is_known_by_its_identity_however_its_path_spells_it(
    fresh_database: Dsn, path: str, identity: str
) -> None:
    async def body(ground: Ground) -> None:
        async with connect(f"ws://127.0.0.1:{ground.port}{path}", compression=None) as socket:
            assert socket.subprotocol is None
            assert (await says(socket, "BootNotification", BOOT))[2]["status"] == "Accepted"
        assert await ground.pool.fetchval("SELECT string_agg(identity, ',') FROM station") == identity

    run(fresh_database, body)


def test_a_flood_of_what_costs_no_commit_leaves_the_others_and_its_own_calls_answered(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async def pour(socket: ClientConnection) -> None:
            for _ in range(1_500):
                await socket.send('[2,"b","Heartbeat",{}]')
                await socket.send("nonsense")

        async def swallow(socket: ClientConnection) -> None:
            async for answer in socket:
                heard.append(json.loads(answer)[1])

        heard: list[str] = []
        async with ground.station("FLOOD") as flood, ground.station("CP-2") as other:
            tasks = [asyncio.create_task(pour(flood)), asyncio.create_task(swallow(flood))]
            for _ in range(50):
                assert (await says(other, "StatusNotification", STATUS))[0] == 3
            await flood.send(json.dumps([2, "own", "StatusNotification", STATUS]))
            async with asyncio.timeout(WAIT_S * 2):
                while "own" not in heard:
                    await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run(fresh_database, body)


def test_a_station_that_is_sent_away_by_a_newer_one_is_told_so(fresh_database: Dsn) -> None:
    async def body(ground: Ground) -> None:
        async with ground.station("CP-1") as old, ground.station("CP-1") as new:
            with pytest.raises(ConnectionClosed) as closed:
                await old.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
            assert (await says(new, "StatusNotification", STATUS))[0] == 3

    run(fresh_database, body)

"""What do stations that say too much, or read nothing, do to the gateway and to the others? Over real sockets.

The gateway looks after its sockets each second. Here that sweep is done by hand, so that nothing depends on time.
"""

import asyncio
import contextlib
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from websockets.frames import Opcode

from laddbok.gateway import server as server_module
from laddbok.gateway.connection import Connection
from laddbok.gateway.server import GatewayServer
from laddbok.gateway.station_socket import TURN_MESSAGES
from laddbok.gateway.websocket import MAX_PIECES, FrameReader, WebSocketError
from tests.edge.gateway_under_test import Owner, masked, raw_station, serve, station, until

FLOOD = 200_000
QUIET_S = 0.2
"""So long nothing more may come."""


@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SWEEP_S", 3600.0)


def sweep(owner: Owner, after_s: float = 1.0) -> None:
    """What the gateway does each second, as if so many seconds had passed."""
    now_s = asyncio.get_running_loop().time() + after_s
    for connection in owner.opened:
        connection.check(now_s)  # type: ignore[attr-defined]


async def settled(count: Callable[[], int], expected: int) -> None:
    """Until there are so many, and then no more for a while."""
    await until(lambda: count() >= expected)
    await asyncio.sleep(QUIET_S)
    assert count() == expected


@pytest.mark.usefixtures("no_sweep")
def test_a_flood_of_one_station_waits_for_the_next_second_and_is_answered_to_the_end() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, writer):
            writer.write(b"".join(masked(Opcode.TEXT, b"%03d" % number) for number in range(250)))
            for taken_in in (100, 200, 250):
                await settled(lambda: len(owner.messages), taken_in)
                sweep(owner)
            for number in range(250):
                assert await reader.readexactly(5) == b"\x81\x03%03d" % number

    serve(body, max_messages_per_s=100)


@pytest.mark.usefixtures("no_sweep")
def test_bytes_are_limited_like_messages() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: None
        async with raw_station(server) as (_, writer):
            writer.write(masked(Opcode.TEXT, bytes(60_000)) * 50)
            held = 0
            while len(owner.messages) < 50:
                await until(lambda: owner.opened[0]._is_held or len(owner.messages) == 50)  # type: ignore[attr-defined]
                held += 1
                sweep(owner)
            assert held > 5, "3 MB at 100 kB a second, in pieces of what one read of a socket brings"

    serve(body, max_bytes_per_s=100_000, max_message_bytes=60_000, close_timeout_s=0.2)


def deflated(message: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-12)
    packed = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frame = masked(Opcode.TEXT, packed)
    return bytes((frame[0] | 0x40,)) + frame[1:]


@pytest.mark.usefixtures("no_sweep")
def test_what_unpacks_to_much_counts_as_much() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: None
        asks = (
            "Sec-WebSocket-Protocol: ocpp1.6\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; client_max_window_bits\r\n"
        )
        async with raw_station(server, headers=asks) as (_, writer):
            bombs = deflated(bytes(50_000)) * 6
            assert len(bombs) < 1000
            writer.write(bombs)
            for taken_in in (2, 4, 6):
                await settled(lambda: len(owner.messages), taken_in)
                sweep(owner)

    serve(body, max_bytes_per_s=90_000)


def test_the_others_are_answered_while_one_station_floods() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server, "FLOOD") as (flooded, flood), station(server, "CP-2") as other:
            writing = asyncio.create_task(pour(flood))
            reading = asyncio.create_task(flooded.read())
            for number in range(300):
                await other.send(str(number))
                assert await other.recv() == str(number)
            assert owner.messages.count(b"flood") < FLOOD, "it is held back, and the other one was not"
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)

    async def pour(writer: asyncio.StreamWriter) -> None:
        for _ in range(FLOOD // 1000):
            writer.write(masked(Opcode.TEXT, b"flood") * 1000)
            await writer.drain()

    serve(body, close_timeout_s=0.2)


def test_after_a_turn_of_one_station_the_others_have_theirs() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: None
        async with raw_station(server, "CP-1") as (_, first), raw_station(server, "CP-2") as (_, second):
            first.write(masked(Opcode.TEXT, b"1") * 900)
            second.write(masked(Opcode.TEXT, b"2"))
            await until(lambda: len(owner.messages) == 901)
            assert owner.messages.index(b"2") < 900 and TURN_MESSAGES < 900

    serve(body)


@pytest.mark.usefixtures("no_sweep")
def test_a_flood_that_does_not_end_is_sent_away() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: None
        async with raw_station(server, "FLOOD") as (reader, flood), raw_station(server, "BUSY") as (_, busy):
            for second in range(1, 5):
                flood.write(masked(Opcode.TEXT, b"f") * 20)
                busy.write(masked(Opcode.TEXT, b"b") * 9)
                await until(lambda end=second: owner.messages.count(b"f") == 10 * end)
                await until(lambda end=second: owner.messages.count(b"b") == 9 * end)
                sweep(owner, after_s=second * 10.0)
            assert (await reader.read(4))[2:] == (1008).to_bytes(2)
            assert owner.opened[1]._phase.name == "OPEN"  # type: ignore[attr-defined]

    serve(body, max_messages_per_s=10, flood_ends_s=35.0, close_timeout_s=0.2)


@pytest.mark.usefixtures("no_sweep")
def test_a_station_that_is_held_back_is_not_taken_for_silent() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (_, writer):
            writer.write(masked(Opcode.TEXT, b"x") * 30)
            await until(lambda: len(owner.messages) == 10)
            owner.opened[0].deadline_s = 5.0
            sweep(owner, after_s=6.0)
            await until(lambda: len(owner.messages) == 20)
            assert not owner.closed

    serve(body, max_messages_per_s=10, close_timeout_s=0.2)


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.TEXT])
def test_who_asks_and_never_reads_is_cut_off_and_the_others_are_not(opcode: Opcode) -> None:
    limits: dict[str, Any] = {"max_messages_per_s": 10**6, "max_bytes_per_s": 1 << 30, "max_outgoing_bytes": 100_000}

    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server, "DEAF") as (reader, writer), station(server, "CP-2") as other:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            asking = asyncio.create_task(ask(writer))
            await until(lambda: most.append(waiting(owner.opened[0])) or owner.closed)
            asking.cancel()
            assert owner.closed == [("DEAF", 1008)]
            assert max(most) <= limits["max_outgoing_bytes"] + 130
            await other.send("still here")
            assert await other.recv() == "still here"

    async def ask(writer: asyncio.StreamWriter) -> None:
        frames = masked(opcode, bytes(125)) * 1000
        while not writer.transport.is_closing():
            writer.write(frames)
            await writer.drain()

    def waiting(connection: Connection) -> int:
        return int(connection._transport.get_write_buffer_size())  # type: ignore[attr-defined]

    most: list[int] = []
    serve(body, **limits)


def test_messages_in_too_many_pieces_are_closed() -> None:
    for pieces, is_taken in ((MAX_PIECES, True), (MAX_PIECES + 1, False)):
        reader = FrameReader(max_message_bytes=100)
        middle = masked(Opcode.CONT, b"", fin=False) * (pieces - 2)
        reader.feed(masked(Opcode.TEXT, b"x", fin=False) + middle + masked(Opcode.CONT, b"y"))
        if is_taken:
            assert reader.next() == b"xy"
            continue
        with pytest.raises(WebSocketError) as refused:
            reader.next()
        assert refused.value.code == 1008


def test_openings_that_never_end_hold_nobody_back_and_are_over_in_time() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(300)]
        for _, writer in slow:
            writer.write(b"GET /ocpp/SLOW HTTP/1.1\r\nHost: x\r\n")
        async with station(server, "CP-1") as client:
            await client.send("in")
            assert await client.recv() == "in"
            tasks = [asyncio.create_task(drip([writer for _, writer in slow]))]
            await until(lambda: server.connection_count == 1)
            tasks[0].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for reader, writer in slow:
            with contextlib.suppress(ConnectionError):  # who went on talking may not have heard it
                assert (await reader.read(12)).startswith(b"HTTP/1.1 408")
            writer.transport.abort()
        assert owner.admissions and {identity for identity, _, _ in owner.admissions} == {"CP-1"}

    async def drip(writers: list[asyncio.StreamWriter]) -> None:
        while True:
            for writer in writers:
                if not writer.transport.is_closing():
                    writer.write(b"X: y\r\n")
            await asyncio.sleep(0.05)

    serve(body, handshake_timeout_s=1.0, close_timeout_s=1.0)


def test_control_frames_between_pieces_of_a_long_message_are_answered_at_once() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, writer):
            writer.write(masked(Opcode.TEXT, b"a" * 70_000, fin=False))
            for number in range(100):
                payload = struct.pack("!H", number)
                writer.write(masked(Opcode.PING, payload) + masked(Opcode.CONT, b"b", fin=False))
                assert await reader.readexactly(4) == b"\x8a\x02" + payload
            writer.write(masked(Opcode.CONT, b"c"))
            await until(lambda: owner.messages)
            assert owner.messages == [b"a" * 70_000 + b"b" * 100 + b"c"]

    serve(body)

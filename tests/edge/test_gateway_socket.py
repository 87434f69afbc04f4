"""The life of an open connection over real sockets: a client that keeps the rules, and raw sockets that don't."""

import asyncio
import os
import socket
import struct

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from laddbok.gateway.connection import Connection
from laddbok.gateway.server import GatewayServer
from tests.edge.gateway_under_test import WAIT_S, Owner, masked, raw_station, serve, station, until


def test_a_message_that_is_too_long_costs_an_error_not_the_socket() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server) as client:
            await client.send("x" * 3_000_000)
            assert await client.recv() == "too long"
            await client.send("short")
            assert await client.recv() == "short"

    owner = serve(body, max_bytes_per_s=1 << 24)
    assert owner.oversize == [(b"x" * 4096, 3_000_000)]


def test_a_compressed_message_that_is_too_long_closes() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, compression="deflate") as client:
            await client.send("x" * 3_000_000)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009

    assert serve(body).closed == [("CP-1", 1009)]


def test_pieces_pings_and_bytes_one_by_one() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, writer):
            stream = (
                masked(Opcode.TEXT, b"one ", fin=False)
                + masked(Opcode.PING, b"there?")
                + masked(Opcode.CONT, b"two", fin=True)
            )
            for at in range(len(stream)):
                writer.write(stream[at : at + 1])
                await asyncio.sleep(0)
            assert await reader.readexactly(8) == b"\x8a\x06there?"
            assert await reader.readexactly(9) == b"\x81\x07one two"

    serve(body)


def test_a_broken_stream_is_closed_with_its_code() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, writer):
            writer.write(b"\x81\x05Hello" + os.urandom(2_000_000))
            answer = await reader.read()
            assert answer[:1] == b"\x88" and answer[2:4] == (1002).to_bytes(2)
        await until(lambda: owner.closed)

    assert serve(body).closed == [("CP-1", 1002)]


def test_a_message_that_the_owner_chokes_on_closes_only_its_socket() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        def choke(connection: Connection, data: bytes) -> None:
            assert data != b"poison"
            connection.send(data)

        owner.answer = choke
        async with station(server, "CP-1") as first, station(server, "CP-2") as second:
            await first.send("poison")
            with pytest.raises(ConnectionClosed) as closed:
                await first.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1011
            await second.send("fine")
            assert await second.recv() == "fine"

    serve(body)


def test_we_close_with_a_code_and_a_reason() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server) as client:
            owner.opened[0].send(b"last words")
            owner.opened[0].close(1013, "the database is gone")
            owner.opened[0].send(b"too late")
            assert await client.recv() == "last words"
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "the database is gone")

    assert serve(body).closed == [("CP-1", 1013)]


def test_a_station_that_does_not_answer_our_close_is_dropped() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server):
            owner.opened[0].close(1000)
            await until(lambda: owner.closed)

    assert serve(body, close_timeout_s=0.1).closed == [("CP-1", 1000)]


def test_reading_pauses_between_messages_and_goes_on() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: connection.pause_reading()
        async with raw_station(server) as (_, writer):
            writer.write(b"".join(masked(Opcode.TEXT, b"%d" % number) for number in range(5)))
            await until(lambda: owner.messages)
            await asyncio.sleep(0.1)
            for count in range(1, 6):
                assert owner.messages == [b"%d" % number for number in range(count)]
                owner.opened[0].resume_reading()
                await until(lambda expected=count: len(owner.messages) > min(expected, 4))

    serve(body)


def test_a_paused_station_is_held_back_by_its_socket() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        owner.answer = lambda connection, data: connection.pause_reading()
        async with raw_station(server) as (_, writer):
            writer.transport.set_write_buffer_limits(high=0)
            frame = masked(Opcode.TEXT, bytes(60_000))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    for _ in range(2000):
                        writer.write(frame)
                        await writer.drain()
            assert len(owner.messages) == 1

    serve(body)


def test_a_station_that_does_not_read_is_dropped() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, _):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            message = bytes(100_000)
            async with asyncio.timeout(WAIT_S):
                while not owner.closed:
                    owner.opened[0].send(message)
                    await asyncio.sleep(0)

    assert serve(body, max_outgoing_bytes=300_000).closed == [("CP-1", 1008)]


def test_S65_any_frame_is_a_sign_of_life_and_silence_is_the_end() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server, "silent"), raw_station(server, "alive") as (_, writer):
            for connection in owner.opened:
                connection.deadline_s = 1.5
            for _ in range(12):
                writer.write(masked(Opcode.PONG, b""))
                await asyncio.sleep(0.3)
            assert owner.closed == [("silent", 1006)]

    serve(body)


def test_S65_a_silent_station_is_pinged_and_need_not_answer() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (reader, _):
            assert await reader.readexactly(4) == b"\x89\x00\x89\x00"
            assert not owner.closed

    serve(body, ping_after_s=0.2)


def test_a_connection_that_vanishes_is_noticed() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with raw_station(server) as (_, writer):
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: owner.closed)

    assert serve(body).closed == [("CP-1", 1006)]


def test_three_hundred_connections_with_one_identity_each_know_themselves() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        clients = await asyncio.gather(*(station(server, "same") for _ in range(300)))
        for old in owner.opened[:-1]:
            old.close(1000, "a newer connection took over")
        await until(lambda: len(owner.closed) == 299)
        newest = owner.opened[-1]
        newest.send(b"you")
        await until(lambda: sum(client.close_code is None for client in clients) == 1)
        [heard] = [client for client in clients if client.close_code is None]
        assert await heard.recv() == "you"
        await heard.close()

    serve(body)


def test_all_connections_are_closed_when_the_gateway_stops() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        clients = await asyncio.gather(*(station(server, f"CP-{number}") for number in range(20)))
        await server.close()
        assert {client.close_code for client in clients} <= {None, 1001}
        await asyncio.gather(*(client.wait_closed() for client in clients))
        assert {client.close_code for client in clients} == {1001}

    serve(body)

"""How a station comes in, or does not: versions, passwords, refusals, over real sockets."""

import asyncio
import base64

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from laddbok.gateway.connection import Accept, Lobby, SocketSettings
from laddbok.gateway.credentials import Credentials
from laddbok.gateway.server import GatewayServer
from laddbok.model.errors import ConfigurationError
from tests.edge.gateway_under_test import Owner, basic, masked, serve, station, until


@pytest.mark.parametrize(
    ("identity", "offers", "spoken"),
    [
        ("CP-1", ["ocpp1.6"], "ocpp1.6"),
        ("CP-1", ["ocpp2.0.1"], "ocpp2.0.1"),
        ("CP-1", ["ocpp1.6", "ocpp2.0.1"], "ocpp2.0.1"),
        ("old-1", ["ocpp2.0.1", "ocpp1.6"], "ocpp1.6"),
        ("CP-1", ["ocpp2.1", "ocpp1.6"], "ocpp1.6"),
        ("lobby-1", ["ocpp1.6"], "ocpp1.6"),
    ],
)
def test_a_station_comes_in_and_talks(identity: str, offers: list[str], spoken: str) -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, identity, subprotocols=offers) as client:
            assert client.subprotocol == spoken
            for size in (2, 130, 70_000):
                message = "å" * (size // 2)
                await client.send(message)
                assert await client.recv() == message
            opened = owner.opened[0]
            assert (opened.station_identity, opened.subprotocol) == (identity, spoken)
            assert opened.remote_address == "127.0.0.1"
            assert isinstance(opened.admission, Lobby if identity.startswith("lobby") else Accept)
        await until(lambda: owner.closed)

    owner = serve(body)
    assert owner.closed == [(identity, 1000)]


def test_S72_a_station_without_a_subprotocol_speaks_16() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, subprotocols=None) as client:
            assert client.subprotocol is None
            await client.send("x")
            assert await client.recv() == "x"
            assert owner.opened[0].subprotocol == "ocpp1.6"

    serve(body)


@pytest.mark.parametrize(("offers", "limits"), [(["ocpp1.5"], {}), (None, {"assume_subprotocol": None})])
def test_an_unknown_subprotocol_is_answered_without_one_and_closed(
    offers: list[str] | None, limits: dict[str, None]
) -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, subprotocols=offers) as client:
            assert client.subprotocol is None
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1002

    owner = serve(body, **limits)
    assert not owner.opened and not owner.closed


@pytest.mark.parametrize("sent", [b"0011223344556677" * 2, bytes.fromhex("0011223344556677" * 2)])
def test_the_right_password_opens_and_is_checked_once(sent: bytes) -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, "safe-1", additional_headers=basic("safe-1", sent)) as client:
            for _ in range(3):
                await client.send("x")
                await client.recv()

    owner = serve(body)
    assert owner.admissions == [("safe-1", Credentials("safe-1", sent), "127.0.0.1")]


@pytest.mark.parametrize(
    ("identity", "headers", "status"),
    [
        ("safe-1", {}, 401),
        ("safe-1", basic("safe-1", b"wrong"), 401),
        ("gone-1", {}, 503),
        ("bug-1", {}, 503),
        ("a%00b", {}, 404),
    ],
)
def test_who_is_not_let_in_is_told_why(identity: str, headers: dict[str, str], status: int) -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await station(server, identity, additional_headers=headers)
        assert refused.value.response.status_code == status
        assert ("Retry-After" in refused.value.response.headers) == (status == 503)

    owner = serve(body)
    assert not owner.opened and not owner.closed


def test_an_address_that_fails_too_often_is_turned_away_unasked() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        statuses = []
        for _ in range(5):
            with pytest.raises(InvalidStatus) as refused:
                await station(server, "safe-1")
            statuses.append(refused.value.response.status_code)
        assert statuses == [401, 401, 401, 429, 429]

    owner = serve(body, failures_at_once=3, failure_refill_s=60.0)
    assert len(owner.admissions) == 3


def test_compression_is_used_when_asked_for() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, compression="deflate") as client:
            assert "permessage-deflate" in str(client.response and client.response.headers)
            for size in (10, 5000, 200_000):
                message = "meter value " * (size // 12)
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in ", "three ", "pieces"])
            assert await client.recv() == "in three pieces"

    serve(body)


def test_what_follows_the_opening_request_at_once_is_not_lost() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        key = base64.b64encode(bytes(16)).decode()
        head = "GET /ocpp/CP-1 HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        request = f"{head}Sec-WebSocket-Key: {key}\r\n\r\n".encode() + masked(Opcode.TEXT, b"early")
        writer.write(request[:50])
        await asyncio.sleep(0.05)
        writer.write(request[50:])
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(7) == b"\x81\x05early"
        writer.close()

    serve(body)


def test_a_socket_that_says_nothing_or_too_much_is_turned_away() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        quiet, _ = await asyncio.open_connection("127.0.0.1", server.port)
        loud, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ocpp/CP-1 HTTP/1.1\r\nX: " + b"x" * 20_000)
        assert (await loud.read()).startswith(b"HTTP/1.1 431 ")
        assert (await quiet.read()).startswith(b"HTTP/1.1 408 ")

    serve(body, handshake_timeout_s=0.2)


def test_more_connections_than_allowed_are_turned_away() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        async with station(server, "CP-1"), station(server, "CP-2"):
            with pytest.raises(InvalidStatus) as refused:
                await station(server, "CP-3")
            assert refused.value.response.status_code == 503
        await until(lambda: len(owner.closed) == 2)
        async with station(server, "CP-3") as client:
            await client.send("x")
            assert await client.recv() == "x"

    serve(body, max_connections=2)


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    async def body(server: GatewayServer, owner: Owner) -> None:
        with pytest.raises(ConfigurationError, match=f"port {server.port} on 127.0.0.1 is taken"):
            await GatewayServer.start(SocketSettings(port=server.port), owner.admit, owner)

    serve(body)

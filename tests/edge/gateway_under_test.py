"""A gateway on a free port, the owner of its connections, and stations that talk to it."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from laddbok.gateway.connection import Accept, Admission, Connection, Lobby, Refuse, SocketSettings
from laddbok.gateway.credentials import Credentials, hash_password, verify_password
from laddbok.gateway.server import GatewayServer

STORED = hash_password("0011223344556677" * 2)
WAIT_S = 10.0


class Owner:
    """Owns the connections as the platform does, and answers each message with an echo, or as told."""

    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.closed: list[tuple[str, int]] = []
        self.messages: list[bytes] = []
        self.oversize: list[tuple[bytes, int]] = []
        self.answer: Callable[[Connection, bytes], None] = lambda connection, data: connection.send(data)
        self.admissions: list[tuple[str, Credentials | None, str]] = []

    def on_open(self, connection: Connection) -> None:
        self.opened.append(connection)

    def on_message(self, connection: Connection, data: bytes) -> None:
        self.messages.append(data)
        self.answer(connection, data)

    def on_oversize(self, connection: Connection, head: bytes, size_bytes: int) -> None:
        self.oversize.append((head, size_bytes))
        connection.send(b"too long")

    def on_close(self, connection: Connection, code: int) -> None:
        self.closed.append((connection.station_identity, code))

    async def admit(self, identity: str, credentials: Credentials | None, address: str) -> Admission:
        self.admissions.append((identity, credentials, address))
        await asyncio.sleep(0)
        if identity.startswith("lobby"):
            return Lobby()
        if identity.startswith("gone"):
            return Refuse(503, "the database is gone", 20)
        if identity.startswith("bug"):
            raise RuntimeError("planted")
        if identity.startswith("safe") and not (credentials and verify_password(STORED, credentials.password)):
            return Refuse(401, "wrong password")
        return Accept(tenant=1, station_no=7, subprotocol="ocpp1.6" if identity.startswith("old") else None)


Body = Callable[[GatewayServer, Owner], Awaitable[None]]


def serve(body: Body, **limits: Any) -> Owner:
    """Run a test's body beside a gateway on a free port."""
    owner = Owner()

    async def run() -> None:
        server = await GatewayServer.start(SocketSettings(port=0, **limits), owner.admit, owner)
        try:
            await asyncio.wait_for(body(server, owner), 30)
        finally:
            await server.close()
        assert server.connection_count == 0

    uvloop.run(run())
    return owner


def url(server: GatewayServer, identity: str = "CP-1") -> str:
    return f"ws://127.0.0.1:{server.port}/ocpp/{identity}"


def basic(identity: str, password: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(identity.encode() + b":" + password).decode()}


def station(server: GatewayServer, identity: str = "CP-1", **options: Any) -> connect:
    options = {"subprotocols": ["ocpp1.6"], "compression": None, "max_size": None, **options}
    return connect(url(server, identity), **options)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def raw_station(
    server: GatewayServer, identity: str = "CP-1", *, headers: str = "Sec-WebSocket-Protocol: ocpp1.6\r\n"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket that has opened a websocket by hand; the answer's head has been read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 24)
    key = base64.b64encode(os.urandom(16)).decode()
    request = f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    writer.write(f"{request}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n".encode())
    try:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        yield reader, writer
    finally:
        writer.transport.abort()


def masked(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)

"""How does a station of the benchmark speak, at the least cost to the machine?

A websocket client that knows just what the benchmark needs: one open call at a time, no extensions, no pieces. It
answers what the platform asks. It shares its processors with what it measures, so it has to be cheap.
"""

import asyncio
import base64
import os
import re
from collections.abc import Callable
from typing import cast

from websockets.frames import Frame, Opcode

try:
    from websockets.speedups import apply_mask
except ImportError:  # where websockets came without its C part
    from websockets.utils import apply_mask

_ID = re.compile(rb'\s*\[\s*\d\s*,\s*"([^"]*)"')
_ACCEPTED = b'[3,"%b",{"status":"Accepted"}]'
_NOT_SUPPORTED = b'[4,"%b","NotSupported","",{}]'


class BenchStation(asyncio.Protocol):
    """One connection. `on_answer(raw)` is called with the answer to each call."""

    def __init__(self, path: str, subprotocol: str, password: str | None, on_lost: Callable[[], None]) -> None:
        self._request = _opening_request(path, subprotocol, password)
        self._on_lost = on_lost
        self._buffer = b""
        self._mask = os.urandom(4)
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_answer: Callable[[bytes], None] = lambda raw: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to come in."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take in the answer to the opening request, then frames."""
        self._buffer += data
        if not self.opened.done() and not self._came_in():
            return
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == Opcode.TEXT:
                self._take(payload)
            elif opcode == Opcode.PING:
                self._transport.write(Frame(Opcode.PONG, payload).serialize(mask=True))
            elif opcode == Opcode.CLOSE:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the load."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the connection was closed before it was open"))
        self._on_lost()

    def send(self, raw: bytes) -> None:
        """Send one call of 126 to 65,535 bytes, or a shorter one."""
        mask, size = self._mask, len(raw)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        self._transport.write(head + mask + apply_mask(raw, mask))

    async def call(self, raw: bytes) -> bytes:
        """Send one call and wait for its answer."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.on_answer = lambda answer: None if answered.done() else answered.set_result(answer)
        self.send(raw)
        return await answered

    def hang_up(self) -> None:
        """End the connection without a word, as a station does when its network goes."""
        self._on_lost = lambda: None
        self._transport.abort()

    def _came_in(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self._buffer = rest
        status = head.partition(b"\r\n")[0].decode("latin-1")
        if " 101 " in status:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(status))
            self._transport.abort()
        return True

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 127, 2
        if length >= 126:
            at = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:at])
        if len(buffer) < at + length:
            return None
        self._buffer = buffer[at + length :]
        return buffer[0] & 15, buffer[at : at + length]

    def _take(self, raw: bytes) -> None:
        if not raw.startswith(b"[2"):
            self.on_answer(raw)
        elif found := _ID.match(raw):
            self.send((_ACCEPTED if b'"ChangeConfiguration"' in raw else _NOT_SUPPORTED) % found.group(1))


def _opening_request(path: str, subprotocol: str, password: str | None) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: bench", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
    lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if password is not None:
        identity = path.rpartition("/")[2]
        lines.append(f"Authorization: Basic {base64.b64encode(f'{identity}:{password}'.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()

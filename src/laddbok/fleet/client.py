"""How does a virtual station reach its central system?

A client holds one station, its drivers and at most one websocket. It hands the station what arrives, sends what the
station gives back, and connects again after a growing pause when the connection is lost. All of it runs in the event
loop's callbacks; only connecting is a task.
Source: OCPP-J 1.6 3, 6.2 (HTTP Basic); OCPP 2.0.1 part 4, 3; RFC 6455.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from random import Random
from urllib.parse import quote

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

from laddbok.fleet.driver import Driver
from laddbok.fleet.peer import HangUp, Out
from laddbok.fleet.station import Station
from laddbok.model.clock import Clock

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0
"""The pause before connecting again doubles from the first to the last [s of the wall clock]."""

HANDSHAKE_TIMEOUT_S = 20.0
PING_IDLE_S = 60.0
PING_REPLY_S = 30.0

MAX_MESSAGE_BYTES = 1_000_000
"""Longest message that a client puts together."""

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1"}


class Line(WSListener):
    """One websocket: puts fragments together and passes on whole messages."""

    def __init__(self, on_message: Callable[[bytes], None]) -> None:
        super().__init__()
        self._on_message = on_message
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame arrived."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts.append(frame.get_payload_as_bytes())
            if sum(map(len, self._parts)) > MAX_MESSAGE_BYTES:
                transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
                transport.disconnect()
            elif frame.fin:
                message, self._parts = b"".join(self._parts), []
                self._on_message(message)


class Client:
    """A virtual station with its drivers, on a real websocket."""

    def __init__(
        self,
        station: Station,
        drivers: list[Driver],
        url: str,
        clock: Clock,
        rng: Random,
        changed: Callable[["Client"], None],
    ) -> None:
        self.station = station
        self.drivers = drivers
        self._url = f"{url.rstrip('/')}/{quote(station.shape.identity, safe='')}"
        self._clock = clock
        self._rng = rng
        self._changed = changed
        self._transport: WSTransport | None = None
        self._is_up = False
        self._back_after_s = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether its websocket is open."""
        return self._is_up

    def due(self) -> datetime | None:
        """When the station or one of its drivers must be attended to."""
        moments = [self.station.due(), *(driver.due() for driver in self.drivers)]
        return min((moment for moment in moments if moment is not None), default=None)

    def attend(self, now: datetime) -> None:
        """Do what is due."""
        for driver in self.drivers:
            self._send(driver.act(now))
        self._send(self.station.tick(now))

    def go_home(self, now: datetime) -> None:
        """End all visits at once and for good."""
        for driver in self.drivers:
            self._send(driver.go_home(now))
        self._changed(self)

    def drop(self) -> None:
        """Cut the connection without a word, as a lost network does; the client will come back."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    async def keep_connected(self, gate: asyncio.Semaphore) -> None:
        """Connect, and connect again whenever the connection is gone, until cancelled.

        Args: gate: limits how many stations connect at the same moment.
        """
        pause_s = FIRST_RETRY_S
        while True:
            async with gate:
                is_open = await self._connect()
            if is_open:
                pause_s = FIRST_RETRY_S
                await self._stay()
            await asyncio.sleep(self._back_after_s or pause_s * self._rng.uniform(0.5, 1.0))
            self._back_after_s = 0.0
            pause_s = min(LAST_RETRY_S, pause_s * 2)

    async def _connect(self) -> bool:
        shape, ledger = self.station.shape, self.station.ledger
        subprotocol = SUBPROTOCOLS[shape.protocol]
        headers = [("Sec-WebSocket-Protocol", subprotocol)]
        if shape.password:
            basic = b64encode(f"{shape.identity}:{shape.password}".encode()).decode()
            headers.append(("Authorization", f"Basic {basic}"))
        try:
            transport, _ = await ws_connect(
                lambda: Line(self._arrived),
                self._url,
                websocket_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                extra_headers=headers,
                enable_auto_ping=True,
                auto_ping_idle_timeout=PING_IDLE_S,
                auto_ping_reply_timeout=PING_REPLY_S,
                auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
                max_frame_size=MAX_MESSAGE_BYTES,
            )
        except (OSError, WSHandshakeError, TimeoutError) as error:
            ledger.connection_errors[_reason(error)] += 1
            return False
        if transport.response is None:  # the other side went away before it answered
            ledger.connection_errors["closed in the handshake"] += 1
            return False
        if transport.response.headers.get("Sec-WebSocket-Protocol") != subprotocol:
            ledger.connection_errors[f"{subprotocol} not accepted"] += 1
            transport.disconnect()
            return False
        ledger.connections += 1
        self._transport = transport
        return True

    async def _stay(self) -> None:
        transport = self._transport
        assert transport is not None
        self._is_up = True
        self._send(self.station.connected(self._clock.now()))
        self._changed(self)
        try:
            await transport.wait_disconnected()
        except WSProtocolError as error:
            self.station.ledger.connection_errors[_reason(error)] += 1
        finally:
            self._transport, self._is_up = None, False
            transport.send_close(WSCloseCode.GOING_AWAY)
            transport.disconnect()
            self.station.disconnected(self._clock.now())
            self._changed(self)

    def _arrived(self, message: bytes) -> None:
        if self._is_up:
            self._send(self.station.on_message(message, self._clock.now()))
            self._changed(self)

    def _send(self, outs: list[Out]) -> None:
        for out in outs:
            if self._transport is None:
                return
            if isinstance(out, HangUp):
                self._back_after_s = out.back_after_s / self._clock.speed
                self._transport.send_close(WSCloseCode.OK)
                self._transport.disconnect()
            else:
                self._transport.send(WSMsgType.TEXT, out.encode())


def _reason(error: Exception) -> str:
    """Why a connection failed, in the same words each time."""
    if isinstance(error, WSHandshakeError) and error.response is not None:
        return f"HTTP {int(error.response.status)}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return type(error).__name__

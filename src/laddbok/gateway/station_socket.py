"""What happens on one station's socket, from its connect to its end?

It waits for the opening request, asks who may come in, and is then open: each message is handed on in the moment it
is whole. It closes when either side says so, when the station breaks the protocol, falls silent for longer than its
deadline, or does not read what we send. Any byte is a sign of life; an unanswered ping is not a sign of death.
Source: RFC 6455; our choice of a codec of our own: docs/adr/0001-websocket-engine.md.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import IntEnum
from typing import Any, cast

from laddbok.gateway import handshake as rules
from laddbok.gateway.address_limit import AddressLimit
from laddbok.gateway.connection import (
    Accept,
    Admission,
    Admit,
    ConnectionEvents,
    Lobby,
    Refuse,
    SocketSettings,
)
from laddbok.gateway.deflate import MIN_DEFLATED_BYTES, Deflate, negotiate
from laddbok.gateway.websocket import (
    ABNORMAL_CLOSURE,
    INTERNAL_ERROR,
    POLICY_VIOLATION,
    PROTOCOL_ERROR,
    Close,
    FrameReader,
    Oversize,
    Ping,
    Pong,
    WebSocketError,
    close_frame,
    ping_frame,
    pong_frame,
    text_frame,
)

log = logging.getLogger(__name__)

RETRY_AFTER_FAULT_S = 30
MAX_SURPLUS = 1000
"""Sockets beyond the allowed number that still get an answer."""
TURN_MESSAGES = 64
"""Messages of one station that are taken in before the others have their turn."""
_END_OF_HEAD = b"\r\n\r\n"


class Phase(IntEnum):
    """How far a socket has come."""

    OPENING = 0
    OPEN = 1
    CLOSING = 2
    DEAF = 3
    """Our last word is said; what still comes is thrown away until the station hangs up, so that it can hear us."""
    CLOSED = 4


_OPEN, _DEAF = Phase.OPEN, Phase.DEAF
"""Looked at with each message; a member of an enum costs several times a name of its own."""


class Rim:
    """What all sockets of one server share."""

    def __init__(self, settings: SocketSettings, admit: Admit, events: ConnectionEvents) -> None:
        self.settings = settings
        self.admit = admit
        self.events = events
        self.sockets: set[StationSocket] = set()
        self.failures = AddressLimit(burst=settings.failures_at_once, refill_s=settings.failure_refill_s)
        self.loop = asyncio.get_running_loop()


class StationSocket(asyncio.Protocol):
    """One station's socket; a `Connection` once it is open."""

    __slots__ = (
        "_bytes_left", "_calm_s", "_close_code", "_deflate", "_head", "_is_held", "_is_told_to_pause", "_left", "_now",
        "_on_message", "_opening", "_paused", "_phase", "_pinged_s", "_reader", "_rim", "_since_s", "_transport",
        "admission", "context", "deadline_s", "last_seen_s", "remote_address", "station_identity", "subprotocol",
    )  # fmt: skip

    _transport: asyncio.Transport
    admission: Accept | Lobby

    def __init__(self, rim: Rim) -> None:
        self._rim = rim
        self._now: Callable[[], float] = rim.loop.time
        self._on_message = rim.events.on_message
        self.station_identity = self.subprotocol = self.remote_address = ""
        self._head = b""
        self._reader: FrameReader | None = None
        self._deflate: Deflate | None = None
        self._opening: asyncio.Task[None] | None = None
        self._phase = Phase.OPENING
        self._paused = self._is_told_to_pause = self._is_held = False
        self._left, self._bytes_left = rim.settings.max_messages_per_s, rim.settings.max_bytes_per_s
        self._close_code = ABNORMAL_CLOSURE
        self._since_s = self.last_seen_s = self._pinged_s = self._calm_s = rim.loop.time()
        self.deadline_s = rim.settings.deadline_s
        self.context: Any = None

    # -- as the event loop sees it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the opening request."""
        self._transport = cast(asyncio.Transport, transport)
        peer = self._transport.get_extra_info("peername")
        if peer:
            self.remote_address = str(peer[0])
        self._rim.sockets.add(self)
        self._transport.set_write_buffer_limits(high=self._rim.settings.max_outgoing_bytes)
        if len(self._rim.sockets) > self._rim.settings.max_connections + MAX_SURPLUS:
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, of the opening request or of messages."""
        self.last_seen_s = self._now()
        if self._phase is _DEAF:
            return
        if self._reader is None:
            self._read_head(data)
        else:
            self._bytes_left -= len(data)
            self._reader.feed(data)
            self._deliver()

    def pause_writing(self) -> None:
        """More than `max_outgoing_bytes` wait: the station does not read."""
        log.warning("%s does not read what we send; disconnected", self.station_identity)
        self._drop(POLICY_VIOLATION)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, once, that an open connection is gone."""
        self._phase, self._paused = Phase.CLOSED, True
        self._rim.sockets.discard(self)
        if self._opening is not None:
            self._opening.cancel()
        if self._reader is not None:
            self._rim.events.on_close(self, self._close_code)

    # -- as the rest of the gateway sees it

    def send(self, data: bytes) -> None:
        """Send one text message; nothing happens when the connection is closing."""
        if self._phase is not _OPEN:
            return
        if self._deflate is not None and len(data) >= MIN_DEFLATED_BYTES:
            self._transport.write(text_frame(self._deflate.deflate(data), compressed=True))
        else:
            self._transport.write(text_frame(data))

    def close(self, code: int, reason: str = "") -> None:
        """Close with a websocket close code; what was sent before still goes out."""
        if self._phase is not Phase.OPEN:
            return
        self._phase, self._since_s, self._close_code = Phase.CLOSING, self._now(), code
        self.resume_reading()
        self._transport.write(close_frame(code, reason))

    def pause_reading(self) -> None:
        """No message is delivered until `resume_reading`, not even one that has arrived."""
        self._is_told_to_pause = True
        self._pause_or_resume()

    def resume_reading(self) -> None:
        """Deliver messages again, those that have arrived first."""
        self._is_told_to_pause = False
        self._pause_or_resume()

    def abort(self) -> None:
        """End it now; what was not sent yet is lost."""
        self._transport.abort()

    def check(self, now_s: float) -> None:
        """End it if its time is up, ping if it is silent, and let it speak on. Called each second by the server."""
        settings = self._rim.settings
        if self._reader is not None:
            self._allow_more(now_s)
        if self._phase is Phase.OPENING:
            if now_s - self._since_s > settings.handshake_timeout_s:
                self._turn_away(Refuse(408, "no opening request in time"))
        elif self._phase is not Phase.OPEN:
            if now_s - self._since_s > settings.close_timeout_s:
                self.abort()
        elif self._paused:
            self.last_seen_s = now_s
        elif (silent_s := now_s - self.last_seen_s) > self.deadline_s:
            log.info("%s was silent for %.0f s; disconnected", self.station_identity, silent_s)
            self._drop(ABNORMAL_CLOSURE)
        elif 0 < settings.ping_after_s <= min(silent_s, now_s - self._pinged_s):
            self._pinged_s = now_s
            self._transport.write(ping_frame())

    def _allow_more(self, now_s: float) -> None:
        """Another second's worth of messages; who always has more to say than that is cut off in the end."""
        settings = self._rim.settings
        if self._left > 0:
            self._calm_s = now_s
        self._left = settings.max_messages_per_s
        self._bytes_left = min(settings.max_bytes_per_s, self._bytes_left + settings.max_bytes_per_s)
        if self._phase is Phase.OPEN and now_s - self._calm_s > settings.flood_ends_s:
            log.warning("%s floods us; disconnected", self.station_identity)
            self.close(POLICY_VIOLATION, f"more than {settings.max_messages_per_s} messages a second, all the time")
        if self._is_held and self._bytes_left > 0:
            self._is_held, self.last_seen_s = False, now_s
            self._pause_or_resume()

    def _pause_or_resume(self) -> None:
        paused = self._is_told_to_pause or self._is_held
        if paused == self._paused or self._phase in (Phase.DEAF, Phase.CLOSED):
            return
        self._paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self._rim.loop.call_soon(self._deliver)

    # -- the opening request

    def _read_head(self, data: bytes) -> None:
        self._head += data
        if self._opening is not None:
            return
        head, end, rest = self._head.partition(_END_OF_HEAD)
        if not end:
            if len(head) > rules.MAX_HEAD_BYTES:
                self._turn_away(Refuse(431, f"an opening request may have {rules.MAX_HEAD_BYTES} bytes"))
            return
        try:
            request = rules.read_handshake(head)
        except rules.HandshakeError as error:
            self._turn_away(error.refuse)
            return
        self._head = rest
        self._transport.pause_reading()
        self._opening = self._rim.loop.create_task(self._open(request))

    async def _open(self, request: rules.Handshake) -> None:
        """Ask who it is, answer the opening request, and begin."""
        rim = self._rim
        self.station_identity = request.identity
        self.remote_address = rules.client_address(
            self.remote_address, request.forwarded_for, rim.settings.trusted_proxies
        )
        admission = await self._ask(request)
        self._opening = None
        if self._phase is not Phase.OPENING:
            return
        if isinstance(admission, Refuse):
            if admission.status == 401:
                rim.failures.take(self.remote_address, self._now())
            self._turn_away(admission)
            return
        known = admission.subprotocol if isinstance(admission, Accept) else None
        taken = rules.choose_subprotocol(request.offered, known)
        self._answer(request, taken)
        spoken = rim.settings.assume_subprotocol if not request.offered else taken
        if spoken is None:
            self._refuse_subprotocol(request)
        else:
            self._begin(admission, spoken.lower())

    async def _ask(self, request: rules.Handshake) -> Admission:
        if len(self._rim.sockets) > self._rim.settings.max_connections:
            return Refuse(503, "too many connections", RETRY_AFTER_FAULT_S)
        wait_s = self._rim.failures.wait_s(self.remote_address, self._now())
        if wait_s > 0:
            return Refuse(429, "too many failed attempts from this address", int(wait_s) + 1)
        try:
            return await self._rim.admit(request.identity, request.credentials, self.remote_address)
        except Exception:
            log.exception("%s could not be looked up", request.identity)
            return Refuse(503, "the platform can't look this station up now", RETRY_AFTER_FAULT_S)

    def _answer(self, request: rules.Handshake, subprotocol: str | None) -> None:
        agreed = negotiate(request.extensions) if request.extensions else None
        self._deflate = agreed.deflate if agreed else None
        response = rules.switching_response(request.key, subprotocol, agreed.response if agreed else None)
        self._transport.write(response)

    def _refuse_subprotocol(self, request: rules.Handshake) -> None:
        """Source: OCPP-J 1.6 3.2 and OCPP 2.0.1 Part 4 3.2: answer without a subprotocol, then close at once."""
        log.info("%s offers %s; we speak %s", request.identity, request.offered, rules.SUBPROTOCOLS)
        self._transport.write(close_frame(PROTOCOL_ERROR, "none of these subprotocols is spoken here"))
        self._say_no_more()

    def _turn_away(self, refuse: Refuse) -> None:
        self._transport.write(rules.refusal_response(refuse))
        self._say_no_more()

    def _begin(self, admission: Accept | Lobby, subprotocol: str) -> None:
        self.admission, self.subprotocol = admission, subprotocol
        self._reader = FrameReader(max_message_bytes=self._rim.settings.max_message_bytes, deflate=self._deflate)
        self._reader.feed(self._head)
        self._head = b""
        self._phase = Phase.OPEN
        try:
            self._rim.events.on_open(self)
        except Exception:
            log.exception("%s could not be taken over; disconnected", self.station_identity)
            self._fail(INTERNAL_ERROR, "this connection could not be taken over")
        if not self._paused:
            self._transport.resume_reading()
            self._deliver()

    # -- messages

    def _deliver(self) -> None:
        """Hand on what has arrived, until there is no more, the owner says stop, or it is the others' turn."""
        assert self._reader is not None
        take = self._reader.next
        turn_ends = max(0, self._left - TURN_MESSAGES)
        try:
            while self._left > turn_ends and not self._paused and self._phase is not _DEAF:
                item = take()
                if item is None:
                    break
                self._left -= 1
                if type(item) is bytes:
                    if self._deflate is not None:
                        self._bytes_left -= len(item)
                        turn_ends = turn_ends if self._bytes_left > 0 else self._left
                    if self._phase is _OPEN:
                        self._on_message(self, item)
                else:
                    self._take_rare(item)
        except WebSocketError as error:
            self._fail(error.code, error.reason)
        except Exception:
            log.exception("a message of %s could not be taken in; disconnected", self.station_identity)
            self._fail(INTERNAL_ERROR, "this message could not be taken in")
        if self._left <= 0 or self._bytes_left <= 0:
            self._is_held = True
            self._pause_or_resume()
        elif self._left == turn_ends:
            self._rim.loop.call_soon(self._deliver)

    def _take_rare(self, item: Ping | Pong | Close | Oversize | bytes) -> None:
        if isinstance(item, Ping):
            if self._phase is Phase.OPEN:
                self._transport.write(pong_frame(item.payload))
        elif isinstance(item, Oversize):
            if self._phase is Phase.OPEN:
                self._rim.events.on_oversize(self, item.head, item.size_bytes)
        elif isinstance(item, Close):
            if self._phase is Phase.OPEN:
                self._close_code = item.code
                self._transport.write(close_frame(item.code))
            self._paused = self._is_told_to_pause = True
            self._transport.close()

    def _fail(self, code: int, reason: str) -> None:
        """Close without waiting for an answer: the stream can't be read any further."""
        self.close(code, reason)
        self._say_no_more()

    def _say_no_more(self) -> None:
        """Hang up on our side, and let the station read our last word before the socket goes."""
        self._phase, self._since_s = Phase.DEAF, self._now()
        self._transport.resume_reading()
        self._transport.write_eof()

    def _drop(self, code: int) -> None:
        """End it without a word: the station would not hear it."""
        self._close_code = code
        self.abort()

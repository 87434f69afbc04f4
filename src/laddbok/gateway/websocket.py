"""Which messages do these bytes from a station carry?

A websocket stream is a row of frames: two bytes of kind and length, more length, a mask of four bytes, the masked
payload. A message is one data frame or several in a row; control frames (ping, pong, close) may come in between.
`FrameReader` takes bytes as they arrive and gives back whole messages as `bytes`, and anything rarer as a small
object. It knows no socket and no clock. A message that is too long is not a reason to lose the station: what comes
after its first bytes is thrown away as it arrives, and the platform is told, so that it can answer with an error.

>>> reader = FrameReader(max_message_bytes=1024)
>>> reader.feed(bytes.fromhex("8185 37fa213d 7f9f4d5158"))
>>> reader.next(), reader.next()
(b'Hello', None)
>>> text_frame(b"Hello")
b'\\x81\\x05Hello'

Text is handed on as bytes and its UTF-8 is not checked: stations send names in Latin-1 and half characters, and one
such field must cost an OCPP error, not the connection.
Source: RFC 6455 sections 5 to 7; RFC 7692.
"""

import msgspec

from laddbok.gateway.deflate import Deflate, MessageTooBig

try:
    from websockets.speedups import apply_mask
except ImportError:  # where websockets came without its C part
    from websockets.utils import apply_mask

HEAD_BYTES = 4096
"""Of a message that is too long this much is kept: enough to find its message id."""
MAX_OVERSIZE_BYTES = 64 * 1024 * 1024
"""A single message beyond this is not thrown away piece by piece any more: the connection is closed."""
MAX_PIECES = 1024
"""Frames of one message; a station that sends more of them wants to keep us busy."""
MAX_CONTROL_BYTES = 125
MAX_REASON_BYTES = 123

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FINAL, _COMPRESSED, _RESERVED, _MASKED = 0x80, 0x40, 0x30, 0x80
_WHOLE_TEXT = _FINAL | TEXT

NORMAL_CLOSURE, GOING_AWAY, PROTOCOL_ERROR = 1000, 1001, 1002
NO_STATUS, ABNORMAL_CLOSURE = 1005, 1006
INVALID_DATA, POLICY_VIOLATION, MESSAGE_TOO_BIG, INTERNAL_ERROR, TRY_AGAIN_LATER = (
    1007,
    1008,
    1009,
    1011,
    1013,
)
_CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


class Ping(msgspec.Struct, frozen=True):
    """The station asks whether we are there; answered with a pong of the same payload."""

    payload: bytes


class Pong(msgspec.Struct, frozen=True):
    """The station answers our ping."""


class Close(msgspec.Struct, frozen=True):
    """The station closes, or answers our close. `code` 1005: it gave none."""

    code: int
    reason: str


class Oversize(msgspec.Struct, frozen=True):
    """A message longer than allowed went by; `head` is how it began."""

    head: bytes
    size_bytes: int


class WebSocketError(Exception):
    """The stream can't be read any further; the connection is closed with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """Cuts the byte stream of one station into messages. State: the bytes not yet read and the message under way."""

    __slots__ = ("_at", "_buffer", "_compressed", "_deflate", "_max_bytes", "_message", "_pieces", "_size", "_skip")

    def __init__(self, *, max_message_bytes: int, deflate: Deflate | None = None) -> None:
        self._max_bytes = max_message_bytes
        self._deflate = deflate
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self._message: bytearray | None = None
        """What has come of the message under way; None between messages."""
        self._size = 0
        """Bytes of the message under way, also those that were thrown away."""
        self._skip = 0
        """Bytes still to come of a frame whose payload is thrown away."""
        self._compressed = False
        self._pieces = 0
        """Frames of the message under way."""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the stream, of any length."""
        if self._at >= len(self._buffer):
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            del self._buffer[: self._at]
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer[self._at :]) + data
        self._at = 0

    def next(self) -> bytes | Ping | Pong | Close | Oversize | None:
        """The next whole message, control frame or finding; None when more bytes are needed.

        Raises: WebSocketError when the stream breaks the protocol.
        Source: RFC 6455 5.2.
        """
        while True:
            if self._skip and not self._skipped():
                return None
            buffer, at = self._buffer, self._at
            available = len(buffer) - at
            if available < 2:
                if not available:
                    self._buffer, self._at = b"", 0
                return None
            first, second = buffer[at], buffer[at + 1]
            length, mask_at = second & 127, at + 2
            if length == 126:
                length, mask_at = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, mask_at = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if available < mask_at - at + 4:
                return None
            payload_at = mask_at + 4
            if first == _WHOLE_TEXT and self._message is None and length <= self._max_bytes and second & _MASKED:
                end = payload_at + length
                if len(buffer) < end:
                    return None
                self._at = end
                return apply_mask(buffer[payload_at:end], buffer[mask_at:payload_at])
            self._check(first, second, length)
            item = self._control(first, mask_at, length) if first & 0x8 else self._data(first, mask_at, length)
            if not isinstance(item, _GoOn):
                return item

    def _check(self, first: int, second: int, length: int) -> None:
        """Refuse what no frame may look like. Source: RFC 6455 5.1 to 5.5, RFC 7692 6."""
        opcode = first & 0xF
        if not second & _MASKED:
            raise WebSocketError(PROTOCOL_ERROR, "a frame from a station must be masked")
        if first & _RESERVED or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise WebSocketError(PROTOCOL_ERROR, "reserved bits or an unknown kind of frame")
        if first & _COMPRESSED and (self._deflate is None or opcode not in (TEXT, BINARY)):
            raise WebSocketError(PROTOCOL_ERROR, "a compressed frame that was not agreed on")
        if opcode & 0x8:
            if not first & _FINAL or length > MAX_CONTROL_BYTES:
                raise WebSocketError(PROTOCOL_ERROR, "a control frame in pieces or too long")
        elif (opcode == CONTINUATION) != (self._message is not None):
            raise WebSocketError(PROTOCOL_ERROR, "a piece of a message at the wrong place")

    def _control(self, first: int, mask_at: int, length: int) -> "Ping | Pong | Close | None":
        end = mask_at + 4 + length
        if len(self._buffer) < end:
            return None
        payload = apply_mask(self._buffer[mask_at + 4 : end], self._buffer[mask_at : mask_at + 4])
        self._at = end
        opcode = first & 0xF
        if opcode == CLOSE:
            return _read_close(payload)
        return Ping(payload) if opcode == PING else Pong()

    def _data(self, first: int, mask_at: int, length: int) -> "bytes | Oversize | _GoOn | None":
        """One data frame of a message in pieces, compressed, binary, or too long."""
        start = mask_at + 4
        if self._size + length > self._max_bytes:
            return self._begin_skip(first, mask_at, length)
        if len(self._buffer) < start + length:
            return None
        payload = apply_mask(self._buffer[start : start + length], self._buffer[mask_at:start])
        self._at = start + length
        return self._append(first, payload, length)

    def _begin_skip(self, first: int, mask_at: int, length: int) -> "Oversize | _GoOn | None":
        """A frame that makes the message too long: keep its head, throw the rest away as it arrives."""
        start = mask_at + 4
        if self._compressed or first & _COMPRESSED or self._size + length > MAX_OVERSIZE_BYTES:
            raise WebSocketError(MESSAGE_TOO_BIG, f"a message may have {self._max_bytes} bytes")
        kept = min(length, HEAD_BYTES)
        if len(self._buffer) < start + kept:
            return None
        head = apply_mask(self._buffer[start : start + kept], self._buffer[mask_at:start])
        self._skip = length - kept
        self._at = start + kept
        item = self._append(first, head, length)
        return item if isinstance(item, Oversize | _GoOn) else None

    def _skipped(self) -> bool:
        """Whether the frame that is thrown away has passed."""
        step = min(self._skip, len(self._buffer) - self._at)
        self._skip -= step
        self._at += step
        if self._at >= len(self._buffer):
            self._buffer, self._at = b"", 0
        return not self._skip

    def _append(self, first: int, payload: bytes, length: int) -> "bytes | Oversize | _GoOn":
        """Add a frame's payload to the message under way; the message, if that was its last frame."""
        if self._message is None:
            self._message, self._size, self._compressed = bytearray(), 0, bool(first & _COMPRESSED)
            self._pieces = 0
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise WebSocketError(POLICY_VIOLATION, f"a message in more than {MAX_PIECES} pieces")
        self._size += length
        if self._size <= self._max_bytes or len(self._message) < HEAD_BYTES:
            self._message += payload
        if not first & _FINAL:
            return _GO_ON
        message, size = bytes(self._message), self._size
        self._message, self._size = None, 0
        if size > self._max_bytes:
            return Oversize(message[:HEAD_BYTES], size)
        return self._inflate(message) if self._compressed else message

    def _inflate(self, message: bytes) -> bytes:
        assert self._deflate is not None
        self._compressed = False
        try:
            return self._deflate.inflate(message, self._max_bytes)
        except MessageTooBig:
            raise WebSocketError(MESSAGE_TOO_BIG, f"a message may have {self._max_bytes} bytes") from None
        except ValueError as error:
            raise WebSocketError(INVALID_DATA, str(error)) from None


class _GoOn:
    """Says that a frame was read and gave nothing yet."""


_GO_ON = _GoOn()


def _read_close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or code not in _CLOSE_CODES:
        raise WebSocketError(PROTOCOL_ERROR, "a close frame with a code that does not exist")
    return Close(code, payload[2:].decode("utf-8", "replace"))


def text_frame(payload: bytes, *, compressed: bool = False) -> bytes:
    """A whole text message from us, unmasked. Source: RFC 6455 5.6."""
    return _frame(_WHOLE_TEXT | _COMPRESSED if compressed else _WHOLE_TEXT, payload)


def ping_frame() -> bytes:
    """A ping without payload. Source: RFC 6455 5.5.2."""
    return _frame(_FINAL | PING, b"")


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping. Source: RFC 6455 5.5.3."""
    return _frame(_FINAL | PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close with its code and as much of the reason as fits. Source: RFC 6455 5.5.1."""
    if code == NO_STATUS:
        return _frame(_FINAL | CLOSE, b"")
    text = reason.encode()[:MAX_REASON_BYTES].decode("utf-8", "ignore").encode()
    return _frame(_FINAL | CLOSE, code.to_bytes(2) + text)


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2) + payload
    return bytes((first, 127)) + length.to_bytes(8) + payload

"""What did these bytes say, as OCPP's remote procedure call?

A frame is a JSON array: a call `[2, id, action, payload]`, its result `[3, id, payload]` or its error `[4, id, code,
description, details]`. Any bytes give a value: what can't be read is a `Malformed` that carries the error to answer.
The payload stays raw, so that it is decoded once, by the decoder of its action.

>>> call = parse(b'[2,"19","Heartbeat",{}]', OcppVersion.V16)
>>> call.message_id, call.action, bytes(call.payload)
('19', 'Heartbeat', b'{}')
>>> parse(b'[2,"19"', OcppVersion.V16).code
'FormationViolation'
"""

import re
from enum import StrEnum

import msgspec

from laddbok.ocpp.repair import repair

MAX_FRAME_BYTES = 256 * 1024
"""A whole day of readings, one each minute, fits into a StopTransaction; the event loop reads a frame in one go."""
BYTES_OF_A_PART = 32
"""So long is an object or list of a useful frame on the average, or longer: 40 in that day. One of brackets has 2."""
MAX_DEPTH = 32
"""Arrays and objects inside each other; the deepest official message needs about a dozen."""
MAX_MESSAGE_ID_CHARS = 255
"""The standard says 36; longer ones are seen and harmless."""
MAX_DESCRIPTION_CHARS = 255
UNKNOWN_MESSAGE_ID = "-1"
"""Stands in an error about a frame whose id can't be read. Source: OCPP 2.0.1 Part 4, 4.2.3."""

_NUL = b"\\u0000"
_NO_DETAILS = msgspec.Raw(b"{}")


class OcppVersion(StrEnum):
    """The wire that a station speaks, named as in the websocket's Sec-WebSocket-Protocol."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"


class ErrorCode(StrEnum):
    """What is wrong with a call, in the words of OCPP 2.0.1; `spelled` gives the word of the station's own wire."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


_CODES_V16 = {
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "FormationViolation",
    ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a frame we are willing to read."""

    max_bytes: int = MAX_FRAME_BYTES
    max_depth: int = MAX_DEPTH

    @property
    def max_parts(self) -> int:
        """Objects and lists of one frame."""
        return self.max_bytes // BYTES_OF_A_PART


class Call(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """A request, from the station or from us."""

    message_id: str
    action: str
    payload: msgspec.Raw = _NO_DETAILS


class CallResult(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """The answer to a call."""

    message_id: str
    payload: msgspec.Raw = _NO_DETAILS


class CallError(msgspec.Struct, array_like=True, tag=4, frozen=True):
    """The refusal of a call."""

    message_id: str
    code: str
    description: str = ""
    details: msgspec.Raw = _NO_DETAILS


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that can't be read: why, and the error to answer.

    `message_id` is None when it could not be found. `is_reply` is set when it was meant as an answer to a call of
    ours, which is never answered in turn. `code` is spelled for the station's wire.
    """

    code: str
    reason: str
    message_id: str | None = None
    is_reply: bool = False


class Undecodable(msgspec.Struct, frozen=True, kw_only=True):
    """A call that can be read but not understood: kept in quarantine, refused with `code` (spelled for the wire)."""

    action: str
    code: str
    reason: str


Frame = Call | CallResult | CallError | Malformed

_decoder: msgspec.json.Decoder[Call | CallResult | CallError] = msgspec.json.Decoder(Call | CallResult | CallError)
_encoder = msgspec.json.Encoder()
_ID_AS_NUMBER = re.compile(rb"^(\s*+\[\s*+[234]\s*+,\s*+)(-?\d{1,40})(?=\s*+[,\]])")
_HEAD = re.compile(rb'^\s*+\[\s*+(-?\d{1,9})\s*+(?:,\s*+(?:"((?:[^"\\\x00-\x1f]|\\.){0,255})"|(-?\d{1,40})))?')
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(code for code in range(256) if code not in b'[]{}"')
_BEFORE_A_FRAME = b"\xef\xbb\xbf\x00 \t\r\n"
"""What may stand before a frame that can be repaired: blanks, NULs, a byte order mark."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def spelled(code: ErrorCode, version: OcppVersion) -> str:
    """The error code as the station's own wire spells it.

    Source: OCPP-J 1.6 4.2.3 (with its `Occurence`), OCPP 2.0.1 Part 4, 4.3.
    """
    return _CODES_V16.get(code, code.value) if version is OcppVersion.V16 else code.value


def parse(raw: bytes | str, version: OcppVersion, limits: Limits = Limits()) -> Frame:
    """Reads one frame. Any bytes give a value, never an exception.

    Args: raw: as it came from the socket. version: of the connection, for the error code. limits: what is too much.
    Returns: the call, result or error, or a Malformed that says why it can't be read.
    Source: OCPP-J 1.6 4.2, OCPP 2.0.1 Part 4, 4.2; field case S44.
    """
    data = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    if len(data) > limits.max_bytes:
        reason = f"{len(data)} bytes, at most {limits.max_bytes} are read"
        return _malformed(data, version, ErrorCode.FORMAT_VIOLATION, reason)
    if (shape := _unreadable_shape(data, limits)) is not None:
        return _malformed(data, version, ErrorCode.FORMAT_VIOLATION, shape)
    try:
        frame = _decoder.decode(data if b"\\" not in data else data.replace(_NUL, b"\\ufffd"))
    except _UNREADABLE:
        return _parse_repaired(data, version)
    if len(frame.message_id) > MAX_MESSAGE_ID_CHARS:
        return _malformed(data, version, ErrorCode.FORMAT_VIOLATION, "the message id is too long")
    return frame


def encode_call(message_id: str, action: str, payload: bytes) -> bytes:
    """A call of ours as a frame. Args: payload: a JSON object."""
    return _encoder.encode(Call(message_id, action, msgspec.Raw(payload)))


def encode_result(message_id: str, payload: bytes) -> bytes:
    """Our answer to a station's call as a frame. Args: payload: a JSON object."""
    return b"[3,%b,%b]" % (_encoder.encode(message_id), payload)


def encode_error(message_id: str | None, code: ErrorCode | str, description: str, version: OcppVersion) -> bytes:
    """Our refusal of a station's call as a frame.

    Args: message_id: None when it is unknown. code: ours, or already spelled for the wire.
    """
    word = spelled(code, version) if isinstance(code, ErrorCode) else code
    return _encoder.encode(CallError(message_id or UNKNOWN_MESSAGE_ID, word, description[:MAX_DESCRIPTION_CHARS]))


def _parse_repaired(data: bytes, version: OcppVersion) -> Frame:
    if not data.lstrip(_BEFORE_A_FRAME).startswith(b"["):
        return _malformed(data, version, ErrorCode.RPC_FRAMEWORK_ERROR, "the frame is no array")
    text = _ID_AS_NUMBER.sub(rb'\1"\2"', repair(data))
    try:
        frame = _decoder.decode(text)
    except RecursionError:
        return _malformed(data, version, ErrorCode.FORMAT_VIOLATION, "nested too deeply")
    except msgspec.ValidationError as error:
        return _malformed(data, version, _code_of(text), str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _malformed(data, version, ErrorCode.RPC_FRAMEWORK_ERROR, str(error))
    if len(frame.message_id) > MAX_MESSAGE_ID_CHARS:
        return _malformed(data, version, ErrorCode.FORMAT_VIOLATION, "the message id is too long")
    return frame


def _code_of(text: bytes) -> ErrorCode:
    head = _HEAD.match(text)
    if head and head[1] not in (b"2", b"3", b"4"):
        return ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED
    return ErrorCode.FORMAT_VIOLATION if head and (head[2] or head[3]) else ErrorCode.RPC_FRAMEWORK_ERROR


def _malformed(data: bytes, version: OcppVersion, code: ErrorCode, reason: str) -> Malformed:
    """The id is looked for at its fixed place only: an id found by luck would refuse somebody else's call."""
    head = _HEAD.match(data)
    message_id = None if head is None else (head[2] or head[3])
    return Malformed(
        code=spelled(code, version),
        reason=reason,
        message_id=message_id.decode("utf-8", "replace") if message_id else None,
        is_reply=head is not None and head[1] in (b"3", b"4"),
    )


def _unreadable_shape(data: bytes, limits: Limits) -> str | None:
    """Why a frame of this shape is not read: too many parts, or parts too deep in each other; None: it is.

    Too few brackets settle almost every frame; taking some away finds them at the speed of a search, where a count would
    walk. Of a rich frame what is inside strings is left out, and then each round takes away the innermost pairs: nothing
    here walks a hostile frame.
    """
    enough = limits.max_depth + 1
    if len(data) - len(data.replace(b"[", b"", enough).replace(b"{", b"", enough)) < enough:
        return None
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = unescaped.translate(_AS_SQUARE, _NOT_STRUCTURE).replace(b'""', b"")
    rest = b"".join(marks.split(b'"')[::2])
    if rest.count(b"[") > limits.max_parts:
        return f"more than {limits.max_parts} objects and lists"
    for _ in range(limits.max_depth):
        rest = rest.replace(b"[]", b"")
    # Pairs that are left lie deeper. What is open at the end of a frame that is cut off is inside each other too.
    is_too_deep = b"[]" in rest or rest.count(b"[") > limits.max_depth
    return f"nested deeper than {limits.max_depth}" if is_too_deep else None

"""Who knocks at the gateway, and which dialect will we speak?

A station opens with one HTTP request: its identity is the last part of the path, its password is in HTTP Basic, and
it offers the OCPP versions that it speaks. These rules read that request and write our answer; who may come in is
decided elsewhere.

>>> station_identity("/prefix/ocpp/south/CP%20001?x=1")
'CP 001'
>>> choose_subprotocol(("ocpp1.6", "ocpp2.0.1"))
'ocpp2.0.1'
>>> choose_subprotocol(("ocpp1.6", "ocpp2.0.1"), known="ocpp1.6")
'ocpp1.6'

Source: RFC 6455 section 4; OCPP-J 1.6 section 3; OCPP 2.0.1 Part 4 section 3.
"""

import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import unquote

import msgspec
from websockets.utils import accept_key

from laddbok.gateway.credentials import Credentials, read_basic

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
MAX_IDENTITY_CHARS = 48
"""Source: OCPP 2.0.1 Part 4, 3.1.1."""
MAX_OFFERS = 20
SUBPROTOCOLS = ("ocpp2.0.1", "ocpp1.6")
"""What we speak, best first."""
_ROOT = "ocpp"
_WEBSOCKET_VERSION = "13"


class Refuse(msgspec.Struct, frozen=True):
    """Nobody is let in: the HTTP status, one line for a person, and when to try again [s]."""

    status: int
    reason: str
    retry_after_s: int | None = None


class HandshakeError(Exception):
    """The request is not one of a station; `refuse` is the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.refuse = Refuse(status, reason)


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """A station's opening request, understood."""

    identity: str
    key: str
    offered: tuple[str, ...]
    """Subprotocols as written, in the station's order; empty: it named none."""
    credentials: Credentials | None
    extensions: str
    forwarded_for: str
    """X-Forwarded-For; worth something only behind a proxy of ours."""


def read_handshake(head: bytes) -> Handshake:
    """Understand a station's opening request.

    Args: head: everything before the empty line.
    Raises: HandshakeError with the HTTP status to answer.
    Source: RFC 6455 4.2.1.
    """
    path, headers = _read_request(head)
    if "websocket" not in _tokens(headers.get("upgrade", "")) or "upgrade" not in _tokens(
        headers.get("connection", "")
    ):
        raise HandshakeError(426, "this port speaks OCPP over websockets")
    if headers.get("sec-websocket-version") != _WEBSOCKET_VERSION:
        raise HandshakeError(426, f"only websocket version {_WEBSOCKET_VERSION} is spoken")
    key = headers.get("sec-websocket-key", "")
    if not _is_key(key):
        raise HandshakeError(400, "Sec-WebSocket-Key is missing or not 16 bytes in base64")
    identity = station_identity(path)
    authorization = headers.get("authorization")
    offered = tuple(offer.strip() for offer in headers.get("sec-websocket-protocol", "").split(",", MAX_OFFERS))
    return Handshake(
        identity=identity,
        key=key,
        offered=tuple(offer for offer in offered if offer),
        credentials=read_basic(authorization, identity) if authorization else None,
        extensions=headers.get("sec-websocket-extensions", ""),
        forwarded_for=headers.get("x-forwarded-for", ""),
    )


def station_identity(path: str) -> str:
    """The station's identity: the last part of the path behind `/ocpp/`, with %-escapes undone.

    Args: path: the request's target, with prefixes, further parts, a query and a slash at the end as they come (S72).
    Raises: HandshakeError 404 when there is none, or one that no station can have.
    Source: OCPP-J 1.6 3.1.1; OCPP 2.0.1 Part 4, 3.1.1.
    """
    parts = [part for part in path.partition("?")[0].partition("#")[0].split("/") if part]
    if _ROOT not in (part.lower() for part in parts[:-1]):
        raise HandshakeError(404, "the path has to be /ocpp/ and the station's identity")
    try:
        identity = unquote(parts[-1], errors="strict")
    except UnicodeDecodeError:
        raise HandshakeError(404, "the station's identity is not UTF-8") from None
    if not 1 <= len(identity) <= MAX_IDENTITY_CHARS:
        raise HandshakeError(404, f"a station's identity has 1 to {MAX_IDENTITY_CHARS} characters")
    if not identity.isprintable() or identity != identity.strip() or "/" in identity:
        raise HandshakeError(404, "a station's identity is printable, without a slash or spaces around it")
    if identity in (".", ".."):
        raise HandshakeError(404, "a station's identity is more than dots, which no address can name")
    return identity


def choose_subprotocol(offered: Sequence[str], known: str | None = None) -> str | None:
    """The offer that we take, spelled as the station spelled it.

    Args: offered: the station's offers. known: the version this station is to be spoken to in, if it offers that.
    Returns: None when we speak none of them.
    Source: OCPP-J 1.6 3.1.2; OCPP 2.0.1 Part 4, 3.1.2; our choice: the newest when there are several.
    """
    spelled = {offer.lower(): offer for offer in reversed(offered)}
    for subprotocol in (known, *SUBPROTOCOLS) if known in SUBPROTOCOLS else SUBPROTOCOLS:
        if subprotocol in spelled:
            return spelled[subprotocol]
    return None


def client_address(peer: str, forwarded_for: str, trusted_proxies: Sequence[str]) -> str:
    """Where the station is: its own address, or what our proxy says.

    Args: peer: the other end of the socket. forwarded_for: the header. trusted_proxies: addresses of our proxies.

    >>> client_address("10.0.0.5", "203.0.113.9, 198.51.100.7", ("10.0.0.5",))
    '198.51.100.7'
    """
    if peer in trusted_proxies and forwarded_for:
        return forwarded_for.rpartition(",")[2].strip()
    return peer


def switching_response(key: str, subprotocol: str | None, extension: str | None) -> bytes:
    """The answer that lets a station in. Source: RFC 6455 4.2.2."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.append(f"Sec-WebSocket-Accept: {accept_key(key)}")
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if extension:
        lines.append(f"Sec-WebSocket-Extensions: {extension}")
    return "\r\n".join([*lines, "", ""]).encode()


def refusal_response(refuse: Refuse) -> bytes:
    """The answer that turns somebody away, with the reason as its text. Source: RFC 9110; RFC 7617 2."""
    body = f"{refuse.reason}\n".encode()
    lines = [f"HTTP/1.1 {refuse.status} {HTTPStatus(refuse.status).phrase}", "Connection: close"]
    lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    if refuse.retry_after_s is not None:
        lines.append(f"Retry-After: {refuse.retry_after_s}")
    if refuse.status == HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Basic realm="OCPP", charset="UTF-8"')
    if refuse.status == HTTPStatus.UPGRADE_REQUIRED:
        lines += ["Upgrade: websocket", f"Sec-WebSocket-Version: {_WEBSOCKET_VERSION}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read_request(head: bytes) -> tuple[str, dict[str, str]]:
    """The target and the headers by lower-case name, repeated ones joined. Source: RFC 9112 2 to 5."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, version = rest.partition(" ")
    if not version.startswith("HTTP/1."):
        raise HandshakeError(400, "this is not an HTTP/1.1 request")
    if method != "GET":
        raise HandshakeError(405, "a websocket is opened with GET")
    if len(lines) > MAX_HEADERS:
        raise HandshakeError(431, f"at most {MAX_HEADERS} headers are read")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise HandshakeError(400, "a header is not of the form name: value")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return path, headers


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False

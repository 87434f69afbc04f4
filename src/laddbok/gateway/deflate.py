"""Does the station want its messages compressed, and how are they unpacked?

permessage-deflate is agreed on in the handshake, only when the station asks. The station may keep its dictionary from
message to message, because meter values repeat themselves and mobile data costs money. We keep none: our answers are
short, those under `MIN_DEFLATED_BYTES` go out as they are, and a dictionary would cost 30 kB per station.

>>> agreed = negotiate("permessage-deflate; client_max_window_bits")
>>> agreed.response
'permessage-deflate; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=12'
>>> negotiate("x-webkit-deflate-frame") is None
True

Source: OCPP 2.0.1 Part 4, 3.4 (a CSMS should support it); RFC 7692.
"""

import zlib
from typing import NamedTuple

from websockets.exceptions import InvalidHandshake
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.headers import build_extension, parse_extension
from websockets.typing import ExtensionName

MIN_DEFLATED_BYTES = 512
WINDOW_BITS = 12
_MEMORY_LEVEL = 5
_NAME = ExtensionName("permessage-deflate")
_TAIL = b"\x00\x00\xff\xff"
"""Ends each message's block; it is not sent. Source: RFC 7692 7.2.1."""


class MessageTooBig(Exception):
    """A message unpacks to more than it may."""


class Deflate:
    """The compression of one connection: the station's dictionary, if it keeps one, and the agreed window sizes."""

    __slots__ = ("_inflater", "_keep", "_our_bits", "_their_bits")

    def __init__(self, *, their_bits: int = 15, our_bits: int = WINDOW_BITS, keep: bool = True) -> None:
        self._their_bits = their_bits
        self._our_bits = our_bits
        self._keep = keep
        self._inflater = zlib.decompressobj(wbits=-their_bits)

    def inflate(self, data: bytes, max_bytes: int) -> bytes:
        """Unpack one message.

        Args: data: the message as it came. max_bytes [B]: the most that it may unpack to.
        Raises: MessageTooBig; ValueError when it is not deflate data.
        Source: RFC 7692 7.2.2.
        """
        if not self._keep or self._inflater.eof:
            self._inflater = zlib.decompressobj(wbits=-self._their_bits)
        try:
            message = self._inflater.decompress(data + _TAIL, max_bytes + 1)
        except zlib.error as error:
            raise ValueError(f"a compressed message that can't be unpacked: {error}") from None
        if len(message) > max_bytes:
            raise MessageTooBig
        return message

    def deflate(self, message: bytes) -> bytes:
        """Pack one message, with no memory of those before. Source: RFC 7692 7.2.1."""
        packer = zlib.compressobj(wbits=-self._our_bits, memLevel=_MEMORY_LEVEL)
        return (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]


class Agreement(NamedTuple):
    """What was agreed on: the header of our response, and the compression itself."""

    response: str
    deflate: Deflate


_FACTORY = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    server_max_window_bits=WINDOW_BITS,
    client_max_window_bits=WINDOW_BITS,
    compress_settings={"memLevel": _MEMORY_LEVEL},
)


def negotiate(offers: str) -> Agreement | None:
    """Take the first offer of compression that we can keep.

    Args: offers: the value of the request's Sec-WebSocket-Extensions.
    Returns: None when there is no such offer; the connection then runs uncompressed.
    Source: RFC 7692 5 and 7.1.
    """
    try:
        extensions = parse_extension(offers)
    except InvalidHandshake:
        return None
    for name, parameters in extensions:
        if name != _NAME:
            continue
        try:
            response, agreed = _FACTORY.process_request_params(parameters, [])
        except InvalidHandshake:
            continue
        deflate = Deflate(
            their_bits=agreed.remote_max_window_bits,
            our_bits=agreed.local_max_window_bits,
            keep=not agreed.remote_no_context_takeover,
        )
        return Agreement(build_extension([(_NAME, response)]), deflate)
    return None

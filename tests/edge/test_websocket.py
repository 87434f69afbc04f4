"""The codec against the `websockets` library as its oracle, and against what no client library would send."""

import itertools
import os
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Close as OracleClose
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from laddbok.gateway.deflate import Deflate, negotiate
from laddbok.gateway.websocket import (
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

MAX_BYTES = 5000


def masked(opcode: int, payload: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a station sends it."""
    if not rsv1:
        return Frame(Opcode(opcode), payload, fin).serialize(mask=True)
    plain = Frame(Opcode(opcode), payload, fin).serialize(mask=True)
    return bytes((plain[0] | 0x40,)) + plain[1:]


def read_by_the_oracle(data: bytes) -> Frame:
    stream = StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    parser = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parser)
    assert stream.at_eof()
    frame: Frame = done.value.value
    return frame


def read_all(stream: bytes, cuts: list[int], reader: FrameReader) -> list[object]:
    """What the reader finds when the stream arrives cut at these places."""
    items: list[object] = []
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        reader.feed(stream[start:end])
        while (item := reader.next()) is not None:
            items.append(item)
    return items


payloads = st.one_of(st.binary(max_size=300), st.integers(0, MAX_BYTES).map(os.urandom))
controls = st.one_of(
    st.binary(max_size=125).map(lambda payload: (Ping(payload), masked(0x9, payload))),
    st.binary(max_size=125).map(lambda payload: (Pong(), masked(0xA, payload))),
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[list[object], bytes]:
    """A message in pieces, with control frames in between: what is to be found, and its bytes."""
    payload = draw(payloads)
    pieces = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
    edges = [0, *pieces, len(payload)]
    found: list[object] = []
    stream = b""
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        opcode = draw(st.sampled_from([0x1, 0x2])) if number == 0 else 0x0
        stream += masked(opcode, payload[start:end], fin=end == edges[-1] and number == len(edges) - 2)
        if number < len(edges) - 2 and draw(st.booleans()):
            item, frame = draw(controls)
            found.append(item)
            stream += frame
    return [*found, payload], stream


@settings(max_examples=150, deadline=None)
@given(st.lists(messages(), max_size=5), st.lists(st.integers(0, 10**6), max_size=12))
def test_messages_are_found_however_the_stream_is_cut(sent: list[tuple[list[object], bytes]], cuts: list[int]) -> None:
    stream = b"".join(part for _, part in sent)
    expected = [item for found, _ in sent for item in found]
    assert read_all(stream, cuts, FrameReader(max_message_bytes=MAX_BYTES)) == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_give_items_or_one_error(stream: bytes, cuts: list[int]) -> None:
    reader = FrameReader(max_message_bytes=100, deflate=Deflate())
    try:
        items = read_all(stream, cuts, reader)
    except WebSocketError as error:
        assert error.code in (1002, 1007, 1009)
    else:
        assert all(isinstance(item, bytes | Ping | Pong | Close | Oversize) for item in items)


@settings(max_examples=60, deadline=None)
@given(st.integers(MAX_BYTES + 1, 40_000), st.integers(1, 4), st.lists(st.integers(0, 10**6), max_size=8))
def test_a_message_that_is_too_long_is_passed_by(size: int, pieces: int, cuts: list[int]) -> None:
    payload = os.urandom(size)
    step = -(-size // pieces)
    parts = [payload[at : at + step] for at in range(0, size, step)]
    stream = b"".join(
        masked(0x1 if number == 0 else 0x0, part, fin=number == len(parts) - 1) for number, part in enumerate(parts)
    )
    found, after = read_all(stream + masked(0x1, b"next"), cuts, FrameReader(max_message_bytes=MAX_BYTES))
    assert isinstance(found, Oversize)
    assert found.size_bytes == size
    assert payload.startswith(found.head) and len(found.head) >= 1
    assert after == b"next"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"\x81\x05Hello", 1002),
        (b"\x81\x05Hello....", 1002),
        (masked(0x0, b"x"), 1002),
        (masked(0x1, b"x", fin=False) + masked(0x1, b"y"), 1002),
        (masked(0x1, b"x", rsv1=True), 1002),
        (b"\xa1" + masked(0x1, b"x")[1:], 1002),
        (b"\x83" + masked(0x1, b"x")[1:], 1002),
        (b"\x09" + masked(0x9, b"x")[1:], 1002),
        (b"\x89\xfe\x00\x7e" + bytes(200), 1002),
        (masked(0x8, b"\x03"), 1002),
        (masked(0x8, (1005).to_bytes(2)), 1002),
        (masked(0x8, (999).to_bytes(2)), 1002),
        (b"\x81\xff" + (1 << 40).to_bytes(8) + bytes(8), 1009),
        (b"\x81\xff" + (1 << 63).to_bytes(8) + bytes(8), 1009),
    ],
    ids=range(14),
)
def test_a_broken_stream_has_its_close_code(stream: bytes, code: int) -> None:
    with pytest.raises(WebSocketError) as broken:
        read_all(stream, [], FrameReader(max_message_bytes=MAX_BYTES))
    assert broken.value.code == code


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(b"", Close(1005, "")), (b"\x03\xe8bye", Close(1000, "bye")), (b"\x0f\xa1\xff", Close(4001, "\ufffd"))],
)
def test_a_close_is_read(payload: bytes, expected: Close) -> None:
    assert read_all(masked(0x8, payload), [], FrameReader(max_message_bytes=MAX_BYTES)) == [expected]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70_000])
def test_our_messages_are_read_by_the_oracle(size: int) -> None:
    payload = os.urandom(size)
    assert read_by_the_oracle(text_frame(payload)) == Frame(Opcode.TEXT, payload)


def test_our_control_frames_are_read_by_the_oracle() -> None:
    assert read_by_the_oracle(ping_frame()) == Frame(Opcode.PING, b"")
    assert read_by_the_oracle(pong_frame(b"x")) == Frame(Opcode.PONG, b"x")
    assert read_by_the_oracle(close_frame(1005)) == Frame(Opcode.CLOSE, b"")
    closing = read_by_the_oracle(close_frame(1013, "å" * 200))
    assert OracleClose.parse(closing.data) == OracleClose(1013, "å" * 61)


OFFERS = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9",
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    "x-unknown, permessage-deflate; client_max_window_bits=15",
]


@pytest.mark.parametrize("offer", OFFERS)
def test_compressed_messages_are_unpacked_with_and_without_memory(offer: str) -> None:
    agreed = negotiate(offer)
    assert agreed is not None
    bits = 15
    for parameter in agreed.response.split("; "):
        if parameter.startswith("client_max_window_bits="):
            bits = int(parameter.partition("=")[2])
    keep = "client_no_context_takeover" not in agreed.response
    reader = FrameReader(max_message_bytes=MAX_BYTES, deflate=agreed.deflate)
    packer = zlib.compressobj(wbits=-bits)
    for number in range(20):
        if not keep:
            packer = zlib.compressobj(wbits=-bits)
        message = f'[2,"{number}","MeterValues",{{"value":"{number * 77}"}}]'.encode() * 20
        packed = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        middle = len(packed) // 2
        reader.feed(masked(0x1, packed[:middle], fin=False, rsv1=True) + masked(0x0, packed[middle:]))
        assert reader.next() == message
        unpacked = zlib.decompressobj(wbits=-15).decompress(agreed.deflate.deflate(message) + b"\x00\x00\xff\xff")
        assert unpacked == message


@pytest.mark.parametrize(
    "offer",
    ["", "permessage-deflate; server_max_window_bits=8", "permessage-deflate; nonsense=1", ";;;", "x-other"],
)
def test_an_offer_that_can_not_be_kept_is_left(offer: str) -> None:
    assert negotiate(offer) is None


def test_a_message_that_unpacks_to_too_much_closes() -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = (packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    reader = FrameReader(max_message_bytes=MAX_BYTES * 10, deflate=Deflate())
    reader.feed(masked(0x1, bomb, rsv1=True))
    with pytest.raises(WebSocketError) as refused:
        reader.next()
    assert refused.value.code == 1009


def test_garbage_that_claims_to_be_compressed_closes() -> None:
    reader = FrameReader(max_message_bytes=MAX_BYTES, deflate=Deflate())
    reader.feed(masked(0x1, b"\xff\xff\xff\xff", rsv1=True))
    with pytest.raises(WebSocketError) as refused:
        reader.next()
    assert refused.value.code == 1007

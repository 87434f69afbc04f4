"""How is a valid frame spoilt? Each way is one function of the bytes and the chance; up to three are put on each other."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

LONG_BYTES = 20_000
"""What has become so long is not spoilt once more."""
LONGEST_BYTES = 280_000
Mutation = Callable[[bytes, Random], bytes]

ODD_NUMBERS = (
    b"-1", b"0", b"-0", b"1e999", b"-1e999", b"1e-999", b"NaN", b"Infinity", b"007", b"+5", b"1.", b".5", b"0x1F",
    b"2147483648", b"9223372036854775807", b"9223372036854775808", b"1850027108", b"4296944685", b"9" * 40, b"9" * 5000,
    b"0." + b"0" * 400 + b"1", b"1E400", b"true", b"null", b'"12"', b'" 0.0 "', b"",
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "\0", "\u0001", "\ud800", "\udfff\ud800", "\U0001f50c", "å" * 300, "x" * 70_000, "-1", "0", "-16", "NaN", "null",
    "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:60.999999999-14:00", "2026-02-30T25:61:61Z",
    "2026-03-02T12:00:00", "2026-03-02 12:00", "'; DROP TABLE session; --", "%00", "../../etc/passwd", "{}", "[2]",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", "x", [], {}, [[]], {"": None}, [None] * 50, {"a": {"b": {"c": []}}}, 2**63, 1e308,
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_TEXT = re.compile(rb'"[^"\\]*"')
_FIELD = re.compile(rb'"[A-Za-z]+":(?:"[^"]*"|[-\d.]+)')


def _place(data: bytes, chance: Random) -> int:
    return chance.randrange(len(data) + 1)


def flip_bits(data: bytes, chance: Random) -> bytes:
    if not data:
        return b"\xff"
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def truncate(data: bytes, chance: Random) -> bytes:
    return data[: _place(data, chance)] if chance.random() < 0.8 else data[_place(data, chance) :]


def insert_bytes(data: bytes, chance: Random) -> bytes:
    at = _place(data, chance)
    garbage = chance.choice(
        (
            chance.randbytes(chance.randint(1, 40)),
            b"\0",
            b"\xed\xa0\x80",
            b"\xff\xfe",
            b"\t\r\n",
            b"\\",
            b'"',
            b"\\u0000",
            b"\\ud800",
        )
    )
    return data[:at] + garbage + data[at:]


def cut_out(data: bytes, chance: Random) -> bytes:
    at, end = sorted((_place(data, chance), _place(data, chance)))
    return data[:at] + data[end:]


def repeat_a_part(data: bytes, chance: Random) -> bytes:
    at, end = sorted((_place(data, chance), _place(data, chance)))
    return data[:end] + data[at:end] * chance.randint(1, 5) + data[end:]


def _replace_one(pattern: re.Pattern[bytes], data: bytes, new: Callable[[bytes], bytes], chance: Random) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return data
    match = chance.choice(found)
    return data[: match.start()] + new(match[0]) + data[match.end() :]


def odd_number(data: bytes, chance: Random) -> bytes:
    return _replace_one(_NUMBER, data, lambda _: chance.choice(ODD_NUMBERS), chance)


def odd_text(data: bytes, chance: Random) -> bytes:
    text = chance.choice(ODD_TEXTS)
    as_escapes = json.dumps(text).encode()
    as_bytes = b'"' + text.encode("utf-8", "surrogatepass") + b'"'
    return _replace_one(_TEXT, data, lambda _: chance.choice((as_escapes, as_bytes)), chance)


def absent_value(data: bytes, chance: Random) -> bytes:
    return _replace_one(_NUMBER, data, lambda _: chance.choice((b"", b"undefined", b"None")), chance)


def nest(data: bytes, chance: Random) -> bytes:
    depth = chance.choice((5, 28, 29, 30, 31, 40, 1200, 5_000))
    before, after = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b"", b"]")))
    return _replace_one(_NUMBER, data, lambda old: before * depth + old + after * depth, chance)


def double_a_field(data: bytes, chance: Random) -> bytes:
    return _replace_one(
        _FIELD, data, lambda old: old + b"," + old.partition(b":")[0] + b":" + chance.choice(ODD_NUMBERS), chance
    )


def odd_value(data: bytes, chance: Random) -> bytes:
    """One value of the document, however deep, becomes of another kind, or goes."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return flip_bits(data, chance)
    holder, key = _somewhere(document, chance)
    if holder is None:
        return data
    if chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(ODD_VALUES)
    return json.dumps(document).encode()


def _somewhere(document: Any, chance: Random) -> tuple[Any, Any]:
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, value in items:
            places.append((holder, key))
            waiting.append(value)
    return chance.choice(places) if places else (None, None)


def very_many(data: bytes, chance: Random) -> bytes:
    """A list with very many of what it has."""
    return _replace_one(
        re.compile(rb"\[\{[^\[\]]*\}"),
        data,
        lambda old: old + (b"," + old[1:]) * chance.choice((5, 5, 50, 50, 500, 2000)),
        chance,
    )


def odd_envelope(data: bytes, chance: Random) -> bytes:
    kind = chance.choice((b"0", b"1", b"2", b"3", b"4", b"5", b"-2", b"2.0", b'"2"', b"null", b"[2]", b"2e0"))
    return b"[" + kind + data[2:]


def odd_id(data: bytes, chance: Random) -> bytes:
    ids = (
        b'""',
        b"7",
        b"-1",
        b"null",
        b'"' + b"i" * 300 + b'"',
        b'"\\ud800"',
        b'"\0"',
        b'{"a":1}',
        b'"our-call"',
        b"1e9",
    )
    return re.sub(rb'^(\[\d,)"[^"]*"', lambda match: match[1] + chance.choice(ids), data, count=1)


def whole_nonsense(data: bytes, chance: Random) -> bytes:
    return chance.choice((b"", b"[]", b"[2]", b"{}", b"null", b"0", b'""', b"[" * 50, b"\0" * 20, chance.randbytes(60)))


def swapped(data: bytes, other: bytes) -> bytes:
    """The payload of one call under the action of another."""
    action = re.match(rb'^\[2,"[^"]*",("[^"]*")', other)
    return (
        data
        if action is None
        else re.sub(rb'^(\[2,"[^"]*",)"[^"]*"', lambda match: match[1] + action[1], data, count=1)
    )


def spliced(data: bytes, other: bytes, chance: Random) -> bytes:
    """The beginning of one frame and the end of another."""
    return data[: _place(data, chance)] + other[_place(other, chance) :]


ALONE: tuple[Mutation, ...] = (
    flip_bits, truncate, insert_bytes, cut_out, repeat_a_part, odd_number, odd_text, absent_value, nest, double_a_field,
    odd_value, odd_value, odd_value, very_many, odd_envelope, odd_id, whole_nonsense,
)  # fmt: skip


def mutated(frames: Sequence[bytes], chance: Random) -> bytes:
    """One of the frames, spoilt in one to three ways."""
    data = chance.choice(frames)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if len(data) > LONG_BYTES:
            break
        way = chance.randrange(len(ALONE) + 2)
        if way < len(ALONE):
            data = ALONE[way](data, chance)
        elif way == len(ALONE):
            data = swapped(data, chance.choice(frames))
        else:
            data = spliced(data, chance.choice(frames), chance)
    return data[:LONGEST_BYTES]

"""For how long does one frame hold the gateway, at worst? `python -m tests.hostile` prints the CPU time of each shape.

Each shape fills a frame of the largest size with what is dear to read: brackets, quotes, escapes, numbers without end,
readings without end. tests/rules/ocpp/test_hostile.py asserts that each gives a value; how long it takes is measured
here, by hand, and never asserted.
"""

import sys
import time

from laddbok.ocpp import decode
from laddbok.ocpp.frame import MAX_FRAME_BYTES, Call, Limits, OcppVersion, parse

SAMPLE = b'{"value":"1","measurand":"Voltage","unit":"V","phase":"L1"}'
READING = b'{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}'
SAMPLES = b'[2,"a","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":['
METERS = b'[2,"a","MeterValues",{"connectorId":%b,"meterValue":['

SHAPES: dict[str, tuple[bytes, bytes, bytes]] = {
    "pairs of brackets": (b'[2,"a","X",[', b"[],", b"0]]"),
    "nothing but brackets": (b"", b"[]", b""),
    "nested to the limit": (b'[2,"a","X",[', b"[" * 29 + b"]" * 29 + b",", b"0]]"),
    "quotes": (b'[2,"a","X",' + b"[" * 40, b'"",', b""),
    "brackets in strings": (b'[2,"a","X",[', b'"[",[],', b'0]]'),
    "escaped quotes": (b'[2,"a","X","' + b"[" * 40, b'\\"', b'"]'),
    "no frame at all": (b"", b"x", b""),
    "absent values": (b'[2,"a","MeterValues",{', b'"a":,', b'"b":1}]'),
    "padded numbers": (b'[2,"a","MeterValues",{"a":[', b"007,", b"0]}]"),
    "control characters": (b'[2,"a","MeterValues",{"a":"', b"\x01", b'"}]'),
    "NULs": (b'[2,"a","MeterValues",{"a":"', b"\\u0000", b'"}]'),
    "lone surrogates": (b'[2,"a","MeterValues",{"a":"', b"\\ud800", b'"}]'),
    "one long number": (b'[2,"a","MeterValues",{"connectorId":', b"9", b"}]"),
    "one long number as text": (SAMPLES + b'{"value":"', b"9", b'"}]}]}]'),
    "huge exponents": (b'[2,"a","MeterValues",{"connectorId":"1","x":[', b"1e999999,", b"0]}]"),
    "duplicated keys": (b'[2,"a","MeterValues",{', b'"connectorId":1,', b'"connectorId":1}]'),
    "empty readings": (METERS % b"1", b"{},", b"{}]}]"),
    "empty readings to be mended": (METERS % b'"1"', b"{},", b"{}]}]"),
    "samples": (SAMPLES, SAMPLE + b",", b"{}]}]}]"),
    "samples to be mended": (SAMPLES, SAMPLE.replace(b'"1"', b"1") + b",", b"{}]}]}]"),
    "readings": (METERS % b"1", READING + b"," + b" " * 30, READING + b"]}]"),
    "readings to be mended": (METERS % b'"1"', READING + b"," + b" " * 30, READING + b"]}]"),
}  # fmt: skip


def filled(shape: str, size_bytes: int) -> bytes:
    """A frame of this shape and at most this size."""
    before, unit, after = SHAPES[shape]
    return before + unit * ((size_bytes - len(before) - len(after)) // len(unit)) + after


def main() -> None:
    """Print the CPU time of parsing and decoding each shape, the best of five [ms]."""
    size_bytes = int(sys.argv[1]) if len(sys.argv) > 1 else MAX_FRAME_BYTES
    for shape in SHAPES:
        for size in (size_bytes, min(size_bytes, 32 * 1024)):
            data = filled(shape, size)
            best_s = min(_taken_in(data, size_bytes) for _ in range(5))
            print(f"{shape:30} {len(data):8} bytes {best_s * 1e3:8.2f} ms")


def _taken_in(data: bytes, max_bytes: int) -> float:
    began_s = time.process_time()
    frame = parse(data, OcppVersion.V16, Limits(max_bytes=max_bytes))
    if isinstance(frame, Call):
        decode(frame, OcppVersion.V16)
    return time.process_time() - began_s


if __name__ == "__main__":
    main()

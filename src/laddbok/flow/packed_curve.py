"""How is the curve of a finished session kept?

While a session runs its curve is decoded from its frames whenever somebody looks. When it is settled a job decodes it
once and keeps it packed: of each series the first point and then the differences, so that a day of even readings takes a
few kilobytes and is read in a millisecond. The frames stay the evidence: a packed curve can be thrown away and made
again, and no money is computed from it.

>>> body = packed({"power_w": {(1000, 7400), (61000, 7400), (121000, 0)}})
>>> unpack(body)
{'power_w': [(1000, 7400), (61000, 7400), (121000, 0)]}
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise

import msgspec

from laddbok.flow.changes import CurvePacked
from laddbok.flow.messages import Asked
from laddbok.flow.session_wire import SessionWire
from laddbok.flow.store import SessionEvidence
from laddbok.ocpp.curve import readings

PACK = "pack"
"""The job that packs the curve of a session; its key is the session id."""

Point = tuple[int, int]
"""Milliseconds since 1970, and the value."""

_decoder = msgspec.msgpack.Decoder(dict[str, tuple[list[int], list[int]]])


def pack(evidence: SessionEvidence, now: datetime) -> CurvePacked:
    """The curve of a session from its evidence.

    Source: our choice, design "Evidence".
    """
    session = evidence.session
    wire = SessionWire(session.transaction_id, session.evse_id, session.token)
    series: dict[str, set[Point]] = {}
    for frame in evidence.frames:
        event = Asked.of_row(frame).event
        if event is None or not wire.concerns(event):
            continue
        for name, at, value in readings(event):
            series.setdefault(name, set()).add((ms(at or frame.received_at), value))
    return CurvePacked(tenant=session.tenant, session_id=session.id, at=now, body=packed(series))


def unpack(body: bytes, names: Sequence[str] | None = None) -> dict[str, list[Point]]:
    """The series of a packed curve, each ordered by time; those of these names, or all."""
    columns = _decoder.decode(zlib.decompress(body))
    return {
        name: list(zip(accumulate(at), accumulate(value), strict=True))
        for name, (at, value) in columns.items()
        if names is None or name in names
    }


def ms(at: datetime) -> int:
    """An instant in milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def packed(series: Mapping[str, Iterable[Point]]) -> bytes:
    """The series of a curve, small; `unpack` is the way back."""
    columns = {}
    for name, points in series.items():
        times, amounts = zip(*sorted(points), strict=True)
        columns[name] = (_steps(times), _steps(amounts))
    return zlib.compress(msgspec.msgpack.encode(columns))


def _steps(numbers: tuple[int, ...]) -> list[int]:
    return [numbers[0], *(after - before for before, after in pairwise(numbers))]

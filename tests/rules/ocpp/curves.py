"""The curves of a conversation, straight from its frames."""

from collections.abc import Iterable
from datetime import datetime

from laddbok.ocpp import decode
from laddbok.ocpp.curve import readings
from laddbok.ocpp.frame import Call, OcppVersion, parse

Point = tuple[datetime, int]


def curve(frames: Iterable[tuple[datetime, bytes]], version: OcppVersion) -> dict[str, list[Point]]:
    """Each series ordered by time. Args: frames: (instant of receipt, frame as received)."""
    series: dict[str, set[Point]] = {}
    for received_at, raw in frames:
        frame = parse(raw, version)
        for name, at, value in readings(decode(frame, version) if isinstance(frame, Call) else None):
            series.setdefault(name, set()).add((at or received_at, value))
    return {name: sorted(points) for name, points in series.items()}

"""How are millions of samples brought into the evidence in a few minutes?

Straight into the tables by COPY, as gateways would have left them: minute by minute, a reading of each station, so that
the frames of one session lie as far apart as they do in life. A thousand stations charge one session after the other;
one more has a single session of very many samples all the while.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from laddbok.bench import messages
from laddbok.flow.packed_curve import ms, packed
from laddbok.model.cdr import Activity
from laddbok.model.events import IdToken
from laddbok.model.ids import session_id
from laddbok.model.session import FramePosition, Session, SessionState, TariffChoice
from laddbok.sessions.meter import begin_meter, take_reading
from laddbok.store import rows
from laddbok.store.sql import query

STATIONS = 1_000
SAMPLES = 100
"""Of a usual session."""
LONG_SAMPLES = 10_000
STEP = timedelta(minutes=1)
WH_A_STEP = 100

ROWS_AT_ONCE = 20_000
_SESSION = ("tenant", "id", "origin", "station_no", "station", "site_id", "evse_id", "connector_id", "transaction_id",
            "state", "version", "started_at", "ended_at", "energy_wh", "body")  # fmt: skip
_RANGE = (
    "tenant",
    "session_id",
    "number",
    "station_no",
    "from_epoch",
    "from_seq",
    "to_epoch",
    "to_seq",
    "from_at",
    "to_at",
)


_CURVE = ("tenant", "session_id", "packed_at", "body")


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the evidence now."""

    samples: int
    usual: tuple[str, ...]
    """Ids of the usual sessions."""
    long: str
    """Id of the session with very many samples."""


class _Place(msgspec.Struct, frozen=True):
    tenant: int
    site_id: str
    first_no: int


async def fill(connection: asyncpg.Connection, samples: int) -> Filled:
    """Put so many samples into the evidence, in whole rounds of sessions, with a settled session for each stretch."""
    rounds = max(1, round((samples - LONG_SAMPLES) / (STATIONS * SAMPLES)))
    minutes = rounds * SAMPLES
    began_at = datetime.now(UTC) - timedelta(hours=1) - minutes * STEP
    await connection.fetch(query("frame_days"), began_at.date(), minutes // (24 * 60) + 2)
    place = await _stations(connection, began_at)
    sessions = [
        _session(place, number, part * SAMPLES, SAMPLES, began_at + part * SAMPLES * STEP, STEP)
        for part in range(rounds)
        for number in range(STATIONS)
    ]
    long = _session(place, STATIONS, 0, LONG_SAMPLES, began_at, minutes * STEP / LONG_SAMPLES)
    await _copy(connection, "session", _SESSION, (_session_row(each) for each in (*sessions, long)))
    await _copy(connection, "session_range", _RANGE, (_range_row(each) for each in (*sessions, long)))
    await _copy(connection, "session_curve", _CURVE, (_curve_row(each, STEP) for each in sessions))
    await _copy(connection, "session_curve", _CURVE, iter([_curve_row(long, minutes * STEP / LONG_SAMPLES)]))
    await _copy(connection, "frame", rows.FRAME_COLUMNS, _frames(place, minutes, began_at))
    await connection.execute("VACUUM ANALYZE")
    total = minutes * STATIONS + LONG_SAMPLES
    return Filled(samples=total, usual=tuple(each.id for each in sessions), long=long.id)


async def _stations(connection: asyncpg.Connection, at: datetime) -> _Place:
    site = await connection.fetchrow("SELECT tenant, id FROM site ORDER BY tenant, id LIMIT 1")
    found = await connection.fetch(
        "INSERT INTO station (tenant, identity, site_id, admitted_at, protocol) "
        "SELECT $1, 'BR-' || n, $2, $3, '1.6' FROM generate_series(0, $4) AS n ORDER BY n RETURNING station_no",
        site["tenant"], site["id"], at, STATIONS,
    )  # fmt: skip
    return _Place(site["tenant"], site["id"], min(row["station_no"] for row in found))


def _frames(place: _Place, minutes: int, began_at: datetime) -> Iterator[tuple[Any, ...]]:
    """Every frame, in the order in which they would have come."""
    long_step = minutes * STEP / LONG_SAMPLES
    for minute in range(minutes):
        at = began_at + minute * STEP
        for number in range(STATIONS):
            yield _frame(place, number, minute, at, minute % SAMPLES)
        for step in range(minute * LONG_SAMPLES // minutes, (minute + 1) * LONG_SAMPLES // minutes):
            yield _frame(place, STATIONS, step, began_at + step * long_step, step)


def _frame(place: _Place, number: int, seq: int, at: datetime, sample: int) -> tuple[Any, ...]:
    message_id = f"{number:05d}-{seq:06d}"
    raw = messages.reading(message_id, at, messages.BEGIN_WH + WH_A_STEP * sample, "1")
    answer = b'[3,"%b",{}]' % message_id.encode()
    return (at, place.tenant, place.first_no + number, 1, seq + 1, b"i", b"6", message_id, "MeterValues", raw, answer)


def _session(place: _Place, number: int, seq: int, samples: int, at: datetime, step: timedelta) -> Session:
    station_no, ended_at = place.first_no + number, at + (samples - 1) * step
    meter = begin_meter(at, messages.BEGIN_WH, Activity.CHARGING)
    for sample in range(1, samples):
        meter = take_reading(meter, at + sample * step, messages.BEGIN_WH + WH_A_STEP * sample)
    return Session(
        id=session_id(station_no, 1, seq + 1), tenant=place.tenant, station_no=station_no, station=f"BR-{number}",
        evse_id=1, connector_id=1, protocol="1.6", transaction_id="1", state=SessionState.SETTLED, site_id=place.site_id,
        id_token=IdToken(messages.ID_TAG), token=messages.ID_TAG, tariff=TariffChoice("bench", 1),
        opened=FramePosition(1, seq + 1), through=FramePosition(1, seq + samples), started_at=at,
        transaction_ended_at=ended_at, unplugged_at=ended_at, last_contact_at=ended_at, has_charged=True, meter=meter,
    )  # fmt: skip


def _session_row(s: Session) -> tuple[Any, ...]:
    body = msgspec.json.encode(s).decode()
    return (s.tenant, s.id, "station", s.station_no, s.station, s.site_id, s.evse_id, s.connector_id, s.transaction_id,
            s.state.value, s.version, s.started_at, s.transaction_ended_at, s.energy_wh, body)  # fmt: skip


def _range_row(s: Session) -> tuple[Any, ...]:
    begin, end = s.opened, s.through
    return (
        s.tenant,
        s.id,
        1,
        s.station_no,
        begin.epoch,
        begin.seq,
        end.epoch,
        end.seq,
        s.started_at,
        s.last_contact_at,
    )


def _curve_row(s: Session, step: timedelta) -> tuple[Any, ...]:
    """Packed as the worker does it."""
    at = [ms(s.started_at + number * step) for number in range(s.through.seq - s.opened.seq + 1)]
    register = [(each, messages.BEGIN_WH + WH_A_STEP * number) for number, each in enumerate(at)]
    series = {"register_wh": register, "power_w": [(each, messages.POWER_W) for each in at]}
    return (s.tenant, s.id, s.transaction_ended_at, packed(series))


async def _copy(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], records: Iterator[tuple[Any, ...]]
) -> None:
    while portion := [record for _, record in zip(range(ROWS_AT_ONCE), records, strict=False)]:
        await connection.copy_records_to_table(table, records=portion, columns=columns)

"""What do the columns of our own import format mean?

The format for an operator whose old system has none of the known exports: docs/import.md describes it. Times are
instants with an offset, or wall times in the zone of the row.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from laddbok.model.money import number_of
from laddbok.wires.importers.local_time import Interval, read_local
from laddbok.wires.importers.row import (
    BadRow,
    ImportedSession,
    Rejected,
    Row,
    connector_number,
    each,
    energy_wh,
    optional,
    parsed_time,
    required,
    zone_of,
)

COLUMNS = frozenset({"station", "start", "end", "energy_kwh", "time_zone"})
LEAST_POWER_KW = Decimal("0.001")
MAX_POWER_KW = 2_000


def laddbok_csv(rows: Iterable[Row]) -> Iterator[ImportedSession | Rejected]:
    """Read the rows of our own CSV.

    Source: our choice, docs/import.md.
    """
    return each(rows, _read)


def _read(row: Row, row_number: int) -> ImportedSession:
    zone = zone_of(row, "time_zone")
    used_wh = energy_wh(row, "energy_kwh")
    read = _interval(row, zone, used_wh)
    return ImportedSession(
        source=_source(row),
        source_id=optional(row, "session_id"),
        station=required(row, "station", "station"),
        connector=connector_number(row, "connector"),
        start_at=read.start_at,
        end_at=read.end_at,
        energy_wh=used_wh,
        charging_ended_at=_charging_ended_at(row, zone, read),
        id_token=optional(row, "id_token"),
        site=optional(row, "site"),
        time_zone=zone.key,
        flags=read.flags,
        row_number=row_number,
    )


def _source(row: Row) -> str:
    source = optional(row, "source") or "laddbok_csv"
    # An identity is "source:id"; with a colon in it two sources could claim the same.
    if ":" in source:
        raise BadRow("bad_text", f"source is {source!r}; it can't have a colon")
    return source


def _interval(row: Row, zone: ZoneInfo, used_wh: int) -> Interval:
    start, end = parsed_time(row, "start", "start"), parsed_time(row, "end", "end")
    if (start.tzinfo is None) != (end.tzinfo is None):
        raise BadRow("bad_time", "start and end must both have an offset, or neither")
    if start.tzinfo is None:
        return read_local(start, end, zone, used_wh, _max_power_w(row))
    return Interval(_utc(start), _utc(end))


def _charging_ended_at(row: Row, zone: ZoneInfo, read: Interval) -> datetime | None:
    """A wall time that can be read in two ways is read so that it lies within the session."""
    if optional(row, "charging_ended") is None:
        return None
    ended = parsed_time(row, "charging_ended", "charging_end")
    folds = (ended,) if ended.tzinfo else (ended.replace(tzinfo=zone), ended.replace(tzinfo=zone, fold=1))
    within = [at for fold in folds if read.start_at <= (at := _utc(fold)) <= read.end_at]
    if not within:
        raise BadRow("bad_time", f"charging_ended {ended} is not between start and end")
    return within[0]


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise BadRow("bad_time", f"{at} is outside the calendar") from None


def _max_power_w(row: Row) -> int | None:
    text = optional(row, "max_power_kw")
    if text is None:
        return None
    power_kw = number_of(text.replace(",", "."))
    if power_kw is None or not LEAST_POWER_KW <= power_kw <= MAX_POWER_KW:
        raise BadRow("bad_power", f"max_power_kw is {text!r}")
    return int(power_kw * 1000)

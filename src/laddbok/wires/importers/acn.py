"""What do the fields of ACN-Data mean?

Sessions of the garages at Caltech, JPL and an office: instants in GMT, kWh delivered, an id for each, the zone of the
site, and when the current stopped. That last one can be up to a minute after the unplug; it
is then the unplug.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from laddbok.wires.importers.row import (
    BadRow,
    ImportedSession,
    Rejected,
    Row,
    each,
    energy_wh,
    optional,
    parsed_time,
    required,
    zone_of,
)

COLUMNS = frozenset({"sessionID", "stationID", "connectionTime", "disconnectTime", "kWhDelivered", "timezone"})
TIME = "%a, %d %b %Y %H:%M:%S GMT"


def acn(rows: Iterable[Row]) -> Iterator[ImportedSession | Rejected]:
    """Read the sessions of ACN-Data's JSON.

    Source: Lee, Li, Low 2019, "ACN-Data: Analysis and Applications of an Open EV Charging Dataset".
    """
    return each(rows, _read)


def _read(row: Row, row_number: int) -> ImportedSession:
    start_at = parsed_time(row, "connectionTime", "start", TIME).replace(tzinfo=UTC)
    end_at = parsed_time(row, "disconnectTime", "end", TIME).replace(tzinfo=UTC)
    return ImportedSession(
        source="acn",
        source_id=required(row, "sessionID", "session_id"),
        station=required(row, "stationID", "station"),
        connector=1,
        start_at=start_at,
        end_at=end_at,
        energy_wh=energy_wh(row, "kWhDelivered"),
        charging_ended_at=_charging_ended_at(row, start_at, end_at),
        id_token=optional(row, "userID"),
        site=optional(row, "siteID"),
        time_zone=zone_of(row, "timezone").key,
        flags=(),
        row_number=row_number,
    )


def _charging_ended_at(row: Row, start_at: datetime, end_at: datetime) -> datetime | None:
    if optional(row, "doneChargingTime") is None:
        return None
    done_at = parsed_time(row, "doneChargingTime", "charging_end", TIME).replace(tzinfo=UTC)
    if done_at < start_at:
        raise BadRow("bad_time", f"doneChargingTime {done_at} is before the start")
    return min(done_at, end_at)

"""What do the columns of the twelve Norwegian housing sites mean?

Sessions of 2018 to 2021: wall times of Europe/Oslo, kWh with a decimal comma, an id for each. Every user has a box of
their own, so the user is the station. `connection_time` is not read: at some sites it was computed without the clocks'
change.
"""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from laddbok.wires.importers.local_time import read_local
from laddbok.wires.importers.row import ImportedSession, Rejected, Row, each, energy_wh, optional, parsed_time, required

COLUMNS = frozenset({"location", "user_id", "session_id", "plugin_time", "plugout_time", "energy_session"})
ZONE = ZoneInfo("Europe/Oslo")
MAX_POWER_W = 12_000
"""The highest mean power over half an hour in the data is 11.3 kW."""


def norway_12(rows: Iterable[Row]) -> Iterator[ImportedSession | Rejected]:
    """Read the rows of the article's CSV.

    Source: Sørensen et al. 2024, Data in Brief, residential EV charging data from 12 locations in Norway, CC BY 4.0.
    """
    return each(rows, _read)


def _read(row: Row, row_number: int) -> ImportedSession:
    start, end = parsed_time(row, "plugin_time", "start"), parsed_time(row, "plugout_time", "end")
    used_wh = energy_wh(row, "energy_session")
    read = read_local(start, end, ZONE, used_wh, MAX_POWER_W)
    return ImportedSession(
        source="norway_12",
        source_id=required(row, "session_id", "session_id"),
        station=required(row, "user_id", "station"),
        connector=1,
        start_at=read.start_at,
        end_at=read.end_at,
        energy_wh=used_wh,
        charging_ended_at=None,
        id_token=optional(row, "user_id"),
        site=optional(row, "location"),
        time_zone=ZONE.key,
        flags=read.flags,
        row_number=row_number,
    )

"""What do the columns of Perth & Kinross Council's open data mean?

Public sessions in Scotland 2016 to 2019: wall times of Europe/London to the minute, kWh with a decimal point, no ids.
The model of the station tells the most that it gives.
"""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from laddbok.wires.importers.local_time import read_local
from laddbok.wires.importers.row import (
    ImportedSession,
    Rejected,
    Row,
    connector_number,
    each,
    energy_wh,
    optional,
    parsed_time,
    required,
)

COLUMNS = frozenset({"cp_id", "connector", "start", "end", "kwh", "event_id", "site", "model"})
ZONE = ZoneInfo("Europe/London")
MAX_POWER_W_BY_WORD = {"Semi-Rapid": 24_000, "Rapid": 52_000, "22kW": 24_000, "7kW": 8_000, "7 kW": 8_000}
"""The most that a station gives whose model has this word, with room for the meter's error; the first that fits."""


def perth_kinross(rows: Iterable[Row]) -> Iterator[ImportedSession | Rejected]:
    """Read the rows of the council's CSV.

    Source: Perth & Kinross Council, "Electric Vehicle Charging Station Usage", Open Government Licence v3.
    """
    return each(rows, _read)


def _read(row: Row, row_number: int) -> ImportedSession:
    start, end = parsed_time(row, "start", "start"), parsed_time(row, "end", "end")
    used_wh = energy_wh(row, "kwh")
    read = read_local(start, end, ZONE, used_wh, _max_power_w(row["model"]))
    return ImportedSession(
        source="perth_kinross",
        source_id=optional(row, "event_id"),
        station=required(row, "cp_id", "station"),
        connector=connector_number(row, "connector"),
        start_at=read.start_at,
        end_at=read.end_at,
        energy_wh=used_wh,
        charging_ended_at=None,
        id_token=optional(row, "user_id"),
        site=optional(row, "site"),
        time_zone=ZONE.key,
        flags=read.flags,
        row_number=row_number,
    )


def _max_power_w(model: str) -> int | None:
    return next((power_w for word, power_w in MAX_POWER_W_BY_WORD.items() if word in model), None)

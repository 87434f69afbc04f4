"""What do the columns of ElaadNL's open data mean?

Public sessions in the Netherlands 2019: instants in UTC to the minute, day first, kWh with a decimal comma, an id for
each. `ChargeTime` is how long energy flowed in all, pauses left out, so it doesn't tell when charging ended.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC

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

COLUMNS = frozenset(
    {"TransactionId", "ChargePoint", "Connector", "UTCTransactionStart", "UTCTransactionStop", "TotalEnergy"}
)
TIME = "%d/%m/%Y %H:%M"


def elaadnl(rows: Iterable[Row]) -> Iterator[ImportedSession | Rejected]:
    """Read the rows of ElaadNL's transactions CSV.

    Source: ElaadNL, "Open Datasets for Electric Mobility Research".
    """
    return each(rows, _read)


def _read(row: Row, row_number: int) -> ImportedSession:
    return ImportedSession(
        source="elaadnl",
        source_id=required(row, "TransactionId", "session_id"),
        station=required(row, "ChargePoint", "station"),
        connector=connector_number(row, "Connector"),
        start_at=parsed_time(row, "UTCTransactionStart", "start", TIME).replace(tzinfo=UTC),
        end_at=parsed_time(row, "UTCTransactionStop", "end", TIME).replace(tzinfo=UTC),
        energy_wh=energy_wh(row, "TotalEnergy"),
        charging_ended_at=None,
        id_token=optional(row, "StartCard"),
        site=None,
        time_zone="Europe/Amsterdam",
        flags=(),
        row_number=row_number,
    )

"""What does every import format turn into?

Each row of a file becomes an `ImportedSession` or a `Rejected` with a named reason; nothing is dropped in silence. A
format is one function that reads one row; whatever it can't read it refuses by raising `BadRow`.

>>> row = {"session_id": "A1"}
>>> def read(row, row_number):
...     raise BadRow("missing_end", "end is empty")
>>> [(rejected.row_number, rejected.reason) for rejected in each([row], read)]
[(1, 'missing_end')]
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from laddbok.model.money import number_of

Row = Mapping[str, str]

WRONG_COLUMNS = "\0wrong columns"
"""The key of a row whose number of values is not that of the header; no column can have this name."""

MAX_ENERGY_KWH = 10_000
"""More than the largest truck takes in a week; a value above it is a broken meter. Source: our choice."""

ISO = "iso"
ISO_MIN_LENGTH = len("2026-01-01T00:00")

MAX_TEXT_LENGTH = 255
"""Of an identifier or a name."""

UNSTORABLE = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters, which a database can't hold or nobody can search for."""

MAX_DURATION = timedelta(days=366)

EARLIEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier stamp is that of a clock which was not set. Source: our choice."""

LATEST_AFTER_NOW = timedelta(days=1)
"""A session that ends later than this after the import has not happened yet: a wrong clock. Source: our choice."""


class BadRow(Exception):
    """A row can't be imported; `reason` is counted, `detail` tells a person what is there."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not imported."""

    row_number: int
    reason: str
    detail: str


class ImportedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session out of an operator's history. It is settled, has no CDR, and is never rated or invoiced."""

    source: str
    source_id: str | None
    station: str
    connector: int
    start_at: datetime
    end_at: datetime
    energy_wh: int
    charging_ended_at: datetime | None
    id_token: str | None
    site: str | None
    time_zone: str
    """IANA zone of the site."""
    flags: tuple[str, ...]
    """What a reader should know: how a doubtful hour was read."""
    row_number: int
    """1 is the first row after the header."""

    @property
    def identity(self) -> str:
        """By which a session is known again: the source's id, else where, when and how much."""
        if self.source_id is not None:
            return f"{self.source}:{self.source_id}"
        start, end = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in (self.start_at, self.end_at))
        return f"{self.source}:{self.station}/{self.connector}/{start}/{end}/{self.energy_wh}"


def each(rows: Iterable[Row], read: Callable[[Row, int], ImportedSession]) -> Iterator[ImportedSession | Rejected]:
    """Read every row with `read`; a row that it refuses comes out as rejected."""
    for row_number, row in enumerate(rows, 1):
        try:
            if WRONG_COLUMNS in row:
                raise BadRow("wrong_columns", row[WRONG_COLUMNS])
            yield checked(read(row, row_number))
        except BadRow as error:
            yield Rejected(row_number=row_number, reason=error.reason, detail=error.detail)


def checked(session: ImportedSession) -> ImportedSession:
    """The session, if its instants are possible.

    Raises: BadRow: end_before_start, implausible_duration, bad_time.
    """
    if session.end_at < session.start_at:
        raise BadRow("end_before_start", f"it ends at {session.end_at} and starts at {session.start_at}")
    if session.end_at - session.start_at > MAX_DURATION:
        raise BadRow("implausible_duration", f"it starts at {session.start_at} and ends at {session.end_at}")
    if session.start_at < EARLIEST_AT:
        raise BadRow("bad_time", f"it starts at {session.start_at}: that clock was not set")
    return session


def happened(row: ImportedSession | Rejected, now: datetime) -> ImportedSession | Rejected:
    """The row, rejected as bad_time if its session ends in the future."""
    if isinstance(row, Rejected) or row.end_at <= now + LATEST_AFTER_NOW:
        return row
    detail = f"it ends at {row.end_at}, which is still to come"
    return Rejected(row_number=row.row_number, reason="bad_time", detail=detail)


def required(row: Row, column: str, name: str) -> str:
    """The text of a column.

    Args: name: how the reason calls it: "end" gives missing_end.
    Raises: BadRow: missing_<name>, too_long, bad_text.
    """
    text = optional(row, column)
    if text is None:
        raise BadRow(f"missing_{name}", f"{column} is empty")
    return text


def optional(row: Row, column: str) -> str | None:
    """The text of a column, or None when it is absent, empty or NA.

    Raises: BadRow: too_long, bad_text.
    """
    text = row.get(column, "").strip()
    if UNSTORABLE.search(text):
        raise BadRow("bad_text", f"{column} has control characters: {text[:MAX_TEXT_LENGTH]!r}")
    if len(text) > MAX_TEXT_LENGTH:
        raise BadRow("too_long", f"{column} has {len(text)} characters, at most {MAX_TEXT_LENGTH} are read")
    return None if text in ("", "NA") else text


def energy_wh(row: Row, column: str) -> int:
    """The energy of a column in kWh, with decimal point or comma. [Wh, rounded half up]

    Raises: BadRow: missing_energy, bad_energy, negative_energy, implausible_energy.
    """
    text = required(row, column, "energy")
    kwh = number_of(text.replace(",", "."))
    if kwh is None:
        raise BadRow("bad_energy", f"{column} is {text!r}")
    # Before rounding: -0.0004 kWh is negative too.
    if kwh < 0:
        raise BadRow("negative_energy", f"{column} is {text!r}")
    # Before computing: 1e9999999 kWh times 1000 is more than a Decimal can be.
    if kwh > MAX_ENERGY_KWH:
        raise BadRow("implausible_energy", f"{column} is {text!r}")
    return int((kwh * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def connector_number(row: Row, column: str) -> int:
    """The connector of a column, 1 when it is empty.

    Raises: BadRow: bad_connector.
    """
    text = optional(row, column)
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise BadRow("bad_connector", f"{column} is {text!r}")
    return int(text)


def parsed_time(row: Row, column: str, name: str, pattern: str = ISO) -> datetime:
    """The instant or wall time of a column.

    Args: pattern: as for `strptime`, or ISO for RFC 3339 and its form with a space.
    Raises: BadRow: missing_<name>, bad_time.
    """
    text = required(row, column, name)
    try:
        if pattern != ISO:
            # The format knows the zone.
            return datetime.strptime(text, pattern)  # noqa: DTZ007
        # A date without a time would pass as midnight.
        if len(text) < ISO_MIN_LENGTH:
            raise ValueError
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadRow("bad_time", f"{column} is {text!r}") from None


def zone_of(row: Row, column: str) -> ZoneInfo:
    """The IANA time zone of a column.

    Raises: BadRow: missing_time_zone, bad_time_zone.
    """
    text = required(row, column, "time_zone")
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRow("bad_time_zone", f"{column} is {text!r}, which is no IANA time zone") from None

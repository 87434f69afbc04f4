"""What was used, according to a file of sessions, ready to be priced?

Every format of an operator's history, and a list of OCPI CDRs. A history knows when a session began and ended and how much
it took, but not when: its energy is taken to be spread evenly up to the end of charging, if the file has that; else at a given
power from the start on, and the rest is idle time; else over the whole session. All of it is marked as estimated. Nothing here
is ever billed: it is for comparing prices.

>>> from datetime import UTC
>>> from laddbok.wires.importers.norway_12 import norway_12
>>> row = {"session_id": "A1", "user_id": "P1", "plugin_time": "2019-11-28 19:00:00",
...        "plugout_time": "2019-11-29 08:00:00", "energy_session": "7,2", "location": "A"}
>>> [session] = norway_12([row])
>>> [(period.activity.value, period.end_at.hour) for period in cdr_of(session, power_w=3_600).periods]
[('charging', 20), ('idle', 7)]
>>> [(period.activity.value, period.end_at.hour) for period in cdr_of(session, power_w=None).periods]
[('charging', 7)]
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.ids import imported_session_id
from laddbok.model.tariff import decode_object
from laddbok.rating.local_time import zone_named
from laddbok.wires.country_zones import zone_of
from laddbok.wires.importers import FORMATS
from laddbok.wires.importers.row import ImportedSession, Rejected
from laddbok.wires.importers.session_file import (
    BYTE_ORDER_MARK,
    DAMAGE,
    MAX_JSON_BYTES,
    open_sessions,
    unpacked_file,
)
from laddbok.wires.ocpi_cdr import read_cdr

OCPI = "ocpi"
"""The name of the format of OCPI CDRs; the others are those of an import."""


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """A session's usage, what it is called where it comes from, and whose it is (None: the source does not say)."""

    name: str
    cdr: Cdr
    driver: str | None


class MeteredFile(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a file, and how many rows can't be used, by reason."""

    sessions: tuple[Metered, ...]
    rejected: dict[str, int]


def read_metered(path: Path, format_name: str | None, power_w: int | None, time_zone: str | None) -> MeteredFile:
    """The sessions of a file.

    Args: format_name, one of an import's or "ocpi", None: recognised by the columns or fields; power_w, at which charging is
        taken to go from the start on [W], None: evenly; time_zone, of the sites of OCPI CDRs that don't say theirs.
    Raises: Invalid when the file can't be read or has no format that we know.
    """
    rejected: Counter[str] = Counter()
    cdrs = _ocpi_cdrs(path) if format_name in (None, OCPI) else None
    if cdrs is None:
        if format_name == OCPI:
            raise Invalid("format", f"{path} is no list of OCPI CDRs")
        with open_sessions(path, format_name) as file:
            rows = FORMATS[file.format_name].read(file.rows)
            found = tuple(_imported(rows, power_w, rejected))
    else:
        found = tuple(_foreign(cdrs, time_zone, rejected))
    return MeteredFile(sessions=found, rejected=dict(sorted(rejected.items())))


def cdr_of(session: ImportedSession, power_w: int | None) -> Cdr:
    """A session of a history as a CDR.

    Args: power_w, as for `read_metered`.
    Source: our choice, docs/rules.md "Comparing plans".
    """
    charged_at = _charged_at(session, power_w)
    periods = [_period(session.start_at, charged_at, Activity.CHARGING, session.energy_wh)]
    if charged_at < session.end_at:
        periods.append(_period(charged_at, session.end_at, Activity.IDLE, 0))
    return Cdr(
        session_id=imported_session_id(session.identity),
        started_at=session.start_at,
        charging_ended_at=charged_at,
        transaction_ended_at=session.end_at,
        unplugged_at=session.end_at,
        last_contact_at=session.end_at,
        energy_wh=session.energy_wh,
        periods=tuple(periods),
        time_zone=session.time_zone,
    )


def _charged_at(session: ImportedSession, power_w: int | None) -> datetime:
    """When charging ended: as the file says, as the power says, or at the end."""
    charged_at = session.charging_ended_at
    if charged_at is None and power_w is not None:
        charged_at = session.start_at + timedelta(seconds=-(-session.energy_wh * 3_600 // power_w))
    return session.end_at if charged_at is None else max(session.start_at, min(charged_at, session.end_at))


def _period(start_at: datetime, end_at: datetime, activity: Activity, wh: int) -> ChargingPeriod:
    return ChargingPeriod(start_at=start_at, end_at=end_at, activity=activity, energy_wh=wh, estimated=True)


def _imported(
    rows: Iterator[ImportedSession | Rejected], power_w: int | None, rejected: Counter[str]
) -> Iterator[Metered]:
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, Rejected):
            rejected[row.reason] += 1
        elif row.identity in seen:
            rejected["duplicate"] += 1
        else:
            seen.add(row.identity)
            yield Metered(name=row.source_id or row.identity, cdr=cdr_of(row, power_w), driver=row.id_token)


def _ocpi_cdrs(path: Path) -> list[dict[str, Any]] | None:
    """The OCPI CDRs in a file, also out of a response's envelope; None: it holds something else."""
    try:
        with path.open("rb") as raw:
            text = unpacked_file(raw).read(MAX_JSON_BYTES + 1).removeprefix(BYTE_ORDER_MARK).strip()
    except DAMAGE:
        return None  # whoever reads it next tells what is wrong
    if text[:1] not in (b"[", b"{") or len(text) > MAX_JSON_BYTES:
        return None
    try:
        document = decode_object(b'{"data":' + text + b"}" if text[:1] == b"[" else text, str(path))
    except Invalid:
        return None
    data = document.get("data", [document] if "charging_periods" in document else None)
    found = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
    return found if found and "charging_periods" in found[0] else None


def _foreign(cdrs: list[dict[str, Any]], time_zone: str | None, rejected: Counter[str]) -> Iterator[Metered]:
    """Those that stand: a credit undoes the one that it refers to."""
    undone = {str(each.get("credit_reference_id")) for each in cdrs if each.get("credit")}
    for fields in cdrs:
        if fields.get("credit") or str(fields.get("id")) in undone:
            rejected["credited"] += 1
            continue
        try:
            found = read_cdr(fields)
        except Invalid as error:
            rejected[error.field] += 1
            continue
        zone = found.time_zone or time_zone or (zone_of(found.country) if found.country else None)
        if zone is None:
            rejected["missing_time_zone"] += 1
            continue
        cdr = msgspec.structs.replace(found.cdr, time_zone=zone_named(zone).key)
        yield Metered(name=cdr.session_id, cdr=cdr, driver=_driver(fields))


def _driver(fields: dict[str, Any]) -> str | None:
    token = fields.get("cdr_token")
    named = (token.get("contract_id") or token.get("uid")) if isinstance(token, dict) else None
    return named if isinstance(named, str) else None

"""What is written in one commit?

A use case decides first and writes afterwards, all at once: everything that one batch of frames or one job changes is
collected in `Changes` and committed in one transaction. Nothing here is edited later but sessions, whose every move is
conditional on the version that was read.
"""

from datetime import datetime
from typing import Any

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.proof import Proof
from laddbok.model.rated import Rating
from laddbok.model.session import Session
from laddbok.model.station import Outlet
from laddbok.model.traits import Traits


class FrameRow(msgspec.Struct, frozen=True):
    """One frame of evidence; field order is the table's column order. `direction`: i call, o our call, r its answer."""

    received_at: datetime
    tenant: int
    station_no: int
    connection_epoch: int
    seq: int
    direction: bytes
    protocol: bytes
    message_id: str
    action: str
    raw: bytes
    answer: bytes | None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Something other than a frame on which a session depends. `body` is JSON-able."""

    tenant: int
    session_id: str
    at: datetime
    kind: str
    body: dict[str, Any]
    decided_by: str = "laddbok"


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that could not be used, whole, with the reason."""

    tenant: int
    station_no: int
    connection_epoch: int
    seq: int
    received_at: datetime
    reason: str
    raw: bytes


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A frame about a transaction that nobody knows."""

    tenant: int
    station_no: int
    connection_epoch: int
    seq: int
    received_at: datetime
    action: str
    transaction_id: str
    evse_id: int | None


class OrphanMatched(msgspec.Struct, frozen=True, kw_only=True):
    """An orphan that a person matched to a session; or why that can't be."""

    tenant: int
    station_no: int
    connection_epoch: int
    seq: int
    session_id: str | None = None
    error: str | None = None


class OutletSeen(msgspec.Struct, frozen=True):
    """The last word of a connector."""

    tenant: int
    station_no: int
    outlet: Outlet


class BootSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What a station said of itself when it started."""

    station_no: int
    at: datetime
    protocol: str
    vendor: str
    model: str
    serial_number: str | None
    firmware_version: str | None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work that a worker does later; queued once per kind and key, the earlier due time wins."""

    tenant: int
    kind: str
    key: str
    due_at: datetime


class CommandQueued(msgspec.Struct, frozen=True, kw_only=True):
    """A command that we send by ourselves. `payload` is JSON text."""

    tenant: int
    command_id: str
    station_no: int
    action: str
    payload: bytes
    at: datetime


class CommandMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A command went out (`sent`, only from the queue), or ended. `answer` is JSON text.

    One of ours that is `not_connected` before it went out stays queued, for the station's next connection.
    """

    command_id: str
    status: str
    at: datetime
    answer: bytes | None = None
    session_id: str | None = None
    from_queue: bool = False
    """It ends only if it is still queued: an older connection may be sending it."""


class CdrIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR with its price, final. `kind`: cdr, or credit of an earlier revision. A credit needs no proof of its own."""

    session: Session
    cdr: Cdr
    rating: Rating
    at: datetime
    kind: str = "cdr"
    proof: Proof | None = None


class RangeClosed(msgspec.Struct, frozen=True):
    """A settled session: its stretch of evidence ends at `session.through`, received before `at`."""

    session: Session
    at: datetime


class Attributed(msgspec.Struct, frozen=True):
    """A single frame that bears on a session though it may lie outside its stretch of evidence: the unplugging."""

    session: Session
    at: datetime


class TraitsLearned(msgspec.Struct, frozen=True, kw_only=True):
    """What a session taught of its station, if nobody learned something newer than `known_version` meanwhile."""

    tenant: int
    station_no: int
    session_id: str
    at: datetime
    traits: Traits
    known_version: int


class CurvePacked(msgspec.Struct, frozen=True, kw_only=True):
    """The curve of a finished session, as `flow.packed_curve` keeps it."""

    tenant: int
    session_id: str
    at: datetime
    body: bytes


class Changes(msgspec.Struct, kw_only=True):
    """Everything that one commit writes."""

    frames: list[FrameRow] = []
    opened: list[Session] = []
    moved: list[Session] = []
    """Their `version` is the one that was read; the commit raises it by one or fails as stale."""
    decisions: list[Decision] = []
    outlets: list[OutletSeen] = []
    boots: list[BootSeen] = []
    orphans: list[Orphan] = []
    quarantined: list[Quarantined] = []
    jobs: list[Job] = []
    commands_queued: list[CommandQueued] = []
    commands: list[CommandMoved] = []
    cdrs: list[CdrIssued] = []
    closed_ranges: list[RangeClosed] = []
    attributed: list[Attributed] = []
    traits: list[TraitsLearned] = []
    curves: list[CurvePacked] = []
    orphans_matched: list[OrphanMatched] = []


class Stale(Exception):
    """Somebody else moved these sessions, or the stations belong to another gateway by now."""

    def __init__(self, station_numbers: frozenset[int]) -> None:
        super().__init__(f"stale: stations {sorted(station_numbers)}")
        self.station_numbers = station_numbers


class Withdrawn(Exception):
    """These commands are not queued any more, so they must not go out; nothing of the commit was written."""

    def __init__(self, command_ids: frozenset[str]) -> None:
        super().__init__(f"withdrawn: commands {sorted(command_ids)}")
        self.command_ids = command_ids


class BadData(Exception):
    """The database refuses a value of this commit; nothing of it was written."""


class OutcomeUnknown(Exception):
    """The connection was lost while the commit was under way."""


class StoreDown(Exception):
    """The database can't be reached; nothing was written."""

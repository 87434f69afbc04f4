"""What can happen to a station, as the platform takes it in?

A message is one thing that happened to one station, in the order in which we learned of it: a call that we received, a
command that we are about to send, its answer, or time that has passed. All of them go through the same line and the
same commit, so the evidence has one order.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import CommandQueued, FrameRow
from laddbok.flow.store import Question
from laddbok.model.events import (
    AuthorizeAsked,
    Event,
    IdToken,
    MetersRead,
    TransactionEnded,
    TransactionStarted,
    TransactionUpdated,
)
from laddbok.model.session import FramePosition, Session
from laddbok.model.station import Station, StationState
from laddbok.model.traits import Quirk
from laddbok.ocpp import decode, transaction_status
from laddbok.ocpp.frame import Call, OcppVersion, Undecodable, encode_call
from laddbok.ocpp.frame import parse as parse_frame
from laddbok.ocpp.relabel import relabelled
from laddbok.sessions.advance import NO_TRANSACTION
from laddbok.sessions.authorize import byte_reversed, normalise_token
from laddbok.sessions.facts import Stamp
from laddbok.sessions.match import only_outlet
from laddbok.sessions.open import clock_of, start_key
from laddbok.sessions.timekeeping import instant

ASK_AFTER = timedelta(seconds=10)
"""After a station's first message on a connection nothing more is expected to come by itself."""
VERSION_CODE = {OcppVersion.V16: b"6", OcppVersion.V201: b"2"}
VERSION_OF_CODE = {code: version for version, code in VERSION_CODE.items()}


class StationMemory:
    """One station as its owner knows it: its state, and where its next frame stands in the evidence."""

    __slots__ = ("asked", "counts_kwh", "epoch", "heard_at", "held_since", "next_seq", "state")

    def __init__(self, state: StationState, epoch: int) -> None:
        self.state = state
        self.epoch = epoch
        self.held_since: datetime | None = None
        self.heard_at: datetime | None = None
        """When its first message of this connection was taken in."""
        self.asked: dict[str, bytes] = {}
        """Our questions about transactions, as frames, by the id of their answer."""
        self.next_seq = 1
        self.counts_kwh = False
        self.look_at_units()

    def look_at_units(self) -> None:
        """Note whether the station, or one of its sessions, counts kWh and calls them Wh: then each message is looked at."""
        subjects: tuple[Station | Session, ...] = (self.state.station, *self.state.sessions.values())
        self.counts_kwh = any(counts_kwh(each) for each in subjects)

    def is_settled_in(self, now: datetime) -> bool:
        """Whether the station spoke on this connection, and what it sends by itself after that is over (case S31)."""
        return self.heard_at is not None and now >= self.heard_at + ASK_AFTER

    def stamp(self, received_at: datetime) -> Stamp:
        """The place of the next frame."""
        return Stamp(FramePosition(self.epoch, self.next_seq), received_at)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A call from the station. `event` is what it says, or why it can't be understood."""

    station_no: int
    epoch: int
    received_at: datetime
    version: OcppVersion
    call: Call
    raw: bytes
    event: Event | Undecodable
    answered: bool = False
    """It was answered from memory already (a boot); it is only to be stored."""

    def in_kwh(self) -> "Received":
        """The call of a station that counts kWh and calls them Wh, with its energies in Wh."""
        return replace(self, event=decode(relabelled(self.call), self.version))

    @property
    def needs_number(self) -> bool:
        """Whether the answer names a transaction of ours."""
        return isinstance(self.event, TransactionStarted) and self.event.transaction_id is None

    def question(self, memory: StationMemory) -> Question | None:
        """What must be looked up for it; None: nothing, as for nearly every meter value."""
        event = self.event
        if isinstance(event, MetersRead):
            known = event.transaction_id
            if known is None or known in NO_TRANSACTION or known in memory.state.sessions:
                return None
            return self._ask(memory, None, None, event.evse_id, transaction_id=known)
        if isinstance(event, (TransactionUpdated, TransactionEnded)):
            known = event.transaction_id
            session = memory.state.sessions.get(known)
            if session is not None and event.id_token is None:
                return None
            # What a session takes from our tables is that of its start, also when its driver is known later (case B9).
            at = event.at if session is None else session.started_at
            only = only_outlet(memory.state) if event.evse_id is None else None
            evse_id = only[0] if only else event.evse_id
            return self._ask(memory, event.id_token, at, evse_id, transaction_id=known)
        if isinstance(event, TransactionStarted):
            return self._ask(memory, event.id_token, event.at, event.evse_id, start_key=start_key(event))
        if isinstance(event, AuthorizeAsked):
            return self._ask(memory, event.id_token, None, None)
        return None

    def _ask(
        self,
        memory: StationMemory,
        id_token: IdToken | None,
        at: datetime | None,
        evse_id: int | None,
        **keys: str,
    ) -> Question:
        token = normalise_token(id_token.value) if id_token and id_token.value else None
        return Question(
            tenant=memory.state.station.tenant,
            station_no=self.station_no,
            evse_id=evse_id,
            token=token,
            reversed_token=byte_reversed(token, id_token.kind) if token and id_token else None,
            asks_to_charge=not isinstance(self.event, TransactionEnded),
            at=instant(at, self.received_at, clock_of(memory.state.station))[0],
            **keys,
        )


class Commanded(msgspec.Struct, frozen=True, kw_only=True):
    """A command that goes out as soon as this is stored: sent at most once."""

    station_no: int
    epoch: int
    received_at: datetime
    version: OcppVersion
    command_id: str
    action: str
    payload: bytes
    raw: bytes

    @classmethod
    def of_queued(cls, queued: CommandQueued, epoch: int, version: OcppVersion, received_at: datetime) -> "Commanded":
        """A queued command, ready to go out on this connection."""
        return cls(
            station_no=queued.station_no,
            epoch=epoch,
            received_at=received_at,
            version=version,
            command_id=queued.command_id,
            action=queued.action,
            payload=queued.payload,
            raw=encode_call(queued.command_id, queued.action, queued.payload),
        )


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command. `raw` is the station's answer verbatim, None when none came."""

    station_no: int
    epoch: int
    received_at: datetime
    version: OcppVersion
    command_id: str
    action: str
    status: str
    raw: bytes | None
    answer: bytes | None


class Elapsed(msgspec.Struct, frozen=True, kw_only=True):
    """A running session waited long enough for its stop."""

    station_no: int
    epoch: int
    received_at: datetime
    transaction_id: str


Entry = Received | Commanded | Returned | Elapsed


class Reply(msgspec.Struct, frozen=True):
    """What to do with the connection of a message, now that it is stored: answer, refuse, or (dropped) close it."""

    entry: Entry
    payload: bytes | None = None
    error: tuple[str, str] | None = None
    is_dropped: bool = False

    @classmethod
    def dropped(cls, entry: Entry) -> "Reply":
        """The state behind it is stale: the connection is to be closed, and nothing answered."""
        return cls(entry, is_dropped=True)


class Asked(msgspec.Struct, frozen=True):
    """A stored call, understood again."""

    stamp: Stamp
    event: Any

    @classmethod
    def of_row(cls, row: FrameRow, is_in_kwh: bool = False) -> "Asked":
        """The event that a stored frame carries; None for our own calls and for what can't be understood.

        Args: is_in_kwh: its station counts kWh and calls them Wh.
        """
        stamp = Stamp(FramePosition(row.connection_epoch, row.seq), row.received_at)
        if row.direction != b"i":
            return cls(stamp, None)
        version = VERSION_OF_CODE[row.protocol]
        call = parse_frame(row.raw, version)
        event = None
        if isinstance(call, Call):
            event = decode(relabelled(call) if is_in_kwh else call, version)
        return cls(stamp, None if isinstance(event, Undecodable) else event)


def counts_kwh(subject: Station | Session) -> bool:
    """Whether this station, or that of this session when it opened, is known to count kWh and call them Wh (case S38)."""
    return subject.traits.register_unit_wh != 1 or Quirk.REGISTER_IN_KWH in subject.quirks


def understood(rows: Iterable[FrameRow], is_in_kwh: bool = False) -> Iterator[Asked]:
    """Stored frames in order, understood again: the station's calls, and its answers to our questions about transactions.

    Args: is_in_kwh: their station counts kWh and calls them Wh.
    """
    questions: dict[str, bytes] = {}
    for row in rows:
        if row.action == transaction_status.ACTION and row.direction == b"o":
            questions[row.message_id] = row.raw
        if row.direction == b"r" and row.message_id in questions:
            stamp = Stamp(FramePosition(row.connection_epoch, row.seq), row.received_at)
            yield Asked(stamp, transaction_status.told(questions[row.message_id], row.raw))
        else:
            yield Asked.of_row(row, is_in_kwh)

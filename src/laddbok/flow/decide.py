"""What do the rules make of one message?

`decide` is pure: it takes one message, the station's memory and what was looked up, and returns everything that is to be
stored and answered. Nothing is visible before that is committed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import msgspec

from laddbok.flow.changes import (
    Attributed,
    BootSeen,
    Changes,
    CommandMoved,
    CommandQueued,
    Decision,
    FrameRow,
    Job,
    Orphan,
    OutletSeen,
    Quarantined,
)
from laddbok.flow.evidence import SUPERSEDED, Taken, closed_softly, facts_used, matched
from laddbok.flow.messages import VERSION_CODE, Commanded, Elapsed, Entry, Received, Returned, StationMemory
from laddbok.flow.store import Found
from laddbok.model.events import Booted, HeartbeatSent, TransactionEnded
from laddbok.model.session import RUNNING_STATES, Session, SessionState
from laddbok.model.station import Outlet, Station
from laddbok.ocpp import respond, transaction_status
from laddbok.ocpp.first_settings import first_settings
from laddbok.ocpp.frame import ErrorCode, Undecodable, encode_result, spelled
from laddbok.sessions.advance import UNPLUG_TIMEOUT, advance, is_lost
from laddbok.sessions.close import SETTLE_AFTER, close_softly
from laddbok.sessions.facts import Facts, Stamp
from laddbok.sessions.receive import Outcome, receive

SETTLE = "settle"
"""The job that makes a CDR of an ended session."""
LATE_LOOK = timedelta(minutes=15)
"""A session that goes on after it was settled at a guess is looked at so often at most, for all of it is read each time."""

_NO_FACTS = Facts()


class Decided(msgspec.Struct, kw_only=True):
    """One message decided: what it stores, what it answers, and the new state that follows."""

    entry: Entry
    stamp: Stamp
    frames: list[FrameRow] = []
    sessions: tuple[Session, ...] = ()
    opened: Session | None = None
    moved: list[Session] = []
    outlet: Outlet | None = None
    booted: Station | None = None
    """The station as it said to be at its boot."""
    payload: bytes | None = None
    error: tuple[str, str] | None = None
    also: Changes | None = None
    """Whatever else it stores."""

    def add_to(self, changes: Changes) -> None:
        """Put all of it into one commit."""
        changes.frames += self.frames
        changes.moved += self.moved
        if self.opened is not None:
            changes.opened.append(self.opened)
        if self.also is not None:
            for name in _OTHERS:
                getattr(changes, name).extend(getattr(self.also, name))


_OTHERS = (
    "decisions",
    "outlets",
    "boots",
    "orphans",
    "quarantined",
    "jobs",
    "commands",
    "attributed",
    "commands_queued",
)


def decide(entry: Entry, memory: StationMemory, found: Found | None, number: int | None) -> Decided:
    """What is to be stored and answered for one message.

    Args: `number` is a fresh 1.6 transaction id, for a start.
    """
    if isinstance(entry, Received):
        if type(entry.event) is Undecodable:
            return quarantine(entry, memory, entry.event.reason, entry.event.code)
        return _received(entry, memory, found, number)
    if isinstance(entry, Commanded):
        return _commanded(entry, memory)
    if isinstance(entry, Returned):
        return _returned(entry, memory)
    return _elapsed(entry, memory)


def quarantine(entry: Entry, memory: StationMemory, reason: str, code: str | None = None) -> Decided:
    """The message alone in quarantine, with the reason; the station gets an error, so that it does not wait."""
    stamp = memory.stamp(entry.received_at)
    if not isinstance(entry, Received):
        return Decided(entry=entry, stamp=stamp)
    code = code or spelled(ErrorCode.INTERNAL_ERROR, entry.version)
    row = Quarantined(
        tenant=memory.state.station.tenant,
        station_no=entry.station_no,
        connection_epoch=stamp.position.epoch,
        seq=stamp.position.seq,
        received_at=entry.received_at,
        reason=reason.replace("\0", "\\0")[:500],
        raw=entry.raw,
    )
    return Decided(entry=entry, stamp=stamp, error=(code, reason[:255]), also=Changes(quarantined=[row]))


def _received(entry: Received, memory: StationMemory, found: Found | None, number: int | None) -> Decided:
    """A call that we understand: the rules decide, the wire words the answer, the frame keeps both."""
    stamp = memory.stamp(entry.received_at)
    facts = _NO_FACTS if found is None else Facts(start=found.facts, transaction_number=number)
    assert not isinstance(entry.event, Undecodable)
    outcome = receive(memory.state, entry.event, stamp, facts)
    payload = respond(entry.event, outcome.answer, entry.version)
    if type(entry.event) is HeartbeatSent:
        return Decided(entry=entry, stamp=stamp, payload=payload)
    answer = encode_result(entry.call.message_id, payload)
    row = _row(entry, memory, stamp, b"i", entry.call.message_id, entry.call.action, entry.raw, answer)
    moved = [s for s in outcome.sessions if s is not outcome.opened and _is_move(memory, s)]
    return Decided(
        entry=entry,
        stamp=stamp,
        frames=[row],
        sessions=outcome.sessions,
        opened=outcome.opened,
        moved=moved,
        outlet=outcome.outlet,
        booted=None if outcome.booted is None else _booted(entry, memory, outcome.booted),
        payload=payload,
        also=_also(entry, memory, stamp, facts, outcome, moved),
    )


def _is_move(memory: StationMemory, session: Session) -> bool:
    """Whether the stored row must follow at once: a new state, or a driver who is known by now."""
    before = memory.state.sessions.get(session.transaction_id)
    return before is None or before.state is not session.state or before.token != session.token


def _also(
    entry: Received, memory: StationMemory, stamp: Stamp, facts: Facts, outcome: Outcome, moved: list[Session]
) -> Changes | None:
    """Decisions, jobs and the station's own rows that follow from an outcome; None for a plain meter value."""
    opened = outcome.opened
    changed = [opened, *moved] if opened else moved
    ended = [session for session in outcome.sessions if session.state is SessionState.ENDED]
    seen = outcome.outlet is not None or outcome.booted is not None or outcome.orphan_transaction_id is not None
    if not (changed or ended or seen or outcome.late):
        return None
    changes = Changes(decisions=list(_what_was_taken(changed, memory, stamp, facts, outcome)))
    _make_way(changes, entry, memory, stamp, outcome)
    for session in ended:
        changes.jobs.append(settle_job(session, stamp))
        if all(session is not each for each in changed):
            changes.attributed.append(Attributed(session, stamp.received_at))
    if outcome.late is not None:
        _take_late(changes, entry, memory, stamp, facts, outcome.late)
    if seen:
        _see(changes, entry, memory, stamp, outcome)
    return changes


def _what_was_taken(
    changed: list[Session], memory: StationMemory, stamp: Stamp, facts: Facts, outcome: Outcome
) -> Iterator[Decision]:
    """What these sessions took from our tables, and by what they were found."""
    for session in changed:
        before = memory.state.sessions.get(session.transaction_id)
        if session is outcome.opened or before is None or before.token != session.token:
            outlet = memory.state.outlets.get((session.evse_id, session.connector_id))
            yield facts_used(session, stamp, Taken(stamp.position, facts, memory.state.station, outlet))
    if outcome.given is not None:
        yield from (matched(session, outcome.given, stamp.received_at) for session in changed)


def _make_way(changes: Changes, entry: Received, memory: StationMemory, stamp: Stamp, outcome: Outcome) -> None:
    """The sessions that a new one ends: those that we hold, and one that was settled at a guess."""
    opened = outcome.opened
    if opened is None:
        return
    changes.decisions += [_superseded(session, stamp) for session in outcome.sessions if session is not opened]
    if (left := _left_at_a_guess(entry, memory, opened)) is not None:
        changes.decisions.append(_superseded(left, stamp))
        changes.attributed.append(Attributed(left, stamp.received_at))
        changes.jobs.append(Job(tenant=left.tenant, kind=SETTLE, key=left.id, due_at=stamp.received_at))


def _take_late(
    changes: Changes, entry: Received, memory: StationMemory, stamp: Stamp, facts: Facts, late: Session
) -> None:
    """A message about a session that was settled: it is kept with it, and the session is looked at anew."""
    reached = msgspec.structs.replace(late, through=stamp.position)
    if reached.id_token is None and getattr(entry.event, "id_token", None) is not None:
        taken = Taken(stamp.position, facts, memory.state.station, None)
        changes.decisions.append(facts_used(reached, stamp, taken))
    changes.attributed.append(Attributed(reached, stamp.received_at))
    due_at = stamp.received_at + (SETTLE_AFTER if isinstance(entry.event, TransactionEnded) else LATE_LOOK)
    changes.jobs.append(Job(tenant=reached.tenant, kind=SETTLE, key=reached.id, due_at=due_at))


def _see(changes: Changes, entry: Received, memory: StationMemory, stamp: Stamp, outcome: Outcome) -> None:
    """What the station says of itself: an outlet's status, its boot, a transaction that nobody knows."""
    station = memory.state.station
    if outcome.outlet is not None:
        changes.outlets.append(OutletSeen(station.tenant, entry.station_no, outcome.outlet))
    if outcome.booted is not None:
        changes.boots.append(_boot_seen(entry, outcome.booted))
        if station.booted_at is None:
            changes.commands_queued += _first_commands(entry, station.tenant, stamp)
    if outcome.orphan_transaction_id is not None:
        changes.orphans.append(_orphan(entry, memory, stamp, outcome.orphan_transaction_id))


def settle_job(session: Session, stamp: Stamp) -> Job:
    """When an ended session is to be settled: after the closing values, or after the unplugging that the tariff awaits."""
    due_at = session.due_at or stamp.received_at
    if session.waits_for_unplug and session.unplugged_at is None:
        due_at = stamp.received_at + UNPLUG_TIMEOUT
    return Job(tenant=session.tenant, kind=SETTLE, key=session.id, due_at=due_at)


def _left_at_a_guess(entry: Received, memory: StationMemory, opened: Session) -> Session | None:
    """The session before on this EVSE, if it was closed at a guess and settled, so that we hold it no longer (S63).

    It gives way like one that we hold: its late stop must not take what is metered from now on. Only where it stands is
    true of the session that is returned; the worker reads the rest.
    """
    before = opened.before
    if before is None or before.was_stopped or isinstance(entry.event, TransactionEnded):
        return None
    is_held = any(session.id == before.session_id for session in memory.state.sessions.values())
    return None if is_held else msgspec.structs.replace(opened, id=before.session_id)


def _superseded(session: Session, stamp: Stamp) -> Decision:
    """This start was a new one and ended the session, where the same frame sent once more would say nothing."""
    body = {"position": msgspec.to_builtins(stamp.position)}
    return Decision(tenant=session.tenant, session_id=session.id, at=stamp.received_at, kind=SUPERSEDED, body=body)


def _booted(entry: Received, memory: StationMemory, booted: Booted) -> Station:
    return msgspec.structs.replace(
        memory.state.station,
        vendor=booted.vendor,
        model=booted.model,
        firmware_version=booted.firmware_version,
        booted_at=entry.received_at,
    )


def _boot_seen(entry: Received, booted: Booted) -> BootSeen:
    return BootSeen(
        station_no=entry.station_no,
        at=entry.received_at,
        protocol=entry.version.value.removeprefix("ocpp"),
        vendor=booted.vendor,
        model=booted.model,
        serial_number=booted.serial_number,
        firmware_version=booted.firmware_version,
    )


def _first_commands(entry: Received, tenant: int, stamp: Stamp) -> list[CommandQueued]:
    """What a station is told once, after its first boot here."""
    place = f"{entry.station_no}/{stamp.position.epoch}/{stamp.position.seq}"
    return [
        CommandQueued(
            tenant=tenant,
            command_id=str(uuid5(NAMESPACE_OID, f"{place}/{number}")),
            station_no=entry.station_no,
            action=action,
            payload=payload,
            at=entry.received_at,
        )
        for number, (action, payload) in enumerate(first_settings(entry.version))
    ]


def _orphan(entry: Received, memory: StationMemory, stamp: Stamp, transaction_id: str) -> Orphan:
    return Orphan(
        tenant=memory.state.station.tenant,
        station_no=entry.station_no,
        connection_epoch=stamp.position.epoch,
        seq=stamp.position.seq,
        received_at=entry.received_at,
        action=entry.call.action,
        transaction_id=transaction_id,
        evse_id=getattr(entry.event, "evse_id", None),
    )


def _commanded(entry: Commanded, memory: StationMemory) -> Decided:
    stamp = memory.stamp(entry.received_at)
    row = _row(entry, memory, stamp, b"o", entry.command_id, entry.action, entry.raw, None)
    sent = CommandMoved(command_id=entry.command_id, status="sent", at=entry.received_at)
    return Decided(entry=entry, stamp=stamp, frames=[row], payload=entry.payload, also=Changes(commands=[sent]))


def _returned(entry: Returned, memory: StationMemory) -> Decided:
    stamp = memory.stamp(entry.received_at)
    frames = []
    if entry.raw is not None:
        frames.append(_row(entry, memory, stamp, b"r", entry.command_id, entry.action, entry.raw, None))
    ended = CommandMoved(command_id=entry.command_id, status=entry.status, at=entry.received_at, answer=entry.answer)
    sessions = _sessions_asked_about(entry, memory, stamp)
    return Decided(entry=entry, stamp=stamp, frames=frames, sessions=sessions, also=Changes(commands=[ended]))


def _sessions_asked_about(entry: Returned, memory: StationMemory, stamp: Stamp) -> tuple[Session, ...]:
    """The session whose transaction we asked about, as the answer makes it (case S24)."""
    asked = memory.asked.get(entry.command_id)
    told = transaction_status.told(asked, entry.raw) if asked is not None and entry.raw is not None else None
    session = memory.state.sessions.get(told.transaction_id) if told is not None else None
    if told is None or session is None:
        return ()
    after = advance(told, session, stamp, Facts())
    return () if after is session else (after,)


def to_ask(memory: StationMemory, ran: Mapping[str, datetime], now: datetime) -> list[CommandQueued]:
    """Our questions about the transactions of a 2.0.1 station that came back and has not spoken of them (cases S24, S31).

    Args: ran: the transactions that ran when it came back, with the instant of the last reading of each.
    """
    station = memory.state.station
    if station.protocol == "1.6":
        return []
    running = [s for s in memory.state.sessions.values() if s.state in RUNNING_STATES]
    silent = [s for s in running if ran.get(s.transaction_id) == s.meter.mark_at]
    return [
        CommandQueued(
            tenant=station.tenant,
            command_id=str(uuid5(NAMESPACE_OID, f"{session.id}/{memory.epoch}/status")),
            station_no=station.station_no,
            action=action,
            payload=payload,
            at=now,
        )
        for session in silent
        for action, payload in (transaction_status.question(session.transaction_id),)
    ]


def _elapsed(entry: Elapsed, memory: StationMemory) -> Decided:
    """The wait for a stop is over: the session is closed at its last reading."""
    stamp = memory.stamp(entry.received_at)
    session = memory.state.sessions.get(entry.transaction_id)
    if session is None or not is_lost(session, entry.received_at):
        return Decided(entry=entry, stamp=stamp)
    closed = close_softly(session, entry.received_at)
    also = Changes(decisions=[closed_softly(session, entry.received_at)], jobs=[settle_job(closed, stamp)])
    return Decided(entry=entry, stamp=stamp, sessions=(closed,), moved=[closed], also=also)


def _row(
    entry: Received | Commanded | Returned,
    memory: StationMemory,
    stamp: Stamp,
    direction: bytes,
    message_id: str,
    action: str,
    raw: bytes,
    answer: bytes | None,
) -> FrameRow:
    return FrameRow(
        entry.received_at,
        memory.state.station.tenant,
        entry.station_no,
        stamp.position.epoch,
        stamp.position.seq,
        direction,
        VERSION_CODE[entry.version],
        message_id,
        action,
        raw,
        answer,
    )

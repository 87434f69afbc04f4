"""What must be true after every event?

`Safety` is told of every frame that arrives, every commit that happened and every answer that goes out, and keeps books
of its own: it never asks the platform what it believes. Whatever does not hold is a `Violation` at the very event.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from laddbok.flow.changes import CdrIssued, Changes, Decision, FrameRow
from laddbok.flow.messages import StationMemory
from laddbok.flow.store import Claim
from laddbok.model.energy import Method
from laddbok.model.session import RUNNING_STATES, FramePosition, Session, SessionState
from tests.sim.world import Violation, World

Key = tuple[Any, ...]
ANSWERED_FROM_MEMORY = frozenset({"Heartbeat", "BootNotification"})
MOVES = {
    SessionState.PENDING: {SessionState.PENDING, SessionState.ACTIVE, SessionState.ENDED},
    SessionState.ACTIVE: {SessionState.ACTIVE, SessionState.ENDED},
    SessionState.ENDED: {SessionState.ENDED, SessionState.SETTLED, SessionState.REVIEW, SessionState.VOID},
    SessionState.SETTLED: {SessionState.SETTLED},
    SessionState.REVIEW: {SessionState.REVIEW},
    SessionState.VOID: {SessionState.VOID, SessionState.REVIEW},
}
"""Where a session may go by itself. One that we closed at a guess may also run again."""


class Safety:
    """The books of one run."""

    def __init__(self, world: World, tenant: int) -> None:
        self._world = world
        self.tenant = tenant
        self.names: dict[int, str] = {}
        """Identity by station_no."""
        self.frames: dict[tuple[int, FramePosition], FrameRow] = {}
        self.sessions: dict[str, Session] = {}
        self.of_transaction: dict[Key, list[str]] = {}
        """The sessions of each transaction, as its opening frame names it."""
        self.cdrs: dict[tuple[str, int, str], bytes] = {}
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.closed_softly: set[str] = set()
        self.displaced: set[str] = set()
        """Sessions that gave way to an old start, told again, which nobody could tell from a new one."""
        self.epochs: Counter[int] = Counter()
        self.behind: dict[int, int] = {}
        """Of each station the last epoch under which something was stored though a newer one had begun."""
        self._told_again: set[tuple[int, FramePosition]] = set()
        self._calls: set[tuple[int, bytes]] = set()
        self._arrived: dict[tuple[int, bytes], set[int]] = {}
        self._numbers: dict[str, str] = {}
        self._valid: Counter[str] = Counter()
        """CDRs less credits, by session."""

    # ------------------------------------------------------------------ what it is told
    def arrived(self, station_no: int, epoch: int, raw: bytes) -> None:
        """A frame came in on the connection of this epoch."""
        self._arrived.setdefault((station_no, raw), set()).add(epoch)

    def claimed(self, claims: dict[int, Claim]) -> None:
        """Stations were taken over: each time under a higher epoch."""
        for number, claim in claims.items():
            if claim.epoch <= self.epochs[number]:
                raise self._violation("an epoch is new", f"{claim.epoch} after {self.epochs[number]}", number)
            self.epochs[number] = claim.epoch

    def answered(self, station_no: int, action: str, raw: bytes) -> None:
        """A call was acknowledged: it must be stored by now."""
        if action not in ANSWERED_FROM_MEMORY and (station_no, raw) not in self._calls:
            raise self._violation("acknowledged means durable", f"{action} is answered and not stored", station_no)

    def believed(self, station_no: int, memory: StationMemory) -> None:
        """A desk's memory, when nothing of the station is under way: nothing in it that is not stored."""
        if (station_no, FramePosition(memory.epoch, memory.next_seq)) in self.frames:
            raise self._violation("memory knows its frames", f"frame {memory.next_seq} is stored already", station_no)
        ahead = memory.next_seq - 1
        if ahead and (station_no, FramePosition(memory.epoch, ahead)) not in self.frames:
            raise self._violation("visible means stored", f"frame {ahead} is counted and not stored", station_no)
        for session in memory.state.sessions.values():
            if session.id not in self.sessions:
                raise self._violation("visible means stored", f"session {session.id} is not stored", station_no)
            if session.version > self.sessions[session.id].version:
                raise self._violation("visible means stored", f"session {session.id} is ahead", station_no)
            if (station_no, session.through) not in self.frames:
                raise self._violation("visible means stored", f"{session.through} is not stored", station_no)

    def committed(self, changes: Changes, by: str) -> None:
        """A commit happened."""
        for frame in changes.frames:
            self._frame(frame)
        for session in changes.opened:
            self._opened(session)
        for session in changes.moved:
            self._moved(session)
        for decision in changes.decisions:
            self.decisions[decision.session_id, decision.kind] += 1
            if decision.kind == "closed_softly":
                self.closed_softly.add(decision.session_id)
            if decision.kind == "superseded" and self._gave_way_to(decision) in self._told_again:
                self.displaced.add(decision.session_id)
        for issued in changes.cdrs:
            self._issued(issued)
        for bad in changes.quarantined:
            if b"poison" not in bad.raw:
                raise self._violation("nothing good is refused", f"{bad.reason}: {bad.raw!r}", bad.station_no)
        for orphan in changes.orphans:
            raise self._violation("no orphans", f"{orphan.action} of {orphan.transaction_id}", orphan.station_no)
        self._note(changes, by)

    # ------------------------------------------------------------------ what must hold
    def _frame(self, frame: FrameRow) -> None:
        place = FramePosition(frame.connection_epoch, frame.seq)
        number = frame.station_no
        if (number, place) in self.frames:
            raise self._violation("a place holds one frame", f"{place} is written twice", number)
        self.frames[number, place] = frame
        if frame.connection_epoch < self.epochs[number]:
            self.behind[number] = max(frame.connection_epoch, self.behind.get(number, 0))
        if frame.direction != b"i":
            return
        self._calls.add((number, frame.raw))
        if frame.connection_epoch not in self._arrived.get((number, frame.raw), ()):
            text = f"{frame.action} is stored under epoch {frame.connection_epoch}, where it did not arrive"
            raise self._violation("the epoch fences", text, number)

    def _opened(self, session: Session) -> None:
        number = session.station_no
        if session.id in self.sessions:
            raise self._violation("a session id is one session's", session.id, number)
        self.sessions[session.id] = session
        if session.protocol == "1.6":
            if session.transaction_id in self._numbers:
                text = f"{session.transaction_id} of {self._numbers[session.transaction_id]} and {session.id}"
                raise self._violation("a transaction id is given out once", text, number)
            self._numbers[session.transaction_id] = session.id
        key = opening_key(number, self.frames[number, session.opened])
        others = self.of_transaction.setdefault(key, [])
        if any(not self._is_forgotten(self.sessions[other]) for other in others):
            raise self._violation("no transaction in two sessions", f"{others} and {session.id}", number)
        if others:
            self._told_again.add((number, session.opened))
        others.append(session.id)

    def _gave_way_to(self, decision: Decision) -> tuple[int, FramePosition]:
        """Where the start stands that ended this session."""
        place = msgspec.convert(decision.body["position"], FramePosition)
        return self.sessions[decision.session_id].station_no, place

    def _is_forgotten(self, session: Session) -> bool:
        """A start of a clock that began anew can't be told from its repetition once its session is over."""
        began = b"1970-01-01T" in self.frames[session.station_no, session.opened].raw
        return began and session.state not in RUNNING_STATES

    def _moved(self, session: Session) -> None:
        before = self.sessions[session.id]
        if session.version != before.version:
            raise self._violation("a session moves once", f"from version {session.version}", session.station_no)
        reopened = before.state is SessionState.ENDED and session.state in RUNNING_STATES and before.was_guessed_over
        if session.state not in MOVES[before.state] and not reopened:
            raise self._violation("what ended stays ended", f"{before.state} -> {session.state}", session.station_no)
        is_same = (session.energy_wh, session.revision) == (before.energy_wh, before.revision)
        is_corrected = session.revision == before.revision + 1
        if before.state is SessionState.SETTLED and not (is_same or is_corrected):
            raise self._violation("a settled session stays", session.id, session.station_no)
        self.sessions[session.id] = msgspec.structs.replace(session, version=session.version + 1)

    def _issued(self, issued: CdrIssued) -> None:
        session, document, rating = issued.session, issued.cdr, issued.rating
        key = session.id, document.revision, issued.kind
        number = session.station_no
        if key in self.cdrs:
            raise self._violation("a CDR is issued once", str(key), number)
        self.cdrs[key] = cdr_bytes(issued)
        self._valid[session.id] += 1 if issued.kind == "cdr" else -1
        if issued.kind == "credit":
            if self.cdrs.get((session.id, document.revision, "cdr")) != self.cdrs[key]:
                raise self._violation("a credit mirrors its CDR", str(key), number)
            return
        if sum(period.energy_wh for period in document.periods) != document.energy_wh:
            raise self._violation("the periods sum to the energy", session.id, number)
        followed = not session.meter.notes and not _is_continued(session)
        if session.energy_wh != document.energy_wh or (followed and _by_registers(session) != document.energy_wh):
            text = f"{document.energy_wh} Wh in the CDR, {_by_registers(session)} Wh by the registers, {session.id}"
            raise self._violation("CDR energy is end less start", text, number)
        for side in ("excl_vat", "incl_vat"):
            _check_sum(rating.lines, side, getattr(rating, side), session.id)

    def overlapped(self, session: Session) -> bool:
        """Whether an older gateway stored something of the station, since the session began, after a newer one had it."""
        return self.behind.get(session.station_no, 0) >= session.opened.epoch

    def settled_once(self) -> None:
        """After a commit, no session has two CDRs that count."""
        for session_id, count in self._valid.items():
            if count > 1:
                raise self._violation("settled once", session_id, self.sessions[session_id].station_no)

    def _note(self, changes: Changes, by: str) -> None:
        self.settled_once() if changes.cdrs else None
        for session in (*changes.opened, *changes.moved):
            text = (session.id, session.state.value, session.version, session.energy_wh, session.through)
            self._world.note(self.names[session.station_no], f"{by} stores session", text)
        for issued in changes.cdrs:
            text = (issued.kind, issued.session.id, issued.cdr.energy_wh, issued.rating.incl_vat)
            self._world.note(self.names[issued.session.station_no], f"{by} issues", text)

    def _violation(self, invariant: str, what: str, station_no: int) -> Violation:
        return Violation(invariant, what, self.names.get(station_no, str(station_no)))


def _check_sum(lines: Iterable[Any], side: str, total: Decimal | None, session_id: str) -> None:
    amounts = [getattr(line, side) for line in lines]
    if total is not None and sum(amounts, Decimal(0)) != total:
        raise Violation("rated lines sum to totals", f"session {session_id}: {side} {amounts} is not {total}")


def _is_continued(session: Session) -> bool:
    """Whether its begin was no register, and it is counted from where the session before ended (S33)."""
    return session.energy is not None and session.energy.method is Method.CONTINUED


def _by_registers(session: Session) -> int:
    return (session.meter.mark_wh or 0) - (session.meter.begin_wh or 0)


def cdr_bytes(issued: CdrIssued) -> bytes:
    """What must never change of a CDR."""
    return msgspec.json.encode((issued.cdr, issued.rating))


def opening_key(station_no: int, frame: FrameRow) -> Key:
    """Which transaction a frame opens, by nothing but what the station wrote into it."""
    payload = json.loads(frame.raw)[3]
    if frame.protocol == b"2":
        return station_no, payload["transactionInfo"]["transactionId"]
    return station_no, payload["connectorId"], payload["idTag"], payload["meterStart"], payload["timestamp"]


def instant_of(text: str) -> datetime:
    """A stamp as stations write it."""
    return datetime.fromisoformat(text)

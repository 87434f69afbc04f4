"""What does the stored evidence say a session was?

`refold` derives a session anew from its frames and recorded decisions, reading nothing else: no table of today, no
memory of a gateway. `conclude` goes on from there, once the session has ended: it reads the clock of the station from
all its stamps, finds the energy from everything that was told, and applies what people decided. The worker that settles
a session bills what this returns, and a rebuild must return the same.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import Decision, FrameRow
from laddbok.flow.messages import Asked, counts_kwh, understood
from laddbok.flow.store import SessionEvidence
from laddbok.model.session import (
    RUNNING_STATES,
    Clock,
    FramePosition,
    ReviewReason,
    Session,
    SessionState,
    TariffChoice,
    Verdict,
)
from laddbok.model.station import Outlet, Station
from laddbok.sessions.advance import advance, concerns, names_transaction, superseded
from laddbok.sessions.close import close_softly, with_energy, with_reason
from laddbok.sessions.energy import counted_in_kwh
from laddbok.sessions.facts import Facts, Given, Stamp
from laddbok.sessions.match import with_given
from laddbok.sessions.receive import opened_by
from laddbok.sessions.review import judged, last_verdict
from laddbok.sessions.timekeeping import clock_told
from laddbok.sessions.told import Said, Told, stamps_of, tell

VERDICT = "verdict"
"""The kind of a decision of a person."""
CLOSED_SOFTLY = "closed_softly"
FACTS = "facts"
MATCHED = "matched"
"""The kind of a decision that says what a frame is about."""
SUPERSEDED = "superseded"
"""The kind of a decision that says that another transaction began on its EVSE."""


class EvidenceIncomplete(Exception):
    """The evidence of this session can't be folded: what opened it is missing."""

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(f"session {session_id}: {reason}")


class Taken(msgspec.Struct, frozen=True):
    """What a session took from our tables at one frame."""

    position: FramePosition
    facts: Facts
    station: Station
    outlet: Outlet | None


class Folded(msgspec.Struct, frozen=True):
    """A session as its frames make it, what was said of it, and the frames that changed it: without others it is the same."""

    session: Session
    said: tuple[Said, ...]
    bearing: tuple[FrameRow, ...]


class Conclusion(msgspec.Struct, frozen=True):
    """What all evidence of a session comes to: `told` and `clock` are what the station's habits are learned from.

    `bearing`: the frames that it comes from, in order; from these alone it comes to the same.
    """

    session: Session
    told: Told
    clock: Clock
    bearing: tuple[FrameRow, ...]


Today = Callable[[Taken], Taken]
"""What the session would take from our tables now, in place of what was recorded."""


def refold(evidence: SessionEvidence) -> Session:
    """The session as its frames and recorded decisions say, with the version and revision of its stored row.

    Raises: EvidenceIncomplete when its opening frame or the facts of its start are missing.
    Source: our choice, design "Evidence".
    """
    return fold(evidence).session


def conclude(evidence: SessionEvidence, today: Today | None = None) -> Conclusion:
    """What the evidence of a session comes to: its frames, its clock, its energy, and what people decided.

    Args: today: None: with what was recorded (the rule); else with today's tables, for a proposal.
    Raises: EvidenceIncomplete.
    Source: our choice, docs/rules.md "Settling".
    """
    folded = fold(evidence, today=today)
    clock = clock_told(stamps_of(folded.said))
    known = folded.session.clock
    is_news = clock.offset_s != known.offset_s if clock.is_proven else clock.anchor_s is not None
    if is_news and known.zone is None and not known.is_useless:
        read_anew = fold(evidence, today=today, clock=clock)
        folded = _reaching(read_anew, folded)
    told = tell(folded.session, folded.said)
    session = folded.session
    if session.state is SessionState.ENDED:
        session = with_energy(session, told)
        if counted_in_kwh(session):
            session, told = _in_kwh(evidence, today, clock if is_news else None)
        verdict = last_verdict(_verdicts(evidence.decisions))
        session = session if verdict is None else judged(session, verdict)
    return Conclusion(session, told, clock, folded.bearing)


def _reaching(read_anew: Folded, before: Folded) -> Folded:
    """What was read anew, resting on the frames of both readings: the other is needed to find out how to read."""
    through = max(read_anew.session.through, before.session.through)
    bearing = _in_order((*before.bearing, *read_anew.bearing))
    return replace(read_anew, session=replace(read_anew.session, through=through), bearing=bearing)


def _in_kwh(evidence: SessionEvidence, today: Today | None, clock: Clock | None) -> tuple[Session, Told]:
    """The session and what was told, read as if the station counted kWh and called them Wh: a proposal for a person (S38)."""
    folded = _reaching(fold(evidence, today, clock, is_in_kwh=True), fold(evidence, today, clock))
    told = tell(folded.session, folded.said)
    session = with_energy(folded.session, told)
    return replace(session, review_reasons=with_reason(session.review_reasons, ReviewReason.UNIT_DOUBTFUL)), told


def fold(
    evidence: SessionEvidence,
    today: Today | None = None,
    clock: Clock | None = None,
    is_in_kwh: bool | None = None,
) -> Folded:
    """The session's frames folded in order, and those of them that concern it.

    Args: clock: how the stamps are read; is_in_kwh: whether energies are kWh though they are called Wh. None: as was known
        of the station when the session opened.
    """
    row = evidence.session
    taken = {each.position: _as_of(each, today, clock) for each in _taken(evidence.decisions)}
    soft = {_position(each): each for each in evidence.decisions if each.kind == CLOSED_SOFTLY}
    gave_way = {_position(each) for each in evidence.decisions if each.kind == SUPERSEDED}
    given = {each.position: each for each in _given(evidence.decisions)}
    session: Session | None = None
    said: list[Said] = []
    bearing: list[FrameRow] = []
    questions: dict[str, FrameRow] = {}
    opened = taken.get(row.opened)
    in_kwh = opened is not None and counts_kwh(opened.station) if is_in_kwh is None else is_in_kwh
    for frame, asked in zip(evidence.frames, understood(evidence.frames, in_kwh), strict=True):
        before = session
        if frame.direction == b"o":
            questions[frame.message_id] = frame
        place = asked.stamp.position
        if asked.event is None:
            continue
        event = with_given(asked.event, given.get(place))
        if session is None:
            session = _opened(Asked(asked.stamp, event), taken.get(place), row)
            said.append((event, asked.stamp))
        elif place in gave_way:
            session = superseded(session, event, asked.stamp)
        elif concerns(event, session):
            facts = taken[place].facts if place in taken else Facts()
            after = advance(event, session, asked.stamp, facts)
            if after is not session and (session.state in RUNNING_STATES or names_transaction(event)):
                said.append((event, asked.stamp))
            session = after
        if place in soft:
            session = close_softly(session, soft.pop(place).at)
        if session is not before:
            bearing += [frame, questions[frame.message_id]] if frame.direction == b"r" else [frame]
    if session is None:
        raise EvidenceIncomplete(row.id, "its first frame is missing")
    row_session = replace(session, version=row.version, revision=row.revision)
    return Folded(row_session, tuple(said), _in_order(bearing))


def _in_order(frames: Iterable[FrameRow]) -> tuple[FrameRow, ...]:
    """Frames by their place, each once."""
    by_place = {(frame.connection_epoch, frame.seq): frame for frame in frames}
    return tuple(by_place[place] for place in sorted(by_place))


def _as_of(taken: Taken, today: Today | None, clock: Clock | None) -> Taken:
    taken = taken if today is None else today(taken)
    return taken if clock is None else replace(taken, facts=replace(taken.facts, clock=clock))


def closed_softly(session: Session, now: datetime) -> Decision:
    """That a session was closed at its last reading, as of the last frame that it had seen."""
    body = {"position": msgspec.to_builtins(session.through)}
    return Decision(tenant=session.tenant, session_id=session.id, at=now, kind=CLOSED_SOFTLY, body=body)


def facts_used(session: Session, stamp: Stamp, taken: Taken) -> Decision:
    """What a session took from our tables at this frame, so that a later fold reads this and not today's tables."""
    body = msgspec.to_builtins(taken)
    return Decision(tenant=session.tenant, session_id=session.id, at=stamp.received_at, kind=FACTS, body=body)


def matched(session: Session, given: Given, now: datetime, decided_by: str = "laddbok", reason: str = "") -> Decision:
    """That a frame is about this session, and how we, or a person, know."""
    body = {**msgspec.to_builtins(given), "reason": reason}
    return Decision(
        tenant=session.tenant, session_id=session.id, at=now, kind=MATCHED, body=body, decided_by=decided_by
    )


def station_at_start(evidence: SessionEvidence) -> Station:
    """The station as it was known when the session opened. Raises: EvidenceIncomplete."""
    first = next((t for t in _taken(evidence.decisions) if t.position == evidence.session.opened), None)
    if first is None:
        raise EvidenceIncomplete(evidence.session.id, f"what opened it at {evidence.session.opened} is missing")
    return first.station


def tariffs_named(row: Session, decisions: Iterable[Decision]) -> set[TariffChoice]:
    """The tariff versions that a session's row, its start and the decisions about it name."""
    verdicts = tuple(_verdicts(decisions))
    named = (row.tariff, *(t.facts.start.tariff for t in _taken(decisions)), *(v.tariff for v in verdicts))
    return {choice for choice in named if choice is not None}


def _verdicts(decisions: Iterable[Decision]) -> Iterator[Verdict]:
    for decision in decisions:
        if decision.kind == VERDICT:
            yield msgspec.convert(decision.body["verdict"], Verdict)


def _opened(asked: Asked, taken: Taken | None, row: Session) -> Session:
    """The session from its opening frame and what was recorded with it."""
    if asked.stamp.position != row.opened or taken is None:
        raise EvidenceIncomplete(row.id, f"what opened it at {row.opened} is missing")
    opened = opened_by(taken.station, asked.event, asked.stamp, taken.facts, taken.outlet)
    if opened is None:
        raise EvidenceIncomplete(row.id, "its first frame names no EVSE")
    return opened


def _taken(decisions: Iterable[Decision]) -> Iterator[Taken]:
    for decision in decisions:
        if decision.kind == FACTS:
            yield msgspec.convert(decision.body, Taken)


def _given(decisions: Iterable[Decision]) -> Iterator[Given]:
    for decision in decisions:
        if decision.kind == MATCHED:
            yield msgspec.convert(decision.body, Given)


def _position(decision: Decision) -> FramePosition:
    return msgspec.convert(decision.body["position"], FramePosition)

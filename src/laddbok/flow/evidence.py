"""What does the stored evidence say a session was?

`refold` derives a session anew from its frames and recorded decisions, reading nothing else: no table of today, no
memory of a gateway. The worker that settles a session bills what this returns, and a rebuild must return the same.
"""

from collections.abc import Iterator

import msgspec

from laddbok.flow.changes import Decision
from laddbok.flow.messages import Asked
from laddbok.flow.store import SessionEvidence
from laddbok.model.session import FramePosition, Session
from laddbok.model.station import Outlet, Station
from laddbok.sessions.advance import advance, concerns, superseded
from laddbok.sessions.close import close_softly
from laddbok.sessions.facts import Facts
from laddbok.sessions.receive import opened_by


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


def refold(evidence: SessionEvidence) -> Session:
    """The session as its evidence says, with the version and revision of its stored row.

    Raises: EvidenceIncomplete when its opening frame or the facts of its start are missing.
    Source: our choice, design "Evidence".
    """
    row = evidence.session
    taken = {each.position: each for each in _taken(evidence.decisions)}
    soft = {_position(each): each for each in evidence.decisions if each.kind == "closed_softly"}
    gave_way = {_position(each) for each in evidence.decisions if each.kind == "superseded"}
    session: Session | None = None
    for asked in map(Asked.of_row, evidence.frames):
        place = asked.stamp.position
        if asked.event is None:
            continue
        if session is None:
            session = _opened(asked, taken.get(place), row)
        elif place in gave_way:
            session = superseded(session, asked.event, asked.stamp)
        elif concerns(asked.event, session):
            facts = taken[place].facts if place in taken else Facts()
            session = advance(asked.event, session, asked.stamp, facts)
        if session.through in soft:
            session = close_softly(session, soft.pop(session.through).at)
    if session is None:
        raise EvidenceIncomplete(row.id, "its first frame is missing")
    return msgspec.structs.replace(session, version=row.version, revision=row.revision)


def _opened(asked: Asked, taken: Taken | None, row: Session) -> Session:
    """The session from its opening frame and what was recorded with it."""
    if asked.stamp.position != row.opened or taken is None:
        raise EvidenceIncomplete(row.id, f"what opened it at {row.opened} is missing")
    opened = opened_by(taken.station, asked.event, asked.stamp, taken.facts, taken.outlet)
    if opened is None:
        raise EvidenceIncomplete(row.id, "its first frame names no EVSE")
    return opened


def _taken(decisions: tuple[Decision, ...]) -> Iterator[Taken]:
    for decision in decisions:
        if decision.kind == "facts":
            yield msgspec.convert(decision.body, Taken)


def _position(decision: Decision) -> FramePosition:
    return msgspec.convert(decision.body["position"], FramePosition)

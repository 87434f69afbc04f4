"""To which session does an orphan belong?

An orphan is a message about a transaction that nobody knows; it was answered and kept. A person says which session it is
about, or that it is a session of its own at this outlet. Either way the frame stays as it is: a decision beside it says
what it is about, and the session is derived anew from its evidence.
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import Attributed, Changes, FrameRow, Job, OrphanMatched, RangeClosed
from laddbok.flow.decide import SETTLE, settle_job
from laddbok.flow.evidence import Taken, facts_used, matched
from laddbok.flow.messages import Asked
from laddbok.flow.store import Question
from laddbok.model.errors import Conflict
from laddbok.model.events import Event, IdToken, MetersRead, TransactionEnded, TransactionUpdated
from laddbok.model.session import RUNNING_STATES, Session, SessionState
from laddbok.model.station import Station
from laddbok.sessions.authorize import normalise_token
from laddbok.sessions.facts import Facts, Given, StartFacts
from laddbok.sessions.match import with_given
from laddbok.sessions.open import clock_of
from laddbok.sessions.receive import opened_by
from laddbok.sessions.timekeeping import instant


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants an orphan to be: a message of this session, or a session of its own at this outlet."""

    reason: str
    by: str
    at: datetime
    session_id: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None


def to_session(frame: FrameRow, wanted: Wanted, session: Session, now: datetime) -> Changes:
    """The orphan becomes a message of this session, which is settled anew.

    Raises: Conflict when the session still runs, stands on another station, or the message says nothing of a session.
    Source: our choice, docs/rules.md "A message about an unknown transaction"; cases S7, S16.
    """
    asked = _asked(frame)
    if session.state in RUNNING_STATES or session.state is SessionState.ENDED:
        raise Conflict(f"session {session.id} is not settled yet; its own stop may still come")
    if session.station_no != frame.station_no:
        raise Conflict(f"session {session.id} took place at another station")
    given = Given(
        position=asked.stamp.position,
        transaction_id=session.transaction_id,
        evse_id=session.evse_id,
        connector_id=session.connector_id,
    )
    reached = replace(session, through=asked.stamp.position)
    return Changes(
        decisions=[matched(session, given, now, wanted.by, wanted.reason)],
        attributed=[Attributed(reached, frame.received_at)],
        jobs=[Job(tenant=session.tenant, kind=SETTLE, key=session.id, due_at=now)],
        orphans_matched=[_done(frame, session.id)],
    )


def question_of_orphan(frame: FrameRow, wanted: Wanted, station: Station) -> Question:
    """What must be looked up before an orphan can become a session of its own. Raises: Conflict."""
    event = _asked(frame).event
    token = wanted.id_token or (event.id_token.value if getattr(event, "id_token", None) else None)
    return Question(
        tenant=frame.tenant,
        station_no=frame.station_no,
        evse_id=wanted.evse_id,
        token=normalise_token(token) if token else None,
        at=instant(getattr(event, "at", None), frame.received_at, clock_of(station))[0],
        transaction_id=getattr(event, "transaction_id", None),
    )


def to_own_session(frame: FrameRow, wanted: Wanted, station: Station, facts: StartFacts, now: datetime) -> Changes:
    """The orphan becomes a session of its own, marked as one whose start never came; its frame alone is its evidence.

    Raises: Conflict when the message does not end a transaction.
    """
    asked = _asked(frame)
    given = Given(
        position=asked.stamp.position,
        evse_id=wanted.evse_id,
        connector_id=wanted.connector_id or wanted.evse_id,
        id_token=IdToken(wanted.id_token) if wanted.id_token else None,
    )
    event = with_given(asked.event, given)
    if not isinstance(event, TransactionEnded):
        raise Conflict("only a message that ends a transaction can be a session of its own")
    known = Facts(start=facts)
    session = opened_by(station, event, asked.stamp, known, None)
    if session is None:
        raise Conflict("which EVSE was it?")
    return Changes(
        opened=[session],
        decisions=[
            facts_used(session, asked.stamp, Taken(asked.stamp.position, known, station, None)),
            matched(session, given, now, wanted.by, wanted.reason),
        ],
        closed_ranges=[RangeClosed(session, frame.received_at)],
        jobs=[settle_job(session, asked.stamp)],
        orphans_matched=[_done(frame, session.id)],
    )


def refused(frame: FrameRow, error: str) -> Changes:
    """Why an orphan can't be matched so; it stays one."""
    return Changes(orphans_matched=[replace(_done(frame, None), error=error)])


def _asked(frame: FrameRow) -> Asked:
    asked = Asked.of_row(frame)
    event: Event | None = asked.event
    if not isinstance(event, MetersRead | TransactionUpdated | TransactionEnded):
        raise Conflict("the message says nothing of a transaction")
    return asked


def _done(frame: FrameRow, session_id: str | None) -> OrphanMatched:
    return OrphanMatched(
        tenant=frame.tenant,
        station_no=frame.station_no,
        connection_epoch=frame.connection_epoch,
        seq=frame.seq,
        session_id=session_id,
    )

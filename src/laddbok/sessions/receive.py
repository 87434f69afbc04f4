"""What does one message of a station change, and what do we answer?

`receive` takes the working memory of one station, one event and what was looked up for it, and returns the answer and
what changed. It finds the sessions that the event concerns and lets `advance` move each of them. It knows no wire, no
database and no clock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.model.events import (
    Answer,
    AuthorizationStatus,
    AuthorizeAsked,
    Booted,
    Event,
    IdToken,
    MetersRead,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    TransactionUpdated,
)
from laddbok.model.session import OPEN_STATES, RUNNING_STATES, ReviewReason, Session, SessionState
from laddbok.model.station import TOLD_LATE_AFTER, Outlet, Station, StationState
from laddbok.sessions.advance import NO_TRANSACTION, advance, is_another, superseded
from laddbok.sessions.authorize import authorization
from laddbok.sessions.facts import Facts, Given, Stamp
from laddbok.sessions.match import only_outlet, stop_without_id, with_given
from laddbok.sessions.open import clock_of, open_session, start_of_lost_start
from laddbok.sessions.timekeeping import instant

HEARTBEAT_INTERVAL_S = 300
NOTHING_TO_SAY = Answer()
REPEATS_WITHIN = timedelta(minutes=10)
"""So long after a status an older one may be a repetition from before it."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one event changed. `sessions` are all that are now different; `opened` and `moved` must be stored at once."""

    answer: Answer = NOTHING_TO_SAY
    sessions: tuple[Session, ...] = ()
    opened: Session | None = None
    outlet: Outlet | None = None
    booted: Booted | None = None
    orphan_transaction_id: str | None = None
    given: Given | None = None
    """What the message did not say itself and was found to be about."""
    late: Session | None = None
    """It was closed at a guess and is settled by now; this event belongs to it and may correct it."""


def receive(state: StationState, event: Event, stamp: Stamp, facts: Facts) -> Outcome:
    """The outcome of one event of this station.

    Source: OCPP 1.6 chapter 4; OCPP 2.0.1 chapters B, C, E, G, J; docs/rules.md.
    """
    take_in = _TAKEN_IN.get(type(event))
    return Outcome(answer=Answer(now=stamp.received_at)) if take_in is None else take_in(state, event, stamp, facts)


def boot_answer(now: datetime) -> Answer:
    """Our answer to the boot of a station that we run; given at once, from memory. Source: OCPP 1.6 4.2, 2.0.1 B01."""
    return Answer(now=now, heartbeat_interval_s=HEARTBEAT_INTERVAL_S)


def session_at(state: StationState, evse_id: int) -> Session | None:
    """The session that runs at this EVSE."""
    for session in state.sessions.values():
        if session.evse_id == evse_id and session.state in RUNNING_STATES:
            return session
    return None


def _meters_read(state: StationState, event: MetersRead, stamp: Stamp, facts: Facts) -> Outcome:
    """By transaction id, else by connector (S10). An unknown id is an orphan, answered all the same (S7)."""
    if event.transaction_id is None or event.transaction_id in NO_TRANSACTION:
        session = session_at(state, event.evse_id)
        return Outcome() if session is None else _moved(session, advance(event, session, stamp, facts))
    session = state.sessions.get(event.transaction_id)
    if session is None:
        return Outcome(orphan_transaction_id=event.transaction_id)
    if _is_late(session, event):
        return Outcome(late=session)
    return _moved(session, advance(event, session, stamp, facts))


def _authorize(state: StationState, event: AuthorizeAsked, stamp: Stamp, facts: Facts) -> Outcome:
    return Outcome(answer=Answer(authorization=authorization(facts.start.token, stamp.received_at)))


def _boot(state: StationState, event: Booted, stamp: Stamp, facts: Facts) -> Outcome:
    running = tuple(advance(event, s, stamp, facts) for s in state.sessions.values() if s.state in RUNNING_STATES)
    return Outcome(answer=boot_answer(stamp.received_at), sessions=running, booted=event)


def _started(state: StationState, event: TransactionStarted, stamp: Stamp, facts: Facts) -> Outcome:
    """The same start again gets the same answer and opens nothing (S1, S2); a new one ends what ran at its EVSE."""
    for session in state.sessions.values():
        if not is_another(event, session):
            after = advance(event, session, stamp, facts)
            return _moved(session, after, _start_answer(after, event.id_token))
    opened = opened_by(state.station, event, stamp, facts, state.outlets.get((event.evse_id, event.connector_id)))
    assert opened is not None
    return _opening(state, event, stamp, opened, _start_answer(opened, event.id_token))


def _transaction(
    state: StationState, event: TransactionUpdated | TransactionEnded, stamp: Stamp, facts: Facts
) -> Outcome:
    """An update or the end. In 2.0.1 a transaction whose start never came is opened from what did (S16)."""
    told = authorization(facts.start.token, stamp.received_at) if event.id_token and event.id_token.value else None
    answer = NOTHING_TO_SAY if told is None else Answer(authorization=told)
    given = _given(state, event, stamp) if isinstance(event, TransactionEnded) else None
    event = with_given(event, given)
    session = _by_transaction(state, event)
    if session is not None and _is_late(session, event):
        return Outcome(answer=answer, late=session)
    if session is not None:
        return _moved(session, advance(event, session, stamp, facts), answer, given)
    unnamed = event.evse_id is None or (state.station.protocol == "1.6" and given is None)
    unnamed = (
        unnamed or event.transaction_id in NO_TRANSACTION
    )  # nothing would tell its repetition from another one (S9)
    opened = None if unnamed else opened_by(state.station, event, stamp, facts, None)
    if opened is None:
        return Outcome(answer=answer, orphan_transaction_id=event.transaction_id)
    return replace(_opening(state, event, stamp, opened, answer), given=given)


def _given(state: StationState, event: TransactionEnded, stamp: Stamp) -> Given | None:
    """What a stop is about that names no transaction, or one that nobody knows (cases S9, S16)."""
    if event.evse_id is not None:
        return None
    if event.transaction_id in NO_TRANSACTION and event.transaction_id not in state.sessions:
        session = stop_without_id(state.sessions.values(), event, stamp)
        return None if session is None else Given(position=stamp.position, transaction_id=session.transaction_id)
    if event.transaction_id in state.sessions or (place := only_outlet(state)) is None:
        return None
    return Given(position=stamp.position, evse_id=place[0], connector_id=place[1])


def _is_late(session: Session, event: Event) -> bool:
    """Whether an event for this session comes after its settling, though its transaction was never told to be over.

    Of one that gave way to the next only the stop is awaited; whether it is from before that, the fold tells.
    """
    is_awaited = session.was_guessed_over or (session.ended_by == "soft" and isinstance(event, TransactionEnded))
    return is_awaited and session.state not in OPEN_STATES


def opened_by(
    station: Station,
    event: TransactionStarted | TransactionUpdated | TransactionEnded,
    stamp: Stamp,
    facts: Facts,
    outlet: Outlet | None,
) -> Session | None:
    """The session that an event opens, with what it says of it; None when it names no EVSE.

    A transaction whose start never came is marked so. One of which only the end came is history: its cable is out (S16).
    """
    if isinstance(event, TransactionStarted):
        return advance(event, open_session(station, event, stamp, facts, outlet), stamp, facts)
    start = start_of_lost_start(event)
    if start is None:
        return None
    session = open_session(station, start, stamp, facts, None)
    session = replace(session, review_reasons=(*session.review_reasons, ReviewReason.INCOMPLETE_START))
    session = advance(event, session, stamp, facts)
    return replace(session, unplugged_at=session.unplugged_at or session.transaction_ended_at)


def _opening(
    state: StationState,
    event: TransactionStarted | TransactionUpdated | TransactionEnded,
    stamp: Stamp,
    opened: Session,
    answer: Answer,
) -> Outcome:
    """What runs at an EVSE, or has not left it yet, gives way to a transaction that begins there, or takes its id (S25)."""
    changed: list[Session] = []
    if not isinstance(event, TransactionEnded):
        place = (opened.evse_id, opened.transaction_id)
        before = [s for s in state.sessions.values() if s.evse_id == place[0] or s.transaction_id == place[1]]
        pairs = [(session, superseded(session, event, stamp)) for session in before]
        changed = [after for session, after in pairs if after is not session]
    return Outcome(answer=answer, sessions=(*changed, opened), opened=opened)


def _status(state: StationState, event: StatusReported, stamp: Stamp, facts: Facts) -> Outcome:
    """The outlet's new status, and what it says about the session there: the running one, else the one just ended."""
    at, _ = instant(event.at, stamp.received_at, clock_of(state.station))
    outlet = _outlet(event, at, stamp, state.outlets.get((event.evse_id, event.connector_id)))
    session = session_at(state, event.evse_id) or _awaiting_unplug(state, event.evse_id)
    if session is None or event.evse_id == 0:
        return Outcome(outlet=outlet)
    return replace(_moved(session, advance(event, session, stamp, facts)), outlet=outlet)


def _outlet(event: StatusReported, at: datetime, stamp: Stamp, known: Outlet | None) -> Outlet | None:
    """The outlet as it is after this status; None when the status is history (S78).

    Stations repeat old statuses in one go with the present ones, at their boot. So one that is stamped long ago, and
    before what we were told a moment ago, says nothing of now. Later it is believed: clocks are set back too.
    """
    if known is not None and known.status_at is not None and known.told_at is not None:
        is_late = stamp.received_at - at > TOLD_LATE_AFTER
        if is_late and at < known.status_at and stamp.received_at - known.told_at <= REPEATS_WITHIN:
            return None
    return Outlet(
        evse_id=event.evse_id,
        connector_id=event.connector_id,
        status=event.status,
        status_at=at,
        error_code=None if event.error_code == "NoError" else event.error_code,
        info=event.info or event.vendor_error_code,
        told_at=stamp.received_at,
    )


def _awaiting_unplug(state: StationState, evse_id: int) -> Session | None:
    ended = (s for s in state.sessions.values() if s.evse_id == evse_id and s.state is SessionState.ENDED)
    return max((s for s in ended if s.unplugged_at is None), key=_ended_at, default=None)


def _ended_at(session: Session) -> datetime:
    return session.transaction_ended_at or session.started_at


def _by_transaction(state: StationState, event: TransactionUpdated | TransactionEnded) -> Session | None:
    named = state.sessions.get(event.transaction_id)
    if named is not None or event.transaction_id not in NO_TRANSACTION:
        return named
    return None if event.evse_id is None else session_at(state, event.evse_id)


def _moved(before: Session, after: Session, answer: Answer = NOTHING_TO_SAY, given: Given | None = None) -> Outcome:
    return Outcome(answer=answer, sessions=() if after is before else (after,), given=given)


def _start_answer(session: Session, id_token: IdToken | None) -> Answer:
    status = session.authorization
    if session.protocol == "1.6":
        status = status or AuthorizationStatus.INVALID
    elif id_token is None:
        status = None
    return Answer(transaction_id=session.transaction_id, authorization=status)


_TAKEN_IN: dict[type, Callable[[StationState, Any, Stamp, Facts], Outcome]] = {
    MetersRead: _meters_read,
    TransactionStarted: _started,
    TransactionUpdated: _transaction,
    TransactionEnded: _transaction,
    StatusReported: _status,
    AuthorizeAsked: _authorize,
    Booted: _boot,
}
"""What is not here is answered with the time only."""

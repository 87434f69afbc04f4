"""How does one more word from the station change a session?

`advance` takes a session and an event that concerns it and returns the session as it is then. It is the only way in
which the station moves a session: live in the gateway, again from the stored evidence when the session settles, and in
a rebuild. What never happens here: a settled or void session changes; an ended one runs again (case S32); a status
alone ends a transaction (case S21).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from laddbok.model.cdr import Activity
from laddbok.model.events import (
    Booted,
    ChargingState,
    Event,
    IdToken,
    MetersRead,
    Sample,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    TransactionStatusTold,
    TransactionUpdated,
)
from laddbok.model.session import RUNNING_STATES, ReviewReason, Session, SessionState
from laddbok.model.station import TOLD_LATE_AFTER
from laddbok.sessions.close import close_softly, end_by_stop, refined
from laddbok.sessions.facts import Facts, Stamp
from laddbok.sessions.meter import TAKES_NOTHING, take_samples, turn
from laddbok.sessions.open import identify, is_same_start
from laddbok.sessions.timekeeping import instant

LOST_STOP_AFTER = timedelta(hours=24)
"""Without any contact with its station for this long, a running session is closed at its last reading."""
AVAILABLE_GRACE = timedelta(minutes=30)
"""A connector said Available, or the station booted, while a session runs: this long its stop may still come (S21, S30)."""
UNPLUG_TIMEOUT = timedelta(hours=48)
"""The longest time that a CDR waits for the cable to be taken out."""

NO_TRANSACTION = frozenset({"0", "-1", "-16", ""})
"""Transaction ids that stations send when they have none; never looked up (cases S9, S10)."""

_TURNS = {
    "Charging": Activity.CHARGING,
    "SuspendedEV": Activity.PAUSED_BY_EV,
    "SuspendedEVSE": Activity.PAUSED_BY_EVSE,
}
_ACTIVITIES = {
    ChargingState.CHARGING: Activity.CHARGING,
    ChargingState.SUSPENDED_EV: Activity.PAUSED_BY_EV,
    ChargingState.SUSPENDED_EVSE: Activity.PAUSED_BY_EVSE,
}
_UNPLUGGED_WORDS = frozenset({"Available", "Reserved"})


def advance(event: object, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """The session after this event, which concerns it. Events that say nothing about a session leave it as it is.

    Source: OCPP 1.6 chapter 4, OCPP 2.0.1 chapter E; our states, design "The session".
    """
    step = _STEPS.get(type(event))
    return session if step is None else step(event, session, stamp, facts)


def _samples_only(event: MetersRead, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """Meter values change no state, and after the end nothing but what closing values refine (S23).

    While a stop seems lost, an outlet that is read by the clock says nothing of the transaction unless energy flows (S21).
    The station's own meter, outlet 0, is not that of an outlet that is read itself (S48).
    """
    is_named = names_transaction(event)
    if event.evse_id != session.evse_id and session.meter.samples:
        return session
    session = _reopened(session) if is_named else session
    if session.state not in RUNNING_STATES:
        return refined(session, event.samples, stamp) if is_named else session
    meter = take_samples(session, event.samples, stamp.received_at)
    if session.due_at is not None and not is_named and meter.mark_wh == session.meter.mark_wh:
        return session
    inferred = session.inferred if is_named else session.inferred + 1
    session = replace(
        session, meter=meter, last_contact_at=stamp.received_at, through=stamp.position, inferred=inferred
    )
    return _goes_on(session)


def _started(event: TransactionStarted, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """The opening event's own readings; a repeated or late start can only tell who the driver is."""
    if session.opened != stamp.position:
        if session.state not in RUNNING_STATES or not _names_the_driver(event.id_token, session):
            return session
        return replace(identify(session, event.id_token, facts.start), through=stamp.position)
    return _take(session, event.samples, event.charging_state, event.at, stamp)


def _updated(event: TransactionUpdated, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """Readings, a new charging state, or the driver's token that was missing so far."""
    session = _reopened(session)
    if session.state not in RUNNING_STATES:
        return session
    if _names_the_driver(event.id_token, session):
        session = identify(session, event.id_token, facts.start)
    return _take(session, event.samples, event.charging_state, event.at, stamp)


def _ended(event: TransactionEnded, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """The first valid stop ends the session; others are evidence only (case S4). A late one mends a soft close (B24)."""
    closed_softly = session.state is SessionState.ENDED and session.ended_by == "soft"
    if session.state not in RUNNING_STATES and not (closed_softly and _is_before_the_next(event, session, stamp)):
        return session
    if _names_the_driver(event.id_token, session):
        session = identify(session, event.id_token, facts.start)
    return end_by_stop(session, event, stamp)


def _status(event: StatusReported, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """A 1.6 status tells what the outlet does; Available tells that the cable is out, but never ends a transaction."""
    at, _ = instant(event.at, stamp.received_at, session.clock)
    if at < session.started_at and stamp.received_at - at > TOLD_LATE_AFTER:
        return session  # repeated from before the session (S78)
    at = max(at, session.started_at)
    if session.state is SessionState.ENDED:
        if event.status in _UNPLUGGED_WORDS and session.unplugged_at is None:
            unplugged_at = max(at, session.transaction_ended_at or at)
            return replace(
                session, unplugged_at=unplugged_at, last_contact_at=stamp.received_at, through=stamp.position
            )
        return session
    session = replace(session, last_contact_at=stamp.received_at, through=stamp.position)
    if event.status in _UNPLUGGED_WORDS:
        return replace(session, due_at=stamp.received_at + AVAILABLE_GRACE, unplugged_at=at)
    activity = _TURNS.get(event.status)
    return session if activity is None else _turn(_goes_on(session), activity, at)


def _booted(event: Booted, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """A boot may have ended the transaction, or the station may resume it: wait for either (case S30)."""
    if session.state not in RUNNING_STATES:
        return session
    return replace(session, due_at=stamp.received_at + AVAILABLE_GRACE, through=stamp.position)


def _asked_about(event: TransactionStatusTold, session: Session, stamp: Stamp, facts: Facts) -> Session:
    """Ended but with messages to come: the stop is awaited. Ended and nothing kept: it never comes (S24)."""
    if session.state not in RUNNING_STATES:
        return session
    session = replace(session, last_contact_at=stamp.received_at, through=stamp.position)
    if event.is_ongoing is not False:
        return replace(session, due_at=None)
    wait = AVAILABLE_GRACE if event.has_messages else timedelta()
    return replace(session, due_at=stamp.received_at + wait)


_STEPS: dict[type, Callable[[Any, Session, Stamp, Facts], Session]] = {
    MetersRead: _samples_only,
    TransactionStarted: _started,
    TransactionUpdated: _updated,
    TransactionEnded: _ended,
    StatusReported: _status,
    Booted: _booted,
    TransactionStatusTold: _asked_about,
}


def _reopened(session: Session) -> Session:
    """A session that we closed at a guess, and whose transaction speaks again, was not over; one that ended stays (S32)."""
    if session.state is not SessionState.ENDED or not session.was_guessed_over:
        return session
    return replace(
        session,
        state=SessionState.PENDING if session.id_token is None else SessionState.ACTIVE,
        charging_ended_at=session.charging_ended_at if session.activity in TAKES_NOTHING else None,
        transaction_ended_at=None,
        unplugged_at=None,
        ended_by=None,
        due_at=None,
    )


def is_another(event: TransactionStarted, session: Session) -> bool:
    """Whether a start is that of another transaction than this session's.

    The late start of a transaction that was opened without one is its own; else an id that comes again with another
    start is another transaction, for stations reuse ids after a boot (case S25).
    """
    if is_same_start(event, session):
        return False
    if event.transaction_id != session.transaction_id or ReviewReason.INCOMPLETE_START not in session.review_reasons:
        return True
    ended_at = session.transaction_ended_at
    is_from_before = ended_at is not None and event.at is not None and event.at <= ended_at
    return session.state not in RUNNING_STATES and not is_from_before


def _is_before_the_next(event: TransactionEnded, session: Session, stamp: Stamp) -> bool:
    """A stop after the next transaction began can't be this session's: its energy would be counted in both."""
    return session.gave_way_at is None or instant(event.at, stamp.received_at, session.clock)[0] <= session.gave_way_at


def superseded(session: Session, event: TransactionStarted | TransactionUpdated, stamp: Stamp) -> Session:
    """The session when another transaction begins on its EVSE: a stop that never came was lost (case S63).

    One that had ended no longer occupies the outlet from then on.
    """
    if session.state in RUNNING_STATES:
        session = replace(close_softly(session, stamp.received_at), through=stamp.position)
    elif session.state is not SessionState.ENDED or not (session.unplugged_at is None or session.was_guessed_over):
        return session
    at, _ = instant(event.at, stamp.received_at, session.clock)
    unplugged_at = session.unplugged_at or max(at, session.transaction_ended_at or at)
    return replace(session, unplugged_at=unplugged_at, gave_way_at=at, through=stamp.position)


def concerns(event: Event, session: Session) -> bool:
    """Whether an event of the station bears on this session: by transaction, else by EVSE (case S10).

    A start bears on its own session only; that it ends another one is recorded there (`superseded`).
    """
    if isinstance(event, MetersRead) and event.transaction_id is None:
        return event.evse_id == session.evse_id
    if isinstance(event, MetersRead | TransactionUpdated | TransactionEnded | TransactionStatusTold):
        if event.transaction_id == session.transaction_id:
            return True
        return event.transaction_id in NO_TRANSACTION and getattr(event, "evse_id", None) == session.evse_id
    if isinstance(event, TransactionStarted):
        return not is_another(event, session)
    if isinstance(event, StatusReported):
        return event.evse_id == session.evse_id
    return isinstance(event, Booted)


def names_transaction(event: Event) -> bool:
    """Whether an event says which transaction it is about (cases S9, S10)."""
    transaction_id = getattr(event, "transaction_id", None)
    return transaction_id is not None and transaction_id not in NO_TRANSACTION


def is_lost(session: Session, now: datetime) -> bool:
    """Whether a running session has waited long enough for its stop."""
    return session.state in RUNNING_STATES and now >= due_at(session)


def due_at(session: Session) -> datetime:
    """When somebody must look at an open session again, if nothing happens before."""
    return session.due_at or session.last_contact_at + LOST_STOP_AFTER


def _take(
    session: Session,
    samples: tuple[Sample, ...],
    state: ChargingState | None,
    stamped_at: datetime | None,
    stamp: Stamp,
) -> Session:
    """Readings first, as they lie before the change; then what the outlet does now. A sign of life ends the wait."""
    meter = take_samples(session, samples, stamp.received_at)
    session = _goes_on(replace(session, meter=meter, last_contact_at=stamp.received_at, through=stamp.position))
    if state is None:
        return session
    at, _ = instant(stamped_at, stamp.received_at, session.clock)
    return _turn(session, _activity(state, session), max(at, session.started_at))


def _names_the_driver(id_token: IdToken | None, session: Session) -> bool:
    """Whether we learn now who charges; an empty token (2.0.1 NoAuthorization) names nobody."""
    return session.id_token is None and id_token is not None and bool(id_token.value)


def _goes_on(session: Session) -> Session:
    """The transaction lives: no stop is missing, and the cable is in whatever a status said (case S22)."""
    if session.due_at is None and session.unplugged_at is None:
        return session
    return replace(session, due_at=None, unplugged_at=None)


def _activity(state: ChargingState, session: Session) -> Activity:
    """2.0.1: plugged in without charging is waiting before the first energy, and idle after it."""
    told = _ACTIVITIES.get(state)
    if told is not None:
        return told
    return Activity.IDLE if session.has_charged else Activity.PAUSED_BY_EVSE


def _turn(session: Session, activity: Activity, at: datetime) -> Session:
    """Idle time begins when the vehicle takes no more, and not when we hold it back (case B34)."""
    idle = activity in TAKES_NOTHING and session.has_charged
    charging_ended_at = (session.charging_ended_at or at) if idle else None
    meter = turn(session.meter, at, activity)
    if meter is session.meter and activity is session.activity and charging_ended_at == session.charging_ended_at:
        return session
    return replace(
        session,
        activity=activity,
        has_charged=session.has_charged or activity is Activity.CHARGING,
        charging_ended_at=charging_ended_at,
        meter=meter,
    )

"""How does a session end, and what is its CDR?

A session ends with the station's stop, or softly at its last reading when the stop never came. Ended is not settled:
closing values may refine it and the cable may still be in. `cdr` writes down what was used; while the session runs the
same function writes the provisional document that a running price is computed from.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from laddbok.model.cdr import Cdr
from laddbok.model.events import IdToken, Sample, TransactionEnded
from laddbok.model.session import ReviewReason, Session, SessionState, VerdictKind
from laddbok.sessions.authorize import normalise_token
from laddbok.sessions.energy import ENOUGH_WH, doubts, find_energy
from laddbok.sessions.facts import Stamp
from laddbok.sessions.meter import TAKES_NOTHING, finish, fitted, idle_since, periods, take_reading, take_samples
from laddbok.sessions.odd import gauge_of
from laddbok.sessions.plausibility import more_than_the_outlet_can
from laddbok.sessions.timekeeping import instant
from laddbok.sessions.told import END, Told

SETTLE_AFTER = timedelta(seconds=15)
"""How long closing values are awaited after the end."""


def end_by_stop(session: Session, event: TransactionEnded, stamp: Stamp) -> Session:
    """The session after its stop: the values that came with it first, then the stop's own register.

    A stop whose register lies below what was metered is not believed; the last good reading stands (case S37).
    Source: OCPP 1.6 4.10 StopTransaction; OCPP 2.0.1 E06.
    """
    at, own_stamp = instant(event.at, stamp.received_at, session.clock)
    meter = take_samples(session, event.samples, stamp.received_at)
    at = max(at, meter.mark_at)
    if event.register_wh is not None:
        meter = take_reading(meter, at, event.register_wh, gauge_of(session))
    reasons = session.review_reasons
    is_out = event.trigger in _UNPLUG_TRIGGERS or event.reason == "EVDisconnected" or session.unplugged_at is not None
    return replace(
        session,
        state=SessionState.ENDED,
        meter=finish(meter, at),
        charging_ended_at=min(_charging_end_told(session) or at, at),
        transaction_ended_at=at,
        unplugged_at=max(session.unplugged_at or at, at) if is_out else None,
        last_contact_at=stamp.received_at,
        through=stamp.position,
        stop_reason=event.reason,
        stopped_by=_stopped_by(event.id_token, session),
        ended_by="stop",
        review_reasons=reasons if own_stamp else with_reason(reasons, ReviewReason.TIME_ESTIMATED),
        due_at=stamp.received_at + SETTLE_AFTER,
    )


def refined(session: Session, samples: tuple[Sample, ...], stamp: Stamp) -> Session:
    """The ended session after closing values that came behind its stop, while they are awaited; nothing opens it again (S23).

    They count at the instant of the end: what they add flowed before it.
    """
    ended_at = session.transaction_ended_at
    closing = [s.register_wh for s in samples if s.context == END and s.register_wh is not None]
    is_awaited = session.ended_by == "stop" and session.due_at is not None and stamp.received_at <= session.due_at
    if not (closing and is_awaited and session.state is SessionState.ENDED) or ended_at is None:
        return session
    meter = take_reading(session.meter, ended_at, closing[-1], gauge_of(session))
    return session if meter == session.meter else replace(session, meter=meter, through=stamp.position)


def _stopped_by(id_token: IdToken | None, session: Session) -> str | None:
    """Whose token ended it; the driver's own may have been read in another form than it is known by (S73)."""
    if id_token is None or not id_token.value:
        return None
    shown = normalise_token(id_token.value)
    is_own = session.id_token is not None and shown == normalise_token(session.id_token.value)
    return session.token if is_own else shown


_UNPLUG_TRIGGERS = frozenset({"EVDeparted", "EVCommunicationLost"})


def _charging_end_told(session: Session) -> datetime | None:
    """When the vehicle took no more, as the station told it: not what a soft close put in its place."""
    if session.ended_by != "soft":
        return session.charging_ended_at
    if session.activity not in TAKES_NOTHING or not session.has_charged:
        return None
    return idle_since(session.meter) or session.charging_ended_at


def close_softly(session: Session, now: datetime) -> Session:
    """The session ended at its last reading because its stop never came; nothing is billed after the last contact (B24)."""
    at = max(session.meter.mark_at, session.started_at)
    return replace(
        session,
        state=SessionState.ENDED,
        charging_ended_at=min(session.charging_ended_at or at, at),
        transaction_ended_at=at,
        unplugged_at=session.unplugged_at and max(session.unplugged_at, at),
        ended_by="soft",
        due_at=now + SETTLE_AFTER,
    )


def with_energy(session: Session, told: Told) -> Session:
    """The ended session with its energy found from all that was told, and what a person must see about it."""
    finding = find_energy(session, told)
    reasons = session.review_reasons
    for reason in doubts(session, told, finding):
        reasons = with_reason(reasons, reason)
    meter = session.meter if finding.energy_wh is None else fitted(session.meter, finding.energy_wh)
    return replace(session, meter=meter, energy=finding, review_reasons=reasons)


def held_because(session: Session) -> tuple[ReviewReason, ...]:
    """Every reason for which an ended session must be seen by a person before it is billed; empty: none.

    What a person has seen and decided holds it no longer, but for what nobody can bill: no energy, no tariff.
    Source: our choice, docs/rules.md "Review".
    """
    was_seen = session.verdict is not None and session.verdict.kind in (VerdictKind.ACCEPT, VerdictKind.CORRECT)
    reasons = () if was_seen else session.review_reasons
    is_not_found = was_seen and session.energy is not None and session.energy.energy_wh is None
    if session.energy_wh is None or is_not_found:
        reasons = with_reason(reasons, ReviewReason.NO_METER_READING)
    elif not was_seen and more_than_the_outlet_can(session):
        reasons = with_reason(reasons, ReviewReason.MORE_THAN_THE_OUTLET_CAN)
    if session.id_token is None and not was_seen:
        reasons = with_reason(reasons, ReviewReason.NO_ID_TOKEN)
    if session.tariff is None:
        reasons = with_reason(reasons, ReviewReason.NO_TARIFF)
    return reasons


def never_charged(session: Session) -> bool:
    """Plugged in and out again without a driver or energy: no business at all, so it is void.

    Where anything tells of energy, power and what can't be believed included, a person must see it.
    """
    estimates = session.energy.estimates if session.energy else ()
    is_told_of = any(estimate.energy_wh >= ENOUGH_WH for estimate in estimates)
    return session.id_token is None and not session.energy_wh and not is_told_of


def cdr(session: Session, until: datetime | None = None) -> Cdr:
    """What was used: final when the transaction has ended, else provisional up to `until` (or the last reading).

    Args: until: when the station was last heard, a heartbeat included; idle time and time fees count up to then.
    Idle time after the transaction, while the cable stays in, is part of it when the tariff bills to the unplugging.
    Source: OCPI 2.2.1 mod_cdrs, CDR object.
    """
    meter = session.meter
    if session.transaction_ended_at is None and until is not None:
        meter = finish(meter, until)
    return Cdr(
        session_id=session.id,
        started_at=session.started_at,
        charging_ended_at=session.charging_ended_at,
        transaction_ended_at=session.transaction_ended_at,
        unplugged_at=session.unplugged_at,
        last_contact_at=max(session.last_contact_at, until or session.last_contact_at),
        energy_wh=sum(period.energy_wh for period in periods(meter)),
        periods=periods(meter),
        time_zone=session.time_zone,
        country=session.country,
        revision=session.revision,
    )


def with_reason(reasons: tuple[ReviewReason, ...], reason: ReviewReason) -> tuple[ReviewReason, ...]:
    """The reasons with this one, once."""
    return reasons if reason in reasons else (*reasons, reason)

"""What does a session look like when it begins?

A session opens with the first frame of its transaction. Its id follows from where that frame stands in the evidence.
Its tariff, contract and seller are those of its start, frozen here. Trouble that a person must decide about later is
noted as a review reason; it never stops the metering.
"""

from datetime import timedelta
from hashlib import blake2b

from msgspec.structs import replace

from laddbok.model.cdr import Activity
from laddbok.model.events import (
    AuthorizationStatus,
    ChargingState,
    IdToken,
    TransactionEnded,
    TransactionStarted,
    TransactionUpdated,
)
from laddbok.model.ids import session_id
from laddbok.model.session import RUNNING_STATES, Clock, ReviewReason, Session, SessionState
from laddbok.model.station import Outlet, Station
from laddbok.model.traits import Quirk
from laddbok.sessions.authorize import authorization, normalise_token
from laddbok.sessions.facts import Facts, Stamp, StartFacts
from laddbok.sessions.meter import begin_meter
from laddbok.sessions.timekeeping import OLDEST, instant

UNIQUE_ID_CHARS = 16
"""A transaction id of a station that is so long is no counter that begins anew, and tells starts apart whatever the clock."""
OTHER_ZONE = timedelta(days=1)
"""A clock that is further ahead of ours shows no zone's time."""

_ACTIVITY_OF_STATUS = {
    "SuspendedEV": Activity.PAUSED_BY_EV,
    "SuspendedEVSE": Activity.PAUSED_BY_EVSE,
    "Charging": Activity.CHARGING,
}
_ACTIVITY_OF_STATE = {
    ChargingState.CHARGING: Activity.CHARGING,
    ChargingState.SUSPENDED_EV: Activity.PAUSED_BY_EV,
    ChargingState.SUSPENDED_EVSE: Activity.PAUSED_BY_EVSE,
    ChargingState.EV_CONNECTED: Activity.PAUSED_BY_EVSE,
    ChargingState.IDLE: Activity.PAUSED_BY_EVSE,
}


def start_key(event: TransactionStarted) -> str:
    """What makes two starts the same start, though a retry may carry another message id (cases S1 to S3).

    OCPP 1.6: connector, id token, start time, meter start. OCPP 2.0.1: the station's transaction id and start time.
    """
    token = normalise_token(event.id_token.value) if event.id_token else ""
    at = event.at.isoformat() if event.at else ""
    parts = (event.transaction_id, at) if event.transaction_id else (event.evse_id, token, at, event.register_wh)
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=12).hexdigest()


def stored_key(event: TransactionStarted, stamp: Stamp) -> str:
    """The start key as it is kept with a session.

    The stamp of a clock that may begin anew does not tell two starts apart for ever: such a key holds only while its
    session runs, so it carries the place of the session's first frame and no later start has the same. A clock that shows
    another zone's time is not believed, but runs, and its stamps do tell starts apart (case S28).
    """
    key = start_key(event)
    runs = event.at is not None and stamp.received_at - OLDEST <= event.at <= stamp.received_at + OTHER_ZONE
    is_unique = len(event.transaction_id or "") >= UNIQUE_ID_CHARS
    return key if runs or is_unique else f"{key}{_UNTIL_IT_ENDS}{stamp.position.epoch}/{stamp.position.seq}"


def is_same_start(event: TransactionStarted, session: Session) -> bool:
    """Whether this is the start of the session, perhaps repeated."""
    if session.start_key is None:
        return False
    key, place, _ = session.start_key.partition(_UNTIL_IT_ENDS)
    return key == start_key(event) and (not place or session.state in RUNNING_STATES)


_UNTIL_IT_ENDS = "@"


def open_session(
    station: Station, event: TransactionStarted, stamp: Stamp, facts: Facts, outlet: Outlet | None
) -> Session:
    """The session that a start opens, before its own samples are taken in.

    Args: `outlet` is what the connector last said, None when it has said nothing.
    Source: OCPP 1.6 4.8; OCPP 2.0.1 E01, E02; our states, design "The session".
    """
    clock = facts.clock or clock_of(station)
    at, own_stamp = instant(event.at, stamp.received_at, clock)
    if event.charging_state is not None:
        activity = _ACTIVITY_OF_STATE[event.charging_state]
    else:
        activity = _ACTIVITY_OF_STATUS.get(outlet.status if outlet else "", Activity.CHARGING)
    transaction_id = event.transaction_id or str(facts.transaction_number)
    session = Session(
        id=session_id(station.station_no, stamp.position.epoch, stamp.position.seq),
        tenant=station.tenant,
        station_no=station.station_no,
        station=station.identity,
        evse_id=event.evse_id,
        connector_id=event.connector_id,
        protocol=station.protocol,
        transaction_id=transaction_id,
        state=SessionState.PENDING,
        site_id=station.site_id,
        time_zone=station.time_zone,
        country=station.country,
        start_key=stored_key(event, stamp),
        opened=stamp.position,
        through=stamp.position,
        started_at=at,
        started_at_is="station" if own_stamp else "receipt",
        last_contact_at=stamp.received_at,
        activity=activity,
        has_charged=activity is Activity.CHARGING,
        max_power_w=facts.start.max_power_w,
        meter=begin_meter(at, _begin_wh(event, station), activity),
        before=facts.start.before,
        traits=replace(station.traits, watched={}),
        quirks=station.quirks,
        clock=clock,
        review_reasons=() if own_stamp else (ReviewReason.TIME_ESTIMATED,),
    )
    return identify(session, event.id_token, facts.start)


def clock_of(station: Station) -> Clock:
    """How this station's stamps are read: by the known habit of its model, else by what its sessions taught us."""
    if Quirk.NO_CLOCK in station.quirks:
        return Clock(is_useless=True)
    if Quirk.LOCAL_TIME in station.quirks:
        return Clock(zone=station.time_zone)
    return Clock(offset_s=station.traits.clock_offset_s)


def _begin_wh(event: TransactionStarted, station: Station) -> int | None:
    """The register of the start [Wh], unless it is known to be a placeholder of this model (case S33)."""
    return None if event.register_wh == 0 and Quirk.ZERO_BEGIN in station.quirks else event.register_wh


def start_of_lost_start(event: TransactionUpdated | TransactionEnded) -> TransactionStarted | None:
    """A start made up from a later event of a transaction whose start never came; None when it names no EVSE (S16)."""
    if event.evse_id is None:
        return None
    first = min((s.at for s in event.samples if s.at is not None), default=event.at)
    return TransactionStarted(
        evse_id=event.evse_id,
        connector_id=event.connector_id or event.evse_id,
        transaction_id=event.transaction_id,
        id_token=event.id_token,
        at=first,
        charging_state=event.charging_state,
        trigger=event.trigger,
        seq_no=event.seq_no,
        offline=event.offline,
    )


def identify(session: Session, id_token: IdToken | None, facts: StartFacts) -> Session:
    """The session with its driver known: token, our answer, contract, and the tariff of that contract.

    The first token counts; another driver's token never changes who pays (case S13).
    """
    session = replace(session, tariff=facts.tariff, waits_for_unplug=facts.waits_for_unplug, seller_id=facts.seller_id)
    if id_token is None or not id_token.value:
        return session
    answer = authorization(facts.token, session.started_at)
    reasons = session.review_reasons
    if answer is AuthorizationStatus.INVALID:
        reasons = (*reasons, ReviewReason.UNKNOWN_TOKEN)
    elif answer is not AuthorizationStatus.ACCEPTED:
        reasons = (*reasons, ReviewReason.TOKEN_REFUSED)
    return replace(
        session,
        state=SessionState.ACTIVE,
        id_token=id_token,
        token=(facts.token and facts.token.known_as) or normalise_token(id_token.value),
        authorization=answer,
        contract_id=facts.token.contract_id if facts.token else None,
        review_reasons=reasons,
    )

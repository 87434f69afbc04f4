"""What is a message about that does not say so?

Stations send a stop with a transaction id that is none (0, -1), or with one that nobody knows, because the start was lost
in a restart. Such a message is never guessed at over the whole network: it may end the one running session of its own
station that it fits, or, where the station has only one outlet and nothing runs there, tell of a session of its own. What
we found is recorded beside the frame as `Given`, and so is what a person finds later; a rebuild reads it.
"""

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from laddbok.model.events import Event, TransactionEnded
from laddbok.model.session import RUNNING_STATES, Session
from laddbok.model.station import StationState
from laddbok.sessions.authorize import normalise_token
from laddbok.sessions.facts import Given, Stamp
from laddbok.sessions.odd import ROUNDING_WH, gauge_of
from laddbok.sessions.timekeeping import instant

EventT = TypeVar("EventT", bound=Event)


def stop_without_id(sessions: Iterable[Session], event: TransactionEnded, stamp: Stamp) -> Session | None:
    """The running session that a stop without a transaction id ends; None: there is none, or more than one fits.

    It must have begun before, its register must be able to go on to the stop's, and a token, if the stop names one, must
    be its driver's. Source: our choice, docs/rules.md "A message about an unknown transaction"; cases S9, S13.
    """
    token = normalise_token(event.id_token.value) if event.id_token and event.id_token.value else None
    fitting = [s for s in sessions if s.state in RUNNING_STATES and token in (None, s.token) and _fits(s, event, stamp)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(session: Session, event: TransactionEnded, stamp: Stamp) -> bool:
    at, _ = instant(event.at, stamp.received_at, session.clock)
    meter = session.meter
    if at < session.started_at:
        return False
    if event.register_wh is None or meter.mark_wh is None:
        return True
    grown_wh = event.register_wh - meter.mark_wh
    return grown_wh >= -ROUNDING_WH and gauge_of(session).can_give(grown_wh, max(at, meter.mark_at) - meter.mark_at)


def only_outlet(state: StationState) -> tuple[int, int] | None:
    """(EVSE, connector) of a station that has one outlet, where nothing runs; else None. Source: our choice; case S16."""
    outlets = {place for place in state.outlets if place[0] > 0}
    runs = any(session.state in RUNNING_STATES for session in state.sessions.values())
    return next(iter(outlets)) if len(outlets) == 1 and not runs else None


def with_given(event: EventT, given: Given | None) -> EventT:
    """The event with what it did not say itself."""
    if given is None:
        return event
    said = {
        "transaction_id": given.transaction_id,
        "evse_id": given.evse_id,
        "connector_id": given.connector_id,
        "id_token": given.id_token,
    }
    fields = event.__struct_fields__
    return replace(event, **{name: value for name, value in said.items() if value is not None and name in fields})

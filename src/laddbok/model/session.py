"""What do we believe about a charge?

A session is our commercial record of one charge; the station's record is its transaction. It is folded from the
station's frames and a few recorded decisions and holds everything that pricing and people need: who, where, the four
instants, energy with the way it was found, charging periods, and why a person must look at it. Values are immutable;
a new state is a new value. Samples extend `open_period` in place, so the cost of a sample does not grow with the session.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.events import AuthorizationStatus, IdToken


class SessionState(StrEnum):
    """Where a session stands. Source: our choice, design "The session"."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    SETTLED = "settled"
    REVIEW = "review"
    VOID = "void"


OPEN_STATES = frozenset({SessionState.PENDING, SessionState.ACTIVE, SessionState.ENDED})
RUNNING_STATES = frozenset({SessionState.PENDING, SessionState.ACTIVE})


class ReviewReason(StrEnum):
    """Why a session is held for a person and never billed by itself."""

    UNKNOWN_TOKEN = "unknown_token"
    TOKEN_REFUSED = "token_refused"
    NO_ID_TOKEN = "no_id_token"
    NO_TARIFF = "no_tariff"
    NOT_PRICEABLE = "not_priceable"
    INCOMPLETE_START = "incomplete_start"
    NO_METER_READING = "no_meter_reading"
    REGISTER_WENT_BACK = "register_went_back"
    MORE_THAN_THE_OUTLET_CAN = "more_than_the_outlet_can"
    TIME_ESTIMATED = "time_estimated"
    LATE_MESSAGES = "late_messages"


class FramePosition(msgspec.Struct, frozen=True, order=True):
    """Where a frame stands in its station's evidence: connection epoch, then number within it."""

    epoch: int
    seq: int


class TariffChoice(msgspec.Struct, frozen=True):
    """The tariff version frozen at the session's start, and which scope named it."""

    tariff_id: str
    version: int
    scope: str = "default"


class Turn(msgspec.Struct, frozen=True):
    """At this instant the outlet began to do something else."""

    at: datetime
    activity: Activity


class Meter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The running fold of what the meter said. Registers in Wh, power in W.

    `mark_wh` at `mark_at` is the last accepted reading: the next one is counted from there. `turns` are the changes of
    activity since the mark; the energy up to the next reading is shared out over them when it comes. `open_period` ends
    at the mark and grows with the readings until its quarter hour (`cut_at`) or its activity ends.
    """

    mark_at: datetime
    activity: Activity
    """At the mark."""
    begin_wh: int | None = None
    mark_wh: int | None = None
    turns: tuple[Turn, ...] = ()
    open_period: ChargingPeriod | None = None
    cut_at: datetime | None = None
    closed_periods: tuple[ChargingPeriod, ...] = ()
    power_w: int | None = None
    soc_pct: int | None = None
    samples: int = 0
    rejected: int = 0

    @property
    def energy_wh(self) -> int | None:
        """Energy so far [Wh]; None before a first reading."""
        if self.begin_wh is None or self.mark_wh is None:
            return None
        return self.mark_wh - self.begin_wh


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One charge, as we believe it to be. Instants are aware UTC; `station` is the identity in its websocket's path."""

    id: str
    tenant: int
    station_no: int
    station: str
    evse_id: int
    connector_id: int
    protocol: str
    transaction_id: str
    state: SessionState
    version: int = 1
    revision: int = 1
    site_id: str | None = None
    time_zone: str = "UTC"
    country: str = "SE"
    seller_id: str | None = None
    id_token: IdToken | None = None
    token: str | None = None
    authorization: AuthorizationStatus | None = None
    contract_id: str | None = None
    tariff: TariffChoice | None = None
    waits_for_unplug: bool = False
    """The tariff bills idle time until the cable is out, so the CDR waits for that."""

    start_key: str | None = None
    opened: FramePosition
    through: FramePosition
    started_at: datetime
    started_at_is: str = "station"
    """Whose stamp `started_at` is: the station's, or ours of receipt."""
    charging_ended_at: datetime | None = None
    transaction_ended_at: datetime | None = None
    unplugged_at: datetime | None = None
    last_contact_at: datetime
    stop_reason: str | None = None
    stopped_by: str | None = None
    ended_by: str | None = None
    """stop: the station said so; soft: closed by us at the last reading."""

    gave_way_at: datetime | None = None
    """Another transaction began on its EVSE then, though its own stop had not come."""

    activity: Activity = Activity.CHARGING
    has_charged: bool = False
    max_power_w: int | None = None
    """What EVSE and connector can give; None: not known."""
    meter: Meter
    last_seq_no: int | None = None
    review_reasons: tuple[ReviewReason, ...] = ()
    due_at: datetime | None = None

    @property
    def was_guessed_over(self) -> bool:
        """Closed by us because its stop had not come, and no other transaction began since: it may still go on."""
        return self.ended_by == "soft" and self.gave_way_at is None

    @property
    def energy_wh(self) -> int | None:
        """Energy so far or in the end [Wh]; None when no register was ever read."""
        return self.meter.energy_wh

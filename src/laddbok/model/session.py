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
from laddbok.model.energy import EnergyFinding
from laddbok.model.events import AuthorizationStatus, IdToken
from laddbok.model.traits import Quirk, Traits


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
    BEGIN_NOT_BELIEVED = "begin_not_believed"
    REGISTER_OVERFLOW = "register_overflow"
    ESTIMATES_DISAGREE = "estimates_disagree"
    UNIT_DOUBTFUL = "unit_doubtful"
    REOPENED = "reopened"


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


class Doubt(msgspec.Struct, frozen=True):
    """A reading that is not believed unless the next one goes on from it (cases S33, S36)."""

    at: datetime
    register_wh: int


class MeterNote(StrEnum):
    """What had to be explained to follow the register. Source: docs/rules.md "Energy"."""

    BEGIN_REPLACED = "begin_replaced"
    """The register in the start was not that of the meter; the first reading counts instead (case S33)."""
    RESET = "reset"
    """The register began anew in the session (cases S36, B14)."""
    ROLLED_OVER = "rolled_over"
    """The register passed its highest number (case B13)."""
    JUMPED = "jumped"
    """The register went on from a number that no outlet can have reached; the jump is not counted."""


class Clock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the stamps of a session are read. `offset_s` is added to stamps that are not right as they are."""

    offset_s: int = 0
    zone: str | None = None
    """Stamps are wall time of this IANA zone, labelled as UTC."""
    anchor_s: int | None = None
    """What turns the stamps of a clock that was never set into ours."""
    is_useless: bool = False
    is_proven: bool = False
    """A session's own stamps show that the clock is right, or by how much it is wrong."""


class LastRegister(msgspec.Struct, frozen=True):
    """Where the register of an EVSE stood when the session before ended [Wh]."""

    session_id: str
    register_wh: int
    at: datetime
    was_stopped: bool = True
    """Its stop said so, and was believed; else it was only read there, and may have taken more."""


class VerdictKind(StrEnum):
    """What a person decided about a session. Source: our choice, docs/rules.md "Review"."""

    ACCEPT = "accept"
    """The engine's proposal is right."""
    CORRECT = "correct"
    VOID = "void"
    REOPEN = "reopen"
    """It must be looked at once more."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's decision about a session; what is None stays as the engine found it."""

    kind: VerdictKind
    reason: str
    energy_wh: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    token: str | None = None
    """Who charged, normalised."""
    contract_id: str | None = None
    tariff: TariffChoice | None = None


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
    doubt: Doubt | None = None
    carried_wh: int | None = None
    """What the energy is more than the difference of the two registers: the register did not simply grow."""
    notes: tuple[MeterNote, ...] = ()

    @property
    def energy_wh(self) -> int | None:
        """Energy so far [Wh]; None before a first reading."""
        if self.begin_wh is None or self.mark_wh is None:
            return self.carried_wh
        return self.mark_wh - self.begin_wh + (self.carried_wh or 0)


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
    before: LastRegister | None = None
    """Where the session before on this EVSE left the register."""
    traits: Traits = Traits()
    """What was known of the station when it opened, frozen."""
    quirks: tuple[Quirk, ...] = ()
    """What was known of the station's model, frozen."""
    clock: Clock = Clock()
    inferred: int = 0
    """Messages that did not name the transaction, taken to belong to it by outlet and time (case S10)."""
    energy: EnergyFinding | None = None
    """Found when it settles, from all its evidence."""
    verdict: Verdict | None = None
    """What a person decided last."""
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

"""What did a station tell us?

Both protocols are decoded into these few events; nothing above `ocpp` knows which wire a station speaks. An event is
the station's word, not yet our belief: `at` is the station's own stamp (None when it gave none that can be read),
registers are whole Wh, power is W. Signed meter values stay verbatim. Where OCPP 1.6 says connector, that number is
both `evse_id` and `connector_id` here, because a 1.6 connector is what OCPP 2.x calls an EVSE.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class IdToken(msgspec.Struct, frozen=True):
    """A driver's credential as presented. Source: OCPP 2.0.1 IdTokenType; OCPP 1.6 IdToken (kind "" there)."""

    value: str
    kind: str = ""


class ChargingState(StrEnum):
    """The outlet's state in a transaction. Source: OCPP 2.0.1 ChargingStateEnumType; 1.6 derives it from status."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the meter showed at one instant; None: not said.

    `register_wh` is the total of Energy.Active.Import.Register (the total if present, else the sum of the phases).
    Source: OCPP 1.6 MeterValue; OCPP 2.0.1 MeterValueType.
    """

    at: datetime | None
    register_wh: int | None = None
    power_w: int | None = None
    soc_pct: int | None = None
    offered_w: int | None = None
    currents_ma: tuple[int, ...] | None = None
    export_register_wh: int | None = None
    interval_wh: int | None = None
    context: str = "Sample.Periodic"
    signed: tuple[str, ...] = ()


class Booted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The station started. Source: OCPP 1.6 4.2, 2.0.1 B01."""

    vendor: str
    model: str
    serial_number: str | None = None
    firmware_version: str | None = None
    reason: str | None = None


class HeartbeatSent(msgspec.Struct, frozen=True, tag=True):
    """A sign of life. Source: OCPP 1.6 4.6, 2.0.1 G02."""


class StatusReported(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The status of the station (evse 0) or of a connector, in the station's own word (Available, Charging, ...).

    Source: OCPP 1.6 4.9 ChargePointStatus; OCPP 2.0.1 G01 ConnectorStatusEnumType.
    """

    evse_id: int
    connector_id: int
    status: str
    at: datetime | None
    error_code: str | None = None
    """1.6 only; None or "NoError": no fault."""
    vendor_error_code: str | None = None
    info: str | None = None


class AuthorizeAsked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """May this id token charge? Source: OCPP 1.6 4.1, 2.0.1 C01."""

    id_token: IdToken


class TransactionStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A transaction began on the station.

    `transaction_id` is None in 1.6, where we name it in the answer. Source: OCPP 1.6 4.8, 2.0.1 E01-E02.
    """

    evse_id: int
    connector_id: int
    transaction_id: str | None
    id_token: IdToken | None
    at: datetime | None
    register_wh: int | None = None
    samples: tuple[Sample, ...] = ()
    charging_state: ChargingState | None = None
    trigger: str | None = None
    seq_no: int | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None


class TransactionUpdated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something changed in a running transaction. Source: OCPP 2.0.1 E02 TransactionEvent(Updated)."""

    transaction_id: str
    evse_id: int | None
    connector_id: int | None
    at: datetime | None
    samples: tuple[Sample, ...] = ()
    id_token: IdToken | None = None
    charging_state: ChargingState | None = None
    trigger: str | None = None
    seq_no: int | None = None
    offline: bool = False
    remote_start_id: int | None = None


class MetersRead(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Meter values outside a TransactionEvent. 1.6 names the transaction, or not. Source: OCPP 1.6 4.7, 2.0.1 J01."""

    evse_id: int
    connector_id: int
    transaction_id: str | None
    samples: tuple[Sample, ...]


class TransactionEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A transaction is over on the station. Source: OCPP 1.6 4.10, 2.0.1 E06-E07."""

    transaction_id: str
    evse_id: int | None
    connector_id: int | None
    id_token: IdToken | None
    at: datetime | None
    reason: str | None = None
    register_wh: int | None = None
    samples: tuple[Sample, ...] = ()
    charging_state: ChargingState | None = None
    trigger: str | None = None
    seq_no: int | None = None
    offline: bool = False


class TransactionStatusTold(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the station answered when we asked about a transaction. Source: OCPP 2.0.1 E14, GetTransactionStatus."""

    transaction_id: str
    is_ongoing: bool | None
    has_messages: bool
    """It still keeps messages about it."""


class DataTransferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A vendor's own message. Source: OCPP 1.6 4.3, 2.0.1 P02."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None


class Noted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Device-model, event, security, firmware and log notifications: kept and answered; `summary` is for people."""

    action: str
    summary: str = ""


Event = (
    Booted
    | HeartbeatSent
    | StatusReported
    | AuthorizeAsked
    | TransactionStarted
    | TransactionUpdated
    | MetersRead
    | TransactionEnded
    | TransactionStatusTold
    | DataTransferred
    | Noted
)


class AuthorizationStatus(StrEnum):
    """Our answer about an id token. Source: OCPP 1.6 AuthorizationStatus; OCPP 2.0.1 AuthorizationStatusEnumType."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What we decided to answer to an event, before a protocol gives it words. None: the answer has no such part."""

    transaction_id: str | None = None
    """Of a started transaction: in 1.6 a 31-bit number of ours."""
    authorization: AuthorizationStatus | None = None
    now: datetime | None = None
    heartbeat_interval_s: int | None = None
    boot_accepted: bool = True

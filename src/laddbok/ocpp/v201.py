"""What does an OCPP 2.0.1 station mean, and how is it answered?

One function per action turns its message into an event; `respond` turns a decision into the exact payload. An EVSE or
connector number that was not said is 0.

>>> from laddbok.ocpp.frame import Call
>>> event = decode(Call("1", "Authorize", msgspec.Raw(b'{"idToken":{"idToken":"04A1","type":"ISO14443"}}')))
>>> event
AuthorizeAsked(id_token=IdToken(value='04A1', kind='ISO14443'))
>>> respond(event, Answer(authorization=AuthorizationStatus.BLOCKED))
b'{"idTokenInfo":{"status":"Blocked"}}'
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.events import (
    Answer,
    AuthorizationStatus,
    AuthorizeAsked,
    Booted,
    ChargingState,
    DataTransferred,
    Event,
    HeartbeatSent,
    IdToken,
    MetersRead,
    Noted,
    Sample,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    TransactionStatusTold,
    TransactionUpdated,
)
from laddbok.ocpp.frame import Call, ErrorCode, OcppVersion, Undecodable, spelled
from laddbok.ocpp.messages import v201_in as received
from laddbok.ocpp.messages import v201_out as sent
from laddbok.ocpp.messages.base import Received, Sent
from laddbok.ocpp.meter import Factors, by_context, factor_of, in_whole_units_scaled, sample_of
from laddbok.ocpp.payload import (
    Unfit,
    checked,
    encode,
    instant_text,
    needed_id,
    needed_word,
    parse_instant,
    read,
    sane,
    summary_of,
)

NOT_SAID = 0

COMMANDS = frozenset(
    {
        "ChangeAvailability",
        "ClearChargingProfile",
        "GetCompositeSchedule",
        "GetTransactionStatus",
        "GetVariables",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "Reset",
        "SetChargingProfile",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
    }
)
"""What can be asked of a 2.0.1 station."""

_CHARGING_STATES = {each.value: each for each in ChargingState}


def decode(call: Call) -> Event | Undecodable:
    """What the station told us. Any call gives a value, never an exception.

    Source: OCPP 2.0.1 Part 2, chapter 1 Messages.
    """
    known = _READERS.get(call.action)
    if known is None:
        code = spelled(ErrorCode.NOT_IMPLEMENTED, OcppVersion.V201)
        return Undecodable(action=call.action, code=code, reason=f"OCPP 2.0.1 has no {call.action!r} from a station")
    decoder, understood = known
    try:
        return understood(read(call.payload, decoder))
    except Unfit as error:
        return Undecodable(action=call.action, code=spelled(error.code, OcppVersion.V201), reason=error.reason)


def respond(event: Event, answer: Answer) -> bytes:
    """The payload of the result that answers this event.

    Args: answer: must have what the action's answer needs: authorization of an Authorize, now of a boot and a
        heartbeat, the interval of a boot.
    Source: OCPP 2.0.1 Part 2, chapter 1 Messages; strict by field case S19.
    """
    message = _response(event, answer)
    return b"{}" if message is None else encode(message)


def validate_command(action: str, payload: Mapping[str, object]) -> bytes:
    """The payload of a call of ours, checked against the schema.

    Raises: Invalid when a field is wrong, missing or unknown, or 2.0.1 has no such command (field "action").
    """
    if action not in COMMANDS:
        raise Invalid("action", f"OCPP 2.0.1 has no command {action!r}")
    return checked(payload, sent.REQUESTS[action])


def _booted(message: received.BootNotificationRequest) -> Event:
    station = message.charging_station or received.ChargingStation()
    return Booted(
        vendor=station.vendor_name or "",
        model=station.model or "",
        serial_number=station.serial_number,
        firmware_version=station.firmware_version,
        reason=message.reason,
    )


def _heartbeat_sent(message: received.HeartbeatRequest) -> Event:
    return HeartbeatSent()


def _status_reported(message: received.StatusNotificationRequest) -> Event:
    return StatusReported(
        evse_id=needed_id(message.evse_id, "evseId"),
        connector_id=needed_id(message.connector_id, "connectorId"),
        status=needed_word(message.connector_status, "connectorStatus"),
        at=parse_instant(message.timestamp),
    )


def _authorize_asked(message: received.AuthorizeRequest) -> Event:
    id_token = _id_token(message.id_token)
    if id_token is None:
        raise Unfit(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "idToken is missing")
    return AuthorizeAsked(id_token=id_token)


def _transaction_event(message: received.TransactionEventRequest) -> Event:
    match needed_word(message.event_type, "eventType"):
        case "Started":
            return _transaction_started(message)
        case "Updated":
            return _transaction_updated(message)
        case "Ended":
            return _transaction_ended(message)
        case unknown:
            raise Unfit(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"eventType {unknown!r} is unknown")


def _transaction_started(message: received.TransactionEventRequest) -> Event:
    transaction = message.transaction_info or received.Transaction()
    samples = _samples(message.meter_value or ())
    evse_id, connector_id = _outlet(message.evse)
    return TransactionStarted(
        evse_id=evse_id or NOT_SAID,
        connector_id=connector_id or NOT_SAID,
        transaction_id=needed_word(transaction.transaction_id, "transactionInfo.transactionId"),
        id_token=_id_token(message.id_token),
        at=parse_instant(message.timestamp),
        register_wh=_register_wh(samples, "Transaction.Begin"),
        samples=samples,
        charging_state=_CHARGING_STATES.get(transaction.charging_state or ""),
        trigger=message.trigger_reason,
        seq_no=sane(message.seq_no),
        offline=message.offline or False,
        remote_start_id=sane(transaction.remote_start_id),
        reservation_id=sane(message.reservation_id),
    )


def _transaction_updated(message: received.TransactionEventRequest) -> Event:
    transaction = message.transaction_info or received.Transaction()
    evse_id, connector_id = _outlet(message.evse)
    return TransactionUpdated(
        transaction_id=needed_word(transaction.transaction_id, "transactionInfo.transactionId"),
        evse_id=evse_id,
        connector_id=connector_id,
        at=parse_instant(message.timestamp),
        samples=_samples(message.meter_value or ()),
        id_token=_id_token(message.id_token),
        charging_state=_CHARGING_STATES.get(transaction.charging_state or ""),
        trigger=message.trigger_reason,
        seq_no=sane(message.seq_no),
        offline=message.offline or False,
        remote_start_id=sane(transaction.remote_start_id),
    )


def _transaction_ended(message: received.TransactionEventRequest) -> Event:
    transaction = message.transaction_info or received.Transaction()
    samples = _samples(message.meter_value or ())
    evse_id, connector_id = _outlet(message.evse)
    return TransactionEnded(
        transaction_id=needed_word(transaction.transaction_id, "transactionInfo.transactionId"),
        evse_id=evse_id,
        connector_id=connector_id,
        id_token=_id_token(message.id_token),
        at=parse_instant(message.timestamp),
        reason=transaction.stopped_reason,
        register_wh=_register_wh(samples, "Transaction.End"),
        samples=samples,
        charging_state=_CHARGING_STATES.get(transaction.charging_state or ""),
        trigger=message.trigger_reason,
        seq_no=sane(message.seq_no),
        offline=message.offline or False,
    )


def _meters_read(message: received.MeterValuesRequest) -> Event:
    return MetersRead(
        evse_id=needed_id(message.evse_id, "evseId"),
        connector_id=NOT_SAID,
        transaction_id=None,
        samples=_samples(message.meter_value or ()),
    )


def _data_transferred(message: received.DataTransferRequest) -> Event:
    data = message.data
    return DataTransferred(
        vendor_id=message.vendor_id or "",
        message_id=message.message_id,
        data=data if data is None or isinstance(data, str) else msgspec.json.encode(data).decode(),
    )


def _noted(action: str) -> Callable[[Any], Event]:
    def understood(message: Received) -> Event:
        return Noted(action=action, summary=summary_of(message))

    return understood


_UNDERSTOOD: dict[str, Callable[[Any], Event]] = {
    "Authorize": _authorize_asked,
    "BootNotification": _booted,
    "DataTransfer": _data_transferred,
    "Heartbeat": _heartbeat_sent,
    "MeterValues": _meters_read,
    "StatusNotification": _status_reported,
    "TransactionEvent": _transaction_event,
}

_READERS = {
    action: (msgspec.json.Decoder(kind), _UNDERSTOOD.get(action) or _noted(action))
    for action, kind in received.REQUESTS.items()
}


def _id_token(id_token: received.IdToken | None) -> IdToken | None:
    """NoAuthorization has an empty value and is an id token all the same. Source: OCPP 2.0.1 C01.FR.20 ff."""
    if id_token is None or not (id_token.id_token or id_token.type):
        return None
    value = needed_word(id_token.id_token, "idToken.idToken") if id_token.id_token else ""
    return IdToken(value, id_token.type or "")


def _outlet(evse: received.EVSE | None) -> tuple[int | None, int | None]:
    if evse is None or evse.id is None:
        return None, None
    connector_id = evse.connector_id
    return (
        needed_id(evse.id, "evse.id"),
        None if connector_id is None else needed_id(connector_id, "evse.connectorId"),
    )


def _register_wh(samples: Sequence[Sample], context: str) -> int | None:
    return next(
        (each.register_wh for each in samples if each.context == context and each.register_wh is not None),
        None,
    )


def _samples(meter_values: Sequence[received.MeterValue]) -> tuple[Sample, ...]:
    samples = []
    for meter_value in meter_values:
        at = parse_instant(meter_value.timestamp)
        for context, items in by_context(meter_value.sampled_value or ()):
            sample = sample_of(at, context, items, _amount, _signed(items))
            if sample is not None:
                samples.append(sample)
    return tuple(samples)


def _signed(items: Sequence[received.SampledValue]) -> tuple[str, ...]:
    """The whole signed object as JSON: without its method and key the data can't be verified."""
    signed = [item.signed_meter_value for item in items if item.signed_meter_value is not None]
    return tuple([msgspec.json.encode(each).decode() for each in signed]) if signed else ()


def _amount(item: received.SampledValue, factors: Factors) -> int | None:
    if item.value is None:
        return None
    unit = item.unit_of_measure
    if unit is None:
        return in_whole_units_scaled(item.value, factors[None], 0)
    factor = factors.get(unit.unit) or factor_of(unit.unit, factors)
    return None if factor is None else in_whole_units_scaled(item.value, factor, unit.multiplier or 0)


def _response(event: Event, answer: Answer) -> Sent | None:
    """None: the action's answer is empty."""
    match event:
        case TransactionUpdated(id_token=None) | MetersRead() | StatusReported():
            return None
        case Booted():
            return _boot_response(answer)
        case HeartbeatSent():
            assert answer.now is not None
            return sent.HeartbeatResponse(current_time=instant_text(answer.now))
        case AuthorizeAsked():
            assert answer.authorization is not None
            return sent.AuthorizeResponse(id_token_info=_id_token_info(answer.authorization))
        case (
            TransactionStarted(id_token=IdToken())
            | TransactionUpdated(id_token=IdToken())
            | TransactionEnded(id_token=IdToken())
        ) if answer.authorization is not None:
            return sent.TransactionEventResponse(id_token_info=_id_token_info(answer.authorization))
        case DataTransferred():
            return sent.DataTransferResponse(status="UnknownVendorId")
        case Noted():
            return _REFUSALS.get(event.action)
        case TransactionStarted() | TransactionUpdated() | TransactionEnded():
            return None
        case TransactionStatusTold():
            raise AssertionError("an answer is not answered")


_REFUSALS: dict[str, Sent] = {
    "Get15118EVCertificate": sent.Get15118EVCertificateResponse(status="Failed", exi_response=""),
    "GetCertificateStatus": sent.GetCertificateStatusResponse(status="Failed"),
    "NotifyEVChargingNeeds": sent.NotifyEVChargingNeedsResponse(status="Rejected"),
    "NotifyEVChargingSchedule": sent.NotifyEVChargingScheduleResponse(status="Accepted"),
    "SignCertificate": sent.SignCertificateResponse(status="Rejected"),
}
"""Requests among the notifications: what we don't do is refused in the action's own words."""


def _boot_response(answer: Answer) -> Sent:
    assert answer.now is not None and answer.heartbeat_interval_s is not None
    return sent.BootNotificationResponse(
        status="Accepted" if answer.boot_accepted else "Pending",
        current_time=instant_text(answer.now),
        interval=answer.heartbeat_interval_s,
    )


def _id_token_info(authorization: AuthorizationStatus) -> sent.IdTokenInfo:
    return sent.IdTokenInfo(status=authorization.value)

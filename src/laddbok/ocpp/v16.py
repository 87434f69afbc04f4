"""What does an OCPP 1.6 station mean, and how is it answered?

One function per action turns its message into an event; `respond` turns a decision into the exact payload. A 1.6
connector is what we call an EVSE, so its number stands for both.

>>> from laddbok.ocpp.frame import Call
>>> event = decode(Call("1", "Authorize", msgspec.Raw(b'{"idTag":"04A1"}')))
>>> event
AuthorizeAsked(id_token=IdToken(value='04A1', kind=''))
>>> respond(event, Answer(authorization=AuthorizationStatus.ACCEPTED))
b'{"idTagInfo":{"status":"Accepted"}}'
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
from laddbok.ocpp.messages import v16_in as received
from laddbok.ocpp.messages import v16_out as sent
from laddbok.ocpp.messages.base import Received, Sent
from laddbok.ocpp.meter import Factors, by_context, factor_of, in_whole_units, sample_of
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

MAX_TRANSACTION_ID = 2**31 - 1
SIGNED_DATA = "SignedData"

COMMANDS = frozenset(
    {
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearChargingProfile",
        "GetCompositeSchedule",
        "GetConfiguration",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "Reset",
        "SetChargingProfile",
        "TriggerMessage",
        "UnlockConnector",
    }
)
"""What can be asked of a 1.6 station."""


def decode(call: Call) -> Event | Undecodable:
    """What the station told us. Any call gives a value, never an exception.

    Source: OCPP 1.6 edition 2, chapter 4 and 6; security white paper edition 3.
    """
    known = _READERS.get(call.action)
    if known is None:
        code = spelled(ErrorCode.NOT_IMPLEMENTED, OcppVersion.V16)
        return Undecodable(action=call.action, code=code, reason=f"OCPP 1.6 has no {call.action!r} from a station")
    decoder, understood = known
    try:
        return understood(read(call.payload, decoder))
    except Unfit as error:
        return Undecodable(action=call.action, code=spelled(error.code, OcppVersion.V16), reason=error.reason)


def respond(event: Event, answer: Answer) -> bytes:
    """The payload of the result that answers this event.

    Args: answer: must have what the action's answer needs: authorization of an Authorize and a StartTransaction, the
        transaction id of a StartTransaction, now of a boot and a heartbeat, the interval of a boot.
    Source: OCPP 1.6 chapter 6; strict by field case S19.
    """
    message = _response(event, answer)
    return b"{}" if message is None else encode(message)


def validate_command(action: str, payload: Mapping[str, object]) -> bytes:
    """The payload of a call of ours, checked against the schema.

    Raises: Invalid when a field is wrong, missing or unknown, or 1.6 has no such command (field "action").
    """
    if action not in COMMANDS:
        raise Invalid("action", f"OCPP 1.6 has no command {action!r}")
    return checked(payload, sent.REQUESTS[action])


def _booted(message: received.BootNotificationRequest) -> Event:
    return Booted(
        vendor=message.charge_point_vendor or "",
        model=message.charge_point_model or "",
        serial_number=message.charge_point_serial_number or message.charge_box_serial_number,
        firmware_version=message.firmware_version,
    )


def _heartbeat_sent(message: received.HeartbeatRequest) -> Event:
    return HeartbeatSent()


def _status_reported(message: received.StatusNotificationRequest) -> Event:
    connector_id = needed_id(message.connector_id, "connectorId")
    return StatusReported(
        evse_id=connector_id,
        connector_id=connector_id,
        status=needed_word(message.status, "status"),
        at=parse_instant(message.timestamp),
        error_code=message.error_code,
        vendor_error_code=message.vendor_error_code,
        info=message.info,
    )


def _authorize_asked(message: received.AuthorizeRequest) -> Event:
    return AuthorizeAsked(id_token=IdToken(needed_word(message.id_tag, "idTag")))


def _transaction_started(message: received.StartTransactionRequest) -> Event:
    connector_id = needed_id(message.connector_id, "connectorId")
    return TransactionStarted(
        evse_id=connector_id,
        connector_id=connector_id,
        transaction_id=None,
        id_token=_id_token(message.id_tag),
        at=parse_instant(message.timestamp),
        register_wh=sane(message.meter_start),
        reservation_id=sane(message.reservation_id),
    )


def _meters_read(message: received.MeterValuesRequest) -> Event:
    """A transaction id that can't be one of ours (0, -1, the largest 64-bit number) means that there is none."""
    connector_id = needed_id(message.connector_id, "connectorId")
    transaction_id = message.transaction_id
    is_ours = transaction_id is not None and 0 < transaction_id <= MAX_TRANSACTION_ID
    return MetersRead(
        evse_id=connector_id,
        connector_id=connector_id,
        transaction_id=str(transaction_id) if is_ours else None,
        samples=_samples(message.meter_value or ()),
    )


def _transaction_ended(message: received.StopTransactionRequest) -> Event:
    """A stop without a transaction id is one of transaction 0: kept and acknowledged, or it would come for ever (S7)."""
    return TransactionEnded(
        transaction_id=needed_word(str(message.transaction_id or 0), "transactionId"),
        evse_id=None,
        connector_id=None,
        id_token=_id_token(message.id_tag),
        at=parse_instant(message.timestamp),
        reason=message.reason,
        register_wh=sane(message.meter_stop),
        samples=_samples(message.transaction_data or ()),
    )


def _data_transferred(message: received.DataTransferRequest) -> Event:
    return DataTransferred(vendor_id=message.vendor_id or "", message_id=message.message_id, data=message.data)


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
    "StartTransaction": _transaction_started,
    "StatusNotification": _status_reported,
    "StopTransaction": _transaction_ended,
}

_READERS = {
    action: (msgspec.json.Decoder(kind), _UNDERSTOOD.get(action) or _noted(action))
    for action, kind in received.REQUESTS.items()
}


def _id_token(id_tag: str | None) -> IdToken | None:
    return IdToken(needed_word(id_tag, "idTag")) if id_tag else None


def _samples(meter_values: Sequence[received.MeterValue]) -> tuple[Sample, ...]:
    samples = []
    for meter_value in meter_values:
        at = parse_instant(meter_value.timestamp)
        for context, items in by_context(meter_value.sampled_value or ()):
            signed = tuple([item.value for item in items if item.format == SIGNED_DATA and item.value])
            sample = sample_of(at, context, items, _amount, signed)
            if sample is not None:
                samples.append(sample)
    return tuple(samples)


def _amount(item: received.SampledValue, factors: Factors) -> int | None:
    if item.value is None or item.format == SIGNED_DATA:
        return None
    factor = factors.get(item.unit) or factor_of(item.unit, factors)
    return None if factor is None else in_whole_units(item.value, factor)


def _response(event: Event, answer: Answer) -> Sent | None:
    """None: the action's answer is empty."""
    match event:
        case MetersRead() | StatusReported():
            return None
        case Booted():
            return _boot_response(answer)
        case HeartbeatSent():
            assert answer.now is not None
            return sent.HeartbeatResponse(current_time=instant_text(answer.now))
        case AuthorizeAsked():
            assert answer.authorization is not None
            return sent.AuthorizeResponse(id_tag_info=_id_tag_info(answer.authorization))
        case TransactionStarted():
            assert answer.authorization is not None and answer.transaction_id is not None
            return sent.StartTransactionResponse(
                id_tag_info=_id_tag_info(answer.authorization), transaction_id=int(answer.transaction_id)
            )
        case TransactionEnded(id_token=IdToken()) if answer.authorization is not None:
            return sent.StopTransactionResponse(id_tag_info=_id_tag_info(answer.authorization))
        case DataTransferred():
            return sent.DataTransferResponse(status="UnknownVendorId")
        case Noted(action="SignCertificate"):
            return sent.SignCertificateResponse(status="Rejected")
        case TransactionEnded() | TransactionUpdated() | Noted():
            return None
        case TransactionStatusTold():
            raise AssertionError("an answer is not answered")


def _boot_response(answer: Answer) -> Sent:
    assert answer.now is not None and answer.heartbeat_interval_s is not None
    return sent.BootNotificationResponse(
        status="Accepted" if answer.boot_accepted else "Pending",
        current_time=instant_text(answer.now),
        interval=answer.heartbeat_interval_s,
    )


def _id_tag_info(authorization: AuthorizationStatus) -> sent.IdTagInfo:
    return sent.IdTagInfo(status=authorization.value)

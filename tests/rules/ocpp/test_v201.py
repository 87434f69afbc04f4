"""Is an OCPP 2.0.1 station understood, and answered exactly?"""

from datetime import UTC, datetime

import msgspec
import pytest

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
    TransactionUpdated,
)
from laddbok.ocpp.frame import Call, Undecodable
from laddbok.ocpp.messages import v201_in
from laddbok.ocpp.v201 import COMMANDS, decode, respond, validate_command

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
FULL = Answer(authorization=AuthorizationStatus.ACCEPTED, now=AT, heartbeat_interval_s=300)


def event_of(action: str, payload: str) -> Event | Undecodable:
    return decode(Call("1", action, msgspec.Raw(payload.encode())))


def transaction_event(kind: str, more: str) -> str:
    return (
        f'{{"eventType":"{kind}","timestamp":"2026-01-01T12:00:00Z","triggerReason":"Authorized","seqNo":3,'
        f'"evse":{{"id":1,"connectorId":2}},{more}}}'
    )


CASES: list[tuple[str, str, Event, bytes]] = [
    (
        "BootNotification",
        '{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M","serialNumber":"S",'
        '"firmwareVersion":"1"}}',
        Booted(vendor="V", model="M", serial_number="S", firmware_version="1", reason="PowerUp"),
        b'{"currentTime":"2026-01-01T12:00:00.000Z","interval":300,"status":"Accepted"}',
    ),
    ("Heartbeat", "{}", HeartbeatSent(), b'{"currentTime":"2026-01-01T12:00:00.000Z"}'),
    (
        "StatusNotification",
        '{"timestamp":"2026-01-01T12:00:00Z","connectorStatus":"Occupied","evseId":1,"connectorId":2}',
        StatusReported(evse_id=1, connector_id=2, status="Occupied", at=AT),
        b"{}",
    ),
    (
        "Authorize",
        '{"idToken":{"idToken":"A1","type":"ISO14443"}}',
        AuthorizeAsked(id_token=IdToken("A1", "ISO14443")),
        b'{"idTokenInfo":{"status":"Accepted"}}',
    ),
    (
        "TransactionEvent",
        transaction_event(
            "Started",
            '"offline":true,"reservationId":5,"transactionInfo":{"transactionId":"t1","chargingState":"EVConnected",'
            '"remoteStartId":7},"idToken":{"idToken":"A1","type":"Central"},"meterValue":[{"timestamp":'
            '"2026-01-01T12:00:00Z","sampledValue":[{"value":17,"context":"Transaction.Begin"}]}]',
        ),
        TransactionStarted(
            evse_id=1,
            connector_id=2,
            transaction_id="t1",
            id_token=IdToken("A1", "Central"),
            at=AT,
            register_wh=17,
            samples=(Sample(at=AT, register_wh=17, context="Transaction.Begin"),),
            charging_state=ChargingState.EV_CONNECTED,
            trigger="Authorized",
            seq_no=3,
            offline=True,
            remote_start_id=7,
            reservation_id=5,
        ),
        b'{"idTokenInfo":{"status":"Accepted"}}',
    ),
    (
        "TransactionEvent",
        transaction_event("Updated", '"transactionInfo":{"transactionId":"t1","chargingState":"Daydreaming"}'),
        TransactionUpdated(transaction_id="t1", evse_id=1, connector_id=2, at=AT, trigger="Authorized", seq_no=3),
        b"{}",
    ),
    (
        "TransactionEvent",
        transaction_event(
            "Ended",
            '"transactionInfo":{"transactionId":"t1","stoppedReason":"EVDisconnected"},"meterValue":[{"timestamp":'
            '"2026-01-01T12:00:00Z","sampledValue":[{"value":9.5,"context":"Transaction.End","unitOfMeasure":'
            '{"unit":"kWh"}}]}]',
        ),
        TransactionEnded(
            transaction_id="t1",
            evse_id=1,
            connector_id=2,
            id_token=None,
            at=AT,
            reason="EVDisconnected",
            register_wh=9500,
            samples=(Sample(at=AT, register_wh=9500, context="Transaction.End"),),
            trigger="Authorized",
            seq_no=3,
        ),
        b"{}",
    ),
    (
        "MeterValues",
        '{"evseId":1,"meterValue":[{"timestamp":"2026-01-01T12:00:00Z","sampledValue":[{"value":20}]}]}',
        MetersRead(evse_id=1, connector_id=0, transaction_id=None, samples=(Sample(at=AT, register_wh=20),)),
        b"{}",
    ),
    (
        "DataTransfer",
        '{"vendorId":"V","data":{"a":[1]}}',
        DataTransferred(vendor_id="V", data='{"a":[1]}'),
        b'{"status":"UnknownVendorId"}',
    ),
    (
        "SecurityEventNotification",
        '{"type":"SettingSystemTime","timestamp":"2026-01-01T12:00:00Z"}',
        Noted(
            action="SecurityEventNotification",
            summary="type SettingSystemTime, timestamp 2026-01-01T12:00:00Z",
        ),
        b"{}",
    ),
    (
        "NotifyReport",
        '{"requestId":1,"seqNo":0,"generatedAt":"2026-01-01T12:00:00Z","reportData":[{},{}]}',
        Noted(
            action="NotifyReport",
            summary="requestId 1, generatedAt 2026-01-01T12:00:00Z, reportData x2, seqNo 0",
        ),
        b"{}",
    ),
]


@pytest.mark.parametrize(("action", "payload", "event", "answer"), CASES)
def test_a_message_is_understood_and_answered(action: str, payload: str, event: Event, answer: bytes) -> None:
    assert event_of(action, payload) == event
    assert respond(event, FULL) == answer


def test_every_action_of_a_station_is_understood_or_says_what_is_missing() -> None:
    for action in v201_in.REQUESTS:
        event = event_of(action, "{}")
        assert not isinstance(event, Undecodable) or event.reason.endswith("is missing")


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_every_authorization_has_its_word(status: AuthorizationStatus) -> None:
    answer = respond(AuthorizeAsked(id_token=IdToken("A")), Answer(authorization=status))
    assert msgspec.json.decode(answer) == {"idTokenInfo": {"status": status.value}}


def test_a_transaction_before_it_has_an_outlet() -> None:
    event = event_of("TransactionEvent", '{"eventType":"Started","transactionInfo":{"transactionId":"t1"}}')
    assert isinstance(event, TransactionStarted)
    assert (event.evse_id, event.connector_id, event.at, event.register_wh) == (0, 0, None, None)


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("StartTransaction", "{}", "NotImplemented"),
        ("MeterValues", "[]", "FormatViolation"),
        ("TransactionEvent", '{"eventType":"Started"}', "OccurrenceConstraintViolation"),
        ("TransactionEvent", '{"eventType":"Paused"}', "PropertyConstraintViolation"),
        (
            "TransactionEvent",
            transaction_event("Updated", '"evse":{"id":1850027108},"transactionInfo":{"transactionId":"t"}'),
            "PropertyConstraintViolation",
        ),
        ("Authorize", '{"idToken":{}}', "OccurrenceConstraintViolation"),
    ],
)
def test_what_cant_be_understood_says_why(action: str, payload: str, code: str) -> None:
    event = event_of(action, payload)
    assert isinstance(event, Undecodable) and (event.action, event.code) == (action, code) and event.reason


COMMANDS_201: list[tuple[str, dict[str, object]]] = [
    ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}}),
    ("ClearChargingProfile", {"chargingProfileId": 1}),
    ("GetCompositeSchedule", {"duration": 3600, "evseId": 1}),
    ("GetTransactionStatus", {"transactionId": "tx-1"}),
    (
        "GetVariables",
        {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "X"}}]},
    ),
    (
        "RequestStartTransaction",
        {"remoteStartId": 1, "idToken": {"idToken": "A1", "type": "Central"}, "evseId": 1},
    ),
    ("RequestStopTransaction", {"transactionId": "t1"}),
    ("Reset", {"type": "OnIdle"}),
    (
        "SetChargingProfile",
        {
            "evseId": 1,
            "chargingProfile": {
                "id": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [
                    {
                        "id": 1,
                        "startSchedule": "2026-01-01T12:00:00Z",
                        "chargingRateUnit": "W",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000.5}],
                    }
                ],
            },
        },
    ),
    (
        "SetVariables",
        {"setVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}, "attributeValue": "1"}]},
    ),
    ("TriggerMessage", {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}),
    ("UnlockConnector", {"evseId": 1, "connectorId": 1}),
]


@pytest.mark.parametrize(("action", "payload"), COMMANDS_201)
def test_a_command_is_sent_as_it_was_asked(action: str, payload: dict[str, object]) -> None:
    assert msgspec.json.decode(validate_command(action, payload)) == payload


def test_every_command_is_tried() -> None:
    assert {action for action, _ in COMMANDS_201} == COMMANDS


@pytest.mark.parametrize(
    ("action", "payload", "field"),
    [
        ("RemoteStartTransaction", {}, "action"),
        ("GetVariables", {"getVariableData": []}, "getVariableData"),
        ("RequestStopTransaction", {"transactionId": "t" * 37}, "transactionId"),
        ("UnlockConnector", {"evseId": 1}, "connectorId"),
    ],
)
def test_a_wrong_command_names_its_field(action: str, payload: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_command(action, payload)
    assert caught.value.field == field

"""Is an OCPP 1.6 station understood, and answered exactly?"""

from datetime import UTC, datetime

import msgspec
import pytest

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
)
from laddbok.ocpp.frame import Call, Undecodable
from laddbok.ocpp.messages import v16_in
from laddbok.ocpp.v16 import COMMANDS, decode, respond, validate_command

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
FULL = Answer(
    transaction_id="31",
    authorization=AuthorizationStatus.ACCEPTED,
    now=AT,
    heartbeat_interval_s=300,
    boot_accepted=True,
)


def event_of(action: str, payload: str) -> Event | Undecodable:
    return decode(Call("1", action, msgspec.Raw(payload.encode())))


CASES: list[tuple[str, str, Event, bytes]] = [
    (
        "BootNotification",
        '{"chargePointVendor":"V","chargePointModel":"M","chargeBoxSerialNumber":"B","firmwareVersion":"1"}',
        Booted(vendor="V", model="M", serial_number="B", firmware_version="1"),
        b'{"status":"Accepted","currentTime":"2026-01-01T12:00:00.000Z","interval":300}',
    ),
    ("Heartbeat", "{}", HeartbeatSent(), b'{"currentTime":"2026-01-01T12:00:00.000Z"}'),
    (
        "StatusNotification",
        '{"connectorId":2,"status":"Faulted","errorCode":"GroundFailure","vendorErrorCode":"E7","info":"x"}',
        StatusReported(
            evse_id=2,
            connector_id=2,
            status="Faulted",
            at=None,
            error_code="GroundFailure",
            vendor_error_code="E7",
            info="x",
        ),
        b"{}",
    ),
    (
        "Authorize",
        '{"idTag":"A1"}',
        AuthorizeAsked(id_token=IdToken("A1")),
        b'{"idTagInfo":{"status":"Accepted"}}',
    ),
    (
        "StartTransaction",
        '{"connectorId":1,"idTag":"A1","meterStart":"17","timestamp":"2026-01-01T13:00:00+01:00","reservationId":5}',
        TransactionStarted(
            evse_id=1,
            connector_id=1,
            transaction_id=None,
            id_token=IdToken("A1"),
            at=AT,
            register_wh=17,
            reservation_id=5,
        ),
        b'{"idTagInfo":{"status":"Accepted"},"transactionId":31}',
    ),
    (
        "MeterValues",
        '{"connectorId":1,"transactionId":31,"meterValue":[{"timestamp":"2026-01-01T12:00:00Z",'
        '"sampledValue":[{"value":"20"}]}]}',
        MetersRead(evse_id=1, connector_id=1, transaction_id="31", samples=(Sample(at=AT, register_wh=20),)),
        b"{}",
    ),
    (
        "StopTransaction",
        '{"transactionId":31,"idTag":"A1","meterStop":90,"timestamp":"2026-01-01T12:00:00Z","reason":"EVDisconnected",'
        '"transactionData":[{"timestamp":"2026-01-01T12:00:00Z","sampledValue":[{"value":"90",'
        '"context":"Transaction.End"}]}]}',
        TransactionEnded(
            transaction_id="31",
            evse_id=None,
            connector_id=None,
            id_token=IdToken("A1"),
            at=AT,
            reason="EVDisconnected",
            register_wh=90,
            samples=(Sample(at=AT, register_wh=90, context="Transaction.End"),),
        ),
        b'{"idTagInfo":{"status":"Accepted"}}',
    ),
    (
        "DataTransfer",
        '{"vendorId":"V","messageId":"m","data":"d"}',
        DataTransferred(vendor_id="V", message_id="m", data="d"),
        b'{"status":"UnknownVendorId"}',
    ),
    (
        "FirmwareStatusNotification",
        '{"status":"Downloaded"}',
        Noted(action="FirmwareStatusNotification", summary="status Downloaded"),
        b"{}",
    ),
    (
        "SignCertificate",
        '{"csr":"x"}',
        Noted(action="SignCertificate", summary="csr x"),
        b'{"status":"Rejected"}',
    ),
]


@pytest.mark.parametrize(("action", "payload", "event", "answer"), CASES)
def test_a_message_is_understood_and_answered(action: str, payload: str, event: Event, answer: bytes) -> None:
    assert event_of(action, payload) == event
    assert respond(event, FULL) == answer


def test_every_action_of_a_station_is_understood_or_says_what_is_missing() -> None:
    for action in v16_in.REQUESTS:
        event = event_of(action, "{}")
        assert not isinstance(event, Undecodable) or event.reason.endswith("is missing")


def test_S19_nothing_is_answered_that_was_not_asked() -> None:
    event = event_of("StopTransaction", '{"transactionId":31,"meterStop":90,"timestamp":"2026-01-01T12:00:00Z"}')
    assert isinstance(event, TransactionEnded) and event.id_token is None
    assert respond(event, FULL) == b"{}"


@pytest.mark.parametrize("payload", ["{}", '{"transactionId":null}'])
def test_S7_a_stop_without_a_transaction_is_one_of_transaction_0(payload: str) -> None:
    event = event_of("StopTransaction", payload)
    assert isinstance(event, TransactionEnded) and event.transaction_id == "0"


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_every_authorization_has_its_word(status: AuthorizationStatus) -> None:
    answer = respond(AuthorizeAsked(id_token=IdToken("A")), Answer(authorization=status))
    assert msgspec.json.decode(answer) == {"idTagInfo": {"status": status.value}}


def test_a_station_that_is_not_admitted_is_asked_to_wait() -> None:
    answer = respond(Booted(vendor="", model=""), Answer(now=AT, heartbeat_interval_s=60, boot_accepted=False))
    assert msgspec.json.decode(answer)["status"] == "Pending"


@pytest.mark.parametrize("transaction_id", ["0", "-1", "9223372036854775807", "null", '"none"'])
def test_a_transaction_id_that_cant_be_ours_means_none(transaction_id: str) -> None:
    event = event_of("MeterValues", f'{{"connectorId":1,"transactionId":{transaction_id},"meterValue":[]}}')
    assert isinstance(event, MetersRead) and event.transaction_id is None


def test_S45_long_serial_numbers_are_accepted() -> None:
    event = event_of("BootNotification", f'{{"chargePointVendor":"{"V" * 99}","chargePointSerialNumber":"{"9" * 99}"}}')
    assert isinstance(event, Booted) and event.serial_number == "9" * 99


@pytest.mark.parametrize("connector_id", ["1850027108", "-1"])
def test_S46_an_absurd_connector_is_quarantined(connector_id: str) -> None:
    event = event_of("StatusNotification", f'{{"connectorId":{connector_id},"status":"Available"}}')
    assert isinstance(event, Undecodable) and event.code == "PropertyConstraintViolation"


def test_S46_an_absurd_register_is_not_said() -> None:
    event = event_of("StopTransaction", f'{{"transactionId":1,"meterStop":{10**30}}}')
    assert isinstance(event, TransactionEnded) and event.register_wh is None


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Nonsense", "{}", "NotImplemented"),
        ("RemoteStartTransaction", "{}", "NotImplemented"),
        ("MeterValues", "[]", "FormationViolation"),
        ("MeterValues", "{}", "OccurenceConstraintViolation"),
        ("Authorize", '{"idTag":""}', "OccurenceConstraintViolation"),
        ("Authorize", f'{{"idTag":"{"A" * 256}"}}', "PropertyConstraintViolation"),
    ],
)
def test_what_cant_be_understood_says_why(action: str, payload: str, code: str) -> None:
    event = event_of(action, payload)
    assert isinstance(event, Undecodable) and (event.action, event.code) == (action, code) and event.reason


COMMANDS_16: list[tuple[str, dict[str, object]]] = [
    ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "300"}),
    ("ClearChargingProfile", {}),
    ("GetCompositeSchedule", {"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"}),
    ("GetConfiguration", {}),
    ("GetConfiguration", {"key": ["A", "B"]}),
    ("RemoteStartTransaction", {"idTag": "A1", "connectorId": 1}),
    ("RemoteStopTransaction", {"transactionId": 31}),
    ("Reset", {"type": "Soft"}),
    (
        "SetChargingProfile",
        {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1, "numberPhases": 3}],
                },
            },
        },
    ),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
    ("UnlockConnector", {"connectorId": 1}),
]


@pytest.mark.parametrize(("action", "payload"), COMMANDS_16)
def test_a_command_is_sent_as_it_was_asked(action: str, payload: dict[str, object]) -> None:
    assert msgspec.json.decode(validate_command(action, payload)) == payload


def test_every_command_is_tried() -> None:
    assert {action for action, _ in COMMANDS_16} == COMMANDS


@pytest.mark.parametrize(
    ("action", "payload", "field"),
    [
        ("RequestStartTransaction", {}, "action"),
        ("Reset", {"type": "Gentle"}, "type"),
        ("RemoteStartTransaction", {"idTag": "A" * 21}, "idTag"),
        ("RemoteStopTransaction", {"transactionId": "31"}, "transactionId"),
        ("ChangeConfiguration", {"key": "A"}, "value"),
    ],
)
def test_a_wrong_command_names_its_field(action: str, payload: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_command(action, payload)
    assert caught.value.field == field

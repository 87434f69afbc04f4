"""Which valid frames are mutated? At least one of every action that we know, in both dialects."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import inspect

from laddbok.ocpp.frame import OcppVersion
from laddbok.ocpp.messages import v16_in, v201_in

AT = "2026-03-02T12:00:30.000Z"
TOKEN = "04A1B2C3"
REGISTER = {"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"}
PHASES = [{"value": f"16.{n}", "measurand": "Current.Import", "unit": "A", "phase": f"L{n}"} for n in (1, 2, 3)]
SIGNED = {"value": "OCMF|{}|{}", "format": "SignedData", "context": "Transaction.End"}
VALUES = [
    {
        "timestamp": AT,
        "sampledValue": [REGISTER, *PHASES, {"value": "11.04", "measurand": "Power.Active.Import", "unit": "kW"}],
    }
]
VALUES_201 = [
    {
        "timestamp": AT,
        "sampledValue": [
            {
                "value": 1.5,
                "measurand": "Energy.Active.Import.Register",
                "unitOfMeasure": {"unit": "Wh", "multiplier": 3},
                "signedMeterValue": {
                    "signedMeterData": "T0NNRg==",
                    "signingMethod": "",
                    "encodingMethod": "OCMF",
                    "publicKey": "",
                },
            },
            {"value": 11040, "measurand": "Power.Active.Import", "phase": "L1-N"},
        ],
    }
]
EVSE = {"id": 1, "connectorId": 1}


def _event_201(kind: str, transaction_id: str, **more: Any) -> dict[str, Any]:
    event = {"eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": 3, "meterValue": VALUES_201}
    return {**event, "transactionInfo": {"transactionId": transaction_id, "chargingState": "Charging"}, **more}


RICH: dict[OcppVersion, list[tuple[str, dict[str, Any]]]] = {
    OcppVersion.V16: [
        ("Authorize", {"idTag": TOKEN}),
        ("BootNotification", {"chargePointVendor": "Norrboks", "chargePointModel": "Vik", "firmwareVersion": "1.2"}),
        ("Heartbeat", {}),
        ("StartTransaction", {"connectorId": 2, "idTag": TOKEN, "meterStart": 1000, "timestamp": AT, "reservationId": 7}),
        ("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": VALUES}),
        ("MeterValues", {"connectorId": 2, "meterValue": VALUES * 3}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "SuspendedEV", "timestamp": AT}),
        ("StatusNotification", {"connectorId": 0, "errorCode": "OtherError", "status": "Faulted", "info": "i", "vendorErrorCode": "E1"}),
        (
            "StopTransaction",
            {
                "transactionId": 1, "meterStop": 2000, "timestamp": AT, "idTag": TOKEN, "reason": "Local",
                "transactionData": [*VALUES, {"timestamp": AT, "sampledValue": [SIGNED]}],
            },
        ),
        ("DataTransfer", {"vendorId": "v", "messageId": "m", "data": '{"a":[1,2]}'}),
    ],
    OcppVersion.V201: [
        ("Authorize", {"idToken": {"idToken": TOKEN, "type": "ISO14443"}}),
        ("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Norrboks", "model": "Vik"}}),
        ("Heartbeat", {}),
        ("TransactionEvent", _event_201("Started", "tx-2", evse={"id": 2, "connectorId": 1}, idToken={"idToken": TOKEN, "type": "ISO14443"})),
        ("TransactionEvent", _event_201("Updated", "tx-1")),
        ("TransactionEvent", _event_201("Ended", "tx-1", evse=EVSE, offline=True)),
        ("MeterValues", {"evseId": 1, "meterValue": VALUES_201}),
        ("StatusNotification", {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}),
        ("DataTransfer", {"vendorId": "v", "messageId": "m", "data": {"a": [1, 2]}}),
    ],
}  # fmt: skip


def frames(version: OcppVersion) -> list[bytes]:
    """Valid frames of a dialect: the rich ones, one of every other action with every field filled, and answers to calls."""
    known = v16_in.REQUESTS if version is OcppVersion.V16 else v201_in.REQUESTS
    said = {action for action, _ in RICH[version]}
    filled = [(action, _filled(inspect.type_info(kind))) for action, kind in known.items() if action not in said]
    calls = [[2, f"id-{n}", action, payload] for n, (action, payload) in enumerate([*RICH[version], *filled])]
    answers = [[3, "our-call", {"status": "Accepted"}], [4, "our-call", "GenericError", "no", {}]]
    return [json.dumps(each, separators=(",", ":")).encode() for each in [*calls, *answers]]


def actions(version: OcppVersion) -> set[str]:
    """The actions of the calls among the frames."""
    return {frame[2] for each in frames(version) if (frame := json.loads(each))[0] == 2}


_PLAIN: dict[type[inspect.Type], Callable[[], Any]] = {
    inspect.BoolType: lambda: True,
    inspect.IntType: lambda: 1,
    inspect.StrType: lambda: AT,
    inspect.DecimalType: lambda: float(Decimal("1.5")),
    inspect.AnyType: lambda: {"any": [1, None]},
}


def _filled(kind: inspect.Type) -> Any:
    """A value of this type with every field filled."""
    match kind:
        case inspect.UnionType():
            return _filled(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
        case inspect.StructType():
            return {each.encode_name: _filled(each.type) for each in kind.fields}
        case inspect.ListType():
            return [_filled(kind.item_type)] * 2
    return _PLAIN[type(kind)]()

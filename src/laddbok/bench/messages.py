"""What do the stations of the benchmark say?

Meter values with eight readings, about 1.1 kB, as a three-phase station sends them, in both dialects. Each call has its
own message id and time and its own register, which grows as a car takes energy, so that no two are alike.

>>> from datetime import UTC
>>> at = datetime(2026, 1, 1, tzinfo=UTC)
>>> len(meter_values("m0012", at, 12, "4711")), len(transaction_event("m0012", at, 12, "4711"))
(1068, 1215)
"""

import json
from collections.abc import Iterable
from datetime import datetime

MESSAGES_PER_WH = 4
"""So many messages of one station carry the same register; 1,000 stations then take about 10 kW each."""
BEGIN_WH = 1_000_000
POWER_W = 6_000
ID_TAG = "BENCH0001"
_READINGS = (
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", "L1-N"),
    ("Voltage", "V", "L2-N"),
    ("Voltage", "V", "L3-N"),
)


def meter_values(message_id: str, at: datetime, number: int, transaction_id: str) -> bytes:
    """The MeterValues of OCPP 1.6 with which a station goes on. `number` counts the messages of its transaction."""
    text = _METER_VALUES % (message_id, int(transaction_id), _stamp(at), BEGIN_WH + number // MESSAGES_PER_WH)
    return text.encode()


def transaction_event(message_id: str, at: datetime, number: int, transaction_id: str) -> bytes:
    """The same as a TransactionEvent (Updated) of OCPP 2.0.1."""
    stamp = _stamp(at)
    register_wh = BEGIN_WH + number // MESSAGES_PER_WH
    return (_TRANSACTION_EVENT % (message_id, stamp, number, transaction_id, stamp, register_wh)).encode()


def reading(message_id: str, at: datetime, register_wh: int, transaction_id: str) -> bytes:
    """A MeterValues of OCPP 1.6 as most stations send it: the register and the power."""
    return (_READING % (message_id, int(transaction_id), _stamp(at), register_wh)).encode()


def many_readings(message_id: str, readings: Iterable[tuple[datetime, int]], transaction_id: str) -> bytes:
    """A MeterValues of OCPP 1.6 with many readings of the register [Wh], as a station that was offline sends it."""
    values = [_read(_stamp(at), str(register_wh)) for at, register_wh in readings]
    payload = {"connectorId": 1, "transactionId": int(transaction_id), "meterValue": values}
    return _call(message_id, "MeterValues", payload)


def boot(message_id: str, is_16: bool) -> bytes:
    """BootNotification."""
    if is_16:
        payload: dict[str, object] = {"chargePointVendor": "Laddbok", "chargePointModel": "Bench"}
    else:
        payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "Laddbok", "model": "Bench"}}
    return _call(message_id, "BootNotification", payload)


def status(message_id: str, at: datetime, connector: int, is_16: bool) -> bytes:
    """StatusNotification: the connector is free."""
    if is_16:
        payload: dict[str, object] = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
    else:
        payload = {"evseId": connector, "connectorId": 1, "connectorStatus": "Available", "timestamp": _stamp(at)}
    return _call(message_id, "StatusNotification", payload)


def start(message_id: str, at: datetime, transaction_id: str, is_16: bool) -> bytes:
    """The begin of a transaction; in 1.6 the answer names it."""
    if is_16:
        payload = {"connectorId": 1, "idTag": ID_TAG, "meterStart": BEGIN_WH, "timestamp": _stamp(at)}
        return _call(message_id, "StartTransaction", payload)
    payload = {
        "eventType": "Started",
        "timestamp": _stamp(at),
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": transaction_id, "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": ID_TAG, "type": "ISO14443"},
        "meterValue": [_measured(_stamp(at), BEGIN_WH, is_16=False)],
    }
    return _call(message_id, "TransactionEvent", payload)


def _read(stamp: str, register_wh: str) -> dict[str, object]:
    """One meter value; without a measurand a value is the register in Wh. Source: OCPP 1.6 7.33 MeterValue, 7.43."""
    power = {"value": str(POWER_W), "measurand": "Power.Active.Import", "unit": "W"}
    return {"timestamp": stamp, "sampledValue": [{"value": register_wh}, power]}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _call(message_id: str, action: str, payload: object) -> bytes:
    return json.dumps([2, message_id, action, payload], separators=(",", ":")).encode()


def _measured(stamp: str, register_wh: object, *, is_16: bool) -> dict[str, object]:
    values: list[dict[str, object]] = []
    for number, (measurand, unit, phase) in enumerate(_READINGS):
        value = register_wh if number == 0 else 10_500 if number == 1 else 15.5 if unit == "A" else 230.5
        reading: dict[str, object] = {"value": str(value) if is_16 else value, "context": "Sample.Periodic"}
        reading["measurand"] = measurand
        reading |= {"location": "Outlet", "unit": unit} if is_16 else {"unitOfMeasure": {"unit": unit}}
        values.append(reading | ({"phase": phase} if phase else {}))
    return {"timestamp": stamp, "sampledValue": values}


def _template(action: str, payload: object) -> str:
    """A call with %-places; those that stand for numbers lose their quotes."""
    text = _call("%s", action, payload).decode()
    return text.replace('"%d"', "%d")


_METER_VALUES = _template(
    "MeterValues",
    {"connectorId": 1, "transactionId": "%d", "meterValue": [_measured("%s", "%s", is_16=True)]},
)
_READING = _template("MeterValues", {"connectorId": 1, "transactionId": "%d", "meterValue": [_read("%s", "%s")]})
_TRANSACTION_EVENT = _template(
    "TransactionEvent",
    {
        "eventType": "Updated",
        "timestamp": "%s",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": "%d",
        "transactionInfo": {"transactionId": "%s", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [_measured("%s", "%d", is_16=False)],
    },
)

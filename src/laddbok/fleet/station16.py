"""What does a virtual station say in OCPP 1.6?

The central system names a transaction in its answer to StartTransaction, so the messages that follow wait for it and
take the number when they are sent. Periodic readings are MeterValues; the statuses are those of each connector.
Source: OCPP 1.6 edition 2, 4.1-4.10.
"""

from datetime import datetime
from typing import Any, ClassVar

from laddbok.fleet.commands16 import COMMANDS, KNOWN_ACTIONS
from laddbok.fleet.outbox import Call
from laddbok.fleet.outlet import Activity, Outlet, Reading, SampledValue, Transaction
from laddbok.fleet.peer import Command, instant
from laddbok.fleet.station import StartCause, Station, StopCause

UNKNOWN_TRANSACTION = -1
"""The number of a transaction whose start was given up without an answer. Source: OCA errata 4.0 to OCPP 1.6, 3.18."""


class Station16(Station):
    """A charging station that speaks OCPP 1.6."""

    protocol = "1.6"
    commands: ClassVar[dict[str, Command]] = COMMANDS
    known_actions = KNOWN_ACTIONS
    malformed_code = "FormationViolation"

    def _boot_payload(self) -> dict[str, Any]:
        return {
            "chargePointVendor": "Laddbok",
            "chargePointModel": "Virtual DC" if self.shape.phases == 0 else "Virtual AC",
            "chargePointSerialNumber": self.shape.identity[:25],
            "firmwareVersion": "1.0",
        }

    def _authorize_payload(self, token: str) -> dict[str, Any]:
        return {"idTag": token}

    def _verdict(self, payload: dict[str, Any]) -> str | None:
        info = payload.get("idTagInfo")
        return info.get("status") if isinstance(info, dict) else None

    def _connector_id(self, outlet: Outlet) -> int:
        return outlet.evse_id

    def _acknowledged(self, call: Call, transaction: Transaction, payload: dict[str, Any]) -> None:
        if call.action == "StartTransaction":
            transaction.record.transaction_id = str(payload.get("transactionId"))
            transaction.record.start_acknowledged = True
        elif call.action == "StopTransaction":
            transaction.record.acknowledged = True

    def _final_payload(self, call: Call) -> dict[str, Any]:
        if call.action not in ("MeterValues", "StopTransaction") or not isinstance(call.subject, Transaction):
            return call.payload
        named = call.subject.record.transaction_id
        return call.payload | {"transactionId": UNKNOWN_TRANSACTION if named is None else int(named)}

    def tell_status(self, outlet: Outlet | None, at: datetime) -> None:
        """Report a connector's status, or that of the whole (connector 0)."""
        status = outlet.reported if outlet else Activity.AVAILABLE
        connector_id = outlet.evse_id if outlet else 0
        payload = {
            "connectorId": connector_id,
            "errorCode": "NoError",
            "status": status.value,
            "timestamp": instant(at),
        }
        self.send_status(outlet, Call("StatusNotification", payload, subject=(outlet, status)))

    def tell_sample(self, outlet: Outlet, transaction: Transaction | None, context: str, at: datetime) -> None:
        """Report what the meter shows; of a running transaction the message is kept."""
        payload = {"connectorId": outlet.evse_id, "meterValue": [_meter_value(outlet.read(), context, at)]}
        self.send(Call("MeterValues", payload, kept=transaction is not None, subject=transaction))

    def _tell_activity(self, outlet: Outlet, before: Activity, at: datetime) -> None:
        self.tell_status(outlet, at)

    def _tell_started(self, outlet: Outlet, transaction: Transaction, cause: StartCause, at: datetime) -> None:
        record = transaction.record
        payload = {
            "connectorId": outlet.evse_id,
            "idTag": record.id_token,
            "meterStart": record.start_register_wh,
            "timestamp": instant(at),
        }
        self.send(Call("StartTransaction", payload, kept=True, subject=transaction))

    def _tell_ended(self, outlet: Outlet, transaction: Transaction, cause: StopCause, at: datetime) -> None:
        record = transaction.record
        payload: dict[str, Any] = {
            "meterStop": record.end_register_wh,
            "timestamp": instant(at),
            "reason": cause.value,
        }
        if cause == StopCause.LOCAL:
            payload["idTag"] = record.id_token
        payload["transactionData"] = [_meter_value(outlet.read(), "Transaction.End", at)]
        self.send(Call("StopTransaction", payload, kept=True, subject=transaction))


def _meter_value(reading: Reading, context: str, at: datetime) -> dict[str, Any]:
    return {
        "timestamp": instant(at),
        "sampledValue": [_sampled(value, context) for value in reading.values()],
    }


def _sampled(sampled: SampledValue, context: str) -> dict[str, str]:
    value, measurand, unit, phase = sampled
    told = {"value": str(value), "context": context, "measurand": measurand, "unit": unit}
    return told if phase is None else told | {"phase": phase}

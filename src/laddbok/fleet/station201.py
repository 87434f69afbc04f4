"""What does a virtual station say in OCPP 2.0.1?

Everything about a transaction is a TransactionEvent with a number in sequence. A transaction begins when the car is
plugged in and authorised (TxStartPoint PowerPathClosed) and ends when either is over (TxStopPoint). The status of a
connector only tells whether it is occupied. Source: OCPP 2.0.1 part 2, E01-E07, G01, J02.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from laddbok.fleet.commands201 import COMMANDS, KNOWN_ACTIONS
from laddbok.fleet.outbox import Call
from laddbok.fleet.outlet import Activity, Outlet, Reading, SampledValue, Transaction
from laddbok.fleet.peer import Command, instant
from laddbok.fleet.station import StartCause, Station, StopCause

STOP_WORDS = {
    StopCause.LOCAL: ("StopAuthorized", "Local"),
    StopCause.REMOTE: ("RemoteStop", "Remote"),
    StopCause.EV_DISCONNECTED: ("EVDeparted", "EVDisconnected"),
    StopCause.DEAUTHORIZED: ("Deauthorized", "DeAuthorized"),
    StopCause.UNLOCKED: ("UnlockCommand", "Other"),
    StopCause.SOFT_RESET: ("ResetCommand", "Reboot"),
    StopCause.HARD_RESET: ("ResetCommand", "ImmediateReset"),
}
"""TriggerReasonEnumType and ReasonEnumType of each cause."""

CHARGING_STATES = {
    Activity.CHARGING: "Charging",
    Activity.SUSPENDED_EV: "SuspendedEV",
    Activity.SUSPENDED_EVSE: "SuspendedEVSE",
}

CONNECTOR_ID = 1
"""Each EVSE has one connector."""


class Station201(Station):
    """A charging station that speaks OCPP 2.0.1."""

    protocol = "2.0.1"
    commands: ClassVar[dict[str, Command]] = COMMANDS
    known_actions = KNOWN_ACTIONS
    malformed_code = "FormatViolation"

    def _boot_payload(self) -> dict[str, Any]:
        model = "Virtual DC" if self.shape.phases == 0 else "Virtual AC"
        station = {"vendorName": "Laddbok", "model": model, "firmwareVersion": "1.0"}
        return {
            "chargingStation": station | {"serialNumber": self.shape.identity[:25]},
            "reason": self.boot_cause,
        }

    def _authorize_payload(self, token: str) -> dict[str, Any]:
        return {"idToken": _id_token(token)}

    def _verdict(self, payload: dict[str, Any]) -> str | None:
        info = payload.get("idTokenInfo")
        return info.get("status") if isinstance(info, dict) else None

    def _connector_id(self, outlet: Outlet) -> int:
        return CONNECTOR_ID

    def _acknowledged(self, call: Call, transaction: Transaction, payload: dict[str, Any]) -> None:
        match call.payload.get("eventType"):
            case "Started":
                transaction.record.start_acknowledged = True
            case "Ended":
                transaction.record.acknowledged = True

    def _final_payload(self, call: Call) -> dict[str, Any]:
        return call.payload

    def tell_status(self, outlet: Outlet | None, at: datetime) -> None:
        """Report a connector's status; the station as a whole has none of its own. Source: OCPP 2.0.1 G01."""
        if outlet is None:
            return
        payload = {
            "timestamp": instant(at),
            "connectorStatus": _connector_status(outlet.reported),
            "evseId": outlet.evse_id,
            "connectorId": CONNECTOR_ID,
        }
        self.send_status(outlet, Call("StatusNotification", payload, subject=(outlet, outlet.reported)))

    def tell_sample(self, outlet: Outlet, transaction: Transaction | None, context: str, at: datetime) -> None:
        """Report what the meter shows: as an event of the transaction if one runs."""
        if transaction is None:
            payload = {"evseId": outlet.evse_id, "meterValue": [_meter_value(outlet.read(), context, at)]}
            self.send(Call("MeterValues", payload))
            return
        reason = "Trigger" if context == "Trigger" else "MeterValuePeriodic"
        self._tell_event(outlet, transaction, "Updated", reason, at, self._metered(outlet, context, at))

    def _tell_activity(self, outlet: Outlet, before: Activity, at: datetime) -> None:
        if _connector_status(before) != _connector_status(outlet.reported):
            self.tell_status(outlet, at)
        elif outlet.told == before:
            outlet.told = outlet.reported
        transaction = outlet.transaction
        if transaction is not None and outlet.reported in CHARGING_STATES:
            body = self._metered(outlet, "Other", at)
            self._tell_event(outlet, transaction, "Updated", "ChargingStateChanged", at, body)

    def _tell_started(self, outlet: Outlet, transaction: Transaction, cause: StartCause, at: datetime) -> None:
        named = f"{self.shape.identity}/{self.run_key}/{self._transactions}"
        transaction.record.transaction_id = str(uuid5(NAMESPACE_URL, named))
        body = self._metered(outlet, "Transaction.Begin", at)
        body["evse"] = {"id": outlet.evse_id, "connectorId": CONNECTOR_ID}
        body["idToken"] = _id_token(transaction.record.id_token or "")
        self._tell_event(outlet, transaction, "Started", cause.value, at, body, state="EVConnected")

    def _tell_ended(self, outlet: Outlet, transaction: Transaction, cause: StopCause, at: datetime) -> None:
        trigger, reason = STOP_WORDS[cause]
        body = self._metered(outlet, "Transaction.End", at)
        body["transactionInfo"] = {"stoppedReason": reason}
        if cause == StopCause.LOCAL:
            body["idToken"] = _id_token(transaction.record.id_token or "")
        state = "Idle" if cause == StopCause.EV_DISCONNECTED else "EVConnected"
        self._tell_event(outlet, transaction, "Ended", trigger, at, body, state=state)

    def _metered(self, outlet: Outlet, context: str, at: datetime) -> dict[str, Any]:
        return {"meterValue": [_meter_value(outlet.read(), context, at)]}

    def _tell_event(
        self,
        outlet: Outlet,
        transaction: Transaction,
        kind: str,
        trigger: str,
        at: datetime,
        body: dict[str, Any],
        state: str | None = None,
    ) -> None:
        record = transaction.record
        info = {"transactionId": record.transaction_id} | body.pop("transactionInfo", {})
        info["chargingState"] = state or CHARGING_STATES.get(outlet.reported, "EVConnected")
        if transaction.remote_start_id is not None and kind == "Started":
            info["remoteStartId"] = transaction.remote_start_id
        payload = {
            "eventType": kind,
            "timestamp": instant(at),
            "triggerReason": trigger,
            "seqNo": transaction.seq_no,
            "transactionInfo": info,
        }
        if not self.is_online:
            payload["offline"] = True
        transaction.seq_no += 1
        self.send(Call("TransactionEvent", payload | body, kept=True, subject=transaction))


def _id_token(token: str) -> dict[str, str]:
    return {"idToken": token, "type": "ISO14443"}


def _connector_status(activity: Activity) -> str:
    if activity in (Activity.AVAILABLE, Activity.UNAVAILABLE):
        return activity.value
    return "Occupied"


def _meter_value(reading: Reading, context: str, at: datetime) -> dict[str, Any]:
    return {
        "timestamp": instant(at),
        "sampledValue": [_sampled(value, context) for value in reading.values()],
    }


def _sampled(sampled: SampledValue, context: str) -> dict[str, Any]:
    value, measurand, unit, phase = sampled
    told = {"value": value, "context": context, "measurand": measurand, "unitOfMeasure": {"unit": unit}}
    return told if phase is None else told | {"phase": phase}

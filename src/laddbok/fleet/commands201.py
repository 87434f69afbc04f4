"""How does a virtual 2.0.1 station obey its central system?

One function per command: (station, what was asked, at) to the payload of the answer. What follows from a command is
queued, and leaves after the answer. Source: OCPP 2.0.1 part 2, the use cases named at each function.
"""

from datetime import datetime
from typing import Any

import msgspec

from laddbok.fleet.commands import composite, set_operative, store_profile
from laddbok.fleet.outbox import Call
from laddbok.fleet.peer import Command, instant
from laddbok.fleet.profile_wire import ProfileWire201
from laddbok.fleet.profiles import MAX_PROFILES, Purpose
from laddbok.fleet.station import Station, StopCause
from laddbok.fleet.variables201 import REPORT_ROWS, find_variable, report_rows

PURPOSES = {
    "ChargingStationMaxProfile": Purpose.STATION,
    "ChargingStationExternalConstraints": Purpose.STATION,
    "TxDefaultProfile": Purpose.DEFAULT,
    "TxProfile": Purpose.TRANSACTION,
}


class Token(msgspec.Struct, rename="camel"):
    """IdTokenType"""

    id_token: str
    type: str


class Evse(msgspec.Struct, rename="camel"):
    """EVSEType"""

    id: int
    connector_id: int | None = None


class Named(msgspec.Struct, rename="camel"):
    """ComponentType and VariableType"""

    name: str
    instance: str | None = None


class RequestStart(msgspec.Struct, rename="camel"):
    """RequestStartTransactionRequest"""

    remote_start_id: int
    id_token: Token
    evse_id: int | None = None
    charging_profile: ProfileWire201 | None = None


class RequestStop(msgspec.Struct, rename="camel"):
    """RequestStopTransactionRequest"""

    transaction_id: str


class Reset(msgspec.Struct, rename="camel"):
    """ResetRequest"""

    type: str
    evse_id: int | None = None


class Unlock(msgspec.Struct, rename="camel"):
    """UnlockConnectorRequest"""

    evse_id: int
    connector_id: int


class ChangeAvailability(msgspec.Struct, rename="camel"):
    """ChangeAvailabilityRequest"""

    operational_status: str
    evse: Evse | None = None


class Trigger(msgspec.Struct, rename="camel"):
    """TriggerMessageRequest"""

    requested_message: str
    evse: Evse | None = None


class VariableAsked(msgspec.Struct, rename="camel"):
    """GetVariableDataType; with a value SetVariableDataType"""

    component: Named
    variable: Named
    attribute_type: str = "Actual"
    attribute_value: str = ""


class GetVariables(msgspec.Struct, rename="camel"):
    """GetVariablesRequest"""

    get_variable_data: list[VariableAsked]


class SetVariables(msgspec.Struct, rename="camel"):
    """SetVariablesRequest"""

    set_variable_data: list[VariableAsked]


class GetBaseReport(msgspec.Struct, rename="camel"):
    """GetBaseReportRequest"""

    request_id: int
    report_base: str


class SetProfile(msgspec.Struct, rename="camel"):
    """SetChargingProfileRequest"""

    evse_id: int
    charging_profile: ProfileWire201


class Criteria(msgspec.Struct, rename="camel"):
    """ClearChargingProfileType"""

    evse_id: int | None = None
    charging_profile_purpose: str | None = None
    stack_level: int | None = None


class ClearProfile(msgspec.Struct, rename="camel"):
    """ClearChargingProfileRequest"""

    charging_profile_id: int | None = None
    charging_profile_criteria: Criteria | None = None


class GetComposite(msgspec.Struct, rename="camel"):
    """GetCompositeScheduleRequest"""

    duration: int
    evse_id: int
    charging_rate_unit: str = "A"


class GetTransactionStatus(msgspec.Struct, rename="camel"):
    """GetTransactionStatusRequest"""

    transaction_id: str | None = None


class Nothing(msgspec.Struct):
    """A request without fields that matter here."""


def request_start(station: Station, asked: RequestStart, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 F01, F02."""
    profile = asked.charging_profile
    if profile is not None and PURPOSES.get(profile.charging_profile_purpose) != Purpose.TRANSACTION:
        return {"status": "Rejected"}
    started = station.start_remotely(asked.evse_id, asked.id_token.id_token, asked.remote_start_id, at)
    if started is None:
        return {"status": "Rejected"}
    if profile is not None:
        store_profile(station, profile, Purpose.TRANSACTION, started)
    named = started.transaction.record.transaction_id if started.transaction else None
    return {"status": "Accepted"} | ({"transactionId": named} if named else {})


def request_stop(station: Station, asked: RequestStop, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 F03."""
    outlet = station.running(asked.transaction_id)
    if outlet is None:
        return {"status": "Rejected"}
    station.end(outlet, StopCause.REMOTE, at)
    return {"status": "Accepted"}


def reset(station: Station, asked: Reset, at: datetime) -> dict[str, Any]:
    """A single EVSE can't be reset. Source: OCPP 2.0.1 B11, B12."""
    if asked.evse_id is not None:
        return {"status": "Rejected"}
    is_immediate = asked.type == "Immediate"
    cause = StopCause.HARD_RESET if is_immediate else StopCause.SOFT_RESET
    must_wait = station.restart(cause, at, when_idle=not is_immediate)
    return {"status": "Scheduled" if must_wait else "Accepted"}


def unlock(station: Station, asked: Unlock, at: datetime) -> dict[str, Any]:
    """Not during a transaction. Source: OCPP 2.0.1 F05."""
    outlet = station.find(asked.evse_id)
    if outlet is None or asked.connector_id != 1:
        return {"status": "UnknownConnector"}
    return {"status": "OngoingAuthorizedTransaction" if outlet.transaction else "Unlocked"}


def change_availability(station: Station, asked: ChangeAvailability, at: datetime) -> dict[str, Any]:
    """Without an EVSE, or with EVSE 0, all are meant. Source: OCPP 2.0.1 G03, G04."""
    is_whole = asked.evse is None or asked.evse.id == 0
    concerned = station.outlets if is_whole or asked.evse is None else [station.find(asked.evse.id)]
    return {"status": set_operative(filter(None, concerned), asked.operational_status == "Operative")}


def trigger(station: Station, asked: Trigger, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 F06."""
    outlet = station.find(asked.evse.id) if asked.evse else None
    if asked.evse is not None and asked.evse.id != 0 and outlet is None:
        return {"status": "Rejected"}
    outlets = [outlet] if outlet else station.outlets
    match asked.requested_message:
        case "BootNotification":
            station.send_boot(at)
        case "Heartbeat":
            station.send_heartbeat()
        case "StatusNotification":
            for each in outlets:
                station.tell_status(each, at)
        case "MeterValues":
            for each in outlets:
                station.tell_sample(each, None, "Trigger", at)
        case "TransactionEvent":
            for each in outlets:
                if each.transaction is not None:
                    station.tell_sample(each, each.transaction, "Trigger", at)
        case _:
            return {"status": "NotImplemented"}
    return {"status": "Accepted"}


def get_variables(station: Station, asked: GetVariables, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 B06."""
    return {"getVariableResult": [_read(station, each) for each in asked.get_variable_data]}


def set_variables(station: Station, asked: SetVariables, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 B05."""
    return {"setVariableResult": [_write(station, each, at) for each in asked.set_variable_data]}


def get_base_report(station: Station, asked: GetBaseReport, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 B07."""
    if asked.report_base not in ("FullInventory", "ConfigurationInventory"):
        return {"status": "NotSupported"}
    rows = report_rows(station)
    for seq_no, start in enumerate(range(0, len(rows), REPORT_ROWS)):
        payload = {
            "requestId": asked.request_id,
            "generatedAt": instant(at),
            "seqNo": seq_no,
            "tbc": start + REPORT_ROWS < len(rows),
            "reportData": rows[start : start + REPORT_ROWS],
        }
        station.send(Call("NotifyReport", payload))
    return {"status": "Accepted"}


def get_transaction_status(station: Station, asked: GetTransactionStatus, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 E14."""
    waiting = [call.payload.get("transactionInfo", {}).get("transactionId") for call in station.outbox.waiting()]
    if asked.transaction_id is None:
        return {"messagesInQueue": bool(waiting)}
    is_ongoing = station.running(asked.transaction_id) is not None
    return {"ongoingIndicator": is_ongoing, "messagesInQueue": asked.transaction_id in waiting}


def set_profile(station: Station, asked: SetProfile, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 K01."""
    wire, outlet = asked.charging_profile, station.find(asked.evse_id)
    purpose = PURPOSES.get(wire.charging_profile_purpose)
    is_fitting = wire.charging_profile_purpose != "ChargingStationExternalConstraints"
    if purpose == Purpose.STATION or outlet is None:
        is_fitting = is_fitting and asked.evse_id == 0
    if purpose == Purpose.TRANSACTION:
        running = station.running(wire.transaction_id or "")
        is_fitting = outlet is not None and running is outlet
    if purpose is None or not is_fitting or len(station.profiles) >= MAX_PROFILES:
        return {"status": "Rejected"}
    store_profile(station, wire, purpose, outlet)
    return {"status": "Accepted"}


def clear_profile(station: Station, asked: ClearProfile, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 K10."""
    criteria = asked.charging_profile_criteria or Criteria()
    purpose = PURPOSES.get(criteria.charging_profile_purpose or "")
    cleared = station.profiles.clear(asked.charging_profile_id, criteria.evse_id, purpose, criteria.stack_level)
    return {"status": "Accepted" if cleared else "Unknown"}


def get_composite(station: Station, asked: GetComposite, at: datetime) -> dict[str, Any]:
    """Source: OCPP 2.0.1 K08."""
    outlet = station.find(asked.evse_id)
    if outlet is None or asked.charging_rate_unit not in ("A", "W"):
        return {"status": "Rejected"}
    schedule = {
        "evseId": asked.evse_id,
        "duration": asked.duration,
        "scheduleStart": instant(at),
        "chargingRateUnit": asked.charging_rate_unit,
        "chargingSchedulePeriod": composite(station, outlet, asked.duration, asked.charging_rate_unit, at),
    }
    return {"status": "Accepted", "schedule": schedule}


def transfer_data(station: Station, asked: Nothing, at: datetime) -> dict[str, Any]:
    """No vendor's extension is known here. Source: OCPP 2.0.1 P01."""
    return {"status": "UnknownVendorId"}


def clear_cache(station: Station, asked: Nothing, at: datetime) -> dict[str, Any]:
    """There is no cache to clear. Source: OCPP 2.0.1 C11."""
    return {"status": "Rejected"}


def _read(station: Station, asked: VariableAsked) -> dict[str, Any]:
    setting, status = find_variable(asked.component.name, asked.variable.name, asked.variable.instance)
    if setting is not None and asked.attribute_type != "Actual":
        setting, status = None, "NotSupportedAttributeType"
    value = {} if setting is None else {"attributeValue": setting.text(station)}
    return _named(asked) | {"attributeStatus": status} | value


def _write(station: Station, asked: VariableAsked, at: datetime) -> dict[str, Any]:
    setting, status = find_variable(asked.component.name, asked.variable.name, asked.variable.instance)
    if setting is not None and asked.attribute_type != "Actual":
        status = "NotSupportedAttributeType"
    elif setting is not None and not setting.write(station, asked.attribute_value):
        status = "Rejected"
    elif setting is not None and asked.variable.name.lower() == "heartbeatinterval":
        station.set_heartbeat_interval(int(asked.attribute_value), at)
    return _named(asked) | {"attributeStatus": status}


def _named(asked: VariableAsked) -> dict[str, Any]:
    variable = {"name": asked.variable.name}
    if asked.variable.instance is not None:
        variable["instance"] = asked.variable.instance
    return {
        "attributeType": asked.attribute_type,
        "component": {"name": asked.component.name},
        "variable": variable,
    }


COMMANDS: dict[str, Command] = {
    "RequestStartTransaction": (RequestStart, request_start),
    "RequestStopTransaction": (RequestStop, request_stop),
    "Reset": (Reset, reset),
    "UnlockConnector": (Unlock, unlock),
    "ChangeAvailability": (ChangeAvailability, change_availability),
    "TriggerMessage": (Trigger, trigger),
    "GetVariables": (GetVariables, get_variables),
    "SetVariables": (SetVariables, set_variables),
    "GetBaseReport": (GetBaseReport, get_base_report),
    "GetTransactionStatus": (GetTransactionStatus, get_transaction_status),
    "SetChargingProfile": (SetProfile, set_profile),
    "ClearChargingProfile": (ClearProfile, clear_profile),
    "GetCompositeSchedule": (GetComposite, get_composite),
    "DataTransfer": (Nothing, transfer_data),
    "ClearCache": (Nothing, clear_cache),
}

KNOWN_ACTIONS = frozenset(
    "CancelReservation CertificateSigned ClearDisplayMessage ClearVariableMonitoring CostUpdated CustomerInformation "
    "DeleteCertificate GetChargingProfiles GetDisplayMessages GetInstalledCertificateIds GetLocalListVersion GetLog "
    "GetMonitoringReport GetReport InstallCertificate PublishFirmware ReserveNow SendLocalList SetDisplayMessage "
    "SetMonitoringBase SetMonitoringLevel SetNetworkProfile SetVariableMonitoring UnpublishFirmware "
    "UpdateFirmware".split()
)

"""Which variables does a virtual 2.0.1 station have? Source: OCPP 2.0.1 part 2 appendices, 3."""

from typing import Any

from laddbok.fleet.profiles import MAX_PERIODS, MAX_PROFILES
from laddbok.fleet.setting import READINGS, Setting, fixed, own
from laddbok.fleet.station import Station

REPORT_ROWS = 8
"""Most rows of the device model in one NotifyReport. Source: our choice."""

VariableKey = tuple[str, str, str | None]
"""Component, variable, and the variable's instance if it has one."""

VARIABLES: dict[VariableKey, Setting] = {
    ("AuthCtrlr", "AuthorizeRemoteStart", None): own("authorize_remote"),
    ("AuthCtrlr", "LocalAuthorizeOffline", None): fixed(True),
    ("AuthCtrlr", "OfflineTxForUnknownIdEnabled", None): fixed(True),
    ("ChargingStation", "Model", None): fixed("Virtual"),
    ("ChargingStation", "VendorName", None): fixed("Laddbok"),
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"): fixed(REPORT_ROWS),
    ("OCPPCommCtrlr", "HeartbeatInterval", None): own("heartbeat_interval_s", least=1),
    ("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"): own("outbox.max_attempts", least=1),
    ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"): own("outbox.retry_interval_s"),
    ("SampledDataCtrlr", "TxUpdatedInterval", None): own("sample_interval_s", least=1),
    ("SampledDataCtrlr", "TxUpdatedMeasurands", None): fixed(READINGS),
    ("SmartChargingCtrlr", "Entries", "ChargingProfiles"): fixed(MAX_PROFILES),
    ("SmartChargingCtrlr", "PeriodsPerSchedule", None): fixed(MAX_PERIODS),
    ("SmartChargingCtrlr", "RateUnit", None): fixed("A,W"),
    ("TxCtrlr", "EVConnectionTimeOut", None): own("connection_timeout_s", least=1),
    ("TxCtrlr", "StopTxOnEVSideDisconnect", None): fixed(True),
    ("TxCtrlr", "StopTxOnInvalidId", None): own("stop_on_invalid_id"),
    ("TxCtrlr", "TxStartPoint", None): fixed("PowerPathClosed"),
    ("TxCtrlr", "TxStopPoint", None): fixed("PowerPathClosed"),
}
"""All variables; component and variable names are compared case-insensitively."""

_BY_FOLDED_NAME = {(c.lower(), v.lower(), i and i.lower()): setting for (c, v, i), setting in VARIABLES.items()}


def find_variable(component: str, variable: str, instance: str | None) -> tuple[Setting | None, str]:
    """The variable, with Accepted; or None with UnknownComponent or UnknownVariable."""
    setting = _BY_FOLDED_NAME.get((component.lower(), variable.lower(), instance and instance.lower()))
    if setting is not None:
        return setting, "Accepted"
    has_component = any(name == component.lower() for name, _, _ in _BY_FOLDED_NAME)
    return None, "UnknownVariable" if has_component else "UnknownComponent"


def report_rows(station: Station) -> list[dict[str, Any]]:
    """The device model as NotifyReport tells it. Source: OCPP 2.0.1 B07, ReportDataType."""
    return [_report_row(key, setting, station) for key, setting in VARIABLES.items()]


def _report_row(key: VariableKey, setting: Setting, station: Station) -> dict[str, Any]:
    component, variable, instance = key
    value = setting.read(station)
    data_type = "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"
    mutability = "ReadOnly" if setting.attribute is None else "ReadWrite"
    return {
        "component": {"name": component},
        "variable": {"name": variable} | ({"instance": instance} if instance else {}),
        "variableAttribute": [{"type": "Actual", "value": setting.text(station), "mutability": mutability}],
        "variableCharacteristics": {"dataType": data_type, "supportsMonitoring": False},
    }

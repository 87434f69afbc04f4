"""Which configuration keys does a virtual 1.6 station have? Source: OCPP 1.6 edition 2, 9."""

from typing import Any

from laddbok.fleet.profiles import MAX_PERIODS, MAX_PROFILES
from laddbok.fleet.setting import READINGS, Setting, fixed, own
from laddbok.fleet.station import Station

KEYS: dict[str, Setting] = {
    "AllowOfflineTxForUnknownId": fixed(True),
    "AuthorizeRemoteTxRequests": own("authorize_remote"),
    "ChargeProfileMaxStackLevel": fixed(99),
    "ChargingScheduleAllowedChargingRateUnit": fixed("Current,Power"),
    "ChargingScheduleMaxPeriods": fixed(MAX_PERIODS),
    "ClockAlignedDataInterval": fixed(0),
    "ConnectionTimeOut": own("connection_timeout_s", least=1),
    "GetConfigurationMaxKeys": fixed(100),
    "HeartbeatInterval": own("heartbeat_interval_s", least=1),
    "LocalAuthorizeOffline": fixed(True),
    "LocalPreAuthorize": fixed(False),
    "MaxChargingProfilesInstalled": fixed(MAX_PROFILES),
    "MeterValueSampleInterval": own("sample_interval_s", least=1),
    "MeterValuesAlignedData": fixed(""),
    "MeterValuesSampledData": fixed(READINGS),
    "NumberOfConnectors": Setting(lambda station: len(station.outlets)),
    "StopTransactionOnEVSideDisconnect": fixed(True),
    "StopTransactionOnInvalidId": own("stop_on_invalid_id"),
    "StopTxnAlignedData": fixed(""),
    "StopTxnSampledData": fixed(READINGS),
    "SupportedFeatureProfiles": fixed("Core,SmartCharging,RemoteTrigger"),
    "TransactionMessageAttempts": own("outbox.max_attempts", least=1),
    "TransactionMessageRetryInterval": own("outbox.retry_interval_s"),
    "UnlockConnectorOnEVSideDisconnect": fixed(True),
}
"""All keys by name."""


def key_rows(station: Station, wanted: list[str] | None) -> tuple[list[dict[str, Any]], list[str]]:
    """The wanted keys (all, if none is named) as GetConfiguration tells them, and the names that are unknown."""
    names = [name for name in wanted or KEYS if name in KEYS]
    rows = [
        {"key": name, "readonly": KEYS[name].attribute is None, "value": KEYS[name].text(station)} for name in names
    ]
    return rows, [name for name in wanted or [] if name not in KEYS]


def change_key(station: Station, name: str, text: str) -> str:
    """Write a key; returns the ConfigurationStatus. Source: OCPP 1.6 5.3, 7.22."""
    if name not in KEYS:
        return "NotSupported"
    return "Accepted" if KEYS[name].write(station, text) else "Rejected"

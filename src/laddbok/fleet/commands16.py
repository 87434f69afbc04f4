"""How does a virtual 1.6 station obey its central system?

One function per command: (station, what was asked, at) to the payload of the answer. What follows from a command is
queued, and leaves after the answer. Source: OCPP 1.6 edition 2, 5.
"""

from datetime import datetime
from typing import Any

import msgspec

from laddbok.fleet.commands import composite, set_operative, store_profile
from laddbok.fleet.configuration16 import change_key, key_rows
from laddbok.fleet.peer import Command, instant
from laddbok.fleet.profile_wire import ProfileWire16
from laddbok.fleet.profiles import MAX_PROFILES, Purpose
from laddbok.fleet.station import Station, StopCause

PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION,
    "TxDefaultProfile": Purpose.DEFAULT,
    "TxProfile": Purpose.TRANSACTION,
}


class RemoteStart(msgspec.Struct, rename="camel"):
    """RemoteStartTransaction.req"""

    id_tag: str
    connector_id: int | None = None
    charging_profile: ProfileWire16 | None = None


class RemoteStop(msgspec.Struct, rename="camel"):
    """RemoteStopTransaction.req"""

    transaction_id: int


class Reset(msgspec.Struct, rename="camel"):
    """Reset.req"""

    type: str


class Unlock(msgspec.Struct, rename="camel"):
    """UnlockConnector.req"""

    connector_id: int


class ChangeAvailability(msgspec.Struct, rename="camel"):
    """ChangeAvailability.req"""

    connector_id: int
    type: str


class Trigger(msgspec.Struct, rename="camel"):
    """TriggerMessage.req"""

    requested_message: str
    connector_id: int | None = None


class GetConfiguration(msgspec.Struct, rename="camel"):
    """GetConfiguration.req"""

    key: list[str] | None = None


class ChangeConfiguration(msgspec.Struct, rename="camel"):
    """ChangeConfiguration.req"""

    key: str
    value: str


class SetProfile(msgspec.Struct, rename="camel"):
    """SetChargingProfile.req"""

    connector_id: int
    cs_charging_profiles: ProfileWire16


class ClearProfile(msgspec.Struct, rename="camel"):
    """ClearChargingProfile.req"""

    id: int | None = None
    connector_id: int | None = None
    charging_profile_purpose: str | None = None
    stack_level: int | None = None


class GetComposite(msgspec.Struct, rename="camel"):
    """GetCompositeSchedule.req"""

    connector_id: int
    duration: int
    charging_rate_unit: str = "A"


class Nothing(msgspec.Struct):
    """A request without fields that matter here."""


def remote_start(station: Station, asked: RemoteStart, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.11."""
    profile = asked.charging_profile
    if profile is not None and PURPOSES.get(profile.charging_profile_purpose) != Purpose.TRANSACTION:
        return {"status": "Rejected"}
    started = station.start_remotely(asked.connector_id, asked.id_tag, None, at)
    if started is not None and profile is not None:
        store_profile(station, profile, Purpose.TRANSACTION, started)
    return {"status": "Rejected" if started is None else "Accepted"}


def remote_stop(station: Station, asked: RemoteStop, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.12."""
    outlet = station.running(str(asked.transaction_id))
    if outlet is None:
        return {"status": "Rejected"}
    station.end(outlet, StopCause.REMOTE, at)
    return {"status": "Accepted"}


def reset(station: Station, asked: Reset, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.14."""
    station.restart(StopCause.HARD_RESET if asked.type == "Hard" else StopCause.SOFT_RESET, at)
    return {"status": "Accepted"}


def unlock(station: Station, asked: Unlock, at: datetime) -> dict[str, Any]:
    """A transaction ends first. Source: OCPP 1.6 5.18."""
    outlet = station.find(asked.connector_id)
    if outlet is None:
        return {"status": "NotSupported"}
    if outlet.transaction is not None:
        station.end(outlet, StopCause.UNLOCKED, at)
    return {"status": "Unlocked"}


def change_availability(station: Station, asked: ChangeAvailability, at: datetime) -> dict[str, Any]:
    """Connector 0 means all. Source: OCPP 1.6 5.2."""
    concerned = station.outlets if asked.connector_id == 0 else [station.find(asked.connector_id)]
    return {"status": set_operative(filter(None, concerned), asked.type == "Operative")}


def trigger(station: Station, asked: Trigger, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.17."""
    if asked.connector_id is not None and station.find(asked.connector_id) is None:
        return {"status": "Rejected"}
    outlet = station.find(asked.connector_id)
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
                station.tell_sample(each, each.transaction, "Trigger", at)
        case _:
            return {"status": "NotImplemented"}
    return {"status": "Accepted"}


def get_configuration(station: Station, asked: GetConfiguration, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.8."""
    rows, unknown = key_rows(station, asked.key)
    return {"configurationKey": rows} | ({"unknownKey": unknown} if unknown else {})


def change_configuration(station: Station, asked: ChangeConfiguration, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.3."""
    status = change_key(station, asked.key, asked.value)
    if status == "Accepted" and asked.key == "HeartbeatInterval":
        station.set_heartbeat_interval(int(asked.value), at)
    return {"status": status}


def set_profile(station: Station, asked: SetProfile, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.16."""
    wire, outlet = asked.cs_charging_profiles, station.find(asked.connector_id)
    purpose = PURPOSES.get(wire.charging_profile_purpose)
    is_fitting = outlet is not None or asked.connector_id == 0
    if purpose == Purpose.STATION:
        is_fitting = asked.connector_id == 0
    if purpose == Purpose.TRANSACTION:
        is_fitting = outlet is not None and outlet.transaction is not None
    if purpose is None or not is_fitting or len(station.profiles) >= MAX_PROFILES:
        return {"status": "Rejected"}
    store_profile(station, wire, purpose, outlet)
    return {"status": "Accepted"}


def clear_profile(station: Station, asked: ClearProfile, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.5."""
    purpose = PURPOSES.get(asked.charging_profile_purpose or "")
    cleared = station.profiles.clear(asked.id, asked.connector_id, purpose, asked.stack_level)
    return {"status": "Accepted" if cleared else "Unknown"}


def get_composite(station: Station, asked: GetComposite, at: datetime) -> dict[str, Any]:
    """Source: OCPP 1.6 5.7."""
    outlet = station.find(asked.connector_id)
    if outlet is None or asked.charging_rate_unit not in ("A", "W"):
        return {"status": "Rejected"}
    schedule = {
        "duration": asked.duration,
        "startSchedule": instant(at),
        "chargingRateUnit": asked.charging_rate_unit,
        "chargingSchedulePeriod": composite(station, outlet, asked.duration, asked.charging_rate_unit, at),
    }
    return {
        "status": "Accepted",
        "connectorId": asked.connector_id,
        "scheduleStart": instant(at),
        "chargingSchedule": schedule,
    }


def transfer_data(station: Station, asked: Nothing, at: datetime) -> dict[str, Any]:
    """No vendor's extension is known here. Source: OCPP 1.6 5.6."""
    return {"status": "UnknownVendorId"}


def clear_cache(station: Station, asked: Nothing, at: datetime) -> dict[str, Any]:
    """There is no cache to clear. Source: OCPP 1.6 5.4."""
    return {"status": "Accepted"}


COMMANDS: dict[str, Command] = {
    "RemoteStartTransaction": (RemoteStart, remote_start),
    "RemoteStopTransaction": (RemoteStop, remote_stop),
    "Reset": (Reset, reset),
    "UnlockConnector": (Unlock, unlock),
    "ChangeAvailability": (ChangeAvailability, change_availability),
    "TriggerMessage": (Trigger, trigger),
    "GetConfiguration": (GetConfiguration, get_configuration),
    "ChangeConfiguration": (ChangeConfiguration, change_configuration),
    "SetChargingProfile": (SetProfile, set_profile),
    "ClearChargingProfile": (ClearProfile, clear_profile),
    "GetCompositeSchedule": (GetComposite, get_composite),
    "DataTransfer": (Nothing, transfer_data),
    "ClearCache": (Nothing, clear_cache),
}

KNOWN_ACTIONS = frozenset(
    "CancelReservation CertificateSigned DeleteCertificate ExtendedTriggerMessage GetDiagnostics "
    "GetInstalledCertificateIds GetLocalListVersion GetLog InstallCertificate ReserveNow SendLocalList "
    "SignedUpdateFirmware UpdateFirmware".split()
)

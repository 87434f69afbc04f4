"""Which OCPP 1.6 messages do we send to stations?

Generated from the official JSON schemas by tools/generate_messages.py; strict, as the schemas have it.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from laddbok.ocpp.messages.base import Instant, Sent, Uri, require_multiple


class IdTagInfo(Sent, frozen=True, kw_only=True):
    expiry_date: Instant | UnsetType = UNSET
    parent_id_tag: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    status: Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]


class AuthorizeResponse(Sent, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo


class BootNotificationResponse(Sent, frozen=True, kw_only=True):
    status: Literal["Accepted", "Pending", "Rejected"]
    current_time: Instant
    interval: int


class CancelReservationRequest(Sent, frozen=True, kw_only=True):
    reservation_id: int


class CertificateSignedRequest(Sent, frozen=True, kw_only=True):
    certificate_chain: Annotated[str, Meta(max_length=10000)]


class ChangeAvailabilityRequest(Sent, frozen=True, kw_only=True):
    connector_id: int
    type: Literal["Inoperative", "Operative"]


class ChangeConfigurationRequest(Sent, frozen=True, kw_only=True):
    key: Annotated[str, Meta(max_length=50)]
    value: Annotated[str, Meta(max_length=500)]


class ClearCacheRequest(Sent, frozen=True, kw_only=True):
    pass


class ClearChargingProfileRequest(Sent, frozen=True, kw_only=True):
    id: int | UnsetType = UNSET
    connector_id: int | UnsetType = UNSET
    charging_profile_purpose: (
        Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"] | UnsetType
    ) = UNSET
    stack_level: int | UnsetType = UNSET


class DataTransferRequest(Sent, frozen=True, kw_only=True):
    vendor_id: Annotated[str, Meta(max_length=255)]
    message_id: Annotated[str, Meta(max_length=50)] | UnsetType = UNSET
    data: str | UnsetType = UNSET


class DataTransferResponse(Sent, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
    data: str | UnsetType = UNSET


class CertificateHashData(Sent, frozen=True, kw_only=True):
    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"]
    issuer_name_hash: Annotated[str, Meta(max_length=128)]
    issuer_key_hash: Annotated[str, Meta(max_length=128)]
    serial_number: Annotated[str, Meta(max_length=40)]


class DeleteCertificateRequest(Sent, frozen=True, kw_only=True):
    certificate_hash_data: CertificateHashData


class DiagnosticsStatusNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class ExtendedTriggerMessageRequest(Sent, frozen=True, kw_only=True):
    requested_message: Literal[
        "BootNotification",
        "LogStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "SignChargePointCertificate",
        "StatusNotification",
    ]
    connector_id: int | UnsetType = UNSET


class FirmwareStatusNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class GetCompositeScheduleRequest(Sent, frozen=True, kw_only=True):
    connector_id: int
    duration: int
    charging_rate_unit: Literal["A", "W"] | UnsetType = UNSET


class GetConfigurationRequest(Sent, frozen=True, kw_only=True):
    key: list[Annotated[str, Meta(max_length=50)]] | UnsetType = UNSET


class GetDiagnosticsRequest(Sent, frozen=True, kw_only=True):
    location: Uri
    retries: int | UnsetType = UNSET
    retry_interval: int | UnsetType = UNSET
    start_time: Instant | UnsetType = UNSET
    stop_time: Instant | UnsetType = UNSET


class GetInstalledCertificateIdsRequest(Sent, frozen=True, kw_only=True):
    certificate_type: Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]


class GetLocalListVersionRequest(Sent, frozen=True, kw_only=True):
    pass


class LogParameters(Sent, frozen=True, kw_only=True):
    remote_location: Annotated[str, Meta(max_length=512)]
    oldest_timestamp: Instant | UnsetType = UNSET
    latest_timestamp: Instant | UnsetType = UNSET


class GetLogRequest(Sent, frozen=True, kw_only=True):
    log: LogParameters
    log_type: Literal["DiagnosticsLog", "SecurityLog"]
    request_id: int
    retries: int | UnsetType = UNSET
    retry_interval: int | UnsetType = UNSET


class HeartbeatResponse(Sent, frozen=True, kw_only=True):
    current_time: Instant


class InstallCertificateRequest(Sent, frozen=True, kw_only=True):
    certificate_type: Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]
    certificate: Annotated[str, Meta(max_length=5500)]


class LogStatusNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class MeterValuesResponse(Sent, frozen=True, kw_only=True):
    pass


class ChargingSchedulePeriod(Sent, frozen=True, kw_only=True):
    start_period: int
    limit: Decimal
    number_phases: int | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raises: ValueError when a number is not a multiple of the schema's step."""
        require_multiple(self.limit, Decimal("0.1"), "limit")


class ChargingSchedule(Sent, frozen=True, kw_only=True):
    duration: int | UnsetType = UNSET
    start_schedule: Instant | UnsetType = UNSET
    charging_rate_unit: Literal["A", "W"]
    charging_schedule_period: list[ChargingSchedulePeriod]
    min_charging_rate: Decimal | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raises: ValueError when a number is not a multiple of the schema's step."""
        require_multiple(self.min_charging_rate, Decimal("0.1"), "minChargingRate")


class ChargingProfile(Sent, frozen=True, kw_only=True):
    charging_profile_id: int
    transaction_id: int | UnsetType = UNSET
    stack_level: int
    charging_profile_purpose: Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]
    charging_profile_kind: Literal["Absolute", "Recurring", "Relative"]
    recurrency_kind: Literal["Daily", "Weekly"] | UnsetType = UNSET
    valid_from: Instant | UnsetType = UNSET
    valid_to: Instant | UnsetType = UNSET
    charging_schedule: ChargingSchedule


class RemoteStartTransactionRequest(Sent, frozen=True, kw_only=True):
    connector_id: int | UnsetType = UNSET
    id_tag: Annotated[str, Meta(max_length=20)]
    charging_profile: ChargingProfile | UnsetType = UNSET


class RemoteStopTransactionRequest(Sent, frozen=True, kw_only=True):
    transaction_id: int


class ReserveNowRequest(Sent, frozen=True, kw_only=True):
    connector_id: int
    expiry_date: Instant
    id_tag: Annotated[str, Meta(max_length=20)]
    parent_id_tag: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    reservation_id: int


class ResetRequest(Sent, frozen=True, kw_only=True):
    type: Literal["Hard", "Soft"]


class SecurityEventNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class LocalAuthorizationList(Sent, frozen=True, kw_only=True):
    id_tag: Annotated[str, Meta(max_length=20)]
    id_tag_info: IdTagInfo | UnsetType = UNSET


class SendLocalListRequest(Sent, frozen=True, kw_only=True):
    list_version: int
    local_authorization_list: list[LocalAuthorizationList] | UnsetType = UNSET
    update_type: Literal["Differential", "Full"]


class SetChargingProfileRequest(Sent, frozen=True, kw_only=True):
    connector_id: int
    cs_charging_profiles: ChargingProfile


class SignCertificateResponse(Sent, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected"]


class SignedFirmwareStatusNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class Firmware(Sent, frozen=True, kw_only=True):
    location: Annotated[str, Meta(max_length=512)]
    retrieve_date_time: Instant
    install_date_time: Instant | UnsetType = UNSET
    signing_certificate: Annotated[str, Meta(max_length=5500)]
    signature: Annotated[str, Meta(max_length=800)]


class SignedUpdateFirmwareRequest(Sent, frozen=True, kw_only=True):
    retries: int | UnsetType = UNSET
    retry_interval: int | UnsetType = UNSET
    request_id: int
    firmware: Firmware


class StartTransactionResponse(Sent, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo
    transaction_id: int


class StatusNotificationResponse(Sent, frozen=True, kw_only=True):
    pass


class StopTransactionResponse(Sent, frozen=True, kw_only=True):
    id_tag_info: IdTagInfo | UnsetType = UNSET


class TriggerMessageRequest(Sent, frozen=True, kw_only=True):
    requested_message: Literal[
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ]
    connector_id: int | UnsetType = UNSET


class UnlockConnectorRequest(Sent, frozen=True, kw_only=True):
    connector_id: int


class UpdateFirmwareRequest(Sent, frozen=True, kw_only=True):
    location: Uri
    retries: int | UnsetType = UNSET
    retrieve_date: Instant
    retry_interval: int | UnsetType = UNSET


REQUESTS: dict[str, type[Sent]] = {
    "CancelReservation": CancelReservationRequest,
    "CertificateSigned": CertificateSignedRequest,
    "ChangeAvailability": ChangeAvailabilityRequest,
    "ChangeConfiguration": ChangeConfigurationRequest,
    "ClearCache": ClearCacheRequest,
    "ClearChargingProfile": ClearChargingProfileRequest,
    "DataTransfer": DataTransferRequest,
    "DeleteCertificate": DeleteCertificateRequest,
    "ExtendedTriggerMessage": ExtendedTriggerMessageRequest,
    "GetCompositeSchedule": GetCompositeScheduleRequest,
    "GetConfiguration": GetConfigurationRequest,
    "GetDiagnostics": GetDiagnosticsRequest,
    "GetInstalledCertificateIds": GetInstalledCertificateIdsRequest,
    "GetLocalListVersion": GetLocalListVersionRequest,
    "GetLog": GetLogRequest,
    "InstallCertificate": InstallCertificateRequest,
    "RemoteStartTransaction": RemoteStartTransactionRequest,
    "RemoteStopTransaction": RemoteStopTransactionRequest,
    "ReserveNow": ReserveNowRequest,
    "Reset": ResetRequest,
    "SendLocalList": SendLocalListRequest,
    "SetChargingProfile": SetChargingProfileRequest,
    "SignedUpdateFirmware": SignedUpdateFirmwareRequest,
    "TriggerMessage": TriggerMessageRequest,
    "UnlockConnector": UnlockConnectorRequest,
    "UpdateFirmware": UpdateFirmwareRequest,
}

RESPONSES: dict[str, type[Sent]] = {
    "Authorize": AuthorizeResponse,
    "BootNotification": BootNotificationResponse,
    "DataTransfer": DataTransferResponse,
    "DiagnosticsStatusNotification": DiagnosticsStatusNotificationResponse,
    "FirmwareStatusNotification": FirmwareStatusNotificationResponse,
    "Heartbeat": HeartbeatResponse,
    "LogStatusNotification": LogStatusNotificationResponse,
    "MeterValues": MeterValuesResponse,
    "SecurityEventNotification": SecurityEventNotificationResponse,
    "SignCertificate": SignCertificateResponse,
    "SignedFirmwareStatusNotification": SignedFirmwareStatusNotificationResponse,
    "StartTransaction": StartTransactionResponse,
    "StatusNotification": StatusNotificationResponse,
    "StopTransaction": StopTransactionResponse,
}

"""Which OCPP 1.6 messages do stations send?

Generated from the official JSON schemas by tools/generate_messages.py; lenient, see `base`.
"""

from decimal import Decimal

from laddbok.ocpp.messages.base import Received


class AuthorizeRequest(Received, frozen=True, kw_only=True):
    id_tag: str | None = None


class BootNotificationRequest(Received, frozen=True, kw_only=True):
    charge_point_vendor: str | None = None
    charge_point_model: str | None = None
    charge_point_serial_number: str | None = None
    charge_box_serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


class CancelReservationResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class CertificateSignedResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ChangeAvailabilityResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ChangeConfigurationResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ClearCacheResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ClearChargingProfileResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class DataTransferRequest(Received, frozen=True, kw_only=True):
    vendor_id: str | None = None
    message_id: str | None = None
    data: str | None = None


class DataTransferResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    data: str | None = None


class DeleteCertificateResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class DiagnosticsStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None


class ExtendedTriggerMessageResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class FirmwareStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None


class ChargingSchedulePeriod(Received, frozen=True, kw_only=True):
    start_period: int | None = None
    limit: Decimal | None = None
    number_phases: int | None = None


class ChargingSchedule(Received, frozen=True, kw_only=True):
    duration: int | None = None
    start_schedule: str | None = None
    charging_rate_unit: str | None = None
    charging_schedule_period: list[ChargingSchedulePeriod] | None = None
    min_charging_rate: Decimal | None = None


class GetCompositeScheduleResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    connector_id: int | None = None
    schedule_start: str | None = None
    charging_schedule: ChargingSchedule | None = None


class ConfigurationKey(Received, frozen=True, kw_only=True):
    key: str | None = None
    readonly: bool | None = None
    value: str | None = None


class GetConfigurationResponse(Received, frozen=True, kw_only=True):
    configuration_key: list[ConfigurationKey] | None = None
    unknown_key: list[str] | None = None


class GetDiagnosticsResponse(Received, frozen=True, kw_only=True):
    file_name: str | None = None


class CertificateHashData(Received, frozen=True, kw_only=True):
    hash_algorithm: str | None = None
    issuer_name_hash: str | None = None
    issuer_key_hash: str | None = None
    serial_number: str | None = None


class GetInstalledCertificateIdsResponse(Received, frozen=True, kw_only=True):
    certificate_hash_data: list[CertificateHashData] | None = None
    status: str | None = None


class GetLocalListVersionResponse(Received, frozen=True, kw_only=True):
    list_version: int | None = None


class GetLogResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    filename: str | None = None


class HeartbeatRequest(Received, frozen=True, kw_only=True):
    pass


class InstallCertificateResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class LogStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None
    request_id: int | None = None


class SampledValue(Received, frozen=True, kw_only=True):
    value: str | None = None
    context: str | None = None
    format: str | None = None
    measurand: str | None = None
    phase: str | None = None
    location: str | None = None
    unit: str | None = None


class MeterValue(Received, frozen=True, kw_only=True):
    timestamp: str | None = None
    sampled_value: list[SampledValue] | None = None


class MeterValuesRequest(Received, frozen=True, kw_only=True):
    connector_id: int | None = None
    transaction_id: int | None = None
    meter_value: list[MeterValue] | None = None


class RemoteStartTransactionResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class RemoteStopTransactionResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ReserveNowResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class ResetResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class SecurityEventNotificationRequest(Received, frozen=True, kw_only=True):
    type: str | None = None
    timestamp: str | None = None
    tech_info: str | None = None


class SendLocalListResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class SetChargingProfileResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class SignCertificateRequest(Received, frozen=True, kw_only=True):
    csr: str | None = None


class SignedFirmwareStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None
    request_id: int | None = None


class SignedUpdateFirmwareResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class StartTransactionRequest(Received, frozen=True, kw_only=True):
    connector_id: int | None = None
    id_tag: str | None = None
    meter_start: int | None = None
    reservation_id: int | None = None
    timestamp: str | None = None


class StatusNotificationRequest(Received, frozen=True, kw_only=True):
    connector_id: int | None = None
    error_code: str | None = None
    info: str | None = None
    status: str | None = None
    timestamp: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


class StopTransactionRequest(Received, frozen=True, kw_only=True):
    id_tag: str | None = None
    meter_stop: int | None = None
    timestamp: str | None = None
    transaction_id: int | None = None
    reason: str | None = None
    transaction_data: list[MeterValue] | None = None


class TriggerMessageResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class UnlockConnectorResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class UpdateFirmwareResponse(Received, frozen=True, kw_only=True):
    pass


REQUESTS: dict[str, type[Received]] = {
    "Authorize": AuthorizeRequest,
    "BootNotification": BootNotificationRequest,
    "DataTransfer": DataTransferRequest,
    "DiagnosticsStatusNotification": DiagnosticsStatusNotificationRequest,
    "FirmwareStatusNotification": FirmwareStatusNotificationRequest,
    "Heartbeat": HeartbeatRequest,
    "LogStatusNotification": LogStatusNotificationRequest,
    "MeterValues": MeterValuesRequest,
    "SecurityEventNotification": SecurityEventNotificationRequest,
    "SignCertificate": SignCertificateRequest,
    "SignedFirmwareStatusNotification": SignedFirmwareStatusNotificationRequest,
    "StartTransaction": StartTransactionRequest,
    "StatusNotification": StatusNotificationRequest,
    "StopTransaction": StopTransactionRequest,
}

RESPONSES: dict[str, type[Received]] = {
    "CancelReservation": CancelReservationResponse,
    "CertificateSigned": CertificateSignedResponse,
    "ChangeAvailability": ChangeAvailabilityResponse,
    "ChangeConfiguration": ChangeConfigurationResponse,
    "ClearCache": ClearCacheResponse,
    "ClearChargingProfile": ClearChargingProfileResponse,
    "DataTransfer": DataTransferResponse,
    "DeleteCertificate": DeleteCertificateResponse,
    "ExtendedTriggerMessage": ExtendedTriggerMessageResponse,
    "GetCompositeSchedule": GetCompositeScheduleResponse,
    "GetConfiguration": GetConfigurationResponse,
    "GetDiagnostics": GetDiagnosticsResponse,
    "GetInstalledCertificateIds": GetInstalledCertificateIdsResponse,
    "GetLocalListVersion": GetLocalListVersionResponse,
    "GetLog": GetLogResponse,
    "InstallCertificate": InstallCertificateResponse,
    "RemoteStartTransaction": RemoteStartTransactionResponse,
    "RemoteStopTransaction": RemoteStopTransactionResponse,
    "ReserveNow": ReserveNowResponse,
    "Reset": ResetResponse,
    "SendLocalList": SendLocalListResponse,
    "SetChargingProfile": SetChargingProfileResponse,
    "SignedUpdateFirmware": SignedUpdateFirmwareResponse,
    "TriggerMessage": TriggerMessageResponse,
    "UnlockConnector": UnlockConnectorResponse,
    "UpdateFirmware": UpdateFirmwareResponse,
}

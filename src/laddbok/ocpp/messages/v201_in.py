"""Which OCPP 2.0.1 messages do stations send?

Generated from the official JSON schemas by tools/generate_messages.py; lenient, see `base`.
"""

from decimal import Decimal

from msgspec import field

from laddbok.ocpp.messages.base import Received


class AdditionalInfo(Received, frozen=True, kw_only=True):
    additional_id_token: str | None = None
    type: str | None = None


class IdToken(Received, frozen=True, kw_only=True):
    additional_info: list[AdditionalInfo] | None = None
    id_token: str | None = None
    type: str | None = None


class OCSPRequestData(Received, frozen=True, kw_only=True):
    hash_algorithm: str | None = None
    issuer_name_hash: str | None = None
    issuer_key_hash: str | None = None
    serial_number: str | None = None
    responder_url: str | None = field(default=None, name="responderURL")


class AuthorizeRequest(Received, frozen=True, kw_only=True):
    id_token: IdToken | None = None
    certificate: str | None = None
    iso15118_certificate_hash_data: list[OCSPRequestData] | None = None


class Modem(Received, frozen=True, kw_only=True):
    iccid: str | None = None
    imsi: str | None = None


class ChargingStation(Received, frozen=True, kw_only=True):
    serial_number: str | None = None
    model: str | None = None
    modem: Modem | None = None
    vendor_name: str | None = None
    firmware_version: str | None = None


class BootNotificationRequest(Received, frozen=True, kw_only=True):
    charging_station: ChargingStation | None = None
    reason: str | None = None


class StatusInfo(Received, frozen=True, kw_only=True):
    reason_code: str | None = None
    additional_info: str | None = None


class CancelReservationResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class CertificateSignedResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ChangeAvailabilityResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ClearCacheResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ClearChargingProfileResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ClearDisplayMessageResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ClearMonitoringResult(Received, frozen=True, kw_only=True):
    status: str | None = None
    id: int | None = None
    status_info: StatusInfo | None = None


class ClearVariableMonitoringResponse(Received, frozen=True, kw_only=True):
    clear_monitoring_result: list[ClearMonitoringResult] | None = None


class ClearedChargingLimitRequest(Received, frozen=True, kw_only=True):
    charging_limit_source: str | None = None
    evse_id: int | None = None


class CostUpdatedResponse(Received, frozen=True, kw_only=True):
    pass


class CustomerInformationResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class DataTransferRequest(Received, frozen=True, kw_only=True):
    message_id: str | None = None
    data: object = None
    vendor_id: str | None = None


class DataTransferResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None
    data: object = None


class DeleteCertificateResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class FirmwareStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None
    request_id: int | None = None


class Get15118EVCertificateRequest(Received, frozen=True, kw_only=True):
    iso15118_schema_version: str | None = None
    action: str | None = None
    exi_request: str | None = None


class GetBaseReportResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class GetCertificateStatusRequest(Received, frozen=True, kw_only=True):
    ocsp_request_data: OCSPRequestData | None = None


class GetChargingProfilesResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ChargingSchedulePeriod(Received, frozen=True, kw_only=True):
    start_period: int | None = None
    limit: Decimal | None = None
    number_phases: int | None = None
    phase_to_use: int | None = None


class CompositeSchedule(Received, frozen=True, kw_only=True):
    charging_schedule_period: list[ChargingSchedulePeriod] | None = None
    evse_id: int | None = None
    duration: int | None = None
    schedule_start: str | None = None
    charging_rate_unit: str | None = None


class GetCompositeScheduleResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None
    schedule: CompositeSchedule | None = None


class GetDisplayMessagesResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class CertificateHashData(Received, frozen=True, kw_only=True):
    hash_algorithm: str | None = None
    issuer_name_hash: str | None = None
    issuer_key_hash: str | None = None
    serial_number: str | None = None


class CertificateHashDataChain(Received, frozen=True, kw_only=True):
    certificate_hash_data: CertificateHashData | None = None
    certificate_type: str | None = None
    child_certificate_hash_data: list[CertificateHashData] | None = None


class GetInstalledCertificateIdsResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None
    certificate_hash_data_chain: list[CertificateHashDataChain] | None = None


class GetLocalListVersionResponse(Received, frozen=True, kw_only=True):
    version_number: int | None = None


class GetLogResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None
    filename: str | None = None


class GetMonitoringReportResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class GetReportResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class GetTransactionStatusResponse(Received, frozen=True, kw_only=True):
    ongoing_indicator: bool | None = None
    messages_in_queue: bool | None = None


class EVSE(Received, frozen=True, kw_only=True):
    id: int | None = None
    connector_id: int | None = None


class Component(Received, frozen=True, kw_only=True):
    evse: EVSE | None = None
    name: str | None = None
    instance: str | None = None


class Variable(Received, frozen=True, kw_only=True):
    name: str | None = None
    instance: str | None = None


class GetVariableResult(Received, frozen=True, kw_only=True):
    attribute_status_info: StatusInfo | None = None
    attribute_status: str | None = None
    attribute_type: str | None = None
    attribute_value: str | None = None
    component: Component | None = None
    variable: Variable | None = None


class GetVariablesResponse(Received, frozen=True, kw_only=True):
    get_variable_result: list[GetVariableResult] | None = None


class HeartbeatRequest(Received, frozen=True, kw_only=True):
    pass


class InstallCertificateResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class LogStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None
    request_id: int | None = None


class SignedMeterValue(Received, frozen=True, kw_only=True):
    signed_meter_data: str | None = None
    signing_method: str | None = None
    encoding_method: str | None = None
    public_key: str | None = None


class UnitOfMeasure(Received, frozen=True, kw_only=True):
    unit: str | None = None
    multiplier: int | None = None


class SampledValue(Received, frozen=True, kw_only=True):
    value: Decimal | None = None
    context: str | None = None
    measurand: str | None = None
    phase: str | None = None
    location: str | None = None
    signed_meter_value: SignedMeterValue | None = None
    unit_of_measure: UnitOfMeasure | None = None


class MeterValue(Received, frozen=True, kw_only=True):
    sampled_value: list[SampledValue] | None = None
    timestamp: str | None = None


class MeterValuesRequest(Received, frozen=True, kw_only=True):
    evse_id: int | None = None
    meter_value: list[MeterValue] | None = None


class RelativeTimeInterval(Received, frozen=True, kw_only=True):
    start: int | None = None
    duration: int | None = None


class Cost(Received, frozen=True, kw_only=True):
    cost_kind: str | None = None
    amount: int | None = None
    amount_multiplier: int | None = None


class ConsumptionCost(Received, frozen=True, kw_only=True):
    start_value: Decimal | None = None
    cost: list[Cost] | None = None


class SalesTariffEntry(Received, frozen=True, kw_only=True):
    relative_time_interval: RelativeTimeInterval | None = None
    e_price_level: int | None = None
    consumption_cost: list[ConsumptionCost] | None = None


class SalesTariff(Received, frozen=True, kw_only=True):
    id: int | None = None
    sales_tariff_description: str | None = None
    num_e_price_levels: int | None = None
    sales_tariff_entry: list[SalesTariffEntry] | None = None


class ChargingSchedule(Received, frozen=True, kw_only=True):
    id: int | None = None
    start_schedule: str | None = None
    duration: int | None = None
    charging_rate_unit: str | None = None
    charging_schedule_period: list[ChargingSchedulePeriod] | None = None
    min_charging_rate: Decimal | None = None
    sales_tariff: SalesTariff | None = None


class ChargingLimit(Received, frozen=True, kw_only=True):
    charging_limit_source: str | None = None
    is_grid_critical: bool | None = None


class NotifyChargingLimitRequest(Received, frozen=True, kw_only=True):
    charging_schedule: list[ChargingSchedule] | None = None
    evse_id: int | None = None
    charging_limit: ChargingLimit | None = None


class NotifyCustomerInformationRequest(Received, frozen=True, kw_only=True):
    data: str | None = None
    tbc: bool | None = None
    seq_no: int | None = None
    generated_at: str | None = None
    request_id: int | None = None


class MessageContent(Received, frozen=True, kw_only=True):
    format: str | None = None
    language: str | None = None
    content: str | None = None


class MessageInfo(Received, frozen=True, kw_only=True):
    display: Component | None = None
    id: int | None = None
    priority: str | None = None
    state: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None
    transaction_id: str | None = None
    message: MessageContent | None = None


class NotifyDisplayMessagesRequest(Received, frozen=True, kw_only=True):
    message_info: list[MessageInfo] | None = None
    request_id: int | None = None
    tbc: bool | None = None


class ACChargingParameters(Received, frozen=True, kw_only=True):
    energy_amount: int | None = None
    ev_min_current: int | None = None
    ev_max_current: int | None = None
    ev_max_voltage: int | None = None


class DCChargingParameters(Received, frozen=True, kw_only=True):
    ev_max_current: int | None = None
    ev_max_voltage: int | None = None
    energy_amount: int | None = None
    ev_max_power: int | None = None
    state_of_charge: int | None = None
    ev_energy_capacity: int | None = None
    full_so_c: int | None = None
    bulk_so_c: int | None = None


class ChargingNeeds(Received, frozen=True, kw_only=True):
    ac_charging_parameters: ACChargingParameters | None = None
    dc_charging_parameters: DCChargingParameters | None = None
    requested_energy_transfer: str | None = None
    departure_time: str | None = None


class NotifyEVChargingNeedsRequest(Received, frozen=True, kw_only=True):
    max_schedule_tuples: int | None = None
    charging_needs: ChargingNeeds | None = None
    evse_id: int | None = None


class NotifyEVChargingScheduleRequest(Received, frozen=True, kw_only=True):
    time_base: str | None = None
    charging_schedule: ChargingSchedule | None = None
    evse_id: int | None = None


class EventData(Received, frozen=True, kw_only=True):
    event_id: int | None = None
    timestamp: str | None = None
    trigger: str | None = None
    cause: int | None = None
    actual_value: str | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    cleared: bool | None = None
    transaction_id: str | None = None
    component: Component | None = None
    variable_monitoring_id: int | None = None
    event_notification_type: str | None = None
    variable: Variable | None = None


class NotifyEventRequest(Received, frozen=True, kw_only=True):
    generated_at: str | None = None
    tbc: bool | None = None
    seq_no: int | None = None
    event_data: list[EventData] | None = None


class VariableMonitoring(Received, frozen=True, kw_only=True):
    id: int | None = None
    transaction: bool | None = None
    value: Decimal | None = None
    type: str | None = None
    severity: int | None = None


class MonitoringData(Received, frozen=True, kw_only=True):
    component: Component | None = None
    variable: Variable | None = None
    variable_monitoring: list[VariableMonitoring] | None = None


class NotifyMonitoringReportRequest(Received, frozen=True, kw_only=True):
    monitor: list[MonitoringData] | None = None
    request_id: int | None = None
    tbc: bool | None = None
    seq_no: int | None = None
    generated_at: str | None = None


class VariableAttribute(Received, frozen=True, kw_only=True):
    type: str | None = None
    value: str | None = None
    mutability: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


class VariableCharacteristics(Received, frozen=True, kw_only=True):
    unit: str | None = None
    data_type: str | None = None
    min_limit: Decimal | None = None
    max_limit: Decimal | None = None
    values_list: str | None = None
    supports_monitoring: bool | None = None


class ReportData(Received, frozen=True, kw_only=True):
    component: Component | None = None
    variable: Variable | None = None
    variable_attribute: list[VariableAttribute] | None = None
    variable_characteristics: VariableCharacteristics | None = None


class NotifyReportRequest(Received, frozen=True, kw_only=True):
    request_id: int | None = None
    generated_at: str | None = None
    report_data: list[ReportData] | None = None
    tbc: bool | None = None
    seq_no: int | None = None


class PublishFirmwareResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class PublishFirmwareStatusNotificationRequest(Received, frozen=True, kw_only=True):
    status: str | None = None
    location: list[str] | None = None
    request_id: int | None = None


class ChargingProfile(Received, frozen=True, kw_only=True):
    id: int | None = None
    stack_level: int | None = None
    charging_profile_purpose: str | None = None
    charging_profile_kind: str | None = None
    recurrency_kind: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    charging_schedule: list[ChargingSchedule] | None = None
    transaction_id: str | None = None


class ReportChargingProfilesRequest(Received, frozen=True, kw_only=True):
    request_id: int | None = None
    charging_limit_source: str | None = None
    charging_profile: list[ChargingProfile] | None = None
    tbc: bool | None = None
    evse_id: int | None = None


class RequestStartTransactionResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None
    transaction_id: str | None = None


class RequestStopTransactionResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ReservationStatusUpdateRequest(Received, frozen=True, kw_only=True):
    reservation_id: int | None = None
    reservation_update_status: str | None = None


class ReserveNowResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class ResetResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SecurityEventNotificationRequest(Received, frozen=True, kw_only=True):
    type: str | None = None
    timestamp: str | None = None
    tech_info: str | None = None


class SendLocalListResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetChargingProfileResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetDisplayMessageResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetMonitoringBaseResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetMonitoringLevelResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetNetworkProfileResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class SetMonitoringResult(Received, frozen=True, kw_only=True):
    id: int | None = None
    status_info: StatusInfo | None = None
    status: str | None = None
    type: str | None = None
    component: Component | None = None
    variable: Variable | None = None
    severity: int | None = None


class SetVariableMonitoringResponse(Received, frozen=True, kw_only=True):
    set_monitoring_result: list[SetMonitoringResult] | None = None


class SetVariableResult(Received, frozen=True, kw_only=True):
    attribute_type: str | None = None
    attribute_status: str | None = None
    attribute_status_info: StatusInfo | None = None
    component: Component | None = None
    variable: Variable | None = None


class SetVariablesResponse(Received, frozen=True, kw_only=True):
    set_variable_result: list[SetVariableResult] | None = None


class SignCertificateRequest(Received, frozen=True, kw_only=True):
    csr: str | None = None
    certificate_type: str | None = None


class StatusNotificationRequest(Received, frozen=True, kw_only=True):
    timestamp: str | None = None
    connector_status: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None


class Transaction(Received, frozen=True, kw_only=True):
    transaction_id: str | None = None
    charging_state: str | None = None
    time_spent_charging: int | None = None
    stopped_reason: str | None = None
    remote_start_id: int | None = None


class TransactionEventRequest(Received, frozen=True, kw_only=True):
    event_type: str | None = None
    meter_value: list[MeterValue] | None = None
    timestamp: str | None = None
    trigger_reason: str | None = None
    seq_no: int | None = None
    offline: bool | None = None
    number_of_phases_used: int | None = None
    cable_max_current: int | None = None
    reservation_id: int | None = None
    transaction_info: Transaction | None = None
    evse: EVSE | None = None
    id_token: IdToken | None = None


class TriggerMessageResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class UnlockConnectorResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


class UnpublishFirmwareResponse(Received, frozen=True, kw_only=True):
    status: str | None = None


class UpdateFirmwareResponse(Received, frozen=True, kw_only=True):
    status: str | None = None
    status_info: StatusInfo | None = None


REQUESTS: dict[str, type[Received]] = {
    "Authorize": AuthorizeRequest,
    "BootNotification": BootNotificationRequest,
    "ClearedChargingLimit": ClearedChargingLimitRequest,
    "DataTransfer": DataTransferRequest,
    "FirmwareStatusNotification": FirmwareStatusNotificationRequest,
    "Get15118EVCertificate": Get15118EVCertificateRequest,
    "GetCertificateStatus": GetCertificateStatusRequest,
    "Heartbeat": HeartbeatRequest,
    "LogStatusNotification": LogStatusNotificationRequest,
    "MeterValues": MeterValuesRequest,
    "NotifyChargingLimit": NotifyChargingLimitRequest,
    "NotifyCustomerInformation": NotifyCustomerInformationRequest,
    "NotifyDisplayMessages": NotifyDisplayMessagesRequest,
    "NotifyEVChargingNeeds": NotifyEVChargingNeedsRequest,
    "NotifyEVChargingSchedule": NotifyEVChargingScheduleRequest,
    "NotifyEvent": NotifyEventRequest,
    "NotifyMonitoringReport": NotifyMonitoringReportRequest,
    "NotifyReport": NotifyReportRequest,
    "PublishFirmwareStatusNotification": PublishFirmwareStatusNotificationRequest,
    "ReportChargingProfiles": ReportChargingProfilesRequest,
    "ReservationStatusUpdate": ReservationStatusUpdateRequest,
    "SecurityEventNotification": SecurityEventNotificationRequest,
    "SignCertificate": SignCertificateRequest,
    "StatusNotification": StatusNotificationRequest,
    "TransactionEvent": TransactionEventRequest,
}

RESPONSES: dict[str, type[Received]] = {
    "CancelReservation": CancelReservationResponse,
    "CertificateSigned": CertificateSignedResponse,
    "ChangeAvailability": ChangeAvailabilityResponse,
    "ClearCache": ClearCacheResponse,
    "ClearChargingProfile": ClearChargingProfileResponse,
    "ClearDisplayMessage": ClearDisplayMessageResponse,
    "ClearVariableMonitoring": ClearVariableMonitoringResponse,
    "CostUpdated": CostUpdatedResponse,
    "CustomerInformation": CustomerInformationResponse,
    "DataTransfer": DataTransferResponse,
    "DeleteCertificate": DeleteCertificateResponse,
    "GetBaseReport": GetBaseReportResponse,
    "GetChargingProfiles": GetChargingProfilesResponse,
    "GetCompositeSchedule": GetCompositeScheduleResponse,
    "GetDisplayMessages": GetDisplayMessagesResponse,
    "GetInstalledCertificateIds": GetInstalledCertificateIdsResponse,
    "GetLocalListVersion": GetLocalListVersionResponse,
    "GetLog": GetLogResponse,
    "GetMonitoringReport": GetMonitoringReportResponse,
    "GetReport": GetReportResponse,
    "GetTransactionStatus": GetTransactionStatusResponse,
    "GetVariables": GetVariablesResponse,
    "InstallCertificate": InstallCertificateResponse,
    "PublishFirmware": PublishFirmwareResponse,
    "RequestStartTransaction": RequestStartTransactionResponse,
    "RequestStopTransaction": RequestStopTransactionResponse,
    "ReserveNow": ReserveNowResponse,
    "Reset": ResetResponse,
    "SendLocalList": SendLocalListResponse,
    "SetChargingProfile": SetChargingProfileResponse,
    "SetDisplayMessage": SetDisplayMessageResponse,
    "SetMonitoringBase": SetMonitoringBaseResponse,
    "SetMonitoringLevel": SetMonitoringLevelResponse,
    "SetNetworkProfile": SetNetworkProfileResponse,
    "SetVariableMonitoring": SetVariableMonitoringResponse,
    "SetVariables": SetVariablesResponse,
    "TriggerMessage": TriggerMessageResponse,
    "UnlockConnector": UnlockConnectorResponse,
    "UnpublishFirmware": UnpublishFirmwareResponse,
    "UpdateFirmware": UpdateFirmwareResponse,
}

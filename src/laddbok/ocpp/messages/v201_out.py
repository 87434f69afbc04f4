"""Which OCPP 2.0.1 messages do we send to stations?

Generated from the official JSON schemas by tools/generate_messages.py; strict, as the schemas have it.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from laddbok.ocpp.messages.base import Instant, Sent, SentExtensible


class AdditionalInfo(SentExtensible, frozen=True, kw_only=True):
    additional_id_token: Annotated[str, Meta(max_length=36)]
    type: Annotated[str, Meta(max_length=50)]


class IdToken(SentExtensible, frozen=True, kw_only=True):
    additional_info: Annotated[list[AdditionalInfo], Meta(min_length=1)] | UnsetType = UNSET
    id_token: Annotated[str, Meta(max_length=36)]
    type: Literal[
        "Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"
    ]


class MessageContent(SentExtensible, frozen=True, kw_only=True):
    format: Literal["ASCII", "HTML", "URI", "UTF8"]
    language: Annotated[str, Meta(max_length=8)] | UnsetType = UNSET
    content: Annotated[str, Meta(max_length=512)]


class IdTokenInfo(SentExtensible, frozen=True, kw_only=True):
    status: Literal[
        "Accepted",
        "Blocked",
        "ConcurrentTx",
        "Expired",
        "Invalid",
        "NoCredit",
        "NotAllowedTypeEVSE",
        "NotAtThisLocation",
        "NotAtThisTime",
        "Unknown",
    ]
    cache_expiry_date_time: Instant | UnsetType = UNSET
    charging_priority: int | UnsetType = UNSET
    language1: Annotated[str, Meta(max_length=8)] | UnsetType = UNSET
    evse_id: Annotated[list[int], Meta(min_length=1)] | UnsetType = UNSET
    group_id_token: IdToken | UnsetType = UNSET
    language2: Annotated[str, Meta(max_length=8)] | UnsetType = UNSET
    personal_message: MessageContent | UnsetType = UNSET


class AuthorizeResponse(SentExtensible, frozen=True, kw_only=True):
    id_token_info: IdTokenInfo
    certificate_status: (
        Literal[
            "Accepted",
            "SignatureError",
            "CertificateExpired",
            "CertificateRevoked",
            "NoCertificateAvailable",
            "CertChainError",
            "ContractCancelled",
        ]
        | UnsetType
    ) = UNSET


class StatusInfo(SentExtensible, frozen=True, kw_only=True):
    reason_code: Annotated[str, Meta(max_length=20)]
    additional_info: Annotated[str, Meta(max_length=512)] | UnsetType = UNSET


class BootNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    current_time: Instant
    interval: int
    status: Literal["Accepted", "Pending", "Rejected"]
    status_info: StatusInfo | UnsetType = UNSET


class CancelReservationRequest(SentExtensible, frozen=True, kw_only=True):
    reservation_id: int


class CertificateSignedRequest(SentExtensible, frozen=True, kw_only=True):
    certificate_chain: Annotated[str, Meta(max_length=10000)]
    certificate_type: Literal["ChargingStationCertificate", "V2GCertificate"] | UnsetType = UNSET


class EVSE(SentExtensible, frozen=True, kw_only=True):
    id: int
    connector_id: int | UnsetType = UNSET


class ChangeAvailabilityRequest(SentExtensible, frozen=True, kw_only=True):
    evse: EVSE | UnsetType = UNSET
    operational_status: Literal["Inoperative", "Operative"]


class ClearCacheRequest(SentExtensible, frozen=True, kw_only=True):
    pass


class ClearChargingProfile(SentExtensible, frozen=True, kw_only=True):
    evse_id: int | UnsetType = UNSET
    charging_profile_purpose: (
        Literal[
            "ChargingStationExternalConstraints", "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
        ]
        | UnsetType
    ) = UNSET
    stack_level: int | UnsetType = UNSET


class ClearChargingProfileRequest(SentExtensible, frozen=True, kw_only=True):
    charging_profile_id: int | UnsetType = UNSET
    charging_profile_criteria: ClearChargingProfile | UnsetType = UNSET


class ClearDisplayMessageRequest(SentExtensible, frozen=True, kw_only=True):
    id: int


class ClearVariableMonitoringRequest(SentExtensible, frozen=True, kw_only=True):
    id: Annotated[list[int], Meta(min_length=1)]


class ClearedChargingLimitResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class CostUpdatedRequest(SentExtensible, frozen=True, kw_only=True):
    total_cost: Decimal
    transaction_id: Annotated[str, Meta(max_length=36)]


class CertificateHashData(SentExtensible, frozen=True, kw_only=True):
    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"]
    issuer_name_hash: Annotated[str, Meta(max_length=128)]
    issuer_key_hash: Annotated[str, Meta(max_length=128)]
    serial_number: Annotated[str, Meta(max_length=40)]


class CustomerInformationRequest(SentExtensible, frozen=True, kw_only=True):
    customer_certificate: CertificateHashData | UnsetType = UNSET
    id_token: IdToken | UnsetType = UNSET
    request_id: int
    report: bool
    clear: bool
    customer_identifier: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET


class DataTransferRequest(SentExtensible, frozen=True, kw_only=True):
    message_id: Annotated[str, Meta(max_length=50)] | UnsetType = UNSET
    data: object | UnsetType = UNSET
    vendor_id: Annotated[str, Meta(max_length=255)]


class DataTransferResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
    status_info: StatusInfo | UnsetType = UNSET
    data: object | UnsetType = UNSET


class DeleteCertificateRequest(SentExtensible, frozen=True, kw_only=True):
    certificate_hash_data: CertificateHashData


class FirmwareStatusNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class Get15118EVCertificateResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Failed"]
    status_info: StatusInfo | UnsetType = UNSET
    exi_response: Annotated[str, Meta(max_length=7500)]


class GetBaseReportRequest(SentExtensible, frozen=True, kw_only=True):
    request_id: int
    report_base: Literal["ConfigurationInventory", "FullInventory", "SummaryInventory"]


class GetCertificateStatusResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Failed"]
    status_info: StatusInfo | UnsetType = UNSET
    ocsp_result: Annotated[str, Meta(max_length=5500)] | UnsetType = UNSET


class ChargingProfileCriterion(SentExtensible, frozen=True, kw_only=True):
    charging_profile_purpose: (
        Literal[
            "ChargingStationExternalConstraints", "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
        ]
        | UnsetType
    ) = UNSET
    stack_level: int | UnsetType = UNSET
    charging_profile_id: Annotated[list[int], Meta(min_length=1)] | UnsetType = UNSET
    charging_limit_source: (
        Annotated[list[Literal["EMS", "Other", "SO", "CSO"]], Meta(min_length=1, max_length=4)] | UnsetType
    ) = UNSET


class GetChargingProfilesRequest(SentExtensible, frozen=True, kw_only=True):
    request_id: int
    evse_id: int | UnsetType = UNSET
    charging_profile: ChargingProfileCriterion


class GetCompositeScheduleRequest(SentExtensible, frozen=True, kw_only=True):
    duration: int
    charging_rate_unit: Literal["W", "A"] | UnsetType = UNSET
    evse_id: int


class GetDisplayMessagesRequest(SentExtensible, frozen=True, kw_only=True):
    id: Annotated[list[int], Meta(min_length=1)] | UnsetType = UNSET
    request_id: int
    priority: Literal["AlwaysFront", "InFront", "NormalCycle"] | UnsetType = UNSET
    state: Literal["Charging", "Faulted", "Idle", "Unavailable"] | UnsetType = UNSET


class GetInstalledCertificateIdsRequest(SentExtensible, frozen=True, kw_only=True):
    certificate_type: (
        Annotated[
            list[
                Literal[
                    "V2GRootCertificate",
                    "MORootCertificate",
                    "CSMSRootCertificate",
                    "V2GCertificateChain",
                    "ManufacturerRootCertificate",
                ]
            ],
            Meta(min_length=1),
        ]
        | UnsetType
    ) = UNSET


class GetLocalListVersionRequest(SentExtensible, frozen=True, kw_only=True):
    pass


class LogParameters(SentExtensible, frozen=True, kw_only=True):
    remote_location: Annotated[str, Meta(max_length=512)]
    oldest_timestamp: Instant | UnsetType = UNSET
    latest_timestamp: Instant | UnsetType = UNSET


class GetLogRequest(SentExtensible, frozen=True, kw_only=True):
    log: LogParameters
    log_type: Literal["DiagnosticsLog", "SecurityLog"]
    request_id: int
    retries: int | UnsetType = UNSET
    retry_interval: int | UnsetType = UNSET


class Component(SentExtensible, frozen=True, kw_only=True):
    evse: EVSE | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=50)]
    instance: Annotated[str, Meta(max_length=50)] | UnsetType = UNSET


class Variable(SentExtensible, frozen=True, kw_only=True):
    name: Annotated[str, Meta(max_length=50)]
    instance: Annotated[str, Meta(max_length=50)] | UnsetType = UNSET


class ComponentVariable(SentExtensible, frozen=True, kw_only=True):
    component: Component
    variable: Variable | UnsetType = UNSET


class GetMonitoringReportRequest(SentExtensible, frozen=True, kw_only=True):
    component_variable: Annotated[list[ComponentVariable], Meta(min_length=1)] | UnsetType = UNSET
    request_id: int
    monitoring_criteria: (
        Annotated[
            list[Literal["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]],
            Meta(min_length=1, max_length=3),
        ]
        | UnsetType
    ) = UNSET


class GetReportRequest(SentExtensible, frozen=True, kw_only=True):
    component_variable: Annotated[list[ComponentVariable], Meta(min_length=1)] | UnsetType = UNSET
    request_id: int
    component_criteria: (
        Annotated[
            list[Literal["Active", "Available", "Enabled", "Problem"]], Meta(min_length=1, max_length=4)
        ]
        | UnsetType
    ) = UNSET


class GetTransactionStatusRequest(SentExtensible, frozen=True, kw_only=True):
    transaction_id: Annotated[str, Meta(max_length=36)] | UnsetType = UNSET


class GetVariableData(SentExtensible, frozen=True, kw_only=True):
    attribute_type: Literal["Actual", "Target", "MinSet", "MaxSet"] | UnsetType = UNSET
    component: Component
    variable: Variable


class GetVariablesRequest(SentExtensible, frozen=True, kw_only=True):
    get_variable_data: Annotated[list[GetVariableData], Meta(min_length=1)]


class HeartbeatResponse(SentExtensible, frozen=True, kw_only=True):
    current_time: Instant


class InstallCertificateRequest(SentExtensible, frozen=True, kw_only=True):
    certificate_type: Literal[
        "V2GRootCertificate", "MORootCertificate", "CSMSRootCertificate", "ManufacturerRootCertificate"
    ]
    certificate: Annotated[str, Meta(max_length=5500)]


class LogStatusNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class MeterValuesResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyChargingLimitResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyCustomerInformationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyDisplayMessagesResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyEVChargingNeedsResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected", "Processing"]
    status_info: StatusInfo | UnsetType = UNSET


class NotifyEVChargingScheduleResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected"]
    status_info: StatusInfo | UnsetType = UNSET


class NotifyEventResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyMonitoringReportResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class NotifyReportResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class PublishFirmwareRequest(SentExtensible, frozen=True, kw_only=True):
    location: Annotated[str, Meta(max_length=512)]
    retries: int | UnsetType = UNSET
    checksum: Annotated[str, Meta(max_length=32)]
    request_id: int
    retry_interval: int | UnsetType = UNSET


class PublishFirmwareStatusNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class ReportChargingProfilesResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class ChargingSchedulePeriod(SentExtensible, frozen=True, kw_only=True):
    start_period: int
    limit: Decimal
    number_phases: int | UnsetType = UNSET
    phase_to_use: int | UnsetType = UNSET


class RelativeTimeInterval(SentExtensible, frozen=True, kw_only=True):
    start: int
    duration: int | UnsetType = UNSET


class Cost(SentExtensible, frozen=True, kw_only=True):
    cost_kind: Literal["CarbonDioxideEmission", "RelativePricePercentage", "RenewableGenerationPercentage"]
    amount: int
    amount_multiplier: int | UnsetType = UNSET


class ConsumptionCost(SentExtensible, frozen=True, kw_only=True):
    start_value: Decimal
    cost: Annotated[list[Cost], Meta(min_length=1, max_length=3)]


class SalesTariffEntry(SentExtensible, frozen=True, kw_only=True):
    relative_time_interval: RelativeTimeInterval
    e_price_level: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    consumption_cost: Annotated[list[ConsumptionCost], Meta(min_length=1, max_length=3)] | UnsetType = UNSET


class SalesTariff(SentExtensible, frozen=True, kw_only=True):
    id: int
    sales_tariff_description: Annotated[str, Meta(max_length=32)] | UnsetType = UNSET
    num_e_price_levels: int | UnsetType = UNSET
    sales_tariff_entry: Annotated[list[SalesTariffEntry], Meta(min_length=1, max_length=1024)]


class ChargingSchedule(SentExtensible, frozen=True, kw_only=True):
    id: int
    start_schedule: Instant | UnsetType = UNSET
    duration: int | UnsetType = UNSET
    charging_rate_unit: Literal["W", "A"]
    charging_schedule_period: Annotated[list[ChargingSchedulePeriod], Meta(min_length=1, max_length=1024)]
    min_charging_rate: Decimal | UnsetType = UNSET
    sales_tariff: SalesTariff | UnsetType = UNSET


class ChargingProfile(SentExtensible, frozen=True, kw_only=True):
    id: int
    stack_level: int
    charging_profile_purpose: Literal[
        "ChargingStationExternalConstraints", "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
    ]
    charging_profile_kind: Literal["Absolute", "Recurring", "Relative"]
    recurrency_kind: Literal["Daily", "Weekly"] | UnsetType = UNSET
    valid_from: Instant | UnsetType = UNSET
    valid_to: Instant | UnsetType = UNSET
    charging_schedule: Annotated[list[ChargingSchedule], Meta(min_length=1, max_length=3)]
    transaction_id: Annotated[str, Meta(max_length=36)] | UnsetType = UNSET


class RequestStartTransactionRequest(SentExtensible, frozen=True, kw_only=True):
    evse_id: int | UnsetType = UNSET
    group_id_token: IdToken | UnsetType = UNSET
    id_token: IdToken
    remote_start_id: int
    charging_profile: ChargingProfile | UnsetType = UNSET


class RequestStopTransactionRequest(SentExtensible, frozen=True, kw_only=True):
    transaction_id: Annotated[str, Meta(max_length=36)]


class ReservationStatusUpdateResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class ReserveNowRequest(SentExtensible, frozen=True, kw_only=True):
    id: int
    expiry_date_time: Instant
    connector_type: (
        Literal[
            "cCCS1",
            "cCCS2",
            "cG105",
            "cTesla",
            "cType1",
            "cType2",
            "s309-1P-16A",
            "s309-1P-32A",
            "s309-3P-16A",
            "s309-3P-32A",
            "sBS1361",
            "sCEE-7-7",
            "sType2",
            "sType3",
            "Other1PhMax16A",
            "Other1PhOver16A",
            "Other3Ph",
            "Pan",
            "wInductive",
            "wResonant",
            "Undetermined",
            "Unknown",
        ]
        | UnsetType
    ) = UNSET
    id_token: IdToken
    evse_id: int | UnsetType = UNSET
    group_id_token: IdToken | UnsetType = UNSET


class ResetRequest(SentExtensible, frozen=True, kw_only=True):
    type: Literal["Immediate", "OnIdle"]
    evse_id: int | UnsetType = UNSET


class SecurityEventNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class AuthorizationData(SentExtensible, frozen=True, kw_only=True):
    id_token: IdToken
    id_token_info: IdTokenInfo | UnsetType = UNSET


class SendLocalListRequest(SentExtensible, frozen=True, kw_only=True):
    local_authorization_list: Annotated[list[AuthorizationData], Meta(min_length=1)] | UnsetType = UNSET
    version_number: int
    update_type: Literal["Differential", "Full"]


class SetChargingProfileRequest(SentExtensible, frozen=True, kw_only=True):
    evse_id: int
    charging_profile: ChargingProfile


class MessageInfo(SentExtensible, frozen=True, kw_only=True):
    display: Component | UnsetType = UNSET
    id: int
    priority: Literal["AlwaysFront", "InFront", "NormalCycle"]
    state: Literal["Charging", "Faulted", "Idle", "Unavailable"] | UnsetType = UNSET
    start_date_time: Instant | UnsetType = UNSET
    end_date_time: Instant | UnsetType = UNSET
    transaction_id: Annotated[str, Meta(max_length=36)] | UnsetType = UNSET
    message: MessageContent


class SetDisplayMessageRequest(SentExtensible, frozen=True, kw_only=True):
    message: MessageInfo


class SetMonitoringBaseRequest(SentExtensible, frozen=True, kw_only=True):
    monitoring_base: Literal["All", "FactoryDefault", "HardWiredOnly"]


class SetMonitoringLevelRequest(SentExtensible, frozen=True, kw_only=True):
    severity: int


class APN(SentExtensible, frozen=True, kw_only=True):
    apn: Annotated[str, Meta(max_length=512)]
    apn_user_name: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    apn_password: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    sim_pin: int | UnsetType = UNSET
    preferred_network: Annotated[str, Meta(max_length=6)] | UnsetType = UNSET
    use_only_preferred_network: bool | UnsetType = UNSET
    apn_authentication: Literal["CHAP", "NONE", "PAP", "AUTO"]


class VPN(SentExtensible, frozen=True, kw_only=True):
    server: Annotated[str, Meta(max_length=512)]
    user: Annotated[str, Meta(max_length=20)]
    group: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    password: Annotated[str, Meta(max_length=20)]
    key: Annotated[str, Meta(max_length=255)]
    type: Literal["IKEv2", "IPSec", "L2TP", "PPTP"]


class NetworkConnectionProfile(SentExtensible, frozen=True, kw_only=True):
    apn: APN | UnsetType = UNSET
    ocpp_version: Literal["OCPP12", "OCPP15", "OCPP16", "OCPP20"]
    ocpp_transport: Literal["JSON", "SOAP"]
    ocpp_csms_url: Annotated[str, Meta(max_length=512)]
    message_timeout: int
    security_profile: int
    ocpp_interface: Literal[
        "Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3"
    ]
    vpn: VPN | UnsetType = UNSET


class SetNetworkProfileRequest(SentExtensible, frozen=True, kw_only=True):
    configuration_slot: int
    connection_data: NetworkConnectionProfile


class SetMonitoringData(SentExtensible, frozen=True, kw_only=True):
    id: int | UnsetType = UNSET
    transaction: bool | UnsetType = UNSET
    value: Decimal
    type: Literal["UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"]
    severity: int
    component: Component
    variable: Variable


class SetVariableMonitoringRequest(SentExtensible, frozen=True, kw_only=True):
    set_monitoring_data: Annotated[list[SetMonitoringData], Meta(min_length=1)]


class SetVariableData(SentExtensible, frozen=True, kw_only=True):
    attribute_type: Literal["Actual", "Target", "MinSet", "MaxSet"] | UnsetType = UNSET
    attribute_value: Annotated[str, Meta(max_length=1000)]
    component: Component
    variable: Variable


class SetVariablesRequest(SentExtensible, frozen=True, kw_only=True):
    set_variable_data: Annotated[list[SetVariableData], Meta(min_length=1)]


class SignCertificateResponse(SentExtensible, frozen=True, kw_only=True):
    status: Literal["Accepted", "Rejected"]
    status_info: StatusInfo | UnsetType = UNSET


class StatusNotificationResponse(SentExtensible, frozen=True, kw_only=True):
    pass


class TransactionEventResponse(SentExtensible, frozen=True, kw_only=True):
    total_cost: Decimal | UnsetType = UNSET
    charging_priority: int | UnsetType = UNSET
    id_token_info: IdTokenInfo | UnsetType = UNSET
    updated_personal_message: MessageContent | UnsetType = UNSET


class TriggerMessageRequest(SentExtensible, frozen=True, kw_only=True):
    evse: EVSE | UnsetType = UNSET
    requested_message: Literal[
        "BootNotification",
        "LogStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "SignChargingStationCertificate",
        "SignV2GCertificate",
        "StatusNotification",
        "TransactionEvent",
        "SignCombinedCertificate",
        "PublishFirmwareStatusNotification",
    ]


class UnlockConnectorRequest(SentExtensible, frozen=True, kw_only=True):
    evse_id: int
    connector_id: int


class UnpublishFirmwareRequest(SentExtensible, frozen=True, kw_only=True):
    checksum: Annotated[str, Meta(max_length=32)]


class Firmware(SentExtensible, frozen=True, kw_only=True):
    location: Annotated[str, Meta(max_length=512)]
    retrieve_date_time: Instant
    install_date_time: Instant | UnsetType = UNSET
    signing_certificate: Annotated[str, Meta(max_length=5500)] | UnsetType = UNSET
    signature: Annotated[str, Meta(max_length=800)] | UnsetType = UNSET


class UpdateFirmwareRequest(SentExtensible, frozen=True, kw_only=True):
    retries: int | UnsetType = UNSET
    retry_interval: int | UnsetType = UNSET
    request_id: int
    firmware: Firmware


REQUESTS: dict[str, type[Sent]] = {
    "CancelReservation": CancelReservationRequest,
    "CertificateSigned": CertificateSignedRequest,
    "ChangeAvailability": ChangeAvailabilityRequest,
    "ClearCache": ClearCacheRequest,
    "ClearChargingProfile": ClearChargingProfileRequest,
    "ClearDisplayMessage": ClearDisplayMessageRequest,
    "ClearVariableMonitoring": ClearVariableMonitoringRequest,
    "CostUpdated": CostUpdatedRequest,
    "CustomerInformation": CustomerInformationRequest,
    "DataTransfer": DataTransferRequest,
    "DeleteCertificate": DeleteCertificateRequest,
    "GetBaseReport": GetBaseReportRequest,
    "GetChargingProfiles": GetChargingProfilesRequest,
    "GetCompositeSchedule": GetCompositeScheduleRequest,
    "GetDisplayMessages": GetDisplayMessagesRequest,
    "GetInstalledCertificateIds": GetInstalledCertificateIdsRequest,
    "GetLocalListVersion": GetLocalListVersionRequest,
    "GetLog": GetLogRequest,
    "GetMonitoringReport": GetMonitoringReportRequest,
    "GetReport": GetReportRequest,
    "GetTransactionStatus": GetTransactionStatusRequest,
    "GetVariables": GetVariablesRequest,
    "InstallCertificate": InstallCertificateRequest,
    "PublishFirmware": PublishFirmwareRequest,
    "RequestStartTransaction": RequestStartTransactionRequest,
    "RequestStopTransaction": RequestStopTransactionRequest,
    "ReserveNow": ReserveNowRequest,
    "Reset": ResetRequest,
    "SendLocalList": SendLocalListRequest,
    "SetChargingProfile": SetChargingProfileRequest,
    "SetDisplayMessage": SetDisplayMessageRequest,
    "SetMonitoringBase": SetMonitoringBaseRequest,
    "SetMonitoringLevel": SetMonitoringLevelRequest,
    "SetNetworkProfile": SetNetworkProfileRequest,
    "SetVariableMonitoring": SetVariableMonitoringRequest,
    "SetVariables": SetVariablesRequest,
    "TriggerMessage": TriggerMessageRequest,
    "UnlockConnector": UnlockConnectorRequest,
    "UnpublishFirmware": UnpublishFirmwareRequest,
    "UpdateFirmware": UpdateFirmwareRequest,
}

RESPONSES: dict[str, type[Sent]] = {
    "Authorize": AuthorizeResponse,
    "BootNotification": BootNotificationResponse,
    "ClearedChargingLimit": ClearedChargingLimitResponse,
    "DataTransfer": DataTransferResponse,
    "FirmwareStatusNotification": FirmwareStatusNotificationResponse,
    "Get15118EVCertificate": Get15118EVCertificateResponse,
    "GetCertificateStatus": GetCertificateStatusResponse,
    "Heartbeat": HeartbeatResponse,
    "LogStatusNotification": LogStatusNotificationResponse,
    "MeterValues": MeterValuesResponse,
    "NotifyChargingLimit": NotifyChargingLimitResponse,
    "NotifyCustomerInformation": NotifyCustomerInformationResponse,
    "NotifyDisplayMessages": NotifyDisplayMessagesResponse,
    "NotifyEVChargingNeeds": NotifyEVChargingNeedsResponse,
    "NotifyEVChargingSchedule": NotifyEVChargingScheduleResponse,
    "NotifyEvent": NotifyEventResponse,
    "NotifyMonitoringReport": NotifyMonitoringReportResponse,
    "NotifyReport": NotifyReportResponse,
    "PublishFirmwareStatusNotification": PublishFirmwareStatusNotificationResponse,
    "ReportChargingProfiles": ReportChargingProfilesResponse,
    "ReservationStatusUpdate": ReservationStatusUpdateResponse,
    "SecurityEventNotification": SecurityEventNotificationResponse,
    "SignCertificate": SignCertificateResponse,
    "StatusNotification": StatusNotificationResponse,
    "TransactionEvent": TransactionEventResponse,
}

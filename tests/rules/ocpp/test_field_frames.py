"""Are frames as real stations send them understood, or quarantined with a reason?

The frames below have the shapes of real ones and other values; the real ones are read where the shared data are.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from laddbok.model.events import (
    AuthorizeAsked,
    Booted,
    DataTransferred,
    Event,
    IdToken,
    MetersRead,
    Sample,
    StatusReported,
    TransactionEnded,
)
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, Malformed, OcppVersion, Undecodable, parse

AT = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)


def meters(connector_id: int, transaction_id: str | None, *samples: Sample) -> MetersRead:
    return MetersRead(evse_id=connector_id, connector_id=connector_id, transaction_id=transaction_id, samples=samples)


def status(connector_id: int, word: str, at: datetime | None = None, **more: str) -> StatusReported:
    return StatusReported(
        evse_id=connector_id,
        connector_id=connector_id,
        status=word,
        at=at,
        error_code="NoError",
        info=more.get("info"),
        vendor_error_code=more.get("vendor_error_code"),
    )


FRAMES: dict[str, tuple[str, Event]] = {
    "amperes without a measurand, an unknown context, the largest transaction id": (
        '[2,"9","MeterValues",{"connectorId":1,"transactionId":9223372036854775807,"meterValue":[{"timestamp":'
        '"2027-03-04T05:06:07Z","sampledValue":[{"value":"11.250","context":"Sample.Periodic","unit":"A"},'
        '{"value":"13.000","context":"CurrentMax","unit":"A"}]}]}]',
        meters(1, None),
    ),
    "power only per phase": (
        '[2, "71", "MeterValues", {"connectorId": 1, "transactionId": 1801234567, "meterValue": [{"timestamp": '
        '"2027-03-04T05:06:07.000Z", "sampledValue": [{"value": "231.00", "measurand": "Voltage", "phase": "L1-N", '
        '"unit": "V"}, {"value": "8.01", "measurand": "Current.Import", "phase": "L1", "unit": "A"}, {"value": "1850", '
        '"measurand": "Power.Active.Import", "phase": "L1", "unit": "W"}, {"value": "8.55", "measurand": '
        '"Current.Import", "phase": "L2", "unit": "A"}, {"value": "1975", "measurand": "Power.Active.Import", '
        '"phase": "L2", "unit": "W"}, {"value": "7.9", "measurand": "Current.Import", "phase": "L3", "unit": "A"}, '
        '{"value": "1825", "measurand": "Power.Active.Import", "phase": "L3", "unit": "W"}]}]}]',
        meters(1, "1801234567", Sample(at=AT, power_w=5650, currents_ma=(8010, 8550, 7900))),
    ),
    "the stamp after the values, SoC of a vehicle, DC": (
        '[2,"41:7","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"unit":"Wh","format":"Raw",'
        '"measurand":"Energy.Active.Import.Register","location":"Outlet","value":"705001"},{"unit":"W","measurand":'
        '"Power.Active.Import","value":"48210"},{"unit":"Percent","measurand":"SoC","location":"EV","value":"61.0"},'
        '{"unit":"A","measurand":"Current.Offered","location":"Inlet","value":"125.5"}],"timestamp":'
        '"2027-03-04T05:06:07Z"}]}]',
        meters(1, None, Sample(at=AT, register_wh=705001, power_w=48210, soc_pct=61)),
    ),
    "an empty id tag and no data in a stop": (
        '[2,"3141","StopTransaction",{"meterStop": 820114,"timestamp": "2027-03-04T05:06:07Z","idTag": "",'
        '"transactionData": [],"reason": "PowerLoss","transactionId": 5}]',
        TransactionEnded(
            transaction_id="5",
            evse_id=None,
            connector_id=None,
            id_token=None,
            at=AT,
            reason="PowerLoss",
            register_wh=820114,
        ),
    ),
    "half a watt hour": (
        '[2,"15","MeterValues",{"meterValue": [{"timestamp": "2027-03-04T05:06:07Z","sampledValue": [{"context": '
        '"Sample.Clock","measurand": "Energy.Active.Import.Register","unit": "Wh","value": "98001.5"} ]} ],'
        '"connectorId": 1,"transactionId": 1801234567}]',
        meters(1, "1801234567", Sample(at=AT, register_wh=98002, context="Sample.Clock")),
    ),
    "a space before the comma, an offset": (
        '[2, "27", "StatusNotification" ,{"connectorId":1,"status":"Finishing","errorCode":"NoError","info":"none",'
        '"timestamp":"2027-03-04T07:06:07.000+02:00","vendorErrorCode":"none"}]',
        status(1, "Finishing", AT, info="none", vendor_error_code="none"),
    ),
    "numbers padded with spaces": (
        '[2,"13","MeterValues",{"connectorId":1,"transactionId":77,"meterValue":[{"timestamp":"2027-03-04T05:06:07Z",'
        '"sampledValue":[{"value":" 0.0","measurand":"Current.Import","phase":"L1","unit":"A"},{"value":" 21.5",'
        '"unit":"Wh"},{"value":" 7.4","measurand":"Power.Active.Import","unit":"W"}]}]}]',
        meters(1, "77", Sample(at=AT, register_wh=22, power_w=7, currents_ma=(0,))),
    ),
    "volts for everything, transaction 0": (
        '[2,"14","MeterValues", { "meterValue": [ { "timestamp": "2027-03-04T05:06:07Z", "sampledValue": '
        '[ { "context": "Other", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": "5150" }, '
        '{ "context": "Trigger", "measurand": "Power.Offered", "unit": "V", "value": "3" }, '
        '{ "measurand": "SoC", "unit": "V", "value": "0" } ] } ], "connectorId": 1, "transactionId": 0 }]',
        meters(1, None, Sample(at=AT, register_wh=5150, context="Other")),
    ),
    "kilowatts beside watt hours, in the body": (
        '[2,"17","MeterValues",{"connectorId":1,"transactionId":8,"meterValue":[{"timestamp":"2027-03-04T05:06:07Z",'
        '"sampledValue":[{"value":"14.2","measurand":"Current.Import","phase":"L1-N","location":"Body","unit":"A"},'
        '{"value":"3.125","measurand":"Power.Active.Import","phase":"L1-N","location":"Body","unit":"kW"},'
        '{"value":"410222","measurand":"Energy.Active.Import.Register","location":"Body","unit":"Wh"}]}]}]',
        meters(1, "8", Sample(at=AT, register_wh=410222, power_w=3125, currents_ma=(14200,))),
    ),
    "energy per phase and in total": (
        '[2,"18","MeterValues",{"connectorId":1,"transactionId":9,"meterValue":[{"timestamp":"2027-03-04T05:06:07Z",'
        '"sampledValue":[{"value":"1001","measurand":"Energy.Active.Import.Register","phase":"L1","unit":"Wh"},'
        '{"value":"2002","measurand":"Energy.Active.Import.Register","phase":"L2","unit":"Wh"},{"value":"3003",'
        '"measurand":"Energy.Active.Import.Register","phase":"L3","unit":"Wh"},{"value":"6008","measurand":'
        '"Energy.Active.Import.Register","unit":"Wh"},{"value":"7000","measurand":"Power.Offered","unit":"W"}]}]}]',
        meters(1, "9", Sample(at=AT, register_wh=6008, offered_w=7000)),
    ),
    "tabs as white space, no context": (
        '[2,\t"00aa-11",\t"MeterValues",\t{"meterValue":\t[{"timestamp":\t"2027-03-04T05:06:07.000Z",'
        '\t"sampledValue":\t[{"measurand":\t"Energy.Active.Import.Register",\t"unit":\t"Wh",\t"value":\t"31337"}]}],'
        '\t"connectorId":\t3}]',
        meters(3, None, Sample(at=AT, register_wh=31337)),
    ),
    "no value for the transaction id, no zone": (
        '[2,"m1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"2027-03-04T05:06:07.000",'
        '"sampledValue":[{"value":"2200","unit":"Wh","location":"Outlet"},{"value":"3700","measurand":'
        '"Power.Active.Import","unit":"W"}]}]}]',
        meters(1, None, Sample(at=AT, register_wh=2200, power_w=3700)),
    ),
    "unknown keys and binary noise in kWh": (
        '[2,"m3","StopTransaction",{"connectorId": 1, "idTag": "FB72", "meterStop": 2315, "timestamp": '
        '"2027-03-04T05:06:07Z", "disconnectReason": "EVDisconnected", "transactionId": 1, "transactionData": '
        '[{"sampledValue": [{"value": "2.3149999999999998", "unit": "kWh"}], "timestamp": "2027-03-04T05:06:07Z"}]}]',
        TransactionEnded(
            transaction_id="1",
            evse_id=None,
            connector_id=None,
            id_token=IdToken("FB72"),
            at=AT,
            register_wh=2315,
            samples=(Sample(at=AT, register_wh=2315),),
        ),
    ),
    "a serial number longer than allowed": (
        '[2,"1","BootNotification",{"chargeBoxSerialNumber":"0123456789ABCDEF0123456789ABCDEF0","chargePointModel":'
        '"Smart Wallbox","chargePointVendor":"V"}]',
        Booted(vendor="V", model="Smart Wallbox", serial_number="0123456789ABCDEF0123456789ABCDEF0"),
    ),
    "no stamp, the word null": (
        '[2, "05", "StatusNotification", {"connectorId": 2, "errorCode": "NoError", "info": "null", "status": '
        '"Preparing", "vendorErrorCode": "0x0001"}]',
        status(2, "Preparing", info="null", vendor_error_code="0x0001"),
    ),
    "JSON inside text": (
        '[2,"50","DataTransfer",{"vendorId":"X+","messageId":"rpt","data":"{\\"duty\\":1,\\"t\\":9}"}]',
        DataTransferred(vendor_id="X+", message_id="rpt", data='{"duty":1,"t":9}'),
    ),
    "authorised after a remote start": (
        '[2,"2ca1-4b","Authorize",{"idTag":"XZ99"}]',
        AuthorizeAsked(id_token=IdToken("XZ99")),
    ),
}


@pytest.mark.parametrize("quirk", FRAMES)
def test_S44_a_frame_from_the_field(quirk: str) -> None:
    raw, event = FRAMES[quirk]
    call = parse(raw, OcppVersion.V16)
    assert isinstance(call, Call) and decode(call, OcppVersion.V16) == event


def test_the_real_frames(shared_data: Path) -> None:
    lines = (shared_data / "ocpp-frames/frames.jsonl").read_text(encoding="utf-8").splitlines()
    quarantined = []
    for line in lines:
        told = json.loads(line)
        frame = parse(told["raw"], OcppVersion.V16)
        event = decode(frame, OcppVersion.V16) if isinstance(frame, Call) else frame
        if isinstance(event, Undecodable | Malformed):
            quarantined.append((told["quirk"], event.reason))
    assert len(lines) == 30 and quarantined == []

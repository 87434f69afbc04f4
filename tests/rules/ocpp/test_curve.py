"""Do the curves of a session show its readings?"""

from datetime import UTC, datetime, timedelta

from laddbok.ocpp.frame import OcppVersion
from tests.rules.ocpp.curves import curve

START_AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START_AT + timedelta(minutes=minute)


def reading(minute: int, *values: str) -> tuple[datetime, bytes]:
    items = ",".join(values)
    stamp = f"{at(minute):%Y-%m-%dT%H:%M:%SZ}"
    message = f'{{"connectorId":1,"meterValue":[{{"timestamp":"{stamp}","sampledValue":[{items}]}}]}}'
    return at(minute), f'[2,"1","MeterValues",{message}]'.encode()


def test_each_quantity_is_a_series_in_order_of_time() -> None:
    late = reading(5, '{"value":"50"}')
    frames = [
        reading(10, '{"value":"100"}', '{"value":"3","measurand":"Power.Active.Import","unit":"kW"}'),
        late,
        reading(20, '{"value":"20","measurand":"SoC"}', '{"value":"16","measurand":"Current.Import","phase":"L1"}'),
        late,
    ]
    assert curve(frames, OcppVersion.V16) == {
        "register_wh": [(at(5), 50), (at(10), 100)],
        "power_w": [(at(10), 3000)],
        "soc_pct": [(at(20), 20)],
        "current_l1_ma": [(at(20), 16000)],
    }


def test_start_and_stop_are_points_and_the_instant_of_receipt_stands_in() -> None:
    frames = [
        (at(0), b'[2,"1","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":7,"timestamp":"soon"}]'),
        (at(9), b'[2,"2","StopTransaction",{"transactionId":1,"meterStop":90,"timestamp":"2026-01-01T12:08:00Z"}]'),
    ]
    assert curve(frames, OcppVersion.V16) == {"register_wh": [(at(0), 7), (at(8), 90)]}


def test_what_bears_no_reading_is_passed_over() -> None:
    frames = [(at(0), raw) for raw in (b"garbage", b'[3,"1",{}]', b'[2,"1","Heartbeat",{}]', b'[2,"1","Nonsense",{}]')]
    assert curve(frames, OcppVersion.V16) == {}

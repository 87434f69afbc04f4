"""Does each format read its rows, and refuse by name what it can't read?"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.wires.importers import FORMATS, recognise
from laddbok.wires.importers.row import ImportedSession, Rejected

GOOD = {
    "perth_kinross": {
        "city": "Town", "cp_id": "701", "connector": "2", "start": "2018-07-01 10:00:00", "end": "2018-07-01 11:30:00",
        "kwh": "7.5", "cost": "", "user_id": "", "event_id": "", "site": " Mill Lane", "model": "APT 22kW Dual Outlet",
    },
    "norway_12": {
        "location": "AAA", "user_id": "AAA_P1", "session_id": "AAA_7", "plugin_time": "2018-07-01 11:00:00",
        "plugout_time": "2018-07-01 12:30:00", "connection_time": "1,5", "energy_session": "7,5",
    },
    "elaadnl": {
        "TransactionId": "99", "ChargePoint": "c0ffee", "Connector": "1", "UTCTransactionStart": "01/07/2018 09:00",
        "UTCTransactionStop": "01/07/2018 10:30", "StartCard": "beef", "ConnectedTime": "1,5", "ChargeTime": "1",
        "TotalEnergy": "7,5", "MaxPower": "7,4",
    },
    "acn": {
        "sessionID": "s-1", "stationID": "2-1", "connectionTime": "Sun, 01 Jul 2018 09:00:00 GMT",
        "disconnectTime": "Sun, 01 Jul 2018 10:30:00 GMT", "doneChargingTime": "Sun, 01 Jul 2018 10:30:04 GMT",
        "kWhDelivered": "7.5", "timezone": "America/Los_Angeles", "siteID": "0002", "userID": "",
    },
    "laddbok_csv": {
        "session_id": "L1", "station": "GARAGE-1", "connector": "", "start": "2018-07-01T11:00:00+02:00",
        "end": "2018-07-01T12:30:00+02:00", "energy_kwh": "7,5", "time_zone": "Europe/Stockholm",
    },
}  # fmt: skip
AN_HOUR_AND_A_HALF = (datetime(2018, 7, 1, 9, tzinfo=UTC), datetime(2018, 7, 1, 10, 30, tzinfo=UTC))


def read(name: str, **changes: str) -> ImportedSession | Rejected:
    return next(FORMATS[name].read([GOOD[name] | changes]))


def reason(name: str, **changes: str) -> str:
    result = read(name, **changes)
    assert isinstance(result, Rejected)
    return result.reason


@pytest.mark.parametrize("name", FORMATS)
def test_reads_a_good_row_and_is_recognised(name: str) -> None:
    session = read(name)
    assert isinstance(session, ImportedSession)
    assert (session.start_at, session.end_at, session.energy_wh) == (*AN_HOUR_AND_A_HALF, 7_500)
    assert (session.source, session.row_number, session.flags) == (name, 1, ())
    assert recognise(GOOD[name]) == name


def test_identity_is_the_sources_id_or_where_when_and_how_much() -> None:
    with_id, without = read("norway_12"), read("perth_kinross")
    assert isinstance(with_id, ImportedSession) and isinstance(without, ImportedSession)
    assert with_id.identity == "norway_12:AAA_7"
    assert without.identity == "perth_kinross:701/2/2018-07-01T09:00:00Z/2018-07-01T10:30:00Z/7500"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"end": ""}, "missing_end"),
        ({"start": " "}, "missing_start"),
        ({"kwh": ""}, "missing_energy"),
        ({"cp_id": ""}, "missing_station"),
        ({"kwh": "-0.001"}, "negative_energy"),
        ({"kwh": "-0.0004"}, "negative_energy"),
        ({"kwh": "much"}, "bad_energy"),
        ({"kwh": "NaN"}, "bad_energy"),
        ({"kwh": "1e400"}, "implausible_energy"),
        ({"kwh": "1e9999999"}, "implausible_energy"),
        ({"kwh": "1e" + "9" * 30}, "bad_energy"),
        ({"kwh": "1_0"}, "bad_energy"),
        ({"kwh": "-1e9999999"}, "negative_energy"),
        ({"connector": "left"}, "bad_connector"),
        ({"start": "1 July"}, "bad_time"),
        ({"start": "2018-07-01"}, "bad_time"),
        ({"end": "1970-01-01 01:00:00"}, "end_before_start"),
        ({"start": "1970-01-01 01:00:00", "end": "1970-01-01 02:00:00"}, "bad_time"),
        ({"end": "2048-07-01 11:30:00"}, "implausible_duration"),
        ({"cp_id": "7\x000"}, "bad_text"),
        ({"site": "x" * 256}, "too_long"),
    ],
)
def test_refuses_by_name(changes: dict[str, str], expected: str) -> None:
    assert reason("perth_kinross", **changes) == expected


@pytest.mark.parametrize("kwh", ["0", "0.0", "-0", "0e9999999", "1e-9999999"])
def test_zero_energy_is_a_session(kwh: str) -> None:
    session = read("perth_kinross", kwh=kwh)
    assert isinstance(session, ImportedSession) and session.energy_wh == 0


def test_energy_is_rounded_half_up_to_whole_wh() -> None:
    session = read("perth_kinross", kwh="1.0005")
    assert isinstance(session, ImportedSession) and session.energy_wh == 1001


def test_charging_can_not_end_after_the_unplug() -> None:
    session = read("acn")
    assert isinstance(session, ImportedSession) and session.charging_ended_at == session.end_at
    assert reason("acn", doneChargingTime="Sun, 01 Jul 2018 08:00:00 GMT") == "bad_time"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time_zone": "Europe/Atlantis"}, "bad_time_zone"),
        ({"source": "old:system"}, "bad_text"),
        ({"time_zone": "../../etc/passwd"}, "bad_time_zone"),
        ({"start": "2018-07-01T11:00:00"}, "bad_time"),
        ({"charging_ended": "2018-07-01T13:00:00+02:00"}, "bad_time"),
        ({"start": "2018-07-01 11:00", "end": "2018-07-01 12:30", "max_power_kw": "-7"}, "bad_power"),
        ({"start": "2018-07-01 11:00", "end": "2018-07-01 12:30", "max_power_kw": "1_1"}, "bad_power"),
        ({"start": "2018-07-01 11:00", "end": "2018-07-01 12:30", "max_power_kw": "1e9999999"}, "bad_power"),
        ({"end": "9999-12-31T23:59:59-14:00"}, "bad_time"),
    ],
)
def test_our_format_refuses_by_name(changes: dict[str, str], expected: str) -> None:
    assert reason("laddbok_csv", **changes) == expected


def test_our_format_reads_wall_times_and_the_power_of_the_connector() -> None:
    night = {"start": "2019-10-27 02:10", "end": "2019-10-27 02:40", "energy_kwh": "12", "max_power_kw": "11"}
    session = read("laddbok_csv", **night, charging_ended="2019-10-27 02:35")
    assert isinstance(session, ImportedSession)
    assert session.flags == ("ambiguous_hour_resolved",)
    assert session.end_at == datetime(2019, 10, 27, 1, 40, tzinfo=UTC)
    assert session.charging_ended_at == datetime(2019, 10, 27, 0, 35, tzinfo=UTC)


@given(name=st.sampled_from(sorted(FORMATS)), data=st.data())
def test_any_text_in_any_column_is_a_session_or_a_named_rejection(name: str, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(GOOD[name])))
    result = next(FORMATS[name].read([GOOD[name] | {column: data.draw(st.text(max_size=30))}]))
    assert isinstance(result, ImportedSession) or (result.reason and result.detail)

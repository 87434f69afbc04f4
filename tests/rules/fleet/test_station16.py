"""Does the virtual 1.6 station follow the specification's sequences?"""

import json
from datetime import timedelta

import pytest

from laddbok.fleet.outbox import MAX_QUEUED
from laddbok.fleet.peer import HangUp
from tests.rules.fleet.central import NOON, Central, car


@pytest.fixture
def central() -> Central:
    central = Central("1.6")
    central.connect()
    return central


def test_boot_then_status_of_every_connector(central: Central) -> None:
    assert central.actions() == ["BootNotification"] + ["StatusNotification"] * 3
    assert [p["connectorId"] for p in central.sent("StatusNotification")] == [0, 1, 2]


def test_boot_is_retried_by_the_interval_until_accepted() -> None:
    central = Central("1.6", boot_answers=["Pending", "Rejected"])
    central.connect()
    central.wait(599)
    assert central.actions() == ["BootNotification"] * 2
    central.wait(2)
    assert central.actions()[:4] == ["BootNotification"] * 3 + ["StatusNotification"]


def test_nothing_but_boot_is_sent_before_it_is_accepted() -> None:
    central = Central("1.6", boot_answers=["Pending"])
    central.connect()
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(200)
    assert central.actions() == ["BootNotification"]
    central.wait(200)
    assert "StartTransaction" in central.actions()


def test_heartbeat_by_the_interval(central: Central) -> None:
    central.wait(901)
    assert len(central.sent("Heartbeat")) == 3


def test_plug_first_charge_until_full_then_stop_at_the_reader(central: Central) -> None:
    station = central.station
    central.take(station.plug_in(1, car(need_wh=7_360), central.now))
    central.wait(10)
    central.take(station.present_token(1, "04A1", central.now))
    central.wait(4_000)
    central.take(station.present_token(1, "04A1", central.now))
    central.take(station.unplug(1, central.now))
    assert central.statuses() == ["Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Available"]
    start, stop = central.sent("StartTransaction")[0], central.sent("StopTransaction")[0]
    assert (start["meterStart"], start["idTag"], start["connectorId"]) == (1_000_000, "04A1", 1)
    assert (stop["meterStop"], stop["transactionId"], stop["reason"]) == (1_007_360, 101, "Local")
    record = central.ledger.transactions[0]
    assert (record.energy_wh, record.acknowledged, record.transaction_id) == (7_360, True, "101")
    assert record.unplugged_at == central.now
    assert station.is_drained


def test_the_car_is_full_exactly_when_its_need_is_met(central: Central) -> None:
    central.take(central.station.plug_in(1, car(need_wh=7_360), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(4_000)
    full = next(p for p in central.sent("StatusNotification") if p["status"] == "SuspendedEV")
    assert full["timestamp"] == "2026-03-02T13:00:00.000Z"


def test_id_token_first(central: Central) -> None:
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(20)
    central.take(central.station.plug_in(1, car(), central.now))
    assert central.actions()[4:] == ["Authorize", "StatusNotification", "StartTransaction", "StatusNotification"]


def test_an_accepted_id_token_expires_without_a_car(central: Central) -> None:
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(121)
    central.take(central.station.plug_in(1, car(), central.now))
    assert central.statuses() == ["Available", "Preparing", "Available", "Preparing"]
    assert not central.sent("StartTransaction")


def test_a_refused_id_token_starts_nothing(central: Central) -> None:
    central.token_status = "Blocked"
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    assert not central.sent("StartTransaction")
    assert central.ledger.tokens_refused == 1


def test_meter_values_each_minute_with_all_measurands(central: Central) -> None:
    central.take(central.station.plug_in(1, car(power_w=7_360, phases=1), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(180)
    readings = central.sent("MeterValues")
    assert [r["transactionId"] for r in readings] == [101] * 3
    values = readings[-1]["meterValue"][0]["sampledValue"]
    told = {(v["measurand"], v.get("phase")): v["value"] for v in values}
    assert told[("Energy.Active.Import.Register", None)] == "1000368"
    assert told[("Power.Active.Import", None)] == "7360"
    assert (told[("Current.Import", "L1")], told[("Current.Import", "L2")]) == ("32.0", "0.0")
    assert told[("Voltage", "L3-N")] == "230"


def test_a_dc_station_reports_the_state_of_charge() -> None:
    central = Central("1.6", phases=0)
    central.connect()
    central.take(central.station.plug_in(1, car(power_w=20_000, phases=0), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(900)
    values = central.sent("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    assert {v["measurand"]: v["value"] for v in values}["SoC"] == "50"


def test_offline_start_and_stop_are_kept_in_order_and_take_their_number_later(central: Central) -> None:
    central.disconnect()
    station = central.station
    central.take(station.plug_in(1, car(), central.now))
    central.take(station.present_token(1, "04A1", central.now))
    central.wait(150)
    central.take(station.unplug(1, central.now))
    before = len(central.calls)
    central.connect()
    actions = [a for a in central.actions()[before:] if a != "StatusNotification"]
    assert actions == ["StartTransaction", "MeterValues", "MeterValues", "StopTransaction"]
    assert {p["transactionId"] for p in central.sent("MeterValues")} == {101}
    stop = central.sent("StopTransaction")[0]
    assert (stop["reason"], stop["timestamp"]) == ("EVDisconnected", "2026-03-02T12:02:30.000Z")
    assert station.is_drained


def test_a_connection_lost_while_authorising_leads_to_an_offline_start(central: Central) -> None:
    central.take(central.station.plug_in(1, car(), central.now))
    central.is_silent = True
    central.take(central.station.present_token(1, "04A1", central.now))
    assert central.actions()[-1] == "Authorize"
    central.disconnect()
    central.is_silent = False
    central.connect()
    assert len(central.sent("StartTransaction")) == 1
    assert central.ledger.transactions[0].start_acknowledged


def test_a_start_that_was_received_but_not_answered_is_repeated_unchanged(central: Central) -> None:
    central.disconnect()
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.is_silent = True
    central.connect()
    central.wait(3)
    central.disconnect()
    central.is_silent = False
    central.connect()
    first, second = central.sent("StartTransaction")
    assert first == second


def test_an_error_answer_is_retried_with_a_growing_pause_and_given_up(central: Central) -> None:
    assert central.ask("ChangeConfiguration", {"key": "TransactionMessageAttempts", "value": "3"}) == {
        "status": "Accepted"
    }
    central.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "86400"})
    central.refuses["StartTransaction"] = "InternalError"
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(59)
    assert len(central.sent("StartTransaction")) == 1
    central.wait(2)
    assert len(central.sent("StartTransaction")) == 2
    central.wait(3_600)
    assert len(central.sent("StartTransaction")) == 3
    central.take(central.station.unplug(1, central.now))
    assert central.sent("StopTransaction")[0]["transactionId"] == -1
    assert central.ledger.lost_messages == 1
    assert central.ledger.call_errors == {"InternalError": 3}


def test_a_full_queue_skips_samples_but_no_start_or_stop(central: Central) -> None:
    central.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "1"})
    central.disconnect()
    central.take(central.station.plug_in(1, car(need_wh=20_000), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(MAX_QUEUED + 100)
    central.take(central.station.unplug(1, central.now))
    assert central.ledger.skipped_samples > 200
    central.connect()
    assert central.station.is_drained
    assert central.ledger.transactions[0].acknowledged


def test_remote_start_and_remote_stop(central: Central) -> None:
    central.take(central.station.plug_in(2, car(), central.now))
    assert central.ask("RemoteStartTransaction", {"idTag": "APP1"}) == {"status": "Accepted"}
    assert central.sent("StartTransaction")[0]["connectorId"] == 2
    assert central.ask("RemoteStartTransaction", {"idTag": "APP1", "connectorId": 2}) == {"status": "Rejected"}
    central.wait(100)
    assert central.ask("RemoteStopTransaction", {"transactionId": 999}) == {"status": "Rejected"}
    assert central.ask("RemoteStopTransaction", {"transactionId": 101}) == {"status": "Accepted"}
    assert central.sent("StopTransaction")[0]["reason"] == "Remote"
    assert central.sent("StatusNotification")[-1]["status"] == "Finishing"


def test_an_invalid_token_in_the_start_answer_ends_the_transaction(central: Central) -> None:
    central.token_status = "Invalid"
    central.take(central.station.plug_in(1, car(), central.now))
    central.ask("RemoteStartTransaction", {"idTag": "APP1", "connectorId": 1})
    assert central.sent("StopTransaction")[0]["reason"] == "DeAuthorized"


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
def test_reset_stops_transactions_reboots_and_loses_nothing(central: Central, kind: str, reason: str) -> None:
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(90)
    assert central.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    central.wait(30)
    assert central.hang_ups == [HangUp(5)]
    central.disconnect()
    before = len(central.calls)
    central.connect()
    assert central.actions()[before] == "BootNotification"
    assert [p["reason"] for p in central.sent("StopTransaction")] == [reason]
    assert central.ledger.transactions[0].acknowledged


def test_unlock_ends_the_transaction_first(central: Central) -> None:
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    assert central.ask("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
    assert central.ask("UnlockConnector", {"connectorId": 9}) == {"status": "NotSupported"}
    assert central.sent("StopTransaction")[0]["reason"] == "UnlockCommand"


def test_change_availability_waits_for_a_transaction(central: Central) -> None:
    assert central.ask("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}) == {"status": "Accepted"}
    assert central.sent("StatusNotification")[-1]["status"] == "Unavailable"
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    assert central.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {"status": "Scheduled"}
    central.take(central.station.unplug(1, central.now))
    assert central.statuses()[-1] == "Unavailable"


def test_trigger_message(central: Central) -> None:
    for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
        before = len(central.sent(message))
        assert central.ask("TriggerMessage", {"requestedMessage": message, "connectorId": 1}) == {"status": "Accepted"}
        assert len(central.sent(message)) == before + 1
    asked = {"requestedMessage": "DiagnosticsStatusNotification"}
    assert central.ask("TriggerMessage", asked) == {"status": "NotImplemented"}
    assert central.sent("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


def test_configuration(central: Central) -> None:
    assert central.ask("GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense"]}) == {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknownKey": ["Nonsense"],
    }
    assert len(central.ask("GetConfiguration", {})["configurationKey"]) > 15
    for key, value, status in [
        ("HeartbeatInterval", "60", "Accepted"),
        ("HeartbeatInterval", "often", "Rejected"),
        ("NumberOfConnectors", "7", "Rejected"),
        ("Nonsense", "7", "NotSupported"),
    ]:
        assert central.ask("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
    central.wait(121)
    assert len(central.sent("Heartbeat")) == 2


def profile(limit: float, purpose: str = "TxDefaultProfile", unit: str = "A", level: int = 0, number: int = 1) -> dict:
    schedule = {"chargingRateUnit": unit, "startSchedule": NOON.isoformat(), "duration": 86_400}
    schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }


def test_the_car_respects_a_charging_profile_and_pauses_below_its_least_current(central: Central) -> None:
    station = central.station
    central.take(station.plug_in(1, car(power_w=22_080, phases=3), central.now))
    central.take(station.present_token(1, "04A1", central.now))
    assert station.outlets[0].power_w == 22_080
    asked = {"connectorId": 1, "csChargingProfiles": profile(10)}
    assert central.ask("SetChargingProfile", asked) == {"status": "Accepted"}
    assert station.outlets[0].power_w == 6_900
    composite = central.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 600})
    assert composite["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0}]
    central.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(5)})
    assert (station.outlets[0].power_w, central.statuses()[-1]) == (0, "SuspendedEVSE")
    assert central.ask("ClearChargingProfile", {"id": 1}) == {"status": "Accepted"}
    assert central.ask("ClearChargingProfile", {"id": 1}) == {"status": "Unknown"}
    assert (station.outlets[0].power_w, central.statuses()[-1]) == (22_080, "Charging")


def test_the_station_maximum_is_shared_by_those_that_charge(central: Central) -> None:
    station = central.station
    wanted = {"connectorId": 0, "csChargingProfiles": profile(20_000, "ChargePointMaxProfile", "W")}
    assert central.ask("SetChargingProfile", wanted) == {"status": "Accepted"}
    for evse_id in (1, 2):
        central.take(station.plug_in(evse_id, car(power_w=22_080, phases=3), central.now))
        central.take(station.present_token(evse_id, f"04A{evse_id}", central.now))
    assert [outlet.power_w for outlet in station.outlets] == [10_000, 10_000]


def test_profiles_that_fit_nowhere_are_rejected(central: Central) -> None:
    for connector_id, purpose in [
        (1, "ChargePointMaxProfile"),
        (1, "TxProfile"),
        (9, "TxDefaultProfile"),
        (0, "Nonsense"),
    ]:
        asked = {"connectorId": connector_id, "csChargingProfiles": profile(10, purpose)}
        assert central.ask("SetChargingProfile", asked) == {"status": "Rejected"}
    late = profile(10)
    late["chargingSchedule"]["chargingSchedulePeriod"][0]["startPeriod"] = 5
    asked = {"connectorId": 1, "csChargingProfiles": late}
    assert central.ask("SetChargingProfile", asked) == "PropertyConstraintViolation"


def test_commands_that_are_unknown_unsupported_or_malformed(central: Central) -> None:
    assert central.ask("GetDiagnostics", {"location": "ftp://example.org"}) == "NotSupported"
    assert central.ask("MakeCoffee", {}) == "NotImplemented"
    assert central.ask("RemoteStopTransaction", {"transactionId": "x"}) == "FormationViolation"
    assert central.ask("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", "not json", "[]", "[2]", "[3,1,{}]", '[3,"x",{}]', '{"a":1}', "1" * 1_000_001]
)
def test_garbage_is_survived(central: Central, raw: str | bytes) -> None:
    assert central.station.on_message(raw, central.now) == []


def test_an_unanswered_call_times_out_and_the_next_one_follows(central: Central) -> None:
    central.is_silent = True
    central.wait(301)
    assert central.actions()[-1] == "Heartbeat"
    central.is_silent = False
    central.take(central.station.plug_in(1, car(), central.now))
    assert central.actions()[-1] == "Heartbeat"
    central.wait(40)
    assert central.statuses()[-1] == "Preparing"


def test_a_station_that_follows_the_central_clock_never_stamps_the_future() -> None:
    central = Central("1.6", follow_server_time=True)
    central.station.connected(central.now)
    behind = central.now - timedelta(hours=1)
    answer = [
        3,
        f"{central.station.run_key}-1",
        {"status": "Accepted", "currentTime": behind.isoformat(), "interval": 300},
    ]
    central.take(central.station.on_message(json.dumps(answer), central.now))
    assert central.sent("StatusNotification")[0]["timestamp"] == "2026-03-02T11:00:00.000Z"
    central.now += timedelta(seconds=60)
    central.take(central.station.plug_in(1, car(power_w=7_200), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(60)
    assert central.sent("StartTransaction")[0]["timestamp"] == "2026-03-02T11:01:00.000Z"
    assert central.station.outlets[0].meter.register_wh == 1_000_120

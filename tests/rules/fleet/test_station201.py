"""Does the virtual 2.0.1 station follow the specification's use cases?"""

import pytest

from laddbok.fleet.peer import HangUp
from tests.rules.fleet.central import NOON, Central, car


@pytest.fixture
def central() -> Central:
    central = Central("2.0.1")
    central.connect()
    return central


def start(central: Central, *, need_wh: int = 10_000, power_w: int = 7_360, phases: int = 1) -> str:
    """Plug in and present a token at EVSE 1; returns the transaction id."""
    central.take(central.station.plug_in(1, car(need_wh, power_w, phases), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    return central.sent("TransactionEvent")[-1]["transactionInfo"]["transactionId"]


def test_boot_then_status_of_every_connector(central: Central) -> None:
    assert central.actions() == ["BootNotification"] + ["StatusNotification"] * 2
    assert central.sent("BootNotification")[0]["reason"] == "PowerUp"


def test_plug_first_charge_until_full_then_stop_at_the_reader(central: Central) -> None:
    start(central, need_wh=736)
    central.wait(400)
    central.take(central.station.present_token(1, "04A1", central.now))
    central.take(central.station.unplug(1, central.now))
    assert central.events() == [
        ("Started", "Authorized", "EVConnected", 0),
        ("Updated", "ChargingStateChanged", "Charging", 1),
        *[("Updated", "MeterValuePeriodic", "Charging", n) for n in range(2, 7)],
        ("Updated", "ChargingStateChanged", "SuspendedEV", 7),
        ("Updated", "MeterValuePeriodic", "SuspendedEV", 8),
        ("Ended", "StopAuthorized", "EVConnected", 9),
    ]
    first, *_, last = central.sent("TransactionEvent")
    assert first["evse"] == {"id": 1, "connectorId": 1}
    assert first["idToken"] == {"idToken": "04A1", "type": "ISO14443"}
    assert first["meterValue"][0]["sampledValue"][0]["value"] == 1_000_000
    assert last["meterValue"][0]["sampledValue"][0]["value"] == 1_000_736
    assert last["transactionInfo"]["stoppedReason"] == "Local"
    assert central.statuses() == ["Available", "Occupied", "Available"]
    assert central.ledger.transactions[0].energy_wh == 736
    assert central.station.is_drained


def test_id_token_first_is_triggered_by_the_cable(central: Central) -> None:
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(20)
    central.take(central.station.plug_in(1, car(), central.now))
    assert central.events()[0][:2] == ("Started", "CablePluggedIn")


def test_offline_events_say_so_and_keep_their_order_and_time(central: Central) -> None:
    central.disconnect()
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(90)
    central.connect()
    central.wait(60)
    central.take(central.station.unplug(1, central.now))
    events = central.sent("TransactionEvent")
    assert [e["seqNo"] for e in events] == list(range(len(events)))
    assert [e.get("offline", False) for e in events] == [True, True, True, False, False]
    assert events[0]["timestamp"] == "2026-03-02T12:00:00.000Z"
    assert (events[-1]["triggerReason"], events[-1]["transactionInfo"]["stoppedReason"]) == (
        "EVDeparted",
        "EVDisconnected",
    )
    assert central.station.is_drained


def test_remote_start_and_remote_stop(central: Central) -> None:
    central.take(central.station.plug_in(1, car(), central.now))
    token = {"idToken": "APP1", "type": "Central"}
    answer = central.ask("RequestStartTransaction", {"remoteStartId": 7, "idToken": token, "evseId": 1})
    first = central.sent("TransactionEvent")[0]
    assert answer == {"status": "Accepted", "transactionId": first["transactionInfo"]["transactionId"]}
    assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 7)
    assert central.ask("RequestStopTransaction", {"transactionId": "other"}) == {"status": "Rejected"}
    assert central.ask("RequestStopTransaction", {"transactionId": answer["transactionId"]}) == {"status": "Accepted"}
    assert central.events()[-1][:2] == ("Ended", "RemoteStop")


def test_a_token_refused_in_an_event_answer_ends_the_transaction(central: Central) -> None:
    central.disconnect()
    start_offline = central.station.plug_in(1, car(), central.now)
    central.take(start_offline)
    central.take(central.station.present_token(1, "04A1", central.now))
    central.token_status = "Invalid"
    central.connect()
    assert central.events()[-1][:2] == ("Ended", "Deauthorized")
    assert central.ledger.tokens_refused == 1


def test_reset_immediate_ends_transactions_and_reboots(central: Central) -> None:
    start(central)
    assert central.ask("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    assert central.hang_ups == [HangUp(5)]
    central.disconnect()
    central.connect()
    assert central.sent("BootNotification")[-1]["reason"] == "RemoteReset"
    assert central.sent("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert central.station.is_drained


def test_reset_on_idle_waits_for_the_transaction(central: Central) -> None:
    start(central)
    assert central.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    assert central.hang_ups == []
    central.take(central.station.unplug(1, central.now))
    central.wait(30)
    assert central.hang_ups == [HangUp(5)]
    assert central.ledger.transactions[0].stop_reason == "EVDisconnected"


def test_unlock_is_refused_during_a_transaction(central: Central) -> None:
    assert central.ask("UnlockConnector", {"evseId": 1, "connectorId": 1}) == {"status": "Unlocked"}
    start(central)
    answer = central.ask("UnlockConnector", {"evseId": 1, "connectorId": 1})
    assert answer == {"status": "OngoingAuthorizedTransaction"}
    assert central.ask("UnlockConnector", {"evseId": 3, "connectorId": 1}) == {"status": "UnknownConnector"}


def test_change_availability(central: Central) -> None:
    start(central)
    asked = {"operationalStatus": "Inoperative"}
    assert central.ask("ChangeAvailability", asked | {"evse": {"id": 2}}) == {"status": "Accepted"}
    assert central.sent("StatusNotification")[-1]["connectorStatus"] == "Unavailable"
    assert central.ask("ChangeAvailability", asked) == {"status": "Scheduled"}
    assert central.ask("ChangeAvailability", {"operationalStatus": "Operative"}) == {"status": "Accepted"}


def test_trigger_message(central: Central) -> None:
    transaction_id = start(central)
    for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent"):
        before = len(central.sent(message))
        asked = {"requestedMessage": message, "evse": {"id": 1}}
        assert central.ask("TriggerMessage", asked) == {"status": "Accepted"}
        assert len(central.sent(message)) == before + 1
    assert central.events()[-1][1] == "Trigger"
    assert central.sent("TransactionEvent")[-1]["transactionInfo"]["transactionId"] == transaction_id
    assert central.ask("TriggerMessage", {"requestedMessage": "SignV2GCertificate"}) == {"status": "NotImplemented"}


def variable(component: str, name: str, instance: str | None = None, **more: str) -> dict:
    return {
        "component": {"name": component},
        "variable": {"name": name} | ({"instance": instance} if instance else {}),
    } | more


def test_variables(central: Central) -> None:
    asked = [
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        variable("OCPPCommCtrlr", "Nonsense"),
        variable("Nonsense", "HeartbeatInterval"),
        variable("OCPPCommCtrlr", "HeartbeatInterval", attributeType="Target"),
    ]
    results = central.ask("GetVariables", {"getVariableData": asked})["getVariableResult"]
    assert [r["attributeStatus"] for r in results] == [
        "Accepted",
        "UnknownVariable",
        "UnknownComponent",
        "NotSupportedAttributeType",
    ]
    assert results[0]["attributeValue"] == "300"
    changes = [
        variable("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="60"),
        variable("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent", attributeValue="9"),
        variable("TxCtrlr", "TxStartPoint", attributeValue="DataSigned"),
    ]
    results = central.ask("SetVariables", {"setVariableData": changes})["setVariableResult"]
    assert [r["attributeStatus"] for r in results] == ["Accepted", "Accepted", "Rejected"]
    assert central.station.outbox.max_attempts == 9
    central.wait(121)
    assert len(central.sent("Heartbeat")) == 2


def test_base_report_comes_in_parts(central: Central) -> None:
    assert central.ask("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"}) == {"status": "Accepted"}
    reports = central.sent("NotifyReport")
    assert [r["seqNo"] for r in reports] == list(range(len(reports)))
    assert [r["tbc"] for r in reports] == [True] * (len(reports) - 1) + [False]
    assert central.ask("GetBaseReport", {"requestId": 6, "reportBase": "SummaryInventory"}) == {
        "status": "NotSupported"
    }


def test_transaction_status(central: Central) -> None:
    transaction_id = start(central)
    asked = {"transactionId": transaction_id}
    assert central.ask("GetTransactionStatus", asked) == {"ongoingIndicator": True, "messagesInQueue": False}
    central.is_silent = True
    central.take(central.station.unplug(1, central.now))
    assert central.ask("GetTransactionStatus", asked) == {"ongoingIndicator": False, "messagesInQueue": True}
    assert central.ask("GetTransactionStatus", {}) == {"messagesInQueue": True}


def profile(limit: float, **more: object) -> dict:
    schedule = {"id": 1, "chargingRateUnit": "W", "startSchedule": NOON.isoformat()}
    schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}, {"startPeriod": 600, "limit": 15_000}]
    shape = {"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    return shape | {"chargingSchedule": [schedule]} | more


def test_the_car_follows_the_periods_of_a_profile(central: Central) -> None:
    transaction_id = start(central, need_wh=50_000, power_w=22_080, phases=3)
    own = profile(6_000, chargingProfilePurpose="TxProfile", transactionId=transaction_id)
    assert central.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": own}) == {"status": "Accepted"}
    assert central.station.outlets[0].power_w == 6_000
    composite = central.ask("GetCompositeSchedule", {"evseId": 1, "duration": 3_600, "chargingRateUnit": "W"})
    periods = composite["schedule"]["chargingSchedulePeriod"]
    assert periods == [{"startPeriod": 0, "limit": 6_000.0}, {"startPeriod": 600, "limit": 15_000.0}]
    central.wait(601)
    assert central.station.outlets[0].power_w == 15_000
    assert central.station.outlets[0].meter.register_wh == 1_001_000
    central.take(central.station.unplug(1, central.now))
    assert central.ask("ClearChargingProfile", {"chargingProfileId": 1}) == {"status": "Unknown"}


def test_a_profile_with_the_remote_start(central: Central) -> None:
    central.take(central.station.plug_in(1, car(power_w=22_080, phases=3), central.now))
    own = profile(0, chargingProfilePurpose="TxProfile")
    token = {"idToken": "APP1", "type": "Central"}
    central.ask("RequestStartTransaction", {"remoteStartId": 7, "idToken": token, "chargingProfile": own})
    assert central.events()[-1][1:3] == ("ChargingStateChanged", "SuspendedEVSE")
    central.wait(599)
    assert central.ledger.transactions[0].start_register_wh == central.station.outlets[0].meter.register_wh
    central.wait(2)
    assert ("ChargingStateChanged", "Charging") in [event[1:3] for event in central.events()[-2:]]


def test_commands_that_are_unknown_unsupported_or_malformed(central: Central) -> None:
    assert central.ask("GetMonitoringReport", {"requestId": 1}) == "NotSupported"
    assert central.ask("MakeCoffee", {}) == "NotImplemented"
    assert central.ask("RequestStopTransaction", {}) == "FormatViolation"

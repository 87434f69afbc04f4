"""Does the central system learn in the end what it missed of a connector's status?"""

from tests.rules.fleet.central import Central, car


def test_a_status_that_came_and_went_while_offline_is_told_all_the_same() -> None:
    """Else nobody learns that the cable is out: before and after, the connector is Available."""
    central = connected("1.6")
    central.disconnect()
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.present_token(1, "04A1", central.now))
    central.wait(90)
    central.take(central.station.unplug(1, central.now))
    before = len(central.calls)
    central.connect()
    assert central.actions()[before:] == ["StartTransaction", "MeterValues", "StopTransaction", "StatusNotification"]
    assert central.statuses()[-1] == "Available"


def test_a_status_that_was_lost_with_the_connection_is_told_all_the_same() -> None:
    central = connected("1.6")
    central.is_silent = True
    central.take(central.station.plug_in(1, car(), central.now))
    assert central.actions()[-1] == "StatusNotification"
    central.disconnect()
    central.take(central.station.unplug(1, central.now))
    central.is_silent = False
    before = len(central.calls)
    central.connect()
    assert central.actions()[before:] == ["StatusNotification"] and central.statuses()[-1] == "Available"


def test_so_is_one_of_a_newer_station() -> None:
    central = connected("2.0.1")
    central.disconnect()
    central.take(central.station.plug_in(1, car(), central.now))
    central.take(central.station.unplug(1, central.now))
    before = len(central.sent("StatusNotification"))
    central.connect()
    assert [p["connectorStatus"] for p in central.sent("StatusNotification")[before:]] == ["Available"]


def connected(protocol: str) -> Central:
    central = Central(protocol)
    central.connect()
    return central

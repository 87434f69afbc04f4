"""Can one watch a charge begin, open it, stop it, and see what it costs, without ever reloading?"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Platform
from tests.browser.station import Station

LIVE_MS = 15_000  # changes are told each 2 s


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def reading(energy_wh: int, power_w: int) -> list[dict[str, Any]]:
    samples = [
        {"value": str(energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"},
    ]
    return [{"timestamp": now(), "sampledValue": samples}]


@pytest.fixture(scope="module")
def station(platform: Platform) -> Iterator[Station]:
    """A 1.6 station that has booted and whose cable is in."""
    station = Station(platform.stations, "WATCHED-1", platform.new_station("WATCHED-1"))
    station.call("BootNotification", {"chargePointVendor": "Elvolt", "chargePointModel": "Duo"})
    status(station, "Preparing")
    yield station
    station.close()


def status(station: Station, word: str) -> None:
    station.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": now()})


def start(station: Station) -> int:
    call = {"connectorId": 1, "idTag": "04A2BC77", "meterStart": 1_000, "timestamp": now()}
    answer = station.call("StartTransaction", call)
    status(station, "Charging")
    return int(answer["transactionId"])


def stop(station: Station, transaction_id: int, meter_stop: int) -> None:
    call = {"transactionId": transaction_id, "meterStop": meter_stop, "timestamp": now(), "reason": "Remote"}
    station.call("StopTransaction", call)
    status(station, "Available")


def test_a_session_appears_is_followed_stopped_and_priced(page: Page, station: Station) -> None:
    page.goto("/sessions")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page.get_by_text("WATCHED-1")).to_have_count(0)

    transaction_id = start(station)
    page.get_by_role("row").filter(has_text="WATCHED-1").get_by_role("link").click(timeout=LIVE_MS)
    badge = page.locator(".session-head .badge")
    expect(badge).to_have_text("Charging", timeout=LIVE_MS)

    station.call(
        "MeterValues",
        {"connectorId": 1, "transactionId": transaction_id, "meterValue": reading(1_002, 7_400)},
    )
    expect(page.locator(".numbers")).to_contain_text("7.4 kW", timeout=LIVE_MS)
    expect(page.locator(".timeline")).to_contain_text("The charge started", timeout=LIVE_MS)

    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    action, payload = station.asked.get(timeout=LIVE_MS / 1000)
    while action != "RemoteStopTransaction":  # the platform also sets up a station that it has not seen before
        action, payload = station.asked.get(timeout=LIVE_MS / 1000)
    assert payload == {"transactionId": transaction_id}
    expect(page.locator(".session-head .result")).to_contain_text("The station accepted.")

    stop(station, transaction_id, 1_003)
    expect(badge).to_have_text(re.compile("Ended|Settled"), timeout=LIVE_MS)
    expect(page.locator(".price .total")).to_contain_text("kr 0.01")  # 3 Wh x 3.20 kr/kWh and 25 % VAT: 0.012 kr
    expect(page.locator(".facts")).to_contain_text("From a distance, by us or an app")


def test_a_session_is_found_by_its_id_however_it_was_typed(page: Page, platform: Platform, station: Station) -> None:
    stop(station, start(station), 1_001)
    session_id = platform.api.get("/sessions", params={"station_id": "WATCHED-1"}).json()["items"][0]["id"]
    page.goto("/")
    search = page.get_by_role("searchbox", name="Find a session")
    search.fill(f" id: {session_id.lower().replace('-', ' ')}")
    search.press("Enter")
    expect(page).to_have_url(f"{platform.console}/sessions/{session_id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(session_id)


def test_a_station_is_told_to_reset_and_its_answer_is_told_in_words(page: Page, station: Station) -> None:
    while not station.asked.empty():
        station.asked.get()
    page.goto("/station?id=WATCHED-1")
    page.get_by_role("button", name="Reset station").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How").select_option("hard")
    dialog.get_by_role("button", name="Reset station").click()
    assert station.asked.get(timeout=LIVE_MS / 1000) == ("Reset", {"type": "Hard"})
    expect(page.get_by_role("status").filter(has_text="Reset station")).to_contain_text("The station accepted.")

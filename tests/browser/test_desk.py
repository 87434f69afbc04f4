"""Can a person decide about sessions that wait for them, and match what nobody knew, in the console?"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Platform
from tests.browser.station import Station

LIVE_MS = 15_000
SETTLED_S = 60.0
"""How long the worker may take: closing values are awaited for 15 s first."""
DRIVER, STRANGER = "04A2BC77", "STRANGER"


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def charges(platform: Platform) -> Iterator[dict[str, str]]:
    """What one station told: charges of 5 Wh by strangers and by a driver, all settled, and a stop that nobody knows."""
    station = Station(platform.stations, "DESK-1", platform.new_station("DESK-1"))
    station.call("BootNotification", {"chargePointVendor": "IOCharger", "chargePointModel": "IOCAW08C"})
    names = {"accepted": STRANGER, "corrected": STRANGER, "stale": STRANGER, "voided": DRIVER}
    transactions = {
        name: _charge(station, connector, token) for connector, (name, token) in enumerate(names.items(), start=1)
    }
    stop = {"transactionId": 999_999, "meterStop": 7_000, "timestamp": now(), "idTag": DRIVER}
    station.call("StopTransaction", stop)
    yield _settled(platform, transactions)
    station.close()


def _charge(station: Station, connector: int, token: str) -> str:
    start = {"connectorId": connector, "idTag": token, "meterStart": 1_000 * connector, "timestamp": now()}
    transaction_id = station.call("StartTransaction", start)["transactionId"]
    stop = {"transactionId": transaction_id, "meterStop": 1_000 * connector + 5, "timestamp": now(), "reason": "Local"}
    station.call("StopTransaction", stop)
    return str(transaction_id)


def _settled(platform: Platform, transactions: dict[str, str]) -> dict[str, str]:
    """The sessions' ids by name, once the worker has settled or held them all."""
    until = time.monotonic() + SETTLED_S
    while time.monotonic() < until:
        items = platform.api.get("/sessions", params={"station_id": "DESK-1"}).json()["items"]
        if len(items) >= len(transactions) and not any(item["state"] in ("active", "ended") for item in items):
            ids = {item["transaction_id"]: item["id"] for item in items}
            return {name: ids[transaction_id] for name, transaction_id in transactions.items()}
        time.sleep(0.2)
    raise AssertionError("the worker did not settle the sessions")


def price_of(platform: Platform, session_id: str) -> Any:
    return platform.api.get(f"/sessions/{session_id}").json()["price"]


def open_dialog(page: Page, label: str) -> Any:
    page.get_by_role("button", name=label, exact=True).click()
    return page.get_by_role("dialog")


def test_a_held_session_is_accepted_and_becomes_settled_with_a_price(
    page: Page, platform: Platform, charges: dict[str, str]
) -> None:
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Review").click()
    row = page.get_by_role("row").filter(has_text=charges["accepted"])
    expect(row).to_contain_text("The id token is not known.")
    row.get_by_role("link").click()
    expect(page.locator(".found")).to_contain_text("Registers of start and stop")
    dialog = open_dialog(page, "Accept")
    expect(dialog).to_contain_text("CDR revision 1 is issued")
    expect(dialog).to_contain_text("nobody can be invoiced")
    dialog.get_by_label("Reason").fill("the driver was here")
    dialog.get_by_role("button", name="Accept").click()
    expect(page.locator(".session-head .badge")).to_have_text("Settled", timeout=LIVE_MS)
    expect(page.locator(".price .total")).to_contain_text("kr 0.03")
    expect(page.locator(".timeline")).to_contain_text("admin accepted the proposal", timeout=LIVE_MS)
    assert price_of(platform, charges["accepted"])["final"]


def test_a_correction_says_what_it_will_do_and_keeps_what_was_typed_when_it_is_refused(
    context: BrowserContext, platform: Platform, charges: dict[str, str]
) -> None:
    page = context.new_page()
    page.goto(f"/sessions/{charges['corrected']}")
    dialog = open_dialog(page, "Correct")
    dialog.get_by_label("Energy in kWh").fill("plenty")
    dialog.get_by_label("Reason").fill("the display showed two")
    dialog.get_by_role("button", name="Correct").click()
    expect(dialog.get_by_role("alert")).to_contain_text("a number of kWh")
    dialog.get_by_label("Energy in kWh").fill("2,000")
    dialog.get_by_label("Id token").fill("NOBODY")
    dialog.get_by_role("button", name="Correct").click()
    expect(dialog.get_by_role("alert")).to_contain_text("id_token: is not registered")
    dialog.get_by_label("Id token").fill(DRIVER)
    dialog.get_by_role("button", name="Correct").click()
    expect(page.locator(".session-head .badge")).to_have_text("Settled", timeout=LIVE_MS)
    expect(page.locator(".price .total")).to_contain_text("kr 8.00")
    expect(page.locator(".facts").last).to_contain_text(DRIVER)
    assert platform.api.get(f"/sessions/{charges['corrected']}").json()["energy_wh"] == 2_000
    page.close()


def test_a_settled_session_is_voided_and_shows_its_credit(page: Page, charges: dict[str, str]) -> None:
    page.goto(f"/sessions/{charges['voided']}")
    expect(page.locator("[aria-labelledby=issued]")).to_contain_text("CDR, revision 1")
    dialog = open_dialog(page, "Void")
    expect(dialog).to_contain_text("CDR revision 1 (kr 0.03) is credited")
    dialog.get_by_label("Reason").fill("a test of ours")
    dialog.get_by_role("button", name="Void").click()
    expect(page.locator(".session-head .badge")).to_have_text("Void", timeout=LIVE_MS)
    expect(page.locator("[aria-labelledby=issued]")).to_contain_text("Credit of revision 1", timeout=LIVE_MS)
    expect(page.locator("[aria-labelledby=issued]")).to_contain_text("-kr 0.03")


def test_whoever_decides_on_an_old_picture_is_told_and_sees_the_new_one(
    context: BrowserContext, platform: Platform, charges: dict[str, str]
) -> None:
    page = context.new_page()
    page.route("**/api/v1/events*", lambda route: route.abort())  # so that the picture stays old
    page.goto(f"/sessions/{charges['stale']}")
    dialog = open_dialog(page, "Void")
    session = platform.api.get(f"/sessions/{charges['stale']}").json()
    body = {"kind": "accept", "reason": "faster", "version": session["version"]}
    platform.api.post(f"/sessions/{session['id']}/decisions", json=body).raise_for_status()
    dialog.get_by_label("Reason").fill("slower")
    dialog.get_by_role("button", name="Void").click()
    expect(dialog.get_by_role("alert")).to_contain_text(re.compile("has just decided|has moved since you saw it"))
    page.close()


def test_an_orphan_is_made_a_session_of(page: Page, charges: dict[str, str]) -> None:
    page.goto("/review")
    page.get_by_role("link", name="Orphans").click()
    orphan = page.get_by_role("listitem").filter(has_text="999999")
    expect(orphan).to_contain_text("7,000 Wh")
    expect(orphan).to_contain_text("same id token")
    orphan.get_by_role("button", name="Make a session of it").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("its start was lost")
    dialog.get_by_role("button", name="Make a session of it").click()
    expect(orphan).to_have_count(0, timeout=LIVE_MS)
    page.get_by_label("Show").select_option("all")
    expect(orphan).to_contain_text("Matched to", timeout=LIVE_MS)


def test_a_station_tells_what_is_known_of_it(page: Page, charges: dict[str, str]) -> None:
    page.goto("/station?id=DESK-1")
    habits = page.locator(".habits")
    expect(habits).to_contain_text("A start with register 0 says nothing of the register.")
    expect(habits).to_contain_text("citrineos/citrineos-core#1060")


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("language", ["English", "Svenska"])
def test_the_pages_of_the_desk_fit_their_window(page: Page, charges: dict[str, str], width: int, language: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    if language == "Svenska":
        page.get_by_role("button", name="Svenska").click()
    for path in ("/review", "/orphans?which=all", f"/sessions/{charges['voided']}", "/station?id=DESK-1"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

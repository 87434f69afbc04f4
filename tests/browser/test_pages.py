"""Does every page of the console show what it should, in both languages, on a desk and on a phone?"""

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import Platform
from tests.browser.station import Station

PAGES = {
    "/": "Overview",
    "/sessions": "Sessions",
    "/stations": "Stations",
    "/lobby": "Lobby",
    "/nowhere": "There is no such page",
}


@pytest.mark.parametrize("width", [1280, 380])
def test_every_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path, title in PAGES.items():
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_language_is_the_browsers_until_the_reader_chooses(context: BrowserContext, page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("button", name="Svenska").click()
    expect(page.get_by_role("heading", name="Översikt")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Översikt")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "sv"


def test_an_unknown_station_is_admitted_from_the_lobby(page: Page, platform: Platform) -> None:
    boot = {"chargePointVendor": "Elvolt", "chargePointModel": "Solo"}
    guest = Station(platform.stations, "KNOCKS-1", "its own password")
    assert guest.call("BootNotification", boot)["status"] != "Accepted"
    guest.close()
    page.goto("/lobby")
    page.get_by_role("listitem").filter(has_text="KNOCKS-1").get_by_role("button", name="Admit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option(platform.site_id())
    dialog.get_by_role("button", name="Admit").click()
    secret = page.locator(".secret code")
    expect(secret).to_be_visible()
    station = Station(platform.stations, "KNOCKS-1", str(secret.text_content()))
    assert station.call("BootNotification", boot)["status"] == "Accepted"
    station.close()


def test_a_guest_who_comes_while_the_lobby_is_open_is_seen(page: Page, platform: Platform) -> None:
    page.goto("/lobby")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lobby")
    guest = Station(platform.stations, "KNOCKS-2", "its own password")
    guest.call("BootNotification", {"chargePointVendor": "Elvolt", "chargePointModel": "Solo"})
    guest.close()
    expect(page.get_by_role("listitem").filter(has_text="KNOCKS-2")).to_be_visible(timeout=15_000)


def test_a_choice_that_comes_after_its_dialog_was_opened_is_offered(page: Page, platform: Platform) -> None:
    held: list[Route] = []
    page.route("**/api/v1/sites", lambda route: held.append(route))
    page.goto("/stations")
    page.get_by_role("button", name="Add station").click()
    choice = page.get_by_role("dialog").get_by_role("combobox")
    expect(choice.get_by_role("option")).to_have_count(0)
    held[0].continue_()
    choice.select_option(platform.site_id())


def test_a_station_is_added_and_found(page: Page) -> None:
    page.goto("/stations")
    page.get_by_role("button", name="Add station").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Identity").fill("BOX.7|left")
    dialog.get_by_role("button", name="Add station").click()
    expect(page.get_by_role("status").filter(has_text="is added")).to_be_visible()
    page.get_by_role("link", name="BOX.7|left").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("BOX.7|left")
    page.reload()
    expect(page.get_by_text("Not connected")).to_be_visible()


def test_whoever_is_logged_out_sees_the_log_in_only(context: BrowserContext, platform: Platform) -> None:
    page = context.new_page()
    context.clear_cookies()
    page.goto("/sessions")
    page.get_by_label("Person").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Person or password is wrong.")
    expect(page.get_by_role("navigation")).to_have_count(0)


def test_nothing_is_loaded_from_elsewhere_and_no_script_stands_in_the_page(platform: Platform) -> None:
    answer = httpx.get(platform.console)
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert re.findall(r"<script(?![^>]*\ssrc=\"/)", answer.text) == []
    assert re.findall(r"(?:src|href)=\"(?!/)", answer.text) == []

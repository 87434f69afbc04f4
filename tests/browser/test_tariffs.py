"""Can a person who is no programmer build a tariff in the console, see what it costs, and publish it?"""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Platform

ODD: dict[str, Any] = {
    "id": "odd", "currency": "SEK", "tax_included": "YES", "party_id": "LAD",
    "elements": [
        {"price_components": [{"type": "PARKING_TIME", "price": 60.10, "vat": 25}], "restrictions": {"min_power": 50}},
        {"price_components": [{"type": "ENERGY", "price": 4, "vat": 25}]},
    ],
}  # fmt: skip


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f'[name="{name}"]').fill(text)


def day_and_night(page: Page, name: str) -> None:
    """2.50 by day, 1.90 at night, 2 kr a minute after 15 minutes idle."""
    page.goto("/tariffs")
    page.get_by_role("link", name="New tariff").click()
    fill(page, "name", name)
    page.get_by_role("radio", name="By time of day").check()
    fill(page, "price", "2.50")
    fill(page, "windows.0.price", "1,90")
    fill(page, "idle.per_min", "2")
    fill(page, "idle.grace_min", "15")


def cell(page: Page, day: int, time: str) -> Locator:
    """The run that begins at a time, of the first day (0) or a later one."""
    row = page.get_by_role("row").nth(day)
    return row.get_by_role("gridcell", name=re.compile(f"^{time}"))


def publish(page: Page) -> Locator:
    """Asked once: the dialog says what will happen."""
    page.get_by_role("button", name="Publish", exact=True).click()
    return page.get_by_role("dialog")


def confirmed(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Publish now").click()


def test_a_tariff_is_built_seen_tried_and_published_and_old_versions_stay(page: Page, platform: Platform) -> None:
    day_and_night(page, "Natt och dag")
    expect(page.locator(".week-words")).to_contain_text("Cheapest: kr 1.90/kWh, every day 22:00\u201306:00.")
    expect(page.locator(".week-words")).to_contain_text("Dearest: kr 2.50/kWh, every day 06:00\u201322:00.")
    expect(cell(page, 2, "06:00")).to_have_accessible_name("06:00\u201322:00 kr 2.50/kWh")
    cell(page, 2, "22:00").hover()
    expect(page.locator(".readout")).to_contain_text(
        "22:00\u201324:00: kr 1.90/kWh kr 1.52 before VAT · 22:00 to 06:00"
    )
    fill(page, "start", "2026-05-04T21:30")
    for name, figure in {"kwh": "10", "charging": "60", "idle": "20"}.items():
        page.locator(f'input[type="number"][name="{name}"]').fill(figure)
    expect(page.locator(".example .total")).to_contain_text("kr 32.00")  # 5 x 2.50 + 5 x 1.90 + 5 min x 2
    expect(page.locator(".example")).to_contain_text("5 kWh x 1.90 kr/kWh (22:00 to 06:00)")

    dialog = publish(page)
    expect(dialog).to_contain_text("Version 1 of natt-och-dag holds from now on.")
    dialog.get_by_role("combobox").select_option(f"site {platform.site_id()}")
    confirmed(dialog)
    expect(page.get_by_role("status").filter(has_text="Version 1 is published")).to_be_visible()
    assert re.search(r"/tariff\?id=natt-och-dag$", page.url)
    [stored] = platform.api.get("/tariffs/natt-och-dag").json()["versions"]
    assert stored["document"]["laddbok"] == {"idle": {"per_min": 2, "grace_s": 900}}
    assignments = platform.api.get("/tariff-assignments").json()["items"]
    assert {"scope": "site", "scope_id": platform.site_id(), "tariff_id": "natt-och-dag"} in assignments
    platform.put("/tariff-assignments", {"scope": "site", "scope_id": platform.site_id(), "tariff_id": "per-kwh"})

    fill(page, "windows.0.price", "1.50")
    expect(cell(page, 1, "00:00")).to_have_accessible_name("00:00\u201306:00 kr 1.50/kWh")
    dialog = publish(page)
    expect(dialog).to_contain_text("Version 2 of natt-och-dag")
    confirmed(dialog)
    expect(page.get_by_role("status").filter(has_text="Version 2 is published")).to_be_visible()
    expect(page.locator(".versions li")).to_have_count(2)
    expect(page.locator(".versions li").first).to_contain_text("published by admin")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator('[name="windows.0.price"]')).to_have_value("1.90")
    expect(page.locator('[name="windows.0.price"]')).to_be_disabled()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    old, new = platform.api.get("/tariffs/natt-och-dag").json()["versions"]
    prices = [version["document"]["elements"][0]["price_components"][0]["price"] for version in (old, new)]
    assert prices == [1.9, 1.5]
    page.goto("/tariffs")
    expect(page.get_by_role("row").filter(has_text="Natt och dag")).to_contain_text("2")


def test_the_week_is_read_with_the_keyboard(page: Page) -> None:
    day_and_night(page, "Keys")
    page.get_by_role("grid").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".readout")).to_contain_text("06:00\u201322:00: kr 2.50/kWh")
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_contain_text("22:00\u201324:00: kr 1.90/kWh")
    assert page.get_by_role("grid").get_attribute("aria-activedescendant") == "week-1-2"


def test_the_nights_when_the_clock_moves_are_drawn_as_they_are(page: Page) -> None:
    day_and_night(page, "Clock")
    fill(page, "windows.0.from", "02:00")
    fill(page, "windows.0.to", "03:00")
    fill(page, "from_date", "2026-10-25")
    expect(cell(page, 0, "02:00")).to_have_count(2)
    cell(page, 0, "02:00").nth(1).hover()
    expect(page.locator(".readout")).to_contain_text("the second time that night")
    fill(page, "from_date", "2026-03-29")
    expect(cell(page, 1, "02:00")).to_have_count(1)
    expect(cell(page, 0, "02:00")).to_have_count(0)


def test_what_is_wrong_stands_beside_its_field(context: BrowserContext) -> None:
    page = context.new_page()  # a refused draft is an error on the browser's own console
    day_and_night(page, "Wrong")
    expect(page.locator(".week-words")).to_contain_text("1.90")
    with page.expect_response(lambda response: response.status == 422):
        fill(page, "windows.0.price", "cheap")
    field = page.locator("label").filter(has=page.locator('[name="windows.0.price"]'))
    expect(field.get_by_role("alert")).to_contain_text("not a number")
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()
    fill(page, "windows.0.price", "1.80")
    expect(field.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".week-words")).to_contain_text("1.80")
    fill(page, "id", "per-kwh")
    expect(page.locator("label").filter(has=page.locator('[name="id"]')).get_by_role("alert")).to_contain_text(
        "There is a tariff"
    )


def test_what_is_worth_knowing_stands_beside_its_field_and_what_is_refused_is_not_published(page: Page) -> None:
    day_and_night(page, "Ad hoc")
    fill(page, "flat", "5")
    page.locator('[name="type"]').select_option("AD_HOC_PAYMENT")
    start_fee = page.locator("label").filter(has=page.locator('[name="flat"]'))
    expect(start_fee.get_by_role("status")).to_contain_text("a start fee is not allowed then")
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_enabled()
    page.get_by_role("button", name="More hours").click()
    fill(page, "windows.1.price", "1")
    expect(page.locator(".row").nth(1)).to_contain_text("never applies")
    page.get_by_role("radio", name="Market price").check()
    expect(page.locator(".kinds ~ .field-trouble")).to_contain_text("market price is not allowed")
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()


def test_a_draft_outlives_another_page(page: Page) -> None:
    day_and_night(page, "Kept")
    page.get_by_role("navigation").get_by_role("link", name="Stations").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stations")
    page.go_back()
    expect(page.locator('[name="windows.0.price"]')).to_have_value("1,90")
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator('[name="price"]')).to_have_value("")


def test_a_version_to_come_is_told_before_another_one_is_published(page: Page) -> None:
    day_and_night(page, "Later")
    fill(page, "starts", "2099-01-01T00:00")
    page.locator('[name="starts"]').blur()
    dialog = publish(page)
    expect(dialog).to_contain_text("Version 1 of later holds from 1 Jan 2099")
    confirmed(dialog)
    expect(page.locator(".versions li")).to_contain_text("to come")
    fill(page, "starts", "")
    page.locator('[name="starts"]').blur()
    dialog = publish(page)
    expect(dialog).to_contain_text(
        re.compile("Version 2 of later holds from now on. From 1 Jan 2099.* version 1 holds")
    )


def test_the_json_and_the_form_are_one(page: Page) -> None:
    day_and_night(page, "Both")
    page.get_by_text("The tariff as JSON").click()
    text = page.locator('[name="json"]')
    document = json.loads(text.input_value())
    assert document["elements"][0]["restrictions"] == {"start_time": "22:00", "end_time": "06:00"}
    document["elements"][1]["price_components"][0]["price"] = 2.75
    document["party_id"] = "LAD"
    text.fill(json.dumps(document))
    expect(page.locator('[name="price"]')).to_have_value("2.75")
    expect(page.locator(".tariff-form")).to_contain_text("kept as it is: party_id")
    expect(cell(page, 1, "06:00")).to_have_accessible_name("06:00\u201322:00 kr 2.75/kWh")
    fill(page, "price", "2.80")
    assert json.loads(text.input_value())["party_id"] == "LAD"
    text.fill('{"id": ')
    expect(page.get_by_role("alert").filter(has_text="not JSON")).to_be_visible()


def test_what_the_form_cannot_show_is_never_changed(page: Page, platform: Platform) -> None:
    platform.api.post("/tariffs", json=ODD).raise_for_status()
    page.goto("/tariff?id=odd")
    expect(page.locator(".only-json")).to_contain_text("elements[0]")
    expect(page.locator(".tariff-form")).to_have_count(0)
    expect(page.locator(".week-words")).to_contain_text("kr 4.00/kWh, at all times.")
    text = page.locator('[name="json"]')
    text.fill(text.input_value().replace('"price": 4', '"price": 4.5'))
    confirmed(publish(page))
    expect(page.locator(".versions li")).to_have_count(2)
    document = platform.api.get("/tariffs/odd").json()["versions"][1]["document"]
    assert document.pop("elements")[0] == ODD["elements"][0]
    assert document == {name: value for name, value in ODD.items() if name != "elements"}


def test_a_market_price_without_elements_is_edited_in_the_form(page: Page, platform: Platform) -> None:
    terms = {
        "zone": "SE3",
        "markup": "0.08",
        "energy_tax": [{"per_kwh": "0.36", "start_date": "2026-01-01"}],
        "vat": 25,
    }
    bare = {"id": "bare", "currency": "SEK", "laddbok": {"spot": terms}}
    platform.api.post("/tariffs", json=bare).raise_for_status()
    page.goto("/tariff?id=bare")
    expect(page.locator('[name="spot.markup"]')).to_have_value("0.08")
    expect(page.locator(".only-json")).to_have_count(0)


def test_swedish_has_its_comma(page: Page) -> None:
    page.goto("/tariffs")
    page.get_by_role("button", name="Svenska").click()
    page.get_by_role("link", name="Ny prislista").click()
    fill(page, "price", "2,345")
    expect(page.locator(".week-words")).to_contain_text("2,345 kr/kWh, hela tiden.")
    page.get_by_role("radio", name="Elbörsens pris").check()
    expect(page.locator(".week-words")).to_contain_text("Inget marknadspris är känt")
    expect(page.locator(".example .total")).to_contain_text("inte känt än")


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("language", ["English", "Svenska"])
def test_the_pages_of_tariffs_fit_their_window(page: Page, platform: Platform, width: int, language: str) -> None:
    spot = {"zone": "SE3", "grid": [{"per_kwh": "0.25", "start_time": "06:00", "day_of_week": ["MONDAY"]}], "vat": 25}
    platform.api.post("/tariffs", json={"id": "spot", "currency": "SEK", "laddbok": {"spot": spot}}).raise_for_status()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    if language == "Svenska":
        page.get_by_role("button", name="Svenska").click()
    for path in ("/tariffs", "/tariff", "/tariff?id=per-kwh", "/tariff?id=spot", "/tariff?id=per-kwh&version=1"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

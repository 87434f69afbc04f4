"""Can a treasurer enter apartments and a bill and fetch the list, and somebody in finance state a month of charging at home?"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from laddbok.bench import billing_data
from tests.browser.conftest import Platform
from tests.browser.october import CUSTOMERS

ROOT = Path(__file__).resolve().parents[2]
SITE, CONTRACT = billing_data.SITE, "c-000003"
APARTMENTS = {
    "apartments": [
        {"apartment": f"{1001 + n}", "holders": [{"contract_id": f"c-{n:06d}"}]} for n in range(CUSTOMERS - 1)
    ]
}
BILL = f"/new-statement?kind=apartments&subject_id={SITE}&month=2026-10"
LIST = f"/statement?kind=apartments&subject_id={SITE}&month=2026-10"
PATHS = (
    "/statements", f"{LIST}&revision=1", f"/statement?kind=home&subject_id={CONTRACT}&month=2026-10&revision=1", BILL,
    f"/apartments?site_id={SITE}", f"/contracts/{CONTRACT}",
)  # fmt: skip
RENDERED_MS = 30_000
"""How long the worker may take."""


@pytest.fixture(scope="module")
def house(platform: Platform) -> Platform:
    """A month of priced sessions, and apartments for all contracts but the last."""
    if not any(site["id"] == SITE for site in platform.api.get("/sites").json()["items"]):
        command = [sys.executable, "-m", "tests.browser.october", platform.state]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    platform.put(f"/sites/{SITE}/apartments", APARTMENTS)
    return platform


def enter(page: Page, net: str) -> None:
    page.get_by_label("Amount excl. VAT").fill(net)
    page.get_by_role("button", name="See what it comes to").click()


def test_an_apartment_is_added_by_keyboard_and_what_is_wrong_stands_at_its_row(
    context: BrowserContext, house: Platform
) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto(f"/apartments?site_id={SITE}")
    rows = page.locator(".apartment")
    expect(rows).to_have_count(CUSTOMERS - 1)
    page.get_by_role("button", name="Add a row").press("Enter")
    new = rows.last
    new.get_by_label("Apartment", exact=True).fill("2001")
    new.get_by_label("Contract, its id").fill("c-000001")
    page.get_by_role("button", name="Save").press("Enter")
    expect(rows.last.locator("em")).to_contain_text("belongs to apartment 1002 on the same days")
    expect(new.get_by_label("Contract, its id")).to_be_focused()
    expect(new.get_by_label("Apartment", exact=True)).to_have_value("2001")
    new.get_by_label("Contract, its id").fill("")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    kept = house.api.get(f"/sites/{SITE}/apartments").json()["agreement"]["apartments"]
    assert [each["apartment"] for each in kept] == [*(f"{1001 + n}" for n in range(CUSTOMERS - 1)), "2001"]
    rows.first.get_by_label("Part", exact=True).fill("60,5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".apartment.wrong em")).to_contain_text("is missing, though others have one")
    page.close()


def test_a_bill_of_another_month_is_refused_at_its_field(context: BrowserContext, house: Platform) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto(BILL)
    page.get_by_label("First day on the bill").fill("2026-09-01")
    enter(page, "4 321,55")
    expect(page.locator(".field.wrong")).to_contain_text("is 2026-09-01, not 2026-10-01")
    expect(page.get_by_label("First day on the bill")).to_be_focused()
    expect(page.get_by_label("Amount excl. VAT")).to_have_value("4 321,55")
    page.close()


def test_a_bill_is_seen_kept_and_fetched_and_what_is_corrected_is_the_next_version(page: Page, house: Platform) -> None:
    page.goto("/statements")
    page.get_by_role("link", name=re.compile("^Enter a month.s bill")).click()
    page.goto(BILL)
    enter(page, "4 321,55")
    expect(page.get_by_role("heading", name="This is what it would say")).to_be_visible()
    expect(page.locator("tfoot")).to_contain_text(re.compile(r"kr\s5,401\.94"))
    expect(page.locator("tbody tr").last).to_contain_text("No apartment")
    assert house.api.get("/statements").json()["items"] == []
    page.get_by_role("button", name="Keep it as version 1").click()
    expect(page.get_by_role("link", name="PDF")).to_be_visible(timeout=RENDERED_MS)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert download.value.path().read_bytes().count(b"\r\n") == CUSTOMERS + 3
    house.put(f"/sites/{SITE}/apartments", {"apartments": APARTMENTS["apartments"][1:]})
    page.reload()
    expect(page.get_by_role("heading", name="Something has changed since")).to_be_visible()
    page.get_by_role("button", name="Keep it as version 2").click()
    expect(page.get_by_role("heading", name="Changed since version 1")).to_be_visible()
    expect(page.locator(".obstacles")).to_contain_text("Apartment 1001")
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.locator("h1")).to_contain_text("version 1")
    expect(page.get_by_role("heading", name="Something has changed since")).to_have_count(0)


def test_what_an_employer_pays_back_is_agreed_on_the_contract_and_stated(page: Page, house: Platform) -> None:
    page.goto(f"/contracts/{CONTRACT}")
    home = page.locator("section.home")
    home.get_by_label(re.compile("^Home: the site.s id")).fill(SITE)
    home.get_by_label(re.compile("^Employer")).fill("p-000010")
    home.get_by_label("A new price per kWh").fill("1,85")
    home.get_by_role("button", name="Save").click()
    expect(home.get_by_role("listitem")).to_contain_text("1.85 /kWh")
    home.get_by_role("link", name=re.compile("^See a month.s statement")).click()
    page.get_by_label("Month").select_option("2026-10")
    page.get_by_role("button", name="See what it comes to").click()
    page.get_by_role("button", name="Keep it as version 1").click()
    expect(page.get_by_role("link", name="PDF")).to_be_visible(timeout=RENDERED_MS)
    page.locator("a.id").first.click()
    expect(page.locator(".session-head")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("language", ["English", "Svenska"])
def test_the_pages_of_lists_fit_their_window(page: Page, house: Platform, width: int, language: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    if language == "Svenska":
        page.get_by_role("button", name="Svenska").click()
    for path in PATHS:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path

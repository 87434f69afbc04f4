"""Can somebody in finance bill a month, follow an invoice to its sessions, and decide what its customer objects to?"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from laddbok.bench.billing_data import SELLER
from tests.browser.conftest import Platform
from tests.browser.october import CUSTOMERS, OTHER_HALF, PLACE, SHARED, WITHOUT_ADDRESS

ROOT = Path(__file__).resolve().parents[2]
OCTOBER = f"/billing?seller_id={SELLER}&month=2026-10"
WORKED_MS = 30_000
"""How long the worker may take."""
RATES = b"Date, USD, SEK,\n20 October 2026, 1.0583, 11.0350,\n"
BY_E_INVOICE = 2
"""Customers whose documents wait for the official rules, which are not at hand here."""


@pytest.fixture(scope="module")
def october(platform: Platform) -> Platform:
    """A month of priced sessions, and nothing billed."""
    command = [sys.executable, "-m", "tests.browser.october", platform.state]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return platform


@pytest.fixture
def customer(browser: Browser, october: Platform) -> Iterator[Page]:
    """A browser of somebody who has no log-in."""
    context: BrowserContext = browser.new_context(base_url=october.console, locale="en-GB")
    yield context.new_page()
    context.close()


def look(page: Page) -> None:
    page.goto(OCTOBER)
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_role("heading", name="This is what will happen")).to_be_visible(timeout=WORKED_MS)


def dialog_of(page: Page, label: str) -> Locator:
    page.get_by_role("button", name=label, exact=True).click()
    return page.get_by_role("dialog")


def test_what_will_happen_is_told_and_what_is_in_the_way_is_mended(page: Page, october: Platform) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name="Finance").click()
    expect(page.get_by_role("heading", name="Finance")).to_be_visible()
    look(page)
    obstacle = page.get_by_role("listitem").filter(has_text="has no address")
    expect(page.locator(".sums")).to_contain_text(f"{CUSTOMERS - BY_E_INVOICE - 1}")
    obstacle.get_by_role("link", name=WITHOUT_ADDRESS).click()
    expect(page.get_by_label("Street and number")).to_be_focused()
    page.get_by_label("Street and number").fill("Gatan 5")
    page.get_by_label("Postal code").fill("903 60")
    page.get_by_label("City").fill("Umeå")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def test_a_field_that_is_refused_says_why_at_its_place_and_keeps_what_was_typed(
    context: BrowserContext, october: Platform
) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto("/customers?q=kund+7")
    page.get_by_role("link", name="Kund 7").click()
    page.get_by_label("Street and number").fill("Another street 7")
    page.get_by_label("Organisation number").fill("556036-0794")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field.wrong")).to_contain_text("its check digit is wrong")
    expect(page.get_by_label("Organisation number")).to_be_focused()
    expect(page.get_by_label("Street and number")).to_have_value("Another street 7")
    page.get_by_role("button", name="Svenska").click()
    page.get_by_role("button", name="Spara").click()
    expect(page.locator(".field.wrong")).to_contain_text("kontrollsiffra")
    page.get_by_role("button", name="English").click()
    page.close()


def test_what_paying_late_costs_and_the_accounts_are_edited_on_the_sellers_page(
    context: BrowserContext, october: Platform
) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto(f"/sellers/{SELLER}")
    page.get_by_label("Reminders, days after the due date").fill("20, 5")
    page.get_by_label("Reminder fee", exact=True).fill("60,00")
    page.get_by_label("Reminder fees", exact=True).fill("3939")
    page.get_by_label("Simplified invoices up to, VAT included").fill("3 500,50")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field.wrong")).to_contain_text("is not a later day")
    expect(page.get_by_label("Reminders, days after the due date")).to_be_focused()
    page.get_by_label("Reminders, days after the due date").fill("5, 20")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    seller = october.api.get(f"/legal-entities/{SELLER}").json()
    assert seller["late_terms"] == {"reminder_days": "5, 20", "reminder_fee": "60.00"}
    assert seller["accounts"] == {"reminder_fees": "3939"}
    assert (seller["simplified_up_to"], seller["book_currency"]) == ("3500.50", None)
    page.close()


def test_a_month_is_billed_after_one_clear_question(page: Page, october: Platform) -> None:
    look(page)
    expect(page.locator(".obstacles")).not_to_contain_text("has no address")
    count = CUSTOMERS - BY_E_INVOICE
    dialog = dialog_of(page, "Make the month final")
    expect(dialog).to_contain_text(f"{count} documents of kr")
    expect(dialog).to_contain_text("A final document is never changed")
    dialog.get_by_role("button", name=re.compile(rf"^Make {count} documents final: kr [\d,.]+$")).click()
    expect(page.get_by_role("heading", name=f"October 2026 is billed: {count} documents")).to_be_visible(
        timeout=WORKED_MS
    )
    page.get_by_role("link", name="See the documents").click()
    expect(page.locator("table.leads tbody tr")).to_have_count(count)


def test_an_invoice_leads_to_its_sessions_its_books_and_its_customer(page: Page, october: Platform) -> None:
    page.goto("/invoices?state=open")
    page.locator("table.leads tbody tr").first.get_by_role("link").click()
    expect(page.get_by_role("heading", name=re.compile("^Invoice 1000"))).to_be_visible()
    expect(page.locator(".chain")).to_contain_text("Unchanged since it became final")
    expect(page.locator(".entry")).to_contain_text("1510")
    session = page.locator("table.fin a.id").first
    session_id = session.inner_text()
    session.click()
    expect(page.locator(".session-head")).to_contain_text(session_id)
    page.go_back()
    page.locator(".facts a").first.click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(re.compile("^Kund"))


def test_a_customer_objects_on_their_page_and_support_decides(page: Page, customer: Page, october: Platform) -> None:
    page.goto("/invoices?state=open")
    page.locator("table.leads tbody tr").nth(1).get_by_role("link").click()
    customer.goto(str(page.get_by_role("link", name="The customer's page").get_attribute("href")))
    expect(customer.get_by_role("heading", name=re.compile("^Faktura 1000"))).to_be_visible()
    customer.get_by_role("link", name="English").click()
    expect(customer.locator("li").first).to_contain_text("kr/kWh")
    customer.get_by_text("Is something wrong?").click()
    customer.get_by_label("What is wrong?").fill("The cable was broken")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("status")).to_contain_text("We got your objection")
    expect(customer.get_by_role("button", name="Send")).to_have_count(0)
    page.reload()
    expect(page.locator(".dispute")).to_contain_text("Disputed by the customer")
    expect(page.locator(".dispute")).to_contain_text("The cable was broken")
    dialog = dialog_of(page, "Accept")
    dialog.get_by_label("Answer to the customer").fill("You are right")
    dialog.get_by_label("Credit what is left").check()
    dialog.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_contain_text("Credited")
    expect(page.locator(".life")).to_contain_text("Dispute accepted")
    customer.reload()
    expect(customer.get_by_role("status")).to_contain_text("You are right")


@pytest.mark.parametrize(
    ("path", "label", "search"),
    [
        ("/customers", "New customer", "Name, id, e-mail or organisation number"),
        ("/contracts", "New contract", "Contract, driver, cost centre or customer"),
    ],
)
def test_what_is_added_is_found_in_its_list(page: Page, october: Platform, path: str, label: str, search: str) -> None:
    page.goto(path)
    dialog = dialog_of(page, label)
    dialog.get_by_label(re.compile("number")).fill("added")
    dialog.get_by_label("Name").fill("Tillagd AB")
    dialog.get_by_role("button", name=label).click()
    expect(page).to_have_url(re.compile(f"{path}/added$"))
    page.goto(path)
    page.get_by_label(search).fill("tillagd")
    page.get_by_label(search).press("Enter")
    expect(page.locator("table.leads tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Tillagd AB").click()
    expect(page).to_have_url(re.compile(f"{path}/added$"))


def test_a_reminder_stands_on_its_invoice_until_it_is_cancelled(page: Page, october: Platform) -> None:
    due = date.fromisoformat(october.api.get("/invoices?state=open").json()["items"][0]["due_date"])
    command = [sys.executable, "-m", "laddbok.cli", "reminders", "--at", str(due + timedelta(days=6))]
    environ = {**os.environ, "LADDBOK_DATA": october.state}
    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True)
    reminder = october.api.get("/reminders").json()["items"][0]
    page.goto(f"/invoices/{reminder['invoice_id']}")
    panel = page.locator("section").filter(has=page.get_by_role("heading", name="Reminders"))
    expect(panel).to_contain_text("fee kr 60.00")
    expect(panel).to_contain_text("Fees and interest left")
    expect(page.locator(".life")).to_contain_text("Reminded")
    dialog = dialog_of(page, "Cancel reminder 1")
    dialog.get_by_label("Reason").fill("Paid in time")
    dialog.get_by_role("button", name="Cancel reminder 1").click()
    expect(panel).to_contain_text("cancelled: Paid in time")
    expect(panel).not_to_contain_text("Fees and interest left")
    expect(page.locator(".life")).to_contain_text("Reminder cancelled")


def test_what_can_not_be_mailed_is_named_and_given_out_by_hand(page: Page, october: Platform) -> None:
    page.goto("/customers/p-000003")
    page.get_by_label("E-mail").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.get_by_role("navigation", name="Pages of finance").get_by_role("link", name="Deliveries").click()
    expect(page.get_by_text("No mail server is set up")).to_be_visible()
    one = page.locator("li.payment").filter(has_text="Kund 3").filter(has_not_text="Reminder")
    expect(one).to_contain_text("No e-mail address", timeout=WORKED_MS)
    one.get_by_role("button", name="Given out").click()
    page.get_by_role("dialog").get_by_role("button", name="Given out").click()
    expect(one).to_have_count(0)
    page.get_by_label("Show").select_option(label="Sent")
    expect(one).to_contain_text("Sent")


def test_what_waits_for_a_mail_server_that_is_not_there_is_given_out_together(page: Page, october: Platform) -> None:
    page.goto(OCTOBER)
    expect(page.get_by_text("No mail server is set up")).to_be_visible()
    page.goto("/deliveries?which=for_mail")
    expect(page.locator("li.payment")).not_to_have_count(0)
    button = page.get_by_role("button", name=re.compile(r"All \d+ shown are given out"))
    button.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("given out")).click()
    expect(page.get_by_text("Nothing waits here.")).to_be_visible()
    assert october.api.get("/deliveries/figures").json()["for_mail"] == 0


def test_a_session_says_who_pays_which_part_on_which_document(page: Page, october: Platform) -> None:
    sessions = october.api.get("/sessions", params={"limit": 200}).json()["items"]
    session = next(each["id"] for each in sessions if each["contract_id"] == SHARED)
    page.goto(f"/sessions/{session}")
    panel = page.get_by_role("region", name="Who pays")
    expect(panel.get_by_role("row")).to_have_count(2)
    mine, other = panel.get_by_role("row").nth(0), panel.get_by_role("row").nth(1)
    expect(mine).to_contain_text("part of start fee, energy")
    expect(other.get_by_role("link", name=re.compile("^Kund"))).to_have_attribute("href", f"/customers/{OTHER_HALF}")
    other.get_by_role("link", name=re.compile("^1000")).click()
    expect(page.locator("h1")).to_contain_text("1000")
    expect(page.get_by_text("Part of charging").first).to_be_visible()


def test_the_books_balance_on_their_page(page: Page, october: Platform) -> None:
    year = october.api.get("/invoices").json()["items"][0]["issue_date"][:4]
    page.goto(f"/ledger?seller_id={SELLER}&from={year}-01-01&to={year}-12-31")
    expect(page.get_by_text("The sum is 0")).to_be_visible()
    page.get_by_role("link", name="1510").click()
    expect(page.get_by_role("heading", name="Account 1510")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="SIE file").click()
    assert download.value.suggested_filename.endswith(".si")


@pytest.mark.parametrize("width", [1280, 380])
@pytest.mark.parametrize("language", ["English", "Svenska"])
def test_the_pages_of_finance_fit_their_window(page: Page, october: Platform, width: int, language: str) -> None:
    invoice = october.api.get("/reminders").json()["items"][0]["invoice_id"]
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    if language == "Svenska":
        page.get_by_role("button", name="Svenska").click()
    for path in (
        OCTOBER, "/invoices", f"/invoices/{invoice}", "/payments", "/deliveries?which=for_mail", f"/ledger?seller_id={SELLER}&account=1510", "/customers",
        f"/customers/{WITHOUT_ADDRESS}", "/contracts", "/contracts/c-000005", "/hosts", f"/sellers/{SELLER}",
    ):  # fmt: skip
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_host_is_added_and_agreed_with(page: Page, october: Platform) -> None:
    page.goto("/hosts")
    expect(page.get_by_text("No hosts")).to_be_visible()
    dialog = dialog_of(page, "New host")
    dialog.get_by_label("Short name of the host").fill("eken")
    dialog.get_by_label("Name", exact=True).fill("Brf Eken")
    dialog.get_by_role("button", name="New host").click()
    expect(page.get_by_role("heading", name="Brf Eken")).to_be_visible()
    expect(page.get_by_text("Nothing is agreed")).to_be_visible()
    dialog = dialog_of(page, "Agree")
    dialog.get_by_label("Site").select_option("torget")
    dialog.get_by_label("From").fill("2026-10-01")
    dialog.get_by_label("Per kWh").fill("0,60")
    dialog.get_by_label("Per month").fill("150")
    dialog.get_by_role("button", name="Agree").click()
    expect(page.get_by_text("0.60 per kWh + 150 per month")).to_be_visible()
    expect(page.get_by_text("from 1 Oct 2026 on")).to_be_visible()
    page.goto("/hosts")
    page.get_by_role("link", name="Brf Eken").click()
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_a_month_is_settled_with_hosts_after_it_was_seen(page: Page, october: Platform) -> None:
    linden = {"name": "Brf Linden", "organisation_number": "769600-1234", "address": "Gatan 1", "postal_code": "903 26"}
    assert october.api.put("/hosts/linden", json={**linden, "city": "Umeå"}).is_success
    agreed = {"from": "2026-10-01", "terms": {"fixed_per_month": "150"}}
    assert october.api.put(f"/hosts/linden/agreements/{PLACE}", json=agreed).is_success
    page.goto("/hosts")
    panel = page.locator("section.settle")
    panel.get_by_label("Month").select_option("2026-10")
    panel.get_by_role("button", name="See what will happen").click()
    row = panel.get_by_role("row").filter(has_text="Brf Linden")
    expect(row).to_contain_text("150.00")
    assert october.api.get("/hosts/linden").json()["statements"] == [], "it was only seen"
    dialog = dialog_of(page, "Settle the month")
    expect(dialog).to_contain_text("hosts get their statement for October 2026")
    dialog.get_by_role("button", name="Settle the month").click()
    row.get_by_role("link", name="Statement").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    [statement] = october.api.get("/hosts/linden").json()["statements"]
    assert page.url.endswith(statement["invoice_id"])
    page.goto("/hosts")
    panel.get_by_label("Month").select_option("2026-10")
    panel.get_by_role("button", name="See what will happen").click()
    expect(
        panel.get_by_role("button", name="Settle the month").or_(panel.get_by_text("No host is left"))
    ).to_be_visible()
    expect(row).to_have_count(0)


def test_who_pays_which_part_is_agreed_on_the_page_of_a_contract(context: BrowserContext, october: Platform) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto("/contracts/c-000009")
    panel = page.locator("section.panel").filter(has_text="Who pays which part")
    dialog = dialog_of(page, "Add a part")
    dialog.get_by_label("Customer (id)").fill("nobody")
    dialog.get_by_label("Of").select_option(label="Energy")
    dialog.get_by_label("Part [%]").fill("62,5")
    dialog.get_by_label("Up to, in a month").fill("900,50")
    dialog.get_by_role("button", name="Add a part").click()
    expect(dialog.get_by_role("alert")).to_contain_text("nobody")
    dialog.get_by_label("Customer (id)").fill("p-000001")
    dialog.get_by_role("button", name="Add a part").click()
    expect(panel.get_by_text("62.5 % of Energy, up to 900.50 in a month")).to_be_visible()
    dialog = dialog_of(page, "Who pays the rest")
    dialog.get_by_label("Customer (id)").fill("p-000002")
    dialog.get_by_role("button", name="Who pays the rest").click()
    expect(panel.get_by_text("p-000002: the rest")).to_be_visible()
    agreement = october.api.get("/contracts/c-000009/agreement").json()["agreement"]
    share = {"payer_id": "p-000001", "kinds": ["energy"], "part": "62.5", "up_to_per_month": "900.50"}
    assert agreement == {"shares": [share], "rest": "p-000002"}
    dialog = dialog_of(page, "Remove")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The payer pays all of it.")).to_be_visible()
    page.close()


def test_exchange_rates_are_taken_in_on_the_page_of_the_books(context: BrowserContext, october: Platform) -> None:
    page = context.new_page()  # the browser itself complains of a refusal
    page.goto("/ledger")
    expect(page.get_by_role("heading", name="Exchange rates")).to_be_visible()
    section = page.locator("section.rates")
    for content, told in ((b"nothing", "is not Date and the currencies"), (RATES, "2 new rates, 0 changed")):
        section.locator("input[type=file]").set_input_files(
            [{"name": "eurofxref.csv", "mimeType": "text/csv", "buffer": content}]
        )
        expect(section.get_by_role("status")).to_contain_text(told)
    section.get_by_text("The last rate of 2 currencies").click()
    expect(section.get_by_role("row").filter(has_text="SEK")).to_contain_text("1 EUR = 11.0350")
    page.close()


def test_the_page_of_a_contract_says_who_pays_which_part(page: Page, october: Platform) -> None:
    shares = [{"payer_id": "p-000001", "kinds": ["energy"], "part": "60", "up_to_per_month": "900.50"}]
    agreement = {"agreement": {"shares": shares, "rest": "p-000002"}}
    assert october.api.put("/contracts/c-000007/agreement", json=agreement).status_code == 200
    page.goto("/contracts/c-000007")
    expect(page.get_by_text("60 % of Energy, up to 900.50 in a month")).to_be_visible()
    expect(page.get_by_text("p-000002: the rest")).to_be_visible()
    page.goto("/contracts/c-000008")
    expect(page.get_by_text("The payer pays all of it.")).to_be_visible()

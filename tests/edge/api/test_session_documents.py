"""Does a session show its receipt, and does the receipt's page open without a log-in?"""

from decimal import Decimal

import httpx
import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.fake_provider import fake_provider
from tests.edge.paid_at_once import SESSION, Station, on_database


@pytest.fixture(scope="module")
def paid(api: RunningApi) -> RunningApi:
    """An API whose tenant has a session that was paid by phone, and corrected since."""

    async def work(station: Station) -> None:
        await station.begin()
        await station.by_phone("150")
        assert await station.price(20_000) == Decimal("100.00")
        await station.jobs()
        await station.price(15_000, revision=2)
        await station.jobs()

    with fake_provider() as fake:
        on_database(api.dsn, fake, work, tenant=1)
    return api


def test_a_receipt_shows_what_it_is_in_the_books(paid: RunningApi) -> None:
    found = paid.client.get(f"/sessions/{SESSION}/documents").json()["items"][0]
    [entry] = paid.client.get(f"/invoices/{found['id']}").json()["entries"]
    assert {each["account"]: each["amount"] for each in entry["postings"]} == {
        "2420": "100.00", "3001": "-80.00", "2611": "-20.00",
    }  # fmt: skip


def test_a_session_shows_its_documents_and_their_pages_open_without_a_login(paid: RunningApi) -> None:
    answer = paid.client.get(f"/sessions/{SESSION.replace('-', '').lower()}/documents")
    assert answer.status_code == 200
    found = answer.json()["items"]
    assert [(each["kind"], each["number"], each["gross"]) for each in found] == [
        ("receipt", "70000001", "100.00"), ("credit_note", "50000001", "100.00"), ("receipt", "70000002", "75.00"),
    ]  # fmt: skip
    with httpx.Client(base_url=paid.url, timeout=20) as driver:
        page = driver.get(found[2]["page"])
        assert page.status_code == 200
        assert "Kvitto 70000002" in page.text and "Betalt" in page.text and "75,00\xa0kr" in page.text
        assert "Kvittot som PDF" in page.text and "session/" not in page.text
        assert driver.get(f"{found[2]['page']}/pdf").content.startswith(b"%PDF")
        assert "Paid" in driver.get(f"{found[2]['page']}?language=en").text


def test_a_session_without_documents_has_none_and_one_that_is_unknown_is_not_found(paid: RunningApi) -> None:
    paid.sql(
        """INSERT INTO session (tenant, id, origin, station, state, version, started_at, body)
        VALUES (1, '2222-2222-2222-2222', 'station', 'CP-1', 'active', 1, now(), '{}')"""
    )
    assert paid.client.get("/sessions/2222-2222-2222-2222/documents").json()["items"] == []
    assert paid.client.get("/sessions/3333-3333-3333-3333/documents").status_code == 404


def test_a_payment_that_was_left_over_says_so(paid: RunningApi) -> None:
    states = {(each["reason"], each["amount"], each["state"]) for each in paid.client.get("/refunds").json()["items"]}
    assert states == {("left_over", "50.00", "paid"), ("left_over", "25.00", "paid")}

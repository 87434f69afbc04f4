"""Can a driver without a contract see what they are asked to pay, and object to it?"""

import httpx
import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.fake_provider import fake_provider
from tests.edge.paid_at_once import SESSION, Station, on_database


@pytest.fixture(scope="module")
def claimed(api: RunningApi) -> RunningApi:
    """An API whose tenant has a session that nobody paid, for the hold had lapsed."""

    async def work(station: Station) -> None:
        await station.begin("review")
        hold_id = await station.on_card()
        station.fake.become(f"pi_request-{hold_id}", "canceled")
        await station.work(station.keeper, hold_id)
        await station.price(20_000)
        await station.jobs()

    with fake_provider() as fake:
        on_database(api.dsn, fake, work, tenant=1)
    return api


def test_a_driver_objects_to_a_claim_on_its_page_and_is_given_it_back(claimed: RunningApi) -> None:
    [document] = claimed.client.get(f"/sessions/{SESSION}/documents").json()["items"]
    assert (document["kind"], document["gross"]) == ("invoice", "100.00")
    claim = claimed.client.get(f"/invoices/{document['id']}").json()
    assert (claim["state"], claim["open"], claim["reminders"]) == ("open", "100.00", [])
    with httpx.Client(base_url=claimed.url, timeout=20) as driver:
        page = driver.get(document["page"])
        assert page.status_code == 200
        assert f"Faktura {document['number']}" in page.text and claim["content"]["payment_reference"] in page.text
        assert "session/" not in page.text, "the page names nobody"
        sent = driver.post(document["page"], data={"reason": "The card was charged", "session_id": SESSION})
        assert sent.status_code == 303
        [dispute] = claimed.client.get(f"/invoices/{document['id']}").json()["disputes"]
        assert (dispute["opened_by"], dispute["session_id"]) == ("customer", SESSION)
        decision = {"decision": "accepted", "note": "It was.", "credit": True}
        claimed.client.post(f"/invoices/{document['id']}/disputes/1/decision", json=decision).raise_for_status()
        assert "It was." in driver.get(document["page"]).text
    after = claimed.client.get(f"/invoices/{document['id']}").json()
    assert (after["state"], after["open"]) == ("credited", "0.00")
    assert claimed.client.get("/deliveries").json()["items"] == []

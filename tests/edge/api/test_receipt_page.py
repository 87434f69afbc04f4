"""Can a customer see their invoice and object to it without a log-in, and nobody anything else?"""

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, billed, filled, get, one

__all__ = ["billed", "filled"]


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("filled").clock.at = AFTER


@pytest.fixture
def page(billed: RunningApi) -> Iterator[tuple[httpx.Client, str, str]]:
    """A browser without a log-in, an invoice, and the address of its page."""
    items = get(billed, "/invoices", state="open")["items"]
    invoice_id = next(each["id"] for each in items if not get(billed, f"/invoices/{each['id']}")["disputes"])
    with httpx.Client(base_url=billed.url, timeout=20) as client:
        yield client, invoice_id, get(billed, f"/invoices/{invoice_id}")["page"]


def test_a_customer_sees_their_invoice_and_objects_without_a_login(
    billed: RunningApi, page: tuple[httpx.Client, str, str]
) -> None:
    client, invoice_id, path = page
    shown = client.get(path)
    content = get(billed, f"/invoices/{invoice_id}")["content"]
    assert shown.status_code == 200
    assert (shown.headers["cache-control"], shown.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert f"Faktura {content['number']}" in shown.text
    assert "kr/kWh" in shown.text and "<script" not in shown.text
    assert content["buyer"]["name"] not in shown.text, "the page names nobody"
    assert f"Invoice {content['number']}" in client.get(f"{path}?language=en").text
    reason = "I was <b>not</b> there"
    sent = client.post(f"{path}?language=en", data={"reason": reason, "session_id": ""})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?language=en")
    after = client.get(sent.headers["location"]).text
    assert "I was &lt;b&gt;not&lt;/b&gt; there" in after and "<form" not in after
    assert client.post(path, data={"reason": "twice"}).status_code == 409
    [dispute] = get(billed, f"/invoices/{invoice_id}")["disputes"]
    assert (dispute["opened_by"], dispute["reason"]) == ("customer", reason)
    note = {"decision": "accepted", "note": "We take it back."}
    billed.client.post(f"/invoices/{invoice_id}/disputes/1/decision", json=note).raise_for_status()
    assert "We take it back." in client.get(path).text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"reason=a%00b"),
        ("application/x-www-form-urlencoded", b"reason=%ff%fe&session_id=%ed%a0%80"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=reason; filename=f\r\n\r\na\r\n--x--",
        ),
        ("application/json", b"{"),
    ],
)
def test_what_is_no_form_opens_no_dispute_and_is_answered(
    billed: RunningApi, page: tuple[httpx.Client, str, str], kind: str, body: bytes
) -> None:
    client, invoice_id, path = page
    answer = client.post(path, content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 422), answer.text
    assert get(billed, f"/invoices/{invoice_id}")["disputes"] == []


def test_a_wrong_link_opens_nothing_and_is_counted(billed: RunningApi, page: tuple[httpx.Client, str, str]) -> None:
    client, _, _ = page
    path = get(billed, f"/invoices/{get(billed, '/invoices', state='open')['items'][-1]['id']}")["page"]
    other = get(billed, f"/invoices/{one(billed)}")["page"]
    signature, name = path[9:52], path[52:]
    for wrong in (
        path[:-1],
        f"/receipt/A{path[10:]}",
        f"/receipt/{other[9:52]}{name}",
        f"/receipt/{signature}",
        "/receipt/x",
    ):
        if wrong not in (path, other):
            answer = client.get(wrong)
            assert answer.status_code == 404
            assert "Länken är fel" in answer.text
    assert {client.get(f"/receipt/{number}").status_code for number in range(40)} == {404, 429}

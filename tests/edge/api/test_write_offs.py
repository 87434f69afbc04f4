"""Can finance give up what nobody will pay, see it on the invoice, and take it back?"""

from decimal import Decimal

import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, READER, STRANGER, as_, billed, filled, get

__all__ = ["billed", "filled"]

WISH = {"reason": "konkurs", "amount": "10.00", "vat_relief": True}


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("filled").clock.at = AFTER


def test_an_administrator_writes_off_once_and_takes_it_back(billed: RunningApi) -> None:
    first = get(billed, "/invoices", kind="invoice", state="open")["items"][0]
    page, path = f"/invoices/{first['id']}", f"/invoices/{first['id']}/write-off"
    with as_(billed, READER) as reader, as_(billed, STRANGER) as stranger:
        assert reader.post(path, json=WISH).status_code == 403
        assert stranger.post(path, json=WISH).status_code == 404
    assert billed.client.post(path, json={"reason": "  "}).json()["field"] == "reason"
    assert billed.client.post(path, json={**WISH, "amount": "1000000"}).json()["field"] == "amount"
    done, again = (billed.client.post(path, json=WISH).json() for _ in range(2))
    assert done == {"amount": "10.00", "vat": "2.00", "currency": "SEK", "is_new": True}
    assert again == {**done, "is_new": False}
    invoice = get(billed, page)
    assert (invoice["state"], invoice["written_off"]) == ("open", "10.00")
    assert Decimal(invoice["open"]) == Decimal(first["payable"]) - 10
    [step] = invoice["write_offs"]
    assert (step["kind"], step["amount"], step["vat"], step["reason"]) == ("written_off", "10.00", "2.00", "konkurs")
    billed.client.post(path, json={"reason": "resten"}).raise_for_status()
    assert first["id"] in [each["id"] for each in get(billed, "/invoices", state="written_off")["items"]]
    undone = [billed.client.post(f"{path}/undo", json={"reason": "betalar ändå"}).json()["amount"] for _ in range(2)]
    assert (Decimal(undone[0]), undone[1]) == (Decimal(first["payable"]), None)
    invoice = get(billed, page)
    assert (invoice["state"], Decimal(invoice["written_off"]), Decimal(invoice["open"])) == (
        "open", 0, Decimal(first["payable"]),
    )  # fmt: skip
    assert [each["kind"] for each in invoice["events"] if each["kind"].startswith("writ")] == [
        "written_off", "written_off", "write_off_taken_back",
    ]  # fmt: skip

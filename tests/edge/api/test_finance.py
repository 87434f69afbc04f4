"""Can a month be looked at, billed and followed through the API, to its invoices, disputes and books, by its tenant only?"""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import (
    AFTER,
    CUSTOMERS,
    OCTOBER,
    READER,
    SELLER,
    STRANGER,
    as_,
    billed,
    filled,
    get,
    one,
    work,
)

__all__ = ["billed", "filled"]


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("filled").clock.at = AFTER


def test_a_month_is_planned_before_anything_happens(filled: RunningApi, tmp_path: Path) -> None:
    assert get(filled, "/billing-runs/plan", **OCTOBER)["asked_at"] is None
    assert filled.client.post("/billing-runs", json=OCTOBER).status_code == 409, "nobody has looked"
    asked = filled.client.post("/billing-runs/plan", json=OCTOBER)
    assert (asked.status_code, asked.json()["result"]) == (202, None)
    assert filled.client.post("/billing-runs", json=OCTOBER).status_code == 409, "it is still being looked at"
    work(filled, tmp_path)
    plan = get(filled, "/billing-runs/plan", **OCTOBER)
    result = plan["result"]
    assert (plan["customers"], plan["final_from"], plan["awaits_late_sessions"]) == (CUSTOMERS, "2026-11-04", False)
    assert (result["documents"], result["in_the_way_count"]) == (18, 2)
    assert sum(Decimal(item["net"]) for item in result["items"]) == Decimal(result["net"]) > 0
    assert {each["field"] for each in result["in_the_way"]} == {"e_invoice"}
    assert get(filled, "/invoices")["items"] == []


def test_a_month_is_not_final_while_late_sessions_are_awaited(filled: RunningApi, tmp_path: Path) -> None:
    filled.clock.at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    filled.client.post("/billing-runs/plan", json=OCTOBER).raise_for_status()
    work(filled, tmp_path)
    refused = filled.client.post("/billing-runs", json=OCTOBER)
    assert refused.status_code == 409
    assert "2026-11-04" in refused.json()["detail"]
    assert filled.sql("SELECT count(*) FROM billing_run")[0]["count"] == 0


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"seller_id": "nobody", "month": "2026-10"}, 404, None),
        ({"seller_id": SELLER, "month": "2026-13"}, 422, "period"),
        ({"seller_id": SELLER, "month": "october"}, 422, "month"),
        ({"seller_id": SELLER, "month": "2027-01"}, 422, "month"),
    ],
)
def test_a_month_that_can_not_be_billed_is_refused(
    filled: RunningApi, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = filled.client.post("/billing-runs/plan", json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_only_an_administrator_bills(filled: RunningApi) -> None:
    with as_(filled, READER) as reader:
        assert reader.post("/billing-runs/plan", json=OCTOBER).status_code == 403
        assert reader.post("/billing-runs", json=OCTOBER).status_code == 403


def test_a_run_is_followed_to_its_end_and_the_same_one_again_changes_nothing(
    billed: RunningApi, tmp_path: Path
) -> None:
    run = get(billed, f"/billing-runs/{SELLER}/2026-10")
    assert (run["planned"], run["done"], run["result"]["documents"]) == (18, 18, 18)
    assert run["ended_at"] and run["started_by"] and run["trouble"] is None
    assert [each["month"] for each in get(billed, "/billing-runs", seller_id=SELLER)["items"]] == ["2026-10"]
    assert get(billed, "/billing-runs/plan", **OCTOBER)["asked_at"] is None, "a plan that came true is none any more"
    before = billed.sql("SELECT count(*) FROM invoice")[0]["count"]
    billed.client.post("/billing-runs/plan", json=OCTOBER).raise_for_status()
    work(billed, tmp_path)
    billed.client.post("/billing-runs", json=OCTOBER).raise_for_status()
    work(billed, tmp_path)
    assert billed.sql("SELECT count(*) FROM invoice")[0]["count"] == before == 18
    again = get(billed, f"/billing-runs/{SELLER}/2026-10")
    assert (again["planned"], again["done"], again["result"]["documents"]) == (18, 18, 0)


def test_invoices_are_listed_in_pages_and_found(billed: RunningApi) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(billed, "/invoices", limit=7, **cursor)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(seen) == len(set(seen)) == 18
    first = get(billed, "/invoices", limit=1)["items"][0]
    for query in (
        {"number": first["number"]}, {"number": first["payment_reference"]}, {"payer_id": first["payer_id"]},
    ):  # fmt: skip
        assert [item["id"] for item in get(billed, "/invoices", **query)["items"]] == [first["id"]]
    assert get(billed, "/invoices", month="2026-09")["items"] == []
    assert len(get(billed, "/invoices", month="2026-10", seller_id=SELLER, kind="invoice")["items"]) == 18
    assert billed.client.get("/invoices", params={"cursor": "xx"}).status_code == 422


def test_what_is_not_paid_in_time_is_overdue(billed: RunningApi) -> None:
    assert get(billed, "/invoices", state="overdue")["items"] == []
    assert len(get(billed, "/invoices", state="open")["items"]) == 18
    billed.clock.at = datetime(2026, 12, 10, 23, 30, tzinfo=UTC)  # the 11th in Stockholm, a day after it was due
    items = get(billed, "/invoices", state="overdue")["items"]
    assert len(items) == 18
    assert all(item["open"] == item["payable"] for item in items)


def test_an_invoice_stays_open_when_its_seller_renames_its_account_of_receivables(billed: RunningApi) -> None:
    async def rename(accounts: str) -> None:
        connection = await asyncpg.connect(**billed.dsn)
        try:
            await connection.execute("UPDATE legal_entity SET accounts = $1::text::jsonb", accounts)
        finally:
            await connection.close()

    before = get(billed, "/invoices", limit=100)["items"]
    asyncio.run(rename('{"receivable": "1511"}'))
    try:
        assert get(billed, "/invoices", limit=100)["items"] == before
    finally:
        asyncio.run(rename("{}"))
    assert any(each["state"] == "open" for each in before)


def test_an_invoice_is_shown_with_its_whole_life(billed: RunningApi) -> None:
    invoice = get(billed, f"/invoices/{one(billed)}")
    assert invoice["chain"]["is_right"]
    content = billed.client.get(f"/invoices/{invoice['id']}/content").content
    previous = bytes.fromhex(invoice["chain"]["previous_hash"] or "")
    assert sha256(previous + content).hexdigest() == invoice["chain"]["hash"]
    assert invoice["content"]["number"] == invoice["number"]
    assert invoice["content"]["sessions"] and "rated" not in invoice["content"]["sessions"][0]
    [entry] = invoice["entries"]
    assert sum(Decimal(each["amount"]) for each in entry["postings"]) == 0
    assert [each["account"] for each in entry["postings"]] == ["1510", "3001", "2611"]
    assert billed.client.get(f"/invoices/{invoice['id']}/pdf").status_code == 404, "not rendered yet"


def test_a_document_that_is_rendered_is_downloaded(billed: RunningApi) -> None:
    invoice_id = one(billed)
    billed.sql(
        "INSERT INTO invoice_document (tenant, invoice_id, kind, bytes, sha256, rendered_at) "
        "VALUES (1, $1, 'pdf', 'a file', sha256('a file'), now())", invoice_id,
    )  # fmt: skip
    answer = billed.client.get(f"/invoices/{invoice_id}/pdf")
    assert (answer.content, answer.headers["content-type"]) == (b"a file", "application/pdf")
    assert [each["kind"] for each in get(billed, f"/invoices/{invoice_id}")["documents"]] == ["pdf"]


def test_the_books_balance_and_leave_as_sie(billed: RunningApi) -> None:
    days = {"seller_id": SELLER, "from": "2026-11-01", "to": "2026-11-30"}
    balance = get(billed, "/ledger/accounts", **days)
    assert Decimal(balance["sum"]) == 0
    assert [each["account"] for each in balance["items"]] == ["1510", "2611", "3001"]
    card = get(billed, "/ledger/accounts/1510/postings", **days, limit=10)
    rest = get(billed, "/ledger/accounts/1510/postings", **days, cursor=card["next"])
    postings = card["items"] + rest["items"]
    assert len({each["entry_id"] for each in postings}) == 18
    assert sum(Decimal(each["amount"]) for each in postings) == Decimal(balance["items"][0]["closing"])
    sie = billed.client.get("/ledger/sie", params=days).content.decode("cp437")
    assert sie.count("#VER ") == 18
    amounts = [Decimal(found) for found in re.findall(r"#TRANS 1510 \{\} (\S+)", sie)]
    assert sum(amounts) == Decimal(balance["items"][0]["closing"])
    later = get(billed, "/ledger/accounts", **{**days, "from": "2026-12-01", "to": "2026-12-31"})["items"][0]
    assert (later["opening"], later["debit"]) == (later["closing"], "0")
    assert billed.client.get("/ledger/sie", params={**days, "to": "2026-10-01"}).json()["field"] == "to"


def test_support_opens_a_dispute_and_decides_it_once(billed: RunningApi) -> None:
    invoice_id = get(billed, "/invoices", state="open")["items"][1]["id"]
    session_id = get(billed, f"/invoices/{invoice_id}")["content"]["sessions"][0]["session_id"]
    path = f"/invoices/{invoice_id}/disputes"
    for body, field in (
        ({"reason": "  "}, "reason"),
        ({"reason": "wrong", "session_id": "of-another"}, "session_id"),
        ({"reason": "wrong", "deadline": "2026-11-09"}, "deadline"),
    ):
        assert billed.client.post(path, json=body).json()["field"] == field
    opened = billed.client.post(path, json={"reason": "the car was not there", "session_id": session_id})
    assert opened.status_code == 201
    assert (opened.json()["deadline"], opened.json()["number"]) == ("2026-11-24", 1)
    assert billed.client.post(path, json={"reason": "once more"}).status_code == 409
    assert [each["id"] for each in get(billed, "/invoices", state="disputed")["items"]] == [invoice_id]
    decision = {"decision": "rejected", "note": "the meter was read at both ends"}
    assert billed.client.post(f"{path}/1/decision", json=decision).json()["decision"] == "rejected"
    assert billed.client.post(f"{path}/1/decision", json=decision).status_code == 409
    assert billed.client.post(f"{path}/7/decision", json=decision).status_code == 404
    told = get(billed, f"/invoices/{invoice_id}")
    assert [each["kind"] for each in told["events"]] == ["disputed", "dispute_rejected"]
    assert not told["is_disputed"]
    assert billed.client.post(path, json={"reason": "still"}).json()["number"] == 2
    with pytest.raises(asyncpg.RestrictViolationError):
        billed.sql("UPDATE dispute SET reason = 'another' WHERE invoice_id = $1", invoice_id)


def test_an_invoice_is_credited_once_by_an_administrator(billed: RunningApi) -> None:
    last = get(billed, "/invoices", kind="invoice", state="open")["items"][-1]
    path, wish = f"/invoices/{last['id']}/credit", {"reason": "the cable was broken"}
    with as_(billed, READER) as reader:
        assert reader.post(path, json=wish).status_code == 403
    assert billed.client.post(path, json={"reason": " "}).json()["field"] == "reason"
    part = billed.client.post(path, json={**wish, "gross": "10.00", "vat_percent": "25"}).json()
    assert (part["gross"], part["is_new"]) == ("10.00", True)
    assert billed.client.post(path, json={**wish, "gross": "100000", "vat_percent": "25"}).status_code == 422
    assert Decimal(get(billed, f"/invoices/{last['id']}")["open"]) == Decimal(last["payable"]) - 10
    rest = billed.client.post(path, json=wish).json()
    assert Decimal(rest["gross"]) == Decimal(last["gross"]) - 10
    again = billed.client.post(path, json=wish).json()
    assert (again["id"], again["is_new"]) == (rest["id"], False)
    credited = get(billed, f"/invoices/{last['id']}")
    assert (credited["state"], Decimal(credited["open"])) == ("credited", 0)
    assert [each["id"] for each in credited["credits"]] == [part["id"], rest["id"]]
    note = get(billed, f"/invoices/{rest['id']}")
    assert (note["state"], note["refers_to"], note["chain"]["is_right"]) == ("credit_note", last["id"], True)
    answer = billed.client.post(f"/invoices/{rest['id']}/disputes", json={"reason": "why"})
    assert (answer.status_code, answer.json()["field"]) == (422, "invoice"), "nobody owes a credit note"


def test_what_is_accepted_is_credited_with_it(billed: RunningApi) -> None:
    invoice_id = next(each["id"] for each in get(billed, "/invoices", state="open")["items"] if not each["is_disputed"])
    path = f"/invoices/{invoice_id}/disputes"
    number = billed.client.post(path, json={"reason": "no"}).json()["number"]
    both = {"decision": "rejected", "note": "no", "credit": True}
    assert billed.client.post(f"{path}/{number}/decision", json=both).json()["field"] == "credit"
    both["decision"] = "accepted"
    assert billed.client.post(f"{path}/{number}/decision", json=both).status_code == 200
    assert billed.client.post(f"{path}/{number}/decision", json=both).status_code == 409
    shown = get(billed, f"/invoices/{invoice_id}")
    assert (shown["state"], len(shown["credits"]), shown["disputes"][-1]["decision"]) == ("credited", 1, "accepted")


def disputed(billed: RunningApi) -> tuple[str, str, str]:
    """An open invoice with at least two sessions, the first of them, and the path of a dispute about it."""
    for row in get(billed, "/invoices", state="open")["items"]:
        content = get(billed, f"/invoices/{row['id']}")["content"]
        if not row["is_disputed"] and Decimal(row["credited"]) == 0 and len(content["sessions"]) > 1:
            session = content["sessions"][0]["session_id"]
            path = f"/invoices/{row['id']}/disputes"
            opened = billed.client.post(path, json={"reason": "the cable fell out", "session_id": session})
            return row["id"], session, f"{path}/{opened.json()['number']}/decision"
    raise AssertionError("no such invoice is left")


def test_what_is_accepted_of_a_session_is_credited_with_it(billed: RunningApi) -> None:
    invoice_id, session, path = disputed(billed)
    accepted = {"decision": "accepted", "note": "you are right", "credit": True}
    assert billed.client.post(path, json=accepted).status_code == 200
    shown = get(billed, f"/invoices/{invoice_id}")
    [note] = [get(billed, f"/invoices/{each['id']}") for each in shown["credits"]]
    lines = [line for line in shown["content"]["lines"] if line.get("session_id") == session]
    assert [line["net"] for line in note["content"]["lines"]] == [line["net"] for line in lines] != []
    assert note["content"]["refers_to"]["number"] == shown["number"]
    assert Decimal(shown["open"]) == Decimal(shown["payable"]) - Decimal(note["gross"]) > 0
    told = shown["events"][-1]
    assert (told["kind"], told["body"]["credit_note"]) == ("dispute_accepted", note["id"])
    again = billed.client.post(
        f"/invoices/{invoice_id}/disputes", json={"reason": "again", "session_id": session}
    ).json()
    once_more = {**accepted, "note": "right again"}
    refused = billed.client.post(f"/invoices/{invoice_id}/disputes/{again['number']}/decision", json=once_more)
    assert (refused.status_code, "credited already" in refused.json()["detail"]) == (409, True)
    assert get(billed, f"/invoices/{invoice_id}")["disputes"][-1]["decision"] is None, "neither is written"


def test_an_amount_is_credited_with_what_is_accepted_or_nothing_happens(billed: RunningApi) -> None:
    invoice_id, _, path = disputed(billed)
    accepted = {"decision": "accepted", "note": "half of it", "credit": True}
    for wrong, field in (
        ({"gross": "99999.00"}, "credit"), ({"gross": "-1.00"}, "gross"), ({"gross": "1.00", "vat_percent": "6"}, "vat"),
        ({"gross": "1.00", "credit": False}, "gross"),
    ):  # fmt: skip
        answer = billed.client.post(path, json={**accepted, **wrong})
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    shown = get(billed, f"/invoices/{invoice_id}")
    assert (shown["credits"], shown["disputes"][-1]["decision"]) == ([], None)
    assert billed.client.post(path, json={**accepted, "gross": "10.00", "vat_percent": "25"}).status_code == 200
    shown = get(billed, f"/invoices/{invoice_id}")
    assert ([each["gross"] for each in shown["credits"]], shown["disputes"][-1]["decision"]) == (["10.00"], "accepted")


def test_two_disputes_that_are_answered_in_the_same_words_are_credited_twice(billed: RunningApi) -> None:
    invoice_id, _, path = disputed(billed)
    answer = {"decision": "accepted", "note": "we are sorry", "credit": True, "gross": "1.00", "vat_percent": "25"}
    assert billed.client.post(path, json=answer).status_code == 200
    disputes = f"/invoices/{invoice_id}/disputes"
    second = billed.client.post(disputes, json={"reason": "and the next day again"}).json()["number"]
    assert billed.client.post(f"{disputes}/{second}/decision", json=answer).status_code == 200
    shown = get(billed, f"/invoices/{invoice_id}")
    assert [each["gross"] for each in shown["credits"]] == ["1.00", "1.00"]
    told = [each["body"]["credit_note"] for each in shown["events"] if each["kind"] == "dispute_accepted"]
    assert len(set(told)) == 2


def test_two_who_accept_at_once_credit_once(billed: RunningApi) -> None:
    invoice_id, _, path = disputed(billed)
    bodies = [{"decision": "accepted", "note": f"person {n}", "credit": True, "gross": "1.00"} for n in range(4)]
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(lambda body: billed.client.post(path, json=body).status_code, bodies))
    assert sorted(answers) == [200, 409, 409, 409]
    assert len(get(billed, f"/invoices/{invoice_id}")["credits"]) == 1


def test_another_tenant_sees_nothing_of_it(billed: RunningApi) -> None:
    invoice_id = one(billed)
    days = {"seller_id": SELLER, "from": "2026-11-01", "to": "2026-11-30"}
    with as_(billed, STRANGER) as stranger:
        for path in ("/invoices", "/billing-runs", "/payers", "/contracts", "/legal-entities"):
            assert stranger.get(path).json()["items"] == []
        for path in (
            f"/invoices/{invoice_id}", f"/invoices/{invoice_id}/content", f"/invoices/{invoice_id}/pdf",
            f"/billing-runs/{SELLER}/2026-10", "/payers/p-000001",
        ):  # fmt: skip
            assert stranger.get(path).status_code == 404
        assert stranger.get("/billing-runs/plan", params=OCTOBER).status_code == 404
        assert stranger.post("/billing-runs/plan", json=OCTOBER).status_code == 404
        assert stranger.get("/ledger/accounts", params=days).status_code == 404
        assert stranger.get("/ledger/sie", params=days).status_code == 404
        assert stranger.get("/ledger/accounts/1510/postings", params=days).json()["items"] == []
        assert stranger.post(f"/invoices/{invoice_id}/disputes", json={"reason": "mine"}).status_code == 404


def test_amounts_leave_as_decimals(billed: RunningApi) -> None:
    raw = msgspec.json.decode(billed.client.get("/invoices", params={"limit": 1}).content)
    assert all(
        isinstance(raw["items"][0][name], str) for name in ("net", "vat", "gross", "payable", "open", "credited")
    )

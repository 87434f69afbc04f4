"""Can finance take in a bank's file, clear suspense and pay back over the API, once, and nobody else's money?"""

import asyncio
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from laddbok.bench import billing_data
from laddbok.store import billing
from laddbok.store.payment_requests import NewRequest, add_request
from laddbok.wires.stripe import sign
from tests.edge.api.conftest import WEBHOOK_SECRET, RunningApi
from tests.store.test_bank_import import entry, file_of
from tests.store.test_payments import GROSS, document

BANK = Path(__file__).parent.parent.parent / "golden/bank"
BATCH = (BANK / "camt054_batch.xml").read_bytes()
DAY = (BANK / "camt053_day.xml").read_bytes()
AT = datetime(2026, 12, 10, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def bank(api: RunningApi) -> RunningApi:
    """The API with a seller that has five invoices open, and both files taken in."""

    async def fill() -> None:
        connection = await asyncpg.connect(**api.dsn)
        await billing_data.fill(connection, 1, 5, 0)
        [terms] = await billing.seller_terms(connection, 1, billing_data.SELLER)
        planned = [
            document(terms, f"p-{min(n, 4):06d}", f"Kund {min(n, 4)}", gross) for n, gross in enumerate(GROSS, 1)
        ]
        await billing.finalise(connection, 1, terms, planned, None, AT)
        await connection.close()

    asyncio.run(fill())
    assert [post(api, each).status_code for each in (BATCH, DAY)] == [200, 200]
    return api


def post(api: RunningApi, content: bytes, **more: Any) -> httpx.Response:
    headers = {"Content-Type": "application/xml"}
    return api.client.post("/payments/import", params={"name": "f.xml"}, content=content, headers=headers, **more)


def payment(api: RunningApi, amount: str) -> dict[str, Any]:
    [found] = [each for each in api.client.get("/payments").json()["items"] if each["amount"] == amount]
    return dict(found)


def test_B55_a_file_is_taken_in_once_and_its_payments_are_listed(bank: RunningApi) -> None:
    again = post(bank, BATCH).json()
    assert (again["is_new"], again["payments"]) == (False, 0)
    items = bank.client.get("/payments").json()["items"]
    assert {each["amount"]: each["reason"] for each in items} == {
        "3718.61": "reference", "2281.39": "number_in_text", "600.00": "reference", "-112.75": "went_out",
    }  # fmt: skip
    first = bank.client.get("/payments", params={"limit": 1}).json()
    rest = bank.client.get("/payments", params={"cursor": first["next"]}).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == [each["id"] for each in items]
    assert bank.client.get("/payments", params={"provider": "swish"}).json()["items"] == []


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (BATCH[:900], "file"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]>' + BATCH, "file"),
        (BATCH.replace(b"991-2346", b"991-9999"), "account"),
        (BATCH.replace(b">2281.39<", b">2281.40<"), "NtryDtls"),
        (b"", "file"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_by_name_and_changes_nothing(
    bank: RunningApi, content: bytes, field: str
) -> None:
    before = bank.sql("SELECT count(*) AS n FROM bank_file")[0]["n"]
    answer = post(bank, content)
    assert answer.status_code == 422
    assert answer.json()["field"].endswith(field)
    assert bank.sql("SELECT count(*) AS n FROM bank_file")[0]["n"] == before


def test_a_file_that_is_too_long_is_refused(bank: RunningApi) -> None:
    assert post(bank, BATCH + b" " * 1_100_000).status_code == 413


def test_suspense_is_cleared_by_a_person(bank: RunningApi) -> None:
    items = bank.client.get("/payments", params={"in_suspense": True}).json()["items"]
    assert {each["amount"] for each in items} == {"-112.75"}
    bank.client.put("/payers/p-000001", json={"name": "Kund 1"}).raise_for_status()
    path = f"/payments/{items[0]['id']}/allocations"
    for body, field in (
        ({"amount": "-112.75", "to": "invoice"}, "invoice"),
        ({"amount": "-112.75", "to": "balance", "invoice": "1"}, "invoice"),
        ({"amount": "-112.75", "to": "balance"}, "payer_id"),
        ({"amount": "1", "to": "settlement"}, "amount"),
        ({"amount": "1.001", "to": "settlement"}, "amount"),
        ({"amount": "NaN", "to": "settlement"}, "amount"),
    ):
        answer = bank.client.post(path, json=body)
        assert (answer.status_code, answer.json().get("field")) == (422, field), body
    missing = {"amount": "-1.00", "to": "balance", "payer_id": "nobody"}
    assert bank.client.post(path, json=missing).status_code == 404
    key = {"Idempotency-Key": "move-1"}
    for _ in range(2):
        answer = bank.client.post(path, json={"amount": "-100.00", "to": "settlement"}, headers=key)
        assert answer.status_code == 201
    found = bank.client.get(f"/payments/{items[0]['id']}").json()
    assert [(each["kind"], each["amount"]) for each in found["parts"]] == [
        ("suspense", "-112.75"), ("suspense", "100.00"), ("settlement", "-100.00"),
    ]  # fmt: skip
    assert found["payment"]["suspense"] == "-12.75"


def test_a_payment_says_which_references_its_payer_gave(bank: RunningApi) -> None:
    assert payment(bank, "3718.61")["named"] == ["1000000107"]
    assert payment(bank, "-112.75")["named"] == []


def test_B51_a_double_click_is_one_refund_and_more_than_remains_is_refused(bank: RunningApi) -> None:
    found = payment(bank, "600.00")
    assert found["balance"] == "100.00"
    path, body = f"/payments/{found['id']}/refunds", {"amount": "40.00"}
    assert bank.client.post(path, json=body).json()["field"] == "Idempotency-Key"
    answers = [bank.client.post(path, json=body, headers={"Idempotency-Key": "r-1"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    bank.sql("DELETE FROM idempotency WHERE key LIKE '%r-1'")
    again = bank.client.post(path, json=body, headers={"Idempotency-Key": "r-1"})
    assert again.json()["id"] == answers[0].json()["id"]
    answer = bank.client.post(path, json={"amount": "60.01"}, headers={"Idempotency-Key": "r-2"})
    assert answer.status_code == 409
    refunds = bank.client.get("/refunds", params={"state": "requested"}).json()["items"]
    assert [(each["amount"], each["state"]) for each in refunds] == [("40.00", "requested")]
    assert bank.sql("SELECT sum(amount) AS n FROM posting")[0]["n"] == 0
    decided = bank.client.post(f"/refunds/{refunds[0]['id']}/decision", json={"pay": False})
    assert decided.status_code == 409


def test_what_we_owe_on_a_document_goes_to_the_credit_of_its_payer_once(bank: RunningApi) -> None:
    async def below_0() -> None:
        connection = await asyncpg.connect(**bank.dsn)
        [terms] = await billing.seller_terms(connection, 1, billing_data.SELLER)
        await billing.finalise(connection, 1, terms, [document(terms, "p-000004", "Kund 4", "-80.00")], None, AT)
        await connection.close()

    asyncio.run(below_0())
    path, key = "/invoices/10000006/to-credit", {"Idempotency-Key": "c-1"}
    answers = [bank.client.post(path, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    made = answers[0].json()
    assert (made["payment"]["provider"], made["payment"]["amount"], made["payment"]["balance"]) == (
        "set_off",
        "0",
        "80.00",
    )
    assert [(each["kind"], each["amount"], each["reason"]) for each in made["parts"]] == [
        ("invoice", "-80.00", "owed"), ("balance", "80.00", "owed"),
    ]  # fmt: skip
    assert bank.client.post(path).status_code == 409
    assert bank.client.post("/invoices/10000004/to-credit").status_code == 409
    assert bank.client.post("/invoices/nobodys/to-credit").status_code == 404
    moves = f"/payments/{made['payment']['id']}/allocations"
    body = {"amount": "80.00", "to": "invoice", "invoice": "10000004", "source": "balance"}
    assert bank.client.post(moves, json=body).json()["payment"]["balance"] == "0.00"
    [invoice] = bank.sql("SELECT id FROM invoice WHERE number_text = '10000004'")
    assert bank.client.get(f"/invoices/{invoice['id']}").json()["open"] == "1170.00"


def test_readers_look_and_another_tenant_sees_nothing(bank: RunningApi) -> None:
    bank.sql("INSERT INTO tenant (name, created_at) VALUES ('other', now())")
    for name, tenant, role in (("reader", 1, "reader"), ("other", 2, "administrator")):
        bank.sql(
            "INSERT INTO api_key (tenant, id, digest, role, created_at) "
            "VALUES ($1, $2, sha256($3::text::bytea), $4, now())", tenant, name, f"{name}-key-0123456789abcdef", role,
        )  # fmt: skip

    def asked(name: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {name}-key-0123456789abcdef", **more.pop("headers", {})}
        return bank.client.request(method, path, headers=headers, **more)

    found = payment(bank, "600.00")
    assert asked("reader", "GET", "/payments").status_code == 200
    assert asked("reader", "POST", "/payments/import", content=DAY).status_code == 403
    assert asked("other", "GET", "/payments").json()["items"] == []
    assert asked("other", "GET", f"/payments/{found['id']}").status_code == 404
    move = {"amount": "1.00", "to": "settlement"}
    assert asked("other", "POST", f"/payments/{found['id']}/allocations", json=move).status_code == 404
    refund = {"headers": {"Idempotency-Key": "x"}, "json": {"amount": "1.00"}}
    assert asked("other", "POST", f"/payments/{found['id']}/refunds", **refund).status_code == 404
    assert asked("other", "POST", "/payments/import", content=BATCH).status_code == 422


def test_B56_a_callback_twice_queues_one_question_and_is_never_believed(bank: RunningApi) -> None:
    async def wanted() -> str:
        connection = await asyncpg.connect(**bank.dsn)
        new = NewRequest(provider="stripe", amount=Decimal(10), message="x")
        request_id = await add_request(connection, 1, billing_data.SELLER, new, AT)
        await connection.execute("UPDATE payment_request SET provider_reference = 'pi_7' WHERE id = $1", request_id)
        await connection.execute("DELETE FROM job WHERE kind = 'ask_payment'")
        await connection.close()
        return request_id

    request_id = asyncio.run(wanted())
    body = json.dumps({"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_7"}}}).encode()
    url = f"{bank.url}/api/v1/payment-callbacks/stripe"
    signed = {"Stripe-Signature": sign(body, int(time.time()), WEBHOOK_SECRET), "Content-Type": "application/json"}
    assert httpx.post(url, content=body, headers={"Stripe-Signature": "t=1,v1=00"}).status_code == 422
    assert [httpx.post(url, content=body, headers=signed).status_code for _ in range(2)] == [204, 204]
    jobs = bank.sql("SELECT key, requests FROM job WHERE kind = 'ask_payment'")
    assert [tuple(row) for row in jobs] == [(f"1/{request_id}", 2)]
    assert bank.sql("SELECT state FROM payment_request")[0]["state"] == "wanted"
    assert httpx.post(url.replace("stripe", "swish"), json={"id": "0A" * 16, "status": "PAID"}).status_code == 204
    assert httpx.post(url.replace("stripe", "paypal"), json={}).status_code == 404


def test_B55_what_is_perhaps_told_twice_is_taken_out_again_by_a_person(bank: RunningApi) -> None:
    told = (
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N9</MsgId></GrpHdr>'
        b"<Ntfctn><Acct><Id><Othr><Id>991-2346</Id></Othr></Id></Acct><Ntry>"
        b'<Amt Ccy="SEK">600.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-12-04</Dt></BookgDt>'
        b"<AcctSvcrRef>N9-1</AcctSvcrRef></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )
    other = payment(bank, "600.00")
    answer = bank.client.post("/payments/import", params={"name": "n9.xml"}, content=told)
    assert (answer.status_code, answer.json()["in_suspense"]) == (200, 1)
    waits = bank.client.get("/payments", params={"in_suspense": "true"}).json()["items"]
    [found] = [each for each in waits if each["perhaps_same_as"]]
    assert (found["perhaps_same_as"], found["reason"], found["suspense"]) == ([other["id"]], "perhaps_same", "600.00")
    same = {"amount": "600.00", "to": "same"}
    answer = bank.client.post(f"/payments/{found['id']}/allocations", json=same)
    assert (answer.status_code, answer.json()["payment"]["suspense"]) == (201, "0.00")
    refused = bank.client.post(
        f"/payments/{other['id']}/allocations", json={**same, "source": "balance", "amount": "1"}
    )
    assert refused.status_code == 409


def test_money_that_the_api_takes_in_takes_back_what_was_written_off(bank: RunningApi) -> None:
    async def one_more() -> None:
        connection = await asyncpg.connect(**bank.dsn)
        [terms] = await billing.seller_terms(connection, 1, billing_data.SELLER)
        await billing.finalise(connection, 1, terms, [document(terms, "p-000003", "Kund 3", "640.00")], None, AT)
        await connection.close()

    asyncio.run(one_more())
    [made] = bank.sql("SELECT id, number_text, payment_reference FROM invoice WHERE payable = 640")
    answer = bank.client.post(f"/invoices/{made['id']}/write-off", json={"reason": "Konkurs", "amount": "640.00"})
    assert answer.status_code == 200, answer.text
    line = entry("W1", "640.00", reference=made["payment_reference"])
    answer = post(bank, file_of([line], "W"))
    assert (answer.status_code, answer.json()["in_suspense"]) == (200, 0), answer.text
    steps = bank.sql("SELECT kind, amount FROM write_off ORDER BY number")
    assert [tuple(row) for row in steps] == [("written_off", Decimal(640)), ("paid", Decimal(-640))]
    [told] = bank.sql("SELECT body ->> 'why' AS why FROM invoice_event WHERE kind = 'write_off_taken_back'")
    assert told["why"] == "paid"
    wrong = """SET ROLE laddbok_api; SELECT set_config('laddbok.tenant', '1', false);
        INSERT INTO write_off SELECT tenant, invoice_id, 9, legal_entity_id, 'written_off', day, currency, 1, NULL, reason, at, by,
        content FROM write_off WHERE number = 1"""

    async def written() -> None:
        connection = await asyncpg.connect(**bank.dsn)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(wrong)
        await connection.close()

    asyncio.run(written())

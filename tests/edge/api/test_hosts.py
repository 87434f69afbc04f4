"""Can hosts be kept, agreed with and followed to their statements through the API, by their tenant only?"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import period_of
from laddbok.store.billing import seller_terms
from laddbok.store.hosts import settle_hosts
from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, READER, SELLER, STRANGER, as_, billed, filled, get

__all__ = ["billed", "filled"]

EKEN = {
    "name": "Brf Eken",
    "organisation_number": "769600-1234",
    "address": "Torget 1",
    "postal_code": "903 26",
    "city": "Umeå",
}
TERMS = {"per_kwh": "0.60", "fixed_per_month": "150"}
PATH = "/hosts/eken/agreements/torget"


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("filled").clock.at = AFTER


def settle(api: RunningApi) -> None:
    """Settle October as `laddbok host settle --final` does."""

    async def run() -> None:
        connection = await asyncpg.connect(**api.dsn)
        try:
            [terms] = await seller_terms(connection, 1, SELLER)
            period, check = period_of("2026-10", terms, AFTER), DocumentChecks(Path("no-rules"))
            await settle_hosts(connection, 1, terms, period, AFTER, check, final=True)
        finally:
            await connection.close()

    asyncio.run(run())


def test_a_host_is_kept_agreed_with_and_followed_to_its_statement(billed: RunningApi) -> None:
    billed.sql("INSERT INTO site_seller VALUES (1, 'torget', $1, '2026-01-01', NULL)", SELLER)
    put = billed.client.put("/hosts/eken", json=EKEN)
    assert (put.status_code, put.json()["agreements"], put.json()["sites"]) == (200, [], 0)
    agreed = billed.client.put(PATH, json={"from": "2026-10-01", "terms": TERMS}).json()
    [agreement] = agreed["agreements"]
    assert (agreement["site_id"], agreement["valid_from"]) == ("torget", "2026-09-30T22:00:00Z")
    assert agreement["terms"] == TERMS
    settle(billed)
    shown = get(billed, "/hosts/eken")
    [statement] = shown["statements"]
    assert (statement["month"], statement["seller_id"], shown["settled"]) == ("2026-10", SELLER, "2026-10")
    document = get(billed, f"/invoices/{statement['invoice_id']}")
    assert (document["kind"], document["number"]) == ("self_billed", statement["number"])
    assert Decimal(statement["payable"]) == Decimal(document["payable"]) > 150
    settled = billed.client.put(PATH, json={"from": "2026-10-15", "terms": TERMS})
    assert (settled.status_code, settled.json()["field"]) == (422, "from"), (
        "a month that is settled stays as it was agreed"
    )
    changed = billed.client.put(PATH, json={"from": "2026-11-01", "terms": {"percent_of_net": "5"}}).json()
    assert [each["valid_to"] for each in changed["agreements"]] == [None, "2026-10-31T23:00:00Z"]
    ended = billed.client.put(PATH, json={"from": "2026-12-01", "terms": None}).json()
    assert (ended["agreements"][0]["valid_to"], ended["sites"]) == ("2026-11-30T23:00:00Z", 0)
    assert billed.client.put(PATH, json={"from": "2027-01-01", "terms": None}).status_code == 409, (
        "nothing is agreed then"
    )
    assert [each["id"] for each in get(billed, "/hosts")["items"]] == ["eken"]


def test_a_month_is_looked_at_then_settled_once(billed: RunningApi) -> None:
    october = {"seller_id": SELLER, "month": "2026-10"}
    site = {"name": "Lindgatan", "time_zone": "Europe/Stockholm"}
    assert billed.client.put("/sites/lindgatan", json=site).status_code == 200
    billed.sql("INSERT INTO site_seller VALUES (1, 'lindgatan', $1, '2026-01-01', NULL) RETURNING site_id", SELLER)
    assert billed.client.put("/hosts/linden", json=EKEN).status_code == 200
    agreed = billed.client.put("/hosts/linden/agreements/lindgatan", json={"from": "2026-09-01", "terms": TERMS})
    assert agreed.status_code == 200, agreed.text
    with as_(billed, READER) as reader, as_(billed, STRANGER) as stranger:
        assert reader.get("/host-settlements", params=october).status_code == 403
        assert reader.post("/host-settlements", json=october).status_code == 403
        assert stranger.post("/host-settlements", json=october).status_code in (403, 404)
    documents = billed.sql("SELECT count(*) FROM invoice")[0]["count"]
    seen = get(billed, "/host-settlements", **october)
    assert billed.sql("SELECT count(*) FROM invoice")[0]["count"] == documents, "it was looked at"
    [one] = seen["items"]
    assert (seen["final"], one["host_id"], one["invoice_id"], one["in_the_way"]) == (False, "linden", None, [])
    kept = billed.client.post("/host-settlements", json=october).json()
    [made] = kept["items"]
    assert {**made, "invoice_id": None} == one
    document = get(billed, f"/invoices/{made['invoice_id']}")
    assert (document["kind"], document["payable"], document["currency"]) == ("self_billed", made["payable"], "SEK")
    assert billed.client.post("/host-settlements", json=october).json()["items"] == [], "each host once"
    assert billed.sql("SELECT count(*) FROM invoice")[0]["count"] == documents + 1


@pytest.mark.parametrize(
    ("seller", "month", "status"), [(SELLER, "2026-11", 409), (SELLER, "2026-13", 422), ("nobody", "2026-10", 404)]
)
def test_a_month_that_can_not_be_settled_is_refused(filled: RunningApi, seller: str, month: str, status: int) -> None:
    wanted = {"seller_id": seller, "month": month}
    assert filled.client.get("/host-settlements", params=wanted).status_code == status
    assert filled.client.post("/host-settlements", json=wanted).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/hosts/x", {"name": "X", "organisation_number": "123"}, 422, "organisation_number"),
        ("/hosts/x", {"name": "X", "bankgiro": "1"}, 422, "bankgiro"),
        ("/hosts/x", {}, 422, "name"),
        ("/hosts/nobody/agreements/torget", {"from": "2027-01-01", "terms": TERMS}, 404, None),
        ("/hosts/eken/agreements/nowhere", {"from": "2027-01-01", "terms": TERMS}, 404, None),
        (PATH, {"from": "2027-01-01", "terms": {"per_kwh": "-1"}}, 422, "per_kwh"),
        (PATH, {"from": "2027-01-01", "terms": {"percent_of_net": "101"}}, 422, "percent_of_net"),
        (PATH, {"from": "2027-01-01", "terms": {"kwh": "1"}}, 422, None),
        (PATH, {"from": "soon", "terms": TERMS}, 422, "from"),
    ],
)
def test_a_host_or_an_agreement_that_can_not_be_is_refused_by_its_field(
    filled: RunningApi, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    assert filled.client.put("/hosts/eken", json=EKEN).status_code == 200
    answer = filled.client.put(path, json=body)
    assert answer.status_code == status, answer.text
    assert field is None or answer.json()["field"] == field


def test_only_an_administrator_agrees_and_another_tenant_sees_nothing(filled: RunningApi) -> None:
    assert filled.client.put("/hosts/eken", json=EKEN).status_code == 200
    with as_(filled, READER) as reader, as_(filled, STRANGER) as stranger:
        assert reader.put("/hosts/eken", json=EKEN).status_code == 403
        assert reader.put(PATH, json={"from": "2027-01-01", "terms": TERMS}).status_code == 403
        assert stranger.get("/hosts").json()["items"] == []
        assert stranger.get("/hosts/eken").status_code == 404
        assert stranger.put(PATH, json={"from": "2027-01-01", "terms": TERMS}).status_code == 404

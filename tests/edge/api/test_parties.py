"""Have customers, sellers and contracts all that invoices and books need, checked when it is written?"""

from typing import Any

import pytest

from tests.edge.api.conftest import RunningApi


def get(api: RunningApi, path: str, **params: Any) -> Any:
    return api.client.get(path, params=params).raise_for_status().json()


COMPANY = {
    "name": "Bageriet AB", "kind": "company", "organisation_number": "556036-0793", "vat_number": "SE 556036079301",
    "address": "Backen 1", "postal_code": "903 26", "city": "Umeå", "endpoint_scheme": "0007", "endpoint_id": "556036-0793",
    "buyer_reference": "4100", "language": "en", "e_invoice": True, "whole_units": True,
}  # fmt: skip


def test_a_customer_has_all_that_an_invoice_needs(api: RunningApi) -> None:
    payer = api.client.put("/payers/bageriet", json=COMPANY).json()
    assert (payer["organisation_number"], payer["vat_number"], payer["endpoint_id"]) == (
        "5560360793", "SE556036079301", "5560360793",
    )  # fmt: skip
    short = {"name": "Bageriet", "email": "a@b.se", "address": "Backen 2"}
    after = api.client.put("/payers/bageriet", json=short).json()
    assert after == {**payer, **short}, "what an older program does not know of stays"
    cleared = api.client.put("/payers/bageriet", json={"name": "Bageriet", "buyer_reference": None}).json()
    assert (cleared["buyer_reference"], cleared["email"]) == (None, None)
    assert [each["id"] for each in get(api, "/payers", q="bageri")["items"]] == ["bageriet"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organisation_number": "556036-0794"}, "organisation_number"),
        ({"organisation_number": "12"}, "organisation_number"),
        ({"vat_number": "SE556036079302"}, "vat_number"),
        ({"vat_number": "5560360793"}, "vat_number"),
        ({"endpoint_id": None}, "endpoint_id"),
        ({"endpoint_scheme": None}, "endpoint_scheme"),
        ({"endpoint_scheme": None, "endpoint_id": None}, "endpoint_id"),
        ({"email": "nobody"}, "email"),
        ({"name": "  "}, "name"),
        ({"kind": "person"}, "kind"),
        ({"language": "de"}, "language"),
        ({"country": "Sverige"}, "country"),
    ],
)
def test_a_wrong_field_of_a_customer_is_named(api: RunningApi, change: dict[str, Any], field: str) -> None:
    answer = api.client.put("/payers/wrong", json={**COMPANY, **change})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert api.client.get("/payers/wrong").status_code == 404


def test_a_seller_has_all_that_its_invoices_and_books_need(api: RunningApi) -> None:
    body = {
        "name": "Norrladd AB", "organisation_number": "556036-0793", "vat_number": "SE556036079301", "bankgiro": "9912346",
        "iban": "SE45 5000 0000 0583 9825 7466", "bic": "ESSESESS", "postal_code": "903 26", "city": "Umeå",
        "payment_days": 20, "draft_days": 5, "late_terms": {"reminder_fee": "60"}, "accounts": {"sales_25": "3051"},
    }  # fmt: skip
    seller = api.client.put("/legal-entities/second", json=body).json()
    assert (seller["bankgiro"], seller["iban"], seller["accounts"]) == (
        "991-2346", "SE4550000000058398257466", {"sales_25": "3051"},
    )  # fmt: skip
    after = api.client.put("/legal-entities/second", json={"name": "Norrladd AB"}).json()
    assert (after["draft_days"], after["accounts"], after["bankgiro"]) == (5, {"sales_25": "3051"}, None)
    for change, field in (
        ({"bankgiro": "9912347"}, "bankgiro"), ({"iban": "SE00"}, "iban"), ({"bic": "X"}, "bic"),
        ({"accounts": {"bank": "19"}}, "accounts[...]"), ({"payment_days": 400}, "payment_days"),
    ):  # fmt: skip
        assert api.client.put("/legal-entities/second", json={**body, **change}).json()["field"] == field


def test_a_seller_says_how_large_a_simplified_invoice_may_be(api: RunningApi) -> None:
    path = "/legal-entities/third"
    assert api.client.put(path, json={"name": "Tredje AB"}).json()["simplified_up_to"] == "4000"
    made = api.client.put(path, json={"name": "Tredje AB", "currency": "EUR", "simplified_up_to": "399.50"}).json()
    assert (made["simplified_up_to"], made["book_currency"]) == ("399.50", None)
    assert api.client.put(path, json={"name": "Tredje AB"}).json()["simplified_up_to"] == "399.50"
    for wrong in ("-1", "1000000", "0.001", "NaN"):
        answer = api.client.put(path, json={"name": "Tredje AB", "simplified_up_to": wrong})
        assert (answer.status_code, answer.json()["field"]) == (422, "simplified_up_to"), wrong
    assert api.client.get(path).json()["simplified_up_to"] == "399.50"


def test_the_currency_of_books_can_not_change_once_anything_is_posted(api: RunningApi) -> None:
    path = "/legal-entities/fourth"
    for books in ("EUR", "NOK", None):
        made = api.client.put(path, json={"name": "Fjärde AB", "book_currency": books})
        assert (made.status_code, made.json()["book_currency"]) == (200, books)
    api.sql(
        """INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
        VALUES (1, 'fourth', '2026-10-01', 'x', 'test', '1', now()) RETURNING id"""
    )
    for change in ({"book_currency": "EUR"}, {"country": "NO", "currency": "NOK"}):
        answer = api.client.put(path, json={"name": "Fjärde AB", **change})
        assert (answer.status_code, answer.json()["field"]) == (422, "book_currency")
    same = api.client.put(path, json={"name": "Fjärde AB", "book_currency": "SEK", "currency": "EUR"})
    assert (same.status_code, same.json()["book_currency"]) == (200, "SEK"), "kronor, said or not"


def test_a_contract_has_a_cost_centre_and_a_driver_that_stay(api: RunningApi) -> None:
    api.client.put("/payers/p-3", json={"name": "Kund 3"}).raise_for_status()
    body = {"name": "Bil 7", "payer_id": "p-3", "cost_centre": "4200", "driver": "Kim"}
    made = api.client.put("/contracts/bil-7", json=body).json()
    assert (made["payer_name"], made["cost_centre"], made["driver"]) == ("Kund 3", "4200", "Kim")
    after = api.client.put("/contracts/bil-7", json={"name": "Bil 7", "driver": None}).json()
    assert (after["cost_centre"], after["driver"], after["payer_id"]) == ("4200", None, "p-3")
    assert [each["id"] for each in get(api, "/contracts", q="bil")["items"]] == ["bil-7"]
    assert {each["id"] for each in get(api, "/contracts", payer_id="p-3")["items"]} == {"bil-7"}

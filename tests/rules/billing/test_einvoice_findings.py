"""Is it said which field of whom must be mended, before an e-invoice is refused for it?"""

from typing import Any

import pytest
from msgspec.structs import replace

from laddbok.billing.einvoice_fields import FIELDS
from laddbok.billing.einvoice_findings import in_our_words, is_bankgiro, missing
from laddbok.billing.findings import Owner
from laddbok.model.invoice import Address, BuyerKind, Endpoint, Invoice, VatRate
from tests.rules.billing.documents import BUYER, REVERSE, SELLER, document, line, simple

ADDRESS = SELLER.address


def of_buyer(**change: Any) -> list[tuple[str, str, str]]:
    return _found(simple(buyer=replace(BUYER, **change)))


def of_seller(**change: Any) -> list[tuple[str, str, str]]:
    return _found(simple(seller=replace(SELLER, **change)))


def _found(invoice: Invoice) -> list[tuple[str, str, str]]:
    return [(each.rule, each.id, each.field) for each in missing(invoice)]


def test_nothing_is_missing() -> None:
    assert of_buyer() == of_seller() == []


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"name": " "}, "BR-07", "name"),
        ({"address": None}, "BR-10", "address"),
        ({"address": replace(ADDRESS, country="Sverige")}, "BR-11", "address.country"),
        ({"address": replace(ADDRESS, city="")}, "LADDBOK-ADDRESS", "address.city"),
        ({"endpoint": None}, "PEPPOL-EN16931-R010", "endpoint"),
        ({"endpoint": Endpoint("GLN", "1")}, "PEPPOL-EN16931-CL008", "endpoint"),
        ({"endpoint": Endpoint("0007", "212000-1355")}, "PEPPOL-COMMON-R049", "endpoint"),
        ({"endpoint": Endpoint("0088", "7350000000005")}, "PEPPOL-COMMON-R040", "endpoint"),
        ({"buyer_reference": None}, "PEPPOL-EN16931-R003", "buyer_reference"),
        ({"organisation_number": "212000-1356"}, "PEPPOL-COMMON-R049", "organisation_number"),
        ({"vat_number": "212000135501"}, "BR-CO-09", "vat_number"),
        ({"vat_number": "SE212000135601"}, "LADDBOK-VAT-NUMBER", "vat_number"),
    ],
)
def test_a_field_of_the_customer_is_named(change: dict[str, Any], rule: str, field: str) -> None:
    assert of_buyer(**change) == [(rule, "kommunen", f"buyer.{field}")]


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"name": ""}, "BR-06", "name"),
        ({"vat_number": "SE5560360793"}, "SE-R-001", "vat_number"),
        ({"vat_number": "SE556036079402"}, "SE-R-001", "vat_number"),
        ({"bankgiro": None}, "BR-61", "bankgiro"),
        ({"bankgiro": "991-2345"}, "SE-R-009", "bankgiro"),
        ({"bankgiro": "12345-6"}, "SE-R-009", "bankgiro"),
        ({"iban": "SE4550000000058398257467"}, "LADDBOK-IBAN", "iban"),
        ({"address": replace(ADDRESS, postal_code=" ")}, "LADDBOK-ADDRESS", "address.postal_code"),
    ],
)
def test_a_field_of_the_seller_is_named(change: dict[str, Any], rule: str, field: str) -> None:
    assert of_seller(**change) == [(rule, "torgladd", f"seller.{field}")]


def test_a_wrong_organisation_number_of_the_seller_is_its_endpoint_too() -> None:
    assert of_seller(organisation_number="556036-0794") == [
        ("PEPPOL-COMMON-R049", "torgladd", "seller.endpoint"),
        ("SE-R-013", "torgladd", "seller.organisation_number"),
    ]


def test_an_order_number_stands_for_a_reference() -> None:
    assert of_buyer(buyer_reference=None, order_reference="4711") == []


def test_a_right_GLN_is_an_endpoint() -> None:
    assert of_buyer(endpoint=Endpoint("0088", "7350053850019")) == []


def test_a_person_needs_no_organisation_number_to_be_right() -> None:
    assert of_buyer(kind=BuyerKind.CONSUMER, organisation_number="not one") == []


def test_reverse_charge_needs_to_know_the_customer() -> None:
    unknown = replace(BUYER, organisation_number=None)
    assert _found(document([line("1", "2", "2", REVERSE)], buyer=unknown)) == [
        ("BR-AE-02", "kommunen", "buyer.vat_number")
    ]
    consumer = replace(BUYER, kind=BuyerKind.CONSUMER)
    assert _found(document([line("1", "2", "2", REVERSE)], buyer=consumer)) == [("BR-AE-02", "kommunen", "buyer.kind")]


def test_a_rate_that_sweden_has_not_is_named_with_its_line() -> None:
    odd = VatRate(percent=SWEDISH_MISTAKE)
    assert _found(document([line("1", "2", "2"), line("1", "2", "2", odd)])) == [
        ("SE-R-006", "", "lines[1].vat.percent")
    ]


SWEDISH_MISTAKE = simple().lines[0].vat.percent - 1


def test_a_foreign_seller_has_its_own_numbers() -> None:
    norway = Address(street="Storgata 1", postal_code="0155", city="Oslo", country="NO")
    endpoint = Endpoint("0192", "987654325")
    assert (
        of_seller(address=norway, vat_number="NO987654325MVA", organisation_number="987654325", endpoint=endpoint) == []
    )
    assert ("BR-CO-09", "torgladd", "seller.vat_number") in of_seller(address=norway, vat_number="987654325MVA")


def test_both_languages_name_the_customer() -> None:
    [found] = missing(simple(buyer=replace(BUYER, endpoint=None)))
    assert found.owner is Owner.BUYER
    assert found.text.sv == "Kunden Exempelstads kommun & bolag: Peppol-id saknas"
    assert found.text.en == "Customer Exempelstads kommun & bolag: has no Peppol id"


def test_an_official_finding_is_said_of_our_field() -> None:
    location = "/Invoice[1]/cac:InvoiceLine[3]/cac:Price[1]"
    found = in_our_words(simple(), "BR-27", location, "The Item net price (BT-146) shall NOT be negative.")
    assert (found.field, found.text.en) == ("lines[2].unit_price", "line 3: its price is negative")


def test_the_location_tells_whose_field_it_is() -> None:
    party = "/Invoice[1]/cac:{}[1]/cac:Party[1]/cbc:EndpointID[1]"
    for name, field in (("AccountingSupplierParty", "seller"), ("AccountingCustomerParty", "buyer")):
        found = in_our_words(simple(), "PEPPOL-EN16931-CL008", party.format(name), "")
        assert found.field == f"{field}.endpoint"


def test_a_wrong_number_is_that_of_the_company_or_of_its_address_on_the_network() -> None:
    party = "/Invoice[1]/AccountingCustomerParty[1]/Party[1]/{}[1]"
    for name, field in (("EndpointID", "endpoint"), ("PartyLegalEntity[1]/CompanyID", "organisation_number")):
        found = in_our_words(simple(), "PEPPOL-COMMON-R049", party.format(name), "")
        assert found.field == f"buyer.{field}"


def test_a_rule_that_we_have_no_words_for_keeps_its_own() -> None:
    found = in_our_words(simple(), "NEW-R-001", "/CreditNote[1]/cac:CreditNoteLine[2]", "Something MUST be so.")
    assert (found.field, found.text.en) == ("lines[1]", "line 2: breaks NEW-R-001: Something MUST be so.")


def test_the_table_has_words_in_both_languages() -> None:
    assert all(sv and en and sv != en for _, _, sv, en in FIELDS.values())


@pytest.mark.parametrize("number", ["991-2346", "5050-1055", "50501055"])
def test_a_bankgiro_that_is_one(number: str) -> None:
    assert is_bankgiro(number)


@pytest.mark.parametrize("number", ["", "991-2345", "0", "123456", "991-234٦", "9912346x"])
def test_a_bankgiro_that_is_none(number: str) -> None:
    assert not is_bankgiro(number)

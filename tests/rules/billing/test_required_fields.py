"""Is every field that the law wants asked for, and of nobody of whom it doesn't?"""

from typing import Any

import pytest
from msgspec.structs import replace

from laddbok.billing.required_fields import LAW, required
from laddbok.model.invoice import Buyer, BuyerKind, Invoice, InvoiceKind
from tests.rules.billing.documents import BUYER, OUTSIDE, REVERSE, SELLER, document, line, simple


def found(invoice: Invoice) -> list[str]:
    assert {each.rule for each in required(invoice)} <= {LAW}
    return [each.field for each in required(invoice)]


def test_nothing_is_missing() -> None:
    assert found(simple()) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"address": None}, "address"),
        ({"address": replace(SELLER.address, street="")}, "address.street"),
        ({"address": replace(SELLER.address, city=" ")}, "address.city"),
    ],
)
def test_a_company_has_a_name_and_an_address(change: dict[str, Any], field: str) -> None:
    for kind in (BuyerKind.COMPANY, BuyerKind.PUBLIC):
        assert found(simple(buyer=replace(BUYER, kind=kind, **change))) == [f"buyer.{field}"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"vat_number": ""}, "vat_number"),
        ({"address": replace(SELLER.address, postal_code="")}, "address.postal_code"),
    ],
)
def test_the_seller_has_a_name_an_address_and_a_vat_number(change: dict[str, Any], field: str) -> None:
    assert found(simple(seller=replace(SELLER, **change))) == [f"seller.{field}"]


def test_a_consumer_has_a_name() -> None:
    assert found(simple(buyer=Buyer(id="anna", name="Anna Berg"))) == []
    assert found(simple(buyer=Buyer(id="anna", name=""))) == ["buyer.name"]


def test_a_receipt_needs_no_customer() -> None:
    nobody = Buyer(id="", name="")
    assert found(document([line("1", "2", "2")], InvoiceKind.RECEIPT, buyer=nobody)) == []


def test_who_owes_the_vat_has_a_number() -> None:
    assert found(document([line("1", "2", "2", REVERSE)])) == ["buyer.vat_number"]
    known = replace(BUYER, vat_number="SE212000135501")
    assert found(document([line("1", "2", "2", REVERSE)], buyer=known)) == []


def test_what_is_outside_vat_needs_no_vat_number() -> None:
    assert found(document([line("1", "2", "2", OUTSIDE)], seller=replace(SELLER, vat_number=""))) == []

"""What is in the way of a document, before it takes a number?"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import Planned
from laddbok.model.billing import Customer
from laddbok.model.invoice import Invoice
from tests.rules.billing.documents import BUYER, simple


def in_the_way(invoice: Invoice, rules: Path, e_invoice: bool) -> list[tuple[str | None, str]]:
    planned = Planned(Customer(buyer=invoice.buyer, e_invoice=e_invoice), replace(invoice, number=None), ())
    return [(each.payer_id, each.field) for each in DocumentChecks(rules)(planned)]


def test_a_document_that_is_right_has_nothing_in_its_way(tmp_path: Path) -> None:
    assert in_the_way(simple(), tmp_path, e_invoice=False) == []


def test_an_amount_that_is_wrong_is_in_the_way(tmp_path: Path) -> None:
    totals = replace(simple().totals, payable=simple().totals.payable + 1)
    assert in_the_way(replace(simple(), totals=totals), tmp_path, e_invoice=False) == [("kommunen", "totals.payable")]


def test_a_company_without_address_is_in_the_way_and_is_named(tmp_path: Path) -> None:
    invoice = simple(buyer=replace(BUYER, address=None))
    assert in_the_way(invoice, tmp_path, e_invoice=False) == [("kommunen", "buyer.address")]


def test_without_the_official_rules_no_e_invoice_becomes_final(tmp_path: Path) -> None:
    assert in_the_way(simple(), tmp_path, e_invoice=True) == [("kommunen", "e_invoice")]


def test_what_an_e_invoice_lacks_is_in_the_way(tmp_path: Path) -> None:
    invoice = simple(buyer=replace(BUYER, buyer_reference=None))
    assert in_the_way(invoice, tmp_path, e_invoice=False) == []
    assert in_the_way(invoice, tmp_path, e_invoice=True) == [("kommunen", "buyer.buyer_reference")]


def test_an_e_invoice_that_keeps_the_official_rules_becomes_final(shared_data: Path) -> None:
    pytest.importorskip("saxonche", reason="the extra einvoice is not installed")
    assert in_the_way(simple(), shared_data / "en16931", e_invoice=True) == []

"""Is the e-invoice what UBL and Peppol want, of this content and nothing else?"""

from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree
from msgspec.structs import replace

from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.ubl import NAMESPACES
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Buyer, BuyerKind, Endpoint, Invoice, InvoiceKind, Text
from tests.rules.billing.documents import BUYER, OUTSIDE, SELLER, document, documents, line, simple

CHILDREN = {
    "Invoice": """CustomizationID ProfileID ID IssueDate DueDate InvoiceTypeCode Note DocumentCurrencyCode BuyerReference
        InvoicePeriod OrderReference BillingReference ContractDocumentReference AdditionalDocumentReference
        AccountingSupplierParty AccountingCustomerParty Delivery PaymentMeans PaymentTerms TaxTotal LegalMonetaryTotal
        InvoiceLine""",
    "CreditNote": """CustomizationID ProfileID ID IssueDate CreditNoteTypeCode Note DocumentCurrencyCode BuyerReference
        InvoicePeriod OrderReference BillingReference ContractDocumentReference AdditionalDocumentReference
        AccountingSupplierParty AccountingCustomerParty Delivery PaymentMeans PaymentTerms TaxTotal LegalMonetaryTotal
        CreditNoteLine""",
    "Party": "EndpointID PostalAddress PartyTaxScheme PartyLegalEntity Contact",
    "PostalAddress": "StreetName CityName PostalZone Country",
    "PartyLegalEntity": "RegistrationName CompanyID",
    "PaymentMeans": "PaymentMeansCode PaymentID PayeeFinancialAccount",
    "TaxSubtotal": "TaxableAmount TaxAmount TaxCategory",
    "TaxCategory": "ID Percent TaxExemptionReasonCode TaxExemptionReason TaxScheme",
    "ClassifiedTaxCategory": "ID Percent TaxScheme",
    "LegalMonetaryTotal": """LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount PrepaidAmount
        PayableRoundingAmount PayableAmount""",
    "InvoiceLine": """ID InvoicedQuantity LineExtensionAmount AccountingCost InvoicePeriod DocumentReference Item Price""",
    "CreditNoteLine": """ID CreditedQuantity LineExtensionAmount AccountingCost InvoicePeriod DocumentReference Item
        Price""",
}
"""The order of children in UBL 2.1, of those that we write. The official rules don't look at it; receivers' schemas do."""


def root_of(invoice: Invoice, pdf: bytes | None = None) -> Any:
    return etree.fromstring(to_ubl(invoice, pdf))


def texts(invoice: Invoice, path: str) -> list[str]:
    return [each.text for each in root_of(invoice).iterfind(path, NAMESPACES)]


def out_of_order(root: Any) -> Iterator[str]:
    for node in root.iter():
        name = etree.QName(node).localname
        if name in CHILDREN:
            order = CHILDREN[name].split()
            places = [order.index(etree.QName(child).localname) for child in node]
            if places != sorted(places):
                yield name


@settings(max_examples=50)
@given(documents)
def test_children_stand_in_the_order_of_ubl_and_none_is_empty(invoice: Invoice) -> None:
    root = root_of(invoice, b"%PDF")
    assert list(out_of_order(root)) == []
    assert [node.tag for node in root.iter() if not len(node) and not (node.text or "").strip()] == []


def test_the_order_of_children_is_looked_at() -> None:
    root = root_of(simple())
    root.append(root[0])
    assert list(out_of_order(root)) == ["Invoice"]


@settings(max_examples=20)
@given(documents)
def test_the_same_content_gives_the_same_bytes(invoice: Invoice) -> None:
    assert to_ubl(invoice) == to_ubl(replace(invoice))


def test_a_draft_has_no_e_invoice() -> None:
    with pytest.raises(Invalid, match=r"^number: "):
        to_ubl(simple(number=None))


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\ud800"])
def test_a_character_that_xml_cant_hold_is_named_with_its_field(character: str) -> None:
    with pytest.raises(Invalid, match=rf"^buyer\.name: has the character U\+{ord(character):04X}"):
        to_ubl(simple(buyer=replace(BUYER, name=f"Bil{character}pool")))
    with pytest.raises(Invalid, match=r"^lines\[0\]\.text\.sv: "):
        to_ubl(document([line("1", "2", "2", text=Text(sv=character, en="x"))]))


def test_odd_characters_come_back_as_they_were() -> None:
    name = "Å & <Ö> \"é\" 'ß' 🚗"
    assert texts(simple(buyer=replace(BUYER, name=name)), ".//cac:AccountingCustomerParty//cbc:RegistrationName") == [
        name
    ]


def test_numbers_stand_without_dashes() -> None:
    root = root_of(simple(seller=replace(SELLER, bankgiro="5050-1055")))
    account = root.find(".//cac:PayeeFinancialAccount", NAMESPACES)
    assert [each.text for each in account.iter("{*}ID")] == ["50501055", "SE:BANKGIRO"]
    company = root.find(".//cac:AccountingSupplierParty//cac:PartyLegalEntity/cbc:CompanyID", NAMESPACES)
    assert (company.text, company.get("schemeID")) == ("5560360793", "0007")


def test_the_payment_reference_stands_with_each_account() -> None:
    both = replace(SELLER, iban="SE45 5000 0000 0583 9825 7466", bic="ESSESESS")
    assert texts(simple(seller=both), ".//cbc:PaymentMeansCode") == ["30", "30"]
    assert texts(simple(seller=both), ".//cbc:PaymentID") == ["2026000105"] * 2
    assert texts(simple(seller=both), ".//cac:PayeeFinancialAccount/cbc:ID")[1] == "SE4550000000058398257466"


def test_what_is_paid_or_taken_back_says_nothing_of_where_to_pay() -> None:
    paid = document([line("1", "80", "80")], InvoiceKind.RECEIPT, prepaid="100")
    assert texts(paid, ".//cbc:PayableAmount") == ["0.00"]
    assert texts(paid, ".//cac:PaymentMeans") == []
    assert texts(document([line("1", "80", "80")], InvoiceKind.CREDIT_NOTE), ".//cac:PaymentMeans") == []


def test_who_has_no_f_skatt_says_nothing_of_it() -> None:
    path = ".//cac:PartyTaxScheme/cbc:CompanyID"
    assert "GODKÄND FÖR F-SKATT" in texts(simple(), path)
    assert "GODKÄND FÖR F-SKATT" not in texts(simple(seller=replace(SELLER, f_skatt=False)), path)


def test_a_persons_number_stays_out() -> None:
    person = replace(BUYER, kind=BuyerKind.CONSUMER, organisation_number="811228-9874", vat_number="SE811228987401")
    assert b"811228" not in to_ubl(simple(buyer=person))


def test_outside_vat_no_vat_number_may_stand() -> None:
    buyer = replace(BUYER, vat_number="SE212000135501")
    assert texts(document([line("1", "2", "2", OUTSIDE)], buyer=buyer), ".//cac:PartyTaxScheme/cbc:CompanyID") == [
        "GODKÄND FÖR F-SKATT"
    ]


def test_the_seller_is_found_by_its_organisation_number_unless_it_has_another_address() -> None:
    path = ".//cac:AccountingSupplierParty//cbc:EndpointID"
    assert texts(simple(), path) == ["5560360793"]
    assert texts(simple(seller=replace(SELLER, endpoint=Endpoint("0088", "7350053850019"))), path) == ["7350053850019"]


def test_B26_a_late_session_widens_the_period() -> None:
    late = line("1", "2", "2", start_date=date(2026, 9, 28), end_date=date(2026, 9, 29))
    fee = line("1", "2", "2", start_date=date(2026, 11, 1))
    assert texts(document([late, fee]), "./cac:InvoicePeriod/*") == ["2026-09-28", "2026-11-01"]
    assert texts(document([late]), "./cac:InvoicePeriod/*") == ["2026-09-28", "2026-10-31"]


def test_texts_are_in_the_customers_language() -> None:
    more = {"note": Text(sv="Hej", en="Hello"), "reason": Text(sv="Kulans", en="Goodwill")}
    for language, words in (("sv", "Kulans\nHej"), ("en", "Goodwill\nHello")):
        assert texts(simple(buyer=replace(BUYER, language=language), **more), "./cbc:Note") == [words]


def test_a_consumer_without_address_has_an_e_invoice_that_goes_nowhere() -> None:
    """It is attached to the PDF; what it lacks is missing in it."""
    nobody = Buyer(id="anna", name="Anna Berg")
    assert texts(simple(buyer=nobody), ".//cac:AccountingCustomerParty//*") == [None, None, "Anna Berg"]


def test_the_pdf_comes_along() -> None:
    file = root_of(simple(number="2026/1"), b"%PDF-1.7 \xff").find(".//cbc:EmbeddedDocumentBinaryObject", NAMESPACES)
    assert (file.get("filename"), b64decode(file.text)) == ("2026-1.pdf", b"%PDF-1.7 \xff")


def test_a_self_billed_invoice_is_under_its_own_rules() -> None:
    invoice = document([line("1", "2", "2")], InvoiceKind.SELF_BILLED)
    assert texts(invoice, "./cbc:InvoiceTypeCode") == ["389"]
    assert texts(invoice, "./cbc:ProfileID") == ["urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0"]


def test_B36_what_is_taken_back_has_a_negative_quantity_and_a_positive_price() -> None:
    invoice = document([line("10", "0.34", "3.40"), line("-5", "0.11", "-0.55")])
    assert texts(invoice, ".//cbc:InvoicedQuantity") == ["10", "-5"]
    assert texts(invoice, ".//cbc:PriceAmount") == ["0.34", "0.11"]
    assert invoice.totals.net == Decimal("2.85")

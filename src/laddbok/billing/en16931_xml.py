"""How does an invoice look as an e-invoice?

UBL 2.1 as Peppol BIS Billing 3 and EN 16931 want it: an Invoice (380; a self-billed one 389 under Peppol's own rules for
that), or a CreditNote (381). It is made of the frozen content and nothing else, so the same content gives the same bytes.
The terms of EN 16931 stand beside each element.

    cac:Party/cac:PartyLegalEntity/cbc:CompanyID schemeID="0007": 5567037485           [BT-30]
    cac:PayeeFinancialAccount/cbc:ID: 9912346, in the branch SE:BANKGIRO               [BT-84, BT-86]
    cac:Price/cbc:PriceAmount 53.24, for the cbc:BaseQuantity 13.337 KWH               [BT-146, BT-149]

>>> number_as_file_name("2026/17")
'2026-17.pdf'
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from laddbok.billing.en16931_lines import (
    OUTSIDE_VAT,
    books_total,
    in_language,
    invoice_line,
    monetary_total,
    period,
    tax_total,
)
from laddbok.billing.en16931_parties import buyer_party, digits, seller_party
from laddbok.billing.ubl import Element, cac, cbc, unwritable, written
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, Seller

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{}:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:{}:01:1.0"
TYPE_CODES = {
    InvoiceKind.INVOICE: "380",
    InvoiceKind.RECEIPT: "380",
    InvoiceKind.SELF_BILLED: "389",
    InvoiceKind.CREDIT_NOTE: "381",
}
"""Source: EN 16931 BT-3, UNTDID 1001."""
BANKGIRO_BRANCH = "SE:BANKGIRO"
CREDIT_TRANSFER = "30"
"""Source: Peppol BIS Billing 3, SE-R-011 and SE-R-012."""


def to_ubl(invoice: Invoice, pdf: bytes | None = None) -> bytes:
    """The e-invoice of a document.

    What is missing leaves its element out, for the official rules to find: `einvoice_findings.missing` names it before.
    Args: pdf, what people see of it, to be attached.
    Returns: the XML in UTF-8; the same content gives the same bytes.
    Raises: Invalid without a number, or for a character that XML can't hold, naming the field.
    Source: Peppol BIS Billing 3; EN 16931-1; UBL 2.1.
    """
    if invoice.number is None:
        raise Invalid("number", "a draft has none, so there is no e-invoice of it")
    name = "CreditNote" if invoice.kind is InvoiceKind.CREDIT_NOTE else "Invoice"
    lines = (invoice_line(line, invoice) for line in invoice.lines)
    try:
        return written(Element(name, (*_head(invoice), *_references(invoice, pdf), *_middle(invoice), *lines)))
    except Invalid as error:
        raise _with_field(invoice) or error from None


def delivery_period(invoice: Invoice) -> tuple[date, date]:
    """From the first to the last day of what is invoiced [BG-14]: a late session of an earlier month widens the period.

    Source: Peppol BIS Billing 3, PEPPOL-EN16931-R110 and R111; case B26.
    """
    starts = (day for line in invoice.lines if (day := line.start_date or line.end_date))
    ends = (day for line in invoice.lines if (day := line.end_date or line.start_date))
    return min((invoice.period_start, *starts)), max((invoice.period_end, *ends))


def number_as_file_name(number: str) -> str:
    """The name of the attached PDF [BT-125]."""
    return re.sub(r"[^0-9A-Za-z._-]", "-", number) + ".pdf"


def _head(invoice: Invoice) -> tuple[Element | None, ...]:
    process = "selfbilling" if invoice.kind is InvoiceKind.SELF_BILLED else "billing"
    is_credit = invoice.kind is InvoiceKind.CREDIT_NOTE
    code = TYPE_CODES[invoice.kind]
    return (
        cbc("CustomizationID", CUSTOMIZATION.format(process)),  # BT-24
        cbc("ProfileID", PROFILE.format(process)),  # BT-23
        cbc("ID", invoice.number),  # BT-1
        cbc("IssueDate", invoice.issue_date.isoformat()),  # BT-2
        None if is_credit else cbc("DueDate", invoice.due_date.isoformat()),  # BT-9; UBL's credit note has none
        cbc("CreditNoteTypeCode" if is_credit else "InvoiceTypeCode", code),  # BT-3
        cbc("Note", _note(invoice)),  # BT-22
        cbc("DocumentCurrencyCode", invoice.currency),  # BT-5
        cbc("TaxCurrencyCode", invoice.books.currency) if invoice.books else None,  # BT-6
        cbc("BuyerReference", invoice.buyer.buyer_reference),  # BT-10
        period(*delivery_period(invoice)),  # BG-14
        cac("OrderReference", cbc("ID", invoice.buyer.order_reference)),  # BT-13
    )


def _note(invoice: Invoice) -> str:
    """One note, for Peppol allows no second (PEPPOL-EN16931-R002): why it was credited, then what else is to be said."""
    texts = (in_language(text, invoice.buyer.language) for text in (invoice.reason, invoice.note))
    return "\n".join(text.strip() for text in texts if text and text.strip())


def _references(invoice: Invoice, pdf: bytes | None) -> tuple[Element | None, ...]:
    former = invoice.refers_to
    number = cbc("ID", former.number) if former else None  # BT-25
    issued = cbc("IssueDate", former.issue_date.isoformat()) if former else None  # BT-26
    return (
        cac("BillingReference", cac("InvoiceDocumentReference", number, issued)),  # BG-3
        cac("ContractDocumentReference", cbc("ID", invoice.contract_id)),  # BT-12
        None if pdf is None else _attachment(invoice, pdf),
    )


def _attachment(invoice: Invoice, pdf: bytes) -> Element | None:
    number = invoice.number or ""
    file = cbc(
        "EmbeddedDocumentBinaryObject",
        b64encode(pdf).decode("ascii"),
        mimeCode="application/pdf",
        filename=number_as_file_name(number),
    )
    return cac("AdditionalDocumentReference", cbc("ID", number), cac("Attachment", file))  # BT-122, BT-125


def _middle(invoice: Invoice) -> tuple[Element | None, ...]:
    """From the parties to the sums."""
    taxable = all(each.rate.category != OUTSIDE_VAT for each in invoice.vat)
    delivered = delivery_period(invoice)[1]
    terms = in_language(invoice.terms, invoice.buyer.language)
    return (
        seller_party(invoice.seller, taxable=taxable),
        buyer_party(invoice.buyer, taxable=taxable),
        cac("Delivery", cbc("ActualDeliveryDate", delivered.isoformat())),  # BT-72
        *_payment_means(invoice),
        cac("PaymentTerms", cbc("Note", terms)),  # BT-20
        tax_total(invoice),
        books_total(invoice),
        monetary_total(invoice.totals, invoice.lines, invoice.currency),
    )


def _payment_means(invoice: Invoice) -> Iterator[Element | None]:
    """Where it is to be paid [BG-16]: nowhere when nothing is to be paid, or when it is we who owe it."""
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.totals.payable <= 0:
        return
    for account, branch in _accounts(invoice.seller):
        yield cac(
            "PaymentMeans",
            cbc("PaymentMeansCode", CREDIT_TRANSFER),  # BT-81
            cbc("PaymentID", invoice.payment_reference),  # BT-83
            cac(
                "PayeeFinancialAccount",
                cbc("ID", account),  # BT-84
                cac("FinancialInstitutionBranch", cbc("ID", branch)),  # BT-86
            ),
        )


def _accounts(seller: Seller) -> Iterator[tuple[str, str | None]]:
    if seller.bankgiro:
        yield digits(seller.bankgiro), BANKGIRO_BRANCH
    if seller.iban:
        yield digits(seller.iban), digits(seller.bic) if seller.bic else None


def _with_field(invoice: Invoice) -> Invalid | None:
    """The field of the content whose character can't be written."""
    for path, text in _texts(msgspec.to_builtins(invoice), ""):
        if bad := unwritable(text):
            return Invalid(path, f"has the character {bad}, which XML can't hold")
    return None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _texts(each, f"{path}[{number}]")

"""How do the lines and sums of an invoice stand on an e-invoice?

A line's price is that of `per` units (the base quantity), so that net = quantity x price / base holds exactly. A line that
takes money back has a negative quantity, for prices can't be negative (BR-27). The session's ID stands with its line as
the object that is invoiced.
"""

from datetime import date
from decimal import Decimal

from laddbok.billing.ubl import Element, cac, cbc, plain
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Text, Totals, VatRate, VatSum

OUTSIDE_VAT = "O"
EXEMPTIONS = {
    "AE": ("VATEX-EU-AE", Text(sv="Omvänd betalningsskyldighet", en="Reverse charge")),
    "E": (None, Text(sv="Undantag från mervärdesskatt", en="Exempt from VAT")),
    OUTSIDE_VAT: ("VATEX-EU-O", Text(sv="Omfattas inte av mervärdesskatt", en="Not subject to VAT")),
}
"""Why there is no VAT, by category [BT-121, BT-120]. Source: EN 16931 BR-AE-10, BR-E-10, BR-O-10; code list VATEX."""


def in_language(text: Text | None, language: str) -> str | None:
    """A text in the customer's language."""
    return None if text is None else text.sv if language == "sv" else text.en


def amount(name: str, value: Decimal, currency: str) -> Element | None:
    """An amount with its currency."""
    return cbc(name, plain(value), currencyID=currency)


def period(start: date | None, end: date | None) -> Element | None:
    """A period [BG-14, BG-26]."""
    days = (None if day is None else day.isoformat() for day in (start, end))
    return cac("InvoicePeriod", *(cbc(name, day) for name, day in zip(("StartDate", "EndDate"), days, strict=True)))


def invoice_line(line: InvoiceLine, invoice: Invoice) -> Element | None:
    """One line [BG-25]."""
    name, quantity = ("InvoiceLine", "InvoicedQuantity")
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        name, quantity = ("CreditNoteLine", "CreditedQuantity")
    unit = line.unit.value
    session = cac("DocumentReference", cbc("ID", line.session_id), cbc("DocumentTypeCode", "130"))
    return cac(
        name,
        cbc("ID", str(line.number)),  # BT-126
        cbc(quantity, plain(line.quantity), unitCode=unit),  # BT-129, BT-130
        amount("LineExtensionAmount", line.net, invoice.currency),  # BT-131
        cbc("AccountingCost", line.cost_centre),  # BT-133
        period(line.start_date, line.end_date),  # BG-26
        session if line.session_id else None,  # BT-128
        cac(
            "Item",
            cbc("Name", in_language(line.text, invoice.buyer.language)),  # BT-153
            cac("ClassifiedTaxCategory", *_category(line.vat), _vat_scheme()),  # BT-151, BT-152
        ),
        cac(
            "Price",
            amount("PriceAmount", line.unit_price, invoice.currency),  # BT-146
            cbc("BaseQuantity", plain(line.per)),  # BT-149; its unit, BT-150, is that of BT-130 when it is not said
        ),
    )


def tax_total(invoice: Invoice) -> Element | None:
    """The VAT of the document and of each category [BT-110, BG-23]."""
    sums = (_tax_subtotal(each, invoice) for each in invoice.vat)
    return cac("TaxTotal", amount("TaxAmount", invoice.totals.vat, invoice.currency), *sums)


def books_total(invoice: Invoice) -> Element | None:
    """The VAT of the document in the currency of the books, without categories [BT-111]. Source: PEPPOL-EN16931-R054."""
    books = invoice.books
    return None if books is None else cac("TaxTotal", amount("TaxAmount", books.total, books.currency))


def monetary_total(totals: Totals, lines: tuple[InvoiceLine, ...], currency: str) -> Element | None:
    """The sums of the document [BG-22]; it has no allowances or charges of its own, so BT-106 is BT-109."""
    return cac(
        "LegalMonetaryTotal",
        amount("LineExtensionAmount", sum((line.net for line in lines), Decimal(0)), currency),  # BT-106
        amount("TaxExclusiveAmount", totals.net, currency),  # BT-109
        amount("TaxInclusiveAmount", totals.gross, currency),  # BT-112
        amount("PrepaidAmount", totals.prepaid, currency) if totals.prepaid else None,  # BT-113
        amount("PayableRoundingAmount", totals.rounding, currency) if totals.rounding else None,  # BT-114
        amount("PayableAmount", totals.payable, currency),  # BT-115
    )


def _tax_subtotal(each: VatSum, invoice: Invoice) -> Element | None:
    code, reason = EXEMPTIONS.get(each.rate.category, (None, None))
    return cac(
        "TaxSubtotal",
        amount("TaxableAmount", each.net, invoice.currency),  # BT-116
        amount("TaxAmount", each.vat, invoice.currency),  # BT-117
        cac(
            "TaxCategory",
            *_category(each.rate),  # BT-118, BT-119
            cbc("TaxExemptionReasonCode", code),  # BT-121
            cbc("TaxExemptionReason", in_language(reason, invoice.buyer.language)),  # BT-120
            _vat_scheme(),
        ),
    )


def _category(rate: VatRate) -> tuple[Element | None, Element | None]:
    """Category and rate; what is outside VAT has no rate (BR-O-05)."""
    percent = None if rate.category == OUTSIDE_VAT else plain(rate.percent)
    return cbc("ID", rate.category), cbc("Percent", percent)


def _vat_scheme() -> Element | None:
    return cac("TaxScheme", cbc("ID", "VAT"))

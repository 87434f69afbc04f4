"""What stands where on the page of an invoice?

The frozen content as texts, in the customer's language, for a template that only sets them. A dozen lines stand on the first
page one by one; more are summed up by cost centre and place, and the appendix tells each session.

>>> from laddbok.billing.examples import FINAL
>>> page = invoice_page(FINAL, lambda line, currency, language: "energi")
>>> page["title"], page["totals"][-1], page["payment"]["facts"][-1]
('Faktura', ['Summa inkl. moms', '66,55\\xa0kr'], ['OCR-nummer', '2026000000730'])
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from laddbok.billing.en16931_lines import EXEMPTIONS
from laddbok.billing.page_text import (
    FIXED,
    amount_alone,
    breakable,
    day_text,
    grouped,
    kwh_text,
    language_of,
    money_text,
    percent_text,
    period_text,
    rounded,
)
from laddbok.billing.page_words import DRAFT, TITLES, UNITS, WORDS, said, word
from laddbok.billing.payment_qr import account_of, bankgiro_text, organisation_text, payment_json, qr_svg
from laddbok.billing.session_page import PRICE_DECIMALS, Words, appendix
from laddbok.model.invoice import Address, Buyer, Invoice, InvoiceKind, InvoiceLine, Seller, Unit, VatRate

LINES_ONE_BY_ONE = 12
"""More lines than that are summed up on the first page."""


def invoice_page(invoice: Invoice, words: Words) -> dict[str, Any]:
    """All texts of a document.

    Args: words, tells a rated line (rating.explain.told).
    Source: ML (2023:200) 17 kap. 24 §; docs/rules.md "Documents".
    """
    language = language_of(invoice.buyer.language)
    return {
        "language": language,
        "date": [invoice.issue_date.year, invoice.issue_date.month, invoice.issue_date.day],
        "kind": invoice.kind.value,
        "title": said(TITLES[invoice.kind], language),
        "number": invoice.number or said(DRAFT, language),
        "words": {name: said(text, language) for name, text in WORDS.items()},
        "seller": {"name": breakable(invoice.seller.name), "columns": seller_facts(invoice.seller, language)},
        "buyer": buyer_lines(invoice.buyer),
        "facts": _facts(invoice, language),
        "lead": _lead(invoice, language),
        "lines": _lines(invoice, language),
        "vat": [_vat_row(invoice, each.rate, each.net, each.vat, language) for each in invoice.vat],
        "exemptions": [said(EXEMPTIONS[rate][1], language) for rate in _exempt(invoice)],
        "totals": _totals(invoice, language),
        "payable": _payable(invoice, language),
        "payment": _payment(invoice, language),
        "remarks": _remarks(invoice, language),
        "appendix": appendix(invoice, words),
    }


def _remarks(invoice: Invoice, language: str) -> list[str]:
    """The VAT in the currency of the books and the rate behind it, then what else is to be said."""
    told = [breakable(said(text, language)) for text in (invoice.note, invoice.terms) if text]
    books = invoice.books
    if books is None or books.rate is None:
        return told
    rates = [percent_text(each.rate.percent, language) for each in invoice.vat]
    amounts = [money_text(each, books.currency, language) for each in (*books.vat, books.total)]
    parts = ", ".join(f"{rate}: {amount}" for rate, amount in zip(rates, amounts, strict=False))
    of_vat = word("books_vat", language).format(books.currency, amounts[-1], parts)
    rate, day = grouped(books.rate.rate, 4, language), day_text(books.rate.day, language)
    of_rate = word("books_rate", language).format(invoice.currency, rate, books.currency, books.rate.source, day)
    return [f"{of_vat} {of_rate}", *told]


def address_lines(address: Address | None) -> list[str]:
    """An address line by line; the country when it is not Sweden."""
    if address is None:
        return []
    lines = [breakable(address.street), breakable(f"{address.postal_code} {address.city}")]
    return lines if address.country == "SE" else [*lines, address.country]


def seller_facts(seller: Seller, language: str) -> list[list[str]]:
    """What the law and the bank want to stand on each page about a seller, in three columns: where, who, how to pay and ask."""
    bank = [
        ("bankgiro", bankgiro_text(seller.bankgiro) if seller.bankgiro else None),
        ("iban", seller.iban),
        ("bic", seller.bic),
    ]
    numbers = [("organisation", organisation_text(seller.organisation_number)), ("vat_number", seller.vat_number)]
    f_skatt = [word("f_skatt", language)] if seller.f_skatt else []
    return [
        [breakable(seller.name), *address_lines(seller.address)],
        [*_named(numbers, language), *f_skatt],
        [*_named(bank, language), *(breakable(each) for each in (seller.email, seller.phone) if each)],
    ]


def _named(pairs: Iterable[tuple[str, str | None]], language: str) -> list[str]:
    return [f"{word(name, language)}{FIXED}{breakable(value)}" for name, value in pairs if value]


def buyer_lines(buyer: Buyer) -> list[str]:
    """Who is addressed: name, address, and organisation number."""
    number = [organisation_text(buyer.organisation_number)] if buyer.organisation_number else []
    return [breakable(buyer.name), *address_lines(buyer.address), *number]


def _facts(invoice: Invoice, language: str) -> list[list[str]]:
    buyer, former = invoice.buyer, invoice.refers_to
    is_to_be_paid = invoice.kind in (InvoiceKind.INVOICE, InvoiceKind.SELF_BILLED)
    is_receipt = invoice.kind is InvoiceKind.RECEIPT
    named = [
        ("number", invoice.number),
        ("issue_date", day_text(invoice.issue_date, language)),
        ("due_date", day_text(invoice.due_date, language) if is_to_be_paid else None),
        ("period", None if is_receipt else period_text(invoice.period_start, invoice.period_end, language)),
        (
            "of_receipt" if _is_of_receipt(invoice) else "refers_to",
            former and f"{former.number}, {day_text(former.issue_date, language)}",
        ),
        ("contract", invoice.contract_id),
        ("customer", None if is_receipt else buyer.id),
        ("buyer_reference", buyer.buyer_reference),
        ("order_reference", buyer.order_reference),
        ("buyer_vat", buyer.vat_number),
        ("contact", invoice.seller.contact),
    ]
    return [[word(name, language), breakable(value)] for name, value in named if value]


def _lead(invoice: Invoice, language: str) -> list[str]:
    """What must be understood before anything else: that it is a draft, a credit note, of what and why, or self-billed."""
    lead = [word("is_draft", language)] if invoice.number is None else []
    if invoice.kind is InvoiceKind.CREDIT_NOTE and invoice.refers_to is not None:
        former = invoice.refers_to
        told = word("credit_note_receipt" if _is_of_receipt(invoice) else "credit_note", language)
        lead.append(told.format(number=former.number, day=day_text(former.issue_date, language)))
    if invoice.reason is not None:
        lead.append(word("reason", language).format(breakable(said(invoice.reason, language))))
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        lead.append(word("credit_back" if _is_of_receipt(invoice) else "credit_how", language))
    if invoice.kind is InvoiceKind.SELF_BILLED:
        lead.append(word("self_billed", language))
    return lead


def _is_of_receipt(invoice: Invoice) -> bool:
    """Whether it is the credit note to a receipt: what that takes back was paid."""
    return invoice.kind is InvoiceKind.CREDIT_NOTE and bool(invoice.totals.prepaid)


def _lines(invoice: Invoice, language: str) -> dict[str, Any]:
    """The lines one by one, or summed up."""
    if len(invoice.lines) <= LINES_ONE_BY_ONE:
        head = [word(name, language) for name in ("what", "quantity", "unit_price", "vat", "net")]
        return {"head": head, "rows": [_line(line, invoice, language) for line in invoice.lines]}
    head = [word(name, language) for name in ("what", "sessions", "energy", "vat", "net")]
    charges = [line for line in invoice.lines if line.session_id is None]
    summed = _summed([line for line in invoice.lines if line.session_id is not None], invoice, language)
    return {"head": head, "rows": [*(_charge(line, invoice, language) for line in charges), *summed]}


def _line(line: InvoiceLine, invoice: Invoice, language: str) -> list[str]:
    """What, which session, how many, what one costs, VAT, net. A session's price per kWh is its mean, fees included."""
    unit = said(UNITS[line.unit], language)
    price = rounded(line.unit_price, line.per, PRICE_DECIMALS if line.unit is Unit.KWH else 2)
    decimals = 3 if line.unit is Unit.KWH else 0
    return [
        breakable(said(line.text, language)),
        line.session_id or "",
        f"{grouped(line.quantity, decimals, language)} {unit}",
        grouped(price, 2, language),
        percent_text(line.vat.percent, language),
        amount_alone(line.net, invoice.currency, language),
    ]


def _charge(line: InvoiceLine, invoice: Invoice, language: str) -> list[str]:
    told = _line(line, invoice, language)
    return [told[0], "", told[2], "", *told[4:]]


def _summed(lines: Sequence[InvoiceLine], invoice: Invoice, language: str) -> list[list[str]]:
    """Session lines summed up by cost centre, place and VAT."""
    places = {each.session_id: each.place for each in invoice.sessions}
    groups: dict[tuple[str, str, VatRate], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        groups[line.cost_centre or "", places.get(line.session_id or "", ""), line.vat].append(line)
    has_centres = any(centre for centre, _, _ in groups)
    rows = []
    for (centre, place, rate), members in sorted(groups.items(), key=lambda item: (not item[0][0], *item[0][:2])):
        name = word("cost_centre", language).format(centre) if centre else word("without_cost_centre", language)
        net = sum((line.net for line in members), Decimal(0))
        about = " · ".join(part for part in (name if has_centres else "", place) if part)
        rows.append([
            breakable(about),
            "",
            grouped(Decimal(len({line.session_id for line in members})), 0, language),
            _energy(members, language),
            percent_text(rate.percent, language),
            amount_alone(net, invoice.currency, language),
        ])  # fmt: skip
    return rows


def _energy(lines: Iterable[InvoiceLine], language: str) -> str:
    """Of lines that are counted in kWh."""
    kwh = sum((line.quantity for line in lines if line.unit is Unit.KWH), Decimal(0))
    return kwh_text(int(kwh.scaleb(3)), language)


def _vat_row(invoice: Invoice, rate: VatRate, net: Decimal, vat: Decimal, language: str) -> list[str]:
    amounts = (amount_alone(amount, invoice.currency, language) for amount in (net, vat))
    return [percent_text(rate.percent, language), *amounts]


def _exempt(invoice: Invoice) -> list[str]:
    """The categories without VAT: each says why there is none."""
    return [each.rate.category for each in invoice.vat if each.rate.category in EXEMPTIONS]


def _totals(invoice: Invoice, language: str) -> list[list[str]]:
    totals = invoice.totals
    is_receipt = invoice.kind is InvoiceKind.RECEIPT
    steps = [*_beyond(invoice)] if is_receipt else []
    steps += [("sum_net", totals.net), ("sum_vat", totals.vat), ("sum_gross", totals.gross)]
    steps += [("prepaid", -totals.prepaid)] if totals.prepaid and invoice.kind not in WAS_PAID else []
    steps += [("rounding", totals.rounding)] if totals.rounding else []
    steps += [("left_to_pay", totals.payable)] if totals.payable and totals.prepaid and is_receipt else []
    return [[word(name, language), money_text(amount, invoice.currency, language)] for name, amount in steps]


def _beyond(invoice: Invoice) -> Iterator[tuple[str, Decimal]]:
    """What a receipt's session cost, and what of it was not charged."""
    cost, paid = invoice.sessions_gross, invoice.totals.prepaid
    if cost is not None and paid and paid < cost:
        yield "session_cost", cost
        yield "not_charged", paid - cost


WAS_PAID = frozenset({InvoiceKind.RECEIPT, InvoiceKind.CREDIT_NOTE})
"""On these the amount that matters is what was paid, or is paid back."""
_PAYABLE = {
    InvoiceKind.INVOICE: "payable",
    InvoiceKind.CREDIT_NOTE: "payable_credit",
    InvoiceKind.SELF_BILLED: "payable_self",
    InvoiceKind.RECEIPT: "payable_receipt",
}


def _payable(invoice: Invoice, language: str) -> list[str]:
    """The one amount that matters; on a receipt what was paid, on its credit note what is paid back."""
    totals = invoice.totals
    amount = totals.prepaid if invoice.kind in WAS_PAID and totals.prepaid else totals.payable
    return [word(_PAYABLE[invoice.kind], language), money_text(amount, invoice.currency, language)]


def _payment(invoice: Invoice, language: str) -> dict[str, Any] | None:
    """How it is paid, with the code for the bank's app; nothing on a receipt, a credit note or a draft."""
    if invoice.kind in (InvoiceKind.RECEIPT, InvoiceKind.CREDIT_NOTE) or invoice.number is None:
        return None
    if invoice.totals.payable <= 0:
        return {"facts": [], "text": word("no_payment", language), "qr": None}
    code = payment_json(invoice)
    return {"facts": _payment_facts(invoice, language), "text": None, "qr": None if code is None else qr_svg(code)}


def _payment_facts(invoice: Invoice, language: str) -> list[list[str]]:
    first = [word("due_date", language), day_text(invoice.due_date, language)]
    return [first, *account_facts(invoice.seller, invoice.payment_reference, language)]


def account_facts(seller: Seller, reference: str | None, language: str) -> list[list[str]]:
    """To which account a seller is paid, and under which reference."""
    account, facts = account_of(seller), []
    if account is not None:
        facts.append([word("bankgiro" if account["pt"] == "BG" else "iban", language), account["acc"]])
    if account is not None and account["pt"] == "IBAN" and seller.bic:
        facts.append([word("bic", language), seller.bic])
    if reference is not None:
        facts.append([word("ocr", language), reference])
    return facts

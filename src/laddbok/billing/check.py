"""Does an invoice add up?

Always asked before a document gets its number, whoever receives it; a draft is asked with a number of the right shape in its
place. The rules are the arithmetic of EN 16931, to the minor unit: the official rules let each VAT amount be wrong by up
to one krona (BR-CO-17, BR-S-09), this doesn't. A document has no allowances or charges of its own (BR-CO-11, BR-CO-12), so
the sum of its lines is its total without VAT (BR-CO-10, BR-CO-13).

>>> from msgspec.structs import replace
>>> from laddbok.billing.examples import FINAL
>>> check(FINAL)
()
>>> totals = replace(FINAL.totals, vat=Decimal("13.30"))
>>> [(each.rule, each.field, each.text.en) for each in check(replace(FINAL, totals=totals))]
[('BR-CO-14', 'totals.vat', 'is 13.30, must be 13.31'), ('BR-CO-15', 'totals.gross', 'is 66.55, must be 66.54')]
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest

from laddbok.billing.books import with_books
from laddbok.billing.findings import FieldFinding, on_invoice, on_line
from laddbok.model.exchange import MAX_AGE_DAYS
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Totals, VatRate
from laddbok.model.money import from_minor, minor_digits, round_money, vat_on

NUMBER_SHAPE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z/_.-]{0,28}[0-9A-Za-z])?", re.ASCII)
"""Numbers of documents: what every receiver's system and every file name can hold. Source: our choice."""
CATEGORIES = ("S", "AE", "E", "O")
_ZERO = Decimal(0)


def check(invoice: Invoice) -> tuple[FieldFinding, ...]:
    """What does not add up, or can't be: nothing, when the document may become final.

    Source: EN 16931 BR-CO-10 to BR-CO-18, BR-S/AE/E/O-01, -05, -08 and -09, BR-16, BR-27, BR-29, BR-30; case B52; number,
    order of days, and what a credit note refers to: our choice and ML (2023:200) 17 kap. BR-53: the VAT in the currency of the books.
    """
    return (
        *_number(invoice),
        *_dates(invoice),
        *_reference(invoice),
        *_decimals(invoice),
        *(found for place, line in enumerate(invoice.lines, 1) for found in _line(place, line, invoice.currency)),
        *_line_numbers(invoice.lines),
        *_vat(invoice),
        *_totals(invoice),
        *_books(invoice),
    )


def line_adds_up(line: InvoiceLine, currency: str) -> bool:
    """Whether a line's net is quantity times price by base quantity, at most half a minor unit away.

    Source: EN 16931 BT-131; Peppol PEPPOL-EN16931-R120, which allows 0.02.
    """
    half = from_minor(1, currency) / 2
    return abs(line.net * line.per - line.quantity * line.unit_price) <= half * line.per


def _must_be(rule: str, field: str, found: Decimal, right: Decimal) -> Iterator[FieldFinding]:
    if found != right:
        yield on_invoice(rule, field, f"är {found}, ska vara {right}", f"is {found}, must be {right}")


def _number(invoice: Invoice) -> Iterator[FieldFinding]:
    if invoice.number is None:
        yield on_invoice("BR-02", "number", "saknas", "is missing")
    elif not NUMBER_SHAPE.fullmatch(invoice.number):
        sv = "har inte formen av ett nummer: bokstäver a till z, siffror, och / _ . - däremellan, högst 30"
        en = "has not the shape of a number: letters a to z, digits, and / _ . - between them, 30 at most"
        yield on_invoice("LADDBOK-NUMBER", "number", sv, en)


def _dates(invoice: Invoice) -> Iterator[FieldFinding]:
    if invoice.period_end < invoice.period_start:
        yield on_invoice("BR-29", "period_end", "ligger före periodens början", "is before the period's start")
    if invoice.due_date < invoice.issue_date:
        yield on_invoice("LADDBOK-DUE", "due_date", "ligger före fakturadatum", "is before the day of issue")


def _reference(invoice: Invoice) -> Iterator[FieldFinding]:
    if invoice.kind is InvoiceKind.CREDIT_NOTE and invoice.refers_to is None:
        sv, en = "en kreditnota ska ange fakturan den gäller", "a credit note must name its invoice"
        yield on_invoice("LADDBOK-CREDIT", "refers_to", sv, en)


def _decimals(invoice: Invoice) -> Iterator[FieldFinding]:
    """Amounts are whole minor units of the currency, of which EN 16931 knows hundredths and whole ones."""
    if not re.fullmatch("[A-Z]{3}", invoice.currency) or minor_digits(invoice.currency) > 2:
        sv, en = "är ingen valuta med högst två decimaler", "is no currency with two decimals at most"
        yield on_invoice("BR-05", "currency", sv, en)
        return
    for path, value in _amounts(invoice):
        if value != round_money(value, invoice.currency):
            yield on_invoice("UBL-DT-01", path, f"{value} har för många decimaler", f"{value} has too many decimals")


def _amounts(invoice: Invoice) -> Iterator[tuple[str, Decimal]]:
    yield from ((f"lines[{place}].net", line.net) for place, line in enumerate(invoice.lines))
    for place, each in enumerate(invoice.vat):
        yield from ((f"vat[{place}].net", each.net), (f"vat[{place}].vat", each.vat))
    yield from ((f"totals.{name}", getattr(invoice.totals, name)) for name in Totals.__struct_fields__)


def _line(place: int, line: InvoiceLine, currency: str) -> Iterator[FieldFinding]:
    if not line.text.sv.strip() or not line.text.en.strip():
        yield on_line(place, "BR-25", "text", "text saknas", "its text is missing")
    if line.unit_price < 0:
        sv, en = (
            "priset är negativt; ett avdrag har negativ mängd",
            "its price is negative; a deduction has a negative quantity",
        )
        yield on_line(place, "BR-27", "unit_price", sv, en)
    if line.per <= 0:
        yield on_line(place, "PEPPOL-EN16931-R121", "per", "prisets mängd är inte över 0", "its price is for nothing")
    elif not line_adds_up(line, currency):
        sv = f"{line.net} är inte {line.quantity} x {line.unit_price} / {line.per}"
        en = f"{line.net} is not {line.quantity} x {line.unit_price} / {line.per}"
        yield on_line(place, "PEPPOL-EN16931-R120", "net", sv, en)
    if line.start_date and line.end_date and line.end_date < line.start_date:
        yield on_line(place, "BR-30", "end_date", "slutar före sin början", "it ends before its start")
    yield from _rate(place, line.vat)


def _rate(place: int, rate: VatRate) -> Iterator[FieldFinding]:
    if rate.category not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        sv, en = f"momskategori {rate.category} är ingen av {known}", f"VAT category {rate.category} is none of {known}"
        yield on_line(place, "BR-CL-18", "vat.category", sv, en)
    elif (rate.category == "S") != (rate.percent > 0):
        sv = f"kategori {rate.category} kan inte ha {rate.percent} %"
        en = f"category {rate.category} can't have {rate.percent} %"
        yield on_line(place, f"BR-{rate.category}-05", "vat.percent", sv, en)


def _line_numbers(lines: tuple[InvoiceLine, ...]) -> Iterator[FieldFinding]:
    if not lines:
        yield on_invoice("BR-16", "lines", "dokumentet har inga rader", "the document has no lines")
    seen: set[int] = set()
    for place, line in enumerate(lines, 1):
        if line.number < 1 or line.number in seen:
            yield on_line(
                place, "BR-21", "number", f"nummer {line.number} finns redan", f"number {line.number} is taken"
            )
        seen.add(line.number)


def _vat(invoice: Invoice) -> Iterator[FieldFinding]:
    """Each category and rate of the lines once, with the sum of its lines, and VAT on that sum rounded once."""
    nets: dict[VatRate, Decimal] = {}
    for line in invoice.lines:
        nets[line.vat] = nets.get(line.vat, _ZERO) + line.net
    if len(nets) > 1 and any(rate.category == "O" for rate in nets):
        sv, en = (
            "det som inte omfattas av moms ska faktureras för sig",
            "what is outside VAT needs a document of its own",
        )
        yield on_invoice("BR-O-11", "vat", sv, en)
    seen: set[VatRate] = set()
    for place, each in enumerate(invoice.vat):
        rate, field = each.rate, f"vat[{place}]"
        if rate in seen or rate not in nets:
            sv, en = "hör till inga rader, eller står två gånger", "belongs to no lines, or stands twice"
            yield on_invoice(f"BR-{rate.category}-08", field, sv, en)
            continue
        seen.add(rate)
        yield from _must_be(f"BR-{rate.category}-08", f"{field}.net", each.net, nets[rate])
        yield from _must_be("BR-CO-17", f"{field}.vat", each.vat, vat_on(each.net, rate.percent, invoice.currency))
    for rate in nets.keys() - seen:
        sv, en = f"saknar {rate.category} {rate.percent} %", f"lacks {rate.category} {rate.percent} %"
        yield on_invoice(f"BR-{rate.category}-01", "vat", sv, en)


def _totals(invoice: Invoice) -> Iterator[FieldFinding]:
    totals = invoice.totals
    lines = sum((line.net for line in invoice.lines), _ZERO)
    yield from _must_be("BR-CO-10", "totals.net", totals.net, lines)
    yield from _must_be("BR-CO-14", "totals.vat", totals.vat, sum((each.vat for each in invoice.vat), _ZERO))
    yield from _must_be("BR-CO-15", "totals.gross", totals.gross, totals.net + totals.vat)
    payable = totals.gross - totals.prepaid + totals.rounding
    yield from _must_be("BR-CO-16", "totals.payable", totals.payable, payable)
    if totals.rounding and (abs(totals.rounding) > Decimal("0.50") or totals.payable % 1):
        sv, en = "avrundar inte till närmaste hela krona", "does not round to the nearest whole krona"
        yield on_invoice("LADDBOK-ROUNDING", "totals.rounding", sv, en)
    if totals.prepaid < 0:
        yield on_invoice("LADDBOK-PREPAID", "totals.prepaid", "är negativt", "is negative")


def _books(invoice: Invoice) -> Iterator[FieldFinding]:
    """The VAT in the currency of the books, of each category and their sum; without a rate nobody knows it."""
    books = invoice.books
    if books is None:
        return
    if books.rate is None:
        day = invoice.issue_date
        sv = f"växelkurs {invoice.currency}/{books.currency} för {day} saknas, och de {MAX_AGE_DAYS} dagarna före"
        en = f"there is no exchange rate {invoice.currency}/{books.currency} of {day}, nor of the {MAX_AGE_DAYS} days before"
        yield on_invoice("BR-53", "books.rate", sv, en)
        return
    right = with_books(invoice, books.currency, books.rate).books
    assert right is not None, invoice.currency
    for place, (found, wanted) in enumerate(zip_longest(books.vat, right.vat, fillvalue=_ZERO)):
        yield from _must_be("BR-53", f"books.vat[{place}]", found, wanted)
    yield from _must_be("BR-53", "books.total", books.total, right.total)

"""How is an invoice taken back, in part or whole?

A credit note refers to its invoice and takes back at most what is left of it, VAT category by category, whatever was
credited before. Its amounts are positive. A sum that was paid with VAT in it is taken apart at the category's rate:

>>> from laddbok.billing.examples import FINAL
>>> line = credited(FINAL, [], VatRate(percent=Decimal(25)), Decimal("10.00"), Text(sv="Kulans", en="Goodwill"))
>>> line.net, remaining(FINAL, [])[VatRate(percent=Decimal(25))]
(Decimal('8.00'), Decimal('53.24'))
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from laddbok.billing.totals import totals_of
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Reference, Text, Totals, Unit, VatRate
from laddbok.model.money import from_minor, net_of, round_money

CREDITABLE = frozenset({InvoiceKind.INVOICE, InvoiceKind.RECEIPT})


class CreditWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be taken back: all that is left, or `gross` at one rate of VAT [%]. `reason` stands on the credit note."""

    reason: str
    gross: Decimal | None = None
    vat_percent: Decimal | None = None


def credit_note(invoice: Invoice, credits: Sequence[Invoice], wish: CreditWish, issue: date) -> Invoice:
    """The draft of a credit note that takes back what is left of a final document, or a part of it.

    Args: invoice, of a kind that is credited; credits, the credit notes to it that are final; issue, the day by the seller's clock.
    Returns: without credit notes before it a whole one has the document's own lines, else one per VAT category.
    Raises: Conflict when nothing is left; Invalid when it is more than what is left.
    Source: ML (2023:200) 17 kap. 22 §; EN 16931 (credit note); case B51.
    """
    assert invoice.kind in CREDITABLE, invoice.number
    reason = Text(sv=wish.reason, en=wish.reason)
    lines = _lines(invoice, credits, wish, reason)
    if not lines:
        raise Conflict(f"nothing is left to be credited of {invoice.number}")
    sums, totals = totals_of([(line.vat, line.net) for line in lines], invoice.currency)
    assert invoice.number is not None
    note = replace(
        invoice,
        kind=InvoiceKind.CREDIT_NOTE,
        number=None,
        payment_reference=None,
        issue_date=issue,
        due_date=issue,
        lines=lines,
        vat=sums,
        totals=_as_rounded(invoice, totals) if lines == invoice.lines else totals,
        terms=None,
        note=None,
        refers_to=Reference(invoice.number, invoice.issue_date),
        reason=reason,
        sessions=(),
        sessions_gross=None,
        late=None,
    )
    return to_credit(invoice, credits, note, wish.gross)


def to_credit(invoice: Invoice, credits: Iterable[Invoice], note: Invoice, gross: Decimal | None = None) -> Invoice:
    """The credit note to a receipt: that is paid, so what is taken back is to the payer's credit, to the öre that was paid.

    Args: gross, so much; None: all that is left. Another document's credit note is as it was: it lowers what is owed.
    Source: our choice, docs/rules.md "Receipt".
    """
    if invoice.kind is not InvoiceKind.RECEIPT:
        return note
    left = invoice.totals.prepaid - sum((each.totals.prepaid for each in credits), Decimal(0))
    back = round_money(left if gross is None else min(gross, left), note.currency)
    totals = replace(note.totals, prepaid=back, rounding=back - note.totals.gross, payable=from_minor(0, note.currency))
    return replace(note, totals=totals)


def _lines(invoice: Invoice, credits: Sequence[Invoice], wish: CreditWish, reason: Text) -> tuple[InvoiceLine, ...]:
    if wish.gross is not None:
        return (credited(invoice, credits, _rate(invoice, wish.vat_percent), wish.gross, reason),)
    left = {rate: net for rate, net in remaining(invoice, credits).items() if net}
    if not credits and left:
        return invoice.lines
    return tuple(_of_category(number, rate, net, reason) for number, (rate, net) in enumerate(left.items(), start=1))


def _rate(invoice: Invoice, percent: Decimal | None) -> VatRate:
    """The VAT category of the document with this rate, or its only one. Raises: Invalid."""
    found = [each.rate for each in invoice.vat if percent is None or each.rate.percent == percent]
    if len(found) != 1:
        told = ", ".join(f"{each.rate.percent} %" for each in invoice.vat)
        raise Invalid("vat", f"the document has VAT of {told}: say one of them")
    return found[0]


def _of_category(number: int, rate: VatRate, net: Decimal, reason: Text) -> InvoiceLine:
    quantity = Decimal(-1 if net < 0 else 1)
    return InvoiceLine(
        number=number, text=reason, quantity=quantity, unit=Unit.ONE, unit_price=abs(net), net=net, vat=rate
    )


def _as_rounded(invoice: Invoice, totals: Totals) -> Totals:
    """A document that is taken back whole takes its rounding with it."""
    rounding = invoice.totals.rounding
    return replace(totals, rounding=rounding, payable=totals.gross + rounding)


ALREADY = Text(sv="Avgår: redan krediterat på denna faktura", en="Less: credited on this invoice before")


def already_credited(left: dict[VatRate, Decimal], note: Invoice, text: Text = ALREADY) -> tuple[InvoiceLine, ...]:
    """The lines by which a credit note of corrected sessions is more than what is left: that was credited before.

    Without them it would take back twice what a person credited. Args: left, of the invoice by VAT category; text, what they say.
    Source: our choice, docs/rules.md "Credit".
    """
    lines = []
    for each in note.vat:
        rest = left.get(each.rate, from_minor(0, note.currency))
        over = each.net - (max(rest, Decimal(0)) if each.net > 0 else min(rest, Decimal(0)))
        if over and (over > 0) is (each.net > 0):
            lines.append(_of_category(0, each.rate, -over, text))
    return tuple(lines)


def remaining(invoice: Invoice, credits: Iterable[Invoice]) -> dict[VatRate, Decimal]:
    """What is left of the net amount of each VAT category after these credit notes."""
    left = {each.rate: each.net for each in invoice.vat}
    for credit in credits:
        for each in credit.vat:
            left[each.rate] = left.get(each.rate, Decimal(0)) - each.net
    return left


def credited(invoice: Invoice, credits: Iterable[Invoice], rate: VatRate, gross: Decimal, reason: Text) -> InvoiceLine:
    """The line of a credit note that takes back this amount, VAT included.

    Raises: Invalid when it is not above 0, or more than what is left of the category.
    Source: EN 16931 (credit note); case B51.
    """
    net = net_of(gross, rate.percent, invoice.currency)
    if gross <= 0:
        raise Invalid("gross", "a credit is an amount above 0")
    _check(rate, net, remaining(invoice, credits))
    return InvoiceLine(number=1, text=reason, quantity=Decimal(1), unit=Unit.ONE, unit_price=net, net=net, vat=rate)


def check_credit(invoice: Invoice, credits: Iterable[Invoice], credit: Invoice) -> None:
    """Raises: Invalid when a credit note takes back more than is left of a VAT category of its invoice."""
    left = remaining(invoice, credits)
    for each in credit.vat:
        _check(each.rate, each.net, left)


def _check(rate: VatRate, net: Decimal, left: dict[VatRate, Decimal]) -> None:
    """An invoice of a session that came to less than nothing is credited downwards, too."""
    rest = left.get(rate, Decimal(0))
    if not net:
        return
    if abs(net) > abs(rest) or (net > 0) is not (rest > 0):
        raise Invalid("credit", f"{net} net at {rate.percent} % VAT is more than the {rest} that are left")

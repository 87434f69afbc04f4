"""How is an invoice taken back, in part or whole?

A credit note refers to its invoice and takes back at most what is left of it, VAT category by category, whatever was
credited before. Its amounts are positive. A sum that was paid with VAT in it is taken apart at the category's rate:

>>> from laddbok.billing.examples import FINAL
>>> line = credited(FINAL, [], VatRate(percent=Decimal(25)), Decimal("10.00"), Text(sv="Kulans", en="Goodwill"))
>>> line.net, remaining(FINAL, [])[VatRate(percent=Decimal(25))]
(Decimal('8.00'), Decimal('53.24'))
"""

from collections.abc import Iterable
from decimal import Decimal

from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice, InvoiceLine, Text, Unit, VatRate
from laddbok.model.money import net_of


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
    if abs(net) > abs(rest) or (net > 0) is not (rest > 0):
        raise Invalid("credit", f"{net} net at {rate.percent} % VAT is more than the {rest} that are left")

"""What do the lines of an invoice come to?

VAT is taken per category on the sum of its lines and rounded once; net plus VAT is gross; what was paid before is taken
off, and the rest is rounded to whole kronor where that was agreed. Rounding changes what is to be paid, never the VAT base.

Five lines of 0.10 at 25 % have 0.13 of VAT, not 0.15 (case B48):

>>> from laddbok.model.invoice import VatRate
>>> sums, totals = totals_of([(VatRate(percent=Decimal(25)), Decimal("0.10"))] * 5, "SEK")
>>> sums[0].vat, totals.gross
(Decimal('0.13'), Decimal('0.63'))
"""

from collections.abc import Iterable
from decimal import Decimal

from laddbok.model.invoice import Totals, VatRate, VatSum
from laddbok.model.money import divide_half_up, from_minor, minor_digits, round_money, vat_on

_NOTHING = Decimal(0)


def totals_of(
    lines: Iterable[tuple[VatRate, Decimal]], currency: str, *, prepaid: Decimal = _NOTHING, whole_units: bool = False
) -> tuple[tuple[VatSum, ...], Totals]:
    """The VAT of each category and the totals of a document.

    Args: lines, the VAT rate and net amount of each; prepaid, in whole minor units; whole_units, whether what is to be
        paid was agreed to be rounded to whole kronor.
    Returns: VAT by category, in the order in which the categories first appear, and the totals.
    Source: EN 16931 BR-CO-10 to BR-CO-17; case B52 for the rounding.
    """
    nets: dict[VatRate, Decimal] = {}
    for rate, net in lines:
        nets[rate] = nets.get(rate, _NOTHING) + net
    sums = tuple(VatSum(rate=rate, net=net, vat=vat_on(net, rate.percent, currency)) for rate, net in nets.items())
    net, vat = (round_money(sum((getattr(each, name) for each in sums), _NOTHING), currency) for name in ("net", "vat"))
    due = net + vat - prepaid
    rounding = _in_whole_units(due, currency) - due if whole_units else from_minor(0, currency)
    return sums, Totals(net=net, vat=vat, gross=net + vat, prepaid=prepaid, rounding=rounding, payable=due + rounding)


def _in_whole_units(amount: Decimal, currency: str) -> Decimal:
    """An amount in whole kronor, half up; written with its öre, as amounts are."""
    whole = divide_half_up(*amount.as_integer_ratio())
    return from_minor(whole * int(10 ** minor_digits(currency)), currency)

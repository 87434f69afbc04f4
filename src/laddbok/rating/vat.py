"""What are a session's amounts before and after VAT?

Lines are rounded once, in the terms in which their prices are written. Prices without VAT: the VAT of all lines is added
exactly, over all rates, and rounded once. Prices with VAT: the gross amounts stand, per rate the net amount is taken out of
their sum and rounded once, and the VAT is the difference. The other side of each line is its share, so lines always sum
to their totals. A rate that nobody stated makes the other side unknown; an amount of 0 needs no rate.

>>> both_sides([50, 513], [200_000, 100_000], TaxIncluded.NO)
([50, 513], [60, 564])
>>> both_sides([6655], [250_000], TaxIncluded.YES)
([5324], [6655])
>>> both_sides([500], [None], TaxIncluded.NO)
([500], None)
"""

from collections.abc import Sequence

from laddbok.model.money import MILLIONTHS, net_within, split, vat_sum
from laddbok.model.tariff import TaxIncluded

Minor = list[int] | None


def both_sides(amounts: list[int], rates: Sequence[int | None], tax: TaxIncluded) -> tuple[Minor, Minor]:
    """The amounts of a session's lines before and after VAT, in minor units; None for a side that can't be known.

    Args: amounts, as priced; rates, of VAT in millionths, None: not stated; tax, whether the amounts contain it.
    Source: OCPI 2.3.0 mod_tariffs, TaxIncluded, and the Complex Tariff example for the one rounding over several rates;
        EN 16931 BR-CO-17 says the same where there is one rate; docs/rules.md "VAT".
    """
    if tax is TaxIncluded.NOT_APPLICABLE:
        return amounts, amounts
    stated = [rate if amount else 0 for amount, rate in zip(amounts, rates, strict=True)]
    known = [rate for rate in stated if rate is not None]
    if len(known) < len(stated):
        return (None, amounts) if tax is TaxIncluded.YES else (amounts, None)
    return (_net(amounts, known), amounts) if tax is TaxIncluded.YES else (amounts, _gross(amounts, known))


def _gross(nets: list[int], rates: list[int]) -> list[int]:
    exact = [net * (MILLIONTHS + rate) for net, rate in zip(nets, rates, strict=True)]
    return split(sum(nets) + vat_sum(zip(nets, rates, strict=True)), exact, MILLIONTHS)


def _net(grosses: list[int], rates: list[int]) -> list[int]:
    nets = [0] * len(grosses)
    for rate in set(rates):
        of_rate = [i for i, each in enumerate(rates) if each == rate]
        exact = [grosses[i] * MILLIONTHS for i in of_rate]
        shares = split(net_within(sum(grosses[i] for i in of_rate), rate), exact, MILLIONTHS + rate)
        for i, share in zip(of_rate, shares, strict=True):
            nets[i] = share
    return nets

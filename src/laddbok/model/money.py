"""How is money rounded, split, taxed and written?

Amounts are exact decimals; where many are computed they are integers of the currency's minor unit (öre, cent). There
is one rounding, half up and away from zero, and one VAT sum: net amounts are taxed exactly, added, and rounded once. A
document adds those of each rate (EN 16931), the price of a session those of all its rates (OCPI). Rating and billing use
these functions and no others.

>>> round_money(Decimal("13.337") * Decimal("3.992"), "SEK")
Decimal('53.24')
>>> vat_on(Decimal("53.24"), Decimal("25"), "SEK")
Decimal('13.31')
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

_MINOR_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
MILLIONTHS = 1_000_000
"""VAT rates are kept in millionths: 25 % is 250,000."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SIGNS = {"SEK": "kr", "NOK": "kr", "DKK": "kr", "ISK": "kr", "EUR": "€", "GBP": "£"}


def minor_digits(currency: str) -> int:
    """How many decimals an amount of this currency has. Source: ISO 4217, minor units; 2 where the table is silent."""
    return _MINOR_DIGITS.get(currency, 2)


def divide_half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to a whole number, halves away from zero: the one rounding. `denominator` > 0.

    >>> divide_half_up(2125, 10), divide_half_up(-2125, 10)
    (213, -213)
    """
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount of so many minor units: 320 öre are 3.20."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in whole minor units, rounded half up."""
    numerator, denominator = amount.as_integer_ratio()
    return divide_half_up(numerator * int(10 ** minor_digits(currency)), denominator)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """An amount rounded to the minor unit of its currency, half up.

    Source: our choice, design "Money"; halves go away from zero, so that a credit mirrors its debit.
    """
    return from_minor(to_minor(amount, currency), currency)


def millionths(percent: Decimal) -> int:
    """A VAT rate as a whole number. Args: percent, with at most four decimals."""
    return int(percent * MILLIONTHS / 100)


def vat_sum(lines: Iterable[tuple[int, int]]) -> int:
    """The VAT of lines [minor units], summed exactly and rounded once: the one VAT sum.

    Args: lines, pairs of net amount [minor units] and VAT rate [millionths].
    Source: EN 16931 BR-CO-17 for the lines of one category; OCPI 2.3.0 mod_tariffs, Complex Tariff example, for a session.

    >>> vat_sum([(250, 150_000), (275, 200_000), (375, 100_000)])
    130
    """
    return divide_half_up(sum(net * rate for net, rate in lines), MILLIONTHS)


def net_within(gross: int, rate: int) -> int:
    """The net amount inside a gross one, both in minor units. Args: rate, of VAT [millionths]."""
    return divide_half_up(gross * MILLIONTHS, MILLIONTHS + rate)


def vat_on(net: Decimal, percent: Decimal, currency: str) -> Decimal:
    """The VAT of one category. Args: net, the sum of that category's lines, in whole minor units; percent, its rate.

    Source: EN 16931 BR-CO-17: the net amounts of a category are summed before they are taxed.
    """
    return from_minor(vat_sum([(to_minor(net, currency), millionths(percent))]), currency)


def net_of(gross: Decimal, percent: Decimal, currency: str) -> Decimal:
    """The net amount inside a gross one of whole minor units; the VAT is the difference.

    Source: our choice, design "Money".
    """
    return from_minor(net_within(to_minor(gross, currency), millionths(percent)), currency)


def split(total: int, numerators: Sequence[int], denominator: int) -> list[int]:
    """Whole parts that sum to `total` and lie next to their exact shares `numerator / denominator`.

    Each share is cut down, and what is left goes to the largest remainders, the earlier first. `total` must lie
    within one unit per part of the sum of the exact shares.
    Source: our choice (largest remainder, stable order).

    >>> split(5324, [5324] * 3, 3)
    [1775, 1775, 1774]
    """
    parts = [numerator // denominator for numerator in numerators]
    left = total - sum(parts)
    if left:
        assert 0 <= left <= len(parts), (total, numerators, denominator)
        by_remainder = sorted(range(len(parts)), key=lambda i: -(numerators[i] % denominator))
        for i in by_remainder[:left]:
            parts[i] += 1
    return parts


def number_of(text: str) -> Decimal | None:
    """The exact number that a text says in plain digits, as JSON writes it; None when it says none.

    >>> number_of("-1.5e3"), number_of("1_0"), number_of("NaN"), number_of("\u0661")
    (Decimal('-1.5E+3'), None, None, None)
    """
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:  # its exponent is too large even for that
        return None


def currency_sign(currency: str) -> str:
    """How people write the currency after an amount: kr, €, or its code."""
    return _SIGNS.get(currency, currency)


def number_text(number: Decimal, decimals: int, language: str) -> str:
    """A number with at least so many decimals, all that it has, and the language's decimal sign ("en", "sv")."""
    shown = number.normalize()
    exponent = shown.as_tuple().exponent
    assert isinstance(exponent, int), number
    text = f"{shown:.{max(decimals, -exponent)}f}"
    return text.replace(".", ",") if language == "sv" else text


def amount_text(amount: Decimal, currency: str, language: str = "en") -> str:
    """An amount as a person writes it.

    >>> amount_text(Decimal("3.2"), "SEK"), amount_text(Decimal("3.2"), "SEK", "sv")
    ('3.20 kr', '3,20 kr')
    """
    return f"{number_text(amount, minor_digits(currency), language)} {currency_sign(currency)}"

"""How are numbers, days and times written on a document?

As people write them: thousands apart, the language's decimal sign, a real minus, months by name. What belongs together is
held together by a blank that no line breaks at.

>>> money_text(Decimal("-1234.5"), "SEK", "sv"), money_text(Decimal("1234.5"), "SEK", "en")
('−1\u00a0234,50\u00a0kr', '1,234.50\u00a0kr')
>>> day_text(date(2026, 10, 3), "sv"), period_text(date(2026, 10, 1), date(2026, 10, 31), "en")
('3\u00a0oktober 2026', '1–31\u00a0October 2026')
"""

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from laddbok.model.money import currency_sign, divide_half_up, minor_digits, number_text

FIXED = "\u00a0"
"""A blank that no line breaks at."""
_BREAK = "\u200b"
"""Where a word may be broken."""
LONGEST_WORD = 24
"""Longer words may be broken anywhere, so that no name runs out of its column."""
_LONG = re.compile(rf"[^\s{_BREAK}]{{{LONGEST_WORD},}}")
_MONTHS = {
    "sv": "januari februari mars april maj juni juli augusti september oktober november december".split(),
    "en": "January February March April May June July August September October November December".split(),
}


def language_of(language: str) -> str:
    """The language in which a document is written: Swedish unless it is English."""
    return "en" if language == "en" else "sv"


def grouped(number: Decimal, decimals: int, language: str) -> str:
    """A number with at least so many decimals and its thousands apart."""
    whole, sign, rest = number_text(abs(number), decimals, language).partition("," if language == "sv" else ".")
    apart = f"{int(whole):,}".replace(",", FIXED if language == "sv" else ",")
    return f"{'−' if number < 0 else ''}{apart}{sign}{rest}"


def money_text(amount: Decimal, currency: str, language: str) -> str:
    """An amount with its currency."""
    return f"{amount_alone(amount, currency, language)}{FIXED}{currency_sign(currency)}"


def amount_alone(amount: Decimal, currency: str, language: str) -> str:
    """An amount in a column whose head names the currency."""
    return grouped(amount, minor_digits(currency), language)


def kwh_text(wh: int, language: str) -> str:
    """Energy in kWh to the watt-hour. Args: wh [Wh].

    >>> kwh_text(1_204_500, "sv")
    '1\\xa0204,500'
    """
    return grouped(Decimal(wh).scaleb(-3), 3, language)


def percent_text(percent: Decimal, language: str) -> str:
    """A rate of VAT."""
    return f"{grouped(percent, 0, language)}{FIXED}%"


def rounded(numerator: Decimal, denominator: Decimal, decimals: int) -> Decimal:
    """A quotient to so many decimals, for people to read: nothing is computed with it. Args: denominator, not 0.

    >>> rounded(Decimal("53.24"), Decimal("13.337"), 4)
    Decimal('3.9919')
    """
    over, under = (numerator / 1).as_integer_ratio(), (denominator / 1).as_integer_ratio()
    sign = -1 if denominator < 0 else 1
    top, bottom = over[0] * under[1] * 10**decimals, over[1] * under[0]
    return Decimal(divide_half_up(sign * top, sign * bottom)).scaleb(-decimals)


def day_text(day: date, language: str) -> str:
    """A day with its month by name."""
    return f"{day.day}{FIXED}{_MONTHS[language][day.month - 1]} {day.year}"


def period_text(start: date, end: date, language: str) -> str:
    """From the first day to the last."""
    if (start.year, start.month) == (end.year, end.month):
        return day_text(end, language) if start == end else f"{start.day}–{day_text(end, language)}"
    return f"{day_text(start, language)} – {day_text(end, language)}"


def span_text(start_at: datetime, end_at: datetime, time_zone: str, language: str) -> str:
    """From when to when by the clock of the place; with its offset where the clocks were changed between (case B2).

    >>> from datetime import UTC
    >>> span_text(datetime(2026, 10, 3, 8, tzinfo=UTC), datetime(2026, 10, 3, 10, tzinfo=UTC), "Europe/Stockholm", "en")
    '3\\xa0October 2026, 10:00–12:00'
    """
    start, end = (at.astimezone(ZoneInfo(time_zone)) for at in (start_at, end_at))
    form = "%H:%M" if start.utcoffset() == end.utcoffset() else "%H:%M (UTC%z)"
    first = f"{day_text(start.date(), language)}, {start.strftime(form)}"
    if start.date() == end.date():
        return f"{first}–{end.strftime(form)}"
    return f"{first} – {day_text(end.date(), language)}, {end.strftime(form)}"


def clock_text(at: datetime, time_zone: str) -> str:
    """The time of day at the place."""
    return f"{at.astimezone(ZoneInfo(time_zone)):%H:%M}"


def breakable(text: str) -> str:
    """A text whose longest words may be broken.

    >>> breakable("kort " + "x" * 30).count(chr(0x200b))
    29
    """
    return _LONG.sub(lambda found: _BREAK.join(found[0]), text)

"""What is an amount of one currency worth in another on a day?

Rates are those that a central bank publishes each working day: so many of each currency for one of its own. On other days
the last published one holds, for some days; then there is none.

>>> rates = [DailyRate("EUR", "SEK", date(2026, 11, 20), Decimal("11.0350"), "ECB")]
>>> rate_on(date(2026, 11, 22), "EUR", "SEK", rates)
ExchangeRate(rate=Decimal('11.0350'), day=datetime.date(2026, 11, 20), source='ECB')
>>> rate_on(date(2026, 11, 28), "EUR", "SEK", rates) is None
True
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from laddbok.model.money import divide_half_up

MAX_AGE_DAYS = 7
"""So old a rate may be: Christmas and a weekend together are five days."""
CROSS_DECIMALS = 6
"""Of a rate between two currencies that were both published against a third."""


class DailyRate(msgspec.Struct, frozen=True):
    """As it was published: so many (`rate`) of `currency` for one of `base`."""

    base: str
    currency: str
    day: date
    rate: Decimal
    source: str


class ExchangeRate(msgspec.Struct, frozen=True):
    """So many of one currency for one of another, the day on which it was published, and by whom."""

    rate: Decimal
    day: date
    source: str


def rate_on(day: date, of: str, into: str, rates: Iterable[DailyRate]) -> ExchangeRate | None:
    """The rate of a day, by which an amount in `of` becomes one in `into`: the last published before it, or on it.

    Returns: None when the last one is more than MAX_AGE_DAYS old, or there is none.
    Source: directive 2006/112/EC, article 91 (2): the latest rate that the European Central Bank has published.

    >>> both = [DailyRate("EUR", c, date(2026, 11, 20), Decimal(r), "ECB") for c, r in (("SEK", "11.0350"), ("NOK", "11.7400"))]
    >>> rate_on(date(2026, 11, 20), "NOK", "SEK", both).rate
    Decimal('0.939949')
    """
    by_day: dict[tuple[date, str], dict[str, DailyRate]] = {}
    for each in rates:
        if timedelta() <= day - each.day <= timedelta(days=MAX_AGE_DAYS):
            by_day.setdefault((each.day, each.base), {})[each.currency] = each
    for (published, base), of_day in sorted(by_day.items(), reverse=True):
        known = {currency: each.rate for currency, each in of_day.items()} | {base: Decimal(1)}
        if of in known and into in known:
            return ExchangeRate(_quotient(known[into], known[of]), published, next(iter(of_day.values())).source)
    return None


def _quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """As it was published where it is against the bank's own currency."""
    if denominator == 1:
        return numerator
    over, under = numerator.as_integer_ratio(), denominator.as_integer_ratio()
    return Decimal(divide_half_up(over[0] * under[1] * 10**CROSS_DECIMALS, over[1] * under[0])).scaleb(-CROSS_DECIMALS)

"""Which price does a row of a source state?

Whatever a source is made of, its rows end here as `PriceQuote`s. Nothing is guessed: a row that can't be read refuses the
whole source and is named, with its column, and so is a quarter hour that comes twice, even at the same price.

>>> row = Stated("line 7", "SE3", at("2026-05-04T12:00:00Z", "x"), 60, {"SEK": "0.31690", "EUR": "0.02846"})
>>> [(quote.currency, str(quote.per_kwh), quote.minutes) for quote in quotes_of([row])]
[('SEK', '0.31690', 60), ('EUR', '0.02846', 60)]
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import RESOLUTIONS_MIN, PriceQuote, checked_zone
from laddbok.model.money import number_of

PRICE_COLUMN = re.compile(r"([A-Z]{3})_per_kWh")
MAX_ROWS = 500_000
"""Of one source: four zones for three and a half years by the quarter hour."""
MAX_PRICE = 100_000
"""Per kWh, in whatever currency; below it and above its negative."""
MAX_DECIMALS = 12
YEARS = range(2000, 2101)


class Stated(msgspec.Struct, frozen=True):
    """A row as a source states it. `where` names it; `prices` has the text of each currency's column."""

    where: str
    zone: str
    start_at: datetime
    minutes: int
    prices: Mapping[str, str]


def quotes_of(rows: Iterable[Stated]) -> list[PriceQuote]:
    """The prices that the rows state.

    Raises: Invalid, naming row and column: no number, no zone, not on the hour or quarter hour, a quarter hour that an
        earlier row has, too many rows.
    Source: our choice, docs/rules.md "Day-ahead prices".
    """
    quotes: list[PriceQuote] = []
    stated_in: dict[tuple[str, int], str] = {}
    for number, row in enumerate(rows):
        if number == MAX_ROWS:
            raise Invalid(row.where, f"more than {MAX_ROWS} rows")
        found = _quotes_of(row)
        quotes += found
        for start_s in found[0].quarters:
            before = stated_in.setdefault((row.zone, start_s), row.where)
            if before != row.where:
                raise Invalid(row.where, f"its time is that of {before}, or lies within it")
    return quotes


def at(text: str, field: str) -> datetime:
    """The instant of a text like 2026-05-04T12:00:00Z. Raises: Invalid: it is none, has no offset, or is far away."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and found.year in YEARS:
            return found.astimezone(UTC)
    except ValueError:
        pass
    raise Invalid(field, f"{text!r} is no instant like 2026-05-04T12:00:00Z")


def price(text: str, field: str) -> Decimal:
    """The exact price of a text. Raises: Invalid: it is none in plain digits, or none that a kWh can have."""
    number = number_of(text)
    if number is None:
        raise Invalid(field, f"{text!r} is no number in plain digits")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DECIMALS or number.adjusted() > 9 or abs(number) >= MAX_PRICE:
        raise Invalid(field, f"{text!r} is no price of a kWh: below {MAX_PRICE}, {MAX_DECIMALS} decimals at most")
    return number


def _quotes_of(row: Stated) -> list[PriceQuote]:
    """At least one. The row's place is part of each error's field."""
    zone = checked_zone(row.zone, f"{row.where}: zone")
    if row.minutes not in RESOLUTIONS_MIN:
        raise Invalid(f"{row.where}: minutes", f"{row.minutes} is neither 15 nor 60")
    start_s = int(row.start_at.timestamp())
    if row.start_at.microsecond or start_s % (row.minutes * 60):
        raise Invalid(f"{row.where}: start", f"{row.start_at:%H:%M:%S.%f} is not the start of {row.minutes} minutes")
    if not row.prices:
        raise Invalid(row.where, "it has no price")
    return [
        PriceQuote(zone, currency, start_s, row.minutes, price(text, f"{row.where}: {currency}_per_kWh"))
        for currency, text in row.prices.items()
    ]

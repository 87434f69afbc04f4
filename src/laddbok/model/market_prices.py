"""What does a source of day-ahead prices say, and for which quarter hours?

It quotes a price per kWh without VAT, of a zone and in a currency, for an hour or for a quarter hour that begins at an
instant. The market's day is the day of Europe/Stockholm, which is that of central Europe: 92 quarters when the clock is
put forward, 100 when it is put back, else 96. A quarter that nobody quoted is a gap.

>>> [len(quarters_of(date(2026, *day))) for day in ((3, 29), (5, 4), (10, 25))]
[92, 96, 100]
>>> hour = PriceQuote("SE3", "SEK", quarters_of(date(2026, 5, 4))[4], 60, Decimal("0.3169"))
>>> [start_s - hour.start_s for start_s in hour.quarters]
[0, 900, 1800, 2700]
"""

import re
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.spot_prices import QUARTER_S, SpotPrices

MARKET_TIME_ZONE = "Europe/Stockholm"
RESOLUTIONS_MIN = (15, 60)
"""What a price may be for: a quarter hour since 2025-10-01, an hour before. Source: SDAC, 15-minute market time unit."""
MAX_DAYS = 3_660
"""Days that gaps are looked for in at once."""

_ZONE = re.compile(r"[A-Z][A-Z0-9_-]{1,9}")


class PriceQuote(msgspec.Struct, frozen=True):
    """A price per kWh without VAT, for so many minutes from a second since 1970 on."""

    zone: str
    currency: str
    start_s: int
    minutes: int
    per_kwh: Decimal

    @property
    def quarters(self) -> range:
        """The seconds since 1970 at which its quarter hours begin."""
        return range(self.start_s, self.start_s + self.minutes * 60, QUARTER_S)


class Kept(msgspec.Struct, frozen=True):
    """What became of the quarter hours that were to be kept: new, with another price than before, or as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        """Both together."""
        return Kept(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


class Gap(msgspec.Struct, frozen=True):
    """Quarter hours in a row without a price, from one instant up to before another."""

    start_at: datetime
    end_at: datetime

    @property
    def quarters(self) -> int:
        """How many they are."""
        return (self.end_at - self.start_at) // timedelta(seconds=QUARTER_S)


def prices_of(quotes: Iterable[PriceQuote], zone: str, currency: str, source: str) -> SpotPrices:
    """The prices of one zone in one currency, quarter by quarter; `source` names where the quotes come from."""
    by_start_s = {
        start_s: quote.per_kwh
        for quote in quotes
        if quote.zone == zone and quote.currency == currency
        for start_s in quote.quarters
    }
    return SpotPrices(zone=zone, currency=currency, source=source, by_start_s=by_start_s)


def quarters_of(first: date, last: date | None = None) -> range:
    """The quarter hours of the market's days from the first to the last, by their start [s since 1970].

    Raises: Invalid when the last day lies before the first, or too far behind it.
    Source: case B1; SDAC, delivery days in central European time.
    """
    last = last or first
    if not first <= last < first + timedelta(days=MAX_DAYS):
        raise Invalid("to", f"it must be from {first} on, {MAX_DAYS} days at most")
    return range(_midnight_s(first), _midnight_s(last + timedelta(days=1)), QUARTER_S)


def market_day(at: datetime) -> date:
    """The day of the market that an instant lies in."""
    return at.astimezone(ZoneInfo(MARKET_TIME_ZONE)).date()


def missing_of(wanted: Iterable[int], known: Container[int]) -> list[int]:
    """The quarter hours without a price, of those wanted."""
    return [start_s for start_s in wanted if start_s not in known]


def gaps_of(missing: Sequence[int]) -> list[Gap]:
    """Quarter hours without a price, those in a row as one gap. Args: missing, ascending [s since 1970].

    Source: case B37: a gap is a gap.

    >>> [(gap.start_at.hour, gap.quarters) for gap in gaps_of([0, 900, 7200])]
    [(0, 2), (2, 1)]
    """
    begins = [at_s for i, at_s in enumerate(missing) if i == 0 or missing[i - 1] + QUARTER_S != at_s]
    ends = [at_s for i, at_s in enumerate(missing) if i + 1 == len(missing) or missing[i + 1] - QUARTER_S != at_s]
    return [Gap(instant(first), instant(last + QUARTER_S)) for first, last in zip(begins, ends, strict=True)]


def checked_zone(text: str, field: str) -> str:
    """The name of a bidding zone. Raises: Invalid when it can be none."""
    if not _ZONE.fullmatch(text):
        raise Invalid(field, f"{text!r} is not a bidding zone such as SE3")
    return text


def instant(at_s: int) -> datetime:
    """The instant of a second since 1970."""
    return datetime.fromtimestamp(at_s, UTC)


def _midnight_s(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(MARKET_TIME_ZONE)).timestamp())

"""What did electricity cost on the day-ahead market?

The prices of one bidding zone, a price per kWh without VAT for each quarter hour, keyed by the quarter's start in UTC.
An hourly price stands for its four quarters. A quarter without a price is a gap: it is never 0, and never the last one known.

>>> from datetime import UTC, datetime
>>> noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
>>> prices = SpotPrices(zone="SE3", currency="SEK", source="example", by_start_s={int(noon.timestamp()): Decimal("-0.32")})
>>> prices.at(int(noon.timestamp()) + 899), prices.at(int(noon.timestamp()) + 900)
(Decimal('-0.32'), None)
"""

from decimal import Decimal

import msgspec

QUARTER_S = 900


class SpotPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of one zone. `source` names where they come from; `by_start_s` has seconds since 1970 as keys."""

    zone: str
    currency: str
    source: str
    by_start_s: dict[int, Decimal]

    def at(self, at_s: int) -> Decimal | None:
        """The price per kWh at a second since 1970; None: not known."""
        return self.by_start_s.get(at_s - at_s % QUARTER_S)

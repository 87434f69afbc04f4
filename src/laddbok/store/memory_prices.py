"""What did electricity cost, when there is no database to ask?

The table of day-ahead prices as a dict: a quarter hour of a tenant, zone and currency has all prices that it ever had, and
the last one counts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from laddbok.model.market_prices import Kept, PriceQuote
from laddbok.model.spot_prices import SpotPrices
from laddbok.store.spot_prices import quarter_of, sources_text


class KeptPrice(NamedTuple):
    """A price that a quarter hour has or had."""

    per_kwh: Decimal
    minutes: int
    source: str
    received_at: datetime


class PriceTable:
    """All prices, each with those before it."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[int, str, str], dict[int, list[KeptPrice]]] = {}

    def keep(self, tenants: Sequence[int], quotes: Iterable[PriceQuote], source: str, received_at: datetime) -> Kept:
        """Keep prices for these tenants. Returns: the quarter hours, over all tenants."""
        kept = Kept()
        for quote in quotes:
            price = KeptPrice(quote.per_kwh, quote.minutes, source, received_at)
            for tenant in tenants:
                by_start_s = self._by_place.setdefault((tenant, quote.zone, quote.currency), {})
                for start_s in quote.quarters:
                    kept += _kept(by_start_s.setdefault(start_s, []), price)
        return kept

    def read(self, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime) -> SpotPrices:
        """The prices that count, of the quarter hours that touch a span of time."""
        kept = self._by_place.get((tenant, zone, currency), {})
        begin_s = int(quarter_of(start_at).timestamp())
        found = {s: kept[s][-1] for s in sorted(kept) if begin_s <= s < end_at.timestamp()}
        return SpotPrices(
            zone=zone,
            currency=currency,
            source=sources_text({price.source for price in found.values()}),
            by_start_s={start_s: price.per_kwh for start_s, price in found.items()},
        )


def _kept(versions: list[KeptPrice], price: KeptPrice) -> Kept:
    if not versions:
        versions.append(price)
        return Kept(new=1)
    before = versions[-1]
    if before.per_kwh == price.per_kwh or before.minutes < price.minutes:
        return Kept(unchanged=1)
    versions.append(price)
    return Kept(changed=1)

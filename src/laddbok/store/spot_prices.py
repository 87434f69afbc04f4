"""Where are day-ahead prices kept?

In one table, a row for each quarter hour of a tenant, zone and currency, and for each price that it ever had: the newest
counts, the others stay. What comes is kept whole or not at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import asyncpg

from laddbok.model.market_prices import Kept, PriceQuote, instant
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.store.sql import query

CHUNK_QUARTERS = 20_000
"""In one statement; all of them are one transaction."""

Quarter = tuple[str, str, datetime, int, Any]


async def keep_prices(
    connection: asyncpg.Connection,
    tenants: Sequence[int],
    quotes: Iterable[PriceQuote],
    source: str,
    received_at: datetime,
) -> Kept:
    """Keep prices for these tenants, in one transaction.

    Args: connection: of the tables' owner. quotes: none of their quarter hours twice.
    Returns: the quarter hours, over all tenants. One stays as it was when its price is the same, or when it has a price
        of its own and what came is that of the whole hour.
    Source: our choice, docs/rules.md "Day-ahead prices".
    """
    kept = Kept()
    quarters = _quarters(quotes)
    async with connection.transaction():
        await connection.execute(query("spot_prices_alone"))
        while chunk := [*islice(quarters, CHUNK_QUARTERS)]:
            columns = [list(column) for column in zip(*chunk, strict=True)]
            row = await connection.fetchrow(query("spot_prices_keep"), list(tenants), *columns, source, received_at)
            written = row["new"] + row["changed"]
            kept += Kept(row["new"], row["changed"], len(chunk) * len(tenants) - written)
    return kept


async def read_prices(
    connection: asyncpg.Connection, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime
) -> SpotPrices:
    """The prices that count, of the quarter hours that touch the span from `start_at` up to before `end_at`."""
    begin_at = quarter_of(start_at)
    rows = await connection.fetch(query("spot_prices_read"), tenant, zone, currency, begin_at, end_at)
    by_start_s = {row["start_s"]: row["price_per_kwh"] for row in rows}
    return SpotPrices(
        zone=zone, currency=currency, source=sources_text({row["source"] for row in rows}), by_start_s=by_start_s
    )


async def prices_lack(
    connection: asyncpg.Connection, zone: str, currencies: Sequence[str], quarters: Sequence[int]
) -> bool:
    """Whether any of these quarter hours has no price, for any tenant, in any of the currencies.

    Args: quarters: in a row [s since 1970].
    """
    span = instant(quarters[0]), instant(quarters[-1] + QUARTER_S)
    lacks: bool = await connection.fetchval(query("spot_prices_lacking"), zone, list(currencies), *span, len(quarters))
    return lacks


def quarter_of(at: datetime) -> datetime:
    """The instant at which the quarter hour of an instant begins."""
    at_s = int(at.timestamp())
    return instant(at_s - at_s % QUARTER_S)


def sources_text(sources: set[str]) -> str:
    """The names of all sources that prices came from."""
    return ", ".join(sorted(sources))


def _quarters(quotes: Iterable[PriceQuote]) -> Iterator[Quarter]:
    for quote in quotes:
        for start_s in quote.quarters:
            yield quote.zone, quote.currency, instant(start_s), quote.minutes, quote.per_kwh

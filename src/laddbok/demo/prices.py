"""What does electricity cost in the demo?

A made-up day-ahead price of SE3 in SEK for each quarter hour, kept under the source "demo": dear in the morning and the
evening and in winter, cheap at night, below nothing on some sunny middays. It depends on zone and quarter alone, so it is
the same in every demo. It is kept ahead of the demo's clock, and a quarter hour that has a price keeps it.

>>> from datetime import date
>>> quarters = quarters_of(date(2026, 6, 15))
>>> [str(price_of("SE3", start_s)) for start_s in (quarters[8], quarters[32], quarters[48])]
['0.1564', '0.4622', '-0.3309']
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg

from laddbok.model.clock import Clock
from laddbok.model.market_prices import MARKET_TIME_ZONE, PriceQuote, market_day, missing_of, quarters_of
from laddbok.store.database import Database
from laddbok.store.spot_prices import keep_prices, read_prices
from laddbok.store.sql import query

log = logging.getLogger(__name__)

ZONE, CURRENCY, SOURCE = "SE3", "SEK", "demo"
LOOK_S = 5.0
"""How often it is looked whether there are prices enough, by the wall clock."""
DAYS_AHEAD = 2
ORE_BY_HOUR = (38, 34, 31, 30, 32, 41, 58, 79, 88, 76, 63, 55, 49, 46, 48, 56, 72, 95, 104, 91, 74, 61, 50, 43)
PERCENT_BY_MONTH = (135, 130, 110, 95, 80, 65, 60, 70, 85, 100, 115, 130)
SUNNY_MONTHS = range(4, 9)
SUNNY_HOURS = range(10, 16)
SUN_ORE = 55
"""What the sun takes off at midday."""


def demo_quotes(quarters: Iterable[int]) -> list[PriceQuote]:
    """The made-up prices of these quarter hours [s since 1970]."""
    return [PriceQuote(ZONE, CURRENCY, start_s, 15, price_of(ZONE, start_s)) for start_s in quarters]


def price_of(zone: str, start_s: int) -> Decimal:
    """The made-up price of a quarter hour [SEK per kWh], of four decimals. Source: our choice; no market's."""
    local = datetime.fromtimestamp(start_s, ZoneInfo(MARKET_TIME_ZONE))
    day = _dice(f"{zone}/{local.date()}")
    level = PERCENT_BY_MONTH[local.month - 1] * (65 + day % 71)
    hundredths = ORE_BY_HOUR[local.hour] * level // 100 + _dice(f"{zone}/{start_s}") % 601 - 300
    is_sunny = local.month in SUNNY_MONTHS and day // 71 % 3 == 0
    if is_sunny and local.hour in SUNNY_HOURS:
        hundredths -= SUN_ORE * 100
    return Decimal(hundredths).scaleb(-4)


@asynccontextmanager
async def prices_ahead(database: Database, clock: Clock) -> AsyncIterator[None]:
    """Prices from yesterday on, and for as long as this lasts always some days ahead of the clock."""
    await fill_ahead(database, clock)
    filling = asyncio.create_task(_keep_ahead(database, clock))
    try:
        yield
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


async def fill_ahead(database: Database, clock: Clock) -> int:
    """Keep what is missing from yesterday to the day after tomorrow, and to what the clock reaches until the next look.

    Returns: how many quarter hours were added.
    """
    now = clock.now()
    until = now + timedelta(days=DAYS_AHEAD, seconds=3 * LOOK_S * clock.speed)
    wanted = quarters_of(market_day(now) - timedelta(days=1), market_day(until))
    span = (datetime.fromtimestamp(at_s, UTC) for at_s in (wanted.start, wanted.stop))
    connection = await database.connect()
    try:
        tenant = await connection.fetchval(query("oldest_tenant"))
        known = await read_prices(connection, tenant, ZONE, CURRENCY, *span)
        missing = missing_of(wanted, known.by_start_s)
        if missing:
            await keep_prices(connection, [tenant], demo_quotes(missing), SOURCE, now)
    finally:
        await connection.close()
    return len(missing)


async def _keep_ahead(database: Database, clock: Clock) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await fill_ahead(database, clock)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("demo prices: %s", str(error) or type(error).__name__)


def _dice(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])

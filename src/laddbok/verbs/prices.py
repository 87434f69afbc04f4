"""How does `laddbok prices` run?

Prices are the market's: those that come in are kept for every tenant, and a quarter hour that any of them lacks is a gap.
"""

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from tqdm import tqdm

from laddbok import app
from laddbok.model.errors import NotFound
from laddbok.model.market_prices import (
    Kept,
    PriceQuote,
    checked_zone,
    gaps_of,
    instant,
    missing_of,
    quarters_of,
)
from laddbok.settings import Settings
from laddbok.store.database import open_database
from laddbok.store.spot_prices import keep_prices, read_prices
from laddbok.store.sql import query
from laddbok.wires.price_feeds import PriceFeed, read_price_file
from laddbok.workers.fetch_prices import published_days

DEFAULT_ZONE = "SE3"
MAX_TOLD = 1_000
"""Gaps that are listed."""


async def import_file(settings: Settings, file: str, as_json: bool) -> dict[str, Any]:
    """Keep the prices in a file. Returns: the counts. Raises: Invalid: something in it can't be read; nothing is kept."""
    quotes = read_price_file(Path(file))
    async with _connected(settings) as connection:
        bar = tqdm(quotes, desc="import", unit=" prices", file=sys.stderr, disable=not sys.stderr.isatty())
        kept = await _keep(connection, bar, Path(file).name, settings.clock.now())
    return _told({"prices": len(quotes), **msgspec.structs.asdict(kept)}, as_json)


async def fetch(settings: Settings, zone: str | None, day: date | None, as_json: bool) -> dict[str, Any]:
    """Fetch a day's prices of a zone and keep them. Returns: the counts.

    Args: zone: None: those of the settings, else SE3. day: None: the newest that is published.
    Raises: NotFound: they are not published. FeedDown, Invalid: the source does not answer well; nothing is kept.
    """
    now, feed = settings.clock.now(), PriceFeed(settings.price_url)
    day = day or published_days(now)[-1]
    quotes: list[PriceQuote] = []
    for each in (zone,) if zone else settings.price_zones or (DEFAULT_ZONE,):
        found = await feed.day(each, day)
        if found is None:
            raise NotFound("day-ahead prices", f"{each} {day}")
        quotes += found
    async with _connected(settings) as connection:
        kept = await _keep(connection, quotes, feed.source, now)
    return _told({"date": str(day), "prices": len(quotes), **msgspec.structs.asdict(kept)}, as_json)


async def gaps(
    settings: Settings, zone: str, currency: str, first: date, last: date, as_json: bool
) -> tuple[dict[str, Any], int]:
    """The quarter hours without a price, from the first day to the last. Returns: them, and exit code 1 if there are any."""
    checked_zone(zone, "zone")
    wanted = quarters_of(first, last)
    span = instant(wanted.start), instant(wanted.stop)
    missing: set[int] = set()
    async with _connected(settings) as connection:
        for tenant in await _tenants(connection):
            known = await read_prices(connection, tenant, zone, currency, *span)
            missing.update(missing_of(wanted, known.by_start_s))
    items = [
        {"start_at": _text(gap.start_at), "end_at": _text(gap.end_at), "quarters": gap.quarters}
        for gap in gaps_of(sorted(missing))[:MAX_TOLD]
    ]
    if not as_json:
        for each in items:
            print(f"{each['start_at']} to {each['end_at']}  {each['quarters']} quarters")
        print(f"{len(missing)} of {len(wanted)} quarters of {zone} have no price in {currency}")
    counts = {"zone": zone, "currency": currency, "quarters": len(wanted), "missing": len(missing)}
    return {**counts, "gaps": items}, 1 if missing else 0


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    async with open_database(settings.database_url, settings.state_folder) as database:
        await app.prepare_tenant(settings, database)
        connection = await database.connect()
        try:
            yield connection
        finally:
            await connection.close()


async def _keep(connection: asyncpg.Connection, quotes: Iterable[PriceQuote], source: str, now: datetime) -> Kept:
    return await keep_prices(connection, await _tenants(connection), quotes, source, now)


async def _tenants(connection: asyncpg.Connection) -> list[int]:
    return [row["tenant"] for row in await connection.fetch(query("all_tenants"))]


def _told(counts: dict[str, Any], as_json: bool) -> dict[str, Any]:
    if not as_json:
        for name, value in counts.items():
            print(f"{name:20} {value}")
    return counts


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"

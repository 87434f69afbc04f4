"""Who asks for tomorrow's prices?

The market's prices of a day are published shortly before 13:00 the day before. From then on they are asked for, and those
of today too when they are not there; once they are there without a gap, no more. A source that is down, or has not
published yet, is asked again, each time a while later, until it was asked often enough for that day.

>>> [day.isoformat() for day in published_days(datetime(2026, 5, 4, 10, 54, tzinfo=UTC))]
['2026-05-04']
>>> [day.isoformat() for day in published_days(datetime(2026, 5, 4, 10, 55, tzinfo=UTC))]
['2026-05-04', '2026-05-05']
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.model.errors import LaddbokError
from laddbok.model.market_prices import MARKET_TIME_ZONE, PriceQuote, market_day, quarters_of
from laddbok.store.database import borrowed
from laddbok.store.postgres import PostgresStore
from laddbok.store.spot_prices import prices_lack
from laddbok.store.sql import query
from laddbok.workers.again import again_and_again

log = logging.getLogger(__name__)

PUBLISHED = time(12, 55)
"""When tomorrow's prices are there, by the clock of the market. Source: SDAC, which publishes shortly before 13:00."""
EVERY_S = 60.0
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
MAX_TRIES = 20
"""For a zone and day: until 14 hours after the first."""

NOT_PUBLISHED = "not published"


class Feed(Protocol):
    """A source of day-ahead prices. What goes wrong with it is a LaddbokError."""

    source: str
    currencies: tuple[str, ...]

    async def day(self, zone: str, day: date) -> list[PriceQuote] | None:
        """The prices of a zone's day; None: not published."""
        ...


class Tries(msgspec.Struct, frozen=True):
    """How often a source was asked for a zone's day, and when it may be asked again; None: no more."""

    count: int = 0
    next_at: datetime | None = datetime.min.replace(tzinfo=UTC)

    def is_due(self, now: datetime) -> bool:
        """Whether it may be asked now."""
        return self.next_at is not None and self.next_at <= now

    def after(self, now: datetime) -> "Tries":
        """One more was in vain: the next comes twice as late as this one, an hour at most."""
        count = self.count + 1
        return Tries(count, now + min(FIRST_RETRY * 2**self.count, LAST_RETRY) if count < MAX_TRIES else None)


class PriceFetcher:
    """The loop that asks for prices, and keeps them for all tenants."""

    def __init__(
        self, zones: Sequence[str], feed: Feed, store: PostgresStore, pool: asyncpg.Pool, now: Callable[[], datetime]
    ) -> None:
        self._zones = zones
        self._feed = feed
        self._store = store
        self._pool = pool
        self._now = now
        self._tries: dict[tuple[str, date], Tries] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        await again_and_again("day-ahead prices", self.once, EVERY_S)

    async def once(self) -> int:
        """Ask for what is missing and due. Returns: how often the source was asked."""
        now = self._now()
        days = published_days(now)
        self._tries = {key: tries for key, tries in self._tries.items() if key[1] in days}
        asked = 0
        for zone, day in ((zone, day) for zone in self._zones for day in days):
            tries = self._tries.get((zone, day), Tries())
            if tries.is_due(now) and await self._lacks(zone, day):
                asked += 1
                self._tries[zone, day] = tries.after(now)
                await self._ask(zone, day)
        return asked

    async def _ask(self, zone: str, day: date) -> None:
        try:
            quotes = await self._feed.day(zone, day)
        except LaddbokError as error:
            return self._tell(zone, day, str(error))
        if quotes is None:
            return self._tell(zone, day, NOT_PUBLISHED)
        await self._store.keep_prices(await self._tenants(), quotes, self._feed.source, self._now())
        if await self._lacks(zone, day):
            self._tell(zone, day, "there are gaps in them")

    async def _lacks(self, zone: str, day: date) -> bool:
        """Whether a quarter hour of the day has no price, in a currency of the source and for any tenant."""
        async with borrowed(self._pool) as connection:
            return await prices_lack(connection, zone, self._feed.currencies, quarters_of(day))

    async def _tenants(self) -> list[int]:
        async with borrowed(self._pool) as connection:
            return [row["tenant"] for row in await connection.fetch(query("all_tenants"))]

    def _tell(self, zone: str, day: date, what: str) -> None:
        if self._tries[zone, day].next_at is None:
            log.error("day-ahead prices of %s on %s: %s; they are not asked for any more", zone, day, what)
        elif what != NOT_PUBLISHED:
            log.warning("day-ahead prices of %s on %s: %s", zone, day, what)


def published_days(now: datetime) -> tuple[date, ...]:
    """The days of the market, from today on, whose prices are published: tomorrow's from 12:55 on.

    Source: our choice, docs/rules.md "Day-ahead prices".
    """
    today = market_day(now)
    is_out = now.astimezone(ZoneInfo(MARKET_TIME_ZONE)).time() >= PUBLISHED
    return (today, today + timedelta(days=1)) if is_out else (today,)

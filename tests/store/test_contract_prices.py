"""Do both stores keep day-ahead prices alike? A price of each quarter hour, the newest counts, and nothing is lost."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.model.market_prices import Kept, PriceQuote, gaps_of, missing_of, quarters_of
from laddbok.model.spot_prices import SpotPrices
from laddbok.store.embedded import Dsn
from laddbok.store.spot_prices import CHUNK_QUARTERS, keep_prices
from tests.store.stores import NOON, Ground, minutes

NOON_S = int(NOON.timestamp())
HOUR_S = 3600


def quote(at_min: int, price: str, lasts_min: int = 15, zone: str = "SE3", currency: str = "SEK") -> PriceQuote:
    return PriceQuote(zone, currency, NOON_S + at_min * 60, lasts_min, Decimal(price))


def keep(ground: Ground, *quotes: PriceQuote, source: str = "feed", tenants: Iterable[int] = ()) -> Kept:
    store: Any = ground.store
    kept = ground.run(store.keep_prices([*tenants] or [ground.tenant], quotes, source, NOON))
    assert isinstance(kept, Kept)
    return kept


def read(ground: Ground, from_min: float, to_min: float, zone: str = "SE3", currency: str = "SEK") -> SpotPrices:
    span = minutes(from_min), minutes(to_min)
    prices = ground.run(ground.store.spot_prices(ground.tenant, zone, currency, *span))
    assert isinstance(prices, SpotPrices)
    return prices


def by_minute(prices: SpotPrices) -> dict[int, str]:
    return {(start_s - NOON_S) // 60: str(price) for start_s, price in prices.by_start_s.items()}


def test_an_hourly_price_is_that_of_its_four_quarters(ground: Ground) -> None:
    assert keep(ground, quote(0, "0.31690", 60), quote(60, "-0.32")) == Kept(new=5)
    prices = read(ground, 0, 75)
    assert by_minute(prices) == {0: "0.31690", 15: "0.31690", 30: "0.31690", 45: "0.31690", 60: "-0.32"}
    assert (prices.zone, prices.currency, prices.source) == ("SE3", "SEK", "feed")


@pytest.mark.parametrize(
    ("from_min", "to_min", "found"),
    [(0, 30, [0, 15]), (14.9, 15, [0]), (15, 15.1, [15]), (-1, 0, []), (44, 46, [30, 45]), (45, 45, []), (60, 99, [])],
)
def test_read_are_the_quarters_that_touch_the_span(
    ground: Ground, from_min: float, to_min: float, found: list[int]
) -> None:
    keep(ground, quote(0, "1", 60))
    assert [*by_minute(read(ground, from_min, to_min))] == found


def test_the_same_price_again_changes_nothing_and_another_one_is_the_next_version(ground: Ground) -> None:
    assert keep(ground, quote(0, "0.50"), quote(15, "0.60")) == Kept(new=2)
    assert keep(ground, quote(0, "0.5"), quote(15, "0.60"), source="other") == Kept(unchanged=2)
    assert read(ground, 0, 30).source == "feed"
    assert keep(ground, quote(0, "0.51"), quote(15, "0.6"), quote(30, "0"), source="other") == Kept(1, 1, 1)
    prices = read(ground, 0, 60)
    assert (by_minute(prices), prices.source) == ({0: "0.51", 15: "0.60", 30: "0"}, "feed, other")
    assert keep(ground, quote(0, "0.50")) == Kept(changed=1), "the old price again is a change too"


def test_the_price_of_an_hour_does_not_replace_that_of_a_quarter(ground: Ground) -> None:
    keep(ground, quote(0, "1", 60))
    assert keep(ground, quote(15, "2")) == Kept(changed=1)
    assert keep(ground, quote(0, "3", 60)) == Kept(changed=3, unchanged=1)
    assert by_minute(read(ground, 0, 60)) == {0: "3", 15: "2", 30: "3", 45: "3"}


def test_B1_a_price_is_one_of_tenant_zone_currency_and_quarter(ground: Ground) -> None:
    stranger = ground.tenant + 1_000_000
    keep(ground, quote(0, "1"), quote(0, "2", zone="SE4"), quote(0, "3", currency="EUR"), quote(15, "4"))
    assert by_minute(read(ground, 0, 60)) == {0: "1", 15: "4"}
    assert by_minute(read(ground, 0, 60, "SE4")) == {0: "2"}
    assert by_minute(read(ground, 0, 60, currency="EUR")) == {0: "3"}
    assert by_minute(read(ground, 0, 60, "SE1")) == {}
    assert ground.run(ground.store.spot_prices(stranger, "SE3", "SEK", NOON, minutes(60))).by_start_s == {}


@pytest.mark.parametrize(("day", "count"), [((2026, 3, 29), 92), ((2026, 5, 4), 96), ((2026, 10, 25), 100)])
@pytest.mark.parametrize("lasts_min", [15, 60])
def test_B1_a_day_has_92_or_96_or_100_quarters(
    ground: Ground, day: tuple[int, int, int], count: int, lasts_min: int
) -> None:
    quarters = quarters_of(date(*day))
    keep(
        ground,
        *(PriceQuote("SE3", "SEK", at_s, lasts_min, Decimal(at_s)) for at_s in quarters[:: lasts_min // 15]),
    )
    begin, end = (datetime.fromtimestamp(at_s, UTC) for at_s in (quarters.start, quarters.stop))
    prices = ground.run(ground.store.spot_prices(ground.tenant, "SE3", "SEK", begin, end))
    assert len(prices.by_start_s) == count and missing_of(quarters, prices.by_start_s) == []
    assert prices.at(quarters.stop - 1) == (quarters.stop - 60 * lasts_min)


def test_B37_a_quarter_that_nobody_quoted_is_a_gap_and_has_no_price(ground: Ground) -> None:
    keep(ground, quote(0, "1"), quote(60, "0"))
    prices = read(ground, 0, 120)
    assert [prices.at(NOON_S + 60 * at_min) for at_min in (0, 15, 45, 60, 75)] == [1, None, None, 0, None]
    missing = missing_of(range(NOON_S, NOON_S + 2 * HOUR_S, 900), prices.by_start_s)
    found = [((gap.start_at - NOON) // timedelta(minutes=1), gap.quarters) for gap in gaps_of(missing)]
    assert found == [(15, 3), (75, 3)]


# What PostgreSQL does besides.
def run(dsn: Dsn, work: Callable[[asyncpg.Connection], Coroutine[Any, Any, Any]]) -> Any:
    async def connected() -> Any:
        connection = await asyncpg.connect(**dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


async def new_tenants(connection: asyncpg.Connection, count: int) -> list[int]:
    made = "INSERT INTO tenant (name, created_at) VALUES ('x', $1) RETURNING tenant"
    return [await connection.fetchval(made, NOON) for _ in range(count)]


def test_all_tenants_get_a_price_and_each_has_its_own_versions(fresh_database: Dsn) -> None:
    async def work(connection: asyncpg.Connection) -> list[tuple[int, int, Decimal]]:
        first, second = await new_tenants(connection, 2)
        assert await keep_prices(connection, [first], [quote(0, "1")], "feed", NOON) == Kept(new=1)
        kept = await keep_prices(connection, [first, second], [quote(0, "2")], "feed", NOON)
        assert kept == Kept(new=1, changed=1)
        rows = await connection.fetch(
            "SELECT tenant - $1 AS n, version, price_per_kwh FROM spot_price WHERE tenant = ANY($2) ORDER BY 1, 2",
            first, [first, second],
        )  # fmt: skip
        return [tuple(row) for row in rows]

    assert run(fresh_database, work) == [(0, 1, 1), (0, 2, 2), (1, 1, 2)]


def test_what_is_kept_is_neither_edited_nor_deleted(fresh_database: Dsn) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await keep_prices(connection, await new_tenants(connection, 1), [quote(0, "1")], "feed", NOON)
        for statement in ("UPDATE spot_price SET price_per_kwh = 2", "DELETE FROM spot_price"):
            with pytest.raises(asyncpg.RestrictViolationError, match="only followed by another version"):
                await connection.execute(statement)

    run(fresh_database, work)


def test_a_set_larger_than_a_statement_is_kept_whole_or_not_at_all(fresh_database: Dsn) -> None:
    quotes = [PriceQuote("SE2", "SEK", NOON_S + HOUR_S * n, 60, Decimal(n)) for n in range(CHUNK_QUARTERS // 4 + 3)]

    async def work(connection: asyncpg.Connection) -> None:
        tenants = await new_tenants(connection, 1)
        count = "SELECT count(*) FROM spot_price WHERE tenant = $1"
        with pytest.raises(asyncpg.CheckViolationError):
            await keep_prices(connection, tenants, [*quotes, quote(7, "1")], "feed", NOON)
        assert await connection.fetchval(count, tenants[0]) == 0
        kept = await keep_prices(connection, tenants, quotes, "feed", NOON)
        assert kept.new == await connection.fetchval(count, tenants[0]) == CHUNK_QUARTERS + 12

    run(fresh_database, work)


def test_two_that_write_at_once_number_their_versions_one_after_the_other(fresh_database: Dsn) -> None:
    async def work(connection: asyncpg.Connection) -> list[int]:
        tenants = await new_tenants(connection, 1)
        others = [await asyncpg.connect(**fresh_database) for _ in range(4)]
        try:
            writes = (
                keep_prices(other, tenants, [quote(0, str(n))], f"feed {n}", NOON) for n, other in enumerate(others)
            )
            kept = await asyncio.gather(*writes)
        finally:
            for other in others:
                await other.close()
        assert sum(each.new for each in kept) == 1 and sum(each.changed for each in kept) == 3
        rows = await connection.fetch("SELECT version FROM spot_price WHERE tenant = $1 ORDER BY 1", tenants[0])
        return [row["version"] for row in rows]

    assert run(fresh_database, work) == [1, 2, 3, 4]

"""Do prices get from a file, a source or the demo into the database, by command and by worker, and are gaps told?"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg
import pytest

from laddbok.cli import main
from laddbok.demo.prices import fill_ahead, price_of, prices_ahead
from laddbok.model.clock import ScaledClock
from laddbok.model.errors import ConfigurationError
from laddbok.model.market_prices import Kept, PriceQuote, missing_of, quarters_of
from laddbok.settings import read_settings
from laddbok.store.database import Database
from laddbok.store.embedded import Dsn
from laddbok.store.postgres import PostgresStore
from laddbok.store.spot_prices import keep_prices
from laddbok.wires.price_feeds import PriceFeed, read_answer
from laddbok.workers.fetch_prices import FIRST_RETRY, LAST_RETRY, MAX_TRIES, PriceFetcher, Tries, published_days
from tests.edge.platform import platform, until
from tests.edge.price_source import PriceSource, body, price_source, rows_of

TODAY, TOMORROW = date(2026, 5, 4), date(2026, 5, 5)
NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
OUT = datetime(2026, 5, 4, 10, 55, tzinfo=UTC)
"""12:55 in Stockholm."""


@pytest.fixture
def source() -> Iterator[PriceSource]:
    with price_source() as running:
        yield running


# ------------------------------------------------------------------------------------------------ the commands
class Told(NamedTuple):
    """What a command told: its exit code, its object, and what it said on stderr."""

    code: int
    found: Any
    error: str


Tell = Callable[..., Told]


@pytest.fixture
def prices(
    new_database: Callable[[], Dsn],
    source: PriceSource,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tell:
    """Runs `laddbok prices ...` on a database of the test's own."""
    dsn = new_database()
    url = f"postgresql://{dsn['user']}@/{dsn['database']}?host={quote(dsn['host'], safe='')}&port={dsn['port']}"
    monkeypatch.setenv("LADDBOK_DATABASE_URL", url)
    monkeypatch.setenv("LADDBOK_PRICE_URL", source.url)

    def run(*arguments: str) -> Told:
        code = main(["prices", *arguments, "--json"])
        told = capsys.readouterr()
        return Told(code, json.loads(told.out.splitlines()[-1]) if told.out else None, told.err)

    return run


def written(folder: Path, *rows: str) -> str:
    path = folder / "prices.csv"
    path.write_text("\n".join(["zone,start_utc,minutes,SEK_per_kWh,EUR_per_kWh", *rows]))
    return str(path)


def test_the_commands_import_fetch_and_tell_gaps(prices: Tell, source: PriceSource, tmp_path: Path) -> None:
    hours = [f"SE3,2026-05-03T{hour:02}:00:00Z,60,0.5,0.04" for hour in range(24) if hour != 20]
    file = written(tmp_path, *hours)
    counts = {"prices": 46, "new": 184, "changed": 0, "unchanged": 0}
    assert prices("import", file)[:2] == (0, counts)
    assert prices("import", file)[:2] == (0, {**counts, "new": 0, "unchanged": 184})
    span = ("gaps", "--zone", "SE3", "--from", "2026-05-04", "--to", "2026-05-04")
    to_come = {"start_at": "2026-05-04T00:00:00Z", "end_at": "2026-05-04T22:00:00Z", "quarters": 88}
    told = {"zone": "SE3", "currency": "SEK", "quarters": 96, "missing": 88, "gaps": [to_come]}
    assert prices(*span)[:2] == (1, told)
    source.publish("SE3", TODAY, rows_of(TODAY, 15))
    fetched = {"date": "2026-05-04", "prices": 192, "new": 176, "changed": 16, "unchanged": 0}
    assert prices("fetch", "--zone", "SE3", "--date", "2026-05-04")[:2] == (0, fetched)
    assert prices(*span)[:2] == (0, {**told, "missing": 0, "gaps": []})


def test_B37_a_missing_hour_is_told_as_a_gap(prices: Tell, tmp_path: Path) -> None:
    hours = [f"SE3,2026-05-0{3 + hour // 24}T{hour % 24:02}:00:00Z,60,0,0" for hour in range(22, 46) if hour != 30]
    prices("import", written(tmp_path, *hours))
    gap = {"start_at": "2026-05-04T06:00:00Z", "end_at": "2026-05-04T07:00:00Z", "quarters": 4}
    for currency in ("SEK", "EUR"):
        span = ("--zone", "SE3", "--from", "2026-05-04", "--to", "2026-05-04", "--currency", currency)
        code, found, _ = prices("gaps", *span)
        assert (code, found["missing"], found["gaps"]) == (1, 4, [gap])


def test_without_options_the_newest_published_day_of_all_zones_is_fetched(
    prices: Tell, source: PriceSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDBOK_CLOCK", ScaledClock(OUT, datetime.now(UTC).timestamp(), 1.0).to_text())
    for zone in ("SE1", "SE3", "SE4"):
        source.publish(zone, TOMORROW, rows_of(TOMORROW, 60))
    assert prices("fetch").found["date"] == str(TOMORROW)
    monkeypatch.setenv("LADDBOK_PRICE_ZONES", "SE1, SE4")
    assert prices("fetch").found["new"] == 2 * 2 * 96
    assert [path[-8:-5] for path in source.asked] == ["SE3", "SE1", "SE4"]


def test_the_doctor_tells_whether_the_zones_that_are_fetched_have_todays_prices(
    prices: Tell, source: PriceSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LADDBOK_CLOCK", ScaledClock(NOON, datetime.now(UTC).timestamp(), 1.0).to_text())
    monkeypatch.setenv("LADDBOK_PRICE_ZONES", "SE1,SE4,SE4")
    source.publish("SE4", TODAY, rows_of(TODAY, 15))
    assert prices("fetch", "--zone", "SE4").code == 0
    main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out.splitlines()[-1])["findings"]
    assert {each["what"]: each["ok"] for each in findings if each["what"].startswith("prices of")} == {
        "prices of SE1": False,
        "prices of SE4": True,
    }


def test_a_day_that_is_not_published_is_named(prices: Tell) -> None:
    code, found, error = prices("fetch", "--zone", "SE4", "--date", "2026-05-04")
    assert (code, found, error) == (1, None, "laddbok: no day-ahead prices 'SE4 2026-05-04'\n")


def test_a_broken_file_is_named_and_nothing_of_it_is_kept(prices: Tell, tmp_path: Path) -> None:
    good = "SE3,2026-05-04T10:00:00Z,60,0.5,0.04"
    code, found, error = prices("import", written(tmp_path, good, good.replace("T10", "T11").replace("0.5", "NaN")))
    assert (code, found) == (1, None)
    assert error == "laddbok: line 3: SEK_per_kWh: 'NaN' is no number in plain digits\n"
    assert prices("import", written(tmp_path, good)).found["new"] == 8


@pytest.mark.parametrize(
    ("name", "value"), [("LADDBOK_PRICE_ZONES", "SE3,x"), ("LADDBOK_PRICE_URL", "file:///etc/passwd")]
)
def test_a_setting_about_prices_that_cant_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("zone", "last", "message"),
    [("SE3", "2026-05-03", "to: it must be from 2026-05-04 on"), ("se3", "2026-05-04", "zone: 'se3' is not a")],
)
def test_gaps_of_no_days_or_no_zone_are_refused(prices: Tell, zone: str, last: str, message: str) -> None:
    code, found, error = prices("gaps", "--zone", zone, "--from", "2026-05-04", "--to", last)
    assert (code, found, error.count("\n")) == (1, None, 1) and message in error


# ------------------------------------------------------------------------------------------------ the worker
class OneDatabase(Database):
    """The tests' database, as the commands and the demo reach theirs."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__(None, None)
        self._dsn = dsn

    async def _connect(self, options: dict[str, Any]) -> asyncpg.Connection:
        return await asyncpg.connect(**self._dsn, **options)


class Office:
    """A worker's fetcher with a clock that is set, over a database with two new tenants and no other."""

    def __init__(self, pool: asyncpg.Pool, tenants: list[int], url: str) -> None:
        self.now = NOON
        self.tenants = tenants
        self.store = PostgresStore(pool)
        self.fetcher = PriceFetcher(("SE3",), PriceFeed(url), self.store, pool, lambda: self.now)

    async def known(self, tenant: int, day: date, currency: str = "SEK") -> int:
        wanted = quarters_of(day)
        span = (datetime.fromtimestamp(at_s, UTC) for at_s in (wanted.start, wanted.stop))
        prices = await self.store.spot_prices(tenant, "SE3", currency, *span)
        return len(wanted) - len(missing_of(wanted, prices.by_start_s))


@asynccontextmanager
async def office(dsn: Dsn, url: str) -> AsyncIterator[Office]:
    pool = await OneDatabase(dsn).pool(2)
    try:
        made = "INSERT INTO tenant (name, created_at) VALUES ('x', $1) RETURNING tenant"
        yield Office(pool, [await pool.fetchval(made, NOON) for _ in range(2)], url)
    finally:
        await pool.close()


@pytest.fixture
def at_work(new_database: Callable[[], Dsn], source: PriceSource) -> Callable[..., None]:
    """Runs a test's body in an office over a database of its own."""

    dsn = new_database()

    def run(work: Callable[[Office], Coroutine[Any, Any, None]]) -> None:
        async def inside() -> None:
            async with office(dsn, source.url) as running:
                await work(running)

        asyncio.run(inside())

    return run


def test_tomorrow_is_asked_for_once_it_is_published_and_no_more_when_it_is_there(
    at_work: Callable[..., None], source: PriceSource
) -> None:
    source.publish("SE3", TODAY, rows_of(TODAY, 15))
    source.publish("SE3", TOMORROW, rows_of(TOMORROW, 15))

    async def work(desk: Office) -> None:
        assert await desk.fetcher.once() == 1
        assert [await desk.known(tenant, TODAY) for tenant in desk.tenants] == [96, 96]
        desk.now = OUT - timedelta(seconds=1)
        assert await desk.fetcher.once() == 0
        desk.now = OUT
        assert await desk.fetcher.once() == 1
        for currency in ("SEK", "EUR"):
            assert [await desk.known(tenant, TOMORROW, currency) for tenant in desk.tenants] == [96, 96]
        for hours in (1, 5, 10):
            desk.now = OUT + timedelta(hours=hours)
            assert await desk.fetcher.once() == 0
        assert source.asked == ["/prices/2026/05-04_SE3.json", "/prices/2026/05-05_SE3.json"]

    at_work(work)


def test_what_fails_or_has_gaps_is_asked_for_again_later_and_not_without_end(
    at_work: Callable[..., None], source: PriceSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.publish("SE3", TODAY, rows_of(TODAY, 60))
    path = "/prices/2026/05-05_SE3.json"

    async def work(desk: Office) -> None:
        desk.now = OUT
        assert await desk.fetcher.once() == 2, "today and tomorrow, which is not published"
        assert await desk.fetcher.once() == 0
        desk.now += FIRST_RETRY
        source.answers[path] = body(b"[{")
        assert await desk.fetcher.once() == 1
        assert "2026-05-05: answer: it is no JSON" in caplog.text
        source.publish("SE3", TOMORROW, rows_of(TOMORROW, 60)[:20])
        desk.now += 2 * FIRST_RETRY
        assert await desk.fetcher.once() == 1
        assert "there are gaps" in caplog.text and await desk.known(desk.tenants[1], TOMORROW) == 80
        asked = 3
        while asked < MAX_TRIES:
            desk.now += LAST_RETRY
            asked += await desk.fetcher.once()
        assert "not asked for any more" in caplog.text
        desk.now += LAST_RETRY
        assert await desk.fetcher.once() == 0

    with caplog.at_level(logging.WARNING):
        at_work(work)
    assert source.asked.count(path) == MAX_TRIES


def test_a_tenant_that_came_later_gets_its_prices_too(at_work: Callable[..., None], source: PriceSource) -> None:
    quotes = read_answer(json.dumps(rows_of(TODAY, 15)).encode(), "SE3", TODAY)
    source.publish("SE3", TODAY, rows_of(TODAY, 15, "0.61"))

    async def work(desk: Office) -> None:
        first, second = desk.tenants
        assert await desk.store.keep_prices([first], quotes, "feed", NOON) == Kept(new=192)
        assert await desk.fetcher.once() == 1
        assert [await desk.known(tenant, TODAY) for tenant in (first, second)] == [96, 96]

    at_work(work)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-05-04T10:54:59Z", [TODAY]),
        ("2026-05-04T10:55:00Z", [TODAY, TOMORROW]),
        ("2026-05-04T21:59:59Z", [TODAY, TOMORROW]),
        ("2026-05-04T22:00:00Z", [TOMORROW]),
        ("2026-12-01T11:54:59Z", [date(2026, 12, 1)]),
        ("2026-12-01T11:55:00Z", [date(2026, 12, 1), date(2026, 12, 2)]),
    ],
)
def test_which_days_are_published(now: str, days: list[date]) -> None:
    assert [*published_days(datetime.fromisoformat(now))] == days


def test_tries_come_later_each_time_and_end() -> None:
    tries, now, waits = Tries(), NOON, []
    while tries.is_due(now):
        tries = tries.after(now)
        if tries.next_at is not None:
            waits.append(tries.next_at - now)
            now = tries.next_at
    assert len(waits) == MAX_TRIES - 1 and waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_RETRY, LAST_RETRY)
    assert not tries.is_due(now + timedelta(days=400))


def test_the_worker_of_the_platform_fetches_for_the_zones_of_its_settings(source: PriceSource) -> None:
    today = date(2026, 6, 1)
    clock = ScaledClock(datetime(2026, 6, 1, 6, tzinfo=UTC), datetime.now(UTC).timestamp(), 1.0)
    source.publish("SE2", today, rows_of(today, 15))
    environ = {"LADDBOK_PRICE_ZONES": "SE2", "LADDBOK_PRICE_URL": source.url, "LADDBOK_CLOCK": clock.to_text()}
    count = "SELECT count(*) AS n, min(source) AS source FROM spot_price WHERE zone = 'SE2'"
    with platform(**environ) as running:
        [row] = until(lambda: running.sql(count), lambda rows: rows[0]["n"] == 192)
    assert row["source"] == "127.0.0.1"


# ------------------------------------------------------------------------------------------------ the demo
def test_the_demo_has_prices_ahead_of_its_clock_and_leaves_those_that_are_there(
    new_database: Callable[[], Dsn],
) -> None:
    dsn = new_database()
    wall = [0.0]
    clock = ScaledClock(NOON, 0.0, 60.0, wall=lambda: wall[0])
    yesterday, day_after = TODAY - timedelta(days=1), TODAY + timedelta(days=2)
    begin_s = quarters_of(yesterday)[0]

    async def work() -> list[Any]:
        connection = await asyncpg.connect(**dsn)
        try:
            made = "INSERT INTO tenant (name, created_at) VALUES ('x', $1) RETURNING tenant"
            tenant = await connection.fetchval(made, NOON)
            own = PriceQuote("SE3", "SEK", begin_s, 15, price_of("SE3", begin_s) + 1)
            await keep_prices(connection, [tenant], [own], "ours", NOON)
            async with prices_ahead(OneDatabase(dsn), clock):
                pass
            assert await fill_ahead(OneDatabase(dsn), clock) == 0
            wall[0] = 86_400 / 60
            assert await fill_ahead(OneDatabase(dsn), clock) == 96
            return await connection.fetch("SELECT * FROM spot_price ORDER BY start_at, version")
        finally:
            await connection.close()

    rows = asyncio.run(work())
    wanted = quarters_of(yesterday, day_after + timedelta(days=1))
    assert [int(row["start_at"].timestamp()) for row in rows] == [*wanted]
    assert [row["source"] for row in rows] == ["ours"] + ["demo"] * (len(wanted) - 1)
    assert all(
        row["price_per_kwh"] == price_of("SE3", start_s) for row, start_s in list(zip(rows, wanted, strict=True))[1:]
    )

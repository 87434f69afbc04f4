"""Is a month of charging at home paid back at the price that was agreed, session by session?"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from laddbok.model.errors import Invalid
from laddbok.model.market_prices import PriceQuote
from laddbok.model.statement import HomeStatement
from laddbok.store.embedded import Dsn
from laddbok.store.spot_prices import keep_prices
from laddbok.store.statements import agree_home
from tests.store.test_billing_run import NOW, on
from tests.store.test_statements import HOME, correct, home_of


def test_a_home_is_paid_back_by_the_price_of_each_day_with_its_registers_and_revised(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        assert await agree_home(connection, tenant, "c-000003", HOME, NOW, "anna") == 1
        made = (await home_of(connection, tenant)).statement
        assert isinstance(made, HomeStatement)
        assert made.head.to == ("Kund 10", "Gatan 10", "903 60 Umeå")
        assert made.driver == "Förare 3"
        rows = await connection.fetch(
            """SELECT s.id, c.energy_wh, (s.started_at AT TIME ZONE 'Europe/Stockholm')::date AS day,
            (s.body #>> '{meter,begin_wh}')::bigint AS begin_wh FROM session AS s JOIN cdr AS c ON c.session_id = s.id
            WHERE s.contract_id = 'c-000003' ORDER BY s.started_at"""
        )
        prices = [Decimal("1.85") if row["day"] < date(2026, 10, 15) else Decimal("2.05") for row in rows]
        assert {*prices} == {Decimal("1.85"), Decimal("2.05")}
        for line, row, price in zip(made.refund.lines, rows, prices, strict=True):
            assert (line.session_id, line.energy_wh, line.per_kwh) == (row["id"], row["energy_wh"], price)
            assert (line.begin_wh, line.end_wh) == (row["begin_wh"], row["begin_wh"] + row["energy_wh"])
            assert line.amount == (price * row["energy_wh"] / 1000).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert made.total == sum(line.amount for line in made.refund.lines)
        await correct(connection, rows[0]["id"], 1_000)
        second = (await home_of(connection, tenant)).statement
        [change] = second.changes
        assert (change.session_id, change.after_wh, change.after) == (rows[0]["id"], 1_000, Decimal("1.85"))
        assert second.head.number == "2026-10-2"

    on(new_database(), work)


async def put_tariff(connection: asyncpg.Connection, tenant: int, tax: str, *versions: tuple[str, datetime]) -> None:
    await connection.execute("INSERT INTO tariff VALUES ($1, 'hem', $2)", tenant, NOW)
    for number, (price, valid_from) in enumerate(versions, start=1):
        part = {"type": "ENERGY", "price": price, "step_size": 1}
        document = {"id": "hem", "currency": "SEK", "tax_included": tax, "elements": [{"price_components": [part]}]}
        await connection.execute(
            "INSERT INTO tariff_version VALUES ($1, 'hem', $2, $3, NULL, $4, $5::text::jsonb)",
            tenant, number, valid_from, NOW, msgspec.json.encode({**document, "last_updated": "2026-01-01T00:00:00Z"}).decode(),
        )  # fmt: skip


BY_TARIFF = b'{"site_id": "torget", "employer_id": "p-000010", "tariff_id": "hem"}'


def test_B9_a_home_is_paid_back_by_the_version_of_a_tariff_that_held_when_each_session_began(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        with pytest.raises(Invalid, match="no tariff 'hem'"):
            await agree_home(connection, tenant, "c-000003", BY_TARIFF, NOW, "anna")
        rows = await connection.fetch(
            """SELECT s.id, s.started_at, c.energy_wh FROM session AS s JOIN cdr AS c ON c.session_id = s.id
            WHERE s.contract_id = 'c-000003' ORDER BY s.started_at"""
        )
        second_from = rows[3]["started_at"]
        since = datetime(2026, 1, 1, tzinfo=UTC)
        await put_tariff(connection, tenant, "N/A", ("1.50", since), ("2.50", second_from))
        await agree_home(connection, tenant, "c-000003", BY_TARIFF, NOW, "anna")
        made = (await home_of(connection, tenant)).statement
        assert isinstance(made, HomeStatement)
        for n, (line, row) in enumerate(zip(made.refund.lines, rows, strict=True)):
            price = Decimal("1.50") if n < 3 else Decimal("2.50")
            assert (line.session_id, line.per_kwh) == (row["id"], None)
            assert line.amount == (price * row["energy_wh"] / 1000).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert made.total == sum(line.amount for line in made.refund.lines)
        await connection.execute("ALTER TABLE tariff_version DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE tariff_version SET valid_to = $1 WHERE version = 2", second_from + timedelta(1)
        )
        with pytest.raises(Invalid, match="no version holds when session") as error:
            await home_of(connection, tenant)
        assert error.value.field == "tariff_id"

    on(new_database(), work)


def test_a_tariff_with_VAT_pays_nothing_back(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put_tariff(connection, tenant, "YES", ("1.50", datetime(2026, 1, 1, tzinfo=UTC)))
        with pytest.raises(Invalid, match="has no VAT"):
            await agree_home(connection, tenant, "c-000003", BY_TARIFF, NOW, "anna")

    on(new_database(), work)


def test_B37_a_home_under_the_markets_price_waits_for_a_price_that_is_not_known(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        since = datetime(2026, 1, 1, tzinfo=UTC)
        spot = {"spot": {"zone": "SE3", "markup": "0.10"}}
        document = {"id": "hem", "currency": "SEK", "tax_included": "N/A", "laddbok": spot, "last_updated": since}
        await connection.execute("INSERT INTO tariff VALUES ($1, 'hem', $2)", tenant, NOW)
        await connection.execute(
            "INSERT INTO tariff_version VALUES ($1, 'hem', 1, $2, NULL, $2, $3::text::jsonb)",
            tenant,
            since,
            msgspec.json.encode(document).decode(),
        )
        await agree_home(connection, tenant, "c-000003", BY_TARIFF, NOW, "anna")
        with pytest.raises(Invalid, match="has no price yet"):
            await home_of(connection, tenant)
        quarters = range(1_790_000_000 // 900 * 900, 1_794_000_000, 900)
        await keep_prices(
            connection, [tenant], [PriceQuote("SE3", "SEK", at, 15, Decimal("0.40")) for at in quarters], "test", NOW
        )
        made = (await home_of(connection, tenant)).statement
        assert isinstance(made, HomeStatement)
        for line in made.refund.lines:
            expected = (Decimal("0.50") * line.energy_wh / 1000).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            assert line.amount == expected

    on(new_database(), work)

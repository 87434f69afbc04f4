"""Who is billed where others pay by agreement?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec

from laddbok.bench import billing_data
from laddbok.store.embedded import Dsn
from tests.store.test_subscriptions import NOON, documents, on_subscribers, put_session, run

THIRDS = {"shares": [{"payer_id": "work", "part": "1", "of": 3}, {"payer_id": "brf", "part": "1", "of": 3}]}


async def agree(connection: asyncpg.Connection, tenant: int, since: datetime, document: object) -> None:
    await connection.execute(
        """INSERT INTO payer (tenant, id, name, kind) VALUES ($1, 'work', 'Arbetet AB', 'company'), ($1, 'brf', 'Brf Eken', 'company')
        ON CONFLICT DO NOTHING""",
        tenant,
    )
    await connection.execute(
        "INSERT INTO payers_agreement VALUES ($1, 'c-000000', $2, $3::text::jsonb, 'anna')",
        tenant,
        since,
        msgspec.json.encode(document).decode(),
    )


def test_B44_who_pays_all_by_agreement_is_billed(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("DELETE FROM tariff_assignment")
        await put_session(connection, tenant, 1, NOON, 200_000)
        await agree(connection, tenant, NOON + timedelta(days=1), {"shares": [{"payer_id": "work"}]})
        await put_session(connection, tenant, 2, NOON + timedelta(days=2), 150_000)
        await agree(
            connection, tenant, NOON + timedelta(days=3), {"shares": [{"payer_id": "work", "up_to_per_month": "9"}]}
        )
        await put_session(connection, tenant, 3, NOON + timedelta(days=4), 110_000)
        result = await run(connection, reader, tenant, "2026-10")
        by_buyer = {each.buyer.id: [item.energy_wh for item in each.sessions] for each in await documents(connection)}
        assert by_buyer == {"p-000000": [200_000, 110_000], "work": [150_000]}
        assert [(each.payer_id, each.incl_vat) for each in result.others_parts] == [("work", Decimal("9.00"))]

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B43_who_should_pay_the_other_parts_is_listed(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("DELETE FROM tariff_assignment")
        await agree(connection, tenant, datetime(2026, 1, 1, tzinfo=UTC), THIRDS)
        session = await put_session(connection, tenant, 1, NOON, 26_620)
        result = await run(connection, reader, tenant, "2026-10")
        [invoice] = await documents(connection)
        assert invoice.buyer.id == "p-000000"
        parts = [(each.session_id, each.payer_id, each.excl_vat) for each in result.others_parts]
        assert sorted(parts, key=lambda each: each[1]) == [
            (session, "brf", Decimal("17.75")),
            (session, "work", Decimal("17.75")),
        ]

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_payer_that_is_gone_stops_nobody_else(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("DELETE FROM tariff_assignment")
        await agree(connection, tenant, NOON + timedelta(days=1), {"shares": [{"payer_id": "gone"}]})
        await put_session(connection, tenant, 1, NOON, 200_000)
        await put_session(connection, tenant, 2, NOON + timedelta(days=2), 150_000)
        result = await run(connection, reader, tenant, "2026-10")
        assert [each.buyer.id for each in await documents(connection)] == ["p-000000"]
        assert [(each.payer_id, each.field) for each in result.in_the_way] == [("gone", "payer")]

    on_subscribers(new_database(), billing_data.SINCE, work)

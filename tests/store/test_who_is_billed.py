"""Who is billed where others pay by agreement?"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from laddbok.bench import billing_data
from laddbok.flow.billing_run import period_of
from laddbok.store.embedded import Dsn
from laddbok.store.ledger import accrue
from laddbok.store.reconcile import reconcile
from tests.store.test_billing_run import NOW, terms_of
from tests.store.test_corrections import owed, take_back
from tests.store.test_subscriptions import HOUR, NOON, all_is_right, documents, on_subscribers, put_session, run

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
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


async def without_subscription(connection: asyncpg.Connection) -> None:
    """The tariff costs what it says, without fee and included energy."""
    await connection.execute("DELETE FROM tariff_assignment")
    await connection.execute("UPDATE tariff_version SET document = document #- '{laddbok,subscription}'")


def test_B44_who_pays_all_by_agreement_is_billed(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await put_session(connection, tenant, 1, NOON, 200_000)
        await agree(connection, tenant, NOON + timedelta(days=1), {"shares": [{"payer_id": "work"}]})
        await put_session(connection, tenant, 2, NOON + timedelta(days=2), 150_000)
        await run(connection, reader, tenant, "2026-10")
        by_buyer = {each.buyer.id: each for each in await documents(connection)}
        assert {payer: [item.energy_wh for item in each.sessions] for payer, each in by_buyer.items()} == {
            "p-000000": [200_000],
            "work": [150_000],
        }
        assert by_buyer["work"].sessions[0].part_of is None
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B43_each_of_three_is_billed_a_third_to_the_ore(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, THIRDS)
        await put_session(connection, tenant, 1, NOON, 26_620)
        shown = await run(connection, reader, tenant, "2026-10", final=False)
        assert await connection.fetchval("SELECT count(*) FROM billing_position") == 1
        result = await run(connection, reader, tenant, "2026-10")
        assert msgspec.structs.astuple(result) == msgspec.structs.astuple(shown)
        by_buyer = {each.buyer.id: each for each in await documents(connection)}
        assert {payer: each.totals.net for payer, each in by_buyer.items()} == {
            "work": Decimal("17.75"),
            "brf": Decimal("17.75"),
            "p-000000": Decimal("17.74"),
        }
        [line], [item] = by_buyer["work"].lines, by_buyer["work"].sessions
        assert line.text.en == "Part of charging 10 Oct 2026 12:00, Torget 1, Umeå: part of energy"
        assert (line.cost_centre, item.driver, item.net, item.part_of) == (
            by_buyer["p-000000"].lines[0].cost_centre,
            by_buyer["p-000000"].sessions[0].driver,
            Decimal("17.75"),
            Decimal("53.24"),
        )
        assert (await run(connection, reader, tenant, "2026-10")).documents == 0
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B24_a_session_that_several_pay_is_credited_to_each_and_billed_anew(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, THIRDS)
        await put_session(connection, tenant, 1, NOON, 26_620)
        await run(connection, reader, tenant, "2026-10")
        first = {each.buyer.id: each for each in await documents(connection)}
        await put_session(connection, tenant, 1, NOON, 10_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        for payer, billed in first.items():
            [note] = [each for each in await documents(connection) if each.refers_to and each.buyer.id == payer]
            assert (note.refers_to and note.refers_to.number, note.totals.net) == (billed.number, billed.totals.net)
        assert owed(await documents(connection)) == Decimal("20.00")
        assert (await run(connection, reader, tenant, "2026-10")).documents == 0
        await take_back(connection, first["work"].sessions[0].session_id, 2)
        await connection.execute("UPDATE session SET state = 'void'")
        await run(connection, reader, tenant, "2026-10")
        assert owed(await documents(connection)) == 0
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_limit_by_month_counts_the_sessions_that_stand_whenever_they_were_billed(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, {"shares": [{"payer_id": "work", "up_to_per_month": "60"}]})
        await put_session(connection, tenant, 1, NOON, 20_000)  # 50.00 with VAT
        await run(connection, reader, tenant, "2026-10")
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 20_000)
        await run(connection, reader, tenant, "2026-10")
        paid = [(each.buyer.id, each.totals.gross) for each in await documents(connection)]
        assert paid == [("work", Decimal("50.00")), ("p-000000", Decimal("40.00")), ("work", Decimal("10.00"))]
        await put_session(connection, tenant, 1, NOON, 8_000, revision=2)  # 20.00 with VAT; its 50.00 no longer count
        await run(connection, reader, tenant, "2026-10")
        by_payer = {
            payer: owed([each for each in await documents(connection) if each.buyer.id == payer]) for payer, _ in paid
        }
        assert by_payer == {"work": Decimal("24.00"), "p-000000": Decimal("32.00")}
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_part_whose_payer_has_no_account_stays_open_and_the_others_are_billed(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        terms = {"shares": [{"payer_id": "later", "part": 60, "names_driver": False}]}
        await agree(connection, tenant, SINCE, terms)
        await put_session(connection, tenant, 1, NOON, 20_000)
        result = await run(connection, reader, tenant, "2026-10")
        assert [(each.payer_id, each.field) for each in result.in_the_way] == [("later", "payer")]
        assert [(each.buyer.id, each.totals.net) for each in await documents(connection)] == [("p-000000", 16)]
        [nobody] = [each for each in await reconcile(connection, tenant, NOW) if each.check == "to_nobody"]
        assert [each.detail for each in nobody.items] == ["later has no customer account"]
        terms_today = await terms_of(connection, tenant)
        month_end, _ = await accrue(connection, tenant, terms_today, period_of("2026-10", terms_today, NOW), NOW)
        assert {each.account: each.amount for each in month_end.postings} == {"1790": 40, "3001": -40}
        await connection.execute("INSERT INTO payer (tenant, id, name) VALUES ($1, 'later', 'Senare AB')", tenant)
        result = await run(connection, reader, tenant, "2026-10")
        assert (result.documents, result.in_the_way) == (1, [])
        partner = (await documents(connection))[-1]
        assert (partner.buyer.id, partner.totals.net, partner.sessions[0].driver) == ("later", 24, None)
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_the_employer_pays_the_energy_with_its_kilowatt_hours_and_what_is_included(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        terms = {"shares": [{"payer_id": "work", "kinds": ["energy"]}]}
        await agree(connection, tenant, SINCE, terms)
        await put_session(connection, tenant, 1, NOON, 120_000)
        await run(connection, reader, tenant, "2026-10")
        by_buyer = {each.buyer.id: each for each in await documents(connection)}
        assert by_buyer["p-000000"].totals.net == Decimal("99.00")
        assert by_buyer["work"].totals.net == 20 * Decimal("2.00")
        assert by_buyer["work"].lines[1].quantity == Decimal("120.000")
        await put_session(connection, tenant, 1, NOON, 40_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        by_payer = {
            payer: owed([each for each in await documents(connection) if each.buyer.id == payer]) for payer in by_buyer
        }
        assert by_payer == {"work": 0, "p-000000": Decimal("99.00")}
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_what_is_included_stands_once_also_where_two_pay_the_energy(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await agree(connection, tenant, SINCE, {"shares": [{"payer_id": "work", "part": 60}]})
        await put_session(connection, tenant, 1, NOON, 70_000)
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 70_000)
        await run(connection, reader, tenant, "2026-10")
        assert owed(await documents(connection)) == Decimal("99.00") + 40 * Decimal("2.00")
        await put_session(connection, tenant, 1, NOON, 50_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        assert owed(await documents(connection)) == Decimal("99.00") + 20 * Decimal("2.00")
        by_work = owed([each for each in await documents(connection) if each.buyer.id == "work"])
        assert by_work == 120 * Decimal("1.20"), "the contract's own payer, who pays the fee, has what is included"
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_parts_that_are_not_all_of_a_session_and_a_part_that_is_added_later_are_refused(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, THIRDS)
        await put_session(connection, tenant, 1, NOON, 26_620)
        with pytest.raises(asyncpg.exceptions.RestrictViolationError, match="are not all of it"):
            await connection.execute("UPDATE billing_position SET outcome = 'shared'")
        await run(connection, reader, tenant, "2026-10")
        again = """INSERT INTO billing_position SELECT tenant, session_id, revision, kind, legal_entity_id, contract_id, started_at,
            ended_at, currency, {}, NULL, NULL, 9, {}, share FROM billing_position WHERE part = 2"""
        with pytest.raises(asyncpg.exceptions.RestrictViolationError, match="are not all of it"):
            await connection.execute(again.format("1, 1", "'somebody'"))
        with pytest.raises(asyncpg.exceptions.UniqueViolationError):
            await connection.execute(again.format("0, 0", "payer_id"))

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_part_without_an_account_that_was_credited_waits_for_nobody(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, {"shares": [{"payer_id": "gone", "part": 60}]})
        session = await put_session(connection, tenant, 1, NOON, 20_000)
        await run(connection, reader, tenant, "2026-10")
        await take_back(connection, session, 1)
        await connection.execute("UPDATE session SET state = 'void'")
        result = await run(connection, reader, tenant, "2026-10")
        assert (result.netted, result.in_the_way, owed(await documents(connection))) == (2, [], 0)
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_plan_and_a_run_at_once_share_a_session_out_once(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, {"shares": [{"payer_id": "work", "up_to_per_month": "60"}]})
        for number in range(1, 9):
            await put_session(connection, tenant, number, NOON + number * HOUR, 4_000)  # 10.00 with VAT
        planner, its_reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        both = (run(planner, its_reader, tenant, "2026-10", final=False), run(connection, reader, tenant, "2026-10"))
        shown, billed = await asyncio.gather(*both)
        for each in (planner, its_reader):
            await each.close()
        assert shown.in_the_way == billed.in_the_way == []
        assert {each.buyer.id: each.totals.gross for each in await documents(connection)} == {
            "work": Decimal("60.00"),
            "p-000000": Decimal("20.00"),
        }
        await all_is_right(connection, tenant)

    on_subscribers(dsn, billing_data.SINCE, work)


def test_a_part_that_is_lost_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, SINCE, THIRDS)
        session = await put_session(connection, tenant, 1, NOON, 26_620)
        await run(connection, reader, tenant, "2026-10")
        parts = {each.check: each for each in await reconcile(connection, tenant, NOW)}["parts"]
        assert parts.counted == {
            "parts": 3, "parts_billed": 3, "parts_pending": 0, "parts_netted": 0, "parts_of_nothing": 0,
        }  # fmt: skip
        await connection.execute("ALTER TABLE billing_position DISABLE TRIGGER USER")
        await connection.execute("DELETE FROM billing_position WHERE payer_id = 'brf'")
        parts = {each.check: each for each in await reconcile(connection, tenant, NOW)}["parts"]
        told = [(each.id, each.detail) for each in parts.items]
        assert told == [(session, "cdr of revision 1 is worth 53.24, its parts 35.49")]

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_payer_that_is_gone_stops_nobody_else(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await without_subscription(connection)
        await agree(connection, tenant, NOON + timedelta(days=1), {"shares": [{"payer_id": "gone"}]})
        await put_session(connection, tenant, 1, NOON, 200_000)
        await put_session(connection, tenant, 2, NOON + timedelta(days=2), 150_000)
        result = await run(connection, reader, tenant, "2026-10")
        assert [each.buyer.id for each in await documents(connection)] == ["p-000000"]
        assert [(each.payer_id, each.field) for each in result.in_the_way] == [("gone", "payer")]

    on_subscribers(new_database(), billing_data.SINCE, work)

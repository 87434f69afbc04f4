"""Is every priced session billed exactly once, under numbers without gaps, with books that balance, whoever is killed when?"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.bench import billing_data
from laddbok.flow.billing_run import Plan, Planned, ends_before, is_final_time, period_of, plan
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice
from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.workers.billing_run import BillingRun, RunResult

NOW = datetime(2026, 11, 5, 9, tzinfo=UTC)
CUSTOMERS, SESSIONS = 30, 300


def nothing_in_the_way(_: Planned) -> tuple[Any, ...]:
    return ()


async def tenant_of(connection: asyncpg.Connection) -> int:
    tenant: int = await connection.fetchval(
        "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
    )
    return tenant


async def terms_of(connection: asyncpg.Connection, tenant: int) -> SellerTerms:
    [terms] = await billing.seller_terms(connection, tenant, billing_data.SELLER)
    return terms


async def run_october(
    connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int, *, final: bool = True
) -> RunResult:
    terms = await terms_of(connection, tenant)
    run = BillingRun(connection, reader, tenant, terms, period_of("2026-10", terms, NOW))
    return await run.run(NOW, "test", nothing_in_the_way, final=final, show=lambda _: None)


async def everything(connection: asyncpg.Connection) -> dict[str, int]:
    tables = ("invoice", "billing_position", "journal_entry", "posting", "job")
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


def on(dsn: Dsn, work: Callable[[asyncpg.Connection, asyncpg.Connection, int], Any]) -> Any:
    """Run on a database with October's sessions in it."""

    async def main() -> Any:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        try:
            tenant = await tenant_of(connection)
            await billing_data.fill(connection, tenant, CUSTOMERS, SESSIONS)
            return await work(connection, reader, tenant)
        finally:
            await connection.close()
            await reader.close()

    return asyncio.run(main())


def test_a_month_is_billed_once_and_the_books_balance(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        shown = await run_october(connection, reader, tenant, final=False)
        assert (await everything(connection))["invoice"] == 0
        result = await run_october(connection, reader, tenant)
        assert msgspec.structs.astuple(result) == msgspec.structs.astuple(shown)
        assert (result.documents, result.sessions, result.in_the_way) == (CUSTOMERS, SESSIONS, [])
        before = await everything(connection)
        again = await run_october(connection, reader, tenant)
        assert (again.documents, again.sessions) == (0, 0)
        assert await everything(connection) == before
        assert await connection.fetchval("SELECT sum(amount) FROM posting") == 0
        owed = await connection.fetchval("SELECT sum(amount) FROM posting WHERE account = '1510'")
        assert owed == await connection.fetchval("SELECT sum(payable) FROM invoice")
        priced = await connection.fetchval("SELECT sum(excl_vat) FROM cdr")
        assert await connection.fetchval("SELECT sum(net) FROM invoice") == priced == result.net
        assert await connection.fetchval("SELECT count(*) FROM billing_position WHERE outcome = 'billed'") == SESSIONS

    on(new_database(), work)


def test_a_month_that_has_not_begun_is_not_billed(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        terms = await terms_of(connection, tenant)
        run = BillingRun(connection, reader, tenant, terms, period_of("2062-10", terms, NOW))
        with pytest.raises(Invalid, match="has not begun"):
            await run.run(NOW, "test", nothing_in_the_way, final=True, show=lambda _: None)
        assert await connection.fetchval("SELECT count(*) FROM invoice") == 0

    on(new_database(), work)


def test_the_chain_holds_and_final_rows_never_change(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        rows = await connection.fetch(
            "SELECT number, number_text, content, previous_hash, hash FROM invoice ORDER BY number"
        )
        last = b""
        for n, row in enumerate(rows, start=1):
            assert (row["number"], row["previous_hash"] or b"") == (n, last)
            assert row["hash"] == sha256(last + row["content"]).digest()
            assert msgspec.json.decode(row["content"], type=Invoice).number == row["number_text"]
            last = row["hash"]
        for statement in (
            "UPDATE invoice SET net = 0",
            "DELETE FROM invoice",
            "UPDATE posting SET amount = 1",
            "DELETE FROM journal_entry",
            "UPDATE billing_position SET outcome = NULL, invoice_id = NULL",
        ):
            with pytest.raises(asyncpg.exceptions.RestrictViolationError):
                await connection.execute(statement)

    on(new_database(), work)


ENTRY = """WITH e AS (
    INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
    VALUES ($1, 'norrladd', '2026-11-05', 'x', 'by_hand', 'x', now()) RETURNING id)
INSERT INTO posting (tenant, entry_id, line, account, amount, currency) SELECT $1, id, 1, '1930', 1, 'SEK' FROM e"""
MORE = """INSERT INTO posting (tenant, entry_id, line, account, amount, currency)
SELECT $1, (SELECT min(id) FROM journal_entry), line, account, amount, 'SEK'
FROM (VALUES (98, '1510', 5), (99, '3001', -5)) AS v (line, account, amount)"""


@pytest.mark.parametrize(("statement", "why"), [(ENTRY, "does not balance"), (MORE, "is whole, nothing is added")])
def test_an_entry_that_does_not_balance_or_is_added_to_is_refused(
    new_database: Callable[[], Dsn], statement: str, why: str
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        with pytest.raises(asyncpg.exceptions.RestrictViolationError, match=why):
            await connection.execute(statement, tenant)

    on(new_database(), work)


async def drafts_of(
    connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int, terms: SellerTerms
) -> Plan:
    period = period_of("2026-10", terms, NOW)
    found = []
    async with reader.transaction():
        async for payer_id, positions in billing.open_positions(reader, tenant, terms, ends_before(period, terms)):
            assert payer_id is not None
            customers = await billing.customers(connection, tenant, [payer_id])
            found.append((customers[payer_id], positions))
    return plan(terms, period, found)


def test_B53_a_thousand_at_once_get_1_to_1000(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()
    count = 1_000

    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        tenant = await tenant_of(connection)
        await billing_data.fill(connection, tenant, count, count)
        terms = await terms_of(connection, tenant)
        drafts = (await drafts_of(connection, reader, tenant, terms)).drafts
        assert len(drafts) == count
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=12) as pool:

            async def one(planned: Planned) -> None:
                async with pool.acquire() as mine:
                    await billing.finalise(mine, tenant, terms, [planned], None, NOW)

            await asyncio.gather(*(one(each) for each in drafts))
        numbers = [row["number"] for row in await connection.fetch("SELECT number FROM invoice ORDER BY number")]
        assert numbers == list(range(1, count + 1))
        with pytest.raises(billing.AlreadyBilled):
            await billing.finalise(connection, tenant, terms, drafts[:1], None, NOW)
        assert await connection.fetchval("SELECT count(*) FROM invoice") == count
        assert await connection.fetchval("SELECT next_number FROM number_series WHERE kind = 'invoice'") == count + 1
        await connection.close()
        await reader.close()

    asyncio.run(main())


def test_B53_killed_in_the_middle_there_is_no_gap_and_nothing_twice(new_database: Callable[[], Dsn]) -> None:
    """The connection dies between numbers and commit, again and again; in the end all is billed once."""
    dsn = new_database()

    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        tenant = await tenant_of(connection)
        await billing_data.fill(connection, tenant, CUSTOMERS, SESSIONS)
        terms = await terms_of(connection, tenant)
        drafts = (await drafts_of(connection, reader, tenant, terms)).drafts
        for attempt in range(1, 7):
            victim = await asyncpg.connect(**dsn)
            pid = await victim.fetchval("SELECT pg_backend_pid()")
            work = asyncio.ensure_future(billing.finalise(victim, tenant, terms, list(drafts), None, NOW))
            await asyncio.sleep(0.004 * attempt)
            await connection.fetchval("SELECT pg_terminate_backend($1)", pid)
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, billing.AlreadyBilled):
                await work
            victim.terminate()
            if await connection.fetchval("SELECT count(*) FROM invoice"):
                break
        if not await connection.fetchval("SELECT count(*) FROM invoice"):
            await billing.finalise(connection, tenant, terms, list(drafts), None, NOW)
        numbers = [row["number"] for row in await connection.fetch("SELECT number FROM invoice ORDER BY number")]
        assert numbers == list(range(1, CUSTOMERS + 1))
        assert await connection.fetchval("SELECT count(*) FROM billing_position WHERE outcome = 'billed'") == SESSIONS
        assert await connection.fetchval("SELECT sum(amount) FROM posting") == 0
        await connection.close()
        await reader.close()

    asyncio.run(main())


def test_B26_a_session_that_comes_after_its_month_is_final_is_on_the_next_invoice() -> None:
    terms = SellerTerms(seller=billing_example_seller())
    november = period_of("2026-11", terms, datetime(2026, 12, 2, 9, tzinfo=UTC))
    assert ends_before(november, terms) == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert is_final_time(november, terms) is False
    assert is_final_time(period_of("2026-11", terms, datetime(2026, 12, 4, 9, tzinfo=UTC)), terms)


def billing_example_seller() -> Any:
    from laddbok.billing.examples import SELLER

    return SELLER.seller


def test_the_sums_are_those_of_the_sessions_net_and_VAT_is_on_the_sum(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        for row in await connection.fetch("SELECT content FROM invoice"):
            invoice = msgspec.json.decode(row["content"], type=Invoice)
            net = sum((line.net for line in invoice.lines), Decimal(0))
            assert invoice.totals.net == net == sum((each.net for each in invoice.sessions), Decimal(0))
            assert invoice.totals.vat == (net * Decimal("0.25")).quantize(Decimal("0.01"), "ROUND_HALF_UP")

    on(new_database(), work)

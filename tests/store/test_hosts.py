"""Does a host get what was agreed, to the öre, each month once, and for each session once?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import msgspec
import pytest

from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import period_of
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.host import parse_host_terms
from laddbok.model.invoice import Invoice
from laddbok.store.billing import seller_terms
from laddbok.store.embedded import Dsn
from laddbok.store.hosts import Settled, agree, settle_hosts
from laddbok.store.reconcile import reconcile
from tests.store.test_billing_run import NOW, SESSIONS, on, run_october, terms_of
from tests.store.test_credit_notes import correct
from tests.store.test_reconcile import RENDERED

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NO_RULES = Path("no-rules-are-needed")
TERMS = b'{"per_kwh": "0.60", "percent_of_net": "7.5", "fixed_per_month": "150"}'


async def host(connection: asyncpg.Connection, tenant: int, vat_number: str | None = "SE769600123401") -> None:
    """A housing co-operative at the site of all sessions."""
    await connection.execute(
        """INSERT INTO host (tenant, id, name, organisation_number, vat_number, address, postal_code, city) VALUES ($1, 'eken',
        'Brf Eken', '7696001234', $2, 'Torget 1', '903 26', 'Umeå')""",
        tenant,
        vat_number,
    )
    await connection.execute("INSERT INTO site_seller VALUES ($1, 'torget', 'norrladd', $2, NULL)", tenant, SINCE)


async def settle(
    connection: asyncpg.Connection, tenant: int, month: str = "2026-10", *, final: bool = True
) -> list[Settled]:
    terms = await terms_of(connection, tenant)
    now = NOW if month == "2026-10" else NOW + timedelta(days=31)
    check = DocumentChecks(NO_RULES)
    return await settle_hosts(connection, tenant, terms, period_of(month, terms, now), now, check, final=final)


async def statements(connection: asyncpg.Connection) -> list[Invoice]:
    rows = await connection.fetch("SELECT content FROM invoice WHERE kind = 'self_billed' ORDER BY number")
    return [msgspec.json.decode(row["content"], type=Invoice) for row in rows]


async def all_is_right(connection: asyncpg.Connection, tenant: int) -> None:
    await connection.execute(RENDERED)
    assert [each for each in await reconcile(connection, tenant, NOW) if each.differences] == []


def test_two_sellers_of_a_month_share_the_fixed_fee_of_a_site(new_database: Callable[[], Dsn]) -> None:
    """Each paid all of it, for the agreement is the site's and names no seller."""

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        await agree(connection, tenant, "torget", "eken", SINCE, b'{"fixed_per_month": "150"}', "anna")
        await connection.execute(
            """INSERT INTO legal_entity SELECT (jsonb_populate_record(e, '{"id": "sydladd", "name": "Sydladd AB"}')).*
            FROM legal_entity AS e WHERE id = 'norrladd'"""
        )
        changed_at = datetime(2026, 10, 15, 22, tzinfo=UTC)
        await connection.execute("UPDATE site_seller SET valid_to = $1", changed_at)
        await connection.execute("INSERT INTO site_seller VALUES ($1, 'torget', 'sydladd', $2)", tenant, changed_at)
        period = period_of("2026-10", await terms_of(connection, tenant), NOW)
        check, nets = DocumentChecks(NO_RULES), []
        for terms in await seller_terms(connection, tenant, None):
            nets += [
                each.net for each in await settle_hosts(connection, tenant, terms, period, NOW, check, final=False)
            ]
        assert nets == [Decimal("72.58"), Decimal("77.42")]

    on(new_database(), work)


def test_a_host_gets_what_was_agreed_to_the_oere_and_once(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        await agree(connection, tenant, "torget", "eken", SINCE, TERMS, "anna")
        await run_october(connection, reader, tenant)
        [shown] = await settle(connection, tenant, final=False)
        assert (shown.id, shown.in_the_way, await statements(connection)) == (None, (), [])
        [made] = await settle(connection, tenant)
        assert (made.id, made.sessions, made.net) == ("norrladd-80000001", SESSIONS, shown.net)
        wh, net = await connection.fetchrow("SELECT sum(energy_wh), sum(excl_vat) FROM cdr")
        energy = (wh * Decimal("0.60") / 1000).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        part = (net * Decimal("7.5") / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        [document] = await statements(connection)
        assert [line.net for line in document.lines] == [energy, part, Decimal("150.00")]
        assert document.totals.net == made.net == energy + part + 150
        assert document.totals.vat == (made.net / 4).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert (document.seller.name, document.buyer.name) == ("Brf Eken", "Norrladd AB")
        rows = await connection.fetch(
            """SELECT account, amount FROM posting JOIN journal_entry AS e ON e.id = entry_id
            WHERE source_kind = 'self_billed' ORDER BY line"""
        )
        totals = document.totals
        assert [tuple(row) for row in rows] == [("4010", totals.net), ("2641", totals.vat), ("2440", -totals.gross)]
        assert await settle(connection, tenant) == []
        await all_is_right(connection, tenant)

    on(new_database(), work)


def test_what_is_corrected_after_a_settlement_is_on_the_next_one(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        await agree(connection, tenant, "torget", "eken", SINCE, b'{"percent_of_net": "50"}', "anna")
        await settle(connection, tenant)
        session = await connection.fetchval("SELECT max(session_id) FROM cdr")
        old = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1", session)
        await correct(connection, session, "0.5")
        new = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1 AND revision = 2", session)
        [made] = await settle(connection, tenant, "2026-11")
        difference = ((new - old) / 2).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert (made.net, made.energy_wh) == (difference, 0)
        assert (await statements(connection))[1].lines[0].quantity == -1
        settled, cdrs = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM host_settled), (SELECT count(*) FROM cdr)"
        )
        assert settled == cdrs == SESSIONS + 2

    on(new_database(), work)


def test_what_is_corrected_after_its_seller_left_is_settled_by_that_seller(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        await agree(
            connection, tenant, "torget", "eken", SINCE, b'{"percent_of_net": "50", "fixed_per_month": "9"}', "a"
        )
        await settle(connection, tenant)
        await connection.execute("UPDATE site_seller SET valid_to = $1", datetime(2026, 10, 31, 23, tzinfo=UTC))
        assert await settle(connection, tenant, "2026-11") == []
        session = await connection.fetchval("SELECT max(session_id) FROM cdr")
        old = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1", session)
        await correct(connection, session, "0.5")
        new = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1 AND revision = 2", session)
        [made] = await settle(connection, tenant, "2026-11")
        assert made.net == ((new - old) / 2).quantize(Decimal("0.01"), "ROUND_HALF_UP")

    on(new_database(), work)


def test_who_is_not_registered_gets_no_VAT_and_an_agreement_holds_by_its_days(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant, vat_number=None)
        middle = datetime(2026, 10, 15, 22, tzinfo=UTC)
        await agree(connection, tenant, "torget", "eken", SINCE, b'{"fixed_per_month": "99", "per_kwh": "0.10"}', "a")
        await agree(connection, tenant, "torget", "eken", middle, b'{"fixed_per_month": "99", "per_kwh": "0.20"}', "a")
        [made] = await settle(connection, tenant)
        assert made.payable == made.net
        [document] = await statements(connection)
        early, late = await connection.fetchrow(
            """SELECT sum(c.energy_wh) FILTER (WHERE s.started_at < $1), sum(c.energy_wh) FILTER (WHERE s.started_at >= $1)
            FROM cdr AS c JOIN session AS s ON s.id = c.session_id""",
            middle,
        )
        cent = Decimal("0.01")
        assert [line.net for line in document.lines] == [
            (early * Decimal("0.10") / 1000).quantize(cent, "ROUND_HALF_UP"),
            Decimal("47.90"),
            (late * Decimal("0.20") / 1000).quantize(cent, "ROUND_HALF_UP"),
            Decimal("51.10"),
        ]
        assert {line.vat.category for line in document.lines} == {"O"}
        await run_october(connection, reader, tenant)
        await all_is_right(connection, tenant)

    on(new_database(), work)


def test_what_is_missing_is_named_and_nothing_is_final(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        with pytest.raises(NotFound):
            await agree(connection, tenant, "torget", "ingen", SINCE, TERMS, "a")
        await agree(connection, tenant, "torget", "eken", SINCE, TERMS, "a")
        with pytest.raises(Conflict, match="there is an agreement"):
            await agree(connection, tenant, "torget", "eken", SINCE, TERMS, "a")
        await connection.execute("UPDATE host SET city = NULL")
        [made] = await settle(connection, tenant)
        assert made.id is None
        assert [each.field for each in made.in_the_way] == ["seller.address.city"]
        assert await statements(connection) == []
        terms = await terms_of(connection, tenant)
        with pytest.raises(Conflict, match="not over"):
            await settle_hosts(
                connection, tenant, terms, period_of("2026-11", terms, NOW), NOW, lambda _: (), final=False
            )

    on(new_database(), work)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (b'{"per_kwh": "-1"}', "per_kwh"),
        (b'{"percent_of_net": "101"}', "percent_of_net"),
        (b'{"vat": "NaN"}', "vat"),
        (b'{"per_kw": "1"}', ""),
        (b"[1]", "agreement"),
    ],
)
def test_an_agreement_that_can_not_be_kept_names_its_field(document: bytes, field: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_host_terms(document)
    assert field in error.value.field


def test_an_agreement_that_is_put_before_a_later_one_ends_where_that_begins(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await host(connection, tenant)
        later, first, between = SINCE.replace(month=9), SINCE, SINCE.replace(month=5)
        for since in (later, first, between):
            await agree(connection, tenant, "torget", "eken", since, TERMS, "anna")
        rows = await connection.fetch("SELECT valid_from, valid_to FROM host_agreement ORDER BY valid_from")
        assert [tuple(row) for row in rows] == [(first, between), (between, later), (later, None)]

    on(new_database(), work)

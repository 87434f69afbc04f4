"""Are a subscription's fee and included energy billed once, to the Wh and the öre, also when sessions come late or are corrected?"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.bench import billing_data
from laddbok.billing.credit import CreditWish
from laddbok.flow.billing_run import InTheWay, Planned, period_of
from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.ids import session_id
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.store.embedded import Dsn
from laddbok.store.ledger import accrue
from laddbok.store.reconcile import reconcile
from laddbok.workers.billing_run import BillingRun, RunResult
from tests.store.test_billing_run import NOW, nothing_in_the_way, tenant_of, terms_of
from tests.store.test_credit_notes import credit as give
from tests.store.test_reconcile import RENDERED

ZONE = "Europe/Stockholm"
NOON = datetime(2026, 10, 10, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARIFF = {
    "id": "hundra",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "2.00", "vat": 25}]}],
    "laddbok": {"subscription": {"month_fee": "99", "tiers": [{"to_kwh": 100, "per_kwh": 0}], "vat": 25}},
}

Work = Callable[[asyncpg.Connection, asyncpg.Connection, int], Coroutine[Any, Any, None]]


def on_subscribers(dsn: Dsn, since: datetime, work: Work) -> None:
    """Run on a database with two customers; the first one's contract has the subscription since an instant."""

    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        try:
            tenant = await tenant_of(connection)
            await billing_data.fill(connection, tenant, 2, 0)
            await connection.execute("INSERT INTO tariff VALUES ($1, 'hundra', $2)", tenant, billing_data.SINCE)
            await connection.execute(
                """INSERT INTO tariff_version (tenant, tariff_id, version, valid_from, received_at, document)
                VALUES ($1, 'hundra', 1, $2, $2, $3::text::jsonb)""",
                tenant,
                billing_data.SINCE,
                msgspec.json.encode(TARIFF).decode(),
            )
            await connection.execute(
                "INSERT INTO tariff_assignment (tenant, scope, scope_id, valid_from, tariff_id) VALUES ($1, 'contract', 'c-000000', $2, 'hundra')",
                tenant,
                since,
            )
            await work(connection, reader, tenant)
        finally:
            await connection.close()
            await reader.close()

    asyncio.run(main())


async def put_session(
    connection: asyncpg.Connection, tenant: int, number: int, start_at: datetime, wh: int, revision: int = 1
) -> str:
    """A priced session of the first contract, as the worker writes it."""
    end_at = start_at + 2 * HOUR
    period = ChargingPeriod(start_at=start_at, end_at=end_at, activity=Activity.CHARGING, energy_wh=wh)
    cdr = Cdr(
        session_id=session_id(1, 1, number), started_at=start_at, charging_ended_at=end_at, transaction_ended_at=end_at,
        unplugged_at=end_at, last_contact_at=end_at, energy_wh=wh, periods=(period,), time_zone=ZONE,
    )  # fmt: skip
    rating = rate(cdr, compile_tariff(parse_tariff(TARIFF), ZONE))
    if revision == 1:
        await connection.execute(
            """INSERT INTO session (tenant, id, origin, station, site_id, contract_id, state, version, started_at, ended_at,
            energy_wh, body) VALUES ($1, $2, 'station', 'CP-1', 'torget', 'c-000000', 'settled', 1, $3, $4, $5, $6::text::jsonb)""",
            tenant, cdr.session_id, start_at, end_at, wh, msgspec.json.encode({"seller_id": billing_data.SELLER}).decode(),
        )  # fmt: skip
    else:
        await credit(connection, cdr.session_id, revision - 1)
    await connection.execute(
        "INSERT INTO cdr VALUES ($1, $2, $3, 'cdr', $4, $5, 'SEK', $6, $7, 'hundra', 1, $8::text::jsonb, $9::text::jsonb)",
        tenant, cdr.session_id, revision, NOW, wh, rating.excl_vat, rating.incl_vat, msgspec.json.encode(cdr).decode(),
        msgspec.json.encode(rating).decode(),
    )  # fmt: skip
    return cdr.session_id


async def credit(connection: asyncpg.Connection, session_id: str, revision: int) -> None:
    """What takes a CDR back."""
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $2, energy_wh, currency, -excl_vat, -incl_vat,
        tariff_id, tariff_version, document, rating FROM cdr WHERE session_id = $1 AND revision = $3 AND kind = 'cdr'""",
        session_id, NOW, revision,
    )  # fmt: skip


async def pass_on(connection: asyncpg.Connection, tenant: int, at: datetime) -> None:
    """From then on the second customer pays the contract."""
    await connection.execute("UPDATE contract_payer SET valid_to = $1 WHERE contract_id = 'c-000000'", at)
    await connection.execute("INSERT INTO contract_payer VALUES ($1, 'c-000000', 'p-000001', $2, NULL)", tenant, at)


async def run(
    connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int, month: str, *, final: bool = True
) -> RunResult:
    terms = await terms_of(connection, tenant)
    now = NOW if month == "2026-10" else NOW + timedelta(days=31)
    billing = BillingRun(connection, reader, tenant, terms, period_of(month, terms, now))
    return await billing.run(now, "test", nothing_in_the_way, final=final, show=lambda _: None)


async def documents(connection: asyncpg.Connection) -> list[Invoice]:
    rows = await connection.fetch("SELECT content FROM invoice ORDER BY finalised_at, number")
    return [msgspec.json.decode(row["content"], type=Invoice) for row in rows]


async def all_is_right(connection: asyncpg.Connection, tenant: int) -> None:
    await connection.execute(RENDERED)
    wrong = [each for each in await reconcile(connection, tenant, NOW) if each.differences]
    assert wrong == []


def nets(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.text.en, line.quantity, line.net) for line in invoice.lines]


def test_B41_two_sessions_at_once_leave_twenty_to_pay(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        for number in (1, 2):
            await put_session(connection, tenant, number, NOON, 60_000)
        result = await run(connection, reader, tenant, "2026-10")
        assert result.in_the_way == []
        [invoice] = await documents(connection)
        assert nets(invoice)[:2] == [
            ("Month fee Oct 2026, Avtal 0", Decimal(1), Decimal("99.00")),
            ("Included energy Oct 2026", Decimal("-100.000"), Decimal("-200.00")),
        ]
        assert invoice.totals.net == Decimal("99.00") + 20 * Decimal("2.00")
        assert (await run(connection, reader, tenant, "2026-10")).documents == 0
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B41_a_session_that_comes_late_continues_from_what_was_used(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put_session(connection, tenant, 1, NOON, 70_000)
        await run(connection, reader, tenant, "2026-10")
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 50_000)
        await put_session(connection, tenant, 3, NOON + timedelta(days=30), 10_000)
        await run(connection, reader, tenant, "2026-11")
        first, second = await documents(connection)
        assert first.totals.net == Decimal("99.00")
        assert nets(second)[:3] == [
            ("Month fee Nov 2026, Avtal 0", Decimal(1), Decimal("99.00")),
            ("Included energy Oct 2026", Decimal("-30.000"), Decimal("-60.00")),
            ("Included energy Nov 2026", Decimal("-10.000"), Decimal("-20.00")),
        ]
        assert second.totals.net == Decimal("99.00") + 20 * Decimal("2.00")
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B41_a_session_that_is_corrected_gives_back_what_it_got(new_database: Callable[[], Dsn]) -> None:
    """In the end a month with 40 and 50 kWh has cost its fee, whatever was billed on the way."""

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put_session(connection, tenant, 1, NOON, 80_000)
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 50_000)
        await run(connection, reader, tenant, "2026-10")
        await put_session(connection, tenant, 1, NOON, 40_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        billed, *rest = await documents(connection)
        [note] = [each for each in rest if each.kind is InvoiceKind.CREDIT_NOTE]
        [anew] = [each for each in rest if each.kind is InvoiceKind.INVOICE]
        assert billed.totals.net == Decimal("99.00") + 30 * Decimal("2.00")
        assert nets(note)[0] == ("Included energy of the corrected session", Decimal("-80.000"), Decimal("-160.00"))
        assert note.totals.net == Decimal("0.00")
        assert nets(anew)[0] == ("Included energy Oct 2026", Decimal(-1), Decimal("-140.00"))
        assert anew.totals.net == Decimal("-60.00")
        charges = await connection.fetch("SELECT kind, month, number FROM contract_charge ORDER BY kind, number")
        assert [tuple(row) for row in charges] == [
            ("included", "2026-10", 1),
            ("included", "2026-10", 2),
            ("included_back", "2026-10", 1),
            ("month_fee", "2026-10", 1),
        ]
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B41_a_session_that_is_void_leaves_its_included_energy_to_the_others(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        voided = await put_session(connection, tenant, 1, NOON, 80_000)
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 50_000)
        await run(connection, reader, tenant, "2026-10")
        await credit(connection, voided, 1)
        await connection.execute("UPDATE session SET state = 'void' WHERE id = $1", voided)
        await run(connection, reader, tenant, "2026-10")
        billed, *rest = await documents(connection)
        assert sum(
            (-each.totals.net if each.kind is InvoiceKind.CREDIT_NOTE else each.totals.net for each in rest),
            billed.totals.net,
        ) == Decimal("99.00")
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B42_who_joins_on_the_sixteenth_pays_from_then_on_and_without_sessions_too(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        result = await run(connection, reader, tenant, "2026-10")
        assert (result.documents, result.in_the_way) == (1, [])
        [invoice] = await documents(connection)
        assert nets(invoice) == [("Month fee Oct 2026, 16 of 31 days, Avtal 0", Decimal(1), Decimal("51.10"))]
        assert (invoice.totals.vat, invoice.buyer.id) == (Decimal("12.78"), "p-000000")
        assert (await run(connection, reader, tenant, "2026-10")).documents == 0
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), datetime(2026, 10, 15, 22, tzinfo=UTC), work)


def test_B42_a_fee_that_was_billed_and_not_kept_is_named_before_it_is_charged_again(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run(connection, reader, tenant, "2026-10")
        with pytest.raises(asyncpg.exceptions.RestrictViolationError):
            await connection.execute("DELETE FROM contract_charge")
        await connection.execute("ALTER TABLE contract_charge DISABLE TRIGGER USER")
        await connection.execute("DELETE FROM contract_charge")
        checks = {each.check: each for each in await reconcile(connection, tenant, NOW)}
        told = [(each.id, each.detail) for each in checks["documents"].items]
        assert told == [("norrladd-10000001", "its charges beside sessions are not those that are kept")]

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B44_the_fee_is_paid_by_who_pays_at_the_end_of_the_month(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await pass_on(connection, tenant, datetime(2026, 10, 20, tzinfo=UTC))
        await put_session(connection, tenant, 1, NOON, 60_000)
        await put_session(connection, tenant, 2, NOON + timedelta(days=15), 60_000)
        await run(connection, reader, tenant, "2026-10")
        by_buyer = {each.buyer.id: each for each in await documents(connection)}
        assert by_buyer["p-000000"].totals.net == Decimal("0.00")
        assert by_buyer["p-000001"].totals.net == Decimal("99.00") + 20 * Decimal("2.00")

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_B41_who_shares_a_month_with_a_payer_in_whose_way_something_is_waits_too(
    new_database: Callable[[], Dsn],
) -> None:
    """The first payer's document can't become final: what is left of the 100 kWh for the next payer is not known."""

    def first_payer_waits(planned: Planned) -> tuple[InTheWay, ...]:
        return (InTheWay("p-000000", "address", "is missing"),) if planned.customer.buyer.id == "p-000000" else ()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await pass_on(connection, tenant, datetime(2026, 10, 20, tzinfo=UTC))
        await put_session(connection, tenant, 1, NOON, 60_000)
        await put_session(connection, tenant, 2, NOON + timedelta(days=15), 60_000)
        terms = await terms_of(connection, tenant)
        billing = BillingRun(connection, reader, tenant, terms, period_of("2026-10", terms, NOW))
        result = await billing.run(NOW, "test", first_payer_waits, final=True, show=lambda _: None)
        assert [(each.payer_id, each.field) for each in result.in_the_way] == [
            ("p-000000", "address"),
            ("p-000001", "contract c-000000"),
        ]
        await run(connection, reader, tenant, "2026-10")
        by_buyer = {each.buyer.id: each.totals.net for each in await documents(connection)}
        assert by_buyer == {"p-000000": 0, "p-000001": Decimal("99.00") + 20 * Decimal("2.00")}
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_a_fee_whose_VAT_nobody_knows_and_a_contract_without_payer_are_in_the_way(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("UPDATE tariff_version SET document = document #- '{laddbok,subscription,vat}'")
        await put_session(connection, tenant, 1, NOON, 60_000)
        result = await run(connection, reader, tenant, "2026-10")
        told = [(each.payer_id, each.field) for each in result.in_the_way]
        assert (result.documents, told) == (0, [("p-000000", "contract c-000000")])
        await connection.execute("DELETE FROM contract_payer")
        result = await run(connection, reader, tenant, "2026-10")
        assert [each.reason[:25] for each in result.in_the_way] == [
            "nobody pays its subscript",
            "nobody pays for it: its c",
        ]

    on_subscribers(new_database(), billing_data.SINCE, work)


def test_an_accrual_after_the_run_is_what_the_month_earned_with_its_fees(new_database: Callable[[], Dsn]) -> None:
    """Also when a session of the month was corrected in between."""

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put_session(connection, tenant, 1, NOON, 80_000)
        await put_session(connection, tenant, 2, NOON + 4 * HOUR, 50_000)
        await run(connection, reader, tenant, "2026-10")
        await put_session(connection, tenant, 1, NOON, 70_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        terms = await terms_of(connection, tenant)
        month_end, _ = await accrue(connection, tenant, terms, period_of("2026-10", terms, NOW), NOW)
        assert [(each.account, each.amount) for each in month_end.postings] == [
            ("1790", Decimal("139.00")),
            ("3001", Decimal("-139.00")),
        ]

    on_subscribers(new_database(), billing_data.SINCE, work)


# ------------------------------------------------------------------------------------------------ what a person credits
def test_a_session_that_a_person_credits_is_credited_less_what_it_got_as_included_energy(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        first, second = [
            await put_session(connection, tenant, number, NOON + number * HOUR * 3, 80_000) for number in (1, 2)
        ]
        await run(connection, reader, tenant, "2026-10")
        [invoice] = await documents(connection)
        assert invoice.totals.net == Decimal("99.00") + 60 * 2
        number = str(invoice.number)
        with pytest.raises(Invalid, match="came to nothing"):
            await give(connection, tenant, number, CreditWish(reason="Kabeln", session_id=first))
        made = await give(connection, tenant, number, CreditWish(reason="Kabeln", session_id=second))
        assert [line.net for line in made.invoice.lines] == [Decimal("160.00"), Decimal("-40.00")]
        assert made.invoice.totals.net == Decimal("120.00")
        await put_session(connection, tenant, 2, NOON + 6 * HOUR, 30_000, revision=2)
        await run(connection, reader, tenant, "2026-10")
        owed = sum(-each.totals.net if each.refers_to else each.totals.net for each in await documents(connection))
        assert owed == Decimal("99.00") + 10 * 2, "it was taken back once"
        await all_is_right(connection, tenant)

    on_subscribers(new_database(), billing_data.SINCE, work)

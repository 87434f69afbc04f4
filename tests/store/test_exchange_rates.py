"""Is a month in euro billed with its VAT in kronor, and do the books balance in kronor when it is paid?"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from laddbok.billing.credit import CreditWish
from laddbok.billing.sie4 import sie4
from laddbok.billing.write_off import WriteOffWish
from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import period_of
from laddbok.flow.reconcile import Item
from laddbok.model.errors import Invalid
from laddbok.model.exchange import DailyRate
from laddbok.model.invoice import Invoice
from laddbok.model.money import round_money
from laddbok.model.payment import BANK, Allocation, AllocationKind, Payment
from laddbok.store.embedded import Dsn
from laddbok.store.exchange_rates import keep_rates, read_rates
from laddbok.store.late_rates import take_in
from laddbok.store.ledger import account_card, accrue, journal, trial_balance
from laddbok.store.payment_moves import Move, allocate, refund_left, request_refund
from laddbok.store.payments import record, record_all
from laddbok.store.reconcile import reconcile
from laddbok.store.write_offs import write_off_invoice
from laddbok.workers.billing_run import BillingRun, RunResult
from tests.store.test_billing_run import NOW, on, terms_of
from tests.store.test_credit_notes import credit
from tests.store.test_ledger import YEAR, read_back

ISSUED, PAID = date(2026, 11, 5), date(2026, 11, 20)
LATER = NOW + timedelta(days=25)


def ecb(day: date, rate: str) -> DailyRate:
    return DailyRate("EUR", "SEK", day, Decimal(rate), "ECB")


async def in_euro(connection: asyncpg.Connection) -> None:
    """October's sessions and their seller, as if they had been priced in euro."""
    await connection.execute(
        """ALTER TABLE billing_position DISABLE TRIGGER USER;
        UPDATE billing_position SET currency = 'EUR'; UPDATE legal_entity SET currency = 'EUR';
        ALTER TABLE billing_position ENABLE TRIGGER USER"""
    )


def in_kronor(amount: Decimal, rate: str) -> Decimal:
    return round_money(amount * Decimal(rate), "SEK")


async def run_checked(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> RunResult:
    terms = await terms_of(connection, tenant)
    run = BillingRun(connection, reader, tenant, terms, period_of("2026-10", terms, NOW))
    check = DocumentChecks(Path("/nowhere"))
    return await run.run(NOW, "test", check, final=True, show=lambda _: None)


async def pay(connection: asyncpg.Connection, tenant: int, invoice_id: str, amount: Decimal, number: int) -> None:
    terms = await terms_of(connection, tenant)
    payment = Payment(
        provider=BANK, reference=f"e{number}", received_on=PAID, amount=amount, currency="EUR", payer_name="Kund"
    )
    part = Allocation(kind=AllocationKind.INVOICE, amount=amount, invoice_id=invoice_id, payer_id="p")
    assert await record(connection, tenant, terms, payment, [part], NOW)


def test_without_a_rate_nothing_is_final_and_the_day_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 10, 28), "11.01")], NOW)
        result = await run_checked(connection, reader, tenant)
        assert result.documents == 0
        assert {each.field for each in result.in_the_way} >= {"books.rate"}
        assert any("EUR/SEK of 2026-11-05" in each.reason for each in result.in_the_way)
        assert await connection.fetchval("SELECT count(*) FROM invoice") == 0

    on(new_database(), work)


def test_a_month_in_euro_is_billed_paid_credited_and_exported_in_kronor(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 11, 4), "11.0350"), ecb(PAID, "11.4321")], NOW)
        result = await run_checked(connection, reader, tenant)
        assert result.documents > 0
        rows = await connection.fetch("SELECT id, number_text, payable, content FROM invoice ORDER BY number")
        documents = [msgspec.json.decode(row["content"], type=Invoice) for row in rows]
        stated = sum((each.books.total for each in documents if each.books), Decimal(0))
        balance = await balance_of(connection, tenant)
        assert balance["2611"] == -stated
        assert all(each.books and each.books.rate and each.books.rate.day == date(2026, 11, 4) for each in documents)
        await credit(connection, tenant, rows[0]["number_text"], CreditWish(reason="Fel kund"))
        for number, row in enumerate(rows[1:]):
            half = round(row["payable"] / 2, 2)
            for part, amount in enumerate((half, row["payable"] - half)):
                await pay(connection, tenant, row["id"], amount, 2 * number + part)
        balance = await balance_of(connection, tenant)
        assert (balance["1510"], sum(balance.values())) == (0, 0)
        assert balance["3960"] < 0
        await _the_export_is_the_balance(connection, tenant, balance)
        found = await reconcile(connection, tenant, NOW)
        wrong = {each.check: each.items for each in found if each.differences}
        assert not {"documents", "numbers", "receivables", "entries", "payments", "books"} & wrong.keys(), wrong

    on(new_database(), work)


def test_money_of_a_day_without_a_rate_waits_and_is_booked_when_the_rate_comes(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 11, 4), "11.0350")], NOW)
        await run_checked(connection, reader, tenant)
        first, *others = await connection.fetch("SELECT id, payable FROM invoice ORDER BY number")
        half = round(first["payable"] / 2, 2)
        await pay(connection, tenant, first["id"], half, 1)
        await pay(connection, tenant, first["id"], first["payable"] - half, 2)
        found = await waiting(connection, tenant)
        assert [each.detail for each in found] == ["waits for the exchange rate EUR/SEK of 2026-11-20"] * 2
        with pytest.raises(Invalid, match="reconciling names what waits"):
            sie4(
                (await terms_of(connection, tenant)).seller, await journal(connection, tenant, "norrladd", *YEAR), PAID
            )
        other_day = [ecb(date(2026, 11, 21), "11.5")]
        assert (await take_in(connection, [tenant], other_day, NOW))[1] == 0
        assert len(await waiting(connection, tenant)) == 2, "the rate of a later day is none"
        for booked in (2, 0):
            assert (await take_in(connection, [tenant], [ecb(PAID, "11.4321")], NOW))[1] == booked
        assert await waiting(connection, tenant) == ()
        for number, row in enumerate(others, start=3):
            await pay(connection, tenant, row["id"], row["payable"], number)
        balance = await balance_of(connection, tenant)
        assert (balance["1510"], sum(balance.values())) == (0, 0)
        assert balance["3960"] < 0
        await _the_export_is_the_balance(connection, tenant, balance)
        wrong = {each.check for each in await reconcile(connection, tenant, NOW) if each.differences}
        assert not {"ledger", "receivables", "entries", "series"} & wrong

    on(new_database(), work)


async def waiting(connection: asyncpg.Connection, tenant: int) -> tuple[Item, ...]:
    [found] = [each for each in await reconcile(connection, tenant, NOW) if each.check == "entries"]
    return found.items


async def _the_export_is_the_balance(connection: asyncpg.Connection, tenant: int, balance: dict[str, Decimal]) -> None:
    terms = await terms_of(connection, tenant)
    entries = await journal(connection, tenant, "norrladd", *YEAR)
    written = sie4(terms.seller, entries, NOW.date())
    assert b"#VALUTA SEK\r\n" in written
    assert read_back(written) == balance
    card = await account_card(connection, tenant, "norrladd", "1510", *YEAR)
    assert {row["currency"] for row in card} == {"SEK"}


async def balance_of(connection: asyncpg.Connection, tenant: int) -> dict[str, Decimal]:
    rows = await trial_balance(connection, tenant, "norrladd", *YEAR)
    assert {row["currency"] for row in rows} == {"SEK"}
    return {row["account"]: row["closing"] for row in rows}


def test_an_entry_that_balances_in_euro_only_is_refused(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        entry = await connection.fetchval(
            """INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
            VALUES ($1, 'norrladd', $2, 'x', 'test', '1', $3) RETURNING id""",
            tenant, ISSUED, NOW,
        )  # fmt: skip
        for books in (("110", "-109"), ("110", None)):
            lines: list[Any] = [
                (tenant, entry, 1, "1510", Decimal(10), "EUR"),
                (tenant, entry, 2, "3001", Decimal(-10), "EUR"),
            ]
            values = [(*line, each and Decimal(each), each and "SEK") for line, each in zip(lines, books, strict=True)]
            with pytest.raises(asyncpg.RestrictViolationError, match="does not balance"):
                await connection.copy_records_to_table(
                    "posting", records=values,
                    columns=("tenant", "entry_id", "line", "account", "amount", "currency", "book_amount", "book_currency"),
                )  # fmt: skip

    on(new_database(), work)


def test_a_rate_is_kept_once_and_a_corrected_one_counts(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        counts = [
            msgspec.structs.astuple(await keep_rates(connection, [tenant], [ecb(ISSUED, each)], NOW))
            for each in ("11.03", "11.03", "11.04")
        ]
        assert counts == [(1, 0, 0), (0, 0, 1), (0, 1, 0)]
        assert await read_rates(connection, tenant, ("SEK",), None, None) == (ecb(ISSUED, "11.04"),)
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("DELETE FROM exchange_rate")

    on(new_database(), work)


def test_a_month_in_euro_is_accrued_in_kronor(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 10, 30), "11"), ecb(date(2026, 11, 1), "12")], NOW)
        terms = await terms_of(connection, tenant)
        await accrue(connection, tenant, terms, period_of("2026-10", terms, NOW), NOW)
        balance = await balance_of(connection, tenant)
        assert balance["1790"] == 0

    on(new_database(), work)


def test_payments_of_one_invoice_that_are_written_together_leave_nothing_of_it_in_the_books(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 11, 4), "11.0350"), ecb(PAID, "11.4321")], NOW)
        await run_checked(connection, reader, tenant)
        terms = await terms_of(connection, tenant)
        for row in await connection.fetch("SELECT id, payable FROM invoice"):
            amounts = [Decimal("0.01"), Decimal("0.02"), row["payable"] - Decimal("0.03")]
            paid = [
                (
                    Payment(
                        provider=BANK, reference=f"{row['id']}/{number}", received_on=PAID, amount=amount, currency="EUR"
                    ),
                    (Allocation(kind=AllocationKind.INVOICE, amount=amount, invoice_id=row["id"], payer_id="p"),),
                )
                for number, amount in enumerate(amounts)
            ]  # fmt: skip
            assert len(await record_all(connection, tenant, terms, paid, NOW)) == 3
        balance = await balance_of(connection, tenant)
        assert (balance["1510"], sum(balance.values())) == (0, 0)

    on(new_database(), work)


def test_money_that_moves_out_of_suspense_or_back_leaves_nothing_there_in_the_books(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        rates = [ecb(date(2026, 11, 4), "11.0350"), ecb(PAID, "11.4321"), ecb(LATER.date(), "12")]
        await keep_rates(connection, [tenant], rates, NOW)
        await run_checked(connection, reader, tenant)
        terms = await terms_of(connection, tenant)
        row = await connection.fetchrow("SELECT id, payable FROM invoice ORDER BY number LIMIT 1")
        amount = row["payable"] + 10
        payment = Payment(provider=BANK, reference="e1", received_on=PAID, amount=amount, currency="EUR")
        held = (Allocation(kind=AllocationKind.SUSPENSE, amount=amount),)
        made = await record(connection, tenant, terms, payment, held, NOW)
        assert made is not None
        for part in (Decimal("0.01"), Decimal("0.02"), row["payable"] - Decimal("0.03")):
            await allocate(connection, tenant, made.id, Move(amount=part, invoice=row["id"]), LATER, "Eva")
        balance = await balance_of(connection, tenant)
        assert balance["2999"] == -(in_kronor(amount, "11.4321") - in_kronor(row["payable"], "11.4321"))
        gain = in_kronor(row["payable"], "11.4321") - in_kronor(row["payable"], "11.0350")
        assert abs(-balance["3960"] - gain) <= Decimal("0.02"), "to the öre that rounding leaves"
        refund = await request_refund(connection, tenant, made.id, Decimal(10), "k", LATER, "Eva")
        assert (await balance_of(connection, tenant))["2999"] == 0
        await refund_left(connection, tenant, refund.id, "B1", LATER)
        balance = await balance_of(connection, tenant)
        assert (balance["2899"], balance["7960"], sum(balance.values())) == (0, Decimal("5.68"), 0)

    on(new_database(), work)


def test_money_that_waited_for_its_rate_and_moved_meanwhile_leaves_nothing_in_suspense(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        rates = [ecb(date(2026, 11, 4), "11.0350"), ecb(LATER.date(), "12")]
        await keep_rates(connection, [tenant], rates, NOW)
        await run_checked(connection, reader, tenant)
        terms = await terms_of(connection, tenant)
        row = await connection.fetchrow("SELECT id, payable FROM invoice ORDER BY number LIMIT 1")
        amount = row["payable"] + 10
        payment = Payment(provider=BANK, reference="e1", received_on=PAID, amount=amount, currency="EUR")
        held = (Allocation(kind=AllocationKind.SUSPENSE, amount=amount),)
        made = await record(connection, tenant, terms, payment, held, NOW)
        assert made is not None
        for part in (Decimal("0.01"), Decimal("0.02"), row["payable"] - Decimal("0.03")):
            await allocate(connection, tenant, made.id, Move(amount=part, invoice=row["id"]), LATER, "Eva")
        refund = await request_refund(connection, tenant, made.id, Decimal(10), "k", LATER, "Eva")
        await refund_left(connection, tenant, refund.id, "B1", LATER)
        assert len(await waiting(connection, tenant)) == 6
        assert (await take_in(connection, [tenant], [ecb(PAID, "11.4321")], NOW))[1] == 6
        balance = await balance_of(connection, tenant)
        assert (balance["2999"], balance["2899"], sum(balance.values())) == (0, 0, 0)
        assert (balance["1930"], balance["7960"]) == (
            in_kronor(amount, "11.4321") - in_kronor(Decimal(10), "12"), Decimal("5.68"),
        )  # fmt: skip
        gain = in_kronor(row["payable"], "11.4321") - in_kronor(row["payable"], "11.0350")
        assert abs(-balance["3960"] - gain) <= Decimal("0.02"), "to the öre that rounding leaves"

    on(new_database(), work)


def test_a_document_of_which_nothing_is_open_but_in_the_books_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 11, 4), "11.0350")], NOW)
        await run_checked(connection, reader, tenant)
        first = await connection.fetchval("SELECT id FROM invoice ORDER BY number LIMIT 1")
        await connection.execute(
            f"""ALTER TABLE posting DISABLE TRIGGER USER;
            UPDATE posting SET amount = 0 WHERE invoice_id = '{first}'"""
        )
        [books] = [each for each in await reconcile(connection, tenant, NOW) if each.check == "books"]
        assert [each.id for each in books.items] == [first]

    on(new_database(), work)


def test_what_is_written_off_in_euro_goes_out_of_the_kronor_at_its_own_rate(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await in_euro(connection)
        await keep_rates(connection, [tenant], [ecb(date(2026, 11, 4), "11.0350"), ecb(PAID, "11.4321")], NOW)
        await run_checked(connection, reader, tenant)
        row = await connection.fetchrow(
            "SELECT id, payable, content FROM invoice WHERE kind = 'invoice' ORDER BY payable DESC LIMIT 1"
        )
        invoice = msgspec.json.decode(row["content"], type=Invoice)
        assert invoice.books is not None
        before = await balance_of(connection, tenant)
        wish = WriteOffWish(reason="Konkurs", vat_relief=True)
        for part in (Decimal("1.01"), None):
            await write_off_invoice(connection, tenant, row["id"], replace(wish, amount=part), NOW, "anna")
        left = "SELECT sum(amount), sum(book_amount) FROM posting WHERE invoice_id = $1"
        assert tuple(await connection.fetchrow(left, row["id"])) == (0, 0)
        after = await balance_of(connection, tenant)
        assert after["2611"] - before["2611"] == invoice.books.total
        await pay(connection, tenant, row["id"], row["payable"], 1)
        assert tuple(await connection.fetchrow(left, row["id"])) == (0, 0)
        assert (await balance_of(connection, tenant))["2611"] == before["2611"]
        found = {each.check: each.items for each in await reconcile(connection, tenant, NOW)}
        assert (found["write_offs"], found["receivables"], found["entries"]) == ((), (), ())

    on(new_database(), work)

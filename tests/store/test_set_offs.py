"""Does what we owe on a document below 0 reach its payer once, as a set-off or by bank, and no more of it than is owed?"""

import asyncio
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.billing.books import with_books
from laddbok.billing.examples import DRAFT
from laddbok.model.errors import Conflict, NotFound
from laddbok.model.exchange import DailyRate, ExchangeRate
from laddbok.model.payment import AllocationKind
from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.store.exchange_rates import keep_rates
from laddbok.store.payment_moves import Move, allocate, request_refund
from laddbok.store.reconcile import reconcile
from laddbok.store.set_offs import send_to_credit
from tests.store.test_payments import BATCH, NOW, books, document, on, owed, taken_in, terms_of
from tests.store.test_refunds import credit_note, left_by_bank

OWED = Decimal("100.00")


async def below_0(connection: asyncpg.Connection, tenant: int) -> None:
    """Invoice 10000006, by which we owe customer 4 so much."""
    terms = await terms_of(connection, tenant)
    await billing.finalise(connection, tenant, terms, [document(terms, "p-000004", "Kund 4", f"-{OWED}")], None, NOW)
    assert await owed(connection, tenant, 6) == [-OWED]


async def agree(connection: asyncpg.Connection, tenant: int) -> None:
    """Documents, payments and books say the same."""
    found = await reconcile(connection, tenant, NOW)
    wrong = {each.check: each.items for each in found if each.differences}
    assert not {"receivables", "entries", "payments", "books"} & wrong.keys(), wrong


async def in_books(connection: asyncpg.Connection) -> dict[str, Decimal]:
    """What receivables and credits come to in the currency of the books."""
    rows = await connection.fetch(
        """SELECT account, sum(book_amount) AS amount FROM posting WHERE book_currency = 'EUR' AND account IN ('1510', '2420')
        GROUP BY account"""
    )
    return {row["account"]: row["amount"] for row in rows if row["amount"]}


def test_what_we_owe_on_a_document_goes_to_the_credit_and_pays_another_invoice(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await below_0(connection, tenant)
        payment_id = await send_to_credit(connection, tenant, "10000006", NOW, "eva")
        assert await owed(connection, tenant, 6) == [0]
        found = await books(connection)
        assert (found["2420"], "1930" in found) == (-OWED, False)
        await agree(connection, tenant)
        for amount in (OWED, Decimal("0.01")):
            move = Move(amount=amount, invoice="10000004", source=AllocationKind.BALANCE)
            if amount == OWED:
                await allocate(connection, tenant, payment_id, move, NOW, "eva")
            else:
                with pytest.raises(Conflict):
                    await allocate(connection, tenant, payment_id, move, NOW, "eva")
        assert await owed(connection, tenant, 4) == [Decimal("1150.00")]
        assert "2420" not in await books(connection)
        await agree(connection, tenant)

    on(new_database(), work)


def test_what_we_owe_on_a_document_is_paid_back_by_bank_and_no_more(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await below_0(connection, tenant)
        payment_id = await send_to_credit(connection, tenant, "10000006", NOW, "eva")
        with pytest.raises(Conflict, match=r"more than the 100\.00"):
            await request_refund(connection, tenant, payment_id, OWED + 1, "more", NOW, "eva")
        refunds = [await request_refund(connection, tenant, payment_id, OWED, "k", NOW, "eva") for _ in range(2)]
        assert refunds[0] == refunds[1]
        assert await connection.fetchval("SELECT count(*) FROM job WHERE kind = 'send_refund'") == 0
        told = await taken_in(connection, tenant, left_by_bank(refunds[0].id, str(OWED).encode()))
        assert (told.payments, told.in_suspense) == (1, 0)
        assert await connection.fetchval("SELECT state FROM refund") == "paid"
        found = await books(connection)
        assert (found["1930"], found.keys() & {"2420", "2899"}) == (-OWED, set())
        await agree(connection, tenant)

    on(new_database(), work)


def test_sent_twice_or_by_many_at_once_it_is_to_the_credit_once(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await below_0(connection, tenant)
        clicks = [await asyncpg.connect(**dsn) for _ in range(3)]
        answers = await asyncio.gather(
            *(send_to_credit(each, tenant, "10000006", NOW, "eva") for each in clicks), return_exceptions=True
        )
        for each in clicks:
            await each.close()
        assert sorted(type(each).__name__ for each in answers) == ["Conflict", "Conflict", "str"]
        assert (await books(connection))["2420"] == -OWED
        await agree(connection, tenant)

    on(dsn, work)


def test_what_is_taken_back_of_a_document_after_it_was_set_off_is_owed_to_us(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await below_0(connection, tenant)
        await send_to_credit(connection, tenant, "10000006", NOW, "eva")
        await credit_note(connection, tenant, "10000006", "p-000004", "-25.00")
        assert await owed(connection, tenant, 6) == [Decimal("25.00")]
        with pytest.raises(Conflict, match="10000006"):
            await send_to_credit(connection, tenant, "10000006", NOW, "eva")
        await agree(connection, tenant)

    on(new_database(), work)


def test_what_was_paid_and_what_is_owed_to_us_is_not_sent_to_a_credit(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, BATCH)
        await credit_note(connection, tenant, "10000001", "p-000001", "10.00")
        note = await connection.fetchval("SELECT number_text FROM invoice WHERE kind = 'credit_note'")
        for number in ("10000001", "10000002", "10000004", note):
            with pytest.raises(Conflict, match=number):
                await send_to_credit(connection, tenant, number, NOW, "eva")
        with pytest.raises(NotFound):
            await send_to_credit(connection, tenant, "19999999", NOW, "eva")
        assert await connection.fetchval("SELECT count(*) FROM payment WHERE provider = 'set_off'") == 0

    on(new_database(), work)


def test_in_another_currency_the_credit_stands_at_its_days_rate_and_the_books_balance(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("UPDATE legal_entity SET book_currency = 'EUR'")
        await keep_rates(connection, [tenant], [DailyRate("EUR", "SEK", date(2026, 12, 10), Decimal(10), "ECB")], NOW)
        terms = await terms_of(connection, tenant)
        rate = ExchangeRate(Decimal("0.09"), DRAFT.issue_date, "ECB")
        both = [document(terms, "p-000004", "Kund 4", gross) for gross in (f"-{OWED}", f"{OWED}")]
        planned = [replace(each, invoice=with_books(each.invoice, "EUR", rate)) for each in both]
        await billing.finalise(connection, tenant, terms, planned, None, NOW)
        payment_id = await send_to_credit(connection, tenant, "10000006", NOW, "eva")
        assert await in_books(connection) == {"1510": Decimal("9.00"), "2420": Decimal("-10.00")}
        move = Move(amount=OWED, invoice="10000007", source=AllocationKind.BALANCE)
        await allocate(connection, tenant, payment_id, move, NOW, "eva")
        assert await in_books(connection) == {}

    on(new_database(), work)

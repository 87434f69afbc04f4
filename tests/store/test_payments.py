"""Does money that arrives reach its invoices once, whatever files come how often, and do books and parts always agree?"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from laddbok.bench import billing_data
from laddbok.billing.examples import DRAFT
from laddbok.billing.totals import totals_of
from laddbok.flow.billing_run import Planned
from laddbok.model.billing import Customer, SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.invoice import Invoice, VatRate
from laddbok.model.money import net_of
from laddbok.model.payment import AllocationKind
from laddbok.store import billing
from laddbok.store.bank_import import Imported, import_file
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import Move, allocate, request_refund
from laddbok.store.payments import open_invoices
from laddbok.wires.bank_files import read_bank_file

NOW = datetime(2026, 12, 10, 9, tzinfo=UTC)
BANK = Path(__file__).parent.parent / "golden/bank"
BATCH, DAY, SEVERAL = (
    (BANK / f"{name}.xml").read_bytes() for name in ("camt054_batch", "camt053_day", "camt054_several")
)
GROSS = ("3718.61", "2281.39", "500.00", "1250.00", "500.00")
"""Of invoices 10000001 to 10000005, to customers 1 to 4 and 4."""
IBAN = "SE45 5000 0000 0583 9825 7466"
Work = Callable[[asyncpg.Connection, int], Coroutine[Any, Any, None]]


def document(terms: SellerTerms, payer: str, name: str, gross: str, **more: Any) -> Planned:
    """A document that comes to so much with VAT."""
    rate = VatRate(percent=Decimal(25))
    net = net_of(Decimal(gross), Decimal(25), "SEK")
    sums, totals = totals_of([(rate, net)], "SEK")
    assert totals.payable == Decimal(gross)
    buyer = replace(DRAFT.buyer, id=payer, name=name)
    [line] = DRAFT.lines
    lines = (replace(line, net=net, unit_price=net, quantity=Decimal(1), per=Decimal(1)),)
    draft: Invoice = replace(
        DRAFT, seller=terms.seller, buyer=buyer, lines=lines, vat=sums, totals=totals, sessions=(), **more
    )
    return Planned(Customer(buyer=buyer), draft, ())


def on(dsn: Dsn, work: Work) -> None:
    """Run with a seller that has five invoices open."""

    async def main() -> None:
        connection = await asyncpg.connect(**dsn)
        try:
            tenant = await connection.fetchval(
                "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
            )
            await billing_data.fill(connection, tenant, 5, 0)
            await connection.execute("UPDATE legal_entity SET iban = $1", IBAN)
            terms = await terms_of(connection, tenant)
            planned = [
                document(terms, f"p-{min(n, 4):06d}", f"Kund {min(n, 4)}", gross) for n, gross in enumerate(GROSS, 1)
            ]
            await billing.finalise(connection, tenant, terms, planned, None, NOW)
            await work(connection, tenant)
            await all_agree(connection)
        finally:
            await connection.close()

    asyncio.run(main())


async def terms_of(connection: asyncpg.Connection, tenant: int) -> SellerTerms:
    [terms] = await billing.seller_terms(connection, tenant, billing_data.SELLER)
    return terms


async def taken_in(connection: asyncpg.Connection, tenant: int, content: bytes) -> Imported:
    return await import_file(connection, tenant, read_bank_file(content), content, "file.xml", NOW, "test")


async def owed(connection: asyncpg.Connection, tenant: int, *numbers: int) -> list[Decimal]:
    terms = await terms_of(connection, tenant)
    found = await open_invoices(connection, tenant, terms, numbers=[f"1{n:07d}" for n in numbers])
    by_number = {invoice.number: invoice.open for invoice in found}
    return [by_number[f"1{n:07d}"] for n in numbers]


async def books(connection: asyncpg.Connection) -> dict[str, Decimal]:
    rows = await connection.fetch("SELECT account, sum(amount) AS amount FROM posting GROUP BY account")
    return {row["account"]: row["amount"] for row in rows if row["amount"]}


async def payment_of(connection: asyncpg.Connection, amount: str) -> str:
    payment_id: str = await connection.fetchval(
        "SELECT id FROM payment WHERE amount = $1 ORDER BY id LIMIT 1", Decimal(amount)
    )
    return payment_id


async def all_agree(connection: asyncpg.Connection) -> None:
    """The books balance; received = allocated + suspense + credit + to be paid back, and each stands on its account."""
    found = await books(connection)
    assert sum(found.values(), Decimal(0)) == 0
    rows = await connection.fetch("SELECT kind, sum(amount) AS amount FROM payment_allocation GROUP BY kind")
    where = {row["kind"]: row["amount"] for row in rows}
    assert sum(where.values(), Decimal(0)) == (await connection.fetchval("SELECT sum(amount) FROM payment") or 0)
    documents = await connection.fetchval(
        "SELECT sum(CASE kind WHEN 'credit_note' THEN -payable ELSE payable END) FROM invoice"
    )
    assert found.get("1510", Decimal(0)) == documents - where.get("invoice", Decimal(0))
    assert found.get("2420", Decimal(0)) == -where.get("balance", Decimal(0))
    assert found.get("2999", Decimal(0)) == -where.get("suspense", Decimal(0))
    assert await connection.fetchval(
        "SELECT bool_and(held = 0) FROM (SELECT sum(amount) AS held FROM posting GROUP BY entry_id) AS t"
    )


# ------------------------------------------------------------------------------------------------ files
def test_B55_a_batch_pays_two_invoices_and_the_same_file_twice_has_no_effect(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = await taken_in(connection, tenant, BATCH)
        assert (told.is_new, told.entries, told.payments, told.in_suspense) == (True, 1, 2, 0)
        assert told.received == {"SEK": Decimal("6000.00")}
        assert await owed(connection, tenant, 1, 2) == [0, 0]
        assert (await books(connection))["1930"] == Decimal("6000.00")
        before = await connection.fetchval("SELECT count(*) FROM posting")
        assert (await taken_in(connection, tenant, BATCH)).is_new is False
        again = BATCH.replace(b"NTF20261204A", b"NTF20261204B")
        told = await taken_in(connection, tenant, again)
        assert (told.is_new, told.entries, told.known, told.payments) == (True, 0, 1, 0)
        assert await connection.fetchval("SELECT count(*) FROM posting") == before

    on(new_database(), work)


def test_an_invoice_stays_open_when_its_seller_renames_its_account_of_receivables(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        before = await owed(connection, tenant, 1, 2)
        await connection.execute("""UPDATE legal_entity SET accounts = '{"receivable": "1511"}'""")
        assert await owed(connection, tenant, 1, 2) == before != [0, 0]
        await connection.execute("UPDATE legal_entity SET accounts = '{}'")

    on(new_database(), work)


@pytest.mark.parametrize("order", [(BATCH, DAY), (DAY, BATCH)])
def test_B55_of_files_that_overlap_each_line_counts_once(
    new_database: Callable[[], Dsn], order: tuple[bytes, ...]
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = [await taken_in(connection, tenant, each) for each in order]
        assert [each.known for each in told] == [0, 1]
        assert told[order.index(DAY)].pending == 1
        assert await owed(connection, tenant, 1, 2) == [0, 0]
        assert (await books(connection))["1930"] == Decimal("6487.25")

    on(new_database(), work)


def test_B55_details_that_come_after_the_sum_pay_their_invoices(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        assert await owed(connection, tenant, 1, 2) == [Decimal("3718.61"), Decimal("2281.39")]
        told = await taken_in(connection, tenant, BATCH)
        assert (told.known, told.detailed, told.payments) == (1, 1, 0)
        assert await owed(connection, tenant, 1, 2) == [0, 0]
        again = await taken_in(connection, tenant, BATCH.replace(b"NTF20261204A", b"NTF20261204B"))
        assert (again.known, again.detailed) == (1, 0)
        assert (await books(connection))["2999"] == Decimal("112.75")

    on(new_database(), work)


def test_B55_what_a_person_has_touched_is_left_alone_by_later_details(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        payment_id = await payment_of(connection, "6000.00")
        await allocate(connection, tenant, payment_id, Move(amount=Decimal(1), payer_id="p-000002"), NOW, "eva")
        assert (await taken_in(connection, tenant, BATCH)).detailed == 0

    on(new_database(), work)


def test_B55_what_is_overpaid_is_to_the_credit_and_what_went_out_is_for_a_person(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        found = await books(connection)
        assert await owed(connection, tenant, 3) == [0]
        assert found["2420"] == Decimal("-100.00")
        reasons = await connection.fetch(
            "SELECT amount, reason FROM payment_allocation WHERE kind = 'suspense' ORDER BY amount"
        )
        assert [(row["amount"], row["reason"]) for row in reasons] == [
            (Decimal("-112.75"), "went_out"), (Decimal("6000.00"), "no_reference"),
        ]  # fmt: skip
        await connection.execute("""UPDATE legal_entity SET accounts = '{"prepaid": "2421"}'""")
        with pytest.raises(Conflict, match=r"more than the 100\.00"):
            payment_id = await payment_of(connection, "600.00")
            await request_refund(connection, tenant, payment_id, Decimal("100.01"), "k", NOW, "eva")
        await connection.execute("UPDATE legal_entity SET accounts = '{}'")

    on(new_database(), work)


def test_several_invoices_in_one_payment_and_one_that_goes_back(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = await taken_in(connection, tenant, SEVERAL)
        assert (told.payments, told.in_suspense) == (4, 2)
        assert await owed(connection, tenant, 4, 5) == [0, Decimal("500.00")]

    on(new_database(), work)


def test_a_file_of_an_account_that_is_nobodys_changes_nothing(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        with pytest.raises(Invalid, match="9912347"):
            await taken_in(connection, tenant, BATCH.replace(b"991-2346", b"991-2347"))
        assert await connection.fetchval("SELECT count(*) FROM bank_file") == 0

    on(new_database(), work)


def test_another_currency_is_in_suspense_in_its_own(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = await taken_in(connection, tenant, BATCH.replace(b'Ccy="SEK"', b'Ccy="EUR"'))
        assert (told.in_suspense, told.received) == (2, {"EUR": Decimal("6000.00")})
        payment_id = await payment_of(connection, "3718.61")
        with pytest.raises(Invalid, match="EUR"):
            await allocate(connection, tenant, payment_id, Move(amount=Decimal(1), invoice="10000001"), NOW, "eva")
        assert await owed(connection, tenant, 1, 2) == [Decimal("3718.61"), Decimal("2281.39")]

    on(new_database(), work)


def test_two_at_once_take_a_file_in_once(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        others = [await asyncpg.connect(**dsn) for _ in range(4)]
        told = await asyncio.gather(
            *(taken_in(other, tenant, each) for other, each in zip(others, (BATCH, DAY) * 2, strict=True))
        )
        assert sorted(each.is_new for each in told) == [False, False, True, True]
        assert (await books(connection))["1930"] == Decimal("6487.25")
        for other in others:
            await other.close()

    on(dsn, work)


def test_final_rows_of_payments_never_change_and_parts_must_come_to_them(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, BATCH)
        for statement in (
            "UPDATE payment SET amount = 1",
            "DELETE FROM payment_allocation",
            "UPDATE payment_allocation SET payer_id = 'x'",
            "DELETE FROM bank_file",
            "UPDATE bank_entry SET amount = 0",
            "INSERT INTO payment_allocation (tenant, payment_id, number, kind, amount, reason, at, by) "
            "SELECT tenant, id, 9, 'suspense', 1, 'by_hand', now(), 'x' FROM payment LIMIT 1",
        ):
            with pytest.raises(asyncpg.exceptions.RestrictViolationError):
                await connection.execute(statement)

    on(new_database(), work)


# ------------------------------------------------------------------------------------------------ suspense
def test_a_person_moves_money_out_of_suspense_and_no_more_than_is_owed(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        payment_id = await payment_of(connection, "6000.00")
        parts = await allocate(
            connection, tenant, payment_id, Move(amount=Decimal("3718.61"), invoice="10000001"), NOW, "eva"
        )
        assert sum(part.amount for part in parts) == Decimal("6000.00")
        assert await owed(connection, tenant, 1) == [0]
        for move in (Move(amount=Decimal(1), invoice="10000001"), Move(amount=Decimal("2281.40"), payer_id="p-000002")):
            with pytest.raises(Conflict):
                await allocate(connection, tenant, payment_id, move, NOW, "eva")
        with pytest.raises(NotFound):
            await allocate(connection, tenant, payment_id, Move(amount=Decimal(1), invoice="19999999"), NOW, "eva")
        with pytest.raises(NotFound):
            await allocate(connection, tenant, "p0", Move(amount=Decimal(1)), NOW, "eva")
        await allocate(connection, tenant, payment_id, Move(amount=Decimal("2281.39"), payer_id="p-000002"), NOW, "eva")
        credit = Move(amount=Decimal("2281.39"), invoice="10000002", source=AllocationKind.BALANCE)
        await allocate(connection, tenant, payment_id, credit, NOW, "eva")
        assert await owed(connection, tenant, 2) == [0]

    on(new_database(), work)

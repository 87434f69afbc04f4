"""Is money paid back once, to whom it is owed, and back where it was when that fails?"""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import asyncpg
import pytest

from laddbok.billing.examples import DRAFT
from laddbok.model.errors import Conflict
from laddbok.model.invoice import InvoiceKind, Reference
from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import decide_refund, refund_failed, refund_left, request_refund
from tests.store.test_payments import (
    BATCH,
    DAY,
    NOW,
    books,
    document,
    on,
    owed,
    payment_of,
    taken_in,
    terms_of,
)


async def credit_note(connection: asyncpg.Connection, tenant: int, number: str, payer: str, gross: str) -> None:
    terms = await terms_of(connection, tenant)
    about = {"kind": InvoiceKind.CREDIT_NOTE, "refers_to": Reference(number, DRAFT.issue_date)}
    await billing.finalise(connection, tenant, terms, [document(terms, payer, "Kund 1", gross, **about)], None, NOW)


def left_by_bank(refund_id: str, amount: bytes) -> bytes:
    """A file that tells that finance paid a refund."""
    left = BATCH.replace(b"5484600231-04", b"X-99").replace(b"CRDT", b"DBIT").replace(b"6000.00", amount)
    head, details = left.split(b"<NtryDtls>")
    return (
        head.partition(b"<TxsSummry>")[0]
        + head.partition(b"</TxsSummry>")[2]
        + (b"<NtryDtls><TxDtls><Refs><EndToEndId>" + refund_id.encode() + b"</EndToEndId></Refs></TxDtls>")
        + details[details.index(b"</NtryDtls>") :]
    )


def test_B51_a_part_is_credited_and_paid_back_once_however_often_it_is_clicked(new_database: Callable[[], Dsn]) -> None:
    """10.00 with VAT are 8.00 and 2.00; more than what remains is refused."""
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, BATCH)
        payment_id = await payment_of(connection, "3718.61")
        with pytest.raises(Conflict):
            await request_refund(connection, tenant, payment_id, Decimal("10.00"), "early", NOW, "eva")
        await credit_note(connection, tenant, "10000001", "p-000001", "10.00")
        row = await connection.fetchrow("SELECT net, vat, gross FROM invoice WHERE kind = 'credit_note'")
        assert row is not None and tuple(row) == (Decimal("8.00"), Decimal("2.00"), Decimal("10.00"))
        assert await owed(connection, tenant, 1) == [Decimal("-10.00")]
        clicks = [await asyncpg.connect(**dsn) for _ in range(3)]
        refunds = await asyncio.gather(
            *(request_refund(each, tenant, payment_id, Decimal("10.00"), "click-1", NOW, "eva") for each in clicks)
        )
        for each in clicks:
            await each.close()
        assert len(set(refunds)) == 1
        assert await connection.fetchval("SELECT count(*) FROM refund") == 1
        assert (await books(connection))["2899"] == Decimal("-10.00")
        for key, amount in (("click-1", "9.00"), ("click-2", "0.01")):
            with pytest.raises(Conflict):
                await request_refund(connection, tenant, payment_id, Decimal(amount), key, NOW, "eva")
        await refund_left(connection, tenant, refunds[0].id, "X", NOW)
        await refund_left(connection, tenant, refunds[0].id, "X", NOW)
        found = await books(connection)
        assert ("2899" in found, found["1930"]) == (False, Decimal("5990.00"))

    on(dsn, work)


def test_a_refund_that_finance_pays_by_bank_is_found_in_the_next_file(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        payment_id = await payment_of(connection, "600.00")
        refund = await request_refund(connection, tenant, payment_id, Decimal("100.00"), "k", NOW, "eva")
        told = await taken_in(connection, tenant, left_by_bank(refund.id, b"100.00"))
        assert (told.payments, told.in_suspense) == (1, 0)
        assert await connection.fetchval("SELECT state FROM refund") == "paid"
        found = await books(connection)
        assert "2899" not in found and "2420" not in found

    on(new_database(), work)


def test_a_refund_that_fails_goes_back_where_it_was(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await taken_in(connection, tenant, DAY)
        payment_id = await payment_of(connection, "600.00")
        refund = await request_refund(connection, tenant, payment_id, Decimal("100.00"), "k", NOW, "eva")
        for _ in range(2):
            await refund_failed(connection, tenant, refund.id, "no such account", NOW)
        found = await books(connection)
        assert (found["2420"], "2899" in found) == (Decimal("-100.00"), False)
        again = await request_refund(connection, tenant, payment_id, Decimal("100.00"), "k2", NOW, "eva")
        assert again.state == "requested"

    on(new_database(), work)


def test_what_is_paid_after_it_was_credited_is_a_refund_task_that_a_person_decides(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await credit_note(connection, tenant, "10000001", "p-000001", "3718.61")
        told = await taken_in(connection, tenant, BATCH)
        assert told.refund_tasks == 1
        row = await connection.fetchrow("SELECT * FROM refund")
        assert row is not None
        assert (row["state"], row["amount"], row["reason"]) == ("proposed", Decimal("3718.61"), "paid_after_credit")
        for _ in range(2):
            decided = await decide_refund(connection, tenant, row["id"], pay=True, now=NOW, by="eva")
            assert decided.state == "requested"
        with pytest.raises(Conflict):
            await decide_refund(connection, tenant, row["id"], pay=False, now=NOW, by="eva")
        assert (await books(connection))["2899"] == Decimal("-3718.61")

    on(new_database(), work)

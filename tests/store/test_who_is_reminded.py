"""Is nobody reminded of what is disputed, paid in another place, or long gone?"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import asyncpg

from laddbok.billing.late_terms import parse_late_terms
from laddbok.model.payment import Allocation, AllocationKind, Payment, Reason
from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import Move, allocate
from laddbok.store.payments import record
from laddbok.store.postgres import PostgresStore
from laddbok.store.reminders import (
    REMINDED_WITHIN,
    NotReminded,
)
from laddbok.workers.jobs import Worker
from laddbok.workers.render_invoice import InvoiceRenderer
from tests.store.test_payments import document, terms_of
from tests.store.test_reminders import AMOUNT, COMPANY, CONSUMER, LATE, NOW, claims, on, remind


def test_nobody_is_reminded_while_a_dispute_is_not_decided(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await connection.execute(
            "INSERT INTO dispute VALUES ($1, $2, 1, NULL, 'fel', $3, 'customer', $4)", tenant, COMPANY, NOW, LATE
        )
        told = await remind(connection, tenant)
        assert list(claims(told)) == [CONSUMER]
        assert [(each.invoice_id, each.reason) for each in told.left_out] == [(COMPANY, "disputed")]
        await connection.execute(
            "INSERT INTO dispute_decision VALUES ($1, $2, 1, 'rejected', 'rätt', $3, 'anna')", tenant, COMPANY, NOW
        )
        assert list(claims(await remind(connection, tenant))) == [COMPANY]

    on(new_database(), work)


def test_nobody_is_reminded_who_has_something_to_its_credit(new_database: Callable[[], Dsn]) -> None:
    """Until somebody places it on the invoice, or pays it back."""

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        payer_id = await connection.fetchval("SELECT payer_id FROM invoice WHERE id = $1", COMPANY)
        paid = Payment(provider="bank", reference="again", received_on=LATE, amount=AMOUNT, currency="SEK")
        part = Allocation(kind=AllocationKind.BALANCE, amount=AMOUNT, payer_id=payer_id, reason=Reason.OVERPAID)
        async with connection.transaction():
            kept = await record(connection, tenant, await terms_of(connection, tenant), paid, [part], NOW)
        assert kept is not None
        told = await remind(connection, tenant)
        assert (list(claims(told)), told.left_out) == ([CONSUMER], [NotReminded(COMPANY, "in_credit")])
        number = await connection.fetchval("SELECT number_text FROM invoice WHERE id = $1", COMPANY)
        move = Move(amount=AMOUNT - 1, invoice=number, source=AllocationKind.BALANCE)
        await allocate(connection, tenant, kept.id, move, NOW, "eva")
        left = Move(amount=Decimal(1), invoice=number, source=AllocationKind.BALANCE)
        assert (await remind(connection, tenant)).left_out == [NotReminded(COMPANY, "in_credit")]
        await allocate(connection, tenant, kept.id, left, NOW, "eva")
        assert (await remind(connection, tenant)).left_out == []

    on(new_database(), work)


def test_what_fell_due_long_ago_is_left_to_a_person(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        due = await connection.fetchval("SELECT max(due_date) FROM invoice")
        last = max(parse_late_terms((await terms_of(connection, tenant)).late_terms).reminder_days)
        in_time = due + timedelta(days=last) + REMINDED_WITHIN
        assert (await remind(connection, tenant, in_time + timedelta(days=1), dry=True)).count == 0
        assert (await remind(connection, tenant, in_time, dry=True)).count == 2

    on(new_database(), work, {"reminder_days": "5, 20"})


def test_who_paid_at_once_and_is_no_customer_is_sent_nothing(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        terms = await terms_of(connection, tenant)
        drivers = document(terms, "session/AWQD-K011-CEHY-SPKN", "Förare", "50.00")
        [made] = await billing.finalise(connection, tenant, terms, [drivers], None, NOW)
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=2) as pool:
            worker = Worker("w", PostgresStore(pool), lambda: NOW, {billing.RENDER: InvoiceRenderer(pool, lambda: NOW)})
            while await worker.work_once():
                pass
        rendered = await connection.fetch("SELECT invoice_id FROM invoice_document WHERE kind = 'pdf' ORDER BY 1")
        listed = await connection.fetch("SELECT invoice_id FROM delivery ORDER BY 1")
        assert [row[0] for row in rendered] == [COMPANY, CONSUMER, made.id]
        assert [row[0] for row in listed] == [COMPANY, CONSUMER]

    on(dsn, work)

"""Does whatever brings money to a driver's credit queue the work on the receipt?"""

from collections.abc import Callable
from decimal import Decimal

import asyncpg

from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import Move, allocate, decide_refund
from tests.store.test_payments import BATCH, DAY, NOW, document, on, payment_of, taken_in, terms_of
from tests.store.test_refunds import credit_note

SESSION = "AWQD-K011-CEHY-SPKN"
DRIVER = f"session/{SESSION}"


async def claimed(connection: asyncpg.Connection, tenant: int, gross: str) -> bytes:
    """A claim to the driver. Returns: a file in which the first payment is for it."""
    terms = await terms_of(connection, tenant)
    await billing.finalise(connection, tenant, terms, [document(terms, DRIVER, "Förare", gross)], None, NOW)
    rows = await connection.fetch(
        "SELECT payment_reference FROM invoice WHERE number_text IN ('10000001', '10000006') ORDER BY number_text"
    )
    first, claim = (row["payment_reference"].encode() for row in rows)
    assert first in BATCH
    return BATCH.replace(first, claim)


async def queued(connection: asyncpg.Connection) -> list[str]:
    """The sessions whose receipts are to be worked on; they are, and no longer are."""
    rows = await connection.fetch("DELETE FROM job WHERE kind = 'receipt' RETURNING key")
    return [row["key"].partition("/")[2] for row in rows]


def test_details_that_come_after_the_sum_queue_the_receipt(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        file = await claimed(connection, tenant, "3000.00")
        await taken_in(connection, tenant, DAY)
        assert await queued(connection) == []
        assert (await taken_in(connection, tenant, file)).detailed == 1
        assert await queued(connection) == [SESSION]

    on(new_database(), work)


def test_a_person_who_moves_money_to_a_driver_queues_the_receipt(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await connection.execute(
            """INSERT INTO session (tenant, id, origin, station, state, version, started_at, body)
            VALUES ($1, $2, 'import', 'x', 'active', 1, $3, '{}')""",
            tenant, SESSION, NOW,
        )  # fmt: skip
        await taken_in(connection, tenant, DAY)
        payment_id = await payment_of(connection, "6000.00")
        await allocate(connection, tenant, payment_id, Move(amount=Decimal(1), payer_id="p-000002"), NOW, "eva")
        assert await queued(connection) == []
        await allocate(connection, tenant, payment_id, Move(amount=Decimal(1), payer_id=DRIVER), NOW, "eva")
        assert await queued(connection) == [SESSION]

    on(new_database(), work)


def test_a_refund_task_that_a_person_drops_is_not_taken_up_by_the_receipt(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        file = await claimed(connection, tenant, "3718.61")
        await credit_note(connection, tenant, "10000006", DRIVER, "3718.61")
        assert (await taken_in(connection, tenant, file)).refund_tasks == 1
        assert await queued(connection) == [SESSION]
        refund_id = await connection.fetchval("SELECT id FROM refund WHERE state = 'proposed'")
        await decide_refund(connection, tenant, refund_id, pay=False, now=NOW, by="eva")
        assert await queued(connection) == []

    on(new_database(), work)

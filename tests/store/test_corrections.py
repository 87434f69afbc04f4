"""Does a customer pay in the end what its sessions cost now, also where one came to less than nothing?"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from laddbok.bench import billing_data
from laddbok.billing.credit import CreditWish
from laddbok.billing.examples import POSITION
from laddbok.model.errors import Conflict
from laddbok.model.ids import session_id
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.store.embedded import Dsn
from tests.store.test_billing_run import NOW, run_october, tenant_of
from tests.store.test_credit_notes import credit
from tests.store.test_subscriptions import all_is_right, documents

NOON = datetime(2026, 10, 10, 10, tzinfo=UTC)
KWH = 10_000


async def put(connection: asyncpg.Connection, tenant: int, number: int, net: str, revision: int = 1) -> str:
    """A session of the first contract at this price before VAT, as the worker writes it; a later revision corrects the one before."""
    start_at = NOON + timedelta(hours=2 * number)
    cdr = replace(
        POSITION.cdr, session_id=session_id(1, 1, number), started_at=start_at, transaction_ended_at=start_at + timedelta(hours=1),
        energy_wh=KWH,
    )  # fmt: skip
    amounts = {"excl_vat": Decimal(net), "incl_vat": (Decimal(net) * Decimal("1.25")).quantize(Decimal("0.01"))}
    line = replace(POSITION.rating.lines[0], quantity=KWH, measured=KWH, price=Decimal(net) / 10, **amounts)
    rating = replace(POSITION.rating, lines=(line,), **amounts)
    if revision == 1:
        await connection.execute(
            """INSERT INTO session (tenant, id, origin, station, site_id, contract_id, state, version, started_at, ended_at,
            energy_wh, body) VALUES ($1, $2, 'station', 'CP-1', 'torget', 'c-000000', 'settled', 1, $3, $4, $5, $6::text::jsonb)""",
            tenant, cdr.session_id, start_at, start_at + timedelta(hours=1), KWH,
            msgspec.json.encode({"seller_id": billing_data.SELLER}).decode(),
        )  # fmt: skip
    else:
        await take_back(connection, cdr.session_id, revision - 1)
    await connection.execute(
        "INSERT INTO cdr VALUES ($1, $2, $3, 'cdr', $4, $5, 'SEK', $6, $7, 'dag', 1, $8::text::jsonb, $9::text::jsonb)",
        tenant, cdr.session_id, revision, NOW, KWH, rating.excl_vat, rating.incl_vat, msgspec.json.encode(cdr).decode(),
        msgspec.json.encode(rating).decode(),
    )  # fmt: skip
    return cdr.session_id


async def take_back(connection: asyncpg.Connection, session: str, revision: int) -> None:
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $2, energy_wh, currency, -excl_vat, -incl_vat,
        tariff_id, tariff_version, document, rating FROM cdr WHERE session_id = $1 AND revision = $3 AND kind = 'cdr'""",
        session, NOW, revision,
    )  # fmt: skip


Work = Callable[[asyncpg.Connection, asyncpg.Connection, int], Coroutine[Any, Any, None]]


def on_a_customer(dsn: Dsn, work: Work) -> None:
    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        try:
            tenant = await tenant_of(connection)
            await billing_data.fill(connection, tenant, 2, 0)
            await work(connection, reader, tenant)
        finally:
            await connection.close()
            await reader.close()

    asyncio.run(main())


def owed(invoices: list[Invoice]) -> Decimal:
    """What all documents come to before VAT."""
    return sum((-1 if each.kind is InvoiceKind.CREDIT_NOTE else 1) * each.totals.net for each in invoices) + Decimal(0)


def test_a_corrected_session_beside_one_below_nothing_is_taken_back_whole(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put(connection, tenant, 1, "100.00")
        await put(connection, tenant, 2, "-30.00")
        await run_october(connection, reader, tenant)
        await put(connection, tenant, 1, "50.00", revision=2)
        result = await run_october(connection, reader, tenant)
        assert result.in_the_way == []
        billed, anew = await documents(connection)
        assert (billed.totals.net, anew.kind, anew.totals.net) == (
            Decimal("70.00"),
            InvoiceKind.INVOICE,
            Decimal("-50.00"),
        )
        [less] = [line for line in anew.lines if line.net < 0]
        assert (less.net, less.corrects and less.corrects.number) == (Decimal("-100.00"), "10000001")
        assert less.text.en == "Less: corrected charging on invoice 10000001, 10 Oct 2026 14:00, Torget 1, Umeå"
        with pytest.raises(Conflict, match="nothing is left"):
            await credit(connection, tenant, "10000001", CreditWish(reason="allt"))
        await put(connection, tenant, 2, "-10.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("40.00")
        assert (await run_october(connection, reader, tenant)).documents == 0
        await all_is_right(connection, tenant)

    on_a_customer(new_database(), work)


def test_what_a_person_credited_before_is_taken_off_also_where_a_session_came_to_less_than_nothing(
    new_database: Callable[[], Dsn],
) -> None:
    """20 of the 70 were credited; of what was billed nothing stands in the end, so the 20 are part of what is taken back."""

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put(connection, tenant, 1, "100.00")
        await put(connection, tenant, 2, "-30.00")
        await run_october(connection, reader, tenant)
        await credit(connection, tenant, "10000001", CreditWish(reason="Kulans", gross=Decimal("25.00")))
        await put(connection, tenant, 1, "50.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("20.00")
        await put(connection, tenant, 2, "-10.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("40.00")
        await all_is_right(connection, tenant)

    on_a_customer(new_database(), work)


def test_a_session_below_nothing_that_is_corrected_is_charged_again(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put(connection, tenant, 1, "100.00")
        await put(connection, tenant, 2, "-30.00")
        await run_october(connection, reader, tenant)
        await credit(connection, tenant, "10000001", CreditWish(reason="Kulans", gross=Decimal("25.00")))
        await put(connection, tenant, 2, "-10.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("70.00")
        await all_is_right(connection, tenant)

    on_a_customer(new_database(), work)


def test_a_session_that_a_person_credited_is_not_given_back_twice_when_it_is_corrected(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        first = await put(connection, tenant, 1, "100.00")
        await put(connection, tenant, 2, "100.00")
        await run_october(connection, reader, tenant)
        await credit(connection, tenant, "10000001", CreditWish(reason="Kabeln", session_id=first))
        await credit(connection, tenant, "10000001", CreditWish(reason="Kulans", gross=Decimal("25.00")))
        assert owed(await documents(connection)) == Decimal("80.00")
        await put(connection, tenant, 1, "50.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("130.00"), "100 and 50, less the 20 that stand"
        await put(connection, tenant, 2, "10.00", revision=2)
        await run_october(connection, reader, tenant)
        assert owed(await documents(connection)) == Decimal("60.00"), "nothing of the first invoice stands"
        await all_is_right(connection, tenant)

    on_a_customer(new_database(), work)

"""Is never more credited than was billed, whoever clicks how often, and is a corrected session billed once in the end?"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.bench import billing_data
from laddbok.billing.credit import CreditWish
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.store.credit_notes import Credited, credit_invoice
from laddbok.store.embedded import Dsn
from tests.store.test_billing_run import NOW, nothing_in_the_way, on, run_october, tenant_of

TEN = CreditWish(reason="Kulans", gross=Decimal("10.00"))
ALL = CreditWish(reason="Fel kund")


async def credit(connection: asyncpg.Connection, tenant: int, number: str, wish: CreditWish) -> Credited:
    return await credit_invoice(connection, tenant, number, wish, NOW, "anna", nothing_in_the_way)


async def content(connection: asyncpg.Connection, number: str) -> Invoice:
    return msgspec.json.decode(
        await connection.fetchval("SELECT content FROM invoice WHERE number_text = $1", number), type=Invoice
    )


async def correct(connection: asyncpg.Connection, session_id: str, factor: str) -> None:
    """Credit the session's CDR and issue the next one, as the worker that settles it anew writes them."""
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $2, energy_wh, currency, -excl_vat, -incl_vat, tariff_id,
        tariff_version, document, rating FROM cdr WHERE session_id = $1""",
        session_id,
        NOW,
    )
    document = await connection.fetchval(
        "SELECT rating::text FROM cdr WHERE session_id = $1 AND kind = 'cdr'", session_id
    )
    rating = msgspec.json.decode(document)
    for part in (rating, *rating["lines"]):
        for side in ("excl_vat", "incl_vat"):
            part[side] = str((Decimal(part[side]) * Decimal(factor)).quantize(Decimal("0.01")))
    rating["excl_vat"] = str(sum(Decimal(line["excl_vat"]) for line in rating["lines"]))
    await connection.execute(
        """INSERT INTO cdr SELECT tenant, session_id, 2, 'cdr', $2, energy_wh, currency, $3, $4, tariff_id, tariff_version,
        document, $5::text::jsonb FROM cdr WHERE session_id = $1 AND kind = 'cdr'""",
        session_id,
        NOW,
        Decimal(rating["excl_vat"]),
        Decimal(rating["incl_vat"]),
        msgspec.json.encode(rating).decode(),
    )


def test_B51_a_double_click_is_one_refund_and_more_than_is_left_is_refused(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        first, again = await asyncio.gather(*(credit(each, tenant, "10000001", TEN) for each in (connection, reader)))
        assert {first.is_new, again.is_new} == {True, False}
        assert first.id == again.id == "norrladd-50000001"
        note = first.invoice
        assert (note.totals.net, note.totals.vat, note.kind) == (
            Decimal("8.00"),
            Decimal("2.00"),
            InvoiceKind.CREDIT_NOTE,
        )
        billed = await content(connection, "10000001")
        assert note.refers_to is not None
        assert (note.refers_to.number, note.refers_to.issue_date) == ("10000001", billed.issue_date)
        too_much = CreditWish(reason="Kulans", gross=billed.totals.gross - Decimal("9.99"))
        with pytest.raises(Invalid, match="more than the"):
            await credit(connection, tenant, "10000001", too_much)
        rest = await credit(connection, tenant, "10000001", ALL)
        assert rest.invoice.totals.net == billed.totals.net - Decimal("8.00")
        with pytest.raises(Conflict, match="nothing is left"):
            await credit(connection, tenant, "10000001", CreditWish(reason="en gång till"))
        with pytest.raises(Conflict, match="is not credited"):
            await credit(connection, tenant, "50000001", ALL)
        with pytest.raises(NotFound):
            await credit(connection, tenant, "10009999", ALL)
        assert await connection.fetchval("SELECT next_number FROM number_series WHERE kind = 'credit_note'") == 3
        events = await connection.fetch("SELECT number, kind FROM invoice_event ORDER BY number")
        assert [tuple(event) for event in events] == [(1, "credited"), (2, "credited")]

    on(new_database(), work)


def test_a_whole_credit_leaves_nothing_owed_and_nothing_sold(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await connection.execute("UPDATE payer SET whole_units = true")
        await run_october(connection, reader, tenant)
        made = await credit(connection, tenant, "10000002", ALL)
        billed = await content(connection, "10000002")
        assert made.invoice.lines == billed.lines
        assert made.invoice.totals.payable == billed.totals.payable
        left = await connection.fetch(
            """SELECT account, sum(amount) AS sum FROM posting JOIN journal_entry AS e ON e.id = entry_id
            WHERE source_id IN ($1, 'norrladd-10000002') GROUP BY account""",
            made.id,
        )
        assert len(left) >= 3
        assert {row["sum"] for row in left} == {0}

    on(new_database(), work)


def test_many_credits_at_once_never_take_more_than_there_is(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        tenant = await tenant_of(connection)
        await billing_data.fill(connection, tenant, 1, 3)
        await run_october(connection, reader, tenant)
        gross = (await content(connection, "10000001")).totals.gross
        third = (gross / 3).quantize(Decimal("0.01"), "ROUND_FLOOR")
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=8) as pool:

            async def one(number: int) -> Any:
                async with pool.acquire() as mine:
                    return await credit(mine, tenant, "10000001", CreditWish(reason=f"klick {number}", gross=third))

            told = await asyncio.gather(*(one(number) for number in range(8)), return_exceptions=True)
        refused = [each for each in told if isinstance(each, Invalid)]
        made = [each for each in told if isinstance(each, Credited)]
        assert len(made) + len(refused) == 8
        assert len(made) in (2, 3)
        assert sum(each.invoice.totals.gross for each in made) <= gross
        await connection.close()
        await reader.close()

    asyncio.run(main())


def test_B24_a_corrected_session_is_credited_on_its_invoice_and_billed_anew(new_database: Callable[[], Dsn]) -> None:
    """I4: one session is exactly one billed position in the end."""

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        invoice_id, session_id = await connection.fetchrow(
            "SELECT invoice_id, session_id FROM billing_position ORDER BY session_id LIMIT 1"
        )
        old = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1", session_id)
        await correct(connection, session_id, "0.5")
        new = await connection.fetchval("SELECT excl_vat FROM cdr WHERE session_id = $1 AND revision = 2", session_id)
        result = await run_october(connection, reader, tenant)
        assert (result.documents, result.in_the_way, result.net) == (2, [], new - old)
        rows = await connection.fetch(
            """SELECT p.revision, p.kind, i.kind AS document, i.refers_to, i.net FROM billing_position AS p
            JOIN invoice AS i ON i.id = p.invoice_id WHERE p.session_id = $1 ORDER BY p.revision, p.kind""",
            session_id,
        )
        told = [(row["revision"], row["kind"], row["document"], row["refers_to"]) for row in rows]
        assert told == [
            (1, "cdr", "invoice", None),
            (1, "credit", "credit_note", invoice_id),
            (2, "cdr", "invoice", None),
        ]
        assert [row["net"] for row in rows[1:]] == [old, new]
        again = await run_october(connection, reader, tenant)
        assert again.documents == 0

    on(new_database(), work)


def test_what_a_person_credited_before_is_not_credited_twice(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        number = "10000001"
        gross = (await content(connection, number)).totals.gross
        await credit(connection, tenant, number, CreditWish(reason="Kulans", gross=gross - Decimal("1.25")))
        [session] = (await content(connection, number)).sessions[:1]
        await correct(connection, session.session_id, "0.5")
        result = await run_october(connection, reader, tenant)
        assert result.in_the_way == []
        note = await content(connection, "50000002")
        assert (note.totals.net, len(note.lines)) == (Decimal("1.00"), 2)
        assert note.lines[0].net == Decimal("1.00") - session.net
        assert note.lines[0].text.sv == "Avgår: redan krediterat på denna faktura"

    on(new_database(), work)


async def outcomes(connection: asyncpg.Connection, session_id: str) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        """SELECT p.revision, p.kind, p.outcome, i.payer_id FROM billing_position AS p LEFT JOIN invoice AS i ON i.id = p.invoice_id
        WHERE p.session_id = $1 ORDER BY p.revision, p.kind""",
        session_id,
    )
    return [tuple(row) for row in rows]


def test_a_session_that_gets_another_driver_before_it_is_billed_is_billed_to_that_one_alone(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        session = await connection.fetchval(
            "SELECT min(session_id) FROM billing_position WHERE contract_id = 'c-000005'"
        )
        await connection.execute("UPDATE session SET contract_id = 'c-000007' WHERE id = $1", session)
        await correct(connection, session, "0.5")
        await run_october(connection, reader, tenant)
        assert await outcomes(connection, session) == [
            (1, "cdr", "netted", None),
            (1, "credit", "netted", None),
            (2, "cdr", "billed", "p-000007"),
        ]

    on(new_database(), work)


def test_a_session_that_is_moved_to_the_month_before_is_taken_back_where_it_stood(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        session = await connection.fetchval("SELECT min(session_id) FROM billing_position")
        await connection.execute("ALTER TABLE billing_position DISABLE TRIGGER USER")
        await connection.execute("UPDATE billing_position SET ended_at = '2026-11-03Z' WHERE session_id = $1", session)
        await connection.execute("ALTER TABLE billing_position ENABLE TRIGGER USER")
        await correct(connection, session, "0.5")
        await run_october(connection, reader, tenant)
        told = [(revision, kind, outcome) for revision, kind, outcome, _ in await outcomes(connection, session)]
        assert told == [(1, "cdr", None), (1, "credit", None), (2, "cdr", "billed")]

    on(new_database(), work)

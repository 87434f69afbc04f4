"""Is everybody reminded of what is late, once, of what was agreed, and of nothing else?"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from laddbok.bench import billing_data
from laddbok.billing.credit import CreditWish
from laddbok.billing.late_terms import charges_of, parse_late_terms
from laddbok.flow.billing_run import Planned
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.invoice import BuyerKind
from laddbok.model.payment import Payment, Remitted
from laddbok.model.reminder import Claim
from laddbok.settings import read_settings
from laddbok.store import billing
from laddbok.store.credit_notes import credit_invoice
from laddbok.store.embedded import Dsn
from laddbok.store.payments import matched, record
from laddbok.store.postgres import PostgresStore
from laddbok.store.reconcile import reconcile
from laddbok.store.reminders import (
    RENDER_REMINDER,
    Reminded,
    cancel_reminder,
    keep_pdf,
    remind_all,
    stored_reminder,
)
from laddbok.verbs import reminders as verb
from laddbok.workers.jobs import Worker
from laddbok.workers.reminding import DailyReminders
from laddbok.workers.render_reminder import ReminderRenderer
from tests.rules.billing.pdf_text import page_texts
from tests.store.test_payments import document, terms_of
from tests.store.test_reconcile import RENDERED
from tests.store.test_render_invoice import url_of

DUE = date(2026, 12, 3)
LATE = date(2026, 12, 8)
NOW = datetime(2026, 12, 8, 9, tzinfo=UTC)
TERMS = {
    "reminder_fee": "60", "compensation": "450", "interest_points": "8", "reference_rates": "2026-07-01 1.75",
    "reminder_days": "5, 20",
}  # fmt: skip
COMPANY, CONSUMER = "norrladd-10000001", "norrladd-10000002"
AMOUNT = Decimal("1000.00")
INTEREST = Decimal("1.34")
"""1000.00 x 9.75 % x 5 / 365 = 1.3356..."""
Work = Callable[[asyncpg.Connection, int], Coroutine[Any, Any, None]]


def on(dsn: Dsn, work: Work, late_terms: dict[str, str] = TERMS) -> None:
    """Run with an invoice of 1,000.00 to a company and one to a consumer, both due on 3 December; all must agree afterwards."""

    async def main() -> None:
        connection = await asyncpg.connect(**dsn)
        try:
            tenant = await connection.fetchval(
                "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
            )
            await billing_data.fill(connection, tenant, 2, 0)
            await set_terms(connection, late_terms)
            terms = await terms_of(connection, tenant)
            planned = [invoice(terms, kind, n) for n, kind in enumerate((BuyerKind.COMPANY, BuyerKind.CONSUMER))]
            await billing.finalise(connection, tenant, terms, planned, None, NOW)
            await work(connection, tenant)
            await all_agree(connection, tenant)
        finally:
            await connection.close()

    asyncio.run(main())


def invoice(terms: SellerTerms, kind: BuyerKind, number: int) -> Planned:
    late = charges_of(parse_late_terms(terms.late_terms))
    planned = document(terms, f"p-{number:06d}", f"Kund {number}", str(AMOUNT), late=late)
    buyer = replace(planned.invoice.buyer, kind=kind)
    return replace(planned, invoice=replace(planned.invoice, buyer=buyer))


async def set_terms(connection: asyncpg.Connection, late_terms: dict[str, str]) -> None:
    text = msgspec.json.encode(late_terms).decode()
    await connection.execute("UPDATE legal_entity SET late_terms = $1::text::jsonb", text)


async def all_agree(connection: asyncpg.Connection, tenant: int) -> None:
    await connection.execute(RENDERED)
    found = {each.check: (each.differences, each.items) for each in await reconcile(connection, tenant, NOW)}
    assert {name: what for name, what in found.items() if what[0]} == {}


async def remind(connection: asyncpg.Connection, tenant: int, today: date = LATE, *, dry: bool = False) -> Reminded:
    terms = await terms_of(connection, tenant)
    return await remind_all(connection, tenant, terms, today, NOW, "anna", dry=dry)


async def opened(connection: asyncpg.Connection, invoice_id: str) -> Decimal:
    """What is left to pay, with what was claimed."""
    found: Decimal = await connection.fetchval("SELECT sum(amount) FROM posting WHERE invoice_id = $1", invoice_id)
    return found


async def pay(connection: asyncpg.Connection, tenant: int, invoice_id: str, amount: Decimal, day: date = LATE) -> None:
    reference = await connection.fetchval("SELECT payment_reference FROM invoice WHERE id = $1", invoice_id)
    payment = Payment(
        provider="bank", reference=f"{invoice_id}/{amount}", received_on=day, amount=amount, currency="SEK",
        remitted=(Remitted(reference=reference),),
    )  # fmt: skip
    terms = await terms_of(connection, tenant)
    async with connection.transaction():
        parts = await matched(connection, tenant, terms, payment)
        assert await record(connection, tenant, terms, payment, parts, NOW) is not None


def claims(told: Reminded) -> dict[str, Claim]:
    return {each.invoice_id: each.claim for each in told.reminders}


def test_a_company_owes_the_compensation_a_consumer_the_fee_and_both_the_interest(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        assert (await remind(connection, tenant, LATE - timedelta(days=1))).count == 0
        told = await remind(connection, tenant)
        assert claims(told) == {
            COMPANY: Claim(compensation=Decimal(450), interest=INTEREST),
            CONSUMER: Claim(fee=Decimal(60), interest=INTEREST),
        }
        assert await opened(connection, COMPANY) == AMOUNT + 450 + INTEREST
        assert await opened(connection, CONSUMER) == AMOUNT + 60 + INTEREST
        rows = await connection.fetch("SELECT account, sum(amount) AS sum FROM posting GROUP BY account")
        books = {row["account"]: row["sum"] for row in rows}
        assert (books["3930"], books["8313"]) == (Decimal(-510), -2 * INTEREST)
        events = await connection.fetch("SELECT kind, by, body::text FROM invoice_event WHERE invoice_id = $1", COMPANY)
        assert [(row["kind"], row["by"]) for row in events] == [("reminded", "anna")]

    on(new_database(), work)


def test_each_stage_is_there_once_however_many_look_at_the_same_time(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=4) as pool:

            async def one() -> int:
                async with pool.acquire() as mine:
                    return (await remind(mine, tenant)).count

            assert sum(await asyncio.gather(*(one() for _ in range(4)))) == 2
        assert await connection.fetchval("SELECT count(*) FROM journal_entry WHERE source_kind = 'reminder'") == 2

    on(dsn, work)


def test_the_next_reminder_waits_for_its_day_and_for_the_one_before_and_claims_only_what_came_since(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        first_day = DUE + timedelta(days=19)
        assert (await remind(connection, tenant, first_day)).count == 2
        assert (await remind(connection, tenant, first_day + timedelta(days=10))).count == 0
        second = await remind(connection, tenant, first_day + timedelta(days=11))
        assert second.count == 2
        earlier = (await stored_reminder(connection, tenant, CONSUMER, 1)).claim
        reminder = await stored_reminder(connection, tenant, CONSUMER, 2)
        assert (reminder.number, reminder.claim.fee, reminder.earlier) == (2, 0, earlier.total)
        assert earlier.interest + reminder.claim.interest == Decimal("8.01")  # 1000.00 x 9.75 % x 30 / 365
        assert reminder.total == await opened(connection, CONSUMER)
        assert (await remind(connection, tenant, date(2027, 6, 1))).count == 0

    on(new_database(), work)


def test_what_pays_only_the_invoice_leaves_the_claim_open_and_what_pays_all_leaves_nothing(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await pay(connection, tenant, CONSUMER, AMOUNT)
        assert await opened(connection, CONSUMER) == 60 + INTEREST
        await pay(connection, tenant, COMPANY, AMOUNT + 450 + INTEREST)
        assert await opened(connection, COMPANY) == 0
        assert (await remind(connection, tenant, date(2027, 6, 1))).count == 0
        await pay(connection, tenant, CONSUMER, 60 + INTEREST)
        assert await opened(connection, CONSUMER) == 0

    on(new_database(), work)


def test_only_what_is_left_bears_interest_and_what_was_credited_is_nobody_reminded_of(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await credit_invoice(connection, tenant, "10000001", CreditWish(reason="Fel"), NOW, "anna", lambda _: ())
        await pay(connection, tenant, CONSUMER, Decimal("400.00"), DUE)
        told = await remind(connection, tenant)
        assert claims(told) == {CONSUMER: Claim(fee=Decimal(60), interest=Decimal("0.80"))}
        assert told.reminders[0].principal == Decimal("600.00")

    on(new_database(), work)


def test_what_was_agreed_after_the_invoice_is_not_claimed_of_it(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        assert (await remind(connection, tenant)).count == 0
        await set_terms(connection, TERMS)
        told = await remind(connection, tenant)
        assert claims(told) == {COMPANY: Claim(interest=Decimal("0.00")), CONSUMER: Claim(interest=Decimal("0.00"))}
        assert await opened(connection, COMPANY) == AMOUNT
        assert await connection.fetchval("SELECT count(*) FROM journal_entry WHERE source_kind = 'reminder'") == 0

    on(new_database(), work, {})


def test_a_cancelled_reminder_claims_nothing_and_has_had_its_turn(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await connection.execute("""UPDATE legal_entity SET accounts = '{"reminder_fees": "3939"}'""")
        with pytest.raises(Invalid, match="must say why"):
            await cancel_reminder(connection, tenant, CONSUMER, 1, " ", NOW, "anna")
        with pytest.raises(NotFound):
            await cancel_reminder(connection, tenant, CONSUMER, 2, "fel", NOW, "anna")
        assert await cancel_reminder(connection, tenant, CONSUMER, 1, "betald i tid", NOW, "anna")
        assert not await cancel_reminder(connection, tenant, CONSUMER, 1, "en gång till", NOW, "anna")
        assert await opened(connection, CONSUMER) == AMOUNT
        assert await connection.fetchval("SELECT sum(amount) FROM posting WHERE account = '3930'") == Decimal(-450)
        assert (await remind(connection, tenant)).count == 0
        again = claims(await remind(connection, tenant, DUE + timedelta(days=20)))
        assert again[CONSUMER] == Claim(fee=Decimal(60), interest=Decimal("5.34"))
        assert again[COMPANY] == Claim(interest=Decimal("5.34") - INTEREST)

    on(new_database(), work)


def test_a_rate_that_is_not_given_is_named_and_nothing_of_that_invoice_is_done(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await set_terms(connection, {**TERMS, "reference_rates": "2027-01-01 1.75"})
        told = await remind(connection, tenant)
        assert (told.count, len(told.left_out)) == (0, 2)
        assert "no reference rate is given for 2026-12-04" in told.left_out[0].reason
        assert await connection.fetchval("SELECT count(*) FROM reminder") == 0
        await set_terms(connection, TERMS)
        assert (await remind(connection, tenant)).count == 2

    on(new_database(), work)


def test_a_look_changes_nothing(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        told = await remind(connection, tenant, dry=True)
        assert told.count == 2
        assert await connection.fetchval("SELECT count(*) FROM reminder") == 0
        assert (await remind(connection, tenant)).reminders == told.reminders

    on(new_database(), work)


def test_a_reminder_gets_its_pdf_once_and_then_waits_to_be_sent(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await connection.execute("DELETE FROM job WHERE kind <> $1", RENDER_REMINDER)
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=2) as pool:
            kinds = {RENDER_REMINDER: ReminderRenderer(pool, lambda: NOW)}
            worker = Worker("w", PostgresStore(pool), lambda: NOW, kinds)
            while await worker.work_once():
                pass
        rows = await connection.fetch("SELECT invoice_id, bytes FROM reminder_document ORDER BY invoice_id")
        assert [row["invoice_id"] for row in rows] == [COMPANY, CONSUMER]
        [text] = page_texts(rows[0]["bytes"])
        assert "Förseningsersättning, enligt avtal 450,00 kr" in text.replace("\u00a0", " ")
        waiting = await connection.fetch("SELECT invoice_id, reminder, state FROM delivery ORDER BY invoice_id")
        assert [tuple(row) for row in waiting] == [(COMPANY, 1, "waiting"), (CONSUMER, 1, "waiting")]
        for table in ("reminder", "reminder_document"):
            with pytest.raises(asyncpg.exceptions.RestrictViolationError):
                await connection.execute(f"DELETE FROM {table}")

    on(dsn, work)


def test_late_invoices_are_looked_through_once_a_day_and_what_was_in_the_way_is_kept(
    new_database: Callable[[], Dsn],
) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        async with asyncpg.create_pool(**dsn, min_size=1, max_size=2) as pool:
            early = DailyReminders(pool, lambda: NOW.replace(hour=4))
            assert (await early.once(), await connection.fetchval("SELECT count(*) FROM reminder_run")) == (0, 0)
            nightly = DailyReminders(pool, lambda: NOW)
            assert (await nightly.once(), await nightly.once()) == (2, 0)
            await set_terms(connection, {"reminder_days": "soon"})
            assert await DailyReminders(pool, lambda: NOW + timedelta(days=1)).once() == 0
        rows = await connection.fetch("SELECT day, result::text FROM reminder_run ORDER BY day")
        assert [row["day"] for row in rows] == [LATE, LATE + timedelta(days=1)]
        assert "late_terms.reminder_days" in rows[1]["result"]

    on(dsn, work)


def test_a_claim_that_is_not_in_the_books_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await connection.execute(
            "INSERT INTO reminder_cancelled VALUES ($1, $2, 1, 'utan bokning', $3, 'anna')", tenant, COMPANY, NOW
        )
        found = {each.check: each.items for each in await reconcile(connection, tenant, NOW)}
        assert [item.id for item in found["reminders"]] == [f"{COMPANY}/1"]
        await connection.execute("ALTER TABLE reminder_cancelled DISABLE TRIGGER USER")
        await connection.execute("DELETE FROM reminder_cancelled")

    on(new_database(), work)


def test_the_command_tells_who_would_be_reminded_and_then_reminds(
    new_database: Callable[[], Dsn], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn = new_database()
    settings = read_settings({"LADDBOK_DATABASE_URL": url_of(dsn), "LADDBOK_DATA": str(tmp_path / "state")})

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        dry = await verb.remind(settings, None, LATE, dry=True, as_json=False)
        assert "2 would be reminded" in capsys.readouterr().out
        [told] = dry["sellers"]
        assert {each["invoice_id"]: each["total"] for each in told["reminders"]} == {
            COMPANY: AMOUNT + 450 + INTEREST,
            CONSUMER: AMOUNT + 60 + INTEREST,
        }
        done = await verb.remind(settings, billing_data.SELLER, LATE, dry=False, as_json=True)
        assert (dry["dry_run"], done["dry_run"], done["sellers"]) == (True, False, dry["sellers"])
        assert (await verb.remind(settings, None, LATE, dry=False, as_json=True))["count"] == 0
        await set_terms(connection, {"reminder_days": "soon"})
        with pytest.raises(Invalid, match="reminder_days"):
            await verb.remind(settings, None, LATE, dry=False, as_json=True)
        with pytest.raises(NotFound):
            await verb.remind(settings, "nobody", LATE, dry=False, as_json=True)

    on(dsn, work)


def test_a_reminders_file_that_is_another_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await keep_pdf(connection, tenant, await stored_reminder(connection, tenant, CONSUMER, 1), b"a PDF", NOW)
        await all_agree(connection, tenant)
        await connection.execute("ALTER TABLE reminder_document DISABLE TRIGGER USER")
        await connection.execute("UPDATE reminder_document SET bytes = 'y'")
        [found] = [each for each in await reconcile(connection, tenant, NOW) if each.check == "files"]
        assert [(each.id, each.detail) for each in found.items] == [
            (CONSUMER, "reminder 1: its hash is not that of its bytes")
        ]
        await connection.execute("UPDATE reminder_document SET bytes = 'a PDF'")

    on(new_database(), work)

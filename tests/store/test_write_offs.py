"""Is what nobody pays given up once, in the books as on the invoice, and does it give way to what is paid after all?"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from laddbok.billing.credit import CreditWish
from laddbok.billing.write_off import WriteOffWish
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.settings import read_settings
from laddbok.store.credit_notes import credit_invoice
from laddbok.store.embedded import Dsn
from laddbok.store.reminders import cancel_reminder
from laddbok.store.sql import query
from laddbok.store.write_offs import Stepped, undo_write_off, write_off_invoice
from laddbok.verbs import write_offs as verb
from tests.store.test_reminders import COMPANY, CONSUMER, LATE, NOW, TERMS, all_agree, on, opened, pay, remind
from tests.store.test_render_invoice import url_of

NEXT = LATE.replace(month=12, day=31)


async def give_up(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, amount: str | None = None, *, relief: bool = True
) -> Stepped:
    wish = WriteOffWish(reason="Konkurs", amount=None if amount is None else Decimal(amount), vat_relief=relief)
    return await write_off_invoice(connection, tenant, invoice_id, wish, NOW, "anna")


async def balance(connection: asyncpg.Connection, account: str) -> Decimal:
    found: Decimal = await connection.fetchval(
        "SELECT coalesce(sum(amount), 0) FROM posting WHERE account = $1", account
    )
    return found


async def credit_of(connection: asyncpg.Connection, tenant: int, payer_id: str) -> Decimal:
    rows = await connection.fetch(query("payer_credit"), tenant, "norrladd", [payer_id], "SEK")
    found: Decimal = rows[0]["credit"]
    return found


def test_what_is_written_off_is_open_no_more_and_nobody_is_reminded_of_it(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        assert (await remind(connection, tenant)).count == 2
        claimed = await opened(connection, CONSUMER)
        before = await balance(connection, "2611")
        made = await give_up(connection, tenant, CONSUMER)
        assert made.is_new and made.step.amount == claimed
        assert await opened(connection, CONSUMER) == 0
        vat = (await balance(connection, "2611")) - before
        assert (vat, await balance(connection, "6351")) == (Decimal("200.00"), claimed - Decimal("200.00"))
        assert [each.invoice_id for each in (await remind(connection, tenant, NEXT)).reminders] == [COMPANY]

    on(new_database(), work)


def test_a_part_leaves_the_rest_to_be_reminded_of(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await give_up(connection, tenant, CONSUMER, "400.00", relief=False)
        assert await balance(connection, "6351") == Decimal("400.00")
        told = {each.invoice_id: each.principal for each in (await remind(connection, tenant)).reminders}
        assert told == {COMPANY: Decimal("1000.00"), CONSUMER: Decimal("600.00")}

    on(new_database(), work)


def test_the_same_wish_on_the_same_day_is_one_write_off_until_it_is_undone(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        first = await give_up(connection, tenant, CONSUMER, "400.00")
        again = await give_up(connection, tenant, CONSUMER, "400")
        assert (first.is_new, again.is_new, again.step) == (True, False, first.step)
        assert await opened(connection, CONSUMER) == Decimal("600.00")
        assert await undo_write_off(connection, tenant, CONSUMER, "Fel faktura", NOW, "anna") is not None
        assert await undo_write_off(connection, tenant, CONSUMER, "Fel faktura", NOW, "anna") is None
        assert (await opened(connection, CONSUMER), await balance(connection, "6351")) == (Decimal("1000.00"), 0)
        assert (await give_up(connection, tenant, CONSUMER, "400.00")).is_new

    on(new_database(), work)


def test_many_write_offs_at_once_never_give_up_more_than_is_open(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        others = [await asyncpg.connect(**dsn) for _ in range(4)]
        try:
            wishes = [give_up(each, tenant, CONSUMER, f"30{n}.00") for n, each in enumerate(others)]
            told = await asyncio.gather(*wishes, return_exceptions=True)
        finally:
            for each in others:
                await each.close()
        assert sum(isinstance(each, Stepped) for each in told) == 3
        assert sum(isinstance(each, Invalid) for each in told) == 1

    on(dsn, work)


def test_what_is_paid_after_all_is_booked_on_the_invoice_as_income_with_its_vat(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        vat = await balance(connection, "2611")
        await give_up(connection, tenant, CONSUMER)
        await pay(connection, tenant, CONSUMER, Decimal("500.00"))
        await all_agree(connection, tenant)
        assert (await opened(connection, CONSUMER), await balance(connection, "3950")) == (0, Decimal("-400.00"))
        assert await balance(connection, "2611") == vat + Decimal("100.00")
        await pay(connection, tenant, CONSUMER, Decimal("600.00"))
        assert (await opened(connection, CONSUMER), await balance(connection, "2611")) == (0, vat)
        assert await credit_of(connection, tenant, "p-000001") == Decimal("100.00")
        assert await balance(connection, "2999") == 0

    on(new_database(), work)


def test_what_is_open_is_paid_before_what_was_written_off(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await give_up(connection, tenant, CONSUMER, "400.00")
        await pay(connection, tenant, CONSUMER, Decimal("600.00"))
        assert (await opened(connection, CONSUMER), await balance(connection, "3950")) == (0, 0)

    on(new_database(), work)


def test_a_credit_note_takes_the_place_of_what_was_written_off(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await give_up(connection, tenant, CONSUMER)
        wish = CreditWish(reason="Fel pris")
        await credit_invoice(connection, tenant, CONSUMER, wish, NOW, "anna", lambda _: ())
        assert (await balance(connection, "6351"), await balance(connection, "2611")) == (0, Decimal("-200.00"))
        assert await undo_write_off(connection, tenant, CONSUMER, "Fel", NOW, "anna") is None

    on(new_database(), work)


def test_a_claim_that_is_cancelled_after_it_was_written_off_is_no_loss(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await give_up(connection, tenant, CONSUMER)
        await cancel_reminder(connection, tenant, CONSUMER, 1, "Fel adress", NOW, "anna")
        assert await balance(connection, "6351") == Decimal("800.00")

    on(new_database(), work)


def test_a_credit_note_is_not_written_off_nor_what_is_paid_nor_what_nobody_knows(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        made = await credit_invoice(
            connection, tenant, CONSUMER, CreditWish(reason="Fel pris"), NOW, "anna", lambda _: ()
        )
        for number in (made.id, CONSUMER):
            with pytest.raises(Conflict):
                await give_up(connection, tenant, number)
        with pytest.raises(NotFound):
            await give_up(connection, tenant, "norrladd-7")
        with pytest.raises(Invalid) as error:
            await write_off_invoice(connection, tenant, COMPANY, WriteOffWish(reason=" "), NOW, "anna")
        assert error.value.field == "reason"

    on(new_database(), work, TERMS)


def test_an_invoice_that_is_credited_whole_claims_nothing_for_being_late(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        await remind(connection, tenant)
        await credit_invoice(connection, tenant, CONSUMER, CreditWish(reason="Fel"), NOW, "anna", lambda _: ())
        part = CreditWish(reason="Kulans", gross=Decimal("500.00"))
        await credit_invoice(connection, tenant, COMPANY, part, NOW, "anna", lambda _: ())
        notes = await connection.fetchval("SELECT -sum(payable) FROM invoice WHERE refers_to = $1", CONSUMER)
        assert await opened(connection, CONSUMER) + notes == 0
        rows = await connection.fetch("SELECT invoice_id, cancelled_by FROM reminder_cancelled")
        assert [tuple(row) for row in rows] == [(CONSUMER, "laddbok")]

    on(new_database(), work)


def test_the_command_writes_off_and_takes_back(
    new_database: Callable[[], Dsn], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn = new_database()
    settings = read_settings({"LADDBOK_DATABASE_URL": url_of(dsn), "LADDBOK_DATA": str(tmp_path / "state")})

    async def work(connection: asyncpg.Connection, tenant: int) -> None:
        wish = WriteOffWish(reason="Konkurs", amount=Decimal("400.00"), vat_relief=True)
        told = await verb.write_off(settings, CONSUMER, wish, undo=False, as_json=False)
        assert (told["amount"], told["vat"], told["is_new"]) == ("400.00", "80.00", True)
        assert "400.00 SEK written off, of it VAT 80.00" in capsys.readouterr().out
        assert not (await verb.write_off(settings, CONSUMER, wish, undo=False, as_json=True))["is_new"]
        with pytest.raises(Invalid):
            await verb.write_off(settings, CONSUMER, wish, undo=True, as_json=True)
        back = WriteOffWish(reason="Betalar")
        assert (await verb.write_off(settings, CONSUMER, back, undo=True, as_json=True))["amount"] == "-400.00"
        assert (await verb.write_off(settings, CONSUMER, back, undo=True, as_json=False))["amount"] is None
        assert "nothing stands written off" in capsys.readouterr().out

    on(dsn, work)

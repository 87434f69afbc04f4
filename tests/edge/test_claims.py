"""Does a session that nobody paid end as a claim that is open, and what becomes of money that comes late? A real database."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from laddbok.bench import billing_data
from laddbok.billing.write_off import WriteOffWish
from laddbok.model.invoice import InvoiceKind
from laddbok.model.payment import AllocationKind, Payment, Remitted
from laddbok.store.billing import seller_terms
from laddbok.store.embedded import Dsn
from laddbok.store.payment_moves import decide_refund
from laddbok.store.payment_requests import NewRequest, add_request
from laddbok.store.payments import matched, record
from laddbok.store.reminders import remind_all
from laddbok.store.write_offs import write_off_invoice
from tests.edge.fake_provider import FakeProvider, fake_provider
from tests.edge.paid_at_once import SESSION, Station, on


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def kr(text: str) -> Decimal:
    return Decimal(text)


# ------------------------------------------------------------------------------------------------ claims
def test_B46_a_hold_that_lapsed_while_the_session_was_in_review_ends_as_an_open_claim(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(station: Station) -> None:
        await station.begin("review")
        hold_id = await station.on_card()
        fake.become(f"pi_request-{hold_id}", "canceled")
        await station.work(station.keeper, hold_id)
        assert (await station.one("SELECT state FROM card_hold"))["state"] == "released"
        await station.price(20_000)
        await station.jobs()
        [claim] = await station.documents()
        assert (claim.kind, claim.number, claim.totals.payable) == (InvoiceKind.INVOICE, "10000001", kr("100.00"))
        assert claim.payment_reference is not None and "had lapsed" in (claim.note.en if claim.note else "")
        assert await station.books() == {"1510": kr("100.00"), "3001": kr("-80.00"), "2611": kr("-20.00")}
        await station.all_is_right()
        request_id = await station.by_phone("100", invoice_id="norrladd-10000001", session_id="")
        assert (await station.books()).get("1510") is None
        await station.price(15_000, revision=2)
        await station.jobs()
        assert [each.kind.value for each in await station.documents()] == ["invoice", "credit_note", "receipt"]
        assert fake.intents[request_id].paid_back == 2_500
        await station.all_is_right()

    on(new_database(), fake, work)


def test_a_claim_that_was_paid_in_part_stays_a_claim_for_the_rest_when_it_is_corrected(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(station: Station) -> None:
        await station.begin("review")
        hold_id = await station.on_card()
        fake.become(f"pi_request-{hold_id}", "canceled")
        await station.work(station.keeper, hold_id)
        await station.price(20_000)
        await station.jobs()
        request_id = await station.by_phone("40", invoice_id="norrladd-10000001", session_id="")
        await station.price(15_000, revision=2)
        await station.jobs()
        assert [each.totals.payable for each in await station.documents()] == [kr("100.00"), kr("100.00"), kr("75.00")]
        assert await station.books() == {
            "1580": kr("40"), "1510": kr("35.00"), "3001": kr("-60.00"), "2611": kr("-15.00"),
        }  # fmt: skip
        await station.all_is_right()
        await station.void(2)
        await station.jobs()
        assert fake.intents[request_id].paid_back == 4_000
        assert await station.books() == {}
        await station.all_is_right()

    on(new_database(), fake, work)


def test_B56_what_came_after_the_request_was_cancelled_stays_with_the_person_who_decides(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(station: Station) -> None:
        await station.begin()
        wanted = NewRequest(provider="swish", amount=kr("60"), message="x", session_id=SESSION)
        request_id = await add_request(station.connection, station.tenant, billing_data.SELLER, wanted, station.at)
        await station.work(station.asker, request_id)
        station.at += timedelta(minutes=31)
        await station.work(station.asker, request_id)
        fake.pay(request_id)
        await station.work(station.asker, request_id)
        await station.price(20_000)
        await station.jobs()
        [claim] = await station.documents()
        assert (claim.kind, claim.totals.payable) == (InvoiceKind.INVOICE, kr("100.00"))
        refund = await station.one("SELECT id, state, reason FROM refund")
        assert (refund["state"], refund["reason"]) == ("proposed", "paid_after_cancel")
        await decide_refund(station.connection, station.tenant, refund["id"], pay=True, now=station.at, by="eva")
        await station.jobs()
        assert fake.intents[request_id].paid_back == 6_000
        await station.all_is_right()

    on(new_database(), fake, work)


# ------------------------------------------------------------------------------------------------ what else becomes of a claim
CLAIM = "norrladd-10000001"
LATE_TERMS = """UPDATE legal_entity SET late_terms =
    '{"reminder_fee": "60", "interest_points": "8", "reference_rates": "2026-07-01 1.75", "reminder_days": "5, 20"}'"""


async def claimed(station: Station) -> str:
    """A claim of 100.00 under terms that cost something. Returns: its reference."""
    await station.connection.execute(LATE_TERMS)
    await station.begin("review")
    hold_id = await station.on_card()
    fake = station.fake
    fake.become(f"pi_request-{hold_id}", "canceled")
    await station.work(station.keeper, hold_id)
    await station.price(20_000)
    await station.jobs()
    [claim] = await station.documents()
    assert claim.payment_reference is not None
    return claim.payment_reference


async def paid_by_bank(station: Station, reference: str, amount: str) -> AllocationKind:
    """Pay with a reference, by bank. Returns: where it went."""
    [terms] = await seller_terms(station.connection, station.tenant, billing_data.SELLER)
    payment = Payment(
        provider="bank", reference=f"bank/{amount}", received_on=station.at.date(), amount=kr(amount), currency="SEK",
        remitted=(Remitted(reference=reference),),
    )  # fmt: skip
    async with station.connection.transaction():
        parts = await matched(station.connection, station.tenant, terms, payment)
        assert await record(station.connection, station.tenant, terms, payment, parts, station.at) is not None
    [part] = parts
    return part.kind


def test_nobody_is_reminded_of_a_claim_nor_is_it_sent_for_nobody_has_an_address(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(station: Station) -> None:
        await claimed(station)
        [terms] = await seller_terms(station.connection, station.tenant, billing_data.SELLER)
        due = (await station.one("SELECT due_date FROM invoice"))["due_date"]
        later = due + timedelta(days=40)
        told = await remind_all(station.connection, station.tenant, terms, later, station.at, "anna")
        assert (told.count, told.left_out) == (0, [])
        assert (await station.one("SELECT count(*) FROM delivery"))["count"] == 0
        assert (await station.one("SELECT count(*) FROM invoice_document"))["count"] == 1
        await station.all_is_right()

    on(new_database(), fake, work)


def test_a_claim_is_paid_by_its_reference(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(station: Station) -> None:
        assert await paid_by_bank(station, await claimed(station), "100.00") is AllocationKind.INVOICE
        await station.jobs()
        assert await station.books() == {"1930": kr("100.00"), "3001": kr("-80.00"), "2611": kr("-20.00")}
        await station.all_is_right()

    on(new_database(), fake, work)


def test_a_claim_is_written_off_and_paid_after_all(new_database: Callable[[], Dsn], fake: FakeProvider) -> None:
    async def work(station: Station) -> None:
        reference = await claimed(station)
        wish = WriteOffWish(reason="Okänd förare", vat_relief=True)
        await write_off_invoice(station.connection, station.tenant, CLAIM, wish, station.at, "anna")
        await station.jobs()
        assert await station.books() == {"6351": kr("80.00"), "3001": kr("-80.00")}
        await station.all_is_right()
        assert await paid_by_bank(station, reference, "40.00") is AllocationKind.INVOICE
        await station.by_phone("60", invoice_id=CLAIM, session_id="")
        await station.jobs()
        assert await station.books() == {
            "1930": kr("40.00"), "1580": kr("60"), "6351": kr("80.00"), "3950": kr("-80.00"), "3001": kr("-80.00"),
            "2611": kr("-20.00"),
        }  # fmt: skip
        await station.all_is_right()

    on(new_database(), fake, work)


def test_a_claim_that_was_written_off_is_credited_when_its_session_is_corrected(
    new_database: Callable[[], Dsn], fake: FakeProvider
) -> None:
    async def work(station: Station) -> None:
        await claimed(station)
        wish = WriteOffWish(reason="Okänd förare", vat_relief=True)
        await write_off_invoice(station.connection, station.tenant, CLAIM, wish, station.at, "anna")
        await station.price(15_000, revision=2)
        await station.jobs()
        assert [each.totals.payable for each in await station.documents()] == [kr("100.00"), kr("100.00"), kr("75.00")]
        assert await station.books() == {"1510": kr("75.00"), "3001": kr("-60.00"), "2611": kr("-15.00")}
        await station.all_is_right()

    on(new_database(), fake, work)

"""Who is reminded when, and what does the reminder say?"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.examples import FINAL, SELLER
from laddbok.billing.late_terms import LateTerms, charges_of, parse_late_terms, terms_of
from laddbok.billing.reminder_page import reminder_page, reminder_pdf
from laddbok.billing.reminders import entry_of_cancelled, entry_of_claim
from laddbok.billing.reminding import Earlier, LateInvoice, next_reminder
from laddbok.model.errors import Invalid
from laddbok.model.invoice import BuyerKind, LateCharges
from laddbok.model.reminder import Claim, Reminder
from tests.rules.billing.pdf_text import page_texts

TERMS = parse_late_terms({
    "reminder_fee": "60", "compensation": "450", "interest_points": "8", "reference_rates": "2026-07-01 1.75",
    "reminder_days": "5, 20, 40", "reminder_pay_days": "8",
})  # fmt: skip
AGREED = charges_of(TERMS)
DUE = FINAL.due_date


def late(*earlier: Earlier, owed: str = "66.55", disputed: bool = False) -> LateInvoice:
    return LateInvoice(
        id="norrladd-20260000007", invoice=replace(FINAL, late=AGREED), owed=((FINAL.issue_date, Decimal(owed)),),
        earlier=earlier, is_disputed=disputed,
    )  # fmt: skip


def on_day(days: int, invoice: LateInvoice) -> Reminder | None:
    return next_reminder(invoice, TERMS, DUE + timedelta(days=days))


def test_each_stage_waits_for_its_day_and_until_the_one_before_was_to_be_paid() -> None:
    assert on_day(4, late()) is None
    first = on_day(5, late())
    assert first is not None
    assert (first.number, first.pay_by) == (1, DUE + timedelta(days=13))
    begun_late = on_day(50, late())
    assert begun_late is not None
    before = Earlier(pay_by=begun_late.pay_by, claim=begun_late.claim)
    assert on_day(51, late(before)) is None
    second = on_day(59, late(before))
    assert second is not None
    assert (second.number, second.earlier, second.claim.compensation) == (2, begun_late.claim.total, 0)
    every = [Earlier(pay_by=DUE, claim=Claim()) for _ in TERMS.reminder_days]
    assert on_day(300, late(*every)) is None


def test_nothing_is_said_of_what_is_disputed_or_paid() -> None:
    assert on_day(9, late(disputed=True)) is None
    assert on_day(9, late(owed="0")) is None
    assert on_day(9, late(owed="-3.45")) is None


def test_what_was_cancelled_is_neither_owed_nor_in_the_way_of_a_fee() -> None:
    cancelled = Earlier(pay_by=DUE, claim=Claim(compensation=Decimal(450), interest=Decimal("0.09")), is_cancelled=True)
    again = on_day(20, late(cancelled))
    assert again is not None
    assert (again.number, again.earlier, again.claim.compensation) == (2, 0, Decimal(450))


def test_what_an_invoice_froze_holds_whatever_is_agreed_later() -> None:
    today = parse_late_terms({"reminder_fee": "90", "reminder_days": "3", "reference_rates": "2026-07-01 2.00"})
    assert terms_of(LateCharges(reminder_fee=Decimal(60)), today).reminder_fee == Decimal(60)
    assert terms_of(None, today).reminder_fee is None
    assert terms_of(None, today).reminder_days == (3,)
    assert charges_of(LateTerms(reminder_days=(3,))) is None


@pytest.mark.parametrize("days", ["0", "5, 5", "9, 3", "-1", "x", "400", "5.5", ", ".join(map(str, range(1, 12)))])
def test_days_that_can_not_be_read_are_refused_by_name(days: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_late_terms({"reminder_days": days})
    assert caught.value.field == "late_terms.reminder_days"


def test_a_cancelled_claim_goes_from_the_accounts_on_which_it_stands() -> None:
    claimed = Claim(fee=Decimal("60.00"), interest=Decimal("1.10"))
    posted = entry_of_claim(claimed, "n-7", "p", 1, date(2027, 1, 4), "SEK", {"reminder_fees": "3939"})
    back = entry_of_cancelled(posted, date(2027, 1, 9))
    assert {each.account for each in back.postings} == {"1510", "3939", "8313"}
    assert (back.source_kind, back.source_id) == ("reminder_cancelled", "n-7/1")
    sums = [one.amount + other.amount for one, other in zip(posted.postings, back.postings, strict=True)]
    assert sums == [0, 0, 0]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_says_what_is_late_what_it_comes_to_and_how_it_is_paid(language: str) -> None:
    invoice = replace(FINAL, late=AGREED, buyer=replace(FINAL.buyer, language=language, kind=BuyerKind.CONSUMER))
    reminder = next_reminder(replace(late(), invoice=invoice), TERMS, DUE + timedelta(days=5))
    assert reminder is not None
    [text] = page_texts(reminder_pdf(reminder))
    plain = text.replace("\u00a0", " ")
    sums = ("66,55 kr", "60,00 kr", "126,64 kr") if language == "sv" else ("66.55 kr", "60.00 kr", "126.64 kr")
    for wanted in (*sums, "20260000007", "2026000000730", "991-2346", "Bageriet i Backen AB"):
        assert wanted in plain
    assert plain.count(sums[-1]) == 3
    assert reminder_pdf(reminder) == reminder_pdf(reminder)


amounts = st.decimals(0, 10_000, places=2)


@given(principal=st.decimals("0.01", 10_000, places=2), earlier=amounts, fee=amounts, interest=amounts)
def test_what_stands_on_the_page_sums_to_what_is_to_be_paid(
    principal: Decimal, earlier: Decimal, fee: Decimal, interest: Decimal
) -> None:
    reminder = Reminder(
        invoice_id="n-7", invoice_number="7", invoice_date=FINAL.issue_date, due_date=DUE, payable=Decimal("5000.00"),
        number=1, issue_date=DUE, pay_by=DUE, seller=SELLER.seller, buyer=FINAL.buyer, currency="SEK", principal=principal,
        earlier=earlier, claim=Claim(fee=fee, interest=interest),
    )  # fmt: skip
    page = reminder_page(reminder)
    kronor = [amount for _, amount in page["rows"]]
    read = [
        Decimal(each.replace("\u00a0", "").removesuffix("kr").replace(",", ".").replace("−", "-")) for each in kronor
    ]
    assert sum(read) == reminder.total == principal + earlier + fee + interest

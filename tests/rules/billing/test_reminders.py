"""Does a late payment cost what was agreed, and nothing that was not?"""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.balance import open_amount, open_by_day
from laddbok.billing.examples import FINAL, PAID_INVOICE, PAYMENT
from laddbok.billing.late_terms import LateTerms, parse_late_terms
from laddbok.billing.ledger import entry_of
from laddbok.billing.payment_postings import entry_of_payment
from laddbok.billing.payments import match
from laddbok.billing.reminders import claim, entry_of_claim, interest
from laddbok.model.errors import Invalid
from laddbok.model.invoice import BuyerKind
from laddbok.model.money import from_minor
from laddbok.model.reminder import Claim

TERMS = parse_late_terms({
    "reminder_fee": "60", "compensation": "450", "interest_points": "8",
    "reference_rates": "2026-01-01 2.00, 2026-07-01 1.75, 2027-01-01 1.75",
})  # fmt: skip
DUE = date(2026, 5, 31)
OWED = [(date(2026, 5, 1), Decimal("1000.00"))]


def claimed(kind: BuyerKind = BuyerKind.CONSUMER, today: date = date(2026, 7, 31), **more: bool) -> Claim:
    return claim(OWED, DUE, today, kind, TERMS, "SEK", **more)


def test_a_consumer_pays_the_fee_and_the_interest_a_company_the_compensation_instead_of_the_fee() -> None:
    assert claimed() == Claim(fee=Decimal(60), interest=Decimal("16.50"))
    for kind in (BuyerKind.COMPANY, BuyerKind.PUBLIC):
        assert claimed(kind) == Claim(compensation=Decimal(450), interest=Decimal("16.50"))


def test_nothing_is_claimed_that_was_not_agreed() -> None:
    nothing = parse_late_terms({})
    for kind in BuyerKind:
        assert claim(OWED, DUE, date(2027, 1, 1), kind, nothing, "SEK").total == 0
    only_fee = parse_late_terms({"reminder_fee": "60"})
    assert claim(OWED, DUE, date(2027, 1, 1), BuyerKind.COMPANY, only_fee, "SEK") == Claim(
        fee=Decimal(60), interest=Decimal("0.00")
    )


def test_nothing_is_claimed_of_a_disputed_invoice_or_before_it_is_late() -> None:
    assert claimed(is_disputed=True) == Claim()
    assert claimed(today=DUE) == Claim()
    assert claim([(date(2026, 5, 1), Decimal(0))], DUE, date(2026, 9, 1), BuyerKind.CONSUMER, TERMS, "SEK") == Claim()


def test_the_fee_is_claimed_once_and_interest_only_what_came_since() -> None:
    again = claim(
        OWED, DUE, date(2026, 8, 31), BuyerKind.CONSUMER, TERMS, "SEK", is_reminded=True, charged=Decimal("16.50")
    )
    assert again == Claim(interest=interest(OWED, DUE, date(2026, 8, 31), TERMS, "SEK") - Decimal("16.50"))


def test_what_was_paid_bears_no_interest_from_that_day_on() -> None:
    paid = [*OWED, (date(2026, 6, 16), Decimal("400.00"))]
    assert Fraction(1000 * 10 * 15 + 400 * 10 * 15, 100 * 365) == Fraction(420, 73)
    assert interest(paid, DUE, date(2026, 6, 30), TERMS, "SEK") == Decimal("5.75")


def test_a_day_without_a_reference_rate_is_an_error() -> None:
    terms = replace(TERMS, reference_rates=((date(2026, 7, 1), Decimal("1.75")),))
    with pytest.raises(Invalid, match="no reference rate is given for 2026-06-01"):
        interest(OWED, DUE, date(2026, 7, 31), terms, "SEK")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"fee": "60"}, "late_terms.fee"),
        ({"reminder_fee": "sixty"}, "late_terms.reminder_fee"),
        ({"reminder_fee": "-1"}, "late_terms.reminder_fee"),
        ({"reminder_fee": "60.005"}, "late_terms.reminder_fee"),
        ({"interest_points": "8"}, "late_terms.reference_rates"),
        ({"interest_points": "8", "reference_rates": "2026-07-01 2, 2026-01-01 2"}, "late_terms.reference_rates"),
        ({"interest_points": "8", "reference_rates": "2026-07-01"}, "late_terms.reference_rates"),
    ],
)
def test_terms_that_can_not_be_read_are_refused_by_name(terms: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_late_terms(terms)
    assert caught.value.field == field


@given(st.lists(st.tuples(st.integers(-40, 400), st.integers(0, 10**7)), min_size=1, max_size=6), st.integers(1, 400))
def test_interest_is_that_of_each_day_summed_exactly(steps: list[tuple[int, int]], days: int) -> None:
    """Day by day, in another way than by spans."""
    by_day = dict(sorted(steps))
    owed = [
        (date.fromordinal(DUE.toordinal() + day), from_minor(minor, "SEK")) for day, minor in sorted(by_day.items())
    ]
    total = Fraction(0)
    for day in range(1, days + 1):
        at = date.fromordinal(DUE.toordinal() + day)
        held = [amount for since, amount in owed if since <= at]
        rate = [rate for since, rate in TERMS.reference_rates if since <= at][-1] + 8
        total += Fraction(held[-1] if held else 0) * Fraction(rate) / 100 / 365
    found = interest(owed, DUE, date.fromordinal(DUE.toordinal() + days), TERMS, "SEK")
    assert abs(Fraction(found) - total) <= Fraction(1, 200)


def test_what_is_open_is_what_the_postings_say() -> None:
    invoiced = entry_of(FINAL, PAID_INVOICE.id, {})
    half = replace(PAYMENT, amount=Decimal("50.00"))
    paid = entry_of_payment(half, "p", match(half, [PAID_INVOICE], "SEK"), {})
    assert open_amount([invoiced, paid], {PAID_INVOICE.id}, {}) == Decimal("16.55")
    assert open_by_day([paid, invoiced], {PAID_INVOICE.id}, {}) == [
        (FINAL.issue_date, Decimal("66.55")), (PAYMENT.received_on, Decimal("16.55")),
    ]  # fmt: skip
    reminder = entry_of_claim(
        Claim(fee=Decimal(60), interest=Decimal("1.10")), PAID_INVOICE.id, "p", 1, date(2027, 1, 4), "SEK", {}
    )
    assert open_amount([invoiced, paid, reminder], {PAID_INVOICE.id}, {}) == Decimal("77.65")
    assert {posting.account for posting in reminder.postings} == {"1510", "3930", "8313"}
    assert LateTerms() == parse_late_terms({})

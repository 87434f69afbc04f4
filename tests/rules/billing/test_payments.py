"""Does every payment find its invoice, or a person, and do its parts and postings always come to it?"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.moves import moved, owed_to_payer, refundable, refunded, standing
from laddbok.billing.payment_postings import entry_of_move, entry_of_payment
from laddbok.billing.payment_reference import ocr
from laddbok.billing.payments import match, numbers_named
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.money import from_minor
from laddbok.model.payment import REFUND_TASKS, Allocation, AllocationKind, OpenInvoice, Payment, Reason, Remitted

DAY = date(2026, 12, 4)
INVOICE, BALANCE, SUSPENSE = AllocationKind.INVOICE, AllocationKind.BALANCE, AllocationKind.SUSPENSE


def invoice(number: int, owed: str, payer: str = "anna", credited: str = "0", due: date = DAY) -> OpenInvoice:
    text = f"1{number:07d}"
    return OpenInvoice(
        id=f"s-{text}", number=text, payment_reference=ocr(text), payer_id=payer, currency="SEK", due_date=due,
        open=Decimal(owed), credited=Decimal(credited),
    )  # fmt: skip


def paid(amount: str, *references: str | tuple[str, str], text: str = "", **more: object) -> Payment:
    remitted = tuple(
        Remitted(each) if isinstance(each, str) else Remitted(each[0], Decimal(each[1])) for each in references
    )
    found = Payment(
        provider="bank",
        reference="e/0",
        received_on=DAY,
        amount=Decimal(amount),
        currency="SEK",
        remitted=remitted,
        text=text,
    )
    return replace(found, **more)


def told(parts: tuple[Allocation, ...]) -> list[tuple[str, str, str | None]]:
    return [(part.kind.value, str(part.amount), part.invoice_id or part.payer_id) for part in parts]


ONE, TWO = invoice(1, "3718.61"), invoice(2, "2281.39", "bert")
OCR_1, OCR_2 = str(ONE.payment_reference), str(TWO.payment_reference)


def test_B55_the_reference_and_the_number_in_words_find_their_invoices() -> None:
    assert told(match(paid("3718.61", OCR_1), [ONE, TWO], "SEK")) == [("invoice", "3718.61", ONE.id)]
    by_text = match(paid("2281.39", text="Faktura 1000 0002 laddning"), [ONE, TWO], "SEK")
    assert told(by_text) == [("invoice", "2281.39", TWO.id)]
    assert by_text[0].reason is Reason.NUMBER_IN_TEXT


def test_B55_an_unknown_reference_is_in_suspense_and_one_with_wrong_check_digits_says_so() -> None:
    [part] = match(paid("10.00", ocr("19999999")), [ONE], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.UNKNOWN_REFERENCE)
    wrong = OCR_1[:-1] + str((int(OCR_1[-1]) + 1) % 10)
    [part] = match(paid("3718.61", wrong), [ONE], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.WRONG_REFERENCE)
    [part] = match(paid("3718.61", text="tack"), [ONE], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.NO_REFERENCE)


def test_B55_what_is_overpaid_is_to_the_customers_credit() -> None:
    parts = match(paid("4000.00", OCR_1), [ONE], "SEK")
    assert told(parts) == [("invoice", "3718.61", ONE.id), ("balance", "281.39", "anna")]
    assert parts[1].reason is Reason.OVERPAID


def test_a_part_of_the_sum_is_taken_and_the_rest_stays_owed() -> None:
    assert told(match(paid("1000.00", OCR_1), [ONE], "SEK")) == [("invoice", "1000.00", ONE.id)]


def test_what_is_paid_twice_is_to_the_customers_credit() -> None:
    [part] = match(paid("3718.61", OCR_1), [replace(ONE, open=Decimal(0))], "SEK")
    assert (part.kind, part.payer_id, part.reason) == (BALANCE, "anna", Reason.PAID_TWICE)
    assert part.reason not in REFUND_TASKS


@pytest.mark.parametrize("owed", ["0", "-100.00"])
def test_what_is_paid_after_it_was_credited_is_a_refund_task(owed: str) -> None:
    [part] = match(paid("3718.61", OCR_1), [replace(ONE, open=Decimal(owed), credited=Decimal("3718.61"))], "SEK")
    assert (part.kind, part.reason) == (BALANCE, Reason.PAID_AFTER_CREDIT)
    assert part.reason in REFUND_TASKS


def test_several_references_with_their_sums_and_without() -> None:
    third = invoice(3, "500.00")
    stated = paid("1500.00", (OCR_1, "1000.00"), (str(third.payment_reference), "500.00"))
    assert told(match(stated, [ONE, third], "SEK")) == [("invoice", "1000.00", ONE.id), ("invoice", "500.00", third.id)]
    early = replace(third, due_date=date(2026, 10, 1))
    unstated = paid("1500.00", OCR_1, str(third.payment_reference))
    assert told(match(unstated, [ONE, early], "SEK")) == [
        ("invoice", "500.00", third.id), ("invoice", "1000.00", ONE.id),
    ]  # fmt: skip


def test_what_is_left_over_of_several_customers_or_beside_an_unknown_reference_is_in_suspense() -> None:
    parts = match(paid("7000.00", OCR_1, OCR_2), [ONE, TWO], "SEK")
    assert told(parts)[2] == ("suspense", "1000.00", None)
    parts = match(paid("4000.00", OCR_1, ocr("19999999")), [ONE], "SEK")
    assert told(parts)[1] == ("suspense", "281.39", None)


def test_a_bare_number_in_words_must_be_borne_out_by_the_sum_or_the_payer() -> None:
    partial = paid("100.00", text="avbetalning 10000001")
    assert match(partial, [ONE], "SEK")[0].reason is Reason.UNSURE
    assert told(match(partial, [ONE], "SEK", {"anna"})) == [("invoice", "100.00", ONE.id)]
    assert told(match(replace(partial, text=f"avbetalning {OCR_1}"), [ONE], "SEK")) == [("invoice", "100.00", ONE.id)]
    both = paid("6000.00", text="10000001 10000002")
    assert told(match(both, [ONE, TWO], "SEK")) == [("invoice", "3718.61", ONE.id), ("invoice", "2281.39", TWO.id)]


def test_amount_and_payer_find_the_only_invoice_that_fits() -> None:
    payment = paid("3718.61", text="el")
    assert match(payment, [ONE], "SEK", {"anna"})[0].reason is Reason.AMOUNT_AND_PAYER
    assert match(payment, [ONE, invoice(3, "3718.61")], "SEK", {"anna"})[0].kind is SUSPENSE
    assert match(payment, [ONE], "SEK", {"bert"})[0].kind is SUSPENSE


def test_another_currency_is_in_suspense() -> None:
    [part] = match(paid("3718.61", OCR_1, currency="EUR"), [ONE], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.WRONG_CURRENCY)
    [part] = match(paid("3718.61", OCR_1), [replace(ONE, currency="EUR")], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.WRONG_CURRENCY)


def test_what_goes_back_opens_its_invoice_and_what_goes_out_is_for_a_person() -> None:
    settled = replace(ONE, open=Decimal(0))
    assert told(match(paid("-3718.61", OCR_1, is_return=True), [settled], "SEK")) == [("invoice", "-3718.61", ONE.id)]
    [part] = match(paid("-112.75", text="Avgift"), [], "SEK")
    assert (part.kind, part.reason) == (SUSPENSE, Reason.WENT_OUT)


def test_zeros_in_front_of_a_reference_are_the_banks() -> None:
    assert told(match(paid("1.00", "00000" + OCR_1), [ONE], "SEK")) == [("invoice", "1.00", ONE.id)]


def test_dates_amounts_and_long_numbers_are_no_numbers_of_invoices() -> None:
    payment = paid("1.00", text="2026-10-03 3718,61 kr 3718.61 tel 070-1234567 " + "9" * 40)
    assert numbers_named(payment) == frozenset()
    assert "10000002" in numbers_named(paid("1.00", text="nr: 10000002, tack"))


# ------------------------------------------------------------------------------------------------ moves
def test_what_moves_is_taken_back_where_it_stood() -> None:
    parts = match(paid("5000.00", text="?"), [], "SEK")
    rows = moved(parts, SUSPENSE, Decimal("3718.61"), to_invoice=ONE)
    assert standing([*parts, *rows]) == {
        (SUSPENSE, None, None): Decimal("1281.39"), (INVOICE, ONE.id, "anna"): Decimal("3718.61"),
    }  # fmt: skip
    more = moved([*parts, *rows], SUSPENSE, Decimal("1281.39"), to_balance_of="anna")
    assert (SUSPENSE, None, None) not in standing([*parts, *rows, *more])


def test_no_more_moves_than_stands_there_or_is_owed() -> None:
    parts = match(paid("100.00", text="?"), [], "SEK")
    with pytest.raises(Conflict):
        moved(parts, SUSPENSE, Decimal("100.01"), to_balance_of="anna")
    with pytest.raises(Conflict, match="owed"):
        moved(parts, SUSPENSE, Decimal("60"), to_invoice=replace(ONE, open=Decimal("59.99")))
    for amount in ("0", "-1"):
        with pytest.raises(Invalid):
            moved(parts, SUSPENSE, Decimal(amount), to_balance_of="anna")
    with pytest.raises(Invalid):
        moved(parts, INVOICE, Decimal(1), to_balance_of="anna")
    with pytest.raises(Conflict):
        moved(
            match(paid("100.00", OCR_1), [replace(ONE, open=Decimal(0))], "SEK"), BALANCE, Decimal(50), most=Decimal(20)
        )


def test_no_more_goes_to_a_credit_than_is_owed_beyond_what_was_paid() -> None:
    def sent(is_open: str, paid_on_it: str) -> list[Decimal]:
        return [row.amount for row in owed_to_payer(replace(ONE, open=Decimal(is_open)), Decimal(paid_on_it))]

    assert sent("-60", "0") == sent("-60", "-40") == sent("-100", "40") == [Decimal(-60), Decimal(60)]
    for is_open, paid_on_it in (("0", "0"), ("10", "0"), ("-40", "40"), ("-40", "50"), ("0", "-100")):
        with pytest.raises(Conflict):
            sent(is_open, paid_on_it)


def test_B51_only_what_nobody_owes_is_paid_back_and_no_more_than_remains() -> None:
    parts = match(paid("4000.00", OCR_1), [ONE], "SEK")
    credit = {"anna": Decimal("281.39")}
    assert refundable(parts, {}, credit) == [((BALANCE, None, "anna"), Decimal("281.39"))]
    sources = refundable(parts, {ONE.id: Decimal("10.00")}, credit)
    rows = refunded(sources, Decimal("291.39"), Reason.BY_HAND)
    assert [(row.kind.value, str(row.amount)) for row in rows] == [
        ("balance", "-281.39"), ("invoice", "-10.00"), ("refund", "291.39"),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        refunded(sources, Decimal("291.40"), Reason.BY_HAND)
    with pytest.raises(Invalid):
        refunded(sources, Decimal("0"), Reason.BY_HAND)
    assert refundable([*parts, *rows], {}, {"anna": Decimal(0)}) == []


# ------------------------------------------------------------------------------------------------ properties
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 500_000), st.integers(0, 3)), max_size=12),
    st.lists(st.integers(0, 300_000), min_size=4, max_size=4),
)
def test_whatever_comes_in_whatever_order_parts_come_to_it_and_postings_balance(
    payments: list[tuple[int, int, int]], owed: list[int]
) -> None:
    """Sum allocated + suspense + credit = received, on the accounts too, and no invoice is paid more than it was owed."""
    opened = {n: from_minor(minor, "SEK") for n, minor in enumerate(owed, start=1)}
    books: dict[str, Decimal] = defaultdict(Decimal)
    where: dict[AllocationKind, Decimal] = defaultdict(Decimal)
    received = Decimal(0)
    for n, minor, how in payments:
        invoices = [replace(invoice(each, "0", f"payer-{each % 2}"), open=rest) for each, rest in opened.items()]
        amount = str(from_minor(minor, "SEK"))
        named = {
            0: paid(amount, str(invoices[n - 1].payment_reference)),
            1: paid(amount, text=f"faktura {invoices[n - 1].number}"),
            2: paid(amount, str(invoices[n - 1].payment_reference), str(invoices[n % 4].payment_reference)),
            3: paid(amount, text="?"),
        }[how]
        parts = match(named, invoices, "SEK", {"payer-1"})
        assert sum(part.amount for part in parts) == named.amount
        entry = entry_of_payment(named, "p", parts, {})
        for posting in entry.postings:
            books[posting.account] += posting.amount
        for part in parts:
            where[part.kind] += part.amount
            if part.kind is INVOICE:
                number = int(str(part.invoice_id)[-7:])
                opened[number] -= part.amount
                assert opened[number] >= 0
        received += named.amount
    assert sum(where.values(), Decimal(0)) == received == books["1930"]
    assert sum(books.values(), Decimal(0)) == 0
    assert (books["1510"], books["2420"], books["2999"]) == (-where[INVOICE], -where[BALANCE], -where[SUSPENSE])


@given(st.integers(1, 10**9), st.lists(st.tuples(st.integers(1, 10**9), st.booleans()), max_size=8))
def test_whatever_is_moved_and_paid_back_the_rows_come_to_the_payment(
    minor: int, steps: list[tuple[int, bool]]
) -> None:
    payment = paid(str(from_minor(minor, "SEK")), text="?")
    rows = match(payment, [], "SEK")
    for part, pays_back in steps:
        amount = from_minor(part, "SEK")
        credit = {"anna": standing(rows).get((BALANCE, None, "anna"), Decimal(0))}
        try:
            if pays_back:
                more = refunded(refundable(rows, {}, credit), amount, Reason.BY_HAND)
            else:
                more = moved(rows, SUSPENSE, amount, to_balance_of="anna")
        except (Conflict, Invalid):
            continue
        assert sum(posting.amount for posting in entry_of_move("p/2", DAY, "SEK", more, {}).postings) == 0
        rows = (*rows, *more)
    assert sum(row.amount for row in rows) == payment.amount
    assert all(amount > 0 for amount in standing(rows).values())

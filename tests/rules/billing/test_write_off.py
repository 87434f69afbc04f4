"""Does what is given up of an invoice take back its VAT to the öre, and give way to the öre?"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.books import with_books
from laddbok.billing.credit import Credits, CreditWish, credit_note
from laddbok.billing.examples import FINAL
from laddbok.billing.totals import totals_of
from laddbok.billing.write_off import (
    Ground,
    WriteOffWish,
    entry_of_write_off,
    given_way,
    standing,
    taken_back,
    written_off,
)
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.exchange import ExchangeRate
from laddbok.model.invoice import Invoice, VatRate
from laddbok.model.write_off import WriteOff, WriteOffKind

DAY = date(2027, 3, 1)
RATES = [VatRate(percent=Decimal(each)) for each in (25, 12, 6)]
ORE = st.integers(1, 200_000).map(lambda each: Decimal(each).scaleb(-2))


def invoice(nets: list[Decimal], rate: Decimal | None = None) -> Invoice:
    sums, totals = totals_of(list(zip(RATES, nets, strict=False)), "SEK")
    made = replace(FINAL, vat=sums, totals=totals)
    return made if rate is None else with_books(made, "EUR", ExchangeRate(rate, date(2026, 11, 3), "ECB"))


def ground(document: Invoice, owed: Decimal, steps: tuple[WriteOff, ...] = ()) -> Ground:
    return Ground(invoice_id="s-1", credits=Credits(document=document), open=owed, principal=owed, steps=steps)


def wish(amount: str | Decimal | None = None, *, relief: bool = True) -> WriteOffWish:
    return WriteOffWish(reason="Konkurs", amount=None if amount is None else Decimal(amount), vat_relief=relief)


def postings(step: WriteOff) -> list[tuple[str, str]]:
    return [(each.account, str(each.amount)) for each in entry_of_write_off(step, "p", "1", {}).postings]


def test_a_whole_invoice_takes_all_its_vat_back_and_without_relief_none() -> None:
    document = invoice([Decimal("80.00"), Decimal("100.00")])
    with_relief = written_off(ground(document, Decimal("212.00")), wish(), DAY)
    assert postings(with_relief) == [("1510", "-212.00"), ("2611", "20.00"), ("2621", "12.00"), ("6351", "180.00")]
    without = written_off(ground(document, Decimal("212.00")), wish(relief=False), DAY)
    assert postings(without) == [("1510", "-212.00"), ("6351", "212.00")]


def test_claims_are_written_off_after_the_invoice_and_have_no_vat() -> None:
    late = replace(ground(invoice([Decimal("80.00")]), Decimal("160.00")), principal=Decimal("100.00"))
    assert postings(written_off(late, wish(), DAY)) == [("1510", "-160.00"), ("2611", "20.00"), ("6351", "140.00")]


def test_the_vat_of_what_was_credited_is_not_taken_back_twice() -> None:
    document = invoice([Decimal("80.00")])
    note = credit_note(Credits(document=document), CreditWish(reason="Kulans", gross=Decimal("50.00")), DAY)
    credited = replace(ground(document, Decimal("50.00")), credits=Credits(document=document, notes=(note,)))
    assert postings(written_off(credited, wish(), DAY)) == [("1510", "-50.00"), ("2611", "10.00"), ("6351", "40.00")]


def test_what_is_paid_after_all_is_income_and_its_vat_is_owed_again() -> None:
    document = invoice([Decimal("80.00")])
    lost = written_off(ground(document, Decimal("100.00")), wish(), DAY)
    back = given_way(ground(document, Decimal("-50.00"), (lost,)), WriteOffKind.PAID, DAY)
    assert back is not None
    assert postings(back) == [("1510", "50.00"), ("2611", "-10.00"), ("3950", "-40.00")]
    undone = taken_back(ground(document, Decimal(0), (lost, back)), WriteOffKind.UNDONE, Decimal("50.00"), DAY)
    assert postings(undone) == [("1510", "50.00"), ("2611", "-10.00"), ("6351", "-40.00")]


def test_nothing_gives_way_while_anything_is_open() -> None:
    document = invoice([Decimal("80.00")])
    lost = written_off(ground(document, Decimal("100.00")), wish("60.00"), DAY)
    assert given_way(ground(document, Decimal("40.00"), (lost,)), WriteOffKind.PAID, DAY) is None


@pytest.mark.parametrize("amount", ["0", "-1.00", "0.005", "100.01"])
def test_only_what_is_open_is_written_off(amount: str) -> None:
    with pytest.raises(Invalid) as error:
        written_off(ground(invoice([Decimal("80.00")]), Decimal("100.00")), wish(amount), DAY)
    assert error.value.field == "amount"


def test_of_a_paid_invoice_nothing_is_written_off() -> None:
    with pytest.raises(Conflict):
        written_off(ground(invoice([Decimal("80.00")]), Decimal(0)), wish(), DAY)


@given(
    nets=st.lists(ORE, min_size=1, max_size=3),
    cuts=st.lists(st.tuples(st.integers(1, 100), st.booleans(), st.booleans()), max_size=8),
    rate=st.one_of(st.none(), st.integers(1, 200_000).map(lambda each: Decimal(each).scaleb(-4))),
)
def test_whatever_is_given_up_and_comes_back_balances_and_the_last_öre_of_vat_goes_with_the_last_part(
    nets: list[Decimal], cuts: list[tuple[int, bool, bool]], rate: Decimal | None
) -> None:
    document = invoice(nets, rate)
    owed, steps = document.totals.payable, tuple[WriteOff, ...]()
    for percent, is_back, relief in [*cuts, (100, True, False), (100, False, True)]:
        stands = standing(steps)
        most = stands if is_back else owed
        amount = (most * percent / 100).quantize(Decimal("0.01"))
        if not amount:
            continue
        if is_back:
            step = taken_back(ground(document, owed, steps), WriteOffKind.UNDONE, amount, DAY)
        else:
            step = written_off(ground(document, owed, steps), wish(amount, relief=relief), DAY)
        steps, owed = (*steps, step), owed - step.amount
        entry = entry_of_write_off(step, "p", "1", {})
        assert sum(each.amount for each in entry.postings) == 0
        assert sum(each.book_amount or 0 for each in entry.postings) == 0
        assert owed == document.totals.payable - standing(steps)
    assert owed == 0
    for number, each in enumerate(document.vat):
        taken = [share for step in steps for share in step.vat if share.rate == each.rate]
        assert sum(share.vat for share in taken) == each.vat
        if document.books is not None:
            assert sum(share.book_vat or 0 for share in taken) == (document.books.vat[number] if each.vat else 0)

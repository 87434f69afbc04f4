"""Is the VAT of a document taken of the sum of each rate, once?"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from laddbok.billing.totals import totals_of
from laddbok.model.invoice import VatRate
from laddbok.model.money import millionths, vat_sum


def vat_by_percent(*lines: tuple[Decimal, Decimal]) -> dict[Decimal, Decimal]:
    sums, _ = totals_of([(VatRate(percent=percent), net) for percent, net in lines], "SEK")
    return {each.rate.percent: each.vat for each in sums}


def test_B48_VAT_is_taken_of_the_sum() -> None:
    assert vat_by_percent(*[(Decimal(25), Decimal("0.10"))] * 5) == {25: Decimal("0.13")}


def test_each_rate_has_its_own_VAT() -> None:
    found = vat_by_percent((Decimal(25), Decimal(10)), (Decimal(6), Decimal(10)), (Decimal(25), Decimal(2)))
    assert found == {25: Decimal("3.00"), 6: Decimal("0.60")}


RATES = st.sampled_from([Decimal(0), Decimal(6), Decimal(12), Decimal(25), Decimal("5.2")])
LINES = st.lists(st.tuples(RATES, st.integers(-(10**6), 10**6)), min_size=1, max_size=8)


@given(LINES)
def test_the_VAT_of_a_session_and_of_a_document_are_one_sum_but_for_the_rounding_of_each_rate(
    lines: list[tuple[Decimal, int]],
) -> None:
    session = vat_sum((minor, millionths(percent)) for percent, minor in lines)
    by_rate = vat_by_percent(*((percent, Decimal(minor).scaleb(-2)) for percent, minor in lines))
    document = sum(int(each.scaleb(2)) for each in by_rate.values())
    assert abs(session - document) * 2 <= (len(by_rate) + 1 if len(by_rate) > 1 else 0)

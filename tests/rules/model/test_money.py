"""Is money rounded, split and written as people expect?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.money import (
    amount_text,
    divide_half_up,
    net_of,
    number_of,
    round_money,
    split,
    vat_on,
)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("2.125", "2.13"), ("-2.125", "-2.13"), ("2.1249", "2.12"), ("0", "0.00")]
)
def test_B49_halves_go_away_from_zero(exact: str, rounded: str) -> None:
    assert str(round_money(Decimal(exact), "SEK")) == rounded


@pytest.mark.parametrize(("currency", "rounded"), [("JPY", "1235"), ("SEK", "1234.57"), ("KWD", "1234.568")])
def test_each_currency_has_its_minor_unit(currency: str, rounded: str) -> None:
    assert str(round_money(Decimal("1234.5675"), currency)) == rounded


def test_net_and_VAT_of_a_gross_amount() -> None:
    net = net_of(Decimal("66.55"), Decimal(25), "SEK")
    assert (net, vat_on(net, Decimal(25), "SEK")) == (Decimal("53.24"), Decimal("13.31"))


@pytest.mark.parametrize(
    "text", ["1_0", " 1", "1 ", "\u0661", "NaN", "Infinity", "", ".", "1e", "0x1", "1,5", "1e9" + "9" * 30]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.", ".5", "1.50", "1e3", "1E-3", "1e9999999"])
def test_a_number_is_exact(text: str) -> None:
    assert number_of(text) == Decimal(text)


def test_an_amount_is_written_in_both_languages() -> None:
    assert [amount_text(Decimal("1234.5"), "SEK", each) for each in ("en", "sv")] == ["1234.50 kr", "1234,50 kr"]
    assert amount_text(Decimal("3.992"), "EUR") == "3.992 €"
    assert amount_text(Decimal(300), "JPY") == "300 JPY"


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20), st.integers(1, 1000))
def test_parts_sum_to_the_total_and_lie_next_to_their_shares(numerators: list[int], denominator: int) -> None:
    total = divide_half_up(sum(numerators), denominator)
    parts = split(total, numerators, denominator)
    assert sum(parts) == total
    assert all(
        abs(part * denominator - numerator) < denominator for part, numerator in zip(parts, numerators, strict=True)
    )

"""Do refunds for charging at home, a co-operative's shares and a card's hold come out to the öre?"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.model.errors import Invalid
from laddbok.model.home_charging import DatedPrice
from laddbok.model.money import vat_on
from laddbok.rating.card_hold import HoldAction, action, capture
from laddbok.rating.cost_share import MonthCost, share_cost
from laddbok.rating.rate import rate
from laddbok.rating.reimbursement import reimburse, reimburse_by_tariff
from tests.rules.rating.building import CHARGING, element, session, tariff

NEW_YEARS_NIGHT = session("2025-12-31T23:30", (60, CHARGING, 7_000))
PRICES = [
    DatedPrice(per_kwh=Decimal("1.80"), from_date=date(2025, 1, 1)),
    DatedPrice(per_kwh=Decimal("2.004"), from_date=date(2026, 1, 1)),
]


def test_a_session_at_home_has_the_price_of_the_day_on_which_it_began() -> None:
    later = session("2026-01-01T00:00", (60, CHARGING, 7_001), session_id="LATER")
    statement = reimburse([NEW_YEARS_NIGHT, later], PRICES[::-1], "SEK")
    assert [line.amount for line in statement.lines] == [Decimal("12.60"), Decimal("14.03")]
    assert (statement.total, statement.energy_wh) == (Decimal("26.63"), 14_001)


def test_a_day_without_a_price_is_never_paid_back_at_nothing() -> None:
    with pytest.raises(Invalid, match="2024-12-31") as caught:
        reimburse([session("2024-12-31T12:00", (60, CHARGING, 7_000))], PRICES, "SEK")
    assert caught.value.field == "prices"
    with pytest.raises(Invalid, match="another price already"):
        reimburse([], [PRICES[0], PRICES[0]], "SEK")
    with pytest.raises(Invalid, match="negative"):
        reimburse([], [DatedPrice(per_kwh=Decimal(-1))], "SEK")


def test_a_tariff_without_tax_pays_back_too() -> None:
    compiled = tariff(
        element({"start_time": "00:00", "end_time": "06:00"}, ENERGY=1), element(ENERGY=2), tax_included="N/A"
    )
    statement = reimburse_by_tariff([NEW_YEARS_NIGHT], compiled)
    assert statement.total == rate(NEW_YEARS_NIGHT, compiled).excl_vat == Decimal("10.50")
    with pytest.raises(Invalid, match="no VAT"):
        reimburse_by_tariff([NEW_YEARS_NIGHT], tariff(element(ENERGY=2)))


def test_a_refund_whose_price_is_not_known_waits() -> None:
    spot = tariff(laddbok={"spot": {"zone": "SE3"}}, tax_included="N/A")
    with pytest.raises(Invalid, match="has no price yet"):
        reimburse_by_tariff([NEW_YEARS_NIGHT], spot)


def test_the_statement_is_the_sum_of_its_lines() -> None:
    tenth = replace(NEW_YEARS_NIGHT, energy_wh=55)  # 0.099 kr each
    assert reimburse([tenth] * 5, PRICES, "SEK").total == Decimal("0.50")


@given(
    st.integers(0, 10**9), st.integers(0, 100), st.integers(0, 30),
    st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 10**6), min_size=1, max_size=40),
)  # fmt: skip
def test_the_shares_of_a_month_sum_to_its_cost(minor: int, fixed: int, vat: int, used_wh: dict[str, int]) -> None:
    net = Decimal(minor).scaleb(-2)
    cost = MonthCost(net=net, vat_percent=Decimal(vat), fixed_net=Decimal(minor * fixed // 100).scaleb(-2))
    shares = share_cost(cost, used_wh, "SEK")
    assert [share.apartment for share in shares] == list(used_wh)
    assert sum(share.net for share in shares) == net
    assert sum(share.vat for share in shares) == vat_on(net, Decimal(vat), "SEK")
    assert sum(share.gross for share in shares) == net + vat_on(net, Decimal(vat), "SEK")
    assert all(share.net >= 0 and share.vat >= 0 for share in shares)


def test_an_apartment_without_use_pays_only_the_fixed_part() -> None:
    cost = MonthCost(net=Decimal(90), vat_percent=Decimal(25))
    assert [share.gross for share in share_cost(cost, {"1": 0, "2": 5_000, "3": 1}, "SEK")] == [
        Decimal("0.00"), Decimal("112.48"), Decimal("0.02"),
    ]  # fmt: skip
    fixed = replace(cost, fixed_net=Decimal(30))
    assert share_cost(fixed, {"1": 0, "2": 5_000, "3": 0}, "SEK")[0].net == Decimal("10.00")


def test_a_month_that_nobody_used_is_shared_equally() -> None:
    cost = MonthCost(net=Decimal("10.00"), vat_percent=Decimal(25))
    assert [share.net for share in share_cost(cost, {"1": 0, "2": 0, "3": 0}, "SEK")] == [
        Decimal("3.34"), Decimal("3.33"), Decimal("3.33"),
    ]  # fmt: skip


def test_what_is_fixed_is_shared_by_parts_and_the_VAT_is_that_of_the_bill() -> None:
    cost = MonthCost(net=Decimal(90), vat_percent=Decimal(25), fixed_net=Decimal(30), vat=Decimal("22.49"))
    parts = {"1": Decimal("66.5"), "2": Decimal("33.5")}
    shares = share_cost(cost, {"1": 0, "2": 5_000, "": 5_000}, "SEK", parts)
    assert [share.net for share in shares] == [Decimal("19.95"), Decimal("40.05"), Decimal("30.00")]
    assert sum(share.vat for share in shares) == Decimal("22.49")
    unused = share_cost(cost, {"1": 0, "2": 0}, "SEK", parts)
    assert [share.net for share in unused] == [Decimal("59.85"), Decimal("30.15")]
    for wrong in ({"vat": Decimal("23.51")}, {"vat": Decimal("22.495")}, {"net": Decimal(0), "fixed_net": Decimal(0)}):
        with pytest.raises(Invalid) as caught:
            share_cost(replace(cost, **wrong), {"1": 1}, "SEK")
        assert caught.value.field == "vat"
    with pytest.raises(Invalid) as caught:
        share_cost(cost, {"1": 1}, "SEK", {"2": Decimal(1)})
    assert caught.value.field == "parts"


@pytest.mark.parametrize(
    ("cost", "used_wh", "field"),
    [
        (MonthCost(net=Decimal(1), vat_percent=Decimal(25)), {}, "used_wh"),
        (MonthCost(net=Decimal(1), vat_percent=Decimal(25)), {"7": -1}, "used_wh['7']"),
        (MonthCost(net=Decimal(-1), vat_percent=Decimal(25)), {"7": 1}, "net"),
        (MonthCost(net=Decimal("0.001"), vat_percent=Decimal(25)), {"7": 1}, "net"),
        (MonthCost(net=Decimal(1), vat_percent=Decimal(-1)), {"7": 1}, "vat_percent"),
        (MonthCost(net=Decimal(1), vat_percent=Decimal(25), fixed_net=Decimal(2)), {"7": 1}, "fixed_net"),
    ],
)
def test_a_cost_that_can_not_be_shared_is_refused(cost: MonthCost, used_wh: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        share_cost(cost, used_wh, "SEK")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("cost_now", "highest", "wanted"),
    [
        ("499.40", None, HoldAction.GO_ON),
        ("499.41", None, HoldAction.STOP),
        ("499.41", "1000", HoldAction.RAISE),
        ("499.41", "500", HoldAction.STOP),
        ("499.99", "500.10", HoldAction.STOP),
    ],
)
def test_B46_a_session_is_stopped_or_its_hold_raised_before_its_cost_passes_it(
    cost_now: str, highest: str | None, wanted: HoldAction
) -> None:
    limit = None if highest is None else Decimal(highest)
    assert action(Decimal(cost_now), Decimal("0.01"), Decimal(500), 60, limit) is wanted


@given(st.integers(-1_000, 100_000), st.integers(0, 50_000))
def test_B46_never_more_than_the_hold_is_captured(cost: int, hold: int) -> None:
    taken = capture(Decimal(cost), Decimal(hold))
    assert 0 <= taken.captured <= hold
    assert taken.captured + taken.released == hold
    assert taken.captured + taken.not_covered == max(cost, 0)
    assert taken.is_cancelled == (min(cost, hold) <= 0)


def test_B46_a_session_that_costs_nothing_cancels_its_hold() -> None:
    assert capture(Decimal(0), Decimal(500)).is_cancelled
    assert not capture(Decimal("0.01"), Decimal(500)).is_cancelled


@pytest.mark.parametrize("field", ["cost_per_s", "hold", "looks_ahead_s"])
def test_a_hold_below_nothing_is_refused(field: str) -> None:
    given = {"cost_now": Decimal(1), "cost_per_s": Decimal(1), "hold": Decimal(1), "looks_ahead_s": 1} | {field: -1}
    with pytest.raises(Invalid) as caught:
        action(**given)  # type: ignore[arg-type]
    assert caught.value.field == field

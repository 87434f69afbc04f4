"""Does everybody pay their part of a session, and all together exactly its price?"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.model.agreement import parse_agreement
from laddbok.model.errors import Invalid
from laddbok.model.rated import LineKind, RatedLine, Rating
from laddbok.rating.rate import rate
from laddbok.rating.who_pays import PaidBy, who_pays
from tests.rules.rating.building import CHARGING, IDLE, element, session, tariff

NIGHT = session("2026-05-04T18:00", (120, CHARGING, 20_000), (60, IDLE, 0))
"""20 kWh, and an hour of idle time."""


def shared(rating: Rating, *shares: dict[str, Any], taken: tuple[str, ...] = (), rest: str | None = None) -> PaidBy:
    agreement = parse_agreement({"shares": list(shares)} | ({"rest": rest} if rest else {}))
    return who_pays(rating, agreement, [Decimal(amount) for amount in taken])


def net_by_payer(paid: PaidBy) -> dict[str | None, Decimal]:
    nets: dict[str | None, Decimal] = {}
    for part in paid.parts:
        nets[part.payer_id] = nets.get(part.payer_id, Decimal(0)) + part.excl_vat
    return nets


def gross_of(paid: PaidBy, payer_id: str | None) -> Decimal:
    return sum((part.incl_vat for part in paid.parts if part.payer_id == payer_id), Decimal(0))


def of_amounts(*amounts: tuple[LineKind, int, int]) -> Rating:
    """A rating of these kinds, net and gross in minor units."""
    lines = tuple(
        RatedLine(
            kind=kind, quantity=1, measured=1, price=None, vat_percent=Decimal(25), start_at=NIGHT.started_at,
            end_at=NIGHT.started_at, excl_vat=Decimal(net).scaleb(-2), incl_vat=Decimal(gross).scaleb(-2),
        )
        for kind, net, gross in amounts
    )  # fmt: skip
    net, gross = (Decimal(sum(each[i] for each in amounts)).scaleb(-2) for i in (1, 2))
    return Rating(
        tariff_id="T", currency="SEK", tax_included=False, excl_vat=net, incl_vat=gross, final=True, lines=lines
    )


def test_B43_three_ways() -> None:
    rating = rate(session("2026-05-04T10:00", (60, CHARGING, 13_337)), tariff(element(ENERGY="3.992")))
    assert rating.excl_vat == Decimal("53.24")
    thirds = [{"payer_id": name, "part": 1, "of": 3} for name in ("a", "b", "c")]
    paid = shared(rating, *thirds)
    assert [part.excl_vat for part in paid.parts] == [Decimal("17.75"), Decimal("17.75"), Decimal("17.74")]
    assert sum(part.incl_vat for part in paid.parts) == Decimal("66.55")
    assert net_by_payer(shared(rating, *thirds[:2])) == {
        "a": Decimal("17.75"), "b": Decimal("17.75"), None: Decimal("17.74"),
    }  # fmt: skip


def test_the_employer_pays_the_energy_and_the_driver_the_idle_time() -> None:
    compiled = tariff(element(ENERGY=3), laddbok={"idle": {"per_min": 1}})
    paid = shared(rate(NIGHT, compiled), {"payer_id": "work", "kinds": ["energy"]})
    assert [(p.payer_id, p.kind.value, p.excl_vat, p.vat, p.incl_vat) for p in paid.parts] == [
        (None, "idle", Decimal("60.00"), Decimal("15.00"), Decimal("75.00")),
        ("work", "energy", Decimal("60.00"), Decimal("15.00"), Decimal("75.00")),
    ]


def test_a_roaming_partner_pays_all_at_the_roaming_tariff() -> None:
    roaming = tariff(element(ENERGY="2.50", FLAT=3))
    rating = rate(NIGHT, roaming)
    paid = shared(rating, {"payer_id": "hub"})
    assert {part.payer_id for part in paid.parts} == {"hub"}
    assert gross_of(paid, "hub") == rating.incl_vat == Decimal("66.25")


def test_percent_and_then_the_rest_of_another() -> None:
    paid = shared(rate(NIGHT, tariff(element(ENERGY=3))), {"payer_id": "work", "part": "60"}, rest="family")
    assert net_by_payer(paid) == {"family": Decimal("24.00"), "work": Decimal("36.00")}


def test_a_share_never_takes_more_than_what_is_left() -> None:
    rating = rate(NIGHT, tariff(element(ENERGY=3)))
    paid = shared(rating, {"payer_id": "a", "part": 70}, {"payer_id": "b", "part": 70})
    assert net_by_payer(paid) == {"a": Decimal("42.00"), "b": Decimal("18.00")}


def test_up_to_an_amount_in_a_session() -> None:
    paid = shared(rate(NIGHT, tariff(element(ENERGY=3))), {"payer_id": "work", "up_to_per_session": "50.01"})
    assert gross_of(paid, "work") == Decimal("50.01")
    assert net_by_payer(paid) == {None: Decimal("19.99"), "work": Decimal("40.01")}


def test_up_to_an_amount_in_a_month() -> None:
    rating = rate(NIGHT, tariff(element(ENERGY=3)))  # 75.00 with VAT
    share = {"payer_id": "work", "up_to_per_month": "100"}
    taken: tuple[Decimal, ...] = ()
    grosses = []
    for _ in range(3):
        paid = who_pays(rating, parse_agreement({"shares": [share]}), taken)
        taken = paid.taken_in_month
        grosses.append((gross_of(paid, "work"), gross_of(paid, None)))
    assert grosses == [
        (Decimal("75.00"), Decimal(0)),
        (Decimal("25.00"), Decimal("50.00")),
        (Decimal(0), Decimal("75.00")),
    ]
    assert taken == (Decimal("100.00"),)


def test_an_amount_is_used_up_over_several_kinds_and_never_passed() -> None:
    rating = of_amounts((LineKind.FLAT, 333, 416), (LineKind.ENERGY, 1_000, 1_250), (LineKind.IDLE, 777, 971))
    paid = shared(rating, {"payer_id": "work", "part": 1, "of": 3, "up_to_per_session": "8.00"})
    assert gross_of(paid, "work") == Decimal("8.00")


def test_a_limit_on_the_price_is_shared_as_the_price_was() -> None:
    compiled = tariff(element(ENERGY=3), laddbok={"idle": {"per_min": 1}}, max_price={"excl_vat": 100, "incl_vat": 125})
    paid = shared(rate(NIGHT, compiled), {"payer_id": "work", "kinds": ["energy"]})
    assert net_by_payer(paid) == {None: Decimal("50.00"), "work": Decimal("50.00")}


def test_an_amount_is_not_passed_either_when_the_least_price_lifts_the_session() -> None:
    rating = of_amounts((LineKind.ENERGY, 4_000, 5_000), (LineKind.MIN_PRICE, 2_000, 2_500))
    paid = shared(rating, {"payer_id": "work", "up_to_per_session": "60.00"})
    assert (gross_of(paid, "work"), gross_of(paid, None)) == (Decimal("60.00"), Decimal("15.00"))


def test_a_limit_on_a_price_that_says_nothing_is_the_rests() -> None:
    rating = of_amounts((LineKind.ENERGY, -500, -625), (LineKind.FLOOR, 500, 625))
    paid = shared(rating, {"payer_id": "work", "kinds": ["energy"]})
    assert net_by_payer(paid) == {None: Decimal("5.00"), "work": Decimal("-5.00")}


def test_what_is_not_known_is_not_shared() -> None:
    rating = rate(NIGHT, tariff(element(ENERGY=3, vat=None)))
    with pytest.raises(Invalid, match="VAT is not known"):
        shared(rating, {"payer_id": "work"})
    with pytest.raises(Invalid, match="taken_in_month"):
        shared(rate(NIGHT, tariff(element(ENERGY=3))), {"payer_id": "work"}, taken=("1", "2"))
    pending = replace(rating, excl_vat=None, incl_vat=None)
    with pytest.raises(Invalid, match="can't be shared"):
        shared(pending, {"payer_id": "work"})


KINDS = ["flat", "energy", "time", "idle"]
SHARES = st.fixed_dictionaries(
    {
        "payer_id": st.sampled_from(["a", "b", "c"]),
        "part": st.integers(1, 7),
        "of": st.just(7),
        "kinds": st.lists(st.sampled_from(KINDS), unique=True),
    },
    optional={
        "up_to_per_session": st.integers(0, 2_000).map(lambda minor: str(Decimal(minor).scaleb(-2))),
        "up_to_per_month": st.integers(0, 2_000).map(lambda minor: str(Decimal(minor).scaleb(-2))),
    },
)
LINES = st.lists(
    st.tuples(st.sampled_from([*KINDS, "max_price", "min_price"]), st.integers(-2_000, 5_000)), min_size=1, max_size=6
)


@given(st.lists(SHARES, min_size=1, max_size=4), LINES)
def test_parts_sum_to_the_price_and_keep_within_their_limits(
    shares: list[dict[str, Any]], lines: list[tuple[str, int]]
) -> None:
    rating = of_amounts(*((LineKind(kind), net, net + net // 4) for kind, net in lines))
    paid = shared(rating, *shares)
    assert sum(part.excl_vat for part in paid.parts) == rating.excl_vat
    assert sum(part.incl_vat for part in paid.parts) == rating.incl_vat
    assert paid == shared(rating, *shares)
    if all(net >= 0 for _, net in lines):
        for share, taken in zip(shares, paid.taken_in_month, strict=True):
            limits = [Decimal(share[name]) for name in ("up_to_per_session", "up_to_per_month") if name in share]
            assert all(0 <= taken <= limit for limit in limits)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"shares": []}, "shares"),
        ({"shares": [{"payer_id": "a"}] * 21}, "shares"),
        ({}, "shares"),
        ({"shares": [{"part": 5}]}, "shares[0].payer_id"),
        ({"shares": [{"payer_id": ""}]}, "shares[0].payer_id"),
        ({"shares": [{"payer_id": "a", "part": 0}]}, "shares[0].part"),
        ({"shares": [{"payer_id": "a", "part": "101"}]}, "shares[0].part"),
        ({"shares": [{"payer_id": "a", "part": "1_0"}]}, "shares[0].part"),
        ({"shares": [{"payer_id": "a", "of": 0}]}, "shares[0].of"),
        ({"shares": [{"payer_id": "a", "kinds": ["coffee"]}]}, "shares[0].kinds[0]"),
        ({"shares": [{"payer_id": "a", "kinds": ["max_price"]}]}, "shares[0].kinds"),
        ({"shares": [{"payer_id": "a", "up_to_per_month": "-1"}]}, "shares[0].up_to_per_month"),
        ({"shares": [{"payer_id": "a", "up_to_per_session": "NaN"}]}, "shares[0].up_to_per_session"),
        ({"shares": [{"payer_id": "a", "colour": "red"}]}, "shares[0]"),
    ],
)
def test_an_agreement_that_can_not_be_kept_is_refused_with_its_field(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_agreement(document)
    assert caught.value.field == field

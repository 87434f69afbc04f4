"""Do the parts of a session come to it exactly, before and after VAT, at each rate of VAT?"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.draft import draft, lines_of, nets_by_rate, with_rates
from laddbok.billing.examples import COMPANY, OCTOBER, POSITION, SELLER
from laddbok.billing.session_page import session_row
from laddbok.flow.shared_parts import AgreedFrom, share_out, shown_lines
from laddbok.model.agreement import LIMITS, parse_agreement
from laddbok.model.billing import PaidPart, Position
from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceKind, Unit
from laddbok.model.rated import LineKind, RatedLine, Rating
from laddbok.rating.explain import told

ZONE = ZoneInfo("Europe/Stockholm")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
RATES = (Decimal(25), Decimal(12), None)


def line(kind: LineKind, ore: int, percent: Decimal | None) -> RatedLine:
    net = Decimal(ore).scaleb(-2)
    gross = (net * (1 + (percent or 25) / Decimal(100))).quantize(Decimal("0.01"))
    return replace(POSITION.rating.lines[0], kind=kind, excl_vat=net, incl_vat=gross, vat_percent=percent)


def rating_of(lines: list[RatedLine]) -> Rating:
    net, gross = (sum((getattr(each, side) for each in lines), Decimal(0)) for side in ("excl_vat", "incl_vat"))
    return replace(POSITION.rating, lines=tuple(lines), excl_vat=net, incl_vat=gross)


def parts_of(rating: Rating, document: dict[str, Any]) -> list[tuple[str | None, PaidPart]]:
    return share_out(POSITION.cdr, rating, AgreedFrom(SINCE, parse_agreement(document)), ZONE)


def as_position(rating: Rating, part: PaidPart, number: int) -> Position:
    return replace(POSITION, rating=part.rating, paid=part, part=number, shown=shown_lines(rating, part))


LINES = st.lists(
    st.one_of(
        st.builds(line, st.sampled_from([LineKind.ENERGY, LineKind.FLAT, LineKind.IDLE]), st.integers(-2_000, 9_999), st.sampled_from(RATES[:2])),
        st.builds(line, st.sampled_from(sorted(LIMITS)), st.integers(-2_000, 2_000), st.sampled_from(RATES)),
    ),
    max_size=6,
).map(lambda lines: [line(LineKind.ENERGY, 1_000, Decimal(25)), *lines])  # fmt: skip
SHARES = st.lists(
    st.fixed_dictionaries(
        {"payer_id": st.sampled_from(["work", "brf", "hub"])},
        optional={
            "kinds": st.lists(st.sampled_from(["energy", "flat", "idle"]), max_size=2),
            "part": st.integers(1, 100),
            "up_to_per_session": st.integers(0, 50).map(str),
            "up_to_per_month": st.integers(0, 50).map(str),
        },
    ),
    min_size=1,
    max_size=3,
)


@given(LINES, SHARES)
def test_parts_come_to_the_session_at_each_rate_of_VAT(lines: list[RatedLine], shares: list[dict[str, Any]]) -> None:
    rating = rating_of(lines)
    parts = parts_of(rating, {"shares": shares})
    sums: dict[Decimal, Decimal] = {}
    for number, (_, part) in enumerate(parts, start=1):
        position = as_position(rating, part, number)
        assert sum((each.net for each in lines_of(position, InvoiceKind.INVOICE)), Decimal(0)) == part.rating.excl_vat
        for percent, net in nets_by_rate(position).items():
            sums[percent] = sums.get(percent, Decimal(0)) + net
    whole = nets_by_rate(replace(POSITION, rating=rating))
    assert {percent: net for percent, net in sums.items() if net} == {
        percent: net for percent, net in whole.items() if net
    }
    assert sum((part.rating.incl_vat or Decimal(0) for _, part in parts), Decimal(0)) == rating.incl_vat
    assert len({payer_id for payer_id, _ in parts}) == len(parts)
    assert sum(part.has_included for _, part in parts) <= 1


@given(LINES)
def test_lines_at_one_rate_each_come_to_the_same_by_rate(lines: list[RatedLine]) -> None:
    rating = rating_of(lines)
    each_at_one = replace(rating, lines=with_rates(rating))
    assert nets_by_rate(replace(POSITION, rating=each_at_one)) == nets_by_rate(replace(POSITION, rating=rating))
    assert sum((each.incl_vat or Decimal(0) for each in each_at_one.lines), Decimal(0)) == rating.incl_vat


def test_who_pays_the_idle_time_is_not_told_of_the_energy_and_the_other_way_round() -> None:
    rating = rating_of([line(LineKind.ENERGY, 5_324, Decimal(25)), line(LineKind.IDLE, 1_000, Decimal(25))])
    terms = {"shares": [{"payer_id": "hub", "kinds": ["energy"], "names_driver": False}]}
    (driver, idle), (partner, energy) = parts_of(rating, terms)
    assert (driver, idle.name.en, idle.names_driver, idle.has_included) == (None, "idle fee", True, False)
    assert (partner, energy.name.sv, energy.names_driver, energy.has_included) == ("hub", "energi", False, True)
    assert [each.kind for each in shown_lines(rating, energy)] == [LineKind.ENERGY]


def test_a_document_tells_how_much_of_the_price_lines_a_part_is() -> None:
    rating = rating_of([line(LineKind.ENERGY, 5_324, Decimal(25)), line(LineKind.IDLE, 1_000, Decimal(25))])
    (_, driver), (_, work) = parts_of(rating, {"shares": [{"payer_id": "work", "kinds": ["energy"], "part": 60}]})
    mine = draft(SELLER, COMPANY, [as_position(rating, work, 2)], OCTOBER)
    assert mine.lines[0].text.sv == "Del av laddning 3 okt 2026 10:00, Storgatan 12, Umeå: del av energi"
    assert (mine.lines[0].quantity, mine.lines[0].unit) == (1, Unit.ONE)
    row = session_row(mine.sessions[0], mine, told)
    assert (row["marks"], row["net"]) == (["er del: 31,94 av 53,24 exkl. moms"], "31,94")
    assert [amount for _, amount in row["lines"]] == ["53,24"]
    idle = [each for each in rating.lines if each.kind is LineKind.IDLE]
    alone = replace(driver, rating=replace(rating, lines=tuple(idle), excl_vat=Decimal(10), incl_vat=Decimal("12.50")))
    other = draft(SELLER, COMPANY, [as_position(rating, alone, 1)], OCTOBER)
    assert session_row(other.sessions[0], other, told)["marks"] == ["en del: andra betalar resten av laddningen"]


def test_what_is_taken_of_a_limit_by_month_is_kept_with_the_part() -> None:
    rating = rating_of([line(LineKind.ENERGY, 8_000, Decimal(25))])
    agreed = AgreedFrom(SINCE, parse_agreement({"shares": [{"payer_id": "work", "up_to_per_month": "90"}]}))
    [(_, _), (_, work)] = share_out(POSITION.cdr, rating, agreed, ZONE, {0: Decimal("60.00")})
    assert (work.taken, work.rating.incl_vat, work.month) == ({0: Decimal("30.00")}, Decimal("30.00"), "2026-10")


def test_a_price_whose_VAT_is_not_known_is_not_shared_out() -> None:
    with pytest.raises(Invalid, match="not known"):
        parts_of(replace(POSITION.rating, incl_vat=None), {"shares": [{"payer_id": "work"}]})

"""Does a month cost in the end what its last sessions cost, whatever came late and was corrected on the way?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.examples import POSITION, SELLER
from laddbok.flow.contract_charges import Held, Share, Used, fee_of, given_back, included, standing, used_wh
from laddbok.model.billing import ContractCharge, Position, RateNet
from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.errors import Invalid
from laddbok.model.superset import Tier
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.month_fee import Month
from laddbok.rating.rate import rate

DOCUMENT = {
    "id": "hundra",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "2.00", "vat": 25}]}],
    "laddbok": {"subscription": {"month_fee": "99", "tiers": [{"to_kwh": 100, "per_kwh": 0}], "vat": 25}},
}
TARIFF = parse_tariff(DOCUMENT)
HUNDRED_FREE = (Tier(to_kwh=Decimal(100), per_kwh=Decimal(0)),)
COMPILED = compile_tariff(TARIFF, "Europe/Stockholm")
OCTOBER = Month(2026, 10)
START_AT = datetime(2026, 10, 3, 8, tzinfo=UTC)


def position(number: int, kwh: int, revision: int = 1) -> Position:
    """A session of an hour, one a day."""
    start_at = START_AT + timedelta(hours=24 * number)
    end_at = start_at + timedelta(hours=1)
    period = ChargingPeriod(start_at=start_at, end_at=end_at, activity=Activity.CHARGING, energy_wh=kwh * 1_000)
    cdr = replace(
        POSITION.cdr, session_id=f"S{number}", started_at=start_at, charging_ended_at=end_at, transaction_ended_at=end_at,
        unplugged_at=end_at, last_contact_at=end_at, energy_wh=kwh * 1_000, periods=(period,),
    )  # fmt: skip
    return replace(
        POSITION, session_id=f"S{number}", revision=revision, cdr=cdr, rating=rate(cdr, COMPILED), tariff_version=1
    )


class Contract:
    """A contract whose sessions are billed and corrected as a run does it."""

    def __init__(self) -> None:
        self.positions: dict[int, Position] = {}
        self.charges: list[ContractCharge] = []

    def bill(self, kwh: int) -> None:
        """A session that comes."""
        number = len(self.positions)
        self.positions[number] = position(number, kwh)
        self._charge([self.positions[number]], [])

    def correct(self, number: int, kwh: int) -> None:
        """A session that is corrected; to 0: it is void."""
        old = self.positions[number]
        back = given_back(replace(old, kind="credit"), self.charges)
        if back is not None:
            self.charges.append(back.charge)
        self.positions[number] = position(number, kwh, old.revision + 1)
        keys = standing(self.charges, "hundra")
        again = [p for p in self.positions.values() if (p.session_id, p.revision) in keys]
        self._charge([self.positions[number]] if kwh else [], again)

    def _charge(self, used: list[Position], again: list[Position]) -> None:
        share = Share(
            contract_id="c", month=OCTOBER, tariff_id="hundra", tiers=HUNDRED_FREE, earlier=tuple(self.charges)
        )
        found = included(share, [Used(p, COMPILED) for p in used], [Used(p, COMPILED) for p in again])
        if found is not None:
            self.charges.append(found.charge)


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 70)), max_size=12)


@given(STEPS)
def test_a_month_costs_in_the_end_what_its_last_sessions_cost(steps: list[tuple[bool, int, int]]) -> None:
    contract = Contract()
    for is_new, number, kwh in steps:
        if is_new or number >= len(contract.positions):
            contract.bill(kwh + 1)
        else:
            contract.correct(number, kwh)
    total_kwh = sum(each.cdr.energy_wh for each in contract.positions.values()) // 1_000
    assert sum((each.net for each in contract.charges), Decimal(0)) == -2 * min(total_kwh, 100)
    assert used_wh(contract.charges, "hundra") == total_kwh * 1_000
    assert len({(each.kind, each.number) for each in contract.charges}) == len(contract.charges)


def test_B41_included_energy_leaves_what_else_a_session_costs() -> None:
    """The second session uses the last 40 of the 100 kWh; its flat fee of 5.00 stays, and so does the first one's."""
    flat = {
        "price_components": [
            {"type": "ENERGY", "price": "3.00", "vat": 25},
            {"type": "FLAT", "price": "5.00", "vat": 25},
        ]
    }
    tariff = parse_tariff(DOCUMENT | {"elements": [flat]})
    compiled = compile_tariff(tariff, "Europe/Stockholm")
    used = [Used(position(number, 60), compiled) for number in (0, 1)]
    share = Share(contract_id="c", month=OCTOBER, tariff_id="hundra", tiers=HUNDRED_FREE, earlier=())
    found = included(share, used)
    assert found is not None
    assert [(each.session_id, each.tier_ends_wh, each.nets) for each in found.charge.sessions] == [
        ("S0", (60_000,), (RateNet(Decimal(25), Decimal("-180.00")),)),
        ("S1", (40_000,), (RateNet(Decimal(25), Decimal("-120.00")),)),
    ]
    assert [(line.quantity, line.net) for line in found.lines] == [(Decimal("-100.000"), Decimal("-300.00"))]


def test_a_charge_that_was_planned_and_not_billed_leaves_a_gap_and_no_number_twice() -> None:
    contract = Contract()
    contract.bill(10)
    contract.charges = [replace(each, number=2) for each in contract.charges]
    contract.bill(10)
    assert [each.number for each in contract.charges] == [2, 3]


def test_B42_two_plans_in_a_month_come_to_their_days() -> None:
    middle = datetime(2026, 10, 15, 22, tzinfo=UTC)
    held = [
        Held(contract_id="c", contract_name="Avtal", tariff=TARIFF, valid_from=START_AT - timedelta(days=99), valid_to=middle),
        Held(contract_id="c", contract_name="Avtal", tariff=TARIFF, valid_from=middle, valid_to=None),
    ]  # fmt: skip
    fee = fee_of(held, OCTOBER, SELLER)
    assert fee is not None
    assert [line.net for line in fee.lines] == [Decimal("47.90"), Decimal("51.10")]
    assert (fee.charge.net, fee.charge.days) == (Decimal("99.00"), 31)


def test_a_fee_in_another_currency_is_refused() -> None:
    euro = replace(TARIFF, currency="EUR")
    held = Held(contract_id="c", contract_name="Avtal", tariff=euro, valid_from=START_AT, valid_to=None)
    with pytest.raises(Invalid, match="its fee is in EUR"):
        fee_of([held], OCTOBER, SELLER)

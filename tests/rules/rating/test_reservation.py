"""Does a reservation cost what the tariff says, whether it was used or expired?"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.cdr import Cdr, Reservation
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import CHARGING, codes, element, local, net, quantities, session, tariff

NOON = local("2026-05-08T12:00")


def made(reservation: str, **more: Any) -> dict[str, Any]:
    return {"reservation": reservation, **more}


USED, EXPIRED = made("RESERVATION"), made("RESERVATION_EXPIRES")
ENERGY = element(ENERGY=3, FLAT=5)


def used(minutes: float) -> Cdr:
    """10 kWh from noon on, after a reservation of so many minutes."""
    held = Reservation(start_at=NOON - timedelta(minutes=minutes), end_at=NOON)
    return session(NOON, (60, CHARGING, 10_000), reservation=held)


def expired(minutes: float) -> Cdr:
    """Nothing but a reservation from noon on that nobody came for."""
    held = Reservation(start_at=NOON, end_at=NOON + timedelta(minutes=minutes), expired=True)
    return session(NOON, reservation=held, transaction_ended_at=held.end_at)


def test_a_reservation_costs_its_fee_once_and_its_time_in_steps_of_its_own() -> None:
    rating = rate(used(13), tariff(element(USED, FLAT=20, TIME=(60, 300)), ENERGY, element(TIME=(6, 1800))))
    assert quantities(rating) == [
        ("reservation_flat", 1), ("reservation_time", 900), ("flat", 1), ("energy", 10_000), ("time", 3600)
    ]  # fmt: skip
    assert rating.excl_vat == Decimal("76.00")
    assert rating.lines[1].measured == 780


def test_no_show_fee() -> None:
    no_show = tariff(element(EXPIRED, FLAT=40), element(USED, TIME=30), ENERGY)
    assert (net(expired(60), no_show), net(used(60), no_show)) == (Decimal("70.00"), Decimal("65.00"))
    assert quantities(rate(expired(60), no_show)) == [("reservation_flat", 1), ("reservation_time", 3600)]


@pytest.mark.parametrize("order", [1, -1])
def test_an_expired_reservation_has_the_price_for_expired_ones_wherever_it_stands(order: int) -> None:
    elements = [element(USED, TIME=30, FLAT=1), element(EXPIRED, TIME=60, FLAT=2)][::order]
    assert net(expired(60), tariff(*elements)) == Decimal("62.00")
    assert net(used(60), tariff(*elements, ENERGY)) == Decimal("66.00")


def test_an_expired_reservation_has_no_least_price_and_still_a_highest() -> None:
    limits = {"min_price": {"excl_vat": 100}, "max_price": {"excl_vat": 120}}
    fees = tariff(element(USED, TIME=60), ENERGY, **limits)
    assert (net(expired(60), fees), net(used(60), fees), net(expired(180), fees)) == (60, 100, 120)


def test_a_session_that_has_only_just_begun_shows_its_reservation_within_the_highest_price() -> None:
    held = Reservation(start_at=NOON - timedelta(minutes=180), end_at=NOON)
    begun = session(NOON, reservation=held, transaction_ended_at=None, unplugged_at=None)
    rating = rate(begun, tariff(element(USED, TIME=60), ENERGY, max_price={"excl_vat": 120}), as_of=NOON)
    assert (rating.excl_vat, rating.final) == (120, False)


def test_a_reservation_without_energy_after_it_is_paid_and_the_session_is_not() -> None:
    came = Reservation(start_at=NOON - timedelta(minutes=60), end_at=NOON)
    rating = rate(session(NOON, (60, CHARGING, 0), reservation=came), tariff(element(USED, TIME=60), ENERGY))
    assert (quantities(rating), codes(rating)) == ([("reservation_time", 3600)], {"zero_energy"})


def test_a_tariff_that_prices_no_reservation_asks_nothing_for_one() -> None:
    for cdr in (used(60), expired(60)):
        assert not [line for line in rate(cdr, tariff(ENERGY)).lines if line.kind.value.startswith("reservation")]
    assert codes(rate(used(60), tariff(ENERGY, element(EXPIRED, TIME=60, FLAT=9)))) == set()


def test_reserved_time_that_no_element_prices_is_a_finding() -> None:
    morning = made("RESERVATION", end_time="11:30")
    rating = rate(used(60), tariff(element(morning, TIME=60), ENERGY))
    assert quantities(rating)[0] == ("reservation_time", 1800)
    assert any("1800 s of reservation_time" in finding.text for finding in rating.findings)


def test_other_restrictions_are_judged_during_the_reservation() -> None:
    first_half_hour = made("RESERVATION", max_duration=1800)
    fees = tariff(
        element(first_half_hour, TIME=0), element(made("RESERVATION", day_of_week=["FRIDAY"]), TIME=60), ENERGY
    )
    assert net(used(45), fees) == Decimal("50.00")
    saturday = local("2026-05-09T00:15")
    held = Reservation(start_at=saturday - timedelta(minutes=60), end_at=saturday)
    assert net(session(saturday, (60, CHARGING, 10_000), reservation=held), fees) == Decimal("50.00")


def test_elements_for_reservations_never_price_a_session() -> None:
    assert net(session(NOON, (60, CHARGING, 10_000)), tariff(element(USED, TIME=60, FLAT=9), ENERGY)) == 35


def test_a_kind_of_reservation_that_nobody_knows_never_applies_and_says_so() -> None:
    rating = rate(used(60), tariff(element(made("RESERVATION_CANCELLED"), FLAT=9), ENERGY))
    assert (rating.excl_vat, codes(rating)) == (35, {"unknown_restriction"})


NIGHTLY = tariff(
    element(made("RESERVATION", start_time="22:00", end_time="06:00"), TIME=(30, 60)), element(USED, TIME=60)
)


@given(st.integers(0, 3000), st.integers(0, 3000), st.sampled_from([NIGHTLY, tariff(element(USED, TIME=(7, 600)))]))
def test_a_longer_reservation_never_costs_less(minutes: int, more: int, fees: CompiledTariff) -> None:
    short, long = (rate(used(m), fees) for m in (minutes, minutes + more))
    assert short.excl_vat is not None and long.excl_vat is not None
    assert short.excl_vat <= long.excl_vat
    assert sum(line.measured for line in short.lines) == minutes * 60

"""Does rating give the known right answers? Tests are named after the case they show."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from laddbok.model.errors import Invalid
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from tests.rules.rating.building import (
    BY_EV,
    BY_EVSE,
    CHARGING,
    IDLE,
    STOCKHOLM,
    codes,
    element,
    idle,
    local,
    net,
    quantities,
    session,
    tariff,
)

NIGHT = {"start_time": "22:00", "end_time": "06:00"}


def test_B2_a_night_of_three_hours_between_half_past_one_and_half_past_three() -> None:
    cdr = session("2026-10-25T01:30", (180, CHARGING, 9000))
    assert cdr.periods[-1].end_at == local("2026-10-25T03:30")
    assert net(cdr, tariff(element(TIME=10))) == Decimal("30.00")


@pytest.mark.parametrize(("day", "minutes"), [("2026-03-29", 0), ("2026-10-25", 120), ("2026-06-01", 60)])
def test_B4_a_window_from_two_to_three(day: str, minutes: int) -> None:
    window = {"start_time": "02:00", "end_time": "03:00"}
    begin, end = local(f"{day}T00:00"), local(f"{day}T05:00")
    cdr = session(begin, ((end - begin).total_seconds() / 60, CHARGING, 9000))
    lines = rate(cdr, tariff(element(window, TIME=60), element(TIME=0))).lines
    assert sum(line.quantity for line in lines if line.price) == minutes * 60


def test_B5_a_session_over_friday_midnight_is_cut_there() -> None:
    weekend = {"day_of_week": ["SATURDAY", "SUNDAY"]}
    cdr = session("2026-05-08T23:00", (120, CHARGING, 10_000))
    rating = rate(cdr, tariff(element(weekend, ENERGY=2), element(ENERGY=3)))
    assert quantities(rating) == [("energy", 5000), ("energy", 5000)]
    assert rating.excl_vat == Decimal("25.00")
    assert rating.lines[0].end_at == local("2026-05-09T00:00")


@pytest.mark.parametrize(("start", "price"), [("23:00", 1), ("03:00", 1), ("05:59", 1), ("06:00", 9), ("21:59", 9)])
def test_B6_a_window_that_wraps_midnight(start: str, price: int) -> None:
    cdr = session(f"2026-05-08T{start}", (1, CHARGING, 1000))
    assert net(cdr, tariff(element(NIGHT, ENERGY=1), element(ENERGY=9))) == price


def test_B6_an_end_at_midnight_is_the_end_of_the_day() -> None:
    evening = {"start_time": "18:00", "end_time": "00:00"}
    cdr = session("2026-05-08T23:30", (60, CHARGING, 1000))
    assert net(cdr, tariff(element(evening, ENERGY=2), element(ENERGY=4))) == 3


@pytest.mark.parametrize("count", [1, 3, 96])
def test_B8_the_first_ten_kilowatt_hours_are_cheaper(count: int) -> None:
    wh = [30_000 * (i + 1) // count - 30_000 * i // count for i in range(count)]
    cdr = session("2026-05-08T08:00", *[(288 / count, CHARGING, each) for each in wh])
    assert net(cdr, tariff(element({"max_kwh": 10}, ENERGY=0.39), element(ENERGY=0.59))) == Decimal("15.70")


def test_B19_a_session_without_energy_costs_nothing() -> None:
    cdr = session("2026-05-08T08:00", (5, CHARGING, 0), (60, IDLE, 0))
    terms = {"laddbok": {"idle": {"per_min": 2}}, "min_price": {"excl_vat": 10, "incl_vat": 12.5}}
    rating = rate(cdr, tariff(element(FLAT=5, ENERGY=3, TIME=10, PARKING_TIME=10), **terms))
    assert (rating.excl_vat, rating.incl_vat, rating.lines) == (Decimal("0.00"), Decimal("0.00"), ())
    assert "zero_energy" in codes(rating)


def test_B24_no_idle_after_the_last_contact() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000), (60, IDLE, 0))
    lost = msgspec.structs.replace(
        cdr, last_contact_at=local("2026-05-08T09:20"), unplugged_at=None, transaction_ended_at=None
    )
    assert net(lost, idle(1), as_of=local("2026-05-09T09:00")) == 20
    settled = msgspec.structs.replace(lost, transaction_ended_at=local("2026-05-08T09:20"))
    assert net(settled, idle(1, until="unplug")) == 20


def test_B28_energy_in_steps_of_500() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 4300), (15, CHARGING, 1100))
    assert quantities(rate(cdr, tariff(element(ENERGY=(2, 500))))) == [("energy", 5500)]


def test_B28_only_the_parking_time_is_rounded_up() -> None:
    cdr = session("2026-05-08T08:00", (21, CHARGING, 4000), (16, IDLE, 0))
    rating = rate(cdr, tariff(element(TIME=(60, 600), PARKING_TIME=(60, 600))))
    assert quantities(rating) == [("time", 21 * 60), ("parking_time", 20 * 60)]


def test_B28_a_step_of_nothing_rounds_nothing() -> None:
    cdr = session("2026-05-08T08:00", (21, CHARGING, 4321))
    assert quantities(rate(cdr, tariff(element(ENERGY=(2, 0))))) == [("energy", 4321)]


LEAST = {"min_price": {"excl_vat": 0.5, "incl_vat": 0.55}}


def test_B29_the_least_price() -> None:
    rating = rate(session("2026-05-08T08:00", (9, CHARGING, 1500)), tariff(element(vat=10, ENERGY=0.25), **LEAST))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("0.50"), Decimal("0.55"))
    assert sum(line.excl_vat or 0 for line in rating.lines) == rating.excl_vat
    assert sum(line.incl_vat or 0 for line in rating.lines) == rating.incl_vat
    assert rating.lines[-1].vat_percent == 10


def test_B29_no_least_price_without_energy() -> None:
    assert net(session("2026-05-08T08:00", (9, CHARGING, 0)), tariff(element(ENERGY=1), **LEAST)) == 0


def test_B30_the_highest_price() -> None:
    most = {"max_price": {"excl_vat": 10, "incl_vat": 11}}
    rating = rate(session("2026-05-08T08:00", (300, CHARGING, 50_000)), tariff(element(vat=10, ENERGY=0.25), **most))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("10.00"), Decimal("11.00"))


def test_B30_a_least_price_above_the_highest_is_refused() -> None:
    with pytest.raises(Invalid, match="min_price: before_taxes 11 is more than max_price 10"):
        tariff(element(ENERGY=1), min_price={"excl_vat": 11}, max_price={"excl_vat": 10})


def test_B30_the_highest_price_holds_also_after_the_least() -> None:
    limits = {"min_price": {"excl_vat": 10}, "max_price": {"excl_vat": 11, "incl_vat": 12}}
    mixed = tariff(element(vat=0, FLAT=0), element(ENERGY=8), **limits)
    rating = rate(session("2026-05-08T08:00", (9, CHARGING, 1000)), mixed)
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("10.00"), Decimal("12.00"))
    assert [line.kind.value for line in rating.lines[-2:]] == ["min_price", "max_price"]
    assert {"min_price_applied", "max_price_applied"} <= codes(rating)
    assert sum(line.incl_vat or 0 for line in rating.lines) == rating.incl_vat
    assert sum(line.excl_vat or 0 for line in rating.lines) == rating.excl_vat


def test_B31_the_start_fee_once() -> None:
    stretches = [(10, CHARGING, 900), (5, BY_EV, 0), (5, BY_EVSE, 0)] * 3
    assert quantities(rate(session("2026-05-08T08:00", *stretches), tariff(element(FLAT=5)))) == [("flat", 1)]


@pytest.mark.parametrize(("seconds", "price"), [(14 * 60 + 59, "0.00"), (15 * 60, "0.00"), (40 * 60, "50.00")])
def test_B32_idle_after_the_grace(seconds: int, price: str) -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000), (seconds / 60, IDLE, 0))
    assert net(cdr, idle(2, grace_s=900)) == Decimal(price)


def test_B32_the_grace_counts_once_per_session_and_by_the_clock() -> None:
    """15 minutes of grace, of which a pause of ours takes 10; after it no grace begins anew."""
    cdr = session(
        "2026-05-08T08:00", (60, CHARGING, 5000), (5, IDLE, 0), (20, BY_EVSE, 0), (20, BY_EV, 0), (5, IDLE, 0)
    )
    rating = rate(cdr, idle(2, grace_s=900))
    assert (quantities(rating)[-1], rating.excl_vat) == (("idle", 25 * 60), Decimal("50.00"))


def test_B33_idle_with_exempt_hours() -> None:
    cdr = session("2026-05-08T20:30", (60, CHARGING, 5000), (600, IDLE, 0))
    rating = rate(cdr, idle(1, grace_s=900, exempt=[NIGHT]))
    assert rating.excl_vat == Decimal("105.00")
    assert quantities(rating)[-1] == ("idle", 105 * 60)


def test_hours_that_are_not_told_are_all_exempt_whether_or_not_a_time_zone_is_known() -> None:
    terms = {"idle": {"per_min": 1, "exempt": [{}]}}
    document = {"id": "T", "currency": "SEK", "elements": [element(ENERGY=0)], "laddbok": terms}
    cdr = session("2026-05-08T20:30", (60, CHARGING, 5000), (60, IDLE, 0))
    for zone in (None, "Europe/Stockholm"):
        assert net(cdr, compile_tariff(parse_tariff(document), zone)) == 0


def test_B34_a_pause_that_we_caused_is_never_idle_nor_parking() -> None:
    ours = session("2026-05-08T08:00", (60, CHARGING, 5000), (30, BY_EVSE, 0))
    theirs = session("2026-05-08T08:00", (60, CHARGING, 5000), (30, BY_EV, 0))
    assert (net(ours, idle(1)), net(theirs, idle(1))) == (0, 30)
    parking = tariff(element(ENERGY=0, PARKING_TIME=60))
    assert (net(ours, parking), net(theirs, parking)) == (0, 30)


def test_B34_charging_that_goes_on_is_not_idle_before() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000), (30, BY_EV, 0), (30, CHARGING, 100), (10, IDLE, 0))
    assert net(cdr, idle(1)) == 10


def test_B38_free_of_charge() -> None:
    rating = rate(session("2026-05-08T08:00", (60, CHARGING, 5000)), tariff(element(vat=None, FLAT=0)))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("0.00"), Decimal("0.00"))


def test_B47_a_line_is_multiplied_first_and_rounded_once() -> None:
    rating = rate(session("2026-05-08T08:00", (60, CHARGING, 13_337)), tariff(element(ENERGY=3.992)))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("53.24"), Decimal("66.55"))


def test_B47_backwards_from_a_price_with_VAT() -> None:
    consumer = tariff(element(ENERGY=4.99), tax_included="YES")
    rating = rate(session("2026-05-08T08:00", (60, CHARGING, 13_337)), consumer)
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("53.24"), Decimal("66.55"))


def test_B48_VAT_on_the_sum_of_the_lines() -> None:
    thresholds = [element({"max_kwh": i + 1}, ENERGY=f"0.10{i}") for i in range(4)]
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000))
    rating = rate(cdr, tariff(*thresholds, element(ENERGY=0.104)))
    assert [line.excl_vat for line in rating.lines] == [Decimal("0.10")] * 5
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("0.50"), Decimal("0.63"))
    assert sum(line.incl_vat or 0 for line in rating.lines) == Decimal("0.63")


def test_B49_halves_go_away_from_zero() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 1000))
    below = tariff(element(ENERGY=-2.125), laddbok={"may_be_negative": True})
    assert (net(cdr, tariff(element(ENERGY=2.125))), net(cdr, below)) == (
        Decimal("2.13"),
        Decimal("-2.13"),
    )


def test_several_VAT_rates_are_rounded_once_together() -> None:
    cdr = session("2026-05-04T09:30", (165, CHARGING, 5000), (42, IDLE, 0))
    elements = element(vat=15, FLAT=2.5), element(vat=20, TIME=1), element(vat=10, PARKING_TIME=(5, 300))
    rating = rate(cdr, tariff(*elements))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("9.00"), Decimal("10.30"))


def test_idle_until_the_cable_is_out() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000))
    late = local("2026-05-08T09:45")
    left = msgspec.structs.replace(cdr, unplugged_at=late, last_contact_at=late + timedelta(hours=3))
    assert (net(left, idle(1)), net(left, idle(1, until="unplug"))) == (0, 45)
    unknown = msgspec.structs.replace(left, unplugged_at=None)
    assert "unplug_unknown" in codes(rate(unknown, idle(1, until="unplug")))


def test_idle_stops_at_its_cap() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000), (300, IDLE, 0))
    (_, line) = rate(cdr, idle(1, cap=100)).lines
    assert (line.excl_vat, line.capped) == (Decimal("100.00"), True)


def test_parking_ends_with_the_transaction() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000), (60, IDLE, 0))
    stopped = msgspec.structs.replace(cdr, transaction_ended_at=local("2026-05-08T09:15"))
    rating = rate(stopped, tariff(element(ENERGY=0, PARKING_TIME=60)))
    assert (rating.excl_vat, rating.lines[-1].end_at) == (15, local("2026-05-08T09:15"))


def test_idle_and_parking_in_one_tariff_is_a_finding() -> None:
    both = tariff(element(ENERGY=1, PARKING_TIME=60), laddbok={"idle": {"per_min": 1}})
    assert "idle_and_parking" in codes(rate(session("2026-05-08T08:00", (60, CHARGING, 5000)), both))


def test_an_unknown_restriction_never_matches_and_says_so() -> None:
    rating = rate(
        session("2026-05-08T08:00", (60, CHARGING, 5000)),
        tariff(element({"moon_phase": "full"}, ENERGY=99), element(ENERGY=1)),
    )
    assert (rating.excl_vat, codes(rating)) == (5, {"unknown_restriction"})


def test_a_hole_in_the_tariff_is_a_finding() -> None:
    rating = rate(session("2026-05-08T12:00", (60, CHARGING, 5000)), tariff(element(NIGHT, ENERGY=1)))
    assert (rating.excl_vat, codes(rating)) == (0, {"no_matching_element"})


def test_an_absent_VAT_is_never_taken_as_nought() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000))
    rating = rate(cdr, tariff(element(vat=None, ENERGY=1)))
    assert (rating.excl_vat, rating.incl_vat, codes(rating)) == (5, None, {"vat_absent"})
    rating = rate(cdr, tariff(element(vat=None, ENERGY=1), tax_included="YES"))
    assert (rating.excl_vat, rating.incl_vat, codes(rating)) == (None, 5, {"vat_absent"})
    rating = rate(cdr, tariff(element(vat=None, ENERGY=1), tax_included="N/A"))
    assert (rating.excl_vat, rating.incl_vat, codes(rating)) == (5, 5, set())


def test_a_limit_before_taxes_takes_the_gross_amount_along() -> None:
    rating = rate(
        session("2026-05-08T08:00", (60, CHARGING, 50_000)), tariff(element(ENERGY=1), max_price={"excl_vat": 20})
    )
    assert (rating.excl_vat, rating.incl_vat) == (20, 25)


def test_a_highest_price_before_taxes_is_taxed_at_the_one_rate() -> None:
    """In proportion to the rounded 5.09 and 6.36 it would be 3.17, and the invoice would say 2.54 + 0.64 = 3.18."""
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5090))
    rating = rate(cdr, tariff(element(vat=None, FLAT=0), element(ENERGY=1), max_price={"excl_vat": 2.54}))
    assert (rating.excl_vat, rating.incl_vat, rating.lines[-1].vat_percent) == (Decimal("2.54"), Decimal("3.18"), 25)


def test_a_least_price_of_a_free_session_has_its_VAT() -> None:
    cdr = session("2026-05-08T08:00", (60, CHARGING, 5000))
    rating = rate(cdr, tariff(element(ENERGY=0), min_price={"excl_vat": 10}))
    assert (rating.excl_vat, rating.incl_vat) == (Decimal("10.00"), Decimal("12.50"))


def test_dates_are_local_and_the_last_is_excluded() -> None:
    may = {"start_date": "2026-05-01", "end_date": "2026-06-01"}
    cdr = session("2026-05-31T23:00", (120, CHARGING, 2000))
    assert net(cdr, tariff(element(may, ENERGY=1), element(ENERGY=3))) == 4


def test_durations_count_from_the_start_of_the_session() -> None:
    cdr = session("2026-05-08T08:00", (90, CHARGING, 9000))
    free_hour = tariff(element({"max_duration": 3600}, TIME=0), element(TIME=60))
    assert net(cdr, free_hour) == 30


def test_power_is_the_highest_recorded_else_the_mean_of_charging() -> None:
    fast = tariff(element({"min_power": 10}, ENERGY=5), element(ENERGY=1))
    cdr = session("2026-05-08T08:00", (60, CHARGING, 10_000), (60, CHARGING, 9_999), (6, BY_EV, 1_000))
    assert quantities(rate(cdr, fast)) == [("energy", 10_000), ("energy", 10_999)]
    peak = msgspec.structs.replace(cdr.periods[1], max_power_w=10_000)
    recorded = msgspec.structs.replace(cdr, periods=(cdr.periods[0], peak, cdr.periods[2]))
    assert quantities(rate(recorded, fast)) == [("energy", 19_999), ("energy", 1_000)]


def test_a_tariff_by_the_clock_needs_a_time_zone() -> None:
    by_clock = {"id": "T", "currency": "SEK", "elements": [element(NIGHT, ENERGY=1)]}
    with pytest.raises(Invalid, match="time_zone: the tariff depends on local time"):
        compile_tariff(parse_tariff(by_clock), None)
    for name in (
        "Mars/Olympus",
        "localtime",
        "posixrules",
        "right/Europe/Stockholm",
        "../zoneinfo/Europe/Stockholm",
        "",
    ):
        with pytest.raises(Invalid, match=f"time_zone: '{name}' is not a time zone"):
            compile_tariff(parse_tariff(by_clock), name)


@pytest.mark.parametrize(
    ("start_at", "zone"),
    [(datetime(9999, 12, 31, 22, tzinfo=UTC), STOCKHOLM), (datetime(1, 1, 1, 1, tzinfo=UTC), "America/New_York")],
)
def test_local_time_outside_the_calendar_is_refused(start_at: datetime, zone: str) -> None:
    cdr = session(start_at, (90, CHARGING, 5000), time_zone=zone)
    by_clock = parse_tariff({"id": "T", "currency": "SEK", "elements": [element(NIGHT, ENERGY=1)]})
    with pytest.raises(Invalid, match="periods: their local time lies outside the calendar"):
        rate(cdr, compile_tariff(by_clock, zone))


def test_a_wrong_clock_is_refused() -> None:
    cdr = session("2026-05-08T08:00", (60 * 24 * 900, CHARGING, 5000))
    with pytest.raises(Invalid, match="periods: they span 900 days"):
        rate(cdr, tariff(element(NIGHT, ENERGY=1)))

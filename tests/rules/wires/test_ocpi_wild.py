"""Are CDRs read as companies send them: with what the standard allows, and with what it doesn't and is clear all the same?"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from laddbok.model.errors import Invalid
from laddbok.wires.ocpi_cdr import ForeignCdr, read_cdr
from tests.rules.wires.test_ocpi_files import CDR, NIGHTLY, TARIFF, changed, rated

START, END = CDR["start_date_time"], CDR["end_date_time"]
FIRST = ("charging_periods", 0)
SAME = [
    CDR | {"total_cost": {"excl_vat": 1, "incl_vat": 2}, "total_energy_cost": 7},
    CDR
    | {
        "total_cost": {"before_taxes": 1, "taxes": [{"name": "VAT", "amount": 0.25}]},
        "home_charging_compensation": None,
    },
    CDR | {"total_cost": 4.0, "cdr_location": {"country": "SE"}},
    CDR | {"id": 17, "session_id": 18, "total_time": 99, "remark": None, "tariffs": [{"id": "another"}]},
    CDR | {"credit": False, "credit_reference_id": None, "signed_data": {"encoding_method": "OCMF"}},
    CDR | {"total_energy": "8.000000", "total_parking_time": None, "cdr_token": None},
    changed(CDR, "total_energy", to=...),
    changed(CDR, "start_date_time", to="2026-05-08T19:00:00"),
    changed(CDR, "start_date_time", to="2026-05-08 19:00:00.000"),
    changed(CDR, "start_date_time", to="2026-05-08t21:00:00.000000+02:00"),
    changed(CDR, *FIRST, "dimensions", 0, "volume", to="8"),
    changed(CDR, *FIRST, "dimensions", 0, "volume", to=7.9999996),
    changed(CDR, *FIRST, "dimensions", 1, "volume", to=1.49),
    changed(CDR, *FIRST, "tariff_id", to="T1"),
    changed(CDR, *FIRST, "start_date_time", to="2026-05-08T18:59:20Z"),
]


@pytest.mark.parametrize("cdr", SAME)
def test_the_same_session_in_other_words_costs_the_same(tmp_path: Path, cdr: dict[str, Any]) -> None:
    for tariff in (TARIFF, NIGHTLY):
        answer, plain = (rated(tmp_path, tariff, document) for document in (cdr, CDR))
        assert (answer["total_cost"], answer["findings"]) == (plain["total_cost"], [])


@pytest.mark.parametrize("at", ["2026-05-08T18:59:19Z", "2026-05-08T21:00:41Z"])
def test_a_period_further_outside_the_session_is_refused(at: str) -> None:
    with pytest.raises(Invalid, match=r"^charging_periods\[0\]\.start_date_time: lies outside the session"):
        read_cdr(changed(CDR, *FIRST, "start_date_time", to=at))


def test_a_session_without_a_place_is_priced_where_no_clock_counts(tmp_path: Path) -> None:
    for cdr in (
        changed(CDR, "cdr_location", to=...),
        CDR | {"cdr_location": None},
        CDR | {"cdr_location": {"city": "Gent"}},
    ):
        assert rated(tmp_path, TARIFF, cdr)["total_cost"]["excl_vat"] == "34.60"
        with pytest.raises(Invalid, match=r"^time_zone: "):
            rated(tmp_path, NIGHTLY, cdr)


def test_prices_as_text_as_numbers_and_with_what_is_missing(tmp_path: Path) -> None:
    elements = [{"price_components": [{"type": "ENERGY", "price": "3.20", "vat": "25.0", "step_size": None}]}]
    as_text = TARIFF | {
        "elements": elements,
        "type": None,
        "min_price": None,
        "tariff_alt_text": [],
        "energy_mix": None,
    }
    answer = rated(tmp_path, as_text, CDR)
    assert answer["total_cost"] == {"excl_vat": "25.60", "incl_vat": "32.00"}


@pytest.mark.parametrize("wrap", [lambda cdr: cdr, lambda cdr: [cdr]])
def test_the_envelope_of_a_response_may_hold_a_list_of_one(tmp_path: Path, wrap: Any) -> None:
    envelope = {"data": wrap(CDR), "status_code": 1000, "timestamp": END}
    assert rated(tmp_path, {"data": wrap(TARIFF), "status_code": 1000}, envelope) == rated(tmp_path, TARIFF, CDR)


@pytest.mark.parametrize("data", [None, [], [CDR, CDR], "x"])
def test_an_envelope_of_anything_else_is_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(Invalid, match=r"^data: is not one object"):
        rated(tmp_path, TARIFF, {"data": data, "status_code": 2001, "status_message": "no such CDR"})


TOTALS = changed(CDR, "charging_periods", to=[])


@pytest.mark.parametrize(
    ("totals", "excl_vat"),
    [
        ({}, "37.60"),
        ({"total_time": 2, "total_parking_time": 0.5}, "34.60"),
        ({"total_parking_time": 0.5}, "34.60"),
        ({"total_time": 1.5}, "34.60"),
    ],
)
def test_without_periods_the_totals_are_one(tmp_path: Path, totals: dict[str, Any], excl_vat: str) -> None:
    for cdr in (
        TOTALS | totals,
        TOTALS | totals | {"charging_periods": None},
        changed(TOTALS | totals, "charging_periods", to=...),
    ):
        answer = rated(tmp_path, TARIFF, cdr)
        assert answer["total_cost"]["excl_vat"] == excl_vat
        assert ("energy_spread", "charging_periods") in {(each["code"], each["field"]) for each in answer["findings"]}


@pytest.mark.parametrize(
    ("totals", "field"),
    [
        ({"total_time": 1, "total_parking_time": 2}, "total_parking_time"),
        ({"total_time": 9}, "totals.dimensions"),
        ({"total_parking_time": -1}, "total_parking_time"),
        ({"total_energy": "1e12"}, "total_energy"),
    ],
)
def test_totals_that_contradict_themselves_are_refused(totals: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_cdr(TOTALS | totals)
    assert caught.value.field == field


def test_parts_of_a_second_never_make_periods_overlap(tmp_path: Path) -> None:
    whole, parts = (
        [
            {"start_date_time": "2026-05-08T19:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 6}]},
            {"start_date_time": f"2026-05-08T{second}Z", "dimensions": [{"type": "ENERGY", "volume": 3}]},
        ]
        for second in ("19:10:00", "19:10:00.1")
    )
    parts[0]["start_date_time"] = "2026-05-08T19:00:00.9Z"
    answers = [
        rated(tmp_path, TARIFF, CDR | {"charging_periods": each, "total_energy": 9}, explain=True)
        for each in (whole, parts)
    ]
    assert answers[0] == answers[1]


def test_dimensions_that_say_nothing_about_a_price_are_passed_over() -> None:
    others = [("FLAT", 1), ("STATE_OF_CHARGE", 80), ("ENERGY_IMPORT", 99), ("ENERGY_EXPORT", 0), ("MIN_POWER", -3)]
    dimensions = CDR["charging_periods"][0]["dimensions"] + [{"type": kind, "volume": v} for kind, v in others]
    assert read_cdr(changed(CDR, *FIRST, "dimensions", to=dimensions)).cdr == read_cdr(CDR).cdr


def with_levels(**levels: Any) -> ForeignCdr:
    dimensions = CDR["charging_periods"][0]["dimensions"] + [{"type": kind, "volume": v} for kind, v in levels.items()]
    return read_cdr(changed(CDR, *FIRST, "dimensions", to=dimensions))


@pytest.mark.parametrize(
    ("levels", "power_w", "current_ma"),
    [
        ({}, None, None),
        ({"MAX_CURRENT": 32, "MIN_CURRENT": 6, "CURRENT": 20}, None, 32_000),
        ({"MIN_CURRENT": 6, "CURRENT": "20.0004"}, None, 20_000),
        ({"MIN_CURRENT": 43}, None, 43_000),
        ({"MIN_CURRENT": -43}, None, None),
        ({"MAX_POWER": 11.0405, "MIN_POWER": 1, "POWER": 7}, 11_041, None),
        ({"MIN_POWER": 1, "POWER": 7}, 7_000, None),
        ({"MIN_POWER": 1}, None, None),
    ],
)
def test_restrictions_are_judged_by_the_highest_of_a_period(
    levels: dict[str, Any], power_w: int | None, current_ma: int | None
) -> None:
    charging, parking = with_levels(**levels).cdr.periods
    assert (charging.max_power_w, charging.current_ma) == (power_w, current_ma)
    assert (parking.max_power_w, parking.current_ma) == (None, None)


@pytest.mark.parametrize("kind", ["MAX_CURRENT", "MAX_POWER", "ENERGY", "TIME", "RESERVATION_TIME"])
def test_what_can_t_be_less_than_nothing_is_refused(kind: str) -> None:
    with pytest.raises(Invalid, match=r"^charging_periods\[0\]\.dimensions\[2\]\.volume: -1 is not a volume from 0"):
        with_levels(**{kind: -1})


def reserved(*periods: tuple[str, dict[str, float]], **more: Any) -> dict[str, Any]:
    told = [
        {
            "start_date_time": f"2026-05-08T{at}Z",
            "dimensions": [{"type": k, "volume": v} for k, v in dimensions.items()],
        }
        for at, dimensions in periods
    ]
    return deepcopy(CDR) | {"charging_periods": told, **more}


CHARGED = {"ENERGY": 8, "TIME": 1.5}


def test_reserved_time_before_charging_is_a_reservation_and_the_session_starts_after_it() -> None:
    found = read_cdr(reserved(("19:00:00", {"RESERVATION_TIME": 0.5}), ("19:30:00", CHARGED)))
    assert found.cdr.reservation is not None
    assert (found.cdr.reservation.end_at, found.cdr.reservation.expired) == (found.cdr.started_at, False)
    assert f"{found.cdr.started_at:%H:%M}" == "19:30"
    assert [period.energy_wh for period in found.cdr.periods] == [8000]
    assert found.findings == ()


def test_several_reserved_periods_and_a_shared_one_are_one_reservation() -> None:
    shared = {"RESERVATION_TIME": 0.25, **CHARGED}
    periods = ("19:00:00", {"RESERVATION_TIME": 0.25, "TIME": 0, "ENERGY": 0}), ("19:15:00", shared)
    found = read_cdr(reserved(*periods))
    assert found.cdr.reservation is not None
    assert f"{found.cdr.reservation.start_at:%H:%M} {found.cdr.reservation.end_at:%H:%M}" == "19:00 19:30"
    assert [(period.activity.value, period.energy_wh) for period in found.cdr.periods] == [("charging", 8000)]


@pytest.mark.parametrize(
    ("periods", "energy", "expired"),
    [
        ([("19:00:00", {"RESERVATION_TIME": 2})], 0, True),
        ([("19:00:00", {"RESERVATION_TIME": 1}), ("20:00:00", {"RESERVATION_TIME": 0.5})], None, True),
        ([("19:00:00", {"RESERVATION_TIME": 1}), ("20:00:00", {"TIME": 0})], 0, False),
        ([("19:00:00", {"RESERVATION_TIME": 1}), ("20:00:00", {"PARKING_TIME": 1})], 0, False),
    ],
)
def test_a_reservation_that_nothing_follows_expired(periods: Any, energy: float | None, expired: bool) -> None:
    found = read_cdr(reserved(*periods, total_energy=energy))
    assert found.cdr.reservation is not None
    assert found.cdr.reservation.expired is expired
    assert ("reservation_expired" in {finding.code.value for finding in found.findings}) is expired
    assert not (expired and found.cdr.periods)


def test_energy_that_no_period_can_have_taken_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^total_energy: no charging period says when it was taken"):
        read_cdr(reserved(("19:00:00", {"RESERVATION_TIME": 2})))


def test_a_reservation_longer_than_its_period_is_refused() -> None:
    with pytest.raises(
        Invalid, match=r"^charging_periods\[0\]\.dimensions: 3600 s of reservation in a period of 1800 s"
    ):
        read_cdr(reserved(("19:00:00", {"RESERVATION_TIME": 1}), ("19:30:00", CHARGED)))

"""Are OCPI files rated as they are in the wild, and broken ones refused with the field that is wrong?"""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from laddbok.model.cdr import Activity
from laddbok.model.errors import Invalid
from laddbok.wires.ocpi_cdr import read_cdr
from laddbok.wires.ocpi_files import rate_files

TARIFF: dict[str, Any] = {
    "id": "T1",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 3.2, "vat": 25}, {"type": "TIME", "price": 6, "vat": 25}]}],
}  # fmt: skip
NIGHTLY: dict[str, Any] = TARIFF | {
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 1, "vat": 25}], "restrictions": {"start_time": "22:00"}},
        {"price_components": [{"type": "ENERGY", "price": 2, "vat": 25}]},
    ]
}
CDR: dict[str, Any] = {
    "id": "C1",
    "currency": "SEK",
    "start_date_time": "2026-05-08T19:00:00Z",
    "end_date_time": "2026-05-08T21:00:00Z",
    "cdr_location": {"country": "SWE"},
    "charging_periods": [
        {"start_date_time": "2026-05-08T19:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 8}, {"type": "TIME", "volume": 1.5}]},
        {"start_date_time": "2026-05-08T20:30:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": 0.5}]},
    ],
    "total_energy": 8,
}  # fmt: skip


def changed(document: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A document with one value replaced, or removed by ... ."""
    copy = deepcopy(document)
    *way, last = path
    inner: Any = copy
    for step in way:
        inner = inner[step]
    if to is ...:
        del inner[last]
    else:
        inner[last] = to
    return copy


def rated(folder: Path, tariff: Any, cdr: Any, **how: Any) -> dict[str, Any]:
    for name, document in (("tariff.json", tariff), ("cdr.json", cdr)):
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return rate_files(folder / "tariff.json", folder / "cdr.json", **how)


def test_the_answer(tmp_path: Path) -> None:
    answer = rated(tmp_path, TARIFF, CDR, explain=True)
    assert (answer["currency"], answer["time_zone"]) == ("SEK", "Europe/Stockholm")
    assert answer["total_cost"] == {"excl_vat": "34.60", "incl_vat": "43.25"}
    assert answer["total_energy_cost"] == {"excl_vat": "25.60", "incl_vat": "32.00"}
    assert answer["total_time_cost"] == {"excl_vat": "9.00", "incl_vat": "11.25"}
    assert answer["total_fixed_cost"] is None
    assert [line["text"]["sv"] for line in answer["lines"]] == ["8 kWh x 3,20 kr/kWh", "1 h 30 min x 6,00 kr/h"]
    assert answer["findings"] == []


def test_the_envelope_of_a_response_is_opened(tmp_path: Path) -> None:
    envelope = {"data": CDR, "status_code": 1000, "timestamp": "2026-05-08T22:00:00Z"}
    assert rated(tmp_path, TARIFF, envelope) == rated(tmp_path, TARIFF, CDR)


@pytest.mark.parametrize(("zone", "excl_vat"), [("Europe/Stockholm", "13.34"), ("Atlantic/Reykjavik", "16.00")])
def test_a_time_zone_may_be_named(tmp_path: Path, zone: str, excl_vat: str) -> None:
    assert rated(tmp_path, NIGHTLY, CDR, time_zone=zone)["total_cost"]["excl_vat"] == excl_vat
    in_document = changed(CDR, "cdr_location", "time_zone", to=zone)
    assert rated(tmp_path, NIGHTLY, in_document)["total_cost"]["excl_vat"] == excl_vat


@pytest.mark.parametrize("country", ["USA", "ESP", "QQQ", None])
def test_a_tariff_by_the_clock_is_refused_without_a_zone(tmp_path: Path, country: str | None) -> None:
    nowhere = changed(CDR, "cdr_location", "country", to=country)
    with pytest.raises(Invalid, match=r"^time_zone: "):
        rated(tmp_path, NIGHTLY, nowhere)
    assert rated(tmp_path, TARIFF, nowhere)["time_zone"] is None


AMOUNTS = ("excl_vat", "incl_vat")
COSTS = ("fixed", "energy", "time", "parking", "reservation", "idle")


def test_every_amount_of_a_credit_cdr_is_the_negative_of_its_debit(tmp_path: Path) -> None:
    tariff = TARIFF | {"max_price": {"excl_vat": 30}}
    debit, credit = rated(tmp_path, tariff, CDR), rated(tmp_path, tariff, CDR | {"credit": True, "id": "C1-C"})
    assert (debit["credit"], credit["credit"]) == (False, True)
    assert credit["total_cost"] == {"excl_vat": "-30.00", "incl_vat": "-37.50"}
    pairs = [(debit["total_cost"], credit["total_cost"]), *zip(debit["lines"], credit["lines"], strict=True)]
    pairs += [(debit[name], credit[name]) for name in (f"total_{cost}_cost" for cost in COSTS) if debit[name]]
    assert len(pairs) == 6
    for one, other in pairs:
        assert [Decimal(one[side]) for side in AMOUNTS] == [-Decimal(other[side]) for side in AMOUNTS]
    assert [line["price"] for line in credit["lines"]] == [line["price"] for line in debit["lines"]]


def test_a_credit_cdr_of_nothing_is_nothing(tmp_path: Path) -> None:
    answer = rated(
        tmp_path, {**TARIFF, "elements": [{"price_components": [{"type": "FLAT", "price": 0}]}]}, CDR | {"credit": True}
    )
    assert answer["total_cost"] == {"excl_vat": "0.00", "incl_vat": "0.00"}
    assert [each["code"] for each in answer["findings"]] == ["credit"]


FIRST, SECOND = ("charging_periods", 0), ("charging_periods", 1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (changed(CDR, "currency", to=...), "currency"),
        (changed(CDR, "currency", to="EUR"), "currency"),
        (changed(CDR, "end_date_time", to=...), "end_date_time"),
        (changed(CDR, "end_date_time", to="2026-05-08T18:00:00Z"), "end_date_time"),
        (changed(CDR, "charging_periods", to=[]) | {"total_energy": None}, "charging_periods"),
        (changed(CDR, "charging_periods", to=...) | {"total_energy": None}, "charging_periods"),
        (CDR | {"charging_periods": [CDR["charging_periods"][1]]}, "total_energy"),
        (changed(CDR, *FIRST, "start_date_time", to="2026-05-08T18:00:00Z"), "charging_periods[0].start_date_time"),
        (changed(CDR, *FIRST, "dimensions", 0, "type", to="HEAT"), "charging_periods[0].dimensions[0].type"),
        (changed(CDR, *FIRST, "dimensions", 0, "volume", to=-1), "charging_periods[0].dimensions[0].volume"),
        (changed(CDR, *FIRST, "dimensions", 0, "volume", to="much"), "charging_periods[0].dimensions[0].volume"),
        (changed(CDR, *FIRST, "dimensions", 1, "volume", to=2.5), "charging_periods[0].dimensions"),
        (changed(CDR, *SECOND, "dimensions", 0, "type", to="RESERVATION_TIME"), "charging_periods[1].dimensions"),
        (changed(CDR, *FIRST, "dimensions", 1, "type", to="time"), "charging_periods[0].dimensions[1].type"),
        (changed(CDR, "start_date_time", to="1970-01-01T00:00:00Z"), "start_date_time"),
        (changed(CDR, "start_date_time", to="2023-05-08T19:00:00Z"), "end_date_time"),
        (changed(CDR, "start_date_time", to="2026-05-08T19:00:093Z"), "start_date_time"),
        (changed(CDR, "total_energy", to=-1), "total_energy"),
        (changed(CDR, "cdr_location", "time_zone", to="Mars/Olympus"), "time_zone"),
        (changed(CDR, "cdr_location", "time_zone", to="../../etc"), "time_zone"),
    ],
)
def test_what_is_wrong_with_a_cdr_is_named(tmp_path: Path, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        rated(tmp_path, TARIFF, wrong)
    assert caught.value.field == field


@pytest.mark.parametrize("number", ["1e9999999", "1e-9999999", "1e99999999999999999999", '"1_0"', '"1e9999999"'])
def test_a_number_that_nobody_can_compute_with_is_named(tmp_path: Path, number: str) -> None:
    for name in ("tariff", "cdr"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"tariff": TARIFF, "cdr": CDR}[name]), encoding="utf-8")
    for name, was, field in [
        ("cdr", '"volume": 8', "charging_periods[0].dimensions[0].volume"),
        ("cdr", '"total_energy": 8', "total_energy"),
        ("tariff", '"price": 3.2', "elements[0].price_components[0].price"),
    ]:
        path = tmp_path / f"{name}.json"
        good = path.read_text(encoding="utf-8")
        assert was in good
        path.write_text(good.replace(was, f"{was.split(':')[0]}: {number}"), encoding="utf-8")
        with pytest.raises(Invalid) as caught:
            rate_files(tmp_path / "tariff.json", tmp_path / "cdr.json")
        assert caught.value.field == field
        path.write_text(good, encoding="utf-8")


def test_a_session_at_the_end_of_the_calendar_is_refused_by_a_tariff_by_the_clock(tmp_path: Path) -> None:
    last = {"start_date_time": "9999-12-31T22:00:00Z", "end_date_time": "9999-12-31T23:59:00Z"}
    period = {"start_date_time": last["start_date_time"], "dimensions": [{"type": "ENERGY", "volume": 8}]}
    with pytest.raises(Invalid, match="periods: their local time lies outside the calendar"):
        rated(tmp_path, NIGHTLY, CDR | last | {"charging_periods": [period]})


@pytest.mark.parametrize(
    ("force", "fields"),
    [
        ({"start_date_time": "2026-05-08T19:00:00Z", "end_date_time": "2026-05-08T19:00:01Z"}, []),
        ({"start_date_time": "2026-05-08T19:00:01Z"}, ["start_date_time"]),
        ({"end_date_time": "2026-05-08T21:00:00+02:00"}, ["end_date_time"]),
        ({"end_date_time": "2020-01-01T00:00:00"}, ["end_date_time"]),
    ],
)
def test_a_tariff_that_did_not_hold_at_the_start_is_a_finding(
    tmp_path: Path, force: dict[str, str], fields: list[str]
) -> None:
    answer = rated(tmp_path, TARIFF | force, CDR)
    assert [(each["code"], each["field"]) for each in answer["findings"]] == [
        ("tariff_not_in_force", f) for f in fields
    ]
    assert answer["total_cost"]["excl_vat"] == "34.60"


def test_a_tariff_without_currency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"^currency: is missing"):
        rated(tmp_path, changed(TARIFF, "currency", to=...), CDR)


def test_a_version_that_is_not_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="tax_included: is missing"):
        rated(tmp_path, TARIFF, CDR, version="2.3.0")
    with pytest.raises(Invalid, match="tax_included: is not a field"):
        rated(tmp_path, TARIFF | {"tax_included": "NO"}, CDR, version="2.2.1")


def test_a_file_that_is_too_large_or_absent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cdr.json").write_text(json.dumps(CDR), encoding="utf-8")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 10_000_000)
    with pytest.raises(Invalid, match="is 10 MB or more"):
        rate_files(large, tmp_path / "cdr.json")
    with pytest.raises(Invalid, match="can't be read: No such file"):
        rate_files(tmp_path / "absent.json", tmp_path / "cdr.json")


def test_a_total_is_spread_over_the_charging_time() -> None:
    periods = [
        {"start_date_time": "2026-05-08T19:00:00Z", "dimensions": [{"type": "TIME", "volume": 0.5}]},
        {"start_date_time": "2026-05-08T19:30:00Z", "dimensions": [{"type": "TIME", "volume": 1.5}]},
    ]
    found = read_cdr(CDR | {"charging_periods": periods})
    assert [period.energy_wh for period in found.cdr.periods] == [2000, 6000]
    assert all(period.estimated for period in found.cdr.periods)
    assert [finding.code.value for finding in found.findings] == ["energy_spread"]


def test_parking_within_a_period_comes_last_and_the_rest_costs_nothing() -> None:
    dimensions = [
        {"type": "ENERGY", "volume": 8},
        {"type": "TIME", "volume": 1},
        {"type": "PARKING_TIME", "volume": 0.5},
    ]
    found = read_cdr(
        CDR | {"charging_periods": [{"start_date_time": CDR["start_date_time"], "dimensions": dimensions}]}
    )
    lengths = [(p.activity, (p.end_at - p.start_at).total_seconds() / 60, p.energy_wh) for p in found.cdr.periods]
    assert lengths == [(Activity.CHARGING, 60, 8000), (Activity.IDLE, 30, 0), (Activity.PAUSED_BY_EVSE, 30, 0)]
    assert [finding.code.value for finding in found.findings] == ["time_unaccounted"]


def test_periods_out_of_order_and_without_time_are_understood() -> None:
    periods = [
        {"start_date_time": "2026-05-08T20:00:00", "dimensions": [{"type": "ENERGY", "volume": "0"}]},
        {"start_date_time": "2026-05-08T21:00:00+02:00", "dimensions": [{"type": "ENERGY", "volume": 7.9996}]},
    ]
    found = read_cdr(CDR | {"charging_periods": periods})
    assert [(p.activity, p.energy_wh) for p in found.cdr.periods] == [(Activity.CHARGING, 8000), (Activity.IDLE, 0)]
    assert found.findings == ()

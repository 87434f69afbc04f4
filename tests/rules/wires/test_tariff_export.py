"""Does a tariff that is written for others come to our price there, and is what they can't say refused by name?"""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import ocpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.model.cdr import Cdr, Reservation
from laddbok.model.errors import Invalid
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.wires.tariff_export import export_tariff
from laddbok.wires.tariff_export.refusal import NotSayable
from tests.rules.rating.building import STOCKHOLM, element
from tests.rules.rating.test_properties import some_session, some_tariff
from tests.rules.wires.priced_by_station import station_cost

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SCHEMAS = Path(ocpp.__file__).parent / "v21/schemas"
MESSAGES = {"SetDefaultTariff": {"evseId": 0}, "ChangeTransactionTariff": {"transactionId": "T1"}}
WHOLE = element(ENERGY=3)
OCPI = ["ocpi-2.2.1", "ocpi-2.3.0"]
EVERY = [*OCPI, "ocpp-2.1"]


def read(*elements: dict[str, Any], **more: Any) -> Tariff:
    party = {"country_code": "SE", "party_id": "LAD"}
    return parse_tariff({"id": "T", "currency": "SEK", **party, "elements": list(elements), **more})


def written(tariff: Tariff, wire: str) -> Any:
    return json.loads(export_tariff(tariff, wire, AT), parse_float=Decimal)


def refused(tariff: Tariff, wire: str) -> list[str]:
    """The paths that a wire has no word for."""
    with pytest.raises(NotSayable) as trouble:
        export_tariff(tariff, wire, AT)
    assert all(each.why and each.path in str(trouble.value) for each in trouble.value.found)
    return [each.path for each in trouble.value.found]


def test_a_tariff_as_ocpi_2_2_1() -> None:
    night = {
        "start_time": "22:00",
        "end_time": "24:00",
        "day_of_week": ["FRIDAY"],
        "min_kwh": "1.5",
        "end_date": "2027-01-01",
    }
    tariff = read(
        element(night, ENERGY=("0.1", 0)), element(vat=None, FLAT=0), type="REGULAR",
        min_price={"excl_vat": 1, "incl_vat": "1.25"}, start_date_time="2026-12-01T00:00:00Z",
    )  # fmt: skip
    assert written(tariff, "ocpi-2.2.1") == {
        "country_code": "SE", "party_id": "LAD", "id": "T", "currency": "SEK", "type": "REGULAR",
        "min_price": {"excl_vat": 1, "incl_vat": Decimal("1.25")},
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": Decimal("0.1"), "vat": 25, "step_size": 1}],
             "restrictions": {"start_time": "22:00", "end_time": "00:00", "day_of_week": ["FRIDAY"],
                              "min_kwh": Decimal("1.5"), "end_date": "2027-01-01"}},
            {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]},
        ],
        "start_date_time": "2026-12-01T00:00:00Z", "last_updated": "2026-11-25T12:00:00Z",
    }  # fmt: skip


def test_a_tariff_as_ocpi_2_3_0() -> None:
    found = written(read(WHOLE, tax_included="YES", max_price={"before_taxes": 80, "after_taxes": 100}), "ocpi-2.3.0")
    assert found["tax_included"] == "YES"
    assert found["max_price"] == {"before_taxes": 80, "after_taxes": 100}


def test_a_tariff_as_ocpp_2_1() -> None:
    tariff = read(
        element({"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SUNDAY", "MONDAY"]}, ENERGY=2, TIME=6),
        element({"min_kwh": 20, "max_power": 22, "max_current": 48, "max_duration": 3600}, ENERGY="2.5"),
        element({"reservation": "RESERVATION"}, FLAT=10, TIME="0.6"),
        element({"start_date": "2026-12-01"}, vat=6, FLAT=7), element(ENERGY=3), element(vat=6, FLAT=5),
        max_price={"before_taxes": 80, "after_taxes": 100}, start_date_time="2026-12-01T00:00:00Z",
    )  # fmt: skip
    tax = [{"type": "VAT", "tax": 25}]
    night = {"startTimeOfDay": "22:00", "endTimeOfDay": "06:00", "dayOfWeek": ["Monday", "Sunday"]}
    much = {"minEnergy": 20000, "maxPower": 22000, "maxCurrent": 48, "maxTime": 3600}
    assert written(tariff, "ocpp-2.1") == {
        "tariffId": "T", "currency": "SEK", "validFrom": "2026-12-01T00:00:00Z",
        "energy": {"taxRates": tax, "prices": [
            {"priceKwh": 2, "conditions": night}, {"priceKwh": Decimal("2.5"), "conditions": much}, {"priceKwh": 3}]},
        "chargingTime": {"taxRates": tax, "prices": [{"priceMinute": Decimal("0.1"), "conditions": night}]},
        "reservationFixed": {"taxRates": tax, "prices": [{"priceFixed": 10}]},
        "reservationTime": {"taxRates": tax, "prices": [{"priceMinute": Decimal("0.01")}]},
        "fixedFee": {"taxRates": [{"type": "VAT", "tax": 6}], "prices": [
            {"priceFixed": 7, "conditions": {"validFromDate": "2026-12-01"}}, {"priceFixed": 5}]},
        "maxCost": {"exclTax": 80, "inclTax": 100},
    }  # fmt: skip
    _check_schema(written(tariff, "ocpp-2.1"))


def _check_schema(tariff: dict[str, Any]) -> None:
    for name, rest in MESSAGES.items():
        schema = json.loads((SCHEMAS / f"{name}Request.json").read_text("utf-8-sig"))
        message = json.loads(json.dumps({**rest, "tariff": tariff}, default=float))
        jsonschema_rs.validator_for(schema, validate_formats=True).validate(message)


def test_numbers_are_exact() -> None:
    tariff = read(element(vat="6.5", ENERGY="0.102000000000000001"))
    assert b'"price":0.102000000000000001,' in export_tariff(tariff, "ocpi-2.2.1", AT)


@pytest.mark.parametrize("wire", EVERY)
@pytest.mark.parametrize(
    ("terms", "paths"),
    [
        ({"idle": {"per_min": 1}}, ["laddbok.idle"]),
        (
            {
                "idle": {
                    "per_min": 1,
                    "grace_s": 900,
                    "cap": 100,
                    "exempt": [{"start_time": "22:00"}],
                    "until": "unplug",
                }
            },
            ["laddbok.idle", *(f"laddbok.idle.{name}" for name in ("grace_s", "cap", "exempt", "until"))],
        ),
        ({"subscription": {"month_fee": 99}}, ["laddbok.subscription"]),
    ],
)
def test_our_own_terms_are_refused(wire: str, terms: dict[str, Any], paths: list[str]) -> None:
    assert refused(read(WHOLE, laddbok=terms), wire) == paths


@pytest.mark.parametrize("wire", EVERY)
def test_a_market_price_is_refused(wire: str) -> None:
    assert refused(read(laddbok={"spot": {"zone": "SE3", "vat": 25}}), wire) == ["laddbok.spot"]


@pytest.mark.parametrize("wire", EVERY)
@pytest.mark.parametrize(
    ("restrictions", "field"),
    [
        ({"moon_phase": "full"}, "moon_phase"),
        ({"start_time": "08:00", "end_time": "08:00"}, "end_time"),
        ({"start_time": "24:00", "end_time": "00:00"}, "end_time"),
        ({"day_of_week": []}, "day_of_week"),
    ],
)
def test_restrictions_that_are_read_in_two_ways_are_refused(
    wire: str, restrictions: dict[str, Any], field: str
) -> None:
    assert refused(read(element(restrictions, ENERGY=1), WHOLE), wire) == [f"elements[0].restrictions.{field}"]


@pytest.mark.parametrize("wire", EVERY)
def test_dates_that_are_judged_at_the_start_are_refused(wire: str) -> None:
    dated = element({"end_date": "2027-01-01"}, ENERGY=1)
    terms = {"at_tax_change": "start"}
    assert refused(read(dated, WHOLE, laddbok=terms), wire) == ["elements[0].restrictions.end_date"]
    assert written(read(WHOLE, laddbok=terms), wire) == written(read(WHOLE), wire)


@pytest.mark.parametrize("wire", EVERY)
@pytest.mark.parametrize("may_be_negative", [False, True])
def test_what_comes_to_less_than_nothing_is_refused(wire: str, may_be_negative: bool) -> None:
    terms = {"may_be_negative": may_be_negative}
    path = "elements[0].price_components[0].price"
    assert refused(read(element(ENERGY="-0.1"), laddbok=terms), wire) == [path]
    assert refused(read(element(ENERGY="-0.1"), min_price={"before_taxes": 0}, laddbok=terms), wire) == [path]
    assert refused(read(WHOLE, max_price={"before_taxes": -1}), wire) == ["max_price"]
    at_least = {"before_taxes": 0, "after_taxes": 0}
    assert written(read(element(ENERGY="-0.1"), min_price=at_least, laddbok=terms), wire)
    assert written(read(WHOLE, laddbok=terms), wire) == written(read(WHOLE), wire)


@pytest.mark.parametrize("wire", ["ocpi-2.2.1", "ocpp-2.1"])
def test_prices_with_VAT_are_refused_where_prices_have_none(wire: str) -> None:
    assert refused(read(WHOLE, tax_included="YES"), wire) == ["tax_included"]
    assert written(read(element(vat=0, ENERGY=3), tax_included="YES"), wire)


def test_that_no_tax_applies_can_be_said_but_in_ocpi_2_2_1() -> None:
    tariff = read(element(vat=None, ENERGY=3), tax_included="N/A")
    assert refused(tariff, "ocpi-2.2.1") == ["tax_included"]
    assert written(tariff, "ocpi-2.3.0")["tax_included"] == "N/A"
    assert written(tariff, "ocpp-2.1")["energy"] == {"prices": [{"priceKwh": 3}]}


@pytest.mark.parametrize("tax", ["YES", "NO"])
def test_a_VAT_that_nobody_stated_is_not_written_as_none(tax: str) -> None:
    tariff = read(element(vat=None, ENERGY=3), tax_included=tax)
    for wire in ("ocpi-2.2.1", "ocpp-2.1"):
        assert refused(tariff, wire)[-1] == "elements[0].price_components[0].vat"
    assert written(tariff, "ocpi-2.3.0")["tax_included"] == tax


@pytest.mark.parametrize("wire", OCPI)
def test_what_ocpi_requires_is_named(wire: str) -> None:
    tariff = parse_tariff({"id": "T" * 37, "currency": "SEK", "type": "odd", "party_id": "LADD", "elements": [WHOLE]})
    assert refused(tariff, wire) == ["id", "country_code", "party_id", "type"]
    odd = element({"reservation": "MAYBE"}, FLAT=1)
    assert refused(read(odd), wire) == ["elements[0].restrictions.reservation"]


@pytest.mark.parametrize(
    ("elements", "more", "paths"),
    [
        ([element(ENERGY=(3, 100), TIME=(6, 60))], {},
         ["elements[0].price_components[0].step_size", "elements[0].price_components[1].step_size"]),
        ([element(ENERGY=3, PARKING_TIME=6)], {}, ["elements[0].price_components[1]"]),
        ([element(TIME=10)], {}, ["elements[0].price_components[0].price"]),
        ([element(ENERGY="0.1234567")], {}, ["elements[0].price_components[0].price"]),
        ([element({"min_kwh": "0.0000000001"}, ENERGY=1)], {}, ["elements[0].restrictions.min_kwh"]),
        ([element(vat=None, ENERGY=1)], {}, ["elements[0].price_components[0].vat"]),
        ([element({"max_kwh": 1}, ENERGY=1), element(vat=6, ENERGY=2)], {}, ["elements[1].price_components[0].vat"]),
        ([element({"min_kwh": 1}, FLAT=1), element(FLAT=2)], {}, ["elements[0].restrictions.min_kwh"]),
        ([element({"start_time": "22:00"}, FLAT=1)], {}, ["elements[0].price_components[0]"]),
        ([WHOLE, element({"reservation": "RESERVATION_EXPIRES"}, FLAT=1)], {}, ["elements[1].restrictions.reservation"]),
        ([WHOLE, element({"reservation": "RESERVATION", "max_duration": 60}, TIME=6)], {},
         ["elements[1].restrictions.max_duration"]),
        ([WHOLE, element({"reservation": "RESERVATION"}, ENERGY=1)], {}, ["elements[1].price_components[0]"]),
        ([WHOLE], {"end_date_time": "2027-01-01T00:00:00Z"}, ["end_date_time"]),
        ([WHOLE], {"id": "T" * 61}, ["id"]),
        ([WHOLE], {"min_price": {"before_taxes": "0.1234567"}}, ["min_price.before_taxes"]),
    ],
)  # fmt: skip
def test_what_ocpp_has_no_word_for_is_named(
    elements: list[dict[str, Any]], more: dict[str, Any], paths: list[str]
) -> None:
    assert refused(read(*elements, **more), "ocpp-2.1") == paths


@pytest.mark.parametrize("wire", OCPI)
@pytest.mark.parametrize("may_be_negative", [False, True])
def test_prices_below_nothing_with_a_least_price_come_to_the_same(wire: str, may_be_negative: bool) -> None:
    least = {"before_taxes": 0, "after_taxes": 0}
    for price in ("-3.1", "0.2", "-0.01"):
        elements = element({"max_kwh": 1}, ENERGY=price), element(vat=6, ENERGY="0.25")
        ours = read(*elements, min_price=least, laddbok={"may_be_negative": may_be_negative})
        theirs = parse_tariff(export_tariff(ours, wire, AT))
        for seed in range(20):
            ratings = [rate(some_session(seed), compile_tariff(each, STOCKHOLM)) for each in (ours, theirs)]
            assert len({(rating.excl_vat, rating.incl_vat) for rating in ratings}) == 1


def test_an_unknown_wire_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^to: 'ocpi-2.1.1' is none of"):
        export_tariff(read(WHOLE), "ocpi-2.1.1", AT)


seeds = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(seeds, seeds, st.sampled_from(["YES", "NO", "N/A", None]), st.sampled_from(OCPI))
def test_read_again_it_rates_every_session_alike(
    session_seed: int, tariff_seed: int, tax: str | None, wire: str
) -> None:
    document = some_tariff(tariff_seed) | ({"tax_included": tax} if tax else {})
    if tariff_seed % 3 == 0:
        document["max_price"] = {"before_taxes": tariff_seed % 40, "after_taxes": tariff_seed % 40 + 1}
    kind = ("RESERVATION", "RESERVATION_EXPIRES")[tariff_seed % 2]
    document["elements"].append(element({"reservation": kind}, FLAT=tariff_seed % 7, TIME=(12, 60)))
    ours = read(**document)
    if wire == "ocpi-2.2.1" and tax in ("YES", "N/A"):
        assert refused(ours, wire) == ["tax_included"]
        return
    theirs = parse_tariff(export_tariff(ours, wire, AT))
    assert theirs.version == wire[-5:]
    cdr = _reserved(some_session(session_seed), session_seed)
    assert rate(cdr, compile_tariff(theirs, STOCKHOLM)) == rate(cdr, compile_tariff(ours, STOCKHOLM))


def _reserved(cdr: Cdr, seed: int) -> Cdr:
    """The same session after a reservation, with a current in each period."""
    periods = tuple(msgspec.structs.replace(each, current_ma=seed % 48_000) for each in cdr.periods)
    made_at = cdr.started_at - timedelta(minutes=seed % 90)
    reservation = Reservation(start_at=made_at, end_at=cdr.started_at, expired=bool(seed % 2))
    return msgspec.structs.replace(cdr, periods=periods, reservation=reservation)


@settings(max_examples=60, deadline=None)
@given(seeds, seeds)
def test_a_station_that_computes_the_cost_comes_to_our_price(session_seed: int, tariff_seed: int) -> None:
    pick = random.Random(tariff_seed)
    document = some_tariff(tariff_seed)
    elements = [_for_station(pick, each) for each in document["elements"]]
    ours = read(*elements, element(FLAT=pick.randrange(9), **({"ENERGY": 4} if pick.random() < 0.5 else {})))
    theirs = written(ours, "ocpp-2.1")
    _check_schema(theirs)
    cdr = some_session(session_seed)
    assert station_cost(cdr, theirs) == rate(cdr, compile_tariff(ours, STOCKHOLM)).excl_vat


def _for_station(pick: random.Random, given: dict[str, Any]) -> dict[str, Any]:
    """The same element without what OCPP can't say: steps, parking, start fees by energy, prices per minute without end."""
    restrictions = given.get("restrictions", {})
    prices = {component["type"]: component["price"] for component in given["price_components"]}
    kept = {kind: price for kind, price in prices.items() if kind == "ENERGY"} | {"TIME": pick.randrange(200) * 6 / 100}
    if not {"min_kwh", "max_kwh", "min_power", "max_power", "min_duration", "max_duration"} & restrictions.keys():
        kept |= {kind: price for kind, price in prices.items() if kind == "FLAT"}
    return element(restrictions, **kept)

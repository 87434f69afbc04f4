"""Is what the meter showed read exactly?"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.events import MetersRead, Sample
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion
from laddbok.ocpp.meter import MAX_READING, in_whole_units, in_whole_units_scaled

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ENERGY, POWER, CURRENT = "Energy.Active.Import.Register", "Power.Active.Import", "Current.Import"


def samples_of(version: OcppVersion, *items: dict[str, Any]) -> tuple[Sample, ...]:
    outlet = {"connectorId": 1} if version is OcppVersion.V16 else {"evseId": 1}
    message = {**outlet, "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": list(items)}]}
    event = decode(Call("1", "MeterValues", msgspec.Raw(msgspec.json.encode(message))), version)
    assert isinstance(event, MetersRead)
    return event.samples


def of_16(*items: dict[str, Any]) -> Sample:
    [sample] = samples_of(OcppVersion.V16, *items)
    return sample


def of_201(*items: dict[str, Any]) -> Sample:
    [sample] = samples_of(OcppVersion.V201, *items)
    return sample


def item(value: str, measurand: str | None = None, **more: str) -> dict[str, str]:
    return {"value": value, **({"measurand": measurand} if measurand else {}), **more}


def test_a_value_alone_is_the_energy_register_in_wh() -> None:
    assert of_16(item("1234")) == Sample(at=AT, register_wh=1234)
    assert of_201({"value": 1234.5}) == Sample(at=AT, register_wh=1235)


@pytest.mark.parametrize(
    ("value", "unit", "register_wh"),
    [
        ("1.6250000000000002", "kWh", 1625),
        ("0.0005", "kWh", 1),
        (" 12.5 ", "Wh", 13),
        ("7", "KWH", 7000),
        ("1e3", "Wh", 1000),
    ],
)
def test_energy_is_rounded_half_up_to_whole_wh(value: str, unit: str, register_wh: int) -> None:
    assert of_16(item(value, ENERGY, unit=unit)).register_wh == register_wh


def test_S40_the_total_counts_and_not_its_phases() -> None:
    phases = [item(value, ENERGY, phase=phase) for value, phase in (("10", "L1"), ("20", "L2"), ("40", "L3"))]
    assert of_16(*phases, item("72", ENERGY)).register_wh == 72
    assert of_16(item("72", ENERGY), *phases).register_wh == 72
    assert of_16(*phases).register_wh == 70


def test_S41_neutral_and_line_to_line_are_not_added() -> None:
    odd = [item("5", POWER, phase="N"), item("900", POWER, phase="L1-L2")]
    assert of_16(*odd, item("100", POWER, phase="L1-N"), item("200", POWER, phase="L2-N")).power_w == 300
    assert of_16(*odd, item("100", POWER, phase="L1"), item("300", POWER, phase="L1-N")).power_w == 100


def test_S41_measurands_and_units_in_any_case() -> None:
    sample = of_16(item("16.1", "Current.import", phase="L1", unit="a"), item("7.4", "power.active.import", unit="KW"))
    assert (sample.currents_ma, sample.power_w) == ((16100,), 7400)


@pytest.mark.parametrize(
    ("measurand", "unit"), [(None, "A"), (ENERGY, "V"), (POWER, "A"), ("SoC", "V"), (CURRENT, "Wh")]
)
def test_a_unit_that_contradicts_its_measurand_leaves_the_value_out(measurand: str | None, unit: str) -> None:
    assert samples_of(OcppVersion.V16, item("15", measurand, unit=unit)) == ()


def test_the_outlet_is_preferred() -> None:
    inlet, outlet = item("900", ENERGY, location="Inlet"), item("800", ENERGY, location="Outlet")
    assert of_16(inlet, outlet).register_wh == of_16(outlet, inlet).register_wh == 800
    assert of_16(inlet).register_wh == 900


def test_everything_at_once() -> None:
    sample = of_16(
        item("100", ENERGY),
        item("5", "Energy.Active.Export.Register"),
        item("3", "Energy.Active.Import.Interval"),
        item("11000", "Power.Offered"),
        item("-1200", POWER),
        item("54.5", "SoC", unit="Percent"),
        item("16", CURRENT, phase="L3"),
        item("15.5", CURRENT, phase="L1"),
        item("230", "Voltage", unit="V"),
    )
    assert sample == Sample(
        at=AT,
        register_wh=100,
        export_register_wh=5,
        interval_wh=3,
        offered_w=11000,
        power_w=-1200,
        soc_pct=55,
        currents_ma=(15500, 16000),
    )


def test_nothing_that_we_use_is_no_sample() -> None:
    assert samples_of(OcppVersion.V16, item("230", "Voltage")) == ()
    assert samples_of(OcppVersion.V16) == ()
    assert samples_of(OcppVersion.V16, item("n/a", ENERGY), item("250", "SoC")) == (Sample(at=AT),)


def test_begin_and_end_in_one_reading_are_two_samples() -> None:
    begin, end = item("10", context="Transaction.Begin"), item("90", context="Transaction.End")
    samples = samples_of(OcppVersion.V16, begin, end)
    assert [(each.context, each.register_wh) for each in samples] == [
        ("Transaction.Begin", 10),
        ("Transaction.End", 90),
    ]


def test_signed_values_stay_verbatim_and_are_not_read_as_numbers() -> None:
    sample = of_16(item("90"), item("OCMF|{}|{}", format="SignedData"))
    assert (sample.register_wh, sample.signed) == (90, ("OCMF|{}|{}",))
    signed = {
        "signedMeterData": "b2NtZg==",
        "signingMethod": "ECDSA",
        "encodingMethod": "OCMF",
        "publicKey": "aGo=",
    }
    sample = of_201({"value": 90, "signedMeterValue": signed})
    assert sample.register_wh == 90 and msgspec.json.decode(sample.signed[0]) == signed


@pytest.mark.parametrize(("multiplier", "register_wh"), [(0, 12), (3, 12346), (-1, 1), (13, None)])
def test_the_multiplier_is_a_power_of_ten(multiplier: int, register_wh: int | None) -> None:
    unit = {"unit": "Wh", "multiplier": multiplier}
    samples = samples_of(OcppVersion.V201, {"value": 12.3456, "unitOfMeasure": unit})
    assert [each.register_wh for each in samples] == ([register_wh] if register_wh else [])


@given(st.decimals(min_value=0, max_value=10**9, places=3), st.sampled_from([1, 1000]))
def test_the_fast_way_rounds_as_decimals_do(number: Decimal, factor: int) -> None:
    exactly = int((number * factor).quantize(Decimal(1), ROUND_HALF_UP))
    assert in_whole_units(f"{number:f}", factor) == exactly == in_whole_units_scaled(number, factor, 0)


@given(st.text(max_size=40))
def test_any_text_is_a_bounded_number_or_none(text: str) -> None:
    number = in_whole_units(text, 1000)
    assert number is None or abs(number) <= MAX_READING

"""Are the registers of a signed reading read, however the station wraps it, and is nothing else taken for one?"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.sessions.signed import MAX_TEXT, energy_wh, register_wh, signed_text


def reading(
    value: Any, transaction: str | None = "E", register: str | None = "1-b:1.8.0", **more: Any
) -> dict[str, Any]:
    said = {"TX": transaction, "RV": value, "RI": register, "RU": "kWh", "ST": "G", **more}
    return {name: each for name, each in said.items() if each is not None}


def ocmf(*readings: dict[str, Any]) -> str:
    return f'OCMF|{json.dumps({"FV": "1.0", "RD": readings})}|{{"SD":"00"}}'


def test_the_last_register_and_the_energy_between_begin_and_end() -> None:
    text = ocmf(reading(1234.5, "B"), reading(1240.25, "C"), reading(1250.0005, "E"))
    assert register_wh(text) == 1250_001
    assert energy_wh(text) == 1250_001 - 1234_500


@pytest.mark.parametrize(
    ("more", "wh"),
    [
        ({"value": 1250, "RU": "Wh"}, 1250),
        ({"value": "       9.038"}, 9038),
        ({"value": "00000000.000"}, 0),
        ({"value": 1.606848e7, "RU": "Wh"}, 16_068_480),
        ({"value": 1, "register": "1-0:1.8.0*198"}, 1000),
        ({"value": 1, "register": "01-00:01.08.00.FF"}, 1000),
        ({"value": 1, "register": "1-b:1.8.e"}, 1000),
        ({"value": 1, "register": "01-00:B2.08.00*FF"}, 1000),
        ({"value": 30, "register": "01-00:00.08.06.FF", "RU": "sec"}, None),
        ({"value": 4.4, "register": "1-0:2.8.0"}, None),
        ({"value": 4.4, "register": "1-b:1.9.0"}, None),
        ({"value": 4.4, "register": None}, None),
        ({"value": 4.4, "RU": "MWh"}, None),
        ({"value": 4.4, "ST": "E"}, None),
        ({"value": 4.4, "EF": "Et"}, None),
        ({"value": 4.4, "EF": "t"}, 4400),
        ({"value": -1}, None),
        ({"value": "NaN"}, None),
        ({"value": "1e99"}, None),
        ({"value": "9" * 5000}, None),
        ({"value": True}, None),
        ({"value": [1]}, None),
    ],
)
def test_which_readings_are_energy_registers(more: dict[str, Any], wh: int | None) -> None:
    assert register_wh(ocmf(reading(**more))) == wh


def test_what_a_reading_leaves_out_is_that_of_the_reading_before() -> None:
    assert energy_wh(ocmf(reading(1, "B"), reading(2.5, "E", register=None, RU=None, ST=None))) == 1500


def test_other_registers_beside_the_total_do_not_mix_with_it() -> None:
    text = ocmf(
        reading(10, "B", "1-0:1.8.1"), reading(57.584, "B"), reading(4.405, None, "1-0:2.8.0"),
        reading(11, "E", "1-0:1.8.1"), reading(58.685, "E"), reading(4.405, None, "1-0:2.8.0"),
    )  # fmt: skip
    assert (register_wh(text), energy_wh(text)) == (58_685, 1_101)


def test_begin_alone_or_end_alone_is_a_register_and_no_energy() -> None:
    assert (register_wh(ocmf(reading(3, "B"))), energy_wh(ocmf(reading(3, "B")))) == (3000, None)
    assert (register_wh(ocmf(reading(3, "E"))), energy_wh(ocmf(reading(3, "E")))) == (3000, None)


def test_however_a_station_wraps_it() -> None:
    text = ocmf(reading(1.5))
    in_base64 = b64encode(text.encode()).decode()
    of_201 = json.dumps({"signedMeterData": in_base64, "publicKey": "MFkw", "encodingMethod": "OCMF"})
    for wrapped in (text, f" {text}\n", f"{text}|MFkw", in_base64, text.encode().hex(), of_201):
        assert signed_text(wrapped).text in (text, f"{text}|MFkw")
        assert register_wh(wrapped) == 1500
    assert signed_text(of_201).public_key == "MFkw"
    assert signed_text(text).public_key is None


@pytest.mark.parametrize(
    "odd",
    ["", "OCMF|", "OCMF|{}", "OCMF||", 'OCMF|{"RD":3}|{}', 'OCMF|{"RD":[3]}|{}', "{}", '{"signedMeterData":3}', "<xml/>",
     "x" * (MAX_TEXT + 1), "OCMF|" + "[" * 60_000, "\udc80", "OCMF|\udc80|", '{"signedMeterData":"\ud800"}'],
)  # fmt: skip
def test_what_can_not_be_read_is_none(odd: str) -> None:
    assert register_wh(odd) is None
    assert energy_wh(odd) is None


@given(st.text() | st.text().map(lambda text: f"OCMF|{text}|{text}"))
def test_any_text_gives_a_value_and_never_an_exception(text: str) -> None:
    register_wh(text)
    energy_wh(text)


def test_the_registers_of_real_meters(shared_data: Path) -> None:
    cases = json.loads((shared_data / "ocmf" / "ocmf_cases.json").read_text())
    texts = {case["file"].rpartition("/")[2]: case["ocmf"] for case in cases["valid"]}
    assert {name: (register_wh(text), energy_wh(text)) for name, text in texts.items()} == {
        "base64_ocmf.xml": (1_710, 0),
        "working_ocmf.xml": (16_086_276, 17_796),
        "fromweb.xml": (260, 0),
        "20211007-device-with-evt-ocmf-sss-ses.xml": (None, None),
        "OCMF_Test_Data_00.xml": (9_038, None),
        "VW_OCMF_load.xml": (58_685, 1_101),
        "brainpoolP256r1.xml": (1_833, None),
        "second_key_fail_ocmf.xml": (48_542, None),
        "keba_test.xml": (1_234_560, 0),
    }

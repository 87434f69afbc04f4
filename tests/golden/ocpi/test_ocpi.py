"""Do we price the examples of OCPI as their text does?

A folder is one example: a tariff, a CDR, and what the text says it costs. Inputs are typed anew for these tests. Each is
rated as it stands, and in the shape of the other OCPI version.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from laddbok.wires.ocpi_files import rate_files

FOLDER = Path(__file__).parent
EXAMPLES = sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))
OTHER_NAMES = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}


def in_2_3_0(tariff: dict[str, Any]) -> dict[str, Any]:
    """The same tariff as OCPI 2.3.0 writes it."""
    limits = {
        name: {OTHER_NAMES[key]: value for key, value in tariff[name].items()}
        for name in ("min_price", "max_price")
        if name in tariff
    }
    return {"tax_included": "NO", **tariff, **limits}


def check(answer: dict[str, Any], example: str) -> None:
    expected = json.loads((FOLDER / example / "expected.json").read_text(encoding="utf-8"))
    assert answer["total_cost"] == expected["total_cost"]
    lines = [[x["kind"], x["quantity"], x["excl_vat"], x["incl_vat"]] for x in answer["lines"]]
    assert lines == expected["lines"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: str) -> None:
    check(rate_files(FOLDER / example / "tariff.json", FOLDER / example / "cdr.json"), example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_in_2_3_0(example: str, tmp_path: Path) -> None:
    tariff = json.loads((FOLDER / example / "tariff.json").read_text(encoding="utf-8"))
    path = tmp_path / "tariff.json"
    path.write_text(json.dumps(in_2_3_0(tariff)), encoding="utf-8")
    answer = rate_files(path, FOLDER / example / "cdr.json", "2.3.0")
    assert answer["ocpi"] == "2.3.0"
    check(answer, example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_lines_sum_to_the_total(example: str) -> None:
    answer = rate_files(FOLDER / example / "tariff.json", FOLDER / example / "cdr.json")
    for side in ("excl_vat", "incl_vat"):
        if answer["total_cost"][side] is not None:
            assert sum(Decimal(x[side]) for x in answer["lines"]) == Decimal(answer["total_cost"][side])


STATED = {
    "tariff_8_simple_025kwh": [("energy_only", "€ 5.00 (excl. VAT) or € 5.50 (incl. VAT)")],
    "tariff_9_025kwh_start": [("energy_start_fee", "€ 5.50 (excl. VAT) or € 6.10 (incl. VAT)")],
    "tariff_12_025kwh_min_price": [
        ("min_price_passed", "€ 5.00 (excl. VAT) or € 5.50 (incl. VAT)"),
        ("min_price_not_reached", "€ 0.50 (excl. VAT) or € 0.55 (incl. VAT)"),
    ],
    "tariff_10_025kwh_parking_start": [("parking_start_fee", "€ 7.00 (excl. VAT) or € 7.90 (incl. VAT)")],
    "tariff_6_025kwh_start_max_price": [
        ("max_price_passed", "€ 10.00 (excl. VAT) or € 11.00 (incl. VAT)"),
        ("max_price_not_reached", "€ 8.00 (excl. VAT) and € 8.85 (incl. VAT)"),
    ],
    "tariff_1_simple_2hour": [("time_only", "€ 5.00 (excl. VAT) or € 5.50 (incl. VAT)")],
    "tariff_13_simple_3hour_5parking": [("time_and_parking", "€ 11.25 (excl. VAT) or € 12.75 (incl. VAT)")],
    "tariff_2_alt_text": [("odd_vat", "€ 4.75 (excl. VAT) or € 5.00 (incl. VAT)")],
    "tariff_3_alt_url": [("energy_in_steps", "Total: € 5.63 (excl. VAT), € 6.24 (incl. VAT)")],
}


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize(("tariff", "example", "price"), [(t, *each) for t in STATED for each in STATED[t]])
def test_the_specs_own_tariff(shared_data: Path, version: str, tariff: str, example: str, price: str) -> None:
    folder = shared_data / "ocpi" / f"spec_{version}"
    stated = json.loads((folder / "stated_prices.json").read_text(encoding="utf-8"))
    (text,) = (each["text"] for each in stated if each["example"] == f"examples/{tariff}.json")
    assert price in text
    answer = rate_files(folder / "examples" / f"{tariff}.json", FOLDER / example / "cdr.json", version)
    amounts = [answer["total_cost"][side] for side in ("excl_vat", "incl_vat")]
    assert all(f"€ {amount} " in price for amount in amounts)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_the_specs_own_cdr(shared_data: Path, tmp_path: Path, version: str) -> None:
    path = shared_data / "ocpi" / f"spec_{version}" / "examples/cdr_example.json"
    cdr = json.loads(path.read_text(encoding="utf-8"))
    (tmp_path / "tariff.json").write_text(json.dumps(cdr["tariffs"][0]), encoding="utf-8")
    answer = rate_files(tmp_path / "tariff.json", path)
    assert answer["total_cost"] == {"excl_vat": "4.00", "incl_vat": "4.40"}
    assert [finding["code"] for finding in answer["findings"]] == ["energy_spread"]

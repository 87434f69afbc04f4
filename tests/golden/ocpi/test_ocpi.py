"""Do we price the examples of OCPI as their text does?

A folder is one example: a tariff, a CDR, and what the text says it costs. Inputs are typed anew for these tests. Each is
rated as it stands, and in the shape of the other OCPI version.
"""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from laddbok.model.money import divide_half_up, from_minor, round_money
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


BOTH = ("2.2.1", "2.3.0")


class Stated(NamedTuple):
    """What a text of the spec says that a session costs; `tariff` is the spec's file, None where it prints none."""

    example: str
    tariff: str | None
    texts: tuple[str, ...]
    versions: tuple[str, ...] = BOTH


STATED = (
    Stated("energy_only", "tariff_8_simple_025kwh", ("costs of € 5.00 (excl. VAT) or € 5.50 (incl. VAT)",)),
    Stated("energy_start_fee", "tariff_9_025kwh_start", ("€ 5.50 (excl. VAT) or € 6.10 (incl. VAT)",)),
    Stated("min_price_passed", "tariff_12_025kwh_min_price", ("costs of € 5.00 (excl. VAT) or € 5.50 (incl. VAT)",)),
    Stated("min_price_not_reached", "tariff_12_025kwh_min_price", ("€ 0.50 (excl. VAT) or € 0.55 (incl. VAT)",)),
    Stated("parking_start_fee", "tariff_10_025kwh_parking_start", ("€ 7.00 (excl. VAT) or € 7.90 (incl. VAT)",)),
    Stated("max_price_passed", "tariff_6_025kwh_start_max_price", ("€ 10.00 (excl. VAT) or € 11.00 (incl. VAT)",)),
    Stated("max_price_not_reached", "tariff_6_025kwh_start_max_price", ("€ 8.00 (excl. VAT) and € 8.85 (incl. VAT)",)),
    Stated("time_only", "tariff_1_simple_2hour", ("costs of € 5.00 (excl. VAT) or € 5.50 (incl. VAT)",)),
    Stated("north_american_exclusive", "tariff_19_simple_north_american_exclusive", ("costs of C$ 5.00,",), ("2.3.0",)),
    Stated("north_american_inclusive", "tariff_20_simple_north_american_inclusive", ("costs of C$ 5.25.",), ("2.3.0",)),
    Stated("time_and_parking", "tariff_13_simple_3hour_5parking", ("€ 11.25 (excl. VAT) or € 12.75 (incl. VAT)",)),
    Stated("odd_vat", "tariff_2_alt_text", ("€ 4.75 (excl. VAT) or € 5.00 (incl. VAT)",)),
    Stated("energy_in_steps", "tariff_3_alt_url", ("Total: € 5.63 (excl. VAT), € 6.24 (incl. VAT)",)),
    Stated("energy_in_steps", "tariff_3_alt_url", ("| Total | | | 5.63 | |6.24",), ("2.2.1",)),
    Stated("energy_in_steps_at_022", None, ("Total: € 5.01 (excl. VAT), € 5.56 (incl. VAT)",)),
    Stated("complex_monday", "tariff_4_complex", ("€ 9.00 (excl. VAT) or € 10.30 (incl. VAT)", "| 9.00 | | 10.30")),
    Stated(
        "reservation_price", "tariff_15_reservation_5_euro_per_hour",
        ("€ 6.75 (excl. VAT) or € 7.60 (incl. VAT)", "| 6.75 | | 7.60"),
    ),
    Stated(
        "reservation_price_and_fee", "tariff_16_reservation_2_euro_fee_5_euro_per_hour",
        ("€ 8.75 (excl. VAT) or € 10.00 (incl. VAT)", "| 8.75 | | 10.00"),
    ),
    Stated(
        "reservation_expire_fee_used", "tariff_17_reservation_with_expire_fee",
        ("€ 6.50 (excl. VAT) or € 7.30 (incl. VAT)", "| 6.50 | | 7.30"),
    ),
    Stated(
        "reservation_expire_fee_expired", "tariff_17_reservation_with_expire_fee",
        ("€ 6.00 (excl. VAT) or € 7.20 (incl. VAT)", "| 6.00 | | 7.20"),
    ),
    Stated(
        "reservation_expire_time_used", "tariff_18_reservation_with_expire_time",
        ("costs of € 7.00 (excl. VAT) or € 7.90 (incl. VAT)", "| 7.00 | | 7.90"),
    ),
    Stated(
        "reservation_expire_time_expired", "tariff_18_reservation_with_expire_time",
        ("€ 9.00 (excl. VAT) or € 10.80 (incl. VAT)", "| 9.00 | | 10.80"),
    ),
    Stated("step_size_of_1_wh", None, ("total cost of € 0.029",)),
    Stated("step_size_of_25_wh", None, ("101 to 125 Wh: € 0.031",)),
    Stated("step_size_of_500_wh", None, ("1 to 500 Wh: € 0.125",)),
    Stated("step_size_charging_then_parking", "tariff_14_step_size", ("session costs € 0.55 ex VAT", "| Total | | | 0.55")),
    Stated("step_size_across_elements", "tariff_14_step_size", ("session fee of € 1.30.", "| Total | | | 1.30")),
    Stated("step_size_then_free", "tariff_14_step_size", ("total session fee of € 0.73.", "| Total | | | 0.73")),
    Stated("max_power", "tariffrestriction_example_max_power", ("costs of € 20.30 (excl. VAT)",)),
    Stated("max_duration", "tariffrestriction_example_max_duration", ("costs of € 0.30 (excl. VAT)",)),
)  # fmt: skip


class Wrong(NamedTuple):
    """A sum that the spec prints and that its own terms contradict: what they come to before rounding, and how it erred."""

    example: str
    tariff: str
    texts: tuple[str, ...]
    versions: tuple[str, ...]
    right: tuple[Fraction, Fraction]
    printed: tuple[Fraction, Fraction]


def with_vat(*lines: tuple[str, int, int]) -> tuple[Fraction, Fraction]:
    """The exact sum of (price, quantity in thousandths, VAT percent), before and after VAT."""
    nets = [(Fraction(price) * thousandths / 1000, percent) for price, thousandths, percent in lines]
    return sum(net for net, _ in nets), sum(net * (100 + percent) / 100 for net, percent in nets)


WRONG = (
    Wrong(
        "complex_saturday", "tariff_4_complex",
        ("a total cost of € 12.28 (excl. VAT) or € 13.861 (incl. VAT)", "| Total | | | 12.28 | | 13.861"), BOTH,
        right=with_vat(("2.50", 1000, 15), ("1.25", 1900, 20), ("6.00", 1250, 10)),
        printed=with_vat(("2.50", 1000, 15), ("1.20", 1900, 20), ("6.00", 1250, 10)),
    ),
    Wrong(
        "energy_in_steps", "tariff_3_alt_url", ("| Total | | | 5.61 | |6.22",), ("2.3.0",),
        right=with_vat(("0.50", 1000, 20), ("0.25", 20500, 10)), printed=with_vat(("0.50", 1000, 20), ("0.25", 20450, 10)),
    ),
)  # fmt: skip

NO_SESSION = (
    "the credit card start tariff is",
    "But by modeling it as € 0.50 start tariff",
    "With an assumed current energy price of",
    "with an energy price of € 0.25 / kWh",
    "* Start fee: € 0.50",
    "* Energy costs: €",
    "- 1 kWh at 6 kW:",
    "- 40 kWh at 48 kW:",
    "- 0.5 kWh at 4 kW:",
    "- 5 kWh for free:",
    "- 1.2 kWh at 0.25/kWh:",
    "- Charging fee of",
    "- Parking fee of",
)
"""Lines with an amount that no session costs: a price, or a part of a sum that stands beside it."""

NO_PRICE = {"tariff_put_example", "tariff_11_not_possible_alt_text", "tariff_5_free_of_charge", "tariff_14_step_size"}
"""Examples whose own text states no sum of a session; the step sizes and what is free are examples all the same."""


def text_of(shared_data: Path, version: str) -> str:
    text = (shared_data / "ocpi" / f"spec_{version}" / "mod_tariffs.asciidoc").read_text(encoding="utf-8")
    return text.replace("\u00a0", " ")


def amounts_in(text: str) -> list[Decimal]:
    return [round_money(Decimal(number), "EUR") for number in re.findall(r"\d+\.\d+", text)]


def told(answer: dict[str, Any]) -> list[Decimal]:
    amounts = (answer["total_cost"][side] for side in ("excl_vat", "incl_vat"))
    return [Decimal(amount) for amount in amounts if amount is not None]


@pytest.mark.parametrize(("version", "stated"), [(v, each) for each in STATED for v in each.versions])
def test_the_specs_own_tariff(shared_data: Path, version: str, stated: Stated) -> None:
    text = " ".join(text_of(shared_data, version).split())
    folder = shared_data / "ocpi" / f"spec_{version}" / "examples"
    tariff = FOLDER / stated.example / "tariff.json" if stated.tariff is None else folder / f"{stated.tariff}.json"
    answer = rate_files(tariff, FOLDER / stated.example / "cdr.json")
    for price in stated.texts:
        assert price in text
        amounts = amounts_in(price)
        assert amounts == told(answer)[: len(amounts)]


@pytest.mark.parametrize(("version", "wrong"), [(v, each) for each in WRONG for v in each.versions])
def test_the_specs_own_wrong_sum(shared_data: Path, version: str, wrong: Wrong) -> None:
    text = " ".join(text_of(shared_data, version).split())
    tariff = shared_data / "ocpi" / f"spec_{version}" / "examples" / f"{wrong.tariff}.json"
    answer = rate_files(tariff, FOLDER / wrong.example / "cdr.json")
    for price in wrong.texts:
        assert price in text
        assert amounts_in(price) == [rounded(amount) for amount in wrong.printed]
        assert amounts_in(price) != told(answer)
    assert told(answer) == [rounded(amount) for amount in wrong.right]


def rounded(amount: Fraction) -> Decimal:
    return from_minor(divide_half_up(amount.numerator * 100, amount.denominator), "EUR")


@pytest.mark.parametrize("version", BOTH)
def test_no_stated_price_is_left_out(shared_data: Path, version: str) -> None:
    known = [text for each in (*STATED, *WRONG) if version in each.versions for text in each.texts]
    lines = text_of(shared_data, version).splitlines()
    left_out, found = [], 0
    for i, line in enumerate(lines):
        if not re.search(r"(€|C\$) ?\d|^\| Total ", line) or line.startswith(("**", "=", *NO_SESSION)):
            continue
        there = " ".join(lines[i : i + 2])
        if not any(0 <= there.find(text) < len(line) for text in (*known, *NO_SESSION)):
            left_out.append(line)
        found += 1
    assert not left_out
    assert found > 40


@pytest.mark.parametrize("version", BOTH)
def test_no_example_is_left_out(shared_data: Path, version: str) -> None:
    path = shared_data / "ocpi" / f"spec_{version}" / "stated_prices.json"
    examples = {Path(each["example"]).stem for each in json.loads(path.read_text(encoding="utf-8"))}
    assert examples <= NO_PRICE | {each.tariff for each in (*STATED, *WRONG)}


@pytest.mark.parametrize("version", BOTH)
def test_the_specs_own_cdr(shared_data: Path, tmp_path: Path, version: str) -> None:
    path = shared_data / "ocpi" / f"spec_{version}" / "examples/cdr_example.json"
    cdr = json.loads(path.read_text(encoding="utf-8"))
    (tmp_path / "tariff.json").write_text(json.dumps(cdr["tariffs"][0]), encoding="utf-8")
    answer = rate_files(tmp_path / "tariff.json", path)
    assert answer["total_cost"] == {"excl_vat": "4.00", "incl_vat": "4.40"}
    assert [finding["code"] for finding in answer["findings"]] == ["energy_spread"]

"""Does `laddbok rate` price a spot tariff with a file of day-ahead prices, and never without?"""

import json
from pathlib import Path
from typing import Any

import pytest

from laddbok.cli import main
from laddbok.model.errors import Invalid
from tests.rules.wires.test_ocpi_files import CDR, TARIFF, rated

SPOT: dict[str, Any] = {
    "id": "T2",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "FLAT", "price": 5, "vat": 25}]}],
    "laddbok": {
        "spot": {
            "zone": "SE3", "markup": "0.05", "vat": 25,
            "grid": [{"per_kwh": "0.15", "start_time": "22:00"}, {"per_kwh": "0.25"}],
        }
    },
}  # fmt: skip
AN_HOUR_AND_A_HALF = CDR | {
    "charging_periods": [
        {"start_date_time": "2026-05-08T19:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 6}, {"type": "TIME", "volume": 1.5}]},
        CDR["charging_periods"][1],
    ],
    "total_energy": 6,
}  # fmt: skip
PRICES = """zone,start_utc,minutes,SEK_per_kWh,EUR_per_kWh
SE3,2026-05-08T19:00:00Z,60,0.50,0.05
SE4,2026-05-08T20:00:00Z,60,9.00,0.90
SE3,2026-05-08T20:00:00Z,15,-0.40,-0.04
SE3,2026-05-08T20:15:00Z,15,0.20,0.02
"""


def prices_in(folder: Path, text: str = PRICES) -> Path:
    path = folder / "prices.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_quarter_has_its_price_and_says_what_it_is_made_of(tmp_path: Path) -> None:
    answer = rated(tmp_path, SPOT, AN_HOUR_AND_A_HALF, prices_path=prices_in(tmp_path), explain=True)
    prices = [line["price"] for line in answer["lines"] if line["kind"] == "energy"]
    assert prices == ["0.80", "0.80", "0.80", "0.80", "-0.20", "0.40"]
    assert answer["total_energy_cost"] == {"excl_vat": "3.40", "incl_vat": "4.25"}
    assert answer["total_cost"] == {"excl_vat": "8.40", "incl_vat": "10.50"}
    assert answer["lines"][5]["parts"] == {
        "spot": "-0.40", "markup": "0.05", "grid": "0.15", "energy_tax": "0", "source": "prices.csv"
    }  # fmt: skip
    assert not any(line["pending"] for line in answer["lines"])


@pytest.mark.parametrize("text", [None, PRICES.replace("SE3,2026-05-08T20:15", "SE4,2026-05-08T21:15")])
def test_a_quarter_without_a_price_leaves_the_session_without_one(tmp_path: Path, text: str | None) -> None:
    path = None if text is None else prices_in(tmp_path, text)
    answer = rated(tmp_path, SPOT, AN_HOUR_AND_A_HALF, prices_path=path, explain=True)
    assert answer["total_cost"] == answer["total_energy_cost"] == {"excl_vat": None, "incl_vat": None}
    assert answer["total_fixed_cost"] == {"excl_vat": "5.00", "incl_vat": "6.25"}
    assert sum(line["pending"] for line in answer["lines"]) == (6 if text is None else 1)
    assert [finding["code"] for finding in answer["findings"]] == ["price_pending"]


@pytest.mark.parametrize(("was", "now"), [("SE3", "SE2"), ("SEK_per_kWh", "NOK_per_kWh")])
def test_prices_of_another_zone_or_currency_are_refused(tmp_path: Path, was: str, now: str) -> None:
    path = prices_in(tmp_path, PRICES.replace(was, now))
    with pytest.raises(Invalid, match=r"prices\.csv: has no prices of SE3 in SEK"):
        rated(tmp_path, SPOT, AN_HOUR_AND_A_HALF, prices_path=path)


def test_a_tariff_without_a_spot_price_needs_no_prices(tmp_path: Path) -> None:
    assert rated(tmp_path, TARIFF, CDR, prices_path=tmp_path / "absent.csv") == rated(tmp_path, TARIFF, CDR)


def test_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = rated(tmp_path, SPOT, AN_HOUR_AND_A_HALF, prices_path=prices_in(tmp_path))
    names = {"tariff": "tariff.json", "cdr": "cdr.json", "prices": "prices.csv"}
    options = [word for name, file in names.items() for word in (f"--{name}", str(tmp_path / file))]
    assert main(["rate", *options]) == 0
    assert json.loads(capsys.readouterr().out) == answer
    (tmp_path / "prices.csv").write_text("zone,price\n", encoding="utf-8")
    assert main(["rate", *options]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)

"""Does `laddbok tariff compare` tell what sessions would have cost, from files and from what is stored?"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laddbok.cli import main
from laddbok.model.cdr import Cdr
from tests.edge.api.conftest import NOW, RunningApi
from tests.rules.rating.building import CHARGING, session

HISTORY = """session_id,station,start,end,energy_kwh,time_zone,id_token
A1,G1,2025-05-05 18:00,2025-05-06 07:00,60,Europe/Stockholm,ANNA
A2,G1,2025-05-07 18:00,2025-05-08 07:00,60,Europe/Stockholm,ANNA
B1,G2,2025-06-02 23:00,2025-06-03 07:00,10,Europe/Stockholm,BO
C1,G2,2025-06-02 23:00,,10,Europe/Stockholm,BO
"""
PRICES = "zone,start_utc,minutes,SEK_per_kWh,EUR_per_kWh\n"

Compare = Callable[..., dict[str, Any]]


def energy(price: str, **more: Any) -> dict[str, Any]:
    return {"elements": [{"price_components": [{"type": "ENERGY", "price": price, "vat": 25}]}], **more}


PLANS: dict[str, dict[str, Any]] = {
    "fixed": energy("2.00"),
    "included": energy(
        "3.00", laddbok={"subscription": {"month_fee": "80", "tiers": [{"to_kwh": 100, "per_kwh": 0}], "vat": 25}}
    ),
    "spot": {"elements": [], "laddbok": {"spot": {"zone": "SE3", "markup": "0.10", "vat": 25}}},
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The paths of a history, of the plans, and of the prices of two of its nights."""
    found = {"history": tmp_path / "history.csv", "prices": tmp_path / "prices.csv"}
    found["history"].write_text(HISTORY)
    hours = [datetime(2025, 5, 5, 16, tzinfo=UTC) + timedelta(hours=n) for n in range(13)]
    hours += [datetime(2025, 5, 7, 16, tzinfo=UTC) + timedelta(hours=n) for n in range(13)]
    found["prices"].write_text(PRICES + "".join(f"SE3,{hour:%Y-%m-%dT%H:%M:%SZ},60,0.90,0.08\n" for hour in hours))
    for name, terms in PLANS.items():
        found[name] = tmp_path / f"{name}.json"
        found[name].write_text(json.dumps({"id": name, "currency": "SEK", **terms}))
    return {name: str(path) for name, path in found.items()}


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compare:
    """Runs the command and gives its object; there is no database."""
    monkeypatch.setenv("LADDBOK_DATA", str(tmp_path / "nothing"))
    monkeypatch.delenv("LADDBOK_DATABASE_URL", raising=False)

    def run(*arguments: str) -> dict[str, Any]:
        code = main(["tariff", "compare", "--json", *arguments])
        told = capsys.readouterr()
        assert code == 0, told.err
        found: dict[str, Any] = json.loads(told.out)
        return found

    return run


def gross(found: dict[str, Any], part: str = "total") -> dict[str, str]:
    return {plan["plan"]: plan[part]["incl_vat"] for plan in found["plans"]}


def test_a_history_under_two_plans(compare: Compare, files: dict[str, str]) -> None:
    found = compare("--sessions", files["history"], "--tariff", files["fixed"], "--tariff", files["included"])
    assert (found["sessions"], found["energy_wh"], found["contracts"], found["side"]) == (3, 130_000, 1, "incl_vat")
    # 120 kWh in May of which 20 are not included, 10 in June, and two month fees.
    assert gross(found) == {"fixed": "325.00", "included": "275.00"}
    assert gross(found, "included") == {"fixed": "0", "included": "-412.50"}
    assert gross(found, "fees") == {"fixed": "0", "included": "200.00"}
    assert found["plans"][1]["months"] == {
        "2025-05": {"excl_vat": "140.00", "incl_vat": "175.00"}, "2025-06": {"excl_vat": "80.00", "incl_vat": "100.00"},
    }  # fmt: skip
    assert (found["cheapest"], found["rejected"], found["left_out"]) == (["included"], {"missing_end": 1}, [])


def test_B37_what_has_no_market_price_is_named_and_compared_for_nobody(compare: Compare, files: dict[str, str]) -> None:
    found = compare(
        "--sessions", files["history"], "--tariff", files["fixed"], "--tariff", files["spot"], "--prices", files["prices"]
    )  # fmt: skip
    assert found["left_out"] == [{"session": "B1", "plan": "spot", "why": "no market price at 2025-06-02T21:00:00Z"}]
    assert (found["left_out_count"], found["sessions"], found["energy_wh"]) == (1, 2, 120_000)
    assert gross(found) == {"fixed": "300.00", "spot": "150.00"}


def test_each_driver_has_a_contract_of_their_own(compare: Compare, files: dict[str, str]) -> None:
    plans = ("--tariff", files["fixed"], "--tariff", files["included"])
    found = compare("--sessions", files["history"], *plans, "--each-driver")
    assert {plan["plan"]: plan["cheapest_for"] for plan in found["plans"]} == {"fixed": 1, "included": 1}
    assert gross(found, "fees")["included"] == "200.00"
    alone = [compare("--sessions", files["history"], *plans, "--driver", driver) for driver in ("ANNA", "BO")]
    for name, amount in gross(found).items():
        assert Decimal(amount) == sum(Decimal(gross(each)[name]) for each in alone)


def test_days_months_and_years_can_be_chosen(compare: Compare, files: dict[str, str]) -> None:
    plans = ("--tariff", files["included"])
    found = compare("--sessions", files["history"], *plans, "--from", "2025-05-16", "--to", "2025-06-03")
    assert (found["sessions"], gross(found, "fees")) == (1, {"included": "61.61"})  # 16 of 31 and 3 of 30 days
    later = compare("--sessions", files["history"], *plans, "--shift-years", "1")
    assert (later["shift_weeks"], [*later["plans"][0]["months"]]) == (52, ["2026-05", "2026-06"])


def test_what_can_not_be_compared_is_one_clear_line(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LADDBOK_DATA", str(tmp_path / "nothing"))
    monkeypatch.delenv("LADDBOK_DATABASE_URL", raising=False)
    history, fixed = ("--sessions", files["history"]), ("--tariff", files["fixed"])
    for arguments, told in (
        ((), "sessions: needs"),
        (history, "tariff: needs"),
        ((*history, *fixed, "--contract", "k"), "contract: the sessions are those of the file"),
        ((*history, *fixed, "--from", "2026-01-01", "--to", "2025-01-01"), "to: 2025-01-01 is before"),
        ((*history, *fixed, "--driver", "nobody"), "sessions: there is none"),
        ((*history, *fixed, "--time-zone", "Mars/Phobos"), "time_zone: "),
        ((*history, *fixed, "--shift-years", "101"), "shift_years: "),
        ((*history, *fixed, "--format", "perth_kinross"), "header: "),
        ((*history, "--tariff", files["history"]), "is not JSON"),
        ((*history, *fixed, *fixed, *fixed), "plans: two have one name"),
        ((*history, "--tariff", files["spot"]), "there is no database"),
        ((*fixed, "--contract", "k"), "there is no database"),
    ):
        assert main(["tariff", "compare", *arguments]) == 1, arguments
        assert told in capsys.readouterr().err, arguments


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["cheapest: included (50.00 kr less than fixed)", "month fees", "missing_end 1"]),
        ("sv", ["billigast: included (50,00 kr mindre än fixed)", "månadsavgifter", "130,000 kWh"]),
    ],
)
def test_the_table_in_both_languages(
    compare: Compare, files: dict[str, str], capsys: pytest.CaptureFixture[str], language: str, words: list[str]
) -> None:
    plans = ("--tariff", files["fixed"], "--tariff", files["included"])
    assert main(["tariff", "compare", "--sessions", files["history"], *plans, "--language", language]) == 0
    table = capsys.readouterr().out
    for word in words:
        assert word in table
    rows = [line for line in table.splitlines() if line.startswith("2025-")]
    assert len(rows) == 2 and len({len(row) for row in rows}) == 1


def stored(house: RunningApi, number: int, cdr: Cdr, contract: str, kinds: tuple[str, ...] = ("cdr",)) -> None:
    """A session with its CDR, and what became of it, as the worker leaves them."""
    name = f"S{number}"
    house.sql(
        "INSERT INTO session (tenant, id, origin, station, contract_id, state, version, started_at, ended_at, id_token, body)"
        " VALUES (1, $1, 'station', 'LB-1', $2, 'settled', 1, $3, $4, 'ANNA', '{}')",
        name, contract, cdr.started_at, cdr.transaction_ended_at,
    )  # fmt: skip
    for revision, kind in enumerate(kinds):
        house.sql(
            "INSERT INTO cdr VALUES (1, $1, $2, $3, $4, $5, 'SEK', 1, 1, 'fixed', 1, $6, '{}')",
            name, 1 + revision // 2, kind, NOW, cdr.energy_wh,
            msgspec.json.encode(msgspec.structs.replace(cdr, session_id=name)).decode(),
        )  # fmt: skip


@pytest.fixture(scope="module")
def filled(house: RunningApi) -> RunningApi:
    """A contract with three sessions of which one is credited, two plans on offer and one that has ended, and prices for one
    of its nights."""
    for name, terms in PLANS.items():
        house.client.post("/tariffs", json={"id": name, "currency": "SEK", **terms}).raise_for_status()
    ended = {"id": "ended", "currency": "SEK", "end_date_time": "2026-03-02T00:00:00Z", **PLANS["fixed"]}
    house.client.post("/tariffs", json=ended).raise_for_status()
    for contract in ("k", "j"):
        house.client.post("/contracts", json={"id": contract, "name": contract}).raise_for_status()
    for name, sv, en in (("fixed", "Fast", "Fixed"), ("spot", "Börs", "Market"), ("ended", "Förr", "Before")):
        texts = {"name": {"sv": sv, "en": en}, "about": {"sv": "x", "en": "x"}}
        house.client.put(f"/contracts/k/plans/{name}", json=texts).raise_for_status()
    house.client.put("/contracts/k/plan", json={"tariff_id": "fixed"}).raise_for_status()
    for number in (1, 2, 3):
        night = session(f"2026-02-0{number}T18:00", (60, CHARGING, 10_000))
        stored(house, number, night, "k", {3: ("cdr", "credit")}.get(number, ("cdr",)))
    stored(house, 4, session("2026-02-04T18:00", (60, CHARGING, 5_000)), "j", ("cdr", "credit", "cdr"))
    for quarter in range(4):
        house.sql(
            "INSERT INTO spot_price (tenant, zone, currency, start_at, version, price_per_kwh, minutes, source, received_at)"
            " VALUES (1, 'SE3', 'SEK', $1, 1, 0.90, 15, 'test', $2)",
            datetime.fromisoformat("2026-02-01T17:00:00Z") + timedelta(minutes=15 * quarter), NOW,
        )  # fmt: skip
    return house


@pytest.fixture
def compare_stored(filled: RunningApi, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Runs the command on the database of the house."""
    dsn = filled.dsn
    monkeypatch.setenv(
        "LADDBOK_DATABASE_URL", f"postgresql://{dsn['user']}@/{dsn['database']}?host={dsn['host']}&port={dsn['port']}"
    )
    return compare


def test_a_contracts_cdrs_under_the_plans_that_it_is_offered(compare_stored: Compare) -> None:
    found = compare_stored("--contract", "k")
    assert [(plan["plan"], plan["tariff_id"]) for plan in found["plans"]] == [("Fixed", "fixed"), ("Market", "spot")]
    assert found["present"] == ["Fixed"]
    assert found["left_out"] == [{"session": "S2", "plan": "Market", "why": "no market price at 2026-02-02T17:00:00Z"}]
    assert (found["sessions"], gross(found)) == (1, {"Fixed": "25.00", "Market": "12.50"})


def test_a_credited_cdr_does_not_count_and_its_next_revision_does(
    compare_stored: Compare, files: dict[str, str]
) -> None:
    fixed = ("--tariff", files["fixed"])
    assert compare_stored("--contract", "k", *fixed)["energy_wh"] == 20_000
    assert compare_stored("--from", "2026-02-01", "--to", "2026-02-28", *fixed)["energy_wh"] == 25_000
    assert compare_stored("--from", "2026-02-02", "--to", "2026-02-02", *fixed)["energy_wh"] == 10_000
    shifted = compare_stored("--from", "2027-02-01", "--to", "2027-02-28", "--shift-years", "1", *fixed)
    assert shifted["energy_wh"] == 15_000  # S1 moves by 52 weeks, to the last day of January


def test_a_file_of_sessions_under_the_plans_of_a_contract(compare_stored: Compare, files: dict[str, str]) -> None:
    arguments = ("--sessions", files["history"], "--plan-of", "k", "--prices", files["prices"], "--language", "sv")
    assert gross(compare_stored(*arguments)) == {"Fast": "300.00", "Börs": "150.00"}


def test_a_contract_that_nobody_has_is_not_found(compare_stored: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tariff", "compare", "--contract", "nobody"]) == 1
    assert "no contract 'nobody'" in capsys.readouterr().err


def test_a_month_of_real_sessions_at_real_prices(compare: Compare, tmp_path: Path, shared_data: Path) -> None:
    plans: list[str] = []
    for name, markup in (("spot", "0.10"), ("dearer", "1.10")):
        terms = {"zone": "SE3", "markup": markup, "energy_tax": [{"per_kwh": "0.439"}], "vat": 25}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"id": name, "currency": "SEK", "elements": [], "laddbok": {"spot": terms}}))
        plans += ["--tariff", str(path)]
    fixed = tmp_path / "fixed.json"
    fixed.write_text(json.dumps({"id": "fixed", "currency": "SEK", **energy("2.00")}))
    found = compare(
        "--sessions", str(shared_data / "sessions/norway_12_residential_2018_2021.csv.gz"), "--shift-years", "6",
        "--from", "2025-10-01", "--to", "2025-10-31", "--power-kw", "7.2", *plans, "--tariff", str(fixed),
        "--prices", str(shared_data / "prices/day_ahead_se1_se4_2024_2026.csv.gz"),
    )  # fmt: skip
    assert (found["left_out_count"], found["sessions"] > 1_000) == (0, True)
    assert [[*plan["months"]] for plan in found["plans"]] == [["2025-10"]] * 3
    nets = {plan["plan"]: Decimal(plan["total"]["excl_vat"]) for plan in found["plans"]}
    kwh = Decimal(found["energy_wh"]) / 1_000
    rounding = Decimal("0.01") * found["sessions"]
    assert abs(nets["fixed"] - 2 * kwh) <= rounding / 2
    # The market's price is the same in both; and it can't have been more than a few kronor, nor far below nothing.
    assert abs(nets["dearer"] - nets["spot"] - kwh) <= rounding
    assert Decimal("0.4") * kwh < nets["spot"] < 5 * kwh


def test_what_is_not_named_of_the_sessions_left_out_is_counted_by_session(
    capsys: pytest.CaptureFixture[str], files: dict[str, str], tmp_path: Path
) -> None:
    rows = [f"D{n},G1,2025-07-{n:02} 18:00,2025-07-{n:02} 19:00,5,Europe/Stockholm,ANNA\n" for n in range(1, 13)]
    history = tmp_path / "july.csv"
    history.write_text(HISTORY.splitlines(keepends=True)[0] + "".join(rows))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"id": "other", "currency": "SEK", **PLANS["spot"]}))
    plans = ("--tariff", files["spot"], "--tariff", str(other), "--prices", files["prices"])
    assert main(["tariff", "compare", "--sessions", str(history), *plans]) == 0
    printed = capsys.readouterr().out
    named = {line.split()[0] for line in printed.splitlines() if "no market price at" in line}
    assert "12 sessions are in no total" in printed
    assert f"  and {12 - len(named)} more\n" in printed

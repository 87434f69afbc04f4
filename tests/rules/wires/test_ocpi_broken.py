"""Is broken input refused by `laddbok rate` with the field that is wrong, and what isn't broken priced with sums that hold?

Both documents are spoilt in 500 ways, the same each time: fields dropped, types changed, numbers huge, negative or none,
garbage for text. Whatever comes of it, nobody sees a traceback.
"""

import json
import random
import re
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from laddbok import cli
from tests.rules.wires.test_ocpi_files import AMOUNTS, CDR, COSTS, NIGHTLY, TARIFF, changed

GOLDEN = Path(__file__).parents[2] / "golden/ocpi"
NAMED = re.compile(r"laddbok: ([A-Za-z_]\w*(?:\[\d+\])*(?:\.\w+(?:\[\d+\])*)*): \S.*\n")
SPOT: dict[str, Any] = {
    "id": "T2",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "FLAT", "price": 5, "vat": 25}]}],
    "laddbok": {
        "spot": {"zone": "SE3", "markup": "0.05", "grid": [{"per_kwh": "0.25", "start_time": "06:00"}], "vat": 25},
        "idle": {"per_min": "0.10", "grace_s": 600, "cap": 20, "exempt": [{"start_time": "22:00"}]},
    },
}

Outcome = tuple[int, str, str]


def rate(capsys: pytest.CaptureFixture[str], *options: str) -> Outcome:
    code = cli.main(["rate", *options])
    told = capsys.readouterr()
    return code, told.out, told.err


def rate_texts(folder: Path, capsys: pytest.CaptureFixture[str], tariff: str, cdr: str, *more: str) -> Outcome:
    for name, text in (("tariff", tariff), ("cdr", cdr)):
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return rate(capsys, "--tariff", str(folder / "tariff.json"), "--cdr", str(folder / "cdr.json"), "--explain", *more)


@pytest.mark.parametrize(
    ("tariff", "cdr", "field"),
    [
        (changed(TARIFF, "currency", to=...), CDR, "currency"),
        (TARIFF, changed(CDR, "currency", to=...), "currency"),
        (TARIFF | {"currency": "kr"}, CDR | {"currency": "kr"}, "currency"),
        (
            changed(TARIFF, "elements", 0, "price_components", 0, "type", to="HEAT"), CDR,
            "elements[0].price_components[0].type",
        ),
        (
            TARIFF, changed(CDR, "charging_periods", 0, "dimensions", 0, "type", to="HEAT"),
            "charging_periods[0].dimensions[0].type",
        ),
        (
            TARIFF, changed(CDR, "charging_periods", 1, "dimensions", 0, "volume", to=-0.5),
            "charging_periods[1].dimensions[0].volume",
        ),
        (TARIFF, CDR | {"total_energy": -8}, "total_energy"),
        (TARIFF, CDR | {"end_date_time": "2026-05-08T18:59:59Z"}, "end_date_time"),
        (NIGHTLY, changed(CDR, "cdr_location", to={}), "time_zone"),
        (TARIFF, changed(CDR, "cdr_location", "time_zone", to="Mars/Olympus"), "time_zone"),
        (TARIFF | {"elements": []}, CDR, "elements"),
        (TARIFF | {"laddbok": {"idle": {"per_min": 1, "grace": 5}}}, CDR, "laddbok.idle"),
    ],
)  # fmt: skip
def test_broken_input_is_refused_with_its_field_and_never_priced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tariff: dict[str, Any], cdr: dict[str, Any], field: str
) -> None:
    code, out, err = rate_texts(tmp_path, capsys, json.dumps(tariff), json.dumps(cdr))
    assert (code, out) == (1, "")
    told = NAMED.fullmatch(err)
    assert told and told[1] == field


def test_a_time_zone_that_is_none_is_refused_also_where_no_clock_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for zone in ("Europe/Atlantis", "CEST+", "../x", ""):
        code, out, err = rate_texts(tmp_path, capsys, json.dumps(TARIFF), json.dumps(CDR), "--time-zone", zone)
        assert (code, out, err.startswith("laddbok: time_zone: ")) == (1, "", True)


def test_a_file_of_10_MB_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    padded = json.dumps(CDR | {"remark": "x" * 10_000_000})
    code, out, err = rate_texts(tmp_path, capsys, json.dumps(TARIFF), padded)
    assert (code, out) == (1, "")
    assert err.endswith("cdr.json: is 10 MB or more\n")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"id": NaN}', '{"id": "\ud800"}', "[" * 100_000, '{"a":' * 100_000, "\x00", "1"]
)
def test_what_is_no_document_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    for path, other in (("tariff", "cdr"), ("cdr", "tariff")):
        (tmp_path / f"{path}.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        (tmp_path / f"{other}.json").write_text(json.dumps({"cdr": CDR, "tariff": TARIFF}[other]), encoding="utf-8")
        files = [str(tmp_path / "tariff.json"), str(tmp_path / "cdr.json")]
        code, out, err = rate(capsys, "--tariff", files[0], "--cdr", files[1])
        assert (code, out, err.count("\n"), f"{path}.json: is not" in err) == (1, "", 1, True)


JUNK = [
    None, -1, 0, "", [], {}, "x", 1e300, True, [None], 10**40, "1e400", "NaN", "Infinity", 2**63, -0.0, "1_0", "٣", "\u0000",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "25:00", "00:00", {"a": [1]}, 1e-300,
    "ENERGY", "TIME", "RESERVATION_TIME", "RESERVATION_EXPIRES", "MAX_CURRENT", "YES", "N/A", 999_999_999, "999999999", 0.1,
]  # fmt: skip


def documents() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """A few of ours, and all the examples of OCPI."""
    folders = sorted(path.parent for path in GOLDEN.glob("*/tariff.json"))
    golden = [
        tuple(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("tariff", "cdr"))
        for folder in folders
    ]
    return [(TARIFF, CDR), (NIGHTLY, CDR), (SPOT, CDR), (TARIFF, CDR | {"credit": True}), *golden]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys or indices."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def spoil(document: dict[str, Any], pick: random.Random) -> None:
    """One thing of it is dropped, doubled, or becomes something else."""
    container, key = pick.choice(places(document))
    way = pick.randrange(8)
    if way == 0:
        del container[key]
    elif way == 1 and isinstance(container, list):
        container.append(deepcopy(container[key]))
    elif way == 2 and isinstance(container[key], int | float):
        container[key] = pick.choice([-container[key], container[key] * 10**12, str(container[key]), [container[key]]])
    else:
        container[key] = deepcopy(pick.choice(JUNK))


def sums_hold(answer: dict[str, Any]) -> bool:
    """Whether the lines sum to the total, and each dimension's to its cost, on each side of VAT that is known."""
    lines = answer["lines"]
    for side in AMOUNTS:
        total = answer["total_cost"][side]
        if total is None:
            continue
        amounts = [line[side] for line in lines]
        if None in amounts or sum(map(Decimal, amounts)) != Decimal(total):
            return False
        costs = [answer[f"total_{cost}_cost"] for cost in COSTS]
        limits = [line[side] for line in lines if line["kind"] in ("floor", "min_price", "max_price")]
        if sum(Decimal(cost[side]) for cost in costs if cost) + sum(map(Decimal, limits)) != Decimal(total):
            return False
    return all(line["text"]["en"] and line["text"]["sv"] for line in lines)


def test_whatever_a_file_says_it_is_priced_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = cli.build_parser()  # built once, for it takes longer than the rest
    monkeypatch.setattr(cli, "build_parser", lambda: parser)
    pick, all_documents, refused = random.Random(7), documents(), 0
    for n in range(500):
        tariff, cdr = deepcopy(all_documents[n % len(all_documents)])
        for _ in range(pick.choice([1, 1, 1, 2])):
            spoil(pick.choice([tariff, cdr]), pick)
        code, out, err = rate_texts(tmp_path, capsys, json.dumps(tariff), json.dumps(cdr))
        if code == 0:
            assert err == "" and sums_hold(json.loads(out)), (tariff, cdr)
        else:
            assert (code, out) == (1, "") and NAMED.fullmatch(err), (err, tariff, cdr)
            refused += 1
    assert 150 < refused < 450

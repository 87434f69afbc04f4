"""Does every file of sessions become CDRs that can be priced, with what can't be used counted?"""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from laddbok.model.cdr import Activity
from laddbok.model.errors import Invalid
from laddbok.wires.session_cdrs import MeteredFile, read_metered

HEADER = "session_id,station,connector,start,end,energy_kwh,time_zone,id_token,charging_ended\n"
ROW = "A1,G1,1,2024-05-01 17:30,2024-05-02 07:30,11,Europe/Stockholm,04A2,\n"


def csv_of(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "sessions.csv"
    path.write_text(header + "".join(rows))
    return path


def cdr(number: int, **more: Any) -> dict[str, Any]:
    """An OCPI CDR of an hour with 10 kWh."""
    return {
        "id": f"C{number}", "currency": "SEK", "start_date_time": "2026-05-04T10:00:00Z",
        "end_date_time": "2026-05-04T11:00:00Z", "total_energy": 10, "cdr_location": {"country": "SWE"},
        "cdr_token": {"uid": "04A2", "contract_id": "SE-LAD-C1"},
        "charging_periods": [
            {"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}
        ],
        **more,
    }  # fmt: skip


def ocpi_file(folder: Path, document: Any) -> Path:
    path = folder / "cdrs.json"
    path.write_text(json.dumps(document))
    return path


def read(path: Path, **more: Any) -> MeteredFile:
    return read_metered(path, more.get("format_name"), more.get("power_w"), more.get("time_zone"))


def shape(file: MeteredFile) -> list[tuple[str, int, int]]:
    [session] = file.sessions
    return [
        (p.activity.value, int((p.end_at - p.start_at).total_seconds()) // 60, p.energy_wh) for p in session.cdr.periods
    ]


def test_energy_is_spread_over_the_session_or_charged_at_a_power(tmp_path: Path) -> None:
    path = csv_of(tmp_path, ROW)
    assert shape(read(path)) == [("charging", 840, 11_000)]
    assert shape(read(path, power_w=11_000)) == [("charging", 60, 11_000), ("idle", 780, 0)]
    assert shape(read(path, power_w=100)) == [("charging", 840, 11_000)]


def test_what_the_file_says_of_the_end_of_charging_counts(tmp_path: Path) -> None:
    path = csv_of(tmp_path, ROW.replace(",\n", ",2024-05-01 19:30\n"))
    assert shape(read(path, power_w=11_000)) == [("charging", 120, 11_000), ("idle", 720, 0)]


def test_a_session_of_a_history_is_marked_as_estimated_and_knows_its_driver(tmp_path: Path) -> None:
    [session] = read(csv_of(tmp_path, ROW)).sessions
    assert (session.driver, session.cdr.time_zone, session.cdr.periods[0].estimated) == (
        "04A2",
        "Europe/Stockholm",
        True,
    )
    assert session.cdr.started_at == datetime(2024, 5, 1, 15, 30, tzinfo=UTC)
    assert session.cdr.charging_ended_at == session.cdr.transaction_ended_at


def test_rows_that_can_not_be_used_are_counted(tmp_path: Path) -> None:
    found = read(csv_of(tmp_path, ROW, ROW, ROW.replace("A1", "A2").replace(",11,", ",,")))
    assert len(found.sessions) == 1
    assert found.rejected == {"duplicate": 1, "missing_energy": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_ocpi_cdrs_are_read_as_a_list_an_answer_or_one(tmp_path: Path, packed: bool) -> None:
    for document in ([cdr(1)], {"status_code": 1000, "data": [cdr(1)]}, cdr(1), {"status_code": 1000, "data": cdr(1)}):
        path = ocpi_file(tmp_path, document)
        if packed:
            path.write_bytes(gzip.compress(path.read_bytes()))
        [session] = read(path).sessions
        assert (session.name, session.driver, session.cdr.time_zone) == ("C1", "SE-LAD-C1", "Europe/Stockholm")
        assert [(p.activity, p.energy_wh) for p in session.cdr.periods] == [(Activity.CHARGING, 10_000)]


def test_a_credited_cdr_and_its_credit_are_left_out(tmp_path: Path) -> None:
    credit = cdr(2, credit=True, credit_reference_id="C1")
    found = read(ocpi_file(tmp_path, [cdr(1), credit, cdr(3)]))
    assert ([each.name for each in found.sessions], found.rejected) == (["C3"], {"credited": 2})


def test_a_cdr_that_can_not_be_read_is_counted_by_its_field(tmp_path: Path) -> None:
    nowhere = cdr(2, cdr_location={})
    broken = cdr(3, end_date_time="2026-05-04T09:00:00Z")
    found = read(ocpi_file(tmp_path, [cdr(1), nowhere, broken]))
    assert found.rejected == {"end_date_time": 1, "missing_time_zone": 1}
    assert len(read(ocpi_file(tmp_path, [nowhere]), time_zone="Europe/Oslo").sessions) == 1
    with pytest.raises(Invalid, match="time_zone"):
        read(ocpi_file(tmp_path, [nowhere]), time_zone="Mars/Phobos")


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    for text in ("", "a,b\n1,2\n", "[]", "{}", '[{"a": 1}]', "[", "\x1f\x8b\x08broken"):
        path = tmp_path / "odd"
        path.write_text(text, encoding="latin-1")
        with pytest.raises(Invalid):
            read(path)
    with pytest.raises(Invalid):
        read(tmp_path / "none")
    with pytest.raises(Invalid, match="no list of OCPI CDRs"):
        read(csv_of(tmp_path, ROW), format_name="ocpi")


@pytest.mark.parametrize(
    ("name", "count", "rejected"),
    [("norway_12_residential_2018_2021.csv.gz", 35_339, 38), ("acn_caltech_2021.json.gz", 2_114, 0)],
)
def test_real_histories_become_cdrs_whose_periods_sum(shared_data: Path, name: str, count: int, rejected: int) -> None:
    found = read(shared_data / "sessions" / name, power_w=7_200)
    assert (len(found.sessions), sum(found.rejected.values())) == (count, rejected)
    for session in found.sessions:
        assert sum(period.energy_wh for period in session.cdr.periods) == session.cdr.energy_wh
        assert session.cdr.periods[0].start_at == session.cdr.started_at
        assert session.cdr.periods[-1].end_at == session.cdr.transaction_ended_at

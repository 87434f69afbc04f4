"""Is every row of a file counted once, whatever the file looks like?"""

import asyncio
import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from laddbok.model.errors import Invalid
from laddbok.wires.import_sessions import CHUNK_ROWS, ImportResult, import_sessions
from laddbok.wires.importers.row import ImportedSession
from laddbok.wires.importers.session_file import MAX_LINE_BYTES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = "session_id,station,start,end,energy_kwh,time_zone\n"
ROW = "{},S1,2024-05-01T10:00Z,2024-05-01T11:00Z,7.4,Europe/Stockholm\n"


class Store:
    """Keeps sessions by tenant and identity, and refuses what the protocol forbids."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], ImportedSession] = {}
        self.largest_chunk = 0

    async def import_sessions(self, tenant: str, rows: Sequence[ImportedSession]) -> set[str]:
        self.largest_chunk = max(self.largest_chunk, len(rows))
        offered = {row.identity: row for row in rows}
        assert len(offered) == len(rows)
        new = {identity for identity in offered if (tenant, identity) not in self.sessions}
        self.sessions.update({(tenant, identity): offered[identity] for identity in new})
        return new


def run(store: Store, path: Path, format_name: str | None = None, tenant: str = "t") -> ImportResult:
    return asyncio.run(import_sessions(store, path, format_name, tenant, NOW))


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "sessions"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_counts_every_row_once_over_chunks_and_runs(tmp_path: Path) -> None:
    count = CHUNK_ROWS + 10
    rows = [ROW.format(number) for number in range(count)]
    bad = "x,S1,2024-05-01T10:00Z,,7.4,Europe/Stockholm\n"
    path = written(tmp_path, HEADER + "".join([*rows, rows[0], rows[-1], bad, "too,few\n", "\n"]))
    store = Store()
    told: list[tuple[int, float]] = []
    first = asyncio.run(import_sessions(store, path, None, "t", NOW, lambda done, share: told.append((done, share))))
    reasons = {"missing_end": 1, "wrong_columns": 1}
    assert first == ImportResult(rows=count + 4, imported=count, rejected=2, duplicates=2, rejected_by_reason=reasons)
    again = run(store, path)
    assert (again.imported, again.duplicates, again.rejected) == (0, count + 2, 2)
    assert run(store, path, tenant="another").imported == count
    assert store.largest_chunk <= CHUNK_ROWS
    assert told[-1] == (count + 4, 1.0) and [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reads_any_delimiter_plain_or_gzipped_with_a_byte_order_mark(
    tmp_path: Path, delimiter: str, pack: Callable[[bytes], bytes]
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(csv.reader([HEADER, ROW.format(1), ROW.format(2)]))
    content = b"\xef\xbb\xbf" + text.getvalue().encode()
    assert run(Store(), written(tmp_path, pack(content))).imported == 2


def test_reads_the_json_of_acn_as_downloaded(tmp_path: Path) -> None:
    item = """{"sessionID": "a", "stationID": "2-1", "connectionTime": "Sun, 01 Jul 2018 09:00:00 GMT",
        "disconnectTime": "Sun, 01 Jul 2018 10:30:00 GMT", "doneChargingTime": null, "kWhDelivered": 7.5,
        "timezone": "America/Los_Angeles", "siteID": "0002", "userID": null, "userInputs": [{"a": 1}]}"""
    store = Store()
    result = run(store, written(tmp_path, f'{{"_meta": {{}}, "_items": [{item}, 3]}}'))
    assert (result.imported, result.rejected_by_reason) == (1, {"wrong_columns": 1})
    assert [session.energy_wh for session in store.sessions.values()] == [7_500]


def test_what_has_not_happened_yet_is_rejected(tmp_path: Path) -> None:
    ends = ["2026-03-01T12:00Z", "2026-03-02T12:00Z", "2026-03-02T12:00:01Z", "2027-01-01T00:00Z", "9999-12-31T23:59Z"]
    starts = ["2026-03-01T11:00Z"] * 4 + ["9999-12-31T22:00Z"]
    rows = [
        f"{i},S1,{start},{end},7.4,Europe/Stockholm\n" for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    result = run(Store(), written(tmp_path, HEADER + "".join(rows)))
    assert (result.imported, result.rejected_by_reason) == (2, {"bad_time": 3})


@pytest.mark.parametrize(
    ("kwh", "reason"),
    [("1e9999999", "implausible_energy"), ("-1e9999999", "negative_energy"), ("1e99999999999999999999", "bad_energy")],
)
def test_a_number_like_no_other_rejects_its_row_only(tmp_path: Path, kwh: str, reason: str) -> None:
    expected = ImportResult(rows=3, imported=2, rejected=1, rejected_by_reason={reason: 1})
    rows = [ROW.format(1), ROW.format(2).replace("7.4", kwh), ROW.format(3)]
    assert run(Store(), written(tmp_path, HEADER + "".join(rows))) == expected
    item = {
        "sessionID": "a", "stationID": "2-1", "connectionTime": "Sun, 01 Jul 2018 09:00:00 GMT",
        "disconnectTime": "Sun, 01 Jul 2018 10:30:00 GMT", "doneChargingTime": None, "timezone": "America/Los_Angeles",
        "siteID": "0002", "userID": None,
    }  # fmt: skip
    items = [json.dumps(item | {"sessionID": str(i), "kWhDelivered": 7.5}) for i in range(3)]
    items[1] = items[1].replace("7.5", kwh)
    assert run(Store(), written(tmp_path, f"[{', '.join(items)}]")) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no known format"),
        (b"a,b,c\n1,2,3\n", "no known format has these columns: a, b, c"),
        (b"[]", "no known format"),
        (b"[1, 2", "JSON"),
        (b'{"a": ' * 50_000, "JSON"),
        (gzip.compress(HEADER.encode() * 900)[:-40], "line"),
        (b"\x1f\x8bnot gzip at all", "file"),
        (HEADER.encode() + b"\xff\xfe\n", "line"),
        (HEADER.encode() + b"x" * (MAX_LINE_BYTES + 1), "line 2: it is longer"),
        (HEADER.encode() + b'"' + b"x,\n" * 100_000, "line"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        run(Store(), written(tmp_path, content))


def test_a_missing_file_and_a_wrong_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        run(Store(), tmp_path / "none.csv")
    path = written(tmp_path, HEADER + ROW.format(1))
    assert run(Store(), path, "laddbok_csv").imported == 1
    with pytest.raises(Invalid, match="acn needs the columns"):
        run(Store(), path, "acn")
    with pytest.raises(Invalid, match="is not one of perth_kinross"):
        run(Store(), path, "excel")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "perth_kinross_2016_2019.csv.gz",
            ImportResult(
                rows=66_664,
                imported=66_466,
                rejected=198,
                rejected_by_reason={"missing_end": 185, "end_before_start": 6, "negative_energy": 7},
            ),
        ),
        (
            "norway_12_residential_2018_2021.csv.gz",
            ImportResult(rows=35_377, imported=35_339, rejected=38, rejected_by_reason={"missing_end": 38}),
        ),
        ("elaadnl_2019_sample.csv.gz", ImportResult(rows=10_000, imported=10_000)),
        ("acn_caltech_2021.json.gz", ImportResult(rows=2_114, imported=2_114)),
    ],
)
def test_reads_the_real_files(shared_data: Path, name: str, expected: ImportResult) -> None:
    store = Store()
    assert run(store, shared_data / "sessions" / name) == expected

"""Can a treasurer do all of it from the command line?"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.cli import main
from laddbok.store.embedded import Dsn

BILL = {"period_start": "2026-10-01", "period_end": "2026-10-31", "net": "4321.55", "number": "F-1"}
OF_SITE = ("--site", billing_data.SITE, "--period", "2026-10")
OF_CONTRACT = ("--contract", "c-000003", "--period", "2026-10")


@pytest.fixture
def october(new_database: Callable[[], Dsn], monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with October's sessions, for `laddbok`."""
    dsn = new_database()

    async def fill() -> None:
        connection = await asyncpg.connect(**dsn)
        tenant = await connection.fetchval("INSERT INTO tenant (name, created_at) VALUES ('T', now()) RETURNING tenant")
        await billing_data.fill(connection, tenant, 12, 60)
        await connection.close()

    asyncio.run(fill())
    url = f"postgresql://{dsn['user']}@/{dsn['database']}?host={quote(dsn['host'], safe='')}&port={dsn['port']}"
    monkeypatch.setenv("LADDBOK_DATABASE_URL", url)


def written(folder: Path, name: str, document: Any) -> str:
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


def test_a_month_is_agreed_drawn_kept_and_written(
    october: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def laddbok(*words: str) -> dict[str, Any]:
        assert main([*words, "--json"]) == 0, capsys.readouterr().err
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return answer

    apartments = [{"apartment": f"{1001 + n}", "holders": [{"contract_id": f"c-{n:06d}"}]} for n in range(12)]
    house = written(tmp_path, "house.json", {"apartments": apartments})
    assert laddbok("apartments", "agree", house, "--site", billing_data.SITE)["version"] == 1
    bill = written(tmp_path, "bill.json", BILL)
    assert not laddbok("apartments", "run", *OF_SITE, "--bill", bill)["is_new"]
    kept = laddbok("apartments", "run", *OF_SITE, "--bill", bill, "--final")
    assert (kept["is_new"], kept["total"]) == (True, "5401.94")
    assert laddbok("apartments", "show", *OF_SITE)["hash"] == kept["hash"]
    for what, begin in (("pdf", b"%PDF"), ("csv", b"\xef\xbb\xbfL"), ("sessions", b"\xef\xbb\xbfL")):
        file = tmp_path / what
        told = laddbok("apartments", what, *OF_SITE, "--revision", "1", "-o", str(file))
        assert (told["number"], told["bytes"]) == ("2026-10-1", file.stat().st_size)
        assert file.read_bytes().startswith(begin)
    home = {"site_id": billing_data.SITE, "employer_id": "p-000010", "prices": [{"per_kwh": "1.85"}]}
    laddbok("home-statement", "agree", written(tmp_path, "home.json", home), "--contract", "c-000003")
    stated = laddbok("home-statement", "run", *OF_CONTRACT, "--final")
    assert stated["total"] == stated["content"]["refund"]["total"]
    laddbok("home-statement", "csv", *OF_CONTRACT, "-o", str(tmp_path / "home.csv"))
    assert main(["apartments", "run", *OF_SITE]) == 0
    assert "the last revision says the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bill", "said"),
    [
        ({**BILL, "period_start": "2026-09-01", "period_end": "2026-09-30"}, "bill.period_start: is 2026-09-01"),
        ({**BILL, "net": "1_0"}, "net"),
        ([], "is not a JSON object"),
        (None, "is not a JSON object"),
    ],
)
def test_a_bill_that_can_not_be_used_is_one_line(
    october: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    bill: Any,
    said: str,
) -> None:
    house = written(tmp_path, "house.json", {"apartments": [{"apartment": "1"}]})
    assert main(["apartments", "agree", house, "--site", billing_data.SITE]) == 0
    assert main(["apartments", "run", *OF_SITE, "--bill", written(tmp_path, "bill.json", bill)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1

"""Do `laddbok tariff check` and `laddbok tariff export` say the same about a file and a stored tariff?"""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from laddbok import cli
from laddbok.model.errors import Invalid, NotFound
from laddbok.settings import Settings
from laddbok.store.embedded import Dsn
from laddbok.verbs import tariff_export

DOCUMENT: dict[str, Any] = {
    "id": "T", "currency": "SEK", "country_code": "SE", "party_id": "LAD",
    "elements": [{"price_components": [
        {"type": "FLAT", "price": 5, "vat": 25}, {"type": "ENERGY", "price": 3.20, "vat": 25}]}],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tariff.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


def typed(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_tariff_is_checked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "tariff", "check", file, "--power-kw", "22")
    assert (code, out.splitlines()) == (0, [
        "  3.20 kr/kWh + VAT", "  5.00 kr per session + VAT",
        "! elements[0].price_components[1]: ad hoc prices are listed in the order kWh, minute, session, other; this one comes late",
    ])  # fmt: skip
    code, out, _ = typed(capsys, "tariff", "check", file, "--power-kw", "50", "--ad-hoc", "--language", "sv")
    assert code == 1
    refusal = "x elements[0].price_components[0]: en startavgift är inte tillåten utan avtal vid 50 kW eller mer"
    assert out.splitlines()[-1] == refusal
    code, out, _ = typed(capsys, "tariff", "check", file, "--power-kw", "49.9", "--ad-hoc", "--json")
    told = json.loads(out)
    assert (code, told["tariff_id"], told["refused"], len(told["prices"])) == (0, "T", False, 2)
    assert [each["code"] for each in told["findings"]] == ["afir_order"]


def test_a_file_without_a_tariff_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no").write_text("{}")
    for verb in (("check",), ("export", "--to", "ocpp-2.1")):
        code, out, err = typed(capsys, "tariff", *verb, tmp_path / "no")
        assert (code, out, err) == (1, "", "laddbok: id: is missing\n")


def test_a_file_is_exported(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "tariff", "export", file, "--to", "ocpi-2.3.0")
    assert (code, json.loads(out)["tax_included"]) == (0, "NO")
    target = tmp_path / "out.json"
    code, out, _ = typed(capsys, "tariff", "export", file, "--to", "ocpp-2.1", "-o", target, "--json")
    assert json.loads(out) == {"file": str(target), "to": "ocpp-2.1", "bytes": len(target.read_bytes())}
    assert json.loads(target.read_text())["energy"]["prices"] == [{"priceKwh": 3.2}]
    code, out, err = typed(capsys, "tariff", "export", file, "--to", "ocpi-2.1.1")
    assert (code, out) == (1, "") and "ocpi-2.1.1" in err
    code, _, err = typed(capsys, "tariff", "export", file, "--to", "ocpp-2.1", "-o", tmp_path)
    assert code == 1 and "can't be written" in err


def test_what_can_not_be_said_is_named_and_nothing_is_written(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(json.dumps({**DOCUMENT, "laddbok": {"idle": {"per_min": 1, "cap": 50}}}))
    target = tmp_path / "out.json"
    code, out, err = typed(capsys, "tariff", "export", file, "--to", "ocpi-2.2.1", "-o", target)
    assert (code, out, target.exists()) == (1, "", False)
    assert err.startswith("laddbok: laddbok.idle: ") and "laddbok.idle.cap: " in err


def test_a_stored_tariff_is_exported_as_it_holds(
    fresh_database: Dsn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_store(fresh_database))
    host, user, database = fresh_database["host"], fresh_database["user"], fresh_database["database"]
    url = f"postgresql://{user}@/{database}?host={host}&port={fresh_database['port']}"
    settings = Settings(state_folder=tmp_path, database_url=url)
    asyncio.run(tariff_export.export(settings, "T", "ocpi-2.2.1", None, True))
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["last_updated"]) == ("T", "2026-03-01T12:00:00Z")
    with pytest.raises(NotFound):
        asyncio.run(tariff_export.export(settings, "none", "ocpi-2.2.1", None, True))
    with pytest.raises(Invalid, match=r"^to: "):
        asyncio.run(tariff_export.export(settings, "T", "ocpi-1.0", None, True))


async def _store(dsn: Dsn) -> None:
    connection = await asyncpg.connect(**dsn)
    try:
        tenant = await connection.fetchval(
            "INSERT INTO tenant (name, created_at) VALUES ('test', now()) RETURNING tenant"
        )
        await connection.execute("INSERT INTO tariff (tenant, id, created_at) VALUES ($1, 'T', now())", tenant)
        await connection.execute(
            "INSERT INTO tariff_version (tenant, tariff_id, version, valid_from, received_at, document)"
            " VALUES ($1, 'T', 1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', $2::text::jsonb)",
            tenant, json.dumps(DOCUMENT),
        )  # fmt: skip
    finally:
        await connection.close()

"""Does `laddbok payments` take a bank's file in, once, and tell what is in suspense?"""

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

BANK = Path(__file__).parent.parent / "golden/bank"
Tell = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def payments(
    new_database: Callable[[], Dsn], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tell:
    """Runs `laddbok payments ...` on a database with a seller."""
    dsn = new_database()

    async def fill() -> None:
        connection = await asyncpg.connect(**dsn)
        tenant = await connection.fetchval("INSERT INTO tenant (name, created_at) VALUES ('T', now()) RETURNING tenant")
        await billing_data.fill(connection, tenant, 1, 0)
        await connection.close()

    asyncio.run(fill())
    url = f"postgresql://{dsn['user']}@/{dsn['database']}?host={quote(dsn['host'], safe='')}&port={dsn['port']}"
    monkeypatch.setenv("LADDBOK_DATABASE_URL", url)

    def run(*arguments: str) -> tuple[int, Any, str]:
        code = main(["payments", *arguments])
        told = capsys.readouterr()
        as_json = "--json" in arguments and told.out
        return code, json.loads(told.out.splitlines()[-1]) if as_json else told.out, told.err

    return run


def test_a_file_is_taken_in_once_and_its_payments_are_told(payments: Tell) -> None:
    file = str(BANK / "camt053_day.xml")
    code, told, _ = payments("import", file, "--json")
    assert (code, told["is_new"], told["payments"], told["pending"]) == (0, True, 3, 1)
    assert told["received"] == {"SEK": "6487.25"}
    assert payments("import", file)[1].strip() == "STM-2026-12-04 was imported before: no effect"
    code, told, _ = payments("suspense", "--json", "--limit", "2")
    assert len(told["payments"]) == 2
    assert told["suspense"] == [{"currency": "SEK", "amount": "6487.25", "payments": 3}]
    assert "in suspense: 6487.25 SEK of 3 payments" in payments("suspense")[1]
    assert len(payments("list", "--json")[1]["payments"]) == 3


@pytest.mark.parametrize("content", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><Document/>", b"<Document>", b""])
def test_a_file_that_can_not_be_used_is_one_line_of_trouble(payments: Tell, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bank.xml"
    file.write_bytes(content)
    code, _, error = payments("import", str(file), "--json")
    assert code == 1
    assert error.startswith("laddbok: file: ") and error.count("\n") == 1
    assert payments("import", str(tmp_path / "none.xml"))[0] == 1

"""Is every named query valid for the tables that there are, and does somebody ask it?"""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from laddbok.store.embedded import Dsn
from laddbok.store.sql import QUERIES, parse

SOURCE = Path(__file__).resolve().parents[2] / "src/laddbok"


def test_every_query_is_valid(fresh_database: Dsn) -> None:
    async def run() -> dict[str, str]:
        connection = await asyncpg.connect(**fresh_database)
        wrong: dict[str, str] = {}
        try:
            for name, statement in QUERIES.items():
                whole = statement.replace("/* filters */", "true")
                try:
                    await connection.prepare(whole + " 1" if whole.endswith("LIMIT") else whole)
                except asyncpg.PostgresError as error:
                    wrong[name] = str(error)
        finally:
            await connection.close()
        return wrong

    assert asyncio.run(run()) == {}


def test_every_query_is_asked_by_name() -> None:
    code = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    assert [name for name in QUERIES if not re.search(rf'"{name}"', code)] == []


def test_a_query_says_its_purpose_and_has_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="purpose"):
        parse("-- name: bare\nSELECT 1")
    with pytest.raises(ValueError, match="twice"):
        parse("-- name: one\n-- First.\nSELECT 1\n-- name: one\n-- Second.\nSELECT 2")

"""What does a setting that is not right do? It is named, in one line."""

import asyncio
import logging
import re
import resource
from pathlib import Path

import asyncpg
import pytest

from laddbok.model.errors import ConfigurationError
from laddbok.settings import NAMES, SECRET, read_settings, unknown_names
from laddbok.store.embedded import Dsn
from laddbok.store.people import asker_by_key, ensure_admin_key
from laddbok.verbs import doctor
from tests.rules.sessions.stage import NOON


@pytest.mark.parametrize(
    ("name", "value"),
    [("LADDBOK_OCPP_PORT", "ninety"), ("LADDBOK_HTTP_PORT", "70000"), ("LADDBOK_SECURE_COOKIES", "perhaps")],
)
def test_a_value_that_cant_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_settings({name: value})


def test_a_misspelled_setting_is_found() -> None:
    assert unknown_names({"LADDBOK_OCCP_PORT": "9000", "LADDBOK_DATA": "x", "HOME": "y"}) == ["LADDBOK_OCCP_PORT"]


def test_no_secret_is_shown_to_who_looks_at_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {name for name in NAMES if re.search("(KEY|SECRET|PASSWORD)$", name)} - {
        "LADDBOK_SWISH_KEY"
    }  # it is a file
    assert named <= SECRET <= NAMES.keys()
    for name in SECRET:
        monkeypatch.setenv(name, "hemligt")
    assert "hemligt" not in doctor._configured()[0]["detail"]


async def _works(dsn: Dsn, key: str) -> bool:
    connection = await asyncpg.connect(**dsn)
    try:
        await ensure_admin_key(connection, key, NOON)
        return await asker_by_key(connection, key) is not None
    finally:
        await connection.close()


def test_a_short_key_works_with_a_warning(fresh_database: Dsn, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(_works(fresh_database, "lab"))
    assert "guess" in caplog.text
    with pytest.raises(ConfigurationError, match="LADDBOK_ADMIN_KEY"):
        asyncio.run(_works(fresh_database, "with space"))


@pytest.mark.parametrize(
    ("limit", "ok"), [(1024, False), (4095, False), (4096, True), (65_536, True), (resource.RLIM_INFINITY, True)]
)
def test_the_doctor_names_a_limit_of_open_files_that_is_too_low(limit: int, ok: bool) -> None:
    found = doctor.open_files(limit)
    assert found["ok"] is ok
    assert ("too low" in found["detail"]) is not ok


def test_the_doctor_reads_the_rows_about_models(tmp_path: Path) -> None:
    rows = tmp_path / "quirks.toml"
    settings = read_settings({"LADDBOK_QUIRKS": str(rows), "LADDBOK_DATA": str(tmp_path)})
    [missing] = doctor.known_models(settings)
    rows.write_text('[[quirk]]\nvendor = "Norr*"\nflags = ["no_such_flag"]\nsource = "x"\n', encoding="utf-8")
    [wrong] = doctor.known_models(settings)
    rows.write_text('[[quirk]]\nvendor = "Norr*"\nflags = ["stamps_mean_nothing"]\nsource = "x"\n', encoding="utf-8")
    [right] = doctor.known_models(settings)
    assert [each["ok"] for each in (missing, wrong, right)] == [False, False, True]
    assert "no_such_flag" in wrong["detail"] and "1 rows" in right["detail"]

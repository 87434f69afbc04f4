"""Does the page of a session say who pays which part of it, and on which document?"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, OCTOBER, STRANGER, as_, filled, get, work

__all__ = ["filled"]

HALF = {"shares": [{"payer_id": "p-000003", "part": 50}]}


@pytest.fixture
def shared(filled: RunningApi) -> tuple[RunningApi, str]:
    """A session whose contract's payer has agreed on halves with another customer."""
    filled.clock.at = AFTER
    [row] = filled.sql("SELECT min(id) AS id FROM session WHERE contract_id = 'c-000002'")
    filled.sql(
        "INSERT INTO payers_agreement VALUES (1, 'c-000002', $1, $2::text::jsonb, 'anna') ON CONFLICT DO NOTHING",
        datetime(2026, 1, 1, tzinfo=UTC),
        msgspec.json.encode(HALF).decode(),
    )
    return filled, row["id"]


def test_the_page_of_a_session_says_who_pays_which_part(shared: tuple[RunningApi, str], tmp_path: Path) -> None:
    api, session = shared
    path = f"/sessions/{session}/payers"
    [before] = get(api, path)["items"]
    assert (before["part"], before["what"], before["payer_id"], before["outcome"]) == (0, None, None, "to_be_shared")
    api.client.post("/billing-runs/plan", json=OCTOBER).raise_for_status()
    work(api, tmp_path)
    assert get(api, path)["items"] == [before], "a plan shares nothing out for good"
    api.client.post("/billing-runs", json=OCTOBER).raise_for_status()
    work(api, tmp_path)
    parts: list[dict[str, Any]] = get(api, path)["items"]
    assert [(each["payer_id"], each["payer_name"], each["outcome"]) for each in parts] == [
        ("p-000002", "Kund 2", "billed"),
        ("p-000003", "Kund 3", "billed"),
    ]
    assert sum(Decimal(each["excl_vat"]) for each in parts) == Decimal(before["excl_vat"])
    assert parts[0]["what"]["en"] == "part of start fee, energy, charging time, parking time"
    for each in parts:
        invoice = get(api, f"/invoices/{each['document_id']}")
        assert (invoice["number"], invoice["payer_id"]) == (each["document"], each["payer_id"])


def test_who_pays_is_told_to_nobody_else(shared: tuple[RunningApi, str]) -> None:
    api, session = shared
    with as_(api, STRANGER) as stranger:
        assert stranger.get(f"/sessions/{session}/payers").status_code == 404
    assert api.client.get("/sessions/XXXX-XXXX-XXXX-XXXX/payers").status_code == 404

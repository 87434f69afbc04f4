"""Can a treasurer tell the apartments, enter a bill and fetch the list through the API, and an employer's statement be made?"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from laddbok.bench import billing_data
from laddbok.store.postgres import PostgresStore
from laddbok.workers.jobs import Worker
from laddbok.workers.render_statement import statement_jobs
from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import AFTER, READER, STRANGER, as_, filled, get

__all__ = ["filled"]

SITE = billing_data.SITE
BILL = {"period_start": "2026-10-01", "period_end": "2026-10-31", "net": 4321.55, "fixed_net": "600", "number": "F-1"}
LIST = {"kind": "apartments", "subject_id": SITE, "month": "2026-10", "bill": BILL}
HOME = {"site_id": SITE, "employer_id": "p-000010", "prices": [{"per_kwh": 1.85}]}
APARTMENTS = {
    "apartments": [
        {"apartment": f"{1001 + n}", "part": "12.5", "holders": [{"contract_id": f"c-{n:06d}"}]} for n in range(8)
    ]
}


@pytest.fixture
def agreed(filled: RunningApi) -> Iterator[RunningApi]:
    """Eight apartments with a contract each."""
    filled.clock.at = AFTER
    assert filled.client.put(f"/sites/{SITE}/apartments", json=APARTMENTS).status_code == 200
    yield filled


def render(api: RunningApi) -> None:
    """Do the jobs of statements that are due, as a worker does."""

    async def run() -> None:
        pool = await asyncpg.create_pool(**api.dsn, min_size=1, max_size=2)
        try:
            worker = Worker("w", PostgresStore(pool), api.clock.now, statement_jobs(pool, api.clock.now))
            while await pool.fetchval("SELECT count(*) FROM job WHERE kind = 'render_statement' AND failed_at IS NULL"):
                await worker.work_once()
        finally:
            await pool.close()

    asyncio.run(run())


def rows_of(text: bytes) -> list[list[str]]:
    return [line.split(";") for line in text.decode("utf-8-sig").split("\r\n") if line]


def test_a_bill_is_entered_seen_kept_once_and_fetched_as_files(agreed: RunningApi) -> None:
    shown = agreed.client.post("/statements/preview", json=LIST)
    assert (shown.status_code, shown.json()["is_new"], shown.json()["hash"]) == (200, False, None)
    assert get(agreed, "/statements")["items"] == []
    made = agreed.client.post("/statements", json=LIST)
    assert (made.status_code, made.json()["is_new"]) == (201, True)
    assert made.json()["total"] == "5401.94"
    assert not agreed.client.post("/statements", json={**LIST, "bill": None}).json()["is_new"]
    [row] = get(agreed, "/statements", kind="apartments", month="2026-10", newest=True)["items"]
    assert (row["revision"], row["total"], row["is_newest"], row["is_rendered"]) == (1, "5401.94", True, False)
    path = f"/statements/apartments/{SITE}/2026-10/1"
    assert agreed.client.get(f"{path}/pdf").status_code == 404
    render(agreed)
    pdf = agreed.client.get(f"{path}/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    kept = get(agreed, path)
    assert (kept["is_rendered"], kept["hash"]) == (True, row["hash"])
    rows = rows_of(agreed.client.get(f"{path}/csv").content)
    assert sum(Decimal(each[-1].replace(",", ".")) for each in rows[1:-1]) == Decimal("5401.94")
    sessions = rows_of(agreed.client.get(f"{path}/sessions.csv").content)
    cdrs = {row["session_id"]: row["energy_wh"] for row in agreed.sql("SELECT session_id, energy_wh FROM cdr")}
    assert {each[0]: Decimal(each[3].replace(",", ".")) * 1000 for each in sessions[1:-1]} == cdrs
    assert agreed.client.get(f"{path}/xml").status_code == 404
    assert agreed.client.get(f"/statements/apartments/{SITE}/2026-10/2").status_code == 404
    assert agreed.client.get(f"/statements/rooms/{SITE}/2026-10/1").status_code == 404


def test_pages_of_statements_follow_each_other(agreed: RunningApi) -> None:
    agreed.client.post("/statements", json={**LIST, "bill": {**BILL, "net": 5000}}).raise_for_status()
    agreed.client.put("/contracts/c-000003/home-charging", json=HOME).raise_for_status()
    home = {"kind": "home", "subject_id": "c-000003", "month": "2026-10"}
    made = agreed.client.post("/statements", json=home).json()
    assert made["home"]["refund"]["total"] == made["total"]
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(agreed, "/statements", limit=1, **cursor)
        seen += [(each["kind"], each["revision"]) for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [("apartments", 2), ("apartments", 1), ("home", 1)]
    rows = rows_of(agreed.client.get("/statements/home/c-000003/2026-10/1/csv").content)
    assert rows[-1][-1].replace(",", ".") == made["total"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"bill": {**BILL, "period_start": "2026-09-01", "period_end": "2026-09-30"}}, 422, "bill.period_start"),
        ({"bill": {**BILL, "net": "NaN"}}, 422, "bill.net"),
        ({"bill": {**BILL, "net": "1e400"}}, 422, "bill.net"),
        ({"bill": {**BILL, "fixed_net": 5_000}}, 422, "bill.fixed_net"),
        ({"bill": {**BILL, "net": None}}, 422, "bill.net"),
        ({"bill": {"net": 5}}, 422, "bill"),
        ({"month": "oktober"}, 422, "month"),
        ({"month": "2026-13"}, 422, "period"),
        ({"month": "2026-11"}, 409, None),
        ({"subject_id": "ingenstans"}, 404, None),
        ({"kind": "home", "subject_id": "c-000003"}, 422, "bill"),
    ],
)  # fmt: skip
def test_what_can_not_be_stated_is_refused_by_its_field(
    agreed: RunningApi, change: dict[str, Any], status: int, field: str | None
) -> None:
    answer = agreed.client.post("/statements/preview", json={**LIST, **change})
    assert (answer.status_code, answer.json().get("field")) == (status, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"apartments": [{"apartment": "1"}, {"apartment": "1"}]}, "apartments[1].apartment"),
        ({"apartments": [{"apartment": "1", "part": 99.5}]}, "of"),
        ({"apartments": [{"apartment": "1", "part": "NaN"}]}, "apartments[0].part"),
        ({"apartments": [{"apartment": "1", "holders": [{"contract_id": "ingen"}]}]}, "apartments[0].holders[0].contract_id"),
        ({"apartments": [{"rooms": 1}]}, "apartments[0]"),
    ],
)  # fmt: skip
def test_apartments_that_can_not_be_kept_name_their_field(agreed: RunningApi, body: dict[str, Any], field: str) -> None:
    before = get(agreed, f"/sites/{SITE}/apartments")
    answer = agreed.client.put(f"/sites/{SITE}/apartments", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert get(agreed, f"/sites/{SITE}/apartments") == before


def test_what_was_agreed_is_shown_with_its_version_and_by_whom(agreed: RunningApi) -> None:
    shown = get(agreed, f"/sites/{SITE}/apartments")
    assert shown["agreement"]["apartments"][0] == APARTMENTS["apartments"][0]
    assert shown["agreed_at"] == AFTER.isoformat().replace("+00:00", "Z")
    assert get(agreed, "/contracts/c-000001/home-charging") == {
        "version": 0, "agreed_at": None, "agreed_by": None, "agreement": None,
    }  # fmt: skip
    answer = agreed.client.put("/contracts/c-000001/home-charging", json={**HOME, "employer_id": "ingen"})
    assert (answer.status_code, answer.json()["field"]) == (422, "employer_id")


def test_only_an_administrator_keeps_and_only_of_their_own_tenant(agreed: RunningApi) -> None:
    with as_(agreed, READER) as reader:
        assert reader.post("/statements", json=LIST).status_code == 403
        assert reader.put(f"/sites/{SITE}/apartments", json=APARTMENTS).status_code == 403
        assert reader.get("/statements").status_code == 200
    with as_(agreed, STRANGER) as stranger:
        assert stranger.get("/statements").json()["items"] == []
        assert stranger.get(f"/sites/{SITE}/apartments").json()["version"] == 0
        assert stranger.post("/statements", json=LIST).status_code == 404

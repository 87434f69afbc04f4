"""Is a message about an unknown transaction shown with what it says, and matched by those who may?"""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from laddbok.store.people import digest
from tests.edge.api.charges import TARIFF
from tests.edge.api.conftest import NOW, RunningApi
from tests.edge.api.real_station import charge, settle, speak

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def desk(house: RunningApi) -> RunningApi:
    """A settled session and one that runs, and two stops of transactions that nobody knows, one of their driver."""
    house.client.post("/tariffs", json=TARIFF)
    house.client.put("/id-tokens/04:A1", json={"status": "Accepted"})
    house.client.post("/stations", json={"station_id": "LB.2", "site_id": "torget", "evses": [{"evse_id": 1}]})
    charge(house, "04A1", started_at=NOW - 20 * HOUR)
    settle(house)
    start = {"connectorId": 1, "idTag": "04A1", "meterStart": 1_000, "timestamp": (NOW - 3 * HOUR).isoformat()}
    speak(house, (NOW - 3 * HOUR, "StartTransaction", start))
    for number, (token, minutes) in enumerate((("04a1", 60), ("04FF", 30))):
        stop = {
            "transactionId": 777_000 + number,
            "meterStop": 6_000 + number,
            "timestamp": (NOW - 2 * HOUR).isoformat(),
        }
        speak(house, (NOW - timedelta(minutes=minutes), "StopTransaction", stop | {"idTag": token, "reason": "Local"}))
    house.sql(
        "INSERT INTO api_key (tenant, id, digest, role, created_at) VALUES (1, 'reader', $1, 'reader', $2)",
        digest("key-of-a-reader-0123456789"), NOW,
    )  # fmt: skip
    return house


def orphans(desk: RunningApi, **filters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = desk.client.get("/orphans", params=filters).raise_for_status().json()["items"]
    return items


def match(desk: RunningApi, orphan: dict[str, Any], **wish: Any) -> httpx.Response:
    path = f"/orphans/{orphan['station_id']}/{orphan['epoch']}/{orphan['seq']}/match"
    return desk.client.post(path, json={"reason": "same car"} | wish)


def unwish(desk: RunningApi) -> None:
    """As before any wish."""
    desk.sql("UPDATE orphan SET wanted = NULL, match_error = NULL, matched_session_id = NULL")
    desk.sql("DELETE FROM job WHERE kind = 'match_orphan'")


@pytest.fixture
def orphan(desk: RunningApi) -> dict[str, Any]:
    """The stop of the driver whose session runs, that nobody has matched."""
    unwish(desk)
    return orphans(desk)[1]


def running_id(desk: RunningApi) -> str:
    [row] = desk.sql("SELECT id FROM session WHERE state = 'active'")
    return str(row["id"])


def settled_id(desk: RunningApi) -> str:
    [row] = desk.sql("SELECT id FROM session WHERE started_at = $1", NOW - 20 * HOUR)
    return str(row["id"])


def test_an_orphan_says_what_its_frame_says_and_where_it_could_belong(desk: RunningApi, orphan: dict[str, Any]) -> None:
    assert {name: orphan[name] for name in ("station_id", "action", "transaction_id", "at", "register_wh", "id_token")} == {
        "station_id": "LB-1", "action": "StopTransaction", "transaction_id": "777000", "at": "2026-03-01T10:00:00Z",
        "register_wh": 6_000, "id_token": "04a1",
    }  # fmt: skip
    assert orphan["text"]["sv"].startswith("Laddningen avslutades")
    assert msgspec.json.decode(orphan["raw"])[2] == "StopTransaction"
    running, settled = orphan["candidates"]
    assert (running["session_id"], running["state"], running["same_token"]) == (running_id(desk), "active", True)
    assert (settled["session_id"], settled["same_token"], settled["closed_softly"]) == (settled_id(desk), True, False)
    other = orphans(desk)[0]
    assert (other["id_token"], [each["same_token"] for each in other["candidates"]]) == ("04FF", [False])


def test_a_session_that_begins_after_the_message_is_no_candidate(desk: RunningApi, orphan: dict[str, Any]) -> None:
    later = charge(desk, "04A1", started_at=NOW - HOUR, connector_id=2)
    assert later not in [each["session_id"] for each in orphans(desk)[1]["candidates"]]


def test_orphans_come_in_pages(desk: RunningApi, orphan: dict[str, Any]) -> None:
    page = desk.client.get("/orphans", params={"limit": 1}).json()
    following = desk.client.get("/orphans", params={"limit": 1, "cursor": page["next"]}).json()
    seen = [item["transaction_id"] for item in (*page["items"], *following["items"])]
    assert (seen, following["next"]) == (["777001", "777000"], None)
    assert orphans(desk, station_id="LB.2") == []


def test_a_wish_and_its_job_are_written_together(desk: RunningApi, orphan: dict[str, Any]) -> None:
    answer = match(desk, orphan, session_id=settled_id(desk).lower().replace("-", " "))
    assert answer.status_code == 202
    wanted = {
        "session_id": settled_id(desk),
        "evse_id": None,
        "connector_id": None,
        "id_token": None,
        "reason": "same car",
        "by": answer.json()["wanted"]["by"],
        "at": "2026-03-01T12:00:00Z",
    }
    assert answer.json()["wanted"] == wanted
    [job] = desk.sql("SELECT * FROM job WHERE kind = 'match_orphan'")
    assert (job["tenant"], job["key"], job["due_at"]) == (1, f"1/{orphan['epoch']}/{orphan['seq']}", NOW)
    assert orphans(desk)[1]["wanted"] == wanted


def test_an_evse_and_a_token_make_a_session_of_it(desk: RunningApi, orphan: dict[str, Any]) -> None:
    answer = match(desk, orphan, evse_id=1, id_token="04a1")
    assert answer.status_code == 202
    wanted = answer.json()["wanted"]
    assert (wanted["evse_id"], wanted["connector_id"], wanted["id_token"], wanted["session_id"]) == (
        1,
        None,
        "04:A1",
        None,
    )


def test_a_wish_that_waits_is_not_overruled_and_one_that_failed_is(desk: RunningApi, orphan: dict[str, Any]) -> None:
    assert match(desk, orphan, evse_id=1).status_code == 202
    refused = match(desk, orphan, session_id=settled_id(desk))
    assert (refused.status_code, "is being matched" in refused.json()["detail"]) == (409, True)
    desk.sql(
        "UPDATE orphan SET match_error = 'no start was told' WHERE seq = $1 AND connection_epoch = $2",
        orphan["seq"],
        orphan["epoch"],
    )
    desk.sql("DELETE FROM job WHERE kind = 'match_orphan'")
    assert orphans(desk)[1]["match_error"] == "no start was told"
    assert match(desk, orphan, session_id=settled_id(desk)).status_code == 202
    assert orphans(desk)[1]["match_error"] is None


def test_a_session_that_is_not_settled_waits_for_its_own_stop(desk: RunningApi, orphan: dict[str, Any]) -> None:
    refused = match(desk, orphan, session_id=running_id(desk))
    assert (refused.status_code, "not settled yet" in refused.json()["detail"]) == (409, True)


def test_a_matched_orphan_is_listed_among_all_and_matched_no_more(desk: RunningApi, orphan: dict[str, Any]) -> None:
    desk.sql(
        "UPDATE orphan SET matched_session_id = 'IT' WHERE seq = $1 AND connection_epoch = $2",
        orphan["seq"],
        orphan["epoch"],
    )
    assert [item["transaction_id"] for item in orphans(desk)] == ["777001"]
    assert [item["matched_session_id"] for item in orphans(desk, which="all")] == [None, "IT"]
    assert match(desk, orphan, evse_id=1).status_code == 409


def test_the_same_wish_under_one_key_is_one(desk: RunningApi, orphan: dict[str, Any]) -> None:
    path = f"/orphans/LB-1/{orphan['epoch']}/{orphan['seq']}/match"
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (
        desk.client.post(path, json={"evse_id": 1, "reason": "no start"}, headers=headers) for _ in range(2)
    )
    assert (first.status_code, first.json()) == (202, again.json())
    assert desk.sql("SELECT requests FROM job WHERE kind = 'match_orphan'")[0]["requests"] == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "session_id"),
        ({"session_id": "x", "evse_id": 1}, "session_id"),
        ({"session_id": "AAAA-AAAA-AAAA-AAAA"}, "session_id"),
        ({"evse_id": 9}, "evse_id"),
        ({"evse_id": 0}, "evse_id"),
        ({"evse_id": 1, "id_token": "NOBODY"}, "id_token"),
        ({"evse_id": 1, "reason": " "}, "reason"),
        ({"evse_id": 1, "reason": "x" * 501}, "reason"),
        ({"evse_id": 1, "more": 1}, "more"),
    ],
)
def test_a_bad_wish_is_named_by_its_field(
    desk: RunningApi, orphan: dict[str, Any], wish: dict[str, Any], field: str
) -> None:
    answer = match(desk, orphan, **wish)
    assert (answer.status_code, answer.json().get("field")) == (422, field), answer.text


def test_a_session_names_its_own_token(desk: RunningApi, orphan: dict[str, Any]) -> None:
    answer = match(desk, orphan, session_id=running_id(desk), id_token="04A1")
    assert (answer.status_code, answer.json()["field"]) == (422, "id_token")


def test_what_is_not_there_is_not_found_and_readers_only_look(desk: RunningApi, orphan: dict[str, Any]) -> None:
    assert match(desk, orphan | {"seq": 4_711}, evse_id=1).status_code == 404
    assert match(desk, orphan | {"seq": 2**40}, evse_id=1).status_code == 404
    assert match(desk, orphan | {"station_id": "LB.2"}, evse_id=1).status_code == 404
    reader = {"Authorization": "Bearer key-of-a-reader-0123456789"}
    path = f"{desk.url}/api/v1/orphans/LB-1/{orphan['epoch']}/{orphan['seq']}/match"
    assert httpx.post(path, json={"evse_id": 1, "reason": "x"}, headers=reader).status_code == 403
    assert httpx.get(f"{desk.url}/api/v1/orphans", headers=reader).status_code == 200


def test_the_worker_makes_a_session_of_it_and_the_timeline_says_who_wanted_that(desk: RunningApi) -> None:
    unwish(desk)
    orphan = orphans(desk)[0]
    assert match(desk, orphan, evse_id=1, id_token="04A1", reason="the start was lost in a restart").status_code == 202
    settle(desk)
    [done] = [item for item in orphans(desk, which="all") if item["transaction_id"] == orphan["transaction_id"]]
    assert done["match_error"] is None
    session = desk.client.get(f"/sessions/{done['matched_session_id']}").json()
    assert (session["id_token"], session["evse_id"]) == ("04:A1", 1)
    texts = [item["text"]["en"] for item in desk.client.get(f"/sessions/{session['id']}/timeline").json()["items"]]
    assert any("matched an orphan to this session. Reason: the start was lost in a restart" in text for text in texts)

"""Does what a person decides about a session become evidence and work, once, and only for those who may?

The sessions are made by the real desk of what a station says, and settled by the real worker.
"""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest

from laddbok.flow.rebuild import rebuild
from laddbok.store.people import digest
from laddbok.store.postgres import PostgresStore
from tests.edge.api.charges import TARIFF
from tests.edge.api.conftest import NOW, RunningApi
from tests.edge.api.real_station import charge, settle, with_store

LONG_AGO = NOW - timedelta(days=30)
DEAR = {
    **TARIFF,
    "id": "dear",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "5", "vat": "25", "step_size": 1}]}],
}
LATE = {**DEAR, "id": "late"}


@pytest.fixture(scope="module")
def desk(house: RunningApi) -> RunningApi:
    """The house with tariffs that held long ago, one that began today, and a driver with a contract of their own."""
    house.clock.at = LONG_AGO
    for tariff in (TARIFF, DEAR):
        assert house.client.post("/tariffs", json=tariff).status_code == 201
    assert house.client.post("/contracts", json={"id": "c-dear", "name": "Dear"}).status_code == 201
    for token, contract in (("04A1", None), ("04B2", "c-dear")):
        change = {"status": "Accepted", **({"contract_id": contract} if contract else {})}
        assert house.client.put(f"/id-tokens/{token}", json=change).status_code == 200
    assignment = {"scope": "contract", "scope_id": "c-dear", "tariff_id": "dear"}
    assert house.client.put("/tariff-assignments", json=assignment).status_code == 200
    house.clock.at = NOW
    assert house.client.post("/tariffs", json=LATE).status_code == 201
    for role in ("reader", "operator"):
        house.sql(
            "INSERT INTO api_key (tenant, id, digest, role, created_at) VALUES (1, $1, $2, $1, $3)",
            role, digest(f"key-of-a-{role}-0123456789"), NOW,
        )  # fmt: skip
    return house


@pytest.fixture
def held(desk: RunningApi) -> Callable[..., dict[str, Any]]:
    """Makes a session of an unknown driver, held for a person: as the API shows it."""

    def make(token: str = "STRANGER", **more: Any) -> dict[str, Any]:
        session_id = charge(desk, token, **more)
        settle(desk)
        shown: dict[str, Any] = desk.client.get(f"/sessions/{session_id}").json()
        return shown

    return make


def decide(desk: RunningApi, session: dict[str, Any], kind: str, **fields: Any) -> httpx.Response:
    body = {"kind": kind, "reason": "the driver called", "version": session["version"]} | fields
    return desk.client.post(f"/sessions/{session['id']}/decisions", json=body)


def after(desk: RunningApi, answer: httpx.Response) -> dict[str, Any]:
    """The session once the worker has carried the decision out."""
    assert answer.status_code == 202, answer.text
    settle(desk)
    shown: dict[str, Any] = desk.client.get(answer.json()["look_at"].removeprefix("/api/v1")).json()
    return shown


def test_an_accepted_proposal_is_billed_as_the_person_saw_it(desk: RunningApi, held: Any) -> None:
    session = held()
    assert (session["state"], session["review_reasons"], session["energy_wh"]) == ("review", ["unknown_token"], 5_000)
    answer = decide(desk, session, "accept")
    assert answer.json()["look_at"] == f"/api/v1/sessions/{session['id']}"
    [stored] = desk.sql("SELECT * FROM decision WHERE session_id = $1 AND kind = 'verdict'", session["id"])
    assert (stored["number"], stored["decided_by"]) == (answer.json()["number"], "key setting-" + digest_of_key())
    assert '"energy_wh": 5000' in stored["body"] and f'"seen_version": {session["version"]}' in stored["body"]
    settled = after(desk, answer)
    assert (settled["state"], settled["price"]["incl_vat"], settled["price"]["final"]) == ("settled", "20.00", True)
    assert settled["verdict"] == {"kind": "accept", "reason": "the driver called"}
    texts = [item["text"] for item in desk.client.get(f"/sessions/{session['id']}/timeline").json()["items"]]
    [told] = [text for text in texts if "accepted the proposal" in text["en"]]
    assert told["en"].endswith("accepted the proposal: energy 5.00 kWh. Reason: the driver called")
    assert told["sv"].endswith("godkände förslaget: energi 5,00 kWh. Skäl: the driver called")


def digest_of_key() -> str:
    from tests.edge.api.conftest import KEY

    return digest(KEY).hex()[:8]


def test_a_correction_is_a_credit_and_a_new_revision(desk: RunningApi, held: Any) -> None:
    session = held("04A1")
    assert (session["state"], session["price"]["incl_vat"]) == ("settled", "20.00")
    corrected = after(desk, decide(desk, session, "correct", energy_wh=4_000, reason="the display showed 4.00"))
    assert (corrected["revision"], corrected["energy_wh"], corrected["price"]["incl_vat"]) == (2, 4_000, "16.00")
    assert (corrected["energy"]["method"], corrected["energy"]["confidence"]) == ("corrected", "high")
    issued = desk.client.get("/cdrs", params={"session_id": session["id"].lower()}).json()["items"]
    assert sorted((each["revision"], each["kind"], each["excl_vat"]) for each in issued) == [
        (1, "cdr", "16.00"),
        (1, "credit", "-16.00"),
        (2, "cdr", "12.80"),
    ]


def test_a_corrected_token_brings_the_contract_and_tariff_of_the_sessions_start(desk: RunningApi, held: Any) -> None:
    session = held()
    corrected = after(desk, decide(desk, session, "correct", id_token="04:b2"))
    assert (corrected["state"], corrected["token"], corrected["contract_id"]) == ("settled", "04B2", "c-dear")
    assert (corrected["tariff"], corrected["price"]["incl_vat"]) == ({"id": "dear", "version": 1}, "31.25")
    assert corrected["id_token"] == "STRANGER", "what was presented stays on record"


def test_a_tariff_that_a_person_chose_stays_chosen_when_the_token_is_corrected_later(
    desk: RunningApi, held: Any
) -> None:
    chosen = after(desk, decide(desk, held("04B2"), "correct", tariff_id="plain"))
    assert (chosen["tariff"]["id"], chosen["price"]["incl_vat"]) == ("plain", "20.00")
    again = after(desk, decide(desk, chosen, "correct", id_token="04A1", energy_wh=1_000))
    assert (again["tariff"]["id"], again["revision"], again["price"]["incl_vat"]) == ("plain", 3, "4.00")
    assert (again["token"], again["contract_id"]) == ("04A1", None)


def test_times_are_corrected(desk: RunningApi, held: Any) -> None:
    times = {"started_at": "2026-03-01T08:00:00+01:00", "ended_at": "2026-03-01T09:30:00Z"}
    corrected = after(desk, decide(desk, held("04A1"), "correct", **times))
    assert (corrected["started_at"], corrected["ended_at"]) == ("2026-03-01T07:00:00Z", "2026-03-01T09:30:00Z")
    assert corrected["energy_wh"] == 5_000


def test_a_voided_session_is_credited_and_can_be_reopened_and_accepted(desk: RunningApi, held: Any) -> None:
    void = after(desk, decide(desk, held("04A1"), "void", reason="a test drive of our own"))
    assert (void["state"], void["price"], void["price_missing_reason"]) == ("void", None, "void")
    issued = desk.client.get("/cdrs", params={"session_id": void["id"]}).json()["items"]
    assert sorted(each["kind"] for each in issued) == ["cdr", "credit"]
    assert decide(desk, void, "void").status_code == 409
    reopened = after(desk, decide(desk, void, "reopen"))
    assert (reopened["state"], reopened["review_reasons"]) == ("review", ["reopened"])
    accepted = after(desk, decide(desk, reopened, "accept"))
    assert (accepted["state"], accepted["revision"], accepted["price"]["incl_vat"]) == ("settled", 2, "20.00")


def test_whoever_saw_an_earlier_version_is_told(desk: RunningApi, held: Any) -> None:
    session = held()
    after(desk, decide(desk, session, "accept"))
    answer = decide(desk, session, "void")
    assert answer.status_code == 409
    assert "has moved since you saw it" in answer.json()["detail"]


def test_while_a_decision_waits_for_its_worker_another_is_refused(desk: RunningApi, held: Any) -> None:
    session = held()
    assert decide(desk, session, "accept").status_code == 202
    answer = decide(desk, session, "void")
    assert (answer.status_code, "has just decided" in answer.json()["detail"]) == (409, True)
    [item] = [each for each in desk.client.get("/review").json()["items"] if each["session_id"] == session["id"]]
    assert item["decided_by"].startswith("key ")
    settle(desk)
    assert desk.client.get(f"/sessions/{session['id']}").json()["state"] == "settled"


def test_of_two_who_decide_at_once_one_is_told(desk: RunningApi, held: Any) -> None:
    session = held()
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: decide(desk, session, "accept").status_code, range(8)))
    assert sorted(answers) == [202] + [409] * 7
    assert len(desk.sql("SELECT FROM decision WHERE session_id = $1 AND kind = 'verdict'", session["id"])) == 1
    settle(desk)


async def _while_locked(dsn: Any, table: str, deciding: Callable[[], Any], work: Callable[[], Any]) -> Any:
    """What `deciding` gives when `work` is done after it read the session, and before it reads this table."""
    owner, onlooker = [await asyncpg.connect(**dsn) for _ in range(2)]
    try:
        async with owner.transaction():
            await owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            task = asyncio.create_task(asyncio.to_thread(deciding))
            async with asyncio.timeout(20):
                while not await onlooker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(work)
        return await task
    finally:
        await owner.close()
        await onlooker.close()


def test_who_decides_while_another_decision_is_checked_was_faster(desk: RunningApi, held: Any) -> None:
    session = held()
    correct = partial(decide, desk, session, "correct", tariff_id="dear")
    accept = partial(decide, desk, session, "accept")
    answer = asyncio.run(_while_locked(desk.dsn, "tariff_version", correct, accept))
    assert (answer.status_code, "somebody else decides" in answer.json()["detail"]) == (409, True)
    settle(desk)
    assert desk.client.get(f"/sessions/{session['id']}").json()["verdict"]["kind"] == "accept"


def test_a_session_that_moves_while_a_decision_is_checked_is_not_decided(desk: RunningApi, held: Any) -> None:
    session = held()
    moved = "UPDATE session SET version = version + $2 WHERE id = $1"
    move = partial(desk.sql, moved, session["id"], 1)
    answer = asyncio.run(_while_locked(desk.dsn, "job", partial(decide, desk, session, "void"), move))
    assert (answer.status_code, "has moved since you saw it" in answer.json()["detail"]) == (409, True)
    assert not desk.sql("SELECT FROM decision WHERE session_id = $1 AND kind = 'verdict'", session["id"])
    desk.sql(moved, session["id"], -1)


def test_a_decision_sent_twice_under_one_key_is_one(desk: RunningApi, held: Any) -> None:
    session = held()
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"kind": "accept", "reason": "checked", "version": session["version"]}
    path = f"/sessions/{session['id']}/decisions"
    first, again = (desk.client.post(path, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    other = desk.client.post(path, json=body | {"kind": "void"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    assert len(desk.sql("SELECT FROM decision WHERE session_id = $1 AND kind = 'verdict'", session["id"])) == 1
    settle(desk)


def test_an_open_session_can_not_be_decided(desk: RunningApi) -> None:
    session_id = charge(desk, "04A1")
    session = desk.client.get(f"/sessions/{session_id}").json()
    answer = decide(desk, session, "void")
    assert (answer.status_code, "is ended" in answer.json()["detail"]) == (409, True)
    settle(desk)


def test_only_what_waits_for_a_person_can_be_accepted(desk: RunningApi, held: Any) -> None:
    assert decide(desk, held("04A1"), "accept").status_code == 409


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("accept", {"reason": "  "}, "reason"),
        ("accept", {"reason": "x" * 501}, "reason"),
        ("accept", {"energy_wh": 1}, "energy_wh"),
        ("void", {"tariff_id": "plain"}, "tariff_id"),
        ("correct", {}, "energy_wh"),
        ("correct", {"energy_wh": -1}, "energy_wh"),
        ("correct", {"energy_wh": 10_000_001}, "energy_wh"),
        ("correct", {"energy_wh": "five"}, "energy_wh"),
        ("correct", {"id_token": "NOBODY"}, "id_token"),
        ("correct", {"id_token": ""}, "id_token"),
        ("correct", {"tariff_id": "none"}, "tariff_id"),
        ("correct", {"tariff_id": "late"}, "tariff_id"),
        ("correct", {"started_at": "2026-03-01T08:00:00"}, "started_at"),
        ("correct", {"started_at": "2026-03-01T12:00:01Z"}, "started_at"),
        ("correct", {"started_at": "2025-12-01T08:00:00Z"}, "started_at"),
        ("correct", {"ended_at": "2026-02-01T08:59:00Z"}, "ended_at"),
        ("forget", {}, "kind"),
        ("accept", {"version": 0}, "version"),
        ("accept", {"more": 1}, "more"),
    ],
)  # fmt: skip
def test_bad_input_is_named_by_its_field(
    desk: RunningApi, held_once: dict[str, Any], kind: str, fields: dict[str, Any], field: str
) -> None:
    answer = decide(desk, held_once, kind, **fields)
    assert (answer.status_code, answer.json().get("field")) == (422, field), answer.text
    assert desk.client.get(f"/sessions/{held_once['id']}").json()["version"] == held_once["version"]


@pytest.fixture(scope="module")
def held_once(desk: RunningApi) -> dict[str, Any]:
    """One held session that nobody gets decided."""
    session_id = charge(desk, "STRANGER")
    settle(desk, NOW)
    shown: dict[str, Any] = desk.client.get(f"/sessions/{session_id}").json()
    assert shown["state"] == "review"
    return shown


def test_readers_look_and_operators_decide(desk: RunningApi, held: Any) -> None:
    session = held()
    body = {"kind": "void", "reason": "ours", "version": session["version"]}
    path = f"{desk.url}/api/v1/sessions/{session['id']}/decisions"
    statuses = [
        httpx.post(path, json=body, headers={"Authorization": f"Bearer key-of-a-{role}-0123456789"}).status_code
        for role in ("reader", "operator")
    ]
    assert statuses == [403, 202]
    assert httpx.post(path, json=body).status_code == 401
    settle(desk)


def test_another_tenant_sees_and_decides_nothing(desk: RunningApi, held: Any) -> None:
    session = held()
    desk.sql("INSERT INTO tenant (name, created_at) VALUES ('theirs', $1)", NOW)
    desk.sql(
        "INSERT INTO api_key (tenant, id, digest, role, created_at) VALUES (2, 'theirs', $1, 'administrator', $2)",
        digest("key-of-another-tenant-0123"), NOW,
    )  # fmt: skip
    theirs = {"Authorization": "Bearer key-of-another-tenant-0123"}
    base = f"{desk.url}/api/v1"
    body = {"kind": "void", "reason": "mine now", "version": session["version"]}
    assert httpx.post(f"{base}/sessions/{session['id']}/decisions", json=body, headers=theirs).status_code == 404
    assert httpx.get(f"{base}/review", headers=theirs).json() == {"items": [], "next": None, "total": 0, "counts": []}
    assert httpx.get(f"{base}/gaps", headers=theirs).json()["items"] == []
    assert httpx.get(f"{base}/orphans", params={"which": "all"}, headers=theirs).json()["items"] == []
    assert httpx.get(f"{base}/stations/LB-1/traits", headers=theirs).status_code == 404
    match = {"evse_id": 1, "reason": "mine now"}
    assert httpx.post(f"{base}/orphans/LB-1/1/1/match", json=match, headers=theirs).status_code == 404
    assert desk.sql("SELECT FROM decision WHERE session_id = $1 AND kind = 'verdict'", session["id"]) == []


def test_what_nobody_has_is_not_found(desk: RunningApi) -> None:
    answer = decide(desk, {"id": "AAAA-AAAA-AAAA-AAAA", "version": 1}, "void")
    assert answer.status_code == 404


def test_without_energy_there_is_nothing_to_accept_but_it_can_be_corrected(desk: RunningApi, held: Any) -> None:
    session = held("04A1", end_wh=90_000)  # more than the outlet can give, and nothing was read between
    assert (session["state"], session["energy"]["energy_wh"]) == ("review", None)
    answer = decide(desk, session, "accept")
    assert (answer.status_code, answer.json()["field"]) == (422, "energy_wh")
    corrected = after(desk, decide(desk, session, "correct", energy_wh=2_000))
    assert (corrected["state"], corrected["energy_wh"], corrected["price"]["incl_vat"]) == ("settled", 2_000, "8.00")


def test_what_people_decided_is_rebuilt_to_the_byte(desk: RunningApi, held: Any) -> None:
    """With corrections of every kind, also after each other, and a session that was voided and reopened."""
    session = after(desk, decide(desk, held(), "correct", id_token="04B2", energy_wh=3_000))
    session = after(
        desk, decide(desk, session, "correct", tariff_id="plain", ended_at=session["ended_at"][:14] + "30:00Z")
    )
    after(desk, decide(desk, after(desk, decide(desk, session, "void")), "reopen"))

    ids = [row["id"] for row in desk.sql("SELECT id FROM session WHERE state IN ('settled', 'review', 'void')")]

    async def work(store: PostgresStore, _: Any) -> list[Any]:
        return [rebuild(await store.session_evidence(1, each)) for each in ids]

    assert ids
    assert with_store(desk, work) == [()] * len(ids)

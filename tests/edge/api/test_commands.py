"""Does a command reach its gateway once, and its answer the asker?

The gateway's part is played here over the real database: it is told of a command by NOTIFY and writes how it ended.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from laddbok.model.session import SessionState
from tests.edge.api.charges import running, store
from tests.edge.api.conftest import NOW, RunningApi

OWNER = "gateway-1"
UNANSWERED = "GetConfiguration"
BROKEN_OFF = "TriggerMessage"


class Gateway:
    """Answers commands as its `ends` says: by action, the status and the answer."""

    def __init__(self, house: RunningApi) -> None:
        self.ends: dict[str, tuple[str, Any]] = {}
        self.taken: list[UUID] = []
        self._dsn = house.dsn
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "Gateway":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    async def _run(self) -> None:
        connection = await asyncpg.connect(**self._dsn)
        told: asyncio.Queue[str] = asyncio.Queue()
        await connection.add_listener("laddbok_command", lambda *notice: told.put_nowait(notice[3]))
        self._ready.set()
        while not self._stop.is_set():
            try:
                owner, _, command = (await asyncio.wait_for(told.get(), 0.05)).partition(":")
            except TimeoutError:
                continue
            assert owner == OWNER
            await self._answer(connection, UUID(command))
        await connection.close()

    async def _answer(self, connection: Any, command: UUID) -> None:
        self.taken.append(command)
        action = await connection.fetchval("SELECT action FROM command WHERE id = $1 AND status = 'queued'", command)
        if action == UNANSWERED:
            return
        if action == BROKEN_OFF:  # the database fails whoever waits
            await connection.execute("REVOKE SELECT ON command FROM laddbok_api")
        status, answer = self.ends.get(action, ("answered", {"status": "Accepted"}))
        text = msgspec.json.encode(answer).decode()
        await connection.execute("UPDATE command SET status = $2, answer = $3 WHERE id = $1", command, status, text)
        await connection.execute("SELECT pg_notify('laddbok_command_done', $1)", str(command))


@pytest.fixture(scope="module")
def gateway(house: RunningApi) -> Iterator[Gateway]:
    """A gateway that has LB-1, which speaks OCPP 1.6, and LB-20, which speaks OCPP 2.0.1."""
    house.client.post("/stations", json={"station_id": "LB-20", "site_id": "torget"})
    house.client.post("/stations", json={"station_id": "AWAY", "site_id": "torget"})
    house.sql("UPDATE station SET protocol = '1.6', connected = identity <> 'AWAY', owner = $1", OWNER)
    house.sql("UPDATE station SET protocol = '2.0.1' WHERE identity = 'LB-20'")
    with Gateway(house) as playing:
        yield playing


def test_a_stations_answer_is_the_answer_also_when_it_is_no(house: RunningApi, gateway: Gateway) -> None:
    gateway.ends["Reset"] = ("answered", {"status": "Rejected"})
    began_s = time.monotonic()
    answer = house.client.post("/stations/LB-1/commands/Reset", json={"type": "Soft"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["payload"]) == ("answered", {"status": "Rejected"})
    assert time.monotonic() - began_s < 0.9  # woken by the notification, not by looking now and then
    kept = house.client.get(f"/commands/{body['command_id']}").json()
    assert (kept["action"], kept["status"], kept["answer"]) == ("Reset", "answered", {"status": "Rejected"})
    assert kept["requested_by"].startswith("key ")
    assert house.client.get("/commands?station_id=LB-1").json()["items"][0] == kept


def test_an_error_of_the_station_is_told(house: RunningApi, gateway: Gateway) -> None:
    gateway.ends["UnlockConnector"] = ("error", {"code": "NotSupported", "description": "no lock"})
    body = house.client.post("/stations/LB-1/commands/UnlockConnector", json={"connectorId": 1}).json()
    assert (body["status"], body["code"], body["description"]) == ("error", "NotSupported", "no lock")
    assert "payload" not in body
    del gateway.ends["UnlockConnector"]


def test_a_repeated_command_is_sent_once(house: RunningApi, gateway: Gateway) -> None:
    key = {"Idempotency-Key": "once"}
    before = len(gateway.taken)
    answers = [
        house.client.post("/stations/LB-20/commands/Reset", json={"type": "OnIdle"}, headers=key).json()
        for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert len(gateway.taken) == before + 1


def test_a_command_cut_off_by_the_database_is_answered_to_who_repeats_it(house: RunningApi, gateway: Gateway) -> None:
    key, trigger = {"Idempotency-Key": "cut off"}, {"requestedMessage": "Heartbeat"}
    before = len(gateway.taken)
    try:
        assert house.client.post(f"/stations/LB-1/commands/{BROKEN_OFF}", json=trigger, headers=key).status_code == 500
    finally:
        house.sql("GRANT SELECT ON command TO laddbok_api")
    for _ in range(2):
        answer = house.client.post(f"/stations/LB-1/commands/{BROKEN_OFF}", json=trigger, headers=key)
        assert (answer.status_code, answer.json()["payload"]) == (200, {"status": "Accepted"})
        assert answer.json()["command_id"] == str(gateway.taken[-1])
    assert len(gateway.taken) == before + 1


def test_a_command_repeated_while_it_runs_waits_for_the_same_end(house: RunningApi, gateway: Gateway) -> None:
    def send(_: int) -> Any:
        key = {"Idempotency-Key": "twice at once"}
        return httpx.post(
            f"{house.url}/api/v1/stations/LB-1/commands/{UNANSWERED}",
            json={}, headers={**house.client.headers, **key}, timeout=20,
        )  # fmt: skip

    before = len(gateway.taken)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(send, range(3)))
    assert {answer.status_code for answer in answers} == {504}
    assert len({answer.json()["command_id"] for answer in answers}) == 1
    assert len(gateway.taken) == before + 1


def test_a_session_of_another_protocol_than_its_station_speaks_now_can_not_be_stopped(
    house: RunningApi, gateway: Gateway
) -> None:
    [row] = house.sql("SELECT station_no FROM station WHERE identity = 'LB-20'")
    newer = msgspec.structs.replace(running(43), protocol="ocpp2.0.1", transaction_id="abc-xyz")
    older = running(44)
    store(house, newer)
    store(house, older, station_no=row["station_no"], station="LB-20")
    for session, words in ((newer, ("2.0.1", "1.6")), (older, ("1.6", "2.0.1"))):
        answer = house.client.post(f"/sessions/{session.id}/stop")
        assert answer.status_code == 409
        assert "began over OCPP {} and its station speaks OCPP {} now".format(*words) in answer.json()["detail"]
        assert house.client.post(f"/sessions/{session.id}/unlock").status_code == 200


def test_a_session_that_has_not_told_its_connector_can_not_be_unlocked(house: RunningApi, gateway: Gateway) -> None:
    session = msgspec.structs.replace(running(45), evse_id=None, connector_id=None)
    store(house, session)
    assert house.client.post(f"/sessions/{session.id}/unlock").status_code == 409


@pytest.mark.parametrize(
    ("station_id", "action", "payload", "status", "field"),
    [
        ("AWAY", "Reset", {"type": "Soft"}, 409, None),
        ("NONE", "Reset", {"type": "Soft"}, 404, None),
        ("LB-1", "RequestStopTransaction", {"transactionId": "1"}, 422, "action"),
        ("LB-20", "RemoteStopTransaction", {"transactionId": 1}, 422, "action"),
        ("LB-1", "Reset", {"type": "Gentle"}, 422, "type"),
        ("LB-1", "Reset", {}, 422, "type"),
        ("LB-1", "Reset", {"type": "Soft", "when": "now"}, 422, "when"),
        ("LB-1", "Reset", [1], 422, "body"),
        ("LB-1", "Reset", {"type": "Soft\0"}, 422, "type"),
        ("LB-1", "Reset%00", {"type": "Soft"}, 422, "action"),
    ],
)
def test_what_can_not_be_sent_is_not(
    house: RunningApi, gateway: Gateway, station_id: str, action: str, payload: Any, status: int, field: str | None
) -> None:
    before = len(gateway.taken)
    answer = house.client.post(f"/stations/{station_id}/commands/{action}", json=payload)
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert len(gateway.taken) == before


def test_a_command_that_nobody_waits_for_is_withdrawn(house: RunningApi, gateway: Gateway) -> None:
    key = {"Idempotency-Key": "late"}
    answer = house.client.post(f"/stations/LB-1/commands/{UNANSWERED}", json={}, headers=key)
    assert answer.status_code == 504
    problem = answer.json()
    assert house.client.get(f"/commands/{problem['command_id']}").json()["status"] == "timed_out"
    again = house.client.post(f"/stations/LB-1/commands/{UNANSWERED}", json={}, headers=key)
    assert (again.status_code, again.json()) == (504, problem)


def test_a_session_is_stopped_and_unlocked_in_its_stations_words(house: RunningApi, gateway: Gateway) -> None:
    session = running(41)
    store(house, session)
    key = {"Idempotency-Key": "stop"}
    answer = house.client.post(f"/sessions/{session.id}/stop", headers=key).json()
    assert answer["payload"] == {"status": "Accepted"}
    house.clock.at = NOW + timedelta(seconds=1)
    house.client.post(f"/sessions/{session.id}/unlock")
    sent = house.client.get(f"/commands?session_id={session.id}").json()["items"]
    assert [(command["action"], command["payload"]) for command in sent] == [
        ("UnlockConnector", {"connectorId": 1}),
        ("RemoteStopTransaction", {"transactionId": 41}),
    ]
    told = [item["text"]["en"] for item in house.client.get(f"/sessions/{session.id}/timeline").json()["items"]]
    assert told[0].endswith("asked the station: stop the charge (accepted)")
    house.sql("UPDATE session SET state = 'ended' WHERE id = $1", session.id)
    assert house.client.post(f"/sessions/{session.id}/stop", headers=key).json() == answer
    assert house.client.post(f"/sessions/{session.id}/stop").status_code == 409


def test_a_newer_protocol_is_asked_in_its_own_words(house: RunningApi, gateway: Gateway) -> None:
    [row] = house.sql("SELECT station_no FROM station WHERE identity = 'LB-20'")
    session = msgspec.structs.replace(running(42), protocol="ocpp2.0.1")
    store(
        house,
        session,
        station_no=row["station_no"],
        station="LB-20",
        transaction_id="tx-42",
        state=SessionState.ACTIVE.value,
    )
    house.client.post(f"/sessions/{session.id}/stop")
    [sent] = house.client.get(f"/commands?session_id={session.id}").json()["items"]
    assert (sent["action"], sent["payload"]) == ("RequestStopTransaction", {"transactionId": "tx-42"})


def test_a_reader_can_not_command(house: RunningApi, gateway: Gateway) -> None:
    digest = hashlib.sha256(b"key-of-reader").digest()
    house.sql("INSERT INTO api_key VALUES (1, 'reader', $1, 'reader', false, $2)", digest, NOW)
    answer = house.client.post(
        "/stations/LB-1/commands/Reset", json={"type": "Soft"}, headers={"Authorization": "Bearer key-of-reader"}
    )
    assert answer.status_code == 403

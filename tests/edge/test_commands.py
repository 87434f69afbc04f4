"""What a person orders of a station through the API, and every way in which it can end, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.edge.platform import BOOT, BOOT_201, Platform, Station, platform, until_async

LIMIT_S = 5
START = {"idTag": "04E91C5A123480", "connectorId": 1}


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    with platform(LADDBOK_COMMAND_LIMIT_S=str(LIMIT_S)) as running:
        running.fill()
        yield running


@pytest.fixture(scope="module")
def never_answered(running: Platform) -> Iterator["Future[httpx.Response]"]:
    """A command to a station that stays silent; asked for first, since its time-out takes long."""

    async def run() -> httpx.Response:
        async with on_duty(running, "CMD-SILENT", answers={"Reset": None}):
            return await order(running, "CMD-SILENT", "Reset", {"type": "Soft"})

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(lambda: asyncio.run(run()))


@asynccontextmanager
async def on_duty(
    running: Platform, identity: str, protocol: str = "ocpp1.6", answers: dict[str, Any] | None = None
) -> AsyncIterator[Station]:
    """A station that has booted and answers what it is asked."""
    password = await asyncio.to_thread(running.new_station, identity)
    async with running.station(identity, password, protocol=protocol) as station:
        station.answers = {"SetVariables": {"setVariableResult": []}, **(answers or {})}
        await station.says("BootNotification", BOOT if protocol == "ocpp1.6" else BOOT_201)
        obeying = asyncio.create_task(station.obey())
        try:
            yield station
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)


async def order(
    running: Platform, identity: str, action: str, payload: dict[str, Any], **headers: str
) -> httpx.Response:
    path = f"/stations/{identity}/commands/{action}"
    return await asyncio.to_thread(running.api.post, path, json=payload, headers=headers)


async def command(running: Platform, answer: httpx.Response) -> dict[str, Any]:
    """The command's own row."""
    found: dict[str, Any] = await asyncio.to_thread(running.get, f"/commands/{answer.json()['command_id']}")
    return found


@pytest.mark.usefixtures("never_answered")
def test_answers_refusals_and_errors_of_a_16_station(running: Platform) -> None:
    configuration = {"configurationKey": [{"key": "A", "readonly": False, "value": "1"}], "unknownKey": ["B"]}
    answers = {
        "RemoteStopTransaction": {"status": "Rejected"},
        "UnlockConnector": {"status": "NotSupported"},
        "GetConfiguration": configuration,
        "GetCompositeSchedule": {"status": "Rejected"},
        "Reset": ValueError("not now"),
    }
    orders: list[tuple[str, dict[str, Any]]] = [
        ("RemoteStartTransaction", START),
        ("RemoteStopTransaction", {"transactionId": 7}),
        ("UnlockConnector", {"connectorId": 1}),
        ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        ("ChangeConfiguration", {"key": "A", "value": "2"}),
        ("GetConfiguration", {"key": ["A", "B"]}),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 60}),
    ]

    async def run() -> None:
        async with on_duty(running, "CMD-16", answers=answers) as station:
            for action, payload in orders:
                answer = await order(running, "CMD-16", action, payload)
                assert answer.status_code == 200, answer.text
                expected = answers.get(action, {"status": "Accepted"})
                assert (answer.json()["status"], answer.json()["payload"]) == ("answered", expected)
                sent = next(message for message in station.asked if message[1] == answer.json()["command_id"])
                assert sent[2:] == [action, payload]
                assert (await command(running, answer))["status"] == "answered"
            refused = await order(running, "CMD-16", "Reset", {"type": "Hard"})
            assert (refused.status_code, refused.json()["status"]) == (200, "error")
            assert (refused.json()["code"], refused.json()["description"]) == ("NotSupported", "not now")

    asyncio.run(run())


def test_commands_of_201(running: Platform) -> None:
    component = {"component": {"name": "C"}, "variable": {"name": "V"}}
    got = {"getVariableResult": [{**component, "attributeStatus": "Accepted", "attributeValue": "5"}]}
    start = {"remoteStartId": 5, "idToken": {"idToken": "04E91C5A123480", "type": "ISO14443"}, "evseId": 1}
    orders: list[tuple[str, dict[str, Any]]] = [
        ("RequestStartTransaction", start),
        ("RequestStopTransaction", {"transactionId": "T-1"}),
        ("Reset", {"type": "OnIdle"}),
        ("GetVariables", {"getVariableData": [component]}),
        ("GetCompositeSchedule", {"evseId": 1, "duration": 60}),
    ]

    async def run() -> None:
        answers = {"GetVariables": got}
        async with on_duty(running, "CMD-201", "ocpp2.0.1", answers):
            for action, payload in orders:
                answer = await order(running, "CMD-201", action, payload)
                assert answer.status_code == 200, answer.text
                assert answer.json()["payload"] == answers.get(action, {"status": "Accepted"})

    asyncio.run(run())


def test_what_the_protocol_does_not_have_is_422_and_never_sent(running: Platform) -> None:
    wrong: list[tuple[str, str, dict[str, Any], str]] = [
        ("CMD-WRONG", "RequestStartTransaction", {}, "action"),
        ("CMD-WRONG", "Heartbeat", {}, "action"),
        ("CMD-WRONG", "Reset", {"type": "Medium"}, "type"),
        ("CMD-WRONG", "RemoteStartTransaction", {}, "idTag"),
        ("CMD-WRONG", "UnlockConnector", {"connectorId": 1, "also": 2}, "also"),
        ("CMD-WRONG-201", "RemoteStartTransaction", START, "action"),
        ("CMD-WRONG-201", "RequestStopTransaction", {"transactionId": 5}, "transactionId"),
    ]

    async def run() -> None:
        async with on_duty(running, "CMD-WRONG") as old, on_duty(running, "CMD-WRONG-201", "ocpp2.0.1") as new:
            for identity, action, payload, field in wrong:
                answer = await order(running, identity, action, payload)
                assert answer.status_code == 422, answer.text
                assert answer.headers["content-type"].startswith("application/problem+json")
                assert field in answer.json()["field"] or field in answer.json()["detail"], answer.text
            asked = {message[2] for message in (*old.asked, *new.asked)}
            assert not asked & {action for _, action, _, _ in wrong}

    asyncio.run(run())


def test_a_station_that_is_not_connected_or_not_known(running: Platform) -> None:
    running.new_station("CMD-NEVER")

    async def run() -> None:
        never = await order(running, "CMD-NEVER", "Reset", {"type": "Soft"})
        assert never.status_code == 409, never.text
        unknown = await order(running, "CMD-NOBODY", "Reset", {"type": "Soft"})
        assert unknown.status_code == 404
        async with on_duty(running, "CMD-LEFT"):
            pass
        await until_async(lambda: asyncio.to_thread(running.get, "/stations/CMD-LEFT"), lambda s: not s["connected"])
        assert (await order(running, "CMD-LEFT", "Reset", {"type": "Soft"})).status_code == 409

    asyncio.run(run())


def test_a_connection_lost_before_the_answer_is_an_unknown_outcome_at_once(running: Platform) -> None:
    async def run() -> None:
        async with on_duty(running, "CMD-LOST", answers={"Reset": None}) as station:
            ordering = asyncio.create_task(order(running, "CMD-LOST", "Reset", {"type": "Hard"}))
            async with asyncio.timeout(10):
                while not any(message[2] == "Reset" for message in station.asked):
                    await asyncio.sleep(0.02)
            station.socket.transport.abort()
            answer = await asyncio.wait_for(ordering, 10)
        assert answer.status_code == 504
        [found] = (await asyncio.to_thread(running.get, "/commands", station_id="CMD-LOST"))["items"][:1]
        assert (found["action"], found["status"]) == ("Reset", "unknown")

    asyncio.run(run())


def test_the_same_order_twice_is_sent_once(running: Platform) -> None:
    async def run() -> None:
        async with on_duty(running, "CMD-ONCE") as station:
            key = {"Idempotency-Key": "once"}
            first = await order(running, "CMD-ONCE", "Reset", {"type": "Soft"}, **key)
            second = await order(running, "CMD-ONCE", "Reset", {"type": "Soft"}, **key)
            assert first.status_code == 200, first.text
            assert first.json() == second.json()
            assert [message[2] for message in station.asked].count("Reset") == 1

    asyncio.run(run())


def test_a_session_is_stopped_in_the_words_of_its_protocol(running: Platform) -> None:
    token = {"idToken": "04E91C5A123480", "type": "ISO14443"}

    async def run() -> None:
        async with on_duty(running, "CMD-STOP-16") as old, on_duty(running, "CMD-STOP-201", "ocpp2.0.1") as new:
            # `obey` reads the answers, so these calls are sent only.
            start = {"connectorId": 1, "idTag": token["idToken"], "meterStart": 5, "timestamp": running.now_text()}
            await old.send_only("StartTransaction", start)
            started = {
                "eventType": "Started", "timestamp": running.now_text(), "triggerReason": "Authorized", "seqNo": 0,
                "transactionInfo": {"transactionId": "T-7"}, "evse": {"id": 1, "connectorId": 1}, "idToken": token,
            }  # fmt: skip
            await new.send_only("TransactionEvent", started)
            for station, action in ((old, "RemoteStopTransaction"), (new, "RequestStopTransaction")):
                sessions = lambda station=station: asyncio.to_thread(running.sessions, station.identity)  # noqa: E731
                [session] = await until_async(sessions, lambda found: found)
                answer = await asyncio.to_thread(running.api.post, f"/sessions/{session['id']}/stop")
                assert (answer.status_code, answer.json()["payload"]) == (200, {"status": "Accepted"})
                asked = next(message for message in station.asked if message[2] == action)
                assert str(asked[3]["transactionId"]) == session["transaction_id"]

    asyncio.run(run())


def test_no_answer_in_time_is_504(running: Platform, never_answered: "Future[httpx.Response]") -> None:
    answer = never_answered.result(60)
    assert answer.status_code == 504
    [found] = running.get("/commands", station_id="CMD-SILENT")["items"][:1]
    assert found["action"] == "Reset" and found["status"] in ("sent", "timed_out", "unknown")

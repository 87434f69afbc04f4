"""`laddbok serve` from outside: who may come in, what bad input gets, and what is left when a process is killed."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError
from websockets.protocol import State

from laddbok.store.sql import query
from tests.edge.platform import (
    BOOT,
    BOOT_201,
    TOKEN,
    Platform,
    Station,
    fast_clock,
    finished,
    is_alive,
    platform,
    serving,
    state_folder,
    until,
    until_async,
)

MANY = 1_000
CONNECTIONS = 50
HEARTBEAT = '[2,"beat","Heartbeat",{}]'


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    with platform(LADDBOK_CLOCK=fast_clock().to_text(), LADDBOK_MAX_FRAME_BYTES="65536") as running:
        running.fill()
        yield running


@pytest.fixture(scope="module")
def lab() -> Iterator[Platform]:
    with platform(LADDBOK_ADMIT_UNKNOWN_STATIONS="true") as running:
        yield running


def test_a_wrong_password_is_401_and_the_right_one_is_read_as_text_hex_or_bytes(running: Platform) -> None:
    password = running.new_station("DOOR-1")

    async def run() -> None:
        for wrong in (None, "wrong", "", password[:-2]):
            with pytest.raises(InvalidStatus) as refused:
                async with running.station("DOOR-1", wrong):
                    pass
            assert refused.value.response.status_code == 401
            assert "Basic" in refused.value.response.headers["WWW-Authenticate"]
        for right in (password, password.upper(), bytes.fromhex(password)):
            async with running.station("DOOR-1", right) as station:
                assert (await station.says("BootNotification", BOOT))["status"] == "Accepted"

    asyncio.run(run())


def test_S74_an_unknown_station_waits_in_the_lobby_until_a_person_admits_it(running: Platform) -> None:
    async def run() -> None:
        async with running.station("LOBBY-1", "its own long password") as station:
            boot = await station.says("BootNotification", BOOT)
            assert boot["status"] == "Pending" and 0 < boot["interval"] <= 60
            refused = await station.call("Authorize", {"idTag": TOKEN})
            assert refused[:3] == [4, refused[1], "SecurityError"]
            [waits] = await until_async(lobby, lambda items: items and items[0]["vendor"])
            assert (waits["station_id"], waits["vendor"], waits["model"]) == ("LOBBY-1", "Edge", "Sixteen")
            assert (waits["protocol"], waits["attempts"]) == ("1.6", 1)
            admitted = await asyncio.to_thread(
                running.api.post, "/lobby/LOBBY-1/admit", json={"keep_password": True, "site_id": "main"}
            )
            assert admitted.is_success, admitted.text
            # It asks again, as it was told to; it is admitted, so it is sent round to the door.
            assert (await station.says("BootNotification", BOOT))["status"] == "Pending"
            with pytest.raises(ConnectionClosed):
                await station.heard()
        async with running.station("LOBBY-1", "its own long password") as station:
            assert (await station.says("BootNotification", BOOT))["status"] == "Accepted"
        assert await lobby() == []

    async def lobby() -> list[dict[str, object]]:
        items: list[dict[str, object]] = (await asyncio.to_thread(running.get, "/lobby"))["items"]
        return items

    asyncio.run(run())


def test_a_station_from_the_lobby_can_get_a_password_of_ours(running: Platform) -> None:
    async def run() -> None:
        async with running.station("LOBBY-2", protocol="ocpp2.0.1") as station:
            assert (await station.says("BootNotification", BOOT_201))["status"] == "Pending"
        admitted = await asyncio.to_thread(running.api.post, "/lobby/LOBBY-2/admit", json={"site_id": "main"})
        with pytest.raises(InvalidStatus):
            async with running.station("LOBBY-2", protocol="ocpp2.0.1"):
                pass
        async with running.station("LOBBY-2", admitted.json()["password"], protocol="ocpp2.0.1") as station:
            assert (await station.says("BootNotification", BOOT_201))["status"] == "Accepted"

    asyncio.run(run())


def test_a_stranger_can_not_take_over_a_station_that_waits(running: Platform) -> None:
    async def run() -> None:
        async with running.station("LOBBY-3", "its own long password") as station:
            await station.says("BootNotification", {**BOOT, "chargePointVendor": "NUL \0"})
            async with running.station("LOBBY-3", "a stranger's password") as stranger:
                assert (await stranger.says("BootNotification", BOOT))["status"] == "Pending"
                with pytest.raises(ConnectionClosed):  # one connection for each identity
                    await station.heard()
        [waits] = [each for each in await asyncio.to_thread(lobby) if each["station_id"] == "LOBBY-3"]
        assert (waits["other_password"], waits["other_address"]) == (True, None)
        kept = await asyncio.to_thread(running.api.post, "/lobby/LOBBY-3/admit", json={"keep_password": True})
        assert kept.status_code == 409 and "another password" in kept.json()["detail"]
        admitted = await asyncio.to_thread(running.api.post, "/lobby/LOBBY-3/admit", json={})
        for refused in ("its own long password", "a stranger's password"):
            with pytest.raises(InvalidStatus):
                async with running.station("LOBBY-3", refused):
                    pass
        async with running.station("LOBBY-3", admitted.json()["password"]) as station:
            assert (await station.says("BootNotification", BOOT))["status"] == "Accepted"

    def lobby() -> list[dict[str, object]]:
        items: list[dict[str, object]] = running.get("/lobby")["items"]
        return items

    asyncio.run(run())


def test_a_renewed_password_ends_the_connection_that_has_the_old_one(running: Platform) -> None:
    old = running.new_station("RENEW-1")

    async def run() -> None:
        async with running.station("RENEW-1", old) as station:
            await station.says("BootNotification", BOOT)
            renewed = await asyncio.to_thread(running.api.post, "/stations/RENEW-1/password")
            with pytest.raises(ConnectionClosed) as closed:
                await station.heard()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        with pytest.raises(InvalidStatus):
            async with running.station("RENEW-1", old):
                pass
        async with running.station("RENEW-1", renewed.json()["password"]) as station:
            await station.says("BootNotification", BOOT)

    asyncio.run(run())


def test_a_password_that_was_renewed_while_nobody_listened_ends_its_connection_too(running: Platform) -> None:
    passwords = {identity: running.new_station(identity) for identity in ("RENEW-2", "RENEW-3")}
    listens = query("commands_to_send")[:200]
    lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE left(query, 200) = $1"

    async def run() -> None:
        old, neighbour = (running.station(identity, password) for identity, password in passwords.items())
        async with old, neighbour:
            await running.fetch("UPDATE station SET password_hash = 'another' WHERE identity = 'RENEW-2'")
            await until_async(lambda: running.fetch(lost, listens), lambda found: found)
            with pytest.raises(ConnectionClosed):
                await old.heard()
            assert "currentTime" in (await neighbour.says("Heartbeat", {}))

    asyncio.run(run())


def test_a_lab_admits_everybody(lab: Platform) -> None:
    async def run() -> None:
        async with lab.station("LAB-1", "first password is kept") as station:
            assert (await station.says("BootNotification", BOOT))["status"] == "Accepted"
        with pytest.raises(InvalidStatus):
            async with lab.station("LAB-1", "another one"):
                pass

    asyncio.run(run())
    until(lambda: lab.get("/stations/LAB-1")["vendor"], lambda vendor: vendor == "Edge")


def test_an_unknown_subprotocol_is_refused(running: Platform) -> None:
    password = running.new_station("DOOR-2")

    async def run() -> None:
        with pytest.raises((NegotiationError, ConnectionClosed)):
            async with running.station("DOOR-2", password, protocol="ocpp9.9") as station:
                await station.say(HEARTBEAT)

    asyncio.run(run())


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_bad_frames_get_an_ocpp_error_and_the_socket_lives(running: Platform, protocol: str) -> None:
    identity = f"BAD-{protocol}"
    password = running.new_station(identity)
    deep = "[" * 200 + "]" * 200
    bad = {
        "not JSON": "hello",
        "not even text": "\x00\x01[[[",
        "cut off": '[2,"cut","Heartbeat",{',
        "no array": '{"a":1}',
        "empty": "[]",
        "no such type": '[9,"nine","Heartbeat",{}]',
        "no such action": '[2,"what","MakeCoffee",{}]',
        "no payload": '[2,"none","Authorize"]',
        "wrong types": '[2,"types","MeterValues",{"connectorId":"x","evseId":[],"meterValue":7}]',
        "too deep": f'[2,"deep","DataTransfer",{{"vendorId":"v","data":{deep}}}]',
        "too large": '[2,"large","DataTransfer",{"vendorId":"v","data":"' + "x" * 70_000 + '"}]',
    }
    named = {"what", "types", "deep", "large"}

    async def run() -> None:
        async with running.station(identity, password, protocol=protocol) as station:
            for what, frame in bad.items():
                answer = await station.say(frame)
                assert (answer[0], len(answer), type(answer[4])) == (4, 5, dict), (what, answer)
                assert answer[2] and answer[3], (what, answer)
                if any(f'"{name}"' in frame for name in named):
                    assert answer[1] in named, (what, answer)
                assert "currentTime" in (await station.say(HEARTBEAT))[2]

    asyncio.run(run())


def test_s64_s70_of_fifty_connections_of_one_station_the_newest_wins(running: Platform) -> None:
    password = running.new_station("ONE-ID")

    async def run() -> None:
        opened = [running.station("ONE-ID", password) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(station.__aenter__() for station in opened))
        alive = await until_async(lambda: living(opened), lambda found: len(found) == 1)
        assert (await alive[0].says("BootNotification", BOOT))["status"] == "Accepted"
        newest = running.station("ONE-ID", password)
        async with newest:
            assert (await newest.says("BootNotification", BOOT))["status"] == "Accepted"
            await until_async(lambda: living(opened), lambda found: not found)
            # The clean-up of the old ones is over, and has left the newest alone.
            assert await presence() is True
            assert (await newest.says("Authorize", {"idTag": TOKEN}))["idTagInfo"]["status"] == "Accepted"
        await until_async(presence, lambda connected: not connected)

    async def presence() -> bool:
        return bool((await asyncio.to_thread(running.get, "/stations/ONE-ID"))["connected"])

    async def living(stations: list[Station]) -> list[Station]:
        return [each for each in stations if each.socket.state is State.OPEN]

    asyncio.run(run())


def test_one_poisoned_message_among_a_thousand_stands_alone(lab: Platform) -> None:
    """PostgreSQL refuses one row; beside it go a NUL in a message id, and 998 that are as they should be."""
    lab.sql("ALTER TABLE frame ADD CONSTRAINT refused CHECK (message_id <> 'poison')")
    frames = [message(f"m-{number}") for number in range(MANY)]
    frames[500], frames[700] = message("poison"), message("nul-\\u0000")

    async def run() -> list[Any]:
        async with contextlib.AsyncExitStack() as stack:
            gate = asyncio.Semaphore(50)

            async def come(number: int) -> Station:
                async with gate:
                    return await stack.enter_async_context(lab.station(f"MANY-{number:04}"))

            stations = await asyncio.gather(*(come(number) for number in range(MANY)))
            return await asyncio.gather(*(each.say(frame) for each, frame in zip(stations, frames, strict=True)))

    answers = asyncio.run(run())
    refused = [answer for answer in answers if answer[0] == 4]
    assert [answer[:3] for answer in refused] == [[4, "poison", "InternalError"]]
    assert sum(answer[0] == 3 for answer in answers) == MANY - 1
    [stored] = lab.sql(
        "SELECT count(*) AS rows, count(DISTINCT station_no) AS stations FROM frame WHERE action = 'StatusNotification'"
    )
    assert (stored["rows"], stored["stations"]) == (MANY - 1, MANY - 1)
    [kept] = lab.sql("SELECT reason, raw FROM quarantine")
    assert "refused" in kept["reason"] and kept["raw"] == frames[500].encode()


def message(message_id: str) -> str:
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    return f'[2,"{message_id}","StatusNotification",{json.dumps(status)}]'


def test_a_killed_worker_is_started_again_and_sessions_settle(running: Platform) -> None:
    password = running.new_station("WORK-1")
    before = running.worker_pid
    os.kill(before, signal.SIGKILL)

    async def run() -> None:
        async with running.station("WORK-1", password) as station:
            transaction = await station.start(0)
            await station.says("StopTransaction", station.stop_of(transaction, 400))

    asyncio.run(run())
    [session] = running.settled("WORK-1")
    assert (session["energy_wh"], session["price"]["final"]) == (400, True)
    assert running.worker_pid != before


def test_a_killed_platform_comes_back_on_the_same_folder_with_nothing_lost_and_nothing_twice() -> None:
    clock = {"LADDBOK_CLOCK": fast_clock().to_text()}
    stations = [f"KILL-{number}" for number in range(4)]
    with state_folder() as folder:
        with serving(folder, **clock) as first:
            first.fill()
            passwords = {identity: first.new_station(identity) for identity in stations}
            worker, started = first.worker_pid, {}

            async def begin(identity: str) -> None:
                async with first.station(identity, passwords[identity]) as station:
                    await station.says("BootNotification", BOOT)
                    started[identity] = await station.start(1_000)
                    await station.says("MeterValues", station.meter_of(started[identity], 1_300))
                    # Nobody reads the answer to this one: the station has to send it again.
                    stop = station.stop_of(started[identity], 1_400)
                    unheard[identity] = stop
                    await station.send_only("StopTransaction", stop)

            async def begin_all() -> None:
                await asyncio.gather(*map(begin, stations))

            unheard: dict[str, dict[str, object]] = {}
            asyncio.run(begin_all())
            first.process.kill()
            first.process.wait()
        until(lambda: is_alive(worker), lambda alive: not alive)
        with serving(folder, **clock) as second:

            async def resend(identity: str) -> None:
                async with second.station(identity, passwords[identity]) as station:
                    await station.says("BootNotification", BOOT)
                    for _ in range(2):
                        answer = await station.says("StopTransaction", unheard[identity])
                        assert answer.get("idTagInfo", {"status": "Accepted"})["status"] == "Accepted"

            async def resend_all() -> None:
                await asyncio.gather(*map(resend, stations))

            asyncio.run(resend_all())
            for identity in stations:
                [session] = second.settled(identity)
                assert (session["energy_wh"], session["transaction_id"]) == (400, str(started[identity]))
                assert len(second.sessions(identity)) == 1 and session["review_reasons"] == []
            [total] = second.sql("SELECT count(*) AS cdrs, sum(energy_wh) AS energy_wh FROM cdr")
            assert (total["cdrs"], total["energy_wh"]) == (len(stations), 400 * len(stations))
            database = second.postmaster_pid
        assert database is not None
        until(lambda: is_alive(database), lambda alive: not alive)


def test_what_can_not_be_had_is_one_clear_line() -> None:
    with state_folder() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        (folder / "a-file").write_text("no folder")
        cases = [
            ({"LADDBOK_OCPP_PORT": port}, port),
            ({"LADDBOK_HTTP_PORT": port}, port),
            ({"LADDBOK_DATA": str(folder / "a-file")}, "a-file"),
            ({"LADDBOK_DATA": str(folder / "a-file/below")}, "a-file"),
            ({"LADDBOK_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port_of_nobody()}/x"}, "database"),
            ({"LADDBOK_DATABASE_URL": "not a url"}, "database"),
            ({"LADDBOK_OCPP_PORT": "many"}, "LADDBOK_OCPP_PORT"),
        ]
        for settings, named in cases:
            assert_told(finished(["serve"], folder, **settings), named)
        settings, named = cases[0]
        assert_told(finished(["demo", "--for", "1", "--stations", "1"], folder, **settings), named)


def assert_told(told: "subprocess.CompletedProcess[str]", named: str) -> None:
    assert (told.returncode, told.stderr.count("\n")) == (1, 1) and named in told.stderr, told


def port_of_nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_doctor(running: Platform) -> None:
    told = finished(["doctor", "--json"], running.folder, LADDBOK_OCPP_PORT=str(running.ocpp_port))
    assert told.returncode == 0, told
    result = json.loads(told.stdout.splitlines()[-1])
    assert result["bad"] == 0
    found = {each["what"]: each["detail"] for each in result["findings"]}
    assert str(Path(running.folder)) in found["database"] and "in use" in found["port for stations"]
    assert "1 tariffs" in found["tariffs"]

"""What stations and their sessions notice of a database that is killed: that it takes longer, and nothing else."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus

from laddbok.store.embedded import start
from tests.edge.platform import BOOT, TOKEN, Platform, fast_clock, now_text, serving, state_folder, until

STATIONS = 12
PAUSE_S = 0.02
BEGIN_WH, STEP_WH = 1_000, 2
TALK_S = 1.0
HEALED_S = 30.0
STOPPED_S = 12.0
GONE_S = 13.0
"""Longer than the 10 s for which messages are held."""


@dataclass
class Talker:
    """A station as real ones are: it sends each message again until it is answered, over a new connection if need be."""

    platform: Platform
    identity: str
    password: str
    acknowledged: list[str] = field(default_factory=list)
    retry_after: list[str] = field(default_factory=list)
    close_codes: list[int] = field(default_factory=list)
    meter_wh: int = BEGIN_WH
    sent: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        begin = {"connectorId": 1, "idTag": TOKEN, "meterStart": self.meter_wh, "timestamp": self._now()}
        transaction = (await self.until_answered("StartTransaction", begin))["transactionId"]
        while not stop.is_set():
            self.meter_wh += STEP_WH
            value = {"timestamp": self._now(), "sampledValue": [{"value": str(self.meter_wh)}]}
            reading = {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}
            await self.until_answered("MeterValues", reading)
            await asyncio.sleep(PAUSE_S)
        self.meter_wh += STEP_WH
        end = {"transactionId": transaction, "meterStop": self.meter_wh, "timestamp": self._now(), "reason": "Local"}
        await self.until_answered("StopTransaction", end)

    async def until_answered(self, action: str, payload: dict[str, Any]) -> Any:
        self.sent += 1
        message_id = f"{self.identity}/{self.sent}"
        while True:
            try:
                station = await self._connected()
                answer = await station.call(action, payload, message_id)
            except ConnectionClosed as closed:
                self.close_codes.append(closed.rcvd.code if closed.rcvd else 1006)
                self._station = None
                continue
            assert answer[0] == 3, answer
            self.acknowledged.append(message_id)
            return answer[2]

    async def _connected(self) -> Any:
        while self._station is None:
            station = self.platform.station(self.identity, self.password)
            try:
                await station.__aenter__()
                await station.says("BootNotification", BOOT)
                self._station = station
            except InvalidStatus as refused:
                assert refused.response.status_code == 503
                self.retry_after.append(refused.response.headers["Retry-After"])
                await asyncio.sleep(0.2)
            except (ConnectionClosed, ConnectionError, TimeoutError):
                await asyncio.sleep(0.2)
        return self._station

    def _now(self) -> str:
        return now_text(self.platform.clock)

    _station: Any = None


@asynccontextmanager
async def talking(platform: Platform) -> AsyncIterator[list[Talker]]:
    """Stations that talk all the time, and stop their transactions at the end."""
    names = [f"TALK-{number}" for number in range(STATIONS)]
    talkers = [Talker(platform, name, await asyncio.to_thread(platform.new_station, name)) for name in names]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(talker.run(stop)) for talker in talkers]
    try:
        yield talkers
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), HEALED_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for talker in talkers:
            if talker._station is not None:
                with contextlib.suppress(ConnectionClosed):
                    await talker._station.socket.close()


async def progress(talkers: list[Talker]) -> None:
    """Wait until each has been answered ten times more."""
    counts = [len(talker.acknowledged) + 10 for talker in talkers]
    async with asyncio.timeout(HEALED_S):
        while any(len(talker.acknowledged) < count for talker, count in zip(talkers, counts, strict=True)):
            await asyncio.sleep(0.05)


async def progress_or_sent_away(talkers: list[Talker]) -> None:
    """Each is answered, or is told in time to come again; nobody is left waiting in silence."""
    try:
        await progress(talkers)
    except TimeoutError:
        assert all(1013 in talker.close_codes or talker.retry_after for talker in talkers)


def assert_nothing_lost(platform: Platform, talkers: list[Talker], stored: list[Any]) -> None:
    """Every acknowledged message is stored, and each session's CDR has what the station's meter showed."""
    acknowledged = {message_id for talker in talkers for message_id in talker.acknowledged}
    assert len(acknowledged) == sum(talker.sent for talker in talkers)
    assert acknowledged <= {row["message_id"] for row in stored}
    for talker in talkers:
        [session] = platform.settled(talker.identity)
        assert session["energy_wh"] == talker.meter_wh - BEGIN_WH
        assert (session["review_reasons"], session["price"]["final"]) == ([], True)
        assert len(platform.sessions(talker.identity)) == 1


def test_a_killed_embedded_database_heals_by_itself() -> None:
    with state_folder() as folder, serving(folder, LADDBOK_CLOCK=fast_clock().to_text()) as platform:
        platform.fill()

        async def run() -> list[Talker]:
            async with talking(platform) as talkers:
                await progress(talkers)
                killed = platform.postmaster_pid
                assert killed is not None
                os.kill(killed, signal.SIGKILL)
                await progress(talkers)
                assert platform.postmaster_pid not in (None, killed)
            return talkers

        talkers = asyncio.run(run())
        assert_nothing_lost(platform, talkers, platform.sql("SELECT message_id FROM frame"))
        # Commands work again as well: their announcements come over a connection of their own.
        asyncio.run(ordered(platform, talkers[0]))


async def ordered(platform: Platform, talker: Talker) -> None:
    async with platform.station(talker.identity, talker.password) as station:
        await station.says("BootNotification", BOOT)
        obeying = asyncio.create_task(station.obey())
        path = f"/stations/{talker.identity}/commands/Reset"
        answer = await asyncio.to_thread(platform.api.post, path, json={"type": "Soft"})
        obeying.cancel()
    assert (answer.status_code, answer.json()["status"]) == (200, "answered"), answer.text


def test_an_external_database_that_is_gone_for_longer() -> None:
    """Messages are held, then everybody is sent away and refused at the door; when it is back, all goes on."""
    with state_folder() as home, state_folder() as folder, start(home) as server:
        url = f"postgresql://{server.dsn['user']}@/{server.dsn['database']}?host={server.dsn['host']}"
        environ = {"LADDBOK_DATABASE_URL": url, "LADDBOK_CLOCK": fast_clock().to_text()}
        with serving(folder, **environ) as platform:
            platform.fill()

            async def run() -> list[Talker]:
                async with talking(platform) as talkers:
                    await progress(talkers)
                    os.kill(server.postmaster_pid, signal.SIGKILL)
                    await asyncio.sleep(TALK_S)
                    before = [len(talker.acknowledged) for talker in talkers]
                    await asyncio.sleep(GONE_S - TALK_S)
                    assert [len(talker.acknowledged) for talker in talkers] == before
                    assert {code for talker in talkers for code in talker.close_codes} == {1013}
                    assert all(talker.close_codes and talker.retry_after for talker in talkers)
                    await asyncio.to_thread(server.ensure_running)
                    await progress(talkers)
                assert {text.isdecimal() for talker in talkers for text in talker.retry_after} == {True}
                return talkers

            talkers = asyncio.run(run())
            platform_home = Platform(home, platform.process, platform.stations, platform.console, platform.clock)
            assert_nothing_lost(platform, talkers, platform_home.sql("SELECT message_id FROM frame"))
            platform_home.api.close()


def test_a_database_that_hangs_is_noticed_and_done_without() -> None:
    """Every backend is stopped in its tracks: other connections are made, and nothing acknowledged is lost.

    A backend that is stopped while it holds one of the server's own locks blocks every other one: then nothing can go on
    before it does, and stations must come again by themselves.
    """
    with state_folder() as folder, serving(folder, LADDBOK_CLOCK=fast_clock().to_text()) as platform:
        platform.fill()

        async def run() -> list[Talker]:
            async with talking(platform) as talkers:
                await progress(talkers)
                hung = await backends(platform)
                assert hung
                for pid in hung:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    await progress_or_sent_away(talkers)
                finally:
                    for pid in hung:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGCONT)
                await progress(talkers)
            return talkers

        talkers = asyncio.run(run())
        assert_nothing_lost(platform, talkers, platform.sql("SELECT message_id FROM frame"))


async def backends(platform: Platform) -> list[int]:
    """The processes of the embedded server that answer connections."""
    own = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return [row["pid"] for row in await platform.fetch(own)]


def test_a_platform_stops_quickly_also_when_its_database_was_just_killed() -> None:
    with state_folder() as folder, serving(folder) as platform:
        killed = platform.postmaster_pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: platform.api.get("/stations").status_code, lambda status: status == 200)
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(STOPPED_S) == 0

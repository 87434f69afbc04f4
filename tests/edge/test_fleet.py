"""Does a fleet on real sockets agree, to the Wh, with what an independent central system saw?

The central system is made with the PyPI `ocpp` library on `websockets`; it keeps what it was told and nothing else.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from laddbok.fleet.ledger import FleetRecord, TransactionRecord
from laddbok.fleet.population import FleetSettings, station_password
from laddbok.fleet.run import FleetRun
from laddbok.model.clock import ScaledClock
from laddbok.model.errors import Invalid

SEED = 11
PASSWORD_SEEN: dict[str, str] = {}


class Seen:
    """What the central system was told: first reading and last reading of each transaction."""

    def __init__(self) -> None:
        self.begin_wh: dict[str, int] = {}
        self.end_wh: dict[str, int] = {}
        self.starts: dict[tuple[Any, ...], int] = {}
        self.peers: dict[str, Any] = {}

    def energy_wh(self) -> dict[str, int]:
        return {key: end_wh - self.begin_wh[key] for key, end_wh in self.end_wh.items()}


def now_text(clock: ScaledClock) -> str:
    return clock.now().isoformat()


class Central16(ChargePoint16):
    def __init__(self, identity: str, socket: Any, seen: Seen, clock: ScaledClock) -> None:
        super().__init__(identity, socket)
        self.seen, self.clock = seen, clock

    @on("BootNotification")
    def boot(self, **said: Any) -> Any:
        return result16.BootNotification(current_time=now_text(self.clock), interval=600, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self, **said: Any) -> Any:
        return result16.Heartbeat(current_time=now_text(self.clock))

    @on("StatusNotification")
    def status(self, **said: Any) -> Any:
        return result16.StatusNotification()

    @on("Authorize")
    def authorize(self, **said: Any) -> Any:
        return result16.Authorize(id_tag_info={"status": "Accepted"})

    @on("StartTransaction")
    def begin_transaction(self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **said: Any) -> Any:
        content = (self.id, connector_id, id_tag, meter_start, timestamp)
        number = self.seen.starts.setdefault(content, len(self.seen.starts) + 1)
        self.seen.begin_wh[f"{self.id}/{number}"] = meter_start
        return result16.StartTransaction(transaction_id=number, id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    def meter_values(self, **said: Any) -> Any:
        return result16.MeterValues()

    @on("StopTransaction")
    def end_transaction(self, meter_stop: int, transaction_id: int, **said: Any) -> Any:
        self.seen.end_wh[f"{self.id}/{transaction_id}"] = meter_stop
        return result16.StopTransaction()


class Central201(ChargePoint201):
    def __init__(self, identity: str, socket: Any, seen: Seen, clock: ScaledClock) -> None:
        super().__init__(identity, socket)
        self.seen, self.clock = seen, clock

    @on("BootNotification")
    def boot(self, **said: Any) -> Any:
        return result201.BootNotification(current_time=now_text(self.clock), interval=600, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self, **said: Any) -> Any:
        return result201.Heartbeat(current_time=now_text(self.clock))

    @on("StatusNotification")
    def status(self, **said: Any) -> Any:
        return result201.StatusNotification()

    @on("Authorize")
    def authorize(self, **said: Any) -> Any:
        return result201.Authorize(id_token_info={"status": "Accepted"})

    @on("TransactionEvent")
    def event(self, event_type: str, transaction_info: Any, meter_value: Any, **said: Any) -> Any:
        key = f"{self.id}/{transaction_info['transaction_id']}"
        register_wh = int(meter_value[0]["sampled_value"][0]["value"])
        if event_type == "Started":
            self.seen.begin_wh[key] = register_wh
        elif event_type == "Ended":
            self.seen.end_wh[key] = register_wh
        info = {"id_token_info": {"status": "Accepted"}} if "id_token" in said else {}
        return result201.TransactionEvent(**info)


@asynccontextmanager
async def central_system(clock: ScaledClock) -> AsyncIterator[tuple[Server, Seen, str]]:
    seen = Seen()

    async def receive(socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = socket.request.path.rsplit("/", 1)[1]
        PASSWORD_SEEN[identity] = socket.request.headers["Authorization"]
        kind = Central16 if socket.subprotocol == "ocpp1.6" else Central201
        peer = kind(identity, socket, seen, clock)
        seen.peers[identity] = peer
        with suppress(ConnectionClosed):
            await peer.start()

    async with serve(receive, "127.0.0.1", 0, subprotocols=["ocpp1.6", "ocpp2.0.1"]) as server:
        port = server.sockets[0].getsockname()[1]
        yield server, seen, f"ws://127.0.0.1:{port}/ocpp"


def scaled(speed: float) -> ScaledClock:
    return ScaledClock(datetime(2026, 3, 2, 8, tzinfo=UTC), datetime.now(UTC).timestamp(), speed)


async def until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def by_key(records: list[TransactionRecord]) -> dict[str, int]:
    return {f"{record.station}/{record.transaction_id}": record.energy_wh for record in records}


@asynccontextmanager
async def running(fleet: FleetRun) -> AsyncIterator[asyncio.Task[FleetRecord]]:
    stop = asyncio.Event()
    task = asyncio.create_task(fleet.run(stop))
    yield task
    stop.set()
    await task


def test_the_record_agrees_with_the_central_system_through_lost_connections() -> None:
    async def scenario() -> None:
        clock = scaled(300)
        async with central_system(clock) as (_, seen, url):
            fleet = FleetRun(FleetSettings(url=url, stations=12, seed=SEED), clock)
            async with running(fleet):
                await until(lambda: fleet.record.live >= 6 and fleet.record.finished >= 2)
                for client in fleet.clients:
                    client.drop()
                await until(lambda: fleet.record.connections >= 24)
                await until(lambda: fleet.record.finished >= 6)
            record = fleet.record
            assert record.live == record.unacknowledged == record.lost_messages == 0
            assert by_key(record.transactions) == seen.energy_wh()
            assert sum(seen.energy_wh().values()) > 0
            assert not record.call_errors
            assert {record.station for record in record.transactions} > {"LB-0001", "LB-0002"}

    uvloop.run(scenario())


def test_a_fleet_begins_in_the_middle_of_the_day() -> None:
    async def scenario() -> None:
        clock = scaled(60)
        async with central_system(clock) as (_, _seen, url):
            fleet = FleetRun(FleetSettings(url=url, stations=40, seed=SEED), clock)
            async with running(fleet):
                await until(lambda: fleet.record.live >= 20, timeout_s=30)
                leaving = [driver.due() for client in fleet.clients for driver in client.drivers]
                soon = clock.now() + timedelta(minutes=25)
                assert sum(1 for due in leaving if due is not None and due < soon) >= 5

    uvloop.run(scenario())


def test_basic_authentication_and_subprotocol() -> None:
    async def scenario() -> None:
        clock = scaled(60)
        async with central_system(clock) as (_, seen, url):
            fleet = FleetRun(FleetSettings(url=url, stations=2, seed=3, arrivals=False, identity_prefix="AU-"), clock)
            async with running(fleet):
                await until(lambda: len(seen.peers) == 2)
        expected = f"AU-0001:{station_password(3, 'AU-0001')}".encode()
        assert base64.b64decode(PASSWORD_SEEN["AU-0001"].removeprefix("Basic ")) == expected
        assert (type(seen.peers["AU-0001"]), type(seen.peers["AU-0002"])) == (Central16, Central201)

    uvloop.run(scenario())


def test_a_reset_reboots_the_station_on_a_new_connection() -> None:
    async def scenario() -> None:
        clock = scaled(60)
        async with central_system(clock) as (_, seen, url):
            settings = FleetSettings(url=url, stations=1, seed=SEED, protocol="2.0.1", arrivals=False)
            fleet = FleetRun(settings, clock)
            async with running(fleet):
                await until(lambda: fleet.clients[0].station.is_online)
                first = seen.peers["LB-0001"]
                answer = await first.call(call201.Reset(type="Immediate"))
                assert answer.status == "Accepted"
                await until(lambda: seen.peers["LB-0001"] is not first and fleet.clients[0].station.is_online)

    uvloop.run(scenario())


def test_nobody_listening_is_counted_and_survived() -> None:
    async def scenario() -> None:
        clock = scaled(60)
        fleet = FleetRun(FleetSettings(url="ws://127.0.0.1:9/ocpp", stations=2), clock)
        async with running(fleet):
            await until(lambda: fleet.record.connection_errors["connection refused"] >= 2)

    uvloop.run(scenario())


def test_a_central_system_that_dies_in_the_handshake_is_counted_and_survived() -> None:
    async def scenario() -> None:
        async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(die, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
            fleet = FleetRun(FleetSettings(url=url, stations=1), scaled(60))
            async with running(fleet):
                await until(lambda: fleet.record.connection_errors["closed in the handshake"] >= 2)

    uvloop.run(scenario())


def test_a_refused_password_is_counted_by_its_status() -> None:
    async def scenario() -> None:
        async def never(socket: ServerConnection) -> None:
            raise AssertionError("nobody gets in")

        def refuse(socket: ServerConnection, request: Any) -> Any:
            return socket.respond(401, "no")

        async with serve(never, "127.0.0.1", 0, process_request=refuse, subprotocols=["ocpp1.6"]) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
            fleet = FleetRun(FleetSettings(url=url, stations=1, protocol="1.6"), scaled(60))
            async with running(fleet):
                await until(lambda: fleet.record.connection_errors["HTTP 401"] >= 1)

    uvloop.run(scenario())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("url", "http://x"),
        ("stations", 0),
        ("protocol", "1.5"),
        ("kinds", ("moon",)),
        ("tokens", ()),
        ("pause_speed", 0.0),
    ],
)
def test_settings_that_cannot_be_are_named(setting: str, value: object) -> None:
    given = {"url": "ws://127.0.0.1:9", setting: value}
    with pytest.raises(Invalid, match=setting.removeprefix("pause_")):
        FleetRun(FleetSettings(**given))  # type: ignore[arg-type]

"""A running `laddbok serve` on free ports with a database of its own, and stations that talk to it over real sockets."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from laddbok.model.clock import Clock, ScaledClock, SystemClock, clock_from_text
from laddbok.store.postmaster import children, running_postmaster

T = TypeVar("T")
KEY = "edge-key-0123456789abcdef"
LADDBOK = [sys.executable, "-m", "laddbok.cli"]
START_S = 60.0
STOP_S = 30.0
WAIT_S = 20.0
POLL_S = 0.05
TOKEN = "04E91C5A123480"
TARIFF = {
    "country_code": "SE",
    "party_id": "LAD",
    "id": "edge",
    "currency": "SEK",
    "last_updated": "2026-01-01T00:00:00Z",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 2.56, "vat": 25, "step_size": 1},
                {"type": "FLAT", "price": 4.0, "vat": 25, "step_size": 1},
            ]
        }
    ],
}
"""Without VAT, as OCPI 2.2.1 has it."""


@dataclass
class Platform:
    """Where the platform listens, its process, and a client with the administrator's key."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    stations: str
    console: str
    clock: Clock
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        self.api = httpx.Client(base_url=f"{self.console}/api/v1", headers=headers, timeout=60)

    @property
    def ocpp_port(self) -> int:
        return int(self.stations.rpartition(":")[2].partition("/")[0])

    def new_station(self, identity: str) -> str:
        """Admit a station by name. Returns: its one-time password."""
        answer = self.api.post("/stations", json={"station_id": identity, "site_id": "main"})
        return str(answer.raise_for_status().json()["password"])

    def fill(self) -> None:
        """A tariff that is the default, and a token that is accepted."""
        self.api.post("/tariffs", json=TARIFF).raise_for_status()
        self.api.put(f"/id-tokens/{TOKEN}", json={"status": "Accepted"}).raise_for_status()

    def sessions(self, station: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/sessions", station_id=station)["items"]
        return items

    def get(self, path: str, **parameters: Any) -> Any:
        return self.api.get(path, params=parameters).raise_for_status().json()

    def settled(self, station: str, count: int = 1) -> list[dict[str, Any]]:
        """The station's sessions, once so many are settled."""
        return until(lambda: [s for s in self.sessions(station) if s["state"] == "settled"], lambda s: len(s) >= count)

    def sql(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement as the tables' owner, beside the platform."""
        return asyncio.run(self.fetch(statement, *arguments))

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        postmaster = running_postmaster(self.folder.resolve() / "database")
        assert postmaster is not None, "no database runs"
        connection = await asyncpg.connect(host=str(postmaster.socket_folder), user="laddbok", database="laddbok")
        try:
            rows: list[Any] = await connection.fetch(statement, *arguments)
        finally:
            await connection.close()
        return rows

    @property
    def postmaster_pid(self) -> int | None:
        postmaster = running_postmaster(self.folder.resolve() / "database")
        return postmaster.pid if postmaster else None

    @property
    def worker_pid(self) -> int:
        """The worker that the platform keeps alive."""
        workers = [pid for pid in children(self.process.pid) if b"--role worker" in command_line(pid)]
        assert len(workers) == 1, workers
        return workers[0]

    def station(self, identity: str, password: str | bytes | None = None, **options: Any) -> "Station":
        return Station(f"{self.stations}/{identity}", identity, password, clock=self.clock, **options)

    def now_text(self) -> str:
        return now_text(self.clock)


class Station:
    """A station over a real websocket: calls and their answers, one after the other. Use with `async with`."""

    def __init__(
        self,
        url: str,
        identity: str,
        password: str | bytes | None = None,
        protocol: str | None = "ocpp1.6",
        clock: Clock | None = None,
    ) -> None:
        self.identity = identity
        self._clock = clock or SystemClock()
        headers = {}
        if password is not None:
            raw = password.encode() if isinstance(password, str) else password
            headers["Authorization"] = "Basic " + base64.b64encode(identity.encode() + b":" + raw).decode()
        protocols: Any = None if protocol is None else [protocol]
        self._opening = connect(
            url, subprotocols=protocols, additional_headers=headers, compression=None, max_size=None, open_timeout=30
        )
        self._ids = itertools.count(1)
        self.asked: list[list[Any]] = []
        """Calls of the platform, answered with `answers[action]`, or Accepted."""
        self.answers: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self.socket = await self._opening
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def call(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> Any:
        """Send a call. Returns: the whole answer, [3, ...] or [4, ...]."""
        message_id = message_id or f"{self.identity}-{next(self._ids)}"
        return await self.say(json.dumps([2, message_id, action, payload]))

    async def send_only(self, action: str, payload: dict[str, Any]) -> None:
        """Send a call whose answer somebody else reads."""
        await self.socket.send(json.dumps([2, f"{self.identity}-{next(self._ids)}", action, payload]))

    async def says(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a call that must be understood. Returns: the payload of its answer."""
        answer = await self.call(action, payload)
        assert answer[0] == 3, answer
        return answer[2]

    async def start(self, meter_wh: int = 1000, token: str = TOKEN, connector: int = 1) -> int:
        """Start a 1.6 transaction. Returns: its id."""
        start = {"connectorId": connector, "idTag": token, "meterStart": meter_wh, "timestamp": now_text(self._clock)}
        return int((await self.says("StartTransaction", start))["transactionId"])

    def stop_of(self, transaction_id: int, meter_wh: int) -> dict[str, Any]:
        """The payload that ends a 1.6 transaction."""
        at = now_text(self._clock)
        return {"transactionId": transaction_id, "meterStop": meter_wh, "timestamp": at, "reason": "Local"}

    def meter_of(self, transaction_id: int, meter_wh: int) -> dict[str, Any]:
        """The payload of a 1.6 reading in a transaction."""
        value = {"value": str(meter_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        sample = {"timestamp": now_text(self._clock), "sampledValue": [value]}
        return {"connectorId": 1, "transactionId": transaction_id, "meterValue": [sample]}

    async def say(self, frame: str | bytes) -> Any:
        """Send any text frame. Returns: the next answer."""
        await self.socket.send(frame, text=True)
        return await self.heard()

    async def heard(self, timeout_s: float = WAIT_S) -> Any:
        """The next answer to a call of ours; what the platform asks meanwhile is answered as well."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = json.loads(await self.socket.recv())
                if message[0] != 2:
                    return message
                self.asked.append(message)
                await self._reply(message)

    async def obey(self) -> None:
        """Answer the platform's calls until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.heard(timeout_s=600)

    async def _reply(self, message: list[Any]) -> None:
        answer = self.answers.get(message[2], {"status": "Accepted"})
        if answer is None:
            return
        if isinstance(answer, Exception):
            reply = [4, message[1], "NotSupported", str(answer), {}]
        else:
            reply = [3, message[1], answer]
        await self.socket.send(json.dumps(reply))


BOOT = {"chargePointVendor": "Edge", "chargePointModel": "Sixteen"}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"vendorName": "Edge", "model": "TwoOhOne"}}


def now_text(clock: Clock) -> str:
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fast_clock(speed: float = 300.0) -> ScaledClock:
    """Business time that runs faster, so that a session settles within a second and 10 kWh need two."""
    return ScaledClock(datetime.now(UTC), time.time(), speed)


@contextmanager
def platform(**environ: str) -> Iterator[Platform]:
    """The platform from nothing, gone without a trace afterwards."""
    with state_folder() as folder, serving(folder, **environ) as running:
        yield running


@contextmanager
def state_folder() -> Iterator[Path]:
    """A state folder of a test's own."""
    folder = Path(tempfile.mkdtemp(prefix="laddbok-edge-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[Platform]:
    """`laddbok serve` on a state folder; stopped by its id, whatever happens."""
    process, output = launched(["serve"], folder, **environ)
    clock = clock_from_text(environ.get("LADDBOK_CLOCK"))
    running = None
    try:
        found = said(process, output, r"stations\s+(ws://\S+)/STATION.*?console\s+(http://\S+)")
        running = Platform(folder, process, found[1], found[2], clock)
        until(lambda: running.api.get("/health"), lambda answer: answer.status_code == 200)
        yield running
    finally:
        if running is not None:
            running.api.close()
        stop(process)


def launched(arguments: list[str], folder: Path, **environ: str) -> tuple["subprocess.Popen[bytes]", Path]:
    """Start a laddbok process whose output goes to a file in its state folder."""
    output = folder / f"output-{time.monotonic_ns()}.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*LADDBOK, *arguments], env=environment(folder, **environ), stdout=sink, stderr=sink, start_new_session=True
        )
    return process, output


def finished(arguments: list[str], folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a laddbok command to its end."""
    return subprocess.run(
        [*LADDBOK, *arguments],
        env=environment(folder, **environ), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def environment(folder: Path, **environ: str) -> dict[str, str]:
    """Free ports and a folder of its own; settings of the machine play no part."""
    machine = {name: value for name, value in os.environ.items() if not name.startswith("LADDBOK_")}
    own = {"LADDBOK_DATA": str(folder), "LADDBOK_OCPP_PORT": "0", "LADDBOK_HTTP_PORT": "0", "LADDBOK_ADMIN_KEY": KEY}
    return {**machine, **own, **environ}


def said(process: "subprocess.Popen[bytes]", output: Path, pattern: str) -> "re.Match[str]":
    """Wait until the process has printed this."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if found := re.search(pattern, output.read_text(errors="replace"), re.DOTALL):
            return found
        if process.poll() is not None:
            break
        time.sleep(POLL_S)
    raise AssertionError(f"did not say {pattern}: {output.read_text(errors='replace')}")


def stop(process: "subprocess.Popen[bytes]", with_signal: int = signal.SIGTERM) -> int:
    """Ask a process to stop, and make it. Returns: its exit code."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"process {process.pid} did not stop in {STOP_S} s") from None


def until(look: Callable[[], T], is_right: Callable[[T], object], timeout_s: float = WAIT_S) -> T:
    """Look until it is right. Returns: what was seen."""
    until_s = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(httpx.TransportError):
            seen = look()
            if is_right(seen):
                return seen
            assert time.monotonic() < until_s, f"still {seen}"
        assert time.monotonic() < until_s, "not reachable"
        time.sleep(POLL_S)


async def until_async(
    look: Callable[[], Awaitable[T]], is_right: Callable[[T], object], timeout_s: float = WAIT_S
) -> T:
    """Look until it is right, beside other coroutines."""
    async with asyncio.timeout(timeout_s):
        while not is_right(seen := await look()):
            await asyncio.sleep(POLL_S)
    return seen


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b"postgres" in (line := command_line(pid)) or b"laddbok" in line

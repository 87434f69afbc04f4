"""How is the load of the benchmark made?

A process of its own, so that its processor time is not counted: `python -m laddbok.bench.load SPEC` connects its
stations, says so on stdout, and then does one thing for each line on stdin (`run N`, `stroll N PAUSE`, `catch_up N`,
`storm`), answering each with one line of JSON. Each station has one open call, and sends the next when that is answered.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import uvloop

from laddbok.bench import messages
from laddbok.bench.station import BenchStation

MAX_OPENING = 200
"""So many stations open at the same time when the load is prepared; a storm has no such kindness."""
RETRY_S = 1.0
MAX_ATTEMPTS = 60
STORM_S = 60.0
RUN_S = 300.0
SAMPLES_A_MESSAGE = 100
WH_A_MINUTE = 100
"""What a car takes in a minute at 6 kW."""

Message = Callable[[str, datetime, int, str], bytes]


class LoadSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the load looks like."""

    port: int
    stations: int
    subprotocol: str = "ocpp1.6"
    prefix: str = "BENCH"
    prepare: str = "transaction"
    """How far each station is brought before the first line: `connect`, `boot`, or `transaction`."""
    password: str | None = None
    began_s_ago: int = 0
    """Transactions began so long ago, and their samples are a minute apart (1.6 only); 0: they are as of now."""

    @property
    def is_16(self) -> bool:
        """Whether the stations speak OCPP 1.6."""
        return self.subprotocol == "ocpp1.6"


class RunResult(msgspec.Struct, kw_only=True):
    """What came of one run."""

    answered: int = 0
    refused: int = 0
    lost: int = 0
    seconds: float = 0.0
    p99_s: float = 0.0


class Run:
    """One run under way: so many calls are still to be sent, and what came of those that were."""

    def __init__(self, total: int, pause_s: float = 0.0) -> None:
        """Args: pause_s: between an answer and the station's next call."""
        self.pause_s = pause_s
        self.total = total
        self.to_send = total
        self.result = RunResult()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def count(self, good: bool) -> None:
        """One more call was answered, well or not."""
        self.result.answered += good
        self.result.refused += not good
        if self.result.answered + self.result.refused == self.total and not self.ended.done():
            self.ended.set_result(None)


class Talk:
    """One station that sends meter values, one open call at a time."""

    def __init__(self, station: BenchStation, make: Message, transaction_id: str, ids: Iterator[str]) -> None:
        self._station = station
        self._make = make
        self._transaction_id = transaction_id
        self._ids = ids
        self._number = 0
        self._awaited = b""
        self._began_at: datetime | None = None
        """When the transaction began, if its samples are a minute apart."""

    def take_part(self, run: Run) -> None:
        """Send the first call of this run; each answer sends the next."""
        self._run = run
        self._station.on_answer = self._answered
        self._send()

    def be_old(self, began_at: datetime) -> None:
        """From now on a sample is a minute after the one before, since then."""
        self._began_at = began_at

    async def catch_up(self, samples: int) -> None:
        """Tell so many samples at once, in messages of many, as a station that was offline."""
        assert self._began_at is not None
        for _ in range(0, samples, SAMPLES_A_MESSAGE):
            numbers = range(self._number + 1, self._number + 1 + SAMPLES_A_MESSAGE)
            readings = [(self._stamped(number), _register_wh(number)) for number in numbers]
            raw = await self._station.call(messages.many_readings(next(self._ids), readings, self._transaction_id))
            if not raw.startswith(b"[3"):
                raise ConnectionError(f"many readings were refused: {raw.decode()[:200]}")
            self._number = numbers[-1]

    def _stamped(self, number: int) -> datetime:
        return datetime.now(UTC) if self._began_at is None else self._began_at + timedelta(minutes=number)

    def _send(self) -> None:
        if self._run.to_send <= 0:
            return
        self._run.to_send -= 1
        self._number += 1
        message_id = next(self._ids)
        self._awaited = f'"{message_id}"'.encode()
        at, number = self._stamped(self._number), self._number
        if self._began_at is not None:
            self._station.send(messages.reading(message_id, at, _register_wh(number), self._transaction_id))
        else:
            self._station.send(self._make(message_id, at, number, self._transaction_id))

    def _answered(self, raw: bytes) -> None:
        self._run.count(raw.startswith(b"[3") and self._awaited in raw[:64])
        if self._run.pause_s:
            asyncio.get_running_loop().call_later(self._run.pause_s, self._send)
        else:
            self._send()


def _register_wh(number: int) -> int:
    return messages.BEGIN_WH + number * WH_A_MINUTE


class Load:
    """All stations of one load process."""

    def __init__(self, spec: LoadSpec) -> None:
        self.spec = spec
        self._ids = (f"{number:012d}" for number in count(1))
        self._stations: dict[str, BenchStation] = {}
        self._talks: list[Talk] = []
        self._run: Run | None = None
        self._began_at = datetime.now(UTC) - timedelta(seconds=spec.began_s_ago)

    async def prepare(self) -> None:
        """Bring all stations to where the spec wants them."""
        gate = asyncio.Semaphore(MAX_OPENING)

        async def one(identity: str) -> None:
            async with gate:
                station = await self._connect(identity)
                if self.spec.prepare != "connect":
                    await station.call(messages.boot(next(self._ids), self.spec.is_16))
                transaction_id = "1"
                if self.spec.prepare == "transaction":
                    transaction_id = await self._begin(identity, station)
                make = messages.meter_values if self.spec.is_16 else messages.transaction_event
                talk = Talk(station, make, transaction_id, self._ids)
                if self.spec.began_s_ago:
                    talk.be_old(self._began_at)
                self._talks.append(talk)

        await asyncio.gather(*(one(identity) for identity in self._identities()))

    async def catch_up(self, samples: int) -> RunResult:
        """Let each station tell so many samples in few messages."""
        await asyncio.gather(*(talk.catch_up(samples) for talk in self._talks))
        return RunResult(answered=len(self._talks))

    async def run(self, total: int, pause_s: float = 0.0) -> RunResult:
        """Send meter values until `total` calls are answered, refused or lost."""
        self._run = run = Run(total, pause_s)
        began_s = time.monotonic()
        for talk in self._talks:
            talk.take_part(run)
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(run.ended, RUN_S)
        run.result.seconds = time.monotonic() - began_s
        run.result.lost = total - run.result.answered - run.result.refused
        self._run = None
        return run.result

    async def storm(self) -> RunResult:
        """All stations lose their connection, come back in the same moment, boot, and tell two statuses."""
        for station in self._stations.values():
            station.hang_up()
        await asyncio.sleep(RETRY_S)
        waits_s: list[float] = []
        result = RunResult()
        began_s = time.monotonic()
        tasks = [asyncio.create_task(self._come_back(identity, waits_s)) for identity in self._identities()]
        done, late = await asyncio.wait(tasks, timeout=STORM_S)
        result.seconds = time.monotonic() - began_s
        for task in late:
            task.cancel()
        result.answered = len(waits_s)
        result.lost = len(late) + sum(task.exception() is not None for task in done)
        result.p99_s = sorted(waits_s)[len(waits_s) * 99 // 100] if waits_s else STORM_S
        return result

    async def _come_back(self, identity: str, waits_s: list[float]) -> None:
        station = await self._connect(identity)
        now = datetime.now(UTC)
        calls = [messages.boot(next(self._ids), self.spec.is_16)]
        calls += [messages.status(next(self._ids), now, connector, self.spec.is_16) for connector in (1, 2)]
        for call in calls:
            sent_s = time.monotonic()
            answer = await station.call(call)
            if not answer.startswith(b"[3"):
                raise ConnectionError(f"{identity} was refused: {answer.decode()[:200]}")
            waits_s.append(time.monotonic() - sent_s)

    def _identities(self) -> list[str]:
        return [f"{self.spec.prefix}-{number:05d}" for number in range(self.spec.stations)]

    async def _connect(self, identity: str) -> BenchStation:
        """Connect, and try again when refused, as stations do."""
        loop = asyncio.get_running_loop()
        path, spec = f"/ocpp/{identity}", self.spec
        for attempt in range(MAX_ATTEMPTS):
            station = BenchStation(path, spec.subprotocol, spec.password, self._lost)
            try:
                await loop.create_connection(lambda made=station: made, "127.0.0.1", spec.port)  # type: ignore[misc]
                await station.opened
            except OSError:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                self._stations[identity] = station
                return station
        raise AssertionError("the last attempt raises")

    def _lost(self) -> None:
        if self._run is not None and not self._run.ended.done():
            self._run.ended.set_exception(ConnectionError("a station lost its connection"))

    async def _begin(self, identity: str, station: BenchStation) -> str:
        """Start a transaction; what it is called."""
        own_id = f"T{identity}"
        raw = await station.call(messages.start(next(self._ids), self._began_at, own_id, self.spec.is_16))
        answer = json.loads(raw)
        if answer[0] != 3:
            raise ConnectionError(f"{identity} could not start: {raw.decode()[:200]}")
        return str(answer[2]["transactionId"]) if self.spec.is_16 else own_id


async def _lines() -> AsyncIterator[list[str]]:
    """The words of each line on stdin, until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().split()


def _say(answer: object) -> None:
    print(msgspec.json.encode(answer).decode(), flush=True)


async def _main(spec: LoadSpec) -> None:
    load = Load(spec)
    await load.prepare()
    _say({"ready": spec.stations})
    async for words in _lines():
        match words:
            case ["run", total]:
                _say(await load.run(int(total)))
            case ["stroll", total, pause_s]:
                _say(await load.run(int(total), float(pause_s)))
            case ["catch_up", samples]:
                _say(await load.catch_up(int(samples)))
            case _:
                _say(await load.storm())


if __name__ == "__main__":
    uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=LoadSpec)))

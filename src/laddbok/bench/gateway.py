"""What does one durable message cost, what does an idle station cost, and how is a reconnect storm taken?

All figures of one report come from one run on one machine, so their ratios can be compared. The load runs in processes
of its own that are not counted. Counted is the user and system time of every process of ours and of every PostgreSQL
process, from the first meter values until after a final CHECKPOINT, divided by the messages that were answered; the
rows that are stored afterwards must be as many as were answered. docs/performance.md tells the rest.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from tqdm import tqdm

from laddbok.bench import cpu
from laddbok.bench.load import LoadSpec
from laddbok.bench.processes import START_S, Process, allow_open_files, load, python, run
from laddbok.bench.reading import session_read
from laddbok.bench.sample_cost import sample_cost
from laddbok.model.errors import LaddbokError
from laddbok.store.embedded import Dsn, EmbeddedServer, start

STORM_STATIONS = 5_000
WARM_UP = 20
"""So many messages of each station go before the measurement."""
RAW_SHARE, LIBRARY_SHARE = 2, 10
"""The bare servers get the messages divided by this: they have nothing to settle into, and one of them is slow."""
MESSAGES_A_PAIR = 25_000
"""A small benchmark compares fewer windows of young and old sessions."""
STEPS = 7
_KEY = "bench-0123456789abcdef"
_PASSWORD = "00112233445566778899aabbccddeeff00112233"
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
_ENGINE = "laddbok.gateway.websocket on uvloop"


class BenchError(LaddbokError):
    """The benchmark's own check failed: the figures would mean nothing."""


class Platform:
    """The platform under test: our processes, and the database's."""

    def __init__(self, process: Process, port: int, http_port: int, database: EmbeddedServer) -> None:
        self.port = port
        self.http_port = http_port
        self._process = process
        self._database = database

    @property
    def dsn(self) -> Dsn:
        """Where its database is."""
        return self._database.dsn

    def own_cpu_s(self) -> float:
        """Processor time of all our processes so far [s]."""
        return cpu.cpu_s(cpu.tree(self._process.pid))

    def database_cpu_s(self) -> float:
        """Processor time of every PostgreSQL process so far [s]."""
        return cpu.cpu_s(cpu.tree(self._database.postmaster_pid))

    def cpu_s(self) -> float:
        """Processor time of both so far [s]."""
        return self.own_cpu_s() + self.database_cpu_s()

    def resident_bytes(self) -> int:
        """Memory of all our processes [B]."""
        return sum(cpu.resident_bytes(pid) for pid in cpu.tree(self._process.pid))

    def ask(self, sql: str, *arguments: Any) -> Any:
        """One value from the database."""
        return asyncio.run(_ask(self._database, sql, *arguments))


async def _ask(database: EmbeddedServer, sql: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(**database.dsn)
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


def bench_gateway(options: argparse.Namespace) -> dict[str, Any]:
    """Run the benchmark.

    Args: options: `messages` for each durable run, `connections`, `read_samples` in the evidence, `json`.
    Returns: the report; its keys are listed in docs/performance.md.
    Raises: BenchError when messages were lost, or stored and answered differ.
    """
    allow_open_files()
    messages, connections = options.messages, options.connections
    with tqdm(total=STEPS, file=sys.stderr, desc="bench gateway", unit="part", disable=None) as progress:
        report: dict[str, Any] = {"engine": _ENGINE}
        report["raw_cpu_us"] = _bare("laddbok.bench.raw", messages // RAW_SHARE, connections)
        progress.update()
        report["ocpp_library_cpu_us"] = _bare("laddbok.bench.ocpp_library", messages // LIBRARY_SHARE, connections)
        progress.update()
        with _platform() as platform:
            report |= _storm(platform, min(STORM_STATIONS, max(connections, 1) * 5))
        progress.update()
        with _platform() as platform:
            report["mv16"] = _durable(platform, "ocpp1.6", "MeterValues", messages, connections)
            progress.update()
            report["te201"] = _durable(platform, "ocpp2.0.1", "TransactionEvent", messages, connections)
            report |= {name: platform.ask(f"SHOW {name}") for name in _DURABLE}
            progress.update()
            report |= sample_cost(platform, connections, pairs=messages // MESSAGES_A_PAIR)
        progress.update()
        with _platform() as platform:
            report["session_read"] = session_read(platform.dsn, platform.http_port, _KEY, options.read_samples)
        progress.update()
    if not options.json:
        _print(report)
    return report


def _bare(module: str, messages: int, connections: int) -> float:
    """Processor time for one message of a server that keeps nothing [µs]."""
    with python(module) as server:
        port = int(server.line(START_S))
        with load(LoadSpec(port=port, stations=connections, prepare="connect")) as stations:
            run(stations, f"run {connections * WARM_UP}")
            before_s = cpu.cpu_s([server.pid])
            result = run(stations, f"run {messages}")
            spent_s = cpu.cpu_s([server.pid]) - before_s
    if result.answered != messages:
        raise BenchError(f"{module}: {result.answered} of {messages} messages were answered")
    return _us(spent_s, messages)


def _durable(platform: Platform, subprotocol: str, action: str, messages: int, connections: int) -> dict[str, Any]:
    """Processor time for one durable message, ours and the database's [µs]."""
    spec = LoadSpec(port=platform.port, stations=connections, subprotocol=subprotocol, prefix=f"B{action[0]}")
    count = "SELECT count(*) FROM frame WHERE action = $1"
    with load(spec) as stations:
        run(stations, f"run {connections * WARM_UP}")
        platform.ask("CHECKPOINT")
        rows = platform.ask(count, action)
        own_s, database_s = platform.own_cpu_s(), platform.database_cpu_s()
        result = run(stations, f"run {messages}")
        platform.ask("CHECKPOINT")
        own_s, database_s = platform.own_cpu_s() - own_s, platform.database_cpu_s() - database_s
        stored = platform.ask(count, action) - rows
    if not messages == result.answered == stored:
        raise BenchError(f"{action}: {messages} sent, {result.answered} answered, {stored} stored")
    return {
        "cpu_us_gateway": _us(own_s, messages),
        "cpu_us_database": _us(database_s, messages),
        "messages_per_s": round(messages / result.seconds),
        "messages": messages,
        "rows": stored,
    }


def _storm(platform: Platform, count: int) -> dict[str, Any]:
    """Memory of an idle station [kB], and how it goes when all come back in the same moment."""
    spec = LoadSpec(port=platform.port, stations=count, prefix="BS", prepare="boot", password=_PASSWORD)
    before = platform.resident_bytes()
    with load(spec) as stations:
        per_idle = (platform.resident_bytes() - before) / count / 1024
        result = run(stations, "storm")
    storm = {"stations": count, "answered_s": round(result.seconds, 2), "p99_s": round(result.p99_s, 3)}
    return {"kb_per_idle_connection": round(per_idle, 1), "storm": {**storm, "lost": result.lost}}


@contextmanager
def _platform() -> Iterator[Platform]:
    """The platform as `laddbok serve` runs it, on a database of its own that goes with the block."""
    folder = Path(tempfile.mkdtemp(prefix="laddbok-bench-"))
    folder.chmod(0o755)
    environ = {
        "LADDBOK_DATA": str(folder),
        "LADDBOK_DATABASE_URL": "",
        "LADDBOK_OCPP_PORT": "0",
        "LADDBOK_HTTP_PORT": "0",
        "LADDBOK_ADMIT_UNKNOWN_STATIONS": "true",
        "LADDBOK_ADMIN_KEY": _KEY,
        "LADDBOK_STATION_MESSAGES_PER_S": "1000000",  # the load may be one station's; its pace is what is measured
        "LADDBOK_STATION_BYTES_PER_S": "1000000000",
    }
    try:
        with start(folder) as database, python("laddbok.cli", "serve", environ=environ) as process:
            address = process.line(START_S)
            port = int(address.rpartition("/ocpp/")[0].rpartition(":")[2])
            http_port = int(process.line(START_S).rpartition(":")[2])
            yield Platform(process, port, http_port, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _us(seconds: float, messages: int) -> float:
    return round(seconds * 1e6 / messages, 1)


def _print(report: dict[str, Any]) -> None:
    for name, value in report.items():
        print(f"{name:24} {value}")

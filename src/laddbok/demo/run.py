"""What does a newcomer see?

`laddbok demo` makes everything from nothing: the embedded database, the platform, a fleet of virtual stations that
drivers come to, tariffs and contracts, and the console. Platform and fleet share one scaled clock, so an afternoon
passes in minutes. With `--for` it stops by itself: the fleet sends everybody home, and what its meters showed is held
against our CDRs, to the Wh.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from tqdm import tqdm

from laddbok import app
from laddbok.compare import Comparison, all_settled, compare
from laddbok.demo.data import KINDS, fill
from laddbok.demo.drop_in import cards_at_hand
from laddbok.demo.prices import prices_ahead
from laddbok.fleet.ledger import TransactionRecord
from laddbok.fleet.population import FleetSettings
from laddbok.model.clock import ScaledClock
from laddbok.settings import Settings
from laddbok.store.database import Database, open_database
from laddbok.store.sql import query

FLEET_STOP_S = 45.0


class DemoOptions(msgspec.Struct, frozen=True):
    """What can be chosen of a demo."""

    stations: int
    speed: float
    seconds: float | None
    seed: int
    as_json: bool

    @classmethod
    def of(cls, options: argparse.Namespace) -> "DemoOptions":
        """The options as typed."""
        return cls(options.stations, options.speed, options.seconds, options.seed, options.json)


async def run_demo(settings: Settings, options: DemoOptions) -> tuple[dict[str, Any] | None, int] | None:
    """Run the demo until it is stopped, or for its time.

    Returns: with `--for`, the comparison of fleet and CDRs, and the exit code.
    """
    stop = app.stop_signal()
    say = _sayer(options.as_json)
    async with open_database(settings.database_url, settings.state_folder) as database:
        clock = await _clock(database, options.speed)
        settings = msgspec.structs.replace(settings, clock_text=clock.to_text())
        fleet = FleetSettings(url="", stations=options.stations, seed=options.seed, kinds=KINDS)
        password = await app.prepare(settings, database)
        await fill(database, fleet, clock.now())
        began_at = clock.now()
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(prices_ahead(database, clock))
            await stack.enter_async_context(cards_at_hand(database, clock))
            gateway = await stack.enter_async_context(app.running_gateway(settings, database))
            port = await stack.enter_async_context(app.running_api(settings, database))
            await stack.enter_async_context(app.child_kept_alive(settings, ["serve", "--role", "worker"]))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="laddbok-demo-"))
            record_file = Path(folder) / "metered.jsonl"
            say(f"console    http://{settings.host}:{port}    (demo time runs x{options.speed:g})")
            if password is not None:
                say(f"log in as  admin, one-time password {password}")
            say("Ctrl-C stops everything; the next demo goes on with the same data")
            url = f"ws://{settings.host}:{gateway.server.port}/ocpp"
            await _run_fleet(settings, options, url, record_file, stop)
            if options.seconds is None:
                return None
            transactions = _read(record_file)
            await all_settled(database, began_at)
            result = _counts(await compare(database, transactions, began_at))
        result = {"stations": options.stations, "frames": gateway.writer.switchboard.frames, **result}
    _tell(result, say)
    return result, 0 if _is_right(result) else 1


def _counts(found: Comparison) -> dict[str, Any]:
    """The comparison as the demo's keys."""
    return {
        "sessions_started": len(found.sessions),
        "sessions_finished": sum(each.ended_at is not None for each in found.sessions),
        "sessions_priced": sum(each.cdr_wh is not None for each in found.sessions),
        "sessions_in_review": found.in_review,
        "sessions_missing": len(found.missing),
        "sessions_extra": len(found.extra),
        "energy_difference_wh": found.energy_difference_wh,
    }


async def _run_fleet(settings: Settings, options: DemoOptions, url: str, record: Path, stop: asyncio.Event) -> None:
    """The fleet in a process of its own until the demo is to end; then it drains and writes its record."""
    arguments = ["fleet", "--url", url, "--stations", str(options.stations), "--seed", str(options.seed)]
    arguments += [word for kind in KINDS for word in ("--kind", kind)]
    process = await app.spawn(settings, [*arguments, "--record", str(record)], quiet=True)
    try:
        await _until(stop, process, options.seconds)
    finally:
        await app.end(process, FLEET_STOP_S)


async def _until(stop: asyncio.Event, process: asyncio.subprocess.Process, seconds: float | None) -> None:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(process.wait())]
    bar = _progress(seconds)
    try:
        if bar is None:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return
        with bar:
            for _ in range(int(seconds or 0)):
                done, _ = await asyncio.wait(waits, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return
                bar.update()
    finally:
        for wait in waits:
            wait.cancel()


def _progress(seconds: float | None) -> "tqdm[Any] | None":
    if seconds is None or not sys.stderr.isatty():
        return None
    return tqdm(total=int(seconds), desc="demo", unit="s", file=sys.stderr)


async def _clock(database: Database, speed: float) -> ScaledClock:
    """Demo time begins at the later of now and the last stored stamp, so that time never runs back."""
    connection = await database.connect()
    try:
        last = await connection.fetchval(query("last_stamp"))
    finally:
        await connection.close()
    now = datetime.now(UTC)
    start_at = now if last is None else max(now, last + timedelta(seconds=1))
    return ScaledClock(start_at, time.time(), speed)


def _read(path: Path) -> list[TransactionRecord]:
    decoder = msgspec.json.Decoder(TransactionRecord)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def _is_right(result: dict[str, Any]) -> bool:
    wrong = ("sessions_in_review", "sessions_missing", "sessions_extra", "energy_difference_wh")
    return result["sessions_started"] > 0 and not any(result[name] for name in wrong)


def _sayer(as_json: bool) -> Any:
    stream = sys.stderr if as_json else sys.stdout
    return lambda line: print(line, file=stream, flush=True)


def _tell(result: dict[str, Any], say: Any) -> None:
    for name, value in result.items():
        say(f"{name:22} {value}")

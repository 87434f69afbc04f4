"""Does anything get lost when processes are killed under load?

`laddbok soak` runs the real thing on an embedded database of its own in a temporary folder: the platform's processes,
and virtual stations on real websockets. At random moments it kills gateway, worker or database with SIGKILL and lets
them come back. Then the stations stop charging and send what they still hold; when everything has settled, what they
know is held against what we stored and billed.
"""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from tqdm import tqdm

from laddbok import app
from laddbok.compare import all_settled
from laddbok.demo.data import fill
from laddbok.demo.prices import fill_ahead
from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.population import FleetSettings
from laddbok.fleet.run import FleetRun
from laddbok.model.clock import ScaledClock
from laddbok.settings import Settings
from laddbok.soak.check import Verdict, check
from laddbok.soak.plan import Kill, Part, plan
from laddbok.soak.platform import Platform
from laddbok.store.database import Database, open_database

T = TypeVar("T")

SPEED = 60.0
"""Business seconds in one second, as in the demo: sessions of half an hour pass in half a minute."""
SAMPLE_INTERVAL_S = 15
LONGEST_PAUSE_S = 300
"""Between two drivers [s of business time]."""
KINDS = ("public_dc", "public_ac", "workplace", "public_dc", "residential")
"""An odd number of kinds, so that each comes in both protocols; fast charging is over soon."""
WARM_UP_S = 3.0
"""So long the stations charge before the first kill."""
INTERRUPTED = 130
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class SoakOptions(msgspec.Struct, frozen=True):
    """What can be chosen of a soak. `seconds` bounds the time of the kills [s]."""

    kills: int
    seconds: float
    stations: int
    seed: int
    keep: bool
    as_json: bool

    @classmethod
    def of(cls, options: argparse.Namespace) -> "SoakOptions":
        """The options as typed."""
        return cls(options.kills, options.seconds, options.stations, options.seed, options.keep, options.json)


async def run_soak(options: SoakOptions) -> tuple[dict[str, Any] | None, int]:
    """Run the soak, or what comes of it until it is interrupted.

    Returns: the report, whose keys are in docs/commands.md, and the exit code: 1 when something is wrong.
    Raises: SoakError when a part of the platform does not come back.
    """
    stop = app.stop_signal()
    began_s = time.monotonic()
    with _folder(options.keep) as folder:
        clock = ScaledClock(datetime.now(UTC), time.time(), SPEED)
        fleet = FleetSettings(
            url="ws://127.0.0.1:0",
            stations=options.stations,
            seed=options.seed,
            kinds=KINDS,
            sample_interval_s=SAMPLE_INTERVAL_S,
            longest_pause_s=LONGEST_PAUSE_S,
        )
        since = clock.now()
        await _prepare(folder, clock, fleet)
        async with Platform(folder, clock.to_text()) as platform:
            await platform.until_reached(stop)
            killed, record = await _under_load(platform, options, _fleet_run(fleet, platform, clock), stop)
            async with open_database(None, folder) as database:
                judged = await _unless_stopped(_judged(database, record, since), stop)
    if judged is None:
        return None, INTERRUPTED
    verdict, durable = judged
    report = _report(killed, verdict, durable, time.monotonic() - began_s)
    _tell(report, options)
    return report, 0 if verdict.is_right else 1


@contextlib.contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A state folder of our own, which the database's user may enter; it goes with the block unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="laddbok-soak-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if keep:
            print(f"kept       {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _prepare(folder: Path, clock: ScaledClock, fleet: FleetSettings) -> None:
    """A fresh database with sites, tariffs, drivers, stations and days of market prices; nobody holds it afterwards."""
    settings = Settings(state_folder=folder, clock_text=clock.to_text())
    async with open_database(None, folder) as database:
        await app.prepare(settings, database)
        await fill(database, fleet, clock.now())
        await fill_ahead(database, clock)


def _fleet_run(fleet: FleetSettings, platform: Platform, clock: ScaledClock) -> FleetRun:
    """The fleet, ready to come in. Its record keeps what is answered."""
    run = FleetRun(replace(fleet, url=platform.url), clock)
    run.record.answers = []
    return run


async def _under_load(
    platform: Platform, options: SoakOptions, fleet: FleetRun, stop: asyncio.Event
) -> tuple[list[Kill], FleetRecord]:
    """The kills, then everybody goes home and the stations send what they still hold."""
    home = asyncio.Event()
    running = asyncio.create_task(fleet.run(home))
    try:
        killed = await _kills(platform, options, running, stop)
        for part in Part:
            await platform.until_there(part, stop)
        await platform.until_reached(stop)
        home.set()
        await _unless_stopped(running, stop)
        return killed, fleet.record
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _kills(
    platform: Platform, options: SoakOptions, running: asyncio.Task[FleetRecord], stop: asyncio.Event
) -> list[Kill]:
    """Kill as planned, until told to stop or the time is over. A part that is down is waited for: every kill kills."""
    killed: list[Kill] = []
    over_at_s = time.monotonic() + options.seconds
    await _pause(WARM_UP_S, stop)
    with tqdm(total=options.kills, desc="soak", unit="kill", file=sys.stderr, disable=None) as bar:
        for kill in plan(options.seed, options.kills):
            await _pause(min(kill.pause_s, over_at_s - time.monotonic()), stop)
            for part in kill.parts:
                await platform.until_there(part, stop)
            if stop.is_set() or running.done() or time.monotonic() >= over_at_s:
                break
            platform.kill(kill.parts)
            killed.append(kill)
            bar.update()
    return killed


async def _judged(database: Database, record: FleetRecord, since: datetime) -> tuple[Verdict, dict[str, str]]:
    """The verdict once everything has settled, and how durable the database was."""
    await all_settled(database, since)
    return await check(database, record, since), await _durability(database)


async def _unless_stopped(work: "asyncio.Task[T] | Coroutine[Any, Any, T]", stop: asyncio.Event) -> T | None:
    """What comes of the work; None when told to stop before it was done."""
    task = work if isinstance(work, asyncio.Task) else asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
    is_stopped = stop.is_set()
    for each in (stopping, task) if is_stopped else (stopping,):
        each.cancel()
    await asyncio.gather(stopping, *([task] if is_stopped else []), return_exceptions=True)
    return None if is_stopped else await task


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))


async def _durability(database: Database) -> dict[str, str]:
    """The settings that make a commit durable, as the database ran."""
    connection = await database.connect()
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in _DURABLE}
    finally:
        await connection.close()


def _report(killed: list[Kill], verdict: Verdict, durable: dict[str, str], seconds: float) -> dict[str, Any]:
    counts = Counter(part for kill in killed for part in kill.parts)
    return {
        "kills": len(killed),
        "killed": {part.value: counts[part] for part in Part},
        **msgspec.to_builtins(verdict),
        "seconds": round(seconds, 1),
        **durable,
    }


def _tell(report: dict[str, Any], options: SoakOptions) -> None:
    """The figures for people; what is wrong, and what was not done, on stderr in any case."""
    findings = report["findings"]
    if not options.as_json:
        for name, value in report.items():
            if name != "findings":
                print(f"{name:22} {value}")
    for each in findings:
        places = (each["station"], f"transaction {each['transaction_id']}", f"session {each['session_id']}")
        print(f"soak: {each['what']}: {', '.join(places)}: {each['detail']}", file=sys.stderr)
    if report["kills"] < options.kills:
        print(f"soak: only {report['kills']} of {options.kills} kills in {options.seconds:g} s", file=sys.stderr)

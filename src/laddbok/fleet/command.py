"""How is a fleet run by itself, against any central system?

`laddbok fleet --url ws://HOST/PATH` runs until it is stopped or its time is over, drains, and tells what it metered. In
a demo it shares the platform's scaled clock; against a foreign system it follows that system's time.
"""

import argparse
import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from tqdm import tqdm

from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.population import BUILDS, FleetSettings
from laddbok.fleet.run import FleetRun
from laddbok.model.clock import clock_from_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `laddbok fleet`."""
    parser.add_argument("--url", required=True, help="the central system, as in ws://127.0.0.1:9000/ocpp")
    parser.add_argument("--stations", type=int, default=10)
    parser.add_argument("--protocol", choices=("1.6", "2.0.1", "mixed"), default="mixed")
    parser.add_argument("--speed", type=float, default=1.0, help="shortens the pauses between visits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--password", default=None, help="one for all stations; otherwise derived from the seed")
    parser.add_argument("--token", action="append", dest="tokens", help="an id token that drivers hold; repeatable")
    parser.add_argument(
        "--kind", action="append", dest="kinds", choices=tuple(BUILDS), help="a kind of site; repeated ones go in turn"
    )
    parser.add_argument("--prefix", default="LB-", help="how identities begin (LB-)")
    parser.add_argument("--for", dest="seconds", type=float, default=None, help="stop after so many seconds")
    parser.add_argument("--record", default=None, metavar="FILE", help="write what was metered, one JSON line each")


async def run_command(options: argparse.Namespace, clock_text: str | None) -> dict[str, Any]:
    """Run the fleet that the options describe. Returns: a summary of its record."""
    settings = FleetSettings(
        url=options.url,
        stations=options.stations,
        protocol=options.protocol,
        seed=options.seed,
        password=options.password,
        pause_speed=options.speed,
        follow_server_time=clock_text is None,
        identity_prefix=options.prefix,
    )
    if options.tokens:
        settings = replace(settings, tokens=tuple(options.tokens))
    if options.kinds:
        settings = replace(settings, kinds=tuple(options.kinds))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if options.seconds is not None:
        loop.call_later(options.seconds, stop.set)
    bar = tqdm(desc="fleet", unit=" frames", file=sys.stderr, disable=not sys.stderr.isatty())
    run = FleetRun(settings, clock_from_text(clock_text))
    with bar:
        record = await run.run(stop, lambda each: _show(bar, each))
    if options.record is not None:
        _write(record, Path(options.record))
    told = summary(record)
    if not options.json:
        for name, value in told.items():
            print(f"{name:20} {value}")
    return told


def summary(record: FleetRecord) -> dict[str, Any]:
    """What a fleet did, in a few numbers."""
    return {
        "stations": record.stations,
        "frames": record.frames_sent,
        "transactions": len(record.transactions),
        "finished": record.finished,
        "unacknowledged": record.unacknowledged,
        "energy_wh": sum(each.energy_wh for each in record.transactions),
        "lost_messages": record.lost_messages,
        "connection_errors": dict(record.connection_errors),
        "call_errors": dict(record.call_errors),
    }


def _show(bar: "tqdm[Any]", record: FleetRecord) -> None:
    bar.n = record.frames_sent
    bar.set_postfix_str(f"{record.live} live, {record.finished} finished", refresh=True)


def _write(record: FleetRecord, path: Path) -> None:
    encoder = msgspec.json.Encoder()
    path.write_bytes(b"".join(encoder.encode(each) + b"\n" for each in record.transactions))

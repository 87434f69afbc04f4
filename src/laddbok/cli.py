"""What can be typed?

    laddbok demo        everything from nothing: database, platform, virtual stations, console
    laddbok serve       the platform
    laddbok session ID  what happened, the energy, the price and why

Every command takes --json: one object, last on stdout. Trouble is one clear line on stderr and exit code 1.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from laddbok.model.errors import Invalid, LaddbokError

Command = Callable[[argparse.Namespace], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        result = options.run(options)
    except LaddbokError as error:
        print(f"laddbok: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    code = 0
    if isinstance(result, tuple):
        result, code = result
    if result is not None and options.json:
        print(json.dumps(result, default=str, ensure_ascii=False))
    return code


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(prog="laddbok", description="The central platform of an EV charging operator.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, about: str, within: Any = commands) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = within.add_parser(name, help=about, description=about)
        command.add_argument("--json", action="store_true", help="one JSON object, last on stdout")
        command.set_defaults(run=run)
        return command

    _add_demo(add)
    _add_serve(add)
    _add_fleet(add)
    _add_session(add)
    _add_proof(add)
    _add_rate(add)
    _add_bench(add, commands)
    _add_soak(add)
    _add_import(add, commands)
    _add_prices(add, commands)
    _add_rebuild(add)
    _add_verbs(add, commands)
    add("doctor", _doctor, "what is configured, reachable, migrated, and what is wrong")
    return parser


def _add_demo(add: Callable[..., argparse.ArgumentParser]) -> None:
    demo = add("demo", _demo, "database, platform, virtual stations and console, from nothing")
    demo.add_argument("--stations", type=_count(1, 2_000), default=40, help="virtual stations (40)")
    demo.add_argument("--speed", type=_speed, default=60.0, help="demo seconds in one second (60)")
    demo.add_argument("--for", dest="seconds", type=_speed, default=None, help="stop by itself after so many seconds")
    demo.add_argument("--seed", type=int, default=1, help="which drivers come (1)")


def _add_serve(add: Callable[..., argparse.ArgumentParser]) -> None:
    serve = add("serve", _serve, "the platform")
    serve.add_argument("--role", choices=("all", "gateway", "api", "worker"), default="all")


def _add_fleet(add: Callable[..., argparse.ArgumentParser]) -> None:
    from laddbok.fleet.command import add_options

    add_options(add("fleet", _fleet, "virtual stations against any central system"))


def _add_session(add: Callable[..., argparse.ArgumentParser]) -> None:
    session = add("session", _session, "what happened, the energy, the price and why")
    session.add_argument("id", nargs="?", help="session id, as printed or as read over the phone")
    session.add_argument("--list", action="store_true", help="the latest sessions")
    session.add_argument("--state", choices=("pending", "active", "ended", "settled", "review", "void"))
    session.add_argument("--limit", type=_count(1, 1_000), default=50)
    session.add_argument("--language", choices=("en", "sv"), default="en")


def _add_proof(add: Callable[..., argparse.ArgumentParser]) -> None:
    evidence = add("evidence", _evidence, "everything that a bill was made of, in one signed file")
    evidence.add_argument("id", nargs="?", help="session id, as printed or as read over the phone")
    evidence.add_argument("-o", dest="file", metavar="FILE", help="the file to write")
    evidence.add_argument("--revision", type=_count(1, 1_000_000), default=None, help="of its CDR (the newest)")
    evidence.add_argument("--public-key", action="store_true", help="only print the key that files are signed with")
    verify = add("verify", _verify, "compute a bill again from its evidence file, without a database and without us")
    verify.add_argument("file")
    verify.add_argument("--root", default=None, metavar="HASH", help="the root that stands on the receipt")
    verify.add_argument("--key", default=None, metavar="PUB", help="the operator's public key")


def _add_rate(add: Callable[..., argparse.ArgumentParser]) -> None:
    rate = add("rate", _rate, "price an OCPI CDR with an OCPI tariff (or ours), with the explanation")
    rate.add_argument("--tariff", required=True, metavar="FILE")
    rate.add_argument("--cdr", required=True, metavar="FILE")
    rate.add_argument("--ocpi", choices=("2.2.1", "2.3.0"), default=None)
    rate.add_argument("--time-zone", default=None, metavar="ZONE")
    rate.add_argument("--prices", default=None, metavar="FILE", help="day-ahead prices, for a tariff with a spot price")
    rate.add_argument("--explain", action="store_true", help="say each line in words")


def _add_bench(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    bench = commands.add_parser("bench", help="measure, as ratios in one run")
    kinds = bench.add_subparsers(required=True, metavar="WHAT")
    gateway = add("gateway", _bench_gateway, "durable messages, idle connections, a reconnect storm", kinds)
    gateway.add_argument("--messages", type=_count(1_000, 10_000_000), default=200_000)
    gateway.add_argument("--connections", type=_count(1, 10_000), default=1_000)
    gateway.add_argument("--read-samples", type=_count(10_000, 100_000_000), default=200_000)
    add("rating", _bench_rating, "sessions priced in a second, simple ones and days at the spot price", kinds)
    invoices = add("invoices", _bench_invoices, "a month of priced sessions to final invoices and books", kinds)
    invoices.add_argument("--sessions", type=_count(1, 10_000_000), default=100_000)
    invoices.add_argument("--customers", type=_count(1, 1_000_000), default=5_000)
    payments = add("payments", _bench_payments, "a bank's file of payments to invoices and books", kinds)
    payments.add_argument("--payments", type=_count(1, 100_000), default=10_000)


def _add_soak(add: Callable[..., argparse.ArgumentParser]) -> None:
    soak = add(
        "soak", _soak, "kill the platform's processes under load, and see whether anything is lost or counted twice"
    )
    soak.add_argument("--kills", type=_count(0, 10_000), default=10, help="how many (10)")
    soak.add_argument(
        "--for", dest="seconds", type=_speed, default=900.0, help="end the kills after so many seconds (900)"
    )
    soak.add_argument("--stations", type=_count(1, 500), default=20, help="virtual stations (20)")
    soak.add_argument("--seed", type=int, default=1, help="which parts are killed and when, and which drivers come (1)")
    soak.add_argument("--keep", action="store_true", help="leave the folder with database and log")


def _add_import(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    bring = commands.add_parser("import", help="bring in an operator's history")
    kinds = bring.add_subparsers(required=True, metavar="WHAT")
    sessions = add("sessions", _import_sessions, "sessions from a file; docs/import.md lists the formats", kinds)
    sessions.add_argument("file")
    sessions.add_argument("--format", default=None)


def _add_prices(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    prices = commands.add_parser("prices", help="day-ahead prices of electricity")
    kinds = prices.add_subparsers(required=True, metavar="WHAT")
    add("import", _prices_import, "day-ahead prices from a file, CSV or gzipped", kinds).add_argument("file")
    fetch = add("fetch", _prices_fetch, "the day-ahead prices of one day, from the source in the settings", kinds)
    fetch.add_argument("--zone", metavar="ZONE", default=None, help="SE1 to SE4 (LADDBOK_PRICE_ZONES, else SE3)")
    fetch.add_argument("--date", type=date.fromisoformat, metavar="DAY", default=None, help="(the newest published)")
    gaps = add("gaps", _prices_gaps, "the quarter hours that have no price", kinds)
    gaps.add_argument("--zone", metavar="ZONE", required=True)
    gaps.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", required=True)
    gaps.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY", required=True, help="the last day")
    gaps.add_argument("--currency", metavar="CODE", default="SEK")


def _add_rebuild(add: Callable[..., argparse.ArgumentParser]) -> None:
    rebuild = add("rebuild", _rebuild, "derive sessions anew from their evidence, and compare")
    rebuild.add_argument("--session", metavar="ID", default=None, help="this one only")
    rebuild.add_argument("--since", type=_instant, metavar="TIME", default=None, help="those that began since then")
    kinds = rebuild.add_mutually_exclusive_group()
    kinds.add_argument(
        "--check", action="store_true", help="with what was recorded; a difference is an error (default)"
    )
    kinds.add_argument("--with-current", action="store_true", help="with today's tables; a difference is a proposal")


def _add_verbs(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """The groups of commands that have a file of their own each."""
    from laddbok.verbs.book_verbs import add_book_verbs
    from laddbok.verbs.einvoices import add_einvoice_verbs
    from laddbok.verbs.invoice_verbs import add_invoice_verbs
    from laddbok.verbs.payment_verbs import add_payment_verbs
    from laddbok.verbs.rates import add_rates_verbs
    from laddbok.verbs.statement_verbs import add_statement_verbs
    from laddbok.verbs.tariff_verbs import add_tariff_verbs

    for add_group in (
        add_tariff_verbs,
        add_invoice_verbs,
        add_einvoice_verbs,
        add_payment_verbs,
        add_book_verbs,
        add_rates_verbs,
        add_statement_verbs,
    ):
        add_group(add, commands, _settings)


def _demo(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.demo import run as demo

    return app.run(demo.run_demo(_settings(), demo.DemoOptions.of(options)))


def _serve(options: argparse.Namespace) -> Any:
    from laddbok import app

    settings = _settings()
    platform = app.run_platform(settings, options.role, lambda line: print(line, flush=True))
    return app.run(platform, settings.parent_pid)


def _fleet(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.fleet.command import run_command

    settings = _settings()
    return app.run(run_command(options, settings.clock_text), settings.parent_pid)


def _session(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import reports

    if options.list or options.id is None:
        return app.run(reports.session_list(_settings(), options.state, options.limit, options.json))
    return app.run(reports.session(_settings(), options.id, options.language, options.json))


def _evidence(options: argparse.Namespace) -> Any:
    from pathlib import Path

    from laddbok import app
    from laddbok.verbs import proofs

    if options.public_key:
        return app.run(proofs.public_key(_settings(), options.json))
    if options.id is None or options.file is None:
        raise Invalid("evidence", "needs a session id and -o FILE, or --public-key")
    return app.run(proofs.evidence(_settings(), options.id, Path(options.file), options.revision, options.json))


def _verify(options: argparse.Namespace) -> Any:
    from pathlib import Path

    from laddbok.verbs import proofs

    return proofs.bounded_verify(Path(options.file), options.root, options.key, options.json)


def _rate(options: argparse.Namespace) -> Any:
    from pathlib import Path

    from laddbok.wires.ocpi_files import rate_files

    tariff, cdr = Path(options.tariff), Path(options.cdr)
    prices = None if options.prices is None else Path(options.prices)
    options.json = True
    return rate_files(tariff, cdr, options.ocpi, options.time_zone, options.explain, prices)


def _bench_gateway(options: argparse.Namespace) -> Any:
    from laddbok.bench.gateway import bench_gateway

    return bench_gateway(options)


def _bench_rating(options: argparse.Namespace) -> Any:
    from laddbok.bench.rating import bench_rating

    return bench_rating(options)


def _bench_invoices(options: argparse.Namespace) -> Any:
    from laddbok.bench.invoices import bench_invoices
    from laddbok.billing_checks import DocumentChecks

    return bench_invoices(options, DocumentChecks(_settings().einvoice_rules))


def _bench_payments(options: argparse.Namespace) -> Any:
    from laddbok.bench.payments import bench_payments
    from laddbok.wires.bank_files import read_bank_file

    return bench_payments(options, read_bank_file)


def _soak(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.soak.run import SoakOptions, run_soak

    return app.run(run_soak(SoakOptions.of(options)))


def _import_sessions(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import imports

    return app.run(imports.import_file(_settings(), options.file, options.format, options.json))


def _prices_import(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import prices

    return app.run(prices.import_file(_settings(), options.file, options.json))


def _prices_fetch(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import prices

    return app.run(prices.fetch(_settings(), options.zone, options.date, options.json))


def _prices_gaps(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import prices

    return app.run(prices.gaps(_settings(), options.zone, options.currency, options.first, options.last, options.json))


def _rebuild(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import rebuilding

    report = rebuilding.run_rebuild(_settings(), options.session, options.since, options.with_current, options.json)
    return app.run(report)


def _doctor(options: argparse.Namespace) -> Any:
    from laddbok import app
    from laddbok.verbs import doctor

    return app.run(doctor.examine(_settings(), options.json))


def _settings() -> Any:
    import logging

    from laddbok.settings import read_settings, unknown_names

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # Each of its attempts on a database that is gone would be a traceback; we say in one line that it is.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    for name in () if "LADDBOK_PARENT" in os.environ else unknown_names(os.environ):
        print(f"laddbok: {name} is not a setting; see docs/settings.md", file=sys.stderr)
    return read_settings(os.environ)


def _count(least: int, most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}")
        return number

    return count


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _speed(text: str) -> float:
    number = float(text)
    if not 0 < number <= 100_000:
        raise argparse.ArgumentTypeError("must be above 0 and at most 100000")
    return number


if __name__ == "__main__":
    sys.exit(main())

"""What can be done with the books from the command line?

The words and options of `laddbok reconcile`, `laddbok ledger`, `laddbok host`, `laddbok reminders` and `laddbok sie`; what they do is imported when one is typed.
"""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

Add = Callable[..., argparse.ArgumentParser]
ReadSettings = Callable[[], Any]


def add_book_verbs(add: Add, commands: Any, settings: ReadSettings) -> None:
    """Add them to the commands. Args: add, makes a command; settings, reads them when a verb needs them."""
    _add_reconcile(add, settings)
    ledger = commands.add_parser("ledger", help="what stands in the books")
    verbs = ledger.add_subparsers(required=True, metavar="WHAT")
    _add_balance(add, verbs, settings)
    _add_card(add, verbs, settings)
    _add_accrue(add, verbs, settings)
    _add_hosts(add, commands, settings)
    _add_reminders(add, settings)
    sie = commands.add_parser("sie", help="the journal for a bookkeeping program")
    _add_export(add, sie.add_subparsers(required=True, metavar="WHAT"), settings)


def _add_hosts(add: Add, commands: Any, settings: ReadSettings) -> None:
    host = commands.add_parser("host", help="what hosts of sites get")
    verbs = host.add_subparsers(required=True, metavar="WHAT")

    def run_settle(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import hosts

        how = {"final": options.final, "as_json": options.json}
        return app.run(hosts.settle(settings(), options.period, options.seller, **how))

    verb = add("settle", run_settle, "show what hosts get for a month, or make it final", verbs)
    verb.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (all)")
    verb.add_argument("--final", action="store_true", help="make it final: numbers, books, documents")

    def run_agree(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import hosts

        file = Path(options.file)
        return app.run(hosts.agreed(settings(), options.site, options.host, options.first, file, options.json))

    verb = add("agree", run_agree, "what a host gets from a day on", verbs)
    verb.add_argument("file", help="the agreement, as JSON")
    verb.add_argument("--site", required=True, metavar="ID")
    verb.add_argument("--host", required=True, metavar="ID")
    verb.add_argument("--from", dest="first", type=_day, required=True, metavar="DAY", help="its first day")


def _add_reminders(add: Add, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import reminders

        how = {"dry": options.dry_run, "as_json": options.json}
        return app.run(reminders.remind(settings(), options.seller, options.at, **how))

    verb = add("reminders", run, "remind customers of what is late, or show who would be")
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (all)")
    verb.add_argument("--at", type=_day, default=None, metavar="DAY", help="as if it were this day (today)")
    verb.add_argument("--dry-run", action="store_true", help="only show who would be reminded")


def _add_reconcile(add: Add, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import books

        return app.run(books.reconcile_all(settings(), options.json))

    add("reconcile", run, "hold messages, sessions, CDRs, documents, books and payments against each other")


def _add_balance(add: Add, verbs: Any, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import books

        return app.run(books.balance(settings(), options.seller, (options.first, options.last), options.json))

    _with_days(add("balance", run, "the trial balance of a seller", verbs))


def _add_card(add: Add, verbs: Any, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import books

        days = (options.first, options.last)
        return app.run(books.card(settings(), options.seller, options.account, days, options.json))

    verb = add("card", run, "the postings on an account", verbs)
    verb.add_argument("account", help="its number")
    _with_days(verb)


def _add_accrue(add: Add, verbs: Any, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import books

        return app.run(books.accrue_month(settings(), options.seller, options.period, options.json))

    verb = add("accrue", run, "post what was earned and not billed at a month's end", verbs)
    verb.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (all)")


def _add_export(add: Add, verbs: Any, settings: ReadSettings) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import books

        days = (options.first, options.last)
        return app.run(books.export_sie(settings(), options.seller, days, Path(options.file), options.json))

    verb = add("export", run, "the journal of a seller as a SIE 4 file", verbs)
    verb.add_argument("-o", dest="file", required=True, metavar="FILE", help="the file to write")
    _with_days(verb)


def _with_days(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (the only one)")
    verb.add_argument("--from", dest="first", type=_day, default=None, metavar="DAY", help="(1 January of this year)")
    verb.add_argument("--to", dest="last", type=_day, default=None, metavar="DAY", help="the last day (today)")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-10-31") from None

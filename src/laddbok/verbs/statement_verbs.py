"""What can be done with a co-operative's lists and with statements of charging at home from the command line?

The words and options of `laddbok apartments` and `laddbok home-statement`, which differ only in what they are of: a site or a contract.
What they do is imported when one is typed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Add = Callable[..., argparse.ArgumentParser]
ReadSettings = Callable[[], Any]

FILES = {
    "pdf": "write the PDF of a revision",
    "csv": "write the rows of a revision for a spreadsheet",
    "sessions": "write the sessions behind a revision for a spreadsheet",
}


def add_statement_verbs(add: Add, commands: Any, settings: ReadSettings) -> None:
    """Add them to the commands. Args: add, makes a command; settings, reads them when a verb needs them."""
    apartments = commands.add_parser("apartments", help="a month's bill, shared over the apartments of a site")
    _add_verbs(add, apartments.add_subparsers(required=True, metavar="WHAT"), settings, "apartments", "site")
    home = commands.add_parser("home-statement", help="what an employer pays back for charging at home")
    _add_verbs(add, home.add_subparsers(required=True, metavar="WHAT"), settings, "home", "contract")


def _add_verbs(add: Add, verbs: Any, settings: ReadSettings, kind: str, subject: str) -> None:
    _add_agree(add, verbs, settings, kind, subject)
    _add_run(add, verbs, settings, kind, subject)
    _add_show(add, verbs, settings, kind, subject)
    for file, about in FILES.items():
        _add_file(add, verbs, settings, kind, subject, file, about)


def _add_agree(add: Add, verbs: Any, settings: ReadSettings, kind: str, subject: str) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import statements

        return app.run(statements.agreed(settings(), kind, options.subject, Path(options.file), options.json))

    verb = add("agree", run, "keep what was agreed, as its next version", verbs)
    verb.add_argument("file", help="the agreement, as JSON")
    verb.add_argument(f"--{subject}", dest="subject", required=True, metavar="ID")


def _add_run(add: Add, verbs: Any, settings: ReadSettings, kind: str, subject: str) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import statements

        bill = Path(options.bill) if options.bill else None
        how = {"final": options.final, "as_json": options.json}
        return app.run(statements.run_month(settings(), kind, options.subject, options.period, bill, **how))

    verb = add("run", run, "show what a month would say, or keep it as the next revision", verbs)
    _of_month(verb, subject)
    if kind == "apartments":
        verb.add_argument("--bill", default=None, metavar="FILE", help="as JSON (that of the revision before)")
    verb.set_defaults(bill=None)
    verb.add_argument("--final", action="store_true", help="keep it")


def _add_show(add: Add, verbs: Any, settings: ReadSettings, kind: str, subject: str) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import statements

        which = (options.subject, options.period, options.revision)
        return app.run(statements.show(settings(), kind, *which, options.json))

    verb = add("show", run, "a revision as it was kept", verbs)
    _of_month(verb, subject)
    _with_revision(verb)


def _add_file(add: Add, verbs: Any, settings: ReadSettings, kind: str, subject: str, file: str, about: str) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import statements

        which = (options.subject, options.period, options.revision)
        return app.run(statements.write_file(settings(), kind, *which, file, Path(options.file), options.json))

    verb = add(file, run, about, verbs)
    _of_month(verb, subject)
    _with_revision(verb)
    verb.add_argument("-o", dest="file", required=True, metavar="FILE", help="the file to write")


def _of_month(verb: argparse.ArgumentParser, subject: str) -> None:
    verb.add_argument(f"--{subject}", dest="subject", required=True, metavar="ID")
    verb.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")


def _with_revision(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--revision", type=int, default=None, metavar="N", help="(the newest)")

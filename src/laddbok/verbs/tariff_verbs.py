"""What can be done with tariffs from the command line?

One module per verb, imported when it is typed; here are their words and options.
"""

import argparse
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from laddbok.model.money import number_of

Add = Callable[..., argparse.ArgumentParser]
MAX_POWER_KW = 2_000


def add_tariff_verbs(add: Add, commands: Any, settings: Callable[[], Any]) -> None:
    """Add `laddbok tariff VERB` to the commands.

    Args: add, makes a command; settings, reads them when a verb needs them.
    """
    tariff = commands.add_parser("tariff", help="check tariffs, write them for others, and compare what they cost")
    verbs = tariff.add_subparsers(required=True, metavar="WHAT")
    _add_check(add, verbs)
    _add_export(add, verbs, settings)
    _add_compare(add, verbs, settings)


def _add_compare(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs.tariff_compare import run_compare

        return app.run(run_compare(settings(), options))

    verb = add("compare", run, "what real sessions would have cost under each price plan", verbs)
    verb.add_argument("--sessions", metavar="FILE", help="sessions in a file; docs/import.md lists the formats")
    verb.add_argument("--format", default=None, help="of that file (recognised)")
    verb.add_argument("--contract", metavar="ID", help="the stored CDRs of this contract")
    verb.add_argument(
        "--from", dest="from_date", type=date.fromisoformat, metavar="DATE", help="that ended from this day on"
    )
    verb.add_argument(
        "--to", dest="to_date", type=date.fromisoformat, metavar="DATE", help="and up to this day, included"
    )
    verb.add_argument("--tariff", action="append", default=[], metavar="FILE", help="a plan; may be repeated")
    verb.add_argument("--plan-of", metavar="CONTRACT", help="the plans that this contract is offered or has")
    verb.add_argument("--prices", metavar="FILE", help="day-ahead prices (those in the database)")
    verb.add_argument("--time-zone", default=None, metavar="ZONE", help="of the seller (LADDBOK_TIME_ZONE)")
    verb.add_argument("--shift-years", type=int, default=0, metavar="N", help="as if N years later, by whole weeks")
    verb.add_argument(
        "--power-kw",
        dest="power_w",
        type=_power_w,
        default=None,
        metavar="KW",
        help="at which a history's sessions charged",
    )
    verb.add_argument("--driver", default=None, metavar="TOKEN", help="the sessions of this driver only")
    verb.add_argument("--each-driver", action="store_true", help="each driver has a contract of their own")
    verb.add_argument("--language", choices=("en", "sv"), default="en")


def _add_check(add: Add, verbs: Any) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok.verbs.tariff_check import check_file

        return check_file(Path(options.file), options.ad_hoc, options.power_w, options.language, options.json)

    check = add("check", run, "what a tariff may not say, contradicts, forgets; and its prices", verbs)
    check.add_argument("file")
    check.add_argument(
        "--power-kw", dest="power_w", type=_power_w, default=None, metavar="KW", help="of the strongest EVSE"
    )
    check.add_argument("--ad-hoc", action="store_true", help="for drivers without a contract, whatever its type says")
    check.add_argument("--language", choices=("en", "sv"), default="en")


def _add_export(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs.tariff_export import export, export_file

        target = None if options.target is None else Path(options.target)
        if Path(options.tariff).is_file():
            return export_file(Path(options.tariff), options.to, target, options.json)
        return app.run(export(settings(), options.tariff, options.to, target, options.json))

    given = add("export", run, "a tariff as OCPI or OCPP 2.1 tell it", verbs)
    given.add_argument("tariff", metavar="FILE|ID")
    given.add_argument("--to", required=True, metavar="WIRE", help="ocpi-2.2.1, ocpi-2.3.0 or ocpp-2.1")
    given.add_argument("-o", dest="target", metavar="FILE", default=None, help="the file to write, else stdout")


def _power_w(text: str) -> int:
    kw = number_of(text)
    if kw is None or not 0 < kw <= MAX_POWER_KW:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most {MAX_POWER_KW}")
    return max(1, int(kw * Decimal(1_000)))

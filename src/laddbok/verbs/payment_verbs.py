"""What can be done with payments from the command line?

One module per group of verbs, imported when one is typed; here are their words and options.
"""

import argparse
from collections.abc import Callable
from typing import Any

Add = Callable[..., argparse.ArgumentParser]


def add_payment_verbs(add: Add, commands: Any, settings: Callable[[], Any]) -> None:
    """Add `laddbok payments VERB` to the commands.

    Args: add, makes a command; settings, reads them when a verb needs them.
    """

    def take_in(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import payments

        return app.run(payments.take_in(settings(), options.file, options.json))

    def show(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import payments

        return app.run(payments.show(settings(), options.limit, options.json, in_suspense=False))

    def suspense(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import payments

        return app.run(payments.show(settings(), options.limit, options.json, in_suspense=True))

    verbs = commands.add_parser("payments", help="money that came in").add_subparsers(required=True, metavar="WHAT")
    add("import", take_in, "take in a bank's file, camt.054 or camt.053", verbs).add_argument("file")
    for name, run, about in (
        ("list", show, "the latest payments, and where they went"),
        ("suspense", suspense, "money that nobody understands yet"),
    ):
        verb = add(name, run, about, verbs)
        verb.add_argument("--limit", type=int, choices=range(1, 501), metavar="N", default=50, help="at most (50)")

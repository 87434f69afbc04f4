"""What can be done with invoices from the command line?

One module per group of verbs, imported when one is typed; here are their words and options.
"""

import argparse
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from laddbok.model.money import number_of

Add = Callable[..., argparse.ArgumentParser]


def add_invoice_verbs(add: Add, commands: Any, settings: Callable[[], Any]) -> None:
    """Add `laddbok invoice VERB` to the commands.

    Args: add, makes a command; settings, reads them when a verb needs them.
    """
    verbs = commands.add_parser("invoice", help="bill a month, and look at documents").add_subparsers(
        required=True, metavar="WHAT"
    )
    _add_run(add, verbs, settings)
    _add_list(add, verbs, settings)
    _add_show(add, verbs, settings)
    _add_credit(add, verbs, settings)
    _add_write_off(add, verbs, settings)
    _add_file(add, verbs, settings, "pdf", "write the PDF of a document")
    _add_file(add, verbs, settings, "xml", "write the e-invoice of a document (UBL)")


def _add_run(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import invoicing

        how = {"final": options.final, "early": options.early, "as_json": options.json}
        return app.run(invoicing.run_month(settings(), options.period, options.seller, **how))

    verb = add("run", run, "show what billing a month would do, or do it", verbs)
    verb.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (all)")
    verb.add_argument("--final", action="store_true", help="make it final: numbers, books, documents")
    verb.add_argument("--early", action="store_true", help="final though late sessions are still awaited")


def _add_list(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import invoicing

        return app.run(invoicing.list_month(settings(), options.period, options.seller, options.json))

    verb = add("list", run, "the documents of a month", verbs)
    verb.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")
    verb.add_argument("--seller", default=None, metavar="ID", help="the legal entity (all)")


def _add_show(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.verbs import invoicing

        return app.run(invoicing.show(settings(), options.number, options.json))

    add("show", run, "one document as it was frozen", verbs).add_argument("number", help="or its id")


def _add_credit(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.billing.credit import CreditWish
        from laddbok.verbs import invoicing

        wish = CreditWish(reason=options.reason, gross=options.gross, vat_percent=options.vat)
        return app.run(invoicing.credit(settings(), options.number, wish, options.json))

    verb = add("credit", run, "take a document back, whole or in part", verbs)
    verb.add_argument("number", help="or its id")
    verb.add_argument("--gross", type=_amount, default=None, help="so much, VAT included (all that is left)")
    verb.add_argument("--vat", type=_amount, default=None, metavar="PERCENT", help="of that amount (the only rate)")
    verb.add_argument("--reason", required=True, help="why; it stands on the credit note")


def _add_write_off(add: Add, verbs: Any, settings: Callable[[], Any]) -> None:
    def run(options: argparse.Namespace) -> Any:
        from laddbok import app
        from laddbok.billing.write_off import WriteOffWish
        from laddbok.verbs import write_offs

        wish = WriteOffWish(reason=options.reason, amount=options.amount, vat_relief=options.vat_relief)
        return app.run(write_offs.write_off(settings(), options.number, wish, undo=options.undo, as_json=options.json))

    verb = add("write-off", run, "give up what nobody will pay of an invoice", verbs)
    verb.add_argument("number", help="or its id")
    verb.add_argument("--amount", type=_amount, default=None, help="so much, VAT included (all that is open)")
    verb.add_argument("--vat-relief", action="store_true", help="the loss is established: take its VAT back")
    verb.add_argument("--undo", action="store_true", help="what was written off is owed again")
    verb.add_argument("--reason", required=True, help="why")


def _add_file(add: Add, verbs: Any, settings: Callable[[], Any], kind: str, about: str) -> None:
    def run(options: argparse.Namespace) -> Any:
        from pathlib import Path

        from laddbok import app
        from laddbok.verbs import invoicing

        return app.run(invoicing.write_file(settings(), options.number, kind, Path(options.file), options.json))

    verb = add(kind, run, about, verbs)
    verb.add_argument("number", help="or its id")
    verb.add_argument("-o", dest="file", required=True, metavar="FILE", help="the file to write")


def _amount(text: str) -> Decimal:
    number = number_of(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 10.00")
    return number

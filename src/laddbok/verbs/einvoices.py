"""Does this e-invoice keep the official rules? (`laddbok einvoice check FILE`)

It is checked in process, and sent to nobody. Every layer of the rules runs, or it is an error: there is no "0 errors" of
rules that did not run.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from laddbok.wires.einvoice_file import parsed, read_einvoice
from laddbok.wires.einvoice_rules import Checked, official_rules

Add = Callable[..., argparse.ArgumentParser]


def add_einvoice_verbs(add: Add, commands: Any, settings: Callable[[], Any]) -> None:
    """Add `laddbok einvoice VERB` to the commands. Args: add, makes a command; settings, reads them when needed."""
    einvoice = commands.add_parser("einvoice", help="check e-invoices against the official rules")
    verbs = einvoice.add_subparsers(required=True, metavar="WHAT")

    def run(options: argparse.Namespace) -> Any:
        folder = Path(options.rules) if options.rules else settings().einvoice_rules
        return check_file(Path(options.file), folder, options.json)

    verb = add("check", run, "an e-invoice against the official rules of EN 16931 and Peppol", verbs)
    verb.add_argument("file")
    verb.add_argument("--rules", metavar="FOLDER", default=None, help="with the rules (LADDBOK_EINVOICE_RULES)")


def check_file(file: Path, folder: Path, as_json: bool) -> tuple[dict[str, Any], int]:
    """Check a file. Returns: what `--json` prints, and the exit code: 1 when a rule is broken.

    Raises: Invalid when the file is no e-invoice that may be read; EinvoiceRulesMissing; EinvoiceRulesFailed.
    """
    xml = read_einvoice(file)
    document = parsed(xml)
    checked = official_rules(folder).check(xml)
    if not as_json:
        _print(checked)
    report = {
        "document": document.kind,
        "number": document.number,
        "layers": [{"name": name, "version": version} for name, version in checked.layers],
        "errors": len(checked.errors),
        "warnings": len(checked.findings) - len(checked.errors),
        "findings": msgspec.to_builtins(checked.findings),
    }
    return report, 1 if checked.errors else 0


def _print(checked: Checked) -> None:
    for each in checked.findings:
        print(f"{each.severity:7}  {each.rule}  {each.message}\n         {each.location}")
    errors, warnings = len(checked.errors), len(checked.findings) - len(checked.errors)
    ran = ", ".join(f"{name} {version}" for name, version in checked.layers)
    print(f"{errors} errors, {warnings} warnings; rules that ran: {ran}")

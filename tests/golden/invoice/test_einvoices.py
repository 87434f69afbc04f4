"""Is each document, to the byte, the e-invoice that was looked at when it was written down?

A folder is one document: its frozen content, and the e-invoice of it, with a line for each element. Every one of them keeps the
official rules, where these are at hand.
"""

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from laddbok.billing.check import check
from laddbok.billing.einvoice_findings import missing
from laddbok.billing.en16931_xml import to_ubl
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.wires.einvoice_rules import official_rules

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/invoice.json"))


def read(case: str) -> Invoice:
    return msgspec.json.decode((FOLDER / case / "invoice.json").read_bytes(), type=Invoice)


def in_lines(xml: bytes) -> bytes:
    """The document with a line for each element, so that people can read it; nothing else about it differs."""
    return bytes(etree.tostring(etree.fromstring(xml), xml_declaration=True, encoding="UTF-8", pretty_print=True))


@pytest.mark.parametrize("case", CASES)
def test_the_e_invoice_is_as_it_was_looked_at(case: str, rewrite_golden: bool) -> None:
    written = in_lines(to_ubl(read(case)))
    path = FOLDER / case / "expected.xml"
    if rewrite_golden:
        path.write_bytes(written)
    assert written == path.read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_it_adds_up_and_nothing_is_missing(case: str) -> None:
    assert (check(read(case)), missing(read(case))) == ((), ())


@pytest.mark.parametrize("case", [case for case in CASES if read(case).kind is not InvoiceKind.SELF_BILLED])
def test_it_keeps_the_official_rules(case: str, shared_data: Path) -> None:
    """The rules for self-billing are not at hand: tests/rules/wires/test_einvoice_rules.py has what can be said of it."""
    pytest.importorskip("saxonche", reason="the extra einvoice is not installed")
    assert official_rules(shared_data / "en16931").check(to_ubl(read(case))).findings == ()

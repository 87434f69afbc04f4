"""How does a document become a PDF?

A page of texts is set by a template of its own, in process, with the typesetter's own fonts: no font of the machine, no
network, nothing of today. The same content gives the same bytes, a PDF/A-3 that holds the e-invoice, if there is one. The
date inside is the day of issue.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from laddbok.billing.invoice_page import invoice_page
from laddbok.billing.session_page import Words
from laddbok.model.invoice import Invoice, InvoiceKind

TEMPLATES = Path(__file__).parent / "templates"
STANDARD = "a-3b"
"""PDF/A-3, conformance level B. Source: ISO 19005-3."""
E_INVOICE_NAME = "e-invoice.xml"
_LETTERS = (
    " -~\u00a0-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u04ff\u05d0-\u05ea\u0621-\u063a\u0641-\u064a"
    "\u1e00-\u1eff\u200b\u2010-\u2027\u2030-\u2040\u2044-\u205e\u20a0-\u20bf\u2190-\u21ff\u2200-\u22ff\u25a0-\u25ff"
)
"""What the fonts have: Latin, Greek, Cyrillic, Hebrew and Arabic letters, punctuation, currencies, arrows, signs."""
_STRANGE = re.compile(rf'(\\[\\"nrt/])|\\(?:u[0-9a-f]{{4}}|[bf])|[^{_LETTERS}]')


def invoice_pdf(invoice: Invoice, words: Words, xml: bytes | None = None) -> bytes:
    """The PDF of a document.

    Args: words, tells a rated line (rating.explain.told); xml, the e-invoice that is attached.
    Returns: the same bytes for the same content.
    Source: ISO 19005-3 (PDF/A-3); docs/rules.md "Documents".
    """
    template = "receipt" if invoice.kind is InvoiceKind.RECEIPT and invoice.sessions else "invoice"
    return typeset(template, invoice_page(invoice, words), xml)


def typeset(template: str, page: Mapping[str, Any], xml: bytes | None = None) -> bytes:
    """A page of texts, set by one of the templates. One thread at a time."""
    inputs = {"data": shown(msgspec.json.encode(page).decode())}
    if xml is not None:
        inputs |= {"xml": xml.decode(), "xml_name": E_INVOICE_NAME}
    made: bytes = _typesetter(template).compile(format="pdf", sys_inputs=inputs, pdf_standards=[STANDARD])
    return made


def shown(page: str) -> str:
    """A page, as JSON, in which a box stands for every character that no font of ours has: a PDF/A may miss none.

    >>> shown('{"name":"\u674e Wei, Ume\u00e5"}')
    '{"name":"\u25a1 Wei, Ume\u00e5"}'
    """
    return _STRANGE.sub(lambda found: found[1] or "\u25a1", page)


@cache
def _typesetter(template: str) -> Any:
    import typst

    fonts = typst.Fonts(include_system_fonts=False)
    return typst.Compiler(TEMPLATES / f"{template}.typ", root=TEMPLATES, font_paths=fonts, ignore_system_fonts=True)

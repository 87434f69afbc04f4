"""May this file be read as an e-invoice?

A file from outside may be anything. Before a parser of entities sees it, it is known to be UTF-8, of a bounded length,
without a DTD, and to be a UBL Invoice or CreditNote.

>>> parsed(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
Traceback (most recent call last):
...
laddbok.model.errors.Invalid: e-invoice: has a document type (DTD), which no e-invoice may have
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from laddbok.billing.ubl import NAMESPACES, root_namespace
from laddbok.model.errors import Invalid

MAX_EINVOICE_BYTES = 20_000_000
"""Ten thousand lines with their PDF fit in; one text in it, such as the PDF, has at most 10 MB."""
_WHAT = "e-invoice"
_DTD = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(r"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


class EinvoiceText(msgspec.Struct, frozen=True):
    """A UBL document that may be read: its kind, number [BT-1], specification [BT-24], and its text."""

    kind: str
    number: str
    customization: str
    text: str


def read_einvoice(path: Path) -> bytes:
    """The bytes of a file. Raises: Invalid when it can't be read, or is too long."""
    try:
        with path.open("rb") as file:
            xml = file.read(MAX_EINVOICE_BYTES + 1)
    except OSError as error:
        raise Invalid(str(path), f"can't be read: {error.strerror}") from None
    if len(xml) > MAX_EINVOICE_BYTES:
        raise Invalid(str(path), f"has more than {MAX_EINVOICE_BYTES // 1_000_000} MB")
    return xml


def parsed(xml: bytes) -> EinvoiceText:
    """The document in some bytes.

    Raises: Invalid when it is no UTF-8, has a DTD or entities, is no XML, or no UBL Invoice or CreditNote.
    Source: our choice; UBL 2.1.
    """
    text = _text(xml)
    root = _root(text)
    for kind in ("Invoice", "CreditNote"):
        if root.tag == f"{{{root_namespace(kind)}}}{kind}":
            return EinvoiceText(kind, _value(root, "ID"), _value(root, "CustomizationID"), text)
    raise Invalid(_WHAT, f"is no UBL Invoice or CreditNote but {root.tag[:200]}")


def _text(xml: bytes) -> str:
    if len(xml) > MAX_EINVOICE_BYTES:
        raise Invalid(_WHAT, f"has more than {MAX_EINVOICE_BYTES // 1_000_000} MB")
    try:
        text = xml.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(_WHAT, "is no UTF-8") from None
    if (encoding := _ENCODING.match(text)) and encoding[1].upper() not in ("UTF-8", "US-ASCII"):
        raise Invalid(_WHAT, f"says that it is in {encoding[1]!r}, and must be UTF-8")
    if _DTD.search(text):
        raise Invalid(_WHAT, "has a document type (DTD), which no e-invoice may have")
    return _DECLARATION.sub("", text, count=1)


def _root(text: str) -> Any:
    from lxml import etree

    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(text.encode("utf-8"), reader)
    except etree.XMLSyntaxError as error:
        raise Invalid(_WHAT, f"is no XML: {' '.join(str(error).split())[:300]}") from None


def _value(root: Any, name: str) -> str:
    return (root.findtext(f"{{{NAMESPACES['cbc']}}}{name}") or "").strip()

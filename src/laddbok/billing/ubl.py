"""How is a UBL document written?

Elements are plain values; one without content is None and leaves no trace, as Peppol wants it (PEPPOL-EN16931-R008).
The order of children is the order in which they are given. The same elements always give the same bytes.

>>> print(written(Element("Invoice", (cbc("ID", "7"), cac("Party", cbc("Name", " "))))).decode().splitlines()[1])
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>7</cbc:ID></Invoice>
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from laddbok.model.errors import Invalid

_SCHEMA = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = {"cac": f"{_SCHEMA}CommonAggregateComponents-2", "cbc": f"{_SCHEMA}CommonBasicComponents-2"}
_BLANKS = " \t\r\n"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Element(NamedTuple):
    """A named element with its text or its children."""

    name: str
    content: "str | tuple[Element | None, ...]"
    attributes: dict[str, str] = {}  # noqa: RUF012 (a NamedTuple's default, never written to)


def cbc(name: str, text: str | None, **attributes: str) -> Element | None:
    """A basic component: an element with text; None without."""
    shown = text.strip(_BLANKS) if text else ""
    return Element(f"cbc:{name}", shown, attributes) if shown else None


def cac(name: str, *children: Element | None) -> Element | None:
    """An aggregate component: an element with children; None when all of them are."""
    return Element(f"cac:{name}", children) if any(children) else None


def root_namespace(name: str) -> str:
    """The namespace of a document: "Invoice" or "CreditNote". Source: UBL 2.1."""
    return f"{_SCHEMA}{name}-2"


def plain(number: Decimal) -> str:
    """A number in plain digits, as XML Schema's decimals are, with the decimals that it has.

    >>> plain(Decimal("1E+3")), plain(Decimal("13.30")), plain(Decimal("-0.00"))
    ('1000', '13.30', '0.00')
    """
    return f"{number if number else abs(number):f}"


def written(root: Element) -> bytes:
    """The document in UTF-8.

    Raises: Invalid, naming the element, for a character that XML 1.0 can't hold, not even escaped.
    Source: XML 1.0, 2.2 Characters.
    """
    from lxml import etree

    own = root_namespace(root.name)
    spaces: dict[str | None, str] = {None: own} | dict(NAMESPACES.items())
    tree = etree.Element(f"{{{own}}}{root.name}", nsmap=spaces)
    _fill(tree, root, etree.SubElement, root.name)
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def unwritable(text: str) -> str | None:
    """The first character of a text that XML can't hold, by its number.

    >>> unwritable("Bil\\x0bpool"), unwritable("Bilpool 🚗")
    ('U+000B', None)
    """
    found = _NOT_XML.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def _fill(node: Any, element: Element, add: Any, path: str) -> None:
    if isinstance(element.content, str):
        if bad := unwritable(element.content):
            raise Invalid(path, f"has the character {bad}, which XML can't hold")
        node.text = element.content
        return
    for child in element.content:
        if child is not None:
            prefix, _, name = child.name.partition(":")
            _fill(add(node, f"{{{NAMESPACES[prefix]}}}{name}", child.attributes), child, add, f"{path}/{child.name}")

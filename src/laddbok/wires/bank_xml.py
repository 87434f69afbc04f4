"""Can this XML be read safely, and what stands at a place in it?

A file from outside may be anything: too long, too deep, of entities that grow without end, or of references to other files
and hosts. Nothing of that is read: there is no DTD, no entity and no network. The version of the schema does not matter: an
element is found by its name in the namespace of the root.

>>> root_of(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
Traceback (most recent call last):
...
laddbok.model.errors.Invalid: file: has a document type (DTD) or entities, which no bank's file may have
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from laddbok.model.errors import Invalid
from laddbok.model.money import number_of

MAX_FILE_BYTES = 20_000_000
MAX_DEPTH = 40
"""A bank's file has about 15 levels."""
MAX_ELEMENTS = 2_000_000
MAX_TEXT_CHARS = 2_000
MAX_AMOUNT = Decimal(10) ** 13
MAX_DECIMALS = 5
"""Source: ISO 20022, ActiveCurrencyAndAmount: 18 digits, 5 of them decimals."""
_WITH_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def root_of(xml: bytes) -> Any:
    """The root element. Raises: Invalid("file") for what is too long, has a DTD or entities, or is not whole XML in UTF-8."""
    from lxml import etree

    if len(xml) > MAX_FILE_BYTES:
        raise Invalid("file", f"has more than {MAX_FILE_BYTES // 1_000_000} MB")
    if b"\0" in xml:
        raise Invalid("file", "is not XML in UTF-8")
    if _WITH_DTD.search(xml):
        raise Invalid("file", "has a document type (DTD) or entities, which no bank's file may have")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise Invalid("file", f"is not whole XML in UTF-8: {str(error)[:200]}") from None
    if root.getroottree().docinfo.doctype:
        raise Invalid("file", "has a document type (DTD) or entities, which no bank's file may have")
    _check_shape(root)
    return root


def _check_shape(root: Any) -> None:
    """No deeper and no wider than a bank's file may be."""
    level, count = [root], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            raise Invalid("file", f"has more than {MAX_ELEMENTS} elements")
        level = [child for element in level for child in element]
        if not level:
            return
    raise Invalid("file", f"is nested more than {MAX_DEPTH} deep")


class Place:
    """An element, with its path for people."""

    def __init__(self, element: Any, path: str) -> None:
        self._element = element
        self.path = path

    @property
    def name(self) -> str:
        """The element's name, without its namespace."""
        return str(self._element.tag).rpartition("}")[2]

    def all(self, name: str) -> Iterator["Place"]:
        """The children of this name, or those at the end of a path such as `NtryDtls/TxDtls`, in order."""
        first, _, rest = name.partition("/")
        namespace = str(self._element.tag).rpartition("}")[0]
        tag = f"{namespace}}}{first}" if namespace else first
        for number, child in enumerate(self._element.iterchildren(tag)):
            place = Place(child, f"{self.path}/{first}[{number}]")
            yield from place.all(rest) if rest else [place]

    def descend(self) -> Iterator["Place"]:
        """Every element below, in the order of the file."""
        for element in self._element.iterdescendants():
            yield Place(element, self.path)

    def first(self, name: str) -> "Place | None":
        """The first of them."""
        return next(self.all(name), None)

    def the(self, name: str) -> "Place":
        """The first of them. Raises: Invalid when there is none."""
        found = self.first(name)
        if found is None:
            raise Invalid(f"{self.path}/{name}", "is missing")
        return found

    def words(self, *names: str) -> str | None:
        """The text at the first of these paths that has one."""
        for name in names:
            place = self.first(name)
            if place is not None and (text := place.own_text()):
                return text
        return None

    def own_text(self) -> str:
        """The element's text, in one line. Raises: Invalid when it is too long."""
        text = " ".join((self._element.text or "").split())
        if len(text) > MAX_TEXT_CHARS:
            raise Invalid(self.path, f"has more than {MAX_TEXT_CHARS} characters")
        return text

    def own_amount(self) -> tuple[Decimal, str]:
        """The element's amount and currency. Raises: Invalid when it is none."""
        number = number_of(self.own_text())
        currency = self._element.get("Ccy", "")
        if number is None or not 0 <= number < MAX_AMOUNT or not _few_decimals(number):
            raise Invalid(self.path, f"{self.own_text()[:40]!r} is not an amount")
        if not _CURRENCY.fullmatch(currency):
            raise Invalid(f"{self.path}/@Ccy", f"{currency[:10]!r} is not a currency")
        return number, currency

    def own_number(self) -> Decimal:
        """The element's number. Raises: Invalid when it is none."""
        number = number_of(self.own_text())
        if number is None or abs(number) >= MAX_AMOUNT or not _few_decimals(number):
            raise Invalid(self.path, f"{self.own_text()[:40]!r} is not a number")
        return number

    def own_day(self) -> date:
        """The element's date, or that of its instant as written. Raises: Invalid when it is none."""
        text = self.own_text()
        try:
            return date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text).date()
        except ValueError:
            raise Invalid(self.path, f"{text[:40]!r} is not a date") from None


def _few_decimals(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DECIMALS

"""Is a file that is no e-invoice refused by name, before anything in it is believed?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.billing.en16931_xml import to_ubl
from laddbok.model.errors import Invalid
from laddbok.wires.einvoice_file import MAX_EINVOICE_BYTES, parsed, read_einvoice
from tests.rules.billing.documents import simple

INVOICE = '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"{}>{}</Invoice>'
LAUGHS = "<!ENTITY a 'ha'>" + "".join(f"<!ENTITY {b} '&{a};&{a};&{a};'>" for a, b in ("ab", "bc", "cd"))


def test_our_own_is_one() -> None:
    document = parsed(to_ubl(simple()))
    assert (document.kind, document.number) == ("Invoice", "20260001")
    assert document.customization.endswith("poacc:billing:3.0")


def test_a_byte_order_mark_is_no_matter() -> None:
    assert parsed(b"\xef\xbb\xbf" + to_ubl(simple())).number == "20260001"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no XML"),
        ("<Invoice", "is no XML"),
        ("just words", "is no XML"),
        ("<a>&nothing;</a>", "is no XML"),
        ("<a/>", "is no UBL Invoice or CreditNote but a"),
        ("<Invoice/>", "is no UBL Invoice or CreditNote but Invoice"),
        ("<!DOCTYPE a><a/>", "has a document type"),
        (f"<!DOCTYPE a [{LAUGHS}]><a>&d;</a>", "has a document type"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>", "has a document type"),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>", "must be UTF-8"),
        ("<a>" * 300 + "</a>" * 300, "is no XML"),
        (INVOICE.format(' xmlns:xi="http://www.w3.org/2001/XInclude"', '<xi:include href="x"/>x<'), "is no XML"),
    ],
)
def test_what_is_no_e_invoice_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=f"^e-invoice: .*{reason}"):
        parsed(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_a_document_type_hides_in_no_encoding(encoding: str) -> None:
    with pytest.raises(Invalid, match=r"^e-invoice: "):
        parsed("<!DOCTYPE a [<!ENTITY b 'ö'>]><a>&b;</a>".encode(encoding))


@given(st.binary(max_size=200) | st.binary(max_size=50).map(lambda tail: to_ubl(simple())[:-20] + tail))
def test_any_bytes_are_an_e_invoice_or_are_refused(xml: bytes) -> None:
    try:
        assert parsed(xml).kind == "Invoice"
    except Invalid as error:
        assert error.field == "e-invoice"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.truncate(MAX_EINVOICE_BYTES + 1)
    with pytest.raises(Invalid, match="has more than 20 MB"):
        read_einvoice(path)
    with pytest.raises(Invalid, match="has more than 20 MB"):
        parsed(b" " * (MAX_EINVOICE_BYTES + 1))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"none\.xml: can't be read"):
        read_einvoice(tmp_path / "none.xml")

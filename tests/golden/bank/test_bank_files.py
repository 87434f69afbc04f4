"""Do we read every payment that a bank's file tells of, and refuse what contradicts itself? The files are typed anew, in the
shape of those that banks send."""

from decimal import Decimal
from pathlib import Path

import pytest

from laddbok.model.errors import Invalid
from laddbok.model.payment import BankFile, Remitted
from laddbok.wires import bank_xml
from laddbok.wires.bank_files import read_bank_file

FOLDER = Path(__file__).parent
BATCH, DAY, SEVERAL = (
    (FOLDER / f"{name}.xml").read_bytes() for name in ("camt054_batch", "camt053_day", "camt054_several")
)


def read(content: bytes, *changes: tuple[bytes, bytes]) -> BankFile:
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    return read_bank_file(content)


def refused(content: bytes, *changes: tuple[bytes, bytes]) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read(content, *changes)
    return caught.value


def test_B55_a_batch_of_6000_is_two_payments_each_with_its_own_amount_and_reference() -> None:
    file = read(BATCH)
    [entry] = file.entries
    assert (file.message_id, entry.account, entry.amount, str(entry.booked_on)) == (
        "NTF20261204A", "9912346", Decimal("6000.00"), "2026-12-04",
    )  # fmt: skip
    first, second = entry.payments
    assert (first.amount, first.remitted, first.text) == (Decimal("3718.61"), (Remitted("1000000107"),), "")
    assert (first.payer_name, first.payer_account, first.end_to_end_id) == ("Kund 1", "50501055", None)
    assert (second.amount, second.remitted) == (Decimal("2281.39"), ())
    assert second.text == "Faktura 1000 0002 laddning oktober"
    assert first.reference != second.reference


def test_a_statement_has_what_came_in_and_went_out_and_what_is_only_announced() -> None:
    entries = read(DAY).entries
    assert [(str(entry.amount), entry.is_booked) for entry in entries] == [
        ("6000.00", True), ("600.00", True), ("-112.75", True), ("250.00", False),
    ]  # fmt: skip
    assert str(entries[2].booked_on) == "2026-12-04"
    assert [len(entry.payments) for entry in entries] == [1, 1, 1, 1]
    assert entries[2].payments[0].text == "Avgift kontoutdrag"
    assert entries[1].payments[0].payer_name == "Kund 3"
    assert entries[1].payments[0].end_to_end_id == "LB-7731"


def test_an_entry_that_two_files_tell_of_is_known_again() -> None:
    assert read(BATCH).entries[0].reference == read(DAY).entries[0].reference


def test_one_payment_may_be_for_several_invoices_and_a_return_says_that_it_is_one() -> None:
    entries = read(SEVERAL).entries
    assert entries[0].payments[0].remitted == (
        Remitted("1000000404", Decimal("1250.00")), Remitted("10000005", Decimal("500.00")),
    )  # fmt: skip
    assert (entries[0].payments[0].amount, entries[0].payments[0].currency) == (Decimal("1750.00"), "SEK")
    assert (entries[1].payments[0].is_return, entries[1].payments[0].amount) == (True, Decimal("-500.00"))


def test_two_equal_entries_without_a_reference_are_two_and_the_same_two_in_another_file() -> None:
    first, again = read(SEVERAL).entries, read(SEVERAL, (b"CAMT054-77120", b"CAMT054-77121")).entries
    assert first[2].reference != first[3].reference
    assert [entry.reference for entry in first] == [entry.reference for entry in again]


@pytest.mark.parametrize("version", [b"02", b"03", b"04", b"06", b"08", b"13"])
def test_the_version_of_the_schema_does_not_matter(version: bytes) -> None:
    assert len(read(BATCH, (b"camt.054.001.02", b"camt.054.001." + version)).entries[0].payments) == 2


def test_details_that_do_not_come_to_their_entry_are_refused_by_name() -> None:
    error = refused(BATCH, (b">2281.39<", b">2281.38<"))
    assert "NtryDtls" in error.field
    assert error.reason == "its payments come to 5999.99, the entry to 6000.00 SEK"


@pytest.mark.parametrize("at", [200, 1100, 1900, len(BATCH) - 20])
def test_a_truncated_file_is_refused(at: int) -> None:
    assert refused(BATCH[:at]).field == "file"


def test_a_statement_from_which_an_entry_is_missing_is_refused() -> None:
    start = DAY.index(b"<Ntry>", DAY.index(b"338-1"))
    without = DAY[:start] + DAY[DAY.index(b"</Ntry>", start) + 7 :]
    error = refused(without)
    assert error.field == "Document/BkToCstmrStmt[0]/Stmt[0]/Bal[1]"
    assert "17887.25" in error.reason


def test_a_summary_that_says_otherwise_is_refused() -> None:
    assert "TxsSummry" in refused(BATCH, (b"<Sum>6000.00</Sum>", b"<Sum>6001.00</Sum>")).field


BOMB = b'<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">'
FILE = b'<!DOCTYPE Document [<!ENTITY f SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE, FILE, b"<!doctype Document>"])
def test_a_file_with_a_DTD_or_entities_is_refused(doctype: bytes) -> None:
    head, _, rest = BATCH.partition(b"\n")
    assert refused(head + doctype + rest).reason.startswith("has a document type")
    assert refused(doctype + rest).reason.startswith("has a document type")


def test_a_DTD_behind_another_encoding_is_refused() -> None:
    text = BATCH.decode().replace('encoding="UTF-8"?>', f'encoding="UTF-16"?>{BOMB.decode()}')
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-7"):
        assert refused(text.encode(encoding)).field == "file"


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert refused(BATCH, (b"laddning oktober", b"&hidden;")).field == "file"


def test_what_is_too_deep_too_long_or_too_wide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b"<Document>" + b"<a>" * 60 + b"</a>" * 60 + b"</Document>"
    assert "nested" in refused(deep).reason
    assert "characters" in refused(BATCH, (b"laddning oktober", b"x" * 2_001)).reason
    monkeypatch.setattr(bank_xml, "MAX_ELEMENTS", 30)
    assert "elements" in refused(BATCH).reason
    monkeypatch.setattr(bank_xml, "MAX_FILE_BYTES", 1_000)
    assert "MB" in refused(BATCH).reason


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b">3718.61<", b">3718.6100001<", "Amt[0]"),
        (b">3718.61<", b">3718.615<", "Amt[0]"),
        (b">3718.61<", b">-3718.61<", "Amt[0]"),
        (b">3718.61<", b">1e9999<", "Amt[0]"),
        (b">3718.61<", b">NaN<", "Amt[0]"),
        (b'<TxAmt><Amt Ccy="SEK">3718.61', b'<TxAmt><Amt Ccy="EUR">3718.61', "Amt[0]"),
        (b'<TxAmt><Amt Ccy="SEK">3718.61', b'<TxAmt><Amt Ccy="kr">3718.61', "@Ccy"),
        (b"<CdtDbtInd>CRDT", b"<CdtDbtInd>CREDIT", "CdtDbtInd"),
        (b"<Sts>BOOK", b"<Sts>MAYBE", "Sts"),
        (b"<BookgDt><Dt>2026-12-04", b"<BookgDt><Dt>2026-13-04", "Dt[0]"),
        (b"<MsgId>NTF20261204A</MsgId>", b"", "GrpHdr/MsgId"),
        (b"camt.054.001.02", b'camt.054.001.02" x="1', ""),
        (b"BkToCstmrDbtCdtNtfctn", b"BkToCstmrAcctRpt", "file"),
        (b"<Id>991-2346</Id>", b"", "Acct/Id"),
    ],
)
def test_what_can_not_be_read_is_refused_at_its_place(old: bytes, new: bytes, field: str) -> None:
    if field:
        assert refused(BATCH, (old, new)).field.endswith(field)
    else:
        assert len(read(BATCH, (old, new)).entries) == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"\0", b"<a/>", b"OCR;100,00\n", b"\xff\xfe<\0a\0>"])
def test_what_is_no_bank_file_is_refused(content: bytes) -> None:
    assert refused(content).field == "file"

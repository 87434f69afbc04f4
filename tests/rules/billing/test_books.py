"""Do the books balance, is never more credited than was billed, and can another program read the export?"""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from laddbok.billing.accrual import accrual
from laddbok.billing.credit import Credits, check_credit, credited, remaining
from laddbok.billing.draft import draft
from laddbok.billing.examples import COMPANY, DRAFT, FINAL, OCTOBER, POSITION, SELLER
from laddbok.billing.ledger import ACCOUNTS, entry_of
from laddbok.billing.sie4 import name_of, sie4
from laddbok.billing.totals import totals_of
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Reference, Text, VatRate

STANDARD = VatRate(percent=Decimal(25))
WHY = Text(sv="Kulans", en="Goodwill")
BILLED = Reference(FINAL.number or "", FINAL.issue_date)


def balance(*entries: JournalEntry) -> dict[str, Decimal]:
    """What each account comes to over these entries."""
    found: dict[str, Decimal] = {}
    for posting in (posting for entry in entries for posting in entry.postings):
        found[posting.account] = found.get(posting.account, Decimal(0)) + posting.amount
    return found


def note(line: InvoiceLine) -> Invoice:
    """A credit note of one line, against the example."""
    sums, totals = totals_of([(line.vat, line.net)], "SEK")
    kind = InvoiceKind.CREDIT_NOTE
    return replace(FINAL, kind=kind, lines=(line,), vat=sums, totals=totals, refers_to=BILLED, sessions=())


def test_a_document_and_its_whole_credit_leave_nothing_in_the_books() -> None:
    credit = draft(SELLER, COMPANY, [POSITION], OCTOBER, kind=InvoiceKind.CREDIT_NOTE, refers_to=BILLED)
    turned = replace(credit, lines=FINAL.lines, vat=FINAL.vat, totals=FINAL.totals)
    found = balance(entry_of(FINAL, "s-1", {}), entry_of(turned, "s-2", {}))
    assert found == {"1510": 0, "3001": 0, "2611": 0}


def test_B52_the_rounding_stands_on_its_own_account() -> None:
    rounded = draft(SELLER, replace(COMPANY, whole_units=True), [POSITION], OCTOBER)
    found = {each.account: each.amount for each in entry_of(rounded, "s-1", {}).postings}
    assert found == {
        "1510": Decimal("67.00"),
        "3001": Decimal("-53.24"),
        "2611": Decimal("-13.31"),
        "3740": Decimal("-0.45"),
    }


def test_the_seller_has_accounts_of_its_own() -> None:
    entry = entry_of(FINAL, "s-1", {"receivable": "1511", "sales_25": "3051"})
    assert [each.account for each in entry.postings] == ["1511", "3051", "2611"]


def test_a_rate_of_VAT_without_an_account_is_named() -> None:
    abroad = VatRate(percent=Decimal("25.5"))
    sums, totals = totals_of([(abroad, Decimal(10))], "EUR")
    document = replace(FINAL, vat=sums, totals=totals)
    with pytest.raises(Invalid, match="sales_25_5"):
        entry_of(document, "s-1", {})


def test_B51_ten_kronor_with_VAT_are_eight_and_two() -> None:
    given = note(credited(Credits(document=FINAL), STANDARD, Decimal("10.00"), WHY))
    assert (given.totals.net, given.totals.vat) == (Decimal("8.00"), Decimal("2.00"))
    assert remaining(FINAL, [given]) == {STANDARD: Decimal("45.24")}


@pytest.mark.parametrize("gross", ["66.56", "0", "-1.00", "NaN", "Infinity", "sNaN", "1E+400"])
def test_B51_more_than_remains_is_refused(gross: str) -> None:
    with pytest.raises(Invalid):
        credited(Credits(document=FINAL), STANDARD, Decimal(gross), WHY)


def test_B51_what_was_credited_before_is_gone() -> None:
    first = note(credited(Credits(document=FINAL), STANDARD, Decimal("60.00"), WHY))
    with pytest.raises(Invalid, match=r"more than the 5\.24 that are left"):
        credited(Credits(document=FINAL, notes=(first,)), STANDARD, Decimal("10.00"), WHY)
    last = note(credited(Credits(document=FINAL, notes=(first,)), STANDARD, Decimal("6.55"), WHY))
    assert remaining(FINAL, [first, last]) == {STANDARD: 0}


def test_another_category_than_the_invoice_has_is_refused() -> None:
    with pytest.raises(Invalid):
        credited(Credits(document=FINAL), VatRate(percent=Decimal(12)), Decimal("1.00"), WHY)
    line = replace(FINAL.lines[0], vat=VatRate(percent=Decimal(12)))
    with pytest.raises(Invalid):
        check_credit(FINAL, [], note(line))


def test_an_accrual_is_taken_back_the_next_day() -> None:
    month_end, next_day = accrual([POSITION, POSITION], date(2026, 12, 31), "s", "SEK", {})
    assert (month_end.date, next_day.date) == (date(2026, 12, 31), date(2027, 1, 1))
    assert balance(month_end) == {"1790": Decimal("106.48"), "3001": Decimal("-106.48")}
    assert set(balance(month_end, next_day).values()) == {0}
    assert accrual([], date(2026, 12, 31), "s", "SEK", {}) == ()


def test_the_export_is_in_the_old_code_page_and_sums_to_nothing() -> None:
    entry = entry_of(replace(FINAL, buyer=replace(FINAL.buyer, name='Łukas "Å" Öberg €')), "s-1", {})
    written = sie4(SELLER.seller, [(7, entry), (8, entry_of(DRAFT, "s-2", {}))], date(2026, 11, 5))
    lines = written.decode("cp437").split("\r\n")
    assert not written.replace(b"\r\n", b"").count(b"\n")
    assert '#VER L 7 20261103 "Faktura 20260000007 Lukas \\"Å\\" Öberg EUR"' in lines
    amounts = [Decimal(line.split()[-1]) for line in lines if line.startswith("#TRANS")]
    assert len(amounts) == 6
    assert sum(amounts) == 0


def test_one_file_has_one_currency() -> None:
    euro = JournalEntry(
        date=date(2026, 11, 1), text="x", source_kind="a", source_id="1", currency="EUR",
        postings=(Posting(account="1510", amount=Decimal(1)), Posting(account="3001", amount=Decimal(-1))),
    )  # fmt: skip
    with pytest.raises(Invalid, match="one currency"):
        sie4(SELLER.seller, [(1, euro), (2, entry_of(FINAL, "s-1", {}))], date(2026, 11, 5))


def test_every_account_of_the_usual_chart_has_its_name_in_the_export() -> None:
    assert [number for number in sorted(ACCOUNTS.values()) if name_of(number) is None] == []

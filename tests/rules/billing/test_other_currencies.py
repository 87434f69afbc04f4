"""Is the VAT stated in the currency of the books, once, and do the books balance in it whatever is paid when?"""

from datetime import date
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.books import OpenItem, at_rate_of, booked, entry_in_books, with_books
from laddbok.billing.check import check
from laddbok.billing.credit import Credits, CreditWish, credit_note
from laddbok.billing.en16931_xml import to_ubl
from laddbok.billing.invoice_page import invoice_page
from laddbok.billing.sie4 import sie4
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.exchange import ExchangeRate
from laddbok.model.invoice import Invoice
from laddbok.rating.explain import told
from tests.rules.billing.documents import S12, SELLER, document, line, simple

ECB = ExchangeRate(Decimal("11.0350"), date(2026, 10, 30), "ECB")
TWO_RATES = document([line("1", "53.24", "53.24"), line("2", "10.00", "20.00", S12)])


def in_euro(invoice: Invoice, rate: ExchangeRate | None = ECB) -> Invoice:
    return with_books(replace(invoice, currency="EUR"), "SEK", rate)


def test_the_vat_of_each_category_is_rounded_once_and_summed() -> None:
    books = in_euro(TWO_RATES).books
    assert books is not None
    assert books.vat == (Decimal("146.88"), Decimal("26.48"))
    assert books.total == Decimal("173.36")
    assert check(in_euro(TWO_RATES)) == ()


def test_a_draft_without_a_rate_is_not_finalised_and_the_day_is_named() -> None:
    [found] = check(in_euro(simple(), None))
    assert (found.rule, found.field) == ("BR-53", "books.rate")
    assert str(simple().issue_date) in found.text.en
    assert "EUR/SEK" in found.text.sv


def test_a_wrong_amount_is_found() -> None:
    invoice = in_euro(TWO_RATES)
    assert invoice.books is not None
    wrong = replace(invoice, books=replace(invoice.books, total=Decimal("173.35")))
    assert [each.field for each in check(wrong)] == ["books.total"]
    short = replace(invoice, books=replace(invoice.books, vat=invoice.books.vat[:1]))
    assert [each.field for each in check(short)] == ["books.vat[1]"]


def test_in_the_currency_of_the_books_there_is_nothing_to_state() -> None:
    assert with_books(simple(), "SEK", None).books is None
    assert b"books" not in msgspec.json.encode(simple())


def test_the_entry_balances_in_both_currencies_and_rounding_has_its_account() -> None:
    entry = entry_in_books(in_euro(simple(), replace(ECB, rate=Decimal("11.0005"))), "i", {})
    assert [(each.account, str(each.amount), str(each.book_amount)) for each in entry.postings] == [
        ("1510", "66.55", "732.08"),
        ("3001", "-53.24", "-585.67"),
        ("2611", "-13.31", "-146.42"),
        ("3740", "0", "0.01"),
    ]


def test_a_credit_note_takes_back_the_vat_that_stands_in_the_books() -> None:
    invoice = in_euro(simple())
    note = credit_note(Credits(document=invoice), CreditWish(reason="Fel kund"), date(2026, 12, 1))
    assert note.books == invoice.books
    drawn = in_euro(simple(), replace_rate("12"))
    assert at_rate_of(invoice, drawn).books == invoice.books


def replace_rate(rate: str) -> ExchangeRate:
    return ExchangeRate(Decimal(rate), date(2026, 12, 1), "ECB")


amounts = st.integers(1, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))
rates = st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-4))


@given(total=amounts, parts=st.lists(st.integers(1, 99), min_size=0, max_size=4), first=rates, then=rates)
def test_however_it_is_paid_nothing_is_left_of_it_in_the_books(
    total: Decimal, parts: list[int], first: Decimal, then: Decimal
) -> None:
    owed = booked(_entry(("1510", total), ("3004", -total)), "SEK", first, {}, {})
    left, receivable = total, _on("1510", owed)
    for paid in [*(round(total * part / 500, 2) for part in parts), None]:
        amount = left if paid is None else paid
        if not amount:
            continue
        made = booked(_entry(("1930", amount), ("1510", -amount)), "SEK", then, {}, {"i": OpenItem(left, first)})
        left, receivable = left - amount, receivable + _on("1510", made)
        assert sum(each.book_amount or 0 for each in made.postings) == 0
    assert (left, receivable) == (0, 0)


def test_a_gain_and_a_loss_by_exchange_have_their_accounts() -> None:
    for then, account, amount in (("12", "3960", "-96.50"), ("10", "7960", "103.50")):
        payment = _entry(("1930", Decimal(100)), ("1510", Decimal(-100)))
        made = booked(payment, "SEK", Decimal(then), {}, {"i": OpenItem(Decimal(100), ECB.rate)})
        assert made.postings[-1] == Posting(account=account, amount=Decimal(0), book_amount=Decimal(amount))


def test_a_sie_file_is_in_the_currency_of_the_books() -> None:
    billed = entry_in_books(in_euro(simple(), replace(ECB, rate=Decimal("11.0005"))), "i", {})
    sek = replace(_entry(("1930", Decimal(5)), ("1510", Decimal(-5))), currency="SEK")
    written = sie4(SELLER, [(1, billed), (2, sek)], date(2026, 11, 5)).decode("cp437")
    assert "#VALUTA SEK" in written
    assert "#TRANS 2611 {} -146.42" in written
    assert '#KONTO 3740 "Öres- och kronutjämning"' in written


def test_the_pdf_tells_the_vat_and_the_rate() -> None:
    [first, *_] = invoice_page(in_euro(TWO_RATES), told)["remarks"]
    assert first.replace("\xa0", " ") == (
        "Moms i SEK: 173,36 kr (25 %: 146,88 kr, 12 %: 26,48 kr). 1 EUR = 11,0350 SEK, kurs från ECB den 30 oktober 2026."
    )


def test_the_e_invoice_has_both_vat_totals() -> None:
    text = to_ubl(in_euro(simple())).decode()
    assert "<cbc:TaxCurrencyCode>SEK</cbc:TaxCurrencyCode>" in text
    assert '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">146.88</cbc:TaxAmount></cac:TaxTotal>' in text


def _entry(*lines: tuple[str, Decimal]) -> JournalEntry:
    postings = tuple(
        Posting(account=account, amount=amount, invoice_id="i" if account == "1510" else None)
        for account, amount in lines
    )
    return JournalEntry(
        date=date(2026, 11, 5), text="x", source_kind="payment", source_id="p", currency="EUR", postings=postings
    )


def _on(account: str, entry: JournalEntry) -> Decimal:
    return sum((each.book_amount or Decimal(0) for each in entry.postings if each.account == account), Decimal(0))

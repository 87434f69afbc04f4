"""What does a document in another currency come to in the seller's books?

Who invoices in euro and keeps books in kronor states the VAT in kronor too: each rate's VAT at the day's exchange rate, rounded
once, and their sum. The journal entry has both currencies: each line at the rate, and what rounding leaves on its account. A
payment clears what it pays at the document's own rate, to the öre with the last one, and the money comes in at its
day's rate: the difference is a gain or a loss by exchange.

>>> from datetime import date
>>> from laddbok.billing.examples import FINAL
>>> rate = ExchangeRate(Decimal("11.0350"), date(2026, 11, 3), "ECB")
>>> in_euro = with_books(replace(FINAL, currency="EUR"), "SEK", rate)
>>> in_euro.books.vat, in_euro.books.total
((Decimal('146.88'),), Decimal('146.88'))
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from laddbok.billing.ledger import account, entry_of, turned
from laddbok.model.billing import JournalEntry, Posting, SellerTerms
from laddbok.model.exchange import ExchangeRate, rate_on
from laddbok.model.invoice import Invoice, InvoiceBooks
from laddbok.model.money import round_money

EXCHANGE = "exchange"
"""The kind of source of an entry that says what another one is worth in the books; its id is the other's number."""
_NOTHING = Decimal(0)


class OpenItem(msgspec.Struct, frozen=True):
    """What is open of a document in its own currency, and the rate at which it stands in the books."""

    open: Decimal
    rate: Decimal


def with_books(invoice: Invoice, currency: str, rate: ExchangeRate | None) -> Invoice:
    """A document with its VAT in the currency of the books; in that currency already, it is as it was.

    Args: rate, None: it lacks, which `check.check` finds.
    Source: directive 2006/112/EC, article 230; ML (2023:200) 17 kap. 24 §; EN 16931 BT-6, BT-111.
    """
    if invoice.currency == currency:
        return replace(invoice, books=None)
    if rate is None:
        return replace(invoice, books=InvoiceBooks(currency=currency))
    vat = tuple(round_money(each.vat * rate.rate, currency) for each in invoice.vat)
    return replace(invoice, books=InvoiceBooks(currency=currency, rate=rate, vat=vat, total=sum(vat, _NOTHING)))


def at_rate_of(document: Invoice, note: Invoice) -> Invoice:
    """A credit note at the exchange rate of its document, so that it takes back the VAT that stands in the books.

    Source: our choice, docs/rules.md "Other currencies".
    """
    books = document.books
    return note if books is None else with_books(note, books.currency, books.rate)


def with_day_rate(invoice: Invoice, terms: SellerTerms) -> Invoice:
    """A draft with its VAT in the seller's books at the rate of its day of issue."""
    currency = terms.books or terms.currency
    return with_books(invoice, currency, rate_on(invoice.issue_date, invoice.currency, currency, terms.rates))


def entry_in_books(invoice: Invoice, invoice_id: str, accounts: Mapping[str, str]) -> JournalEntry:
    """The journal entry of a final document, in both currencies where the books are kept in another.

    Source: BAS 2026; docs/rules.md "Other currencies".
    """
    entry, books = entry_of(invoice, invoice_id, accounts), invoice.books
    if books is None or books.rate is None:
        return entry
    return booked(entry, books.currency, books.rate.rate, accounts, {})


def taken_back(posted: JournalEntry, back: JournalEntry) -> JournalEntry:
    """The entry that takes back what was posted, at the same exchange rate."""
    return replace(back, postings=tuple(map(turned, posted.postings)), book_currency=posted.book_currency)


def worth_later(entry: JournalEntry, number: int) -> JournalEntry:
    """The entry by which one that waited for its exchange rate comes into the books: what its lines are worth there, and no money.

    Args: entry, in both currencies; number, under which it stands in its own only.
    Source: our choice, docs/rules.md "Other currencies".
    """
    lines = tuple(replace(each, amount=_NOTHING) for each in entry.postings if each.book_amount)
    return replace(entry, source_kind=EXCHANGE, source_id=str(number), postings=lines)


def booked(
    entry: JournalEntry,
    currency: str,
    rate: Decimal,
    accounts: Mapping[str, str],
    items: Mapping[str, OpenItem],
    rates: Mapping[date, Decimal] | None = None,
) -> JournalEntry:
    """An entry in both currencies, balanced in each.

    Args: currency, of the books; rate, of the entry's day; items, documents that stand in the books at rates of their own;
        rates, of the days at which lines are valued otherwise.
    Source: BAS 2026: 3740 for what rounding leaves, 3960 and 7960 for gains and losses by exchange on receivables.
    """
    left = dict(items)
    used: set[Decimal] = set()
    lines = []
    for each in entry.postings:
        item = left.get(each.invoice_id or "")
        if item is None:
            own = rate if each.valued_on is None else (rates or {})[each.valued_on]
            used.add(own)
            amount = round_money((each.stood + each.amount) * own, currency) - round_money(each.stood * own, currency)
        else:
            after = replace(item, open=item.open + each.amount)
            left[each.invoice_id or ""] = after
            amount = round_money(after.open * item.rate, currency) - round_money(item.open * item.rate, currency)
        lines.append(replace(each, book_amount=amount))
    over = sum((each.book_amount or _NOTHING for each in lines), _NOTHING)
    if over:
        name = ("exchange_gain" if over > 0 else "exchange_loss") if left != items or len(used) > 1 else "rounding"
        lines.append(Posting(account=account(name, accounts), amount=_NOTHING, book_amount=-over))
    return replace(entry, postings=tuple(lines), book_currency=currency)

"""What is still owed on an invoice?

What the postings on the account of receivables come to, of the invoice itself and of the credit notes that refer to it.
There is no other memory of it: what was paid, credited, returned, charged on top or written off is a posting.

>>> from laddbok.billing.examples import FINAL
>>> from laddbok.billing.ledger import entry_of
>>> open_amount([entry_of(FINAL, "s-1", {})], {"s-1"}, {})
Decimal('66.55')
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal

from laddbok.billing.ledger import account
from laddbok.model.billing import JournalEntry


def open_amount(entries: Iterable[JournalEntry], document_ids: Collection[str], accounts: Mapping[str, str]) -> Decimal:
    """What is owed; below 0: what we owe.

    Args: document_ids, the invoice and its credit notes; accounts, the seller's own ones by name.
    Source: our choice, docs/rules.md "What is open".
    """
    return sum((change for _, change in _changes(entries, document_ids, accounts)), Decimal(0))


def open_by_day(
    entries: Iterable[JournalEntry], document_ids: Collection[str], accounts: Mapping[str, str]
) -> list[tuple[date, Decimal]]:
    """What is owed from each day on that changed it, in order."""
    return summed_up(_changes(entries, document_ids, accounts))


def summed_up(steps: Iterable[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    """The balance from each day on that changed it, in order. Args: steps, days and by how much, in any order.

    >>> summed_up([(date(2026, 12, 1), Decimal(-40)), (date(2026, 11, 3), Decimal(100))])
    [(datetime.date(2026, 11, 3), Decimal('100')), (datetime.date(2026, 12, 1), Decimal('60'))]
    """
    changes: dict[date, Decimal] = {}
    for day, change in steps:
        changes[day] = changes.get(day, Decimal(0)) + change
    found: list[tuple[date, Decimal]] = []
    owed = Decimal(0)
    for day in sorted(changes):
        owed += changes[day]
        found.append((day, owed))
    return found


def _changes(
    entries: Iterable[JournalEntry], document_ids: Collection[str], accounts: Mapping[str, str]
) -> Iterable[tuple[date, Decimal]]:
    receivable = account("receivable", accounts)
    for entry in entries:
        for posting in entry.postings:
            if posting.account == receivable and posting.invoice_id in document_ids:
                yield entry.date, posting.amount

"""What may a customer object to, and until when is it decided?

A dispute is about one document, or one session on it, with a reason in words. It has a deadline, and a person accepts or
rejects it with words for the customer. While it is open nobody is reminded of the document. One at a time for each document.

>>> deadline_of(date(2026, 11, 25))
datetime.date(2026, 12, 9)
>>> deadline_of(date(2026, 11, 25), date(2026, 11, 27))
datetime.date(2026, 11, 27)
"""

from datetime import date, timedelta

from laddbok.model.errors import Invalid
from laddbok.model.invoice import InvoiceKind

DAYS = 14
"""To decide in, when nobody says otherwise. Source: our choice."""
MOST_DAYS = 180
MAX_REASON_CHARS = 2_000
DISPUTABLE = frozenset({InvoiceKind.INVOICE, InvoiceKind.RECEIPT})


def deadline_of(opened_on: date, wanted: date | None = None) -> date:
    """Until when a dispute is to be decided.

    Args: opened_on, the day in the seller's time zone; wanted, another day than the usual one.
    Raises: Invalid when it lies before the day of opening, or further off than MOST_DAYS.
    Source: our choice, docs/rules.md "Dispute".
    """
    if wanted is None:
        return opened_on + timedelta(days=DAYS)
    if not opened_on <= wanted <= opened_on + timedelta(days=MOST_DAYS):
        raise Invalid("deadline", f"must be from today on, at most {MOST_DAYS} days ahead")
    return wanted


def check_opening(kind: InvoiceKind, reason: str) -> str:
    """The reason as it is kept.

    Raises: Invalid when nothing is said, too much is, or the document is none that a customer owes.
    Source: our choice, docs/rules.md "Dispute".
    """
    if kind not in DISPUTABLE:
        raise Invalid("invoice", f"a {kind.value.replace('_', ' ')} is nothing that a customer owes")
    said = reason.strip()
    if not said:
        raise Invalid("reason", "must say what is wrong")
    if len(said) > MAX_REASON_CHARS:
        raise Invalid("reason", f"must have {MAX_REASON_CHARS} characters at most")
    return said

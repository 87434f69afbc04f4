"""What stands where on a reminder?

The frozen content as texts, in the customer's language: what is late, what is left of it, what is claimed on top, and how all
of it is paid, under the reference of the invoice.

>>> from laddbok.billing.examples import FINAL, SELLER
>>> from laddbok.model.reminder import Claim
>>> from datetime import timedelta
>>> reminder = Reminder(invoice_id="n-7", invoice_number="20260000007", invoice_date=FINAL.issue_date, due_date=FINAL.due_date,
...     payable=Decimal("66.55"), payment_reference=FINAL.payment_reference, number=1, issue_date=FINAL.due_date + timedelta(days=5),
...     pay_by=FINAL.due_date + timedelta(days=15), seller=SELLER.seller, buyer=FINAL.buyer, currency="SEK",
...     principal=Decimal("66.55"), claim=Claim(compensation=Decimal("450.00")))
>>> reminder_page(reminder)["rows"]
[['Faktura 20260000007', '66,55\xa0kr'], ['Förseningsersättning, enligt avtal', '450,00\xa0kr']]
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from laddbok.billing.invoice_page import account_facts, buyer_lines, seller_facts
from laddbok.billing.page_text import breakable, day_text, language_of, money_text
from laddbok.billing.page_words import WORDS, said, word
from laddbok.billing.payment_qr import asked, qr_svg
from laddbok.billing.pdf import typeset
from laddbok.model.reminder import Reminder


def reminder_pdf(reminder: Reminder) -> bytes:
    """The PDF of a reminder: the same bytes for the same content. One thread at a time.

    Source: ISO 19005-3 (PDF/A-3); docs/rules.md "Reminders".
    """
    return typeset("reminder", reminder_page(reminder))


def reminder_page(reminder: Reminder) -> dict[str, Any]:
    """All texts of a reminder."""
    language = language_of(reminder.buyer.language)
    total = money_text(reminder.total, reminder.currency, language)
    issued, late = day_text(reminder.invoice_date, language), word("reminder_lead", language)
    return {
        "language": language,
        "date": [reminder.issue_date.year, reminder.issue_date.month, reminder.issue_date.day],
        "title": word("reminder", language),
        "number": f"{reminder.invoice_number}-{reminder.number}",
        "words": {name: said(text, language) for name, text in WORDS.items()},
        "seller": {"name": breakable(reminder.seller.name), "columns": seller_facts(reminder.seller, language)},
        "buyer": buyer_lines(reminder.buyer),
        "facts": [[word(name, language), breakable(value)] for name, value in _facts(reminder, language)],
        "lead": [
            late.format(number=reminder.invoice_number, day=issued),
            word("reminder_how", language).format(sum=total, day=day_text(reminder.pay_by, language)),
        ],
        "rows": [[name, money_text(amount, reminder.currency, language)] for name, amount in _rows(reminder, language)],
        "payable": [word("payable", language), total],
        "payment": _payment(reminder, language),
        "remarks": [word("no_vat", language)],
    }


def _facts(reminder: Reminder, language: str) -> list[tuple[str, str]]:
    buyer = reminder.buyer
    named = [
        ("invoice", reminder.invoice_number),
        ("invoice_date", day_text(reminder.invoice_date, language)),
        ("was_due", day_text(reminder.due_date, language)),
        ("issue_date", day_text(reminder.issue_date, language)),
        ("pay_by", day_text(reminder.pay_by, language)),
        ("customer", buyer.id),
        ("buyer_reference", buyer.buyer_reference),
        ("order_reference", buyer.order_reference),
        ("contact", reminder.seller.contact),
    ]
    return [(name, value) for name, value in named if value]


def _rows(reminder: Reminder, language: str) -> Iterator[tuple[str, Decimal]]:
    """What makes up the sum; what is nothing stands nowhere."""
    claim, until = reminder.claim, day_text(reminder.issue_date, language)
    named = [
        (word("as_invoiced", language).format(reminder.invoice_number), reminder.payable),
        (word("settled_of_it", language), reminder.principal - reminder.payable),
        (word("earlier_claims", language), reminder.earlier),
        (word("reminder_fee", language), claim.fee),
        (word("compensation", language), claim.compensation),
        (word("late_interest", language).format(until), claim.interest),
    ]
    return ((name, amount) for name, amount in named if amount)


def _payment(reminder: Reminder, language: str) -> dict[str, Any]:
    reference = reminder.payment_reference or reminder.invoice_number
    days = (reminder.issue_date, reminder.pay_by)
    code = asked(reminder.seller, reference, days, reminder.total, reminder.currency)
    first = [word("pay_by", language), day_text(reminder.pay_by, language)]
    return {
        "facts": [first, *account_facts(reminder.seller, reference, language)],
        "text": None,
        "qr": None if code is None else qr_svg(code),
    }

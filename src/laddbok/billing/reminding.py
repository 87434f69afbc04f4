"""Who is reminded today, and of what?

A late invoice has a reminder for each of the days that its seller names after the due date, one at a time: the next one not before the
one before it was to be paid. None while the customer disputes the invoice, and none when nothing is left of the invoice
itself; a fee alone is nobody reminded of. What was paid covers the invoice first, then what reminders claimed. A reminder
that was cancelled has had its turn, and claims nothing.

>>> from laddbok.billing.examples import FINAL, SELLER
>>> from laddbok.billing.late_terms import parse_late_terms
>>> late = LateInvoice(id="norrladd-20260000007", invoice=FINAL, owed=((FINAL.issue_date, Decimal("66.55")),))
>>> terms = parse_late_terms({"reminder_days": "5, 20"})
>>> next_reminder(late, terms, date(2026, 12, 7)) is None
True
>>> reminder = next_reminder(late, terms, date(2026, 12, 8))
>>> reminder.number, reminder.total, reminder.pay_by.isoformat()
(1, Decimal('66.55'), '2026-12-18')
"""

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.billing.late_terms import LateTerms, terms_of
from laddbok.billing.reminders import claim
from laddbok.model.invoice import Invoice
from laddbok.model.reminder import Claim, Reminder

_NOTHING = Decimal(0)


class Hold(StrEnum):
    """Why a reminder that was issued does not go out, or not yet."""

    DISPUTED = "disputed"
    NOTHING_LEFT = "nothing is left of the invoice any more"
    TOO_LATE = "the day that it gives to pay by is over"


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder that went out before."""

    pay_by: date
    claim: Claim
    is_cancelled: bool = False


DISPUTED, IN_CREDIT = "disputed", "in_credit"
"""Why nobody is reminded: somebody objects; the customer has paid something that nobody has placed yet."""


class LateInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with what is open of the invoice itself from each day on, and the reminders of it, in order."""

    id: str
    invoice: Invoice
    owed: tuple[tuple[date, Decimal], ...]
    earlier: tuple[Earlier, ...] = ()
    is_disputed: bool = False
    credit: Decimal = _NOTHING
    """What its customer has to its credit with the seller, and nobody has placed yet."""

    @property
    def principal(self) -> Decimal:
        """What is left of the invoice itself."""
        return self.owed[-1][1] if self.owed else _NOTHING

    @property
    def standing(self) -> tuple[Claim, ...]:
        """What was claimed, and not cancelled."""
        return tuple(each.claim for each in self.earlier if not each.is_cancelled)


def is_due(late: LateInvoice, terms: LateTerms, today: date) -> bool:
    """Whether an invoice has its next reminder coming, but for what stands in its way.

    Source: our choice, docs/rules.md "Reminders".
    """
    stage = len(late.earlier)
    if stage >= len(terms.reminder_days) or late.principal <= 0:
        return False
    is_its_day = today >= late.invoice.due_date + timedelta(days=terms.reminder_days[stage])
    return is_its_day and all(today > each.pay_by for each in late.earlier)


def in_the_way(late: LateInvoice) -> str:
    """Why nobody is reminded of an invoice that is late; empty: nothing is in the way.

    Source: our choice, docs/rules.md "Reminders".
    """
    if late.is_disputed:
        return DISPUTED
    return IN_CREDIT if late.credit > 0 else ""


def held_back(late: LateInvoice, reminder: Reminder, today: date) -> Hold | None:
    """Why a reminder that waited is not mailed now: it would say what is no longer so.

    Source: our choice, docs/rules.md "Mail".
    """
    if late.is_disputed:
        return Hold.DISPUTED
    if late.principal <= 0:
        return Hold.NOTHING_LEFT
    return Hold.TOO_LATE if today > reminder.pay_by else None


def next_reminder(late: LateInvoice, terms: LateTerms, today: date) -> Reminder | None:
    """The reminder that goes out today; None: none does.

    Args: terms, the seller's as they are today; what may be claimed stands in the invoice.
    Raises: Invalid when interest was agreed and the reference rate of a day is not known.
    Source: Räntelag (1975:635); Lag (1981:739); docs/rules.md "Reminders".
    """
    if in_the_way(late) or not is_due(late, terms, today):
        return None
    invoice, standing = late.invoice, late.standing
    assert invoice.number is not None, late.id
    claimed = claim(
        late.owed, invoice.due_date, today, invoice.buyer.kind, terms_of(invoice.late, terms), invoice.currency,
        is_reminded=any(each.fee or each.compensation for each in standing),
        charged=sum((each.interest for each in standing), _NOTHING),
    )  # fmt: skip
    return Reminder(
        invoice_id=late.id,
        invoice_number=invoice.number,
        invoice_date=invoice.issue_date,
        due_date=invoice.due_date,
        payable=invoice.totals.payable,
        payment_reference=invoice.payment_reference,
        number=len(late.earlier) + 1,
        issue_date=today,
        pay_by=today + timedelta(days=terms.reminder_pay_days),
        seller=invoice.seller,
        buyer=invoice.buyer,
        currency=invoice.currency,
        principal=late.principal,
        earlier=sum((each.total for each in standing), _NOTHING),
        claim=claimed,
    )

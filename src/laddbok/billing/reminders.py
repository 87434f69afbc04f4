"""What may a late payment cost?

Interest from the day after the due date, at the reference rate and so many points above it; a fee for the first written
reminder; between businesses, and of public bodies, a compensation for being late instead of that fee. Each only when it
stands in the terms that were agreed (billing.late_terms), and nothing while the customer disputes the invoice.

>>> from laddbok.billing.late_terms import parse_late_terms
>>> terms = parse_late_terms({"reminder_fee": "60", "interest_points": "8", "reference_rates": "2026-01-01 2.00, 2026-07-01 1.75"})
>>> owed = [(date(2026, 5, 1), Decimal("1000.00"))]
>>> interest(owed, date(2026, 5, 31), date(2026, 7, 31), terms, "SEK")
Decimal('16.50')
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from laddbok.billing.late_terms import LateTerms
from laddbok.billing.ledger import account, turned
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.errors import Invalid
from laddbok.model.invoice import BuyerKind
from laddbok.model.money import divide_half_up, from_minor, minor_digits
from laddbok.model.reminder import Claim

DAYS_OF_YEAR = 365
REMINDER, CANCELLED = "reminder", "reminder_cancelled"
"""What journal entries of claims follow from: `source_kind`."""
_NOTHING = Decimal(0)


def claim(
    owed: Sequence[tuple[date, Decimal]], due: date, today: date, kind: BuyerKind, terms: LateTerms, currency: str,
    *, is_disputed: bool = False, is_reminded: bool = False, charged: Decimal = _NOTHING,
) -> Claim:  # fmt: skip
    """What a reminder of today may claim on top of an invoice.

    Args: owed, what is open of the invoice itself from each day on (billing.balance.open_by_day); is_reminded, whether a
        reminder with its fee went out before; charged, the interest that was claimed before.
    Returns: nothing when nothing is late, or the invoice is disputed.
    Source: Räntelag (1975:635) 3, 6 and 9 §§; Lag (1981:739) 2 to 4 a §§; docs/rules.md "Reminders".
    """
    is_late = today > due and bool(owed) and owed[-1][1] > 0
    if is_disputed or not is_late:
        return Claim()
    is_business = kind is not BuyerKind.CONSUMER
    compensation = (terms.compensation or _NOTHING) if is_business else _NOTHING
    fee = _NOTHING if compensation else terms.reminder_fee or _NOTHING
    once = _NOTHING if is_reminded else Decimal(1)
    found = interest(owed, due, today, terms, currency)
    return Claim(fee=once * fee, compensation=once * compensation, interest=max(_NOTHING, found - charged))


def interest(owed: Sequence[tuple[date, Decimal]], due: date, until: date, terms: LateTerms, currency: str) -> Decimal:
    """The interest on what was open after the due date, up to and with a day: exact, and rounded once.

    Args: owed, what is open from each day on, in order.
    Raises: Invalid when interest was agreed and the reference rate of a day is not known.
    Source: Räntelag (1975:635) 3 § (from the due date, when it was fixed beforehand), 6 § (8 points above the reference
        rate), 9 § (set for each half-year). A day bears what is open at its end, at a 365th of the year's rate.
    """
    if terms.interest_points is None:
        return from_minor(0, currency)
    total = Fraction(0)
    for day, next_day, amount in _spans(owed, due, until, terms):
        rate = _rate_on(day, terms.reference_rates) + terms.interest_points
        total += Fraction(max(amount, _NOTHING)) * Fraction(rate) / 100 * (next_day - day).days / DAYS_OF_YEAR
    total *= 10 ** minor_digits(currency)
    return from_minor(divide_half_up(total.numerator, total.denominator), currency)


def entry_of_claim(
    claimed: Claim, invoice_id: str, payer_id: str, number: int, day: date, currency: str, accounts: Mapping[str, str]
) -> JournalEntry:
    """The journal entry of what a reminder claims. Args: number, of the reminder. Source: BAS 2026."""
    fees, earned = claimed.fee + claimed.compensation, claimed.interest
    postings = [
        Posting(
            account=account("receivable", accounts), amount=claimed.total, invoice_id=invoice_id, payer_id=payer_id
        ),
        Posting(account=account("reminder_fees", accounts), amount=-fees),
        Posting(account=account("interest", accounts), amount=-earned),
    ]
    return JournalEntry(
        date=day,
        text=f"Påminnelse {number} {invoice_id}",
        source_kind=REMINDER,
        source_id=f"{invoice_id}/{number}",
        currency=currency,
        postings=tuple(each for each in postings if each.amount),
    )


def entry_of_cancelled(posted: JournalEntry, day: date) -> JournalEntry:
    """The journal entry that takes a reminder's claim back, from the accounts on which it stands."""
    return JournalEntry(
        date=day,
        text=f"Makulerad {posted.text[0].lower()}{posted.text[1:]}",
        source_kind=CANCELLED,
        source_id=posted.source_id,
        currency=posted.currency,
        postings=tuple(map(turned, posted.postings)),
        book_currency=posted.book_currency,
    )


def _spans(
    owed: Sequence[tuple[date, Decimal]], due: date, until: date, terms: LateTerms
) -> Iterator[tuple[date, date, Decimal]]:
    """From each day on which the amount or the rate changes to the next, the first one after the due date."""
    first, last = date.fromordinal(due.toordinal() + 1), date.fromordinal(until.toordinal() + 1)
    days = {first, last, *(day for day, _ in owed), *(day for day, _ in terms.reference_rates)}
    cuts = sorted(day for day in days if first <= day <= last)
    for day, next_day in pairwise(cuts):
        amount = next((open_then for since, open_then in reversed(owed) if since <= day), _NOTHING)
        yield day, next_day, amount


def _rate_on(day: date, rates: Sequence[tuple[date, Decimal]]) -> Decimal:
    for since, rate in reversed(rates):
        if since <= day:
            return rate
    raise Invalid("late_terms.reference_rates", f"no reference rate is given for {day}")

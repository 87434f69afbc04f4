"""What was agreed about paying late, and when is somebody reminded?

A seller's `late_terms`. What stands in them on the day of issue is frozen with each invoice and can be claimed of that invoice;
what is agreed later holds for later ones. The reference rate is set each half-year: its dated values are configuration, and a
day without one is an error, not 0. Who reminds whom after how many days is the seller's own affair, and holds from today on.

>>> parse_late_terms({"reminder_fee": "60", "reminder_days": "5, 20"})
LateTerms(reminder_fee=Decimal('60'), compensation=None, interest_points=None, reference_rates=(), reminder_days=(5, 20), reminder_pay_days=10)
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from laddbok.model.errors import Invalid
from laddbok.model.invoice import LateCharges
from laddbok.model.money import number_of

MAX_RATES = 200
MOST_AGREED = Decimal(10_000)
"""What a regulation allows is dated, and is for the terms to say; a sum above this is a slip of the pen."""
MAX_STAGES = 10
LATEST_STAGE, MOST_PAY_DAYS = 365, 60
"""Days after the due date, and to pay in."""


class LateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed about late payments; None or empty: it was not."""

    reminder_fee: Decimal | None = None
    compensation: Decimal | None = None
    interest_points: Decimal | None = None
    """Above the reference rate [per cent a year]."""
    reference_rates: tuple[tuple[date, Decimal], ...] = ()
    """From which day on which rate holds, in order [per cent a year]."""
    reminder_days: tuple[int, ...] = ()
    """So many days after the due date each reminder goes out, in order; without any nobody is reminded."""
    reminder_pay_days: int = 10
    """So many days a reminder gives to pay in."""


def parse_late_terms(terms: Mapping[str, str]) -> LateTerms:
    """Read a seller's `late_terms`.

    Raises: Invalid, naming the term: one that is not known, is no amount, or interest without a reference rate.
    Source: our choice, docs/rules.md "Reminders".
    """
    unknown = sorted(set(terms) - set(LateTerms.__struct_fields__))
    if unknown:
        raise Invalid(f"late_terms.{unknown[0]}", "is not a term that is known")
    read = LateTerms(
        reminder_fee=_money(terms, "reminder_fee"),
        compensation=_money(terms, "compensation"),
        interest_points=_amount(terms, "interest_points", Decimal(100)),
        reference_rates=tuple(_rates(terms.get("reference_rates", ""))),
        reminder_days=tuple(_days(terms, "reminder_days", LATEST_STAGE)),
        reminder_pay_days=next(_days(terms, "reminder_pay_days", MOST_PAY_DAYS), 10),
    )
    if len(read.reminder_days) > MAX_STAGES:
        raise Invalid("late_terms.reminder_days", f"more than {MAX_STAGES} reminders")
    if read.interest_points is not None and not read.reference_rates:
        raise Invalid("late_terms.reference_rates", "interest was agreed, and no reference rate is given")
    return read


def charges_of(terms: LateTerms) -> LateCharges | None:
    """What an invoice that is issued now freezes of the terms; None: nothing was agreed."""
    agreed = LateCharges(
        reminder_fee=terms.reminder_fee, compensation=terms.compensation, interest_points=terms.interest_points
    )
    return None if agreed == LateCharges() else agreed


def terms_of(agreed: LateCharges | None, today: LateTerms) -> LateTerms:
    """What holds of an invoice: what was agreed when it was issued, with the reference rates and days of today.

    Source: Lag (1981:739) 4 § (agreed at the latest when the debt arose); docs/rules.md "Reminders".
    """
    agreed = agreed or LateCharges()
    return replace(
        today,
        reminder_fee=agreed.reminder_fee,
        compensation=agreed.compensation,
        interest_points=agreed.interest_points,
    )


def _money(terms: Mapping[str, str], name: str) -> Decimal | None:
    """A sum that can be paid and posted as it is."""
    amount = _amount(terms, name, MOST_AGREED)
    if amount is not None and amount != round(amount, 2):
        raise Invalid(f"late_terms.{name}", f"{terms[name][:40]!r} has parts of the smallest coin")
    return amount


def _amount(terms: Mapping[str, str], name: str, most: Decimal) -> Decimal | None:
    if name not in terms:
        return None
    amount = number_of(terms[name])
    if amount is None or not 0 <= amount <= most:
        raise Invalid(f"late_terms.{name}", f"{terms[name][:40]!r} is not an amount from 0 to {most}")
    return amount


def _rates(text: str) -> Iterator[tuple[date, Decimal]]:
    """Pairs of day and rate, in order, with commas between."""
    last = date.min
    for pair in filter(None, map(str.strip, text.split(",")[:MAX_RATES])):
        day, _, number = pair.partition(" ")
        rate = number_of(number.strip())
        try:
            since = date.fromisoformat(day)
        except ValueError:
            since = last
        if rate is None or abs(rate) > 100 or since <= last:
            raise Invalid("late_terms.reference_rates", f"{pair[:40]!r} is not a later day and its rate")
        last = since
        yield since, rate


def _days(terms: Mapping[str, str], name: str, most: int) -> Iterator[int]:
    """Whole numbers of days, each later than the one before, with commas between."""
    last = 0
    for text in filter(None, map(str.strip, terms.get(name, "").split(",")[: MAX_STAGES + 1])):
        if not (text.isascii() and text.isdecimal() and last < int(text) <= most):
            raise Invalid(f"late_terms.{name}", f"{text[:40]!r} is not a later day, from 1 to {most}")
        last = int(text)
        yield last

"""What does a subscription cost in a month that it holds only a part of?

A month fee goes by days, in the time zone of the seller; a day belongs to what holds at its end. The fee of the days up
to a day is rounded once, and a part is the difference of two such fees: so the parts of a month always sum to the fee,
however it is divided, and none of them needs to know of the others.

>>> terms = Subscription(month_fee=Decimal(99), vat=Decimal(25))
>>> may = Month(2026, 5)
>>> [part_of_fee(Decimal(99), days, may, "SEK") for days in (Days(15, 31), Days(0, 15))]  # joined on the 16th
[Decimal('51.10'), Decimal('47.90')]
>>> month_fee(terms, Days(15, 31), may, "SEK", TaxIncluded.NO)
MonthFee(month='2026-05', days=16, excl_vat=Decimal('51.10'), incl_vat=Decimal('63.88'), vat_percent=Decimal('25'))
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.money import divide_half_up, from_minor, minor_digits, net_of, vat_on
from laddbok.model.superset import Subscription
from laddbok.model.tariff import TaxIncluded


class Month(NamedTuple):
    """A calendar month in the seller's time zone."""

    year: int
    month: int

    @property
    def day_count(self) -> int:
        """How many days it has."""
        return monthrange(self.year, self.month)[1]

    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


class Days(NamedTuple):
    """Days of a month, half open: [0, 31) is all of May, [15, 31) from its 16th day on."""

    first: int
    end: int


class MonthFee(msgspec.Struct, frozen=True, kw_only=True):
    """The fee for so many days of a month; an amount is None while the VAT is unknown."""

    month: str
    days: int
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    vat_percent: Decimal | None


def month_of(cdr: Cdr, zone: ZoneInfo) -> Month:
    """The month to which all of a session belongs: the one in which it ended, by the seller's clock.

    Source: our choice, docs/rules.md "Month fee"; case B11.
    """
    at = (cdr.transaction_ended_at or cdr.periods[-1].end_at).astimezone(zone)
    return Month(at.year, at.month)


def held_days(month: Month, valid_from: datetime, valid_to: datetime | None, zone: ZoneInfo) -> Days:
    """The days of a month at whose end something held, by the seller's clock.

    Args: valid_to, exclusive; None: without end.
    Source: our choice, docs/rules.md "Month fee".
    """
    begin = date(month.year, month.month, 1)
    first = _day_in(month, begin, valid_from.astimezone(zone).date())
    end = month.day_count if valid_to is None else _day_in(month, begin, valid_to.astimezone(zone).date())
    return Days(first, max(first, end))


def part_of_fee(fee: Decimal, days: Days, month: Month, currency: str) -> Decimal:
    """The part of a month's fee that falls on these days, in whole minor units.

    Source: our choice, docs/rules.md "Month fee"; case B42.
    """
    numerator, denominator = fee.scaleb(minor_digits(currency)).as_integer_ratio()
    upto = [divide_half_up(numerator * day, denominator * month.day_count) for day in days]
    return from_minor(upto[1] - upto[0], currency)


def month_fee(terms: Subscription, days: Days, month: Month, currency: str, tax: TaxIncluded) -> MonthFee:
    """The fee of a subscription for these days, before and after VAT.

    Args: tax, whether the tariff's prices contain the tax; the other side is None where the subscription states no VAT.
    Source: our choice, docs/rules.md "Month fee"; VAT: EN 16931 BR-CO-17.
    """
    written = part_of_fee(terms.month_fee, days, month, currency)
    excl_vat, incl_vat = both_sides_of(written, terms.vat, tax, currency)
    return MonthFee(
        month=str(month), days=days.end - days.first, excl_vat=excl_vat, incl_vat=incl_vat, vat_percent=terms.vat
    )


def both_sides_of(
    written: Decimal, vat: Decimal | None, tax: TaxIncluded, currency: str
) -> tuple[Decimal | None, Decimal | None]:
    """An amount before and after VAT; None for the side that can't be known."""
    if tax is TaxIncluded.NOT_APPLICABLE or not written:
        return written, written
    if tax is TaxIncluded.YES:
        return None if vat is None else net_of(written, vat, currency), written
    return written, None if vat is None else written + vat_on(written, vat, currency)


def _day_in(month: Month, begin: date, day: date) -> int:
    return min(max((day - begin) // timedelta(days=1), 0), month.day_count)

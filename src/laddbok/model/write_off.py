"""What does a step of writing off say?

What is given up of an invoice as a loss, and what comes back of that, is a row of steps. Each is frozen when it is taken, with
the VAT that it takes back or pays again, rate by rate; its journal entry is made of it and nothing else.

>>> from datetime import date
>>> step = WriteOff(invoice_id="s-1", number=1, kind=WriteOffKind.WRITTEN_OFF, day=date(2026, 12, 8), currency="SEK",
...     amount=Decimal("66.55"), relieved=Decimal("66.55"), vat=(VatShare(rate=VatRate(percent=Decimal(25)), vat=Decimal("13.31")),))
>>> step.loss
Decimal('53.24')
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.model.invoice import VatRate

_NOTHING = Decimal(0)


class WriteOffKind(StrEnum):
    """Why a step was taken."""

    WRITTEN_OFF = "written_off"
    """Finance gives it up."""
    PAID = "paid"
    """It was paid after all."""
    NOT_OWED = "not_owed"
    """It was credited: there was nothing to lose."""
    CANCELLED = "cancelled"
    """A claim for paying late was cancelled, in which there is no VAT."""
    UNDONE = "undone"
    """Finance expects it to be paid again."""


class VatShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The VAT of one rate in an amount; `book_vat` is it in the currency of the books, if another."""

    rate: VatRate
    vat: Decimal
    book_vat: Decimal | None = None


class WriteOff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step. Below 0, it takes back what was written off."""

    invoice_id: str
    number: int
    kind: WriteOffKind
    day: date
    currency: str
    amount: Decimal
    """Off what the customer owes, VAT included."""
    relieved: Decimal = _NOTHING
    """The part of the amount whose VAT is taken back."""
    vat: tuple[VatShare, ...] = ()
    book_currency: str | None = None
    book_amount: Decimal | None = None
    """In the currency of the books, if another: at the document's own rate."""

    @property
    def loss(self) -> Decimal:
        """What is a cost of the seller's: the amount without the VAT that is taken back."""
        return self.amount - sum((each.vat for each in self.vat), _NOTHING)

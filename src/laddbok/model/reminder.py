"""What does a reminder say?

The content of a reminder, as it is frozen when it is issued: which invoice is late, what is left of it, what is claimed on top,
and until when all of it is to be paid. Its PDF and its journal entry are made of this content and nothing else.

>>> claim = Claim(fee=Decimal("60.00"), interest=Decimal("1.10"))
>>> claim.total
Decimal('61.10')
"""

from datetime import date
from decimal import Decimal

import msgspec

from laddbok.model.invoice import Buyer, Seller

_NOTHING = Decimal(0)


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reminder adds to an invoice; no VAT is on any of it."""

    fee: Decimal = _NOTHING
    compensation: Decimal = _NOTHING
    interest: Decimal = _NOTHING

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.fee + self.compensation + self.interest


class Reminder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reminder of an invoice. `number` is its stage, from 1 on; dates are local to the seller."""

    invoice_id: str
    invoice_number: str
    invoice_date: date
    due_date: date
    payable: Decimal
    """Of the invoice, as it was issued."""
    payment_reference: str | None = None
    number: int
    issue_date: date
    pay_by: date
    seller: Seller
    buyer: Buyer
    currency: str
    principal: Decimal
    """What is left of the invoice itself."""
    earlier: Decimal = _NOTHING
    """What reminders before this one claimed and nobody paid or cancelled."""
    claim: Claim = Claim()

    @property
    def total(self) -> Decimal:
        """All that is to be paid now."""
        return self.principal + self.earlier + self.claim.total

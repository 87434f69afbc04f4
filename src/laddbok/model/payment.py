"""What money came in, from whom, and for what?

A payment is an amount that reached one of our accounts (above 0), or left it (below 0): told by a bank's file, or by a
provider of card and phone payments. Each part of it is allocated: to an invoice, to what a customer has to its credit, to a
provider's settlement, to a refund; what nobody understands stands in suspense until a person says. The parts always come
to the payment:

>>> payment = Payment(provider="bank", reference="e/1", received_on=date(2026, 11, 3), amount=Decimal("100.00"), currency="SEK")
>>> parts = [Allocation(kind=AllocationKind.INVOICE, amount=Decimal("80.00"), invoice_id="s-10000001", payer_id="p"),
...     Allocation(kind=AllocationKind.BALANCE, amount=Decimal("20.00"), payer_id="p", reason=Reason.OVERPAID)]
>>> sum(part.amount for part in parts) == payment.amount
True
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

BANK = "bank"
"""The provider of payments that a bank's file tells of."""
SET_OFF = "set_off"
"""The provider of payments of 0, by which what we owe on a document goes to its payer's credit."""
PAID_BACK_BY_BANK = frozenset({BANK, SET_OFF})
"""Of these providers finance pays a refund, and the next file tells that it has left."""


class Remitted(msgspec.Struct, frozen=True):
    """A reference that the payer gave, and how much of the payment is for it; None: it was not said."""

    reference: str
    amount: Decimal | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money that came in (amount above 0) or went out (below). `reference` is the provider's own, and unique with it."""

    provider: str
    reference: str
    received_on: date
    """When it stood on the account, by the bank's or the seller's calendar."""
    amount: Decimal
    currency: str
    remitted: tuple[Remitted, ...] = ()
    """What it is for, as structured references (OCR)."""
    text: str = ""
    """What it is for, in words."""
    payer_name: str | None = None
    payer_account: str | None = None
    end_to_end_id: str | None = None
    """The payer's own id of the payment; of a refund that left our account: ours."""
    is_return: bool = False
    """Money that came in before went back."""
    charge: Decimal = Decimal(0)
    """What the bank kept: so much more was paid than reached the account. A line that is nothing but a fee is all of it."""


class BankEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an account: what it came to, and the payments in it."""

    account: str
    """IBAN or bankgiro, without blanks and dashes."""
    reference: str
    """Tells this entry from all others of the same owner, in whatever file it comes."""
    amount: Decimal
    currency: str
    booked_on: date
    is_booked: bool = True
    """False: announced, and may never come."""
    marks: tuple[str, ...] = ()
    """References that the bank gives it, each with its kind, such as `bank:5484600231`: another file may give one of them too."""
    payments: tuple[Payment, ...]


class BankFile(msgspec.Struct, frozen=True, kw_only=True):
    """A bank's file: its own id, and the entries of all accounts in it."""

    message_id: str
    kind: str
    """camt.054 or camt.053."""
    entries: tuple[BankEntry, ...]


class AllocationKind(StrEnum):
    """Where a part of a payment went."""

    INVOICE = "invoice"
    BALANCE = "balance"
    """To the customer's credit: it may be used for an invoice later, or paid back."""
    SUSPENSE = "suspense"
    """Nobody knows yet."""
    SETTLEMENT = "settlement"
    """A provider hands over what customers paid to it: no customer pays again."""
    REFUND = "refund"
    """To be paid back, or paid back."""
    FEE = "fee"
    """What the bank kept."""
    SAME = "same"
    """It is a payment that is booked already: another file told of it under another reference."""


class Reason(StrEnum):
    """Why a part went where it went; what has a refund task is named by it."""

    REFERENCE = "reference"
    NUMBER_IN_TEXT = "number_in_text"
    AMOUNT_AND_PAYER = "amount_and_payer"
    REQUESTED = "requested"
    """The provider was asked for exactly this."""
    OVERPAID = "overpaid"
    PAID_TWICE = "paid_twice"
    PAID_AFTER_CREDIT = "paid_after_credit"
    PAID_AFTER_CANCEL = "paid_after_cancel"
    UNKNOWN_REFERENCE = "unknown_reference"
    WRONG_REFERENCE = "wrong_reference"
    """Its check digits are wrong."""
    NO_REFERENCE = "no_reference"
    UNSURE = "unsure"
    """An invoice is named in words, and neither the amount nor the payer agrees."""
    WRONG_CURRENCY = "wrong_currency"
    WENT_OUT = "went_out"
    RETURNED = "returned"
    OWED = "owed"
    """We owe it on a document that came to less than 0."""
    CORRECTED = "corrected"
    """Its document was credited since."""
    LEFT_OVER = "left_over"
    """A driver without a contract paid more than was due."""
    SETTLED = "settled"
    BANK_FEE = "bank_fee"
    PERHAPS_SAME = "perhaps_same"
    """Perhaps another file told of it under another reference."""
    BY_HAND = "by_hand"


REFUND_TASKS = frozenset({Reason.PAID_AFTER_CREDIT, Reason.PAID_AFTER_CANCEL})
"""Money for which nothing is owed: a person is asked to pay it back."""


class Allocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a payment; the sign is the payment's, or the other one in a row that takes back."""

    kind: AllocationKind
    amount: Decimal
    invoice_id: str | None = None
    payer_id: str | None = None
    reason: Reason = Reason.BY_HAND


class OpenInvoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice as payments see it: `open` is what is still owed, below 0 what we owe; `credited` what credit notes took back,
    `written_off` what was given up of it."""

    id: str
    number: str
    payment_reference: str | None
    payer_id: str
    currency: str
    due_date: date
    open: Decimal
    credited: Decimal = Decimal(0)
    written_off: Decimal = Decimal(0)

    @property
    def takes(self) -> Decimal:
        """What may be paid on it: what is open, and what was given up."""
        return self.open + self.written_off

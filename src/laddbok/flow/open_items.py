"""Where do many payments go, one after the other?

What a file's payments may meet is read once for all of them: the invoices that they name, the customers that their names and
accounts point to, and what providers had collected. Each payment is then matched in its turn, and what it takes of an
invoice is no longer open for the next one.

>>> from laddbok.billing.examples import PAID_INVOICE, PAYMENT
>>> items = OpenItems("SEK", [PAID_INVOICE], {}, {})
>>> [[part.kind.value for part in items.take(number, PAYMENT)] for number in (1, 2)]
[['invoice', 'balance'], ['balance']]
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from laddbok.billing.payments import is_owed, match, numbers_named
from laddbok.model.payment import Allocation, AllocationKind, OpenInvoice, Payment, Reason

MIN_REFERENCE_CHARS = 8
"""A shorter word is no reference of a provider."""


class OpenItems:
    """What payments may meet, and what is left of it."""

    def __init__(
        self,
        currency: str,
        invoices: Iterable[OpenInvoice],
        payers: Mapping[int, frozenset[str]],
        collected: Mapping[str, Sequence[Decimal]],
    ) -> None:
        """Args: currency, the seller's; payers, the customers that the payment of a number may be from; collected, by the
        reference of a provider's payment its amounts."""
        self._currency = currency
        self._payers = payers
        self._collected = collected
        self._invoices = {each.id: each for each in invoices}
        self._by_number: dict[str, list[str]] = defaultdict(list)
        self._by_payer: dict[str, list[str]] = defaultdict(list)
        for each in self._invoices.values():
            self._by_payer[each.payer_id].append(each.id)
            for number in {bare(number) for number in (each.number, each.payment_reference) if number}:
                self._by_number[number].append(each.id)

    def take(self, number: int, payment: Payment) -> tuple[Allocation, ...]:
        """Where a payment goes: what was paid to what it is for, and what the bank kept of it to its fees.

        Args: number, by which its customers are known here.
        """
        if not payment.charge:
            return self._taken(number, payment)
        fee = Allocation(kind=AllocationKind.FEE, amount=-payment.charge, reason=Reason.BANK_FEE)
        paid = msgspec.structs.replace(payment, amount=payment.amount + payment.charge, charge=Decimal(0))
        return (*self._taken(number, paid), fee) if paid.amount else (fee,)

    def _taken(self, number: int, payment: Payment) -> tuple[Allocation, ...]:
        parts = self._settlement(payment)
        if parts:
            return parts
        payers = self._payers.get(number, frozenset())
        parts = match(payment, self._candidates(payment, payers), self._currency, payers)
        for part in parts:
            if part.kind is AllocationKind.INVOICE and part.invoice_id is not None:
                invoice = self._invoices[part.invoice_id]
                self._invoices[invoice.id] = msgspec.structs.replace(invoice, open=invoice.open - part.amount)
        return parts

    def _candidates(self, payment: Payment, payers: Iterable[str]) -> list[OpenInvoice]:
        """The invoices that it names, and those of its customers on which exactly so much is open; the oldest first."""
        ids = {found for number in numbers_named(payment) for found in self._by_number.get(bare(number), ())}
        owed = {found for payer in payers for found in self._by_payer.get(payer, ())} - ids
        ids |= {found for found in owed if is_owed(self._invoices[found], payment.amount)}
        return sorted((self._invoices[found] for found in ids), key=lambda each: (each.due_date, each.number))

    def _settlement(self, payment: Payment) -> tuple[Allocation, ...]:
        """A provider's payment that the bank tells of too: no customer pays again."""
        if payment.amount < 0 or payment.currency != self._currency:
            return ()
        amounts = [amount for word in words_of(payment) for amount in self._collected.get(word, ())]
        if amounts != [payment.amount]:
            return ()
        return (Allocation(kind=AllocationKind.SETTLEMENT, amount=payment.amount, reason=Reason.SETTLED),)


def words_of(payment: Payment) -> list[str]:
    """The words of a payment that may be a provider's reference."""
    words = {*payment.text.split(), payment.end_to_end_id or "", *(each.reference for each in payment.remitted)}
    return sorted(word for word in words if len(word) >= MIN_REFERENCE_CHARS)


def bare(number: str) -> str:
    """A number as it is compared: banks fill it up with zeros."""
    return number.lstrip("0")

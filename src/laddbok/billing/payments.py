"""To which invoices does a payment belong?

A payment says what it is for: in a reference with check digits (OCR), in a number among its words, or only by its amount
and its payer. The first of these that names invoices decides; a number that merely stands among words must be borne out by
the amount or the payer. Invoices take what is owed on them, the oldest first; what is left is the customer's. What names
nothing, or is in another currency, stands in suspense: a wrong guess costs more than a question.

>>> from laddbok.billing.examples import PAID_INVOICE, PAYMENT
>>> [(part.kind.value, str(part.amount), part.reason.value) for part in match(PAYMENT, [PAID_INVOICE], "SEK")]
[('invoice', '66.55', 'reference'), ('balance', '33.45', 'overpaid')]
"""

import re
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

import msgspec

from laddbok.billing.payment_reference import is_ocr
from laddbok.model.payment import Allocation, AllocationKind, OpenInvoice, Payment, Reason

MIN_DIGITS, MAX_DIGITS = 4, 25
MAX_WORDS = 60
"""Groups of digits among the words of a payment that are looked at."""
_RUNS = re.compile(r"(?<!\d)(?<!\d[.,-])\d+(?: \d+)*(?!\d|[.,-]\d)", re.ASCII)
_NOTHING = Decimal(0)


class Named(msgspec.Struct, frozen=True):
    """The invoices that a payment names, each with the part that is meant for it (None: not said), and how it names them."""

    invoices: tuple[tuple[OpenInvoice, Decimal | None], ...]
    reason: Reason
    all_known: bool = True
    """Whether nothing else is named, which nobody knows."""


def numbers_named(payment: Payment) -> frozenset[str]:
    """Every number in a payment that may be an invoice's or its reference's: what is to be looked up.

    Groups of digits with blanks between may be one number or several; dates with dashes and amounts are none.

    >>> from laddbok.billing.examples import PAYMENT
    >>> sorted(numbers_named(msgspec.structs.replace(PAYMENT, remitted=(), text="Faktura 1000 0012, 25,50 kr 2026-10-03")))
    ['0012', '1000', '10000012']
    """
    return frozenset({_plain(each.reference) for each in payment.remitted} | set(_numbers_in(payment.text)))


def match(
    payment: Payment, invoices: Sequence[OpenInvoice], currency: str, payer_ids: Collection[str] = ()
) -> tuple[Allocation, ...]:
    """Where a payment goes, part by part; the parts come to the payment.

    Args: invoices, those of the seller whose number or reference it bears, and those of the payers that it may be from;
        currency, the seller's; payer_ids, the customers whose name or account the payment bears.
    Source: our choice, docs/rules.md "Payments"; case B55.
    """
    if payment.currency != currency or any(invoice.currency != currency for invoice in invoices):
        invoices = [invoice for invoice in invoices if invoice.currency == payment.currency]
        if payment.currency != currency or not invoices:
            return _suspense(payment.amount, Reason.WRONG_CURRENCY)
    found = _named(payment, invoices, payer_ids)
    if not found.invoices:
        return _suspense(payment.amount, found.reason if payment.amount > 0 else Reason.WENT_OUT)
    return _returned(payment, found) if payment.amount < 0 else _paid(payment, found)


def _named(payment: Payment, invoices: Sequence[OpenInvoice], payer_ids: Collection[str]) -> Named:
    if payment.remitted:
        structured = _by_reference(payment, invoices)
        if structured.invoices:
            return structured
    if in_words := [each for each in invoices if _keys(each) & set(map(_key, _numbers_in(payment.text)))]:
        return _borne_out(payment, in_words, payer_ids)
    owed = [
        each for each in invoices if each.payer_id in payer_ids and payment.amount > 0 and is_owed(each, payment.amount)
    ]
    if len(owed) == 1:
        return Named(((owed[0], None),), Reason.AMOUNT_AND_PAYER)
    if not payment.remitted:
        return Named((), Reason.NO_REFERENCE)
    has_right_digits = all(is_ocr(_plain(each.reference)) for each in payment.remitted)
    return Named((), Reason.UNKNOWN_REFERENCE if has_right_digits else Reason.WRONG_REFERENCE)


def is_owed(invoice: OpenInvoice, amount: Decimal) -> bool:
    """Whether so much is what is open on an invoice, or would be, had nothing been written off."""
    return amount in (invoice.open, invoice.takes)


def _by_reference(payment: Payment, invoices: Sequence[OpenInvoice]) -> Named:
    """Invoices whose reference, or number, is given in the field for it: to the last digit, but for zeros in front."""
    by_key = {key: invoice for invoice in invoices for key in _keys(invoice)}
    pairs = [(by_key.get(_key(_plain(each.reference))), each.amount) for each in payment.remitted]
    known: dict[str, tuple[OpenInvoice, Decimal | None]] = {}
    for invoice, amount in pairs:
        if invoice is not None:
            earlier = known.get(invoice.id, (invoice, None))[1]
            known[invoice.id] = (invoice, amount if earlier is None or amount is None else earlier + amount)
    return Named(tuple(known.values()), Reason.REFERENCE, all_known=all(invoice for invoice, _ in pairs))


def _borne_out(payment: Payment, found: Sequence[OpenInvoice], payer_ids: Collection[str]) -> Named:
    """An OCR among the words counts; a bare number does when the sum is what is owed, or the payer is the customer."""
    words = set(map(_key, _numbers_in(payment.text)))
    is_sure = (
        all(each.payment_reference and _key(each.payment_reference) in words for each in found)
        or payment.amount in (sum(each.open for each in found), sum(each.takes for each in found))
        or all(each.payer_id in payer_ids for each in found)
    )
    return Named(tuple((each, None) for each in found) if is_sure else (), Reason.NUMBER_IN_TEXT if is_sure else Reason.UNSURE)  # fmt: skip


def _paid(payment: Payment, found: Named) -> tuple[Allocation, ...]:
    """Each invoice takes what is owed on it, or what was meant for it if that is less; the rest is the customer's."""
    parts: list[Allocation] = []
    left = payment.amount
    for invoice, meant in sorted(found.invoices, key=lambda each: (each[0].due_date, each[0].number)):
        part = min(left, max(invoice.takes, _NOTHING), left if meant is None else meant)
        if part > 0:
            parts.append(_part(AllocationKind.INVOICE, part, invoice, found.reason))
            left -= part
    if left:
        parts += _rest(left, found, has_paid=bool(parts))
    return tuple(parts)


def _rest(left: Decimal, found: Named, *, has_paid: bool) -> tuple[Allocation, ...]:
    payers = {invoice.payer_id for invoice, _ in found.invoices}
    if len(payers) > 1 or not found.all_known:
        return _suspense(left, Reason.UNSURE if found.all_known else Reason.UNKNOWN_REFERENCE)
    if any(invoice.credited for invoice, _ in found.invoices):
        reason = Reason.PAID_AFTER_CREDIT
    else:
        reason = Reason.OVERPAID if has_paid else Reason.PAID_TWICE
    return (Allocation(kind=AllocationKind.BALANCE, amount=left, payer_id=payers.pop(), reason=reason),)


def _returned(payment: Payment, found: Named) -> tuple[Allocation, ...]:
    """Money that went back opens its invoice again; money that went out for another reason is for a person."""
    if payment.is_return and len(found.invoices) == 1:
        return (_part(AllocationKind.INVOICE, payment.amount, found.invoices[0][0], Reason.RETURNED),)
    return _suspense(payment.amount, Reason.WENT_OUT)


def _part(kind: AllocationKind, amount: Decimal, invoice: OpenInvoice, reason: Reason) -> Allocation:
    return Allocation(kind=kind, amount=amount, invoice_id=invoice.id, payer_id=invoice.payer_id, reason=reason)


def _suspense(amount: Decimal, reason: Reason) -> tuple[Allocation, ...]:
    return (Allocation(kind=AllocationKind.SUSPENSE, amount=amount, reason=reason),)


def _keys(invoice: OpenInvoice) -> set[str]:
    return {_key(number) for number in (invoice.number, invoice.payment_reference) if number}


def _key(number: str) -> str:
    """Banks fill references up with zeros."""
    return number.lstrip("0")


def _plain(reference: str) -> str:
    return reference.replace(" ", "").replace("-", "")[:200]


def _numbers_in(text: str) -> Iterable[str]:
    """Groups of digits, alone and joined with their neighbours across single blanks."""
    for run in list(_RUNS.finditer(text))[:MAX_WORDS]:
        groups = run[0].split(" ")[:MAX_WORDS]
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > MAX_DIGITS:
                    break
                if len(number) >= MIN_DIGITS:
                    yield number

"""How does a part of a payment go somewhere else?

Rows are never changed: what moves is taken back where it stood by a row with the other sign, and stands in a new row where
it goes. So the rows of a payment always come to the payment, whatever was done with it.

>>> from datetime import date
>>> parts = [Allocation(kind=AllocationKind.SUSPENSE, amount=Decimal(100), reason=Reason.NO_REFERENCE)]
>>> invoice = OpenInvoice(id="i", number="1", payment_reference=None, payer_id="p", currency="SEK", due_date=date(2026, 12, 1), open=Decimal(60))
>>> [(row.kind.value, str(row.amount)) for row in moved(parts, AllocationKind.SUSPENSE, Decimal(60), to_invoice=invoice)]
[('suspense', '-60'), ('invoice', '60')]
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from laddbok.model.errors import Conflict, Invalid
from laddbok.model.payment import Allocation, AllocationKind, OpenInvoice, Reason

MOVABLE = frozenset({AllocationKind.SUSPENSE, AllocationKind.BALANCE})
"""What a person may move: a part that is on an invoice is refunded or credited instead."""
_NOTHING = Decimal(0)
Where = tuple[AllocationKind, str | None, str | None]
"""Kind, invoice and payer of a part."""


def standing(parts: Iterable[Allocation]) -> dict[Where, Decimal]:
    """What of a payment stands where, after all that moved; what came to 0 is left out."""
    found: dict[Where, Decimal] = {}
    for part in parts:
        where = (part.kind, part.invoice_id, part.payer_id)
        found[where] = found.get(where, _NOTHING) + part.amount
    return {where: amount for where, amount in found.items() if amount}


def moved(
    parts: Iterable[Allocation],
    source: AllocationKind,
    amount: Decimal,
    *,
    to_invoice: OpenInvoice | None = None,
    to_balance_of: str | None = None,
    most: Decimal | None = None,
    to_kind: AllocationKind | None = None,
    told: Decimal | None = None,
) -> tuple[Allocation, ...]:
    """The rows that move so much from suspense, or from a customer's credit, to an invoice, a credit, to the bank (`to_kind`:
    its fees, or back, for it is booked already), or (none of these is given) to what a provider settles.

    Args: amount: above 0 of money that came in, below 0 of money that went out; most, what the source holds in the books;
        told, what the payments came to that this one is (`to_kind` same): of so much what did not reach the account is the
        bank's fee.
    Raises: Invalid("amount"): 0, or of the other sign. Conflict: more than stands there, or than is owed on the invoice.
    Source: our choice, docs/rules.md "Suspense".
    """
    if source not in MOVABLE:
        raise Invalid("source", "only what is in suspense or to a customer's credit can be moved")
    places = [(where, held) for where, held in standing(parts).items() if where[0] is source]
    there = sum((held for _, held in places), _NOTHING)
    if not amount or there * amount < 0:
        raise Invalid("amount", f"{amount} is not a part of {there}")
    if to_kind is AllocationKind.SAME and told is not None and 0 < there < amount <= told:
        kept = Allocation(kind=AllocationKind.FEE, amount=there - amount)
        return (*_taken(places, there), Allocation(kind=to_kind, amount=amount), kept)
    if abs(amount) > abs(there) or (most is not None and amount > most):
        raise Conflict(f"{amount} is more than the {there if most is None else min(there, most)} that can be moved")
    if to_invoice is not None and amount > max(to_invoice.takes, _NOTHING):
        raise Conflict(f"{amount} is more than the {to_invoice.takes} that are owed on invoice {to_invoice.number}")
    if to_kind is AllocationKind.FEE and amount > 0:
        raise Invalid("amount", "a fee of the bank is money that went out")
    if to_kind is not None:
        return (*_taken(places, amount), Allocation(kind=to_kind, amount=amount))
    return (*_taken(places, amount), _target(amount, to_invoice, to_balance_of))


def refundable(
    parts: Iterable[Allocation], overpaid: Mapping[str, Decimal], credit: Mapping[str, Decimal]
) -> list[tuple[Where, Decimal]]:
    """What of a payment nobody owes us: in suspense, to a customer's credit, and on invoices that were credited since.

    Args: overpaid, what we owe on each invoice; credit, what each customer has to its credit in the books.
    Source: our choice, docs/rules.md "Refunds".
    """
    found = []
    for where, held in standing(parts).items():
        kind, invoice_id, payer_id = where
        most = {
            AllocationKind.SUSPENSE: held,
            AllocationKind.BALANCE: credit.get(payer_id or "", _NOTHING),
            AllocationKind.INVOICE: overpaid.get(invoice_id or "", _NOTHING),
        }.get(kind, _NOTHING)
        if (part := min(held, most)) > 0:
            found.append((where, part))
    order = [AllocationKind.SUSPENSE, AllocationKind.BALANCE, AllocationKind.INVOICE]
    return sorted(found, key=lambda each: (order.index(each[0][0]), each[0][1] or "", each[0][2] or ""))


def refunded(sources: Sequence[tuple[Where, Decimal]], amount: Decimal, reason: Reason) -> tuple[Allocation, ...]:
    """The rows that set so much aside to be paid back. Args: sources, what is refundable.

    Raises: Invalid when the amount is not above 0. Conflict when it is more than what is refundable (case B51).
    """
    there = sum((held for _, held in sources), _NOTHING)
    if amount <= 0:
        raise Invalid("amount", "a refund is an amount above 0")
    if amount > there:
        raise Conflict(
            f"{amount} is more than the {there} that can be paid back: the rest is owed, or paid back already"
        )
    return (*_taken(sources, amount), Allocation(kind=AllocationKind.REFUND, amount=amount, reason=reason))


def freed(sources: Sequence[tuple[Where, Decimal]]) -> tuple[Allocation, ...]:
    """The rows by which what was paid on documents that were credited since goes to their payers' credit.

    Args: sources, what is refundable; what is not on a document stays.
    Source: our choice, docs/rules.md "Receipt".
    """
    rows: list[Allocation] = []
    for (kind, invoice_id, payer_id), part in sources:
        if kind is AllocationKind.INVOICE:
            reason = Reason.CORRECTED
            rows.append(Allocation(kind=kind, amount=-part, invoice_id=invoice_id, payer_id=payer_id, reason=reason))
            rows.append(Allocation(kind=AllocationKind.BALANCE, amount=part, payer_id=payer_id, reason=reason))
    return tuple(rows)


def owed_to_payer(invoice: OpenInvoice, paid: Decimal) -> tuple[Allocation, ...]:
    """The rows by which what we owe on a document goes to its payer's credit; what was paid on it is refunded instead.

    Args: paid, what payments cover of it, below 0 what went to the credit before.
    Raises: Conflict when nothing is owed beyond what was paid.
    Source: our choice, docs/rules.md "Set-off".

    >>> from datetime import date
    >>> fed_in = OpenInvoice(id="i", number="1", payment_reference=None, payer_id="p", currency="SEK", due_date=date(2026, 12, 1), open=Decimal(-60))
    >>> [(row.kind.value, str(row.amount)) for row in owed_to_payer(fed_in, Decimal(0))]
    [('invoice', '-60'), ('balance', '60')]
    """
    owed = -invoice.open - max(paid, _NOTHING)
    if owed <= 0:
        raise Conflict(f"nothing is owed to the customer on invoice {invoice.number} beyond what was paid on it")
    rows = (
        Allocation(kind=AllocationKind.INVOICE, amount=-owed, invoice_id=invoice.id, payer_id=invoice.payer_id),
        Allocation(kind=AllocationKind.BALANCE, amount=owed, payer_id=invoice.payer_id),
    )
    return tuple(replace(row, reason=Reason.OWED) for row in rows)


def _taken(places: Sequence[tuple[Where, Decimal]], amount: Decimal) -> list[Allocation]:
    """Rows that take so much back, from one place after the other."""
    rows = []
    left = amount
    for (kind, invoice_id, payer_id), held in places:
        part = min(held, left) if amount > 0 else max(held, left)
        if part:
            rows.append(Allocation(kind=kind, amount=-part, invoice_id=invoice_id, payer_id=payer_id))
            left -= part
    assert not left, (places, amount)
    return rows


def _target(amount: Decimal, invoice: OpenInvoice | None, payer_id: str | None) -> Allocation:
    if invoice is not None:
        return Allocation(kind=AllocationKind.INVOICE, amount=amount, invoice_id=invoice.id, payer_id=invoice.payer_id)
    if payer_id is not None:
        return Allocation(kind=AllocationKind.BALANCE, amount=amount, payer_id=payer_id)
    return Allocation(kind=AllocationKind.SETTLEMENT, amount=amount, reason=Reason.SETTLED)

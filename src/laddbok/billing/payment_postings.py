"""Which accounts does a payment touch?

Money that came in is debited where it came: the bank, or what a provider of card payments owes us. Its parts are credited:
the receivable of an invoice, the customer's prepayments, suspense, what a provider had collected before, and what is to be
paid back. When a part moves, it goes from the one account to the other; when a refund has left, the debt and the money go.

>>> from laddbok.billing.examples import PAID_INVOICE, PAYMENT
>>> from laddbok.billing.payments import match
>>> [(each.account, str(each.amount)) for each in entry_of_payment(PAYMENT, "p1", match(PAYMENT, [PAID_INVOICE], "SEK"), {}).postings]
[('1930', '100.00'), ('1510', '-66.55'), ('2420', '-33.45')]
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from laddbok.billing.ledger import account
from laddbok.billing.moves import Where
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.payment import PAID_BACK_BY_BANK, Allocation, AllocationKind, Payment

ACCOUNT_OF = {
    AllocationKind.INVOICE: "receivable",
    AllocationKind.BALANCE: "prepaid",
    AllocationKind.SUSPENSE: "suspense",
    AllocationKind.SETTLEMENT: "card",
    AllocationKind.REFUND: "refunds",
    AllocationKind.FEE: "bank_fees",
    AllocationKind.SAME: "bank",
}
"""The account of each kind of part, by its name in billing.ledger.ACCOUNTS."""


def money_account(provider: str, accounts: Mapping[str, str]) -> str:
    """Where a provider's money stands: in the bank, or with the provider until it settles."""
    return account("bank" if provider in PAID_BACK_BY_BANK else "card", accounts)


def entry_of_payment(
    payment: Payment, payment_id: str, parts: Sequence[Allocation], accounts: Mapping[str, str]
) -> JournalEntry:
    """The journal entry of a payment. Args: parts, which come to the payment. Source: BAS 2026; docs/rules.md "Payments"."""
    money = Posting(account=money_account(payment.provider, accounts), amount=payment.amount)
    what = "Inbetalning" if payment.amount > 0 else "Utbetalning"
    return JournalEntry(
        date=payment.received_on,
        text=f"{what} {payment.payer_name or payment.provider}",
        source_kind="payment",
        source_id=payment_id,
        currency=payment.currency,
        postings=(money, *_credits(parts, accounts)),
    )


def entry_of_move(
    source: str,
    day: date,
    currency: str,
    parts: Sequence[Allocation],
    accounts: Mapping[str, str],
    *,
    before: Sequence[Allocation] = (),
    paid_on: date | None = None,
) -> JournalEntry:
    """The journal entry of parts that moved.

    Args: source, payment and number of the first row; parts, which come to 0; before, the payment's rows so far; paid_on, the
        day of the payment, at whose exchange rate its parts stand in the books.
    """
    standing: dict[Where, Decimal] = defaultdict(Decimal)
    for part in before:
        standing[_where(part)] += part.amount
    postings = []
    for part, posting in zip(parts, _credits(parts, accounts), strict=True):
        postings.append(replace(posting, valued_on=paid_on, stood=-standing[_where(part)]))
        standing[_where(part)] += part.amount
    return JournalEntry(
        date=day,
        text="Omfördelad betalning",
        source_kind="allocation",
        source_id=source,
        currency=currency,
        postings=tuple(postings),
    )


def entry_of_refund(
    refund_id: str,
    provider: str,
    day: date,
    currency: str,
    amount: Decimal,
    accounts: Mapping[str, str],
    *,
    paid_on: date | None = None,
) -> JournalEntry:
    """The journal entry of a refund that has left: the debt goes, and the money with it.

    Args: paid_on, the day of the payment, at whose exchange rate the debt stands in the books.
    """
    return JournalEntry(
        date=day,
        text=f"Återbetalning {refund_id}",
        source_kind="refund",
        source_id=refund_id,
        currency=currency,
        postings=(
            Posting(account=account("refunds", accounts), amount=amount, valued_on=paid_on),
            Posting(account=money_account(provider, accounts), amount=-amount),
        ),
    )


def _credits(parts: Sequence[Allocation], accounts: Mapping[str, str]) -> list[Posting]:
    return [
        Posting(
            account=account(ACCOUNT_OF[part.kind], accounts),
            amount=-part.amount,
            invoice_id=part.invoice_id if part.kind is AllocationKind.INVOICE else None,
            payer_id=part.payer_id,
        )
        for part in parts
    ]


def _where(part: Allocation) -> Where:
    return part.kind, part.invoice_id, part.payer_id

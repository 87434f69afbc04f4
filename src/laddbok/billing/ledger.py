"""Which accounts does a document touch?

Double entry: what the customer owes is debited, revenue and VAT are credited, öre that were rounded away go to their own
account; a credit note turns all of it round. Accounts are those of the Swedish BAS chart unless the seller names others.

>>> from laddbok.billing.examples import FINAL
>>> [(posting.account, posting.amount) for posting in entry_of(FINAL, "s-1", {}).postings]
[('1510', Decimal('66.55')), ('3001', Decimal('-53.24')), ('2611', Decimal('-13.31'))]
"""

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, VatRate

ACCOUNTS = {
    "receivable": "1510",
    "bank": "1930",
    "card": "1580",
    "accrued": "1790",
    "prepaid": "2420",
    "suspense": "2999",
    "refunds": "2899",
    "payable": "2440",
    "rounding": "3740",
    "reminder_fees": "3930",
    "interest": "8313",
    "bad_debt": "6351",
    "recovered": "3950",
    "bank_fees": "6570",
    "sales_25": "3001",
    "sales_12": "3002",
    "sales_6": "3003",
    "sales_0": "3004",
    "vat_25": "2611",
    "vat_12": "2621",
    "vat_6": "2631",
    "host_cost": "4010",
    "vat_in": "2641",
    "exchange_gain": "3960",
    "exchange_loss": "7960",
}
"""What each is for, by name; `legal_entity.accounts` overrides any. Source: BAS 2026."""


def entry_of(invoice: Invoice, invoice_id: str, accounts: Mapping[str, str]) -> JournalEntry:
    """The journal entry of a final document: to a customer, or what we owe a host.

    Args: accounts, the seller's own ones by name.
    Source: BAS 2026; ML 2023:200; docs/rules.md "Ledger".
    """
    if invoice.kind is InvoiceKind.SELF_BILLED:
        return _host_entry(invoice, invoice_id, accounts)
    postings = [*_customer(invoice, invoice_id, accounts), *_sales(invoice, accounts)]
    if invoice.totals.rounding:
        postings.append(Posting(account=account("rounding", accounts), amount=-invoice.totals.rounding))
    sign = -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1
    what = {InvoiceKind.CREDIT_NOTE: "Kreditfaktura", InvoiceKind.RECEIPT: "Kvitto"}.get(invoice.kind, "Faktura")
    return JournalEntry(
        date=invoice.issue_date,
        text=f"{what} {invoice.number} {invoice.buyer.name}",
        source_kind=invoice.kind.value,
        source_id=invoice_id,
        currency=invoice.currency,
        postings=tuple(_signed(each, sign) for each in postings if each.amount),
    )


def _host_entry(invoice: Invoice, invoice_id: str, accounts: Mapping[str, str]) -> JournalEntry:
    """What a host gets is a cost of ours, its VAT is deducted, and both are owed to it."""
    totals = invoice.totals
    postings = (
        Posting(account=account("host_cost", accounts), amount=totals.net),
        Posting(account=account("vat_in", accounts), amount=totals.vat),
        Posting(
            account=account("payable", accounts),
            amount=-totals.payable,
            invoice_id=invoice_id,
            payer_id=invoice.seller.id,
        ),
    )
    return JournalEntry(
        date=invoice.issue_date,
        text=f"Självfaktura {invoice.number} {invoice.seller.name}",
        source_kind=invoice.kind.value,
        source_id=invoice_id,
        currency=invoice.currency,
        postings=tuple(each for each in postings if each.amount),
    )


def account(name: str, accounts: Mapping[str, str]) -> str:
    """The number of an account: the seller's own one, else that of the BAS chart. Raises: Invalid when there is neither."""
    number = accounts.get(name) or ACCOUNTS.get(name)
    if number is None:
        raise Invalid(f"legal_entity.accounts.{name}", "is not set, and the usual chart has no such account")
    return number


def check_names(accounts: Mapping[str, str]) -> None:
    """Raises: Invalid when a name is that of no account: those of ACCOUNTS, and sales and VAT of any other rate."""
    for name in accounts:
        if name not in ACCOUNTS and not re.fullmatch(r"(sales|vat)_\d{1,2}(_\d{1,2})?", name):
            raise Invalid(f"accounts.{name[:40]}", "is no account that anything is posted on")


def _customer(invoice: Invoice, invoice_id: str, accounts: Mapping[str, str]) -> Iterator[Posting]:
    """What the customer owes; what was paid before came in on the account of prepayments."""
    yield Posting(
        account=account("receivable", accounts),
        amount=invoice.totals.payable,
        invoice_id=invoice_id,
        payer_id=invoice.buyer.id,
    )
    if invoice.totals.prepaid:
        yield Posting(account=account("prepaid", accounts), amount=invoice.totals.prepaid, payer_id=invoice.buyer.id)


def _sales(invoice: Invoice, accounts: Mapping[str, str]) -> Iterator[Posting]:
    for each in invoice.vat:
        rate = rate_name(each.rate)
        yield Posting(account=account(f"sales_{rate}", accounts), amount=-each.net)
        if each.vat:
            yield Posting(account=account(f"vat_{rate}", accounts), amount=-each.vat)


def rate_name(rate: VatRate) -> str:
    """25, 12, 6 or 0; another rate, as abroad, needs accounts of its own name."""
    return f"{rate.percent.normalize():f}".replace(".", "_")


def _signed(posting: Posting, sign: int) -> Posting:
    return Posting(
        account=posting.account,
        amount=sign * posting.amount,
        invoice_id=posting.invoice_id,
        payer_id=posting.payer_id,
    )


def turned(posting: Posting) -> Posting:
    """The posting that takes this one back."""
    in_books = None if posting.book_amount is None else -posting.book_amount
    return replace(posting, amount=-posting.amount, book_amount=in_books)

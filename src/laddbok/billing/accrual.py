"""What did a month earn that nobody was billed for yet?

At a month's end the books show the revenue of sessions that were delivered and are not on an invoice: without VAT, which
is due with the invoice. The entry is taken back on the first day of the next month, when the invoices bring it for good.

>>> from laddbok.billing.examples import POSITION
>>> entries = accrual([POSITION], date(2026, 10, 31), "norrladd", "SEK", {})
>>> [(entry.date.isoformat(), [(p.account, p.amount) for p in entry.postings]) for entry in entries]
[('2026-10-31', [('1790', Decimal('53.24')), ('3001', Decimal('-53.24'))]), ('2026-11-01', [('1790', Decimal('-53.24')), ('3001', Decimal('53.24'))])]
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from laddbok.billing.draft import lines_of
from laddbok.billing.ledger import account, rate_name
from laddbok.model.billing import ContractCharge, JournalEntry, Position, Posting
from laddbok.model.invoice import InvoiceKind, VatRate


def accrual(
    positions: Iterable[Position], month_end: date, seller_id: str, currency: str, accounts: Mapping[str, str]
) -> tuple[JournalEntry, ...]:
    """The entry of what is earned and not billed at a month's end, and the one that takes it back; none for nothing.

    Args: positions, of sessions that ended in the month or before and are on no document of it; accounts, the seller's own
        ones.
    Source: ÅRL 2 kap. 4 § (revenue belongs to its year); BAS 1790; docs/rules.md "Ledger".
    """
    return accrual_of(earned(positions, accounts), month_end, seller_id, currency, accounts)


def earned(positions: Iterable[Position], accounts: Mapping[str, str]) -> dict[str, Decimal]:
    """The revenue of positions by account, before VAT; what is credited is taken off."""
    revenue: dict[str, Decimal] = {}
    for position in positions:
        for line in lines_of(position, InvoiceKind.INVOICE):
            name = account(f"sales_{rate_name(line.vat)}", accounts)
            revenue[name] = revenue.get(name, Decimal(0)) + line.net
    return revenue


def charged(charges: Iterable[ContractCharge], accounts: Mapping[str, str]) -> dict[str, Decimal]:
    """The revenue of what contracts were charged beside their sessions, by account, before VAT."""
    revenue: dict[str, Decimal] = {}
    for charge in charges:
        for each in charge.nets:
            name = account(f"sales_{rate_name(VatRate(percent=each.percent))}", accounts)
            revenue[name] = revenue.get(name, Decimal(0)) + each.net
    return revenue


def accrual_of(
    revenue: Mapping[str, Decimal], month_end: date, seller_id: str, currency: str, accounts: Mapping[str, str]
) -> tuple[JournalEntry, ...]:
    """The two entries of so much revenue by account; none for nothing."""
    total = sum(revenue.values(), Decimal(0))
    postings = (
        Posting(account=account("accrued", accounts), amount=total),
        *(Posting(account=name, amount=-amount) for name, amount in sorted(revenue.items())),
    )
    used = tuple(each for each in postings if each.amount)
    if not used:
        return ()
    source = f"{seller_id}/{month_end:%Y-%m}"
    back = tuple(Posting(account=each.account, amount=-each.amount) for each in used)
    return (
        JournalEntry(
            date=month_end, text=f"Upplupen laddning {month_end:%Y-%m}", source_kind="accrual", source_id=source,
            currency=currency, postings=used,
        ),
        JournalEntry(
            date=month_end + timedelta(days=1), text=f"Återföring upplupen laddning {month_end:%Y-%m}",
            source_kind="accrual_back", source_id=source, currency=currency, postings=back,
        ),
    )  # fmt: skip

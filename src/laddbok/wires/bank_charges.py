"""What did the bank keep of a payment, and which lines are nothing but its fees?

A bank may tell its charges in three places: beside one payment, beside a line of several, and as a line of its own. What a
customer paid is the amount before charges; what reached the account is the amount after them. Charges that the bank takes
by another line (`ChrgInclInd` false) are none of this one.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from laddbok.wires.bank_xml import Place

FEES = frozenset({"CHRG", "FEES", "COMM", "COME", "COMI"})
"""What a line of fees is called. Source: ISO 20022 external code list, BankTransactionSubFamily."""
_NOTHING = Decimal(0)


def is_fee(entry: Place) -> bool:
    """Whether a line of the account is nothing but a fee of the bank."""
    return entry.words("BkTxCd/Domn/Fmly/SubFmlyCd") in FEES


def charges(place: Place, currency: str) -> Decimal:
    """What the bank kept, in the account's currency, beside a line or a payment in it; below 0: it gave some back.

    Source: ISO 20022 camt.054, ChargesInformation3 (version 02) and Charges4 (from version 04 on).
    """
    return sum((amount for amount, _ in _records(place, currency)), _NOTHING)


def are_taken_off(place: Place, currency: str) -> bool:
    """Whether all that it kept is said to be in the amount already."""
    records = list(_records(place, currency))
    return bool(records) and all(is_included for _, is_included in records)


def shared_out(
    amounts: Sequence[Decimal], kept: Sequence[Decimal], of_entry: Decimal, total: Decimal
) -> tuple[list[Decimal], Decimal] | None:
    """The amounts of payments after charges, and what of the line is a charge for all of them; None: it does not add up.

    Args: amounts, as they are told; kept, what the bank kept of each; of_entry, of the line; total, of the line.

    >>> told = [Decimal("100.00"), Decimal("50.00")]
    >>> shared_out(told, [Decimal("2.00"), Decimal(0)], Decimal(0), Decimal("148.00"))
    ([Decimal('98.00'), Decimal('50.00')], Decimal('0'))
    >>> shared_out(told, [Decimal(0), Decimal(0)], Decimal("3.00"), Decimal("147.00"))
    ([Decimal('100.00'), Decimal('50.00')], Decimal('3.00'))
    """
    after = [amount - charge for amount, charge in zip(amounts, kept, strict=True)]
    for reached, left in ((list(amounts), _NOTHING), (after, _NOTHING), (list(amounts), of_entry), (after, of_entry)):
        if sum(reached, _NOTHING) - left == total:
            return reached, left
    return None


def _records(place: Place, currency: str) -> Iterator[tuple[Decimal, bool]]:
    for told in place.all("Chrgs"):
        for each in list(told.all("Rcrd")) or [told]:
            amount = each.first("Amt") or each.first("TtlChrgsAndTaxAmt")
            if amount is None or each.words("ChrgInclInd") == "false":
                continue
            value, stated_in = amount.own_amount()
            if stated_in == currency:
                yield (-value if each.words("CdtDbtInd") == "CRDT" else value), each.words("ChrgInclInd") == "true"

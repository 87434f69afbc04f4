"""Is this line of an account one that another file told of under another reference?

A statement (camt.053) and a notification (camt.054) may tell of one line with references of their own: the one speaks of the
account, the other of the bankgiro before it. Amount and currency agree then, and the days nearly. A reference of the bank or
the payer's own id that both give makes them one. An OCR or an id of the payer that differs makes them two. Where neither is
so nobody knows: the money waits for a person, and is not booked as a payment a second time.

>>> line = Line(reference="s", amount=Decimal(500), currency="SEK", booked_on=date(2026, 12, 4), marks=frozenset({"e2e:LB-7731"}))
>>> told = Line(reference="n", amount=Decimal(500), currency="SEK", booked_on=date(2026, 12, 4), marks=frozenset({"e2e:LB-7731", "ocr:10"}))
>>> held_against([line], [told])
{'s': Sameness(same_as='n', perhaps_same_as=None)}
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from laddbok.model.payment import BankEntry

MOST_DAYS_APART = 5
"""A notification may come on the eve of a long weekend, and the statement after it."""
PROOF = frozenset({"bank", "uetr", "tx", "e2e"})
"""Kinds of marks that make two lines one when they share them. Source: ISO 20022, AcctSvcrRef, UETR, TxId, EndToEndId."""
DIFFERENCE = frozenset({"uetr", "e2e", "ocr"})
"""Kinds of marks that make two lines two when both have them and share none; banks give references of their own."""
MOST_COMPARED = 200
"""Lines of one amount that are compared with one; beyond them it is in doubt."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an account as it is compared. `is_doubted`: another line is perhaps the same as this one already."""

    reference: str
    amount: Decimal
    currency: str
    booked_on: date
    marks: frozenset[str]
    is_doubted: bool = False


class Sameness(msgspec.Struct, frozen=True):
    """The reference of the line that this one is, or may be."""

    same_as: str | None = None
    perhaps_same_as: str | None = None


def line_of(entry: BankEntry) -> Line:
    """A line as a file tells it, with all its marks: the bank's, and those of the payments in it."""
    marks = set(entry.marks)
    for payment in entry.payments:
        marks |= {f"ocr:{each.reference.lstrip('0')}" for each in payment.remitted}
        if payment.end_to_end_id:
            marks.add(f"e2e:{payment.end_to_end_id}")
    fields = {name: getattr(entry, name) for name in ("reference", "amount", "currency", "booked_on")}
    return Line(**fields, marks=frozenset(marks))


def held_against(lines: Sequence[Line], told: Sequence[Line]) -> dict[str, Sameness]:
    """Which of these lines were told of before, by reference; each told line is one of them at most.

    Args: told, what files of another kind or account told, and this one has not yet.
    Source: our choice, docs/rules.md "Bank files"; ISO 20022 camt.053, camt.054, TransactionReferences.
    """
    left: dict[tuple[Decimal, str], dict[str, Line]] = defaultdict(dict)
    for each in told:
        left[each.amount, each.currency][each.reference] = each
    found: dict[str, Sameness] = {}
    for line in lines:
        if (same := _proven(line, left[line.amount, line.currency])) is not None:
            found[line.reference] = Sameness(same_as=same)
            del left[line.amount, line.currency][same]
    for line in lines:
        if line.reference in found:
            continue
        perhaps = _in_doubt(line, left[line.amount, line.currency])
        found[line.reference] = Sameness(perhaps_same_as=perhaps)
        if perhaps is not None:
            del left[line.amount, line.currency][perhaps]
    return found


def _proven(line: Line, told: Mapping[str, Line]) -> str | None:
    proof = {mark for mark in line.marks if _kind(mark) in PROOF}
    near = (each for each in told.values() if proof & each.marks and _days_apart(line, each) <= MOST_DAYS_APART)
    return _nearest(line, near)


def _in_doubt(line: Line, told: Mapping[str, Line]) -> str | None:
    near = [each for each in told.values() if not each.is_doubted and _days_apart(line, each) <= MOST_DAYS_APART]
    compared = near[:MOST_COMPARED]
    perhaps = _nearest(line, (each for each in compared if not _differ(line, each)))
    return near[0].reference if perhaps is None and len(near) > len(compared) else perhaps


def _differ(line: Line, other: Line) -> bool:
    """Whether both say something of one kind, and not the same."""
    ours, theirs = _by_kind(line.marks), _by_kind(other.marks)
    return any(not ours[kind] & theirs[kind] for kind in DIFFERENCE & ours.keys() & theirs.keys())


def _by_kind(marks: Iterable[str]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for mark in marks:
        kinds[_kind(mark)].add(mark)
    return kinds


def _nearest(line: Line, told: Iterable[Line]) -> str | None:
    nearest = min(told, key=lambda each: (_days_apart(line, each), each.reference), default=None)
    return None if nearest is None else nearest.reference


def _days_apart(line: Line, other: Line) -> int:
    return abs((line.booked_on - other.booked_on).days)


def _kind(mark: str) -> str:
    return mark.partition(":")[0]

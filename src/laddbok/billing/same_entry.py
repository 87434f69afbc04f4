"""Is this line of an account one that another file told of under another reference?

A statement (camt.053) and a notification (camt.054) may tell of one line with references of their own: the one speaks of the
account, the other of the bankgiro before it. Currency and sign agree then, and the days nearly. A reference of the bank or
the payer's own id that both give makes them one, when the amount is the same. An OCR or an id of the payer that differs makes
them two. Where neither is so nobody knows: what shares a reference but not the amount (a charge is taken off), what agrees in
its amount only, and one line that several of a day come to. The money waits for a person, and is not booked a second time.

>>> line = Line(reference="s", amount=Decimal(500), currency="SEK", booked_on=date(2026, 12, 4), marks=frozenset({"e2e:LB-7731"}))
>>> told = Line(reference="n", amount=Decimal(500), currency="SEK", booked_on=date(2026, 12, 4), marks=frozenset({"e2e:LB-7731", "ocr:10"}))
>>> held_against([line], [told])
{'s': Sameness(same_as='n', perhaps_same_as=())}
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import combinations

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
MOST_IN_SUM = 10
"""Lines of a day of which some may come to one; of more it is all of them, or in doubt."""
MOST_REMEMBERED = 20_000
"""Lines of which it is remembered what they say, for each is compared with many."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an account as it is compared. `is_doubted`: another line is perhaps the same as this one already."""

    reference: str
    amount: Decimal
    currency: str
    booked_on: date
    marks: frozenset[str]
    account: str = ""
    is_doubted: bool = False


class Sameness(msgspec.Struct, frozen=True):
    """The reference of the line that this one is, or of those that it may be."""

    same_as: str | None = None
    perhaps_same_as: tuple[str, ...] = ()


Compared = Callable[[Line, Mapping[str, Line]], Sameness | None]
"""How a line is compared with those of its amount."""
Several = dict[frozenset[str], tuple[set[str], list[Line]]]
"""Lines of a day and account, by the kinds of what they say: all they say, and the lines."""


def line_of(entry: BankEntry) -> Line:
    """A line as a file tells it, with all its marks: the bank's, and those of the payments in it."""
    marks = set(entry.marks)
    for payment in entry.payments:
        marks |= {f"ocr:{each.reference.lstrip('0')}" for each in payment.remitted}
        if payment.end_to_end_id:
            marks.add(f"e2e:{payment.end_to_end_id}")
    fields = {name: getattr(entry, name) for name in ("reference", "account", "amount", "currency", "booked_on")}
    return Line(**fields, marks=frozenset(marks))


def held_against(lines: Sequence[Line], told: Sequence[Line]) -> dict[str, Sameness]:
    """Which of these lines were told of before, by reference; each told line is one of them at most.

    Args: told, what files of another kind or account told, and this one has not yet.
    Source: our choice, docs/rules.md "Bank files"; ISO 20022 camt.053, camt.054, TransactionReferences.
    """
    left = {each.reference: each for each in told}
    found = _one_by_one(lines, left, _proven)
    found |= _sharing([line for line in lines if line.reference not in found], left)
    found |= _one_by_one([line for line in lines if line.reference not in found], left, _in_doubt)
    others = [line for line in lines if line.reference not in found]
    found |= _sums(others, [each for each in left.values() if not each.is_doubted])
    return {line.reference: found.get(line.reference, Sameness()) for line in lines}


def _one_by_one(lines: Iterable[Line], left: dict[str, Line], compare: Compared) -> dict[str, Sameness]:
    """Lines that are one of the same amount, or may be; what one is found to be is left no longer."""
    alike: dict[tuple[Decimal, str], dict[str, Line]] = defaultdict(dict)
    for each in left.values():
        alike[each.amount, each.currency][each.reference] = each
    found: dict[str, Sameness] = {}
    for line in lines:
        like = alike[line.amount, line.currency]
        if (sameness := compare(line, like)) is not None:
            found[line.reference] = sameness
            for gone in filter(None, (sameness.same_as, *sameness.perhaps_same_as)):
                del like[gone], left[gone]
    return found


def _proven(line: Line, told: Mapping[str, Line]) -> Sameness | None:
    near = (each for each in told.values() if _proof(line) & each.marks and _days_apart(line, each) <= MOST_DAYS_APART)
    nearest = _nearest(line, near)
    return None if nearest is None else Sameness(same_as=nearest)


def _in_doubt(line: Line, told: Mapping[str, Line]) -> Sameness | None:
    near = [each for each in told.values() if not each.is_doubted and _days_apart(line, each) <= MOST_DAYS_APART]
    compared = near[:MOST_COMPARED]
    perhaps = _nearest(line, (each for each in compared if not _differ(line, each)))
    if perhaps is None and len(near) > len(compared):
        perhaps = near[0].reference
    return None if perhaps is None else Sameness(perhaps_same_as=(perhaps,))


def _sharing(lines: Sequence[Line], left: dict[str, Line]) -> dict[str, Sameness]:
    """Lines that share a reference with some of other amounts: after a charge, or a batch told as one and as several."""
    by_mark: dict[str, dict[str, Line]] = defaultdict(dict)
    for each in left.values():
        for mark in _proof(each):
            by_mark[mark][each.reference] = each
    found: dict[str, Sameness] = {}
    for line in lines:
        shared = {name: each for mark in _proof(line) for name, each in by_mark[mark].items() if _may_be(line, each)}
        if shared:
            found[line.reference] = Sameness(perhaps_same_as=tuple(sorted(shared))[:MOST_COMPARED])
    for sameness in found.values():
        for gone in sameness.perhaps_same_as:
            left.pop(gone, None)
    return found


def _sums(lines: Sequence[Line], told: Sequence[Line]) -> dict[str, Sameness]:
    """Lines that several told ones of a day and account come to, and several that come to a told one."""
    found: dict[str, Sameness] = {}
    days = _by_day(told)
    for line in lines:
        if chosen := next(filter(None, (_coming_to(line, several) for several in days)), ()):
            found[line.reference] = Sameness(perhaps_same_as=chosen)
    days = _by_day([line for line in lines if line.reference not in found])
    for each in told:
        for several in days:
            for name in _coming_to(each, several):
                found.setdefault(name, Sameness(perhaps_same_as=(each.reference,)))
    return found


def _by_day(lines: Iterable[Line]) -> list[Several]:
    """Lines of a day, account, currency and sign; those that say the same kinds of things beside each other, with all they say."""
    days: dict[tuple[str, date, str, bool], Several] = defaultdict(dict)
    for line in lines:
        alike = days[line.account, line.booked_on, line.currency, line.amount > 0]
        said, parts = alike.setdefault(frozenset(_by_kind(line.marks)), (set(), []))
        said |= line.marks
        parts.append(line)
    return list(days.values())


def _coming_to(line: Line, several: Several) -> tuple[str, ...]:
    """Those of several lines of a day that come to one; of too many any may be among them, and the first are named."""
    if not _may_be(line, next(iter(several.values()))[1][0]):
        return ()
    ours = _by_kind(line.marks)
    alike = (
        parts
        for kinds, (said, parts) in several.items()
        if not any(ours[kind].isdisjoint(said) for kind in kinds & ours.keys())
    )
    parts = [each for some in alike for each in some if abs(each.amount) < abs(line.amount) and not _differ(line, each)]
    whole = sum((each.amount for each in parts), Decimal(0))
    if len(parts) < 2 or abs(whole) < abs(line.amount):
        return ()
    if whole == line.amount or len(parts) > MOST_IN_SUM:
        return tuple(each.reference for each in parts[:MOST_COMPARED])
    chosen = (some for size in range(2, len(parts)) for some in combinations(parts, size))
    fitting = (some for some in chosen if sum(each.amount for each in some) == line.amount)
    return tuple(each.reference for each in next(fitting, ()))


def _may_be(line: Line, other: Line) -> bool:
    """Whether two lines are of one currency and sign, and of days that are near."""
    is_alike = line.currency == other.currency and (line.amount > 0) is (other.amount > 0)
    return is_alike and _days_apart(line, other) <= MOST_DAYS_APART


def _proof(line: Line) -> set[str]:
    return {mark for mark in line.marks if _kind(mark) in PROOF}


def _differ(line: Line, other: Line) -> bool:
    """Whether both say something of one kind, and not the same."""
    ours, theirs = _by_kind(line.marks), _by_kind(other.marks)
    return any(kind in theirs and said.isdisjoint(theirs[kind]) for kind, said in ours.items())


@lru_cache(maxsize=MOST_REMEMBERED)
def _by_kind(marks: frozenset[str]) -> Mapping[str, set[str]]:
    """What is said of each kind that makes a difference."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for mark in marks:
        if (kind := _kind(mark)) in DIFFERENCE:
            kinds[kind].add(mark)
    return dict(kinds)


def _nearest(line: Line, told: Iterable[Line]) -> str | None:
    nearest = min(told, key=lambda each: (_days_apart(line, each), each.reference), default=None)
    return None if nearest is None else nearest.reference


def _days_apart(line: Line, other: Line) -> int:
    return abs((line.booked_on - other.booked_on).days)


def _kind(mark: str) -> str:
    return mark.partition(":")[0]

"""Who pays which part of a session?

The lines of a rating are gathered by kind and rate of VAT. The shares of an agreement take from them in their order:
one that ends at an amount takes whole minor units, the others their exact part; what is left is the rest. Each gathered
amount is then shared out by largest remainder, before and after VAT, so that the parts always sum to the session's
price. What limits a whole session's price (least, highest, floor) is shared as the rest of it was.

A roaming partner that pays all of a session is an agreement with one share; the contract's tariff is the roaming tariff.

>>> from laddbok.model.agreement import parse_agreement
>>> from laddbok.rating.examples import HOUR, tariff_of
>>> from laddbok.rating.rate import rate
>>> rating = rate(HOUR, tariff_of(ENERGY="3.20", FLAT="5"))  # 39.50 for energy and 5.00 to start, 55.63 with VAT
>>> agreement = parse_agreement({"shares": [{"payer_id": "work", "kinds": ["energy"]}]})
>>> for part in who_pays(rating, agreement).parts:
...     print(part.payer_id, part.kind.value, part.excl_vat, part.vat, part.incl_vat)
None flat 5.00 1.25 6.25
work energy 39.50 9.88 49.38
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm

import msgspec

from laddbok.model.agreement import LIMITS, Agreement, Share
from laddbok.model.errors import Invalid
from laddbok.model.money import divide_half_up, from_minor, split, to_minor
from laddbok.model.rated import LineKind, Rating

REST = -1
"""In place of a share's number: what no share takes."""

Group = tuple[LineKind, Decimal | None]
"""Kind and rate of VAT of the lines that are gathered."""


class PayerPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one payer pays of one kind of line; `payer_id` None: the contract's own payer."""

    payer_id: str | None
    kind: LineKind
    vat_percent: Decimal | None
    excl_vat: Decimal
    incl_vat: Decimal

    @property
    def vat(self) -> Decimal:
        """The VAT in it."""
        return self.incl_vat - self.excl_vat


class PaidBy(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a session, and what each share of the agreement has taken this month with this session, with VAT."""

    currency: str
    parts: tuple[PayerPart, ...]
    taken_in_month: tuple[Decimal, ...]


class _Amounts(msgspec.Struct, gc=False):
    """Net and gross of a group, in minor units."""

    net: int = 0
    gross: int = 0


def who_pays(rating: Rating, agreement: Agreement, taken_in_month: Sequence[Decimal] = ()) -> PaidBy:
    """The parts of a session's price that each payer pays.

    Args: taken_in_month, what each share took of the month's earlier sessions, with VAT; none: nothing.
    Returns: parts that sum to the rating's totals, before and after VAT.
    Raises: Invalid while the price, or its VAT, is not known.
    Source: our choice, docs/rules.md "Who pays"; case B43.
    """
    if rating.excl_vat is None or rating.incl_vat is None:
        raise Invalid("rating", "it can't be shared out while its price or its VAT is not known")
    earlier = [to_minor(amount, rating.currency) for amount in taken_in_month] or [0] * len(agreement.shares)
    if len(earlier) != len(agreement.shares):
        raise Invalid("taken_in_month", f"has {len(earlier)} amounts for {len(agreement.shares)} shares")
    groups = _gathered(rating)
    room = [_room(share, taken, rating.currency) for share, taken in zip(agreement.shares, earlier, strict=True)]
    shared = {
        group: _shared(group[0], amounts, agreement.shares, room)
        for group, amounts in groups.items()
        if group[0] not in LIMITS
    }
    weights = _totals(shared.values())
    shared |= {group: _like(weights, amounts, room) for group, amounts in groups.items() if group[0] in LIMITS}
    taken = [earlier[i] + sum(parts[i].gross for parts in shared.values() if i in parts) for i in range(len(earlier))]
    return PaidBy(
        currency=rating.currency,
        parts=tuple(_parts({group: shared[group] for group in groups}, agreement, rating.currency)),
        taken_in_month=tuple(from_minor(amount, rating.currency) for amount in taken),
    )


def _gathered(rating: Rating) -> dict[Group, _Amounts]:
    groups: dict[Group, _Amounts] = {}
    for line in rating.lines:
        assert line.excl_vat is not None and line.incl_vat is not None, line.kind
        amounts = groups.setdefault((line.kind, line.vat_percent), _Amounts())
        amounts.net += to_minor(line.excl_vat, rating.currency)
        amounts.gross += to_minor(line.incl_vat, rating.currency)
    return groups


def _room(share: Share, taken: int, currency: str) -> int | None:
    """How much a share may still take of this session [minor units, with VAT]; None: there is no limit."""
    limits = []
    if share.up_to_per_session is not None:
        limits.append(to_minor(share.up_to_per_session, currency))
    if share.up_to_per_month is not None:
        limits.append(max(to_minor(share.up_to_per_month, currency) - taken, 0))
    return min(limits, default=None)


def _shared(kind: LineKind, amounts: _Amounts, shares: Sequence[Share], room: list[int | None]) -> dict[int, _Amounts]:
    """What each share takes of a group, by its number; the room of those that are limited shrinks."""
    wants: dict[int, Fraction] = {}
    left = Fraction(1)
    for i, share in enumerate(shares):
        if share.kinds and kind not in share.kinds:
            continue
        wanted = min(Fraction(share.part) / share.of, left)
        if (most := room[i]) is not None:
            whole = min(divide_half_up(amounts.gross * wanted.numerator, wanted.denominator), most)
            room[i] = most - max(whole, 0)
            wanted = min(Fraction(whole, amounts.gross), left) if amounts.gross else Fraction(0)
        wants[i] = wanted
        left -= wanted
    wants[REST] = left
    return _split_both(amounts, wants)


def _split_both(amounts: _Amounts, wants: Mapping[int, Fraction]) -> dict[int, _Amounts]:
    nets, grosses = (_split_by(total, [*wants.values()]) for total in (amounts.net, amounts.gross))
    return {i: _Amounts(net, gross) for i, net, gross in zip(wants, nets, grosses, strict=True)}


def _split_by(total: int, wants: Sequence[Fraction]) -> list[int]:
    """Whole parts of a total next to these fractions of it, which sum to 1."""
    denominator = lcm(*(want.denominator for want in wants))
    return split(total, [int(total * want * denominator) for want in wants], denominator)


def _totals(shared: Iterable[Mapping[int, _Amounts]]) -> dict[int, int]:
    totals: dict[int, int] = {}
    for parts in shared:
        for i, amounts in parts.items():
            totals[i] = totals.get(i, 0) + amounts.gross
    return totals


def _like(weights: Mapping[int, int], amounts: _Amounts, room: list[int | None]) -> dict[int, _Amounts]:
    """A limit on the whole price, shared as the rest of the price was; by the rest alone where that says nothing.

    A share that ends at an amount ends there also when the limit lifts the price.
    """
    whole = sum(weights.values())
    if whole <= 0 or min(weights.values()) < 0:
        return {REST: amounts}
    wants = {i: Fraction(weight, whole) for i, weight in weights.items() if i != REST}
    for i, wanted in wants.items():
        if (most := room[i]) is not None and amounts.gross > 0:
            taken = min(amounts.gross * wanted.numerator // wanted.denominator, most)
            room[i] = most - taken
            wants[i] = Fraction(taken, amounts.gross)
    return _split_both(amounts, wants | {REST: 1 - sum(wants.values(), Fraction(0))})


def _parts(shared: Mapping[Group, Mapping[int, _Amounts]], agreement: Agreement, currency: str) -> Iterable[PayerPart]:
    """The parts that come to anything: the rest first, then share by share."""
    for i in range(REST, len(agreement.shares)):
        for (kind, vat_percent), parts in shared.items():
            amounts = parts.get(i, _Amounts())
            if amounts.net or amounts.gross:
                yield PayerPart(
                    payer_id=agreement.rest if i == REST else agreement.shares[i].payer_id,
                    kind=kind,
                    vat_percent=vat_percent,
                    excl_vat=from_minor(amounts.net, currency),
                    incl_vat=from_minor(amounts.gross, currency),
                )

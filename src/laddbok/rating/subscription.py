"""How much of a subscription's included energy did each session use?

The tiers of a subscription count the kWh of all sessions of a contract in a calendar month, in the order in which they
were metered. Sessions that charge at the same time use a tier up together, each in proportion to what it takes. So for
each session there is a position in its own Wh at which a tier ends for it; below it the tier's price counts.

A session's CDR is issued at the tariff's own price and never changes. What the tiers make of it is a line of the month's
invoice, `flow.contract_charges.included`: the session rated with its tier ends, less the session as it was rated.

>>> from laddbok.rating.examples import HOUR
>>> hundred = (Tier(to_kwh=Decimal(20), per_kwh=Decimal(0)),)
>>> tier_ends([HOUR, HOUR], hundred)  # 12,345 Wh each, at the same time: the 20,000 Wh end in the middle of both
((10000,), (10000,))
>>> tier_ends([HOUR], hundred, used_wh=15_000), tier_ends([HOUR], hundred)
(((5000,),), ((12345,),))
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from laddbok.model.cdr import Cdr, ChargingPeriod
from laddbok.model.money import split
from laddbok.model.rated import Rating
from laddbok.model.superset import Tier
from laddbok.rating.local_time import whole_seconds

Stretch = tuple[int, int]
"""From one second to another, without the latter; one that begins where it ends is a moment."""


def tier_ends(cdrs: Sequence[Cdr], tiers: Sequence[Tier], used_wh: int = 0) -> tuple[tuple[int, ...], ...]:
    """Where each tier ends in each session, in its own Wh; its whole energy where the tier does not end in it.

    Args: cdrs, those of one contract that belong to one month, in any order; tiers, lowest first; used_wh, what sessions
        of that month used that are not among these (their month is final already).
    Returns: for each session, in the order given, one position per tier. For each tier that ends they sum, with
        `used_wh`, to its end to the Wh.
    Source: our choice, docs/rules.md "Included energy"; cases B41 and B11.
    """
    ends_wh = [_whole_wh(tier) - used_wh for tier in tiers]
    positions, total = [0] * len(cdrs), 0
    found: list[list[int]] = [[] for _ in cdrs]
    for taken in _stretches(cdrs):
        while len(found[0]) < len(tiers) and ends_wh[len(found[0])] <= total + sum(taken.values()):
            total += _take(positions, taken, max(ends_wh[len(found[0])] - total, 0))
            _note(found, positions)
        total += _take(positions, taken, sum(taken.values()))
    while found and len(found[0]) < len(tiers):
        _note(found, positions if ends_wh[len(found[0])] > 0 else [0] * len(cdrs))
    return tuple(tuple(each) for each in found)


def difference(new: Rating, issued: Rating) -> tuple[Decimal | None, Decimal | None]:
    """By how much one rating is more than another, before and after VAT; None where either is not known."""
    sides = ((new.excl_vat, issued.excl_vat), (new.incl_vat, issued.incl_vat))
    excl_vat, incl_vat = (None if one is None or other is None else one - other for one, other in sides)
    return excl_vat, incl_vat


def _whole_wh(tier: Tier) -> int:
    """A tier's end in whole Wh; a part of a Wh, which no meter shows, is not included."""
    return int(tier.to_kwh * 1_000)


def _note(found: list[list[int]], positions: Sequence[int]) -> None:
    for ends, position in zip(found, positions, strict=True):
        ends.append(position)


def _take(positions: list[int], taken: dict[int, int], wh: int) -> int:
    """Move on by so many Wh, shared out in proportion to what each session takes; what it has left is less by them."""
    whole = sum(taken.values())
    if not whole:
        return 0
    parts = split(wh, [wh * energy for energy in taken.values()], whole)
    for i, part in zip([*taken], parts, strict=True):
        positions[i] += part
        taken[i] -= part
    return wh


def _stretches(cdrs: Sequence[Cdr]) -> Iterator[dict[int, int]]:
    """Stretch by stretch in time: how many Wh which sessions took. Within one, nobody starts, ends or changes.

    Sessions stand in the order of their start and id, so that the order in which they are given changes nothing.
    """
    edges = sorted({whole_seconds(at) for cdr in cdrs for p in cdr.periods for at in (p.start_at, p.end_at)})
    taken: defaultdict[Stretch, dict[int, int]] = defaultdict(dict)
    for i in sorted(range(len(cdrs)), key=lambda i: (cdrs[i].started_at, cdrs[i].session_id)):
        for period in cdrs[i].periods:
            for stretch, wh in _cut(period, edges):
                taken[stretch][i] = taken[stretch].get(i, 0) + wh
    for stretch in sorted(taken):
        yield taken[stretch]


def _cut(period: ChargingPeriod, edges: Sequence[int]) -> Iterator[tuple[Stretch, int]]:
    """A charging period in pieces between edges; inside it energy is linear in time, in whole Wh, as when it is rated."""
    start_s, end_s = whole_seconds(period.start_at), whole_seconds(period.end_at)
    if not period.energy_wh:
        return
    at_s, at_wh = start_s, 0
    for edge_s in [*edges[bisect_right(edges, start_s) : bisect_left(edges, end_s)], end_s]:
        wh = period.energy_wh * (edge_s - start_s) // max(end_s - start_s, 1) if edge_s < end_s else period.energy_wh
        yield (at_s, edge_s), wh - at_wh
        at_s, at_wh = edge_s, wh

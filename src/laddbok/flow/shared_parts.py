"""Which part of a session does each payer pay?

A position of a contract with an agreement is shared out once, before it is billed, by the agreement at the session's start.
What each payer pays of it becomes a position of its own, with its amounts by kind and rate of VAT, and is billed like any other:
on an invoice of its own payer, and taken back from there when the session is corrected. The parts come to the session
exactly, at each rate of VAT.

>>> from laddbok.billing.examples import POSITION
>>> from laddbok.model.agreement import parse_agreement
>>> agreed = AgreedFrom(POSITION.cdr.started_at, parse_agreement({"shares": [{"payer_id": "work", "part": 60}]}))
>>> for payer_id, part in share_out(POSITION.cdr, POSITION.rating, agreed, ZoneInfo("Europe/Stockholm")):
...     print(payer_id, part.name.en, part.rating.excl_vat, part.rating.incl_vat)
None part of energy 21.30 26.62
work part of energy 31.94 39.93
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from laddbok.billing.draft import with_rates
from laddbok.model.agreement import LIMITS, Agreement
from laddbok.model.billing import PaidPart
from laddbok.model.cdr import Cdr
from laddbok.model.invoice import Text
from laddbok.model.rated import LineKind, RatedLine, Rating
from laddbok.rating.explain import name
from laddbok.rating.month_fee import month_of
from laddbok.rating.who_pays import PayerPart, who_pays

Group = tuple[LineKind, Decimal | None]
PRICE_LIMIT = Text(sv="prisgräns", en="price limit")


class AgreedFrom(msgspec.Struct, frozen=True):
    """An agreement of a contract from an instant on."""

    since: datetime
    agreement: Agreement


def share_out(
    cdr: Cdr, rating: Rating, agreed: AgreedFrom, zone: ZoneInfo, taken_in_month: Mapping[int, Decimal] | None = None
) -> list[tuple[str | None, PaidPart]]:
    """The part of each payer; None: the contract's own payer. They sum to the rating, at each rate of VAT.

    Args: zone, of the seller, which governs months; taken_in_month, what each share took of the month's sessions that
        were shared out before and stand, with VAT.
    Raises: Invalid while the price, or its VAT, is not known.
    Source: docs/rules.md "Who pays"; case B43.
    """
    agreement, taken = agreed.agreement, taken_in_month or {}
    earlier = [taken.get(number, Decimal(0)) for number in range(len(agreement.shares))]
    whole = replace(rating, lines=with_rates(rating), findings=())
    paid = who_pays(whole, agreement, earlier)
    by_payer: dict[str | None, list[PayerPart]] = {}
    for part in paid.parts:
        by_payer.setdefault(part.payer_id, []).append(part)
    lines = _by_group(whole.lines)
    month, carrier = str(month_of(cdr, zone)), _carrier(by_payer)
    takes = {number: now - earlier[number] for number, now in enumerate(paid.taken_in_month)}
    return [
        (
            payer_id,
            PaidPart(
                name=_name(parts, lines),
                rating=_rating(whole, parts, lines),
                is_all=len(by_payer) == 1,
                names_driver=all(each.names_driver for each in agreement.shares if each.payer_id == payer_id),
                has_included=payer_id == carrier,
                since=agreed.since,
                month=month,
                taken=_limited(agreement, payer_id, takes),
            ),
        )
        for payer_id, parts in by_payer.items()
    ]


def shown_lines(rating: Rating, part: PaidPart) -> tuple[RatedLine, ...]:
    """The lines of a CDR of which a payer pays a part: what others pay alone is theirs."""
    if part.is_all:
        return rating.lines
    kinds = {line.kind for line in part.rating.lines}
    return tuple(line for line in rating.lines if line.kind in kinds)


def _by_group(lines: Iterable[RatedLine]) -> dict[Group, list[RatedLine]]:
    found: dict[Group, list[RatedLine]] = {}
    for line in lines:
        found.setdefault((line.kind, line.vat_percent), []).append(line)
    return found


def _rating(whole: Rating, parts: Sequence[PayerPart], lines: Mapping[Group, Sequence[RatedLine]]) -> Rating:
    mine = [line for part in parts for line in _lines(part, lines[part.kind, part.vat_percent])]
    return replace(
        whole,
        excl_vat=sum((part.excl_vat for part in parts), Decimal(0)),
        incl_vat=sum((part.incl_vat for part in parts), Decimal(0)),
        lines=tuple(mine),
    )


def _lines(part: PayerPart, lines: Sequence[RatedLine]) -> Sequence[RatedLine]:
    """The lines of a group that one payer pays alone; else one line with its amount of them."""
    if _is_whole(part, lines):
        return lines
    first = lines[0]
    return [
        RatedLine(
            kind=part.kind, quantity=1, measured=1, price=part.excl_vat, excl_vat=part.excl_vat, incl_vat=part.incl_vat,
            vat_percent=part.vat_percent, start_at=first.start_at, end_at=lines[-1].end_at,
        )
    ]  # fmt: skip


def _is_whole(part: PayerPart, lines: Sequence[RatedLine]) -> bool:
    net, gross = (
        sum((getattr(line, side) or Decimal(0) for line in lines), Decimal(0)) for side in ("excl_vat", "incl_vat")
    )
    return (net, gross) == (part.excl_vat, part.incl_vat)


def _carrier(by_payer: Mapping[str | None, Sequence[PayerPart]]) -> str | None:
    """On whose invoice stands what included energy changes: the contract's own payer's if it pays any of the energy, else the one's
    who pays most of it."""
    energy = {
        payer_id: sum((abs(part.excl_vat) for part in parts if part.kind is LineKind.ENERGY), Decimal(0))
        for payer_id, parts in by_payer.items()
    }
    if energy.get(None) or not energy:
        return None
    return max(energy, key=lambda payer_id: energy[payer_id])


def _name(parts: Sequence[PayerPart], lines: Mapping[Group, Sequence[RatedLine]]) -> Text:
    """What a part is for: energy, part of the idle fee. A limit on the whole price is named where there is nothing else."""
    told: dict[LineKind, tuple[RatedLine, bool]] = {}
    for part in (each for each in parts if each.kind not in LIMITS):
        group = lines[part.kind, part.vat_percent]
        told[part.kind] = (group[0], _is_whole(part, group) and told.get(part.kind, (None, True))[1])
    if not told:
        return PRICE_LIMIT
    return Text(sv=_joined(told.values(), "del av", "sv"), en=_joined(told.values(), "part of", "en"))


def _joined(told: Iterable[tuple[RatedLine, bool]], part_of: str, language: str) -> str:
    """What is paid whole first: idle fee, part of energy, start fee."""
    every = list(told)
    whole = [name(line, language) for line, is_whole in every if is_whole]
    partly = [name(line, language) for line, is_whole in every if not is_whole]
    return ", ".join([*whole, *([f"{part_of} {', '.join(partly)}"] if partly else [])])


def _limited(agreement: Agreement, payer_id: str | None, takes: Mapping[int, Decimal]) -> dict[int, Decimal]:
    return {
        number: takes[number]
        for number, share in enumerate(agreement.shares)
        if share.up_to_per_month is not None and share.payer_id == payer_id and takes[number]
    }

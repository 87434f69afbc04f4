"""Which parts of what a run bills should others pay?

A session has one position and one invoice. Where one share of an agreement takes all, its payer is billed. Where several pay,
the contract's own payer is billed for all of it, and what the others should pay is listed, to the öre, for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.model.agreement import Agreement
from laddbok.model.billing import Position
from laddbok.rating.month_fee import month_of
from laddbok.rating.who_pays import who_pays

MAX_LISTED = 10_000


class AgreedFrom(msgspec.Struct, frozen=True):
    """An agreement of a contract from an instant on; None: its payer pays all."""

    since: datetime
    agreement: Agreement | None


class OthersPart(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody else should pay of a session that its contract's payer is billed for."""

    session_id: str
    payer_id: str
    excl_vat: Decimal
    incl_vat: Decimal


def parts_of_others(
    billed_to: str, positions: Iterable[Position], agreed: Mapping[str, Sequence[AgreedFrom]], zone: ZoneInfo
) -> list[OthersPart]:
    """What others should pay of positions that this payer is billed for; of a credit it is negative.

    Args: agreed, by contract, the oldest first; zone, of the seller, which governs months.
    Source: docs/rules.md "Who pays".
    """
    taken: dict[tuple[str, datetime, str], tuple[Decimal, ...]] = {}
    found = []
    for position in sorted(positions, key=lambda each: (each.cdr.started_at, each.session_id, each.revision)):
        held = agreement_at(agreed.get(position.contract_id or "", ()), position.cdr.started_at)
        if held is None or held.agreement is None:
            continue
        key = (position.contract_id or "", held.since, str(month_of(position.cdr, zone)))
        paid = who_pays(position.rating, held.agreement, taken.get(key, ()))
        is_credit = position.kind == "credit"
        if not is_credit:
            taken[key] = paid.taken_in_month
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for part in paid.parts:
            if part.payer_id is not None and part.payer_id != billed_to:
                excl_vat, incl_vat = sums.get(part.payer_id, (Decimal(0), Decimal(0)))
                sums[part.payer_id] = (excl_vat + part.excl_vat, incl_vat + part.incl_vat)
        sign = -1 if is_credit else 1
        found += [
            OthersPart(session_id=position.session_id, payer_id=payer_id, excl_vat=sign * net, incl_vat=sign * gross)
            for payer_id, (net, gross) in sums.items()
        ]
    return found


def agreement_at(agreed: Sequence[AgreedFrom], at: datetime) -> AgreedFrom | None:
    """The newest agreement that has begun."""
    return next((each for each in reversed(agreed) if each.since <= at), None)

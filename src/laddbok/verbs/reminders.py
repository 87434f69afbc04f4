"""How does `laddbok reminders` run?"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from laddbok.billing.late_terms import parse_late_terms
from laddbok.settings import Settings
from laddbok.store.reminders import Reminded, remind_all, sellers
from laddbok.verbs.books import opened


async def remind(
    settings: Settings, seller_id: str | None, at: date | None, *, dry: bool, as_json: bool
) -> dict[str, Any]:
    """Remind the customers of a seller, or of all, of what is late; those who were reminded are not reminded twice.

    Args: at, as if it were this day; dry, only show who would be reminded.
    Raises: NotFound; Invalid when a seller's terms can't be read: then nobody is reminded.
    """
    now = settings.clock.now()
    async with opened(settings) as (connection, tenant):
        found = await sellers(connection, tenant, seller_id)
        never = {terms.seller.id for terms in found if not parse_late_terms(terms.late_terms).reminder_days}
        told = [
            await remind_all(
                connection, tenant, terms, at or now.astimezone(ZoneInfo(terms.time_zone)).date(), now, "cli", dry=dry
            )
            for terms in found
        ]
    if not as_json:
        _print(told, dry, never)
    return {"dry_run": dry, "count": sum(each.count for each in told), "sellers": [_shown(each) for each in told]}


def _shown(told: Reminded) -> dict[str, Any]:
    """What is told of each reminder; its parties stand on the document."""
    reminders = [
        {
            "invoice_id": each.invoice_id, "number": each.number, "payer_id": each.buyer.id, "pay_by": each.pay_by,
            "currency": each.currency, "principal": each.principal, "earlier": each.earlier, "fee": each.claim.fee,
            "compensation": each.claim.compensation, "interest": each.claim.interest, "total": each.total,
        }
        for each in told.reminders
    ]  # fmt: skip
    left_out = msgspec.to_builtins(told.left_out)
    return {
        "seller": told.seller_id, "day": told.day, "count": told.count, "reminders": reminders, "left_out": left_out,
    }  # fmt: skip


def _print(found: Sequence[Reminded], dry: bool, never: set[str]) -> None:
    for told in found:
        print(f"{told.seller_id}, {told.day}: {told.count} {'would be reminded' if dry else 'reminded'}")
        if told.seller_id in never:
            print("  nobody ever is: the seller has no late_terms.reminder_days (docs/rules.md, Reminders)")
        for each in told.reminders:
            claim = each.claim
            print(
                f"  {each.invoice_id} reminder {each.number} to {each.buyer.id}: {each.principal} left, fee {claim.fee}, "
                f"compensation {claim.compensation}, interest {claim.interest}; {each.total} {each.currency} by {each.pay_by}"
            )
        for left in told.left_out:
            print(f"  {left.invoice_id} left out: {left.reason}")

"""Is the hold on the driver's card enough for what the session comes to?

A hold is asked for before the session. While it runs its cost is held against it: looked ahead by as many seconds as it
takes to raise the hold or to stop, the cost must stay within it. At the end the cost is captured, never more than the
hold; what nothing is captured of is cancelled.

>>> action(Decimal("499.00"), Decimal("0.01"), Decimal("500"), looks_ahead_s=60)
<HoldAction.GO_ON: 'go_on'>
>>> action(Decimal("499.50"), Decimal("0.01"), Decimal("500"), looks_ahead_s=60)
<HoldAction.STOP: 'stop'>
>>> capture(Decimal("512.40"), Decimal("500"))
Capture(captured=Decimal('500'), released=Decimal('0'), not_covered=Decimal('12.40'))
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.model.errors import Invalid


class HoldAction(StrEnum):
    """What to do about a running session."""

    GO_ON = "go_on"
    RAISE = "raise"
    STOP = "stop"


class Capture(msgspec.Struct, frozen=True):
    """What is taken of a hold, what of it is given back, and what of the cost it does not cover."""

    captured: Decimal
    released: Decimal
    not_covered: Decimal

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing is taken: then the hold is cancelled, not captured."""
        return not self.captured


def action(
    cost_now: Decimal, cost_per_s: Decimal, hold: Decimal, looks_ahead_s: int, highest_hold: Decimal | None = None
) -> HoldAction:
    """Whether a session may go on under its hold, judged before its cost passes the hold and not after.

    Args: cost_now, with VAT; cost_per_s, the most that a second can add; hold, what the card's issuer has set aside;
        looks_ahead_s, how long raising or stopping takes at most [s]; highest_hold, up to which it may be raised (None:
        it can't be).
    Returns: RAISE only where the highest hold is more than the present one and covers the cost that is looked ahead to.
    Raises: Invalid for an amount or a time below 0.
    Source: our choice, docs/rules.md "Card hold"; case B46.
    """
    given = {"cost_per_s": cost_per_s, "hold": hold, "looks_ahead_s": Decimal(looks_ahead_s)}
    for field, number in given.items():
        if number < 0:
            raise Invalid(field, f"{number} is negative")
    ahead = cost_now + cost_per_s * looks_ahead_s
    if ahead <= hold:
        return HoldAction.GO_ON
    if highest_hold is not None and hold < highest_hold and ahead <= highest_hold:
        return HoldAction.RAISE
    return HoldAction.STOP


def capture(cost: Decimal, hold: Decimal) -> Capture:
    """What is captured at the end: the cost, at most the hold, and nothing of a session that came to less than nothing.

    Source: our choice, docs/rules.md "Card hold"; cases B19 and B46.
    """
    captured = max(Decimal(0), min(cost, hold))
    return Capture(captured, hold - captured, max(Decimal(0), cost - captured))

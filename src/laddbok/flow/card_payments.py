"""What follows from what a provider says?

Callbacks come twice, late, out of order or never, so nothing follows from a callback: the provider is asked how a request or
a hold stands, and these functions say what to do about the answer. They look only at what is stored and what was told, so
that the same answer twice does nothing twice.

>>> request = Request(state="cancelled", amount=Decimal("50.00"), currency="SEK", age=timedelta(minutes=9))
>>> step = after(request, ProviderState(status=ProviderStatus.PAID, amount=Decimal("50.00")))
>>> step.state, step.paid, step.is_too_late
(None, Decimal('50.00'), True)
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.flow.payment_provider import ProviderState, ProviderStatus
from laddbok.rating.card_hold import HoldAction, action, capture

FIRST_ASK = timedelta(seconds=2)
LAST_ASK = timedelta(minutes=10)
LAST_LOOK = timedelta(hours=6)
"""Between two looks at a request that has ended."""
EXPIRES = timedelta(minutes=30)
"""A request that nobody answered for so long is withdrawn."""
FORGOTTEN = timedelta(days=2)
"""So long after its begin a request that ended unpaid is still asked about: it may be paid after it was cancelled."""
LOOKS_AHEAD_S = 120
"""How long raising a hold, or stopping a session, takes at most [s]."""
HOLD_ASK = timedelta(seconds=30)
ENDED = frozenset({"paid", "declined", "cancelled", "expired"})
_NOTHING = Decimal(0)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A stored request for a payment. `age`: since it was made."""

    state: str
    amount: Decimal
    currency: str
    age: timedelta


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a request: its next state (None: it stays), the amount that was paid, and when to ask again."""

    state: str | None = None
    paid: Decimal | None = None
    is_too_late: bool = False
    """It was paid though it had ended: nobody owes it, and it is to be paid back."""
    cancel: bool = False
    send_again: bool = False
    again_in: timedelta | None = None


def after(request: Request, told: ProviderState) -> Step:
    """What follows from how a request stands with the provider.

    Source: our choice, docs/rules.md "Payment requests"; case B56.
    """
    has_ended = request.state in ENDED
    if told.status is ProviderStatus.PAID:
        if request.state == "paid":
            return Step()
        return Step(state=None if has_ended else "paid", paid=told.amount, is_too_late=has_ended)
    if has_ended:
        is_watched = request.state != "paid" and request.age < FORGOTTEN
        return Step(again_in=back_off(request.age, LAST_LOOK) if is_watched else None)
    again = back_off(request.age)
    if told.status in (ProviderStatus.DECLINED, ProviderStatus.CANCELLED):
        return Step(state=told.status.value, again_in=again)
    if request.age >= EXPIRES:
        return Step(state="expired", cancel=told.status is not ProviderStatus.UNKNOWN, again_in=again)
    is_unknown = told.status is ProviderStatus.UNKNOWN
    return Step(state=None if is_unknown else "asked", send_again=is_unknown, again_in=again)


def back_off(age: timedelta, most: timedelta = LAST_ASK) -> timedelta:
    """How long to wait before asking again: half as long as it has been under way, so that each wait is longer.

    >>> [back_off(timedelta(seconds=age)).total_seconds() for age in (0, 60, 86_400)]
    [2.0, 30.0, 600.0]
    """
    return max(FIRST_ASK, min(age / 2, most))


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A stored hold. `amount`: what is wanted; `held`: what the provider said; `highest`: up to which it may be raised."""

    state: str
    amount: Decimal
    held: Decimal
    highest: Decimal | None = None
    is_stopping: bool = False
    age: timedelta = timedelta(0)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a session comes to with VAT: now, or (`is_final`) in the end; `per_s` is the most that a second can add."""

    amount: Decimal
    per_s: Decimal = _NOTHING
    is_final: bool = False


class HoldDo(StrEnum):
    """What to do about a hold."""

    WAIT = "wait"
    SEND = "send"
    RAISE = "raise"
    STOP = "stop"
    CAPTURE = "capture"
    RELEASE = "release"
    END = "end"


class HoldStep(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, with which amount, and which state is to be stored (None: it stays)."""

    do: HoldDo
    amount: Decimal = _NOTHING
    state: str | None = None
    not_covered: Decimal = _NOTHING


def hold_step(hold: Hold, told: ProviderState, cost: Cost | None) -> HoldStep:
    """What follows for a hold from how it stands with the provider and what its session comes to.

    Args: cost, None: the session is not known yet.
    Source: our choice, docs/rules.md "Card hold"; cases B19, B46.
    """
    if told.status is ProviderStatus.PAID:
        beyond = _NOTHING if cost is None or not cost.is_final else max(_NOTHING, cost.amount - told.amount)
        return HoldStep(do=HoldDo.END, amount=told.amount, state="captured", not_covered=beyond)
    if told.status in (ProviderStatus.CANCELLED, ProviderStatus.DECLINED):
        was_held = hold.held > 0
        return HoldStep(do=HoldDo.END, state="released" if was_held else "failed")
    if told.status is ProviderStatus.UNKNOWN:
        return (
            HoldStep(do=HoldDo.SEND, state="asked") if hold.age < EXPIRES else HoldStep(do=HoldDo.END, state="failed")
        )
    if told.status is not ProviderStatus.HELD:
        return HoldStep(do=HoldDo.WAIT if hold.age < EXPIRES else HoldDo.RELEASE)
    if cost is None:
        return HoldStep(do=HoldDo.WAIT, state="held")
    return _end_of(told.amount, cost.amount) if cost.is_final else _meanwhile(hold, told.amount, cost)


def _end_of(held: Decimal, cost: Decimal) -> HoldStep:
    """At most the hold is captured; nothing is captured by releasing it."""
    taken = capture(cost, held)
    if taken.is_cancelled:
        return HoldStep(do=HoldDo.RELEASE, state="held", not_covered=taken.not_covered)
    return HoldStep(do=HoldDo.CAPTURE, amount=taken.captured, state="held", not_covered=taken.not_covered)


def _meanwhile(hold: Hold, held: Decimal, cost: Cost) -> HoldStep:
    what = action(cost.amount, cost.per_s, held, LOOKS_AHEAD_S, hold.highest)
    if what is HoldAction.RAISE and hold.highest is not None:
        return HoldStep(do=HoldDo.RAISE, amount=hold.highest, state="held")
    if what is HoldAction.STOP and not hold.is_stopping:
        return HoldStep(do=HoldDo.STOP, state="held")
    return HoldStep(do=HoldDo.WAIT, state="held")

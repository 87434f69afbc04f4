"""Which price plan would have been the cheapest?

Plans are compared over the sessions that all of them can price; one that a plan can't price is left out of every plan, and
named. Month fees and included energy are in the totals. They are compared with VAT where it is known for all plans, else
without.

>>> from laddbok.rating.month_fee import Month
>>> from laddbok.rating.plan_cost import SessionCost
>>> def plan(name, *costs):
...     one = [SessionCost(session_id=f"S{i}", month=Month(2026, 5), energy_wh=1000, rated=Amount(Decimal(c), Decimal(c)),
...                        why=None if c else "no market price") for i, c in enumerate(costs)]
...     return PlanCost(plan=name, currency="SEK", sessions=tuple(one), fees=())
>>> found = compare([plan("fixed", 30, 20), plan("spot", 10, 0)])
>>> found.cheapest, [each.total.incl_vat for each in found.plans], [(each.session_id, each.plan) for each in found.left_out]
(('spot',), [Decimal('30'), Decimal('10')], [('S1', 'spot')])
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from laddbok.model.errors import Invalid
from laddbok.rating.month_fee import Month
from laddbok.rating.plan_cost import NOTHING, Amount, PlanCost, SessionCost

EXCL_VAT, INCL_VAT = "excl_vat", "incl_vat"


class PlanTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan comes to: its sessions, what the tiers take off them, its month fees, and all of it by month."""

    plan: str
    sessions: Amount
    included: Amount
    fees: Amount
    total: Amount
    months: dict[str, Amount]


class LeftOut(msgspec.Struct, frozen=True):
    """A session that a plan can't price."""

    session_id: str
    plan: str
    why: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Plans over the same sessions; `side` says which amounts were compared, `cheapest` names the plan, or those alike."""

    currency: str
    side: str
    session_count: int
    energy_wh: int
    plans: tuple[PlanTotal, ...]
    cheapest: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def compare(costs: Sequence[PlanCost]) -> Comparison:
    """One contract's sessions under several plans.

    Args: costs, one per plan, over the same sessions in the same order.
    Raises: Invalid without plans, for plans in different currencies or of one name, or when neither amounts before nor after
        VAT are known for all of them.
    Source: our choice, docs/rules.md "Comparing plans"; B37 for what has no price.
    """
    _check(costs)
    left_out = tuple(LeftOut(s.session_id, cost.plan, s.why) for cost in costs for s in cost.sessions if s.why)
    places = [
        i
        for i, sessions in enumerate(zip(*(c.sessions for c in costs), strict=True))
        if not any(s.why for s in sessions)
    ]
    plans = tuple(_total(cost, [cost.sessions[i] for i in places]) for cost in costs)
    return _compared(
        costs[0].currency, plans, len(places), sum(costs[0].sessions[i].energy_wh for i in places), left_out
    )


def together(comparisons: Sequence[Comparison]) -> Comparison:
    """Several contracts under the same plans, added up. Raises: Invalid as `compare` does."""
    plans = tuple(_added([each.plans[i] for each in comparisons]) for i in range(len(comparisons[0].plans)))
    return _compared(
        comparisons[0].currency,
        plans,
        sum(each.session_count for each in comparisons),
        sum(each.energy_wh for each in comparisons),
        tuple(left for each in comparisons for left in each.left_out),
    )


def _compared(
    currency: str, plans: tuple[PlanTotal, ...], session_count: int, energy_wh: int, left_out: tuple[LeftOut, ...]
) -> Comparison:
    side = next((s for s in (INCL_VAT, EXCL_VAT) if all(getattr(p.total, s) is not None for p in plans)), None)
    if side is None:
        raise Invalid("vat", "the plans can't be compared: one says no VAT, and another's prices contain it unsaid")
    amounts: dict[str, Decimal] = {plan.plan: getattr(plan.total, side) for plan in plans}
    least = min(amounts.values())
    return Comparison(
        currency=currency,
        side=side,
        session_count=session_count,
        energy_wh=energy_wh,
        plans=plans,
        cheapest=tuple(name for name, amount in amounts.items() if amount == least),
        left_out=left_out,
    )


def _total(cost: PlanCost, sessions: Sequence[SessionCost]) -> PlanTotal:
    months: dict[str, Amount] = {}
    parts: list[tuple[Month | str, Amount]] = [(s.month, s.rated.plus(s.included)) for s in sessions]
    parts += [(fee.month, Amount(fee.excl_vat, fee.incl_vat)) for fee in cost.fees]
    for month, amount in parts:
        months[str(month)] = months.get(str(month), NOTHING).plus(amount)
    return PlanTotal(
        plan=cost.plan,
        sessions=_sum(session.rated for session in sessions),
        included=_sum(session.included for session in sessions),
        fees=_sum(Amount(fee.excl_vat, fee.incl_vat) for fee in cost.fees),
        total=_sum(amount for _, amount in parts),
        months=dict(sorted(months.items())),
    )


def _added(totals: Sequence[PlanTotal]) -> PlanTotal:
    months = sorted({month for each in totals for month in each.months})
    return PlanTotal(
        plan=totals[0].plan,
        sessions=_sum(each.sessions for each in totals),
        included=_sum(each.included for each in totals),
        fees=_sum(each.fees for each in totals),
        total=_sum(each.total for each in totals),
        months={month: _sum(each.months.get(month, NOTHING) for each in totals) for month in months},
    )


def _sum(amounts: Iterable[Amount]) -> Amount:
    """The sum; a side that one of them does not have is not known."""
    found = NOTHING
    for amount in amounts:
        found = found.plus(amount)
    return found


def _check(costs: Sequence[PlanCost]) -> None:
    if not costs:
        raise Invalid("plans", "there is none to compare")
    names = [cost.plan for cost in costs]
    if len({*names}) < len(names):
        raise Invalid("plans", f"two have one name: {', '.join(names)}")
    if len(currencies := sorted({cost.currency for cost in costs})) > 1:
        raise Invalid("currency", f"the plans are in {' and '.join(currencies)}, and nothing is converted")

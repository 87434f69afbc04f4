"""What does each apartment of a housing co-operative pay of the month's cost?

The co-operative's cost of a month is shared out by the energy that each apartment charged; a fixed part of it, if there
is one, equally or by parts that were agreed. Net and VAT are shared out each by largest remainder, so that all apartments together pay
exactly what the co-operative paid. An apartment that charged nothing pays its fixed part only.

>>> cost = MonthCost(net=Decimal("1000.00"), vat_percent=Decimal(25), fixed_net=Decimal("100.00"))
>>> for share in share_cost(cost, {"1001": 30_000, "1002": 0, "1003": 60_000}, "SEK"):
...     print(share.apartment, share.net, share.vat, share.gross)
1001 333.34 83.34 416.68
1002 33.33 8.33 41.66
1003 633.33 158.33 791.66
"""

from collections.abc import Mapping
from decimal import Decimal
from math import lcm

import msgspec

from laddbok.model.apartment_share import ApartmentShare
from laddbok.model.errors import Invalid
from laddbok.model.money import from_minor, round_money, split, to_minor, vat_on

MAX_APARTMENTS = 10_001
"""With what is nobody's."""
VAT_WITHIN = Decimal(1)


class MonthCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a month cost, before VAT, at one rate of VAT [%]; `fixed_net` of it does not depend on use.

    `vat` is the amount of the VAT; None: that of the net.
    """

    net: Decimal
    vat_percent: Decimal
    fixed_net: Decimal = Decimal(0)
    vat: Decimal | None = None


def share_cost(
    cost: MonthCost, used_wh: Mapping[str, int], currency: str, parts: Mapping[str, Decimal] | None = None
) -> tuple[ApartmentShare, ...]:
    """The cost shared out over all apartments, in their order.

    Args: cost, in whole minor units; used_wh, each apartment with its energy [Wh], those without use at 0. If nobody used
        anything, all of the cost is shared like the fixed part. parts, each apartment's part of the fixed cost, in relation
        to their sum; one that is left out bears nothing of it. None: equal parts.
    Returns: a share per apartment; net, VAT and gross each sum to the totals.
    Raises: Invalid without apartments or parts, for a negative number, for a fixed part above the cost, or a VAT that is not
        that of the net to within one unit of the currency (bills are rounded line by line).
    Source: our choice, docs/rules.md "Cost share"; largest remainder as in case B43.
    """
    _check(cost, used_wh, currency)
    net, fixed = to_minor(cost.net, currency), to_minor(cost.fixed_net, currency)
    vat = to_minor(_vat(cost, currency), currency)
    weights, whole = _weights(net - fixed, fixed, [*used_wh.values()], _whole_parts(used_wh, parts))
    nets = split(net, weights, whole)
    vats = split(vat, [weight * vat for weight in weights], whole * net) if net else [0] * len(nets)
    return tuple(
        ApartmentShare(
            apartment=name, energy_wh=wh, net=from_minor(nets[i], currency), vat=from_minor(vats[i], currency)
        )
        for i, (name, wh) in enumerate(used_wh.items())
    )


def _weights(by_use: int, fixed: int, used_wh: list[int], parts: list[int]) -> tuple[list[int], int]:
    """Each apartment's exact net share [minor units] as a numerator, and the denominator of all."""
    used, all_parts = sum(used_wh), sum(parts)
    if not used:
        return [(by_use + fixed) * part for part in parts], all_parts
    pairs = zip(used_wh, parts, strict=True)
    return [by_use * wh * all_parts + fixed * used * part for wh, part in pairs], used * all_parts


def _whole_parts(used_wh: Mapping[str, int], parts: Mapping[str, Decimal] | None) -> list[int]:
    """The parts as whole numbers in the same relation."""
    if parts is None:
        return [1] * len(used_wh)
    given = [parts.get(name, Decimal(0)) for name in used_wh]
    if any(part < 0 for part in given) or not any(given):
        raise Invalid("parts", "are negative, or come to nothing")
    denominator = lcm(*(part.as_integer_ratio()[1] for part in given))
    return [int(part * denominator) for part in given]


def _vat(cost: MonthCost, currency: str) -> Decimal:
    of_net = vat_on(cost.net, cost.vat_percent, currency)
    if cost.vat is None:
        return of_net
    if cost.vat < 0 or cost.vat != round_money(cost.vat, currency):
        raise Invalid("vat", f"{cost.vat} is not an amount of whole minor units")
    if abs(cost.vat - of_net) > VAT_WITHIN or (not cost.net and cost.vat):
        raise Invalid("vat", f"{cost.vat} is not {cost.vat_percent} % of {cost.net}, which are {of_net}")
    return cost.vat


def _check(cost: MonthCost, used_wh: Mapping[str, int], currency: str) -> None:
    if not 0 < len(used_wh) <= MAX_APARTMENTS:
        raise Invalid("used_wh", f"there must be 1 to {MAX_APARTMENTS} apartments, not {len(used_wh)}")
    for name, wh in used_wh.items():
        if wh < 0:
            raise Invalid(f"used_wh[{name!r}]", f"{wh} is negative")
    for field, number in (("net", cost.net), ("fixed_net", cost.fixed_net), ("vat_percent", cost.vat_percent)):
        if number < 0:
            raise Invalid(field, f"{number} is negative")
        if field != "vat_percent" and number != round_money(number, currency):
            raise Invalid(field, f"{number} is not an amount of whole minor units")
    if cost.fixed_net > cost.net:
        raise Invalid("fixed_net", f"{cost.fixed_net} is more than the whole cost {cost.net}")

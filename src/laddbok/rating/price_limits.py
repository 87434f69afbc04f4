"""Does the session cost at least the least price, and at most the most?

Both sides of a limit hold: the net amount against the limit before taxes, the gross amount against the limit after them.
A limit that is only given before taxes takes the gross amount with it: at the session's VAT rate if it has one, else in
proportion. The least price comes first and the highest price last, so nothing ever costs more than that. A session without
energy has no least price. Before both, a session that came to less than nothing, at negative prices, is lifted to 0.

>>> list(within_limits(38, 41, Limit(50, 55), None))
[(<LineKind.MIN_PRICE: 'min_price'>, 50, 55)]
>>> list(within_limits(1300, 1435, None, Limit(1000, 1100)))
[(<LineKind.MAX_PRICE: 'max_price'>, 1000, 1100)]
>>> list(within_limits(800, 1000, Limit(1000, None), Limit(1100, 1200)))
[(<LineKind.MIN_PRICE: 'min_price'>, 1000, 1250), (<LineKind.MAX_PRICE: 'max_price'>, 1000, 1200)]
>>> list(within_limits(509, 636, None, Limit(254, None), rate=250_000))  # in proportion it would be 317
[(<LineKind.MAX_PRICE: 'max_price'>, 254, 318)]
"""

from collections.abc import Callable, Iterator

from laddbok.model.money import divide_half_up, vat_sum
from laddbok.model.rated import LineKind
from laddbok.rating.compile import Limit

Side = int | None
"""An amount in minor units; None: not known."""


def within_limits(
    net: Side,
    gross: Side,
    least: Limit | None,
    most: Limit | None,
    floor: Limit | None = None,
    rate: int | None = None,
) -> Iterator[tuple[LineKind, Side, Side]]:
    """Each limit that changes the session's totals, with the totals that it leaves; the last are within all limits.

    Args: net, gross, in minor units; floor, nothing on both sides, unless the terms let a session come to less; rate, the
        one of VAT [millionths], None: there are several, or none is stated.
    Source: OCPI 2.3.0 mod_tariffs, Tariff object, min_price and max_price ("as a rule, they both apply").
    """
    limits = ((floor, max, LineKind.FLOOR), (least, max, LineKind.MIN_PRICE), (most, min, LineKind.MAX_PRICE))
    for limit, choose, kind in limits:
        if limit is not None:
            limited = _limited(net, gross, limit, choose, rate)
            if limited != (net, gross):
                net, gross = limited
                yield kind, net, gross


def _limited(
    net: Side, gross: Side, limit: Limit, choose: Callable[[int, int], int], rate: int | None
) -> tuple[Side, Side]:
    new_net = None if net is None else choose(net, limit.excl_vat)
    if limit.incl_vat is not None:
        return new_net, None if gross is None else choose(gross, limit.incl_vat)
    if net is None or gross is None or new_net is None or new_net == net:
        return new_net, gross
    if rate is not None:
        return new_net, new_net + vat_sum([(new_net, rate)])
    # A price of nothing says no VAT rate, so what the least price comes to with VAT is not known.
    return new_net, divide_half_up(new_net * gross, net) if net > 0 else None

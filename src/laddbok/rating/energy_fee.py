"""What energy is paid for, and at which price per kWh?

Every Wh has the price of the first ENERGY component that applies when it flows, or of the spot market where the tariff says
so. What lies within a tier of the contract's subscription has that tier's price instead.

>>> from laddbok.rating.examples import RUNNING_HOUR, tariff_of
>>> energy_fee(RUNNING_HOUR, tariff_of(ENERGY="3.20"))[0][0].quantity
12345
"""

from collections.abc import Sequence
from itertools import pairwise

from laddbok.model.spot_prices import SpotPrices
from laddbok.rating.compile import CompiledTariff, Component
from laddbok.rating.restrictions import Slice
from laddbok.rating.spot import spot_energy
from laddbok.rating.usage import Usage, component_at, gather


def energy_fee(
    session: Sequence[Slice],
    compiled: CompiledTariff,
    prices: SpotPrices | None = None,
    tier_ends_wh: Sequence[int] = (),
) -> tuple[list[Usage], int]:
    """The energy [Wh] under each price, and what no component prices.

    Args: prices, of the spot price's zone; tier_ends_wh, where [Wh] each tier of the subscription ends in this session.
    Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType ENERGY; our choice for tiers and spot.
    """
    tiered, rest = _in_tiers(session, compiled.tiers, tier_ends_wh) if tier_ends_wh else ([], session)
    if compiled.spot is not None:
        return [*tiered, *spot_energy(rest, compiled.spot, compiled.currency, prices)], 0
    usages, unpriced = gather(compiled.energy, ((at, at.wh) for at in rest if at.wh))
    _estimate(compiled.energy, rest, usages)
    return [*tiered, *usages], unpriced


def _in_tiers(
    session: Sequence[Slice], tiers: Sequence[Component], ends_wh: Sequence[int]
) -> tuple[list[Usage], list[Slice]]:
    """What the tiers price, and the slices that lie behind all of them: energy counts up, so they are the last ones."""
    found: list[Usage] = []
    start_wh = 0
    for tier, end_wh in zip(tiers, ends_wh, strict=False):
        within = ((at, at.wh) for at in session if at.wh and start_wh <= at.wh_before < end_wh)
        found += gather((tier,), within)[0]
        start_wh = max(start_wh, end_wh)
    return found, [at for at in session if at.wh_before >= start_wh]


def _estimate(components: Sequence[Component], session: Sequence[Slice], usages: list[Usage]) -> None:
    """Where a price changes and no reading stands there, the energy on both sides is estimated (case B10)."""
    by_component = {id(usage.component): usage for usage in usages}
    for before, at in pairwise(session):
        if not (at.interpolated and before.wh and at.wh):
            continue
        one, other = component_at(components, before), component_at(components, at)
        if one is not other:
            for component in (one, other):
                if component is not None:
                    by_component[id(component)].estimated = True

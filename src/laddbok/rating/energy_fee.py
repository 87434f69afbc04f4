"""What energy is paid for, and at which price per kWh?

Every Wh of the session has the price of the first ENERGY component that applies when it flows.

>>> from laddbok.rating.examples import RUNNING_HOUR, tariff_of
>>> energy_fee(RUNNING_HOUR, tariff_of(ENERGY="3.20").energy)[0][0].quantity
12345
"""

from collections.abc import Sequence

from laddbok.rating.compile import Component
from laddbok.rating.restrictions import Slice
from laddbok.rating.usage import Usage, gather


def energy_fee(session: Sequence[Slice], components: Sequence[Component]) -> tuple[list[Usage], int]:
    """The energy [Wh] under each price, and what no component prices.

    Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType ENERGY.
    """
    return gather(components, ((at, at.wh) for at in session if at.wh))

"""What time is paid for: charging time, and parking time?

Charging time is TIME. Time in which the vehicle takes nothing though it may, or has finished, is PARKING_TIME, until the
transaction ends. A pause that we or the station caused is neither: nobody pays for waiting on us.

>>> from laddbok.rating.examples import RUNNING_HOUR, tariff_of
>>> charging_time(RUNNING_HOUR, tariff_of(TIME="12").time)[0][0].quantity
3600
"""

from collections.abc import Sequence

from msgspec.structs import replace

from laddbok.model.cdr import Activity
from laddbok.rating.compile import Component
from laddbok.rating.restrictions import Slice
from laddbok.rating.usage import Usage, gather

_PARKED = (Activity.PAUSED_BY_EV, Activity.IDLE)


def charging_time(session: Sequence[Slice], components: Sequence[Component]) -> tuple[list[Usage], int]:
    """The charging time [s] under each price, and what no component prices.

    Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType TIME.
    """
    used = ((at, at.end_s - at.start_s) for at in session if at.activity is Activity.CHARGING)
    return gather(components, used)


def parking_time(
    session: Sequence[Slice], components: Sequence[Component], ended_s: int | None
) -> tuple[list[Usage], int]:
    """The parking time [s] under each price, and what no component prices.

    Args: ended_s, the transaction's end [s since 1970]; None while it runs.
    Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType PARKING_TIME; our choice that a pause by the EVSE is not parking.
    """
    parked = (at for at in session if at.activity in _PARKED and (ended_s is None or at.start_s < ended_s))
    cut = (at if ended_s is None or at.end_s <= ended_s else replace(at, end_s=ended_s) for at in parked)
    return gather(components, ((at, at.end_s - at.start_s) for at in cut))

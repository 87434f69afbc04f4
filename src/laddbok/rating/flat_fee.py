"""Is there a start fee?

Once per session, whatever pauses and resumes: the first FLAT component that applies at any moment of the session.

>>> from laddbok.rating.examples import RUNNING_HOUR, tariff_of
>>> flat_fee(RUNNING_HOUR * 2, tariff_of(FLAT="5").flat)[0].quantity
1
"""

from collections.abc import Sequence

from laddbok.rating.compile import Component
from laddbok.rating.restrictions import Slice
from laddbok.rating.usage import Usage, component_at


def flat_fee(session: Sequence[Slice], components: Sequence[Component]) -> list[Usage]:
    """The start fee, or nothing. Source: OCPI 2.3.0 mod_tariffs, TariffDimensionType FLAT; our choice: once (test_B31)."""
    for at in session if components else ():
        component = component_at(components, at)
        if component:
            return [Usage(component, 1, 1, at.start_s, at.start_s)]
    return []

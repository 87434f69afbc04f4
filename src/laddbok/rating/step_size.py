"""Is a quantity billed in whole steps?

Steps count once per session: for the energy, and for the times together. Then the whole of the parking time is rounded
up if any is paid for, else the whole of the charging time. The step is that of the price which applied last, and what
is added has that price. A step of 0 or 1 adds nothing.

>>> from laddbok.rating.examples import usage_of
>>> usages = [usage_of(4300, step_size=100, end_s=10), usage_of(1130, step_size=500, end_s=20)]
>>> [usage.quantity for usage in in_steps(usages)]
[4300, 1200]
"""

from collections.abc import Sequence

from laddbok.rating.usage import Usage


def in_steps(usages: list[Usage]) -> list[Usage]:
    """Usages of one dimension with their total [Wh or s] rounded up to the last price's step.

    Source: OCPI 2.3.0 mod_cdrs, CDR object, step_size ("the step_size of the last relevant PriceComponent is used").
    """
    if all(usage.component.step_size <= 1 for usage in usages):
        return usages
    last = max(usages, key=lambda usage: usage.end_s)
    step = max(last.component.step_size, 1)
    last.quantity += -sum(usage.quantity for usage in usages) % step
    return usages


def times_in_steps(charging: list[Usage], parking: list[Usage]) -> Sequence[Usage]:
    """Charging and parking times, in steps.

    Source: OCPI 2.3.0 mod_cdrs, CDR object, step_size ("only taken into account for the total parking duration").
    """
    return [*charging, *in_steps(parking)] if parking else in_steps(charging)

"""How much was used under each price?

What a session used of a dimension is gathered per price component: the first one whose restrictions hold prices a
slice. A component that applies twice, before and after a dearer window, yields one usage and so one rated line, rounded
once.
"""

from collections.abc import Iterable, Sequence

import msgspec

from laddbok.rating.compile import Component
from laddbok.rating.restrictions import Slice, holds


class Usage(msgspec.Struct, gc=False):
    """A quantity [Wh or s] under one price; `measured` is before any rounding up to a step."""

    component: Component
    quantity: int
    measured: int
    start_s: int
    end_s: int
    estimated: bool = False


def component_at(components: Sequence[Component], at: Slice) -> Component | None:
    """The component that prices a slice: the first that holds; None: no cost.

    Source: OCPI 2.3.0 mod_tariffs, Tariff object ("the first Tariff Element ... with matching Tariff Restrictions").
    """
    for component in components:
        if component.conditions is None or holds(component.conditions, at):
            return component
    return None


def gather(components: Sequence[Component], used: Iterable[tuple[Slice, int]]) -> tuple[list[Usage], int]:
    """Usages in the order in which their prices first applied, and the quantity that no component prices.

    Args: used, slices in time order with the quantity used in each.
    """
    found: dict[int, Usage] = {}
    unpriced = 0
    for at, quantity in used:
        component = component_at(components, at)
        if component is None:
            unpriced += quantity
            continue
        usage = found.get(id(component))
        if usage is None:
            found[id(component)] = Usage(component, quantity, quantity, at.start_s, at.end_s, at.estimated)
        else:
            usage.quantity += quantity
            usage.measured += quantity
            usage.end_s = at.end_s
            usage.estimated |= at.estimated
    return list(found.values()), unpriced

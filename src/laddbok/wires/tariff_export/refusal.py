"""What in a tariff has no word on any wire?

Our own terms; restrictions that we don't know; words that readers take in two ways. All of it is named at once, so that
a person sees what to change.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from laddbok.model.errors import Invalid
from laddbok.model.superset import AtTaxChange, Idle, IdleUntil
from laddbok.model.tariff import Restrictions, Tariff, TaxIncluded


class Unsayable(NamedTuple):
    """A place in the tariff, and why it can't be said."""

    path: str
    why: str


class NotSayable(Invalid):
    """The wire has no word for something in the tariff. `found` names each place; the error's own field is the first."""

    def __init__(self, found: Iterable[Unsayable]) -> None:
        self.found = tuple(found)
        first, *others = self.found
        super().__init__(first.path, "; ".join([first.why, *(f"{each.path}: {each.why}" for each in others)]))


def unsayable_anywhere(tariff: Tariff) -> Iterator[Unsayable]:
    """What neither OCPI nor OCPP has words for. Source: OCPI 2.3.0 mod_tariffs; OCPP 2.1 TariffType."""
    ours = tariff.laddbok
    if ours.idle is not None:
        yield from _of_idle(ours.idle)
    if ours.spot is not None:
        yield Unsayable("laddbok.spot", "a day-ahead market price can't be said")
    if ours.subscription is not None:
        yield Unsayable("laddbok.subscription", "a fee per month, and tiers over a contract's sessions, can't be said")
    for i, element in enumerate(tariff.elements):
        if element.restrictions:
            yield from _of_restrictions(f"elements[{i}].restrictions", element.restrictions, ours.at_tax_change)
    yield from _below_nothing(tariff)


def taxes_within(tariff: Tariff) -> bool:
    """Whether prices contain a tax that is not 0: no price without it comes to the same amounts.

    What we charge is the price with VAT, rounded; the wire's is the one without it, rounded, and then VAT: 0.02 at 25 %
    is 0.016, which is 0.02, and 0.03 with VAT.
    """
    rates = [component.vat for element in tariff.elements for component in element.price_components]
    return tariff.tax is TaxIncluded.YES and any(rate is None or rate != 0 for rate in rates)


def _of_idle(idle: Idle) -> Iterator[Unsayable]:
    yield Unsayable("laddbok.idle", "time after charging can't be told from a vehicle's pauses, nor from ours")
    if idle.grace_s:
        yield Unsayable(
            "laddbok.idle.grace_s", "a time without the fee that counts from the end of charging can't be said"
        )
    if idle.cap is not None:
        yield Unsayable("laddbok.idle.cap", "the most that one kind of price comes to can't be said")
    if idle.exempt:
        yield Unsayable("laddbok.idle.exempt", "hours without the fee, that the grace runs through, can't be said")
    if idle.until is IdleUntil.UNPLUG:
        yield Unsayable("laddbok.idle.until", "time after the transaction can't be priced")


def _of_restrictions(path: str, given: Restrictions, at_tax_change: AtTaxChange) -> Iterator[Unsayable]:
    for name in given.unknown:
        yield Unsayable(f"{path}.{name}", "we don't know this restriction")
    start, end = clock(given.start_time), clock(given.end_time)
    if start is not None and start == end:
        yield Unsayable(f"{path}.end_time", "the same as start_time: readers take it as always, or as never")
    if given.day_of_week == ():
        yield Unsayable(f"{path}.day_of_week", "names no day: readers take it as every day, or as none")
    dated = given.start_date is not None or given.end_date is not None
    if dated and at_tax_change is AtTaxChange.START:
        yield Unsayable(f"{path}.start_date" if given.start_date else f"{path}.end_date", _BY_START)


_BY_START = "with at_tax_change, dates are judged at the session's start, and the wire judges them at each moment"


def clock(time: str | None) -> str | None:
    """A time of day as wires write it: the end of the day is 00:00, also where it is a start."""
    return "00:00" if time == "24:00" else time


def _below_nothing(tariff: Tariff) -> Iterator[Unsayable]:
    """What a session costs that comes to less than nothing is our own rule, unless there is a least price of 0 or more."""
    least, most = tariff.min_price, tariff.max_price
    if most and min(most.before_taxes, most.after_taxes or 0) < 0:
        yield Unsayable("max_price", "is below nothing, and what is then owed can't be said")
    if least and least.before_taxes >= 0 and least.after_taxes is not None and least.after_taxes >= 0:
        return
    for i, element in enumerate(tariff.elements):
        for j, component in enumerate(element.price_components):
            if component.price < 0:
                why = "negative, and what a session below nothing costs can't be said but by a min_price, with and without taxes"
                yield Unsayable(f"elements[{i}].price_components[{j}].price", why)

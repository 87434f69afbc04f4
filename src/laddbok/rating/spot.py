"""What does energy cost at the market's price?

Every Wh costs what the day-ahead market said for its quarter hour (UTC), plus our markup, plus the grid fee and the energy
tax that hold at that moment. A quarter whose price is not known is pending: never 0, and never the last price known. The
amount of a session is added up exactly over all its quarters and rounded once; its lines are shares of it.

The market pays 0.32 for each kWh that somebody takes; with what is added it costs 0.34:

>>> from laddbok.rating.examples import RUNNING_HOUR, spot_prices, spot_tariff
>>> terms = spot_tariff(markup="0.05", grid=[{"per_kwh": "0.25"}], energy_tax=[{"per_kwh": "0.36"}])
>>> usages = spot_energy(RUNNING_HOUR, terms.spot, terms.currency, spot_prices("-0.32"))
>>> usages[0].component.price, usages[0].component.parts.spot
(Decimal('0.34'), Decimal('-0.32'))
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from laddbok.model.money import divide_half_up, minor_digits, split
from laddbok.model.rated import LineKind, PriceParts
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.rating.compile import Component
from laddbok.rating.compile_spot import Addition, CompiledSpot
from laddbok.rating.restrictions import Slice, holds
from laddbok.rating.usage import Usage

_NOTHING = Decimal(0)
EXACT_DIGITS = 18
"""So many decimals of a price count; a tariff and a price list have no more."""
_WH_PER_KWH = 1_000
_DENOMINATOR = 10**EXACT_DIGITS * _WH_PER_KWH
_SCALE = tuple(Decimal(1).scaleb(EXACT_DIGITS + digits) for digits in range(4))
"""What a price is multiplied by, for a currency of so many minor digits, to be a whole number."""


def spot_energy(session: Iterable[Slice], spot: CompiledSpot, currency: str, prices: SpotPrices | None) -> list[Usage]:
    """The energy [Wh] under each price: one usage per quarter hour, and per change of what is added within it.

    Args: session, slices that end with each quarter; prices, of the spot price's zone, None: none is known.
    Source: our choice, docs/rules.md "Spot price" (test_B3, test_B36, test_B37).
    """
    found: list[Usage] = []
    key: tuple[int, int, int] | None = None
    for at in session:
        if not at.wh:
            continue
        grid, tax = _first(spot.grid, at), _first(spot.energy_tax, at)
        this = (at.start_s // QUARTER_S, grid, tax)
        if this == key:
            _extend(found[-1], at)
            continue
        if at.interpolated and found:
            found[-1].estimated = True
        key = this
        component = _component(
            spot, currency, prices, at.start_s, _per_kwh(spot.grid, grid), _per_kwh(spot.energy_tax, tax)
        )
        found.append(Usage(component, at.wh, at.wh, at.start_s, at.end_s, at.estimated or at.interpolated))
    return found


def shared_amounts(usages: Sequence[Usage]) -> list[int]:
    """The amounts [minor units] of a session's spot lines: their exact sum rounded once, shared by what each came to."""
    exact = [usage.quantity * usage.component.numerator for usage in usages]
    return split(divide_half_up(sum(exact), _DENOMINATOR), exact, _DENOMINATOR)


def _first(additions: Sequence[Addition], at: Slice) -> int:
    """Which addition holds: its place, or -1."""
    for i, addition in enumerate(additions):
        if addition.conditions is None or holds(addition.conditions, at):
            return i
    return -1


def _per_kwh(additions: Sequence[Addition], i: int) -> Decimal:
    return additions[i].per_kwh if i >= 0 else _NOTHING


def _extend(usage: Usage, at: Slice) -> None:
    usage.quantity += at.wh
    usage.measured += at.wh
    usage.end_s = at.end_s
    usage.estimated |= at.estimated


def _component(
    spot: CompiledSpot, currency: str, prices: SpotPrices | None, at_s: int, grid: Decimal, tax: Decimal
) -> Component:
    market = None if prices is None else prices.at(at_s)
    price = None if market is None else market + spot.markup + grid + tax
    return Component(
        kind=LineKind.ENERGY,
        element=None,
        price=price,
        numerator=0 if price is None else int(price * _SCALE[minor_digits(currency)]),
        denominator=_DENOMINATOR,
        vat_percent=spot.vat_percent,
        vat_millionths=spot.vat_millionths,
        parts=PriceParts(
            spot=market, markup=spot.markup, grid=grid, energy_tax=tax, source="" if prices is None else prices.source
        ),
    )

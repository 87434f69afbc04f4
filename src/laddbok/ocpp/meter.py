"""What did the meter show?

A station sends lists of sampled values; we want one `Sample` per instant. Of each quantity the total counts if it is
there, else the sum of its phases, never both. The outlet's meter is preferred to any other. Numbers are read exactly
from their decimal text and rounded half up once, to whole Wh, W, mA and percent. A value whose unit contradicts its
measurand (15 A of energy) is left out.

>>> in_whole_units("1.6250000000000002", 1000), in_whole_units(" 0.5", 1), in_whole_units("n/a", 1)
(1625, 1, None)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from laddbok.model.events import Sample
from laddbok.ocpp.messages import v16_in, v201_in
from laddbok.ocpp.payload import exact

_ONE = Decimal(1)
MAX_READING = 10**15
"""Wh, W or mA; a number above is garbage."""
MAX_FAST_CHARS = 32
MAX_MULTIPLIER = 12
DEFAULT_CONTEXT = "Sample.Periodic"
BOUNDARY_CONTEXTS = frozenset({"Transaction.Begin", "Transaction.End"})

ENERGY = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
OFFERED = "Power.Offered"
CURRENT = "Current.Import"
SOC = "SoC"

Factors = Mapping[str | None, int]
_WH: Factors = {None: 1, "Wh": 1, "kWh": 1_000, "wh": 1, "kwh": 1_000, "mwh": 1_000_000}
_W: Factors = {None: 1, "W": 1, "kW": 1_000, "w": 1, "kw": 1_000}
_MA: Factors = {None: 1_000, "A": 1_000, "a": 1_000, "ma": 1}
_PERCENT: Factors = {None: 1, "Percent": 1, "percent": 1, "%": 1}

_READ: dict[str, tuple[str, Factors]] = {
    ENERGY: (ENERGY, _WH),
    EXPORT: (EXPORT, _WH),
    INTERVAL: (INTERVAL, _WH),
    POWER: (POWER, _W),
    OFFERED: (OFFERED, _W),
    CURRENT: (CURRENT, _MA),
    SOC: (SOC, _PERCENT),
}
"""The quantities that we use, with what one of a unit is in ours."""
_BY_ANY_CASE = {name.casefold(): read for name, read in _READ.items() if name}
_NOT_READ = (
    "Voltage",
    "Frequency",
    "Temperature",
    "RPM",
    "Current.Export",
    "Current.Offered",
    "Power.Factor",
)
_ODD: tuple[str, Factors] = ("", {})
"""Stands for a name that is not spelled as in the standard."""
_KNOWN: dict[str | None, tuple[str, Factors] | None] = {None: _READ[ENERGY]}
_KNOWN.update(_READ)
_KNOWN.update(dict.fromkeys(_NOT_READ))
"""Most sampled values are settled by one look-up; only a name spelled in an odd way needs a second one."""

_PREFERRED_LOCATIONS = (None, "Outlet")
_LINES = ("L1", "L2", "L3")
_LINES_TO_NEUTRAL = ("L1-N", "L2-N", "L3-N")


Measured = TypeVar("Measured", v16_in.SampledValue, v201_in.SampledValue)
AmountOf = Callable[[Measured, Factors], int | None]


def by_context(items: Sequence[Measured]) -> Iterable[tuple[str, Sequence[Measured]]]:
    """The values of one instant, apart only where begin and end of a transaction are told together.

    Source: our choice; stations mix "Trigger", "Other" and nothing within one reading.
    """
    if not items:
        return ()
    first = items[0].context
    for item in items:
        if item.context != first:
            break
    else:
        return ((first or DEFAULT_CONTEXT, items),)
    if BOUNDARY_CONTEXTS.isdisjoint([item.context for item in items]):
        return ((first or DEFAULT_CONTEXT, items),)
    groups: dict[str, list[Measured]] = {}
    for item in items:
        groups.setdefault(item.context or DEFAULT_CONTEXT, []).append(item)
    return groups.items()


def sample_of(
    at: datetime | None,
    context: str,
    items: Iterable[Measured],
    amount_of: AmountOf[Measured],
    signed: tuple[str, ...] = (),
) -> Sample | None:
    """What the meter showed at one instant, None when it showed nothing that we use.

    Args: amount_of: the value of an item in our unit, given the factor of each unit; None when it is unusable.
    Source: OCPP 1.6 7.43 SampledValue (defaults), OCPP 2.0.1 2.49; field cases S40, S41.
    """
    totals: dict[str, int] = {}
    phases: dict[str, dict[str, int]] = {}
    for item in items:
        known = _KNOWN.get(item.measurand, _ODD)
        if known is None or (known is _ODD and (known := _known_in_any_case(item.measurand)) is None):
            continue
        name, factors = known
        amount = amount_of(item, factors)
        if amount is None:
            continue
        phase = item.phase
        into, key = (totals, name) if phase is None else (phases.setdefault(name, {}), phase)
        if key not in into or item.location in _PREFERRED_LOCATIONS:
            into[key] = amount
    if not (totals or phases or signed):
        return None
    lines_ma: tuple[int, ...] = ()
    for name, amounts in phases.items():
        lines = _lines(amounts)
        if lines and name not in totals:
            totals[name] = sum(lines)
        if name == CURRENT:
            lines_ma = lines
    return _sample(at, context, totals, lines_ma, signed)


def _sample(
    at: datetime | None,
    context: str,
    totals: dict[str, int],
    lines_ma: tuple[int, ...],
    signed: tuple[str, ...],
) -> Sample:
    soc_pct = totals.get(SOC)
    return Sample(
        at=at,
        register_wh=totals.get(ENERGY),
        power_w=totals.get(POWER),
        soc_pct=soc_pct if soc_pct is not None and 0 <= soc_pct <= 100 else None,
        offered_w=totals.get(OFFERED),
        currents_ma=lines_ma or ((totals[CURRENT],) if CURRENT in totals else None),
        export_register_wh=totals.get(EXPORT),
        interval_wh=totals.get(INTERVAL),
        context=context,
        signed=signed,
    )


def in_whole_units(text: str, factor: int) -> int | None:
    """The number in our unit, rounded half up; None when it is none or above MAX_READING.

    Args: text: as the station wrote it. factor: what one of its unit is in ours.
    """
    if len(text) > MAX_FAST_CHARS:
        return _rounded(exact(text), factor)
    if text.isdecimal():
        amount = int(text) * factor
    else:
        whole, _, fraction = text.partition(".")
        if not (whole.isdecimal() and fraction.isdecimal()):
            return _rounded(exact(text), factor)
        one = 10 ** len(fraction)
        amount = (int(whole + fraction) * factor + one // 2) // one
    return amount if amount <= MAX_READING else None


def in_whole_units_scaled(number: Decimal, factor: int, multiplier: int) -> int | None:
    """The number times ten to the multiplier in our unit, rounded half up.

    Source: OCPP 2.0.1 2.53 UnitOfMeasureType (multiplier).
    """
    if abs(multiplier) > MAX_MULTIPLIER or not number.is_finite():
        return None
    return _rounded(number.scaleb(multiplier) if multiplier else number, factor)


def factor_of(unit: str | None, factors: Factors) -> int | None:
    """What one of this unit is in ours; None: this unit can't be of that quantity."""
    factor = factors.get(unit)
    return factor if factor is not None or unit is None else factors.get(unit.strip().lower() or None)


def _rounded(number: Decimal | None, factor: int) -> int | None:
    if number is None or number.adjusted() > 15:
        return None
    exact_amount = number * factor
    amount = int(exact_amount)
    if amount != exact_amount:
        amount = int(exact_amount.quantize(_ONE, ROUND_HALF_UP))
    return amount if abs(amount) <= MAX_READING else None


def _known_in_any_case(measurand: str | None) -> tuple[str, Factors] | None:
    name = (measurand or "").strip().casefold()
    return _BY_ANY_CASE.get(name) if name else _READ[ENERGY]


def _lines(amounts: Mapping[str, int]) -> tuple[int, ...]:
    """The three lines, named either way; what flows in the neutral or between lines is not added."""
    lines = [amounts[line] for line in _LINES if line in amounts]
    return tuple(lines or [amounts[line] for line in _LINES_TO_NEUTRAL if line in amounts])

"""What does a spot price consist of, ready for arithmetic?"""

from decimal import Decimal

import msgspec

from laddbok.model.money import millionths
from laddbok.model.superset import Spot, Surcharge
from laddbok.rating.restrictions import Conditions, compile_surcharge


class Addition(msgspec.Struct, frozen=True, gc=False):
    """What is added to the market's price per kWh while its conditions hold; None: always."""

    per_kwh: Decimal
    conditions: Conditions | None


class CompiledSpot(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of a spot price; all prices per kWh, without VAT."""

    zone: str
    markup: Decimal
    grid: tuple[Addition, ...]
    energy_tax: tuple[Addition, ...]
    vat_percent: Decimal | None
    vat_millionths: int | None


def compile_spot(spot: Spot) -> CompiledSpot:
    """The terms of a spot price, its dates and hours ready to be judged."""
    return CompiledSpot(
        zone=spot.zone,
        markup=spot.markup,
        grid=tuple(map(_addition, spot.grid)),
        energy_tax=tuple(map(_addition, spot.energy_tax)),
        vat_percent=spot.vat,
        vat_millionths=None if spot.vat is None else millionths(spot.vat),
    )


def _addition(given: Surcharge) -> Addition:
    conditions = compile_surcharge(given)
    return Addition(given.per_kwh, None if conditions == Conditions() else conditions)

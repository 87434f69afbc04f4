"""What does a running session come to, and how fast can it grow?

A hold on a card must cover what a session costs before anybody can stop it. So beside the cost so far stands the most that
a second can add under its tariff, at the outlet's full power: the dearest price of each kind, with VAT.

>>> from laddbok.model.tariff import parse_tariff
>>> tariff = parse_tariff(b'{"id": "t", "currency": "SEK", "elements": [{"price_components": ['
...     b'{"type": "ENERGY", "price": 2.56, "vat": 25}]}]}')
>>> round(most_per_s(tariff, 11_000) * 3_600, 2)
Decimal('35.20')
"""

from datetime import datetime
from decimal import Decimal

from laddbok.flow.card_payments import Cost
from laddbok.flow.charge_to_cash import running_price
from laddbok.model.session import Session
from laddbok.model.tariff import Dimension, Tariff, TaxIncluded

ANY_POWER_W = 400_000
"""Of an outlet whose power nobody told."""
_NOTHING = Decimal(0)


def running_cost(session: Session, tariff: Tariff, heard_at: datetime, max_power_w: int | None) -> Cost | None:
    """The cost of a session so far; None: it can't be told yet.

    Args: heard_at, when its station was last heard; max_power_w, of its outlet [W].
    Raises: Invalid when the tariff can't be used for it.
    Source: our choice, docs/rules.md "Card hold"; case B46.
    """
    rating = running_price(session, tariff, heard_at)
    if rating.incl_vat is None:
        return None
    return Cost(amount=rating.incl_vat, per_s=most_per_s(tariff, max_power_w or ANY_POWER_W))


def most_per_s(tariff: Tariff, max_power_w: int) -> Decimal:
    """The most that a second can add, with VAT. Args: max_power_w [W]. Source: our choice, docs/rules.md "Card hold"."""
    has_vat = tariff.tax is TaxIncluded.YES
    dearest: dict[Dimension, Decimal] = {}
    for element in tariff.elements:
        for each in element.price_components:
            price = each.price if has_vat else each.price * (100 + (each.vat or _NOTHING)) / 100
            dearest[each.type] = max(dearest.get(each.type, _NOTHING), price)
    idle = tariff.laddbok.idle
    per_min = _NOTHING if idle is None else idle.per_min * (1 if has_vat else 1 + (idle.vat or Decimal(25)) / 100)
    energy = dearest.get(Dimension.ENERGY, _NOTHING) * max_power_w / 3_600_000
    hours = max(dearest.get(Dimension.TIME, _NOTHING), dearest.get(Dimension.PARKING_TIME, _NOTHING)) / 3_600
    return energy + hours + per_min / 60

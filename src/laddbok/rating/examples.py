"""Which small sessions and tariffs do the worked examples use?

One hour in Stockholm that takes 12.345 kWh, and tariffs with a price or two at 25 % VAT.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod, Reservation
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff, Component, compile_tariff
from laddbok.rating.slices import slices
from laddbok.rating.usage import Usage

_START_AT, _END_AT = datetime(2026, 5, 4, 10, tzinfo=UTC), datetime(2026, 5, 4, 11, tzinfo=UTC)
HOUR = Cdr(
    session_id="EXAMPLE",
    started_at=_START_AT,
    charging_ended_at=_END_AT,
    transaction_ended_at=_END_AT,
    unplugged_at=_END_AT,
    last_contact_at=_END_AT,
    energy_wh=12_345,
    periods=(ChargingPeriod(start_at=_START_AT, end_at=_END_AT, activity=Activity.CHARGING, energy_wh=12_345),),
    time_zone="Europe/Stockholm",
)
RESERVED = Reservation(start_at=_START_AT - timedelta(minutes=10), end_at=_START_AT)


def tariff_of(**prices: str) -> CompiledTariff:
    """A tariff in kronor with one price per named dimension, without VAT, at 25 %."""
    components = [{"type": kind, "price": price, "vat": 25} for kind, price in prices.items()]
    document = {"id": "example", "currency": "SEK", "elements": [{"price_components": components}]}
    return compile_tariff(parse_tariff(document), "Europe/Stockholm")


def idle_tariff(**terms: Any) -> CompiledTariff:
    """A tariff in kronor with these terms for idle time beside free energy."""
    free = [{"price_components": [{"type": "ENERGY", "price": 0, "vat": 25}]}]
    document = {"id": "example", "currency": "SEK", "elements": free, "laddbok": {"idle": terms}}
    return compile_tariff(parse_tariff(document), "Europe/Stockholm")


def spot_tariff(**terms: Any) -> CompiledTariff:
    """A tariff in kronor with the spot price of SE3 and these additions."""
    document = {"id": "example", "currency": "SEK", "laddbok": {"spot": {"zone": "SE3", "vat": 25, **terms}}}
    return compile_tariff(parse_tariff(document), "Europe/Stockholm")


def spot_prices(*per_kwh: str) -> SpotPrices:
    """The market's prices in kronor from the start of the hour on, quarter by quarter; the last one stays."""
    quarters = range(int(_START_AT.timestamp()), int(_END_AT.timestamp()), QUARTER_S)
    prices = [Decimal(price) for price in per_kwh]
    by_start_s = {at_s: prices[min(n, len(prices) - 1)] for n, at_s in enumerate(quarters)}
    return SpotPrices(zone="SE3", currency="SEK", source="example", by_start_s=by_start_s)


def reservation_tariff() -> CompiledTariff:
    """A tariff in kronor: reserved time 12.00 an hour, and 4.00 when the reservation expires."""
    prices = {"RESERVATION": ("TIME", 12), "RESERVATION_EXPIRES": ("FLAT", 4)}
    elements = [
        {"price_components": [{"type": kind, "price": price, "vat": 25}], "restrictions": {"reservation": reservation}}
        for reservation, (kind, price) in prices.items()
    ]
    document = {"id": "example", "currency": "SEK", "elements": elements}
    return compile_tariff(parse_tariff(document), "Europe/Stockholm")


RUNNING_HOUR = slices(HOUR, tariff_of(ENERGY="0"))


def usage_of(quantity: int, step_size: int, end_s: int = 0) -> Usage:
    """A quantity under a price with this step, last used at this second."""
    component = Component(
        kind=tariff_of(ENERGY="1").energy[0].kind, element=0, price=Decimal(1), numerator=100, denominator=1_000,
        vat_percent=Decimal(25), vat_millionths=250_000, step_size=step_size,
    )  # fmt: skip
    return Usage(component, quantity, quantity, 0, end_s)

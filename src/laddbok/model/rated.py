"""What does a session cost, line by line?

A rating is the price of one CDR under one tariff. Its lines sum exactly to its totals, before and after VAT. A finding
says what a person should know about the price: something was not priced, a tax is unknown, a limit was reached.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class LineKind(StrEnum):
    """What a rated line is for."""

    FLAT = "flat"
    ENERGY = "energy"
    TIME = "time"
    PARKING_TIME = "parking_time"
    IDLE = "idle"
    RESERVATION_FLAT = "reservation_flat"
    """A fee for having reserved, or for having reserved in vain."""
    RESERVATION_TIME = "reservation_time"
    FLOOR = "floor"
    """What lifts a session that came to less than nothing up to 0."""
    MIN_PRICE = "min_price"
    MAX_PRICE = "max_price"


UNITS = {
    LineKind.ENERGY: ("Wh", "kWh"),
    LineKind.TIME: ("s", "h"),
    LineKind.PARKING_TIME: ("s", "h"),
    LineKind.RESERVATION_TIME: ("s", "h"),
    LineKind.IDLE: ("s", "min"),
}
"""What a line's quantity is counted in, and what its price is per; a kind that is not here is counted once per session."""


class PriceParts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a spot price per kWh is made of; `spot` None: the market's price is not known."""

    spot: Decimal | None
    markup: Decimal
    grid: Decimal
    energy_tax: Decimal
    source: str


class RatedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One priced quantity.

    `quantity` is billed: Wh for energy, s for time, parking and idle, else 1. `measured` is before step_size. `price` is
    per kWh, hour, minute (idle) or session, and contains VAT if the tariff's prices do. The amounts are whole minor
    units; one is None while the VAT is unknown. `element` is the tariff element that priced it, counted from 0; `tier` the
    tier of the subscription that did. A line is `pending` while a market price is not known: it has neither price nor
    amounts. The lines of a spot price are shares of one amount that was rounded once.
    """

    kind: LineKind
    quantity: int
    measured: int
    price: Decimal | None
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    vat_percent: Decimal | None = None
    start_at: datetime
    end_at: datetime
    element: int | None = None
    step_size: int = 1
    grace_s: int = 0
    capped: bool = False
    estimated: bool = False
    tier: int | None = None
    parts: PriceParts | None = None

    @property
    def pending(self) -> bool:
        """Whether it waits for a market price."""
        return self.price is None


class FindingCode(StrEnum):
    """What kind of thing a finding says."""

    ZERO_ENERGY = "zero_energy"
    UNKNOWN_RESTRICTION = "unknown_restriction"
    CURRENT_NOT_RECORDED = "current_not_recorded"
    NO_MATCHING_ELEMENT = "no_matching_element"
    VAT_ABSENT = "vat_absent"
    IDLE_AND_PARKING = "idle_and_parking"
    UNPLUG_UNKNOWN = "unplug_unknown"
    MIN_PRICE_APPLIED = "min_price_applied"
    MAX_PRICE_APPLIED = "max_price_applied"
    TARIFF_NOT_IN_FORCE = "tariff_not_in_force"
    TIME_UNACCOUNTED = "time_unaccounted"
    ENERGY_SPREAD = "energy_spread"
    ENERGY_DIFFERS = "energy_differs"
    CREDIT = "credit"
    RESERVATION_EXPIRED = "reservation_expired"
    PRICE_PENDING = "price_pending"
    NOT_BELOW_NOTHING = "not_below_nothing"
    SETTLED_MONTHLY = "settled_monthly"


class Finding(msgspec.Struct, frozen=True):
    """Something to know about a price: `field` is where it stems from, `text` one line for a person."""

    code: FindingCode
    field: str
    text: str


class Rating(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The price of a CDR.

    `excl_vat` is None when prices include a VAT that the tariff doesn't state, `incl_vat` when they exclude it; never
    both; but both while a line is pending. `final` means that the transaction has ended, so that only a correction can change the price.
    """

    tariff_id: str
    currency: str
    tax_included: bool
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    final: bool
    lines: tuple[RatedLine, ...] = ()
    findings: tuple[Finding, ...] = ()

"""What can a tariff of ours say that OCPI can't?

The object `laddbok` inside a tariff: an idle fee, a day-ahead spot price with what is added to it, a subscription. Its
prices are on the tariff's side of VAT, like those of its elements, and nothing unknown in it is let through.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec


class Weekday(StrEnum):
    """A day of the week, Monday first. Source: OCPI 2.3.0 mod_tariffs, DayOfWeek."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class Hours(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of the week in the site's local time, "HH:MM"; an end before the start wraps midnight, 00:00 ends the day."""

    start_time: str | None = None
    end_time: str | None = None
    day_of_week: tuple[Weekday, ...] | None = None


class IdleUntil(StrEnum):
    """How long idle time may be billed: to the end of the transaction, or until the cable is out."""

    TRANSACTION = "transaction"
    UNPLUG = "unplug"


class Idle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The fee for occupying a connector after charging has ended.

    `per_min` is a price per minute, billed by the second after `grace_s` seconds; `cap` the most it can come to. Time
    in the `exempt` hours is free. `vat` is a percentage; None: the one rate that the price components agree on.
    Source: our choice, docs/rules.md "Idle fee".
    """

    per_min: Decimal
    grace_s: int = 0
    cap: Decimal | None = None
    exempt: tuple[Hours, ...] = ()
    until: IdleUntil = IdleUntil.TRANSACTION
    vat: Decimal | None = None


class Surcharge(Hours, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is added to the spot price, per kWh, from one local date up to before another, in a part of the week."""

    per_kwh: Decimal
    start_date: date | None = None
    end_date: date | None = None


class Spot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Energy at the day-ahead price of a bidding zone, quarter by quarter, and what is added to it.

    `zone` is the bidding zone (SE1 to SE4, or another one that the price source has). `markup` is ours. Of `grid` and of
    `energy_tax` the first entry that holds at the moment is added, nothing when none does. All of it per kWh, without
    VAT; `vat` is a percentage.
    Source: our choice, docs/rules.md "Spot price"; case B36.
    """

    zone: str
    markup: Decimal = Decimal(0)
    grid: tuple[Surcharge, ...] = ()
    energy_tax: tuple[Surcharge, ...] = ()
    vat: Decimal | None = None


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to so many kWh of a month, energy costs this per kWh instead of what the tariff says; 0: it is included."""

    to_kwh: Decimal
    per_kwh: Decimal


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A fee per calendar month, and tiers of energy over all sessions of the contract in that month, lowest first.

    `vat` is the percentage on the fee and on the tiers' prices.
    Source: our choice, docs/rules.md "Included energy" and "Month fee"; cases B41 and B42.
    """

    month_fee: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    vat: Decimal | None = None


class AtTaxChange(StrEnum):
    """What dates in a tariff mean for a session that spans one: each part has its own terms, or all those of the start."""

    SPLIT = "split"
    START = "start"


class Superset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The object `laddbok` inside a tariff. `may_be_negative`: a session may come to less than nothing (spot prices)."""

    idle: Idle | None = None
    spot: Spot | None = None
    subscription: Subscription | None = None
    may_be_negative: bool = False
    at_tax_change: AtTaxChange = AtTaxChange.SPLIT

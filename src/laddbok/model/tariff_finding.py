"""What is wrong, or worth knowing, in a tariff that somebody writes?

A finding names the place in the document and says one thing in two languages. One that is refused keeps the tariff from
being written; a warning does not.
"""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """What follows from a finding."""

    REFUSED = "refused"
    WARNING = "warning"


class TariffFindingCode(StrEnum):
    """What kind of thing a finding says."""

    AFIR_PRICE = "afir_price"
    """Ad hoc at 50 kW or more, something else is priced than kWh and minutes of occupancy."""
    AFIR_NOT_FIXED = "afir_not_fixed"
    """The price of an ad hoc session would not be known before it begins, or depends on a contract."""
    AFIR_ORDER = "afir_order"
    """Ad hoc below 50 kW, prices are not listed in the order kWh, minute, session, other."""
    CONTRADICTION = "contradiction"
    AMBIGUOUS = "ambiguous"
    UNREACHABLE = "unreachable"
    HOLE = "hole"
    UNKNOWN_RESTRICTION = "unknown_restriction"
    IDLE_AND_PARKING = "idle_and_parking"
    VAT_ABSENT = "vat_absent"
    NEGATIVE_PRICE = "negative_price"
    NO_MARKET_PRICES = "no_market_prices"
    """Nobody has ever brought prices of this zone in this currency: sessions would wait for them."""
    PAST = "past"


class TariffFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing about a tariff. `path` is where it stands (`elements[0].restrictions.max_kwh`)."""

    code: TariffFindingCode
    path: str
    severity: Severity = Severity.WARNING
    en: str
    sv: str

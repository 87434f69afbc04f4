"""What does an employer pay back to somebody who charges a company car at home?

Where the home is, who the employer is, and the prices of the employee's own electricity, each from a local date on; or a tariff
without VAT that prices it, such as one of the market's price.

>>> terms = parse_home_terms(b'{"site_id": "hemma", "employer_id": "bageriet", "prices": [{"per_kwh": "1.85"}]}')
>>> terms.prices[0].per_kwh
Decimal('1.85')
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.tariff import below_maximum, convert, decode_object

MAX_PRICES = 500


class DatedPrice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A price per kWh from a local date on (None: since ever) until the next one of the list."""

    per_kwh: Decimal
    from_date: date | None = None


class HomeTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Sessions of a contract at `site_id` are paid back by the payer `employer_id`, at `prices` or by `tariff_id`.

    `language`: of the statements.
    """

    site_id: str
    employer_id: str
    prices: tuple[DatedPrice, ...] = ()
    tariff_id: str | None = None
    language: str = "sv"


def parse_home_terms(document: dict[str, Any] | bytes) -> HomeTerms:
    """Read what was agreed. Raises: Invalid, with the path of the field."""
    fields = decode_object(document, "agreement") if isinstance(document, bytes) else document
    terms = convert(fields, HomeTerms)
    if terms.language not in ("sv", "en"):
        raise Invalid("language", f"{terms.language!r} is none of sv, en")
    if terms.tariff_id is not None and (not terms.tariff_id or terms.prices):
        raise Invalid("tariff_id", "is empty, or stands beside prices")
    if terms.tariff_id is None and not 0 < len(terms.prices) <= MAX_PRICES:
        raise Invalid("prices", f"there must be 1 to {MAX_PRICES}, not {len(terms.prices)}")
    check_prices(terms.prices)
    return terms


def check_prices(prices: Sequence[DatedPrice]) -> None:
    """Raises: Invalid for a date that is there twice, or a price that is none."""
    seen: set[date | None] = set()
    for i, price in enumerate(prices):
        if not below_maximum(price.per_kwh) or price.per_kwh < 0:
            raise Invalid(f"prices[{i}].per_kwh", f"{price.per_kwh} is negative, or no price")
        if price.from_date in seen:
            raise Invalid(f"prices[{i}].from_date", f"{price.from_date} has another price already")
        seen.add(price.from_date)

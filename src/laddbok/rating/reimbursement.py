"""What does an employer pay back for charging at home?

The employee's own electricity, kWh by kWh: each session has the price of the local day on which it began, from a list
of prices with dates, or is rated by a tariff without tax. There is no VAT on it: it is a refund of a private cost. Each
session is one line, rounded once, and the total is the sum of its lines.

>>> from laddbok.rating.examples import HOUR
>>> prices = [DatedPrice(per_kwh=Decimal("1.85")), DatedPrice(per_kwh=Decimal("2.05"), from_date=date(2026, 5, 1))]
>>> statement = reimburse([HOUR, HOUR], prices, "SEK")
>>> [(line.energy_wh, line.per_kwh, line.amount) for line in statement.lines], statement.total
([(12345, Decimal('2.05'), Decimal('25.31')), (12345, Decimal('2.05'), Decimal('25.31'))], Decimal('50.62'))
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.home_charging import DatedPrice, check_prices
from laddbok.model.money import divide_half_up, from_minor, minor_digits
from laddbok.model.refund import Refund, RefundLine
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import TaxIncluded
from laddbok.rating.compile import CompiledTariff
from laddbok.rating.local_time import zone_named
from laddbok.rating.rate import rate


def reimburse(cdrs: Iterable[Cdr], prices: Sequence[DatedPrice], currency: str) -> Refund:
    """The statement of sessions at home at fixed prices.

    Args: prices, in any order; of those that have begun on the local day of a session's start the latest counts.
    Raises: Invalid naming the session and day that no price covers, a date that is there twice, or a negative price.
    Source: our choice, docs/rules.md "Home charging".
    """
    check_prices(prices)
    newest_first = sorted(prices, key=lambda price: price.from_date or date.min, reverse=True)
    return _statement((_line(cdr, newest_first, currency) for cdr in cdrs), currency)


def reimburse_by_tariff(cdrs: Iterable[Cdr], compiled: CompiledTariff, prices: SpotPrices | None = None) -> Refund:
    """The statement of sessions at home under a tariff, which may be a spot price.

    Raises: Invalid for a tariff to which VAT applies, and for a session whose price is not known yet.
    Source: our choice, docs/rules.md "Home charging".
    """
    if compiled.tax is not TaxIncluded.NOT_APPLICABLE:
        raise Invalid("tax_included", "a refund has no VAT: its tariff says N/A")
    return _statement((_rated(cdr, compiled, prices) for cdr in cdrs), compiled.currency)


def _rated(cdr: Cdr, compiled: CompiledTariff, prices: SpotPrices | None) -> RefundLine:
    amount = rate(cdr, compiled, prices=prices).excl_vat
    if amount is None:
        raise Invalid("prices", f"session {cdr.session_id} has no price yet")
    return _refund_line(cdr, None, amount)


def _line(cdr: Cdr, newest_first: Sequence[DatedPrice], currency: str) -> RefundLine:
    day = cdr.started_at.astimezone(zone_named(cdr.time_zone)).date()
    found = next((price for price in newest_first if price.from_date is None or price.from_date <= day), None)
    if found is None:
        raise Invalid("prices", f"none holds on {day}, when session {cdr.session_id} began")
    numerator, denominator = found.per_kwh.scaleb(minor_digits(currency)).as_integer_ratio()
    minor = divide_half_up(cdr.energy_wh * numerator, 1_000 * denominator)
    return _refund_line(cdr, found.per_kwh, from_minor(minor, currency))


def _refund_line(cdr: Cdr, per_kwh: Decimal | None, amount: Decimal) -> RefundLine:
    return RefundLine(
        session_id=cdr.session_id, started_at=cdr.started_at, energy_wh=cdr.energy_wh, per_kwh=per_kwh, amount=amount
    )


def _statement(lines: Iterable[RefundLine], currency: str) -> Refund:
    found = tuple(lines)
    total = sum((line.amount for line in found), from_minor(0, currency))
    return Refund(currency=currency, lines=found, energy_wh=sum(line.energy_wh for line in found), total=total)

"""Are the demo's prices such as a market could have, and the same each time?"""

from datetime import date
from decimal import Decimal

from laddbok.demo.prices import demo_quotes, price_of
from laddbok.model.market_prices import quarters_of

YEAR = quarters_of(date(2026, 1, 1), date(2026, 12, 31))


def test_each_price_depends_on_zone_and_quarter_alone() -> None:
    quotes = demo_quotes(YEAR)
    again = {quote.start_s: quote.per_kwh for quote in demo_quotes(reversed(YEAR))}
    assert {quote.start_s: quote.per_kwh for quote in quotes} == again and len(again) == 365 * 96
    assert {(quote.zone, quote.currency, quote.minutes) for quote in quotes} == {("SE3", "SEK", 15)}
    assert price_of("SE3", YEAR[0]) != price_of("SE4", YEAR[0])


def test_they_vary_and_some_are_below_nothing() -> None:
    prices = [quote.per_kwh for quote in demo_quotes(YEAR)]
    assert -1 < min(prices) < 0 < max(prices) < 3
    below = sum(price < 0 for price in prices)
    assert 0 < below < len(prices) // 10
    assert all(price == round(price, 4) for price in prices) and len(set(prices)) > 1_000
    night, evening = ([prices[day * 96 + 12] for day in range(60)], [prices[day * 96 + 72] for day in range(60)])
    assert sum(night, Decimal(0)) * 2 < sum(evening, Decimal(0))

"""How many sessions can be priced in a second?

Two kinds, each of many different sessions: simple ones (start fee, energy with one window of the day, charging time, parking
time, two periods), and days at the spot price (96 quarters, four parts of the price, a line per quarter). One process, the
tariff compiled once, all rated lines built, nothing kept between sessions; the median of five rounds.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.rated import Rating
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate

ZONE = "Europe/Stockholm"
ROUNDS = 5
SIMPLE = 10_000
SPOT = 500
DAY_QUARTERS = 96
_FIRST_AT = datetime(2026, 1, 1, tzinfo=UTC)
_VAT = 25

SIMPLE_TARIFF: dict[str, Any] = {
    "id": "simple",
    "currency": "SEK",
    "elements": [
        {
            "restrictions": {"start_time": "17:00", "end_time": "21:00"},
            "price_components": [{"type": "ENERGY", "price": "4.35", "vat": _VAT, "step_size": 1}],
        },
        {
            "price_components": [
                {"type": "FLAT", "price": "5.00", "vat": _VAT, "step_size": 1},
                {"type": "ENERGY", "price": "3.20", "vat": _VAT, "step_size": 1},
                {"type": "TIME", "price": "2.00", "vat": _VAT, "step_size": 1},
                {"type": "PARKING_TIME", "price": "12.00", "vat": _VAT, "step_size": 60},
            ]
        },
    ],
}
SPOT_TARIFF: dict[str, Any] = {
    "id": "spot",
    "currency": "SEK",
    "laddbok": {
        "spot": {
            "zone": "SE3",
            "markup": "0.08",
            "grid": [
                {"per_kwh": "0.35", "start_time": "06:00", "end_time": "22:00"},
                {"per_kwh": "0.17"},
            ],
            "energy_tax": [{"per_kwh": "0.36", "start_date": "2026-01-01", "end_date": "2027-01-01"}],
            "vat": _VAT,
        }
    },
}


def bench_rating(options: argparse.Namespace) -> dict[str, Any]:
    """The figures of `laddbok bench rating`: sessions a second, of either kind, on one core."""
    simple = compile_tariff(parse_tariff(SIMPLE_TARIFF), ZONE)
    spot = compile_tariff(parse_tariff(SPOT_TARIFF), ZONE)
    prices = day_ahead(random.Random(3))
    simple_per_s = _per_second(simple_sessions(random.Random(1)), lambda cdr: rate(cdr, simple))
    spot_per_s = _per_second(spot_days(random.Random(2), DAY_QUARTERS), lambda cdr: rate(cdr, spot, prices=prices))
    double_per_s = _per_second(
        spot_days(random.Random(2), 2 * DAY_QUARTERS), lambda cdr: rate(cdr, spot, prices=prices)
    )
    return {
        "simple_per_s": round(simple_per_s),
        "spot96_per_s": round(spot_per_s),
        "spot192_to_spot96_cost": round(spot_per_s / double_per_s, 2),
        "sessions": {"simple": SIMPLE, "spot": SPOT},
        "rounds": ROUNDS,
    }


def simple_sessions(pick: random.Random) -> list[Cdr]:
    """Different sessions of two periods: charging at any hour of a year, then parked."""
    return [_simple(pick, number) for number in range(SIMPLE)]


def spot_days(pick: random.Random, quarters: int) -> list[Cdr]:
    """Different sessions that charge for so many whole quarters, at any quarter of the first half of a year."""
    return [_spot_day(pick, number, quarters) for number in range(SPOT)]


def day_ahead(pick: random.Random) -> SpotPrices:
    """Prices of a year, some of them negative."""
    first_s = int(_FIRST_AT.timestamp())
    quarters = range(first_s, first_s + 365 * DAY_QUARTERS * QUARTER_S, QUARTER_S)
    by_start_s = {at_s: Decimal(pick.randrange(-20_000, 300_000)).scaleb(-5) for at_s in quarters}
    return SpotPrices(zone="SE3", currency="SEK", source="bench", by_start_s=by_start_s)


def _simple(pick: random.Random, number: int) -> Cdr:
    start_at = _FIRST_AT + timedelta(seconds=pick.randrange(360 * 86_400))
    full_at = start_at + timedelta(seconds=pick.randrange(600, 14_400))
    end_at = full_at + timedelta(seconds=pick.randrange(60, 7_200))
    periods = (
        ChargingPeriod(
            start_at=start_at, end_at=full_at, activity=Activity.CHARGING, energy_wh=pick.randrange(500, 60_000)
        ),
        ChargingPeriod(start_at=full_at, end_at=end_at, activity=Activity.IDLE, energy_wh=0),
    )
    return _cdr(f"simple-{number}", periods)


def _spot_day(pick: random.Random, number: int, quarters: int) -> Cdr:
    start_at = _FIRST_AT + timedelta(seconds=pick.randrange(180 * DAY_QUARTERS) * QUARTER_S)
    step = timedelta(seconds=QUARTER_S)
    periods = tuple(
        ChargingPeriod(
            start_at=start_at + n * step,
            end_at=start_at + (n + 1) * step,
            activity=Activity.CHARGING,
            energy_wh=pick.randrange(100, 2_750),
        )
        for n in range(quarters)
    )
    return _cdr(f"spot-{number}", periods)


def _cdr(session_id: str, periods: tuple[ChargingPeriod, ...]) -> Cdr:
    charged_until = max(period.end_at for period in periods if period.activity is Activity.CHARGING)
    end_at = periods[-1].end_at
    return Cdr(
        session_id=session_id,
        started_at=periods[0].start_at,
        charging_ended_at=charged_until,
        transaction_ended_at=end_at,
        unplugged_at=end_at,
        last_contact_at=end_at,
        energy_wh=sum(period.energy_wh for period in periods),
        periods=periods,
        time_zone=ZONE,
    )


def _per_second(sessions: Sequence[Cdr], price: Callable[[Cdr], Rating]) -> float:
    """The median rate of the rounds [sessions per s of CPU]."""
    return median(len(sessions) / _seconds(sessions, price) for _ in range(ROUNDS))


def _seconds(sessions: Sequence[Cdr], price: Callable[[Cdr], Rating]) -> float:
    began_s = time.process_time()
    for cdr in sessions:
        price(cdr)
    return time.process_time() - began_s

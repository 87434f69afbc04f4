"""How are sessions and tariffs written in the tests of rating? As stretches of minutes, and as prices."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.rated import Rating
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.rate import rate

STOCKHOLM = "Europe/Stockholm"
CHARGING, IDLE = Activity.CHARGING, Activity.IDLE
BY_EV, BY_EVSE = Activity.PAUSED_BY_EV, Activity.PAUSED_BY_EVSE

Stretch = tuple[float, Activity, int]
"""Minutes, what the outlet did, Wh."""


def local(text: str, fold: int = 0) -> datetime:
    """An instant by the clock on a Swedish wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(STOCKHOLM), fold=fold).astimezone(ZoneInfo("UTC"))


def session(start: str | datetime, *stretches: Stretch, **changes: Any) -> Cdr:
    """A finished session of these stretches, unplugged when its transaction ended."""
    at = started_at = local(start) if isinstance(start, str) else start
    periods = []
    for minutes, activity, wh in stretches:
        until = at + timedelta(minutes=minutes)
        periods.append(ChargingPeriod(start_at=at, end_at=until, activity=activity, energy_wh=wh))
        at = until
    charged = [period.end_at for period in periods if period.activity is CHARGING]
    fields = {
        "session_id": "TEST",
        "started_at": started_at,
        "charging_ended_at": charged[-1] if charged else None,
        "transaction_ended_at": at,
        "unplugged_at": at,
        "last_contact_at": at,
        "energy_wh": sum(period.energy_wh for period in periods),
        "periods": tuple(periods),
        "time_zone": STOCKHOLM,
    }
    return Cdr(**{**fields, **changes})


def element(restrictions: dict[str, Any] | None = None, vat: float | None = 25, **prices: Any) -> dict[str, Any]:
    """A tariff element; a price is a number or a pair of price and step_size."""
    components = []
    for kind, given in prices.items():
        price, step = given if isinstance(given, tuple) else (given, 1)
        components.append({"type": kind, "price": price, "step_size": step} | ({} if vat is None else {"vat": vat}))
    return {"price_components": components} | ({"restrictions": restrictions} if restrictions else {})


def tariff(*elements: dict[str, Any], **more: Any) -> CompiledTariff:
    """A tariff in kronor, compiled for Stockholm."""
    document = {"id": "T", "currency": "SEK", "elements": list(elements), **more}
    return compile_tariff(parse_tariff(document), STOCKHOLM)


def idle(per_min: float, **terms: Any) -> CompiledTariff:
    """A tariff with an idle fee beside free energy."""
    return tariff(element(ENERGY=0), laddbok={"idle": {"per_min": per_min, **terms}})


def net(cdr: Cdr, compiled: CompiledTariff, **how: Any) -> Decimal | None:
    return rate(cdr, compiled, **how).excl_vat


def quantities(rating: Rating) -> list[tuple[str, int]]:
    return [(line.kind.value, line.quantity) for line in rating.lines]


def codes(rating: Rating) -> set[str]:
    return {finding.code.value for finding in rating.findings}

"""Which session does a person try a tariff on?

One that is told in four figures: when it began, what it took, how long it charged, and how long it then stood. Its power
is even, and it was read at every quarter hour, as a session of ours is.

>>> cdr = example_session(datetime(2026, 5, 4, 10, 5, tzinfo=UTC), 10_000, 25 * 60, 600, "Europe/Stockholm")
>>> [(period.activity.value, period.energy_wh) for period in cdr.periods]
[('charging', 4000), ('charging', 6000), ('idle', 0)]
"""

from datetime import UTC, datetime

from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.spot_prices import QUARTER_S
from laddbok.rating.local_time import whole_seconds

SESSION_ID = "EXAMPLE"


def example_session(started_at: datetime, energy_wh: int, charging_s: int, idle_s: int, time_zone: str) -> Cdr:
    """A finished session of even power, unplugged when its transaction ended.

    Args: energy_wh [Wh]; charging_s [s], more than 0; idle_s [s], after charging ended; time_zone, of the site.
    Source: our choice, docs/rules.md "A week of prices".
    """
    start_s = whole_seconds(started_at)
    full_s, end_s = start_s + charging_s, start_s + charging_s + idle_s
    periods = [*_charging(start_s, full_s, energy_wh), *([_period(full_s, end_s, Activity.IDLE, 0)] if idle_s else [])]
    ended_at = _instant(end_s)
    return Cdr(
        session_id=SESSION_ID,
        started_at=_instant(start_s),
        charging_ended_at=_instant(full_s),
        transaction_ended_at=ended_at,
        unplugged_at=ended_at,
        last_contact_at=ended_at,
        energy_wh=energy_wh,
        periods=tuple(periods),
        time_zone=time_zone,
    )


def _charging(start_s: int, end_s: int, energy_wh: int) -> list[ChargingPeriod]:
    edges = [start_s, *range(start_s - start_s % QUARTER_S + QUARTER_S, end_s, QUARTER_S), end_s]
    registers = [(at_s - start_s) * energy_wh // (end_s - start_s) for at_s in edges]
    return [
        _period(edges[n], edges[n + 1], Activity.CHARGING, registers[n + 1] - registers[n])
        for n in range(len(edges) - 1)
    ]


def _period(start_s: int, end_s: int, activity: Activity, energy_wh: int) -> ChargingPeriod:
    return ChargingPeriod(start_at=_instant(start_s), end_at=_instant(end_s), activity=activity, energy_wh=energy_wh)


def _instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)

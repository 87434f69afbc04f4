"""Can that be?

An outlet can't give more energy than its power times the time. What exceeds that, with a margin for meters and clocks,
is held for a person. Where nobody recorded the outlet's power, the vehicle is the bound: a full battery of a large car
and what it could use up and take again meanwhile.

>>> bound_wh(22_000, 3600)
23985
>>> bound_wh(None, 3 * 3600)
250000
"""

from datetime import timedelta

from laddbok.model.session import ReviewReason, Session

MARGIN = (105, 100)
SLACK_WH = 500
SLACK_S = 60
"""Some stations stamp whole minutes: a session may have lasted a minute longer than its stamps say."""
BATTERY_WH = 100_000
"""What a large car takes at once. Lorries take more: their outlets need their power recorded."""
POWER_IF_UNKNOWN_W = 50_000
"""What an outlet of unknown power may give on top of that, for as long as the session lasts."""


def bound_wh(max_power_w: int | None, duration_s: int) -> int:
    """The most energy [Wh] that can be believed of an outlet of this power [W] in this time [s].

    Known power: power x (time + 1 min) x 1.05 + 0.5 kWh. Unknown: 100 kWh + 50 kW x time.
    Source: our choice, docs/rules.md "Plausible energy"; cases S33, S63.
    """
    if max_power_w is None:
        return BATTERY_WH + POWER_IF_UNKNOWN_W * duration_s // 3600
    return max_power_w * (duration_s + SLACK_S) * MARGIN[0] // (3600 * MARGIN[1]) + SLACK_WH


def longest_s(session: Session) -> int:
    """How long the session can have lasted at most [s]: if its start never came, since the session before ended (S16)."""
    began_at = session.started_at
    if session.before is not None and ReviewReason.INCOMPLETE_START in session.review_reasons:
        began_at = min(began_at, session.before.at)
    return ((session.transaction_ended_at or session.meter.mark_at) - began_at) // timedelta(seconds=1)


def more_than_the_outlet_can(session: Session) -> bool:
    """Whether the energy exceeds what the outlet, or if its power is unknown a vehicle, can explain."""
    return (session.energy_wh or 0) > bound_wh(session.max_power_w or None, longest_s(session))

"""Can that be?

An outlet can't give more energy than its power times the time. What exceeds that, with a margin for meters and clocks,
is held for a person.
"""

from datetime import timedelta

from laddbok.model.session import Session

POWER_IF_UNKNOWN_W = 400_000
"""No outlet that we know of gives more; used when a station's own limit is not known."""
MARGIN = (105, 100)
SLACK_WH = 500
SLACK_S = 60
"""Some stations stamp whole minutes: a session may have lasted a minute longer than its stamps say."""


def more_than_the_outlet_can(session: Session) -> bool:
    """Whether the energy exceeds power x (time + 1 min) x 1.05 + 0.5 kWh.

    Source: our choice, docs/rules.md "Plausible energy"; cases S33, S63.
    """
    end_at = session.transaction_ended_at or session.meter.mark_at
    duration_s = (end_at - session.started_at) // timedelta(seconds=1)
    power_w = session.max_power_w or POWER_IF_UNKNOWN_W
    bound_wh = power_w * (duration_s + SLACK_S) * MARGIN[0] // (3600 * MARGIN[1]) + SLACK_WH
    return (session.energy_wh or 0) > bound_wh

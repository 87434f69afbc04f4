"""What if a reading does not go on from the last one?

The register may have been misread once (a momentary 0, garbage), or it may have changed: it began anew after a restart,
it passed its highest number, or the start named a register that was never the meter's. One odd reading is put aside as
a doubt. If the next reading goes on from it, the register has changed, and energy is counted on from there; if not, the
doubt was garbage (cases S33, S36, B13, B14).

>>> from datetime import UTC
>>> from laddbok.model.cdr import Activity
>>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> meter = Meter(mark_at=noon, activity=Activity.CHARGING, begin_wh=0, mark_wh=0)
>>> doubtful = odd_reading(meter, noon + timedelta(minutes=1), 909_948, Gauge(22_000))
>>> doubtful.counted_wh, doubtful.meter.doubt.register_wh
(None, 909948)
>>> sure = odd_reading(doubtful.meter, noon + timedelta(minutes=2), 909_999, Gauge(22_000))
>>> sure.counted_wh, sure.meter.notes, sure.meter.begin_wh
(51, (<MeterNote.BEGIN_REPLACED: 'begin_replaced'>,), 909948)
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from laddbok.model.session import Doubt, Meter, MeterNote, Session
from laddbok.model.traits import Quirk
from laddbok.sessions.plausibility import POWER_IF_UNKNOWN_W, bound_wh

JUMP = 3
"""A reading is odd only if it is this many times above what the outlet can give: its recorded power may be too low."""
ROUNDING_WH = 10
"""Stations round their readings differently; so little below the last one is no news."""
FREELY_WH = 1_000
"""So much more is never looked at: most readings need no sum."""

_MODULUS_WH = {Quirk.ROLLS_OVER_AT_1_MWH: 1_000_000, Quirk.ROLLS_OVER_AT_10_MWH: 10_000_000}


class Gauge(msgspec.Struct, frozen=True):
    """How the readings of a session are judged: what its outlet can give [W], and how its register counts."""

    max_power_w: int | None = None
    modulus_wh: int | None = None
    samples_from_zero: bool = False

    def can_give(self, energy_wh: int, time: timedelta) -> bool:
        """Whether an outlet could give this energy in this time, or its recorded power is merely too low."""
        if energy_wh <= FREELY_WH:
            return True
        jump = JUMP if self.max_power_w else 1
        return energy_wh <= jump * bound_wh(self.max_power_w or None, time // timedelta(seconds=1))


PLAIN = Gauge()


def gauge_of(session: Session) -> Gauge:
    """How the readings of this session are judged."""
    if not session.quirks and session.max_power_w is None and not session.traits.samples_from_zero:
        return PLAIN
    modulus_wh = next((_MODULUS_WH[quirk] for quirk in session.quirks if quirk in _MODULUS_WH), None)
    from_zero = session.traits.samples_from_zero or Quirk.SAMPLES_FROM_ZERO in session.quirks
    return Gauge(session.max_power_w, modulus_wh, from_zero)


class Odd(msgspec.Struct, frozen=True):
    """What became of an odd reading: the meter as it is then, and what is to be counted up to the reading [Wh].

    `counted_wh` None: the reading is put aside, nothing is counted.
    """

    meter: Meter
    counted_wh: int | None = None


def odd_reading(meter: Meter, at: datetime, register_wh: int, gauge: Gauge) -> Odd:
    """What a reading means that is below the last one or far above it. Source: our choice, docs/rules.md "Energy"."""
    assert meter.mark_wh is not None
    step_wh = register_wh - meter.mark_wh
    around_wh = step_wh + (gauge.modulus_wh or 0)
    if gauge.modulus_wh and step_wh < 0 <= around_wh and gauge.can_give(around_wh, at - meter.mark_at):
        return Odd(_noted(_carrying(meter, gauge.modulus_wh), MeterNote.ROLLED_OVER), around_wh)
    doubt = meter.doubt
    if doubt is None or not _goes_on(doubt, at, register_wh, gauge):
        return Odd(replace(meter, doubt=Doubt(at, register_wh), rejected=meter.rejected + 1))
    return _changed(meter, doubt, register_wh, gauge)


def _goes_on(doubt: Doubt, at: datetime, register_wh: int, gauge: Gauge) -> bool:
    grown_wh = register_wh - doubt.register_wh
    return at > doubt.at and grown_wh > 0 and gauge.can_give(grown_wh, at - doubt.at)


def _changed(meter: Meter, doubt: Doubt, register_wh: int, gauge: Gauge) -> Odd:
    """The register has changed for good: count on from the doubt, and what it shows since a reset to nought."""
    assert meter.mark_wh is not None and meter.begin_wh is not None
    grown_wh = register_wh - doubt.register_wh
    if doubt.register_wh > meter.mark_wh == meter.begin_wh:
        begun = replace(meter, begin_wh=doubt.register_wh)
        return Odd(_noted(begun, MeterNote.BEGIN_REPLACED), grown_wh)
    if doubt.register_wh > meter.mark_wh:
        return Odd(_noted(_carrying(meter, meter.mark_wh - doubt.register_wh), MeterNote.JUMPED), grown_wh)
    since_reset_wh = doubt.register_wh if _is_since_a_reset(meter, doubt, gauge) else 0
    counted_wh = since_reset_wh + grown_wh
    carried = _carrying(meter, meter.mark_wh - register_wh + counted_wh)
    return Odd(_noted(carried, MeterNote.RESET), counted_wh)


def _is_since_a_reset(meter: Meter, doubt: Doubt, gauge: Gauge) -> bool:
    """Whether what a lower register shows can have flowed since the last reading; another meter shows what is not ours."""
    most_wh = bound_wh(gauge.max_power_w or POWER_IF_UNKNOWN_W, (doubt.at - meter.mark_at) // timedelta(seconds=1))
    return doubt.register_wh <= most_wh


def _carrying(meter: Meter, more_wh: int) -> Meter:
    return replace(meter, carried_wh=(meter.carried_wh or 0) + more_wh)


def _noted(meter: Meter, note: MeterNote) -> Meter:
    return meter if note in meter.notes else replace(meter, notes=(*meter.notes, note))

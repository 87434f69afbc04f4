"""How much energy flowed, and when?

The meter shows a register that only grows. Each accepted reading adds its difference to the last one, shared out over
the time between them in proportion to the time in which the outlet was charging. Charging periods are cut at every UTC
quarter hour and at every change of activity, so that a tariff can price each of them by itself; their energies are
whole Wh and always sum to the energy. A reading that does not go on from the last one is a doubt: the next reading
either goes on from the old register, or from the odd one, and then the register itself has changed (`sessions.odd`).

>>> from datetime import UTC, datetime
>>> at = lambda minute: datetime(2026, 1, 1, 8, minute, tzinfo=UTC)
>>> meter = begin_meter(at(0), 1000, Activity.CHARGING)
>>> meter = take_reading(turn(meter, at(10), Activity.PAUSED_BY_EV), at(20), 3000)
>>> [(p.start_at.minute, p.end_at.minute, p.activity.value, p.energy_wh) for p in periods(meter)]
[(0, 10, 'charging', 2000), (10, 15, 'paused_by_ev', 0), (15, 20, 'paused_by_ev', 0)]
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from msgspec.structs import replace

from laddbok.model.cdr import Activity, ChargingPeriod
from laddbok.model.events import Sample
from laddbok.model.session import Meter, Session, Turn
from laddbok.sessions.odd import ROUNDING_WH, Gauge, gauge_of, odd_reading
from laddbok.sessions.timekeeping import instant
from laddbok.sessions.told import BEGIN, END, is_placeholder

QUARTER = timedelta(minutes=15)
MAX_PERIODS = 4_000
"""Of one session (41 days of quarters); beyond it the last period just grows."""
NEVER = datetime.max.replace(tzinfo=UTC)
MAX_TURNS = 64
"""Changes of activity between two readings; beyond it the last one stands for the rest."""
GAP = timedelta(minutes=30)
"""A longer time between two readings makes the boundaries inside it estimates."""

TAKES_NOTHING = frozenset({Activity.PAUSED_BY_EV, Activity.IDLE})
"""What counts as idle: the vehicle takes no more, and not because we hold it back (case B34)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def begin_meter(at: datetime, register_wh: int | None, activity: Activity) -> Meter:
    """A meter fold that begins at `at` with this register [Wh], or with the first one that comes."""
    return Meter(mark_at=at, mark_wh=register_wh, begin_wh=register_wh, activity=activity)


def take_samples(session: Session, samples: tuple[Sample, ...], received_at: datetime) -> Meter:
    """The session's meter after these samples, in their order; one without a stamp to believe counts as of its receipt.

    One from before a start that is dated by its receipt counts as of that, where it shows that energy flowed.
    Readings of a station that counts each session from nought go on from the register of the start (case S34).
    """
    meter, gauge = session.meter, gauge_of(session)
    for sample in samples:
        at, _ = instant(sample.at, received_at, session.clock)
        if at < meter.mark_at:
            if not _goes_on_from_a_receipt(sample, session, meter):
                continue
            at = meter.mark_at
        if sample.register_wh is not None and not (
            meter.mark_wh is None and is_placeholder(sample.register_wh, session)
        ):
            meter = take_reading(meter, at, _on_the_meter(sample, meter, gauge), gauge)
        if sample.power_w is not None or sample.soc_pct is not None:
            power_w = meter.power_w if sample.power_w is None else sample.power_w
            soc_pct = meter.soc_pct if sample.soc_pct is None else sample.soc_pct
            meter = replace(meter, power_w=power_w, soc_pct=soc_pct)
    return meter


def _goes_on_from_a_receipt(sample: Sample, session: Session, meter: Meter) -> bool:
    """Whether a reading shows more than the start, which was stamped by a wrong clock and so began with its receipt only.

    It flowed in this session, before we heard of it: the clock was set in between (case S29).
    """
    is_at_start = session.started_at_is == "receipt" and meter.mark_at == session.started_at
    return is_at_start and meter.mark_wh is not None and (sample.register_wh or 0) > meter.mark_wh


def _on_the_meter(sample: Sample, meter: Meter, gauge: Gauge) -> int:
    """The reading on the scale of the start's register; one above it is on that scale already."""
    assert sample.register_wh is not None
    begin_wh = meter.begin_wh or 0
    counts_from_zero = gauge.samples_from_zero and sample.register_wh < begin_wh and sample.context not in (BEGIN, END)
    return sample.register_wh + begin_wh if counts_from_zero else sample.register_wh


def take_reading(meter: Meter, at: datetime, register_wh: int, gauge: Gauge = Gauge()) -> Meter:
    """The meter after one reading of the register [Wh] at `at`.

    A reading that is older than the last changes nothing; one below it, or above what any outlet can have given since,
    is a doubt: one odd value must not become the base of the next (cases S33, S36).
    Cost: constant, but for the quarters that a gap spans.
    """
    if at < meter.mark_at:
        return meter
    if meter.mark_wh is None:
        meter = replace(meter, begin_wh=register_wh, mark_wh=register_wh)
    assert meter.mark_wh is not None
    if 0 < meter.mark_wh - register_wh <= ROUNDING_WH:
        register_wh = meter.mark_wh
    energy_wh = register_wh - meter.mark_wh
    if not (energy_wh >= 0 and gauge.can_give(energy_wh, at - meter.mark_at)):
        odd = odd_reading(meter, at, register_wh, gauge)
        if odd.counted_wh is None:
            return odd.meter
        meter, energy_wh = odd.meter, odd.counted_wh
    return _extend(meter, at, energy_wh, mark_wh=register_wh, samples=meter.samples + 1, doubt=None)


def turn(meter: Meter, at: datetime, activity: Activity) -> Meter:
    """The meter after the outlet began to do something else at `at`; a stamp before the last reading counts as then."""
    at = max(at, meter.turns[-1].at if meter.turns else meter.mark_at)
    current = meter.turns[-1].activity if meter.turns else meter.activity
    if activity is current or len(meter.turns) >= MAX_TURNS:
        return meter
    return replace(meter, turns=(*meter.turns, Turn(at, activity)))


def idle_since(meter: Meter) -> datetime | None:
    """Since when the vehicle takes nothing, if that began after the last reading; else None."""
    run = list(takewhile(lambda turned: turned.activity in TAKES_NOTHING, reversed(meter.turns)))
    if not run or (len(run) == len(meter.turns) and meter.activity in TAKES_NOTHING):
        return None
    return run[-1].at


def finish(meter: Meter, at: datetime) -> Meter:
    """The meter with its time extended to `at` without further energy: nothing was read after the last reading."""
    if at <= meter.mark_at:
        return meter
    return _extend(meter, at, 0)


def periods(meter: Meter) -> tuple[ChargingPeriod, ...]:
    """All charging periods so far, in time order."""
    return meter.closed_periods if meter.open_period is None else (*meter.closed_periods, meter.open_period)


def added(meter: Meter, at: datetime, energy_wh: int) -> Meter:
    """The meter with this energy [Wh] in its time up to `at`, whatever a register says."""
    return _extend(meter, at, energy_wh, carried_wh=(meter.carried_wh or 0) + energy_wh)


def fitted(meter: Meter, energy_wh: int) -> Meter:
    """The meter with another energy [Wh] in the same time, shared out as the old one was; its periods are estimates."""
    if meter.energy_wh == energy_wh:
        return meter
    pieces = periods(meter)
    if not pieces:  # it lasted no time
        return replace(added(meter, meter.mark_at, energy_wh - (meter.energy_wh or 0)), doubt=None)
    weights = [piece.energy_wh for piece in pieces]
    if not any(weights):
        weights = [_charging_us(piece) for piece in pieces]
    if not any(weights):
        weights = [1] * len(pieces)
    total, passed, shared_wh, changed = sum(weights), 0, 0, []
    for piece, weight in zip(pieces, weights, strict=True):
        passed += weight
        through_wh = energy_wh * passed // total
        changed.append(replace(piece, energy_wh=through_wh - shared_wh, estimated=True))
        shared_wh = through_wh
    carried_wh = energy_wh - (meter.energy_wh or 0) + (meter.carried_wh or 0)
    last = changed[-1] if changed else None
    return replace(meter, closed_periods=tuple(changed[:-1]), open_period=last, carried_wh=carried_wh, doubt=None)


def _charging_us(piece: ChargingPeriod) -> int:
    return (piece.end_at - piece.start_at) // timedelta(microseconds=1) if piece.activity is Activity.CHARGING else 0


def _extend(meter: Meter, at: datetime, energy_wh: int, **also: int | None) -> Meter:
    """The mark at `at`, and the periods lengthened up to it, with this much energy [Wh] in that time.

    Args: also: what else becomes different of the meter.
    """
    period = meter.open_period
    if period is not None and not meter.turns and meter.cut_at is not None and at <= meter.cut_at:
        grown = replace(period, end_at=at, energy_wh=period.energy_wh + energy_wh)
        return replace(meter, open_period=grown, mark_at=at, **also)
    if at == meter.mark_at and energy_wh == 0:
        return replace(meter, **also)
    closed = list(meter.closed_periods)
    for piece in _pieces(meter, at, energy_wh):
        if period is None:
            period = piece
        elif _continues(period, piece) or len(closed) >= MAX_PERIODS:
            period = replace(period, end_at=piece.end_at, energy_wh=period.energy_wh + piece.energy_wh)
        else:
            closed.append(period)
            period = piece
    assert period is not None
    return replace(
        meter,
        **also,
        mark_at=at,
        closed_periods=tuple(closed),
        open_period=period,
        cut_at=_quarter_end(period.start_at) if len(closed) < MAX_PERIODS else NEVER,
        activity=next((t.activity for t in reversed(meter.turns) if t.at <= at), meter.activity),
        turns=tuple(t for t in meter.turns if t.at > at),
    )


def _pieces(meter: Meter, at: datetime, energy_wh: int) -> Iterator[ChargingPeriod]:
    """The time from the mark to `at`, cut at quarters and turns, with the energy shared out in whole Wh."""
    spans = list(_spans(meter, at))
    weights = [(end - start) // timedelta(microseconds=1) for start, end, _ in spans]
    charging = [w if act is Activity.CHARGING else 0 for w, (_, _, act) in zip(weights, spans, strict=True)]
    weights = charging if any(charging) else weights
    total = sum(weights)
    estimated = at - meter.mark_at > GAP
    passed = shared_wh = 0
    for (start, end, activity), weight in zip(spans, weights, strict=True):
        passed += weight
        through_wh = energy_wh * passed // total if total else energy_wh
        yield ChargingPeriod(
            start_at=start, end_at=end, activity=activity, energy_wh=through_wh - shared_wh, estimated=estimated
        )
        shared_wh = through_wh


def _spans(meter: Meter, at: datetime) -> Iterator[tuple[datetime, datetime, Activity]]:
    """(start, end, activity) from the mark to `at`; never empty."""
    start, activity = meter.mark_at, meter.activity
    for change in (*(t for t in meter.turns if t.at <= at), Turn(at, activity)):
        while (cut := _quarter_end(start)) < change.at:
            yield start, cut, activity
            start = cut
        if change.at > start or (change.at is at and at == meter.mark_at):
            yield start, change.at, activity
        start, activity = change.at, change.activity


def _continues(period: ChargingPeriod, piece: ChargingPeriod) -> bool:
    same = period.activity is piece.activity and period.estimated == piece.estimated
    return same and period.end_at == piece.start_at and piece.start_at < _quarter_end(period.start_at)


def _quarter_end(at: datetime) -> datetime:
    return _EPOCH + ((at - _EPOCH) // QUARTER + 1) * QUARTER

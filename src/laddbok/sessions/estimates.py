"""In which ways can the energy of a session be found?

Each function here is one way: it reads what was told and returns an estimate, or None when there is nothing to read.
None of them knows of the others; `sessions.energy` compares them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from laddbok.model.energy import Estimate, Method
from laddbok.model.session import MeterNote, ReviewReason, Session
from laddbok.model.traits import RegisterKind
from laddbok.sessions.odd import ROUNDING_WH, gauge_of
from laddbok.sessions.signed import energy_wh, register_wh
from laddbok.sessions.told import BEGIN, END, Told

MAX_STEP = timedelta(minutes=16)
"""Power or current is taken to run on from one reading to the next for so long at most."""
VOLTS = 230
_US = timedelta(microseconds=1)
_W_US_PER_WH = 3600 * 10**6


def signed(session: Session, told: Told) -> Estimate | None:
    """What one signed text says of begin and end, else the last signed register minus the first.

    Source: OCMF 1.0, RV, RU, TX; case S47.
    """
    texts = [(sample.at, text) for sample in told.samples for text in sample.signed if sample.at is not None]
    whole_wh = next((wh for _, text in reversed(texts) if (wh := energy_wh(text)) is not None), None)
    if whole_wh is not None:
        return Estimate(Method.SIGNED, whole_wh, _duration_s(session))
    registers = [(at, wh) for at, text in texts if (wh := register_wh(text)) is not None]
    return None if len(registers) < 2 else _between(Method.SIGNED, registers[0], registers[-1])


def registers(session: Session, told: Told) -> Estimate | None:
    """Register of the stop minus register of the start, the one nobody was billed for before (case S35).

    None where one of them is missing, or where the start's was not the meter's (case S33).
    """
    if told.start_wh is None or told.stop_wh is None:
        return None
    moved_wh = told.stop_wh - told.start_wh
    modulus_wh = gauge_of(session).modulus_wh
    if moved_wh < 0 and modulus_wh:
        moved_wh += modulus_wh
    return Estimate(Method.REGISTERS, _without_overlap(session, told, moved_wh), _duration_s(session))


def overlap_wh(session: Session, start_wh: int | None) -> int:
    """How much of a session was billed with the one before, because its start lags a little behind that end [Wh] (S35).

    A register that begins anew lags behind nothing.
    """
    before = session.before
    if before is None or start_wh is None or start_wh <= NOUGHT_WH or session.traits.register_kind in _BEGINS_ANEW:
        return 0
    lag_wh = before.register_wh - start_wh
    return lag_wh if 0 < lag_wh <= OVERLAP_WH else 0


def _without_overlap(session: Session, told: Told, moved_wh: int) -> int:
    """No Wh is billed twice, and none is given back."""
    return moved_wh if moved_wh <= 0 else max(0, moved_wh - overlap_wh(session, told.start_wh))


NOUGHT_WH = 10
"""A register that shows no more has just begun, or is a placeholder."""
_BEGINS_ANEW = (RegisterKind.SESSION, RegisterKind.BOOT)


OVERLAP_WH = 200
"""So much below the end of the session before, a register only lags behind (case S35); more is another register."""


def transaction_data(session: Session, told: Told) -> Estimate | None:
    """The reading at Transaction.End minus the one at Transaction.Begin."""
    begins = [(s.at, s.register_wh) for s in told.samples if s.context == BEGIN and s.register_wh is not None]
    ends = [(s.at, s.register_wh) for s in told.samples if s.context == END and s.register_wh is not None]
    if not begins or not ends:
        return None
    return _between(Method.TRANSACTION_DATA, _known(begins[0]), _known(ends[-1]))


def continued(session: Session, told: Told) -> Estimate | None:
    """From the end of the session before, where the begin of this one is not to be believed (case S33).

    Only if the outlet can have given what lies between that end and this session's first reading, since it began; if its
    start never came, since that end (S16).
    """
    meter, before = session.meter, session.before
    if before is None or meter.energy_wh is None or meter.begin_wh is None:
        return None
    if session.traits.register_kind in _BEGINS_ANEW:
        return None
    if begin_is_no_register(session, told):
        is_at_wh = meter.energy_wh + meter.begin_wh
        if has_only_jumped(session) and told.stop_wh is not None:
            is_at_wh = told.stop_wh
        return Estimate(Method.CONTINUED, max(is_at_wh - before.register_wh, 0), _duration_s(session))
    if MeterNote.BEGIN_REPLACED not in meter.notes and told.start_wh is not None:
        return None
    missed_wh = meter.begin_wh - before.register_wh
    began_at = before.at if ReviewReason.INCOMPLETE_START in session.review_reasons else session.started_at
    since_begin = max(_first_read_at(session, told) - began_at, timedelta())
    if not (missed_wh >= -ROUNDING_WH and gauge_of(session).can_give(missed_wh, since_begin)):
        return None
    return Estimate(Method.CONTINUED, meter.energy_wh + max(missed_wh, 0), _duration_s(session))


def begin_is_no_register(session: Session, told: Told) -> bool:
    """Whether a start of nought is a placeholder, though its session could have begun there (case S33).

    Every reading goes on from where the session before ended. A register that counts each session anew would most often
    have shown less on the way there.
    """
    before = session.before
    if before is None or told.start_wh is None or told.start_wh > NOUGHT_WH or before.register_wh < LEAST_REGISTER_WH:
        return False
    if session.traits.register_kind in _BEGINS_ANEW or MeterNote.BEGIN_REPLACED in session.meter.notes:
        return False
    ended_at = session.transaction_ended_at or session.meter.mark_at
    read = [(s.at, s.register_wh) for s in told.samples if (s.register_wh or 0) > NOUGHT_WH]
    read += [] if told.stop_wh is None else [(ended_at, told.stop_wh)]
    if not read:
        return False
    first_at, first_wh = read[0]
    missed_wh = (first_wh or 0) - before.register_wh
    since_start = (first_at or session.started_at) - session.started_at
    return missed_wh >= -ROUNDING_WH and gauge_of(session).can_give(missed_wh, since_start)


def has_only_jumped(session: Session) -> bool:
    """Whether the only reading after the start's register can't go on from it: then nothing was measured."""
    meter = session.meter
    is_still_at_begin = meter.samples <= 1 and meter.mark_wh == meter.begin_wh
    return is_still_at_begin and meter.doubt is not None and meter.doubt.register_wh > (meter.mark_wh or 0)


LEAST_REGISTER_WH = 1_000
"""Below it a register tells nothing of its kind: a new meter and a session's own look the same."""


def _first_read_at(session: Session, told: Told) -> datetime:
    """When the register was read from which the meter was followed."""
    began_wh = session.meter.begin_wh
    first_at = next((s.at for s in told.samples if s.register_wh == began_wh), None)
    if first_at is None and told.stop_wh == began_wh:
        first_at = session.transaction_ended_at
    return first_at or session.started_at


def sampled(session: Session, told: Told) -> Estimate | None:
    """The register followed reading by reading, doubts put aside: what the session showed while it ran.

    None where the register was read once only, and not at the start: one number is no energy.
    """
    shown_wh = session.meter.energy_wh
    if shown_wh is None:
        return None
    ended_at = session.transaction_ended_at or session.meter.mark_at
    read_at = {_known((s.at, 0))[0] for s in told.samples if s.register_wh is not None}
    if told.stop_wh is not None and session.meter.mark_wh == told.stop_wh:
        read_at.add(ended_at)
    is_followed_later = told.start_wh is None or MeterNote.BEGIN_REPLACED in session.meter.notes
    since = _first_read_at(session, told) if is_followed_later else session.started_at
    is_at_start = since == session.started_at and ReviewReason.INCOMPLETE_START not in session.review_reasons
    if told.start_wh is None and read_at == {since} and not is_at_start:
        return None
    shown_wh = _without_overlap(session, told, shown_wh)
    return Estimate(Method.SAMPLED, shown_wh, _seconds(since, max(read_at, default=session.started_at)))


def intervals(session: Session, told: Told) -> Estimate | None:
    """The sum of the energies of intervals, each instant once."""
    told_at = {s.at: s.interval_wh for s in told.samples if s.interval_wh is not None}
    if not told_at:
        return None
    last_at = max(at for at in told_at if at is not None)
    return Estimate(Method.INTERVALS, sum(told_at.values()), _seconds(session.started_at, last_at))


def power(session: Session, told: Told) -> Estimate | None:
    """Power times time, straight from reading to reading."""
    return _integral(Method.POWER, [(s.at, s.power_w) for s in told.samples if s.power_w is not None])


def current(session: Session, told: Told) -> Estimate | None:
    """Current of all lines times 230 V times time; rough, and wrong for direct current."""
    drawn = [(s.at, sum(s.currents_ma) * VOLTS // 1000) for s in told.samples if s.currents_ma]
    return _integral(Method.CURRENT, drawn)


ESTIMATES: tuple[Callable[[Session, Told], Estimate | None], ...] = (
    signed,
    registers,
    transaction_data,
    continued,
    sampled,
    intervals,
    power,
    current,
)
"""The strongest first."""


def _between(method: Method, first: tuple[datetime, int], last: tuple[datetime, int]) -> Estimate:
    return Estimate(method, last[1] - first[1], _seconds(first[0], last[0]))


def _integral(method: Method, points: Sequence[tuple[datetime | None, int]]) -> Estimate | None:
    steps = list(_steps([_known(point) for point in points]))
    if not steps:
        return None
    covered = sum((time for time, _ in steps), timedelta())
    w_us = sum((time // _US) * twice_w for time, twice_w in steps)
    return Estimate(method, w_us // (2 * _W_US_PER_WH), covered // timedelta(seconds=1))


def _steps(points: Sequence[tuple[datetime, int]]) -> Iterator[tuple[timedelta, int]]:
    """(time, twice the mean power) of each step that is short enough."""
    for (since, before), (at, after) in pairwise(points):
        if timedelta() < at - since <= MAX_STEP:
            yield at - since, before + after


def _known(point: tuple[datetime | None, int]) -> tuple[datetime, int]:
    at, value = point
    assert at is not None
    return at, value


def _duration_s(session: Session) -> int:
    return _seconds(session.started_at, session.transaction_ended_at or session.meter.mark_at)


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, (until - since) // timedelta(seconds=1))

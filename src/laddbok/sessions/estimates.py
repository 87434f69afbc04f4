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
    moved_wh = told.stop_wh - first_unbilled(session, told.start_wh)
    modulus_wh = gauge_of(session).modulus_wh
    if moved_wh < 0 and modulus_wh:
        moved_wh += modulus_wh
    return Estimate(Method.REGISTERS, moved_wh, _duration_s(session))


def first_unbilled(session: Session, start_wh: int) -> int:
    """The register [Wh] from which on a session is billed: a start a little below the last session's end counts no Wh twice."""
    before = session.before
    if before is not None and 0 < before.register_wh - start_wh <= OVERLAP_WH:
        return before.register_wh
    return start_wh


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
    if session.traits.register_kind in (RegisterKind.SESSION, RegisterKind.BOOT):
        return None
    if MeterNote.BEGIN_REPLACED not in meter.notes and told.start_wh is not None:
        return None
    first_at = next((s.at for s in told.samples if s.register_wh == meter.begin_wh), session.started_at)
    missed_wh = meter.begin_wh - before.register_wh
    began_at = before.at if ReviewReason.INCOMPLETE_START in session.review_reasons else session.started_at
    since_begin = max((first_at or session.started_at) - began_at, timedelta())
    if not (missed_wh >= -ROUNDING_WH and gauge_of(session).can_give(missed_wh, since_begin)):
        return None
    return Estimate(Method.CONTINUED, meter.energy_wh + max(missed_wh, 0), _duration_s(session))


def sampled(session: Session, told: Told) -> Estimate | None:
    """The register followed reading by reading, doubts put aside: what the session showed while it ran."""
    shown_wh = session.meter.energy_wh
    if shown_wh is None:
        return None
    last = max((_known((s.at, 0))[0] for s in told.samples if s.register_wh is not None), default=session.started_at)
    is_whole = told.stop_wh is not None and session.meter.mark_wh == told.stop_wh
    return Estimate(Method.SAMPLED, shown_wh, _duration_s(session) if is_whole else _seconds(session.started_at, last))


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

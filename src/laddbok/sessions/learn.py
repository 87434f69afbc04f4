"""What did this session teach us of its station?

A station's habits show in its own evidence: a start where the last session ended (its register counts for life), readings
that begin at nought (they count from the start), stamps that are all late by the same time. A habit is believed after it
was seen in two sessions in a row; a clock that is off proves itself in one. What is believed is a new version; sessions
keep the version with which they opened.

>>> traits = watched(Traits(), "register_kind", RegisterKind.LIFETIME)
>>> traits.register_kind.value, traits.version
('unknown', 0)
>>> traits = watched(traits, "register_kind", RegisterKind.LIFETIME)
>>> traits.register_kind.value, traits.version
('lifetime', 1)
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from laddbok.model.session import Clock, MeterNote, ReviewReason, Session
from laddbok.model.traits import EvsePhases, RegisterKind, Sighting, Traits
from laddbok.sessions.energy import is_unit_off
from laddbok.sessions.estimates import LEAST_REGISTER_WH, NOUGHT_WH, OVERLAP_WH, begin_is_no_register
from laddbok.sessions.odd import ROUNDING_WH
from laddbok.sessions.told import Told

TIMES = 2
"""Sessions in a row in which a habit must show."""
LEAST_CURRENT_MA = 1_000
SAME_OFFSET_S = 60
"""A clock that drifts a little has no new offset."""


def learn(traits: Traits, session: Session, told: Told, clock: Clock) -> Traits:
    """The station's traits after one more ended session; the same object when it taught nothing.

    Args: clock: what the session's own stamps prove, against the station's raw stamps.
    Source: our choice, docs/rules.md "Habits of a station"; cases S28, S33, S34, S38.
    """
    learned = traits
    for name, value in _seen(session, told):
        learned = watched(learned, name, value)
    learned = _with_clock(learned, session, clock)
    return _with_phases(learned, session, told)


def watched(traits: Traits, name: str, value: Any) -> Traits:
    """The traits after a habit showed once more: believed at the second time in a row."""
    if getattr(traits, name) == value:
        others = {key: sighting for key, sighting in traits.watched.items() if key != name}
        return traits if name not in traits.watched else replace(traits, watched=others)
    before = traits.watched.get(name, Sighting())
    times = before.times + 1 if before.value == value else 1
    if times < TIMES:
        return replace(traits, watched=traits.watched | {name: Sighting(value, times)})
    others = {key: sighting for key, sighting in traits.watched.items() if key != name}
    return replace(traits, version=traits.version + 1, watched=others, **{name: value})


def _seen(session: Session, told: Told) -> Iterator[tuple[str, Any]]:
    """(name, value) of each habit that this session shows."""
    kind = register_kind(session, told)
    if kind is not None:
        yield "register_kind", kind
    from_zero = samples_from_zero(session, told)
    if from_zero is not None:
        yield "samples_from_zero", from_zero
    if ReviewReason.UNIT_DOUBTFUL in session.review_reasons and not is_unit_off(session):
        yield "register_unit_wh", 1000  # read as kWh, as it was for the proposal, its energy is right


def register_kind(session: Session, told: Told) -> RegisterKind | None:
    """What the register in start and stop counts, as this session shows; None: it does not show."""
    before = session.before
    if before is None or told.start_wh is None or before.register_wh < LEAST_REGISTER_WH:
        return None
    if told.start_wh >= before.register_wh - OVERLAP_WH:
        return RegisterKind.LIFETIME
    if MeterNote.BEGIN_REPLACED in session.meter.notes or begin_is_no_register(session, told):
        return None
    return RegisterKind.SESSION if told.start_wh <= NOUGHT_WH else RegisterKind.BOOT


def samples_from_zero(session: Session, told: Told) -> bool | None:
    """Whether readings count from the start of the session while start and stop do not; None: it does not show."""
    read = [
        s.register_wh for s in told.samples if s.register_wh is not None and not s.context.startswith("Transaction")
    ]
    if not read or told.start_wh is None or told.stop_wh is None or told.start_wh < LEAST_REGISTER_WH:
        return None
    if told.start_wh <= read[0] and read[-1] <= told.stop_wh + ROUNDING_WH:
        return False
    if read[-1] < told.start_wh and read[-1] <= told.stop_wh - told.start_wh + ROUNDING_WH:
        return True
    return None


def _with_clock(traits: Traits, session: Session, clock: Clock) -> Traits:
    """A clock proves itself in one session, right or wrong."""
    if session.clock.is_useless or session.clock.zone is not None or not clock.is_proven:
        return traits
    if abs(clock.offset_s - traits.clock_offset_s) <= SAME_OFFSET_S:
        return traits
    return replace(traits, version=traits.version + 1, clock_offset_s=clock.offset_s)


def _with_phases(traits: Traits, session: Session, told: Told) -> Traits:
    """The lines on which the EVSE of this session ever drew current."""
    drawn = {
        line
        for sample in told.samples
        if sample.currents_ma and len(sample.currents_ma) > 1
        for line, current_ma in enumerate(sample.currents_ma, start=1)
        if current_ma >= LEAST_CURRENT_MA
    }
    known = {line for each in traits.phases if each.evse_id == session.evse_id for line in each.lines}
    if drawn <= known:
        return traits
    others = tuple(each for each in traits.phases if each.evse_id != session.evse_id)
    phases = (*others, EvsePhases(session.evse_id, tuple(sorted(known | drawn))))
    in_order = tuple(sorted(phases, key=lambda each: each.evse_id))
    return replace(traits, version=traits.version + 1, phases=in_order)

"""How much energy is a session billed for, and how sure is that?

The estimates are ranked: signed values before registers, registers before readings, and so on. The first that the outlet
can have given is the proposal. Another one that agrees makes it sure. One that disagrees, unless the proposal has
support, is for a person to see: the session is held, with the proposal and all estimates.

Power and current are never billed. They support an energy, and they betray a unit: an energy that is a thousandth of
power times time was counted in kWh and called Wh (case S38).
"""

from collections.abc import Iterable

from laddbok.model.energy import Confidence, EnergyFinding, Estimate, Method
from laddbok.model.session import MeterNote, ReviewReason, Session
from laddbok.model.traits import RegisterKind
from laddbok.sessions.estimates import ESTIMATES, begin_is_no_register, has_only_jumped
from laddbok.sessions.odd import ROUNDING_WH
from laddbok.sessions.plausibility import POWER_IF_UNKNOWN_W, bound_wh, longest_s
from laddbok.sessions.told import BEGIN, END, Told

NEVER_BILLED = frozenset({Method.POWER, Method.CURRENT})
TOLERANCE_WH = 200
TOLERANCE_PERCENT = 2
ROUGH_PERCENT = 25
"""Of power and current, which were read now and then."""
UNIT_OFF = 300
"""An energy that differs from power times time by more than this factor was told in another unit."""
ENOUGH_WH = 500
OVERFLOW_WH = 2**32
"""No meter of an outlet has counted so far; the register has overflown (case S49)."""


def find_energy(session: Session, told: Told) -> EnergyFinding:
    """The energy of an ended session, from all that was told of it.

    Source: our choice, docs/rules.md "Energy"; cases S33 to S38, B13, B14.
    """
    bound = bound_wh(session.max_power_w or None, longest_s(session))
    estimates = tuple(e for e in (estimate(session, told) for estimate in ESTIMATES) if e is not None)
    ignored = NEVER_BILLED | discredited(session, told)
    candidates = [e for e in estimates if e.method not in ignored and 0 <= e.energy_wh <= bound]
    if not candidates:
        return EnergyFinding(
            energy_wh=None, method=None, confidence=Confidence.LOW, estimates=estimates, bound_wh=bound
        )
    best = candidates[0]
    return EnergyFinding(
        energy_wh=best.energy_wh,
        method=best.method,
        confidence=_confidence(session, told, best, estimates),
        estimates=estimates,
        bound_wh=bound,
        gap_wh=gap_wh(session, told),
    )


def doubts(session: Session, told: Told, finding: EnergyFinding) -> Iterable[ReviewReason]:
    """Why a person must see this energy before it is billed; nothing: it may be billed.

    Source: our choice, docs/rules.md "Review".
    """
    believed = next((e for e in finding.estimates if e.method is finding.method), None)
    if believed is None:
        above = any(e.energy_wh > finding.bound_wh for e in finding.estimates if e.method not in NEVER_BILLED)
        yield ReviewReason.MORE_THAN_THE_OUTLET_CAN if above else ReviewReason.NO_METER_READING
        return
    if _stop_is_below(session, told):
        yield ReviewReason.REGISTER_WENT_BACK
    is_replaced = begin_is_no_register(session, told)
    is_above = _is_above(finding, Method.REGISTERS)
    if MeterNote.BEGIN_REPLACED not in session.meter.notes and is_above and not is_replaced:
        yield ReviewReason.MORE_THAN_THE_OUTLET_CAN
    if MeterNote.BEGIN_REPLACED in session.meter.notes and finding.method in (Method.SAMPLED, Method.INTERVALS):
        yield ReviewReason.BEGIN_NOT_BELIEVED
    if finding.method is Method.CONTINUED and session.before is not None and not session.before.was_stopped:
        yield ReviewReason.BEGIN_NOT_BELIEVED
    if is_replaced and not is_above and session.traits.register_kind is not RegisterKind.LIFETIME:
        yield ReviewReason.BEGIN_NOT_BELIEVED
    if max(told.stop_wh or 0, session.meter.mark_wh or 0) >= OVERFLOW_WH:
        yield ReviewReason.REGISTER_OVERFLOW
    if unit_is_off(session, finding, believed):
        yield ReviewReason.UNIT_DOUBTFUL
    elif not _support(session, told, believed, finding.estimates) and any(_against(session, told, believed, finding)):
        yield ReviewReason.ESTIMATES_DISAGREE


def discredited(session: Session, told: Told) -> frozenset[Method]:
    """The ways that can't be right, as the others show: a register that is not the one the session was measured by."""
    ways: frozenset[Method] = frozenset()
    if _stop_is_below(session, told) or _ended_below_its_reset(session, told):
        ways |= _FROM_END_TO_END
    if begin_is_no_register(session, told):
        ways |= _FROM_END_TO_END | {Method.SAMPLED}
    return ways | {Method.SAMPLED} if has_only_jumped(session) else ways


_FROM_END_TO_END = frozenset({Method.REGISTERS, Method.TRANSACTION_DATA})


def agree(session: Session, a: Estimate, b: Estimate) -> bool:
    """Whether two estimates tell of the same energy, given how exact they are and which part of the session they cover."""
    percent = ROUGH_PERCENT if NEVER_BILLED & {a.method, b.method} else TOLERANCE_PERCENT
    power_w = session.max_power_w or POWER_IF_UNKNOWN_W
    uncovered_wh = power_w * abs(a.covered_s - b.covered_s) // 3600
    tolerance_wh = max(TOLERANCE_WH, max(a.energy_wh, b.energy_wh) * percent // 100) + uncovered_wh
    return abs(a.energy_wh - b.energy_wh) <= tolerance_wh


def unit_is_off(session: Session, finding: EnergyFinding, believed: Estimate) -> bool:
    """Whether the energy is about a thousandth, or a thousand times, of what power and current say.

    What flowed while power was not read speaks for no other unit: a car that is full before the first reading took all of
    its energy at a power that nobody saw.
    """
    rough = [e for e in finding.estimates if e.method in NEVER_BILLED and e.covered_s * 2 >= believed.covered_s]
    larger = [(max(e.energy_wh, believed.energy_wh), min(e.energy_wh, believed.energy_wh)) for e in rough]
    is_far = all(most >= ENOUGH_WH and most >= UNIT_OFF * least for most, least in larger)
    return bool(larger) and is_far and not any(agree(session, believed, estimate) for estimate in rough)


def is_unit_off(session: Session) -> bool:
    """Whether the energy that was found for it is, as it was read, far from power and current."""
    finding = session.energy
    believed = next((e for e in finding.estimates if e.method is finding.method), None) if finding else None
    return finding is not None and believed is not None and unit_is_off(session, finding, believed)


KWH_FACTORS = (500, 2_000)
"""A register that counts kWh and calls them Wh is too small by about a thousand."""


def counted_in_kwh(session: Session) -> bool:
    """Whether its energy is about a thousandth of power times time: it counts kWh and calls them Wh (case S38).

    A register that no meter could have reached in kWh is one in Wh.
    """
    finding = session.energy
    if finding is None or ReviewReason.UNIT_DOUBTFUL not in session.review_reasons or finding.energy_wh is None:
        return False
    if (session.meter.mark_wh or 0) * 1000 >= OVERFLOW_WH:
        return False
    least, most = KWH_FACTORS
    rough = [e.energy_wh for e in finding.estimates if e.method in NEVER_BILLED]
    return any(least * finding.energy_wh <= rough_wh <= most * max(finding.energy_wh, 1) for rough_wh in rough)


def gap_wh(session: Session, told: Told) -> int | None:
    """By how much the register moved while no session ran [Wh]: other use, a lost session, or another register (S35)."""
    if session.before is None or told.start_wh is None or MeterNote.BEGIN_REPLACED in session.meter.notes:
        return None
    if begin_is_no_register(session, told):
        return None
    if session.traits.register_kind is not RegisterKind.LIFETIME:
        return None
    return told.start_wh - session.before.register_wh


def _is_above(finding: EnergyFinding, method: Method) -> bool:
    return any(e.method is method and e.energy_wh > finding.bound_wh for e in finding.estimates)


def _confidence(session: Session, told: Told, best: Estimate, estimates: tuple[Estimate, ...]) -> Confidence:
    if _support(session, told, best, estimates):
        return Confidence.FAIR if session.meter.notes else Confidence.HIGH
    ignored = NEVER_BILLED | discredited(session, told)
    others = [e for e in estimates if e is not best and e.method not in ignored and not agree(session, best, e)]
    return Confidence.LOW if others and not session.meter.notes else Confidence.FAIR


def _support(session: Session, told: Told, believed: Estimate, estimates: tuple[Estimate, ...]) -> bool:
    """Whether another way finds the same. What was followed is another way only if there were readings on the way.

    Start and stop, and the readings marked as begin and end, are one way: in 2.0.1 they are the same numbers.
    """
    ignored = discredited(session, told) | (_FROM_END_TO_END if believed.method in _FROM_END_TO_END else frozenset())
    others = [e for e in estimates if e is not believed and e.method not in ignored and agree(session, believed, e)]
    was_read = any(s.register_wh is not None and s.context not in (BEGIN, END) for s in told.samples)
    return any(was_read or Method.SAMPLED not in (e.method, believed.method) for e in others)


def _against(session: Session, told: Told, believed: Estimate, finding: EnergyFinding) -> Iterable[Estimate]:
    """The estimates that may be billed and find another energy, though they can be believed."""
    ignored = NEVER_BILLED | discredited(session, told)
    for estimate in finding.estimates:
        if estimate is believed or estimate.method in ignored:
            continue
        if 0 <= estimate.energy_wh <= finding.bound_wh and not agree(session, believed, estimate):
            yield estimate


def _stop_is_below(session: Session, told: Told) -> bool:
    """Whether the stop's register lies below what was read of the same register (case S37)."""
    meter = session.meter
    if told.stop_wh is None or meter.mark_wh is None or MeterNote.BEGIN_REPLACED in meter.notes:
        return False
    return told.stop_wh < meter.mark_wh - ROUNDING_WH


def _ended_below_its_reset(session: Session, told: Told) -> bool:
    """Whether the register began anew in the session and did not come back to where it had been (cases S36, B14)."""
    was_at_wh = session.meter.carried_wh or 0
    return MeterNote.RESET in session.meter.notes and told.stop_wh is not None and told.stop_wh < was_at_wh

"""What does a person's decision make of a session?

The engine proposes, a person decides: accepts the proposal, corrects it with a reason, voids the session, or asks to see
it once more. A decision is evidence like a frame: appended, never edited, and applied again whenever the session is
derived anew. The last one counts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from laddbok.model.cdr import Activity
from laddbok.model.energy import Confidence, EnergyFinding, Method
from laddbok.model.errors import Invalid
from laddbok.model.session import Meter, Session, Verdict, VerdictKind
from laddbok.sessions.meter import added, begin_meter, finish, fitted, periods, turn

LONGEST = timedelta(days=60)
MOST_WH = 10_000_000
"""A person types no more than 10 MWh into one session."""
MAX_REASON_CHARS = 500


def last_verdict(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The decision that counts: the last one, with what earlier corrections said of other things.

    To look once more begins anew: what was decided before counts no longer.
    """
    last: Verdict | None = None
    for verdict in verdicts:
        last = verdict if last is None or VerdictKind.REOPEN in (last.kind, verdict.kind) else _onto(last, verdict)
    return last


def _onto(before: Verdict, verdict: Verdict) -> Verdict:
    kept = {name: getattr(before, name) for name in _CORRECTABLE if getattr(verdict, name) is None}
    if verdict.token is not None:  # another driver has their own contract, or none
        kept.pop("contract_id", None)
    return replace(verdict, **kept)


_CORRECTABLE = ("energy_wh", "started_at", "ended_at", "token", "contract_id", "tariff")


def judged(session: Session, verdict: Verdict) -> Session:
    """The session as the engine found it, with what a person decided.

    Source: our choice, docs/rules.md "Review".
    """
    if verdict.kind in (VerdictKind.VOID, VerdictKind.REOPEN):
        return replace(session, verdict=verdict)
    started_at = verdict.started_at or session.started_at
    ended_at = verdict.ended_at or session.transaction_ended_at or session.meter.mark_at
    energy_wh = proposed_wh(session) if verdict.energy_wh is None else verdict.energy_wh
    if (started_at, ended_at) != (session.started_at, session.transaction_ended_at):
        session = _in_time(session, started_at, max(ended_at, started_at), energy_wh)
    elif energy_wh is not None:
        session = replace(session, meter=fitted(session.meter, energy_wh))
    return replace(
        session,
        verdict=verdict,
        energy=_found(session, verdict, energy_wh),
        token=verdict.token or session.token,
        contract_id=verdict.contract_id if verdict.token or verdict.contract_id else session.contract_id,
        tariff=verdict.tariff or session.tariff,
    )


def checked(verdict: Verdict, session: Session) -> Verdict:
    """The verdict, if it can be one about this session.

    Raises: Invalid, naming the field.
    """
    if not verdict.reason.strip():
        raise Invalid("reason", "is missing")
    if len(verdict.reason) > MAX_REASON_CHARS:
        raise Invalid("reason", f"is longer than {MAX_REASON_CHARS} characters")
    if verdict.energy_wh is not None and not 0 <= verdict.energy_wh <= MOST_WH:
        raise Invalid("energy_wh", f"must be from 0 to {MOST_WH}")
    if verdict.kind is VerdictKind.CORRECT and not _says_something(verdict):
        raise Invalid("energy_wh", "a correction corrects something: energy, times, token, contract or tariff")
    if verdict.kind is VerdictKind.ACCEPT and verdict.energy_wh is None and proposed_wh(session) is None:
        raise Invalid("energy_wh", "the engine proposes no energy that could be accepted; correct it")
    _check_times(verdict, session)
    return verdict


def proposed_wh(session: Session) -> int | None:
    """What the engine found; None where nothing can be believed, though a register may have been followed for a while."""
    return session.energy_wh if session.energy is None else session.energy.energy_wh


def _says_something(verdict: Verdict) -> bool:
    return any(getattr(verdict, name) is not None for name in _CORRECTABLE)


def _check_times(verdict: Verdict, session: Session) -> None:
    started_at = verdict.started_at or session.started_at
    ended_at = verdict.ended_at or session.transaction_ended_at or session.meter.mark_at
    if verdict.started_at is None and verdict.ended_at is None:
        return
    if ended_at < started_at:
        raise Invalid("ended_at" if verdict.ended_at else "started_at", "the session would end before it begins")
    if ended_at - started_at > LONGEST:
        raise Invalid(
            "ended_at" if verdict.ended_at else "started_at", f"the session would last over {LONGEST.days} days"
        )


def _in_time(session: Session, started_at: datetime, ended_at: datetime, energy_wh: int | None) -> Session:
    """The session in another time: what happened inside it stays, and when energy flowed; what lies outside is cut off."""
    pieces = periods(session.meter)
    meter = begin_meter(started_at, None, pieces[0].activity if pieces else Activity.CHARGING)
    for piece in pieces:
        begin_at, end_at = max(piece.start_at, started_at), min(piece.end_at, ended_at)
        if begin_at < end_at:
            share_wh = piece.energy_wh * (end_at - begin_at) // (piece.end_at - piece.start_at)
            meter = added(turn(finish(meter, begin_at), begin_at, piece.activity), end_at, share_wh)
    meter = finish(meter, ended_at)
    meter = meter if energy_wh is None else fitted(meter, energy_wh)
    charging_ended_at = min(max(session.charging_ended_at or ended_at, started_at), ended_at)
    unplugged_at = session.unplugged_at and max(session.unplugged_at, ended_at)
    return replace(
        session,
        started_at=started_at,
        transaction_ended_at=ended_at,
        charging_ended_at=charging_ended_at,
        unplugged_at=unplugged_at,
        meter=_keeping_the_registers(meter, session.meter, energy_wh),
    )


def _keeping_the_registers(meter: Meter, told: Meter, energy_wh: int | None) -> Meter:
    """What the meter showed stays on record beside the energy that counts."""
    if energy_wh is None or told.begin_wh is None or told.mark_wh is None:
        return meter
    carried_wh = energy_wh - (told.mark_wh - told.begin_wh)
    return replace(meter, begin_wh=told.begin_wh, mark_wh=told.mark_wh, carried_wh=carried_wh, notes=told.notes)


def _found(session: Session, verdict: Verdict, energy_wh: int | None) -> EnergyFinding | None:
    finding = session.energy
    if energy_wh is None or finding is None or finding.energy_wh == energy_wh:
        return finding
    return replace(finding, energy_wh=energy_wh, method=Method.CORRECTED, confidence=Confidence.HIGH)

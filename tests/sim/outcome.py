"""What must have come of every transaction, when all is over?

The fleet's own record says what each transaction metered. Of each there is one session, with exactly that energy, and a
CDR; or it is held for a person, for reasons that a fault of this very transaction explains, and no others. Nothing waits
any more, and the evidence says the same as the rows.
"""

import msgspec

from laddbok.fleet.ledger import TransactionRecord
from laddbok.fleet.peer import instant
from laddbok.flow.changes import CdrIssued
from laddbok.flow.charge_to_cash import price
from laddbok.flow.evidence import FACTS, refold
from laddbok.flow.rebuild import rebuild
from laddbok.flow.store import SessionEvidence
from laddbok.model.session import Clock, Meter, ReviewReason, Session, SessionState
from tests.sim.box import Box
from tests.sim.grounds import Ground, step
from tests.sim.people import BLOCKED, EXPIRED, UNKNOWN, Prices
from tests.sim.safety import Key, Safety, cdr_bytes
from tests.sim.world import Violation

OVER = (SessionState.SETTLED, SessionState.REVIEW, SessionState.VOID)


def check_rebuilt(evidence: SessionEvidence) -> None:
    """The evidence of a session that is over gives the session, CDR and price that are stored."""
    if is_corrected_by_nobody(evidence):
        return
    if differences := rebuild(evidence):
        told = "; ".join(f"{d.field}: {d.stored[:150]} / {d.derived[:150]}" for d in differences)
        raise Violation("a rebuild gives the same", f"{evidence.session.id}: {told}", evidence.session.station)


Extent = tuple[int, int, int]


def extent(evidence: SessionEvidence) -> Extent:
    """How much evidence there is, and how often the row was moved: what was rebuilt from as much is rebuilt."""
    return len(evidence.frames), len(evidence.decisions), evidence.session.version


def is_corrected_by_nobody(evidence: SessionEvidence) -> bool:
    """Closed at a guess and settled; what came later waits for a person."""
    return any(decision.kind == "correction_held" for decision in evidence.decisions)


def check_belief(belief: Session, evidence: SessionEvidence) -> None:
    """What a desk believed of a session when it ended is what the evidence said then, before a worker knew its clock."""
    again = refold(_as_taken_first(evidence))
    same = {name: getattr(again, name) for name in ("version", "revision")}
    if msgspec.structs.replace(belief, **same) != again:
        raise Violation("the desk believes its evidence", difference(belief, again), belief.station)


def _as_taken_first(evidence: SessionEvidence) -> SessionEvidence:
    """The evidence without the terms that were looked up once more for a corrected start."""
    seen: list[object] = []
    kept = []
    for decision in evidence.decisions:
        place = decision.body["position"] if decision.kind == FACTS else None
        if place is None or place not in seen:
            kept.append(decision)
            seen.append(place)
    return msgspec.structs.replace(evidence, decisions=tuple(kept))


def difference(one: Session, other: Session) -> str:
    """The fields in which two sessions differ."""
    told = []
    for name in one.__struct_fields__:
        here, there = getattr(one, name), getattr(other, name)
        if here != there and name == "meter":
            told += [f"meter.{n}: {getattr(here, n)} / {getattr(there, n)}" for n in _differing(here, there)]
        elif here != there:
            told.append(f"{name}: {here} / {there}")
    return f"session {one.id}: " + "; ".join(told)


def _differing(one: Meter, other: Meter) -> list[str]:
    return [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]


def key_of(record: TransactionRecord, box: Box) -> Key:
    """The transaction as its opening frame names it."""
    if box.protocol != "1.6":
        return box.number, record.transaction_id
    start_wh = 0 if record.key in box.station.zeroed else record.start_register_wh  # type: ignore[attr-defined]
    return box.number, record.connector_id, record.id_token, start_wh, instant(record.started_at)


def _told_no_name(record: TransactionRecord, box: Box) -> bool:
    """Its last reading names no transaction, so that it comes to nobody once the session is over."""
    return record.key in box.forgotten and box.station.names_no_transaction  # type: ignore[attr-defined]


def _may_be_twice(session: Session, box: Box) -> bool:
    """A clock that began anew can't tell an old start, told again, from a new one; all of it is held, and never billed."""
    is_held = session.state is SessionState.REVIEW and ReviewReason.TIME_ESTIMATED in session.review_reasons
    return box.clock == "1970" and is_held


class Outcome:
    """The audit of one run."""

    def __init__(self, ground: Ground, safety: Safety, prices: Prices, rebuilt: dict[str, Extent]) -> None:
        self._rebuilt = rebuilt
        self._ground = ground
        self._safety = safety
        self._prices = prices

    def check(self, boxes: list[Box], records: list[TransactionRecord]) -> None:
        """Everything that must hold in the end."""
        if left := self._ground.jobs_left():
            raise Violation("all jobs are done", str(left))
        by_identity = {box.identity: box for box in boxes}
        known = {key_of(record, by_identity[record.station]) for record in records}
        if strange := self._safety.of_transaction.keys() - known:
            raise Violation("every session has a transaction", str(strange))
        for record in records:
            self._check_record(record, by_identity[record.station])
        for issued in self._ground.cdrs():
            self._check_cdr(issued)

    def _check_record(self, record: TransactionRecord, box: Box) -> None:
        if record.ended_at is None or not (record.acknowledged or record.key in box.forgotten):
            raise Violation("every transaction is told", f"{record.key} is not acknowledged", box.identity)
        ids = self._safety.of_transaction.get(key_of(record, box), [])
        if not ids:
            raise Violation("no metered Wh is lost", f"{record.key}, {record.energy_wh} Wh: no session", box.identity)
        evidences = [step(self._ground.store.session_evidence(self._ground.tenant, each)) for each in ids]
        for evidence in evidences:
            if evidence.session.state not in OVER:
                raise Violation("all sessions close", f"{evidence.session.id}: {evidence.session.state}", box.identity)
            is_known = self._rebuilt.get(evidence.session.id) == extent(evidence)
            if not is_known and not self._safety.overlapped(evidence.session):
                check_rebuilt(evidence)
        first, *more = sorted((e.session for e in evidences), key=lambda s: -(s.energy_wh or 0))
        if any(not _may_be_twice(session, box) for session in more):
            raise Violation("no transaction in two sessions", f"{record.key}: {ids}", box.identity)
        evidence = next(each for each in evidences if each.session is first)
        if not is_corrected_by_nobody(evidence):
            self._check_energy(record, box, first)
        self._check_reasons(record, box, first)
        self._check_tariff(record, box, first)

    def _check_energy(self, record: TransactionRecord, box: Box, session: Session) -> None:
        """To the Wh. Where the registers of this transaction were told wrong or began anew, never more than was metered."""
        metered_wh = box.metered_wh(record)
        is_told_wrong = record.key in box.station.zeroed or record.key in box.reset  # type: ignore[attr-defined]
        is_unnamed = session.id in self._safety.closed_softly and _told_no_name(record, box)
        is_doubted = record.key in box.interrupted and ReviewReason.UNIT_DOUBTFUL in session.review_reasons
        # A register that began anew between two sessions and a start that was not read look the same: a person decides.
        is_doubted = is_doubted or ReviewReason.BEGIN_NOT_BELIEVED in session.review_reasons
        if is_told_wrong or is_unnamed or is_doubted or _may_be_twice(session, box):
            is_right = session.state is not SessionState.SETTLED or 0 <= (session.energy_wh or 0) <= metered_wh
        else:
            is_right = session.energy_wh == metered_wh
        if not is_right:
            text = f"{record.key}: {metered_wh} Wh metered, {session.energy_wh} Wh in {session.id}, {session.state}"
            raise Violation("each metered Wh in one session", text, box.identity)

    def _check_reasons(self, record: TransactionRecord, box: Box, session: Session) -> None:
        """Held for the reasons that its faults explain, and for all that they demand."""
        demanded, explained = self._expected(record, box, session)
        reasons = set(session.review_reasons)
        if session.state is SessionState.VOID:
            raise Violation("what charged is not void", f"{record.key}: {session.id}", box.identity)
        if session.state is SessionState.SETTLED and demanded:
            raise Violation("what must be held is held", f"{record.key}: {demanded}", box.identity)
        if session.state is SessionState.REVIEW and (not demanded <= reasons or not reasons <= demanded | explained):
            text = f"{record.key}, {session.id}: {reasons}, demanded {demanded}, explained {explained}"
            raise Violation("held for explained reasons only", text, box.identity)

    def _expected(self, record: TransactionRecord, box: Box, session: Session) -> tuple[set[str], set[str]]:
        """(reasons that it must be held for, reasons that it may be held for)."""
        demanded: set[str] = set()
        explained: set[str] = set()
        if record.id_token == UNKNOWN:
            demanded.add(ReviewReason.UNKNOWN_TOKEN)
        if record.id_token in (BLOCKED, EXPIRED):
            demanded.add(ReviewReason.TOKEN_REFUSED)
        if self._prices.tariff_of(box.number) is None:
            demanded.add(ReviewReason.NO_TARIFF)
        if box.has_wrong_clock:
            explained |= {ReviewReason.TIME_ESTIMATED, ReviewReason.MORE_THAN_THE_OUTLET_CAN}
        if box.has_wrong_clock:  # at an estimated time power times time is an estimate too
            explained |= {ReviewReason.UNIT_DOUBTFUL}
        if record.start_register_wh == 0:  # a register that begins anew looks like a start that was not read
            explained |= {ReviewReason.BEGIN_NOT_BELIEVED}
        if record.key in box.station.zeroed:  # type: ignore[attr-defined]
            explained |= {ReviewReason.MORE_THAN_THE_OUTLET_CAN, ReviewReason.BEGIN_NOT_BELIEVED}
            explained |= {ReviewReason.UNIT_DOUBTFUL}
            explained |= {ReviewReason.NO_METER_READING} if record.key in box.forgotten else set()
        if record.key in box.interrupted:
            explained |= {ReviewReason.UNIT_DOUBTFUL}
        if record.key in box.reset:
            explained |= {ReviewReason.REGISTER_WENT_BACK, ReviewReason.ESTIMATES_DISAGREE}
        if session.id in self._safety.closed_softly | self._safety.displaced:
            explained |= {ReviewReason.LATE_MESSAGES}
        return demanded, explained

    def _check_tariff(self, record: TransactionRecord, box: Box, session: Session) -> None:
        """The version that held at the start, whatever came later; by the station's stamp, if that was mended later."""
        chosen = session.tariff.version if session.tariff else None
        starts = [session.started_at]
        if session.clock != Clock():
            starts.append(record.started_at)
        expected = {self._prices.version_at(box.number, at) for at in starts}
        if chosen not in expected:
            raise Violation("the tariff is that of the start", f"{session.id}: {chosen} for {expected}", box.identity)

    def _check_cdr(self, issued: CdrIssued) -> None:
        session = issued.session
        stored = self._safety.cdrs[session.id, issued.cdr.revision, issued.kind]
        if stored != cdr_bytes(issued):
            raise Violation("an issued CDR never changes", session.id, session.station)
        assert session.tariff is not None
        tariff = self._prices.document(session.tariff)
        if price(issued.cdr, tariff) != issued.rating:
            raise Violation("rating again gives the same", session.id, session.station)
        expected = self._prices.plain_price(session.tariff, issued.cdr.energy_wh)
        if expected is not None and issued.rating.excl_vat != expected:
            text = f"{session.id}: {issued.rating.excl_vat} for {expected}"
            raise Violation("a plain price is energy times price", text, session.station)

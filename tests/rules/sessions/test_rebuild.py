"""Does the evidence make the same session again, whatever changed in our tables, and whoever decided?"""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from laddbok.flow.evidence import EvidenceIncomplete
from laddbok.flow.rebuild import Difference, as_issued, as_taken_in, proposal, question_of, rebuild
from laddbok.model.session import ReviewReason, Session, SessionState, VerdictKind
from laddbok.model.traits import Quirk, RegisterKind, Traits
from laddbok.sessions.quirks import quirks_of
from tests.rules.sessions.people import MODEL, VENDOR, decides, knows, quirk_table
from tests.rules.sessions.stage import NOON, OTHER_TOKEN, PRICE, STRANGER, TOKEN, Stage, step, tariff_document, text_of

SETTLED = SessionState.SETTLED


@pytest.fixture
def stage() -> Stage:
    return Stage()


def differences(stage: Stage) -> list[Difference]:
    """Of all sessions on the stage."""
    return [difference for session in stage.sessions() for difference in rebuild(stage.evidence(session))]


def charge(stage: Stage, number: int = 1, begin_wh: int = 1000, end_wh: int = 3000) -> Session:
    """One charge, settled."""
    stage.starts_16(begin_wh, after_s=600)
    stage.reads_16(begin_wh + 500, number)
    stage.stops_16(end_wh, number)
    return stage.settle()


def proposed(stage: Stage, session: Session, *quirks: Quirk) -> dict[str, tuple[str, str]]:
    """What today's tables would make otherwise, by field."""
    evidence = stage.evidence(session)
    question, station = question_of(evidence)
    [found] = step(stage.store.look_up([question]))
    flags = quirks_of(quirk_table(*quirks), station.vendor, station.model, station.firmware_version) if quirks else ()
    return {d.field: (d.stored, d.derived) for d in proposal(evidence, found, flags)}


def test_evidence_to_which_nothing_came_after_the_cdr_is_read_once(stage: Stage) -> None:
    charge(stage)
    evidence = stage.evidence(stage.session())
    assert as_taken_in(evidence) is as_issued(evidence) is evidence
    stage.status_16("Available", after_s=3600)
    later = stage.evidence(stage.settle())
    assert as_issued(later).frames == evidence.frames and len(later.frames) > len(evidence.frames)


def test_an_unplugging_after_the_cdr_is_no_difference(stage: Stage) -> None:
    charge(stage)
    stage.status_16("Available", after_s=3600)
    session = stage.settle()
    assert session.unplugged_at == stage.now and stage.cdr().unplugged_at is None
    assert differences(stage) == []


def test_the_next_driver_at_the_outlet_makes_no_difference_to_the_last(stage: Stage) -> None:
    charge(stage)
    charge(stage, 2, 3000, 5000)
    assert [session.unplugged_at is None for session in stage.sessions()] == [False, True]
    assert differences(stage) == []


def test_a_correction_that_was_held_is_no_difference(stage: Stage) -> None:
    """What came later is written down as held, and the session is still as it was settled."""
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    settled = stage.settle()
    stage.stops_16(900, timestamp=text_of(stage.now - timedelta(hours=40)))
    assert stage.settle() == settled and settled.state is SETTLED
    assert stage.evidence(settled).decisions[-1].kind == "correction_held"
    assert differences(stage) == []


def test_a_correction_that_was_held_after_one_that_was_only_noted(stage: Stage) -> None:
    """Between settling and the correction the record learned of a reading that changed neither energy nor end."""
    stage.starts_16(1000)
    stage.waits(days=2)
    decides(stage, stage.settle(), VerdictKind.ACCEPT)
    stage.reads_16(989)
    noted = stage.settle()
    stage.reads_16(1000)
    stage.waits(days=2)
    stage.work()
    assert stage.evidence(noted).decisions[-1].kind == "correction_held"
    assert differences(stage) == []


def test_late_messages_after_a_verdict_are_held_and_make_no_difference(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    corrected = decides(stage, stage.settle(), VerdictKind.CORRECT, energy_wh=500)
    assert (corrected.energy_wh, corrected.revision) == (500, 2)
    stage.stops_16(4000, timestamp=text_of(stage.now - timedelta(hours=40)))
    assert stage.settle() == corrected
    assert differences(stage) == []
    accepted = decides(stage, corrected, VerdictKind.ACCEPT)
    assert (accepted.ended_by, accepted.revision, accepted.energy_wh) == ("stop", 3, 500)
    assert differences(stage) == []


def test_what_was_not_seen_when_it_was_settled_anew_does_not_come_in_later(stage: Stage) -> None:
    """A reading without a transaction, while nothing ran there, lies between two that reopened the session."""
    stage.starts_16(1000)
    stage.waits(days=2)
    stage.settle()
    for transaction_id in (1, 0, 1):
        stage.reads_16(1000, transaction_id)
    stage.waits(days=2)
    session = stage.settle()
    assert (session.state, session.inferred) == (SETTLED, 0)
    assert differences(stage) == []


def test_a_quirk_that_is_learned_of_later_changes_nothing_that_was(stage: Stage) -> None:
    knows(stage)
    stage.starts_16(0)
    stage.reads_16(909_948)
    stage.stops_16(910_031)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.REVIEW, 83)
    knows(stage, Quirk.ZERO_BEGIN)
    assert differences(stage) == []
    today = proposed(stage, session, Quirk.ZERO_BEGIN)
    assert today["session.review_reasons"] == ('["begin_not_believed"]', "null")
    assert differences(stage) == []


def test_a_tariff_that_is_assigned_later_changes_nothing_that_was(stage: Stage) -> None:
    session = charge(stage)
    dearer = tariff_document().replace(b'"id": "T"', b'"id": "T2"').replace(str(PRICE).encode(), b"9.99")
    stage.store.terms.add_tariff(1, dearer)
    stage.store.terms.assign_tariff(1, "station", "CP-1", "T2")
    assert differences(stage) == []
    today = proposed(stage, session)
    assert '"tariff_id":"T2"' in today["session.tariff"][1]


def test_an_offset_that_is_learned_later_changes_nothing_that_was(stage: Stage) -> None:
    true_at = NOON - timedelta(hours=5)
    stage.starts_16(1000, timestamp=text_of(true_at + timedelta(hours=1)))
    stage.stops_16(3000, timestamp=text_of(true_at + timedelta(hours=2)))
    before = stage.settle()
    stage.starts_16(3000, timestamp=text_of(stage.now + timedelta(hours=1)))
    for wh in (3500, 4000):
        at = text_of(stage.now + timedelta(hours=1, seconds=600))
        stage.reads_16(wh, 2, meterValue=[{"timestamp": at, "sampledValue": [{"value": str(wh)}]}])
    stage.stops_16(5000, 2, timestamp=text_of(stage.now + timedelta(hours=1, seconds=600)))
    stage.work()
    assert stage.store.stations[1].traits.clock_offset_s == -3600
    assert differences(stage) == []
    assert "session.started_at" in proposed(stage, before)


def test_a_habit_that_is_learned_later_changes_nothing_that_was(stage: Stage) -> None:
    charge(stage, 1, 7_000, 9_000)
    stage.starts_16(0)
    stage.reads_16(9_050, 2, after_s=1800)
    stage.stops_16(9_083, 2, after_s=1800)
    session = stage.settle()
    assert session.review_reasons == (ReviewReason.BEGIN_NOT_BELIEVED,)
    stage.store.stations[1].traits = Traits(version=7, register_kind=RegisterKind.LIFETIME)
    assert differences(stage) == []
    assert proposed(stage, session) == {"session.review_reasons": ('["begin_not_believed"]', "null")}


@pytest.mark.parametrize("token", [TOKEN, STRANGER])
def test_every_decision_of_a_person_is_rebuilt(stage: Stage, token: str) -> None:
    stage.starts_16(1000, token)
    stage.reads_16(2000)
    stage.stops_16(3000)
    session = stage.settle()
    deeds = (
        (VerdictKind.CORRECT, {"energy_wh": 1234}, SETTLED, 1234),
        (VerdictKind.REOPEN, {}, SessionState.REVIEW, 2000),
        (VerdictKind.ACCEPT, {}, SETTLED, 2000),
        (VerdictKind.CORRECT, {"ended_at": NOON + timedelta(minutes=5)}, SETTLED, 2000),
        (VerdictKind.CORRECT, {"token": OTHER_TOKEN, "energy_wh": 1500}, SETTLED, 1500),
        (VerdictKind.VOID, {}, SessionState.VOID, 2000),
        (VerdictKind.ACCEPT, {}, SETTLED, None),
    )
    for kind, fields, state, energy_wh in deeds:
        session = decides(stage, session, kind, **fields)
        assert session.state is state
        assert energy_wh is None or session.energy_wh == energy_wh
        assert differences(stage) == []


def test_a_frame_that_is_missing_is_told(stage: Stage) -> None:
    session = charge(stage)
    frames = stage.store.stations[1].frames
    del frames[min(frames)]
    with pytest.raises(EvidenceIncomplete, match=session.id):
        rebuild(stage.evidence(session))


def test_a_digit_that_changed_in_the_evidence_is_found(stage: Stage) -> None:
    session = charge(stage)
    frames = stage.store.stations[1].frames
    last = max(frames)
    raw = frames[last].raw
    assert b"3000" in raw
    frames[last] = replace(frames[last], raw=raw.replace(b"3000", b"3001"))
    fields = {difference.field for difference in rebuild(stage.evidence(session))}
    assert {"session.energy", "session.meter", "cdr.energy_wh", "rating.lines"} <= fields


def test_a_digit_that_changed_in_what_is_stored_is_found(stage: Stage) -> None:
    session = charge(stage)
    row = stage.store.sessions[1, session.id]
    row.session = replace(row.session, token=OTHER_TOKEN)
    assert [d.field for d in rebuild(stage.evidence(session))] == ["session.token"]


def test_what_runs_has_nothing_final_to_compare(stage: Stage) -> None:
    stage.starts_16(1000)
    assert rebuild(stage.evidence(stage.session())) == ()


def test_the_flags_come_from_what_the_station_called_itself(stage: Stage) -> None:
    knows(stage, Quirk.SAMPLES_FROM_ZERO)
    session = charge(stage)
    assert session.quirks == (Quirk.SAMPLES_FROM_ZERO,)
    _, station = question_of(stage.evidence(session))
    assert (station.vendor, station.model) == (VENDOR, MODEL)
    assert ReviewReason.TIME_ESTIMATED not in session.review_reasons

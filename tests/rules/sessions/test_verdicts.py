"""Which decision of a person counts, and what of the earlier ones stays?"""

from datetime import timedelta
from decimal import Decimal

from laddbok.flow.charge_to_cash import price
from laddbok.flow.rebuild import rebuild
from laddbok.model.session import SessionState, Verdict, VerdictKind
from laddbok.model.tariff import parse_tariff
from laddbok.sessions.close import cdr
from laddbok.sessions.review import judged, last_verdict
from tests.rules.sessions.people import decides
from tests.rules.sessions.stage import Stage, tariff_document, text_of


def corrected(**values: object) -> Verdict:
    return Verdict(kind=VerdictKind.CORRECT, reason="seen", **values)  # type: ignore[arg-type]


def test_later_corrections_add_to_earlier_ones() -> None:
    last = last_verdict([corrected(energy_wh=5_000), corrected(token="04A1", contract_id="c-1")])
    assert last == corrected(energy_wh=5_000, token="04A1", contract_id="c-1")


def test_another_token_does_not_keep_the_contract_of_the_one_before() -> None:
    last = last_verdict([corrected(token="04A1", contract_id="c-1"), corrected(token="04B2")])
    assert last == corrected(token="04B2")


def test_an_energy_that_took_no_time_is_billed_all_the_same() -> None:
    stage = Stage()
    stage.starts_16(1000)
    stage.stops_16(1000, after_s=0)
    session = stage.settle()
    assert (session.energy_wh, session.started_at) == (0, session.transaction_ended_at)
    given = judged(session, corrected(energy_wh=5_000))
    assert (given.energy_wh, cdr(given).energy_wh) == (5_000, 5_000)
    rating = price(cdr(given), parse_tariff(tariff_document()))
    assert (rating.incl_vat, rating.final) == (Decimal("20.00"), True)


def test_the_same_decision_counts_again_when_late_messages_came_between() -> None:
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.waits(days=2)
    session = decides(stage, stage.settle(), VerdictKind.VOID, "a test charge")
    stage.stops_16(4000, timestamp=text_of(stage.now - timedelta(hours=40)))
    held = stage.settle()
    assert (session.state, held.state) == (SessionState.VOID, SessionState.REVIEW)
    session = decides(stage, held, VerdictKind.VOID, "a test charge")
    assert (session.state, stage.settle()) == (SessionState.VOID, session)
    assert rebuild(stage.evidence(session)) == ()


def test_what_is_accepted_again_after_late_messages_is_billed() -> None:
    stage = Stage()
    stage.starts_16(1000, "STRANGER")
    stage.reads_16(2000)
    stage.waits(days=2)
    session = decides(stage, stage.settle(), VerdictKind.ACCEPT)
    stage.stops_16(4000, timestamp=text_of(stage.now - timedelta(hours=40)))
    assert stage.settle().energy_wh == session.energy_wh == 1000
    session = decides(stage, session, VerdictKind.ACCEPT)
    assert (session.state, session.energy_wh, session.revision) == (SessionState.SETTLED, 3000, 2)
    assert rebuild(stage.evidence(session)) == ()
    stage.stops_16(4000, timestamp=text_of(stage.now - timedelta(hours=40)))
    assert stage.settle() == session and len(stage.store.cdrs) == 3


def test_a_correction_that_is_held_is_written_down_once() -> None:
    stage = Stage()
    stage.starts_16(1000, "STRANGER")
    stage.reads_16(2000)
    stage.waits(days=2)
    session = decides(stage, stage.settle(), VerdictKind.ACCEPT)
    kept = []
    for _ in range(3):
        stage.connect()
        stage.stops_16(4000, timestamp=text_of(stage.now - timedelta(hours=40)))
        assert stage.settle() == session
        kept.append(len(stage.evidence(session).decisions))
    assert kept == kept[:1] * 3
    assert rebuild(stage.evidence(session)) == ()

"""Who moves a session from state to state? One case for each move of the design, and for each reason to hold it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from laddbok.flow.changes import Changes
from laddbok.flow.charge_to_cash import settle
from laddbok.model.events import AuthorizationStatus
from laddbok.model.session import ReviewReason, SessionState, TariffChoice
from laddbok.sessions.close import SETTLE_AFTER, held_because
from tests.rules.sessions.stage import BLOCKED_TOKEN, NOON, OTHER_TOKEN, STRANGER, TOKEN, Stage, step, tariff_document

PENDING, ACTIVE, ENDED = SessionState.PENDING, SessionState.ACTIVE, SessionState.ENDED
SETTLED, REVIEW, VOID = SessionState.SETTLED, SessionState.REVIEW, SessionState.VOID


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def stage_201() -> Stage:
    return Stage("2.0.1")


def test_pending_becomes_active_when_the_driver_is_known(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1000, state="EVConnected")
    assert stage_201.session().state is PENDING
    assert stage_201.event_201("Updated", token=TOKEN) == {"idTokenInfo": {"status": "Accepted"}}
    session = stage_201.session()
    assert (session.state, session.token, session.authorization) == (ACTIVE, TOKEN, AuthorizationStatus.ACCEPTED)
    assert stage_201.store.sessions[1, session.id].session.state is ACTIVE


def test_a_plug_in_that_never_charged_is_void(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1000, state="EVConnected")
    stage_201.event_201("Ended", register_wh=1000, triggerReason="EVCommunicationLost")
    session = stage_201.settle()
    assert (session.state, session.review_reasons) == (VOID, ())
    assert stage_201.store.cdrs == {}


def test_energy_without_a_driver_is_held(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1000, state="Charging")
    stage_201.event_201("Ended", register_wh=3000)
    session = stage_201.settle()
    assert (session.state, session.energy_wh) == (REVIEW, 2000)
    assert session.review_reasons == (ReviewReason.NO_ID_TOKEN,)


def test_active_becomes_ended_by_the_stop_and_settled_by_the_worker(stage: Stage) -> None:
    stage.starts_16(1000)
    assert stage.session().state is ACTIVE
    stage.stops_16(2000)
    assert stage.session().state is ENDED
    session = stage.settle()
    assert (session.state, session.due_at) == (SETTLED, None)
    assert stage.cdr().energy_wh == 1000 and stage.rating().final


def test_the_stored_session_is_settled_only_after_the_closing_values(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    [leased] = step(stage.store.take_jobs("worker", stage.now + timedelta(minutes=5), 8))
    evidence = step(stage.store.session_evidence(1, leased.job.key))
    early = settle(evidence, stage.now + SETTLE_AFTER - timedelta(seconds=1))
    assert (early.changes, early.again_at) == (None, stage.now + SETTLE_AFTER)


def test_settling_again_changes_nothing(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    settled = stage.settle()
    again = settle(step(stage.store.session_evidence(1, settled.id)), stage.now + timedelta(days=1))
    assert (again.changes, again.again_at) == (None, None)


@pytest.mark.parametrize("state", [PENDING, ACTIVE, REVIEW, VOID])
def test_only_ended_sessions_are_settled(stage: Stage, state: SessionState) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    row = stage.store.sessions[1, stage.session().id]
    step(stage.store.commit(Changes(moved=[replace(row.session, state=state)])))
    settlement = settle(step(stage.store.session_evidence(1, row.session.id)), stage.now + timedelta(days=1))
    changes = settlement.changes or Changes()
    assert settlement.again_at is None and not changes.cdrs
    assert all(moved.state is state for moved in changes.moved)


@pytest.mark.parametrize(
    ("token", "status", "reason"),
    [
        (STRANGER, "Invalid", ReviewReason.UNKNOWN_TOKEN),
        (BLOCKED_TOKEN, "Blocked", ReviewReason.TOKEN_REFUSED),
        ("EXPIRED1", "Expired", ReviewReason.TOKEN_REFUSED),
    ],
)
def test_a_refused_token_is_metered_and_held(stage: Stage, token: str, status: str, reason: ReviewReason) -> None:
    stage.store.terms.add_token(1, "EXPIRED1", valid_to=NOON)
    assert stage.says_16("Authorize", {"idTag": token}) == {"idTagInfo": {"status": status}}
    assert stage.starts_16(1000, token)["idTagInfo"] == {"status": status}
    stage.reads_16(1200)
    stage.stops_16(1500)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.review_reasons) == (REVIEW, 500, (reason,))
    assert stage.store.cdrs == {}


def test_without_a_tariff_it_is_held_with_that_reason_and_never_free() -> None:
    stage = Stage(has_tariff=False)
    stage.starts_16(1000)
    stage.stops_16(2000)
    session = stage.settle()
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.NO_TARIFF,))
    assert stage.store.cdrs == {}


def test_the_tariff_is_that_of_the_driver_who_comes_after_the_cable(stage_201: Stage) -> None:
    terms = stage_201.store.terms
    terms.add_contract(1, "C-1")
    terms.link_token(1, TOKEN, "C-1")
    terms.assign_tariff(1, "contract", "C-1", "T")
    stage_201.event_201("Started", register_wh=1000, state="EVConnected")
    assert stage_201.session().tariff == TariffChoice("T", 1, "default")
    stage_201.event_201("Updated", token=TOKEN, state="Charging")
    session = stage_201.session()
    assert (session.tariff, session.contract_id) == (TariffChoice("T", 1, "contract"), "C-1")
    stage_201.event_201("Updated", token=OTHER_TOKEN)
    assert (stage_201.session().token, stage_201.session().contract_id) == (TOKEN, "C-1")


def test_B44_the_payer_stays_the_contract_of_the_start(stage: Stage) -> None:
    """The token goes over to another contract while its session runs."""
    terms, changes_at = stage.store.terms, stage.now + timedelta(minutes=5)
    for contract_id in ("C-1", "C-2"):
        terms.add_contract(1, contract_id)
    terms.link_token(1, TOKEN, "C-1", valid_to=changes_at)
    terms.link_token(1, TOKEN, "C-2", valid_from=changes_at)
    stage.starts_16(1000)
    stage.stops_16(2000, idTag=TOKEN)
    first = stage.settle()
    assert first.started_at < changes_at < stage.cdr().periods[-1].end_at
    assert first.contract_id == "C-1"
    stage.starts_16(2000)
    stage.stops_16(3000, transaction_id=2)
    stage.settle()
    assert sorted(str(session.contract_id) for session in stage.sessions()) == ["C-1", "C-2"]


def test_B9_a_version_that_begins_meanwhile_is_for_the_next_session(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.store.terms.add_tariff(1, tariff_document().replace(b"3.20", b"9.99"), stage.now + timedelta(minutes=5))
    stage.stops_16(2000)
    stage.settle()
    assert {line.price for line in stage.rating().lines} == {Decimal("3.20")}
    stage.starts_16(2000)
    assert [session.tariff for session in stage.sessions()] == [TariffChoice("T", 1), TariffChoice("T", 2)]


def test_a_tariff_that_changes_meanwhile_does_not_change_the_price(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.store.terms.assign_tariff(1, "station", "CP-1", "nobody's")
    stage.store.terms.add_token(1, TOKEN, AuthorizationStatus.BLOCKED)
    stage.stops_16(2000, idTag=TOKEN)
    session = stage.settle()
    assert (session.state, session.tariff and session.tariff.tariff_id) == (SETTLED, "T")


def test_no_reading_at_all_is_held(stage_201: Stage) -> None:
    stage_201.event_201("Started", token=TOKEN, state="Charging")
    stage_201.event_201("Ended")
    session = stage_201.settle()
    assert (session.state, session.energy_wh) == (REVIEW, None)
    assert session.review_reasons == (ReviewReason.NO_METER_READING,)


def test_an_ended_session_is_resumed_by_nothing(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(2000)
    for status in ("Charging", "SuspendedEV", "Preparing"):
        stage.status_16(status)
    stage.boots_16()
    assert stage.session().state is ENDED
    assert stage.settle().state is SETTLED


def test_reasons_are_told_once_each(stage: Stage) -> None:
    stage.starts_16(1000, STRANGER, timestamp="1970-01-01T00:00:00Z")
    stage.stops_16(900, timestamp="1970-01-01T00:00:00Z")
    session = stage.settle()
    assert sorted(session.review_reasons) == ["register_went_back", "time_estimated", "unknown_token"]
    assert session.energy_wh == 0
    assert held_because(session) == session.review_reasons


def test_S64_a_late_clean_up_touches_only_its_own_epoch(stage: Stage) -> None:
    stage.starts_16(1000)
    old_epoch, late = stage.epoch, stage.entry_of_16("Heartbeat", {})
    stage.connect()
    stage.desk.drop(1, old_epoch)
    [reply] = stage.apply([late])
    assert reply.is_dropped
    assert stage.reads_16(1400) == {} and stage.session().energy_wh == 400
    stage.desk.drop(1, stage.epoch)
    assert stage.desk.stations == {}


def test_S70_presence_is_the_connection_and_not_a_row(stage: Stage) -> None:
    entry = stage.entry_of_16("Heartbeat", {})
    stage.desk.drop(1, stage.epoch)
    assert [reply.is_dropped for reply in stage.apply([entry])] == [True]
    step(stage.store.claim([1], "another gateway", stage.now))
    assert 1 not in stage.desk.stations
    assert [reply.is_dropped for reply in stage.apply([entry])] == [True]

"""What does a person's decision make of a session?"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.flow.rebuild import rebuild
from laddbok.model.cdr import Activity
from laddbok.model.energy import Method
from laddbok.model.errors import Invalid
from laddbok.model.session import Meter, ReviewReason, Session, SessionState, TariffChoice, Verdict, VerdictKind
from laddbok.sessions.close import cdr, held_because
from laddbok.sessions.meter import added, begin_meter, finish, fitted, periods, take_reading, turn
from laddbok.sessions.review import LONGEST, MAX_REASON_CHARS, MOST_WH, checked, judged, last_verdict
from tests.rules.sessions.people import decides
from tests.rules.sessions.stage import NOON, OTHER_TOKEN, PRICE, STRANGER, TOKEN, Stage

ACCEPT, CORRECT, VOID, REOPEN = VerdictKind.ACCEPT, VerdictKind.CORRECT, VerdictKind.VOID, VerdictKind.REOPEN
SETTLED, REVIEW, VOIDED = SessionState.SETTLED, SessionState.REVIEW, SessionState.VOID


@pytest.fixture
def stage() -> Stage:
    return Stage()


def charged(stage: Stage, token: str = TOKEN) -> Session:
    """2,000 Wh in 20 minutes, most of it in the first ten."""
    stage.starts_16(1_000, token)
    stage.reads_16(2_500)
    stage.stops_16(3_000)
    return stage.settle()


def issued(stage: Stage) -> list[tuple[str, int, int]]:
    return [(c.kind, c.session.revision, c.cdr.energy_wh) for c in stage.store.cdrs.values()]


def verdict(kind: VerdictKind, **fields: Any) -> Verdict:
    return Verdict(kind=kind, reason="seen", **fields)


# ------------------------------------------------------------------ what follows from a decision
def test_a_session_in_review_that_is_accepted_is_billed_as_proposed(stage: Stage) -> None:
    held = charged(stage, STRANGER)
    assert (held.state, stage.store.cdrs) == (REVIEW, {})
    session = decides(stage, held, ACCEPT)
    assert (session.state, session.revision, session.energy_wh) == (SETTLED, 1, 2_000)
    assert issued(stage) == [("cdr", 1, 2_000)]


def test_S37_the_proposal_for_a_stop_that_went_back_can_be_accepted(stage: Stage) -> None:
    stage.starts_16(1_000)
    stage.reads_16(3_000)
    stage.stops_16(2_000)
    session = decides(stage, stage.settle(), ACCEPT)
    assert (session.state, session.energy_wh, stage.cdr().energy_wh) == (SETTLED, 2_000, 2_000)


def test_a_settled_session_that_is_corrected_is_credited_and_billed_anew(stage: Stage) -> None:
    session = decides(stage, charged(stage), CORRECT, energy_wh=1_500)
    assert (session.state, session.revision, session.energy_wh) == (SETTLED, 2, 1_500)
    assert session.energy is not None and session.energy.method is Method.CORRECTED
    assert issued(stage) == [("cdr", 1, 2_000), ("credit", 1, 2_000), ("cdr", 2, 1_500)]
    newest = list(stage.store.cdrs.values())[-1]
    assert newest.rating.excl_vat == PRICE * 3 / 2


def test_a_void_session_is_taken_back(stage: Stage) -> None:
    session = decides(stage, charged(stage), VOID)
    assert session.state is VOIDED and issued(stage) == [("cdr", 1, 2_000), ("credit", 1, 2_000)]


def test_a_reopened_session_is_credited_held_and_can_be_billed_again(stage: Stage) -> None:
    session = decides(stage, charged(stage), REOPEN)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.REOPENED,))
    session = decides(stage, session, ACCEPT)
    assert (session.state, session.revision) == (SETTLED, 2)
    assert issued(stage) == [("cdr", 1, 2_000), ("credit", 1, 2_000), ("cdr", 2, 2_000)]


def test_nothing_that_nobody_found_can_be_accepted(stage: Stage) -> None:
    """S33 with start and stop only: there is no proposal, and 0 Wh is none."""
    stage.starts_16(0)
    stage.stops_16(909_948)
    held = stage.settle()
    with pytest.raises(Invalid, match="energy_wh"):
        checked(verdict(ACCEPT), held)
    assert held_because(judged(held, verdict(ACCEPT))) == (ReviewReason.NO_METER_READING,)
    assert held_because(judged(held, verdict(CORRECT, token=OTHER_TOKEN))) == (ReviewReason.NO_METER_READING,)
    session = decides(stage, held, CORRECT, energy_wh=83)
    assert (session.state, session.energy_wh) == (SETTLED, 83)
    assert rebuild(stage.evidence(session)) == ()


def test_without_a_tariff_it_stays_held_until_one_is_named() -> None:
    stage = Stage(has_tariff=False)
    session = decides(stage, charged(stage), ACCEPT)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.NO_TARIFF,))


def test_who_charged_can_be_corrected(stage: Stage) -> None:
    session = decides(stage, charged(stage, STRANGER), CORRECT, token=OTHER_TOKEN, contract_id="C-1")
    assert (session.state, session.token, session.contract_id) == (SETTLED, OTHER_TOKEN, "C-1")


def test_the_time_can_be_corrected(stage: Stage) -> None:
    before = charged(stage)
    ended_at = before.started_at + timedelta(minutes=12)
    session = decides(stage, before, CORRECT, ended_at=ended_at)
    document = list(stage.store.cdrs.values())[-1].cdr
    assert (session.transaction_ended_at, document.energy_wh) == (ended_at, 2_000)
    assert (document.periods[0].start_at, document.periods[-1].end_at) == (before.started_at, ended_at)


def test_the_energy_keeps_its_places_when_only_its_sum_is_corrected(stage: Stage) -> None:
    before = charged(stage)
    session = decides(stage, before, CORRECT, energy_wh=4_000)
    old, new = periods(before.meter), periods(session.meter)
    assert [(p.start_at, p.end_at) for p in new] == [(p.start_at, p.end_at) for p in old]
    assert all(abs(n.energy_wh - 2 * o.energy_wh) <= 2 for o, n in zip(old, new, strict=True))


# ------------------------------------------------------------------ what can be decided
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * (MAX_REASON_CHARS + 1)}, "reason"),
        ({"energy_wh": -1}, "energy_wh"),
        ({"energy_wh": MOST_WH + 1}, "energy_wh"),
        ({}, "energy_wh"),
        ({"ended_at": NOON - timedelta(days=1)}, "ended_at"),
        ({"started_at": NOON + timedelta(days=1)}, "started_at"),
        ({"ended_at": NOON + LONGEST + timedelta(days=1)}, "ended_at"),
    ],
    ids=str,
)
def test_what_can_not_be_decided_is_named(stage: Stage, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=field):
        checked(Verdict(**{"kind": CORRECT, "reason": "seen"} | fields), charged(stage))


def test_the_last_decision_counts_with_what_earlier_ones_corrected() -> None:
    tariff = TariffChoice("T", 1)
    said = [verdict(CORRECT, energy_wh=500), verdict(CORRECT, tariff=tariff), verdict(CORRECT, energy_wh=600)]
    assert last_verdict(said) == verdict(CORRECT, energy_wh=600, tariff=tariff)
    assert last_verdict([*said, verdict(ACCEPT)]) == verdict(ACCEPT, energy_wh=600, tariff=tariff)
    assert last_verdict([*said, verdict(REOPEN)]) == verdict(REOPEN)
    assert last_verdict([*said, verdict(REOPEN), verdict(ACCEPT)]) == verdict(ACCEPT)
    assert last_verdict([]) is None


# ------------------------------------------------------------------ properties
kinds = st.sampled_from(list(VerdictKind))
corrections = st.fixed_dictionaries(
    {},
    optional={
        "energy_wh": st.integers(0, 50_000),
        "started_at": st.integers(-7200, 1200).map(lambda s: NOON + timedelta(seconds=s)),
        "ended_at": st.integers(1200, 90_000).map(lambda s: NOON + timedelta(seconds=s)),
        "token": st.sampled_from([TOKEN, OTHER_TOKEN]),
    },
)
verdicts = st.builds(lambda kind, fields: verdict(kind, **fields), kinds, corrections)


@given(st.lists(verdicts, max_size=8), verdicts)
def test_what_was_decided_before_looking_once_more_counts_no_longer(before: list[Verdict], after: Verdict) -> None:
    assert last_verdict([*before, verdict(REOPEN), after]) == after
    assert last_verdict([*before, after, after]) == last_verdict([*before, after])


growth = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5000), st.sampled_from(list(Activity))), max_size=15)


def grown(steps: list[tuple[int, int, Activity]]) -> Meter:
    """A meter that ran so: seconds, Wh, and what the outlet did then."""
    meter, at, register_wh = begin_meter(NOON, 0, Activity.CHARGING), NOON, 0
    for after_s, wh, activity in steps:
        meter = turn(meter, at, activity)
        at, register_wh = at + timedelta(seconds=after_s), register_wh + wh
        meter = take_reading(meter, at, register_wh)
    return finish(meter, at + timedelta(minutes=1))


@given(growth, st.integers(0, 100_000))
def test_a_fitted_meter_sums_exactly_and_keeps_its_times(
    steps: list[tuple[int, int, Activity]], energy_wh: int
) -> None:
    meter = grown(steps)
    result = fitted(meter, energy_wh)
    assert result.energy_wh == energy_wh == sum(p.energy_wh for p in periods(result))
    assert [(p.start_at, p.end_at, p.activity) for p in periods(result)] == [
        (p.start_at, p.end_at, p.activity) for p in periods(meter)
    ]
    assert all(p.energy_wh >= 0 for p in periods(result))
    assert (result.begin_wh, result.mark_wh) == (meter.begin_wh, meter.mark_wh)
    assert fitted(result, energy_wh) is result


@given(st.integers(1, 50_000), st.none() | st.just(1_000))
def test_a_session_of_no_time_can_have_energy_all_the_same(energy_wh: int, register_wh: int | None) -> None:
    result = fitted(begin_meter(NOON, register_wh, Activity.CHARGING), energy_wh)
    assert result.energy_wh == energy_wh == sum(p.energy_wh for p in periods(result))
    assert added(result, NOON + timedelta(hours=1), 5).energy_wh == energy_wh + 5


@given(growth, verdicts)
def test_a_judged_session_is_whole(steps: list[tuple[int, int, Activity]], said: Verdict) -> None:
    meter = grown(steps)
    stage = Stage()
    stage.starts_16(0)
    session = replace(
        stage.session(),
        state=SessionState.ENDED,
        started_at=NOON,
        meter=meter,
        charging_ended_at=meter.mark_at,
        transaction_ended_at=meter.mark_at,
    )
    try:
        checked(said, session)
    except Invalid:
        return
    result = judged(session, said)
    pieces = periods(result.meter)
    assert (
        result.verdict == said and sum(p.energy_wh for p in pieces) == (result.energy_wh or 0) == cdr(result).energy_wh
    )
    assert result.transaction_ended_at is not None and result.charging_ended_at is not None
    assert result.started_at <= result.charging_ended_at <= result.transaction_ended_at
    if said.kind in (ACCEPT, CORRECT):
        assert result.energy_wh == (meter.energy_wh if said.energy_wh is None else said.energy_wh)
        assert result.started_at == (said.started_at or NOON)
        assert result.transaction_ended_at == (said.ended_at or meter.mark_at)
    if pieces:
        assert (pieces[0].start_at, pieces[-1].end_at) == (result.started_at, result.transaction_ended_at)


def test_a_corrected_time_keeps_when_energy_flowed() -> None:
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(5000, after_s=900)
    stage.reads_16(5400, after_s=900)
    stage.stops_16(5400, after_s=0)
    session = stage.settle()
    begin = session.started_at - timedelta(minutes=20)
    verdict = Verdict(kind=VerdictKind.CORRECT, reason="the clock", started_at=begin)
    corrected = judged(session, verdict)
    pieces = periods(corrected.meter)
    assert (corrected.started_at, corrected.energy_wh, pieces[0].start_at) == (begin, 4400, begin)
    before = [p.energy_wh for p in pieces if p.end_at <= session.started_at]
    late = [p.energy_wh for p in pieces if p.start_at >= session.started_at + timedelta(minutes=15)]
    assert sum(before) == 0 and sum(late) <= 400

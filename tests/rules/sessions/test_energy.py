"""Which energy is billed, how is it found, and when must a person look first?"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.flow.rebuild import rebuild
from laddbok.model.energy import Confidence, Estimate, Method
from laddbok.model.session import MeterNote, ReviewReason, SessionState
from laddbok.model.traits import Quirk
from laddbok.sessions.energy import NEVER_BILLED, agree
from tests.rules.sessions.charges import DIALECTS, charge, found
from tests.rules.sessions.people import knows
from tests.rules.sessions.stage import TOKEN, Stage, text_of

registers = st.sampled_from([0, 5, 1_000, 1_800, 2_500, 9_000, 9_083, 12_000, 909_948, 910_031, 2**32, 2**32 + 9])
SETTLED, REVIEW = SessionState.SETTLED, SessionState.REVIEW


@pytest.fixture
def stage() -> Stage:
    return Stage()


# ------------------------------------------------------------------ the stop's register
@pytest.mark.parametrize("protocol", DIALECTS)
def test_S37_the_proposal_is_the_last_good_reading(protocol: str) -> None:
    session = charge(Stage(protocol), 1_000, 3_000, end_wh=2_000)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.REGISTER_WENT_BACK,))
    assert session.energy_wh == 2_000


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S43_start_and_stop_alone_are_one_way_and_so_fair(protocol: str) -> None:
    session = charge(Stage(protocol), 1_000, end_wh=12_345, step_s=7200)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 11_345, Method.REGISTERS)
    assert found(session).confidence is Confidence.FAIR


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("begin_wh", [4_296_940_000, 1_000])
def test_S49_a_register_above_2_to_the_32_is_held(protocol: str, begin_wh: int) -> None:
    session = charge(Stage(protocol), begin_wh, begin_wh + 1_000, end_wh=4_296_944_685)
    assert session.state is REVIEW and ReviewReason.REGISTER_OVERFLOW in session.review_reasons


def test_S49_garbage_above_2_to_the_32_between_good_readings_holds_nothing(stage: Stage) -> None:
    session = charge(stage, 1_000, 2_000, 4_296_944_685, 3_000, end_wh=3_500)
    assert (session.state, session.energy_wh) == (SETTLED, 2_500)


# ------------------------------------------------------------------ what the meter says in other words
def reading(stage: Stage, *values: dict[str, Any], after_s: float = 600, **more: Any) -> None:
    at = text_of(stage.now)
    stage.reads_16(0, after_s=after_s, meterValue=[{"timestamp": at, "sampledValue": list(values)}], **more)


def test_S40_energy_per_phase_is_summed_and_never_with_the_total(stage: Stage) -> None:
    stage.starts_16(1_000)
    phases = [{"value": str(wh), "phase": phase} for phase, wh in (("L1", 500), ("L2", 700), ("L3", 800))]
    reading(stage, *phases)
    assert stage.session().energy_wh == 1_000
    reading(stage, {"value": "3000"}, *phases)
    assert stage.session().energy_wh == 2_000
    stage.stops_16(3_500)
    assert stage.settle().energy_wh == 2_500


def test_S40_in_2_0_1_too() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
    values = [
        {"value": wh, "phase": phase, "measurand": "Energy.Active.Import.Register"}
        for phase, wh in (("L1", 500), ("L2", 700), ("L3", 800))
    ]
    stage.event_201("Updated", meterValue=[{"timestamp": text_of(stage.now), "sampledValue": values}])
    assert stage.session().energy_wh == 1_000


@pytest.mark.parametrize(
    "value",
    [
        {"value": "50.01", "measurand": "Frequency", "unit": "Hz"},
        {"value": "31", "measurand": "Temperature", "unit": "Celsius"},
        {"value": "9999999", "measurand": "Current.import", "unit": "V"},
        {"value": "400", "measurand": "Voltage", "phase": "L1-L2"},
        {"value": "5", "measurand": "Current.Import", "phase": "N", "unit": "A"},
        {"value": "7", "measurand": "Vendor.Own.Word", "context": "CurrentMax"},
    ],
    ids=lambda value: value["measurand"],
)
def test_S41_odd_measurands_are_read_past(stage: Stage, value: dict[str, str]) -> None:
    stage.starts_16(1_000)
    reading(stage, value, {"value": "2000", "context": "CurrentMax"})
    assert stage.session().energy_wh == 1_000
    stage.stops_16(3_000)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 2_000) and stage.store.quarantined == []


def test_S48_the_same_reading_on_connector_0_and_1_counts_once(stage: Stage) -> None:
    stage.starts_16(1_000)
    for connector_id in (0, 1, 0, 1):
        stage.reads_16(2_000, after_s=5, connectorId=connector_id)
    stage.reads_16(909_948, after_s=5, connectorId=0)
    stage.reads_16(910_948, after_s=5, connectorId=0)
    assert (stage.session().energy_wh, stage.session().meter.doubt) == (1_000, None)
    stage.stops_16(3_000)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 2_000)


def test_S63_a_charge_is_never_more_than_power_times_time(stage: Stage) -> None:
    session = charge(stage, 1_000, end_wh=9_000, step_s=600)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.MORE_THAN_THE_OUTLET_CAN,))
    assert found(session).bound_wh < 8_000 and found(session).energy_wh is None


# ------------------------------------------------------------------ roll-over, no energy, two meters, two directions
@pytest.mark.parametrize("protocol", DIALECTS)
def test_B13_a_register_that_rolls_over(protocol: str) -> None:
    stage = knows(Stage(protocol), Quirk.ROLLS_OVER_AT_1_MWH)
    session = charge(stage, 999_990, end_wh=12)
    assert (session.state, session.energy_wh, session.meter.notes) == (SETTLED, 22, (MeterNote.ROLLED_OVER,))


@pytest.mark.parametrize("protocol", DIALECTS)
def test_B13_not_of_a_model_that_is_not_known_for_it(protocol: str) -> None:
    session = charge(Stage(protocol), 999_990, end_wh=12)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.REGISTER_WENT_BACK,))


@pytest.mark.parametrize("protocol", DIALECTS)
def test_B13_not_if_the_outlet_can_not_have_given_it(protocol: str) -> None:
    session = charge(knows(Stage(protocol), Quirk.ROLLS_OVER_AT_1_MWH), 500_000, 501_000, end_wh=12)
    assert session.state is REVIEW and ReviewReason.REGISTER_WENT_BACK in session.review_reasons
    assert session.energy_wh == 1_000


@pytest.mark.parametrize("protocol", DIALECTS)
def test_B19_a_session_without_energy_has_a_cdr_of_0(protocol: str) -> None:
    stage = Stage(protocol)
    session = charge(stage, 1_000, 1_000, end_wh=1_000)
    assert (session.state, stage.cdr().energy_wh) == (SETTLED, 0)
    assert (stage.rating().excl_vat, stage.rating().lines) == (0, ())


def test_B20_of_two_meters_one_counts(stage: Stage) -> None:
    """Before and after the cable's loss: never both."""
    stage.starts_16(1_000)
    for inlet_wh, outlet_wh in ((1_550, 1_500), (2_100, 2_000)):
        reading(stage, {"value": str(inlet_wh), "location": "Inlet"}, {"value": str(outlet_wh), "location": "Outlet"})
    assert stage.session().energy_wh == 1_000


@pytest.mark.parametrize("protocol", DIALECTS)
def test_B21_what_the_vehicle_gives_back_never_reduces_what_it_took(protocol: str) -> None:
    stage = Stage(protocol)
    exported = {"measurand": "Energy.Active.Export.Register"}
    taken = {"measurand": "Energy.Active.Import.Register"}
    if protocol == "1.6":
        stage.starts_16(1_000)
        reading(stage, {"value": "3000"} | taken, {"value": "900"} | exported)
        reading(stage, {"value": "950"} | exported)
        stage.stops_16(4_000)
    else:
        stage.event_201("Started", register_wh=1_000, state="Charging", token=TOKEN)
        values: list[dict[str, Any]] = [{"value": 3_000} | taken, {"value": 900} | exported]
        stage.event_201("Updated", meterValue=[{"timestamp": text_of(stage.now), "sampledValue": values}])
        stage.event_201("Ended", register_wh=4_000)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SETTLED, 3_000)


# ------------------------------------------------------------------ how sure
def test_two_ways_that_agree_are_sure(stage: Stage) -> None:
    session = charge(stage, 1_000, 2_000, end_wh=3_000)
    assert (found(session).confidence, found(session).method) == (Confidence.HIGH, Method.REGISTERS)


def test_readings_that_find_another_energy_hold_the_session(stage: Stage) -> None:
    stage.starts_16(1_000)
    data = [
        {"timestamp": text_of(stage.now), "sampledValue": [{"value": "1000", "context": "Transaction.Begin"}]},
        {
            "timestamp": text_of(stage.now + timedelta(hours=1)),
            "sampledValue": [{"value": "1100", "context": "Transaction.End"}],
        },
    ]
    stage.stops_16(5_000, after_s=3600, transactionData=data)
    session = stage.settle()
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.ESTIMATES_DISAGREE,))
    assert session.energy_wh == 4_000


# ------------------------------------------------------------------ properties
estimates = st.builds(Estimate, st.sampled_from(list(Method)), st.integers(-5_000, 2_000_000), st.integers(0, 90_000))


@given(estimates, estimates, st.sampled_from([None, 3_700, 22_000, 350_000]))
def test_two_estimates_agree_with_each_other_or_not(a: Estimate, b: Estimate, power_w: int | None) -> None:
    stage = Stage(max_power_w=power_w)
    stage.starts_16(1_000)
    session = stage.session()
    assert agree(session, a, b) is agree(session, b, a)
    assert agree(session, a, a)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(DIALECTS),
    st.sampled_from([None, 3_700, 22_000]),
    st.lists(st.tuples(registers, st.lists(registers, max_size=4), registers), min_size=1, max_size=3),
)
def test_what_is_proposed_is_what_the_outlet_can_give(
    protocol: str, power_w: int | None, charges: list[tuple[int, list[int], int]]
) -> None:
    """Whatever the registers are; and what is billed by itself is never more, and never below nought."""
    stage = Stage(protocol, max_power_w=power_w)
    for begin_wh, read_wh, end_wh in charges:
        session = charge(stage, begin_wh, *read_wh, end_wh=end_wh)
        finding = found(session)
        by_method = {estimate.method: estimate.energy_wh for estimate in finding.estimates}
        if finding.method is None:
            assert (finding.energy_wh, session.state) == (None, REVIEW)
        else:
            assert finding.method not in NEVER_BILLED and finding.energy_wh == by_method[finding.method]
            assert 0 <= by_method[finding.method] <= finding.bound_wh
            assert session.energy_wh == finding.energy_wh
        assert rebuild(stage.evidence(session)) == ()


def test_energy_that_only_power_tells_of_is_held_though_nobody_is_named() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", state="Charging")
    for _ in range(3):
        at = text_of(stage.now + timedelta(minutes=10))
        value = {"value": 8000, "measurand": "Power.Active.Import"}
        stage.event_201("Updated", meterValue=[{"timestamp": at, "sampledValue": [value]}])
    stage.event_201("Ended")
    session = stage.settle()
    assert (session.state, stage.store.cdrs) == (SessionState.REVIEW, {})
    assert ReviewReason.NO_METER_READING in session.review_reasons


def test_S33_energy_that_nobody_can_believe_is_held_though_nobody_is_named() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", register_wh=0, state="Charging")
    stage.event_201("Ended", register_wh=909_948)
    session = stage.settle()
    assert (session.state, stage.store.cdrs) == (SessionState.REVIEW, {})

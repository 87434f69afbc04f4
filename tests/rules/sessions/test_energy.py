"""Which energy is billed, how is it found, and when must a person look first?"""

from datetime import timedelta
from typing import Any

import pytest

from laddbok.model.energy import Confidence, EnergyFinding, Method
from laddbok.model.session import MeterNote, ReviewReason, Session, SessionState
from laddbok.model.traits import Quirk, RegisterKind, Traits
from tests.rules.sessions.people import knows
from tests.rules.sessions.stage import TOKEN, Stage, text_of

SETTLED, REVIEW = SessionState.SETTLED, SessionState.REVIEW
LIFETIME_WH = 909_948
DIALECTS = ["1.6", "2.0.1"]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def charge(stage: Stage, begin_wh: int, *read_wh: int, end_wh: int | None, step_s: float = 600) -> Session:
    """One charge in the stage's dialect, settled; `end_wh` None: the stop names no register."""
    number = len(stage.sessions()) + 1
    if stage.protocol == "1.6":
        transaction_id = stage.starts_16(begin_wh, after_s=60)["transactionId"]
        for register_wh in read_wh:
            stage.reads_16(register_wh, transaction_id, after_s=step_s)
        stop = {"transactionId": transaction_id, "timestamp": text_of(stage.now)}
        if end_wh is None:
            stage.says_16("StopTransaction", stop, after_s=step_s)
        else:
            stage.stops_16(end_wh, transaction_id, after_s=step_s)
        return stage.settle()
    of = f"tx-{number}"
    stage.event_201("Started", register_wh=begin_wh, state="Charging", token=TOKEN, transaction_id=of, after_s=60)
    for register_wh in read_wh:
        stage.event_201("Updated", register_wh=register_wh, transaction_id=of, after_s=step_s)
    stage.event_201("Ended", register_wh=end_wh, transaction_id=of, after_s=step_s)
    return stage.settle()


def found(session: Session) -> EnergyFinding:
    assert session.energy is not None
    return session.energy


def is_of(stage: Stage, kind: RegisterKind) -> Stage:
    """The stage, whose station is known to have such a register."""
    stage.store.stations[1].traits = Traits(version=1, register_kind=kind)
    stage.connect()
    return stage


# ------------------------------------------------------------------ S33: a begin of 0 that is no register
@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_a_begin_of_0_with_readings_is_held_with_the_true_energy(protocol: str) -> None:
    session = charge(Stage(protocol), 0, LIFETIME_WH, end_wh=910_031)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.BEGIN_NOT_BELIEVED,))
    assert (session.energy_wh, found(session).method) == (83, Method.SAMPLED)
    assert session.meter.notes == (MeterNote.BEGIN_REPLACED,)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_where_the_session_before_ended_there_it_goes_on(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, 908_948, end_wh=LIFETIME_WH)
    session = charge(stage, 0, LIFETIME_WH + 40, end_wh=910_031)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 83, Method.CONTINUED)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_what_flowed_before_the_first_reading_counts_too(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, 908_948, end_wh=LIFETIME_WH)
    session = charge(stage, 0, LIFETIME_WH + 2000, end_wh=LIFETIME_WH + 4000)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 4000, Method.CONTINUED)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_with_start_and_stop_only_nothing_is_proposed(protocol: str) -> None:
    session = charge(Stage(protocol), 0, end_wh=910_031)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.MORE_THAN_THE_OUTLET_CAN,))
    assert found(session).energy_wh is None


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_with_start_and_stop_only_and_a_session_before(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, 908_948, end_wh=LIFETIME_WH)
    session = charge(stage, 0, end_wh=910_031)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 83, Method.CONTINUED)


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("read_wh", [(9_050,), ()], ids=["read", "unread"])
def test_S33_a_meter_that_has_not_counted_much_is_no_exception(protocol: str, read_wh: tuple[int, ...]) -> None:
    """The outlet can give 9 kWh, so only the session before tells that 9,083 Wh were never charged."""
    stage = is_of(Stage(protocol), RegisterKind.LIFETIME)
    charge(stage, 5_000, end_wh=9_000, step_s=1200)
    session = charge(stage, 0, *read_wh, end_wh=9_083, step_s=1800)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 83, Method.CONTINUED)
    assert found(session).gap_wh is None


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_it_is_held_while_nobody_knows_what_the_register_counts(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, 5_000, end_wh=9_000, step_s=1200)
    session = charge(stage, 0, 9_050, end_wh=9_083, step_s=1800)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.BEGIN_NOT_BELIEVED,))
    assert (session.energy_wh, stage.store.stations[1].traits.register_kind) == (83, RegisterKind.UNKNOWN)


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("kind", [RegisterKind.UNKNOWN, RegisterKind.LIFETIME])
def test_S33_a_station_that_truly_starts_at_0(protocol: str, kind: RegisterKind) -> None:
    """Its readings show less than the session before had: the register began anew."""
    stage = is_of(Stage(protocol), kind)
    charge(stage, 0, 2_000, end_wh=5_000)
    session = charge(stage, 0, 1_500, 3_000, end_wh=6_000, step_s=1200)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 6_000, Method.REGISTERS)


def test_S33_a_register_known_to_begin_anew_needs_no_readings() -> None:
    stage = is_of(Stage(), RegisterKind.SESSION)
    charge(stage, 0, end_wh=5_000, step_s=3600)
    session = charge(stage, 0, end_wh=9_000, step_s=3600)
    assert (session.state, session.energy_wh) == (SETTLED, 9_000)


@pytest.mark.parametrize("protocol", DIALECTS)
@pytest.mark.parametrize("first_wh", [LIFETIME_WH, 9_000])
def test_S33_a_model_with_the_quirk_is_measured_from_its_first_reading(protocol: str, first_wh: int) -> None:
    stage = knows(Stage(protocol), Quirk.ZERO_BEGIN)
    session = charge(stage, 0, first_wh, end_wh=first_wh + 83, step_s=3600)
    assert (session.state, session.energy_wh, session.review_reasons) == (SETTLED, 83, ())


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_a_model_with_the_quirk_that_is_read_once_tells_no_energy(protocol: str) -> None:
    session = charge(knows(Stage(protocol), Quirk.ZERO_BEGIN), 0, end_wh=9_083, step_s=3600)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.NO_METER_READING,))
    assert found(session).energy_wh is None


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_a_model_with_the_quirk_goes_on_from_the_session_before(protocol: str) -> None:
    stage = knows(Stage(protocol), Quirk.ZERO_BEGIN)
    charge(stage, 5_000, end_wh=9_000, step_s=3600)
    session = charge(stage, 0, end_wh=14_000, step_s=3600)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 5_000, Method.CONTINUED)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S33_a_model_with_the_quirk_and_a_true_begin(protocol: str) -> None:
    session = charge(knows(Stage(protocol), Quirk.ZERO_BEGIN), 5_000, end_wh=9_000, step_s=3600)
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 4_000, Method.REGISTERS)


def test_one_reading_is_no_energy() -> None:
    stage = Stage("2.0.1")
    stage.event_201("Started", state="Charging", token=TOKEN)
    stage.event_201("Ended", register_wh=910_031, after_s=3600)
    session = stage.settle()
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.NO_METER_READING,))


def test_a_begin_that_was_not_told_goes_on_from_the_session_before() -> None:
    stage = Stage("2.0.1")
    charge(stage, 0, end_wh=1_000)
    stage.event_201("Started", state="Charging", token=TOKEN, transaction_id="b")
    stage.event_201("Updated", register_wh=3_000, transaction_id="b")
    stage.event_201("Ended", register_wh=5_000, transaction_id="b")
    session = stage.settle()
    assert (session.state, session.energy_wh, found(session).method) == (SETTLED, 4_000, Method.CONTINUED)


# ------------------------------------------------------------------ S34: two registers in one session
def two_registers(stage: Stage, first_wh: int, *, is_lifetime_in_readings: bool) -> int:
    """One charge of 2,000 Wh; returns the energy as it was known after the last reading."""
    number = len(stage.sessions()) + 1
    relative, lifetime = (0, 2_000), (first_wh, first_wh + 2_000)
    begin_wh, end_wh = relative if is_lifetime_in_readings else lifetime
    stage.starts_16(begin_wh, after_s=600)
    for grown_wh in (500, 1_000, 1_500):
        stage.reads_16(grown_wh + (first_wh if is_lifetime_in_readings else 0), number)
    live_wh = stage.session().energy_wh
    stage.stops_16(end_wh, number)
    stage.work()
    assert live_wh is not None
    return live_wh


def test_S34_a_lifetime_register_in_start_and_stop_and_readings_from_nought(stage: Stage) -> None:
    live = [two_registers(stage, wh, is_lifetime_in_readings=False) for wh in (100_000, 102_000, 104_000)]
    assert [(s.state, s.energy_wh) for s in stage.sessions()] == [(SETTLED, 2_000)] * 3
    assert stage.store.stations[1].traits.samples_from_zero
    assert live[-1] == 1_500 and stage.session().meter.notes == ()


def test_S34_readings_of_a_lifetime_register_and_start_and_stop_from_nought(stage: Stage) -> None:
    for wh in (100_000, 102_000, 104_000):
        two_registers(stage, wh, is_lifetime_in_readings=True)
    assert [(s.state, s.energy_wh) for s in stage.sessions()] == [(SETTLED, 2_000)] * 3


def test_S34_it_is_never_negative(stage: Stage) -> None:
    session = charge(stage, 4_076_000, 4_077_000, end_wh=2_000)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.REGISTER_WENT_BACK,))
    assert session.energy_wh == 1_000


def test_S34_a_model_that_is_known_for_it_is_right_from_the_first_session() -> None:
    stage = knows(Stage(), Quirk.SAMPLES_FROM_ZERO)
    assert two_registers(stage, 100_000, is_lifetime_in_readings=False) == 1_500
    assert stage.session().energy_wh == 2_000


# ------------------------------------------------------------------ S35: between two sessions
@pytest.mark.parametrize("protocol", DIALECTS)
def test_S35_what_moved_between_two_sessions_is_reported_and_never_billed(protocol: str) -> None:
    stage = is_of(Stage(protocol), RegisterKind.LIFETIME)
    charge(stage, 1_000, end_wh=3_000)
    session = charge(stage, 3_450, end_wh=5_450)
    assert (session.state, session.energy_wh, found(session).gap_wh) == (SETTLED, 2_000, 450)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_S35_a_start_that_lags_behind_the_last_end_bills_no_wh_twice(protocol: str) -> None:
    stage = Stage(protocol)
    charge(stage, 1_000, end_wh=3_000)
    session = charge(stage, 2_950, 4_000, end_wh=5_000)
    assert (session.state, session.energy_wh) == (SETTLED, 2_000)
    assert sum(s.energy_wh or 0 for s in stage.sessions()) == 5_000 - 1_000


def test_S35_nor_if_its_stop_is_lost(stage: Stage) -> None:
    charge(stage, 1_000, end_wh=3_000)
    stage.starts_16(2_950)
    stage.reads_16(4_000, 2)
    stage.waits(days=2)
    session = stage.settle()
    assert (session.ended_by, session.energy_wh) == ("soft", 1_000)


def test_S35_a_lagging_session_that_took_nothing_took_nothing(stage: Stage) -> None:
    charge(stage, 1_000, end_wh=3_000)
    session = charge(stage, 2_950, end_wh=2_950)
    assert (session.state, session.energy_wh) == (SETTLED, 0)


def test_S35_a_register_that_begins_anew_lags_behind_nothing(stage: Stage) -> None:
    charge(stage, 0, end_wh=150)
    assert charge(stage, 0, end_wh=5_000, step_s=3600).energy_wh == 5_000


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

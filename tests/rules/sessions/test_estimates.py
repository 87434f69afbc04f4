"""In which ways is the energy found, if the registers of start, stop and readings do not belong together?"""

import pytest

from laddbok.model.energy import Method
from laddbok.model.session import MeterNote, ReviewReason, SessionState
from laddbok.model.traits import Quirk, RegisterKind
from tests.rules.sessions.charges import DIALECTS, charge, found, is_of
from tests.rules.sessions.people import knows
from tests.rules.sessions.stage import TOKEN, Stage

SETTLED, REVIEW = SessionState.SETTLED, SessionState.REVIEW
LIFETIME_WH = 909_948


@pytest.fixture
def stage() -> Stage:
    return Stage()


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


def test_S33_a_session_before_that_lost_its_stop_may_have_taken_some_of_it(stage: Stage) -> None:
    """What flowed after its last reading was its own driver's, so a person must share it out."""
    stage.starts_16(908_948)
    stage.reads_16(LIFETIME_WH)
    stage.waits(days=2)
    assert stage.settle().ended_by == "soft"
    session = charge(stage, 0, LIFETIME_WH + 2_000, end_wh=LIFETIME_WH + 3_000)
    assert (session.state, session.review_reasons) == (REVIEW, (ReviewReason.BEGIN_NOT_BELIEVED,))
    assert (session.energy_wh, found(session).method) == (3_000, Method.CONTINUED)


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

"""What did the simulation find that no case had told of? Each test is the smallest form of a seed that failed."""

from laddbok.flow.rebuild import rebuild
from laddbok.model.session import ReviewReason, SessionState
from tests.rules.sessions.stage import Stage, step, text_of


def with_power(stage: Stage, register_wh: int, power_w: int, after_s: float) -> None:
    sampled = [
        {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"},
    ]
    stage.reads_16(
        register_wh, after_s=after_s, meterValue=[{"timestamp": text_of(stage.now), "sampledValue": sampled}]
    )


def test_a_car_that_is_full_before_the_first_reading_is_no_doubt_of_the_unit() -> None:
    """516 Wh by the registers, and nobody saw the power at which they flowed: every later reading says 0 W."""
    stage = Stage(max_power_w=7_360)
    stage.starts_16(40)
    for _ in range(8):
        with_power(stage, 556, 0, after_s=300)
    stage.stops_16(556, after_s=60)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.review_reasons) == (SessionState.SETTLED, 516, ())


def test_a_register_in_kwh_is_still_doubted() -> None:
    stage = Stage(max_power_w=22_000)
    stage.starts_16(40)
    for reading in range(1, 9):
        with_power(stage, 40 + reading * 3, 11_000, after_s=900)
    stage.stops_16(40 + 8 * 3, after_s=1)
    session = stage.settle()
    assert session.state is SessionState.REVIEW and session.review_reasons == (ReviewReason.UNIT_DOUBTFUL,)


def test_a_correction_is_rebuilt_from_what_it_was_made_of() -> None:
    """It went on after the guessed end; a status, which names no transaction, was not read when the stop corrected it."""
    stage = Stage()
    stage.starts_16(1000)
    stage.reads_16(2000)
    stage.boots_16()
    stage.waits(hours=1)
    assert stage.settle().state is SessionState.SETTLED
    stage.connect()
    stage.reads_16(5000)
    stage.status_16("SuspendedEV", after_s=600)
    stage.stops_16(5000, after_s=1800)
    session = stage.settle()
    assert (session.state, session.revision, session.energy_wh) == (SessionState.SETTLED, 2, 4000)
    assert rebuild(step(stage.store.session_evidence(1, session.id))) == ()

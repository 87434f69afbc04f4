"""What do statuses do that are stamped days ago, as stations repeat them at their boot? They stay in the past (S78)."""

from datetime import datetime, timedelta

import pytest

from laddbok.model.session import SessionState
from laddbok.model.station import Outlet
from laddbok.sessions.receive import REPEATS_WITHIN
from tests.rules.sessions.stage import Stage, text_of

DAY_S = 86_400.0


def tells(stage: Stage, status: str, *, age_s: float, after_s: float = 1, error: str = "NoError") -> datetime:
    """A status of outlet 1 that is so old when it arrives. Returns: its stamp."""
    at = stage.now + timedelta(seconds=after_s - age_s)
    payload = {"connectorId": 1, "errorCode": error, "status": status, "timestamp": text_of(at)}
    assert stage.says_16("StatusNotification", payload, after_s) == {}
    return at


def outlet(stage: Stage) -> Outlet:
    """Outlet 1 as the desk holds it, which is what the store has too."""
    held = stage.desk.stations[1].state.outlets[1, 1]
    assert stage.store.stations[1].outlets[1, 1] == held
    return held


def test_S78_an_old_fault_repeated_after_the_present_status_changes_nothing() -> None:
    stage = Stage()
    stage.boots_16()
    tells(stage, "Available", age_s=0)
    now = outlet(stage)
    for days in (9, 2, 5):
        tells(stage, "Faulted", age_s=days * DAY_S, error="OtherError")
    assert outlet(stage) == now
    assert len(stage.store.stations[1].frames) == 5, "all of them are evidence"


def test_S78_an_old_fault_that_is_the_last_word_keeps_its_own_time() -> None:
    stage = Stage()
    stage.boots_16()
    at = tells(stage, "Faulted", age_s=2 * DAY_S, error="OtherError")
    said = outlet(stage)
    assert (said.status, said.error_code, said.status_at, said.told_at) == ("Faulted", "OtherError", at, stage.now)


def test_S78_what_is_repeated_in_order_ends_with_the_present() -> None:
    stage = Stage()
    for status, days in (("Faulted", 3.0), ("Available", 2.0), ("Faulted", 1.0), ("Available", 0.0)):
        at = tells(stage, status, age_s=days * DAY_S)
    assert (outlet(stage).status, outlet(stage).status_at) == ("Available", at)


def test_S78_a_clock_that_was_set_back_does_not_silence_a_station() -> None:
    stage = Stage()
    tells(stage, "Available", age_s=0)
    tells(stage, "Charging", age_s=DAY_S, after_s=REPEATS_WITHIN.total_seconds() + 1)
    assert outlet(stage).status == "Charging"


def test_S78_a_stamp_that_is_not_believed_is_of_its_receipt() -> None:
    stage = Stage()
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Faulted", "timestamp": "1970-01-01T00:00:09Z"}
    stage.says_16("StatusNotification", payload)
    assert outlet(stage).status_at == outlet(stage).told_at == stage.now


def test_S78_an_old_status_from_before_the_session_is_not_about_it() -> None:
    stage = Stage()
    stage.starts_16()
    stage.reads_16(2000)
    before = stage.session()
    tells(stage, "Available", age_s=2 * DAY_S)
    assert stage.session() == before
    stage.stops_16(3000)
    tells(stage, "Available", age_s=2 * DAY_S)
    assert stage.session().unplugged_at is None
    session = stage.settle()
    again = stage.refolded(session)
    assert (session.state, session.unplugged_at, again.unplugged_at) == (SessionState.SETTLED, None, None)
    assert session.energy_wh == again.energy_wh == 2000


@pytest.mark.parametrize("age_s", [0, 3000])
def test_S78_a_status_of_the_sessions_own_time_still_tells_of_it(age_s: float) -> None:
    stage = Stage()
    stage.starts_16()
    stage.reads_16(2000, after_s=7200)
    stage.stops_16(3000)
    ended_at = stage.session().transaction_ended_at
    assert ended_at is not None
    at = tells(stage, "Available", age_s=age_s, after_s=600)
    assert stage.session().unplugged_at == max(at, ended_at)

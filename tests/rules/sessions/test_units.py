"""What if the energy is told in another unit?"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from laddbok.flow.rebuild import rebuild
from laddbok.model.session import ReviewReason, SessionState
from laddbok.model.traits import Quirk
from laddbok.ocpp.frame import Call
from laddbok.ocpp.relabel import relabelled
from tests.rules.sessions.stage import Stage, text_of


def charges(stage: Stage, start_kwh: int, power_w: int = 9_000, minutes: int = 60) -> None:
    """An hour at 9 kW, each 10 minutes a reading in kWh that is called Wh; start and stop in whole kWh."""
    number = len(stage.sessions()) + 1
    stage.starts_16(start_kwh)
    for minute in range(10, minutes + 1, 10):
        register = start_kwh + power_w * minute / 60_000
        sampled: list[dict[str, Any]] = [
            {"value": f"{register:.3f}", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        at = text_of(stage.now + timedelta(minutes=10))
        stage.reads_16(0, number, meterValue=[{"timestamp": at, "sampledValue": sampled}], after_s=600)
    stage.stops_16(start_kwh + power_w * minutes // 60_000, number, after_s=0)


def test_S38_kwh_called_wh_are_held_and_proposed_rightly() -> None:
    stage = Stage()
    charges(stage, 361)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.REVIEW, 9000)
    assert ReviewReason.UNIT_DOUBTFUL in session.review_reasons
    assert rebuild(stage.evidence(session)) == ()


def test_S38_the_second_time_it_is_known_and_billed() -> None:
    stage = Stage()
    for start_kwh in (361, 370):
        charges(stage, start_kwh)
        stage.settle()
    assert stage.store.stations[1].traits.register_unit_wh == 1000
    charges(stage, 379)
    assert stage.session().energy_wh == 9000
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.SETTLED, 9000)
    assert all(rebuild(stage.evidence(each)) == () for each in stage.sessions())


def test_S38_a_known_model_is_billed_the_first_time() -> None:
    stage = Stage()
    stage.says_16(
        "BootNotification", {"chargePointVendor": "OpenEVSE", "chargePointModel": "x", "firmwareVersion": "4.2.2"}
    )
    assert stage.desk.stations[1].state.station.quirks == (Quirk.REGISTER_IN_KWH,)
    charges(stage, 361)
    session = stage.settle()
    assert (session.state, session.energy_wh, session.quirks) == (SessionState.SETTLED, 9000, (Quirk.REGISTER_IN_KWH,))
    assert rebuild(stage.evidence(session)) == ()


def test_S38_power_in_kw_called_w_changes_no_energy() -> None:
    stage = Stage()
    stage.starts_16(1000)
    for _ in range(12):
        at = text_of(stage.now + timedelta(minutes=10))
        sampled = [{"value": "9", "measurand": "Power.Active.Import", "unit": "W"}]
        stage.reads_16(0, meterValue=[{"timestamp": at, "sampledValue": sampled}])
    stage.stops_16(20_500)
    session = stage.settle()
    assert session.energy_wh == 19_500
    assert (session.state, session.review_reasons) == (SessionState.REVIEW, (ReviewReason.UNIT_DOUBTFUL,))


def test_S38_power_in_kw_called_w_is_no_habit_of_the_register() -> None:
    stage = Stage()
    for number in (1, 2, 3):
        stage.starts_16(30_000 * number)
        for _ in range(12):
            at = text_of(stage.now + timedelta(minutes=10))
            sampled = [{"value": "9", "measurand": "Power.Active.Import", "unit": "W"}]
            stage.reads_16(0, number, meterValue=[{"timestamp": at, "sampledValue": sampled}])
        stage.stops_16(30_000 * number + 19_500, number)
        assert stage.settle().energy_wh == 19_500
        assert stage.store.stations[1].traits.register_unit_wh == 1


@pytest.mark.parametrize(
    "payload", [b"[]", b"{", b'{"meterValue":7,"transactionData":[1,{"sampledValue":[3]}]}', b"null"]
)
def test_what_can_not_be_relabelled_stays_what_it_is(payload: bytes) -> None:
    call = Call("1", "MeterValues", msgspec.Raw(payload))
    assert bytes(relabelled(call).payload) == payload

"""Are the stations of a fleet the same wherever they are worked out?"""

from datetime import timedelta

from laddbok.fleet.ledger import MAX_RECORDS, FleetRecord, TransactionRecord
from laddbok.fleet.population import REGISTERS_SINCE, FleetSettings, station_password, station_shapes
from tests.rules.fleet.central import NOON

SETTINGS = FleetSettings(url="ws://127.0.0.1:9000/ocpp", stations=8, seed=4)


def test_shapes_follow_from_the_settings_alone() -> None:
    assert list(station_shapes(SETTINGS)) == list(station_shapes(SETTINGS))
    assert {shape.protocol for shape in station_shapes(SETTINGS)} == {"1.6", "2.0.1"}


def test_a_password_is_derived_unless_given() -> None:
    first = next(station_shapes(SETTINGS))
    assert first.password == station_password(4, "LB-0001") != station_password(5, "LB-0001")
    given = FleetSettings(url="ws://x", password="secret")
    assert {shape.password for shape in station_shapes(given)} == {"secret"}


def test_meters_of_a_later_run_show_more_than_its_cars_can_have_taken() -> None:
    earlier = list(station_shapes(SETTINGS, REGISTERS_SINCE))
    later = list(station_shapes(SETTINGS, REGISTERS_SINCE + timedelta(hours=1)))
    for one, other in zip(earlier, later, strict=True):
        assert other.register_wh - one.register_wh == min(one.rated_w, 40_000)


def test_a_record_is_bounded_and_counts_what_it_forgets() -> None:
    ledger = FleetRecord()
    template = {"evse_id": 1, "connector_id": 1, "id_token": "A", "start_register_wh": 0, "started_at": NOON}
    running = TransactionRecord(key="running", station="LB-0001", **template)
    over = TransactionRecord(key="over", station="LB-0001", acknowledged=True, **template)
    ledger.transactions = [running] + [over] * (MAX_RECORDS - 1)
    ledger.begin(running)
    assert ledger.transactions[0] is running
    assert len(ledger.transactions) + ledger.forgotten_transactions == MAX_RECORDS + 1

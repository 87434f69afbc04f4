"""What if a station says it twice, or says it of a transaction that nobody knows?"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp as schemas  # type: ignore[import-untyped]
import pytest

from laddbok.flow.changes import StoreDown
from laddbok.model.session import ReviewReason, SessionState
from laddbok.ocpp.frame import OcppVersion
from tests.rules.sessions.stage import BLOCKED_TOKEN, NOON, OTHER_TOKEN, STRANGER, TOKEN, Stage, text_of

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def stage_201() -> Stage:
    return Stage("2.0.1")


def test_S1_the_same_start_again_is_the_same_transaction(stage: Stage) -> None:
    at = text_of(NOON)
    answers = [stage.starts_16(timestamp=at, after_s=60) for _ in range(3)]
    assert answers == [{"idTagInfo": {"status": "Accepted"}, "transactionId": 1}] * 3
    assert len(stage.sessions()) == 1
    assert stage.session().started_at == NOON


def test_S1_also_after_the_answer_was_lost_with_the_connection(stage: Stage) -> None:
    at = text_of(NOON)
    first = stage.starts_16(timestamp=at)
    stage.connect()
    assert stage.starts_16(timestamp=at) == first
    stage.stops_16(2000)
    stage.settle()
    stage.connect()
    assert stage.starts_16(timestamp=at) == first
    assert [each.state for each in stage.sessions()] == [SessionState.SETTLED]


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(hours=2), timedelta(hours=14)])
def test_S28_local_time_labelled_Z_tells_a_start_from_the_next_also_after_the_end(ahead: timedelta) -> None:
    """Not believed as a time, but a clock that runs: the start again is no second session, whose stop would count twice."""
    stage = Stage("2.0.1")
    at, ended_at = text_of(NOON + ahead), text_of(NOON + ahead + timedelta(hours=1))
    for _ in range(2):
        stage.event_201("Started", register_wh=1000, token=TOKEN, timestamp=at, after_s=1)
        stage.event_201("Ended", register_wh=8000, timestamp=ended_at, after_s=3600)
        stage.work()
    assert [session.energy_wh for session in stage.sessions()] == [7000]
    sixteen = Stage()
    first = sixteen.starts_16(timestamp=at)
    sixteen.stops_16(8000, after_s=3600)
    sixteen.work()
    assert sixteen.starts_16(timestamp=at) == first


def test_S2_a_repeated_start_is_never_called_concurrent(stage: Stage) -> None:
    payload = {"connectorId": 1, "idTag": TOKEN, "meterStart": 1000, "timestamp": text_of(NOON)}
    statuses = [stage.says_16("StartTransaction", payload, message_id=i)["idTagInfo"] for i in ("a", "b")]
    assert statuses == [{"status": "Accepted"}] * 2


@pytest.mark.parametrize("message_ids", [("1", "1"), ("1", "2")])
def test_S3_the_content_tells_a_retry_whatever_its_message_id(stage: Stage, message_ids: tuple[str, str]) -> None:
    payload = {"connectorId": 1, "idTag": TOKEN, "meterStart": 1000, "timestamp": text_of(NOON)}
    answers = [stage.says_16("StartTransaction", payload, message_id=i) for i in message_ids]
    assert answers[0] == answers[1] and len(stage.sessions()) == 1


def test_S3_a_small_message_id_used_again_after_boot_is_another_call(stage: Stage) -> None:
    first = {"connectorId": 1, "idTag": TOKEN, "meterStart": 1000, "timestamp": text_of(NOON)}
    second = first | {"meterStart": 2000, "timestamp": text_of(NOON + timedelta(hours=1))}
    answers = [stage.says_16("StartTransaction", each, message_id="1")["transactionId"] for each in (first, second)]
    assert answers == [1, 2] and len(stage.sessions()) == 2


def test_S4_the_first_stop_wins_and_the_second_is_answered_alike(stage: Stage) -> None:
    stage.starts_16(1000)
    answers = [stage.stops_16(register_wh, idTag=TOKEN) for register_wh in (3000, 3500)]
    assert answers == [ACCEPTED, ACCEPTED]
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.SETTLED, 2000)
    frames = stage.store.stations[1].frames.values()
    assert [frame.action for frame in frames].count("StopTransaction") == 2


def test_S4_also_after_the_session_was_settled(stage: Stage) -> None:
    stage.starts_16(1000)
    first = stage.stops_16(3000)
    settled = stage.settle()
    assert stage.stops_16(3500) == first
    stage.connect()
    assert stage.stops_16(3500) == first
    assert stage.session() == settled and stage.store.orphans == {}


def test_S5_a_retried_stop_brings_its_values_once(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.reads_16(1500)
    times = [stage.now, stage.now + timedelta(minutes=5), stage.now + timedelta(minutes=10)]
    data = [
        {"timestamp": text_of(at), "sampledValue": [{"value": str(wh)}]}
        for at, wh in zip(times, (1500, 1900, 2300), strict=True)
    ]
    stop = {"transactionId": 1, "meterStop": 2300, "timestamp": text_of(times[-1]), "transactionData": data}
    stage.says_16("StopTransaction", stop, after_s=600)
    once = stage.session().meter
    stage.says_16("StopTransaction", stop, after_s=60)
    assert stage.session().meter == once
    assert stage.settle().energy_wh == 1300


@pytest.mark.parametrize("transaction_id", [4711, 0, -1])
def test_S7_a_stop_of_an_unknown_transaction_is_answered_and_kept(stage: Stage, transaction_id: int) -> None:
    assert stage.stops_16(5000, transaction_id) == {}
    assert stage.sessions() == []
    [orphan] = stage.store.orphans.values()
    assert (orphan.action, orphan.transaction_id) == ("StopTransaction", str(transaction_id))


def test_S7_values_of_an_unknown_transaction_too(stage: Stage) -> None:
    assert stage.reads_16(5000, 4711) == {}
    [orphan] = stage.store.orphans.values()
    assert (orphan.action, orphan.transaction_id, orphan.evse_id) == ("MeterValues", "4711", 1)
    assert orphan.station_no == 1 and len(stage.store.stations[1].frames) == 1


@pytest.mark.parametrize("transaction_id", ["0", "-1"])
def test_S9_an_end_without_an_id_where_nothing_runs_is_an_orphan_each_time_it_comes(transaction_id: str) -> None:
    stage = Stage("2.0.1")
    at = text_of(stage.now)
    end = {"timestamp": at, "transaction_id": transaction_id, "evse": {"id": 1, "connectorId": 1}}
    for _ in range(2):
        payload = stage.event_201("Ended", register_wh=3000, **end)
        assert payload == {}
    assert stage.sessions() == [] and len(stage.store.orphans) == 2


@pytest.mark.parametrize("transaction_id", [0, -1, None])
def test_S10_values_without_a_transaction_belong_to_what_runs_there(stage: Stage, transaction_id: int | None) -> None:
    stage.starts_16(1000)
    stage.reads_16(1800, transaction_id)
    assert stage.session().energy_wh == 800
    stage.reads_16(9000, transaction_id, connectorId=2)
    assert stage.session().energy_wh == 800


def test_S13_a_stop_with_an_unknown_id_closes_nobody(stage: Stage) -> None:
    stage.starts_16(1000)
    stage.stops_16(5000, 4711, idTag=TOKEN)
    assert stage.session().state is SessionState.ACTIVE and stage.session().energy_wh == 0


def test_S13_another_driver_may_stop_but_never_pays(stage: Stage) -> None:
    stage.starts_16(1000, TOKEN)
    assert stage.stops_16(2000, idTag=OTHER_TOKEN) == ACCEPTED
    session = stage.settle()
    assert (session.token, session.stopped_by, session.state) == (TOKEN, OTHER_TOKEN, SessionState.SETTLED)


@pytest.mark.parametrize("id_tag", [None, ""])
def test_S14_a_stop_needs_no_token(stage: Stage, id_tag: str | None) -> None:
    stage.starts_16(1000)
    assert stage.stops_16(2000, idTag=id_tag) == {}
    session = stage.settle()
    assert (session.state, session.stopped_by, session.energy_wh) == (SessionState.SETTLED, None, 1000)


def test_S16_a_transaction_of_which_only_the_end_arrives(stage_201: Stage) -> None:
    begin = {"timestamp": text_of(NOON - timedelta(hours=2)), "sampledValue": [_register(1000, "Transaction.Begin")]}
    end = {"timestamp": text_of(NOON - timedelta(hours=1)), "sampledValue": [_register(6000, "Transaction.End")]}
    more: dict[str, Any] = {"timestamp": end["timestamp"], "meterValue": [begin, end], "offline": True}
    stage_201.event_201("Ended", token=TOKEN, evse={"id": 1, "connectorId": 1}, **more)
    session = stage_201.settle()
    assert (session.state, session.energy_wh) == (SessionState.REVIEW, 5000)
    assert session.review_reasons == (ReviewReason.INCOMPLETE_START,)
    assert session.started_at == NOON - timedelta(hours=2)
    assert session.transaction_ended_at == NOON - timedelta(hours=1)


def test_S16_an_end_that_names_no_outlet_is_an_orphan(stage_201: Stage) -> None:
    assert stage_201.event_201("Ended", register_wh=6000) == {}
    assert stage_201.sessions() == []
    [orphan] = stage_201.store.orphans.values()
    assert orphan.transaction_id == "tx-1"


@pytest.mark.parametrize(("token", "status"), [(STRANGER, "Invalid"), (BLOCKED_TOKEN, "Blocked")])
def test_S17_an_offline_start_whose_token_is_refused_is_metered(stage: Stage, token: str, status: str) -> None:
    start_at, stop_at = (text_of(NOON - timedelta(hours=hours)) for hours in (3, 2))
    assert stage.starts_16(1000, token, timestamp=start_at)["idTagInfo"] == {"status": status}
    stage.stops_16(6000, timestamp=stop_at)
    session = stage.settle()
    assert (session.state, session.energy_wh) == (SessionState.REVIEW, 5000)
    reason = ReviewReason.UNKNOWN_TOKEN if token == STRANGER else ReviewReason.TOKEN_REFUSED
    assert session.review_reasons == (reason,)


def test_S18_nothing_is_answered_before_it_is_durable(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.starts_16(1000)
    stop = {"transactionId": 1, "meterStop": 2000, "timestamp": text_of(stage.now)}
    committed = []

    async def fails(changes: object) -> None:
        committed.append(changes)
        raise StoreDown("planted")

    with monkeypatch.context() as patch:
        patch.setattr(stage.store, "commit", fails)
        with pytest.raises(StoreDown):
            stage.says_16("StopTransaction", stop)
    assert len(committed) == 1
    assert stage.session().state is SessionState.ACTIVE
    assert len(stage.store.stations[1].frames) == 1
    assert stage.says_16("StopTransaction", stop) == {}
    row = stage.store.sessions[1, stage.session().id]
    assert row.session.state is SessionState.ENDED and len(stage.store.stations[1].frames) == 2


SAID_16: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"chargePointVendor": "N", "chargePointModel": "V"}),
    ("Heartbeat", {}),
    ("Authorize", {"idTag": TOKEN}),
    ("Authorize", {"idTag": STRANGER}),
    ("StartTransaction", {"connectorId": 1, "idTag": TOKEN, "meterStart": 1, "timestamp": text_of(NOON)}),
    ("StartTransaction", {"connectorId": 2, "idTag": STRANGER, "meterStart": 1, "timestamp": text_of(NOON)}),
    ("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": []}),
    ("StopTransaction", {"transactionId": 1, "meterStop": 2, "timestamp": text_of(NOON), "idTag": STRANGER}),
    ("StopTransaction", {"transactionId": 2, "meterStop": 2, "timestamp": text_of(NOON)}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
    ("DataTransfer", {"vendorId": "x"}),
]


def test_S19_our_answers_have_exactly_the_fields_of_the_schema(stage: Stage) -> None:
    for action, payload in SAID_16:
        validate(OcppVersion.V16, action, stage.says_16(action, payload))


@pytest.mark.parametrize("token", [TOKEN, STRANGER, None])
def test_S19_in_2_0_1_too(stage_201: Stage, token: str | None) -> None:
    answers = [
        stage_201.event_201("Started", register_wh=1, state="EVConnected", token=token),
        stage_201.event_201("Updated", register_wh=1, state="Charging", token=token),
        stage_201.event_201("Ended", register_wh=1, token=token),
        stage_201.event_201("Ended", register_wh=1, transaction_id="nobody's"),
    ]
    for answer in answers:
        validate(OcppVersion.V201, "TransactionEvent", answer)
    assert [("idTokenInfo" in answer) for answer in answers] == [token is not None] * 3 + [False]
    validate(OcppVersion.V201, "StatusNotification", stage_201.status_201("Available"))
    asked = {"idToken": {"idToken": token or "X", "type": "ISO14443"}}
    validate(OcppVersion.V201, "Authorize", stage_201.says_201("Authorize", asked))


def validate(version: OcppVersion, action: str, answer: Any) -> None:
    name = f"v16/schemas/{action}Response" if version is OcppVersion.V16 else f"v201/schemas/{action}Response"
    schema = json.loads((Path(schemas.__file__).parent / f"{name}.json").read_text(encoding="utf-8-sig"))
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(answer)


def _register(register_wh: int, context: str) -> dict[str, Any]:
    return {"value": register_wh, "context": context, "measurand": "Energy.Active.Import.Register"}


def test_S1_an_older_start_once_more_ends_nobody(stage: Stage) -> None:
    at = text_of(NOON)
    stage.starts_16(1000, timestamp=at)
    stage.starts_16(1200, OTHER_TOKEN, after_s=600)
    assert stage.starts_16(1000, timestamp=at, after_s=5)["transactionId"] == 1
    stage.connect()
    assert stage.session().state is SessionState.ACTIVE
    stage.stops_16(3200, 2)
    stage.settle()
    assert [session.energy_wh for session in stage.sessions()] == [0, 2000]
    assert stage.session().ended_by == "stop"


def test_S16_an_update_whose_start_never_came_ends_what_ran_there(stage_201: Stage) -> None:
    stage_201.event_201("Started", register_wh=1000, state="Charging", token=TOKEN)
    stage_201.event_201("Updated", register_wh=1500, evse={"id": 1, "connectorId": 1}, transaction_id="tx-2")
    first, second = stage_201.sessions()
    assert (first.ended_by, first.state) == ("soft", SessionState.ENDED)
    assert ReviewReason.INCOMPLETE_START in second.review_reasons
    stage_201.connect()
    assert [stage_201.refolded(session) for session in stage_201.sessions()] == [first, second]


def test_a_token_that_names_nobody_changes_no_tariff(stage_201: Stage) -> None:
    """2.0.1 NoAuthorization: its empty token comes with every event and is no reason to look the terms up again."""
    nobody = {"idToken": "", "type": "NoAuthorization"}
    stage_201.event_201("Started", register_wh=1000, state="Charging", idToken=nobody)
    tariff = stage_201.session().tariff
    stage_201.event_201("Updated", register_wh=2000, idToken=nobody)
    session = stage_201.session()
    assert (session.tariff, session.id_token) == (tariff, None) and tariff is not None
    assert stage_201.refolded(session) == session


def test_S27_a_long_transaction_id_is_known_again_whatever_the_clock() -> None:
    stage = Stage("2.0.1")
    name, wrong = "42fd9f8a-72b3-5f20-8234-f08d793b6389", "1970-01-01T00:00:18Z"
    start = {"register_wh": 1000, "state": "Charging", "token": TOKEN, "transaction_id": name, "timestamp": wrong}
    stage.event_201("Started", **start)
    stage.waits(days=2)
    stage.settle()
    stage.event_201("Started", **start)
    stage.event_201("Ended", register_wh=3000, transaction_id=name, timestamp=wrong)
    session = stage.settle()
    assert len(stage.sessions()) == 1 and (session.energy_wh, session.state) == (2000, SessionState.REVIEW)

"""Is whatever a station may send turned into a value, and whatever we answer valid?"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import ocpp as schemas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.events import Answer, AuthorizationStatus
from laddbok.ocpp import commands, decode, respond, validate_command
from laddbok.ocpp.frame import Call, OcppVersion, Undecodable
from laddbok.ocpp.messages import v16_in, v201_in

ACTIONS = [
    (version, action)
    for version, module in ((OcppVersion.V16, v16_in), (OcppVersion.V201, v201_in))
    for action in module.REQUESTS
]
FOLDERS = {OcppVersion.V16: "v16", OcppVersion.V201: "v201"}
KEYS = (
    "connectorId evseId evse id transactionId transactionInfo idTag idToken type status connectorStatus eventType "
    "timestamp meterValue sampledValue value unit unitOfMeasure multiplier phase measurand context signedMeterValue "
    "chargingStation vendorId data requestId"
).split()

numbers = st.integers() | st.floats() | st.sampled_from(["1", " 7.50", "1e400", "NaN", "-3"])
texts = st.text(max_size=8) | st.sampled_from(["Started", "Ended", "L1", "kWh", "2026-01-01T00:00:00Z", "SignedData"])
garbage = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)
answers = st.builds(
    Answer,
    transaction_id=st.integers(1, 2**31 - 1).map(str),
    authorization=st.sampled_from(AuthorizationStatus),
    now=st.datetimes(timezones=st.just(UTC)),
    heartbeat_interval_s=st.integers(1, 86_400),
    boot_accepted=st.booleans(),
)


@cache
def answer_validator(version: OcppVersion, action: str) -> jsonschema_rs.Validator:
    path = Path(schemas.__file__).parent / FOLDERS[version] / "schemas" / f"{action}Response.json"
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8-sig")), validate_formats=True)


@given(st.sampled_from(ACTIONS), garbage, answers)
def test_garbage_is_an_event_or_undecodable_and_its_answer_is_valid(
    action: tuple[OcppVersion, str], payload: Any, answer: Answer
) -> None:
    version, name = action
    event = decode(Call("1", name, msgspec.Raw(json.dumps(payload).encode())), version)
    if isinstance(event, Undecodable):
        assert event.action == name and event.code and event.reason
    else:
        answer_validator(version, name).validate(json.loads(respond(event, answer, version)))


@given(st.sampled_from(ACTIONS), st.binary())
def test_any_bytes_are_an_event_or_undecodable(action: tuple[OcppVersion, str], payload: bytes) -> None:
    version, name = action
    assert decode(Call("1", name, msgspec.Raw(payload)), version) is not None


@pytest.mark.parametrize(("version", "action"), ACTIONS)
def test_the_answer_to_every_action_is_valid(version: OcppVersion, action: str) -> None:
    least = {
        "idToken": {"idToken": "A", "type": "Central"} if version is OcppVersion.V201 else None,
        "idTag": "A",
        "connectorId": 1,
        "evseId": 1,
        "status": "Available",
        "connectorStatus": "Available",
        "eventType": "Updated",
        "transactionId": 1,
        "transactionInfo": {"transactionId": "t"},
    }
    event = decode(Call("1", action, msgspec.Raw(msgspec.json.encode(least))), version)
    assert not isinstance(event, Undecodable)
    answer = Answer(
        transaction_id="1",
        authorization=AuthorizationStatus.ACCEPTED,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        heartbeat_interval_s=300,
    )
    answer_validator(version, action).validate(json.loads(respond(event, answer, version)))


def test_each_version_has_its_own_commands() -> None:
    assert "RemoteStartTransaction" in commands(OcppVersion.V16) - commands(OcppVersion.V201)
    assert "RequestStartTransaction" in commands(OcppVersion.V201) - commands(OcppVersion.V16)
    assert validate_command("UnlockConnector", {"connectorId": 1}, OcppVersion.V16) == b'{"connectorId":1}'

"""Are whole conversations understood, and our side of them exactly what is written?

A transcript has one frame a line: the instant at which we sent or received it, `>` from the station or `<` from us,
and the frame. Lines with `#` say what it shows. In our answers the heartbeat interval is 300 s and transactions count
from 1.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp as schemas
import pytest

from laddbok.model.events import Answer, AuthorizationStatus
from laddbok.ocpp import decode, respond, validate_command
from laddbok.ocpp.frame import Call, CallResult, OcppVersion, Undecodable, encode_call, encode_result, parse
from tests.rules.ocpp.curves import curve

HERE = Path(__file__).parent
VERSIONS = {"1.6": OcppVersion.V16, "2.0.1": OcppVersion.V201}
SCHEMA_FOLDERS = {OcppVersion.V16: "v16", OcppVersion.V201: "v201"}
TRANSCRIPTS = sorted(HERE.glob("*/*.txt"))

Line = tuple[datetime, str, str]


def lines_of(path: Path) -> list[Line]:
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        if not text.startswith("#"):
            at, direction, frame = text.split(" ", 2)
            lines.append((datetime.fromisoformat(at), direction, frame))
    return lines


def is_valid(version: OcppVersion, action: str, kind: str, payload: Any) -> bool:
    suffix = "" if version is OcppVersion.V16 and kind == "Request" else kind
    path = Path(schemas.__file__).parent / SCHEMA_FOLDERS[version] / "schemas" / f"{action}{suffix}.json"
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return bool(jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(payload))


def authorization_in(payload: dict[str, Any]) -> AuthorizationStatus | None:
    told = payload.get("idTagInfo") or payload.get("idTokenInfo")
    return AuthorizationStatus(told["status"]) if told else None


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_frame_of_a_conversation(path: Path) -> None:
    version = VERSIONS[path.parent.name]
    calls: dict[str, Call] = {}
    for at, direction, text in lines_of(path):
        frame = parse(text, version)
        if isinstance(frame, Call):
            calls[frame.message_id] = frame
        if isinstance(frame, Call) and direction == ">":
            assert not isinstance(decode(frame, version), Undecodable)
        elif isinstance(frame, Call):
            payload = validate_command(frame.action, json.loads(bytes(frame.payload)), version)
            assert encode_call(frame.message_id, frame.action, payload).decode() == text
        else:
            assert isinstance(frame, CallResult)
            call, payload = calls[frame.message_id], json.loads(bytes(frame.payload))
            assert is_valid(version, call.action, "Response", payload)
            if direction == "<":
                assert answered(call, payload, at, version) == text


def answered(call: Call, expected: dict[str, Any], at: datetime, version: OcppVersion) -> str:
    """Our answer as we would write it, when we decide as the transcript says."""
    event = decode(call, version)
    assert not isinstance(event, Undecodable)
    number = expected.get("transactionId")
    answer = Answer(
        transaction_id=str(number) if number else None,
        authorization=authorization_in(expected),
        now=at,
        heartbeat_interval_s=300,
    )
    return encode_result(call.message_id, respond(event, answer, version)).decode()


@pytest.mark.parametrize(
    ("name", "energy_wh", "highest_w"),
    [
        ("1.6/plain_session", 6200, 7400),
        ("1.6/remote_start_three_phase", 3456, 10800),
        ("1.6/retried_start_and_stop", 902, None),
        ("1.6/unknown_token", 400, None),
        ("1.6/field_garbage", 1750, 3600),
        ("2.0.1/plain_session", 5500, 7400),
        ("2.0.1/remote_start_dc", 21345, 118200),
        ("2.0.1/offline_session", 4000, None),
    ],
)
def test_the_curves_of_a_conversation(name: str, energy_wh: int, highest_w: int | None) -> None:
    path = HERE / f"{name}.txt"
    frames = [(at, text.encode()) for at, direction, text in lines_of(path) if direction == ">"]
    series = curve(frames, VERSIONS[path.parent.name])
    registers_wh = [value for _, value in series["register_wh"]]
    assert registers_wh == sorted(registers_wh) and registers_wh[-1] - registers_wh[0] == energy_wh
    assert max((value for _, value in series.get("power_w", [])), default=None) == highest_w


def test_every_transcript_is_read() -> None:
    assert {path.parent.name for path in TRANSCRIPTS} == set(VERSIONS)

"""Does every frame, whatever its bytes, become a value?"""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laddbok.ocpp.frame import (
    MAX_DEPTH,
    MAX_MESSAGE_ID_CHARS,
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Limits,
    Malformed,
    OcppVersion,
    encode_call,
    encode_error,
    encode_result,
    parse,
    spelled,
)

V16, V201 = OcppVersion.V16, OcppVersion.V201

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
sent_texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=36)


@given(st.binary() | st.text(), st.sampled_from(OcppVersion))
@example(b'[2,"a","B",' + b"[" * 100_000, V16)
@example(b"[" * 100_000, V201)
@example(b'"' + b'\\"' * 50_000, V16)
@example(b'[2,"a","B",{"x":' + b"9" * 10_000 + b"}]", V16)
@example('[2,"a","B",{"x":"\ud800"}]', V16)
def test_any_bytes_give_a_value(raw: bytes | str, version: OcppVersion) -> None:
    assert isinstance(parse(raw, version), Call | CallResult | CallError | Malformed)


@given(st.lists(json_values, max_size=6), st.sampled_from(OcppVersion))
def test_any_json_array_gives_a_value(frame: list[object], version: OcppVersion) -> None:
    assert isinstance(parse(json.dumps(frame), version), Call | CallResult | CallError | Malformed)


@given(sent_texts, sent_texts, st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_what_is_encoded_is_read_again(message_id: str, action: str, payload: dict[str, object]) -> None:
    text = json.dumps(payload).encode()
    call = parse(encode_call(message_id, action, text), V16)
    if b"\\u0000" in text or b"\\ud" in text:
        assert isinstance(call, Call)
    else:
        assert isinstance(call, Call) and bytes(call.payload) == text
    assert (call.message_id, call.action) == (message_id, action)
    result = parse(encode_result(message_id, b'{"status":"Accepted"}'), V201)
    assert isinstance(result, CallResult) and json.loads(bytes(result.payload)) == {"status": "Accepted"}
    error = parse(encode_error(message_id, ErrorCode.INTERNAL_ERROR, action, V201), V201)
    assert error == CallError(message_id, "InternalError", action, error.details)


def test_the_payload_is_not_touched() -> None:
    call = parse(b'[2,"1","X", {"b":1.10, "a":"\\u00e5"} ]', V16)
    assert isinstance(call, Call) and bytes(call.payload).strip() == b'{"b":1.10, "a":"\\u00e5"}'


@pytest.mark.parametrize(
    ("raw", "code_16", "code_201", "message_id", "is_reply"),
    [
        (b"", "FormationViolation", "RpcFrameworkError", None, False),
        (b"not json", "FormationViolation", "RpcFrameworkError", None, False),
        (b"{}", "FormationViolation", "RpcFrameworkError", None, False),
        (b"[2]", "FormationViolation", "RpcFrameworkError", None, False),
        (b'[2,"id-7","X",{"a":1', "FormationViolation", "RpcFrameworkError", "id-7", False),
        (b'[2,"id-7"]', "FormationViolation", "FormatViolation", "id-7", False),
        (b'[2,"id-7",{}]', "FormationViolation", "FormatViolation", "id-7", False),
        (b'[2,["id"],"X",{}]', "FormationViolation", "RpcFrameworkError", None, False),
        (b'[7,"id-7","X",{}]', "FormationViolation", "MessageTypeNotSupported", "id-7", False),
        (b'[3,"id-7"', "FormationViolation", "RpcFrameworkError", "id-7", True),
        (b'[4,"id-7"]', "FormationViolation", "FormatViolation", "id-7", True),
    ],
)
def test_what_cant_be_read_names_the_error(
    raw: bytes, code_16: str, code_201: str, message_id: str | None, is_reply: bool
) -> None:
    for version, code in ((V16, code_16), (V201, code_201)):
        frame = parse(raw, version)
        assert isinstance(frame, Malformed) and frame.reason
        assert (frame.code, frame.message_id, frame.is_reply) == (code, message_id, is_reply)


def test_an_unknown_message_id_is_answered_as_minus_one() -> None:
    frame = parse(b"nonsense", V201)
    assert isinstance(frame, Malformed)
    raw = encode_error(frame.message_id, frame.code, "x" * 1000, V201)
    assert json.loads(raw)[:3] == [4, "-1", "RpcFrameworkError"] and len(json.loads(raw)[3]) == 255


def test_a_frame_that_is_too_large_is_refused_by_its_id() -> None:
    raw = b'[2,"big","DataTransfer",{"vendorId":"' + b"x" * 100 + b'"}]'
    frame = parse(raw, V16, Limits(max_bytes=100))
    assert isinstance(frame, Malformed) and frame.message_id == "big" and "at most 100" in frame.reason
    assert isinstance(parse(raw, V16, Limits(max_bytes=len(raw))), Call)


@pytest.mark.parametrize(("depth", "kind"), [(MAX_DEPTH - 1, Call), (MAX_DEPTH, Malformed), (5_000, Malformed)])
def test_a_frame_that_is_too_deep_is_refused(depth: int, kind: type) -> None:
    frame = parse(b'[2,"deep","X",' + b'{"a":' * depth + b"1" + b"}" * depth + b"]", V16)
    assert isinstance(frame, kind) and frame.message_id == "deep"


def test_many_brackets_side_by_side_or_in_text_are_not_deep() -> None:
    assert isinstance(parse(b'[2,"1","X",{"a":[' + b"[]," * 500 + b"[]]}]", V16), Call)
    assert isinstance(parse(b'[2,"1","X",{"a":"\\"' + b"[{" * 500 + b'\\\\","b":"\\n"}]', V16), Call)


@pytest.mark.parametrize(
    ("raw", "payload"),
    [
        (b'[2,"1","X",{"transactionId":,"a":1}]', b'{"transactionId":null,"a":1}'),
        (b'[2,\t"1",\t"X",\t{"a":\t1}]', b'{"a":\t1}'),
        (b'[2,"1","X",{"a":"tab\there"}]', b'{"a":"tab\\u0009here"}'),
        (b'\xef\xbb\xbf[2,"1","X",{}]', b"{}"),
        (b'[2,"1","X",{"a":1,}]', b'{"a":1}'),
        (b'[2,"1","X"]', b"{}"),
        (b'[2,1,"X",{"a":007,"b":-0.5,"c":-01}]', b'{"a":7,"b":-0.5,"c":-1}'),
        (b'[2,"1","X",{"a":"\\ud800\\u0000|"}]', '{"a":"\ufffd\ufffd|"}'.encode()),
        (b'[2,"1","X",{"a":"\\u0000"}]', b'{"a":"\\ufffd"}'),
    ],
)
def test_S44_garbage_is_repaired(raw: bytes, payload: bytes) -> None:
    call = parse(raw, V16)
    assert isinstance(call, Call) and call.message_id == "1" and bytes(call.payload) == payload


def test_a_message_id_may_be_long_but_not_endless() -> None:
    assert isinstance(parse(encode_call("i" * MAX_MESSAGE_ID_CHARS, "X", b"{}"), V16), Call)
    assert isinstance(parse(encode_call("i" * (MAX_MESSAGE_ID_CHARS + 1), "X", b"{}"), V16), Malformed)


def test_codes_are_spelled_as_each_version_does() -> None:
    code = ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION
    assert (spelled(code, V16), spelled(code, V201)) == (
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
    )

"""Does the worst that fits into a frame give a value, and is what costs too much refused before it is read?"""

import json

import pytest

from laddbok.model.events import DataTransferred, Noted
from laddbok.ocpp import decode
from laddbok.ocpp.frame import BYTES_OF_A_PART, MAX_FRAME_BYTES, Call, CallResult, Limits, Malformed, OcppVersion, parse
from laddbok.ocpp.repair import REPAIR_MAX_BYTES
from tests.hostile import SHAPES, filled

MAX_PARTS = MAX_FRAME_BYTES // BYTES_OF_A_PART


@pytest.mark.parametrize("version", list(OcppVersion))
@pytest.mark.parametrize("size", [MAX_FRAME_BYTES, REPAIR_MAX_BYTES])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_worst_that_fits_into_a_frame_is_a_value(shape: str, size: int, version: OcppVersion) -> None:
    frame = parse(filled(shape, size), version)
    assert isinstance(frame, Call | Malformed)
    if isinstance(frame, Call):
        assert decode(frame, version) is not None
    else:
        assert frame.code and frame.reason and not frame.is_reply


def test_a_day_of_readings_in_one_stop_is_read() -> None:
    samples = [{"value": "123456", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
    readings = [
        {"timestamp": f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z", "sampledValue": samples}
        for minute in range(1440)
    ]
    stop = {"transactionId": 7, "meterStop": 9, "timestamp": "2026-01-02T00:00:00Z", "transactionData": readings}
    data = json.dumps([2, "a", "StopTransaction", stop], separators=(",", ":")).encode()
    assert MAX_FRAME_BYTES // 2 < len(data) < MAX_FRAME_BYTES
    call = parse(data, OcppVersion.V16)
    assert isinstance(call, Call)
    assert len(decode(call, OcppVersion.V16).samples) == 1440  # type: ignore[union-attr]


def test_data_of_any_kind_are_kept_when_their_message_is_mended() -> None:
    call = parse(b'[2,"a","DataTransfer",{"vendorId":"v","messageId":9,"data":{"a":[1]}}]', OcppVersion.V201)
    assert isinstance(call, Call)
    assert isinstance(decode(call, OcppVersion.V201), DataTransferred)


def test_an_object_in_the_place_of_a_list_of_texts_is_left_out() -> None:
    data = b'[2,"a","PublishFirmwareStatusNotification",{"status":"Idle","location":{"":null},"requestId":1}]'
    call = parse(data, OcppVersion.V201)
    assert isinstance(call, Call)
    assert isinstance(decode(call, OcppVersion.V201), Noted)


@pytest.mark.parametrize(("parts", "kind"), [(MAX_PARTS, Call), (MAX_PARTS + 1, Malformed)])
def test_more_parts_than_a_useful_frame_has_are_not_read(parts: int, kind: type) -> None:
    data = b'[2,"a","X",[' + b"[]," * (parts - 3) + b"[]]]"
    assert len(data) < MAX_FRAME_BYTES
    frame = parse(data, OcppVersion.V16)
    assert isinstance(frame, kind)
    if isinstance(frame, Malformed):
        assert (frame.message_id, frame.reason) == ("a", f"more than {MAX_PARTS} objects and lists")


def test_a_larger_frame_may_have_more_parts() -> None:
    data = b'[2,"a","X",[' + b"[]," * MAX_PARTS + b"[]]]"
    assert isinstance(parse(data, OcppVersion.V16, Limits(max_bytes=2 * MAX_FRAME_BYTES)), Call)


def test_brackets_inside_strings_are_no_parts_and_no_depth() -> None:
    document = json.dumps([[{"a": '["'}]] * MAX_PARTS)
    data = json.dumps([2, "a", "DataTransfer", {"vendorId": "v", "data": document}]).encode()
    call = parse(data, OcppVersion.V16, Limits(max_bytes=len(data), max_depth=4))
    assert isinstance(call, Call)
    assert decode(call, OcppVersion.V16).data == document  # type: ignore[union-attr]


@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize(("depth", "kind"), [(32, CallResult), (33, Malformed)])
def test_the_depth_is_counted_exactly_whatever_stands_in_each_other(depth: int, pair: str, kind: type) -> None:
    inner = '{"a":[' * ((depth - 2) // 2) + "1" + "]}" * ((depth - 2) // 2)
    rest = depth - 1 - 2 * ((depth - 2) // 2)
    opening, closing = ('{"b":', "}") if pair == "{}" else ("[", "]")
    payload = '{"p":' + inner + "}" if rest == 1 else '{"p":' + opening + inner + closing + "}"
    assert isinstance(parse(f'[3,"a",{payload}]'.encode(), OcppVersion.V16), kind)


@pytest.mark.parametrize("cut_off", ["[" * 33, '[2,"a","X",{' + '"a":{' * 32, "]" * 100 + "[" * 33])
def test_what_never_closes_is_deep_too(cut_off: str) -> None:
    frame = parse(cut_off.encode(), OcppVersion.V16)
    assert isinstance(frame, Malformed) and frame.reason.startswith("nested deeper")


def test_text_that_begins_no_frame_is_not_repaired() -> None:
    frame = parse(b"\xef\xbb\xbf \x00nonsense", OcppVersion.V201)
    assert isinstance(frame, Malformed) and (frame.code, frame.reason) == ("RpcFrameworkError", "the frame is no array")
    assert isinstance(parse(b'\xef\xbb\xbf \x00[2,"1","Heartbeat",{}]', OcppVersion.V201), Call)

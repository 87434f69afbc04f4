"""Is garbage repaired, and everything else left as it is?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.ocpp.repair import REPAIR_MAX_BYTES, repair

clean_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | clean_text,
    lambda inner: st.lists(inner) | st.dictionaries(clean_text, inner),
    max_leaves=20,
)


@given(json_values, st.booleans(), st.sampled_from([None, 1]))
def test_good_json_keeps_its_meaning(value: object, ensure_ascii: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    assert json.loads(repair(text.encode())) == value


@given(st.text(st.characters(codec="utf-8", exclude_characters='"\\')) | st.sampled_from(["\\u0000", "\\udfff"]))
def test_no_text_has_what_a_database_cant_store(inner: str) -> None:
    text = json.loads(repair(f'["{inner}"]'.encode()))[0]
    assert "\x00" not in text.encode("utf-8").decode("utf-8")


@given(st.binary())
def test_any_bytes_come_back_as_text(raw: bytes) -> None:
    assert isinstance(repair(raw).decode("utf-8"), str)


@pytest.mark.parametrize(
    ("broken", "value"),
    [
        (b'{"a":}', {"a": None}),
        (b'{"a":+1.50,"b":NaN,"c":-Infinity,"d":True}', {"a": 1.5, "b": None, "c": None, "d": True}),
        (b"[00,000.5,-007,10,1e05]", [0, 0.5, -7, 10, 1e5]),
        (b'{"a":"\\x \\u12 C:\\d"}', {"a": "\ufffd \ufffd12 C:\ufffd"}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b'{"a":"\\ud83d\\ude00 \\ude00"}', {"a": "\U0001f600 \ufffd"}),
        (b'{"a":",}:,NaN 007"}', {"a": ",}:,NaN 007"}),
        (b'{"a":1}\x00\r\n', {"a": 1}),
    ],
)
def test_known_garbage_is_repaired(broken: bytes, value: object) -> None:
    assert json.loads(repair(broken)) == value


def test_very_long_text_is_left_alone() -> None:
    text = b'{"a":,' + b" " * REPAIR_MAX_BYTES
    assert repair(text) is text

"""Are payloads read as leniently, and ours checked as strictly, as they must be?"""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.model.errors import Invalid
from laddbok.ocpp.messages import v16_in, v16_out, v201_in, v201_out
from laddbok.ocpp.payload import Unfit, checked, instant_text, parse_instant, read, whole_number

meter_values = msgspec.json.Decoder(v16_in.MeterValuesRequest)
transaction_event = msgspec.json.Decoder(v201_in.TransactionEventRequest)


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def test_numbers_as_strings_and_strings_as_numbers() -> None:
    message = read(
        raw(
            '{"connectorId":" 1","transactionId":7.0,"meterValue":[{"timestamp":20260101,'
            '"sampledValue":[{"value":1.10}]}]}'
        ),
        meter_values,
    )
    assert (message.connector_id, message.transaction_id) == (1, 7)
    assert message.meter_value == [
        v16_in.MeterValue(timestamp="20260101", sampled_value=[v16_in.SampledValue(value="1.10")])
    ]


def test_numbers_keep_their_digits() -> None:
    message = read(
        raw(
            '{"offline":"true","seqNo":"3","meterValue":[{"sampledValue":'
            '[{"value":"12345678901.123456789"},{"value":0.1}]}]}'
        ),
        transaction_event,
    )
    assert (message.offline, message.seq_no) == (True, 3)
    assert message.meter_value and message.meter_value[0].sampled_value
    values = [each.value for each in message.meter_value[0].sampled_value]
    assert values == [Decimal("12345678901.123456789"), Decimal("0.1")]


def test_one_object_stands_for_a_list_of_one_and_misfits_are_dropped() -> None:
    message = read(
        raw('{"connectorId":1,"meterValue":{"timestamp":null,"sampledValue":[7,{"value":"1","unit":{"x":1}},null]}}'),
        meter_values,
    )
    assert message.meter_value == [v16_in.MeterValue(sampled_value=[v16_in.SampledValue(value="1")])]


@pytest.mark.parametrize("text", ["[]", "7", "null", '"x"', '{"connectorId":', '{"a":[[[', ""])
def test_what_is_no_object_is_unfit(text: str) -> None:
    with pytest.raises(Unfit):
        read(raw(text), meter_values)


def test_a_long_message_is_mended_throughout() -> None:
    items = ",".join(f'{{"value":{number}.50}}' for number in range(2000))
    message = read(raw(f'{{"connectorId":1,"meterValue":[{{"sampledValue":[{items}]}}]}}'), meter_values)
    assert message.meter_value and message.meter_value[0].sampled_value
    values = [each.value for each in message.meter_value[0].sampled_value]
    assert values == [f"{number}.50" for number in range(2000)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("12"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["connectorId", "transactionId", "meterValue", "sampledValue", "value", "unit", "x"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_unfit(value: object) -> None:
    try:
        assert isinstance(read(msgspec.Raw(msgspec.json.encode(value)), meter_values), v16_in.MeterValuesRequest)
    except Unfit as error:
        assert error.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456+00:00"),
        ("2026-03-01T12:00:00+05:30", "2026-03-01T06:30:00+00:00"),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00"),
        (" 2026-03-01t12:00:00z ", "2026-03-01T12:00:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("null", None),
        ("2026-02-30T12:00:00Z", None),
        (None, None),
    ],
)
def test_instants(text: str | None, expected: str | None) -> None:
    at = parse_instant(text)
    assert (at and at.isoformat()) == expected


@given(st.text())
def test_any_text_is_an_instant_or_none(text: str) -> None:
    at = parse_instant(text)
    assert at is None or at.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_our_instants_are_read_again(at: datetime) -> None:
    assert parse_instant(instant_text(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5", 2), ("-1.5", -2), (" 7 ", 7), ("1e3", 1000), ("1e999999999", None), ("NaN", None), ("", None)],
)
def test_whole_numbers_are_rounded_half_up(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "connectorId"),
        ({"connectorId": "1", "type": "Operative"}, "connectorId"),
        ({"connectorId": 1, "type": "Maybe"}, "type"),
        ({"connectorId": 1, "type": "Operative", "evseId": 1}, "evseId"),
        ({"connectorId": None, "type": "Operative"}, "connectorId"),
    ],
)
def test_a_wrong_command_names_its_field(payload: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(payload, v16_out.ChangeAvailabilityRequest)
    assert caught.value.field == field


def test_a_wrong_part_of_a_command_is_named_by_its_path() -> None:
    asked = {"getVariableData": [{"component": {"name": "X"}, "variable": {"name": "Y", "nam": 1}}]}
    with pytest.raises(Invalid) as caught:
        checked(asked, v201_out.GetVariablesRequest)
    assert caught.value.field == "getVariableData[0].variable.nam"


def test_custom_data_say_whose_they_are() -> None:
    assert checked({"customData": {"vendorId": "v", "x": 1}}, v201_out.GetLocalListVersionRequest) == (
        b'{"customData":{"vendorId":"v","x":1}}'
    )
    with pytest.raises(Invalid, match="vendorId"):
        checked({"customData": {"x": 1}}, v201_out.GetLocalListVersionRequest)

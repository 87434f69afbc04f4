"""Do the generated types agree with the official schemas?"""

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import ocpp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laddbok.ocpp.messages import v16_in, v16_out, v201_in, v201_out
from laddbok.ocpp.messages.base import Received, Sent

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = Path(ocpp.__file__).parent
MODULES = {"v16": (v16_in, v16_out), "v201": (v201_in, v201_out)}


def path_of(version: str, action: str, kind: str) -> Path:
    suffix = "" if version == "v16" and kind == "Request" else kind
    return SCHEMAS / version / "schemas" / f"{action}{suffix}.json"


@cache
def schema_of(version: str, action: str, kind: str) -> dict[str, Any]:
    return json.loads(path_of(version, action, kind).read_text(encoding="utf-8-sig"))  # type: ignore[no-any-return]


@cache
def validator_of(version: str, action: str, kind: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema_of(version, action, kind), validate_formats=True)


def every(direction: int) -> list[tuple[str, str, str, Any]]:
    return [
        (version, action, kind, message)
        for version, modules in MODULES.items()
        for kind, table in (
            ("Request", modules[direction].REQUESTS),
            ("Response", modules[direction].RESPONSES),
        )
        for action, message in table.items()
    ]


SENT, RECEIVED = every(1), every(0)


@pytest.mark.parametrize("version", MODULES)
def test_the_generated_modules_are_up_to_date(version: str, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("generate_messages", ROOT / "tools/generate_messages.py")
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    generator.generate(version, tmp_path)
    for fresh in tmp_path.glob("*.py"):
        assert (ROOT / "src/laddbok/ocpp/messages" / fresh.name).read_text() == fresh.read_text(), (
            "run python tools/generate_messages.py"
        )


def test_every_official_message_has_a_type() -> None:
    for version in MODULES:
        official = {path.name for path in (SCHEMAS / version / "schemas").glob("*.json")}
        ours = {path_of(each, action, kind).name for each, action, kind, _ in SENT + RECEIVED if each == version}
        assert ours == official


@pytest.mark.parametrize(("version", "action", "kind", "message"), SENT + RECEIVED)
def test_fields_are_named_as_in_the_schema(version: str, action: str, kind: str, message: type[msgspec.Struct]) -> None:
    official = set(schema_of(version, action, kind).get("properties", {}))
    assert set(message.__struct_encode_fields__) | {"customData"} == official | {"customData"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"[]", type=message)


def drawn(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a schema, and now and then one that does not."""
    if "$ref" in schema:
        return drawn(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    wrong = st.sampled_from([None, "", "x" * 3000, -1, [], {}])
    right: st.SearchStrategy[Any]
    match schema.get("type"):
        case "object":
            parts = {key: drawn(part, definitions) for key, part in schema.get("properties", {}).items()}
            needed = {key: parts[key] for key in schema.get("required", [])}
            others = {key: part for key, part in parts.items() if key not in needed}
            return st.fixed_dictionaries(needed, optional=others)
        case "array":
            return st.lists(drawn(schema["items"], definitions), min_size=schema.get("minItems", 0), max_size=3)
        case "string" if "enum" in schema:
            right = st.sampled_from(schema["enum"])
        case "string" if schema.get("format") == "date-time":
            right = st.sampled_from(["2026-01-01T00:00:00Z", "2026-12-31T23:59:59.123+02:00"])
        case "string" if schema.get("format") == "uri":
            right = st.sampled_from(["https://example.com/firmware.bin?v=2", "ftp://user@host:21/a"])
        case "string":
            right = st.text(
                st.characters(codec="ascii", min_codepoint=32), max_size=min(20, schema.get("maxLength", 20))
            )
        case "integer":
            right = st.integers(schema.get("minimum", 0), schema.get("maximum", 10**6))
        case "number":
            right = st.integers(0, 1000).map(lambda tenths: tenths / 10)
        case "boolean":
            right = st.booleans()
        case _:
            right = st.just("any")
    return st.integers(0, 60).flatmap(lambda dice: right if dice else wrong)


@given(st.data(), st.sampled_from(SENT))
def test_ours_are_accepted_exactly_when_the_schema_accepts_them(
    data: st.DataObject, case: tuple[str, str, str, type[Sent]]
) -> None:
    version, action, kind, message = case
    schema = schema_of(version, action, kind)
    payload = data.draw(drawn(schema, schema.get("definitions", {})))
    fits = validator_of(version, action, kind).is_valid(payload)
    try:
        encoded = msgspec.json.Encoder(decimal_format="number").encode(msgspec.convert(payload, message))
    except msgspec.ValidationError:
        assert not fits
    else:
        assert fits and json.loads(encoded) == payload


@given(st.data(), st.sampled_from(RECEIVED))
def test_theirs_are_read_whenever_the_schema_accepts_them(
    data: st.DataObject, case: tuple[str, str, str, type[Received]]
) -> None:
    version, action, kind, message = case
    schema = schema_of(version, action, kind)
    payload = data.draw(drawn(schema, schema.get("definitions", {})))
    if validator_of(version, action, kind).is_valid(payload):
        decoded = msgspec.json.decode(json.dumps(payload), type=message)
        again = msgspec.json.Encoder(decimal_format="number").encode(decoded)
        assert msgspec.json.decode(again, type=message) == decoded

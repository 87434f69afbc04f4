"""How do the official JSON schemas become our message types?

Reads the unmodified schemas that the `ocpp` package ships and writes two modules per version under
src/laddbok/ocpp/messages: `<version>_in.py` for what stations send (lenient: every field may be absent, no lengths,
no word lists) and `<version>_out.py` for what we send (strict). Run by hand after an update of that package:

    python tools/generate_messages.py
"""

import json
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import ocpp  # type: ignore[import-untyped]

SCHEMAS = Path(ocpp.__file__).parent
MESSAGES = Path(__file__).parent.parent / "src" / "laddbok" / "ocpp" / "messages"

FROM_STATION = {
    "v16": (
        "Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat "
        "LogStatusNotification MeterValues SecurityEventNotification SignCertificate SignedFirmwareStatusNotification "
        "StartTransaction StatusNotification StopTransaction"
    ).split(),
    "v201": (
        "Authorize BootNotification ClearedChargingLimit DataTransfer FirmwareStatusNotification "
        "Get15118EVCertificate GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit "
        "NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent "
        "NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification ReportChargingProfiles "
        "ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent"
    ).split(),
}
BOTH_WAYS = {"DataTransfer"}
SAME_AS = {"TransactionData": "MeterValue", "CsChargingProfiles": "ChargingProfile"}
"""Inline objects of 1.6 that the specification calls by another name."""
FORMATS = {"date-time": "Instant", "uri": "Uri"}
TITLES = {"v16": "OCPP 1.6", "v201": "OCPP 2.0.1"}
CUSTOM_DATA = "customData"

Schema = dict[str, Any]


class Module:
    """One generated module: its classes in order of definition, shared by shape."""

    def __init__(self, version: str, is_sent: bool) -> None:
        self.version = version
        self.is_sent = is_sent
        self.bodies: dict[str, str] = {}
        self.requests: dict[str, str] = {}
        self.responses: dict[str, str] = {}

    def add_message(self, action: str, kind: str, schema: Schema) -> None:
        """Adds the class of a whole message. Args: kind: Request or Response."""
        name = self.add_class(f"{action}{kind}", schema, schema.get("definitions", {}), action)
        (self.requests if kind == "Request" else self.responses)[action] = name

    def add_class(self, name: str, schema: Schema, definitions: Schema, action: str) -> str:
        """Adds the class of an object, or finds the one of the same name and shape. Returns: its name."""
        properties = schema.get("properties", {})
        required = set(schema.get("required", []))
        extensible = self.is_sent and CUSTOM_DATA in properties
        lines, checks = [], []
        for key, declared in properties.items():
            if key == CUSTOM_DATA:
                continue
            resolved, part_name = resolve(declared, definitions, key)
            python_name = snake(key)
            kind = self.type_of(resolved, definitions, part_name, action)
            lines.append(f"    {python_name}: {self.declared(kind, key in required, key, python_name)}")
            if self.is_sent and "multipleOf" in resolved:
                step = f'Decimal("{resolved["multipleOf"]}")'
                checks.append(f'        require_multiple(self.{python_name}, {step}, "{key}")')
        if checks:
            summary = '        """Raises: ValueError when a number is not a multiple of the schema\'s step."""'
            lines += ["", "    def __post_init__(self) -> None:", summary, *checks]
        base = "SentExtensible" if extensible else "Sent" if self.is_sent else "Received"
        body = "\n".join([f"({base}, frozen=True, kw_only=True):", *(lines or ["    pass"])])
        for candidate in (name, f"{action}{name}"):
            if self.bodies.setdefault(candidate, body) == body:
                return candidate
        raise ValueError(f"two shapes of {action}{name}")

    def declared(self, kind: str, is_required: bool, key: str, python_name: str) -> str:
        """The annotation and the default of one field."""
        renamed = f'name="{key}"' if camel(python_name) != key else ""
        if not self.is_sent:
            annotation = kind if kind == "object" else f"{kind} | None"
            return f"{annotation} = " + (f"field(default=None, {renamed})" if renamed else "None")
        if is_required:
            return f"{kind} = field({renamed})" if renamed else kind
        annotation = f"{kind} | UnsetType"
        return f"{annotation} = " + (f"field(default=UNSET, {renamed})" if renamed else "UNSET")

    def type_of(self, schema: Schema, definitions: Schema, name: str, action: str) -> str:
        """The annotation of a value."""
        match schema.get("type"):
            case "object":
                return self.add_class(name, schema, definitions, action)
            case "array":
                item, item_name = resolve(schema["items"], definitions, name)
                kind = self.type_of(item, definitions, item_name, action)
                return self.limited(
                    f"list[{kind}]", min_length=schema.get("minItems"), max_length=schema.get("maxItems")
                )
            case "string":
                return self.type_of_string(schema)
            case "integer":
                return self.limited("int", ge=schema.get("minimum"), le=schema.get("maximum"))
            case "number":
                return "Decimal"
            case "boolean":
                return "bool"
            case None:
                return "object"
        raise ValueError(f"{action}.{name}: unknown type {schema['type']}")

    def type_of_string(self, schema: Schema) -> str:
        """The annotation of a text, an instant or a word of a list."""
        if not self.is_sent:
            return "str"
        if "enum" in schema:
            words = ", ".join(json.dumps(word) for word in schema["enum"])
            return f"Literal[{words}]"
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        return self.limited("str", max_length=schema.get("maxLength"))

    def limited(self, kind: str, **limits: float | None) -> str:
        """The annotation with its limits; those of received values are left to whoever needs the value."""
        given = ", ".join(f"{name}={int(limit)}" for name, limit in limits.items() if limit is not None)
        return f"Annotated[{kind}, Meta({given})]" if self.is_sent and given else kind

    def text(self) -> str:
        """The module's source, not yet formatted."""
        who = "we send to stations" if self.is_sent else "stations send"
        strictness = "strict, as the schemas have it" if self.is_sent else "lenient, see `base`"
        head = (
            f'"""Which {TITLES[self.version]} messages do {who}?\n\n'
            f'Generated from the official JSON schemas by tools/generate_messages.py; {strictness}.\n"""\n\n'
        )
        classes = "\n\n\n".join(f"class {name}{body}" for name, body in self.bodies.items())
        tables = "\n\n".join([self.table("REQUESTS", self.requests), self.table("RESPONSES", self.responses)])
        body = f"{classes}\n\n\n{tables}\n"
        return f"{head}{imports(body)}\n\n\n{body}"

    def table(self, name: str, classes: dict[str, str]) -> str:
        """The table from action to class."""
        base = "Sent" if self.is_sent else "Received"
        rows = "\n".join(f'    "{action}": {kind},' for action, kind in sorted(classes.items()))
        return f"{name}: dict[str, type[{base}]] = {{\n{rows}\n}}"


def imports(source: str) -> str:
    """The import lines that this source needs."""
    base_names = ("Instant", "Received", "Sent", "SentExtensible", "Uri", "require_multiple")
    groups = {
        "decimal": ("Decimal",),
        "typing": ("Annotated", "Literal"),
        "msgspec": ("UNSET", "Meta", "UnsetType", "field"),
        "laddbok.ocpp.messages.base": base_names,
    }
    lines = []
    for package, names in groups.items():
        used = [name for name in names if re.search(rf"\b{name}\b", source)]
        lines += [f"from {package} import {', '.join(used)}"] if used else []
    return "\n".join(lines)


def resolve(schema: Schema, definitions: Schema, key: str) -> tuple[Schema, str]:
    """The schema behind a reference, and the name of the class should it be an object."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return definitions[name], name.removesuffix("Type")
    name = key[0].upper() + key[1:]
    return schema, SAME_AS.get(name, name)


def snake(key: str) -> str:
    """`connectorId` -> `connector_id`; a keyword gets an underscore."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key).lower().replace("-", "_")
    return f"{words}_" if keyword.iskeyword(words) else words


def camel(name: str) -> str:
    """What msgspec's renaming makes of a name."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.title() for word in rest)


def generate(version: str, folder: Path) -> None:
    """Writes both modules of a version."""
    modules = {True: Module(version, is_sent=True), False: Module(version, is_sent=False)}
    for path in sorted((SCHEMAS / version / "schemas").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
        is_response = path.stem.endswith("Response")
        action = path.stem.removesuffix("Response").removesuffix("Request")
        from_station = action in FROM_STATION[version]
        for is_sent in {from_station is is_response} | ({True, False} if action in BOTH_WAYS else set()):
            modules[is_sent].add_message(action, "Response" if is_response else "Request", schema)
    for is_sent, module in modules.items():
        path = folder / f"{version}_{'out' if is_sent else 'in'}.py"
        path.write_text(module.text(), encoding="utf-8")
        for step in (
            ["check", "--fix", "--quiet", "--select", "I", "--line-length", "110"],
            ["format", "--quiet", "--line-length", "110"],
        ):
            subprocess.run([sys.executable, "-m", "ruff", *step, str(path)], check=True)


if __name__ == "__main__":
    for each in FROM_STATION:
        generate(each, MESSAGES)

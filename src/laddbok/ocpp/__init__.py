"""How do a station's wire and our events become each other?

`frame` reads one frame, `link` keeps the books of one connection, `v16` and `v201` translate calls into events and
decisions into answers. The functions here pick the translation by the connection's version, so that nothing above
needs to know which wire a station speaks.
"""

from collections.abc import Callable, Mapping

import msgspec

from laddbok.model.events import Answer, Event
from laddbok.ocpp import v16, v201
from laddbok.ocpp.frame import Call, OcppVersion, Undecodable

__all__ = ["commands", "decode", "respond", "validate_command"]


class _Dialect(msgspec.Struct, frozen=True):
    commands: frozenset[str]
    decode: Callable[[Call], Event | Undecodable]
    respond: Callable[[Event, Answer], bytes]
    validate_command: Callable[[str, Mapping[str, object]], bytes]


_DIALECTS = {
    OcppVersion.V16: _Dialect(v16.COMMANDS, v16.decode, v16.respond, v16.validate_command),
    OcppVersion.V201: _Dialect(v201.COMMANDS, v201.decode, v201.respond, v201.validate_command),
}


def decode(call: Call, version: OcppVersion) -> Event | Undecodable:
    """What the station told us. Any call gives a value, never an exception."""
    return _DIALECTS[version].decode(call)


def respond(event: Event, answer: Answer, version: OcppVersion) -> bytes:
    """The payload of the result that answers this event, exactly valid for the schema."""
    return _DIALECTS[version].respond(event, answer)


def commands(version: OcppVersion) -> frozenset[str]:
    """The actions that can be sent to a station of this version."""
    return _DIALECTS[version].commands


def validate_command(action: str, payload: Mapping[str, object], version: OcppVersion) -> bytes:
    """The payload of a call of ours, checked against the schema.

    Args: payload: decoded JSON, as the API received it.
    Raises: Invalid when a field is wrong, missing or unknown, or when the version has no such action (field "action").
    """
    return _DIALECTS[version].validate_command(action, payload)

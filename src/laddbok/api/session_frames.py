"""What does a stored frame say?"""

from laddbok.model.events import Event
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, Undecodable, parse

VERSIONS = {"6": OcppVersion.V16, "2": OcppVersion.V201}
"""By the letter that a stored frame carries."""


def read_call(raw: bytes, version: OcppVersion) -> Call | None:
    """The call in a stored frame; None when it is none."""
    frame = parse(raw, version)
    return frame if isinstance(frame, Call) else None


def read_event(raw: bytes, version: OcppVersion) -> Event | None:
    """What the station told in a stored frame; None when it can't be understood."""
    call = read_call(raw, version)
    event = decode(call, version) if call else None
    return None if isinstance(event, Undecodable) else event

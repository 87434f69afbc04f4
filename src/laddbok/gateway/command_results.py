"""What became of a command, in the words that its row keeps?"""

import msgspec

from laddbok.ocpp.frame import CallError, CallResult
from laddbok.ocpp.link import Outcome, UnansweredReason


def outcome_of(outcome: Outcome) -> tuple[str, bytes | None]:
    """(status, answer as JSON) of a command.

    An answer of the station, also "Rejected", is `answered`. A call that went out and was not answered before the
    connection was lost has an unknown outcome: the station may have acted on it.
    """
    if isinstance(outcome, CallResult):
        return "answered", bytes(outcome.payload)
    if isinstance(outcome, CallError):
        error = {"code": outcome.code, "description": outcome.description}
        return "error", msgspec.json.encode(error)
    if outcome.reason is UnansweredReason.TIMEOUT:
        return "timed_out", None
    return ("unknown" if outcome.sent else "not_connected"), None

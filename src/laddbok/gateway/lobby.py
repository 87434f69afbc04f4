"""What does a station hear that nobody has admitted yet?

That it is not accepted yet and shall ask again later. Nothing it says is stored but its vendor and model.
"""

from datetime import datetime

from laddbok.model.events import Answer, Booted, Event, HeartbeatSent
from laddbok.ocpp import respond
from laddbok.ocpp.frame import Call, CallError, ErrorCode, OcppVersion, Undecodable, spelled
from laddbok.ocpp.link import Effect, Link

ASK_AGAIN_S = 60


def answer_in_lobby(
    link: Link, call: Call, event: Event | Undecodable, now: datetime, version: OcppVersion
) -> list[Effect]:
    """The answer to a call from the lobby: Pending to a boot, a refusal to anything else.

    Source: OCPP 1.6 4.2 and OCPP 2.0.1 B02 (RegistrationStatus Pending).
    """
    answer = Answer(now=now, heartbeat_interval_s=ASK_AGAIN_S, boot_accepted=False)
    if isinstance(event, Booted | HeartbeatSent):
        return link.answer(call.message_id, respond(event, answer, version))
    refusal = spelled(ErrorCode.SECURITY_ERROR, version)
    return link.answer(call.message_id, CallError(call.message_id, refusal, "this station is not admitted yet"))

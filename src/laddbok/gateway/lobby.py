"""What does a station hear that nobody has admitted yet, and how many may wait?

That it is not accepted yet and shall ask again later. Nothing it says is stored but its vendor and model. Each identity
has one open connection, the newest, and each address only so many.
"""

from collections import Counter
from datetime import datetime

from laddbok.gateway.address_limit import network_of
from laddbok.gateway.connection import Connection
from laddbok.model.events import Answer, Booted, Event, HeartbeatSent
from laddbok.ocpp import respond
from laddbok.ocpp.frame import Call, CallError, ErrorCode, OcppVersion, Undecodable, spelled
from laddbok.ocpp.link import Effect, Link

ASK_AGAIN_S = 60
MAX_WAITING_OF_ADDRESS = 100
"""Open connections of one address in the lobby."""


class WaitingRoom:
    """The open connections of the lobby. Those that are turned out are closing and count no more."""

    def __init__(self) -> None:
        self._by_identity: dict[str, Connection] = {}
        self._of_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_identity)

    def enter(self, connection: Connection) -> Connection | None:
        """Let a connection wait. Returns: the one that has to go for it: an older one of its identity, or itself."""
        before = self._by_identity.get(connection.station_identity)
        network = network_of(connection.remote_address)
        takes_over = before is not None and network_of(before.remote_address) == network
        if self._of_address[network] >= MAX_WAITING_OF_ADDRESS + takes_over:
            return connection
        if before is not None:
            self.leave(before)
        self._by_identity[connection.station_identity] = connection
        self._of_address[network] += 1
        return before

    def leave(self, connection: Connection) -> None:
        """A connection waits no more; nothing happens when it did not."""
        if self._by_identity.get(connection.station_identity) is not connection:
            return
        del self._by_identity[connection.station_identity]
        network = network_of(connection.remote_address)
        self._of_address[network] -= 1
        if not self._of_address[network]:
            del self._of_address[network]


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

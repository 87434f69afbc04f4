"""Which of a station's frames are about this session?

A session's stretch of evidence holds everything that its station said meanwhile, also about other EVSEs. A frame is
ours if it names our transaction, or no transaction and our EVSE or the station as a whole, or our driver's token.

>>> from laddbok.model.events import StatusReported
>>> mine = SessionWire(transaction_id="7", evse_id=1, token="04A2")
>>> mine.concerns(StatusReported(evse_id=1, connector_id=1, status="Charging", at=None))
True
>>> mine.concerns(StatusReported(evse_id=2, connector_id=1, status="Charging", at=None))
False
"""

from typing import Any

import msgspec

from laddbok.model.events import AuthorizeAsked, Event
from laddbok.sessions.authorize import normalise_token

WHOLE_STATION = 0


class SessionWire(msgspec.Struct, frozen=True):
    """What names a session on its station's wire. `token` is normalised."""

    transaction_id: str | None
    evse_id: int | None
    token: str | None

    def concerns(self, event: Event) -> bool:
        """Whether what the station told is about this session."""
        if isinstance(event, AuthorizeAsked):
            return normalise_token(event.id_token.value) == self.token
        transaction_id = getattr(event, "transaction_id", None)
        if transaction_id is not None:
            return bool(transaction_id == self.transaction_id)
        return getattr(event, "evse_id", None) in (None, WHOLE_STATION, self.evse_id)

    def is_asked(self, payload: dict[str, Any]) -> bool:
        """Whether a call of ours is about this session, or about the station as a whole."""
        transaction_id = payload.get("transactionId")
        if transaction_id is not None:
            return str(transaction_id) == self.transaction_id
        asked_of = payload.get("evseId", payload.get("connectorId"))
        return asked_of in (None, WHOLE_STATION, self.evse_id)

"""What must be known besides the station's word to take in one event?

The rules read nothing themselves. Before they run, what they may need is looked up and handed in as `Facts`; what they
used of it is recorded with the session, so that a later fold reads the record and not today's tables.
"""

from datetime import datetime

import msgspec

from laddbok.model.events import IdToken
from laddbok.model.session import Clock, FramePosition, LastRegister, TariffChoice
from laddbok.sessions.authorize import TokenFacts


class Stamp(msgspec.Struct, frozen=True):
    """Where a message stands in the evidence and when we received it."""

    position: FramePosition
    received_at: datetime


class Given(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message is about that did not say so: found by us, or by a person. None: as the message says."""

    position: FramePosition
    transaction_id: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: IdToken | None = None


class StartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a session takes from our tables when it starts, or when its token becomes known."""

    token: TokenFacts | None = None
    tariff: TariffChoice | None = None
    waits_for_unplug: bool = False
    seller_id: str | None = None
    max_power_w: int | None = None
    before: LastRegister | None = None
    """Where the session before on this EVSE left the register."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was looked up for one event."""

    start: StartFacts = StartFacts()
    transaction_number: int | None = None
    """A fresh 1.6 transaction id, for a start."""
    clock: Clock | None = None
    """How the session's stamps are read, found from all of them; None: as is known of the station."""

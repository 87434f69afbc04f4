"""What stands where, and what does it do right now?

A station is known by `station_no` inside and by its identity in the websocket's path outside. `StationState` is the
whole working memory that the rules need to take in one more frame of that station: its outlets and its open sessions.
It is a cache of what is stored; a gateway may drop it at any time and load it again.
"""

from datetime import datetime, timedelta

import msgspec

from laddbok.model.session import Session
from laddbok.model.traits import Quirk, Traits

TOLD_LATE_AFTER = timedelta(hours=1)
"""A status that is older than this when it arrives tells of the past: stations keep some and repeat them at their boot."""


class Station(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A charging station that we run, with its learned habits and the known ones of its model."""

    station_no: int
    tenant: int
    identity: str
    site_id: str
    time_zone: str
    country: str = "SE"
    seller_id: str | None = None
    protocol: str = "1.6"
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    booted_at: datetime | None = None
    traits: Traits = Traits()
    quirks: tuple[Quirk, ...] = ()


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """What an EVSE's connector last said. `plugged` None: not known."""

    evse_id: int
    connector_id: int
    status: str
    status_at: datetime | None = None
    error_code: str | None = None
    info: str | None = None
    plugged: bool | None = None
    told_at: datetime | None = None
    """When we received it; `status_at` is the station's own stamp where that is believed."""


class StationState(msgspec.Struct, frozen=True, kw_only=True):
    """A station with its outlets by (EVSE, connector) and its sessions by transaction id, open and lately ended."""

    station: Station
    outlets: dict[tuple[int, int], Outlet]
    sessions: dict[str, Session]

"""What was used, ready to be priced?

A CDR is the finished usage document of one session; while the session runs the same shape is built provisionally.
It is a row of charging periods in time order: each has one activity and an energy in whole Wh that is a difference
of two register readings, so the periods always sum to `energy_wh` exactly. A period never spans a UTC quarter hour
or a change of activity; inside it energy is taken to be linear in time. Rating reads nothing else than a CDR and a
tariff.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Activity(StrEnum):
    """What the outlet did during a charging period.

    Source: OCPP 2.0.1 ChargingStateEnumType; OCPP 1.6 ChargePointStatus; our split of "parking" for idle fees.
    """

    CHARGING = "charging"
    """Energy flows or may flow."""
    PAUSED_BY_EV = "paused_by_ev"
    """The vehicle takes nothing though it may (SuspendedEV) and may start again."""
    PAUSED_BY_EVSE = "paused_by_evse"
    """We, or the station, hold it back (SuspendedEVSE). Never idle."""
    IDLE = "idle"
    """Charging has ended for good and the vehicle still occupies the connector."""


class ChargingPeriod(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One slice of a session: half open [start_at, end_at), one activity, energy in Wh (never negative)."""

    start_at: datetime
    end_at: datetime
    activity: Activity
    energy_wh: int
    max_power_w: int | None = None
    current_ma: int | None = None
    """The highest current, summed over all phases; None: not recorded."""
    estimated: bool = False
    """A boundary of it was interpolated over a gap, or its energy stems from an estimate."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Time for which an EVSE was held for a driver: to the start of charging, or in vain until it `expired`."""

    start_at: datetime
    end_at: datetime
    expired: bool = False


class Cdr(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The usage document of one session, revision by revision.

    `charging_ended_at` is where idle time begins to count (None: charging has not ended). `transaction_ended_at` None
    means provisional. `unplugged_at` None: not known (yet).
    Source: OCPI 2.2.1 mod_cdrs, CDR object; our four instants.
    """

    session_id: str
    started_at: datetime
    charging_ended_at: datetime | None
    transaction_ended_at: datetime | None
    unplugged_at: datetime | None
    last_contact_at: datetime | None
    energy_wh: int
    periods: tuple[ChargingPeriod, ...]
    time_zone: str
    """IANA zone of the site; governs tariff windows."""
    country: str = "SE"
    revision: int = 1
    reservation: Reservation | None = None

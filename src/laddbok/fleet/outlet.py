"""What does one EVSE of a virtual station do now?

An outlet knows its meter, the car that is plugged in, the id token that was accepted and the transaction that runs.
Its activity follows from those four and is never set by itself; each protocol has its own words for it. Power is
settled whenever something happens and holds until the next time.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from laddbok.fleet.ledger import TransactionRecord
from laddbok.fleet.vehicle import MIN_CURRENT_A, VOLTAGE_V, Meter, Vehicle

DC_VOLTAGE_V = 400
"""Voltage of a DC outlet in its readings. Source: our choice."""

MIN_DC_W = 1_000
"""A DC session is held below this power. Source: our choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationShape:
    """How a virtual station is built. `phases` 0: direct current. One connector per EVSE."""

    identity: str
    protocol: str
    kind: str
    evses: int
    rated_w: int
    phases: int
    register_wh: int = 0
    """What its meters show in the beginning [Wh]."""
    password: str = ""


class Activity(StrEnum):
    """What an outlet does. Source: OCPP 1.6 ChargePointStatus, of which 2.0.1 tells the same in two enumerations."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"


@dataclass(slots=True, eq=False)
class Transaction:
    """A transaction that runs or whose messages still wait; `record` is its line in the ledger."""

    record: TransactionRecord
    next_sample_at: datetime
    remote_start_id: int | None = None
    seq_no: int = 0


class SampledValue(NamedTuple):
    """One value of a reading."""

    value: float
    measurand: str
    unit: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter shows: register [Wh], power [W], current of each phase [A], state of charge [%] (only DC)."""

    register_wh: int
    power_w: int
    currents_a: tuple[float, ...]
    soc_pct: int | None

    def values(self) -> list[SampledValue]:
        """The sampled values as both protocols tell them."""
        values = [
            SampledValue(self.register_wh, "Energy.Active.Import.Register", "Wh"),
            SampledValue(self.power_w, "Power.Active.Import", "W"),
        ]
        if len(self.currents_a) == 1:
            values.append(SampledValue(self.currents_a[0], "Current.Import", "A"))
            values.append(SampledValue(DC_VOLTAGE_V, "Voltage", "V"))
        else:
            for phase, current_a in enumerate(self.currents_a, start=1):
                values.append(SampledValue(current_a, "Current.Import", "A", f"L{phase}"))
                values.append(SampledValue(VOLTAGE_V, "Voltage", "V", f"L{phase}-N"))
        if self.soc_pct is not None:
            values.append(SampledValue(self.soc_pct, "SoC", "Percent"))
        return values


class Outlet:
    """One EVSE with its connector."""

    def __init__(self, evse_id: int, shape: StationShape, at: datetime) -> None:
        self.evse_id = evse_id
        self.rated_w = shape.rated_w
        self.phases = shape.phases
        self.meter = Meter(shape.register_wh, at)
        self.vehicle: Vehicle | None = None
        self.token: str | None = None
        self.token_until: datetime | None = None
        self.remote_start_id: int | None = None
        self.transaction: Transaction | None = None
        self.last_record: TransactionRecord | None = None
        self.is_operative = True
        self.power_w = 0
        self.reported = Activity.AVAILABLE
        """The activity that messages were last made for."""
        self.told: Activity | None = None
        """The activity that the central system has acknowledged; None: it has missed one since."""
        self._is_held = False

    def advance(self, at: datetime) -> None:
        """Meter what flowed until `at`."""
        self.meter.advance(at, self.power_w, self.vehicle)

    def settle(self, limit_w: int | None) -> None:
        """Settle the power from now on, under this limit [W] if there is one."""
        used = self.used_phases()
        rated_w = self.rated_w * used // self.phases if self.phases else self.rated_w
        allowed_w = rated_w if limit_w is None else min(limit_w, rated_w)
        self._is_held = allowed_w < (MIN_CURRENT_A * VOLTAGE_V * used if used else MIN_DC_W)
        if self.transaction is None or self.vehicle is None or self._is_held:
            self.power_w = 0
        else:
            self.power_w = min(allowed_w, self.vehicle.wanted_w())

    def activity(self) -> Activity:
        """What it does now."""
        if self.transaction is not None:
            if self.power_w > 0:
                return Activity.CHARGING
            is_full = self.vehicle is None or self.vehicle.is_full
            return Activity.SUSPENDED_EVSE if self._is_held and not is_full else Activity.SUSPENDED_EV
        if not self.is_operative:
            return Activity.UNAVAILABLE
        if self.vehicle is not None:
            return Activity.FINISHING if self.last_record is not None else Activity.PREPARING
        return Activity.PREPARING if self.token is not None else Activity.AVAILABLE

    def used_phases(self) -> int:
        """On how many phases the car draws, or could draw; 0: direct current."""
        return self.phases if self.vehicle is None else min(self.phases, self.vehicle.phases)

    def read(self) -> Reading:
        """What the meter shows."""
        soc_pct = self.vehicle.soc_pct if self.vehicle is not None and self.phases == 0 else None
        return Reading(self.meter.register_wh, self.power_w, self._currents_a(), soc_pct)

    def _currents_a(self) -> tuple[float, ...]:
        used = self.used_phases()
        if used == 0:
            return (round(self.power_w / DC_VOLTAGE_V, 1),)
        each_a = round(self.power_w / (VOLTAGE_V * used), 1)
        return (each_a,) * used + (0.0,) * (self.phases - used)

    def due(self) -> datetime | None:
        """When it next needs attention: a sample, a full car, an accepted id token that nobody used."""
        if self.transaction is None:
            return self.token_until if self.token is not None else None
        if self.power_w > 0 and self.vehicle is not None:
            full_at = self.meter.read_at + self.vehicle.full_after(self.power_w)
            return min(self.transaction.next_sample_at, full_at)
        return self.transaction.next_sample_at

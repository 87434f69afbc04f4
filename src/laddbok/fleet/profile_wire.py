"""What does a charging profile look like on the wire, in either protocol?

1.6 has one schedule per profile, 2.0.1 a list of up to three of which an AC or DC station uses the first. Both become
the same `ChargingProfile`. Source: OCPP 1.6 7.8-7.13; OCPP 2.0.1 2.11, ChargingProfileType.
"""

from datetime import UTC, datetime

import msgspec

from laddbok.fleet.profiles import MAX_PERIODS, ChargingProfile, Purpose

RECURRENCE_S = {"Daily": 86_400, "Weekly": 7 * 86_400}


class PeriodWire(msgspec.Struct, rename="camel"):
    """ChargingSchedulePeriod(Type)"""

    start_period: int
    limit: float
    number_phases: int | None = None


class ScheduleWire(msgspec.Struct, rename="camel"):
    """ChargingSchedule(Type)"""

    charging_rate_unit: str
    charging_schedule_period: list[PeriodWire]
    start_schedule: datetime | None = None
    duration: int | None = None


class ProfileWire(msgspec.Struct, rename="camel"):
    """What ChargingProfile has in both protocols."""

    stack_level: int
    charging_profile_purpose: str
    charging_profile_kind: str
    recurrency_kind: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class ProfileWire16(ProfileWire, rename="camel", kw_only=True):
    """ChargingProfile of OCPP 1.6."""

    charging_profile_id: int
    charging_schedule: ScheduleWire
    transaction_id: int | None = None


class ProfileWire201(ProfileWire, rename="camel", kw_only=True):
    """ChargingProfileType of OCPP 2.0.1."""

    id: int
    charging_schedule: list[ScheduleWire]
    transaction_id: str | None = None


def profile_of(wire: ProfileWire16 | ProfileWire201, purpose: Purpose, evse_id: int) -> ChargingProfile:
    """The profile to store, for this EVSE (0: all).

    Raises: ValueError when it has no schedule, no period at second 0, or too many periods.
    """
    schedule = wire.charging_schedule if isinstance(wire, ProfileWire16) else next(iter(wire.charging_schedule), None)
    if schedule is None or not 0 < len(schedule.charging_schedule_period) <= MAX_PERIODS:
        raise ValueError("a schedule needs at least one and not too many periods")
    periods = sorted((p.start_period, p.limit, p.number_phases or 3) for p in schedule.charging_schedule_period)
    if periods[0][0] != 0:
        raise ValueError("the first period of a schedule starts at second 0")
    named = wire.transaction_id
    return ChargingProfile(
        profile_id=wire.charging_profile_id if isinstance(wire, ProfileWire16) else wire.id,
        stack_level=wire.stack_level,
        purpose=purpose,
        evse_id=evse_id,
        kind=wire.charging_profile_kind,
        unit=schedule.charging_rate_unit,
        periods=tuple(periods),
        start_at=_aware(schedule.start_schedule),
        duration_s=schedule.duration,
        recurrence_s=RECURRENCE_S.get(wire.recurrency_kind or ""),
        valid_from=_aware(wire.valid_from),
        valid_to=_aware(wire.valid_to),
        transaction_id=None if named is None else str(named),
    )


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)

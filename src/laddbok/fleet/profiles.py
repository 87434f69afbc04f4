"""How much may an outlet draw, by the charging profiles that the station holds?

Of each purpose the valid profile with the highest stack level counts; a profile of the transaction goes before the
default one, and the least of that and the station's own maximum is the limit. A profile whose schedule is over leaves
its place to the next lower stack level.
Source: OCPP 1.6 3.13; OCPP 2.0.1 K01, K08.

>>> from datetime import UTC, datetime
>>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
>>> shelf = ProfileShelf()
>>> shelf.add(ChargingProfile(profile_id=1, stack_level=0, purpose=Purpose.DEFAULT, evse_id=0, kind="Absolute",
...                           unit="A", start_at=noon, periods=((0, 16.0, 3), (3600, 8.0, 3))))
>>> draw = Draw(evse_id=1, phases=3, began_at=noon, transaction_id="7", sharing=1)
>>> shelf.limit_w(draw, noon), shelf.limit_w(draw, noon + timedelta(hours=1)), shelf.next_change(noon).isoformat()
(11040, 5520, '2026-01-01T13:00:00+00:00')
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from laddbok.fleet.vehicle import VOLTAGE_V

MAX_PROFILES = 100
"""Most profiles that a station holds. Source: our choice (ChargingProfileMaxInstalled)."""

MAX_PERIODS = 200
"""Most periods of one schedule, and of a composite one. Source: our choice (ChargingScheduleMaxPeriods)."""


class Purpose(StrEnum):
    """What a profile limits: the station as a whole, transactions by default, or one transaction."""

    STATION = "station"
    DEFAULT = "default"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingProfile:
    """One stored profile, of either protocol; `periods` are (start [s], limit [unit], phases), in order of start."""

    profile_id: int
    stack_level: int
    purpose: Purpose
    evse_id: int
    kind: str
    unit: str
    periods: tuple[tuple[int, float, int], ...]
    start_at: datetime | None = None
    duration_s: int | None = None
    recurrence_s: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None

    def origin(self, at: datetime, began_at: datetime | None) -> datetime | None:
        """Where the schedule that applies at this instant began; None when it has no beginning yet."""
        if self.kind == "Relative" or self.start_at is None:
            return began_at
        if self.recurrence_s is None or at < self.start_at:
            return self.start_at
        rounds = (at - self.start_at) // timedelta(seconds=self.recurrence_s)
        return self.start_at + timedelta(seconds=rounds * self.recurrence_s)

    def limit_at(self, at: datetime, began_at: datetime | None) -> tuple[float, int] | None:
        """The limit [unit] and its phases at this instant; None when the profile says nothing then."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        origin = self.origin(at, began_at)
        if origin is None or at < origin:
            return None
        elapsed_s = (at - origin).total_seconds()
        if self.duration_s is not None and elapsed_s >= self.duration_s:
            return None
        begun = [period for period in self.periods if period[0] <= elapsed_s]
        return (begun[-1][1], begun[-1][2]) if begun else None

    def changes(self, at: datetime, began_at: datetime | None) -> Iterable[datetime]:
        """The instants after `at` at which its limit may change."""
        origin = self.origin(at, began_at)
        ends = [self.valid_from, self.valid_to]
        if origin is not None:
            ends += [origin + timedelta(seconds=start_s) for start_s, _, _ in self.periods]
            ends += [origin + timedelta(seconds=s) for s in (self.duration_s, self.recurrence_s) if s is not None]
        return [end for end in ends if end is not None and end > at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Who asks for a limit: an outlet, its phases, since when and in which transaction, with how many others.

    `phases` 0 stands for direct current, where a limit in ampere is taken over three phases of the grid.
    """

    evse_id: int
    phases: int
    began_at: datetime | None
    transaction_id: str | None
    sharing: int


class ProfileShelf:
    """The profiles that one station holds."""

    def __init__(self) -> None:
        self._profiles: list[ChargingProfile] = []

    def __len__(self) -> int:
        return len(self._profiles)

    def add(self, profile: ChargingProfile) -> None:
        """Store a profile in place of one with the same id, or the same purpose, stack level and EVSE.

        Source: OCPP 1.6 5.16.4; OCPP 2.0.1 K01.FR.05.
        """
        self._profiles = [kept for kept in self._profiles if not _replaces(profile, kept)] + [profile]

    def clear(self, profile_id: int | None, evse_id: int | None, purpose: Purpose | None, level: int | None) -> int:
        """Remove the profiles that meet all criteria that are given; returns how many. Source: OCPP 1.6 5.3."""

        def meets(profile: ChargingProfile) -> bool:
            if profile_id is not None:
                return profile.profile_id == profile_id
            return (
                (evse_id is None or profile.evse_id == evse_id)
                and (purpose is None or profile.purpose == purpose)
                and (level is None or profile.stack_level == level)
            )

        kept = [profile for profile in self._profiles if not meets(profile)]
        cleared = len(self._profiles) - len(kept)
        self._profiles = kept
        return cleared

    def end_transaction(self, evse_id: int) -> None:
        """Forget the profiles of an EVSE's transaction that is over. Source: OCPP 1.6 3.13.1; 2.0.1 K01.FR.33."""
        self._profiles = [
            kept for kept in self._profiles if kept.purpose != Purpose.TRANSACTION or kept.evse_id != evse_id
        ]

    def limit_w(self, draw: Draw, at: datetime) -> int | None:
        """The most that the outlet may draw [W]; None: no profile limits it."""
        own_w = self._of_purpose(Purpose.TRANSACTION, draw, at)
        if own_w is None:
            own_w = self._of_purpose(Purpose.DEFAULT, draw, at)
        whole_w = self._of_purpose(Purpose.STATION, draw, at)
        limits = [own_w] if own_w is not None else []
        if whole_w is not None:
            limits.append(whole_w // max(1, draw.sharing))
        return min(limits, default=None)

    def next_change(self, at: datetime, began_at: datetime | None = None) -> datetime | None:
        """The next instant at which some limit may change."""
        return min((change for kept in self._profiles for change in kept.changes(at, began_at)), default=None)

    def composite(self, draw: Draw, at: datetime, duration_s: int, rated_w: int) -> list[tuple[int, int]]:
        """The limit as (start [s], W) steps over the coming seconds. Source: OCPP 1.6 5.7; OCPP 2.0.1 K08."""
        steps: list[tuple[int, int]] = []
        instant: datetime | None = at
        end = at + timedelta(seconds=duration_s)
        for _ in range(MAX_PERIODS):
            if instant is None or instant >= end:
                break
            limit_w = self.limit_w(draw, instant)
            allowed_w = rated_w if limit_w is None else min(limit_w, rated_w)
            if not steps or steps[-1][1] != allowed_w:
                steps.append((int((instant - at).total_seconds()), allowed_w))
            instant = self.next_change(instant, draw.began_at)
        return steps

    def _of_purpose(self, purpose: Purpose, draw: Draw, at: datetime) -> int | None:
        ranked = sorted((p for p in self._profiles if _concerns(p, purpose, draw)), key=lambda p: -p.stack_level)
        for profile in ranked:
            limit = profile.limit_at(at, draw.began_at)
            if limit is not None:
                return _watts(profile.unit, *limit, draw.phases)
        return None


def _replaces(new: ChargingProfile, old: ChargingProfile) -> bool:
    same_place = (new.purpose, new.stack_level, new.evse_id) == (old.purpose, old.stack_level, old.evse_id)
    return new.profile_id == old.profile_id or same_place


def _concerns(profile: ChargingProfile, purpose: Purpose, draw: Draw) -> bool:
    if profile.purpose != purpose or profile.evse_id not in (0, draw.evse_id):
        return False
    return profile.transaction_id is None or profile.transaction_id == draw.transaction_id


def _watts(unit: str, limit: float, phases: int, outlet_phases: int) -> int:
    used = phases if outlet_phases == 0 else min(phases, outlet_phases)
    return int(limit) if unit == "W" else int(limit * VOLTAGE_V * used)

"""Who comes to an outlet, and what do they do there?

A driver arrives, plugs in and presents an id token (in either order), stays, stops the transaction at the reader, by
asking the operator, or by just pulling the cable, and drives off; after a pause the next one comes. What they want is
drawn from `behaviour`. A fleet begins in the middle of the day: many outlets are occupied by visits that began
earlier, and some of those are nearly over.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from laddbok.fleet.behaviour import SiteKind, Visit, arrival_rate_per_hour, draw_visit, power_at_soc
from laddbok.fleet.peer import Out
from laddbok.fleet.station import Station
from laddbok.fleet.vehicle import Vehicle

OCCUPIED_SHARE = 0.75
"""Share of the outlets that have a car in the beginning. Source: our choice."""

NEARLY_DONE_SHARE = 0.3
"""Share of these whose driver leaves within `NEARLY_DONE_S`. Source: our choice."""

NEARLY_DONE_S = (120, 1_500)
"""How soon those leave [s]."""

LEAST_NEED_WH = 300
"""A visit in progress still wants this much."""

READY_POLL_S = 1
"""How long a first driver waits to look again whether the station has booted [s of the run's clock]."""

HESITATION_S = (4, 30)
FIRST_HESITATION_S = (1, 4)
"""Between plug and id token; shorter in the beginning, where it only delays the picture."""

PLUG_FIRST_SHARE = 0.7
STOPS = {"reader": 0.6, "cable": 0.25, "operator": 0.15}
"""How drivers end a transaction, by share. Source: our choice."""

OPERATOR_PATIENCE_S = 90
"""How long a driver waits for the operator's stop before pulling the cable."""

AskOperator = Callable[[str, str], None]
"""(station, transaction id): the driver asks the operator to stop."""


class Step(StrEnum):
    """One thing that a driver does."""

    ARRIVE = "arrive"
    PLUG_IN = "plug in"
    PRESENT = "present the token"
    STOP_AT_READER = "stop at the reader"
    ASK_OPERATOR = "ask the operator to stop"
    UNPLUG = "unplug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What all drivers of a fleet have in common.

    `crowding` multiplies the measured arrivals. No pause between two drivers is longer than `longest_pause_s`, so that a
    small fleet is never dead for a night. `pause_speed` shortens the pauses and nothing else.
    """

    tokens: tuple[str, ...]
    time_zone: ZoneInfo
    crowding: float = 20.0
    longest_pause_s: int = 2_700
    pause_speed: float = 1.0
    are_arriving: bool = True
    ask_operator: AskOperator | None = None


class Driver:
    """The drivers of one outlet, one after the other."""

    def __init__(self, station: Station, evse_id: int, habits: Habits, rng: Random, now: datetime) -> None:
        self._station = station
        self._outlet = station.outlets[evse_id - 1]
        self._kind = SiteKind(station.shape.kind)
        self._habits = habits
        self._rng = rng
        self._steps: deque[tuple[datetime, Step]] = deque()
        self._visit: Visit | None = None
        self._token = ""
        self._is_first = True
        if habits.are_arriving:
            self._steps.append((now, Step.ARRIVE))

    def due(self) -> datetime | None:
        """When the next step is to be taken."""
        return self._steps[0][0] if self._steps else None

    def act(self, now: datetime) -> list[Out]:
        """Take every step that is due; returns what the station sends."""
        outs: list[Out] = []
        while self._steps and self._steps[0][0] <= now:
            _, step = self._steps.popleft()
            outs += self._take(step, now)
        return outs

    def go_home(self, now: datetime) -> list[Out]:
        """End the visit at once, and let nobody come any more."""
        self._steps.clear()
        outs = self._stop_at_reader(now)
        if self._outlet.vehicle is not None:
            outs += self._station.unplug(self._outlet.evse_id, now)
        return outs

    def _take(self, step: Step, now: datetime) -> list[Out]:
        evse_id = self._outlet.evse_id
        match step:
            case Step.ARRIVE:
                self._arrive(now)
            case Step.PLUG_IN if self._visit is not None and self._outlet.vehicle is None:
                return self._station.plug_in(evse_id, vehicle_of(self._visit), now)
            case Step.PRESENT if self._outlet.transaction is None:
                return self._station.present_token(evse_id, self._token, now)
            case Step.STOP_AT_READER:
                return self._stop_at_reader(now)
            case Step.ASK_OPERATOR if self._outlet.transaction is not None and self._habits.ask_operator:
                named = self._outlet.transaction.record.transaction_id
                if named is not None:
                    self._habits.ask_operator(self._station.shape.identity, named)
            case Step.UNPLUG if self._outlet.vehicle is not None:
                self._steps.append((now + self._pause(now), Step.ARRIVE))
                return self._station.unplug(evse_id, now)
        return []

    def _stop_at_reader(self, now: datetime) -> list[Out]:
        transaction = self._outlet.transaction
        if transaction is None or transaction.record.id_token is None:
            return []
        return self._station.present_token(self._outlet.evse_id, transaction.record.id_token, now)

    def _arrive(self, now: datetime) -> None:
        if not self._is_first:
            self._plan(self._draw(now), now, HESITATION_S)
            return
        if not self._station.is_accepted:
            self._steps.append((now + timedelta(seconds=READY_POLL_S), Step.ARRIVE))
            return
        self._is_first = False
        if self._rng.random() < OCCUPIED_SHARE:
            self._plan(self._in_progress(self._draw(now)), now, FIRST_HESITATION_S)
        else:
            self._steps.append((now + self._pause(now), Step.ARRIVE))

    def _draw(self, now: datetime) -> Visit:
        return draw_visit(self._rng, self._kind, now.astimezone(self._habits.time_zone))

    def _in_progress(self, visit: Visit) -> Visit:
        """What is left of a visit that began earlier."""
        left = self._rng.random()
        dwell_s = max(NEARLY_DONE_S[0], round(visit.dwell_s * left))
        if self._rng.random() < NEARLY_DONE_SHARE:
            dwell_s = min(dwell_s, self._rng.randint(*NEARLY_DONE_S))
        need_wh = max(LEAST_NEED_WH, round(visit.energy_need_wh * left))
        had_pct = 100 * max(0, visit.energy_need_wh - need_wh) // visit.battery_wh
        return Visit(
            dwell_s=dwell_s,
            energy_need_wh=need_wh,
            max_power_w=visit.max_power_w,
            phases=visit.phases,
            battery_wh=visit.battery_wh,
            soc_at_arrival_pct=min(99, visit.soc_at_arrival_pct + had_pct),
        )

    def _plan(self, visit: Visit, now: datetime, hesitation_s: tuple[int, int]) -> None:
        self._visit = visit
        self._token = self._rng.choice(self._habits.tokens)
        order = [Step.PLUG_IN, Step.PRESENT]
        if self._rng.random() >= PLUG_FIRST_SHARE:
            order.reverse()
        second_at = now + timedelta(seconds=self._rng.uniform(*hesitation_s))
        leaves_at = max(now + timedelta(seconds=visit.dwell_s), second_at + timedelta(seconds=30))
        self._steps += [(now, order[0]), (second_at, order[1])]
        how = self._rng.choices(list(STOPS), list(STOPS.values()))[0]
        if how == "operator" and self._habits.ask_operator is not None:
            self._steps.append((leaves_at, Step.ASK_OPERATOR))
            leaves_at += timedelta(seconds=OPERATOR_PATIENCE_S)
        elif how != "cable":
            self._steps.append((leaves_at, Step.STOP_AT_READER))
            leaves_at += timedelta(seconds=self._rng.uniform(5, 40))
        self._steps.append((leaves_at, Step.UNPLUG))

    def _pause(self, now: datetime) -> timedelta:
        """Until the next driver comes: arrivals as of the hour."""
        local = now.astimezone(self._habits.time_zone)
        rate_per_hour = arrival_rate_per_hour(self._kind, local.weekday(), local.hour) * self._habits.crowding
        pause_s = min(self._habits.longest_pause_s, self._rng.expovariate(max(rate_per_hour, 0.01)) * 3600)
        return timedelta(seconds=pause_s / self._habits.pause_speed)


def vehicle_of(visit: Visit) -> Vehicle:
    """The car of a visit."""
    return Vehicle(
        need_wh=visit.energy_need_wh,
        battery_wh=visit.battery_wh,
        soc_pct=visit.soc_at_arrival_pct,
        power_w=lambda soc_pct: power_at_soc(visit, soc_pct),
        phases=visit.phases,
    )

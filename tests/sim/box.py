"""What does a charging station do that is out in the field?

The state machines of `laddbok.fleet`, with what the field adds: a connection that comes back by itself, a clock that is
wrong, power cuts after which a transaction goes on, is stopped or forgotten, a register that starts anew, starts that
carry no reading, messages that are told once more though they were answered, message ids that begin again.
"""

import json
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from laddbok.fleet.ledger import FleetRecord, TransactionRecord
from laddbok.fleet.outlet import Outlet, StationShape, Transaction
from laddbok.fleet.peer import HangUp, Out
from laddbok.fleet.station import Station, StopCause
from tests.sim.faults import Faults
from tests.sim.gateway import Gateway
from tests.sim.odd_stations import STATIONS, StatusFirst
from tests.sim.wire import Wire
from tests.sim.world import World

RETRY_S = (0.5, 30.0)
OFF_S = (3.0, 2400.0)
ERA = datetime(1970, 1, 1, tzinfo=UTC)
SMALL_WH = 5_000
"""Nobody can tell that a register below this began anew."""
REMEMBERED = 6
"""Acknowledged messages that a station may tell once more."""
CLOCKS = ("1970", "local time", "hours behind")


class Box:
    """One station with its faults and its connection."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        gateways: list[Gateway],
        ledger: FleetRecord,
        shape: StationShape,
        number: int,
    ) -> None:
        self.world = world
        self.identity = shape.identity
        self.protocol = shape.protocol
        self.number = number
        self.wire_chance: Random = world.chance(f"wire of {shape.identity}")
        self.is_off = False
        self.is_asleep = False
        """Off for longer than a session waits for its station."""
        self.reset: Counter[str] = Counter()
        """Transactions in which the register began anew, and what it showed before that [Wh]."""
        self.forgotten: set[str] = set()
        self.interrupted: set[str] = set()
        """Transactions in which the power went, so that the last power that was told did not go on."""
        self._faults = faults
        self._gateways = gateways
        self._chance = world.chance(shape.identity)
        self._draw_habits()
        self.skew = timedelta(0)
        self._set_off_clock()
        sample_s = self._chance.choice((60, 180, 300, 300, 600, 900, 2400))
        self.station = STATIONS[shape.protocol](shape, ledger, self.local, sample_interval_s=sample_s)
        self._give_habits()
        self.wire: Wire | None = None
        self._attended_at: datetime | None = None
        self._sent: deque[str] = deque(maxlen=REMEMBERED)
        self._repeats = 0
        world.after(self._chance.uniform(0, 60), self.connect)

    def _draw_habits(self) -> None:
        chance = self._chance
        self.clock = chance.choice(CLOCKS) if self._has("wrong_clock") else "right"
        self._sets_clock = chance.random() < 0.5
        self._after_cut = chance.choice(("goes on", "goes on", "stops"))
        if self._has("forgetful"):
            self._after_cut = "forgets"
        self._resets_register = self._has("register_reset")
        self.repeats_messages = self._has("replay")
        self._counts_anew = self._has("message_ids")

    def _give_habits(self) -> None:
        habits = {
            "has_no_reading": "begin_zero",
            "shows_odd_zero": "odd_zero",
            "names_no_transaction": "no_transaction_id",
            "talks_on": "values_after",
        }
        for habit, name in habits.items():
            setattr(self.station, habit, self._has(name))
        if self._has("status_first"):
            self.station.outbox.__class__ = StatusFirst

    def _has(self, name: str) -> bool:
        return name in self._faults.on and self._chance.random() < 0.4

    def metered_wh(self, record: TransactionRecord) -> int:
        """What a transaction took, whatever was told of it [Wh]."""
        return record.energy_wh + self.reset[record.key]

    # ------------------------------------------------------------------ its clock
    @property
    def local(self) -> datetime:
        """What its clock shows."""
        return self.world.now + self.skew

    @property
    def has_wrong_clock(self) -> bool:
        """Whether its stamps may be unbelievable."""
        return self.clock in ("1970", "local time")

    def _set_off_clock(self) -> None:
        if self.clock == "1970":
            self.skew = ERA - self.world.now
        elif self.clock == "local time":
            self.skew = timedelta(hours=self._chance.choice((1, 2)))
        elif self.clock == "hours behind":
            self.skew = -timedelta(hours=self._chance.choice((2, 3, 26)))

    def _set_clock(self, skew: timedelta) -> None:
        """The clock jumps; what it waits for and what flowed meanwhile does not."""
        jump, self.skew = skew - self.skew, skew
        self.station._last_at += jump
        for outlet in self.station.outlets:
            outlet.meter.read_at += jump
            if outlet.transaction is not None:
                outlet.transaction.next_sample_at += jump
            if outlet.token_until is not None:
                outlet.token_until += jump
        if self.station._heartbeat_at is not None:
            self.station._heartbeat_at += jump

    # ------------------------------------------------------------------ its connection
    def connect(self) -> None:
        """Knock at a gateway."""
        if not self.is_off and self.wire is None:
            self.wire = Wire(self.world, self._faults, self, self._chance.choice(self._gateways))

    def refused(self, wire: Wire) -> None:
        """Nobody opened."""
        self._lose(wire)

    def opened(self, wire: Wire) -> None:
        """The connection is open."""
        if wire is not self.wire:
            return wire.station_closed()
        self.world.note(self.identity, "is connected")
        self._do(self.station.connected(self.local))
        if self.repeats_messages:
            self.world.after(self._chance.uniform(0.5, 30), self._tell_again)

    def hears(self, wire: Wire, data: bytes) -> None:
        """A frame from a gateway."""
        if wire is not self.wire or self.is_off:
            return
        was_accepted = self.station.is_accepted
        self._do(self.station.on_message(data, self.local))
        if self.station.is_accepted and not was_accepted and self.skew and self._sets_clock:
            self._set_clock(timedelta(0))
            self._do(self.station.tick(self.local))

    def dropped(self, wire: Wire) -> None:
        """It notices that the connection is gone."""
        if wire is self.wire and not self.is_off:
            self.world.note(self.identity, "is not connected")
            self.station.disconnected(self.local)
        self._lose(wire)

    def _lose(self, wire: Wire) -> None:
        if wire is self.wire:
            self.wire = None
            self.world.after(self._chance.uniform(*RETRY_S), self.connect)
            self._attend_later()

    def _hang_up(self, back_after_s: float) -> None:
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.station_closed()
            self.station.disconnected(self.local)
        self.world.after(back_after_s, self.connect)

    def leave(self) -> None:
        """It says goodbye for good."""
        if self.wire is not None:
            wire, self.wire = self.wire, None
            wire.station_closed()
            self.station.disconnected(self.local)
        self.is_off = True

    # ------------------------------------------------------------------ what it does
    def act(self, deed: Callable[[Station, datetime], list[Out]]) -> None:
        """Somebody does something at it."""
        self._do(deed(self.station, self.local))

    def _do(self, outs: list[Out]) -> None:
        for out in outs:
            if isinstance(out, HangUp):
                self._hang_up(out.back_after_s)
            elif self.wire is not None:
                self._remember(out)
                self.wire.up(out.encode())
        self._attend_later()

    def _attend_later(self) -> None:
        if self.is_off:
            return
        due = self.station.due()
        if due is None:
            return
        at = max(due - self.skew, self.world.now + timedelta(milliseconds=100))
        if self._attended_at is None or at < self._attended_at or self._attended_at <= self.world.now:
            self._attended_at = at
            self.world.at(at, self._attend, at)

    def _attend(self, at: datetime) -> None:
        if at == self._attended_at and not self.is_off:
            self._attended_at = None
            self._do(self.station.tick(self.local))

    # ------------------------------------------------------------------ messages told once more
    def _remember(self, frame: str) -> None:
        if self.repeats_messages and ("Transaction" in frame or "MeterValues" in frame) and frame.startswith("[2,"):
            self._sent.append(frame)

    def _tell_again(self) -> None:
        if self.wire is None or not self._sent or not self._faults.strikes("replay", self._chance, 0.7):
            return
        frame = self._chance.choice(self._sent)
        if self._is_unsettled(frame):
            return
        if self._chance.random() < 0.5:
            self._repeats += 1
            parts = json.loads(frame)
            parts[1] = f"again-{self._repeats}"
            frame = json.dumps(parts, separators=(",", ":"))
        self.world.note(self.identity, "tells again", frame)
        self.wire.up(frame.encode())

    def _is_unsettled(self, frame: str) -> bool:
        """Whether its transaction was not named yet when it was sent, so that it belongs to none."""
        return '"transactionId":-1' in frame

    # ------------------------------------------------------------------ power
    def lose_power(self, off_s: float | None) -> None:
        """Everything stops; what is kept is kept. None: until somebody comes and switches it on."""
        if self.is_off:
            return
        self.is_asleep = off_s is None
        self.world.note(self.identity, "loses power for", off_s)
        station, at = self.station, self.local
        if self.wire is not None:
            self.wire.cut()
            self.wire = None
        station.disconnected(at)
        self.is_off = True
        for outlet in station.outlets:
            outlet.power_w = 0
            if outlet.transaction is not None:
                self.interrupted.add(outlet.transaction.record.key)
        if off_s is not None:
            self.world.after(off_s, self.get_power)

    def get_power(self) -> None:
        """It starts."""
        self.is_off = self.is_asleep = False
        station = self.station
        station.is_accepted, station.boot_cause = False, "PowerUp"
        station._restart = None
        if self.clock == "1970":
            self._set_clock(ERA - self.world.now)
        if self._counts_anew:
            station.outbox._sent = 0
        at = self.local
        for outlet in station.outlets:
            self._after_power_cut(outlet, at)
        self.world.note(self.identity, "has power", self._after_cut)
        self._do(station.tick(self.local))
        self.world.after(self._chance.uniform(1, 20), self.connect)

    def _after_power_cut(self, outlet: Outlet, at: datetime) -> None:
        transaction = outlet.transaction
        if transaction is not None and self._after_cut == "forgets":
            self._forget(outlet, transaction, at)
        elif transaction is not None and self._after_cut == "stops":
            self.station.end(outlet, StopCause.HARD_RESET, at)
        is_large = outlet.meter.register_wh > SMALL_WH
        if self._resets_register and is_large and self._faults.strikes("register_reset", self._chance, 0.7):
            if outlet.transaction is not None:
                self.reset[outlet.transaction.record.key] += outlet.meter.register_wh
            outlet.meter._total_wus = 0
            self.world.note(self.identity, "its register begins anew", outlet.evse_id)

    def _forget(self, outlet: Outlet, transaction: Transaction, at: datetime) -> None:
        """It reads the meter a last time and never speaks of the transaction again."""
        self._faults.happened["forgetful"] = self._faults.happened.get("forgetful", 0) + 1
        self.station.tell_sample(outlet, transaction, "Other", at)
        record: TransactionRecord = transaction.record
        record.end_register_wh, record.ended_at, record.stop_reason = outlet.meter.register_wh, at, "forgotten"
        self.forgotten.add(record.key)
        outlet.transaction, outlet.token, outlet.last_record = None, None, None
        self.station.profiles.end_transaction(outlet.evse_id)

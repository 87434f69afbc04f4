"""How does a virtual station charge, whatever protocol it speaks?

A car is plugged in and an id token accepted, in either order: a transaction begins. Power follows the car, the
outlet's rating and the charging profiles; the meter is read at the configured interval and whenever the activity
changes. The driver, the central system, an unplugged cable or a restart ends the transaction. `Station16` and
`Station201` put all this into words; nothing here knows a message.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from laddbok.fleet.ledger import FleetRecord, TransactionRecord
from laddbok.fleet.outbox import Call
from laddbok.fleet.outlet import Activity, Outlet, StationShape, Transaction
from laddbok.fleet.peer import HangUp, Out, Peer
from laddbok.fleet.profiles import Draw, ProfileShelf
from laddbok.fleet.vehicle import Vehicle

REBOOT_S = 5
"""How long a station is away when it restarts."""

LAST_WORDS_S = 20
"""How long an orderly restart waits for its messages to be acknowledged."""


class StartCause(StrEnum):
    """Which step completed the conditions of a transaction. Source: OCPP 2.0.1 TriggerReasonEnumType."""

    AUTHORIZED = "Authorized"
    PLUGGED_IN = "CablePluggedIn"
    REMOTE = "RemoteStart"


class StopCause(StrEnum):
    """Why a transaction ended. Source: OCPP 1.6 Reason; 2.0.1 has its own words."""

    LOCAL = "Local"
    REMOTE = "Remote"
    EV_DISCONNECTED = "EVDisconnected"
    DEAUTHORIZED = "DeAuthorized"
    UNLOCKED = "UnlockCommand"
    SOFT_RESET = "SoftReset"
    HARD_RESET = "HardReset"


@dataclass(frozen=True, slots=True)
class Presented:
    """An id token that waits for its answer, and the outlet that it was presented for."""

    outlet: Outlet
    token: str
    remote_start_id: int | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart that is due: at `at` the latest, or as soon as no message waits."""

    at: datetime
    is_hard: bool


class Station(Peer):
    """A virtual charging station, sans I/O. Its public calls return what it sends."""

    protocol: ClassVar[str]

    def __init__(
        self,
        shape: StationShape,
        ledger: FleetRecord,
        now: datetime,
        *,
        call_timeout_s: float = 30,
        follow_server_time: bool = False,
        sample_interval_s: int = 60,
    ) -> None:
        super().__init__(ledger, now, call_timeout_s, follow_server_time)
        self.shape = shape
        self.outlets = [Outlet(number + 1, shape, now) for number in range(shape.evses)]
        self.profiles = ProfileShelf()
        self.sample_interval_s = sample_interval_s
        self.connection_timeout_s = 120
        self.authorize_remote = False
        self.stop_on_invalid_id = True
        self._restart: Restart | None = None
        self._restart_when_idle = False
        self._transactions = 0

    # What happens to it

    @property
    def is_drained(self) -> bool:
        """Whether no transaction runs and no message waits."""
        return self.outbox.is_empty and all(outlet.transaction is None for outlet in self.outlets)

    def plug_in(self, evse_id: int, vehicle: Vehicle, now: datetime) -> list[Out]:
        """A car is plugged in; at an occupied outlet that is an error of the caller."""
        at, outlet = self._local(now), self.outlets[evse_id - 1]
        assert outlet.vehicle is None, f"{self.shape.identity}/{evse_id}: a car is plugged in already"
        outlet.advance(at)
        outlet.vehicle, outlet.last_record = vehicle, None
        if outlet.token is not None:
            self._begin(outlet, StartCause.PLUGGED_IN, at)
        return self._settle(at)

    def present_token(self, evse_id: int, token: str, now: datetime) -> list[Out]:
        """A driver presents an id token: to start, or that of the transaction to stop it."""
        at, outlet = self._local(now), self.outlets[evse_id - 1]
        if outlet.transaction is not None:
            if outlet.transaction.record.id_token == token:
                self.end(outlet, StopCause.LOCAL, at)
        elif outlet.is_operative and self._restart is None and self.outbox.has_room:
            self._authorize(Presented(outlet, token), at)
        return self._settle(at)

    def unplug(self, evse_id: int, now: datetime) -> list[Out]:
        """The car is unplugged; a transaction that runs ends."""
        at, outlet = self._local(now), self.outlets[evse_id - 1]
        if outlet.transaction is not None:
            self.end(outlet, StopCause.EV_DISCONNECTED, at)
        if outlet.last_record is not None:
            outlet.last_record.unplugged_at = at
        outlet.advance(at)
        outlet.vehicle, outlet.token, outlet.last_record = None, None, None
        return self._settle(at)

    # What it does; the commands call these

    def find(self, evse_id: int | None) -> Outlet | None:
        """The outlet with this number; None when there is no such one."""
        return self.outlets[evse_id - 1] if evse_id is not None and 1 <= evse_id <= len(self.outlets) else None

    def running(self, transaction_id: str) -> Outlet | None:
        """The outlet of a transaction that runs; None when it doesn't."""
        for outlet in self.outlets:
            if outlet.transaction is not None and outlet.transaction.record.transaction_id == transaction_id:
                return outlet
        return None

    def start_remotely(
        self, evse_id: int | None, token: str, remote_start_id: int | None, at: datetime
    ) -> Outlet | None:
        """Start for this token as the central system asked, at this outlet or (None) any; None: none is ready to."""
        wanted = self.outlets if evse_id is None else [self.find(evse_id)]
        ready = [o for o in wanted if o and o.is_operative and o.transaction is None and o.token is None]
        if not ready or self._restart is not None:
            return None
        presented = Presented(max(ready, key=lambda outlet: outlet.vehicle is not None), token, remote_start_id)
        if self.authorize_remote:
            self._authorize(presented, at)
        else:
            self._authorized(presented, StartCause.REMOTE, at)
        return presented.outlet

    def end(self, outlet: Outlet, cause: StopCause, at: datetime) -> None:
        """End the transaction that runs at the outlet."""
        transaction = outlet.transaction
        assert transaction is not None
        outlet.advance(at)
        outlet.power_w = 0
        record = transaction.record
        record.end_register_wh, record.ended_at, record.stop_reason = (
            outlet.meter.register_wh,
            at,
            cause.value,
        )
        self._tell_ended(outlet, transaction, cause, at)
        outlet.transaction, outlet.token, outlet.last_record = None, None, record
        self.profiles.end_transaction(outlet.evse_id)

    def restart(self, cause: StopCause, at: datetime, *, when_idle: bool = False) -> bool:
        """Restart now, or when no transaction runs. Returns whether it must wait for that.

        Source: OCPP 1.6 5.14; OCPP 2.0.1 B11, B12.
        """
        self.boot_cause = "RemoteReset"
        if when_idle and any(outlet.transaction for outlet in self.outlets):
            self._restart_when_idle = True
            return True
        for outlet in self.outlets:
            if outlet.transaction is not None:
                self.end(outlet, cause, at)
        self._restart_when_idle = False
        is_hard = cause == StopCause.HARD_RESET
        self._restart = Restart(at + timedelta(seconds=0 if is_hard else LAST_WORDS_S), is_hard)
        return False

    def limit_w(self, outlet: Outlet, at: datetime) -> int | None:
        """What the charging profiles allow the outlet [W]; None: no limit."""
        return self.profiles.limit_w(self.draw(outlet), at) if len(self.profiles) else None

    def draw(self, outlet: Outlet) -> Draw:
        """The outlet as the charging profiles see it."""
        record = outlet.transaction.record if outlet.transaction else None
        return Draw(
            evse_id=outlet.evse_id,
            phases=outlet.used_phases(),
            began_at=record.started_at if record else None,
            transaction_id=record.transaction_id if record else None,
            sharing=sum(1 for other in self.outlets if other.transaction is not None),
        )

    def _authorize(self, presented: Presented, at: datetime) -> None:
        """Ask whether the id token may charge; offline every one may. Source: OCPP 1.6 3.5.4; 2.0.1 C15."""
        if self.is_online:
            self.send(Call("Authorize", self._authorize_payload(presented.token), subject=presented))
        else:
            self._authorized(presented, StartCause.AUTHORIZED, at)

    def _authorized(self, presented: Presented, cause: StartCause, at: datetime) -> None:
        outlet = presented.outlet
        if outlet.transaction is not None:
            return
        outlet.token, outlet.remote_start_id = presented.token, presented.remote_start_id
        outlet.token_until = at + timedelta(seconds=self.connection_timeout_s)
        if outlet.vehicle is not None:
            self._begin(outlet, cause, at)

    def _begin(self, outlet: Outlet, cause: StartCause, at: datetime) -> None:
        outlet.advance(at)
        self._transactions += 1
        record = TransactionRecord(
            key=f"{self.shape.identity}/{self.run_key}/{self._transactions}",
            station=self.shape.identity,
            evse_id=outlet.evse_id,
            connector_id=self._connector_id(outlet),
            id_token=outlet.token,
            start_register_wh=outlet.meter.register_wh,
            started_at=at,
        )
        self.ledger.begin(record)
        next_sample_at = at + timedelta(seconds=self.sample_interval_s)
        outlet.transaction = Transaction(record, next_sample_at, outlet.remote_start_id)
        outlet.last_record = None
        self._tell_started(outlet, outlet.transaction, cause, at)

    # How it moves on

    def _refresh(self, at: datetime) -> None:
        for outlet in self.outlets:
            if outlet.transaction is None and outlet.token is not None and (outlet.token_until or at) <= at:
                outlet.token = None
            outlet.advance(at)
            outlet.settle(self.limit_w(outlet, at))
            activity = outlet.activity()
            if activity != outlet.reported:
                before, outlet.reported = outlet.reported, activity
                self._tell_activity(outlet, before, at)
            self._sample(outlet, at)
        if self._restart_when_idle and not any(outlet.transaction for outlet in self.outlets):
            self.restart(StopCause.SOFT_RESET, at)
        if self._restart is not None and (self._restart.at <= at or self.outbox.is_empty):
            self._go_down()

    def _go_down(self) -> None:
        self._restart = None
        self.is_accepted = False
        self._outs.append(HangUp(REBOOT_S))

    def _sample(self, outlet: Outlet, at: datetime) -> None:
        transaction = outlet.transaction
        if transaction is None or transaction.next_sample_at > at:
            return
        missed = (at - transaction.next_sample_at) // timedelta(seconds=self.sample_interval_s)
        transaction.next_sample_at += timedelta(seconds=(missed + 1) * self.sample_interval_s)
        if self.outbox.has_room:
            self.tell_sample(outlet, transaction, "Sample.Periodic", at)
        else:
            self.ledger.skipped_samples += 1

    def _moments(self) -> list[datetime | None]:
        moments = [outlet.due() for outlet in self.outlets]
        if self._restart is not None:
            moments.append(self._restart.at)
        if len(self.profiles):
            for outlet in self.outlets:
                began_at = outlet.transaction.record.started_at if outlet.transaction else None
                moments.append(self.profiles.next_change(outlet.meter.read_at, began_at))
        return moments

    def _came_online(self, at: datetime, *, is_boot: bool) -> None:
        if is_boot:
            self.tell_status(None, at)
        for outlet in self.outlets:
            if is_boot or outlet.told != outlet.reported:
                self.tell_status(outlet, at)

    def _went_offline(self, interrupted: list[Call], at: datetime) -> None:
        for call in interrupted:
            match call.subject:
                case Presented() as presented:
                    self._authorized(presented, StartCause.AUTHORIZED, at)
                case (Outlet() as outlet, Activity()):
                    outlet.told = None

    def _note_answer(self, message_id: str, call: Call, answer: str | bytes) -> None:
        about = call.subject.record.key if isinstance(call.subject, Transaction) else None
        self.ledger.answer(self.shape.identity, message_id, call.action, about, call.frame, answer)

    def _took_answer(self, call: Call, payload: dict[str, Any], at: datetime) -> None:
        verdict = self._verdict(payload)
        match call.subject:
            case Presented() as presented if verdict == "Accepted":
                self._authorized(presented, StartCause.AUTHORIZED, at)
            case Presented():
                self.ledger.tokens_refused += 1
            case Transaction() as transaction:
                self._acknowledged(call, transaction, payload)
                if verdict not in (None, "Accepted"):
                    self._deauthorize(transaction, at)
            case (Outlet() as outlet, Activity() as activity):
                outlet.told = activity

    def _deauthorize(self, transaction: Transaction, at: datetime) -> None:
        """The central system refuses the token of a transaction. Source: OCPP 1.6 4.8; OCPP 2.0.1 E05."""
        for outlet in self.outlets:
            if outlet.transaction is transaction and self.stop_on_invalid_id:
                self.ledger.tokens_refused += 1
                self.end(outlet, StopCause.DEAUTHORIZED, at)

    def _failed(self, call: Call, at: datetime) -> None:
        if isinstance(call.subject, Presented):
            self.ledger.tokens_refused += 1
        self.ledger.lost_messages += self.outbox.take_given_up()

    def send_status(self, outlet: Outlet | None, call: Call) -> None:
        """Send a status. One that was missed is made up for on the next connection, also if it is the old one by then.

        Source: OCPP 1.6 4.9, the status changed while the station was offline.
        """
        if not self.send(call) and outlet is not None:
            outlet.told = None

    # The words of each protocol

    @abstractmethod
    def _connector_id(self, outlet: Outlet) -> int: ...

    @abstractmethod
    def _authorize_payload(self, token: str) -> dict[str, Any]: ...

    @abstractmethod
    def _verdict(self, payload: dict[str, Any]) -> str | None:
        """What an answer says of the id token; None when it says nothing."""

    @abstractmethod
    def _acknowledged(self, call: Call, transaction: Transaction, payload: dict[str, Any]) -> None:
        """A message about a transaction was answered."""

    @abstractmethod
    def tell_status(self, outlet: Outlet | None, at: datetime) -> None:
        """Report the status of an outlet, or (None) of the station as a whole."""

    @abstractmethod
    def tell_sample(self, outlet: Outlet, transaction: Transaction | None, context: str, at: datetime) -> None:
        """Report what the meter shows."""

    @abstractmethod
    def _tell_started(self, outlet: Outlet, transaction: Transaction, cause: StartCause, at: datetime) -> None: ...

    @abstractmethod
    def _tell_activity(self, outlet: Outlet, before: Activity, at: datetime) -> None: ...

    @abstractmethod
    def _tell_ended(self, outlet: Outlet, transaction: Transaction, cause: StopCause, at: datetime) -> None: ...

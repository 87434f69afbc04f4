"""How does a virtual station talk to its central system, whatever it has to say?

A peer boots until it is accepted, sends heartbeats, has one call of its own open at a time, answers every call of the
other side, and keeps its own clock, which may follow the central system's. It is a state machine without I/O: it is
told what happens, and gives back the frames to send.
Source: OCPP-J 1.6 4; OCPP 2.0.1 part 4, 4; OCPP 1.6 4.2 and OCPP 2.0.1 B01-B03 (boot), G02 (heartbeat).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from laddbok.fleet.ledger import FleetRecord
from laddbok.fleet.outbox import Call, Outbox

BOOT_RETRY_S = 30
"""Pause before the next BootNotification when the central system named none, or gave no answer."""

CLOCK_SLACK = timedelta(seconds=2)
"""A stated time this much behind is a slow answer, not a clock set back."""

CLOCK_PAUSE = timedelta(seconds=10)
"""A clock that is set back by less stands still instead, so that stamps stay in order."""

MAX_FRAME_CHARS = 1_000_000
"""Longest frame that a peer reads."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection, and come back after so many seconds of business time."""

    back_after_s: int


Out = str | HangUp


class Refusal(Exception):
    """A command that is answered with a CallError; `code` is the protocol's error code."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


Command = tuple[type[msgspec.Struct], Callable[[Any, Any, datetime], dict[str, Any]]]
"""The shape of a command's payload, and the function (station, payload, at) that obeys it."""


class Peer(ABC):
    """The talking half of a virtual station."""

    commands: ClassVar[dict[str, Command]]
    known_actions: ClassVar[frozenset[str]]
    """All actions of the protocol: one that is not obeyed is NotSupported, one that isn't here NotImplemented."""
    malformed_code: ClassVar[str]

    def __init__(self, ledger: FleetRecord, now: datetime, call_timeout_s: float, follow_server_time: bool) -> None:
        self.ledger = ledger
        self.run_key = f"{int(now.timestamp() * 1000):x}"
        """Differs from run to run, so that identities made of it never repeat."""
        self.outbox = Outbox(self.run_key, call_timeout_s)
        self.heartbeat_interval_s = 300
        self.is_accepted = False
        self.boot_cause = "PowerUp"
        self._is_connected = False
        self._boot_at: datetime | None = None
        self._heartbeat_at: datetime | None = None
        self._follow_server_time = follow_server_time
        self._offset = timedelta(0)
        self._has_followed = False
        self._last_at = now
        self._outs: list[Out] = []

    @property
    def is_online(self) -> bool:
        """Whether it is connected and the central system has accepted its boot."""
        return self._is_connected and self.is_accepted

    def connected(self, now: datetime) -> list[Out]:
        """The connection is open."""
        at = self._local(now)
        self._is_connected = True
        if self.is_accepted:
            self._heartbeat_at = at + timedelta(seconds=self.heartbeat_interval_s)
            self._came_online(at, is_boot=False)
        else:
            self._boot_at = at
        return self._settle(at)

    def disconnected(self, now: datetime) -> None:
        """The connection is gone; what isn't kept is forgotten."""
        at = self._local(now)
        self._is_connected = False
        interrupted = self.outbox.interrupted()
        self.outbox.lose_connection()
        self._went_offline(interrupted, at)
        self._settle(at)

    def on_message(self, raw: str | bytes, now: datetime) -> list[Out]:
        """A frame from the central system."""
        at = self._local(now)
        self.ledger.frames_received += 1
        match _parse(raw):
            case [2, str(message_id), str(action), dict(payload)]:
                self._outs.append(self._obey(message_id, action, payload, at))
            case [3, str(message_id), dict(payload)]:
                call = self.outbox.answered(message_id)
                if call is not None:
                    self._note_answer(message_id, call, raw)
                    at = self._take_answer(call, payload, now)
            case [4, str(message_id), str(code), *_]:
                self.ledger.call_errors[code] += 1
                self._take_failure(self.outbox.refused(message_id, at), at)
            case _:
                self.ledger.call_errors["unreadable frame"] += 1
        return self._settle(at)

    def tick(self, now: datetime) -> list[Out]:
        """Time has passed."""
        at = self._local(now)
        self._take_failure(self.outbox.expired(at), at)
        if self.is_online and self._heartbeat_at is not None and self._heartbeat_at <= at:
            self.send_heartbeat()
            self._heartbeat_at = at + timedelta(seconds=self.heartbeat_interval_s)
        return self._settle(at)

    def due(self) -> datetime | None:
        """When `tick` must be called next, by the run's clock; None: nothing to wait for."""
        moments = self._moments()
        if self._is_connected:
            opening = self._heartbeat_at if self.is_accepted else self._boot_at
            moments += [self.outbox.due(), opening]
        soonest = min((moment for moment in moments if moment is not None), default=None)
        return None if soonest is None else soonest - self._offset

    def send(self, call: Call) -> bool:
        """Queue a message; one that isn't kept is not even made while the peer is offline."""
        return (call.kept or self.is_online) and self.outbox.put(call)

    def send_boot(self, at: datetime) -> None:
        """Send BootNotification again, at the next opportunity."""
        if self.is_accepted:
            self.send(Call("BootNotification", self._boot_payload()))
        else:
            self._boot_at = at

    def send_heartbeat(self) -> None:
        """Send a Heartbeat."""
        self.send(Call("Heartbeat", {}))

    def set_heartbeat_interval(self, interval_s: int, at: datetime) -> None:
        """Send heartbeats this often [s] from now on."""
        self.heartbeat_interval_s = interval_s
        self._heartbeat_at = at + timedelta(seconds=interval_s)

    def _local(self, now: datetime) -> datetime:
        at = now + self._offset
        if self._last_at - CLOCK_PAUSE < at < self._last_at:
            at = self._last_at
        self._last_at = at
        return at

    def _obey(self, message_id: str, action: str, payload: dict[str, Any], at: datetime) -> str:
        command = self.commands.get(action)
        if command is None:
            code = "NotSupported" if action in self.known_actions else "NotImplemented"
            return _frame([4, message_id, code, f"{action} is not obeyed here", {}])
        shape, obey = command
        try:
            asked = msgspec.convert(payload, shape)
            return _frame([3, message_id, obey(self, asked, at)])
        except msgspec.ValidationError as error:
            return _frame([4, message_id, self.malformed_code, str(error)[:255], {}])
        except Refusal as refusal:
            return _frame([4, message_id, refusal.code, str(refusal)[:255], {}])

    def _take_answer(self, call: Call, payload: dict[str, Any], now: datetime) -> datetime:
        """Act on an answer; returns the peer's own time, which the answer may have set."""
        if call.action in ("BootNotification", "Heartbeat") and self._follow_server_time:
            self._follow(str(payload.get("currentTime", "")), now)
        at = self._local(now)
        if call.action == "BootNotification":
            self._take_boot_answer(payload, at)
        elif call.action != "Heartbeat":
            self._took_answer(call, payload, at)
        return at

    def _take_boot_answer(self, payload: dict[str, Any], at: datetime) -> None:
        interval = payload.get("interval")
        interval_s = interval if isinstance(interval, int) and interval > 0 else 0
        if payload.get("status") != "Accepted":
            self._boot_at = at + timedelta(seconds=interval_s or BOOT_RETRY_S)
            return
        self.set_heartbeat_interval(interval_s or self.heartbeat_interval_s, at)
        if not self.is_accepted:
            self.is_accepted = True
            self._boot_at = None
            self._came_online(at, is_boot=True)

    def _take_failure(self, call: Call | None, at: datetime) -> None:
        """A call was answered with an error, or not at all."""
        if call is None:
            return
        if call.action == "BootNotification":
            self._boot_at = None if self.is_accepted else at + timedelta(seconds=BOOT_RETRY_S)
        self._failed(call, at)

    def _follow(self, server_time: str, now: datetime) -> None:
        """Set the own clock by the central system's: never ahead of it, as an answer only ever states the past."""
        try:
            stated_at = datetime.fromisoformat(server_time)
        except ValueError:
            return
        offset = (stated_at if stated_at.tzinfo else stated_at.replace(tzinfo=UTC)) - now
        if offset > self._offset or offset < self._offset - CLOCK_SLACK or not self._has_followed:
            self._offset, self._has_followed = offset, True

    def _settle(self, at: datetime) -> list[Out]:
        """Bring everything up to this instant, and hand over what is to be sent."""
        self._refresh(at)
        if self._is_connected:
            self._pump(at)
        outs, self._outs = self._outs, []
        self.ledger.frames_sent += sum(1 for out in outs if isinstance(out, str))
        return outs

    def _pump(self, at: datetime) -> None:
        """Send the next call if none is open: only the boot until it is accepted."""
        if self.is_accepted:
            taken = self.outbox.take(at)
        elif self._boot_at is not None and self._boot_at <= at:
            boot = Call("BootNotification", self._boot_payload())
            taken = (self.outbox.open(boot, at), boot)
            self._boot_at = None
        else:
            return
        if taken is not None:
            message_id, call = taken
            call.frame = _frame([2, message_id, call.action, self._final_payload(call)])
            self._outs.append(call.frame)

    # What the charging half adds

    @abstractmethod
    def _boot_payload(self) -> dict[str, Any]: ...

    @abstractmethod
    def _final_payload(self, call: Call) -> dict[str, Any]:
        """The payload as it is sent, completed with what was not known when the call was queued."""

    @abstractmethod
    def _note_answer(self, message_id: str, call: Call, answer: str | bytes) -> None:
        """A call of ours was answered with a result."""

    @abstractmethod
    def _came_online(self, at: datetime, *, is_boot: bool) -> None: ...

    @abstractmethod
    def _went_offline(self, interrupted: list[Call], at: datetime) -> None: ...

    @abstractmethod
    def _took_answer(self, call: Call, payload: dict[str, Any], at: datetime) -> None: ...

    @abstractmethod
    def _failed(self, call: Call, at: datetime) -> None: ...

    @abstractmethod
    def _refresh(self, at: datetime) -> None: ...

    @abstractmethod
    def _moments(self) -> list[datetime | None]:
        """The instants, by the own clock, at which something is due."""


def instant(at: datetime) -> str:
    """An instant as stations write it: UTC, milliseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _frame(parts: list[Any]) -> str:
    return msgspec.json.encode(parts).decode()


def _parse(raw: str | bytes) -> Any:
    if len(raw) > MAX_FRAME_CHARS:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

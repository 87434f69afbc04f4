"""Which station is on which connection, and what is done with a message?

The switchboard holds one `Line` per open connection: the socket, the RPC link, and the epoch under which the station is
ours. The newest authenticated connection of a station wins (case S64); presence is this registry and nothing else
(case S70). What a station says is put into the batch; what the batch commits is answered here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

from laddbok.flow.batch import Batch
from laddbok.flow.changes import CommandMoved, CommandQueued
from laddbok.flow.messages import Commanded, Entry, Received, Reply, Returned
from laddbok.gateway.command_results import outcome_of
from laddbok.gateway.connection import Accept, Connection
from laddbok.gateway.lobby import WaitingRoom, answer_in_lobby
from laddbok.gateway.websocket import POLICY_VIOLATION
from laddbok.model.events import Booted, HeartbeatSent
from laddbok.ocpp import decode, respond
from laddbok.ocpp.frame import (
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Malformed,
    OcppVersion,
    Undecodable,
    encode_error,
    parse,
    spelled,
)
from laddbok.ocpp.link import Close, Completed, Deliver, Effect, Garbled, Late, Link, LinkLimits, Respond, Send
from laddbok.sessions.receive import HEARTBEAT_INTERVAL_S, boot_answer

TRY_AGAIN_LATER = 1013
REPLACED = 1000
MAX_GARBLED = 64
"""Frames that can't be read, kept of one connection; what comes beyond is answered only."""
MAX_GARBLED_BYTES = 65_536
"""So much is kept of each."""
QUIET_S = 30.0
"""A station that said nothing for so long after it came in sends no boot, and is called without one (case S31)."""
MAX_HELD = 32
"""Commands that wait for a station's first word; what comes beyond is not sent."""

_ANSWERED_FROM_MEMORY = frozenset({Booted, HeartbeatSent})


class Line:
    """One open connection of a station."""

    __slots__ = (
        "actions",
        "came_in_s",
        "connection",
        "epoch",
        "garbled",
        "held",
        "is_paused",
        "last_message_at",
        "link",
        "may_be_called",
        "station_no",
        "version",
    )

    def __init__(self, connection: Connection, station_no: int | None, limits: LinkLimits) -> None:
        self.connection = connection
        self.station_no = station_no
        """None in the lobby."""
        self.version = OcppVersion(connection.subprotocol)
        self.link = Link(self.version, limits=limits)
        self.epoch = 0
        """0 until the station is claimed for this connection."""
        self.is_paused = False
        self.garbled = 0
        """Frames of this connection that could not be read."""
        self.last_message_at: datetime | None = None
        self.may_be_called = False
        """It has heard an answer of ours: some stations start over when they are called before (case S31)."""
        self.came_in_s = 0.0
        self.held: list[CommandQueued] = []
        """Commands that wait until it may be called."""
        self.actions: dict[str, str] = {}
        """Of the commands under way, by command id."""

    @property
    def protocol(self) -> str:
        """What is spoken, as people write it: 1.6 or 2.0.1."""
        return self.version.value.removeprefix("ocpp")


class Switchboard:
    """All connections of one gateway process. Implements `gateway.connection.ConnectionEvents`."""

    def __init__(
        self,
        batch: Batch[Entry],
        now: Callable[[], datetime],
        wake: Callable[[], None],
        command_limit_s: float,
        limits: LinkLimits,
        steady_s: Callable[[], float] = monotonic,
    ) -> None:
        """Args: command_limit_s: how long a station may take to answer a command. limits: of each connection.

        steady_s: a clock that only goes forward [s], for deadlines.
        """
        self._limits = limits
        self._command_limit_s = command_limit_s
        self._batch = batch
        self._now = now
        self._wake = wake
        self._steady_s = steady_s
        self.lines: dict[int, Line] = {}
        """By station_no: the newest connection."""
        self.newcomers: list[Line] = []
        """Connected, not yet claimed."""
        self.leavers: list[tuple[int, int, datetime]] = []
        """(station_no, epoch, last frame) of connections that are gone."""
        self.lobby = WaitingRoom()
        self.lobby_boots: dict[str, tuple[Line, Booted]] = {}
        """What each station in the lobby said last and is not written down yet, by identity."""
        self.cut_off: list[CommandMoved] = []
        """Commands that can't be answered any more, because their connection is gone."""
        self.frames = 0

    def on_open(self, connection: Connection) -> None:
        """A station came in: nothing of it is read until its stored state is ours."""
        admission = connection.admission
        line = Line(connection, admission.station_no if isinstance(admission, Accept) else None, self._limits)
        connection.context = line
        connection.deadline_s = 3.0 * HEARTBEAT_INTERVAL_S
        if line.station_no is None:
            self._to_lobby(connection)
            return
        before = self.lines.get(line.station_no)
        self.lines[line.station_no] = line
        if before is not None:
            before.connection.close(REPLACED, "a newer connection of this station took over")
        connection.pause_reading()
        line.is_paused = True
        self.newcomers.append(line)
        self._wake()

    def on_message(self, connection: Connection, data: bytes) -> None:
        """One message: the link knows what it is; a call goes into the batch."""
        line: Line = connection.context
        self.frames += 1
        for effect in line.link.receive(data, self._steady_s()):
            if isinstance(effect, Deliver):
                self._deliver(line, effect, data)
            else:
                self._do(line, effect, data)

    def on_oversize(self, connection: Connection, head: bytes, size_bytes: int) -> None:
        """A message that was too long and is lost but for its beginning: an error with its id, if that can be found."""
        version = OcppVersion(connection.subprotocol)
        frame = parse(head, version, self._limits.frame)
        reason = f"the message has {size_bytes} bytes, more than this platform takes"
        code = spelled(ErrorCode.FORMAT_VIOLATION, version)
        if not (isinstance(frame, Malformed) and frame.is_reply) and not isinstance(frame, CallResult):
            connection.send(encode_error(frame.message_id, code, reason, version))
        self._keep(connection.context, Garbled(code, reason), head)

    def on_close(self, connection: Connection, code: int) -> None:
        """A connection is gone. Only its own epoch is cleaned up; a newer connection is not touched (case S64)."""
        line: Line = connection.context
        for effect in line.link.lost():
            if isinstance(effect, Completed):
                self._cut_off(effect.key, outcome_of(effect.outcome)[0])
        is_newest = self.lines.get(line.station_no or 0) is line
        for queued in line.held if is_newest else ():  # a newer connection is given what is still queued
            self._cut_off(queued.command_id, "not_connected", from_queue=True)
        if line.station_no is None:
            self.lobby.leave(connection)
            return
        if self.lines.get(line.station_no) is line:
            del self.lines[line.station_no]
        if line.epoch:
            self.leavers.append((line.station_no, line.epoch, line.last_message_at or self._now()))
            self._wake()

    def claimed(self, line: Line, epoch: int) -> None:
        """The station is ours under this epoch: its messages may come."""
        line.epoch, line.came_in_s = epoch, self._steady_s()
        self._resume(line)

    def settle(self, replies: Iterable[Reply]) -> None:
        """Do what committed messages ask for: answers, refusals, calls to stations."""
        for reply in replies:
            line = self.lines.get(reply.entry.station_no)
            if line is None or line.epoch != reply.entry.epoch:
                if isinstance(reply.entry, Commanded) and reply.payload is not None:
                    self._cut_off(reply.entry.command_id, "not_connected")
                continue
            if reply.is_dropped:
                line.connection.close(TRY_AGAIN_LATER, "the state of this station changed elsewhere")
            elif isinstance(reply.entry, Received):
                self._answer(line, reply.entry, reply)
            elif isinstance(reply.entry, Commanded) and reply.payload is not None:
                line.actions[reply.entry.command_id] = reply.entry.action
                effects = line.link.call(
                    reply.entry.command_id,
                    reply.entry.action,
                    reply.payload,
                    self._steady_s(),
                    self._command_limit_s,
                )
                self._do_all(line, effects)

    def send_command(self, line: Line, queued: CommandQueued) -> None:
        """Put a queued command into its station's line; it goes out once its row says "sent".

        Until the station has heard an answer of ours the command is held: it boots first (case S31).
        """
        if not line.may_be_called:
            if len(line.held) >= MAX_HELD:
                self._cut_off(queued.command_id, "not_connected", from_queue=True)
            else:
                line.held.append(queued)
            return
        self._batch.offer(queued.station_no, Commanded.of_queued(queued, line.epoch, line.version, self._now()))
        self._wake()

    def tick(self) -> None:
        """Give up calls of ours that nobody answered in time, and call stations that stay silent."""
        now_s = self._steady_s()
        for line in list(self.lines.values()):
            if line.held and now_s - line.came_in_s >= QUIET_S:
                self._call_from_now_on(line)
            deadline_s = line.link.deadline()
            if deadline_s is not None and deadline_s <= now_s:
                self._do_all(line, line.link.tick(now_s))

    def end_old_password(self, station_no: int, password_hash: bytes | None) -> None:
        """End the station's connection, unless it came in with the password that is stored now."""
        line = self.lines.get(station_no)
        if line is None or not isinstance(line.connection.admission, Accept):
            return
        if line.connection.admission.password_hash != password_hash:
            line.connection.close(POLICY_VIOLATION, "this station has a new password")

    def close_all(self, reason: str) -> None:
        """Send everybody away for now: what they have not been answered they will send again."""
        for line in list(self.lines.values()):
            line.connection.close(TRY_AGAIN_LATER, reason)

    def _call_from_now_on(self, line: Line) -> None:
        line.may_be_called = True
        held, line.held = line.held, []
        for queued in held:
            self.send_command(line, queued)

    def _cut_off(self, command_id: str, status: str, from_queue: bool = False) -> None:
        moved = CommandMoved(command_id=command_id, status=status, at=self._now(), from_queue=from_queue)
        self.cut_off.append(moved)
        self._wake()

    def _to_lobby(self, connection: Connection) -> None:
        turned_out = self.lobby.enter(connection)
        if turned_out is connection:
            connection.close(TRY_AGAIN_LATER, "too many stations of this address wait in the lobby")
        elif turned_out is not None:
            turned_out.close(REPLACED, "a newer connection of this station took over")

    def _deliver(self, line: Line, effect: Deliver, data: bytes) -> None:
        call = effect.call
        event = decode(call, line.version)
        now = self._now()
        if line.station_no is None:
            self._do_all(line, answer_in_lobby(line.link, call, event, now, line.version))
            if isinstance(event, Booted):
                self.lobby_boots[line.connection.station_identity] = (line, event)
                self._wake()
            return
        line.last_message_at = now
        answered = type(event) in _ANSWERED_FROM_MEMORY
        if answered and not isinstance(event, Undecodable):
            self._do_all(line, line.link.answer(call.message_id, respond(event, boot_answer(now), line.version)))
            if isinstance(event, HeartbeatSent):
                return
        entry = Received(
            station_no=line.station_no,
            epoch=line.epoch,
            received_at=now,
            version=line.version,
            call=call,
            raw=data,
            event=event,
            answered=answered,
        )
        if not self._batch.offer(line.station_no, entry):
            line.connection.close(TRY_AGAIN_LATER, "the platform is busy")
            return
        if line.link.is_full and not line.is_paused:
            line.is_paused = True
            line.connection.pause_reading()
        self._wake()

    def _keep(self, line: Line, garbled: Garbled, data: bytes) -> None:
        """A frame that can't be read goes into quarantine; it was answered already."""
        line.garbled += 1
        if line.station_no is None or line.garbled > MAX_GARBLED:
            return
        entry = Received(
            station_no=line.station_no,
            epoch=line.epoch,
            received_at=self._now(),
            version=line.version,
            call=Call("", ""),
            raw=data[:MAX_GARBLED_BYTES],
            event=Undecodable(action="", code=garbled.code, reason=garbled.reason),
            answered=True,
        )
        self._batch.offer(line.station_no, entry)
        self._wake()

    def _answer(self, line: Line, entry: Received, reply: Reply) -> None:
        if not entry.answered:
            answer: bytes | CallError
            if reply.error is not None:
                answer = CallError(entry.call.message_id, *reply.error)
            else:
                answer = reply.payload or b"{}"
            self._do_all(line, line.link.answer(entry.call.message_id, answer))
        if line.is_paused and not line.link.is_full:
            self._resume(line)

    def _resume(self, line: Line) -> None:
        line.is_paused = False
        line.connection.resume_reading()

    def _do_all(self, line: Line, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._do(line, effect, b"")

    def _do(self, line: Line, effect: Effect, data: bytes) -> None:
        if isinstance(effect, (Send, Respond)):
            line.connection.send(effect.raw)
            if not line.may_be_called and isinstance(effect, Send):
                self._call_from_now_on(line)
        elif isinstance(effect, Garbled):
            self._keep(line, effect, data)
        elif isinstance(effect, Close):
            line.connection.close(effect.code, effect.reason)
        elif isinstance(effect, Completed | Late) and line.station_no is not None:
            status, answer = outcome_of(effect.outcome)
            entry = Returned(
                station_no=line.station_no,
                epoch=line.epoch,
                received_at=self._now(),
                version=line.version,
                command_id=effect.key,
                action=line.actions.pop(effect.key, ""),
                status=status,
                raw=data or None,
                answer=answer,
            )
            self._batch.offer(line.station_no, entry)
            self._wake()

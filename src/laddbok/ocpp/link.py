"""Who owes whom an answer on this connection?

One `Link` per connection, without a socket and without a clock: bytes and instants go in, effects come out, in the
order in which they are to be done. The two directions never wait for each other. Towards the station one call of ours
is open at a time and the others queue. From the station a few calls may be open; a call that is repeated with the same
id and payload gets the answer it got before. Instants are seconds of any steady clock.

>>> link = Link(OcppVersion.V16, new_id=iter("123").__next__)
>>> [deliver] = link.receive(b'[2,"a","StatusNotification",{}]', now_s=0.0)
>>> deliver.call.action
'StatusNotification'
>>> link.answer("a", b"{}")
[Send(raw=b'[3,"a",{}]')]
>>> link.call("reset", "Reset", b'{"type":"Soft"}', now_s=1.0, timeout_s=30.0)
[Send(raw=b'[2,"1","Reset",{"type":"Soft"}]')]
>>> link.deadline()
31.0
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from laddbok.ocpp.frame import (
    Call,
    CallError,
    CallResult,
    Limits,
    Malformed,
    OcppVersion,
    encode_call,
    encode_error,
    encode_result,
    parse,
)

CLOSE_POLICY_VIOLATION = 1008
ASKED_AFRESH = frozenset({"Authorize", "BootNotification", "Heartbeat"})
"""Repeated, these are asked again: the answer carries the time or the present decision, and asking changes nothing."""


class LinkLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one connection."""

    frame: Limits = Limits()
    max_open_inbound: int = 4
    """From here on `is_full`: the gateway stops reading the socket until something is answered."""
    max_unread_inbound: int = 64
    """Frames that were already in the buffers when reading stopped; a station with more open calls is cut off."""
    max_queued_calls: int = 32
    answers_kept: int = 8
    answers_kept_s: float = 600.0
    late_kept: int = 32


class UnansweredReason(StrEnum):
    """Why a call of ours has no answer."""

    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection lost"
    QUEUE_FULL = "queue full"
    CANCELLED = "cancelled"
    UNREADABLE = "unreadable answer"


class Unanswered(msgspec.Struct, frozen=True):
    """A call of ours without an answer. `sent`: the station may have acted on it, so its outcome is unknown."""

    reason: UnansweredReason
    sent: bool


Outcome = CallResult | CallError | Unanswered


class Respond(msgspec.Struct, frozen=True):
    """Answer the station at once: nothing has to be stored for this (a malformed frame, a repeated call)."""

    raw: bytes


class Garbled(msgspec.Struct, frozen=True):
    """Keep the frame aside: it can't be read, or answers nothing that can be found."""

    code: str
    reason: str


class Deliver(msgspec.Struct, frozen=True):
    """Hand the station's call to the platform, which owes an `answer`."""

    call: Call


class Send(msgspec.Struct, frozen=True):
    """Send a frame: a call of ours, or the answer that the platform gave."""

    raw: bytes


class Completed(msgspec.Struct, frozen=True):
    """The call of ours that was made under `key` is over."""

    key: str
    outcome: Outcome


class Late(msgspec.Struct, frozen=True):
    """The station answered a call of ours after it had been reported as unanswered."""

    key: str
    outcome: CallResult | CallError


class Close(msgspec.Struct, frozen=True):
    """Close the socket."""

    code: int
    reason: str


Effect = Respond | Garbled | Deliver | Send | Completed | Late | Close


class _OpenInbound(msgspec.Struct, frozen=True):
    message_id: str
    digest: int
    received_at_s: float
    is_kept: bool


class _Answered(msgspec.Struct, frozen=True):
    digest: int
    received_at_s: float
    raw: bytes


class _OwnCall(msgspec.Struct, frozen=True):
    key: str
    action: str
    payload: bytes
    deadline_s: float
    message_id: str = ""


class Link:
    """The remote procedure calls of one connection.

    Plain lists and dicts: all are short, and there is a link for each of very many idle connections.
    Source: OCPP-J 1.6 4.1, OCPP 2.0.1 Part 4, 4.1; field cases S3 (repeats), S66 (independent directions), S67 (late).
    """

    __slots__ = ("_answered", "_inbound", "_late", "_limits", "_new_id", "_open", "_queue", "version")

    def __init__(
        self, version: OcppVersion, new_id: Callable[[], str] | None = None, limits: LinkLimits = LinkLimits()
    ) -> None:
        """Args: new_id: gives the message ids of our calls; None: a call's key is its message id."""
        self.version = version
        self._new_id = new_id
        self._limits = limits
        self._inbound: list[_OpenInbound] = []
        self._answered: dict[str, _Answered] = {}
        self._queue: list[_OwnCall] = []
        self._open: _OwnCall | None = None
        self._late: dict[str, str] = {}

    @property
    def is_full(self) -> bool:
        """So many of the station's calls are open that its socket should not be read."""
        return len(self._inbound) >= self._limits.max_open_inbound

    def receive(self, raw: bytes | str, now_s: float) -> list[Effect]:
        """What to do about a frame from the station. Any bytes are fine.

        Args: now_s: instant of receipt [s].
        """
        frame = parse(raw, self.version, self._limits.frame)
        if isinstance(frame, Call):
            return self._called(frame, hash(raw), now_s)
        if isinstance(frame, Malformed):
            return self._garbled(frame, now_s)
        return self._replied(frame, now_s)

    def answer(self, message_id: str, reply: bytes | CallError) -> list[Effect]:
        """The platform's answer to a delivered call.

        Args: reply: the payload of the result as a JSON object, or an error (whose own message id is ignored).
        Returns: nothing when no such call is open, otherwise the frame to send.
        """
        for opened in self._inbound:
            if opened.message_id == message_id:
                break
        else:
            return []
        self._inbound.remove(opened)
        if not isinstance(reply, bytes):
            return [Send(encode_error(message_id, reply.code, reply.description, self.version))]
        raw = encode_result(message_id, reply)
        if opened.is_kept:
            self._keep(opened, raw)
        return [Send(raw)]

    def call(self, key: str, action: str, payload: bytes, now_s: float, timeout_s: float) -> list[Effect]:
        """Calls the station, at once or when the calls before it are over.

        Args: key: the caller's name for this call, given back in Completed. payload: a valid JSON object.
            timeout_s: from now until the answer [s], the time in the queue included.
        """
        if len(self._queue) >= self._limits.max_queued_calls:
            return [Completed(key, Unanswered(UnansweredReason.QUEUE_FULL, sent=False))]
        self._queue.append(_OwnCall(key, action, payload, now_s + timeout_s))
        return self._send_next()

    def cancel(self, key: str) -> list[Effect]:
        """Takes a call back that is still queued; one that is on its way can't be taken back and nothing happens."""
        queued = next((each for each in self._queue if each.key == key), None)
        if queued is None:
            return []
        self._queue.remove(queued)
        return [Completed(key, Unanswered(UnansweredReason.CANCELLED, sent=False))]

    def deadline(self) -> float | None:
        """When `tick` has something to do [s], None: never."""
        if self._open is None and not self._queue:
            return None
        due = [each.deadline_s for each in self._queue]
        if self._open is not None:
            due.append(self._open.deadline_s)
        return min(due, default=None)

    def tick(self, now_s: float) -> list[Effect]:
        """Gives up the calls of ours whose time is over, and sends the next one."""
        effects: list[Effect] = []
        for each in [each for each in self._queue if each.deadline_s <= now_s]:
            self._queue.remove(each)
            effects.append(Completed(each.key, Unanswered(UnansweredReason.TIMEOUT, sent=False)))
        if self._open is not None and self._open.deadline_s <= now_s:
            effects.append(self._give_up(UnansweredReason.TIMEOUT))
        return effects + self._send_next()

    def lost(self) -> list[Effect]:
        """The connection is gone: every call of ours is over, and nobody waits for our answers any more."""
        effects: list[Effect] = []
        if self._open is not None:
            effects.append(self._give_up(UnansweredReason.CONNECTION_LOST))
        for each in self._queue:
            effects.append(Completed(each.key, Unanswered(UnansweredReason.CONNECTION_LOST, sent=False)))
        self._queue.clear()
        self._inbound.clear()
        return effects

    def _called(self, call: Call, digest: int, now_s: float) -> list[Effect]:
        for each in self._inbound:
            if each.message_id == call.message_id and each.digest == digest:
                return []
        before = self._answered.get(call.message_id)
        if before and before.digest == digest and now_s - before.received_at_s <= self._limits.answers_kept_s:
            return [Respond(before.raw)]
        if len(self._inbound) >= self._limits.max_unread_inbound:
            return [Close(CLOSE_POLICY_VIOLATION, f"more than {self._limits.max_unread_inbound} unanswered calls")]
        is_kept = call.action not in ASKED_AFRESH
        self._inbound.append(_OpenInbound(call.message_id, digest, now_s, is_kept))
        return [Deliver(call)]

    def _garbled(self, frame: Malformed, now_s: float) -> list[Effect]:
        kept = Garbled(frame.code, frame.reason)
        if not frame.is_reply:
            return [Respond(encode_error(frame.message_id, frame.code, frame.reason, self.version)), kept]
        if self._open is None or frame.message_id != self._open.message_id:
            return [kept]
        return [self._give_up(UnansweredReason.UNREADABLE), *self._send_next()]

    def _replied(self, reply: CallResult | CallError, now_s: float) -> list[Effect]:
        if self._open is not None and reply.message_id == self._open.message_id:
            key, self._open = self._open.key, None
            return [Completed(key, reply), *self._send_next()]
        late_key = self._late.pop(reply.message_id, None)
        return [] if late_key is None else [Late(late_key, reply)]

    def _keep(self, opened: _OpenInbound, raw: bytes) -> None:
        self._answered.pop(opened.message_id, None)
        self._answered[opened.message_id] = _Answered(opened.digest, opened.received_at_s, raw)
        if len(self._answered) > self._limits.answers_kept:
            del self._answered[next(iter(self._answered))]

    def _give_up(self, reason: UnansweredReason) -> Completed:
        assert self._open is not None
        given_up, self._open = self._open, None
        self._late[given_up.message_id] = given_up.key
        if len(self._late) > self._limits.late_kept:
            del self._late[next(iter(self._late))]
        return Completed(given_up.key, Unanswered(reason, sent=True))

    def _send_next(self) -> list[Effect]:
        if self._open is not None or not self._queue:
            return []
        queued = self._queue.pop(0)
        self._open = msgspec.structs.replace(queued, message_id=self._new_id() if self._new_id else queued.key)
        return [Send(encode_call(self._open.message_id, self._open.action, self._open.payload))]

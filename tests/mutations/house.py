"""What becomes of spoilt frames at the real link, decoder and desk, on a store of dicts?

Two stations of each dialect: one that is spoilt, and a neighbour that says only what is right. Whatever the first one
says, no exception comes out, no rule's invariant breaks, the neighbour's messages of the same batch are stored and
answered, and so is the next right message of the first one itself. In the end the workers settle what there is.
"""

import itertools
import json
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from laddbok.flow.apply import Desk
from laddbok.flow.charge_to_cash import settle
from laddbok.flow.messages import Entry, Received, Reply
from laddbok.model.events import HeartbeatSent
from laddbok.model.station import Station
from laddbok.ocpp import decode, respond
from laddbok.ocpp.frame import CallError, OcppVersion, parse
from laddbok.ocpp.link import Close, Deliver, Effect, Link, Respond, Send
from laddbok.sessions.receive import boot_answer
from laddbok.store.memory import MemoryStore
from tests.mutations.corpus import TOKEN, frames
from tests.mutations.mutate import mutated

T = TypeVar("T")
BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
RIGHT = {
    OcppVersion.V16: ("StatusNotification", {"connectorId": 3, "errorCode": "NoError", "status": "Available"}),
    OcppVersion.V201: ("StatusNotification", {"timestamp": "2026-03-02T12:00:30Z", "connectorStatus": "Available", "evseId": 3, "connectorId": 1}),
}  # fmt: skip
TARIFF = {
    "id": "T", "currency": "SEK", "last_updated": "2026-01-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": str(Decimal("3.20")), "vat": 25, "step_size": 1}]}],
}  # fmt: skip


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the memory store waited for something")


class Broken(AssertionError):
    """A spoilt frame did harm; the frame is in the text."""


class Peer:
    """One connection of a station, as the gateway keeps its books."""

    def __init__(self, station_no: int, version: OcppVersion) -> None:
        self.station_no, self.version = station_no, version
        self.link, self.epoch = Link(version), 0
        self.sent: list[bytes] = []
        self.ids = itertools.count()


class House:
    """A desk with its stations."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = BEGIN
        self.store = MemoryStore()
        self.desk = Desk(self.store)
        self.frames = {version: frames(version) for version in OcppVersion}
        self.counts = {"mutated": 0, "answered": 0, "refused": 0, "quarantined": 0, "closed": 0}
        self.store.terms.add_token(1, TOKEN)
        self.store.terms.add_tariff(1, json.dumps(TARIFF).encode())
        self.store.terms.assign_tariff(1, "default", "", "T")
        self.peers = {version: self._peer(number, version) for number, version in enumerate(OcppVersion, start=1)}
        self.neighbours = {version: self._peer(number, version) for number, version in enumerate(OcppVersion, start=3)}
        for version, peer in self.peers.items():
            for frame in self.frames[version][3:5]:  # a transaction of its own runs, for the others to be about
                self._say(peer, frame)

    def _peer(self, station_no: int, version: OcppVersion) -> Peer:
        identity = f"CP-{station_no}"
        self.store.add_station(
            Station(station_no=station_no, tenant=1, identity=identity, site_id="yard", time_zone="UTC")
        )
        peer = Peer(station_no, version)
        self._connect(peer)
        return peer

    def _connect(self, peer: Peer) -> None:
        [claim] = step(self.store.claim([peer.station_no], "g", self.now)).values()
        self.desk.take_over(claim, peer.version.value.removeprefix("ocpp"), self.now)
        peer.epoch, peer.link = claim.epoch, Link(peer.version)
        peer.link.call("our-call", "Reset", b'{"type":"Soft"}', 0.0, 1e9)

    def spoil(self) -> None:
        """One spoilt frame, with a right one of a neighbour in the same batch; now and then a right one after it."""
        version = self.chance.choice(list(OcppVersion))
        dialect = version if self.chance.random() < 0.9 else self.chance.choice(list(OcppVersion))
        frame = mutated(self.frames[dialect], self.chance)
        self.counts["mutated"] += 1
        try:
            self._take_in(self.peers[version], frame)
            if self.chance.random() < 0.1:
                self._say_right(self.peers[version], [])
        except Exception as error:
            raise Broken(f"{version} {frame[:2000]!r}: {type(error).__name__}: {error}") from error

    def _take_in(self, peer: Peer, frame: bytes) -> None:
        entries = self._heard(peer, frame)
        if entries and self.chance.random() < 0.25:
            self._say_right(self.neighbours[self.chance.choice(list(OcppVersion))], entries)
        elif entries:
            self._apply(entries)
        if peer.link.is_full:
            raise AssertionError("a call was not answered")
        for answer in peer.sent:
            is_reply = json.loads(answer.decode())[0] in (3, 4)
            assert is_reply and not hasattr(parse(answer, peer.version), "reason"), answer
            self.counts["answered" if answer.startswith(b"[3") else "refused"] += 1
        peer.sent.clear()

    def _say_right(self, peer: Peer, beside: list[Entry]) -> None:
        """Say something right, in one batch with others. It must be stored and answered."""
        message_id = f"right-{next(peer.ids)}"
        action, payload = RIGHT[peer.version]
        entries = self._heard(peer, json.dumps([2, message_id, action, payload]).encode())
        assert len(entries) == 1, "a right message was not delivered"
        peer.sent.clear()
        self._apply([*beside, *entries])
        assert [json.loads(each)[:2] for each in peer.sent] == [[3, message_id]], peer.sent
        peer.sent.clear()
        stored = self.store.stations[peer.station_no].frames
        assert stored[next(reversed(stored))].message_id == message_id

    def _say(self, peer: Peer, frame: bytes) -> None:
        self._apply(self._heard(peer, frame))
        peer.sent.clear()

    def _heard(self, peer: Peer, frame: bytes) -> list[Entry]:
        """What the link makes of a frame, as the gateway does it. Returns: what goes into the batch."""
        self.now += timedelta(seconds=1)
        entries: list[Entry] = []
        for effect in peer.link.receive(frame, (self.now - BEGIN).total_seconds()):
            if isinstance(effect, Deliver):
                entries += self._delivered(peer, effect, frame)
            elif isinstance(effect, Close):
                self.counts["closed"] += 1
                self._connect(peer)
            else:
                self._do(peer, [effect])
        return entries

    def _delivered(self, peer: Peer, effect: Deliver, frame: bytes) -> list[Entry]:
        event = decode(effect.call, peer.version)
        if isinstance(event, HeartbeatSent):
            self._do(
                peer, peer.link.answer(effect.call.message_id, respond(event, boot_answer(self.now), peer.version))
            )
            return []
        return [
            Received(
                station_no=peer.station_no,
                epoch=peer.epoch,
                received_at=self.now,
                version=peer.version,
                call=effect.call,
                raw=frame,
                event=event,
            )
        ]

    def _apply(self, entries: list[Entry]) -> None:
        kept = len(self.store.quarantined)
        for reply in step(self.desk.apply(entries)):
            self._reply(reply)
        for row in self.store.quarantined[kept:]:
            self.counts["quarantined"] += 1
            assert not row.reason.partition(":")[0].endswith(("Error", "Exception")), (
                f"an invariant broke: {row.reason}"
            )

    def _reply(self, reply: Reply) -> None:
        assert not reply.is_dropped and isinstance(reply.entry, Received)
        peers = (*self.peers.values(), *self.neighbours.values())
        peer = next(each for each in peers if each.station_no == reply.entry.station_no)
        message_id = reply.entry.call.message_id
        error = CallError(message_id, *reply.error) if reply.error else None
        self._do(peer, peer.link.answer(message_id, error or reply.payload or b"{}"))

    def _do(self, peer: Peer, effects: list[Effect]) -> None:
        peer.sent += [effect.raw for effect in effects if isinstance(effect, Respond | Send)]

    def close(self) -> None:
        """Nobody is heard any more: what runs is closed, and everything settled."""
        self.now += timedelta(days=3)
        while lost := self.desk.lost_sessions(self.now, silent=True):
            for elapsed in lost:  # one message of a station is in a batch
                step(self.desk.apply([elapsed]))
        while jobs := step(self.store.take_jobs("w", self.now + timedelta(days=9), 100)):
            for leased in jobs:
                found = settle(step(self.store.session_evidence(1, leased.job.key)), self.now + timedelta(days=9))
                if found.changes is not None:
                    step(self.store.commit(found.changes))
                step(self.store.finish_job(leased, None))

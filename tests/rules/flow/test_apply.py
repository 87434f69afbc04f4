"""What becomes of a batch when something in it, or the store under it, fails?"""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from laddbok.flow import decide as deciding
from laddbok.flow.apply import Desk
from laddbok.flow.changes import Changes, CommandMoved, CommandQueued, OutcomeUnknown, StoreDown
from laddbok.flow.messages import Commanded, Entry, Received, Reply
from laddbok.model.events import AuthorizeAsked
from laddbok.model.session import SessionState
from laddbok.model.station import Station
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_call, parse
from laddbok.sessions.receive import Outcome, receive
from laddbok.store.memory import MemoryStore
from tests.rules.sessions.stage import NOON, TOKEN, step, tariff_document, text_of

START = {"connectorId": 1, "idTag": TOKEN, "meterStart": 1000, "timestamp": text_of(NOON)}


class FaultyStore(MemoryStore):
    """Fails commits as it is told: `lost` before they are written, `unheard` after, `down` altogether."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.commits = 0
        self.is_blind = False

    async def commit(self, changes: Changes) -> None:
        self.commits += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "down":
            raise StoreDown("planted")
        if fault != "lost":
            await super().commit(changes)
        if fault in ("lost", "unheard"):
            raise OutcomeUnknown("planted")

    async def stored(self, positions: Any) -> Any:
        if self.is_blind:
            raise StoreDown("planted")
        return await super().stored(positions)


class Fleet:
    """Stations under one desk, each of which says one thing at a time."""

    def __init__(self, stations: int) -> None:
        self.store = FaultyStore()
        self.store.terms.add_token(1, TOKEN)
        self.store.terms.add_tariff(1, tariff_document())
        self.store.terms.assign_tariff(1, "default", "", "T")
        self.numbers = range(1, stations + 1)
        for number in self.numbers:
            self.store.add_station(
                Station(station_no=number, tenant=1, identity=f"CP-{number}", site_id="s", time_zone="UTC")
            )
        self.desk = Desk(self.store)
        for claim in step(self.store.claim(self.numbers, "gateway", NOON)).values():
            self.desk.take_over(claim)

    def entry(self, station_no: int, action: str, payload: bytes, message_id: str = "m") -> Received:
        raw = encode_call(message_id, action, payload)
        call = parse(raw, OcppVersion.V16)
        assert isinstance(call, Call)
        epoch = self.desk.stations[station_no].epoch
        event = decode(call, OcppVersion.V16)
        return Received(
            station_no=station_no,
            epoch=epoch,
            received_at=NOON,
            version=OcppVersion.V16,
            call=call,
            raw=raw,
            event=event,
        )

    def start(self, station_no: int) -> Received:
        return self.entry(station_no, "StartTransaction", json.dumps(START).encode())

    def apply(self, entries: list[Entry]) -> dict[int, Reply]:
        replies = step(self.desk.apply(entries))
        assert len(replies) == len(entries)
        return {reply.entry.station_no: reply for reply in replies}

    def frames(self, station_no: int) -> int:
        return len(self.store.stations[station_no].frames)


def poisoned(entry: Received) -> Received:
    """With a NUL in its message id, as no frame from the wire has: the database refuses it."""
    return replace(entry, call=replace(entry.call, message_id="m\0"))


def test_one_poisoned_frame_among_a_thousand() -> None:
    fleet = Fleet(1000)
    entries: list[Entry] = [fleet.start(number) for number in fleet.numbers]
    bad = entries[617]
    assert isinstance(bad, Received)
    entries[617] = poisoned(bad)
    replies = fleet.apply(entries)
    refused = [number for number, reply in replies.items() if reply.error]
    assert refused == [618] and all(reply.payload for number, reply in replies.items() if number != 618)
    assert sum(map(fleet.frames, fleet.numbers)) == len(fleet.store.sessions) == 999
    [quarantined] = fleet.store.quarantined
    assert (quarantined.station_no, quarantined.raw) == (618, bad.raw)
    assert "stored" in quarantined.reason and replies[618].error == ("InternalError", quarantined.reason)
    ids = [session.session.transaction_id for session in fleet.store.sessions.values()]
    assert len(set(ids)) == 999
    assert fleet.apply([fleet.start(618)])[618].payload is not None


def test_an_unknown_outcome_that_was_a_success_is_answered_and_not_repeated() -> None:
    fleet = Fleet(2)
    fleet.store.faults = ["unheard"]
    replies = fleet.apply([fleet.start(1), fleet.start(2)])
    assert all(reply.payload for reply in replies.values())
    assert (fleet.store.commits, fleet.frames(1), len(fleet.store.sessions)) == (1, 1, 2)
    assert fleet.desk.stations[1].next_seq == 2


def test_an_unknown_outcome_that_was_a_failure_is_committed_again() -> None:
    fleet = Fleet(2)
    fleet.store.faults = ["lost"]
    replies = fleet.apply([fleet.start(1), fleet.start(2)])
    assert all(reply.payload for reply in replies.values())
    assert (fleet.store.commits, fleet.frames(1), len(fleet.store.sessions)) == (2, 1, 2)


@pytest.mark.parametrize("fault", ["lost", "unheard"])
def test_an_outcome_that_stays_unknown_is_told_as_such(fault: str) -> None:
    """Not as a database that is down, because then the batch would be committed a second time."""
    fleet = Fleet(1)
    fleet.store.faults, fleet.store.is_blind = [fault], True
    with pytest.raises(OutcomeUnknown):
        fleet.apply([fleet.start(1)])
    assert fleet.desk.stations == {}


@pytest.mark.parametrize("fault", ["lost", "unheard"])
def test_after_an_unknown_outcome_nothing_is_decided_on_what_was_remembered(fault: str) -> None:
    """A command that comes before the connection is closed would be written to a place that holds a frame already."""
    fleet = Fleet(1)
    queued = CommandQueued(tenant=1, command_id="c1", station_no=1, action="Reset", payload=b"{}", at=NOON)
    step(fleet.store.commit(Changes(commands_queued=[queued])))
    command = Commanded.of_queued(queued, fleet.desk.stations[1].epoch, OcppVersion.V16, NOON)
    fleet.store.faults, fleet.store.is_blind = [fault], True
    with pytest.raises(OutcomeUnknown):
        fleet.apply([fleet.start(1)])
    before = dict(fleet.store.stations[1].frames)
    assert fleet.apply([command])[1].is_dropped
    assert fleet.store.stations[1].frames == before


def test_a_store_that_is_down_leaves_all_as_it_was() -> None:
    fleet = Fleet(1)
    fleet.store.faults = ["down"]
    entry = fleet.start(1)
    with pytest.raises(StoreDown):
        fleet.apply([entry])
    assert fleet.desk.stations[1].state.sessions == {} and fleet.frames(1) == 0
    assert fleet.apply([entry])[1].payload is not None


def test_stale_drops_only_that_station() -> None:
    fleet = Fleet(3)
    fleet.apply([fleet.start(number) for number in fleet.numbers])
    row = next(row for row in fleet.store.sessions.values() if row.session.station_no == 2)
    step(fleet.store.commit(Changes(moved=[row.session])))
    stops: list[Entry] = []
    for number, session in ((each.session.station_no, each.session) for each in fleet.store.sessions.values()):
        payload = b'{"transactionId":%s,"meterStop":2000}' % session.transaction_id.encode()
        stops.append(fleet.entry(number, "StopTransaction", payload))
    replies = fleet.apply(stops)
    assert {number: reply.is_dropped for number, reply in replies.items()} == {1: False, 2: True, 3: False}
    assert set(fleet.desk.stations) == {1, 3}
    states = {row.session.station_no: row.session.state for row in fleet.store.sessions.values()}
    assert states == {1: SessionState.ENDED, 2: SessionState.ACTIVE, 3: SessionState.ENDED}
    assert fleet.frames(2) == 1


def test_a_withdrawn_command_is_not_sent_and_its_neighbours_are_committed() -> None:
    fleet = Fleet(3)
    for number in (1, 2):
        queued = CommandQueued(
            tenant=1, command_id=f"c{number}", station_no=number, action="Reset", payload=b"{}", at=NOON
        )
        step(fleet.store.commit(Changes(commands_queued=[queued])))
    step(fleet.store.commit(Changes(commands=[CommandMoved(command_id="c2", status="timed_out", at=NOON)])))
    entries: list[Entry] = [fleet.start(3)]
    for number in (1, 2):
        row = fleet.store.commands[f"c{number}"].queued
        epoch = fleet.desk.stations[number].epoch
        entries.append(Commanded.of_queued(row, epoch, OcppVersion.V16, NOON))
    replies = fleet.apply(entries)
    assert {number: reply.payload is not None for number, reply in replies.items()} == {1: True, 2: False, 3: True}
    assert not any(reply.is_dropped for reply in replies.values())
    assert [fleet.frames(number) for number in fleet.numbers] == [1, 0, 1]
    assert fleet.apply([fleet.start(2)])[2].payload


def test_a_store_that_goes_down_after_half_of_a_split_batch_is_written() -> None:
    """Not told as down, because then the written half would be committed a second time."""
    fleet = Fleet(2)
    bad = fleet.start(2)
    assert isinstance(bad, Received)
    fleet.store.faults = ["", "", "down"]
    with pytest.raises(OutcomeUnknown):
        fleet.apply([fleet.start(1), poisoned(bad)])
    assert (fleet.frames(1), fleet.frames(2)) == (1, 0)


def test_a_message_of_an_older_connection_is_dropped() -> None:
    fleet = Fleet(1)
    old = fleet.start(1)
    [claim] = step(fleet.store.claim([1], "gateway", NOON)).values()
    fleet.desk.take_over(claim)
    assert fleet.apply([old])[1].is_dropped and fleet.frames(1) == 0


def test_a_rule_that_fails_parks_only_that_message(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(3)

    def breaks(state: Any, event: Any, stamp: Any, facts: Any) -> Outcome:
        if isinstance(event, AuthorizeAsked):
            raise AssertionError("an invariant is broken")
        return receive(state, event, stamp, facts)

    monkeypatch.setattr(deciding, "receive", breaks)
    entries: list[Entry] = [fleet.start(1), fleet.entry(2, "Authorize", b'{"idTag":"X"}'), fleet.start(3)]
    replies = fleet.apply(entries)
    assert replies[2].error == ("InternalError", "AssertionError: an invariant is broken")
    assert replies[1].payload and replies[3].payload and len(fleet.store.sessions) == 2
    assert [each.station_no for each in fleet.store.quarantined] == [2]
    assert fleet.apply([fleet.start(2)])[2].payload


def test_what_can_not_be_understood_is_kept_with_the_reason_and_refused() -> None:
    fleet = Fleet(1)
    reply = fleet.apply([fleet.entry(1, "Fly", b"{}")])[1]
    assert reply.error is not None and reply.error[0] == "NotImplemented"
    [kept] = fleet.store.quarantined
    assert b"Fly" in kept.raw and "Fly" in kept.reason

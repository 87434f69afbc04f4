"""Do both stores keep the contract of `flow.store.Store`? One suite, on dicts and on PostgreSQL."""

from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from laddbok.flow.changes import (
    Attributed,
    BadData,
    BootSeen,
    CommandMoved,
    CommandQueued,
    Decision,
    FrameRow,
    Job,
    Orphan,
    OutletSeen,
    Quarantined,
    RangeClosed,
    Stale,
    Withdrawn,
)
from laddbok.model.errors import NotFound
from laddbok.model.events import IdToken, TransactionStarted
from laddbok.model.session import FramePosition, Session, SessionState, TariffChoice
from laddbok.model.station import Outlet, Station
from laddbok.sessions.facts import Facts, Stamp, StartFacts
from laddbok.sessions.meter import take_reading
from laddbok.sessions.open import open_session
from tests.store.stores import Ground, commit, found, minutes, take, tariff_document


def frame(station: Station, epoch: int, seq: int, **changes: Any) -> FrameRow:
    row = FrameRow(
        minutes(seq), station.tenant, station.station_no, epoch, seq, b"i", b"6", f"m{seq}", "Heartbeat",
        b"\x00\xff raw", b"answer",
    )  # fmt: skip
    return replace(row, **changes)


def opened(
    station: Station, seq: int = 1, transaction_id: str = "77", facts: StartFacts = StartFacts(), token: str = "04A1"
) -> Session:
    start = TransactionStarted(
        evse_id=1,
        connector_id=1,
        transaction_id=transaction_id,
        id_token=IdToken(token),
        at=minutes(seq),
        register_wh=1000,
    )
    return open_session(station, start, Stamp(FramePosition(1, seq), minutes(seq)), Facts(start=facts), None)


def claim(ground: Ground, *stations: Station) -> dict[int, Any]:
    claimed = ground.run(ground.store.claim([each.station_no for each in stations], "gateway", minutes(0)))
    assert isinstance(claimed, dict)
    return claimed


def evidence(ground: Ground, session: Session) -> Any:
    return ground.run(ground.store.session_evidence(session.tenant, session.id))


# ---------------------------------------------------------------------------------------- claim
def test_each_claim_is_a_new_epoch(ground: Ground) -> None:
    one, two = ground.new_station("one"), ground.new_station("two")
    assert {number: c.epoch for number, c in claim(ground, one, two).items()} == {one.station_no: 1, two.station_no: 1}
    assert claim(ground, one)[one.station_no].epoch == 2
    assert claim(ground, two)[two.station_no].epoch == 2


def test_a_station_that_nobody_knows_is_left_out(ground: Ground) -> None:
    assert ground.run(ground.store.claim([2_000_000_000], "gateway", minutes(0))) == {}


def test_a_claim_tells_what_the_station_and_its_outlets_last_said(ground: Ground) -> None:
    station = ground.new_station("CP")
    boot = BootSeen(
        station_no=station.station_no,
        at=minutes(1),
        protocol="2.0.1",
        vendor="Norrboks",
        model="Vik",
        serial_number=None,
        firmware_version="4",
    )
    seen = [
        Outlet(evse_id=1, connector_id=1, status=status, status_at=minutes(2)) for status in ("Available", "Faulted")
    ]
    commit(ground, boots=[boot], outlets=[OutletSeen(station.tenant, station.station_no, each) for each in seen])
    state = claim(ground, station)[station.station_no].state
    assert state.outlets == {(1, 1): seen[1]}
    assert state.station == replace(
        station, protocol="2.0.1", vendor="Norrboks", model="Vik", firmware_version="4", booted_at=minutes(1)
    )


# ---------------------------------------------------------------------------------------- look up
def test_a_session_is_found_by_its_start_and_by_its_transaction(ground: Ground) -> None:
    station, other = ground.new_station("CP"), ground.new_station("other")
    first, again = opened(station, 1), opened(station, 2)
    commit(ground, opened=[first, again])
    assert found(ground, station, minutes(0), start_key=first.start_key).session == first
    assert found(ground, station, minutes(0), transaction_id="77").session == again
    assert found(ground, station, minutes(0), transaction_id="78").session is None
    assert found(ground, other, minutes(0), transaction_id="77", start_key=first.start_key).session is None


# ---------------------------------------------------------------------------------------- commit
def test_what_is_committed_is_there(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    note = Decision(tenant=station.tenant, session_id=session.id, at=minutes(1), kind="settled", body={"a": [1, "å"]})
    commit(ground, frames=[frame(station, 1, 1)], opened=[session], decisions=[note])
    stored = evidence(ground, session)
    assert (stored.session, stored.frames, stored.decisions) == (session, (frame(station, 1, 1),), (note,))
    assert stored.tariff_of(session) is None


def test_a_session_moves_from_the_version_that_was_read(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, opened=[session])
    ended = replace(session, state=SessionState.ENDED, transaction_ended_at=minutes(9))
    commit(ground, moved=[ended])
    assert evidence(ground, session).session == replace(ended, version=session.version + 1)


def test_stale_writes_nothing_and_names_the_station(ground: Ground) -> None:
    station, other = ground.new_station("CP"), ground.new_station("other")
    mine, theirs = opened(station), opened(other)
    commit(ground, opened=[mine, theirs])
    commit(ground, moved=[mine])
    job = Job(tenant=station.tenant, kind="settle", key=mine.id, due_at=minutes(0))
    with pytest.raises(Stale) as stale:
        commit(ground, frames=[frame(station, 1, 5)], moved=[mine, theirs], jobs=[job])
    assert stale.value.station_numbers == {station.station_no}
    assert evidence(ground, theirs).session == theirs
    assert take(ground) == []
    place = FramePosition(1, 5)
    assert ground.run(ground.store.stored([(station.station_no, place)])) == set()


def test_a_second_start_with_the_same_key_is_stale(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, opened=[session])
    again = replace(session, id="AAAA-BBBB-CCCC-DDDD", transaction_id="78")
    with pytest.raises(Stale) as stale:
        commit(ground, frames=[frame(station, 1, 2)], opened=[again])
    assert stale.value.station_numbers == {station.station_no}
    assert ground.run(ground.store.stored([(station.station_no, FramePosition(1, 2))])) == set()
    with pytest.raises(NotFound):
        evidence(ground, again)


def test_the_same_key_at_another_station_is_another_start(ground: Ground) -> None:
    first = opened(ground.new_station("one"))
    second = opened(ground.new_station("two"))
    assert first.start_key == second.start_key
    commit(ground, opened=[first, second])
    assert evidence(ground, second).session == second


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_bad_data_leaves_nothing(ground: Ground, text: str) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    note = Decision(tenant=station.tenant, session_id=session.id, at=minutes(1), kind="note", body={"x": text})
    for bad in ({"frames": [frame(station, 1, 1, message_id=text)]}, {"decisions": [note]}):
        with pytest.raises(BadData):
            commit(ground, **{"frames": [frame(station, 1, 2)], "opened": [session], **bad})
        places = [(station.station_no, FramePosition(1, seq)) for seq in (1, 2)]
        assert ground.run(ground.store.stored(places)) == set()
        with pytest.raises(NotFound):
            evidence(ground, session)


def test_text_that_only_looks_like_a_nul_is_taken(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    body = {"x": "\\u0000", "y": "\\\\u0000"}
    note = Decision(tenant=station.tenant, session_id=session.id, at=minutes(1), kind="note", body=body)
    commit(ground, frames=[frame(station, 1, 1, message_id="\\u0000")], opened=[session], decisions=[note])
    assert evidence(ground, session).decisions == (note,)


def test_nul_and_any_other_byte_is_kept_in_the_raw_frame(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    row = frame(station, 1, 1, raw=bytes(range(256)), answer=None)
    commit(ground, frames=[row], opened=[session])
    assert evidence(ground, session).frames == (row,)


def test_orphans_and_quarantine_are_taken_beside_the_rest(ground: Ground) -> None:
    station = ground.new_station("CP")
    place = {"tenant": station.tenant, "station_no": station.station_no, "connection_epoch": 1, "seq": 1}
    orphan = Orphan(**place, received_at=minutes(1), action="StopTransaction", transaction_id="9", evse_id=None)
    poisoned = Quarantined(**place, received_at=minutes(1), reason="why", raw=b"\x00")
    commit(ground, frames=[frame(station, 1, 1)], orphans=[orphan, orphan], quarantined=[poisoned])
    commit(ground, orphans=[orphan])
    assert ground.run(ground.store.stored([(station.station_no, FramePosition(1, 1))]))


def test_stored_tells_which_frames_are_in_the_evidence(ground: Ground) -> None:
    station, other = ground.new_station("CP"), ground.new_station("other")
    commit(ground, frames=[frame(station, 1, 1), frame(station, 2, 1), frame(other, 1, 2)])
    asked = [(s.station_no, FramePosition(e, q)) for s in (station, other) for e in (1, 2) for q in (1, 2)]
    stored = {(station.station_no, FramePosition(e, 1)) for e in (1, 2)} | {(other.station_no, FramePosition(1, 2))}
    assert ground.run(ground.store.stored(asked)) == stored


def test_transaction_numbers_are_never_given_out_twice(ground: Ground) -> None:
    blocks = [ground.run(ground.store.transaction_numbers()) for _ in range(3)]
    numbers = [number for block in blocks for number in block]
    assert len(set(numbers)) == len(numbers) == 300
    assert all(0 < number < 2**31 for number in numbers)


# ---------------------------------------------------------------------------------------- commands
def queued(ground: Ground, station: Station) -> str:
    command_id = str(uuid4())
    fields = {"tenant": station.tenant, "station_no": station.station_no, "at": minutes(0)}
    command = CommandQueued(command_id=command_id, action="Reset", payload=b'{"type":"Soft"}', **fields)
    commit(ground, commands_queued=[command])
    return command_id


def moved(command_id: str, status: str) -> CommandMoved:
    return CommandMoved(command_id=command_id, status=status, at=minutes(1))


@pytest.mark.parametrize("status", ["sent", "timed_out", "answered"])
def test_only_a_queued_command_goes_out_and_else_nothing_is_written(ground: Ground, status: str) -> None:
    station = ground.new_station("CP")
    waits, gone = queued(ground, station), queued(ground, station)
    commit(ground, commands=[moved(gone, status)])
    with pytest.raises(Withdrawn) as withdrawn:
        commit(ground, frames=[frame(station, 1, 1)], commands=[moved(waits, "sent"), moved(gone, "sent")])
    assert withdrawn.value.command_ids == {gone}
    assert ground.run(ground.store.stored([(station.station_no, FramePosition(1, 1))])) == set()
    commit(ground, frames=[frame(station, 1, 1)], commands=[moved(waits, "sent")])
    with pytest.raises(Withdrawn):
        commit(ground, commands=[moved(waits, "sent")])


def test_a_command_of_ours_that_did_not_go_out_is_queued_again(ground: Ground) -> None:
    command_id = queued(ground, ground.new_station("CP"))
    commit(ground, commands=[moved(command_id, "sent")])
    commit(ground, commands=[moved(command_id, "not_connected")])
    commit(ground, commands=[moved(command_id, "sent")])
    commit(ground, commands=[moved(command_id, "unknown")])
    with pytest.raises(Withdrawn):
        commit(ground, commands=[moved(command_id, "sent")])


def test_what_is_held_back_by_one_connection_is_not_put_back_while_another_sends_it(ground: Ground) -> None:
    command_id = queued(ground, ground.new_station("CP"))
    held_back = replace(moved(command_id, "not_connected"), from_queue=True)
    commit(ground, commands=[held_back])
    commit(ground, commands=[moved(command_id, "sent")])
    commit(ground, commands=[held_back])
    with pytest.raises(Withdrawn):
        commit(ground, commands=[moved(command_id, "sent")])


# ---------------------------------------------------------------------------------------- restart
def test_a_claim_goes_on_from_the_checkpoint_with_what_came_after_it(ground: Ground) -> None:
    station = ground.new_station("CP")
    claim(ground, station)
    session = opened(station)
    frames = [frame(station, 1, seq) for seq in (1, 2, 3)] + [frame(station, 1, 4, direction=b"o", answer=None)]
    commit(ground, frames=frames, opened=[session])
    meter = take_reading(session.meter, minutes(2), 1500)
    live = replace(session, meter=meter, through=FramePosition(1, 2), last_contact_at=minutes(2))
    assert [row.seq for row in claim(ground, station)[station.station_no].unfolded] == [2, 3]
    ground.run(ground.store.checkpoint([live], minutes(3)))
    again = claim(ground, station)[station.station_no]
    assert again.state.sessions == {"77": live}
    assert again.unfolded == (frame(station, 1, 3),)


def test_a_claim_has_every_charging_period_of_a_long_session(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, opened=[session])
    for hour in (1, 2, 3, 3):
        meter = take_reading(session.meter, minutes(60 * hour), 1000 + 900 * hour)
        session = replace(session, meter=meter, through=FramePosition(1, 1 + hour))
        ground.run(ground.store.checkpoint([session], minutes(60 * hour)))
    assert len(session.meter.closed_periods) == 11
    assert claim(ground, station)[station.station_no].state.sessions == {"77": session}


def test_a_checkpoint_of_an_older_version_is_not_believed(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, opened=[session])
    ended = replace(session, state=SessionState.ENDED, through=FramePosition(1, 2))
    commit(ground, moved=[ended])
    ground.run(ground.store.checkpoint([replace(session, through=FramePosition(1, 9))], minutes(3)))
    state = claim(ground, station)[station.station_no].state
    assert state.sessions == {"77": replace(ended, version=2)}


def test_settled_sessions_are_not_claimed(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, frames=[frame(station, 1, 1), frame(station, 1, 2)], opened=[session])
    settled = replace(session, state=SessionState.SETTLED)
    commit(ground, moved=[settled], closed_ranges=[RangeClosed(settled, minutes(1))])
    again = claim(ground, station)[station.station_no]
    assert again.state.sessions == {} and again.unfolded == ()


# ---------------------------------------------------------------------------------------- evidence
def test_a_clock_of_ours_that_steps_back_hides_no_frame(ground: Ground) -> None:
    station = ground.new_station("CP")
    claim(ground, station)
    session = opened(station)
    back = minutes(-119)
    later = [frame(station, 1, 2, received_at=back), frame(station, 1, 3, received_at=minutes(3))]
    commit(ground, frames=[frame(station, 1, 1), *later], opened=[session])
    assert [row.seq for row in claim(ground, station)[station.station_no].unfolded] == [2, 3]
    commit(ground, closed_ranges=[RangeClosed(replace(session, through=FramePosition(1, 3)), back)])
    assert [row.seq for row in evidence(ground, session).frames] == [1, 2, 3]


def test_evidence_is_in_the_order_of_epoch_and_number(ground: Ground) -> None:
    station, other = ground.new_station("CP"), ground.new_station("other")
    places = [(2, 1), (1, 3), (1, 2), (2, 2)]
    session = opened(station, 2)
    rows = [frame(station, *place, received_at=minutes(10 * place[0] + place[1])) for place in places]
    early, foreign = frame(station, 1, 1), frame(other, 1, 3, received_at=minutes(13))
    commit(ground, frames=[*rows, early, foreign], opened=[session])
    assert [(row.connection_epoch, row.seq) for row in evidence(ground, session).frames] == sorted(places)


def test_evidence_ends_where_the_session_was_settled_but_for_single_frames(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, frames=[frame(station, 1, seq) for seq in (1, 2, 3, 4)], opened=[session])
    through = replace(session, through=FramePosition(1, 2))
    commit(ground, closed_ranges=[RangeClosed(through, minutes(2))])
    assert [row.seq for row in evidence(ground, session).frames] == [1, 2]
    unplugged = replace(session, through=FramePosition(1, 4))
    commit(ground, attributed=[Attributed(unplugged, minutes(4))])
    assert [row.seq for row in evidence(ground, session).frames] == [1, 2, 4]
    # Settled once more, from these: what lies between was not seen, and does not come in by the back door.
    commit(ground, closed_ranges=[RangeClosed(unplugged, minutes(5))])
    assert [row.seq for row in evidence(ground, session).frames] == [1, 2, 4]


def test_evidence_brings_the_tariff_version_that_was_frozen(ground: Ground) -> None:
    station = ground.new_station("CP")
    for price in ("3.20", "4.00"):
        ground.keeps.add_tariff(ground.tenant, tariff_document("T", price))
    session = opened(station, facts=StartFacts(tariff=TariffChoice("T", 1)))
    commit(ground, opened=[session])
    tariff = evidence(ground, session).tariff_of(session)
    assert str(tariff.elements[0].price_components[0].price) == "3.20"


def test_evidence_of_a_session_that_is_not_there(ground: Ground) -> None:
    station = ground.new_station("CP")
    session = opened(station)
    commit(ground, opened=[session])
    for tenant, session_id in ((station.tenant, "nobody"), (station.tenant + 1, session.id)):
        with pytest.raises(NotFound):
            ground.run(ground.store.session_evidence(tenant, session_id))


def test_S25_of_two_open_sessions_with_one_id_a_claim_tells_the_later(ground: Ground) -> None:
    station = ground.new_station("CP")
    first, second = opened(station, 1), opened(station, 5)
    commit(ground, opened=[first])
    commit(ground, opened=[second])
    commit(ground, moved=[replace(first, state=SessionState.ENDED)])
    kept = claim(ground, station)[station.station_no].state.sessions
    assert kept["77"].id == second.id

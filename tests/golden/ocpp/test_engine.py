"""Do whole conversations make the sessions that they tell of? Every transcript, through the desk, answer by answer."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from laddbok.flow.apply import Desk
from laddbok.flow.messages import Received
from laddbok.model.session import ReviewReason, Session
from laddbok.model.station import Station
from laddbok.ocpp import decode
from laddbok.ocpp.frame import Call, OcppVersion, encode_result, parse
from laddbok.sessions.meter import periods
from laddbok.store.memory import MemoryStore
from tests.golden.ocpp.test_transcripts import HERE, TRANSCRIPTS, VERSIONS, lines_of
from tests.rules.sessions.stage import step

KNOWN_TOKENS = ("04A1B2C3D4E5", "APP-7781", "RETRY01", "TAB1")
IN_REVIEW = {"unknown_token": (ReviewReason.UNKNOWN_TOKEN,)}


def engine(version: OcppVersion, at: datetime) -> Desk:
    """A desk that holds one station, on a store where nothing happened yet."""
    store = MemoryStore()
    for token in KNOWN_TOKENS:
        store.terms.add_token(1, token)
    store.add_station(Station(station_no=1, tenant=1, identity="CP-1", site_id="yard", time_zone="UTC"))
    desk = Desk(store)
    [claim] = step(store.claim([1], "gateway", at)).values()
    desk.take_over(claim, version.value.removeprefix("ocpp"))
    return desk


def answer_of(desk: Desk, call: Call, raw: bytes, at: datetime, version: OcppVersion) -> str:
    event = decode(call, version)
    entry = Received(station_no=1, epoch=1, received_at=at, version=version, call=call, raw=raw, event=event)
    [reply] = step(desk.apply([entry]))
    assert reply.payload is not None, reply
    return encode_result(call.message_id, reply.payload).decode()


def told(path: Path) -> Session:
    """The session at the end of a transcript, of which every answer of ours was exactly what is written."""
    lines, version = lines_of(path), VERSIONS[path.parent.name]
    written = {text.split(",", 2)[1]: text for _, direction, text in lines if direction == "<"}
    desk = engine(version, lines[0][0])
    for at, direction, text in lines:
        call = parse(text, version)
        if direction == ">" and isinstance(call, Call):
            assert answer_of(desk, call, text.encode(), at, version) == written[f'"{call.message_id}"']
    [session] = desk.stations[1].state.sessions.values()
    return session


def energy_wh_of(path: Path) -> int:
    """What the comments of a transcript state."""
    comments = " ".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    found = re.search(r"(\d[\d ]*) Wh", comments)
    assert found, f"{path.name} states no energy"
    return int(found[1].replace(" ", ""))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_conversation_through_the_engine(path: Path) -> None:
    session = told(path)
    assert session.energy_wh == energy_wh_of(path)
    assert sum(period.energy_wh for period in periods(session.meter)) == session.energy_wh
    assert session.ended_by == "stop"
    assert session.review_reasons == IN_REVIEW.get(path.stem, ())


@pytest.mark.parametrize(
    ("name", "charging_ended", "ended"),
    [
        ("1.6/plain_session", "2026-01-12T10:55:10Z", "2026-01-12T11:05:00Z"),
        ("2.0.1/plain_session", "2026-01-12T09:45:00Z", "2026-01-12T10:00:00Z"),
        ("2.0.1/offline_session", "2026-06-20T02:00:00Z", "2026-06-20T02:00:00Z"),
    ],
)
def test_the_instants_of_a_conversation(name: str, charging_ended: str, ended: str) -> None:
    session = told(HERE / f"{name}.txt")
    assert session.charging_ended_at == datetime.fromisoformat(charging_ended)
    assert session.transaction_ended_at == datetime.fromisoformat(ended)

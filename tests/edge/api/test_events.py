"""Is a change told to whoever watches, soon and in small pieces?"""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from laddbok.api.live import MAX_QUEUED, MAX_STREAMS_PER_ASKER, MAX_STREAMS_PER_TENANT, Live, Stream
from laddbok.api.problems import TooMany
from laddbok.api.settings import ApiSettings
from laddbok.model.session import Session
from tests.edge.api.charges import BEGIN_WH, TARIFF, running, store
from tests.edge.api.conftest import NOW, RunningApi

PATIENCE_S = 10.0


def _events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    """(event, data) as they come; comments come as ("", text)."""
    event = ""
    ends_s = time.monotonic() + PATIENCE_S
    for line in answer.iter_lines():
        assert time.monotonic() < ends_s, "nothing that was waited for came"
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            yield event, json.loads(line[6:])
        elif line.startswith(":"):
            yield "", line


def _publish(house: RunningApi, session: Session, seq: int, energy_wh: int) -> None:
    """What a gateway says of a live session."""
    assert session.meter.open_period is not None
    period = msgspec.structs.replace(session.meter.open_period, energy_wh=energy_wh)
    meter = msgspec.structs.replace(session.meter, mark_wh=BEGIN_WH + energy_wh, open_period=period)
    house.sql(
        "INSERT INTO session_live VALUES (1, $1, 1, 1, $2, $3, $4) ON CONFLICT (tenant, session_id)"
        " DO UPDATE SET through_seq = $2, as_of = $3, body = $4",
        session.id, seq, NOW, msgspec.json.encode(msgspec.structs.replace(session, meter=meter)).decode(),
    )  # fmt: skip


def test_changes_of_everything_are_told_without_prices(house: RunningApi) -> None:
    session = running(61)
    store(house, session)
    with house.client.stream("GET", "/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        events = _events(answer)
        assert next(data for event, data in events if event == "overview")["sessions"]["active"] == 1
        _publish(house, session, 2, 5_100)
        told = next(data for event, data in events if event == "session")
        assert (told["id"], told["energy_wh"]) == (session.id, 5_100)
        assert "price" not in told
        house.sql("UPDATE station SET connected = true, connection_changed_at = $1", NOW)
        assert next(data for event, data in events if event == "station")["connected"] is True
        house.sql("UPDATE session SET state = 'ended', ended_at = $2, version = 2 WHERE id = $1", session.id, NOW)
        assert next(data for event, data in events if event == "session")["state"] == "ended"
        house.sql("UPDATE session SET state = 'review', version = 3 WHERE id = $1", session.id)
        assert next(data for event, data in events if event == "session")["state"] == "review"
        house.sql("UPDATE session SET state = 'settled', version = 4 WHERE id = $1", session.id)
        assert next(data for event, data in events if event == "session")["state"] == "settled"


def test_one_session_is_told_with_its_price(house: RunningApi) -> None:
    house.client.post("/tariffs", json=TARIFF)
    session = running(62)
    store(house, session)
    _publish(house, session, 1, 1_000)
    with house.client.stream("GET", f"/events?session_id={session.id.lower()}") as answer:
        events = _events(answer)
        first = next(data for event, data in events if event == "session")
        assert (first["id"], first["price"]["excl_vat"]) == (session.id, "3.20")
        _publish(house, session, 2, 2_000)
        assert next(data for event, data in events if event == "session" and data["energy_wh"] == 2_000)
        house.sql("UPDATE session SET state = 'void', version = 9 WHERE id = $1", session.id)
        assert next(data for event, data in events if event == "session" and data["state"] == "void")
        assert next(data for event, data in events if event == "") == ": alive"  # nothing more to say


def test_a_session_that_is_not_there_can_not_be_watched(house: RunningApi) -> None:
    assert house.client.get("/events?session_id=nothing").status_code == 404


def test_another_tenants_changes_are_not_told(house: RunningApi) -> None:
    session = msgspec.structs.replace(running(63), tenant=2)
    [tenant] = house.sql("INSERT INTO tenant (name, created_at) VALUES ('theirs', $1) RETURNING tenant", NOW)
    with house.client.stream("GET", "/events") as answer:
        events = _events(answer)
        next(data for event, data in events if event == "overview")
        columns = "tenant, id, origin, station, state, version, started_at, body, import_identity"
        house.sql(
            f"INSERT INTO session ({columns}) VALUES ($1, $2, 'import', 'x', 'active', 1, $3, '{{}}', 'x')",
            tenant["tenant"], session.id, NOW,
        )  # fmt: skip
        house.sql("INSERT INTO session_live VALUES ($1, $2, 1, 1, 1, $3, '{}')", tenant["tenant"], session.id, NOW)
        rounds = 0
        for event, data in events:
            assert event != "session" or data["id"] != session.id
            rounds += event == "overview"
            if rounds == 3:
                break


def test_neither_a_key_nor_a_tenant_takes_every_stream() -> None:
    live = Live(None, None, None, ApiSettings(max_event_streams=MAX_STREAMS_PER_TENANT + 2))  # type: ignore[arg-type]
    for number in range(MAX_STREAMS_PER_TENANT):
        live.open(1, f"person {number // MAX_STREAMS_PER_ASKER}", None)
        if number == MAX_STREAMS_PER_ASKER - 1:
            with pytest.raises(TooMany, match="of person 0"):
                live.open(1, "person 0", None)
    with pytest.raises(TooMany, match="of this tenant"):
        live.open(1, "somebody else", None)
    live.open(2, "person 0", None)
    live.open(2, "person 0", None)
    with pytest.raises(TooMany, match=r"streams$"):
        live.open(3, "person 0", None)


def test_a_slow_reader_is_told_so_and_dropped() -> None:
    stream = Stream(1, "anna", None)
    assert all(stream.offer(b"x") for _ in range(MAX_QUEUED))
    assert stream.offer(b"x") is False
    assert stream.queue.get_nowait() == b"event: lagged\ndata: {}\n\n"
    assert stream.queue.get_nowait() is None

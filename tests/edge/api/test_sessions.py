"""Is a session found, shown, told and priced?"""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.flow.changes import Job
from laddbok.flow.charge_to_cash import price
from laddbok.flow.packed_curve import PACK
from laddbok.flow.store import LeasedJob
from laddbok.model.session import ReviewReason, Session, SessionState
from laddbok.model.tariff import parse_tariff
from laddbok.sessions.close import cdr
from laddbok.store.postgres import PostgresStore
from laddbok.workers.pack import Packer
from tests.edge.api.charges import BEGIN_WH, TARIFF, metered, running, say, store
from tests.edge.api.conftest import NOW, RunningApi

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def charges(house: RunningApi) -> dict[str, Session]:
    """Sessions of every kind on one station."""
    assert house.client.post("/tariffs", json=TARIFF).status_code == 201
    live = running(1)
    ended_at = NOW + HOUR
    replace = msgspec.structs.replace
    sessions = {
        "live": live,
        "settled": replace(
            running(2, started_at=NOW - 5 * HOUR), state=SessionState.SETTLED, transaction_ended_at=NOW - 4 * HOUR,
            charging_ended_at=NOW - 4 * HOUR, stop_reason="Local",
        ),
        "review": replace(
            running(3, token="04BB", started_at=NOW - 9 * HOUR), state=SessionState.REVIEW, transaction_ended_at=ended_at,
            review_reasons=(ReviewReason.UNKNOWN_TOKEN,),
        ),
        "untariffed": replace(running(4, token="04CC", started_at=NOW - 20 * HOUR), tariff=None),
    }  # fmt: skip
    for session in sessions.values():
        store(house, session)
    _issue(house, sessions["settled"])
    _converse(house, live)
    return sessions


def _issue(house: RunningApi, session: Session) -> None:
    document = cdr(session)
    rating = price(document, parse_tariff(TARIFF))
    house.sql(
        "INSERT INTO cdr VALUES (1, $1, 1, 'cdr', $2, $3, 'SEK', $4, $5, 'plain', 1, $6, $7)",
        session.id, NOW, document.energy_wh, rating.excl_vat, rating.incl_vat,
        msgspec.json.encode(document).decode(), msgspec.json.encode(rating).decode(),
    )  # fmt: skip


def _converse(house: RunningApi, session: Session) -> None:
    at = session.started_at
    start = {"connectorId": 1, "idTag": "04A2FF", "meterStart": BEGIN_WH, "timestamp": at.isoformat()}
    answer = {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}
    say(house, session, 0, "StartTransaction", start, answer)
    status = {"connectorId": 1, "status": "Charging", "errorCode": "NoError", "timestamp": at.isoformat()}
    say(house, session, 1, "StatusNotification", status, {})
    say(house, session, 2, "StatusNotification", {**status, "connectorId": 2}, {})  # somebody else's outlet
    for number in (1, 2):
        values = [metered(at + number * HOUR / 2, BEGIN_WH + number * 2_500, 7_400)]
        say(house, session, 2 + number, "MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": values}, {})
    other = [metered(at, 9_999_999, 99_000)]
    say(house, session, 5, "MeterValues", {"connectorId": 2, "transactionId": 77, "meterValue": other}, {})
    say(house, session, 6, "UnlockConnector", {"connectorId": 1}, direction="o")


def test_a_session_says_what_the_contract_promises(house: RunningApi, charges: dict[str, Session]) -> None:
    house.clock.at = NOW + HOUR
    shown = house.client.get(f"/sessions/{charges['live'].id}").json()
    assert shown == {
        "id": charges["live"].id, "station_id": "LB-1", "evse_id": 1, "connector_id": 1, "transaction_id": "1",
        "id_token": "04A2FF", "token": "04A2FF", "version": 1, "state": "active", "started_at": "2026-03-01T12:00:00Z", "ended_at": None,
        "charging_ended_at": None, "transaction_ended_at": None, "unplugged_at": None, "energy_wh": 5000, "energy": None, "power_w": 7400,
        "soc_pct": None, "activity": "charging", "contract_id": None, "site_id": "torget", "origin": "station",
        "revision": 1, "stop_reason": None, "tariff": {"id": "plain", "version": 1}, "review_reasons": [], "verdict": None,
        "price": {
            "currency": "SEK", "excl_vat": "16.00", "incl_vat": "20.00", "final": False, "as_of": "2026-03-01T13:00:00Z",
        },
        "price_missing_reason": None,
    }  # fmt: skip


def test_a_settled_session_has_its_issued_price(house: RunningApi, charges: dict[str, Session]) -> None:
    shown = house.client.get(f"/sessions/{charges['settled'].id}").json()
    assert (shown["price"]["final"], shown["price"]["incl_vat"], shown["price"]["as_of"]) == (
        True,
        "20.00",
        "2026-03-01T12:00:00Z",
    )
    assert (shown["power_w"], shown["activity"], shown["stop_reason"]) == (None, None, "Local")
    [issued] = house.client.get(f"/cdrs/{shown['id']}").json()["items"]
    assert issued["document"]["energy_wh"] == issued["energy_wh"] == 5000
    assert [item["session_id"] for item in house.client.get("/cdrs").json()["items"]] == [shown["id"]]


def test_a_missing_tariff_is_a_reason_and_never_0(house: RunningApi, charges: dict[str, Session]) -> None:
    shown = house.client.get(f"/sessions/{charges['untariffed'].id}").json()
    assert (shown["price"], shown["price_missing_reason"]) == (None, "no_tariff")
    assert house.client.get(f"/sessions/{shown['id']}/price").json() == {"price": None, "reason": "no_tariff"}


def test_an_imported_session_is_shown_without_a_price(house: RunningApi) -> None:
    house.sql(
        "INSERT INTO session (tenant, id, origin, station, state, version, started_at, ended_at, energy_wh, body)"
        " VALUES (1, 'IMPORTED', 'import', 'CP-7', 'settled', 1, $1, $1, 0, '{}')",
        NOW - 100 * HOUR,
    )
    shown = house.client.get("/sessions/IMPORTED").json()
    assert (shown["price"], shown["price_missing_reason"], shown["energy_wh"]) == (None, "imported", 0)
    assert house.client.get("/sessions/IMPORTED/timeline").json() == {"items": [], "next": None}
    assert house.client.get("/sessions/IMPORTED/curve").json()["power_w"] == []
    assert house.client.get("/sessions/IMPORTED/price").json()["reason"] == "imported"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"state": "active"}, ["live", "untariffed"]),
        ({"state": "review"}, ["review"]),
        ({"id_token": "04:bb"}, ["review"]),
        ({"station_id": "LB-1", "order": "started_at"}, ["untariffed", "review", "settled", "live"]),
        ({"from": "2026-03-01T00:00:00Z"}, ["live", "settled", "review"]),
        ({"station_id": "LB-1", "to": "2026-03-01T00:00:00+01:00"}, ["untariffed"]),
        ({"q": "04 a2"}, ["live", "settled"]),
        ({"q": "lb-1"}, ["live", "settled", "review", "untariffed"]),
        ({"q": "3"}, ["review"]),
        ({"q": ":- :"}, []),
        ({"q": "lb-1", "state": "review"}, ["review"]),
        ({"station_id": "none"}, []),
    ],
)
def test_sessions_are_filtered(
    house: RunningApi, charges: dict[str, Session], query: dict[str, str], names: list[str]
) -> None:
    found = house.client.get("/sessions", params=query).json()["items"]
    assert [item["id"] for item in found] == [charges[name].id for name in names]


def test_a_pasted_session_id_is_found_however_it_is_written(house: RunningApi, charges: dict[str, Session]) -> None:
    wanted = charges["review"].id
    for text in (wanted, wanted.lower(), wanted.replace("-", ""), f"  {wanted.replace('-', ' ')} "):
        assert [item["id"] for item in house.client.get("/sessions", params={"q": text}).json()["items"]] == [wanted]
    assert house.client.get(f"/sessions/{wanted.lower()}").json()["id"] == wanted
    for query, found in (({"state": "review"}, [wanted]), ({"state": "active"}, []), ({"station_id": "none"}, [])):
        items = house.client.get("/sessions", params={"q": wanted, **query}).json()["items"]
        assert [item["id"] for item in items] == found


@pytest.mark.parametrize("letters", [4, 5, 8, 15])
def test_a_session_is_found_by_the_letters_that_were_read_out(
    house: RunningApi, charges: dict[str, Session], letters: int
) -> None:
    wanted = charges["settled"].id
    read_out = wanted.replace("-", "")[:letters].lower().replace("0", "o").replace("1", "l")
    for text in (read_out, f"{read_out[:4]} {read_out[4:]}", f"{read_out[:4]}-{read_out[4:]}"):
        found = house.client.get("/sessions", params={"q": text}).json()["items"]
        assert wanted in [item["id"] for item in found], text
    assert house.client.get("/sessions", params={"q": wanted[:3]}).json()["items"] == []


def test_pages_neither_lose_nor_repeat_a_session(house: RunningApi, charges: dict[str, Session]) -> None:
    for order in ("started_at", "-started_at"):
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2, "order": order}
        for _ in range(5):
            page = house.client.get("/sessions", params=query).json()
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        everything = house.client.get("/sessions", params={"order": order}).json()["items"]
        assert seen == [item["id"] for item in everything]


def test_the_price_explains_itself(house: RunningApi, charges: dict[str, Session]) -> None:
    house.clock.at = NOW + HOUR
    shown = house.client.get(f"/sessions/{charges['live'].id}/price").json()
    assert (shown["final"], shown["tariff"]) == (False, {"id": "plain", "version": 1})
    [line] = shown["lines"]
    assert line["text"] == {"sv": "5 kWh x 3,20 kr/kWh", "en": "5 kWh x 3.20 kr/kWh"}
    assert (line["quantity"], line["unit"], line["unit_price"], line["price_unit"]) == (5000, "Wh", "3.20", "kWh")
    assert sum(Decimal(each["excl_vat"]) for each in shown["lines"]) == Decimal(shown["excl_vat"])
    final = house.client.get(f"/sessions/{charges['settled'].id}/price").json()
    assert (final["final"], final["incl_vat"]) == (True, "20.00")


def test_the_timeline_tells_this_session_in_plain_words(house: RunningApi, charges: dict[str, Session]) -> None:
    house.sql(
        "INSERT INTO decision VALUES (1, $1, 1, $2, 'closed_softly', 'laddbok', '{}')",
        charges["live"].id,
        NOW + 2 * HOUR,
    )
    items = house.client.get(f"/sessions/{charges['live'].id}/timeline").json()["items"]
    assert [item["text"]["en"] for item in items] == [
        "The charge started with 04A2FF, the meter at 100.00 kWh. We answered: accepted",
        "Charging",
        "The station reports 2.50 kWh so far, 7.4 kW",
        "The station reports 5.00 kWh so far, 7.4 kW",
        "We asked the station: unlock the connector",
        "No stop came: the session was closed at its last reading",
    ]
    assert [item["kind"] for item in items] == ["frame"] * 5 + ["decision"]
    assert json.loads(items[0]["raw"])[2] == "StartTransaction"
    assert json.loads(items[0]["answer"])[2]["transactionId"] == 1
    assert items[2]["at"] == "2026-03-01T12:30:00Z"
    assert items[2]["received_at"] == "2026-03-01T12:00:03Z"


def test_a_packed_curve_is_what_the_frames_told(house: RunningApi, charges: dict[str, Session]) -> None:
    session = charges["settled"]
    for minute in (1, 2, 3):
        value = metered(session.started_at + timedelta(minutes=minute), BEGIN_WH + 100 * minute, 6_000)
        transaction_id = int(session.transaction_id)
        payload = {"connectorId": 1, "transactionId": transaction_id, "meterValue": [value]}
        say(house, session, minute, "MeterValues", payload, {})
    path = f"/sessions/{session.id}/curve"
    decoded = house.client.get(path).json()
    assert [value for _, value in decoded["energy_wh"]] == [100, 200, 300]

    async def pack() -> None:
        async with asyncpg.create_pool(**house.dsn, min_size=1, max_size=1) as pool:
            job = Job(tenant=1, kind=PACK, key=session.id, due_at=NOW)
            await Packer(PostgresStore(pool), lambda: NOW)(LeasedJob(1, job, 1, 1))

    asyncio.run(pack())
    house.sql("DELETE FROM frame WHERE seq BETWEEN $1 AND $2", session.opened.seq, session.through.seq)
    assert house.client.get(path).json() == decoded
    house.sql("UPDATE session SET state = 'active' WHERE id = $1", session.id)
    assert house.client.get(path).json()["energy_wh"] == [], "a curve that may still grow is never read packed"
    house.sql("UPDATE session SET state = 'settled' WHERE id = $1", session.id)


def test_a_timeline_is_paged(house: RunningApi, charges: dict[str, Session]) -> None:
    path = f"/sessions/{charges['live'].id}/timeline"
    everything = house.client.get(path).json()["items"]
    seen: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    for _ in range(10):
        page = house.client.get(path, params=query).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == everything


def test_curves_are_of_this_session_and_count_from_its_begin(house: RunningApi, charges: dict[str, Session]) -> None:
    curve = house.client.get(f"/sessions/{charges['live'].id}/curve").json()
    start_ms = int(NOW.timestamp() * 1000)
    half_hour_ms = 1_800_000
    assert curve["energy_wh"] == [[start_ms, 0], [start_ms + half_hour_ms, 2500], [start_ms + 2 * half_hour_ms, 5000]]
    assert curve["power_w"] == [[start_ms + half_hour_ms, 7400], [start_ms + 2 * half_hour_ms, 7400]]
    assert [period["energy_wh"] for period in curve["periods"]] == [5000]


def test_what_the_gateway_said_last_is_shown_unless_the_stored_session_is_newer(
    house: RunningApi, charges: dict[str, Session]
) -> None:
    session = running(5, started_at=NOW - 30 * HOUR)
    store(house, session, version=2)
    meter = msgspec.structs.replace(session.meter, mark_wh=BEGIN_WH + 6_000)
    for version, energy_wh in ((1, 5000), (2, 6000)):
        live = msgspec.structs.replace(session, version=version, meter=meter)
        house.sql(
            "INSERT INTO session_live VALUES (1, $1, 1, 1, 1, $2, $3) ON CONFLICT (tenant, session_id) DO UPDATE SET body = $3",
            session.id, NOW, msgspec.json.encode(live).decode(),
        )  # fmt: skip
        assert house.client.get(f"/sessions/{session.id}").json()["energy_wh"] == energy_wh
    house.sql("UPDATE session SET state = 'void' WHERE id = $1", session.id)
    shown = house.client.get(f"/sessions/{session.id}").json()
    assert (shown["state"], shown["price_missing_reason"], shown["energy_wh"]) == ("void", "void", 5000)


@pytest.mark.parametrize("path", ["", "/timeline", "/price", "/curve", "/nothing"])
def test_what_is_not_there_is_not_found(house: RunningApi, path: str) -> None:
    answer = house.client.get(f"/sessions/0000-0000-0000-0000{path}")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=foo", "state"), ("from=yesterday", "from"), ("to=2026-01-01T00:00:00", "to"), ("order=price", "order")],
)
def test_a_bad_filter_is_named(house: RunningApi, query: str, field: str) -> None:
    answer = house.client.get(f"/sessions?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)

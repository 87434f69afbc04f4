"""Does a station get in, and its password out, once?"""

from datetime import datetime, timedelta

import pytest

from laddbok.gateway.credentials import hash_password, verify_password
from tests.edge.api.conftest import NOW, RunningApi


def test_a_new_station_gets_a_password_that_the_gateway_accepts(house: RunningApi) -> None:
    answer = house.client.post("/stations", json={"station_id": "LB-2", "site_id": "torget"})
    assert answer.status_code == 201
    password = answer.json()["password"]
    [row] = house.sql("SELECT password_hash FROM station WHERE identity = 'LB-2'")
    assert verify_password(row["password_hash"], password)
    assert verify_password(row["password_hash"], bytes.fromhex(password))
    assert "password" not in house.client.get("/stations/LB-2").json()


def test_a_repeated_request_acts_once_and_does_not_show_the_password_again(house: RunningApi) -> None:
    body, key = {"station_id": "LB-3", "site_id": "torget"}, {"Idempotency-Key": "k3"}
    first = house.client.post("/stations", json=body, headers=key)
    again = house.client.post("/stations", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert len(first.json()["password"]) == 40
    assert again.json() == {**first.json(), "password": None}
    other = house.client.post("/stations", json={**body, "name": "other"}, headers=key)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_a_write_that_failed_does_not_use_up_its_key(house: RunningApi) -> None:
    body, key = {"station_id": "LB-4", "site_id": "later"}, {"Idempotency-Key": "k4"}
    assert house.client.post("/stations", json=body, headers=key).json()["field"] == "site_id"
    house.client.put("/sites/later", json={"name": "Later", "time_zone": "UTC"})
    assert house.client.post("/stations", json=body, headers=key).status_code == 201


def test_an_identity_is_unique(house: RunningApi) -> None:
    answer = house.client.post("/stations", json={"station_id": "LB-1", "site_id": "torget"})
    assert answer.status_code == 409


def test_a_bad_identity_is_refused(house: RunningApi) -> None:
    for station_id in ("", ".", "..", "a/b", "å", "x" * 49):
        answer = house.client.post("/stations", json={"station_id": station_id, "site_id": "torget"})
        assert (answer.status_code, answer.json()["field"]) == (422, "station_id")


def test_connector_0_of_ocpp_16_is_no_evse(house: RunningApi) -> None:
    """A 1.6 station tells of itself as a whole under connector 0."""
    house.sql("INSERT INTO evse (tenant, station_no, evse_id) VALUES (1, 1, 0)")
    house.sql(
        "INSERT INTO connector (tenant, station_no, evse_id, connector_id, status) VALUES (1, 1, 0, 0, 'Available')"
    )
    assert [evse["evse_id"] for evse in house.client.get("/stations/LB-1").json()["evses"]] == [1]
    assert [evse["evse_id"] for evse in house.client.get("/evses").json()["items"]] == [1]
    house.sql("DELETE FROM connector WHERE evse_id = 0")
    house.sql("DELETE FROM evse WHERE evse_id = 0")


def test_a_station_shows_what_stands_there(house: RunningApi) -> None:
    house.sql("UPDATE connector SET status = 'Faulted', error_code = 'GroundFailure', status_at = $1", NOW)
    station = house.client.get("/stations/LB-1").json()
    connector = {
        "connector_id": 1, "standard": None, "status": "Faulted", "status_at": "2026-03-01T12:00:00Z",
        "told_at": None, "error_code": "GroundFailure", "info": None,
    }  # fmt: skip
    assert station["evses"] == [{"evse_id": 1, "max_power_w": 11000, "connectors": [connector], "session_id": None}]
    assert house.client.get("/evses", params={"station_id": "LB-1"}).json()["items"][0]["station_id"] == "LB-1"
    [problem] = house.client.get("/overview").json()["problems"]
    assert (problem["kind"], problem["station_id"]) == ("connector_faulted", "LB-1")
    house.sql("UPDATE connector SET status = 'Available', error_code = NULL")


def test_S71_a_station_can_not_be_had_by_its_name_from_another_tenant(house: RunningApi) -> None:
    house.sql("INSERT INTO tenant (name, created_at) VALUES ('theirs', $1)", NOW)
    house.sql("INSERT INTO site (tenant, id, name, time_zone) VALUES (2, 'yard', 'Yard', 'UTC')")
    house.sql(
        "INSERT INTO station (tenant, identity, site_id, password_hash, admitted_at) VALUES (2, 'THEIRS', 'yard', 'x', $1)",
        NOW,
    )
    before = house.sql("SELECT * FROM station WHERE identity = 'THEIRS'")
    asked = house.client.post("/stations", json={"station_id": "THEIRS", "site_id": "torget"})
    assert (asked.status_code, "password" in asked.text) == (409, False)
    for method, path, body in (
        ("GET", "/stations/THEIRS", None),
        ("PATCH", "/stations/THEIRS", {"site_id": "torget"}),
        ("POST", "/stations/THEIRS/password", {}),
        ("POST", "/stations/THEIRS/commands/Reset", {"type": "Soft"}),
    ):
        assert house.client.request(method, path, json=body).status_code == 404, (method, path)
    assert house.sql("SELECT * FROM station WHERE identity = 'THEIRS'") == before
    assert "THEIRS" not in house.client.get("/stations").text


@pytest.mark.parametrize(
    ("late", "kind", "faulted"),
    [(timedelta(hours=1), "connector_faulted", 1), (timedelta(hours=1, seconds=1), "connector_fault_told_late", 0)],
)
def test_S78_a_fault_told_long_after_it_came_has_its_own_time_and_is_no_present_fault(
    house: RunningApi, late: timedelta, kind: str, faulted: int
) -> None:
    house.sql("UPDATE connector SET status = 'Faulted', status_at = $1, told_at = $2", NOW - late, NOW)
    overview = house.client.get("/overview").json()
    [problem] = overview["problems"]
    assert (problem["kind"], overview["stations"]["faulted"]) == (kind, faulted)
    assert datetime.fromisoformat(problem["since"]) == NOW - late
    house.sql("UPDATE connector SET status = 'Available', told_at = NULL")


def test_stations_are_listed_in_pages(house: RunningApi) -> None:
    for number in range(10, 15):
        house.client.post("/stations", json={"station_id": f"PAGE-{number}", "site_id": "torget", "name": "Paged"})
    seen, cursor = [], None
    for _ in range(5):
        page = house.client.get(
            "/stations", params={"q": "paged", "limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [station["station_id"] for station in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"PAGE-{number}" for number in range(10, 15)]


def test_a_station_leaves_the_lobby_with_a_new_password_or_its_own(house: RunningApi) -> None:
    house.client.put("/sites/torget", json={"name": "Torget", "time_zone": "Europe/Stockholm"})
    for identity in ("NEW-1", "NEW-2", "NEW-3"):
        _into_lobby(house, identity)
    assert [item["station_id"] for item in house.client.get("/lobby").json()["items"]] == ["NEW-1", "NEW-2", "NEW-3"]
    own = house.client.post("/lobby/NEW-1/admit", json={"site_id": "torget", "keep_password": True})
    assert (own.status_code, own.json()["password"]) == (201, None)
    [row] = house.sql("SELECT password_hash FROM station WHERE identity = 'NEW-1'")
    assert verify_password(row["password_hash"], "what it showed")
    fresh = house.client.post("/lobby/NEW-2/admit", json={"site_id": "torget"}).json()
    [row] = house.sql("SELECT password_hash FROM station WHERE identity = 'NEW-2'")
    assert verify_password(row["password_hash"], fresh["password"])
    assert house.client.delete("/lobby/NEW-3").status_code == 204
    assert house.client.get("/lobby").json() == {"items": [], "next": None}
    assert house.client.post("/lobby/NEW-3/admit", json={"site_id": "torget"}).status_code == 404


@pytest.mark.parametrize("seen", ["other_password = true", "other_address = '198.51.100.7'"])
def test_a_doubtful_password_is_not_kept(house: RunningApi, seen: str) -> None:
    house.client.put("/sites/torget", json={"name": "Torget", "time_zone": "Europe/Stockholm"})
    _into_lobby(house, "DOUBT-1")
    house.sql(f"UPDATE lobby SET {seen}")
    [item] = house.client.get("/lobby").json()["items"]
    assert item["other_password"] or item["other_address"] == "198.51.100.7"
    kept = house.client.post("/lobby/DOUBT-1/admit", json={"site_id": "torget", "keep_password": True})
    assert (kept.status_code, "DOUBT-1" in kept.json()["detail"]) == (409, True)
    # It still waits, for what is safe.
    assert house.client.delete("/lobby/DOUBT-1").status_code == 204


def test_a_station_that_showed_no_password_has_none_to_keep(house: RunningApi) -> None:
    _into_lobby(house, "MUTE-1")
    house.sql("UPDATE lobby SET password_hash = NULL")
    kept = house.client.post("/lobby/MUTE-1/admit", json={"site_id": "torget", "keep_password": True})
    assert (kept.status_code, "no password" in kept.json()["detail"]) == (409, True)
    assert house.client.delete("/lobby/MUTE-1").status_code == 204


def test_a_renewed_password_ends_the_old_one(house: RunningApi) -> None:
    house.client.post("/stations", json={"station_id": "LB-9", "site_id": "torget"})
    password = house.client.post("/stations/LB-9/password").json()["password"]
    [row] = house.sql("SELECT password_hash FROM station WHERE identity = 'LB-9'")
    assert verify_password(row["password_hash"], password)


def _into_lobby(house: RunningApi, identity: str) -> None:
    house.sql(
        "INSERT INTO lobby (identity, first_seen_at, last_seen_at, address, network, protocol, password_hash)"
        " VALUES ($1, $2, $2, '192.0.2.1', '192.0.2.1', '1.6', $3)",
        identity, NOW, hash_password("what it showed"),
    )  # fmt: skip

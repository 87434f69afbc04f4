"""Are tokens, contracts, payers, sites and sellers kept, with their dates?"""

from datetime import timedelta
from typing import Any

import pytest

from laddbok.store.reads import after_cursor
from tests.edge.api.conftest import NOW, RunningApi


def test_a_token_is_one_however_it_is_written(house: RunningApi) -> None:
    answer = house.client.put("/id-tokens/04:a2-ff", json={"status": "Accepted", "label": "Anna"})
    assert answer.json() == {
        "token": "04A2FF", "id_token": "04:a2-ff", "kind": "", "status": "Accepted", "valid_to": None, "label": "Anna",
        "single_session": False, "aliases": [], "contract_id": None,
    }  # fmt: skip
    house.client.put("/id-tokens/04A2FF", json={"status": "Blocked"})
    assert house.client.get("/id-tokens/04 a2 ff").json()["status"] == "Blocked"
    assert [item["token"] for item in house.client.get("/id-tokens", params={"q": "04:a2"}).json()["items"]] == [
        "04A2FF"
    ]


def test_S20_a_token_of_a_single_session_stays_one_until_it_is_told_otherwise(house: RunningApi) -> None:
    shown = []
    for change in ({"single_session": True}, {}, {"single_session": False}):
        shown.append(house.client.put("/id-tokens/51", json={"status": "Accepted", **change}).json()["single_session"])
    assert shown == [True, True, False]


def test_S73_aliases_of_a_token_are_set_kept_found_and_taken_away(house: RunningApi) -> None:
    accepted = {"status": "Accepted"}
    path = "/id-tokens/04B1C2D3"
    assert house.client.put(path, json={**accepted, "aliases": ["d3:c2:b1:04", "key 7"]}).json()["aliases"] == [
        "D3C2B104", "KEY7",
    ]  # fmt: skip
    assert house.client.put(path, json=accepted).json()["aliases"] == ["D3C2B104", "KEY7"]
    assert [item["token"] for item in house.client.get("/id-tokens?q=d3c2").json()["items"]] == ["04B1C2D3"]
    assert house.client.put(path, json={**accepted, "aliases": ["key 7"]}).json()["aliases"] == ["KEY7"]


def test_S73_a_form_belongs_to_one_token_only(house: RunningApi) -> None:
    accepted = {"status": "Accepted"}
    house.client.put("/id-tokens/71", json={**accepted, "aliases": ["ALIAS71"]}).raise_for_status()
    house.client.put("/id-tokens/72", json=accepted).raise_for_status()
    for path, body, field in (
        ("/id-tokens/72", {**accepted, "aliases": ["alias-71"]}, "aliases"),
        ("/id-tokens/71", {**accepted, "aliases": ["72"]}, "aliases"),
        ("/id-tokens/71", {**accepted, "aliases": ["71"]}, "aliases"),
        ("/id-tokens/71", {**accepted, "aliases": ["--"]}, "aliases"),
        ("/id-tokens/ALIAS71", accepted, "token"),
    ):
        answer = house.client.put(path, json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert [house.client.get(f"/id-tokens/{token}").json()["aliases"] for token in ("71", "72")] == [["ALIAS71"], []]


def test_a_tokens_contract_changes_from_now_on(house: RunningApi) -> None:
    for contract in ("c1", "c2"):
        assert house.client.post("/contracts", json={"id": contract, "name": contract}).status_code == 201
    token = {"status": "Accepted"}
    house.client.put("/id-tokens/AA", json={**token, "contract_id": "c1"})
    house.clock.at = NOW + timedelta(days=1)
    house.client.put("/id-tokens/AA", json={**token, "contract_id": "c2"})
    house.client.put("/id-tokens/AA", json=token)  # a contract that is left out stays
    links = house.sql(
        "SELECT contract_id, valid_from, valid_to FROM id_token_contract WHERE token = 'AA' ORDER BY valid_from"
    )
    assert [tuple(link) for link in links] == [("c1", NOW, house.clock.at), ("c2", house.clock.at, None)]
    assert [item["token"] for item in house.client.get("/id-tokens?contract_id=c2").json()["items"]] == ["AA"]
    house.clock.at += timedelta(seconds=1)
    house.client.put("/id-tokens/AA", json={**token, "contract_id": None})
    assert house.client.get("/id-tokens/AA").json()["contract_id"] is None


def test_what_does_not_exist_or_fit_is_refused_with_its_field(house: RunningApi) -> None:
    cases = [
        ("PUT", "/id-tokens/AB", {"status": "Accepted", "contract_id": "none"}, "contract_id"),
        ("PUT", "/id-tokens/AB", {"status": "Perhaps"}, "status"),
        ("PUT", "/id-tokens/AB", {"status": "Accepted", "valid_to": "2026-01-01T00:00:00"}, "valid_to"),
        ("PUT", "/id-tokens/AB", {"status": "Accepted", "colour": "red"}, "colour"),
        ("PUT", "/id-tokens/A%00", {"status": "Accepted"}, "token"),
        ("PUT", "/id-tokens/AB", {"status": "Accepted", "label": "a\0"}, "label"),
        ("PUT", "/id-tokens/A%2FB", {"status": "Accepted"}, "token"),
        ("PUT", "/id-tokens/A%2f", {"status": "Accepted"}, "token"),
        ("PUT", "/id-tokens/%2e%2e", {"status": "Accepted"}, "token"),
        ("PUT", "/id-tokens/--", {"status": "Accepted"}, "token"),
        ("PUT", "/id-tokens/AB", {"status": "Accepted", "valid_to": "9999-12-31T23:59:59-14:00"}, "valid_to"),
        ("PUT", "/contracts/x", {"name": "x", "valid_from": "0001-01-01T00:00:00+14:00"}, "valid_from"),
        ("PUT", "/contracts/x", {"name": "x", "payer_id": "\0"}, "payer_id"),
        ("PUT", "/contracts/x%2Fy", {"name": "x"}, "contract_id"),
        ("POST", "/contracts", {"id": "x/y", "name": "x"}, "id"),
        ("POST", "/contracts", {"id": "..", "name": "x"}, "id"),
        ("PUT", "/payers/%2e", {"name": "x"}, "payer_id"),
        ("PUT", "/contracts/x", {"name": "x", "payer_id": "none"}, "payer_id"),
        ("PUT", "/contracts/x", {"name": "x", "valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, "valid_to"),
        ("PUT", "/sites/x", {"name": "x"}, "time_zone"),
        ("PUT", "/sites/x", {"name": "x", "time_zone": "Mars/Phobos"}, "time_zone"),
        ("PUT", "/sites/x", {"name": "x", "time_zone": "localtime"}, "time_zone"),
        ("PUT", "/sites/x", {"name": "x", "time_zone": "UTC", "seller_id": "none"}, "legal_entity_id"),
        ("PUT", "/sites/x", {"name": 1, "time_zone": "UTC"}, "name"),
    ]  # fmt: skip
    for method, path, body, field in cases:
        answer = house.client.request(method, path, json=body)
        assert (answer.status_code, answer.json().get("field")) == (422, field), (path, body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_no_json_is_refused(house: RunningApi) -> None:
    deep = [b'{"name": ' + b"[" * depth + b"]" * depth + b"}" for depth in (1_000, 100_000)]
    for body in (b"", b"{", b"[1]", b"\xff", b'{"name": "\xff"}', b'{"name": "\\ud800"}', *deep):
        for method, path in (("PUT", "/payers/p"), ("POST", "/tariffs"), ("POST", "/stations/LB-1/commands/Reset")):
            answer = house.client.request(method, path, content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["field"]) == (422, "body"), (path, body[:20])
            assert body or answer.json()["detail"] == "is missing"


def test_the_ends_of_the_calendar_are_instants_too(house: RunningApi) -> None:
    for given, kept in (
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59Z"),
        ("2027-01-01T00:00:00+14:00", "2026-12-31T10:00:00Z"),
    ):
        answer = house.client.put("/id-tokens/END", json={"status": "Accepted", "valid_to": given})
        assert (answer.status_code, answer.json()["valid_to"]) == (200, kept)
    assert house.client.get("/sessions?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z").status_code == 200


def test_a_search_of_separators_alone_finds_nothing(house: RunningApi) -> None:
    house.client.put("/id-tokens/AC", json={"status": "Accepted"})
    house.client.put("/id-tokens/AD", json={"status": "Accepted", "label": "- spare"})
    assert [item["token"] for item in house.client.get("/id-tokens", params={"q": "-"}).json()["items"]] == ["AD"]
    assert house.client.get("/id-tokens", params={"q": ":: -"}).json()["items"] == []


def test_a_contract_has_its_payer_by_date(house: RunningApi) -> None:
    for payer in ("p1", "p2"):
        house.client.put(f"/payers/{payer}", json={"name": payer})
    assert house.client.put("/contracts/k", json={"name": "K", "payer_id": "p1"}).json()["payer_id"] == "p1"
    house.clock.at = NOW + timedelta(days=2)
    assert house.client.put("/contracts/k", json={"name": "K", "payer_id": "p2"}).json()["payer_id"] == "p2"
    assert [tuple(row) for row in house.sql("SELECT payer_id, valid_to FROM contract_payer ORDER BY valid_from")] == [
        ("p1", house.clock.at),
        ("p2", None),
    ]
    assert house.client.get("/contracts/k").json()["valid_from"] == "2026-03-01T12:00:00Z"
    assert house.client.post("/contracts", json={"id": "k", "name": "again"}).status_code == 409


def test_a_site_has_its_seller_by_date(house: RunningApi) -> None:
    house.client.put("/legal-entities/cd", json={"name": "Ny AB", "currency": "EUR"})
    house.clock.at = NOW + timedelta(days=3)
    site = {"name": "Torget", "time_zone": "Europe/Stockholm", "seller_id": "cd"}
    assert house.client.put("/sites/torget", json=site).json()["seller_id"] == "cd"
    sellers = house.sql("SELECT legal_entity_id, valid_to FROM site_seller ORDER BY valid_from")
    assert [tuple(seller) for seller in sellers] == [("ab", house.clock.at), ("cd", None)]


def test_lists_are_paged_by_id(house: RunningApi) -> None:
    for number in range(5):
        house.client.put(f"/payers/page-{number}", json={"name": "P"})
    first = house.client.get("/payers", params={"limit": 3}).json()
    rest = house.client.get("/payers", params={"limit": 500, "cursor": first["next"]}).json()
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert ids == sorted(ids)
    assert {f"page-{number}" for number in range(5)} <= set(ids)
    assert rest["next"] is None
    for query in ("limit=0", "limit=501", "limit=x"):
        assert house.client.get(f"/payers?{query}").json()["field"] == "limit"
    for cursor in ("x", "W10", "WzFd", "e30", "å", "W10=" * 200, after_cursor(("a\0",))):
        assert house.client.get("/payers", params={"cursor": cursor}).json()["field"] == "cursor"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/evses", ("a", 2**40), 200),
        ("/evses", ("a", 2**63), 422),
        ("/evses", ("a\0", 1), 422),
        ("/commands", (1, "no uuid"), 422),
        ("/cdrs", (1, "a", 2**40, "cdr"), 200),
        ("/sessions", (2**62, "a"), 422),
        ("/sessions", (-(2**62), "a"), 422),
    ],
)
def test_a_crafted_cursor_is_read_or_refused(house: RunningApi, path: str, key: Any, status: int) -> None:
    answer = house.client.get(path, params={"cursor": after_cursor(key)})
    assert (answer.status_code, answer.json().get("field")) == (status, "cursor" if status == 422 else None)

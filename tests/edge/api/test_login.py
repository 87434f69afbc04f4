"""Who gets in, and how far?"""

import hashlib

import httpx
import pytest

from laddbok.api.attempts import MAX_FAILURES_PER_PERSON
from tests.edge.api.conftest import NOW, RunningApi

NEW_PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def person(api: RunningApi) -> httpx.Client:
    """The administrator, logged in with the one-time password and past the change of it."""
    client = httpx.Client(base_url=f"{api.url}/api/v1", headers={"X-Laddbok": "1"}, timeout=20)
    answer = client.post("/login", json={"person": "admin", "password": api.password})
    assert answer.status_code == 200
    assert answer.json() == {
        "person": "admin", "name": "Administrator", "role": "administrator", "must_change_password": True,
        "deployment_administrator": True,
    }  # fmt: skip
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/sessions").status_code == 403
    assert client.get("/me").json()["must_change_password"] is True
    changed = client.post("/me/password", json={"old": api.password, "new": NEW_PASSWORD})
    assert changed.json()["must_change_password"] is False
    return client


def test_a_cookie_opens_the_door(person: httpx.Client) -> None:
    assert person.get("/sessions").status_code == 200


def test_only_a_digest_of_the_cookie_is_stored(api: RunningApi, person: httpx.Client) -> None:
    cookie = person.cookies["laddbok_login"]
    [row] = api.sql("SELECT digest FROM login WHERE person_id = 'admin'")
    assert row["digest"] == hashlib.sha256(cookie.encode()).digest()


def test_a_write_by_cookie_needs_the_mark_that_no_foreign_page_can_send(api: RunningApi, person: httpx.Client) -> None:
    body = {"name": "P"}
    assert person.put("/payers/p", json=body, headers={"X-Laddbok": "0"}).status_code == 403
    assert person.put("/payers/p", json=body).status_code == 200
    assert api.client.put("/payers/p", json=body).status_code == 200


def test_nobody_gets_in_without_a_key(api: RunningApi) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong-key-0123456789"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "x"},
    ):
        answer = httpx.get(f"{api.url}/api/v1/sessions", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{api.url}/api/v1/health").json() == {"status": "ok"}


def test_an_expired_login_is_none(api: RunningApi) -> None:
    digest = hashlib.sha256(b"old").digest()
    api.sql("INSERT INTO login VALUES (1, $1, 'admin', $2, $2)", digest, NOW)
    assert httpx.get(f"{api.url}/api/v1/me", cookies={"laddbok_login": "old"}).status_code == 401


def test_a_revoked_key_is_none(api: RunningApi) -> None:
    _add_key(api, "gone", "reader")
    assert _with_key(api, "gone").get("/me").status_code == 200
    api.sql("UPDATE api_key SET revoked_at = $1 WHERE id = 'gone'", NOW)
    assert _with_key(api, "gone").get("/me").status_code == 401


def test_readers_look_operators_act_administrators_set_up(api: RunningApi) -> None:
    for role in ("reader", "operator", "administrator"):
        _add_key(api, role, role)
    reader, operator, administrator = (_with_key(api, role) for role in ("reader", "operator", "administrator"))
    assert reader.get("/sessions").status_code == 200
    assert reader.put("/payers/p", json={"name": "P"}).status_code == 403
    assert operator.put("/payers/p", json={"name": "P"}).status_code == 200
    site = {"name": "S", "time_zone": "UTC"}
    assert operator.put("/sites/s", json=site).status_code == 403
    assert administrator.put("/sites/s", json=site).status_code == 200
    assert administrator.get("/lobby").status_code == 403  # an administrator of a tenant, not of the deployment
    assert api.client.get("/lobby").status_code == 200


def test_guessing_is_slowed_down(api: RunningApi) -> None:
    guess = {"person": "somebody", "password": "wrong"}
    for _ in range(MAX_FAILURES_PER_PERSON):
        assert httpx.post(f"{api.url}/api/v1/login", json=guess).status_code == 401
    answer = httpx.post(f"{api.url}/api/v1/login", json=guess)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("new", ["short", NEW_PASSWORD])
def test_a_bad_new_password_is_refused(person: httpx.Client, new: str) -> None:
    answer = person.post("/me/password", json={"old": NEW_PASSWORD, "new": new})
    assert answer.status_code == 422
    assert answer.json()["field"] == "new"


def test_logging_out_ends_the_cookie(api: RunningApi, person: httpx.Client) -> None:
    client = httpx.Client(base_url=f"{api.url}/api/v1", headers={"X-Laddbok": "1"}, timeout=20)
    client.post("/login", json={"person": "admin", "password": NEW_PASSWORD})
    cookie = client.cookies["laddbok_login"]
    assert client.post("/logout").status_code == 204
    assert httpx.get(f"{api.url}/api/v1/me", cookies={"laddbok_login": cookie}).status_code == 401


def _add_key(api: RunningApi, name: str, role: str) -> None:
    digest = hashlib.sha256(f"key-of-{name}".encode()).digest()
    api.sql(
        "INSERT INTO api_key (tenant, id, digest, role, created_at) VALUES (1, $1, $2, $3, $4)", name, digest, role, NOW
    )


def _with_key(api: RunningApi, name: str) -> httpx.Client:
    return httpx.Client(base_url=f"{api.url}/api/v1", headers={"Authorization": f"Bearer key-of-{name}"}, timeout=20)

"""Who gets in, and how far?"""

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import httpx
import pytest

from laddbok.api.attempts import MAX_FAILURES_PER_PERSON, Attempts
from laddbok.store import people
from laddbok.store.people import MAX_HASHES_AT_ONCE, MAX_HASHES_QUEUED, TooManyHashes, change_password, log_in
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


def test_guesses_sent_at_once_are_counted_too(api: RunningApi) -> None:
    guess = {"person": "many at once", "password": "wrong"}

    def send(_: int) -> int:
        return httpx.post(f"{api.url}/api/v1/login", json=guess, timeout=20).status_code

    with ThreadPoolExecutor(12) as threads:
        answers = Counter(threads.map(send, range(12)))
    assert answers == {401: MAX_FAILURES_PER_PERSON, 429: 12 - MAX_FAILURES_PER_PERSON}


def test_a_right_password_gives_its_attempt_back() -> None:
    attempts = Attempts()
    for _ in range(100):
        assert attempts.book("anna", "192.0.2.1", 0.0) == 0
        attempts.succeeded("anna", "192.0.2.1")
    for _ in range(MAX_FAILURES_PER_PERSON):
        assert attempts.book("anna", "192.0.2.1", 0.0) == 0
    attempts.give_back("anna", "192.0.2.1")
    assert attempts.book("anna", "192.0.2.1", 1.0) == 0
    assert attempts.book("anna", "192.0.2.1", 299.9) > 0
    assert attempts.book("anna", "192.0.2.1", 300.0) == 0


@contextmanager
def _no_hash_ends() -> Iterator[None]:
    """The threads that hash are all busy until the end of the block."""
    go_on, busy = threading.Event(), threading.Barrier(MAX_HASHES_AT_ONCE + 1)

    def wait() -> None:
        busy.wait(10)
        go_on.wait(20)

    for _ in range(MAX_HASHES_AT_ONCE):
        people._hashing.submit(wait)
    busy.wait(10)
    try:
        yield
    finally:
        go_on.set()


def test_who_waits_for_a_hash_holds_no_connection_and_few_wait(api: RunningApi) -> None:
    async def flood() -> None:
        async with asyncpg.create_pool(**api.dsn, min_size=1, max_size=1) as pool:
            with _no_hash_ends():
                waiting = [asyncio.create_task(log_in(pool, "x", "wrong", NOW)) for _ in range(MAX_HASHES_QUEUED)]
                for _ in range(MAX_HASHES_QUEUED):
                    assert await pool.fetchval("SELECT 1", timeout=5) == 1
                with pytest.raises(TooManyHashes):
                    await log_in(pool, "x", "wrong", NOW)
                for task in waiting[1:]:
                    task.cancel()
                await asyncio.sleep(0)
            assert await waiting[0] is None
            assert await log_in(pool, "x", "wrong", NOW) is None

    asyncio.run(flood())


def test_a_login_checked_against_a_password_that_was_changed_meanwhile_is_none(api: RunningApi) -> None:
    api.sql(
        "INSERT INTO person (tenant, id, name, role, password_hash) VALUES (1, 'bert', 'Bert', 'reader', $1)",
        people._hasher.hash("the old password"),
    )

    async def race() -> None:
        async with asyncpg.create_pool(**api.dsn, min_size=1, max_size=3) as pool:
            with _no_hash_ends():
                entering = asyncio.create_task(log_in(pool, "bert", "the old password", NOW))
                changing = asyncio.create_task(change_password(pool, "bert", "the old password", "another one", ""))
                while people._hashing._work_queue.qsize() < 2:  # both have read the old hash
                    await asyncio.sleep(0.01)
                await pool.execute("UPDATE person SET password_hash = 'third' WHERE id = 'bert'")
            assert await entering is None
            assert await changing is False

    asyncio.run(race())
    assert api.sql("SELECT FROM login WHERE person_id = 'bert'") == []


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

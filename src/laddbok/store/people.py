"""Who is asking, and how do we know?

A person shows a password once and then a cookie; a program shows a key. Of cookie and key only a SHA-256 digest is
stored, because both are long and random; of a password an argon2id hash, which costs a tenth of a second and is
therefore made in a thread, few at once, few waiting, and never with a database connection in hand. All of this runs as
the tables' owner, before the asker's tenant is known.
"""

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import TypeVar

import argon2
import asyncpg

from laddbok.model.errors import ConfigurationError, Invalid, LaddbokError
from laddbok.store.reads import POOL_TIMEOUT_S
from laddbok.store.sql import query

log = logging.getLogger(__name__)

ADMINISTRATOR = "admin"
LOGIN_LASTS = timedelta(hours=12)
COOKIE_BYTES = 32
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
MAX_HASHES_AT_ONCE = 2
"""An argon2 hash takes 64 MB and a core; more at once would starve the stations."""
MAX_HASHES_QUEUED = 20
"""Hashes made and waited for, about two seconds of them."""
SAFE_KEY_CHARS = 16

_ResultT = TypeVar("_ResultT")
_places = BoundedSemaphore(MAX_HASHES_QUEUED)
_hasher = argon2.PasswordHasher()
_hashing = ThreadPoolExecutor(MAX_HASHES_AT_ONCE, thread_name_prefix="argon2")
_KEY = re.compile(r"[\x21-\x7e]+")
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Checked when the person is unknown, so that the answer takes as long as for a wrong password."""


class TooManyHashes(LaddbokError):
    """Too many passwords are being checked to check one more."""


@dataclass(frozen=True)
class Asker:
    """Whoever sends a request: a person with a cookie, or a program with a key."""

    tenant: int
    name: str
    """The person's log-in name, or `key ID`."""
    full_name: str
    role: str
    deployment_administrator: bool
    must_change_password: bool = False
    by_cookie: bool = False


def digest(secret: str) -> bytes:
    """What is stored of a cookie or a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def asker_by_key(connection: asyncpg.Connection, key: str) -> Asker | None:
    """Whose key this is; None when it is nobody's or was revoked."""
    row = await connection.fetchrow(query("asker_by_key"), digest(key))
    if row is None:
        return None
    name = f"key {row['id']}"
    return Asker(row["tenant"], name, name, row["role"], row["deployment_administrator"])


async def asker_by_cookie(connection: asyncpg.Connection, cookie: str, now: datetime) -> Asker | None:
    """Who is logged in with this cookie; None when nobody is (any more).

    Args: now: of the wall clock: log-ins don't end sooner in demo time.
    """
    row = await connection.fetchrow(query("asker_by_cookie"), digest(cookie), now)
    if row is None:
        return None
    return _person(row)


async def log_in(pool: asyncpg.Pool, person: str, password: str, now: datetime) -> tuple[Asker, str] | None:
    """Check a password and open a log-in.

    Returns: who it is and their new cookie; None when person or password is wrong.
    Raises: TooManyHashes.
    """
    row = await _person_row(pool, person)
    if not await _is_password(row["password_hash"] if row else _NOBODY, password) or row is None:
        return None
    cookie = secrets.token_urlsafe(COOKIE_BYTES)
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        opened = await owner.fetchval(
            query("login_add"), row["tenant"], digest(cookie), row["id"], now, now + LOGIN_LASTS, row["password_hash"]
        )
    return (_person(row), cookie) if opened else None


async def log_out(connection: asyncpg.Connection, cookie: str) -> None:
    """End the log-in of this cookie."""
    await connection.execute(query("login_end"), digest(cookie))


async def change_password(pool: asyncpg.Pool, person: str, old: str, new: str, cookie: str) -> bool:
    """Set a new password, and end every other log-in of the person.

    Returns: False when the old password is wrong.
    Raises: Invalid when the new one is too short, too long, or the old one again; TooManyHashes.
    """
    if not MIN_PASSWORD_CHARS <= len(new) <= MAX_PASSWORD_CHARS or new == old:
        raise Invalid("new", f"must be {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters and not the old one")
    row = await _person_row(pool, person)
    if row is None or not await _is_password(row["password_hash"], old):
        return False
    stored = await _hash(new)
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as owner, owner.transaction():
        if await owner.fetchval(query("person_password"), person, stored, row["password_hash"]) is None:
            return False
        # A statement of its own: it sees the log-ins that were opened while the one before it waited for them.
        await owner.execute(query("login_end_others"), person, digest(cookie))
    return True


async def ensure_admin(connection: asyncpg.Connection, now: datetime) -> str | None:
    """See to it that somebody can log in: with no person yet, make a tenant if needed and its administrator.

    Returns: the one-time password to print; None when there are people already.
    """
    if await connection.fetchval(query("has_people")):
        return None
    tenant = await _first_tenant(connection, now)
    password = secrets.token_urlsafe(12)
    added = await connection.fetchval(query("administrator_add"), tenant, ADMINISTRATOR, await _hash(password))
    return password if added else None


async def ensure_admin_key(connection: asyncpg.Connection, key: str, now: datetime) -> None:
    """See to it that this API key of the first tenant's administrator works (setting LADDBOK_ADMIN_KEY).

    Raises: ConfigurationError when it can't stand in a header. One that is short enough to be guessed works, with a
    warning: a lab may want it, and nothing may be served on a network with it.
    """
    if not _KEY.fullmatch(key):
        raise ConfigurationError("LADDBOK_ADMIN_KEY must be visible ASCII characters, no spaces")
    if len(key) < SAFE_KEY_CHARS:
        log.warning("LADDBOK_ADMIN_KEY is shorter than %d characters: anybody may guess it", SAFE_KEY_CHARS)
    tenant = await _first_tenant(connection, now)
    await connection.execute(query("administrator_key"), tenant, digest(key), now)


async def _first_tenant(connection: asyncpg.Connection, now: datetime) -> int:
    tenant = await connection.fetchval(query("first_tenant"))
    return int(tenant or await connection.fetchval(query("tenant_add"), "Laddbok", now))


def _person(row: asyncpg.Record) -> Asker:
    return Asker(
        tenant=row["tenant"], name=row["id"], full_name=row["name"], role=row["role"],
        deployment_administrator=row["deployment_administrator"],
        must_change_password=row["must_change_password"], by_cookie=True,
    )  # fmt: skip


async def _person_row(pool: asyncpg.Pool, person: str) -> asyncpg.Record | None:
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        return await owner.fetchrow(query("person_by_id"), person)


async def _queued(work: Callable[[], _ResultT]) -> _ResultT:
    """The result of some hashing. Raises: TooManyHashes when as much waits as may."""
    if not _places.acquire(blocking=False):
        raise TooManyHashes("too many log-ins at once")
    future = _hashing.submit(work)
    future.add_done_callback(lambda _: _places.release())
    return await asyncio.wrap_future(future)


async def _hash(password: str) -> str:
    return await _queued(lambda: _hasher.hash(password))


async def _is_password(stored: str, password: str) -> bool:
    if len(password) > MAX_PASSWORD_CHARS:
        return False
    try:
        return await _queued(lambda: _hasher.verify(stored, password))
    except argon2.exceptions.VerificationError:
        return False

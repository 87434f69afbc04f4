"""Who may come in?

A station that we run shows its password once, in the handshake. One that nobody knows waits in the lobby, belonging to
no tenant, until a person admits it; a lab may admit everybody. What it presented first is kept, and whoever comes under
its identity with something else leaves a mark and changes nothing. The lobby is open to the world, so each address may
knock only so often and fill only so much of it. When the database is gone nobody can be checked, so the
answer is "later", and after it came back the waiting are let in at the pace of the grouped queries.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from laddbok.gateway.address_limit import AddressLimit, network_of
from laddbok.gateway.connection import Accept, Admission, Lobby, Refuse
from laddbok.gateway.credentials import Credentials, hash_password, verify_password
from laddbok.gateway.grouped import Grouped, TooMany
from laddbok.store.database import borrowed
from laddbok.store.sql import query

MAX_LOBBY = 1_000
"""Stations that may wait in the lobby; beyond it unknown ones are refused, so that nobody can fill the database."""
MAX_LOBBY_OF_ADDRESS = 100
"""So many of them may come from one address, so that nobody can close the lobby to the others."""
KNOCKS_AT_ONCE = 20
KNOCK_REFILL_S = 6.0
"""Knocks of one address at the lobby: so many at once, then one each so many seconds."""
RETRY_AFTER_S = 10
LIMIT_S = 5.0
"""How long a handshake waits for the database."""

_DOWN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, TooMany)


class Known(msgspec.Struct, frozen=True):
    """A station that we run, as far as its handshake is concerned."""

    station_no: int
    tenant: int
    password_hash: bytes | None


class Doorkeeper:
    """Decides about handshakes."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime], admit_unknown: bool) -> None:
        self._pool = pool
        self._now = now
        self._admit_unknown = admit_unknown
        self._known = Grouped(self._look_up)
        self._knocks = AddressLimit(burst=KNOCKS_AT_ONCE, refill_s=KNOCK_REFILL_S)

    async def admit(self, identity: str, credentials: Credentials | None, address: str) -> Admission:
        """Whether this station may connect, and as whom.

        Source: OCPP-J 1.6 6.2; OCPP 2.0.1 A00 (security profile 1); case S74 (lobby).
        """
        try:
            known = await self._known.ask(identity)
            if known is None and self._admit_unknown:
                await self._admit(identity, credentials)
                known = await self._known.ask(identity)
            if known is None:
                return await self._to_lobby(identity, credentials, address)
        except _DOWN:
            return Refuse(503, "the database is not available", RETRY_AFTER_S)
        accept = Accept(tenant=known.tenant, station_no=known.station_no, password_hash=known.password_hash)
        if known.password_hash is None:
            return accept
        if credentials is None or credentials.username != identity:
            return Refuse(401, "this station must log in with its identity and password")
        if not verify_password(known.password_hash, credentials.password):
            return Refuse(401, "wrong password")
        return accept

    async def _look_up(self, identities: Sequence[str]) -> Mapping[str, Known]:
        async with borrowed(self._pool, LIMIT_S) as connection:
            found = await connection.fetch(query("stations_by_identity"), list(identities))
        return {row["identity"]: Known(row["station_no"], row["tenant"], row["password_hash"]) for row in found}

    async def _admit(self, identity: str, credentials: Credentials | None) -> None:
        async with borrowed(self._pool, LIMIT_S) as connection:
            await connection.execute(query("admit_unknown"), identity, _hash_of(credentials), self._now())

    async def _to_lobby(self, identity: str, credentials: Credentials | None, address: str) -> Admission:
        now_s = asyncio.get_running_loop().time()
        wait_s = self._knocks.wait_s(address, now_s)
        if wait_s > 0:
            return Refuse(429, "too many unknown stations knock from this address", int(wait_s) + 1)
        self._knocks.take(address, now_s)
        knock = (identity, self._now(), address, network_of(address), _hash_of(credentials))
        async with borrowed(self._pool, LIMIT_S) as connection:
            seen = await connection.fetchrow(query("lobby_seen"), *knock, MAX_LOBBY, MAX_LOBBY_OF_ADDRESS)
            if seen is None:
                return Refuse(503, "the lobby has no room for another station from here", RETRY_AFTER_S * 6)
            if not _is_first(seen["password_hash"], credentials):
                await connection.execute(query("lobby_other_password"), identity)
        return Lobby()


def _hash_of(credentials: Credentials | None) -> bytes | None:
    return hash_password(credentials.password) if credentials else None


def _is_first(stored: bytes | None, credentials: Credentials | None) -> bool:
    """Whether this is what the first knock presented; none is an answer too."""
    if stored is None or credentials is None:
        return stored is None and credentials is None
    return verify_password(stored, credentials.password)

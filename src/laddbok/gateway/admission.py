"""Who may come in?

A station that we run shows its password once, in the handshake. One that nobody knows waits in the lobby, belonging to
no tenant, until a person admits it; a lab may admit everybody. When the database is gone nobody can be checked, so the
answer is "later", and after it came back the waiting are let in at the pace of the grouped queries.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from laddbok.gateway.connection import Accept, Admission, Lobby, Refuse
from laddbok.gateway.credentials import Credentials, hash_password, verify_password
from laddbok.gateway.grouped import Grouped, TooMany
from laddbok.store.sql import query

MAX_LOBBY = 1_000
"""Stations that may wait in the lobby; beyond it unknown ones are refused, so that nobody can fill the database."""
RETRY_AFTER_S = 10

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
        if known.password_hash is None:
            return Accept(tenant=known.tenant, station_no=known.station_no)
        if credentials is None or credentials.username != identity:
            return Refuse(401, "this station must log in with its identity and password")
        if not verify_password(known.password_hash, credentials.password):
            return Refuse(401, "wrong password")
        return Accept(tenant=known.tenant, station_no=known.station_no)

    async def _look_up(self, identities: Sequence[str]) -> Mapping[str, Known]:
        async with self._pool.acquire(timeout=5) as connection:
            found = await connection.fetch(query("stations_by_identity"), list(identities))
        return {row["identity"]: Known(row["station_no"], row["tenant"], row["password_hash"]) for row in found}

    async def _admit(self, identity: str, credentials: Credentials | None) -> None:
        password = hash_password(credentials.password) if credentials else None
        async with self._pool.acquire(timeout=5) as connection:
            await connection.execute(query("admit_unknown"), identity, password, self._now())

    async def _to_lobby(self, identity: str, credentials: Credentials | None, address: str) -> Admission:
        password = hash_password(credentials.password) if credentials else None
        async with self._pool.acquire(timeout=5) as connection:
            if await connection.fetchval(query("lobby_size")) >= MAX_LOBBY:
                return Refuse(503, "the lobby is full", RETRY_AFTER_S * 6)
            await connection.execute(query("lobby_seen"), identity, self._now(), address, "", password)
        return Lobby()

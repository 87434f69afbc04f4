"""What was proven of an issued CDR, and who signs?

The proof of a CDR was stored with it and never changes. The tenant's signing key is made when it is first needed; only
the tables' owner reads its private part, so no request of a person or program can.
"""

from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.proof import Proof
from laddbok.model.rated import Rating
from laddbok.model.session import FramePosition
from laddbok.store.sql import query


class IssuedCdr(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR as it was issued. `proof` is None when it was issued before there were proofs."""

    revision: int
    cdr: Cdr
    rating: Rating
    proof: Proof | None
    key_id: str | None
    signature: bytes | None


class StoredKey(msgspec.Struct, frozen=True):
    """A tenant's signing key; both parts raw."""

    id: str
    public: bytes
    private: bytes


async def issued_cdr(
    connection: asyncpg.Connection, tenant: int, session_id: str, revision: int | None = None
) -> IssuedCdr | None:
    """One revision of a session's CDR, the newest when none is named; None when there is none."""
    row = await connection.fetchrow(query("proof_of_revision"), tenant, session_id, revision)
    if row is None:
        return None
    return IssuedCdr(
        revision=row["revision"],
        cdr=msgspec.json.decode(row["document"], type=Cdr),
        rating=msgspec.json.decode(row["rating"], type=Rating),
        proof=_proof(row),
        key_id=row["key_id"],
        signature=row["signature"],
    )


async def tenant_of(connection: asyncpg.Connection, session_id: str) -> int | None:
    """Whose session this is; None: nobody's."""
    tenant: int | None = await connection.fetchval(query("tenant_of_session"), session_id)
    return tenant


async def signing_key(
    connection: asyncpg.Connection, tenant: int, now: datetime, make: Callable[[], StoredKey]
) -> StoredKey:
    """The key that a tenant signs with, made now if there is none yet."""
    row = await connection.fetchrow(query("signing_key"), tenant)
    if row is None:
        made = make()
        await connection.execute(query("keep_signing_key"), tenant, made.id, made.public, made.private, now)
        row = await connection.fetchrow(query("signing_key"), tenant)
    return StoredKey(row["id"], row["public_key"], row["private_key"])


async def key_of(connection: asyncpg.Connection, tenant: int, key_id: str) -> StoredKey:
    """A key by its name, in use or retired."""
    row = await connection.fetchrow(query("signing_key_by_id"), tenant, key_id)
    return StoredKey(row["id"], row["public_key"], row["private_key"])


async def keep_signature(
    connection: asyncpg.Connection, tenant: int, session_id: str, revision: int, key_id: str, signature: bytes
) -> None:
    """The signature under a root, unless it has one already."""
    await connection.execute(query("keep_signature"), tenant, session_id, revision, key_id, signature)


def _proof(row: asyncpg.Record) -> Proof | None:
    if row["root"] is None:
        return None
    return Proof(
        root=row["root"],
        rules=row["rules"],
        frames=tuple(FramePosition(epoch, seq) for epoch, seq in msgspec.json.decode(row["frames"])),
        decisions=row["decision_count"],
    )

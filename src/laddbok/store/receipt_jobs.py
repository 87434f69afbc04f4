"""As whom does a driver without a contract pay, and who is told that something of theirs changed?"""

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from laddbok.model.payment import Allocation
from laddbok.store.rows import as_json
from laddbok.store.sql import query

RECEIPT = "receipt"
"""The kind of the job that issues a receipt, and does what follows from its correction; its key is tenant and session id."""
_DRIVER = "session/"


def driver_of(session_id: str | None) -> str | None:
    """As whom somebody pays who has no contract: as the driver of that session, also on its receipt."""
    return f"{_DRIVER}{session_id}" if session_id else None


def session_of(payer_id: str | None) -> str | None:
    """The session as whose driver somebody pays; None: it is a customer.

    >>> session_of("session/AWQD"), session_of("p-1")
    ('AWQD', None)
    """
    return payer_id.removeprefix(_DRIVER) if payer_id is not None and payer_id.startswith(_DRIVER) else None


async def receipt_is_due(connection: asyncpg.Connection, tenant: int, session_id: str, now: datetime) -> None:
    """Queue the work on a session's receipt, in the caller's transaction; queued twice it is done once."""
    job = {"tenant": tenant, "kind": RECEIPT, "key": f"{tenant}/{session_id}", "due_at": now}
    await connection.execute(query("add_jobs"), as_json([job]))


async def receipts_are_due(
    connection: asyncpg.Connection, tenant: int, parts: Iterable[Allocation], now: datetime
) -> None:
    """Queue the work on the receipts of the drivers to whom parts of a payment came, in the caller's transaction."""
    for session_id in sorted({each for part in parts if (each := session_of(part.payer_id))}):
        await receipt_is_due(connection, tenant, session_id, now)

"""Where do imported sessions end up?

Beside our own sessions, so that every list and forecast sees them, but with origin `import`: settled, without evidence
and without CDR, never rated and never invoiced.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from laddbok.model.ids import imported_session_id
from laddbok.sessions.authorize import normalise_token
from laddbok.store.sql import query
from laddbok.wires.importers.row import ImportedSession


class ImportStore:
    """Stores imported sessions for tenants."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def import_sessions(self, tenant: str, rows: Sequence[ImportedSession]) -> set[str]:
        """Store those that are new to the tenant, in one transaction. Returns: their identities."""
        values = msgspec.json.encode([_row(int(tenant), each) for each in rows]).decode()
        stored = await self._connection.fetch(query("import_sessions"), int(tenant), values)
        return {row["import_identity"] for row in stored}


def _row(tenant: int, session: ImportedSession) -> dict[str, Any]:
    return {
        "id": imported_session_id(f"{tenant}/{session.identity}"),
        "station": session.station,
        "connector_id": session.connector,
        "id_token": session.id_token,
        "token": normalise_token(session.id_token) if session.id_token else None,
        "started_at": session.start_at,
        "ended_at": session.end_at,
        "energy_wh": session.energy_wh,
        "identity": session.identity,
        "body": {
            "charging_ended_at": session.charging_ended_at,
            "transaction_ended_at": session.end_at,
            "source": session.source,
            "source_id": session.source_id,
            "site": session.site,
            "time_zone": session.time_zone,
            "flags": session.flags,
            "row_number": session.row_number,
        },
    }

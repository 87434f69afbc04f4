"""What does the session of a card hold come to, and who stops it?

Its final price is that of its CDR; while it runs its cost is rated from the stored evidence. A stop is a command like any
other: a row, sent by the gateway that has the station.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import asyncpg

from laddbok.flow.card_payments import Cost
from laddbok.flow.hold_cost import running_cost
from laddbok.flow.store import Store
from laddbok.model.errors import Conflict, LaddbokError
from laddbok.model.session import RUNNING_STATES
from laddbok.ocpp import validate_command
from laddbok.ocpp.frame import OcppVersion
from laddbok.store.database import borrowed
from laddbok.store.reads import on_behalf
from laddbok.store.sql import query

BY_HOLD = "card hold"


class HeldSessions:
    """Looks at sessions of holds, and stops them."""

    def __init__(self, store: Store, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._store = store
        self._pool = pool
        self._now = now

    async def cost_of(self, tenant: int, session_id: str) -> Cost | None:
        """What a session comes to; None: it is not known yet, or a person must look at it first."""
        async with borrowed(self._pool) as connection:
            row = await connection.fetchrow(query("hold_session"), tenant, session_id)
            power_w = await connection.fetchval(query("hold_power"), tenant, session_id)
        if row is None:
            return None
        if row["state"] == "void":
            return Cost(amount=Decimal(0), is_final=True)
        if row["state"] == "settled":
            return None if row["cost"] is None else Cost(amount=row["cost"], is_final=True)
        if row["state"] not in RUNNING_STATES:
            return None
        evidence = await self._store.session_evidence(tenant, session_id)
        tariff = evidence.tariff_of(evidence.session)
        try:
            return None if tariff is None else running_cost(evidence.session, tariff, self._now(), power_w)
        except LaddbokError:
            return None

    async def stop(self, tenant: int, session_id: str) -> None:
        """Queue the command that stops a session. Raises: Conflict when its station can't be told."""
        async with on_behalf(self._pool, tenant, write=True) as connection:
            wire = await connection.fetchrow(query("session_wire"), session_id)
            if wire is None or wire["state"] not in RUNNING_STATES or wire["transaction_id"] is None:
                raise Conflict(f"session {session_id} does not run")
            station = await connection.fetchrow(query("station_for_command"), wire["station_id"])
            if station is None or not station["connected"] or station["owner"] is None:
                raise Conflict(f"station {wire['station_id']} is not connected")
            action, payload = _order(wire)
            command = uuid4()
            await connection.execute(
                query("command_add"), command, station["station_no"], action, payload.decode(), BY_HOLD, self._now(), session_id
            )  # fmt: skip
            await connection.execute(query("command_announce"), f"{station['owner']}:{command}")


def _order(wire: asyncpg.Record) -> tuple[str, bytes]:
    """The call that stops a session, in the protocol that its station speaks."""
    began, speaks = (str(wire[name]).removeprefix("ocpp") for name in ("session_protocol", "protocol"))
    if (began == "1.6") != (speaks == "1.6"):
        raise Conflict(f"session {wire['id']} began over OCPP {began} and its station speaks OCPP {speaks} now")
    number = wire["transaction_id"]
    if speaks == "1.6":
        action = "RemoteStopTransaction"
        return action, validate_command(action, {"transactionId": int(number)}, OcppVersion.V16)
    action = "RequestStopTransaction"
    return action, validate_command(action, {"transactionId": number}, OcppVersion.V201)

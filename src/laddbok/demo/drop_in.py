"""Who charges in the demo without a contract?

Some of the drivers: their tokens are known and lead to no payer. As a terminal at the station would, the demo sets an amount
aside on their card when their session begins; the worker takes what it came to and issues the receipt.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

import asyncpg

from laddbok.model.clock import Clock
from laddbok.store.database import Database
from laddbok.store.payment_requests import add_hold
from laddbok.store.sql import query
from laddbok.wires.demo_payments import NAME

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often it is looked for sessions that began, by the wall clock."""
HELD, HIGHEST = Decimal("500.00"), Decimal("1500.00")
AT_ONCE = 50


@asynccontextmanager
async def cards_at_hand(database: Database, clock: Clock) -> AsyncIterator[None]:
    """For as long as this lasts whoever has no contract pays by card."""
    holding = asyncio.create_task(_keep_holding(database, clock))
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def hold_for_new(connection: asyncpg.Connection, now: datetime) -> int:
    """Set an amount aside for each session that began without a contract. Returns: for how many."""
    async with connection.transaction():
        rows = await connection.fetch(query("demo_drop_ins"), AT_ONCE)
        for row in rows:
            where = (row["tenant"], row["seller_id"], row["id"])
            await add_hold(connection, *where, NAME, HELD, HIGHEST, row["currency"], now)
    return len(rows)


async def _keep_holding(database: Database, clock: Clock) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            connection = await database.connect()
            try:
                await hold_for_new(connection, clock.now())
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("demo cards: %s", str(error) or type(error).__name__)

"""What does the database have for a comparison of price plans? CDRs, plans on offer, and market prices."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.spot_prices import SpotPrices
from laddbok.settings import Settings
from laddbok.store.database import open_database
from laddbok.store.reads import on_behalf
from laddbok.store.spot_prices import read_prices
from laddbok.store.sql import query
from laddbok.wires.session_cdrs import Metered

MAX_SESSIONS = 200_000

_cdr = msgspec.json.Decoder(Cdr)


class Offer(NamedTuple):
    """A tariff that a contract is offered, or has."""

    tariff_id: str
    name_sv: str | None
    name_en: str | None
    is_present: bool
    document: str


class Stored:
    """What is stored of one tenant, read in its name."""

    def __init__(self, connection: asyncpg.Connection, tenant: int) -> None:
        self._connection = connection
        self._tenant = tenant

    async def sessions(
        self, contract: str | None, start_at: datetime | None, end_at: datetime | None
    ) -> tuple[Metered, ...]:
        """The newest CDRs that stand, of a contract or of all, of sessions that ended within these instants.

        Raises: Invalid when they are too many.
        """
        rows = await self._connection.fetch(query("cdrs_that_stand"), contract, start_at, end_at, MAX_SESSIONS + 1)
        if len(rows) > MAX_SESSIONS:
            raise Invalid("from", f"more than {MAX_SESSIONS} sessions ended then: choose a shorter time")
        return tuple(
            Metered(name=row["session_id"], cdr=_cdr.decode(row["document"]), driver=row["id_token"]) for row in rows
        )

    async def offers(self, contract: str, now: datetime) -> tuple[Offer, ...]:
        """The plans that a contract is offered or has, that have a price at present."""
        rows = await self._connection.fetch(query("plans_offered_to"), self._tenant, contract, now)
        return tuple(Offer(**row) for row in rows if row["document"] is not None)

    async def prices(self, zone: str, currency: str, start_at: datetime, end_at: datetime) -> SpotPrices:
        """The market prices of a span of time."""
        return await read_prices(self._connection, self._tenant, zone, currency, start_at, end_at)


@asynccontextmanager
async def open_stored(settings: Settings, contracts: Sequence[str]) -> AsyncIterator[Stored]:
    """The database, in the name of the tenant that has these contracts; of the oldest tenant without any.

    Raises: NotFound when no tenant has them all.
    """
    async with open_database(settings.database_url, settings.state_folder, create=False) as database:
        pool = await database.pool(1)
        try:
            tenant = await _tenant_with(pool, contracts)
            async with on_behalf(pool, tenant) as connection:
                yield Stored(connection, tenant)
        finally:
            await pool.close()


async def _tenant_with(pool: asyncpg.Pool, contracts: Sequence[str]) -> int:
    async with pool.acquire() as connection:
        tenants = [row["tenant"] for row in await connection.fetch(query("all_tenants"))]
    for tenant in tenants:
        async with on_behalf(pool, tenant) as connection:
            if all([await connection.fetchval(query("scope_exists"), "contract", each) for each in contracts]):
                return int(tenant)
    raise NotFound("contract", " and ".join(contracts))

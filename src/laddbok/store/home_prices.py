"""What does a tariff say that pays back charging at home?

Its versions, compiled for the clock of the home, and the market's prices over the sessions' time if it needs them.
"""

from collections.abc import Sequence

import asyncpg

from laddbok.flow.home_statements import TariffVersion
from laddbok.flow.statements import StatedSession
from laddbok.model.errors import Invalid
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import TaxIncluded, parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.store.spot_prices import read_prices
from laddbok.store.sql import query


async def refund_versions(
    connection: asyncpg.Connection, tenant: int, tariff_id: str, time_zone: str, sessions: Sequence[StatedSession] = ()
) -> list[TariffVersion]:
    """Every version of the tariff, the oldest first. Args: sessions, over whose time market prices are read.

    Raises: Invalid when there is no such tariff, or VAT applies to it.
    """
    rows = await connection.fetch(query("statement_tariff"), tenant, tariff_id)
    if not rows:
        raise Invalid("tariff_id", f"there is no tariff {tariff_id!r}")
    found = []
    for row in rows:
        compiled = compile_tariff(parse_tariff(row["document"].encode()), time_zone)
        if compiled.tax is not TaxIncluded.NOT_APPLICABLE:
            raise Invalid("tariff_id", f"a refund has no VAT: {tariff_id} must say tax_included N/A")
        spot = await _spot(connection, tenant, compiled, sessions)
        found.append(
            TariffVersion(valid_from=row["valid_from"], valid_to=row["valid_to"], compiled=compiled, spot=spot)
        )
    return found


async def _spot(
    connection: asyncpg.Connection, tenant: int, compiled: CompiledTariff, sessions: Sequence[StatedSession]
) -> SpotPrices | None:
    starts = [each.cdr.started_at for each in sessions if each.cdr is not None]
    if compiled.spot is None or not starts:
        return None
    ended_at = max(each.ended_at for each in sessions)
    return await read_prices(connection, tenant, compiled.spot.zone, compiled.currency, min(starts), ended_at)

"""What does a session cost so far?

The same pure function that rates the finished session is asked whenever somebody looks, though for one session at most
twice a second. Tariff versions never change, so their documents are kept, a bounded number of them.
"""

import asyncio
import time
from collections import OrderedDict
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from laddbok.flow.charge_to_cash import running_price
from laddbok.model.errors import LaddbokError
from laddbok.model.rated import Rating
from laddbok.model.session import Session, TariffChoice
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.store.spot_prices import read_prices
from laddbok.store.sql import query

MAX_TARIFFS = 500
MAX_PRICES = 5_000
HOLDS_S = 0.5
"""A running price is computed at most twice a second. Source: our choice, design "The session"."""

_session = msgspec.json.Decoder(Session)


class Prices:
    """The running prices of this process."""

    def __init__(self) -> None:
        self._tariffs: OrderedDict[tuple[int, str, int], Tariff] = OrderedDict()
        self._prices: OrderedDict[tuple[int, str], tuple[float, tuple[Rating, datetime] | str]] = OrderedDict()

    async def running(self, connection: asyncpg.Connection, body: str, now: datetime) -> tuple[Rating, datetime] | str:
        """The price so far and when it was so, or the name of the reason why there is none.

        Args: connection: in the asker's name. body: the document of the session. now: business time, or when its
            station was last heard: nothing is counted after the last contact (case B24).
        """
        session = _session.decode(body)
        key = (session.tenant, session.id)
        held = self._prices.get(key)
        if held is not None and time.monotonic() - held[0] < HOLDS_S:
            return held[1]
        price = await self._rated(connection, session, now)
        _remember(self._prices, key, (time.monotonic(), price), MAX_PRICES)
        return price

    async def _rated(
        self, connection: asyncpg.Connection, session: Session, now: datetime
    ) -> tuple[Rating, datetime] | str:
        if session.energy_wh is None:
            return "no_meter_reading"
        tariff = await self._tariff(connection, session)
        if tariff is None:
            return "no_tariff"
        prices = await _market_prices(connection, session, tariff, now)
        # A page of running sessions must not hold the loop for as long as rating all of them takes.
        await asyncio.sleep(0)
        try:
            return running_price(session, tariff, now, prices), now
        except LaddbokError:
            return "not_priceable"

    async def _tariff(self, connection: asyncpg.Connection, session: Session) -> Tariff | None:
        choice = session.tariff
        return None if choice is None else await self.tariff(connection, session.tenant, choice)

    async def tariff(self, connection: asyncpg.Connection, tenant: int, choice: TariffChoice) -> Tariff | None:
        """A version of a tariff; None when there is none. Args: connection: in the asker's name."""
        key = (tenant, choice.tariff_id, choice.version)
        if key not in self._tariffs:
            text = await connection.fetchval(query("tariff_document"), choice.tariff_id, choice.version)
            if text is None:
                return None
            _remember(self._tariffs, key, parse_tariff(text.encode()), MAX_TARIFFS)
        return self._tariffs[key]


async def _market_prices(
    connection: asyncpg.Connection, session: Session, tariff: Tariff, now: datetime
) -> SpotPrices | None:
    """What the market asks for the quarter hours of a session, as far as it is known; None where nobody asks it."""
    spot = tariff.laddbok.spot
    if spot is None:
        return None
    return await read_prices(connection, session.tenant, spot.zone, tariff.currency, session.started_at, now)


def _remember(table: OrderedDict[Any, Any], key: object, value: object, limit: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > limit:
        table.popitem(last=False)

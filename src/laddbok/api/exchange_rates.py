"""Which exchange rates are there, and how do new ones come in?

A file of the European Central Bank is posted as it is; it is read whole, kept for the asker's tenant, and what waited for one
of its rates is booked in the same transaction.
"""

import asyncio
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import get, post
from litestar.params import QueryParameter

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.places import Currency
from laddbok.model.errors import Invalid
from laddbok.store.late_rates import take_in
from laddbok.store.reads import POOL_TIMEOUT_S, Filters, parse_cursor
from laddbok.store.sql import query


class RateView(msgspec.Struct):
    """So many (`rate`) of `currency` for one of `base`, as `source` published it for a day."""

    base: str
    currency: str
    day: date
    rate: Decimal
    source: str
    received_at: datetime


class RatesTakenIn(msgspec.Struct):
    """What a file brought: its rates, which of them are new, have another value than before (a new version), or are known;
    `booked`: the entries that had waited for one of them."""

    rates: int
    new: int
    changed: int
    unchanged: int
    booked: int


@get("/exchange-rates")
async def list_exchange_rates(
    request: ApiRequest,
    currency: Annotated[Currency | None, QueryParameter(description="Of one currency.")] = None,
    first: Annotated[date | None, QueryParameter(name="from", description="The first day.")] = None,
    last: Annotated[date | None, QueryParameter(name="to", description="The last day.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[RateView]:
    """The rates that count, the newest day first."""
    filters = Filters()
    if currency is not None:
        filters.add("r.currency = ?", currency)
    if first is not None:
        filters.add("r.day >= ?", first)
    if last is not None:
        filters.add("r.day <= ?", last)
    if cursor is not None:
        day, base, of = parse_cursor(cursor, int, str, str)
        filters.add("(r.day, r.base, r.currency) < (?, ?, ?)", _day_of(day), base, of)
    rows, following = await read_page(request, "exchange_rate_rows", filters, limit, _by_day)
    return Page([RateView(*row.values()) for row in rows], following)


@get("/exchange-rates/last")
async def list_last_exchange_rates(request: ApiRequest) -> list[RateView]:
    """The last rate of each currency."""
    async with asked(request) as connection:
        rows = await connection.fetch(query("exchange_rates_last"), request.user.tenant)
    return [RateView(*row.values()) for row in rows]


@post("/exchange-rates/import", status_code=200, opt=ADMINISTRATOR)
async def import_exchange_rates(request: ApiRequest) -> RatesTakenIn:
    """Take in a file of the European Central Bank, XML or CSV, posted as it is; the same file twice has no effect."""
    parts = parts_of(request)
    rates = await asyncio.to_thread(parts.payments.read_rates, await request.body())
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        kept, booked = await take_in(owner, [request.user.tenant], rates, parts.clock.now())
    return RatesTakenIn(rates=len(rates), **msgspec.structs.asdict(kept), booked=booked)


def _by_day(row: asyncpg.Record) -> tuple[int, str, str]:
    return (row["day"].toordinal(), row["base"], row["currency"])


def _day_of(number: int | str) -> date:
    try:
        return date.fromordinal(int(number))
    except (ValueError, OverflowError):
        raise Invalid("cursor", "not a cursor that this list gave out") from None

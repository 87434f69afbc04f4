"""What does each host get for a month, and how is that kept?

First a month is looked at: what each host would get, and what is in the way. Then an administrator keeps it: each host that nothing
stands in the way of gets its statement. Who is settled with already is left out, so the same again does nothing.
"""

from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.parts import ApiRequest, parts_of
from laddbok.flow.billing_run import period_of
from laddbok.model.errors import NotFound
from laddbok.store.billing import seller_terms
from laddbok.store.hosts import Settled, settle_hosts
from laddbok.store.reads import POOL_TIMEOUT_S

Month = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}$", description="YYYY-MM")]


class SettlementWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A seller and a month to be settled with its hosts."""

    seller_id: str
    month: Month


class SettlementStop(msgspec.Struct):
    """What is in the way of a statement."""

    field: str
    reason: str


class HostSettlement(msgspec.Struct, kw_only=True):
    """What a host gets for a month. `invoice_id` null: it was only shown, or something is in the way."""

    host_id: str
    name: str
    sessions: int
    energy_wh: int
    net: Decimal
    payable: Decimal
    currency: str
    invoice_id: str | None
    in_the_way: list[SettlementStop]


class HostSettlements(msgspec.Struct, kw_only=True):
    """A month with all hosts that are not settled with yet; `final` false: nothing was kept."""

    seller_id: str
    month: str
    final: bool
    items: list[HostSettlement]


@get("/host-settlements", opt=ADMINISTRATOR)
async def preview_host_settlements(
    request: ApiRequest, seller_id: FromQuery[str], month: FromQuery[Month]
) -> HostSettlements:
    """What settling a month would do. 409: it is not over."""
    return await _settled(request, SettlementWanted(seller_id, month), final=False)


@post("/host-settlements", status_code=200, opt=ADMINISTRATOR)
async def settle_host_month(request: ApiRequest, data: JSONBody[SettlementWanted]) -> HostSettlements:
    """Settle a month with every host that nothing stands in the way of; done again, it is done once. 409: it is not over."""
    return await _settled(request, data, final=True)


async def _settled(request: ApiRequest, wanted: SettlementWanted, *, final: bool) -> HostSettlements:
    parts = parts_of(request)
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        currency, settled = await _settle(request, owner, wanted, final=final)
    items = [_view(each, currency) for each in settled]
    return HostSettlements(seller_id=wanted.seller_id, month=wanted.month, final=final, items=items)


async def _settle(
    request: ApiRequest, owner: asyncpg.Connection, wanted: SettlementWanted, *, final: bool
) -> tuple[str, list[Settled]]:
    """Args: owner, a connection of the tables' owner, for it takes numbers."""
    parts, tenant = parts_of(request), request.user.tenant
    found = await seller_terms(owner, tenant, wanted.seller_id)
    if not found:
        raise NotFound("legal entity", wanted.seller_id)
    [terms], now = found, parts.clock.now()
    period = period_of(wanted.month, terms, now)
    return terms.currency, await settle_hosts(owner, tenant, terms, period, now, parts.check_document, final=final)


def _view(settled: Settled, currency: str) -> HostSettlement:
    names = ("host_id", "name", "sessions", "energy_wh", "net", "payable")
    return HostSettlement(
        **{name: getattr(settled, name) for name in names},
        currency=currency,
        invoice_id=settled.id,
        in_the_way=[SettlementStop(each.field, each.reason) for each in settled.in_the_way],
    )

"""With whom do we have a contract, who pays it, and on which cost centre?

A contract's payer is a link with dates, like a token's contract: a change begins now.
"""

from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.sessions import aware
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Conflict, Invalid
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.sql import query

Line = Annotated[str, msgspec.Meta(max_length=200)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ID_PATTERN = r"^(?!\.{1,2}$)[^/]*$"
"""Ids that a path can name: no slash, and not `.` or `..`."""
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ID_PATTERN)]
IdInPath = Annotated[str, PathParameter(min_length=1, max_length=64, pattern=ID_PATTERN)]


class ContractView(msgspec.Struct):
    """A contract and who pays it now."""

    id: str
    name: str
    valid_from: datetime
    valid_to: datetime | None
    payer_id: str | None
    payer_name: str | None
    cost_centre: str | None
    driver: str | None


class ContractChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a contract shall be. A begin that is left out stays, or is now; payer, cost centre and driver that are left out
    stay. `driver` is who charges, as it stands in the invoice's appendix.
    """

    name: Name
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    payer_id: str | msgspec.UnsetType | None = msgspec.UNSET
    cost_centre: Line | msgspec.UnsetType | None = msgspec.UNSET
    driver: Line | msgspec.UnsetType | None = msgspec.UNSET


class NewContract(ContractChange, forbid_unknown_fields=True, kw_only=True):
    """A contract to add."""

    id: Id


@get("/contracts")
async def list_contracts(
    request: ApiRequest,
    q: Annotated[str | None, QueryParameter(max_length=200, description="Part of name, id, driver or payer.")] = None,
    payer_id: Annotated[str | None, QueryParameter(description="Paid by this payer now.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ContractView]:
    """Contracts by id."""
    filters = Filters(parts_of(request).clock.now())
    if q and q.strip():
        columns = ("c.name", "c.id", "c.driver", "c.cost_centre", "p.payer_name")
        filters.add(f"({' OR '.join(f'strpos(lower({column}), lower(?)) > 0' for column in columns)})", q.strip())
    if payer_id is not None:
        filters.add("p.payer_id = ?", payer_id)
    if cursor is not None:
        filters.add("c.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "contract_rows", filters, limit, lambda row: (row["id"],))
    return Page([ContractView(*row.values()) for row in rows], following)


@get("/contracts/{contract_id:str}")
async def show_contract(request: ApiRequest, contract_id: FromPath[str]) -> ContractView:
    """One contract."""
    async with asked(request) as connection:
        return await _contract(connection, contract_id, parts_of(request).clock.now())


@post("/contracts", status_code=201)
async def add_contract(
    request: ApiRequest, data: JSONBody[NewContract], idempotency_key: IdempotencyKey = None
) -> Response[ContractView]:
    """Add a contract."""
    now = parts_of(request).clock.now()
    valid_from, valid_to = _dates(data, now)

    async def work(connection: asyncpg.Connection) -> ContractView:
        if not await connection.fetchval(query("contract_add"), data.id, data.name, valid_from or now, valid_to):
            raise Conflict(f"there is a contract {data.id} already")
        await _describe(connection, data.id, data)
        await _link_payer(connection, data.id, data, now)
        return await _contract(connection, data.id, now)

    return await written(request, work, status=201)


@put("/contracts/{contract_id:str}")
async def put_contract(
    request: ApiRequest, contract_id: IdInPath, data: JSONBody[ContractChange], idempotency_key: IdempotencyKey = None
) -> Response[ContractView]:
    """Add or change a contract."""
    now = parts_of(request).clock.now()
    valid_from, valid_to = _dates(data, now)

    async def work(connection: asyncpg.Connection) -> ContractView:
        await connection.execute(query("contract_put"), contract_id, data.name, valid_from, valid_to, now)
        await _describe(connection, contract_id, data)
        await _link_payer(connection, contract_id, data, now)
        return await _contract(connection, contract_id, now)

    return await written(request, work)


def _dates(data: ContractChange, now: datetime) -> tuple[datetime | None, datetime | None]:
    valid_from = aware(data.valid_from, "valid_from") if data.valid_from else None
    valid_to = aware(data.valid_to, "valid_to") if data.valid_to else None
    if valid_to is not None and valid_to <= (valid_from or now) and (valid_from or valid_to <= now):
        raise Invalid("valid_to", "must be after the begin")
    return valid_from, valid_to


async def _describe(connection: asyncpg.Connection, contract_id: str, data: ContractChange) -> None:
    """Cost centre and driver, as far as they are told."""
    told = [data.cost_centre is not msgspec.UNSET, data.driver is not msgspec.UNSET]
    words = [value.strip() or None if isinstance(value, str) else None for value in (data.cost_centre, data.driver)]
    await connection.execute(query("contract_describe"), contract_id, *told, *words)


async def _link_payer(connection: asyncpg.Connection, contract_id: str, data: ContractChange, now: datetime) -> None:
    if data.payer_id is msgspec.UNSET:
        return
    await connection.execute(query("contract_unlink_payer"), contract_id, data.payer_id, now)
    if data.payer_id is not None:
        await connection.execute(query("contract_link_payer"), contract_id, data.payer_id, now)


async def _contract(connection: asyncpg.Connection, contract_id: str, now: datetime) -> ContractView:
    filters = Filters(now)
    filters.add("c.id = ?", contract_id)
    row = await read_one(connection, "contract_rows", filters, "contract", contract_id)
    return ContractView(*row.values())

"""Whose id token is this, and may it charge?

A token is kept in a normal form and shown as a person wrote it. Its contract is a link with dates: a change begins now,
and sessions keep the contract that they began with.
"""

from datetime import datetime
from typing import Annotated, Literal

import asyncpg
import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.sessions import aware
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Invalid
from laddbok.sessions.authorize import MAX_TOKEN_LENGTH, normalise_token
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.sql import query


class IdTokenView(msgspec.Struct):
    """An id token. `token` is its normal form, `id_token` as a person wrote it, `contract_id` the contract it has now."""

    token: str
    id_token: str
    kind: str
    status: str
    valid_to: datetime | None
    label: str | None
    single_session: bool
    """It may be in one session at a time."""
    aliases: list[str]
    """Other forms in which readers send it, normalised."""
    contract_id: str | None


MAX_ALIASES = 20
Alias = Annotated[str, msgspec.Meta(max_length=MAX_TOKEN_LENGTH)]


class IdTokenChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a token shall be. A contract, aliases and `single_session` that are left out stay; null ends the contract's link."""

    status: Literal["Accepted", "Blocked", "Expired"]
    label: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    kind: Annotated[str, msgspec.Meta(max_length=50)] = ""
    valid_to: datetime | None = None
    single_session: bool | msgspec.UnsetType = msgspec.UNSET
    aliases: Annotated[list[Alias], msgspec.Meta(max_length=MAX_ALIASES)] | msgspec.UnsetType = msgspec.UNSET
    contract_id: str | msgspec.UnsetType | None = msgspec.UNSET


@get("/id-tokens")
async def list_id_tokens(
    request: ApiRequest,
    q: Annotated[
        str | None, QueryParameter(max_length=MAX_TOKEN_LENGTH, description="Begin of the token or of its label.")
    ] = None,
    contract_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[IdTokenView]:
    """Id tokens by their normal form."""
    now = parts_of(request).clock.now()
    filters = Filters(now)
    if q and q.strip():
        condition = (
            "(starts_with(i.token, nullif(?, '')) OR starts_with(lower(i.label), lower(?)) OR EXISTS ("
            "SELECT FROM id_token_alias a WHERE a.token = i.token AND starts_with(a.alias, nullif(?, ''))))"
        )
        filters.add(condition, normalise_token(q), q.strip(), normalise_token(q))
    if contract_id is not None:
        condition = (
            "EXISTS (SELECT FROM id_token_contract c WHERE c.token = i.token AND c.contract_id = ? AND c.valid_from <= ?"
            " AND (c.valid_to IS NULL OR c.valid_to > ?))"
        )
        filters.add(condition, contract_id, now)
    if cursor is not None:
        filters.add("i.token > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "id_token_rows", filters, limit, lambda row: (row["token"],))
    return Page([IdTokenView(*row.values()) for row in rows], following)


@get("/id-tokens/{token:str}")
async def show_id_token(request: ApiRequest, token: FromPath[str]) -> IdTokenView:
    """One id token, however it is written."""
    async with asked(request) as connection:
        return await _by_token(connection, token, parts_of(request).clock.now())


@put("/id-tokens/{token:str}")
async def put_id_token(
    request: ApiRequest, token: FromPath[str], data: JSONBody[IdTokenChange], idempotency_key: IdempotencyKey = None
) -> Response[IdTokenView]:
    """Add or change an id token."""
    normal = normalise_token(token)
    if not normal or len(token) > MAX_TOKEN_LENGTH:
        raise Invalid("token", f"must be 1 to {MAX_TOKEN_LENGTH} characters, separators not counted")
    if normal in (".", ".."):
        raise Invalid("token", f"{normal!r} means a folder in a path")
    valid_to = aware(data.valid_to, "valid_to") if data.valid_to else None

    single_session = None if data.single_session is msgspec.UNSET else data.single_session

    async def work(connection: asyncpg.Connection) -> IdTokenView:
        now = parts_of(request).clock.now()
        if (owner := await connection.fetchval(query("id_token_of_alias"), normal)) is not None:
            raise Invalid("token", f"is an alias of the id token {owner}")
        own = (normal, token.strip(), data.kind, data.status, valid_to, data.label, single_session)
        await connection.execute(query("id_token_put"), *own)
        if data.aliases is not msgspec.UNSET:
            await _set_aliases(connection, normal, data.aliases)
        if data.contract_id is not msgspec.UNSET:
            await connection.execute(query("id_token_unlink"), normal, data.contract_id, now)
            if data.contract_id is not None:
                await connection.execute(query("id_token_link"), normal, data.contract_id, now)
        return await _by_token(connection, token, now)

    return await written(request, work)


async def _set_aliases(connection: asyncpg.Connection, token: str, presented: list[str]) -> None:
    """These and no other forms of a token. Raises: Invalid when one is empty, or known as something else."""
    aliases = [normalise_token(alias) for alias in presented]
    if not all(aliases):
        raise Invalid("aliases", "an alias is empty but for separators")
    await connection.execute(query("id_token_drop_aliases"), token, aliases)
    await connection.execute(query("id_token_add_aliases"), token, aliases)
    if taken := await connection.fetch(query("id_token_aliases_taken"), token, aliases):
        names = ", ".join(row["alias"] for row in taken)
        raise Invalid("aliases", f"an id token of its own, or an alias of another one: {names}")


async def _by_token(connection: asyncpg.Connection, token: str, now: datetime) -> IdTokenView:
    filters = Filters(now)
    filters.add("i.token = ?", normalise_token(token))
    row = await read_one(connection, "id_token_rows", filters, "id token", token)
    return IdTokenView(*row.values())

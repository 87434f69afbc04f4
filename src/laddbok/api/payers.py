"""Who pays, and everything that their invoices need?

A field that is left out of a change stays as it is; null empties it. Numbers are checked when they are written, so that no
run of a month stops at them.
"""

from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from laddbok.api import parties
from laddbok.api.contracts import IdInPath, Name
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, written
from laddbok.model.errors import Invalid
from laddbok.store.deliveries import look_again
from laddbok.store.reads import Filters, as_owner, parse_cursor
from laddbok.store.sql import query

Line = Annotated[str, msgspec.Meta(max_length=200)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Language = Annotated[str, msgspec.Meta(pattern="^(sv|en)$")]
Kind = Annotated[str, msgspec.Meta(pattern="^(consumer|company|public)$")]


class PayerView(msgspec.Struct):
    """Who pays. `address` is street and number; `on_paper`: wants documents on paper, though there is an `email`."""

    id: str
    name: str
    email: str | None
    address: str | None
    kind: str
    organisation_number: str | None
    vat_number: str | None
    postal_code: str | None
    city: str | None
    country: str
    endpoint_scheme: str | None
    endpoint_id: str | None
    buyer_reference: str | None
    order_reference: str | None
    language: str
    e_invoice: bool
    whole_units: bool
    on_paper: bool


class PayerChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a payer shall be. `whole_units`: rounding to whole kronor was agreed."""

    name: Name
    email: Line | None = None
    address: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    kind: Kind | UnsetType = UNSET
    organisation_number: Line | UnsetType | None = UNSET
    vat_number: Line | UnsetType | None = UNSET
    postal_code: Line | UnsetType | None = UNSET
    city: Line | UnsetType | None = UNSET
    country: Country | UnsetType = UNSET
    endpoint_scheme: Line | UnsetType | None = UNSET
    endpoint_id: Line | UnsetType | None = UNSET
    buyer_reference: Line | UnsetType | None = UNSET
    order_reference: Line | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET
    e_invoice: bool | UnsetType = UNSET
    whole_units: bool | UnsetType = UNSET
    on_paper: bool | UnsetType = UNSET


_NEW: dict[str, Any] = {
    **dict.fromkeys(PayerChange.__struct_fields__),
    "kind": "consumer", "country": "SE", "language": "sv", "e_invoice": False, "whole_units": False,
    "on_paper": False,
}  # fmt: skip
"""What a new payer has where nothing is said."""


@get("/payers")
async def list_payers(
    request: ApiRequest,
    q: Annotated[str | None, QueryParameter(max_length=200, description="Part of name, id, e-mail or number.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[PayerView]:
    """Payers by id."""
    filters = Filters()
    if q and q.strip():
        condition = (
            "(strpos(lower(p.name), lower(?)) > 0 OR strpos(lower(p.id), lower(?)) > 0 OR strpos(lower(p.email), lower(?)) > 0"
            " OR starts_with(p.organisation_number, ?))"
        )
        filters.add(condition, q.strip())
    if cursor is not None:
        filters.add("p.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "payer_rows", filters, limit, lambda row: (row["id"],))
    return Page([PayerView(*row.values()) for row in rows], following)


@get("/payers/{payer_id:str}")
async def show_payer(request: ApiRequest, payer_id: FromPath[str]) -> PayerView:
    """One payer."""
    async with asked(request) as connection:
        return await _payer(connection, payer_id)


@put("/payers/{payer_id:str}")
async def put_payer(
    request: ApiRequest, payer_id: IdInPath, data: JSONBody[PayerChange], idempotency_key: IdempotencyKey = None
) -> Response[PayerView]:
    """Add or change a payer."""

    async def work(connection: asyncpg.Connection) -> PayerView:
        filters = Filters()
        filters.add("p.id = ?", payer_id)
        row = await connection.fetchrow(f"{filters.into(query('payer_rows'))} 1", *filters.arguments)
        values = checked(merged(dict(row) if row else _NEW, data))
        await connection.execute(query("payer_put"), payer_id, *(values[name] for name in data.__struct_fields__))
        async with as_owner(connection):
            await look_again(connection, request.user.tenant, parts_of(request).clock.now(), payer_id=payer_id)
        return await _payer(connection, payer_id)

    return await written(request, work)


def merged(before: dict[str, Any], change: msgspec.Struct) -> dict[str, Any]:
    """The fields of a change, those that it leaves out as they were; blanks at the ends of words are dropped."""
    values = {}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        value = before[name] if value is UNSET else value
        values[name] = (value.strip() or None) if isinstance(value, str) else value
    return values


def checked(values: dict[str, Any]) -> dict[str, Any]:
    """A payer's fields as they are stored.

    Raises: Invalid naming the field.
    """
    if values["name"] is None:
        raise Invalid("name", "is missing")
    scheme, at = parties.endpoint(values["endpoint_scheme"], values["endpoint_id"])
    if values["e_invoice"] and at is None:
        raise Invalid("endpoint_id", "is needed to receive e-invoices")
    return {
        **values,
        "email": parties.email(values["email"]),
        "organisation_number": parties.organisation_number(values["organisation_number"], values["country"]),
        "vat_number": parties.vat_number(values["vat_number"]),
        "endpoint_scheme": scheme,
        "endpoint_id": at,
    }


async def _payer(connection: asyncpg.Connection, payer_id: str) -> PayerView:
    filters = Filters()
    filters.add("p.id = ?", payer_id)
    row = await read_one(connection, "payer_rows", filters, "payer", payer_id)
    return PayerView(*row.values())

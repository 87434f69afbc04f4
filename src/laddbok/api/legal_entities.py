"""Who sells, and everything that their invoices and books need?

A field that is left out of a change stays as it is where it came later than the first of them: address parts, bank, terms.
"""

from decimal import Decimal
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Response, get, put
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType

from laddbok.api import parties
from laddbok.api.contracts import IdInPath, Name
from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_one, read_page
from laddbok.api.parts import ApiRequest, asked
from laddbok.api.payers import Country, merged
from laddbok.api.places import Currency
from laddbok.api.writes import IdempotencyKey, written
from laddbok.billing.late_terms import parse_late_terms
from laddbok.billing.ledger import ACCOUNTS, check_names
from laddbok.model.billing import SIMPLIFIED_UP_TO
from laddbok.model.errors import Invalid
from laddbok.model.money import minor_digits
from laddbok.rating.local_time import zone_named
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.sql import query

Line = Annotated[str, msgspec.Meta(max_length=500)]
PaymentDays = Annotated[int, msgspec.Meta(ge=0, le=120)]
DraftDays = Annotated[int, msgspec.Meta(ge=0, le=60)]
MAX_SIMPLIFIED = 1_000_000
"""No law lets a simplified invoice come to so much."""
AccountNumber = Annotated[str, msgspec.Meta(pattern=r"^\d{4}$")]


class LegalEntityView(msgspec.Struct):
    """A seller. `address` is street and number; `draft_days`: so long late sessions of a month are awaited.
    `book_currency`: of its books; none: kronor in Sweden, else `currency`. `simplified_up_to`: the most that a simplified invoice may come
    to, VAT included. `usual_accounts`: what is posted on where `accounts` names no other."""

    id: str
    name: str
    organisation_number: str | None
    vat_number: str | None
    f_skatt: bool
    address: str | None
    bankgiro: str | None
    currency: str
    time_zone: str
    number_series: str | None
    postal_code: str | None
    city: str | None
    country: str
    email: str | None
    phone: str | None
    contact: str | None
    iban: str | None
    bic: str | None
    endpoint_scheme: str | None
    endpoint_id: str | None
    payment_days: int
    draft_days: int
    late_terms: dict[str, str]
    accounts: dict[str, str]
    book_currency: str | None
    simplified_up_to: Decimal
    usual_accounts: dict[str, str] = msgspec.field(default_factory=lambda: dict(ACCOUNTS))


class LegalEntityChange(msgspec.Struct, forbid_unknown_fields=True):
    """What a seller shall be. `late_terms` and `accounts` are replaced whole."""

    name: Name
    organisation_number: Line | None = None
    vat_number: Line | None = None
    f_skatt: bool = False
    address: Line | None = None
    bankgiro: Line | None = None
    currency: Currency = "SEK"
    time_zone: str = "Europe/Stockholm"
    number_series: Line | None = None
    postal_code: Line | UnsetType | None = UNSET
    city: Line | UnsetType | None = UNSET
    country: Country | UnsetType = UNSET
    email: Line | UnsetType | None = UNSET
    phone: Line | UnsetType | None = UNSET
    contact: Line | UnsetType | None = UNSET
    iban: Line | UnsetType | None = UNSET
    bic: Line | UnsetType | None = UNSET
    endpoint_scheme: Line | UnsetType | None = UNSET
    endpoint_id: Line | UnsetType | None = UNSET
    payment_days: PaymentDays | UnsetType = UNSET
    draft_days: DraftDays | UnsetType = UNSET
    late_terms: dict[str, str] | UnsetType = UNSET
    accounts: dict[str, AccountNumber] | UnsetType = UNSET
    book_currency: Currency | UnsetType | None = UNSET
    simplified_up_to: Decimal | UnsetType = UNSET


_NEW: dict[str, Any] = {
    **dict.fromkeys(LegalEntityChange.__struct_fields__),
    "country": "SE", "payment_days": 30, "draft_days": 3, "late_terms": {}, "accounts": {}, "book_currency": None,
    "simplified_up_to": SIMPLIFIED_UP_TO,
}  # fmt: skip


@get("/legal-entities")
async def list_legal_entities(
    request: ApiRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[LegalEntityView]:
    """Sellers by id."""
    filters = Filters()
    if cursor is not None:
        filters.add("e.id > ?", *parse_cursor(cursor, str))
    rows, following = await read_page(request, "legal_entity_rows", filters, limit, lambda row: (row["id"],))
    return Page([_view(row) for row in rows], following)


@get("/legal-entities/{entity_id:str}")
async def show_legal_entity(request: ApiRequest, entity_id: FromPath[str]) -> LegalEntityView:
    """One seller."""
    async with asked(request) as connection:
        return await _legal_entity(connection, entity_id)


@put("/legal-entities/{entity_id:str}", opt=ADMINISTRATOR)
async def put_legal_entity(
    request: ApiRequest, entity_id: IdInPath, data: JSONBody[LegalEntityChange], idempotency_key: IdempotencyKey = None
) -> Response[LegalEntityView]:
    """Add or change a seller."""
    zone_named(data.time_zone)

    async def work(connection: asyncpg.Connection) -> LegalEntityView:
        filters = Filters()
        filters.add("e.id = ?", entity_id)
        row = await connection.fetchrow(f"{filters.into(query('legal_entity_rows'))} 1", *filters.arguments)
        values = _checked(merged(msgspec.structs.asdict(_view(row)) if row else _NEW, data))
        if row and _books(values) != _books(dict(row)):
            await _check_no_entries(connection, entity_id)
        for name in ("late_terms", "accounts"):
            values[name] = msgspec.json.encode(values[name]).decode()
        await connection.execute(
            query("legal_entity_put"), entity_id, *(values[name] for name in data.__struct_fields__)
        )
        return await _legal_entity(connection, entity_id)

    return await written(request, work)


def _books(values: dict[str, Any]) -> str:
    """The currency in which books are kept, said or not."""
    of_documents: str = "SEK" if values["country"] == "SE" else values["currency"]
    return values["book_currency"] or of_documents


async def _check_no_entries(connection: asyncpg.Connection, entity_id: str) -> None:
    await connection.execute(query("legal_entity_hold"), entity_id)
    if await connection.fetchval(query("legal_entity_has_entries"), entity_id):
        raise Invalid("book_currency", f"the books of {entity_id} have entries: their currency can't change any more")


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    if values["name"] is None:
        raise Invalid("name", "is missing")
    scheme, at = parties.endpoint(values["endpoint_scheme"], values["endpoint_id"])
    most = values["simplified_up_to"]
    if not most.is_finite() or not 0 <= most < MAX_SIMPLIFIED or most != round(most, minor_digits(values["currency"])):
        raise Invalid("simplified_up_to", f"is no amount from 0 to below {MAX_SIMPLIFIED:,}")
    parse_late_terms(values["late_terms"])
    check_names(values["accounts"])
    return {
        **values,
        "organisation_number": parties.organisation_number(values["organisation_number"], values["country"]),
        "vat_number": parties.vat_number(values["vat_number"]),
        "bankgiro": parties.bankgiro(values["bankgiro"]),
        "iban": parties.iban(values["iban"]),
        "bic": parties.bic(values["bic"]),
        "email": parties.email(values["email"]),
        "endpoint_scheme": scheme,
        "endpoint_id": at,
    }


async def _legal_entity(connection: asyncpg.Connection, entity_id: str) -> LegalEntityView:
    filters = Filters()
    filters.add("e.id = ?", entity_id)
    return _view(await read_one(connection, "legal_entity_rows", filters, "legal entity", entity_id))


def _view(row: asyncpg.Record) -> LegalEntityView:
    fields = dict(row)
    for name in ("late_terms", "accounts"):
        fields[name] = msgspec.json.decode(fields[name], type=dict[str, str])
    return LegalEntityView(**fields)

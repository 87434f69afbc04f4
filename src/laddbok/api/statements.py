"""What does each apartment pay of a month's bill, and what does an employer pay back for charging at home?

First what was agreed, then a month: shown, and kept as a revision that never changes. A worker makes its PDF.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laddbok.api.contracts import Id, IdInPath
from laddbok.api.door import ADMINISTRATOR
from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.writes import IdempotencyKey, written
from laddbok.billing.list_page import total_of
from laddbok.billing.statement_files import sessions_csv, statement_csv
from laddbok.model.apartments import Apartments
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.home_charging import HomeTerms
from laddbok.model.statement import ApartmentList, HomeStatement, MonthBill, Statement, StatementKind
from laddbok.store import statements
from laddbok.store.reads import Filters, parse_cursor
from laddbok.store.statements import Issued, kept_pdf, kept_statement, newest_terms

Month = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}$", description="YYYY-MM")]
FILES = {"csv": statement_csv, "sessions.csv": sessions_csv}


class AgreedApartments(msgspec.Struct):
    """The apartments of a site, and how they share; null: nothing was agreed yet."""

    version: int
    agreed_at: datetime | None
    agreed_by: str | None
    agreement: Apartments | None


class AgreedHome(msgspec.Struct):
    """What was agreed on charging at home; null: nothing yet."""

    version: int
    agreed_at: datetime | None
    agreed_by: str | None
    agreement: HomeTerms | None


class StatementWanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A month of a site's apartments, or of a contract at home. `bill`, of apartments: null for that of the revision before."""

    kind: StatementKind
    subject_id: Id
    month: Month
    bill: MonthBill | None = None


class StatementRow(msgspec.Struct):
    """A revision in a list."""

    kind: str
    subject_id: str
    month: str
    revision: int
    name: str
    currency: str
    energy_wh: int
    total: Decimal
    issued_at: datetime
    issued_by: str
    hash: str
    is_newest: bool
    is_rendered: bool


class Sums(msgspec.Struct):
    """What the rows of a list come to, and each row with VAT."""

    net: Decimal
    vat: Decimal
    gross: tuple[Decimal, ...]


class StatementView(msgspec.Struct, kw_only=True):
    """A revision with its content.

    `is_new` False: it is only shown, or the last revision says the same. `hash` null: not kept. `sums`: of a list of apartments.
    """

    kind: StatementKind
    is_new: bool
    hash: str | None
    energy_wh: int
    total: Decimal
    is_rendered: bool = False
    sums: Sums | None = None
    apartments: ApartmentList | None = None
    home: HomeStatement | None = None


@get("/sites/{site_id:str}/apartments")
async def show_apartments(request: ApiRequest, site_id: FromPath[str]) -> AgreedApartments:
    """The apartments of a site, whose charging is whose, and how they share."""
    async with asked(request) as connection:
        return await _apartments(connection, request, site_id)


@put("/sites/{site_id:str}/apartments", opt=ADMINISTRATOR)
async def put_apartments(
    request: ApiRequest, site_id: IdInPath, data: JSONBody[Apartments], idempotency_key: IdempotencyKey = None
) -> Response[AgreedApartments]:
    """Keep which apartments a site has; what was kept before stays as an earlier version."""
    now, body = parts_of(request).clock.now(), await request.body()

    async def work(connection: asyncpg.Connection) -> AgreedApartments:
        await statements.agree_apartments(connection, request.user.tenant, site_id, body, now, request.user.name)
        return await _apartments(connection, request, site_id)

    return await written(request, work)


@get("/contracts/{contract_id:str}/home-charging")
async def show_home_charging(request: ApiRequest, contract_id: FromPath[str]) -> AgreedHome:
    """What an employer pays back to a contract that charges at home."""
    async with asked(request) as connection:
        return await _home(connection, request, contract_id)


@put("/contracts/{contract_id:str}/home-charging", opt=ADMINISTRATOR)
async def put_home_charging(
    request: ApiRequest, contract_id: IdInPath, data: JSONBody[HomeTerms], idempotency_key: IdempotencyKey = None
) -> Response[AgreedHome]:
    """Keep where a contract's home is, who the employer is, and the prices; what was kept before stays as an earlier version."""
    now, body = parts_of(request).clock.now(), await request.body()

    async def work(connection: asyncpg.Connection) -> AgreedHome:
        await statements.agree_home(connection, request.user.tenant, contract_id, body, now, request.user.name)
        return await _home(connection, request, contract_id)

    return await written(request, work)


@get("/statements")
async def list_statements(
    request: ApiRequest,
    kind: FromQuery[StatementKind | None] = None,
    subject_id: Annotated[str | None, QueryParameter(description="A site or a contract.")] = None,
    month: Annotated[str | None, QueryParameter(pattern=r"^\d{4}-\d{2}$")] = None,
    newest: Annotated[bool, QueryParameter(description="Only the newest revision of each.")] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[StatementRow]:
    """Revisions, the newest month first."""
    filters = Filters()
    for column, value in (("kind", kind and kind.value), ("subject_id", subject_id), ("month", month)):
        if value is not None:
            filters.add(f"s.{column} = ?", value)
    if newest:
        filters.add(
            "NOT EXISTS (SELECT FROM statement AS m WHERE m.tenant = s.tenant AND m.kind = s.kind AND m.month = s.month"
            " AND m.subject_id = s.subject_id AND m.revision > s.revision)"
        )
    if cursor is not None:
        after = parse_cursor(cursor, str, str, str, int)
        filters.add("(s.month < ? OR s.month = ? AND (s.kind, s.subject_id, -s.revision) > (?, ?, -?::integer))",
            after[0], after[0], *after[1:])  # fmt: skip
    rows, following = await read_page(request, "statement_rows", filters, limit, _by_month)
    return Page([StatementRow(*row.values()) for row in rows], following)


@post("/statements/preview", status_code=200)
async def preview_statement(request: ApiRequest, data: JSONBody[StatementWanted]) -> StatementView:
    """What a month would say; nothing is kept."""
    async with asked(request) as connection:
        return _view(data.kind, await _issue(connection, request, data, final=False))


@post("/statements", status_code=201, opt=ADMINISTRATOR)
async def issue_statement(
    request: ApiRequest, data: JSONBody[StatementWanted], idempotency_key: IdempotencyKey = None
) -> Response[StatementView]:
    """Keep a month as its next revision; when it says what the last one says, that one is the answer."""

    async def work(connection: asyncpg.Connection) -> StatementView:
        return _view(data.kind, await _issue(connection, request, data, final=True))

    return await written(request, work, status=201)


@get("/statements/{kind:str}/{subject_id:str}/{month:str}/{revision:int}")
async def show_statement(
    request: ApiRequest, kind: FromPath[str], subject_id: FromPath[str], month: FromPath[str], revision: FromPath[int]
) -> StatementView:
    """One revision as it was kept."""
    which = (_kind(kind), subject_id, month, _revision(revision))
    async with asked(request) as connection:
        statement, hashed = await kept_statement(connection, request.user.tenant, *which)
        pdf = await kept_pdf(connection, request.user.tenant, *which)
    told = _view(which[0], Issued(statement=statement, is_new=False, hash=hashed))
    return msgspec.structs.replace(told, is_rendered=pdf is not None)


@get("/statements/{kind:str}/{subject_id:str}/{month:str}/{revision:int}/{file:str}")
async def show_statement_file(
    request: ApiRequest, kind: FromPath[str], subject_id: FromPath[str], month: FromPath[str], revision: FromPath[int],
    file: FromPath[str],
) -> Response[bytes]:  # fmt: skip
    """A revision as `pdf`, which a worker made; as `csv`; or the sessions behind it as `sessions.csv`."""
    which = (_kind(kind), subject_id, month, _revision(revision))
    async with asked(request) as connection:
        statement, _ = await kept_statement(connection, request.user.tenant, *which)
        made = await kept_pdf(connection, request.user.tenant, *which) if file == "pdf" else None
    if file in FILES:
        made = FILES[file](statement)
    if made is None:
        raise NotFound("document", f"{subject_id}/{month}/{revision}/{file}")
    name = f"{kind}-{month}-{revision}{'-' if file == 'sessions.csv' else '.'}{file}"
    disposition = "inline" if file == "pdf" else "attachment"
    headers = {"Content-Disposition": f'{disposition}; filename="{name}"'}
    media_type = "application/pdf" if file == "pdf" else "text/csv"
    return Response(made, media_type=media_type, headers=headers)


async def _issue(connection: asyncpg.Connection, request: ApiRequest, data: StatementWanted, *, final: bool) -> Issued:
    what = (connection, request.user.tenant, data.subject_id, data.month)
    how = (parts_of(request).clock.now(), request.user.full_name or request.user.name)
    if data.kind is StatementKind.APARTMENTS:
        return await statements.issue_list(*what, data.bill, *how, final=final)
    if data.bill is not None:
        raise Invalid("bill", "goes with a list of apartments")
    return await statements.issue_home(*what, *how, final=final)


async def _apartments(connection: asyncpg.Connection, request: ApiRequest, site_id: str) -> AgreedApartments:
    terms = await newest_terms(connection, request.user.tenant, StatementKind.APARTMENTS, site_id)
    if terms is None:
        return AgreedApartments(0, None, None, None)
    agreement = msgspec.json.decode(terms.document, type=Apartments)
    return AgreedApartments(terms.version, terms.agreed_at, terms.agreed_by, agreement)


async def _home(connection: asyncpg.Connection, request: ApiRequest, contract_id: str) -> AgreedHome:
    terms = await newest_terms(connection, request.user.tenant, StatementKind.HOME, contract_id)
    if terms is None:
        return AgreedHome(0, None, None, None)
    agreement = msgspec.json.decode(terms.document, type=HomeTerms)
    return AgreedHome(terms.version, terms.agreed_at, terms.agreed_by, agreement)


def _view(kind: StatementKind, issued: Issued) -> StatementView:
    statement: Statement = issued.statement
    return StatementView(
        kind=kind, is_new=issued.is_new, hash=issued.hash.hex() if issued.hash else None, energy_wh=statement.energy_wh,
        total=statement.total, sums=_sums(statement), apartments=statement if isinstance(statement, ApartmentList) else None,
        home=statement if isinstance(statement, HomeStatement) else None,
    )  # fmt: skip


def _sums(statement: Statement) -> Sums | None:
    if not isinstance(statement, ApartmentList):
        return None
    whole = total_of(statement.shares)
    return Sums(whole.net, whole.vat, tuple(share.gross for share in statement.shares))


def _kind(text: str) -> StatementKind:
    try:
        return StatementKind(text)
    except ValueError:
        raise NotFound("kind of statement", text) from None


def _revision(number: int) -> int:
    if not 0 < number < 2**31:
        raise NotFound("revision", str(number))
    return number


def _by_month(row: asyncpg.Record) -> tuple[str, str, str, int]:
    return (row["month"], row["kind"], row["subject_id"], row["revision"])

"""What has been issued?

CDRs and credits as they were issued; none is ever edited.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from laddbok.api.pages import DEFAULT_LIMIT, Cursor, Limit, Page, read_page
from laddbok.api.parts import ApiRequest, asked
from laddbok.api.session_view import TariffRef
from laddbok.api.sessions import aware
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.store.reads import Filters, cursor_instant, cursor_number, parse_cursor
from laddbok.store.sql import query


class CdrView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An issued CDR or a credit of one. `document` is the usage, `rating` its price with every line.

    `root` is the hash over everything that the CDR was made of, as it stands on the receipt.
    """

    session_id: str
    revision: int
    kind: str
    issued_at: datetime
    energy_wh: int
    currency: str
    excl_vat: Decimal
    incl_vat: Decimal | None
    tariff: TariffRef
    document: msgspec.Raw | None = None
    rating: msgspec.Raw | None = None
    root: str | None = None


@get("/cdrs")
async def list_cdrs(
    request: ApiRequest,
    from_at: Annotated[datetime | None, QueryParameter(name="from", description="Issued at or after.")] = None,
    to_at: Annotated[datetime | None, QueryParameter(name="to", description="Issued before.")] = None,
    session_id: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[CdrView]:
    """CDRs and credits without their documents, the newest first."""
    filters = Filters()
    if from_at is not None:
        filters.add("issued_at >= ?", aware(from_at, "from"))
    if to_at is not None:
        filters.add("issued_at < ?", aware(to_at, "to"))
    if session_id is not None:
        filters.add("session_id = ?", normalise_session_id(session_id))
    if cursor is not None:
        number, *rest = parse_cursor(cursor, int, str, int, str)
        filters.add("(issued_at, session_id, revision, kind) < (?, ?, ?::bigint, ?)", cursor_instant(number), *rest)
    rows, following = await read_page(request, "cdr_rows", filters, limit, _sort_key)
    return Page([_view(row) for row in rows], following)


@get("/cdrs/{session_id:str}")
async def show_cdrs(request: ApiRequest, session_id: FromPath[str]) -> Page[CdrView]:
    """Every CDR and credit of one session with its documents, oldest first."""
    async with asked(request) as connection:
        rows = await connection.fetch(query("cdrs_of_session"), normalise_session_id(session_id))
    if not rows:
        raise NotFound("CDR of session", session_id)
    return Page([_view(row, _raw(row["document"]), _raw(row["rating"]), row["root"]) for row in rows])


def _view(
    row: asyncpg.Record, document: msgspec.Raw | None = None, rating: msgspec.Raw | None = None, root: str | None = None
) -> CdrView:
    return CdrView(
        session_id=row["session_id"], revision=row["revision"], kind=row["kind"], issued_at=row["issued_at"],
        energy_wh=row["energy_wh"], currency=row["currency"], excl_vat=row["excl_vat"], incl_vat=row["incl_vat"],
        tariff=TariffRef(row["tariff_id"], row["tariff_version"]), document=document, rating=rating, root=root,
    )  # fmt: skip


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text)


def _sort_key(row: asyncpg.Record) -> tuple[int, str, int, str]:
    return (cursor_number(row["issued_at"]), row["session_id"], row["revision"], row["kind"])

"""On which documents does a session stand, and where does its driver see them?

The receipt of who paid at once, or the invoice of a contract, and what took them back, each with the page that needs no log-in.
"""

from datetime import date
from decimal import Decimal

import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.pages import Page
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.store.receipt_links import receipt_path
from laddbok.store.sql import query


class SessionDocument(msgspec.Struct, kw_only=True):
    """A document with a session on it. `page` is where its customer sees it without a log-in."""

    id: str
    kind: str
    number: str
    issue_date: date
    currency: str
    gross: Decimal
    payable: Decimal
    page: str


@get("/sessions/{session_id:str}/documents")
async def list_documents(request: ApiRequest, session_id: FromPath[str]) -> Page[SessionDocument]:
    """The documents on which a session stands, the oldest first."""
    parts, session = parts_of(request), normalise_session_id(session_id)
    async with asked(request) as connection:
        if not await connection.fetchval(query("session_exists"), session):
            raise NotFound("session", session_id)
        rows = await connection.fetch(query("session_documents"), session)
    now, names = parts.clock.now(), set(SessionDocument.__struct_fields__) - {"page"}
    return Page([
        SessionDocument(
            page=await receipt_path(parts.pool, request.user.tenant, row["id"], now), **{name: row[name] for name in names}
        )
        for row in rows
    ])  # fmt: skip

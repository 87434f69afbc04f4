"""Who pays which part of this session, and on which document does it stand?

Each CDR, and the credit of one, is one entry until several pay it; then each payer's part is.
"""

from decimal import Decimal
from typing import Literal

import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.pages import Page
from laddbok.api.parts import ApiRequest, asked
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.invoice import Text
from laddbok.store.sql import query


class PaidPartView(msgspec.Struct, kw_only=True):
    """What somebody pays of a CDR, or gets back of it where `kind` is "credit"; then its amounts are below 0.

    `part` 0 is all of the CDR, and `what` is null; else what it is for. `payer_id` is null while nobody is known to pay. `outcome`:
    "open" (the next run bills it), "to_be_shared" (the next run shares it out by the contract's agreement), "billed", "netted" (credited before
    it was billed) or "nothing" (it came to 0).
    """

    revision: int
    kind: Literal["cdr", "credit"]
    part: int
    what: Text | None
    payer_id: str | None
    payer_name: str | None
    currency: str
    excl_vat: Decimal
    incl_vat: Decimal | None
    outcome: Literal["open", "to_be_shared", "billed", "netted", "nothing"]
    document_id: str | None
    document: str | None


@get("/sessions/{session_id:str}/payers")
async def list_payers_of_session(request: ApiRequest, session_id: FromPath[str]) -> Page[PaidPartView]:
    """Who pays which part of a session, by revision: what was shared out, what was billed on which document, what is open."""
    wanted = normalise_session_id(session_id)
    async with asked(request) as connection:
        if not await connection.fetchval(query("session_exists"), wanted):
            raise NotFound("session", session_id)
        rows = await connection.fetch(query("session_payers"), wanted)
    return Page(
        [
            PaidPartView(
                what=None if row["what_sv"] is None else Text(sv=row["what_sv"], en=row["what_en"]),
                **{name: value for name, value in row.items() if name not in ("what_sv", "what_en")},
            )
            for row in rows
        ]
    )

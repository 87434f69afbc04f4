"""How is a document taken back, in whole or in part?

By a credit note with its own number, reference and journal entry; the document itself stays as it is. The same wish on the
same day is one credit note, however often it is sent.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.parts import ApiRequest, parts_of
from laddbok.billing.credit import CreditWish
from laddbok.model.errors import Invalid
from laddbok.store.credit_notes import Credited, credit_invoice
from laddbok.store.reads import POOL_TIMEOUT_S


class NewCredit(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is credited, and how much: all that is left, or `gross` at the VAT rate `vat_percent`."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    gross: Decimal | None = None
    vat_percent: Decimal | None = None


class CreditView(msgspec.Struct):
    """The credit note; `is_new` false: the same wish had made it before."""

    id: str
    number: str | None
    gross: Decimal
    currency: str
    is_new: bool


@post("/invoices/{invoice_id:str}/credit", status_code=200, opt=ADMINISTRATOR)
async def credit_document(request: ApiRequest, invoice_id: FromPath[str], data: JSONBody[NewCredit]) -> CreditView:
    """Credit a document."""
    if not data.reason.strip():
        raise Invalid("reason", "must say why")
    wish = CreditWish(reason=data.reason.strip(), gross=data.gross, vat_percent=data.vat_percent)
    parts = parts_of(request)
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        made = await credit(request, owner, invoice_id, wish, parts.clock.now())
    totals = made.invoice.totals
    return CreditView(made.id, made.invoice.number, totals.gross, made.invoice.currency, made.is_new)


async def credit(
    request: ApiRequest, owner: asyncpg.Connection, invoice_id: str, wish: CreditWish, now: datetime
) -> Credited:
    """Credit a document of the asker's tenant. Args: owner, a connection of the tables' owner, for it takes a number.

    Raises: NotFound, Conflict, Invalid.
    """
    check, asker = parts_of(request).check_document, request.user
    by = asker.full_name or asker.name
    return await credit_invoice(owner, asker.tenant, invoice_id, wish, now, by, check)

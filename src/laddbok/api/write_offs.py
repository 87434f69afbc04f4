"""How does finance give up what nobody will pay?

What is open on an invoice, or a part of it, is written off in the books, with or without its VAT; and that is taken back. The same
wish on the same day is one write-off, however often it is sent.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from laddbok.api.door import ADMINISTRATOR
from laddbok.api.parts import ApiRequest, parts_of
from laddbok.billing.write_off import MAX_REASON_CHARS, WriteOffWish
from laddbok.model.write_off import WriteOff, WriteOffKind
from laddbok.store.reads import POOL_TIMEOUT_S
from laddbok.store.sql import query
from laddbok.store.write_offs import undo_write_off, write_off_invoice

_step = msgspec.json.Decoder(WriteOff)
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_CHARS)]


class NewWriteOff(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is given up, how much (all that is open), and whether its VAT is taken back: only of an established loss."""

    reason: Reason
    amount: Decimal | None = None
    vat_relief: bool = False


class UndoneWriteOff(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is owed again."""

    reason: Reason


class WriteOffView(msgspec.Struct, kw_only=True):
    """A step: what was written off, or, below 0, what came back of it (paid, not_owed, cancelled, undone). `vat` is what of it was VAT."""

    number: int
    kind: WriteOffKind
    day: date
    currency: str
    amount: Decimal
    vat: Decimal
    reason: str
    at: datetime
    by: str


class WriteOffDone(msgspec.Struct):
    """What was written off; `is_new` false: by the same wish before."""

    amount: Decimal
    vat: Decimal
    currency: str
    is_new: bool


class WriteOffUndone(msgspec.Struct):
    """What is owed again; null: nothing stood written off."""

    amount: Decimal | None


@post("/invoices/{invoice_id:str}/write-off", status_code=200, opt=ADMINISTRATOR)
async def write_off(request: ApiRequest, invoice_id: FromPath[str], data: JSONBody[NewWriteOff]) -> WriteOffDone:
    """Write off what is open on an invoice, or a part of it."""
    wish = WriteOffWish(reason=data.reason, amount=data.amount, vat_relief=data.vat_relief)
    parts, asker = parts_of(request), request.user
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        by = asker.full_name or asker.name
        made = await write_off_invoice(owner, asker.tenant, invoice_id, wish, parts.clock.now(), by)
    step = made.step
    return WriteOffDone(step.amount, step.amount - step.loss, step.currency, made.is_new)


@post("/invoices/{invoice_id:str}/write-off/undo", status_code=200, opt=ADMINISTRATOR)
async def undo(request: ApiRequest, invoice_id: FromPath[str], data: JSONBody[UndoneWriteOff]) -> WriteOffUndone:
    """Take back all that stands written off on an invoice. Said twice, it is said once."""
    parts, asker = parts_of(request), request.user
    async with parts.pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        by = asker.full_name or asker.name
        step = await undo_write_off(owner, asker.tenant, invoice_id, data.reason, parts.clock.now(), by)
    return WriteOffUndone(None if step is None else -step.amount)


async def write_offs_of(connection: asyncpg.Connection, invoice_id: str) -> list[WriteOffView]:
    """What was written off on an invoice, and what came back, in order."""
    return [_view(row) for row in await connection.fetch(query("write_off_rows"), invoice_id)]


def _view(row: asyncpg.Record) -> WriteOffView:
    fields = dict(row)
    step = _step.decode(fields.pop("content"))
    return WriteOffView(**fields | {"kind": step.kind}, vat=step.amount - step.loss)

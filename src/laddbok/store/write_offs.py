"""How does finance give up what is open on an invoice, and take that back?

In one transaction, under the seller's lock on money and with its series of credit notes held, so that nothing is paid or credited
meanwhile. The same wish on the same day is one write-off, however often it is sent.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.write_off import MAX_REASON_CHARS, Ground, WriteOffWish, standing, taken_back, written_off
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.invoice import InvoiceKind
from laddbok.model.write_off import WriteOff, WriteOffKind
from laddbok.store.billing import seller_terms
from laddbok.store.invoice_documents import named_document
from laddbok.store.sql import query
from laddbok.store.written_off import ground_of, take_step

_step = msgspec.json.Decoder(WriteOff)


class Stepped(msgspec.Struct, frozen=True):
    """A step; `is_new` False: it was taken before by the same wish."""

    step: WriteOff
    is_new: bool


async def write_off_invoice(
    connection: asyncpg.Connection, tenant: int, number: str, wish: WriteOffWish, now: datetime, by: str
) -> Stepped:
    """Give up what is open on an invoice, or a part of it. Args: number, or id.

    Raises: NotFound; Conflict when nothing is open, or it is no invoice; Invalid the amount or reason.
    Source: ML (2023:200) 8 kap. 14 §; docs/rules.md "Write-off".
    """
    reason = _said(wish.reason)
    async with connection.transaction():
        terms, ground = await _held(connection, tenant, number)
        today = now.astimezone(ZoneInfo(terms.time_zone)).date()
        key = f"{today}/{wish.amount if wish.amount is None else wish.amount.normalize()}/{wish.vat_relief}/{reason}"
        before = await connection.fetchrow(query("write_off_before"), tenant, ground.invoice_id, key)
        if before is not None:
            return Stepped(_step.decode(before["content"]), is_new=False)
        step = written_off(ground, wish, today)
        await take_step(connection, tenant, terms, step, now, by, reason=reason, key=key)
    return Stepped(step, is_new=True)


async def undo_write_off(
    connection: asyncpg.Connection, tenant: int, number: str, reason: str, now: datetime, by: str
) -> WriteOff | None:
    """Take back all that stands written off on an invoice: it is owed again. Returns: None, when nothing stands.

    Raises: NotFound; Conflict; Invalid when no reason is given. Source: our choice, docs/rules.md "Write-off".
    """
    reason = _said(reason)
    async with connection.transaction():
        terms, ground = await _held(connection, tenant, number)
        amount = standing(ground.steps)
        if not amount:
            return None
        today = now.astimezone(ZoneInfo(terms.time_zone)).date()
        step = taken_back(ground, WriteOffKind.UNDONE, amount, today)
        await take_step(connection, tenant, terms, step, now, by, reason=reason)
    return step


async def _held(connection: asyncpg.Connection, tenant: int, number: str) -> tuple[SellerTerms, Ground]:
    """An invoice under the locks of its seller's money and credit notes, in this order, as receipts take them."""
    invoice_id = await named_document(connection, tenant, number)
    [row] = await connection.fetch(query("invoice_named"), tenant, invoice_id)
    if row["kind"] != InvoiceKind.INVOICE:
        raise Conflict(f"only what is owed on an invoice is written off: {number} is a {row['kind']}")
    [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
    await connection.execute(query("payments_lock"), tenant, terms.seller.id)
    await connection.execute(query("series_make"), tenant, terms.seller.id)
    await connection.fetchrow(query("series_take"), tenant, terms.seller.id, InvoiceKind.CREDIT_NOTE)
    return terms, await ground_of(connection, tenant, terms, invoice_id)


def _said(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_CHARS:
        raise Invalid("reason", f"must say why, in {MAX_REASON_CHARS} characters at most")
    return reason

"""How does a person take a document back?

In one transaction: the series of credit notes is held, what is left is read, the credit note is checked, numbered, frozen and
posted, and the document it refers to says so. The same wish on the same day is one credit note, however often it is sent.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.credit import CREDITABLE, CreditWish, credit_note
from laddbok.flow.billing_run import InTheWay, Planned
from laddbok.model.billing import Customer, SellerTerms
from laddbok.model.errors import Conflict, NotFound
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.store.billing import finalise, seller_terms
from laddbok.store.contract_charges import included_on
from laddbok.store.credits import with_credits
from laddbok.store.receipt_jobs import receipt_is_due, session_of
from laddbok.store.sql import query

CREDITED = "credited"
"""The kind of the event on a document that was credited; its body names the credit note and the wish."""


class Credited(msgspec.Struct, frozen=True, kw_only=True):
    """A credit note that is final; `is_new` False: it was made before by the same wish."""

    id: str
    invoice: Invoice
    is_new: bool


async def credit_invoice(
    connection: asyncpg.Connection,
    tenant: int,
    number: str,
    wish: CreditWish,
    now: datetime,
    by: str,
    check: Callable[[Planned], Sequence[InTheWay]],
) -> Credited:
    """Credit a final document, whole or in part.

    Args: number, or id; check, what is in the way of the credit note becoming final.
    Raises: NotFound; Conflict when it is not credited, nothing is left, or something is in the way; Invalid when it is more than
        what is left.
    Source: case B51; docs/rules.md "Credit".
    """
    async with connection.transaction():
        row = await _document(connection, tenant, number)
        [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
        await connection.execute(query("series_make"), tenant, terms.seller.id)
        await connection.fetchrow(query("series_take"), tenant, terms.seller.id, InvoiceKind.CREDIT_NOTE)
        today = now.astimezone(ZoneInfo(terms.time_zone)).date()
        key = _key(wish, today)
        before = await connection.fetchrow(query("invoice_credited_before"), tenant, row["id"], CREDITED, key)
        if before is not None:
            return Credited(id=before["id"], invoice=_decoded(before["content"]), is_new=False)
        return await _made(connection, tenant, terms, row["number_text"], row["id"], wish, key, now, by, check)


async def _made(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, number: str, document_id: str, wish: CreditWish, key: str,
    now: datetime, by: str, check: Callable[[Planned], Sequence[InTheWay]],
) -> Credited:  # fmt: skip
    credits = (await with_credits(connection, tenant, terms.seller.id, [number]))[number]
    if wish.session_id is not None:
        included = await included_on(connection, tenant, document_id, wish.session_id)
        credits = msgspec.structs.replace(credits, included=included)
    note = credit_note(credits, wish, now.astimezone(ZoneInfo(terms.time_zone)).date())
    planned = Planned(Customer(buyer=credits.document.buyer), note, ())
    for stop in check(planned):
        raise Conflict(f"{stop.payer_id}: {stop.field}: {stop.reason}")
    [made] = await finalise(connection, tenant, terms, [planned], None, now)
    body = {"credit_note": made.id, "key": key, "gross": str(note.totals.gross), "reason": wish.reason}
    told = msgspec.json.encode(body).decode()
    await connection.execute(query("invoice_event_add"), tenant, document_id, now, CREDITED, by, told)
    if session_id := session_of(credits.document.buyer.id):
        await receipt_is_due(connection, tenant, session_id, now)
    return Credited(id=made.id, invoice=made.frozen.invoice, is_new=True)


async def _document(connection: asyncpg.Connection, tenant: int, number: str) -> asyncpg.Record:
    rows = await connection.fetch(query("invoice_named"), tenant, number)
    if not rows:
        raise NotFound("invoice", number)
    if len(rows) > 1:
        raise Conflict(f"several sellers have a document {number}: {', '.join(row['id'] for row in rows)}")
    if rows[0]["kind"] not in CREDITABLE:
        raise Conflict(f"a {rows[0]['kind']} is not credited: {number}")
    return rows[0]


def _key(wish: CreditWish, day: date) -> str:
    """What makes two wishes the same one."""
    about = f"/{wish.session_id}" if wish.session_id and wish.gross is None else ""
    answers = "" if wish.dispute is None else f"/dispute {wish.dispute}"
    return f"{day}/{wish.gross}/{wish.vat_percent}/{wish.reason}{about}{answers}"


def _decoded(content: bytes) -> Invoice:
    return msgspec.json.decode(content, type=Invoice)

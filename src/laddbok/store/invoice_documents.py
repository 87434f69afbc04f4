"""How are the files of a document kept?

PDF and e-invoice are written once, with their hashes, and never replaced. A rendering that gives other bytes is told as an
event of the invoice; what the customer received stays.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from laddbok.flow.documents import Rendered
from laddbok.model.errors import Conflict, NotFound
from laddbok.model.invoice import Invoice
from laddbok.store.sql import query

RENDERED = "rendered"
RENDERING_DIFFERS = "rendering_differs"
US = "laddbok"

_invoice = msgspec.json.Decoder(Invoice)


class ToRender(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen document, whether it is an e-invoice, and the hashes of the files that are stored, by kind."""

    invoice: Invoice
    e_invoice: bool
    stored: dict[str, bytes]


class Kept(StrEnum):
    """What became of a rendering."""

    NEW = "new"
    SAME = "same"
    DIFFERS = "differs"


async def named_document(connection: asyncpg.Connection, tenant: int, number: str) -> str:
    """The id of the document with this number or id. Raises: NotFound; Conflict when several sellers have such a number."""
    rows = await connection.fetch(query("invoice_named"), tenant, number)
    if not rows:
        raise NotFound("invoice", number)
    if len(rows) > 1:
        raise Conflict(f"several sellers have a document {number}: {', '.join(row['id'] for row in rows)}")
    found: str = rows[0]["id"]
    return found


async def document_to_render(connection: asyncpg.Connection, tenant: int, invoice_id: str) -> ToRender:
    """What a rendering needs. Raises: NotFound."""
    row = await connection.fetchrow(query("invoice_to_render"), tenant, invoice_id)
    if row is None:
        raise NotFound("invoice", invoice_id)
    stored = await _stored(connection, tenant, invoice_id)
    e_invoice = "xml" in stored if stored else row["e_invoice"]
    return ToRender(invoice=_invoice.decode(row["content"]), e_invoice=e_invoice, stored=stored)


async def keep_rendering(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, made: Rendered, now: datetime
) -> Kept:
    """Store a rendering if none is, and say so in an event; from then on it waits to be sent. Else compare: the same one again
    changes nothing.

    Source: our choice, docs/rules.md "Documents".
    """
    async with connection.transaction():
        await connection.execute(query("invoice_hold"), tenant, invoice_id)
        stored = await _stored(connection, tenant, invoice_id)
        if stored == made.hashes:
            return Kept.SAME
        if stored:
            await _tell(connection, tenant, invoice_id, RENDERING_DIFFERS, made, now)
            return Kept.DIFFERS
        rows = [(tenant, invoice_id, kind, file, made.hashes[kind], now) for kind, file in made.files.items()]
        await connection.executemany(query("invoice_document_add"), rows)
        await _tell(connection, tenant, invoice_id, RENDERED, made, now)
        if made.is_sent:
            await connection.execute(query("delivery_add"), tenant, invoice_id, 0, now)
        return Kept.NEW


async def stored_file(connection: asyncpg.Connection, tenant: int, invoice_id: str, kind: str) -> bytes | None:
    """The stored "pdf" or "xml" of a document; None while it is not rendered, or when it is no e-invoice."""
    found: bytes | None = await connection.fetchval(query("invoice_document"), tenant, invoice_id, kind)
    return found


async def _stored(connection: asyncpg.Connection, tenant: int, invoice_id: str) -> dict[str, bytes]:
    rows = await connection.fetch(query("invoice_document_hashes"), tenant, invoice_id)
    return {row["kind"]: row["sha256"] for row in rows}


async def _tell(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, kind: str, made: Rendered, now: datetime
) -> None:
    """Add an event with the hashes, unless the newest of its kind says the same."""
    body = msgspec.json.encode(_told(made.hashes)).decode()
    if await connection.fetchval(query("invoice_event_newest"), tenant, invoice_id, kind, body):
        return
    await connection.execute(query("invoice_event_add"), tenant, invoice_id, now, kind, US, body)


def _told(hashes: Mapping[str, bytes]) -> dict[str, str]:
    return {kind: value.hex() for kind, value in hashes.items()}

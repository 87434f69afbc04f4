"""What do the tables say, seen from both sides?

Each list is a named query that returns what differs, bounded, with how many there are in all. The documents of a series are
read in portions and walked in order, so a series of any length takes little memory. It only reads.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from laddbok.flow.reconcile import MAX_NAMED, Chain, Checked, Document, Found, Item, listed, summed, together
from laddbok.store.billing import RENDER, seller_terms
from laddbok.store.receipt_jobs import RECEIPT
from laddbok.store.reminders import RENDER_REMINDER
from laddbok.store.sql import query
from laddbok.store.statements import RENDER_STATEMENT

FRAMES_SINCE = timedelta(days=7)
"""How far back messages are counted; all else is compared from the first day on."""
PORTION = 500
FILES_A_NIGHT = 5_000
"""Documents and statements whose files are hashed again in a night: some 250 MB. The next night goes on where this one was."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Whose files are looked at: the documents, with their reminders, and the statements after one and up to another (None: to the last),
    and some that are named."""

    after: str = ""
    through: str | None = None
    named: tuple[str, ...] = ()


ALL_FILES = Files()


async def files_of_the_night(connection: asyncpg.Connection, tenant: int, most: int = FILES_A_NIGHT) -> Files:
    """The files that are next, and those in which something was found the night before."""
    row = await connection.fetchrow(query("reconcile_next_files"), tenant, most)
    assert row is not None
    return Files(after=row["after"], through=row["through"], named=tuple(row["named"]))


async def reconcile(
    connection: asyncpg.Connection, tenant: int, now: datetime, files: Files = ALL_FILES
) -> tuple[Checked, ...]:
    """All checks of a tenant, at one moment of the database.

    Args: files, whose stored files are hashed again.
    Source: our choice, docs/rules.md "Reconciliation".
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        since = now - FRAMES_SINCE
        row = await connection.fetchrow(query("reconcile_figures"), tenant, since)
        assert row is not None
        figures: dict[str, int] = dict(row)
        missing, wrong = await _series(connection, tenant)
        return (
            summed("frames", figures, await _list(connection, "reconcile_frames", tenant, since)),
            summed("cdrs", figures, await _list(connection, "reconcile_cdrs", tenant)),
            summed("parts", figures, await _list(connection, "reconcile_parts", tenant)),
            listed("billed_once", await _list(connection, "reconcile_billed_once", tenant)),
            listed("to_nobody", await _list(connection, "reconcile_to_nobody", tenant)),
            listed("numbers", missing),
            listed("documents", wrong),
            listed("statements", await _list(connection, "reconcile_statements", tenant)),
            listed("rendered", await _rendered(connection, tenant)),
            listed("files", await _list(connection, "reconcile_files", tenant, *msgspec.structs.astuple(files))),
            listed("entries", await _list(connection, "reconcile_entries", tenant)),
            listed("receivables", await _list(connection, "reconcile_receivables", tenant)),
            listed("books", await _list(connection, "reconcile_books", tenant)),
            listed("reminders", await _list(connection, "reconcile_reminders", tenant)),
            listed("write_offs", await _list(connection, "reconcile_write_offs", tenant)),
            listed("payments", await _list(connection, "reconcile_payments", tenant)),
            listed("card_holds", await _list(connection, "reconcile_card_holds", tenant)),
            listed("receipts", await _list(connection, "reconcile_receipts", tenant, RECEIPT)),
        )


async def _rendered(connection: asyncpg.Connection, tenant: int) -> Found:
    """Documents, reminders and statements that lack their PDF."""
    reminders = await _list(connection, "reconcile_reminders_rendered", tenant, RENDER_REMINDER)
    statements = await _list(connection, "reconcile_statements_rendered", tenant, RENDER_STATEMENT)
    return together([await _list(connection, "reconcile_rendered", tenant, RENDER), reminders, statements])


async def _list(connection: asyncpg.Connection, name: str, *arguments: Any) -> Found:
    rows = await connection.fetch(query(name), *arguments, MAX_NAMED)
    return Found(tuple(Item(row["id"], row["detail"]) for row in rows), rows[0]["of"] if rows else 0)


async def _series(connection: asyncpg.Connection, tenant: int) -> tuple[Found, Found]:
    """What numbers are missing, and which documents don't fit, in all series."""
    rows = await connection.fetch(query("reconcile_positions_of_documents"), tenant)
    of_documents: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        of_documents[row["invoice_id"]] |= {"sessions": row["sessions"], "excl_vat": row["excl_vat"]}
    for row in await connection.fetch(query("reconcile_charges_of_documents"), tenant):
        of_documents[row["invoice_id"]]["charged"] = row["net"]
    accounts = {terms.seller.id: terms.accounts for terms in await seller_terms(connection, tenant, None)}
    missing, wrong = [], []
    for row in await connection.fetch(query("reconcile_series"), tenant):
        seller_id, kind = row["legal_entity_id"], row["kind"]
        walk = Chain(accounts[seller_id])
        async for document in _documents(connection, tenant, seller_id, kind, of_documents):
            walk.add(document)
        walk.end(f"{seller_id} {kind}", row["next_number"], row["last_hash"])
        missing.append(walk.missing)
        wrong.append(walk.wrong)
    return together(missing), together(wrong)


async def _documents(
    connection: asyncpg.Connection,
    tenant: int,
    seller_id: str,
    kind: str,
    of_documents: Mapping[str, Mapping[str, Any]],
) -> AsyncIterator[Document]:
    arguments = (tenant, seller_id, kind)
    async for row in connection.cursor(query("reconcile_documents"), *arguments, prefetch=PORTION):
        fields = dict(row) | {"amounts": None if row["amounts"] is None else tuple(row["amounts"])}
        yield Document(**fields, **of_documents.get(row["id"], {}))

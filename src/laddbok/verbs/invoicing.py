"""How do the verbs of `laddbok invoice` run?

A run first shows what would happen; with `--final` it happens. A month whose late sessions are still awaited is only made
final with `--early`.
"""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from tqdm import tqdm

from laddbok import app
from laddbok.billing.credit import CreditWish
from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_run import ends_before, is_final_time, month_of, period_of
from laddbok.flow.documents import rendered
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.invoice import Invoice
from laddbok.settings import Settings
from laddbok.store import billing
from laddbok.store.credit_notes import credit_invoice
from laddbok.store.database import Database, open_database
from laddbok.store.invoice_documents import document_to_render, named_document, stored_file
from laddbok.store.sql import query
from laddbok.workers.billing_run import BillingRun, RunResult

MAX_LISTED = 10_000
MAX_TOLD = 100
"""Reasons that are listed in words; --json has all."""


async def run_month(
    settings: Settings, month: str, seller_id: str | None, *, final: bool, early: bool, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Bill a month of a seller, or of all. Returns: what was done, or would be; exit code 1 when something is in the way.

    Raises: NotFound: there is no such seller. Conflict: late sessions of the month are still awaited.
    """
    now, answers, checks = settings.clock.now(), [], DocumentChecks(settings.einvoice_rules)
    async with opened(settings) as (database, connection, tenant):
        reader = await database.connect()
        try:
            for terms in await _sellers(connection, tenant, seller_id):
                period = period_of(month, terms, now)
                if final and not early and not is_final_time(period, terms):
                    raise Conflict(
                        f"{month} of {terms.seller.id}: late sessions are awaited {terms.draft_days} days more"
                    )
                run = BillingRun(connection, reader, tenant, terms, period)
                with tqdm(desc=run.id, unit=" customers", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
                    result = await run.run(now, "cli", checks, final=final, show=partial(_show, bar))
                left = await connection.fetch(
                    query("billing_left_out"), tenant, terms.seller.id, ends_before(period, terms)
                )
                answers.append(_answer(run.id, result, left))
        finally:
            await reader.close()
    if not as_json:
        for answer in answers:
            _print_run(answer)
    is_in_the_way = any(answer["in_the_way"] for answer in answers)
    return {"final": final, "runs": answers}, 1 if is_in_the_way else 0


async def show(settings: Settings, number: str, as_json: bool) -> dict[str, Any]:
    """The frozen content of a document. Raises: NotFound."""
    async with opened(settings) as (_, connection, tenant):
        row = await connection.fetchrow(query("invoice_content"), tenant, number)
    if row is None:
        raise NotFound("invoice", number)
    document = msgspec.json.decode(row["content"], type=Invoice)
    if not as_json:
        _print_document(document)
    answer: dict[str, Any] = msgspec.json.decode(row["content"])
    return answer | {"id": row["id"], "hash": row["hash"].hex()}


async def write_file(settings: Settings, number: str, kind: str, path: Path, as_json: bool) -> dict[str, Any]:
    """Write the PDF or the e-invoice of a document: `laddbok invoice pdf` and `xml`; the stored one, else one made now.

    Args: kind, "pdf" or "xml".
    Raises: NotFound; Conflict when several have the number; Invalid when the file can't be written, or a receipt is asked as XML.
    """
    async with opened(settings) as (_, connection, tenant):
        invoice_id = await named_document(connection, tenant, number)
        stored = await stored_file(connection, tenant, invoice_id, kind)
        work = await document_to_render(connection, tenant, invoice_id)
    file = stored or rendered(work.invoice, e_invoice=work.e_invoice or kind == "xml").files.get(kind)
    if file is None:
        raise Invalid(number, f"a {work.invoice.kind.value} is never sent as an e-invoice")
    try:
        path.write_bytes(file)
    except OSError as error:
        raise Invalid(str(path), f"can't be written: {error.strerror}") from None
    if not as_json:
        print(f"{path}: {len(file)} bytes, {'as it is stored' if stored else 'made now'}")
    told = {"id": invoice_id, "kind": kind, "file": str(path), "bytes": len(file)}
    return {**told, "sha256": sha256(file).hexdigest(), "is_stored": stored is not None}


async def list_month(settings: Settings, month: str, seller_id: str | None, as_json: bool) -> dict[str, Any]:
    """The documents of a month. Raises: Invalid when it is no month."""
    start = month_of(month)[0]
    async with opened(settings) as (_, connection, tenant):
        rows = await connection.fetch(query("invoices_of_month"), tenant, start, seller_id, MAX_LISTED)
    if not as_json:
        for row in rows:
            amount = f"{row['payable']:>12} {row['currency']}"
            print(f"{row['number_text']:>12} {row['kind']:12} {row['issue_date']} {amount}  {row['payer_id']}")
    return {"documents": [{name: _plain(value) for name, value in row.items()} for row in rows]}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value


async def credit(settings: Settings, number: str, wish: CreditWish, as_json: bool) -> dict[str, Any]:
    """Credit a document, whole or in part: `laddbok invoice credit`. Raises: NotFound, Conflict, Invalid."""
    async with opened(settings) as (_, connection, tenant):
        made = await credit_invoice(
            connection, tenant, number, wish, settings.clock.now(), "cli", DocumentChecks(settings.einvoice_rules)
        )
    if not as_json:
        _print_document(made.invoice)
        if not made.is_new:
            print("  it was made before by the same wish; nothing was done")
    content: dict[str, Any] = msgspec.to_builtins(made.invoice, str_keys=True)
    return content | {"id": made.id, "is_new": made.is_new}


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Database, asyncpg.Connection, int]]:
    """A database that is prepared, a connection to it, and the tenant of the command line."""
    async with open_database(settings.database_url, settings.state_folder) as database:
        await app.prepare_tenant(settings, database)
        connection = await database.connect()
        try:
            yield database, connection, await connection.fetchval(query("oldest_tenant"))
        finally:
            await connection.close()


async def _sellers(connection: asyncpg.Connection, tenant: int, seller_id: str | None) -> list[SellerTerms]:
    found = await billing.seller_terms(connection, tenant, seller_id)
    if seller_id is not None and not found:
        raise NotFound("legal entity", seller_id)
    return found


def _show(bar: "tqdm[Any]", result: RunResult) -> None:
    bar.n = result.customers
    bar.set_postfix_str(f"{result.documents} documents")


def _answer(run_id: str, result: RunResult, left_out: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """One run as JSON; `left_out` are sessions that are not priced yet: held for a person, or waiting."""
    told: dict[str, Any] = msgspec.to_builtins(result)
    left = [{"session_id": row["id"], "state": row["state"], "reasons": row["review_reasons"]} for row in left_out]
    return {"run": run_id, **told, "left_out": left}


def _print_run(answer: dict[str, Any]) -> None:
    print(
        f"{answer['run']}: {answer['documents']} documents over {answer['sessions']} sessions, {answer['net']} before VAT"
    )
    print(
        f"  {answer['nothing']} sessions came to nothing, {answer['netted']} positions were credited before they were billed"
    )
    for each in answer["in_the_way"][:MAX_TOLD]:
        print(f"  not billed: {each['payer_id'] or ''} {each['field']}: {each['reason']}")
    for each in answer["left_out"][:MAX_TOLD]:
        print(f"  not priced: session {each['session_id']} ({', '.join(each['reasons']) or each['state']})")


def _print_document(document: Invoice) -> None:
    print(f"{document.kind.value} {document.number}, {document.issue_date}, due {document.due_date}")
    print(f"{document.seller.name} to {document.buyer.name}")
    for line in document.lines:
        print(f"  {line.text.en:60} {line.quantity:>12} {line.unit.value:4} {line.net:>12} {line.vat.percent:>4} %")
    for each in document.vat:
        print(f"  VAT {each.rate.percent} % on {each.net}: {each.vat}")
    totals = document.totals
    print(f"  net {totals.net}, VAT {totals.vat}, gross {totals.gross}, to pay {totals.payable} {document.currency}")
    if document.refers_to is not None:
        print(f"  credits {document.refers_to.number} of {document.refers_to.issue_date}")
    if document.payment_reference is not None:
        print(f"  reference {document.payment_reference}")

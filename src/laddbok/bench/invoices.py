"""How long does it take to bill a month?

A database of its own is filled with priced sessions of October; then the run goes as `laddbok invoice run --final` does it:
read, draft, check, number, freeze, post. Ten in a hundred customers receive e-invoices. The documents are rendered
afterwards, some of them, one by one, to see what one takes.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from laddbok.bench import billing_data
from laddbok.flow.billing_run import Planned, period_of
from laddbok.flow.documents import rendered
from laddbok.model.billing import Customer
from laddbok.model.errors import LaddbokError
from laddbok.model.invoice import Invoice
from laddbok.store import billing
from laddbok.store.database import Database, open_database
from laddbok.workers.billing_run import BillingRun, Check, RunResult

RENDERED = 300
"""Documents that are rendered to see what one takes."""
NOW = datetime(2026, 11, 5, 9, tzinfo=UTC)


class BenchError(LaddbokError):
    """What was measured is not what was asked for."""


def bench_invoices(options: argparse.Namespace, check: Check) -> dict[str, Any]:
    """The figures of `laddbok bench invoices`.

    Args: options, `sessions` and `customers`; check, what the run asks of each document before it takes a number.
    """
    with tempfile.TemporaryDirectory(prefix="laddbok-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        return asyncio.run(_on_its_own(Path(folder) / "state", options.sessions, options.customers, check))


async def _on_its_own(folder: Path, sessions: int, customers: int, check: Check) -> dict[str, Any]:
    async with open_database(None, folder) as database:
        return await _measure(database, sessions, customers, check)


async def _measure(database: Database, sessions: int, customers: int, check: Check) -> dict[str, Any]:
    connection, reader = await database.connect(), await database.connect()
    try:
        tenant = await connection.fetchval(
            "INSERT INTO tenant (name, created_at) VALUES ('bench', $1) RETURNING tenant", NOW
        )
        await billing_data.fill(connection, tenant, customers, sessions)
        [terms] = await billing.seller_terms(connection, tenant, billing_data.SELLER)
        run = BillingRun(connection, reader, tenant, terms, period_of("2026-10", terms, NOW))
        began_s, cpu_s = time.perf_counter(), time.process_time()
        result = await run.run(NOW, "bench", check, final=True, show=_ignore)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        await _check(connection, result, sessions)
        documents = await _rendering(connection, check)
    finally:
        await connection.close()
        await reader.close()
    return {
        "sessions": result.sessions,
        "customers": customers,
        "invoices": result.documents,
        "seconds": round(took_s, 1),
        "cpu_s": round(cpu_s, 1),
        **documents,
    }


async def _rendering(connection: asyncpg.Connection, check: Check) -> dict[str, Any]:
    """What a document takes once the first ones are made: its PDF, and its e-invoice with the check of that."""
    rows = await connection.fetch(
        """SELECT i.content, p.e_invoice FROM invoice AS i JOIN payer AS p ON p.tenant = i.tenant AND p.id = i.payer_id
        ORDER BY i.number LIMIT $1""",
        RENDERED,
    )
    documents = [(msgspec.json.decode(row["content"], type=Invoice), row["e_invoice"]) for row in rows]
    pdf_ms = [_took_ms(partial(rendered, invoice, e_invoice=is_e_invoice)) for invoice, is_e_invoice in documents]
    planned = [
        Planned(Customer(buyer=invoice.buyer, e_invoice=True), invoice, ()) for invoice, sent in documents if sent
    ]
    xml_ms = [_took_ms(partial(check, each)) for each in planned]
    return {"pdf_ms": _warm(pdf_ms), "xml_ms": _warm(xml_ms)}


def _took_ms(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1_000


def _warm(took_ms: Sequence[float]) -> float | None:
    """The median of all but the first; None where there was one at most."""
    return round(statistics.median(took_ms[1:]), 1) if len(took_ms) > 1 else None


async def _check(connection: asyncpg.Connection, result: RunResult, sessions: int) -> None:
    """A run that lost something, or whose books don't balance, has no speed."""
    billed = await connection.fetchval("SELECT count(*) FROM billing_position WHERE outcome = 'billed'")
    balance = await connection.fetchval("SELECT sum(amount) FROM posting")
    if billed != sessions or balance != 0 or result.in_the_way:
        raise BenchError(f"billed {billed} of {sessions}, the books are off by {balance}, {result.in_the_way[:1]}")


def _ignore(result: RunResult) -> None:
    """The run tells how far it came; nobody asks here."""

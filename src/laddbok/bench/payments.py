"""How long does it take to find the invoices that a bank's file pays?

A database of its own is filled with a month that is billed, one invoice to each customer. Then a file of as many payments,
each with the reference of one invoice, is taken in as `laddbok payments import` does it: read, match, allocate, post.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from laddbok.bench import billing_data
from laddbok.flow.billing_run import period_of
from laddbok.model.errors import LaddbokError
from laddbok.model.payment import BankFile
from laddbok.store import billing
from laddbok.store.bank_import import import_file
from laddbok.store.database import Database, open_database
from laddbok.workers.billing_run import BillingRun, RunResult

ReadFile = Callable[[bytes], BankFile]
NOW = datetime(2026, 11, 5, 9, tzinfo=UTC)
PAID_ON = "2026-11-27"
A_BATCH = 500
"""Payments in one line of the account."""


class BenchError(LaddbokError):
    """What was measured is not what was asked for."""


def bench_payments(options: argparse.Namespace, read: ReadFile) -> dict[str, Any]:
    """The figures of `laddbok bench payments`. Args: options, how many `payments`; read, what reads a bank's file."""
    with tempfile.TemporaryDirectory(prefix="laddbok-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        return asyncio.run(_on_its_own(Path(folder) / "state", options.payments, read))


async def _on_its_own(folder: Path, payments: int, read: ReadFile) -> dict[str, Any]:
    async with open_database(None, folder) as database:
        connection = await database.connect()
        try:
            return await _measure(database, connection, payments, read)
        finally:
            await connection.close()


async def _measure(database: Database, connection: asyncpg.Connection, payments: int, read: ReadFile) -> dict[str, Any]:
    tenant = await connection.fetchval(
        "INSERT INTO tenant (name, created_at) VALUES ('bench', $1) RETURNING tenant", NOW
    )
    await billing_data.fill(connection, tenant, payments, payments)
    await _bill(database, connection, tenant)
    rows = await connection.fetch("SELECT payment_reference, payable FROM invoice ORDER BY number")
    content = file_of([(row["payment_reference"], str(row["payable"])) for row in rows])
    await connection.execute("ANALYZE")
    began_s, cpu_s = time.perf_counter(), time.process_time()
    told = await import_file(connection, tenant, read(content), content, "bench.xml", NOW, "bench")
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    open_sum = await connection.fetchval("SELECT sum(amount) FROM posting WHERE account = '1510'")
    if told.payments != payments or told.in_suspense or open_sum != 0:
        raise BenchError(f"{told.payments} of {payments} payments, {told.in_suspense} in suspense, {open_sum} are open")
    return {
        "payments": payments,
        "file_mb": round(len(content) / 1_000_000, 1),
        "seconds": round(took_s, 1),
        "cpu_s": round(cpu_s, 1),
        "payment_ms": round(took_s / payments * 1_000, 2),
    }


async def _bill(database: Database, connection: asyncpg.Connection, tenant: int) -> None:
    [terms] = await billing.seller_terms(connection, tenant, billing_data.SELLER)
    reader = await database.connect()
    try:
        run = BillingRun(connection, reader, tenant, terms, period_of("2026-10", terms, NOW))
        await run.run(NOW, "bench", lambda _: (), final=True, show=_ignore)
    finally:
        await reader.close()


def file_of(paid: Sequence[tuple[str, str]]) -> bytes:
    """A notification (camt.054) in which each of these references is paid with this amount.

    >>> file_of([("2026000123433", "66.55")]).count(b"<TxDtls>")
    1
    """
    entries = "".join(_entry(first, paid[first : first + A_BATCH]) for first in range(0, len(paid), A_BATCH))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02">'
        "<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>BENCH</MsgId></GrpHdr>"
        f"<Ntfctn><Acct><Id><Othr><Id>991-2346</Id></Othr></Id></Acct>{entries}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def _entry(first: int, paid: Sequence[tuple[str, str]]) -> str:
    total = sum(int(amount.replace(".", "")) for _, amount in paid)
    details = "".join(_details(paid))
    return (
        f'<Ntry><Amt Ccy="SEK">{total // 100}.{total % 100:02}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{PAID_ON}</Dt></BookgDt><AcctSvcrRef>B{first}</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _details(paid: Sequence[tuple[str, str]]) -> Iterator[str]:
    for reference, amount in paid:
        yield (
            f'<TxDtls><AmtDtls><TxAmt><Amt Ccy="SEK">{amount}</Amt></TxAmt></AmtDtls>'
            f"<RltdPties><Dbtr><Nm>Kund {reference}</Nm></Dbtr></RltdPties>"
            f"<RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
        )


def _ignore(_: RunResult) -> None:
    """How far the billing came; it is not what is measured."""

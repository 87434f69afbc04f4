"""Are the files of a document written once, by whoever comes first, and never replaced by others?"""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.bench import billing_data
from laddbok.flow.documents import rendered
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.settings import read_settings
from laddbok.store import billing
from laddbok.store.embedded import Dsn
from laddbok.store.invoice_documents import document_to_render, named_document, stored_file
from laddbok.store.postgres import PostgresStore
from laddbok.verbs import invoicing
from laddbok.workers.jobs import Worker
from laddbok.workers.render_invoice import InvoiceRenderer
from tests.rules.billing.pdf_text import embedded, page_texts
from tests.store.test_billing_run import NOW, run_october, tenant_of

CUSTOMERS, SESSIONS = 5, 20


def on(dsn: Dsn, work: Callable[[asyncpg.Connection, asyncpg.Connection, int], Any]) -> None:
    """Run on a database with a few customers, one of whom receives e-invoices."""

    async def main() -> None:
        connection, reader = await asyncpg.connect(**dsn), await asyncpg.connect(**dsn)
        try:
            tenant = await tenant_of(connection)
            await billing_data.fill(connection, tenant, CUSTOMERS, SESSIONS)
            await work(connection, reader, tenant)
        finally:
            await connection.close()
            await reader.close()

    asyncio.run(main())


async def work_all(dsn: Dsn, workers: int = 1) -> None:
    """Workers do every job that is due."""
    async with asyncpg.create_pool(**dsn, min_size=1, max_size=6) as pool:

        async def one(name: str) -> None:
            worker = Worker(
                name, PostgresStore(pool), lambda: NOW, {billing.RENDER: InvoiceRenderer(pool, lambda: NOW)}
            )
            while await worker.work_once():
                pass

        await asyncio.gather(*(one(f"w{n}") for n in range(workers)))


async def again(connection: asyncpg.Connection, tenant: int) -> None:
    await connection.execute(
        "INSERT INTO job (tenant, kind, key, due_at) SELECT tenant, $2, tenant || '/' || id, $3 FROM invoice WHERE tenant = $1",
        tenant,
        billing.RENDER,
        NOW,
    )


async def written(connection: asyncpg.Connection) -> dict[str, Any]:
    files = await connection.fetch("SELECT * FROM invoice_document ORDER BY invoice_id, kind")
    events = await connection.fetch(
        "SELECT invoice_id, kind, by, body::text FROM invoice_event ORDER BY invoice_id, number"
    )
    return {"files": [dict(row) for row in files], "events": [dict(row) for row in events]}


def test_every_document_has_its_files_once_and_doing_it_twice_changes_nothing(
    new_database: Callable[[], Dsn],
) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        await work_all(dsn, workers=2)
        first = await written(connection)
        pdfs = [each for each in first["files"] if each["kind"] == "pdf"]
        xmls = {each["invoice_id"]: each["bytes"] for each in first["files"] if each["kind"] == "xml"}
        assert (len(pdfs), len(xmls)) == (CUSTOMERS, 1)
        for each in first["files"]:
            assert each["sha256"] == sha256(each["bytes"]).digest()
        for each in pdfs:
            content = await connection.fetchval("SELECT content FROM invoice WHERE id = $1", each["invoice_id"])
            document = msgspec.json.decode(content, type=Invoice)
            assert str(document.number) in page_texts(each["bytes"])[0]
            inside = [xmls[each["invoice_id"]]] if each["invoice_id"] in xmls else []
            assert embedded(each["bytes"]) == inside
        assert [event["kind"] for event in first["events"]] == ["rendered"] * CUSTOMERS
        assert await connection.fetchval("SELECT count(*) FROM job WHERE kind = $1", billing.RENDER) == 0
        await again(connection, tenant)
        await work_all(dsn)
        assert await written(connection) == first

    on(dsn, work)


def test_who_stops_receiving_e_invoices_keeps_the_one_that_was_made(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        await work_all(dsn)
        first = await written(connection)
        await connection.execute("UPDATE payer SET e_invoice = NOT e_invoice")
        await again(connection, tenant)
        await work_all(dsn)
        assert await written(connection) == first

    on(dsn, work)


def test_other_bytes_are_told_once_and_replace_nothing(
    new_database: Callable[[], Dsn], caplog: pytest.LogCaptureFixture
) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        invoice_id = await connection.fetchval("SELECT id FROM invoice ORDER BY number LIMIT 1")
        other = b"%PDF of an older typesetter"
        await connection.execute(
            "INSERT INTO invoice_document VALUES ($1, $2, 'pdf', $3, $4, $5)", tenant, invoice_id, other, sha256(other).digest(), NOW
        )  # fmt: skip
        for _ in range(2):
            await work_all(dsn)
            await again(connection, tenant)
        assert await stored_file(connection, tenant, invoice_id, "pdf") == other
        made = rendered((await document_to_render(connection, tenant, invoice_id)).invoice, e_invoice=False)
        [event] = await connection.fetch("SELECT kind, body::text FROM invoice_event WHERE invoice_id = $1", invoice_id)
        assert (event["kind"], msgspec.json.decode(event["body"])) == (
            "rendering_differs", {"pdf": made.hashes["pdf"].hex()}
        )  # fmt: skip

    with caplog.at_level(logging.ERROR):
        on(dsn, work)
    assert "gives other files than those that are stored" in caplog.text


def test_stored_files_never_change(new_database: Callable[[], Dsn]) -> None:
    dsn = new_database()

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        await work_all(dsn)
        for statement in ("UPDATE invoice_document SET bytes = ''", "DELETE FROM invoice_document"):
            with pytest.raises(asyncpg.exceptions.RestrictViolationError):
                await connection.execute(statement)

    on(dsn, work)


def url_of(dsn: Dsn) -> str:
    return f"postgresql://{dsn['user']}@/{dsn['database']}?host={dsn['host']}"


def test_a_file_is_the_stored_one_or_made_now_and_the_same(new_database: Callable[[], Dsn], tmp_path: Path) -> None:
    dsn = new_database()
    settings = read_settings({"LADDBOK_DATABASE_URL": url_of(dsn), "LADDBOK_DATA": str(tmp_path / "state")})

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await run_october(connection, reader, tenant)
        number = await connection.fetchval(
            "SELECT i.number_text FROM invoice AS i JOIN payer AS p ON p.id = i.payer_id WHERE p.e_invoice LIMIT 1"
        )
        for kind in ("pdf", "xml"):
            path = tmp_path / f"{number}.{kind}"
            now = await invoicing.write_file(settings, number, kind, path, as_json=True)
            first = path.read_bytes()
            assert (now["is_stored"], now["bytes"], now["sha256"]) == (False, len(first), sha256(first).hexdigest())
        await work_all(dsn)
        for kind in ("pdf", "xml"):
            path = tmp_path / f"{number}.{kind}"
            before = path.read_bytes()
            told = await invoicing.write_file(settings, number, kind, path, as_json=True)
            assert (told["is_stored"], path.read_bytes()) == (True, before)
        with pytest.raises(NotFound):
            await named_document(connection, tenant, "4711")
        with pytest.raises(Invalid, match="can't be written"):
            await invoicing.write_file(settings, number, "pdf", tmp_path / "nowhere" / "a.pdf", as_json=True)

    on(dsn, work)


def test_a_receipt_is_never_an_e_invoice() -> None:
    from tests.rules.billing.papers import receipt

    made = rendered(receipt(), e_invoice=True)
    assert (receipt().kind, made.xml) == (InvoiceKind.RECEIPT, None)
    assert made.files.keys() == {"pdf"}

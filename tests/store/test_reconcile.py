"""Does reconciling find nothing where all is right, and name each thing that was broken on purpose?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest

from laddbok.billing.credit import CreditWish
from laddbok.flow.reconcile import Checked
from laddbok.model.payment import BANK, AllocationKind, Payment, Remitted
from laddbok.store.embedded import Dsn
from laddbok.store.payments import matched, record
from laddbok.store.reconcile import files_of_the_night, reconcile
from laddbok.store.sql import query
from laddbok.verbs.doctor import last_reconciliation
from laddbok.workers.reconciling import NightlyReconciler, due_since
from tests.store.test_billing_run import NOW, SESSIONS, on, run_october, terms_of
from tests.store.test_credit_notes import correct, credit

RENDERED = """
    WITH file AS (INSERT INTO invoice_document SELECT tenant, id, 'pdf', 'x', sha256('x'), finalised_at FROM invoice
        ON CONFLICT DO NOTHING RETURNING *)
    INSERT INTO invoice_event SELECT tenant, invoice_id, 90, rendered_at, 'rendered', 'laddbok',
        jsonb_build_object(kind, encode(sha256, 'hex')) FROM file"""


async def billed(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
    """October billed, one invoice credited, one session corrected and billed anew, one paid in part, all rendered."""
    await run_october(connection, reader, tenant)
    await credit(connection, tenant, "10000003", CreditWish(reason="Kulans"))
    session = await connection.fetchval("SELECT max(session_id) FROM billing_position WHERE invoice_id LIKE '%0000005'")
    await correct(connection, session, "0.5")
    await run_october(connection, reader, tenant)
    await pay(connection, tenant, "10000006")
    await connection.execute(RENDERED)
    await connection.execute("DELETE FROM job")


async def pay(connection: asyncpg.Connection, tenant: int, number: str) -> None:
    """A payment with an invoice's reference, for less than all of it."""
    reference = await connection.fetchval("SELECT payment_reference FROM invoice WHERE number_text = $1", number)
    payment = Payment(
        provider=BANK,
        reference="x1",
        received_on=NOW.date(),
        amount=Decimal("10.00"),
        currency="SEK",
        remitted=(Remitted(reference=reference),),
    )
    terms = await terms_of(connection, tenant)
    parts = await matched(connection, tenant, terms, payment)
    assert [part.kind for part in parts] == [AllocationKind.INVOICE]
    async with connection.transaction():
        assert await record(connection, tenant, terms, payment, parts, NOW) is not None


async def found(connection: asyncpg.Connection, tenant: int) -> dict[str, Checked]:
    return {each.check: each for each in await reconcile(connection, tenant, NOW)}


def test_where_all_is_right_every_check_is_0(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await billed(connection, reader, tenant)
        checks = await found(connection, tenant)
        assert [(name, each.differences, each.items) for name, each in checks.items() if each.differences] == []
        assert checks["cdrs"].counted == {
            "cdrs": SESSIONS + 2,
            "cdrs_billed": SESSIONS + 2,
            "cdrs_pending": 0,
            "cdrs_netted": 0,
            "cdrs_of_nothing": 0,
            "cdrs_shared": 0,
        }

    on(new_database(), work)


FIRST = "(SELECT min(id) FROM invoice WHERE kind = 'invoice')"
BROKEN = {
    "a document was taken out": (
        ["DELETE FROM posting", "DELETE FROM journal_entry", "DELETE FROM invoice_document", "DELETE FROM invoice_event",
         "UPDATE billing_position SET outcome = NULL, invoice_id = NULL WHERE invoice_id LIKE '%0000007'",
         "DELETE FROM invoice WHERE number_text = '10000007'"],
        {"numbers": "7: no document has this number",
         "documents": "norrladd-10000008: is not chained to the document before it"},
    ),
    "a document was altered": (
        [f"UPDATE invoice SET content = convert_to(replace(convert_from(content, 'UTF8'), 'Kund', 'Fund'), 'UTF8') WHERE id = {FIRST}"],
        {"documents": "norrladd-10000001: its hash is not that of its content"},
    ),
    "an amount was altered": (
        [f"UPDATE invoice SET payable = payable + 1 WHERE id = {FIRST}"],
        {"documents": "norrladd-10000001: its columns are not those of its content", "receivables": "norrladd-10000001: open"},
    ),
    "the last document was taken out": (
        ["UPDATE number_series SET next_number = next_number + 1, last_hash = 'x' WHERE kind = 'invoice'"],
        {"numbers": "32: no document has this number", "documents": "norrladd invoice: the series does not end with its last document"},
    ),
    "a posting was altered": (
        ["UPDATE posting SET amount = amount + 1 WHERE entry_id = 1 AND line = 1"],
        {"entries": "is off by 1", "documents": "its journal entry is not what follows from it", "receivables": "in the books"},
    ),
    "a position was forgotten": (
        ["DELETE FROM billing_position WHERE invoice_id LIKE '%0000009' AND kind = 'cdr'"],
        {"cdrs": "cdr of revision 1 is no position", "documents": "its sessions are not the positions that it bills"},
    ),
    "a session is settled without a CDR": (
        ["UPDATE session SET state = 'void' WHERE id = (SELECT max(id) FROM session)"],
        {"cdrs": "void with 1 CDRs that stand"},
    ),
    "a session is billed twice": (
        ["UPDATE billing_position SET kind = 'cdr', revision = 3 WHERE kind = 'credit'"],
        {"billed_once": "3 positions are billed"},
    ),
    "a document was not rendered": (["DELETE FROM invoice_document WHERE invoice_id LIKE '%0000002'"], {"rendered": "10000002"}),
    "a file was altered": (
        ["UPDATE invoice_document SET bytes = 'y' WHERE invoice_id LIKE '%0000002'"],
        {"files": "norrladd-10000002: pdf: its hash is not that of its bytes"},
    ),
    "a file was altered, and its hash with it": (
        ["UPDATE invoice_document SET bytes = 'y', sha256 = sha256('y') WHERE invoice_id LIKE '%0000002'"],
        {"files": "norrladd-10000002: pdf: is not what was rendered"},
    ),
    "a payment was altered": (
        ["UPDATE payment SET amount = 11", "UPDATE payment_allocation SET amount = 11"],
        {"payments": "paid 11, in the books 10.00", "receivables": "norrladd-10000006: open"},
    ),
    "a payment was taken out": (
        ["DELETE FROM payment_allocation", "DELETE FROM payment"],
        {"payments": "in the books, and no payment", "receivables": "norrladd-10000006: open"},
    ),
    "a card is held for no session": (
        ["""INSERT INTO card_hold (tenant, id, legal_entity_id, session_id, provider, amount, currency, state, created_at)
         VALUES (1, 'x', 'norrladd', 'NONE', 'fake', 1, 'SEK', 'wanted', now())"""],
        {"card_holds": "for session NONE"},
    ),
    "a session is called credited, and is not": (
        ["UPDATE billing_position SET outcome = 'netted', invoice_id = NULL WHERE invoice_id LIKE '%0000009'"],
        {"billed_once": "revision 1 was netted alone"},
    ),
    "a session is called worthless, and is not": (
        ["UPDATE billing_position SET outcome = 'nothing', invoice_id = NULL WHERE invoice_id LIKE '%0000009'"],
        {"billed_once": "cdr of revision 1 came to nothing, and is worth"},
    ),
    "an entry has no document": (
        ["""INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
         VALUES (1, 'norrladd', '2026-11-05', 'x', 'invoice', 'norrladd-19999999', now())"""],
        {"entries": "invoice norrladd-19999999: in the books, and no document"},
    ),
    "a document was given to another customer": (
        [f"UPDATE invoice SET payer_id = 'p-000009' WHERE id = {FIRST}"],
        {"documents": "norrladd-10000001: its columns are not those of its content"},
    ),
    "a document got another reference": (
        [f"UPDATE invoice SET payment_reference = '10000099' WHERE id = {FIRST}"],
        {"documents": "norrladd-10000001: its columns are not those of its content"},
    ),
    "a credit note was hung on another invoice": (
        ["UPDATE invoice SET refers_to = 'norrladd-10000001' WHERE id = 'norrladd-50000001'"],
        {"documents": "norrladd-50000001: its columns are not those of its content"},
    ),
    "a session is in another currency than its seller's": (
        ["UPDATE cdr SET currency = 'EUR' WHERE (session_id, kind) IN (SELECT session_id, kind FROM billing_position WHERE contract_id = 'c-000004')",
         "UPDATE billing_position SET outcome = NULL, invoice_id = NULL, currency = 'EUR' WHERE contract_id = 'c-000004'"],
        {"to_nobody": "in EUR, and its seller bills in SEK"},
    ),
    "nobody pays": (
        ["DELETE FROM contract_payer WHERE contract_id = 'c-000004'",
         "UPDATE billing_position SET outcome = NULL, invoice_id = NULL WHERE contract_id = 'c-000004'"],
        {"to_nobody": "nobody pays", "documents": "its sessions are not the positions that it bills"},
    ),
    "there is no seller": (
        ["UPDATE billing_position SET outcome = NULL, invoice_id = NULL, legal_entity_id = NULL WHERE contract_id = 'c-000004'"],
        {"to_nobody": "no seller"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_was_broken_is_named(new_database: Callable[[], Dsn], case: str) -> None:
    statements, wanted = BROKEN[case]

    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await billed(connection, reader, tenant)
        for table in (
            "invoice",
            "posting",
            "journal_entry",
            "billing_position",
            "invoice_document",
            "invoice_event",
            "payment",
            "payment_allocation",
            "cdr",
        ):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for name in ("billing_position_tenant_session_id_revision_kind_fkey",):
            await connection.execute(f"ALTER TABLE billing_position DROP CONSTRAINT {name}")
        for statement in statements:
            await connection.execute(statement)
        checks = await found(connection, tenant)
        for check, told in wanted.items():
            assert checks[check].differences > 0
            assert any(told in f"{item.id}: {item.detail}" for item in checks[check].items), checks[check]

    on(new_database(), work)


async def put_frames(connection: asyncpg.Connection, tenant: int) -> None:
    """A station with five messages: two of a session, an orphan, one of nobody; and one that was rejected."""
    await connection.execute("SELECT laddbok_frame_partition($1::date)", NOW.date())
    station = await connection.fetchval(
        """INSERT INTO station (tenant, identity, site_id, admitted_at) VALUES ($1, 'CP-1', 'torget', $2)
        RETURNING station_no""",
        tenant,
        NOW,
    )
    actions = ("StartTransaction", "MeterValues", "StopTransaction", "StopTransaction", "StatusNotification")
    for seq, action in enumerate(actions):
        await connection.execute(
            """INSERT INTO frame (received_at, tenant, station_no, connection_epoch, seq, direction, protocol, message_id, action,
            raw) VALUES ($1, $2, $3, 1, $4, 'i', '6', $5, $6, '[2,"a","x",{"transactionId":7}]')""",
            NOW - timedelta(minutes=10 - seq),
            tenant,
            station,
            seq,
            str(seq),
            action,
        )
    session = await connection.fetchval("SELECT min(id) FROM session")
    await connection.execute(
        """INSERT INTO session_range (tenant, session_id, number, station_no, from_epoch, from_seq, to_epoch, to_seq, from_at,
        to_at) VALUES ($1, $2, 1, $3, 1, 0, 1, 1, $4, $4)""",
        tenant,
        session,
        station,
        NOW,
    )
    await connection.execute(
        "INSERT INTO orphan VALUES ($1, $2, 1, 2, $3, 'StopTransaction', '8')", tenant, station, NOW
    )
    await connection.execute(
        """INSERT INTO quarantine (tenant, received_at, station_no, connection_epoch, seq, reason, raw)
        VALUES ($1, $2, $3, 1, 9, 'bad', 'x')""",
        tenant,
        NOW,
        station,
    )


def test_a_message_of_nobody_is_named(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await put_frames(connection, tenant)
        check = (await found(connection, tenant))["frames"]
        assert check.counted == {
            "frames_in": 5,
            "frames_of_sessions": 2,
            "frames_orphaned": 1,
            "frames_rejected": 1,
        }
        assert check.differences == 1
        assert [(item.id, item.detail) for item in check.items] == [("1/1/3", "StopTransaction")]

    on(new_database(), work)


def test_every_night_each_tenant_is_reconciled_once(new_database: Callable[[], Dsn]) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        clock = [NOW]
        pool: Any = OneConnection(connection)
        nightly = NightlyReconciler(pool, lambda: clock[0])
        assert (await last_reconciliation(connection))["detail"][:7] == "not yet"
        assert [await nightly.once(), await nightly.once()] == [1, 0]
        clock[0] = datetime(2026, 11, 6, 2, 59, tzinfo=UTC)
        assert await nightly.once() == 0
        assert (await last_reconciliation(connection))["ok"] is True
        await connection.execute("UPDATE session SET state = 'void' WHERE id = (SELECT max(id) FROM session)")
        clock[0] = datetime(2026, 11, 6, 3, tzinfo=UTC)
        assert await nightly.once() == 1
        rows = await connection.fetch("SELECT differences FROM reconciliation ORDER BY at")
        assert [row["differences"] for row in rows] == [0, 1]
        told = await last_reconciliation(connection)
        assert (told["ok"], told["detail"][:33]) == (False, "1 differences on 2026-11-06 03:00")
        assert due_since(NOW) == datetime(2026, 11, 5, 3, tzinfo=UTC)

    on(new_database(), work)


def test_files_are_hashed_again_a_portion_a_night_and_what_was_found_in_one_stays_named(
    new_database: Callable[[], Dsn],
) -> None:
    async def work(connection: asyncpg.Connection, reader: asyncpg.Connection, tenant: int) -> None:
        await billed(connection, reader, tenant)
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM invoice ORDER BY id")]
        await connection.execute("ALTER TABLE invoice_document DISABLE TRIGGER USER")
        await connection.execute("UPDATE invoice_document SET bytes = 'y' WHERE invoice_id = $1", ids[3])
        looked, named = [], []
        for night in range(5):
            files = await files_of_the_night(connection, tenant, most=len(ids) // 2)
            checks = await reconcile(connection, tenant, NOW, files)
            [told] = [each for each in checks if each.check == "files"]
            looked.append((files.after, files.through))
            named.append([item.id for item in told.items])
            body = msgspec.json.encode(checks).decode()
            at = NOW + timedelta(days=night)
            await connection.execute(query("reconciliation_keep"), tenant, at, told.differences, body, files.through)
        half, end = ids[len(ids) // 2 - 1], ids[len(ids) // 2 * 2 - 1]
        assert looked == [("", half), (half, end), (end, None), ("", half), (half, end)]
        assert named == [[ids[3]]] * 5

    on(new_database(), work)


class OneConnection:
    """A pool of one connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def acquire(self) -> "OneConnection":
        return self

    async def __aenter__(self) -> asyncpg.Connection:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """It stays open."""

"""What do tests of receipts share? A session that somebody pays at once, with all that works on it."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from laddbok.bench import billing_data
from laddbok.bench.rating import ZONE
from laddbok.billing_checks import DocumentChecks
from laddbok.flow.changes import Job
from laddbok.flow.store import LeasedJob
from laddbok.model.ids import session_id
from laddbok.model.invoice import Invoice
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.store.embedded import Dsn
from laddbok.store.payment_requests import NewRequest, add_hold, add_request
from laddbok.store.postgres import PostgresStore
from laddbok.store.reconcile import reconcile
from laddbok.workers.held_sessions import HeldSessions
from laddbok.workers.payments import HoldKeeper, PaymentAsker, RefundSender
from laddbok.workers.receipts import Receipts
from laddbok.workers.render_invoice import InvoiceRenderer
from tests.edge.fake_provider import FakeProvider
from tests.edge.test_payment_providers import NOW, Desk, providers_of

CHECKS = DocumentChecks(Path("no-rules"))
SESSION = session_id(1, 9, 1)
PRICE = parse_tariff({
    "id": "ad-hoc", "currency": "SEK", "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "5.00", "vat": 25, "step_size": 1}]}],
})  # fmt: skip


class Station(Desk):
    """A desk with a session that somebody without a contract pays at once."""

    def __init__(self, connection: asyncpg.Connection, pool: asyncpg.Pool, tenant: int, fake: FakeProvider) -> None:
        super().__init__(connection, pool, tenant, fake)
        sessions = HeldSessions(PostgresStore(pool), pool, lambda: self.at)
        providers = providers_of(fake, answer_s=30)
        self.asker = PaymentAsker(pool, providers, lambda: self.at)
        self.sender = RefundSender(pool, providers, lambda: self.at)
        self.keeper = HoldKeeper(pool, providers, lambda: self.at, sessions.cost_of, sessions.stop)
        self.receipts = Receipts(pool, lambda: self.at, CHECKS)
        self.renderer = InvoiceRenderer(pool, lambda: self.at)
        self.pool = pool
        self.fake = fake
        self.dsn: Dsn = {}

    async def begin(self, state: str = "ended") -> None:
        """A session that has ended and is not priced yet."""
        body = msgspec.json.encode({"seller_id": billing_data.SELLER, "meter": {"begin_wh": 1_000, "mark_wh": 21_000}})
        await self.connection.execute(
            """INSERT INTO session (tenant, id, origin, station, site_id, state, version, started_at, ended_at, energy_wh, body)
            VALUES ($1, $2, 'station', 'CP-1', $3, $4, 1, $5, $6, 20000, $7::text::jsonb)""",
            self.tenant, SESSION, billing_data.SITE, state, NOW - timedelta(hours=3), NOW - timedelta(hours=1), body.decode(),
        )  # fmt: skip

    async def price(self, wh: int, revision: int = 1) -> Decimal:
        """Settle the session, as the worker does: the CDR before is credited, and this one is issued. Returns: its cost."""
        if revision > 1:
            await self.void(revision - 1, state="settled")
        cdr = msgspec.structs.replace(billing_data._cdr(random.Random(1), 1), session_id=SESSION, energy_wh=wh)
        charging = msgspec.structs.replace(cdr.periods[0], energy_wh=wh)
        cdr = msgspec.structs.replace(cdr, periods=(charging,), revision=revision)
        rating = rate(cdr, compile_tariff(PRICE, ZONE))
        await self.connection.execute(
            """INSERT INTO cdr (tenant, session_id, revision, kind, issued_at, energy_wh, currency, excl_vat, incl_vat, tariff_id,
            tariff_version, document, rating) VALUES ($1, $2, $3, 'cdr', $4, $5, 'SEK', $6, $7, 'x', 1, $8::text::jsonb,
            $9::text::jsonb)""",
            self.tenant, SESSION, revision, self.at, wh, rating.excl_vat, rating.incl_vat,
            msgspec.json.encode(cdr).decode(), msgspec.json.encode(rating).decode(),
        )  # fmt: skip
        await self.connection.execute("UPDATE session SET state = 'settled' WHERE id = $1", SESSION)
        assert rating.incl_vat is not None
        return rating.incl_vat

    async def void(self, revision: int, state: str = "void") -> None:
        """Credit the CDR, as the worker does."""
        await self.connection.execute(
            """INSERT INTO cdr SELECT tenant, session_id, revision, 'credit', $3, energy_wh, currency, -excl_vat, -incl_vat,
            tariff_id, tariff_version, document, rating FROM cdr WHERE session_id = $1 AND revision = $2 AND kind = 'cdr'""",
            SESSION, revision, self.at,
        )  # fmt: skip
        await self.connection.execute("UPDATE session SET state = $2 WHERE id = $1", SESSION, state)

    async def on_card(self, amount: str = "500") -> str:
        """A hold that the card's issuer has set aside."""
        hold_id = await add_hold(
            self.connection, self.tenant, billing_data.SELLER, SESSION, "stripe", Decimal(amount), None, "SEK", self.at
        )
        await self.work(self.keeper, hold_id)
        self.fake.authorise(f"pi_request-{hold_id}")
        await self.work(self.keeper, hold_id)
        return hold_id

    async def by_phone(self, amount: str, **more: str) -> str:
        """A payment by phone that was made."""
        wanted = NewRequest(provider="swish", amount=Decimal(amount), message="x", **{"session_id": SESSION, **more})
        request_id = await add_request(self.connection, self.tenant, billing_data.SELLER, wanted, self.at)
        await self.work(self.asker, request_id)
        self.fake.pay(request_id)
        await self.work(self.asker, request_id)
        return request_id

    async def jobs(self) -> None:
        """Do what is queued until nothing is left: receipts, refunds, files."""
        does: dict[str, Any] = {
            "receipt": self.receipts, "send_refund": self.sender, "render_invoice": self.renderer, "card_hold": self.keeper,
            "ask_payment": self.asker,
        }  # fmt: skip
        for _ in range(40):
            row = await self.connection.fetchrow(NEXT_JOB, self.at)
            if row is None:
                return
            job = Job(tenant=self.tenant, kind=row["kind"], key=row["key"], due_at=self.at)
            again_at = await does[row["kind"]](LeasedJob(id=1, job=job, attempts=1, requests=1))
            if again_at is not None:
                self.at = max(self.at, again_at)
                await self.connection.execute(
                    "INSERT INTO job (tenant, kind, key, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    self.tenant, row["kind"], row["key"], self.at,
                )  # fmt: skip
        raise AssertionError("the jobs never end")

    async def documents(self) -> list[Invoice]:
        rows = await self.connection.fetch(IN_ORDER)
        return [msgspec.json.decode(row["content"], type=Invoice) for row in rows]

    async def is_reconciled(self) -> None:
        """A reconciliation finds nothing."""
        checks = await reconcile(self.connection, self.tenant, self.at)
        assert [(each.check, each.items) for each in checks if each.differences] == []

    async def all_is_right(self) -> None:
        """And the driver has nothing to its credit."""
        await self.is_reconciled()
        assert "2420" not in await self.books()


IN_ORDER = "SELECT i.content FROM invoice AS i JOIN journal_entry AS e ON e.source_id = i.id ORDER BY e.id"
NEXT_JOB = """DELETE FROM job WHERE id = (SELECT id FROM job WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1)
RETURNING kind, key"""


def on(dsn: Dsn, fake: FakeProvider, work: Callable[[Station], Coroutine[Any, Any, None]]) -> None:
    """Run on a database with a new tenant in it."""
    on_database(dsn, fake, work, tenant=None)


def on_database(
    dsn: Dsn, fake: FakeProvider, work: Callable[[Station], Coroutine[Any, Any, None]], tenant: int | None
) -> None:
    """Run for a tenant that is filled with a seller, a site and customers; None: a new one."""

    async def main() -> None:
        connection = await asyncpg.connect(**dsn)
        pool = await asyncpg.create_pool(**dsn, min_size=1, max_size=4)
        try:
            number = tenant or await connection.fetchval(
                "INSERT INTO tenant (name, created_at) VALUES ('T', $1) RETURNING tenant", NOW
            )
            await billing_data.fill(connection, number, 3, 0)
            station = Station(connection, pool, number, fake)
            station.dsn = dsn
            await work(station)
            assert sum((await station.books()).values(), Decimal(0)) == 0
        finally:
            await pool.close()
            await connection.close()

    asyncio.run(main())

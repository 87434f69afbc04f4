"""What do the tests of finance share? A month of priced sessions, billed by the worker's own code, and who else asks."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from laddbok.bench import billing_data
from laddbok.billing_checks import DocumentChecks
from laddbok.flow.billing_jobs import BILLING_PLAN, BILLING_RUN
from laddbok.flow.store import LeasedJob
from laddbok.store.billing import RENDER
from laddbok.store.postgres import PostgresStore
from laddbok.workers.billing_jobs import Biller
from laddbok.workers.jobs import Worker
from tests.edge.api.conftest import RunningApi

AFTER = datetime(2026, 11, 10, 9, tzinfo=UTC)
CUSTOMERS, SESSIONS = 20, 120
SELLER = billing_data.SELLER
OCTOBER = {"seller_id": SELLER, "month": "2026-10"}
STRANGER = "stranger-key-0123456789abcdef"
PUT_OFF = timedelta(minutes=1)
READER = "reader-key-0123456789abcdef"


def as_(api: RunningApi, key: str) -> httpx.Client:
    return httpx.Client(base_url=f"{api.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)


def work(api: RunningApi, tmp_path: Path) -> None:
    """Do the jobs that are due, as a worker does; documents are rendered by another."""

    async def run() -> None:
        pool = await asyncpg.create_pool(**api.dsn, min_size=1, max_size=4)
        try:
            store = PostgresStore(pool)
            biller = Biller(lambda: asyncpg.connect(**api.dsn), api.clock.now, DocumentChecks(tmp_path))
            # What is put off for a moment, for the run before still holds its place, is taken the next time round.
            worker = Worker(
                "w", store, lambda: api.clock.now() + PUT_OFF, {BILLING_PLAN: biller, BILLING_RUN: biller, RENDER: left}
            )
            while await pool.fetchval("SELECT count(*) FROM job WHERE kind LIKE 'billing%' AND failed_at IS NULL"):
                await worker.work_once()
        finally:
            await pool.close()

    asyncio.run(run())


async def left(_: LeasedJob) -> datetime | None:
    return AFTER.replace(year=2027)


@pytest.fixture(scope="module")
def filled(api: RunningApi) -> RunningApi:
    """Sessions of October, priced; a second tenant with a key, and a reader."""

    async def fill() -> None:
        connection = await asyncpg.connect(**api.dsn)
        try:
            await billing_data.fill(connection, 1, CUSTOMERS, SESSIONS)
            await connection.execute("INSERT INTO tenant (name, created_at) VALUES ('other', now())")
            for tenant, key, role in ((2, STRANGER, "administrator"), (1, READER, "reader")):
                await connection.execute(
                    "INSERT INTO api_key (tenant, id, digest, role, created_at) VALUES ($1, $2, sha256($3::text::bytea), $4, now())",
                    tenant, f"k{tenant}{role}", key, role,
                )  # fmt: skip
        finally:
            await connection.close()

    asyncio.run(fill())
    return api


@pytest.fixture(scope="module")
def billed(filled: RunningApi, tmp_path_factory: pytest.TempPathFactory) -> RunningApi:
    """October is final, but for the customers with e-invoices: the official rules are not at hand."""
    filled.clock.at = AFTER
    folder = tmp_path_factory.mktemp("no-rules")
    assert filled.client.post("/billing-runs/plan", json=OCTOBER).status_code == 202
    work(filled, folder)
    assert filled.client.post("/billing-runs", json=OCTOBER).status_code == 202
    work(filled, folder)
    return filled


def get(api: RunningApi, path: str, **params: Any) -> Any:
    answer = api.client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one(api: RunningApi) -> str:
    return str(get(api, "/invoices", limit=1, state="open")["items"][0]["id"])

"""Where is the page of an invoice that its customer can open without a log-in?"""

from datetime import datetime

import asyncpg

from laddbok.billing.receipt_token import is_genuine, named, token_of
from laddbok.store.reads import POOL_TIMEOUT_S
from laddbok.store.sql import query

PAGE = "/receipt"


async def receipt_path(pool: asyncpg.Pool, tenant: int, invoice_id: str, now: datetime) -> str:
    """The path of the page; the tenant's secret is made when it is first needed."""
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        secret = await owner.fetchval(query("receipt_secret"), tenant)
        if secret is None:
            await owner.execute(query("receipt_secret_make"), tenant, now)
            secret = await owner.fetchval(query("receipt_secret"), tenant)
    return f"{PAGE}/{token_of(tenant, invoice_id, secret)}"


async def opened_by(pool: asyncpg.Pool, token: str) -> tuple[int, str] | None:
    """The tenant and document whose page this token opens; None: none."""
    found = named(token)
    if found is None:
        return None
    async with pool.acquire(timeout=POOL_TIMEOUT_S) as owner:
        secret = await owner.fetchval(query("receipt_secret"), found[0])
    return found if secret is not None and is_genuine(token, secret) else None

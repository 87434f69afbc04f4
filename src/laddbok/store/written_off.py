"""How does a write-off give way to what is paid after all, or is no longer owed?

In the same transaction: whoever lowers what is open of an invoice, by a payment, a credit note or a cancelled claim, lets what was
written off on it give way, as far as it would be owed the other way. The invoice is held meanwhile, so steps come one by one.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.write_off import Ground, entry_of_write_off, given_way
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import NotFound
from laddbok.model.write_off import WriteOff, WriteOffKind
from laddbok.store.credits import with_credits
from laddbok.store.journal import post
from laddbok.store.sql import query

BY_LADDBOK = "laddbok"
_step = msgspec.json.Decoder(WriteOff)
_encode = msgspec.json.Encoder(order="deterministic").encode


async def give_way(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    invoice_ids: Iterable[str],
    kind: WriteOffKind,
    now: datetime,
) -> None:
    """Take back what was written off on invoices of a seller as far as it is more than what is open, in the caller's transaction.

    Args: kind, why less is open. Source: our choice, docs/rules.md "Write-off".
    """
    wanted = sorted(set(invoice_ids))
    held = await connection.fetch(query("write_offs_hold"), tenant, wanted) if wanted else ()
    day = now.astimezone(ZoneInfo(terms.time_zone)).date()
    for row in held:
        step = given_way(await ground_of(connection, tenant, terms, row["id"]), kind, day)
        if step is not None:
            await take_step(connection, tenant, terms, step, now, BY_LADDBOK)


async def ground_of(connection: asyncpg.Connection, tenant: int, terms: SellerTerms, invoice_id: str) -> Ground:
    """An invoice with what is open of it and the steps that were taken. Raises: NotFound."""
    row = await connection.fetchrow(query("write_off_ground"), tenant, invoice_id)
    if row is None:
        raise NotFound("invoice", invoice_id)
    found = await with_credits(connection, tenant, terms.seller.id, [row["number"]])
    steps = await connection.fetch(query("write_off_steps"), tenant, invoice_id)
    return Ground(
        invoice_id=invoice_id,
        credits=found[row["number"]],
        open=row["open"],
        principal=row["principal"],
        steps=tuple(_step.decode(each["content"]) for each in steps),
    )


async def take_step(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, step: WriteOff, now: datetime, by: str,
    *, reason: str = "", key: str | None = None,
) -> None:  # fmt: skip
    """Write a step with its journal entry and its event, in the caller's transaction."""
    row = await connection.fetchrow(query("write_off_ground"), tenant, step.invoice_id)
    assert row is not None, step.invoice_id
    await connection.execute(
        query("write_off_add"), tenant, step.invoice_id, step.number, terms.seller.id, step.kind.value, step.day,
        step.currency, step.amount, key, reason, now, by, _encode(step),
    )  # fmt: skip
    entry = entry_of_write_off(step, row["payer_id"], row["number"], terms.accounts)
    await post(connection, tenant, terms.seller.id, [entry], now)
    body = {"number": step.number, "why": step.kind.value, "amount": str(step.amount), "reason": reason}
    kind = "written_off" if step.amount > 0 else "write_off_taken_back"
    told = msgspec.json.encode(body).decode()
    await connection.execute(query("invoice_event_add"), tenant, step.invoice_id, now, kind, by, told)

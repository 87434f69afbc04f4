"""How does `laddbok payments` run?

A bank's file is read whole, then taken in by one transaction; the same file again has no effect.
"""

from pathlib import Path
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.settings import Settings
from laddbok.store.bank_import import import_file
from laddbok.store.reads import Filters, read_rows
from laddbok.store.sql import query
from laddbok.verbs.books import opened
from laddbok.wires.bank_files import read_bank_file
from laddbok.wires.bank_xml import MAX_FILE_BYTES


async def take_in(settings: Settings, file: str, as_json: bool) -> dict[str, Any]:
    """Take a bank's file in. Returns: what it brought. Raises: Invalid: it can't be read, or used; nothing is taken in."""
    content = _content(Path(file))
    read = read_bank_file(content)
    async with opened(settings) as (connection, tenant):
        told = await import_file(connection, tenant, read, content, Path(file).name, settings.clock.now(), "cli")
    if not as_json:
        if not told.is_new:
            print(f"{told.message_id} was imported before: no effect")
        else:
            print(
                f"{told.message_id}: {told.payments} payments in {told.entries} entries, {told.known} entries known, "
                f"{told.pending} not booked yet"
            )
            print(f"  {told.in_suspense} in suspense, {told.refund_tasks} to be paid back")
    answer: dict[str, Any] = msgspec.to_builtins(told)
    return answer


async def show(settings: Settings, limit: int, as_json: bool, *, in_suspense: bool) -> dict[str, Any]:
    """The latest payments, or only those of which a part is in suspense. Returns: them, and what is in suspense in all."""
    async with opened(settings) as (connection, tenant):
        filters = Filters()
        filters.add("p.tenant = ?", tenant)
        if in_suspense:
            filters.add("coalesce(a.suspense, 0) <> ?", 0)
        rows = await read_rows(connection, "payment_rows", filters, limit)
        sums = await connection.fetch(query("suspense_sums"), tenant)
    items = [dict(row) for row in rows]
    if not as_json:
        for each in items:
            print(
                f"{each['received_on']} {each['amount']:>14} {each['currency']}  {each['id']}  {each['payer_name'] or ''}"
                f"  suspense {each['suspense']}, credit {each['balance']}  {each['reason']}  {each['text'][:40]}"
            )
        for each in sums:
            print(f"in suspense: {each['amount']} {each['currency']} of {each['payments']} payments")
    return {"payments": items, "suspense": [dict(row) for row in sums]}


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(str(path), f"can't be read: {error.strerror}") from None

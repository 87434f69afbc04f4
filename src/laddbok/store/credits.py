"""What is left of a final document, and how is it credited once and never too much?

The series of credit notes is held while what is left is read and taken, so two people who credit the same document at the same
moment come one after the other, and the second sees what the first took.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import asyncpg
import msgspec

from laddbok.billing.credit import check_credit, remaining
from laddbok.model.invoice import Invoice, VatRate
from laddbok.store.sql import query

_invoice = msgspec.json.Decoder(Invoice)


async def with_credits(
    connection: asyncpg.Connection, tenant: int, seller_id: str, numbers: Iterable[str]
) -> dict[str, tuple[Invoice, list[Invoice]]]:
    """Final documents by number, each with the credit notes to it."""
    found: dict[str, tuple[Invoice, list[Invoice]]] = {}
    for row in await connection.fetch(query("invoices_with_credits"), tenant, seller_id, list(numbers)):
        document = _invoice.decode(row["content"])
        if row["of"] is None:
            found[row["number_text"]] = (document, [])
        else:
            found[row["of"]][1].append(document)
    return found


async def left_of(
    connection: asyncpg.Connection, tenant: int, seller_id: str, numbers: Iterable[str]
) -> dict[str, dict[VatRate, Decimal]]:
    """What is left of documents, by number and VAT category."""
    found = await with_credits(connection, tenant, seller_id, numbers)
    return {number: remaining(document, credits) for number, (document, credits) in found.items()}


async def check_left(connection: asyncpg.Connection, tenant: int, seller_id: str, notes: Sequence[Invoice]) -> None:
    """Raises: Invalid when one of these credit notes takes back more than is left. Call it with their series held."""
    numbers = {note.refers_to.number for note in notes if note.refers_to}
    found = await with_credits(connection, tenant, seller_id, numbers)
    for note in notes:
        if note.refers_to is not None and note.refers_to.number in found:
            document, credits = found[note.refers_to.number]
            check_credit(document, credits, note)
            credits.append(note)

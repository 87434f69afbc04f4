"""What else falls when a document is credited?

In the same transaction: an invoice that is credited whole was never to be paid, so what its reminders claimed is taken back; and
what was written off of what is credited now was no loss.
"""

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from laddbok.model.billing import SellerTerms
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.model.write_off import WriteOffKind
from laddbok.store.reminder_claims import take_claim_back
from laddbok.store.sql import query
from laddbok.store.written_off import BY_LADDBOK, give_way

CREDITED_WHOLE = "Fakturan är krediterad i sin helhet"


async def follow_credits(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, documents: Iterable[Invoice], now: datetime
) -> None:
    """After documents became final, in the caller's transaction: see to what those are about that credit notes among them refer to.

    Source: our choice, docs/rules.md "Reminders", "Write-off".
    """
    notes = [each for each in documents if each.kind is InvoiceKind.CREDIT_NOTE and each.refers_to is not None]
    ids = sorted({f"{terms.seller.id}-{each.refers_to.number}" for each in notes if each.refers_to})
    if not ids:
        return
    for row in await connection.fetch(query("credited_whole"), tenant, ids):
        await take_claim_back(
            connection, tenant, terms, row["invoice_id"], row["number"], CREDITED_WHOLE, now, BY_LADDBOK
        )
    await give_way(connection, tenant, terms, ids, WriteOffKind.NOT_OWED, now)

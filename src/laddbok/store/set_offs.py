"""How does what we owe on a document come to its payer?

A document on which more is taken back or fed in than used comes to less than 0, and nothing was paid on it that could be paid
back. A person sends what we owe to the payer's credit: a payment of 0, with a row that closes the document and one that
stands to the credit. From there it pays another invoice, or is paid back, as any credit.
"""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.moves import owed_to_payer
from laddbok.model.errors import Conflict
from laddbok.model.payment import SET_OFF, Payment
from laddbok.store.billing import seller_terms
from laddbok.store.invoice_documents import named_document
from laddbok.store.payment_moves import held_payment, write_rows
from laddbok.store.payments import open_invoices, payment_id_of
from laddbok.store.sql import query


async def send_to_credit(connection: asyncpg.Connection, tenant: int, number: str, now: datetime, by: str) -> str:
    """Send what we owe on a document, beyond what was paid on it, to its payer's credit. Args: number, or id.

    Returns: the id of the payment of 0 from which it is moved on or paid back.
    Raises: NotFound; Conflict when nothing is owed (any more), or it is no document that is paid.
    Source: our choice, docs/rules.md "Set-off".
    """
    async with connection.transaction():
        invoice_id = await named_document(connection, tenant, number)
        [row] = await connection.fetch(query("invoice_named"), tenant, invoice_id)
        [terms] = await seller_terms(connection, tenant, row["legal_entity_id"])
        await connection.execute(query("payments_lock"), tenant, terms.seller.id)
        found = await open_invoices(connection, tenant, terms, ids=[invoice_id])
        if not found:
            raise Conflict(f"a {row['kind']} is not paid: {number}")
        [invoice] = found
        covered = await connection.fetchrow(query("paid_on_invoice"), tenant, invoice_id)
        assert covered is not None
        rows = owed_to_payer(invoice, covered["paid"])
        payment = Payment(
            provider=SET_OFF, reference=f"{invoice_id}/{covered['rows']}", amount=Decimal(0),
            received_on=now.astimezone(ZoneInfo(terms.time_zone)).date(), currency=invoice.currency, text=invoice.number,
        )  # fmt: skip
        payment_id = payment_id_of(terms.seller.id, payment)
        await connection.execute(
            query("payment_of_nothing_add"), tenant, payment_id, payment.provider, payment.reference, terms.seller.id,
            payment.received_on, payment.currency, payment.text, msgspec.json.encode(payment).decode(), now,
        )  # fmt: skip
        await write_rows(connection, tenant, await held_payment(connection, tenant, payment_id), rows, now, by)
    return payment_id

"""How does what a driver paid at once become a receipt, and the rest go back?

In one transaction, under the lock of the seller's money: what was corrected is credited, which gives back what was paid; what is
to be billed takes what is to the driver's credit, at most what it costs; what is left goes back the way it came. It looks at
what stands and not at what happened, so that doing it again finds nothing left to do.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.draft import Period
from laddbok.billing.receipt import claim, correction, cost_of, driver, paid_by, receipt
from laddbok.flow.billing_run import CORRECTED, InTheWay, Planned, key_of, sort_out
from laddbok.model.billing import Customer, Position, SellerTerms
from laddbok.model.errors import Conflict
from laddbok.model.invoice import InvoiceKind
from laddbok.model.payment import AllocationKind
from laddbok.store.billing import close_unbilled, finalise, position_of, seller_terms
from laddbok.store.credits import with_credits
from laddbok.store.payment_moves import Move, allocate, free_overpaid, held_payment, refund_left_over
from laddbok.store.payments import BY_LADDBOK
from laddbok.store.receipt_jobs import driver_of
from laddbok.store.sql import query

AT_REST = frozenset({"settled", "void"})
Check = Callable[[Planned], Sequence[InTheWay]]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a session that is paid at once. `is_early`: it has not ended, or a provider has not answered."""

    is_early: bool = False
    documents: tuple[str, ...] = ()
    """The ids of the documents that were issued now."""
    refunded: Decimal = Decimal(0)


class _Desk(msgspec.Struct, frozen=True):
    """What the steps share."""

    connection: asyncpg.Connection
    tenant: int
    terms: SellerTerms
    driver_id: str
    now: datetime
    check: Check


async def settle_paid_at_once(
    connection: asyncpg.Connection, tenant: int, session_id: str, now: datetime, check: Check
) -> Settled:
    """Issue what is due for a session that is paid at once, and send back what is left.

    Args: check, what is in the way of a document becoming final.
    Raises: Conflict when something is in the way; Invalid when the session can't be billed; then nothing is written.
    Source: our choice, docs/rules.md "Receipt"; cases B19, B24, B46.
    """
    async with connection.transaction():
        row = await connection.fetchrow(query("receipt_session"), tenant, session_id)
        if row is None or row["seller_id"] is None:
            return Settled()
        await connection.execute(query("payments_lock"), tenant, row["seller_id"])
        row = await connection.fetchrow(query("receipt_session"), tenant, session_id)
        assert row is not None, session_id
        if row["is_asked"] or row["state"] not in AT_REST:
            return Settled(is_early=True)
        [terms] = await seller_terms(connection, tenant, row["seller_id"])
        driver_id = driver_of(session_id)
        assert driver_id is not None
        desk = _Desk(connection, tenant, terms, driver_id, now, check)
        documents = await _bill(desk, session_id)
        return Settled(documents=documents, refunded=await _give_back(desk))


async def _bill(desk: _Desk, session_id: str) -> tuple[str, ...]:
    """Close what comes to no document, credit what was corrected, and then bill what stands."""
    terms = desk.terms
    rows = await desk.connection.fetch(
        query("receipt_positions"), desk.tenant, session_id, terms.seller.id, terms.currency
    )
    sorted_out = sort_out([position_of(row) for row in rows])
    netted, nothing = (tuple(map(key_of, each)) for each in (sorted_out.netted, sorted_out.nothing))
    await close_unbilled(desk.connection, desk.tenant, netted, nothing)
    made = []
    for position in sorted(sorted_out.billed, key=lambda each: (each.kind != "credit", each.revision)):
        planned = await (_correction(desk, position) if position.kind == "credit" else _document(desk, position))
        for stop in desk.check(planned):
            raise Conflict(f"{stop.payer_id}: {stop.field}: {stop.reason}")
        [final] = await finalise(desk.connection, desk.tenant, terms, [planned], None, desk.now)
        made.append(final.id)
        await _free(desk)
        if planned.invoice.kind is InvoiceKind.INVOICE:
            await _pay(desk, final.id, planned.invoice.totals.payable)
    return tuple(made)


async def _correction(desk: _Desk, position: Position) -> Planned:
    """The credit note to the document on which the CDR stands that was corrected."""
    assert position.billed_on is not None, position.session_id
    number, terms = position.billed_on.number, desk.terms
    found = await with_credits(desk.connection, desk.tenant, terms.seller.id, [number])
    note = correction(terms, found[number], [position], _period(desk, position), CORRECTED)
    return Planned(Customer(buyer=found[number].document.buyer), note, (key_of(position),))


async def _document(desk: _Desk, position: Position) -> Planned:
    """A receipt over what was paid; a claim, when nothing was, or when what was paid was a part of a claim."""
    credit, payments = await _credit(desk)
    cost = cost_of(position)
    paid = min(cost, credit)
    was_claimed = await desk.connection.fetchval(query("driver_was_claimed"), desk.tenant, desk.driver_id)
    if paid > 0 and (paid == cost or not was_claimed):
        told = payments[0] if payments else None
        note = None if told is None else paid_by(told["provider"], told["received_on"])
        made = receipt(desk.terms, desk.driver_id, position, _period(desk, position), paid, note)
    else:
        made = claim(desk.terms, desk.driver_id, position, _period(desk, position, desk.terms.payment_days))
    return Planned(driver(desk.driver_id), made, (key_of(position),))


async def _credit(desk: _Desk) -> tuple[Decimal, list[asyncpg.Record]]:
    """What the driver has to its credit, without what a person is to decide on; and the payments that are free, newest first."""
    where = (desk.tenant, desk.terms.seller.id, desk.driver_id)
    credit: Decimal = await desk.connection.fetchval(query("driver_credit"), *where, desk.terms.currency)
    rows = await desk.connection.fetch(query("driver_payments"), *where)
    proposed = sum((row["proposed"] for row in rows), Decimal(0))
    return credit - proposed, [row for row in rows if not row["proposed"]]


async def _free(desk: _Desk) -> None:
    """What was paid on a claim that was credited since is to the driver's credit again."""
    _, payments = await _credit(desk)
    for row in payments:
        await free_overpaid(desk.connection, desk.tenant, row["id"], desk.now)


async def _pay(desk: _Desk, claim_id: str, owed: Decimal) -> None:
    """What the driver has to its credit pays a part of the claim."""
    credit, payments = await _credit(desk)
    left = min(credit, owed)
    for row in payments:
        parts = (await held_payment(desk.connection, desk.tenant, row["id"])).parts
        there = sum((part.amount for part in parts if part.kind is AllocationKind.BALANCE), Decimal(0))
        if (amount := min(left, there)) > 0:
            move = Move(amount=amount, source=AllocationKind.BALANCE, invoice=claim_id)
            await allocate(desk.connection, desk.tenant, row["id"], move, desk.now, BY_LADDBOK)
            left -= amount


async def _give_back(desk: _Desk) -> Decimal:
    """Refund what is left to the driver's credit, each payment the way it came."""
    await _free(desk)
    given = Decimal(0)
    credit, payments = await _credit(desk)
    for row in payments:
        given += await refund_left_over(desk.connection, desk.tenant, row["id"], credit - given, desk.now)
    return given


def _period(desk: _Desk, position: Position, days: int = 0) -> Period:
    """The days of a session, and today, by the seller's clock."""
    zone, document = ZoneInfo(desk.terms.time_zone), position.cdr
    ended_at = document.transaction_ended_at or document.started_at
    start, end, today = (each.astimezone(zone).date() for each in (document.started_at, ended_at, desk.now))
    return Period(start, max(start, end), today, today + timedelta(days=days))

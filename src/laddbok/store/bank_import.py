"""How is a bank's file taken in, each line of it once?

By one transaction: each of its lines that no file told before becomes payments, and each payment is matched with what is
open and written, some hundred at a time. The same file twice has no effect, and of files that overlap each line counts once.
A line that is perhaps one, or several, that another kind of file told of waits for a person.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import asyncpg
import msgspec

from laddbok.billing.payment_postings import entry_of_move
from laddbok.billing.same_entry import MOST_DAYS_APART, Line, Sameness, held_against, line_of
from laddbok.model.billing import SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.payment import REFUND_TASKS, Allocation, AllocationKind, BankEntry, BankFile, Payment, Reason
from laddbok.store.billing import seller_terms
from laddbok.store.journal import post
from laddbok.store.payments import (
    BY_LADDBOK,
    Matched,
    add_parts,
    match_all,
    matched,
    payment_id_of,
    propose_refunds,
    record_all,
)
from laddbok.store.receipt_jobs import receipts_are_due
from laddbok.store.sql import query

AT_ONCE = 500
"""Payments that are matched and written together."""


class Imported(msgspec.Struct, kw_only=True):
    """What a file brought. `known`: lines that another file told before, `detailed`: those of them whose payments are told
    now; `pending`: announced, and left out."""

    message_id: str
    is_new: bool
    entries: int = 0
    known: int = 0
    detailed: int = 0
    pending: int = 0
    payments: int = 0
    in_suspense: int = 0
    refund_tasks: int = 0
    received: dict[str, Decimal] = {}
    """By currency; what went out is taken off."""


async def import_file(
    connection: asyncpg.Connection, tenant: int, file: BankFile, content: bytes, name: str, now: datetime, by: str
) -> Imported:
    """Take a bank's file in, in one transaction (or the caller's).

    Args: content, the file's bytes, by which it is known again.
    Returns: what it brought; nothing, if it was imported before.
    Raises: Invalid when an account in it is no seller's; then nothing is written.
    Source: our choice, docs/rules.md "Bank files"; case B55.
    """
    told = Imported(message_id=file.message_id, is_new=True)
    digest = sha256(content).digest()
    async with connection.transaction():
        sellers = await _sellers_of(connection, tenant, file)
        for seller_id in sorted({terms.seller.id for terms in sellers.values()}):
            await connection.execute(query("payments_lock"), tenant, seller_id)
        if not await connection.fetchval(query("bank_file_add"), tenant, digest, file.message_id, name, now, by):
            return Imported(message_id=file.message_id, is_new=False)
        for number, terms in sellers.items():
            entries = [entry for entry in file.entries if entry.account == number]
            await _take_entries(connection, tenant, terms, file.kind, entries, digest, now, told)
    return told


async def _take_entries(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    kind: str,
    entries: Sequence[BankEntry],
    digest: bytes,
    now: datetime,
    told: Imported,
) -> None:
    """The lines of an account: the payments of those that are new, and then the details of those that are known."""
    booked = [entry for entry in entries if entry.is_booked]
    told.pending += len(entries) - len(booked)
    is_told = await _told_before(connection, tenant, terms.seller.id, kind, booked, digest)
    new = [entry for entry in booked if is_told[entry.reference].same_as is None]
    told.entries += len(new)
    sure = [entry for entry in new if is_told[entry.reference].perhaps_same_as == ()]
    for portion in portions([payment for entry in sure for payment in entry.payments if payment.amount]):
        await _take_payments(connection, tenant, terms, portion, digest, now, told)
    for entry in new:
        if perhaps := is_told[entry.reference].perhaps_same_as:
            await _hold(connection, tenant, terms, entry, perhaps, digest, now, told)
    for entry in booked:
        if (same := is_told[entry.reference].same_as) is not None:
            told.known += 1
            known = msgspec.structs.replace(entry, reference=same)
            told.detailed += await _details_later(connection, tenant, terms, known, now)


async def _told_before(
    connection: asyncpg.Connection,
    tenant: int,
    seller_id: str,
    kind: str,
    entries: Sequence[BankEntry],
    digest: bytes,
) -> dict[str, Sameness]:
    """Remember lines of one account that a file tells. Returns: by reference, which line each is that was told before."""
    if not entries:
        return {}
    references = [entry.reference for entry in entries]
    rows = await connection.fetch(query("bank_entries_known"), tenant, seller_id, references)
    found = {row["reference"]: Sameness(same_as=row["told_as"]) for row in rows}
    source = (tenant, seller_id, kind, entries[0].account)
    await connection.execute(query("bank_entries_told"), *source, [each.same_as for each in found.values()])
    lines = [line_of(entry) for entry in entries if entry.reference not in found]
    if lines:
        days = [line.booked_on for line in lines]
        apart = timedelta(days=MOST_DAYS_APART)
        rows = await connection.fetch(query("bank_entries_like"), *source, min(days) - apart, max(days) + apart)
        told = [Line(**{**dict(row), "marks": frozenset(row["marks"])}) for row in rows]
        new = held_against(lines, told)
        await _remember(connection, tenant, seller_id, entries[0].account, lines, new, digest)
        await connection.execute(query("bank_entries_told"), *source, [new[each].same_as or each for each in new])
        found |= new
    return found


async def _remember(
    connection: asyncpg.Connection,
    tenant: int,
    seller_id: str,
    account: str,
    lines: Sequence[Line],
    sameness: Mapping[str, Sameness],
    digest: bytes,
) -> None:
    rows = [
        (
            line.reference, account, line.booked_on, line.amount, line.currency, "\n".join(sorted(line.marks)),
            sameness[line.reference].same_as, "\n".join(sameness[line.reference].perhaps_same_as) or None,
        )
        for line in lines
    ]  # fmt: skip
    columns = map(list, zip(*rows, strict=True))
    await connection.execute(query("bank_entries_add"), tenant, seller_id, digest, *columns)


async def _hold(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    entry: BankEntry,
    perhaps: Sequence[str],
    digest: bytes,
    now: datetime,
    told: Imported,
) -> None:
    """A line that is perhaps the same as others: its payments wait for a person, and name the others."""
    first = entry.payments[0]
    others = [payment_id_of(terms.seller.id, msgspec.structs.replace(first, reference=f"{each}/0")) for each in perhaps]
    held = [
        (payment, (Allocation(kind=AllocationKind.SUSPENSE, amount=payment.amount, reason=Reason.PERHAPS_SAME),))
        for payment in entry.payments
        if payment.amount
    ]
    await _write(connection, tenant, terms, held, digest, now, told, perhaps_same_as=others)


def portions(payments: Sequence[Payment]) -> Iterator[list[Payment]]:
    """Payments that are matched together, in order: at most AT_ONCE, and no two from one account, for what the first one
    pays tells who the next one is from."""
    portion: list[Payment] = []
    accounts: set[str] = set()
    for payment in payments:
        if len(portion) == AT_ONCE or payment.payer_account in accounts:
            yield portion
            portion, accounts = [], set()
        portion.append(payment)
        if payment.payer_account is not None:
            accounts.add(payment.payer_account)
    if portion:
        yield portion


async def _take_payments(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    payments: Sequence[Payment],
    digest: bytes,
    now: datetime,
    told: Imported,
) -> None:
    """Match payments and write them."""
    left: list[Matched] = []
    for payment in payments:
        if parts := await _refund_left(connection, tenant, terms, payment, now):
            left.append((payment, parts))
    gone = {payment.reference for payment, _ in left}
    others = [payment for payment in payments if payment.reference not in gone]
    found = left + (await match_all(connection, tenant, terms, others) if others else [])
    await _write(connection, tenant, terms, found, digest, now, told)


async def _write(
    connection: asyncpg.Connection,
    tenant: int,
    terms: SellerTerms,
    found: Sequence[Matched],
    digest: bytes,
    now: datetime,
    told: Imported,
    perhaps_same_as: Sequence[str] = (),
) -> None:
    """Raises: Invalid when one of the payments is known from another line."""
    recorded = await record_all(connection, tenant, terms, found, now, digest=digest, perhaps_same_as=perhaps_same_as)
    if len(recorded) < len(found):
        written = {each.id for each in recorded}
        doubtful = (each.reference for each, _ in found if payment_id_of(terms.seller.id, each) not in written)
        known = next(doubtful, found[-1][0].reference)
        raise Invalid("file", f"payment {known} is known from another line of the account")
    for payment, parts in found:
        told.payments += 1
        told.in_suspense += any(part.kind is AllocationKind.SUSPENSE for part in parts)
        told.refund_tasks += any(part.reason in REFUND_TASKS for part in parts)
        told.received[payment.currency] = told.received.get(payment.currency, Decimal(0)) + payment.amount


async def _refund_left(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, payment: Payment, now: datetime
) -> tuple[Allocation, ...]:
    """A refund that finance paid by bank: its id is the payment's own id, or stands among its words."""
    if payment.amount > 0:
        return ()
    words = sorted({payment.end_to_end_id or "", *payment.text.split(), *(each.reference for each in payment.remitted)})
    rows = await connection.fetch(
        query("refund_waiting"), tenant, terms.seller.id, words, -payment.amount, payment.currency
    )
    if len(rows) != 1:
        return ()
    await connection.fetchval(
        query("refund_becomes"), tenant, rows[0]["id"], "paid", payment.reference[:200], None, now
    )
    return (Allocation(kind=AllocationKind.REFUND, amount=payment.amount, reason=Reason.REQUESTED),)


async def _sellers_of(connection: asyncpg.Connection, tenant: int, file: BankFile) -> dict[str, SellerTerms]:
    """Whose each account in a file is. Raises: Invalid when it is nobody's."""
    rows = await connection.fetch(query("seller_accounts"), tenant)
    owners = {
        (number or "").replace(" ", "").replace("-", "").upper(): row["id"]
        for row in rows
        for number in (row["bankgiro"], row["iban"])
    }
    owners.pop("", None)
    found: dict[str, SellerTerms] = {}
    for number in sorted({entry.account for entry in file.entries}):
        if number not in owners:
            raise Invalid("account", f"no legal entity is paid on {number}: neither its bankgiro nor its IBAN")
        [found[number]] = await seller_terms(connection, tenant, owners[number])
    return found


async def _details_later(
    connection: asyncpg.Connection, tenant: int, terms: SellerTerms, entry: BankEntry, now: datetime
) -> bool:
    """A statement told of an entry as one sum, and a notification tells its payments: what nobody has touched yet goes
    where they say."""
    whole = msgspec.structs.replace(entry.payments[0], reference=f"{entry.reference}/0")
    payment_id = payment_id_of(terms.seller.id, whole)
    rows = await connection.fetch(query("payment_parts"), tenant, payment_id)
    has_details = len(entry.payments) > 1 or entry.payments[0].remitted or entry.payments[0].payer_name
    is_untouched = [(row["kind"], row["amount"]) for row in rows] == [(AllocationKind.SUSPENSE, entry.amount)]
    if not has_details or not is_untouched:
        return False
    last = len(rows)
    paid_on = (await connection.fetchrow(query("payment_one"), tenant, payment_id))["received_on"]
    stood = [Allocation(kind=AllocationKind.SUSPENSE, amount=entry.amount)]
    for each in entry.payments:
        parts = await matched(connection, tenant, terms, each)
        if all(part.kind is AllocationKind.SUSPENSE for part in parts):
            continue
        moved = [Allocation(kind=AllocationKind.SUSPENSE, amount=-each.amount), *parts]
        await add_parts(connection, tenant, payment_id, last, moved, now, BY_LADDBOK)
        source = f"{payment_id}/{last + 1}"
        made = entry_of_move(
            source, entry.booked_on, entry.currency, moved, terms.accounts, before=stood, paid_on=paid_on
        )
        stood += moved
        await post(connection, tenant, terms.seller.id, [made], now)
        await propose_refunds(connection, tenant, payment_id, parts, entry.currency, now)
        await receipts_are_due(connection, tenant, parts, now)
        last += len(moved)
    return last > len(rows)

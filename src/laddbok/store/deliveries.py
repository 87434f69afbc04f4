"""How does a document reach its customer, once and known?

From its rendering on it waits. Who has an e-mail address gets it by mail: a worker takes it for a while, hands it to the mail
server, and writes down that it was sent, with an event. A worker that dies in between leaves it to be taken again, so that a
mail may go out twice, under the same Message-ID, and never not at all. What the server refuses for good is failed until a
person mends the address and sends it again. The others are given out by hand, and a person says so.

A reminder that waited, for a mail server or an address, says what may no longer be so: it is looked at before it goes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from laddbok.billing.reminding import Hold, held_back
from laddbok.flow.mail import Mail, MailRefused, mail_key, mail_of_invoice, mail_of_reminder, next_try
from laddbok.model.errors import Conflict, NotFound
from laddbok.model.invoice import Invoice
from laddbok.model.reminder import Reminder
from laddbok.store.billing import seller_terms
from laddbok.store.reminders import late_invoice, stored_reminder
from laddbok.store.sql import query

LEASE = timedelta(minutes=5)
"""So long nobody else takes a document that is being mailed."""
LOOK_AGAIN = timedelta(hours=12)
"""When a reminder of an invoice that is disputed is looked at again, and what has no address."""
LOOKED_AT = 5_000
"""So many of those that are due are looked at in one statement."""
MAX_ERROR_CHARS = 400
MAX_AT_ONCE = 500
"""Documents that a person gives out in one step."""
SENT, NOT_SENT, SEND_AGAIN = "sent", "not_sent", "send_again"
"""The kinds of the events on a document."""
DROPPED = "dropped"
BY = "laddbok"

_invoice, _reminder = msgspec.json.Decoder(Invoice), msgspec.json.Decoder(Reminder)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is taken to be mailed; `reminder`: the number of the reminder that is, else 0."""

    tenant: int
    invoice_id: str
    reminder: int
    tries: int
    address: str

    @property
    def key(self) -> tuple[int, str, int]:
        """What it is known by."""
        return (self.tenant, self.invoice_id, self.reminder)


async def take(connection: asyncpg.Connection, now: datetime) -> Delivery | None:
    """The next document that is to be mailed, ours for LEASE; None: there is none."""
    row = await connection.fetchrow(query("delivery_take"), now, now + LEASE)
    return None if row is None else Delivery(**dict(row))


async def set_aside(connection: asyncpg.Connection, now: datetime) -> int:
    """What is due and has no address is looked at again after LOOK_AGAIN. Returns: how many, of the first LOOKED_AT."""
    found: int = await connection.fetchval(query("delivery_set_aside"), now, now + LOOK_AGAIN, LOOKED_AT)
    return found


async def look_again(
    connection: asyncpg.Connection, tenant: int, now: datetime, *, payer_id: str | None = None, host_id: str | None = None
) -> None:  # fmt: skip
    """What waits for a customer or a host may be mailed now: their address was changed."""
    await connection.execute(query("delivery_look_again"), tenant, payer_id, host_id, now)


async def is_held_back(connection: asyncpg.Connection, delivery: Delivery, now: datetime) -> bool:
    """Whether a reminder is not mailed, or not yet: while the invoice is disputed it waits; what came too late is for a person."""
    if not delivery.reminder:
        return False
    late = await late_invoice(connection, delivery.tenant, delivery.invoice_id)
    reminder = await stored_reminder(connection, delivery.tenant, delivery.invoice_id, delivery.reminder)
    [terms] = await seller_terms(connection, delivery.tenant, reminder.seller.id)
    why = held_back(late, reminder, now.astimezone(ZoneInfo(terms.time_zone)).date())
    if why is None:
        return False
    if why is Hold.DISPUTED:
        changed = ("waiting", now + LOOK_AGAIN, delivery.tries, why.value, None, now)
        await connection.fetchval(query("delivery_becomes"), *delivery.key, *changed)
    else:
        await _failed(connection, delivery, delivery.tries, why.value, now)
    return True


async def mail_of(connection: asyncpg.Connection, delivery: Delivery, link: str | None) -> Mail:
    """The mail with a document. Args: link, of its page. Raises: NotFound: it has no PDF."""
    rows = await connection.fetch(query("delivery_content"), *delivery.key)
    if not rows:
        raise NotFound("document", f"{delivery.invoice_id}/{delivery.reminder}")
    key = mail_key(*delivery.key)
    if delivery.reminder:
        reminder = _reminder.decode(rows[0]["reminder"])
        return mail_of_reminder(reminder, rows[0]["bytes"], key, delivery.address, link)
    files = {row["kind"]: row["bytes"] for row in rows}
    return mail_of_invoice(_invoice.decode(rows[0]["content"]), files, key, delivery.address, link)


async def mailed(connection: asyncpg.Connection, delivery: Delivery, message_id: str, now: datetime) -> None:
    """The mail server took it."""
    async with connection.transaction():
        changed = (SENT, now, delivery.tries + 1, None, delivery.address, now)
        if await connection.fetchval(query("delivery_becomes"), *delivery.key, *changed):
            await _tell(connection, delivery.key, now, SENT, BY, {"to": delivery.address, "message_id": message_id})


async def put_back(connection: asyncpg.Connection, delivery: Delivery, why: str, now: datetime) -> None:
    """The mail server is not there: it waits as before."""
    changed = ("waiting", now, delivery.tries, why[:MAX_ERROR_CHARS], None, now)
    await connection.fetchval(query("delivery_becomes"), *delivery.key, *changed)


async def refused(connection: asyncpg.Connection, delivery: Delivery, why: MailRefused, now: datetime) -> None:
    """The mail server did not take it: it comes again later, or waits for a person."""
    tries = delivery.tries + 1
    again_at = None if why.is_final else next_try(tries, now)
    if again_at is None:
        return await _failed(connection, delivery, tries, str(why), now)
    changed = ("waiting", again_at, tries, str(why)[:MAX_ERROR_CHARS], delivery.address, now)
    await connection.fetchval(query("delivery_becomes"), *delivery.key, *changed)


async def _failed(connection: asyncpg.Connection, delivery: Delivery, tries: int, why: str, now: datetime) -> None:
    async with connection.transaction():
        changed = ("failed", now, tries, why[:MAX_ERROR_CHARS], delivery.address, now)
        if await connection.fetchval(query("delivery_becomes"), *delivery.key, *changed):
            body = {"to": delivery.address, "error": why[:MAX_ERROR_CHARS]}
            await _tell(connection, delivery.key, now, NOT_SENT, BY, body)


async def given_out(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, reminder: int, now: datetime, by: str
) -> None:
    """A person printed it, or gave it out otherwise. Said twice, it is said once.

    Raises: NotFound; Conflict when it need not be sent any more.
    """
    key = (tenant, invoice_id, reminder)
    async with connection.transaction():
        if (await _stored(connection, key))["state"] == DROPPED:
            raise Conflict(f"reminder {reminder} of {invoice_id} was cancelled")
        changed = (SENT, now, 0, None, None, now)
        if await connection.fetchval(query("delivery_becomes"), *key, *changed):
            await _tell(connection, key, now, SENT, by, {"by_hand": True})


async def all_given_out(
    connection: asyncpg.Connection, tenant: int, documents: Sequence[tuple[str, int]], now: datetime, by: str
) -> None:
    """A person gave all of these out, each an invoice and the number of a reminder: all, or none of them.

    Args: documents, MAX_AT_ONCE at most.
    Raises: NotFound; Conflict when one need not be sent any more.
    """
    async with connection.transaction():
        for invoice_id, reminder in sorted(set(documents)):
            await given_out(connection, tenant, invoice_id, reminder, now, by)


async def send_again(
    connection: asyncpg.Connection, tenant: int, invoice_id: str, reminder: int, now: datetime, by: str
) -> None:
    """A document that could not be mailed is tried anew, at the address of today.

    Raises: NotFound; Conflict when it was sent, or need not be any more.
    """
    key = (tenant, invoice_id, reminder)
    async with connection.transaction():
        state = (await _stored(connection, key))["state"]
        if state in (SENT, DROPPED):
            raise Conflict(f"{invoice_id} was {state} already")
        await connection.fetchval(query("delivery_becomes"), *key, "waiting", now, 0, None, None, now)
        await _tell(connection, key, now, SEND_AGAIN, by, {})


async def _stored(connection: asyncpg.Connection, key: tuple[int, str, int]) -> asyncpg.Record:
    row = await connection.fetchrow(query("delivery_one"), *key)
    if row is None:
        raise NotFound("delivery", f"{key[1]}/{key[2]}")
    return row


async def _tell(
    connection: asyncpg.Connection, key: tuple[int, str, int], now: datetime, kind: str, by: str, body: Mapping[str, object]
) -> None:  # fmt: skip
    tenant, invoice_id, reminder = key
    told = msgspec.json.encode({**body, **({"reminder": reminder} if reminder else {})}).decode()
    await connection.execute(query("invoice_event_add"), tenant, invoice_id, now, kind, by, told)

"""Who mails documents?

A loop that takes what waits for its mail, one after another, and hands it to the mail server. When the server is not there all
wait, and the loop looks again later and later; without a server in the settings there is no loop, and they wait as well.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import asyncpg

from laddbok.flow.mail import MailDown, MailRefused, MailServer
from laddbok.store.deliveries import Delivery, is_held_back, mail_of, mailed, put_back, refused, set_aside, take
from laddbok.store.receipt_links import receipt_path
from laddbok.workers.again import GONE

log = logging.getLogger(__name__)

EVERY_S = 10.0
DOWN_AT_MOST_S = 900.0
"""How long the loop waits at most for a server that is not there."""
AT_ONCE = 500
"""Mails in one round."""


class Mailer:
    """The loop over what is to be mailed. `public_url`: where customers reach us; None: mails have no link."""

    def __init__(
        self, pool: asyncpg.Pool, server: MailServer, public_url: str | None, now: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._server = server
        self._public_url = public_url
        self._now = now

    async def run(self) -> None:
        """Mail until cancelled."""
        wait_s = EVERY_S
        while True:
            try:
                await self.once()
                wait_s = EVERY_S
            except MailDown as error:
                log.warning("the mail server: %s", error)
                wait_s = min(2 * wait_s, DOWN_AT_MOST_S)
            except GONE as error:
                log.warning("mailing: %s", str(error) or type(error).__name__)
            except Exception:  # of one mail, which waits; the others go on
                log.exception("mailing")
            await asyncio.sleep(wait_s)

    async def once(self) -> int:
        """Mail what waits, AT_ONCE at most. Returns: how many were taken. Raises: MailDown."""
        async with self._pool.acquire() as connection:
            for _ in range(AT_ONCE):
                if not await set_aside(connection, self._now()):
                    break
        for count in range(AT_ONCE):
            async with self._pool.acquire() as connection:
                delivery = await take(connection, self._now())
            if delivery is None:
                return count
            await self._mail(delivery)
        return AT_ONCE

    async def _mail(self, delivery: Delivery) -> None:
        link = await self._link(delivery)
        async with self._pool.acquire() as connection:
            if await is_held_back(connection, delivery, self._now()):
                return
            mail = await mail_of(connection, delivery, link)
        try:
            message_id = await self._server.send(mail)
        except MailDown as error:
            async with self._pool.acquire() as connection:
                await put_back(connection, delivery, str(error), self._now())
            raise
        except MailRefused as error:
            log.warning("mail with %s to %s: %s", delivery.invoice_id, delivery.address, error)
            async with self._pool.acquire() as connection:
                await refused(connection, delivery, error, self._now())
            return
        async with self._pool.acquire() as connection:
            await mailed(connection, delivery, message_id, self._now())

    async def _link(self, delivery: Delivery) -> str | None:
        if self._public_url is None:
            return None
        path = await receipt_path(self._pool, delivery.tenant, delivery.invoice_id, self._now())
        return f"{self._public_url.rstrip('/')}{path}"

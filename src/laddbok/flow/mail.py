"""What is mailed, and what becomes of it?

A mail is made of a rendered document and nothing of today but the address. Its Message-ID follows from the document: one that
is sent twice, because we died between sending it and writing that down, can be known by its reader as the same. A server that is
not there is nobody's fault: all mails wait. A mail that is refused for good waits for a person; one that is put off comes
again, each time twice as late, MAX_TRIES times in all.

>>> next_try(1, datetime(2026, 12, 8, 9, 0)).isoformat()
'2026-12-08T09:02:00'
>>> next_try(MAX_TRIES, datetime(2026, 12, 8, 9, 0)) is None
True
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

import msgspec

from laddbok.billing.mail_text import MailText, invoice_text, reminder_text
from laddbok.model.errors import LaddbokError
from laddbok.model.invoice import Invoice, InvoiceKind
from laddbok.model.reminder import Reminder

FIRST_RETRY = timedelta(minutes=1)
MAX_TRIES = 12
"""Nearly three days."""


class MailDown(LaddbokError):
    """The mail server can't be reached, or will have nothing to do with us: no mail goes out for now."""


class MailRefused(LaddbokError):
    """This mail was not taken. `is_final`: asked again, the server would say the same."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Attachment(msgspec.Struct, frozen=True):
    """A file in a mail."""

    name: str
    media: str
    content: bytes


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to one reader. `sender`: the name it comes from; answers go to `reply_to`."""

    key: str
    """Of which its Message-ID is made: the same document, the same key."""
    to: str
    sender: str
    reply_to: str | None
    text: MailText
    attachments: tuple[Attachment, ...]


class MailServer(Protocol):
    """Takes mails on their way."""

    async def send(self, mail: Mail) -> str:
        """Hand a mail over. Returns: its Message-ID. Raises: MailDown, MailRefused."""
        ...


def mail_key(tenant: int, invoice_id: str, reminder: int) -> str:
    """The key of a document's mail, or of a reminder's: letters and digits only, and nothing of it can be guessed back."""
    return sha256(f"{tenant}/{invoice_id}/{reminder}".encode()).hexdigest()[:32]


def mail_of_invoice(invoice: Invoice, files: dict[str, bytes], key: str, to: str, link: str | None) -> Mail:
    """The mail with a document. Args: files, "pdf" and for who receives e-invoices "xml"; link, of its page."""
    is_ours = invoice.kind is not InvoiceKind.SELF_BILLED
    media = {"pdf": "application/pdf", "xml": "application/xml"}
    return Mail(
        key=key,
        to=to,
        sender=(invoice.seller if is_ours else invoice.buyer).name,
        reply_to=(invoice.seller if is_ours else invoice.buyer).email,
        text=invoice_text(invoice, link if is_ours else None),
        attachments=tuple(Attachment(f"{invoice.number}.{kind}", media[kind], files[kind]) for kind in sorted(files)),
    )


def mail_of_reminder(reminder: Reminder, pdf: bytes, key: str, to: str, link: str | None) -> Mail:
    """The mail with a reminder."""
    name = f"{reminder.invoice_number}-{reminder.number}.pdf"
    return Mail(
        key=key,
        to=to,
        sender=reminder.seller.name,
        reply_to=reminder.seller.email,
        text=reminder_text(reminder, link),
        attachments=(Attachment(name, "application/pdf", pdf),),
    )


def next_try(tries: int, now: datetime) -> datetime | None:
    """When a mail that was put off is tried again; None: it was the last time.

    Args: tries, so far.
    Source: RFC 5321 4.5.4.1 (give up after some days); our choice.
    """
    return None if tries >= MAX_TRIES else now + FIRST_RETRY * 2**tries

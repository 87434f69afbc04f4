"""How does a mail leave us?

By SMTP to one server, with TLS unless it is told otherwise, each mail over a connection of its own. What fails before the server is
ready for a mail, or at our own address, concerns all mails (MailDown); what it says to a mail concerns that one (MailRefused). When the connection breaks after
the mail was begun it is not known whether it went out: it comes again, under the same Message-ID.
"""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr

from laddbok.flow.mail import Mail, MailDown, MailRefused

TIMEOUT_S = 20.0
MAX_MAIL_BYTES = 25 * 1_048_576
"""What most servers take; a longer one is refused by us, with a reason that names it."""
TOO_LONG = 552
"""A server's answer to a mail that is longer than it takes (RFC 1870 6.1)."""


@dataclass(frozen=True)
class SmtpSettings:
    """Where mails go. `security`: starttls, tls or none; `authority`: a file with the certificate that the server's is signed by."""

    host: str
    port: int
    security: str
    sender: str
    user: str | None = None
    password: str | None = None
    authority: str | None = None


class SmtpServer:
    """The mail server of this installation (flow.mail.MailServer)."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> str:
        """Hand a mail over; smtplib waits in a thread. Returns: its Message-ID. Raises: MailDown, MailRefused."""
        message = message_of(mail, self._settings.sender)
        await asyncio.to_thread(_send, self._settings, message, mail.to)
        return str(message["Message-ID"])

    async def greet(self) -> None:
        """Come in, and go. Raises: MailDown: we are not let in."""
        _bye(await asyncio.to_thread(_connected, self._settings))


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The mail as a message: text, and its files beside it. Args: sender, our address.

    Raises: MailRefused: no message can be made of it, its address is none, or it is too long.
    Source: RFC 5322; RFC 3834 (Auto-Submitted).
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = formataddr((" ".join(mail.sender.split()), sender))
        message["To"] = mail.to
        message["Subject"] = mail.text.subject
        message["Message-ID"] = f"<{mail.key}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if mail.reply_to:
            message["Reply-To"] = mail.reply_to
        goes_to = [each.addr_spec for each in message["To"].addresses]
    except (ValueError, IndexError, AttributeError, TypeError) as error:  # its parser of addresses raises any of these
        raise MailRefused(f"no mail can be addressed so: {error}", is_final=True) from error
    if goes_to != [mail.to]:
        raise MailRefused("no mail can be addressed so: that is not one address", is_final=True)
    # What is written =?utf-8?q?=0d=0a...?= is a line break once it is read, and would begin a header of its own.
    if any("\r" in str(value) or "\n" in str(value) for value in message.values()):
        raise MailRefused("no mail can be addressed so: a name has a line break in it", is_final=True)
    message.set_content(mail.text.body)
    for each in mail.attachments:
        kind, _, subtype = each.media.partition("/")
        message.add_attachment(each.content, maintype=kind, subtype=subtype, filename=each.name)
    if sum(len(each.content) for each in mail.attachments) * 4 / 3 > MAX_MAIL_BYTES:
        raise MailRefused(f"longer than {MAX_MAIL_BYTES} bytes", is_final=True)
    return message


def _send(settings: SmtpSettings, message: EmailMessage, to: str) -> None:
    connection = _connected(settings)
    try:
        connection.send_message(message, settings.sender, [to])
    except smtplib.SMTPRecipientsRefused as error:
        [(code, said)] = error.recipients.values()
        raise MailRefused(_told(code, said), is_final=code >= 500) from error
    except smtplib.SMTPSenderRefused as error:
        # Our own address, and so all mails; but with it the server is told how long this mail is.
        if error.smtp_code != TOO_LONG:
            raise MailDown(f"{settings.sender}: {_told(error.smtp_code, error.smtp_error)}") from error
        raise MailRefused(_told(error.smtp_code, error.smtp_error), is_final=True) from error
    except smtplib.SMTPResponseException as error:
        raise MailRefused(_told(error.smtp_code, error.smtp_error), is_final=error.smtp_code >= 500) from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailRefused(f"the mail server can't write to {to}: {error}", is_final=True) from error
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise MailRefused(f"the connection broke: {error or type(error).__name__}", is_final=False) from error
    finally:
        _bye(connection)


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    """A server that is ready for a mail. Raises: MailDown."""
    connection: smtplib.SMTP | None = None
    try:
        context = ssl.create_default_context(cafile=settings.authority)
        if settings.security == "tls":
            connection = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_S, context=context)
        else:
            connection = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
        if settings.security == "starttls":
            connection.starttls(context=context)
        if settings.user and settings.password is not None:
            connection.login(settings.user, settings.password)
        connection.ehlo_or_helo_if_needed()
    except (smtplib.SMTPException, OSError) as error:
        if connection is not None:
            _bye(connection)
        raise MailDown(f"{settings.host}:{settings.port}: {error or type(error).__name__}") from error
    return connection


def _bye(connection: smtplib.SMTP) -> None:
    """What a server says to our leaving changes nothing."""
    try:
        connection.quit()
    except (smtplib.SMTPException, OSError):
        connection.close()


def _told(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:400]

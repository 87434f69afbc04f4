"""How is the mail server tied to the platform?"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import asyncpg

from laddbok.settings import Settings
from laddbok.wires.mail import SmtpServer, SmtpSettings
from laddbok.workers.mailing import Mailer


def mail_loops(settings: Settings, pool: asyncpg.Pool, now: Callable[[], datetime]) -> list[Coroutine[Any, Any, None]]:
    """The loop that mails documents; none when the settings name no mail server."""
    server = smtp_settings(settings)
    return [] if server is None else [Mailer(pool, SmtpServer(server), settings.public_url, now).run()]


def smtp_settings(settings: Settings) -> SmtpSettings | None:
    """The mail server that the settings name."""
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    return SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        sender=settings.smtp_from,
        user=settings.smtp_user,
        password=settings.smtp_password,
        authority=settings.smtp_authority,
    )

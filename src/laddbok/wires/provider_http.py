"""How is a provider of payments spoken to over HTTP?

Within limits of time and size, never following a redirect to somewhere else, and never trusting that silence means no: what
does not answer well is a ProviderDown, for then nobody knows whether it was done. Only a plain refusal (400 to 499, but for
those that say "later") is a ProviderRefused.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from laddbok.flow.payment_provider import ProviderDown, ProviderRefused
from laddbok.model.errors import ConfigurationError
from laddbok.model.money import number_of

ANSWER_S = 20.0
"""For the whole answer."""
MAX_ANSWER_BYTES = 1 << 18
LATER = frozenset({401, 403, 408, 409, 425, 429})
"""Refusals that a person, or time, can mend: the key, the certificate, the pace, another request still running."""


class Answer(msgspec.Struct, frozen=True):
    """What a provider answered: its status, and its body as JSON with exact numbers, if it has one."""

    status: int
    body: Any
    location: str | None = None


async def call(
    method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None,
    tls: ssl.SSLContext | None = None, answer_s: float = ANSWER_S,
) -> Answer:  # fmt: skip
    """One request. Returns: the answer, also a refusal or that there is nothing.

    Raises: ProviderDown: not reached, too slow, too long, no JSON, 500 and above, or to be asked later.
    """
    try:
        async with (
            asyncio.timeout(answer_s),
            httpx.AsyncClient(timeout=answer_s, follow_redirects=False, verify=tls or True, trust_env=False) as client,
            client.stream(method, url, headers=dict(headers), content=content) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    raise ProviderDown(f"{url} answers with more than {MAX_ANSWER_BYTES} bytes")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise ProviderDown(f"{method} {url}: {str(error) or type(error).__name__}") from error
    if answer.status_code >= 500 or answer.status_code in LATER or 300 <= answer.status_code < 400:
        raise ProviderDown(f"{method} {url} answers with status {answer.status_code}")
    return Answer(answer.status_code, _json(bytes(body), url), answer.headers.get("location"))


def refuse(answer: Answer, reason: str) -> None:
    """Raises: ProviderRefused when an answer is a refusal, with what it says."""
    if answer.status >= 400:
        raise ProviderRefused(f"status {answer.status}: {reason}"[:500])


def amount_of(value: object, what: str) -> Decimal:
    """An amount in an answer. Raises: ProviderDown when there is none: such an answer can't be used."""
    number = value if isinstance(value, Decimal) else number_of(str(value))
    if number is None or not number.is_finite() or isinstance(value, bool):
        raise ProviderDown(f"{what} is no amount: {str(value)[:40]!r}")
    return number


def text_of(fields: object, name: str) -> str | None:
    """A text in an object of an answer; None: there is none."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, str) and value else None


def client_tls(certificate: str, key: str, authority: str | None) -> ssl.SSLContext:
    """What shows the provider who we are. Raises: ConfigurationError when a file can't be used."""
    try:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigurationError(f"the certificate for payments can't be used: {error}") from error
    return context


def _json(body: bytes, url: str) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise ProviderDown(f"{url} answers with something else than JSON") from error

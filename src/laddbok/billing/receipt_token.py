"""How does a customer without a log-in reach the page of their own invoice, and nobody else's?

By a link that only we can make: it names tenant and document, signed with a secret of the tenant (HMAC-SHA-256). One
letter changed, and it opens nothing.

>>> token = token_of(1, "norrladd-10000007", b"s" * 32)
>>> named(token)
(1, 'norrladd-10000007')
>>> is_genuine(token, b"s" * 32), is_genuine(token, b"t" * 32), is_genuine("A" + token[1:], b"s" * 32)
(True, False, False)
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

SIGNATURE_CHARS = 43
"""32 bytes in base 64 without padding."""
MAX_TOKEN_CHARS = 400


def token_of(tenant: int, invoice_id: str, secret: bytes) -> str:
    """The word in the link to the page of a document.

    Source: our choice, docs/rules.md "Dispute"; HMAC: RFC 2104.
    """
    name = f"{tenant}/{invoice_id}"
    return _signature(name, secret) + _text(name.encode())


def named(token: str) -> tuple[int, str] | None:
    """Tenant and document that a token names, genuine or not; None when it names none."""
    if not SIGNATURE_CHARS < len(token) <= MAX_TOKEN_CHARS:
        return None
    coded = token[SIGNATURE_CHARS:]
    try:
        tenant, slash, invoice_id = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode().partition("/")
    except (binascii.Error, ValueError):
        return None
    is_number = tenant.isascii() and tenant.isdecimal() and len(tenant) < 10
    return (int(tenant), invoice_id) if slash and is_number and invoice_id and "\0" not in invoice_id else None


def is_genuine(token: str, secret: bytes) -> bool:
    """Whether we made this token; compared in constant time."""
    found = named(token)
    return found is not None and hmac.compare_digest(token.encode(), token_of(*found, secret).encode())


def _signature(name: str, secret: bytes) -> str:
    return _text(hmac.new(secret, b"receipt\0" + name.encode(), sha256).digest())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")

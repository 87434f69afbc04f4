"""How does a draft become a document that nobody can change?

It gets the next number of its series, its payment reference, and a place in the chain: the hash of each document covers
the one before it, so that none can be taken out, put in or altered without every later hash telling.

    hash = SHA-256(hash of the document before, 32 bytes, or nothing for the first; canonical JSON of the content)
"""

from hashlib import sha256

import msgspec
from msgspec.structs import replace

from laddbok.billing.payment_reference import ocr
from laddbok.model.invoice import Invoice, InvoiceKind

_encoder = msgspec.json.Encoder(order="deterministic")
PAID_BY_REFERENCE = frozenset({InvoiceKind.INVOICE})


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a number series: what the next document gets, and what it is chained to."""

    prefix: str
    next_number: int
    last_hash: bytes | None = None


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A final document. `content` is what the hash covers."""

    number: int
    invoice: Invoice
    content: bytes
    previous_hash: bytes | None
    hash: bytes


def freeze(draft: Invoice, series: Series) -> tuple[Frozen, Series]:
    """The document under the series' next number, and the series after it.

    Source: ML 17 kap. 24 § (a serial number without gaps); our choice for the chain, docs/rules.md "Invoice".
    """
    number = numbered(draft, series)
    content = _encoder.encode(number)
    hashed = sha256((series.last_hash or b"") + content).digest()
    frozen = Frozen(
        number=series.next_number, invoice=number, content=content, previous_hash=series.last_hash, hash=hashed
    )
    return frozen, replace(series, next_number=series.next_number + 1, last_hash=hashed)


def numbered(draft: Invoice, series: Series) -> Invoice:
    """The draft with the number that the series gives next; also to validate one before a number is taken.

    >>> from laddbok.billing.examples import DRAFT
    >>> numbered(DRAFT, Series(prefix="2026", next_number=7)).payment_reference
    '2026000000730'
    """
    text = f"{series.prefix}{series.next_number:0{NUMBER_DIGITS}d}"
    return replace(draft, number=text, payment_reference=ocr(text) if draft.kind in PAID_BY_REFERENCE else None)


NUMBER_DIGITS = 7
"""At least so many digits follow the prefix."""

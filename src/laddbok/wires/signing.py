"""How is a root signed, and how is a signature under one checked?

With Ed25519: keys of 32 bytes, signatures of 64, the same signature each time for the same root. What is signed is a
fixed text and the root, so that a signature for this can't be used for anything else.

>>> key = new_key()
>>> signature = sign(key.private, "00" * 32)
>>> holds(key.public, signature, "00" * 32), holds(key.public, signature, "11" * 32)
(True, False)
"""

import binascii
from base64 import b64decode
from hashlib import sha256
from typing import NamedTuple

from laddbok.flow.proof import SIGNED_PREFIX
from laddbok.model.errors import Invalid

KEY_BYTES = 32
ROOT_CHARS = 64


class SigningKey(NamedTuple):
    """A key pair, raw."""

    public: bytes
    private: bytes


def new_key() -> SigningKey:
    """A key pair that nobody has."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return SigningKey(key.public_key().public_bytes_raw(), key.private_bytes_raw())


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 hex digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def sign(private: bytes, root: str) -> bytes:
    """The signature under a root. Args: root: 64 hex digits. Source: RFC 8032; what is signed: our choice."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(private).sign(SIGNED_PREFIX + bytes.fromhex(root))


def holds(public: bytes, signature: bytes, root: str) -> bool:
    """Whether this is the key's signature under this root; a signature or key that is none does not hold."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, SIGNED_PREFIX + bytes.fromhex(root))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key_of(text: str) -> bytes:
    """The public key that somebody typed, in base64 or hex. Raises: Invalid("key")."""
    text = text.strip()
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise Invalid(
            "key", "is no Ed25519 public key: 32 bytes in base64 or hex, as `laddbok evidence --public-key` says"
        )
    return raw


def root_typed(text: str) -> str:
    """The root that somebody typed from a receipt, blanks and case as they come. Raises: Invalid("root")."""
    root = "".join(text.split()).lower()
    if len(root) != ROOT_CHARS or not all(c in "0123456789abcdef" for c in root):
        raise Invalid("root", f"is no root hash: {ROOT_CHARS} hex digits, as they stand on the receipt")
    return root

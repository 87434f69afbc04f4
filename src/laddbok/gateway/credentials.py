"""Is this station who it says it is?

A station proves its identity with HTTP Basic: its identity and a password, once per connection. The password is a
long random string of ours, so one salted SHA-256 is enough to keep it, and five thousand stations that come back at
once are checked in milliseconds. A station may hold the password as text, or as the bytes that the text spells in
hex; it is brought to one form before it is hashed, so each spelling of a password opens the same door.

>>> stored = hash_password("00112233445566778899AABBCCDDEEFF00112233", salt=bytes(16))
>>> verify_password(stored, bytes.fromhex("00112233445566778899aabbccddeeff00112233"))
True
>>> verify_password(stored, b"00112233445566778899aabbccddeeff00112233")
True
>>> verify_password(stored, b"something else")
False
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets

import msgspec

SALT_BYTES = 16
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
"""From 16 digits on a password in hex means its bytes. Source: OCPP-J 1.6 6.2, a 20-byte key sent as bytes or hex."""


class Credentials(msgspec.Struct, frozen=True):
    """What a station presented."""

    username: str
    password: bytes


def hash_password(password: str | bytes, *, salt: bytes | None = None) -> bytes:
    """The form in which a station's password is stored: 16 bytes of salt, then the digest.

    Args: password: as text, hex text or bytes. salt: for tests; drawn when left out.
    Source: our choice, design "Tenants, sellers, hosts, people".
    """
    if salt is None:
        salt = secrets.token_bytes(SALT_BYTES)
    return salt + hashlib.sha256(salt + _canonical(password)).digest()


def verify_password(stored: bytes, password: str | bytes) -> bool:
    """Whether the password is the stored one, in constant time.

    Args: stored: what `hash_password` made. password: as the station presented it.
    """
    return hmac.compare_digest(stored, hash_password(password, salt=stored[:SALT_BYTES]))


def read_basic(header: str, identity: str) -> Credentials | None:
    """Read an Authorization header.

    The username of a station is its identity, so the password begins behind it even when the identity has a colon.

    Args: header: the header's value. identity: the station's identity from the path.
    Returns: None when it is not Basic or can't be read.
    Source: RFC 7617; OCPP-J 1.6 6.2; OCPP 2.0.1 A00.FR.204.
    """
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    expected = identity.encode() + b":"
    if decoded.startswith(expected):
        return Credentials(identity, decoded[len(expected) :])
    username, colon, password = decoded.partition(b":")
    return Credentials(username.decode("utf-8", "replace"), password) if colon else None


def _canonical(password: str | bytes) -> bytes:
    raw = password.encode() if isinstance(password, str) else password
    return bytes.fromhex(raw.decode()) if _HEX.fullmatch(raw) else raw

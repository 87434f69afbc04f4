"""What password does a station get?

A long random one of ours, as 40 hex digits, which is also a valid 1.6 AuthorizationKey. It is shown once, when it is
made. Stored is one salted SHA-256 of the bytes that the digits spell: stations present such a password as digits or as
bytes, and either is checked in that one form.
"""

import hashlib
import secrets

SALT_BYTES = 16
PASSWORD_BYTES = 20
"""Source: OCPP 1.6 AuthorizationKey, 20 bytes in hex."""


def new_station_password() -> tuple[str, bytes]:
    """A fresh random password and what to store of it: 16 bytes of salt, then the digest.

    Source: our choice, design "Tenants, sellers, hosts, people".
    """
    password = secrets.token_bytes(PASSWORD_BYTES)
    salt = secrets.token_bytes(SALT_BYTES)
    return password.hex(), salt + hashlib.sha256(salt + password).digest()

"""May this id token charge, and whose is it?

Tokens are compared in a normal form: upper case, without the separators that readers put between bytes. What we know of
a token at an instant is looked up before the rules run and handed in as `TokenFacts`.

>>> normalise_token(" 04:a2-ff:10 ")
'04A2FF10'
"""

from datetime import datetime

import msgspec

from laddbok.model.events import AuthorizationStatus

MAX_TOKEN_LENGTH = 255
_SEPARATORS = str.maketrans("", "", ":- \t\0")


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a token: its status, its end, and the contract it was linked to at the instant asked for."""

    status: AuthorizationStatus
    valid_to: datetime | None = None
    contract_id: str | None = None


def normalise_token(value: str) -> str:
    """The form in which tokens are stored and compared. Source: OCPP 1.6 CiString (case-insensitive); case S73."""
    return value.translate(_SEPARATORS).upper()[:MAX_TOKEN_LENGTH]


def authorization(facts: TokenFacts | None, at: datetime) -> AuthorizationStatus:
    """Our answer about a token at `at`; a token that we do not know is Invalid.

    Source: OCPP 1.6 7.2 AuthorizationStatus; OCPP 2.0.1 C01.FR.02.
    """
    if facts is None:
        return AuthorizationStatus.INVALID
    if facts.status is AuthorizationStatus.ACCEPTED and facts.valid_to is not None and at >= facts.valid_to:
        return AuthorizationStatus.EXPIRED
    return facts.status

"""May this id token charge, and whose is it?

Tokens are compared in a normal form: upper case, without the separators that readers put between bytes. What we know of
a token at an instant is looked up before the rules run and handed in as `TokenFacts`.

>>> normalise_token(" 04:a2-ff:10 ")
'04A2FF10'

Some readers send the bytes of a card's number backwards. Of a number that may be such a one, `byte_reversed` gives the
other reading, to be looked up when the first is unknown.

>>> byte_reversed("04A2FF10")
'10FFA204'
"""

from datetime import datetime

import msgspec

from laddbok.model.events import AuthorizationStatus

MAX_TOKEN_LENGTH = 255
UID_BYTES = (4, 7, 10)
"""How long the number of a card is. Source: ISO/IEC 14443-3, single, double and triple size UID."""
_SEPARATORS = str.maketrans("", "", ":- \t\0")
_UID_KINDS = ("", "ISO14443")
_HEX = frozenset("0123456789ABCDEF")


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a token: its status, its end, and the contract it was linked to at the instant asked for."""

    status: AuthorizationStatus
    valid_to: datetime | None = None
    contract_id: str | None = None
    single_session: bool = False
    """It may be in one session at a time."""
    charges_elsewhere: bool = False
    """It is in another session that lives; looked at only for a token of a single session."""
    known_as: str | None = None
    """The token that is stored, when another form of it was presented."""
    found_as: str = ""
    """What the presented form is: an "alias" that somebody registered, or the token "reversed" byte by byte."""


def normalise_token(value: str) -> str:
    """The form in which tokens are stored and compared. Source: OCPP 1.6 CiString (case-insensitive); case S73."""
    return value.translate(_SEPARATORS).upper()[:MAX_TOKEN_LENGTH]


def byte_reversed(token: str, kind: str = "") -> str | None:
    """The other reading of a card's number; None when it is none, or reads the same both ways.

    Args: token: normalised. kind: as OCPP 2.0.1 names it; "" where it is not said.
    Source: our choice; case S73 (readers that send the bytes backwards).
    """
    if kind not in _UID_KINDS or len(token) not in _UID_DIGITS or not _HEX.issuperset(token):
        return None
    reading = "".join(token[at : at + 2] for at in range(len(token) - 2, -1, -2))
    return None if reading == token else reading


_UID_DIGITS = tuple(2 * count for count in UID_BYTES)


def authorization(facts: TokenFacts | None, at: datetime) -> AuthorizationStatus:
    """Our answer about a token at `at`; a token that we do not know is Invalid.

    Source: OCPP 1.6 7.2 AuthorizationStatus; OCPP 2.0.1 C01.FR.02; case S20 (one session at a time).
    """
    if facts is None:
        return AuthorizationStatus.INVALID
    if facts.status is not AuthorizationStatus.ACCEPTED:
        return facts.status
    if facts.valid_to is not None and at >= facts.valid_to:
        return AuthorizationStatus.EXPIRED
    in_use = facts.single_session and facts.charges_elsewhere
    return AuthorizationStatus.CONCURRENT_TX if in_use else AuthorizationStatus.ACCEPTED

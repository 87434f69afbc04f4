"""How is a session named?

Sixteen characters without I, L, O and U, in four groups, so that a driver can read them over the phone. The name
follows from where the session's first frame stands in the evidence, so a rebuild names it the same.

>>> session_id(7, 3, 12)
'AWQD-K011-CEHY-SPKN'
>>> normalise_session_id('awqdkO11 cehyspkn')
'AWQD-K011-CEHY-SPKN'
"""

from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})
_LEAST_LETTERS = 4


def session_id(station_no: int, epoch: int, seq: int) -> str:
    """The id of the session that this frame opened: 80 bits in Crockford's base 32.

    Source: our choice, docs/rules.md "Session id".
    """
    return _named(f"{station_no}/{epoch}/{seq}")


def imported_session_id(identity: str) -> str:
    """The id of a session from another system's history: the same whenever it is imported."""
    return _named(f"import/{identity}")


def _named(origin: str) -> str:
    number = int.from_bytes(blake2b(origin.encode(), digest_size=10).digest())
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(75, -5, -5))
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))


def session_id_begin(text: str) -> str | None:
    """The begin of a session id as somebody read it out, in the form we store; None: it can't be one.

    >>> session_id_begin('awqd kO1')
    'AWQD-K01'

    Fewer than 4 characters are the begin of too many.
    """
    letters = "".join(text.split()).replace("-", "").upper().translate(_LOOK_ALIKE)
    if not _LEAST_LETTERS <= len(letters) <= 16 or set(letters) - set(_ALPHABET):
        return None
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def normalise_session_id(text: str) -> str:
    """A session id as somebody typed it, in the form we store; text of another length comes back trimmed only."""
    letters = "".join(text.split()).replace("-", "").upper()
    if len(letters) != 16:
        return text.strip()
    letters = letters.translate(_LOOK_ALIKE)
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))

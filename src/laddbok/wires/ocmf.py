"""Did the meter sign this reading?

A calibrated meter signs what it shows (OCMF); anybody with its public key can check that. The answer is one of four
(`model.proof.SignatureVerdict`), an attribute of the reading and never a reason to refuse a frame. Format, curves and
signatures are those of pyocmf, which is loaded when the first signed reading is checked: most operators never have one.

>>> check(None, None)
Checked(verdict=<SignatureVerdict.NOT_VERIFIABLE: 'not_verifiable'>, why='it is no OCMF')
"""

import json
import warnings
from typing import Any

from laddbok.model.proof import Checked, SignatureVerdict, SignedReading

MAX_WHY_CHARS = 200
MAX_KEY_CHARS = 4_096


def check_reading(reading: SignedReading) -> Checked:
    """The verdict on a signed reading, by the public key that came with it."""
    return check(reading.text, reading.public_key)


def check(text: str | None, public_key: str | None) -> Checked:
    """Whether the signature of an OCMF text holds under a public key.

    Args: text: None when there was none. public_key: hex or base64 of its DER, as it came; None: none came. One that
        follows the text as a fourth section counts then.
    Returns: a verdict for anything, never an exception.
    Source: OCMF 1.0, Signature; case S47; `invalid` against `tampered`: our choice, docs/rules.md "Signed values".
    """
    if text is None:
        return _not_verifiable("it is no OCMF")
    if public_key is not None and len(public_key) > MAX_KEY_CHARS:
        return _not_verifiable("the public key is too long to be one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            holds = _verified(text, public_key)
        # Text and key are a station's: whatever they make the library raise means that we could not check.
        except Exception as error:
            return _not_verifiable(" ".join(str(error).split()))
    if holds:
        return Checked(SignatureVerdict.VALID)
    if _is_possible(text):
        return Checked(SignatureVerdict.TAMPERED, "the signature is not of this text under this key")
    return Checked(SignatureVerdict.INVALID, "the signature can be none of any text")


def _verified(text: str, public_key: str | None) -> bool:
    from pyocmf import OCMF

    signed = OCMF.from_string(text)
    return signed.verify_signature(public_key if public_key else None)


def _is_possible(text: str) -> bool:
    """Whether what stands as signature is the DER of two numbers above nought, as every ECDSA signature is."""
    fields = json.loads(text.split("|")[2])
    value: Any = fields["SD"]
    if fields.get("SE") == "base64":
        from base64 import b64decode

        der = b64decode(value)
    else:
        der = bytes.fromhex(value)
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    try:
        r, s = decode_dss_signature(der)
    except ValueError:
        return False
    return r > 0 and s > 0


def _not_verifiable(why: str) -> Checked:
    return Checked(SignatureVerdict.NOT_VERIFIABLE, why[:MAX_WHY_CHARS])

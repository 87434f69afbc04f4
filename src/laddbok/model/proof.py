"""What proves a bill, and what can be said of a signed reading?

A proof is one root hash over everything that a CDR was made of. It is taken in the commit that issues the CDR, so what
comes later does not change it, and it fits on a receipt. A signed reading is what a meter signed by itself; whether its
signature holds is an attribute of it and never a reason to refuse a frame (case S47).
"""

from enum import StrEnum

import msgspec

from laddbok.model.session import FramePosition


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The root over what one CDR was made of, and which frames and decisions those were.

    `root` is 64 hex digits. `decisions` is how many of the session's decisions, counted from its first.
    """

    root: str
    rules: int
    frames: tuple[FramePosition, ...]
    decisions: int


class SignatureVerdict(StrEnum):
    """What the check of a signed reading gave: four different answers. Source: our choice; case S47."""

    VALID = "valid"
    """The signature is that of this text under this key."""
    INVALID = "invalid"
    """The signature is none: no text under any key of this curve could have it."""
    TAMPERED = "tampered"
    """The signature is sound, but not one of this text under this key: text, signature or key was changed."""
    NOT_VERIFIABLE = "not_verifiable"
    """It can't be checked: no key, a key that can't be read, another curve, or a format that we don't know."""


class Checked(msgspec.Struct, frozen=True):
    """A verdict, and why in a few words (empty: the verdict says it all)."""

    verdict: SignatureVerdict
    why: str = ""


class SignedReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter signed, verbatim as the station sent it, and where. `number` counts within its frame, from 0.

    `text` is the OCMF text inside, None when there is none. `public_key` is what came with it: proof of nothing by
    itself, until somebody holds it against the key on the meter. Registers in Wh, read without verifying.
    """

    epoch: int
    seq: int
    number: int
    signed: str
    text: str | None
    public_key: str | None
    register_wh: int | None
    energy_wh: int | None

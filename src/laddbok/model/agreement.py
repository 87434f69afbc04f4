"""Who pays which part of a contract's sessions?

An agreement is an ordered row of shares. Each says who pays, for which kinds of rated lines, which part of them, and up
to how much in a session and in a month. What no share takes is the rest: the contract's own payer, most often the
driver, pays it.

>>> agreement = parse_agreement(b'{"shares": [{"payer_id": "work", "kinds": ["energy"], "up_to_per_month": "900"}]}')
>>> agreement.shares[0].payer_id, agreement.shares[0].up_to_per_month, agreement.rest
('work', Decimal('900'), None)
"""

from decimal import Decimal
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.rated import LineKind
from laddbok.model.tariff import below_maximum, convert, decode_object

MAX_SHARES = 20
MAX_OF = 1_000_000
LIMITS = frozenset({LineKind.MIN_PRICE, LineKind.MAX_PRICE, LineKind.FLOOR})
"""Lines that change a whole session's price: nobody in particular pays them."""


class Share(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`part` of `of` of the lines of these kinds (none: of all), with VAT up to so much; 60 of 100 are 60 %, 1 of 3 a third."""

    payer_id: str
    kinds: tuple[LineKind, ...] = ()
    part: Decimal = Decimal(100)
    of: int = 100
    up_to_per_session: Decimal | None = None
    up_to_per_month: Decimal | None = None
    names_driver: bool = True
    """Whether its payer's invoice tells who drove; a roaming partner's should not."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Shares in the order in which they are taken; `rest` pays what is left (None: the contract's own payer)."""

    shares: tuple[Share, ...]
    rest: str | None = None

    @property
    def payers(self) -> tuple[str, ...]:
        """Everybody whom it names, once."""
        return tuple(dict.fromkeys([*(share.payer_id for share in self.shares), *([self.rest] if self.rest else [])]))


def parse_agreement(document: dict[str, Any] | bytes) -> Agreement:
    """Read an agreement.

    Args: document, the JSON text or what was decoded from it.
    Raises: Invalid, with the path of the field.
    """
    fields = decode_object(document, "agreement") if isinstance(document, bytes) else document
    agreement = convert(fields, Agreement)
    if not 0 < len(agreement.shares) <= MAX_SHARES:
        raise Invalid("shares", f"there must be 1 to {MAX_SHARES}, not {len(agreement.shares)}")
    for i, share in enumerate(agreement.shares):
        _check(f"shares[{i}]", share)
    return agreement


def _check(path: str, share: Share) -> None:
    if not share.payer_id:
        raise Invalid(f"{path}.payer_id", "is empty")
    if not 0 < share.of <= MAX_OF:
        raise Invalid(f"{path}.of", f"must be 1 to {MAX_OF}, not {share.of}")
    if not below_maximum(share.part) or not 0 < share.part <= share.of:
        raise Invalid(f"{path}.part", f"{share.part} is not above 0 and at most {share.of}")
    for name in ("up_to_per_session", "up_to_per_month"):
        amount = getattr(share, name)
        if amount is not None and (not below_maximum(amount) or amount < 0):
            raise Invalid(f"{path}.{name}", f"{amount} is not an amount")
    if LIMITS & {*share.kinds}:
        raise Invalid(
            f"{path}.kinds", "a limit on a session's price is shared like the rest of it, and can't be chosen"
        )

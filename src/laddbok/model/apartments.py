"""Which apartments does a site have, whose charging is whose, and who bears which part of what is fixed?

An apartment is named as its neighbours name it. What belongs to it are contracts and id tokens, each from a first to a last day,
because people move; one of them belongs to one apartment at a time. What does not depend on use is borne equally, or by parts
that come to `of`, such as the shares of a co-operative that come to 100.

>>> agreement = parse_apartments({"apartments": [{"apartment": "1001", "part": "60", "holders": [{"contract_id": "c-1"}]},
...     {"apartment": "1002", "part": "40"}]})
>>> agreement.fixed_parts
{'1001': Decimal('60'), '1002': Decimal('40')}
"""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.tariff import below_maximum, convert, decode_object

MAX_APARTMENTS = 10_000
MAX_HOLDERS = 100
"""Of one apartment, over all its years."""
MAX_NAME_CHARS = 64


class Holder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A contract or an id token of an apartment; None for a day: since ever, or without end."""

    contract_id: str | None = None
    id_token: str | None = None
    first_day: date | None = None
    last_day: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it belongs to the apartment on this day."""
        return (self.first_day or date.min) <= day <= (self.last_day or date.max)

    def meets(self, other: "Holder") -> bool:
        """Whether both hold on some day."""
        return (self.first_day or date.min) <= (other.last_day or date.max) and (other.first_day or date.min) <= (
            self.last_day or date.max
        )


class Apartment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An apartment; `part`: of what is fixed."""

    apartment: str
    holders: tuple[Holder, ...] = ()
    part: Decimal | None = None


class Apartments(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A site's apartments in the order in which lists name them, and how they share. `language`: of their lists."""

    apartments: tuple[Apartment, ...]
    of: Decimal = Decimal(100)
    language: str = "sv"

    @property
    def fixed_parts(self) -> dict[str, Decimal]:
        """Each apartment's part of what is fixed; 1 each where nothing else was agreed."""
        return {each.apartment: Decimal(1) if each.part is None else each.part for each in self.apartments}


def parse_apartments(document: dict[str, Any] | bytes) -> Apartments:
    """Read the apartments of a site and how they share.

    Args: document, the JSON text or what was decoded from it; its id tokens are normalised.
    Raises: Invalid with the path: an apartment twice, parts that do not come to `of`, a contract or token that is two apartments'.
    Source: our choice, docs/rules.md "Apartment lists".
    """
    fields = decode_object(document, "agreement") if isinstance(document, bytes) else document
    agreement = convert(fields, Apartments)
    if not 0 < len(agreement.apartments) <= MAX_APARTMENTS:
        raise Invalid("apartments", f"there must be 1 to {MAX_APARTMENTS}, not {len(agreement.apartments)}")
    if agreement.language not in ("sv", "en"):
        raise Invalid("language", f"{agreement.language!r} is none of sv, en")
    seen: dict[str, int] = {}
    for i, each in enumerate(agreement.apartments):
        _check_apartment(f"apartments[{i}]", each)
        if each.apartment in seen:
            where = f"apartments[{seen[each.apartment]}]"
            raise Invalid(f"apartments[{i}].apartment", f"{each.apartment} is there twice: see {where} too")
        seen[each.apartment] = i
    _check_parts(agreement)
    _check_holders(agreement)
    return agreement


def belongings(agreement: Apartments) -> dict[tuple[str | None, str | None], list[tuple[str, Holder]]]:
    """Each contract and token with the apartments to which it belonged, and when."""
    found: dict[tuple[str | None, str | None], list[tuple[str, Holder]]] = {}
    for each in agreement.apartments:
        for holder in each.holders:
            found.setdefault((holder.contract_id, holder.id_token), []).append((each.apartment, holder))
    return found


def _check_apartment(path: str, each: Apartment) -> None:
    if not 0 < len(each.apartment) <= MAX_NAME_CHARS or each.apartment != each.apartment.strip():
        raise Invalid(f"{path}.apartment", f"must be 1 to {MAX_NAME_CHARS} characters without blanks around them")
    if len(each.holders) > MAX_HOLDERS:
        raise Invalid(f"{path}.holders", f"there must be at most {MAX_HOLDERS}, not {len(each.holders)}")
    for j, holder in enumerate(each.holders):
        if bool(holder.contract_id) == bool(holder.id_token):
            raise Invalid(f"{path}.holders[{j}]", "names a contract_id or an id_token, and not both")
        if holder.first_day and holder.last_day and holder.last_day < holder.first_day:
            raise Invalid(f"{path}.holders[{j}].last_day", f"{holder.last_day} is before {holder.first_day}")


def _check_parts(agreement: Apartments) -> None:
    parts = [each.part for each in agreement.apartments if each.part is not None]
    if not parts:
        return
    for i, each in enumerate(agreement.apartments):
        if each.part is None:
            raise Invalid(f"apartments[{i}].part", "is missing, though others have one")
        if not below_maximum(each.part) or each.part < 0:
            raise Invalid(f"apartments[{i}].part", f"{each.part} is not a number from 0 on")
    if not below_maximum(agreement.of) or agreement.of <= 0:
        raise Invalid("of", f"{agreement.of} is not a number above 0")
    if sum(parts) != agreement.of:
        raise Invalid("of", f"the parts come to {sum(parts)}, not to {agreement.of}")


def _check_holders(agreement: Apartments) -> None:
    """A contract or token is one apartment's on each day."""
    places = {
        id(h): f"apartments[{i}].holders[{j}]"
        for i, e in enumerate(agreement.apartments)
        for j, h in enumerate(e.holders)
    }
    for held in belongings(agreement).values():
        held = sorted(held, key=lambda pair: pair[1].first_day or date.min)
        for (name, earlier), (_, later) in pairwise(held):
            if earlier.meets(later):
                field = "contract_id" if later.contract_id else "id_token"
                known = later.contract_id or later.id_token
                raise Invalid(f"{places[id(later)]}.{field}", f"{known} belongs to apartment {name} on the same days")

"""What was agreed with the host of a site?

So much for each kWh, a part of what its sessions cost before VAT, and so much for each month; any of them, added up.

>>> parse_host_terms(b'{"per_kwh": "0.60", "fixed_per_month": "150"}').per_kwh
Decimal('0.60')
"""

from decimal import Decimal

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.tariff import below_maximum, convert, decode_object


class HostTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a host gets, before VAT. `percent_of_net` is of what sessions cost before VAT; `vat` [%] if it is registered."""

    per_kwh: Decimal = Decimal(0)
    percent_of_net: Decimal = Decimal(0)
    fixed_per_month: Decimal = Decimal(0)
    vat: Decimal = Decimal(25)


def parse_host_terms(document: bytes) -> HostTerms:
    """Read what was agreed. Raises: Invalid, with the path of the field."""
    terms = convert(decode_object(document, "agreement"), HostTerms)
    for name in HostTerms.__struct_fields__:
        number = getattr(terms, name)
        if not below_maximum(number) or number < 0:
            raise Invalid(name, f"{number} is not a number from 0 on")
    for name in ("percent_of_net", "vat"):
        if getattr(terms, name) > 100:
            raise Invalid(name, f"{getattr(terms, name)} % is more than all")
    return terms

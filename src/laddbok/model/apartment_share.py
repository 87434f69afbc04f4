"""What does one apartment of a housing co-operative pay?"""

from decimal import Decimal

import msgspec


class ApartmentShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one apartment pays; "" names no apartment: what is nobody's, or everybody's."""

    apartment: str
    energy_wh: int
    net: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        """With VAT."""
        return self.net + self.vat

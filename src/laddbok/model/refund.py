"""What is paid back to somebody who charged at home?"""

from datetime import datetime
from decimal import Decimal

import msgspec


class RefundLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is paid back for one session; `per_kwh` None: a tariff priced it. `begin_wh` and `end_wh`: the meter's register."""

    session_id: str
    started_at: datetime
    energy_wh: int
    per_kwh: Decimal | None
    amount: Decimal
    begin_wh: int | None = None
    end_wh: int | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A statement: the total is the sum of its lines. Without VAT."""

    currency: str
    lines: tuple[RefundLine, ...]
    energy_wh: int
    total: Decimal

"""How is a tariff written for others: eMSPs (OCPI) and stations that compute the cost themselves (OCPP 2.1)?

Each wire has its module: what it has no word for, or words for that say something else, is refused with its path and
the reason; nothing is approximated.
"""

from datetime import datetime
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.tariff import Tariff
from laddbok.wires.tariff_export.ocpi import to_ocpi
from laddbok.wires.tariff_export.ocpp21 import to_ocpp21

WIRES = ("ocpi-2.2.1", "ocpi-2.3.0", "ocpp-2.1")

_encoder = msgspec.json.Encoder(decimal_format="number")


def export_tariff(tariff: Tariff, wire: str, updated_at: datetime) -> bytes:
    """A tariff as JSON for a wire, its numbers exact.

    Args: wire, one of WIRES; updated_at, when the tariff was last written, which OCPI tells.
    Raises: Invalid when there is no such wire; NotSayable when it has no word for something in the tariff.
    Source: OCPI 2.2.1 and 2.3.0 mod_tariffs; OCPP 2.1 TariffType.
    """
    if wire not in WIRES:
        raise Invalid("to", f"{wire!r} is none of {', '.join(WIRES)}")
    name, _, version = wire.partition("-")
    document: dict[str, Any] = to_ocpi(tariff, version, updated_at) if name == "ocpi" else to_ocpp21(tariff)
    return _encoder.encode(document)

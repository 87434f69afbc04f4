"""How does a tariff read for others: eMSPs, and stations that compute the cost themselves?

The version that holds now, or the one that is asked for, in the words of OCPI or OCPP. What these have no words for is
refused with its path.
"""

from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.model.errors import NotFound
from laddbok.model.tariff import parse_tariff
from laddbok.store.sql import query

Wire = Annotated[str, QueryParameter(name="to", description="ocpi-2.2.1, ocpi-2.3.0 or ocpp-2.1.")]
Version = Annotated[
    int | None, QueryParameter(name="version", description="Else the one that holds.", ge=1, le=2**31 - 1)
]


@get("/tariffs/{tariff_id:str}/export")
async def show_export(
    request: ApiRequest, tariff_id: FromPath[str], to: Wire, version: Version = None
) -> Response[bytes]:
    """A tariff as an OCPI Tariff object, or as the TariffType of OCPP 2.1."""
    parts = parts_of(request)
    async with asked(request) as connection:
        row = await connection.fetchrow(query("tariff_held"), tariff_id, parts.clock.now(), version)
    if row is None:
        raise NotFound("tariff", tariff_id if version is None else f"{tariff_id} version {version}")
    tariff = parse_tariff(row["document"].encode())
    return Response(parts.export_tariff(tariff, to, row["received_at"]), media_type="application/json")

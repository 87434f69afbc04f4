"""What is wrong in a tariff, before it holds?

The same check answers a question (`POST /tariffs/check`, which writes nothing) and stands before every write: what it
refuses is not written, and what it warns of is told. A tariff for drivers without a contract is checked against the EVSEs
where it applies.
"""

import asyncio
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from litestar import post
from litestar.params import QueryParameter
from msgspec.structs import asdict

from laddbok.api.door import READER
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.tariff_schema import TariffDocument
from laddbok.api.timeline_text import Text
from laddbok.model.errors import Invalid
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.model.tariff_finding import Severity, TariffFinding, TariffFindingCode
from laddbok.rating.price_list import price_list
from laddbok.rating.tariff_check import check
from laddbok.store.sql import query

MAX_POWER_W = 10_000_000
_FOR_AD_HOC = (TariffFindingCode.AFIR_PRICE, TariffFindingCode.AFIR_NOT_FIXED)

AdHoc = Annotated[bool | None, QueryParameter(name="ad_hoc", description="For sessions without a contract.")]
MaxPowerW = Annotated[
    int | None, QueryParameter(name="max_power_w", description="Of the strongest EVSE [W].", ge=0, le=MAX_POWER_W)
]


class TariffFindingView(msgspec.Struct):
    """One thing about a tariff: `path` is where it stands, `severity` refused or warning."""

    code: str
    path: str
    severity: str
    text: Text


class StationTariffFinding(TariffFindingView):
    """One thing in the tariff that applies at a station."""

    tariff_id: str


class PriceText(msgspec.Struct):
    """One price as people are shown it, and where it stands."""

    path: str
    text: Text


class CheckedTariff(msgspec.Struct):
    """What would be said of a tariff if it were posted, and its prices in the order in which people are shown them."""

    refused: bool
    findings: list[TariffFindingView]
    prices: list[PriceText]


@post("/tariffs/check", opt=READER, status_code=200)
async def check_tariff(
    request: ApiRequest, data: TariffDocument, ad_hoc: AdHoc = None, max_power_w: MaxPowerW = None
) -> CheckedTariff:
    """Say what is wrong in a tariff, and write nothing."""
    tariff = parse_tariff(await request.body())
    today = parts_of(request).clock.now().date()
    found = await asyncio.to_thread(check, tariff, ad_hoc=ad_hoc, max_power_w=max_power_w, today=today)
    async with asked(request) as connection:
        found += await _of_market(connection, request.user.tenant, tariff)
    refused = any(each.severity is Severity.REFUSED for each in found)
    prices = [PriceText(price.path, Text(price.sv, price.en)) for price in await asyncio.to_thread(price_list, tariff)]
    return CheckedTariff(refused, [_view(each) for each in found], prices)


async def checked(connection: asyncpg.Connection, tenant: int, tariff: Tariff, at: datetime) -> list[TariffFindingView]:
    """What a person should know about a tariff that is about to be written.

    Raises: Invalid, naming all that is refused.
    """
    power_w = await connection.fetchval(query("tariff_power"), tariff.id, at)
    found = await asyncio.to_thread(check, tariff, max_power_w=power_w, today=at.date())
    found += await _of_market(connection, tenant, tariff)
    if refused := [each for each in found if each.severity is Severity.REFUSED]:
        raise Invalid(refused[0].path, _reason(refused))
    return [_view(each) for each in found]


async def refuse_where_it_applies(
    connection: asyncpg.Connection, scope: str, scope_id: str, tariff_id: str, at: datetime
) -> None:
    """A tariff for drivers without a contract is not assigned to EVSEs where it may not be used.

    Raises: Invalid.
    """
    if scope == "contract":
        return
    power_w = await connection.fetchval(query("scope_power"), scope, scope_id, at)
    if refused := await _refused_ad_hoc(connection, tariff_id, power_w, at):
        raise Invalid("tariff_id", f"{tariff_id!r} can't apply there: {refused[0].path}: {_reason(refused)}")


async def not_allowed_at(connection: asyncpg.Connection, station_id: str, at: datetime) -> list[StationTariffFinding]:
    """What drivers without a contract may not be asked at a station, by the tariff that applies there and the EVSEs it has.

    A station is described as it is, so this refuses nothing: the tariff, or where it applies, is to be changed.
    """
    row = await connection.fetchrow(query("station_tariff"), station_id, at)
    if row is None or row["tariff_id"] is None:
        return []
    refused = await _refused_ad_hoc(connection, row["tariff_id"], row["power_w"], at)
    return [StationTariffFinding(**asdict(_view(each)), tariff_id=row["tariff_id"]) for each in refused]


async def _refused_ad_hoc(
    connection: asyncpg.Connection, tariff_id: str, power_w: int | None, at: datetime
) -> list[TariffFinding]:
    """What is refused of the first version that holds or will, and that may not be used ad hoc at this power [W]."""
    for row in await connection.fetch(query("tariff_to_come"), tariff_id, at):
        tariff = parse_tariff(row["document"].encode())
        found = await asyncio.to_thread(check, tariff, max_power_w=power_w)
        refused = [each for each in found if each.severity is Severity.REFUSED and each.code in _FOR_AD_HOC]
        if refused:
            return refused
    return []


async def _of_market(connection: asyncpg.Connection, tenant: int, tariff: Tariff) -> tuple[TariffFinding, ...]:
    """A market price that nobody has brought yet: a session waits for it, without end where the zone or currency is wrong."""
    spot = tariff.laddbok.spot
    if spot is None or await connection.fetchval(query("spot_prices_exist"), tenant, spot.zone, tariff.currency):
        return ()
    return (
        TariffFinding(
            code=TariffFindingCode.NO_MARKET_PRICES,
            path="laddbok.spot.zone",
            en=f"no market price of {spot.zone} in {tariff.currency} is known: sessions wait for it and are not billed before",
            sv=f"inget marknadspris för {spot.zone} i {tariff.currency} är känt: laddningar väntar på det och debiteras inte före",
        ),
    )


def _reason(refused: list[TariffFinding]) -> str:
    first, *others = refused
    return "; ".join([first.en, *(f"{each.path}: {each.en}" for each in others)])


def _view(finding: TariffFinding) -> TariffFindingView:
    return TariffFindingView(finding.code.value, finding.path, finding.severity.value, Text(finding.sv, finding.en))

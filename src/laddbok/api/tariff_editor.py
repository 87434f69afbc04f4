"""What would a tariff cost, before anybody publishes it?

A document that is still being written is drawn as a week of prices per kWh, and tried on a session: one told in a few
figures, or a real one as it was issued. Nothing is stored; the functions that rate sessions answer.
"""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.params import JSONBody

from laddbok.api.door import READER
from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.price_view import PriceView, price_view
from laddbok.api.session_view import TariffRef
from laddbok.api.sessions import aware
from laddbok.api.week_view import WeekGrid, week_grid
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.example_session import example_session
from laddbok.rating.local_time import zone_named
from laddbok.rating.rate import rate
from laddbok.rating.week import POWER_W, week, week_span
from laddbok.store.spot_prices import read_prices
from laddbok.store.sql import query

MAX_PRICES = 500
"""A tariff of more prices is not drawn: each may be asked about each quarter hour."""
MAX_MINUTES = 2_880
MAX_WH = 1_000_000
MAX_POWER_W = 1_000_000
NOT_POSTED = 0
"""The version of a document that nobody has published."""

Zone = Annotated[str, msgspec.Meta(max_length=60)]


class _Draft(msgspec.Struct):
    """The document as it was written: the framework's own decoder would round its numbers."""

    document: msgspec.Raw


_cdr = msgspec.json.Decoder(Cdr)
_draft = msgspec.json.Decoder(_Draft)


class WeekAsked(msgspec.Struct, forbid_unknown_fields=True):
    """A tariff as it could be posted, and the week to draw: seven local days from `from_date` on.

    `power_w` is that of the session that is thought of, where a price depends on it.
    """

    document: dict[str, Any]
    time_zone: Zone
    from_date: date
    power_w: Annotated[int, msgspec.Meta(ge=0, le=MAX_POWER_W)] = POWER_W


class Example(msgspec.Struct, forbid_unknown_fields=True):
    """A session in figures: it charges evenly and then stands, and is unplugged when it ends."""

    started_at: datetime
    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=MAX_WH)]
    charging_min: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINUTES)]
    idle_min: Annotated[int, msgspec.Meta(ge=0, le=MAX_MINUTES)] = 0
    time_zone: Zone = "Europe/Stockholm"


class Trial(msgspec.Struct, forbid_unknown_fields=True):
    """A tariff as it could be posted, and what to try it on: an example, or a session of which a CDR was issued."""

    document: dict[str, Any]
    example: Example | None = None
    session_id: str | None = None


@post("/tariffs/week", opt=READER, status_code=200)
async def draw_week(request: ApiRequest, data: JSONBody[WeekAsked]) -> WeekGrid:
    """The price per kWh of each quarter hour of a week under a tariff that need not be published. Writes nothing."""
    tariff = await _tariff(request)
    compiled = compile_tariff(tariff, data.time_zone)
    span_s = week_span(zone_named(data.time_zone), data.from_date)
    prices = await _market(request, compiled, _instant(span_s[0]), _instant(span_s[-1]))

    def drawn() -> WeekGrid:
        days = week(compiled, data.from_date, power_w=data.power_w, prices=prices)
        return week_grid(tariff, compiled, days, data.power_w)

    return await asyncio.to_thread(drawn)


@post("/tariffs/try", opt=READER, status_code=200)
async def try_tariff(request: ApiRequest, data: JSONBody[Trial]) -> PriceView:
    """What a session would cost under a tariff that need not be published. Writes nothing."""
    tariff = await _tariff(request)
    if (data.example is None) == (data.session_id is None):
        raise Invalid("example", "either an example or a session_id, and not both")
    session = _told(data.example) if data.example else await _issued(request, data.session_id or "")
    compiled = compile_tariff(tariff, session.time_zone)
    # A session that was stopped in the second of its start has no period.
    end_at = session.periods[-1].end_at if session.periods else session.started_at
    prices = await _market(request, compiled, session.started_at, end_at)
    rating = await asyncio.to_thread(rate, session, compiled, prices=prices)
    reference, now = TariffRef(tariff.id, NOT_POSTED), parts_of(request).clock.now()
    return price_view(rating, reference, now, final=False, terms=tariff)


async def _tariff(request: ApiRequest) -> Tariff:
    """The tariff in the request, its numbers exact. Raises: Invalid, also when it is too large to draw."""
    tariff = parse_tariff(bytes(_draft.decode(await request.body()).document))
    ours = tariff.laddbok
    count = sum(len(element.price_components) for element in tariff.elements)
    count += len(ours.spot.grid) + len(ours.spot.energy_tax) if ours.spot else 0
    count += len(ours.idle.exempt) if ours.idle else 0
    if count > MAX_PRICES:
        raise Invalid("elements", f"{count} prices are more than the {MAX_PRICES} that are drawn or tried")
    return tariff


def _told(example: Example) -> Cdr:
    started_at = aware(example.started_at, "example.started_at")
    zone_named(example.time_zone)
    return example_session(
        started_at, example.energy_wh, example.charging_min * 60, example.idle_min * 60, example.time_zone
    )


async def _issued(request: ApiRequest, session_id: str) -> Cdr:
    """The usage of a session as it was last issued. Raises: NotFound when nothing is."""
    async with asked(request) as connection:
        row = await connection.fetchrow(query("session_cdr"), normalise_session_id(session_id))
    if row is None:
        raise NotFound("CDR of session", session_id)
    return _cdr.decode(row["document"])


async def _market(
    request: ApiRequest, compiled: CompiledTariff, start_at: datetime, end_at: datetime
) -> SpotPrices | None:
    """The market's prices that are known for a span; None for a tariff that does not ask."""
    if compiled.spot is None:
        return None
    async with asked(request) as connection:
        return await read_prices(
            connection, request.user.tenant, compiled.spot.zone, compiled.currency, start_at, end_at
        )


def _instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)

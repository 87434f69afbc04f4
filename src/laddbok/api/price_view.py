"""Why does this session cost what it costs?

The price with every line in words, as issued or, while nothing is issued, as it stands now. A session without a price
says the name of the reason.
"""

from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec
from litestar import get
from litestar.params import FromPath

from laddbok.api.parts import ApiRequest, asked, parts_of
from laddbok.api.prices import Prices
from laddbok.api.session_view import TariffRef, facts_of, missing_reason
from laddbok.api.timeline_text import Text
from laddbok.model.errors import Invalid, NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.rated import UNITS, Finding, FindingCode, PriceParts, RatedLine, Rating
from laddbok.model.session import TariffChoice
from laddbok.model.tariff import Tariff
from laddbok.rating.explain import explain
from laddbok.rating.restriction_text import when
from laddbok.store.sql import query


class PriceLine(msgspec.Struct):
    """One line. `quantity` in `unit` (Wh, s, 1); `unit_price` per `price_unit` (kWh, h, min, session).

    `restriction` is when the price applies, null when always. `parts` is what a spot price is made of. A line is `pending`
    while the market's price is not known: it has neither price nor amounts.
    """

    dimension: str
    quantity: int
    unit: str
    unit_price: Decimal | None
    price_unit: str
    excl_vat: Decimal | None
    vat_rate: Decimal | None
    incl_vat: Decimal | None
    text: Text
    start_at: datetime
    end_at: datetime
    restriction: Text | None
    parts: PriceParts | None
    pending: bool


class PriceFinding(msgspec.Struct):
    """Something to know about a price, and the field of the tariff or the session that it stems from."""

    code: str
    text: Text
    field: str


class PriceView(msgspec.Struct):
    """The price of a session. `final`: issued; else it may still change.

    Either amount is null while the VAT is unknown, both are while a market price is.
    """

    currency: str
    excl_vat: Decimal | None
    incl_vat: Decimal | None
    final: bool
    as_of: datetime
    tariff: TariffRef
    tax_included: bool
    """Whether the unit prices of the lines contain the VAT."""
    lines: list[PriceLine]
    findings: list[PriceFinding]


class NoPrice(msgspec.Struct):
    """There is no price, and why."""

    reason: str
    price: None = None


_FINDINGS_SV = {
    FindingCode.ZERO_ENERGY: "Ingen energi, därför ingen avgift",
    FindingCode.UNKNOWN_RESTRICTION: "Prislistan har ett villkor som vi inte känner till; den delen gäller inte",
    FindingCode.CURRENT_NOT_RECORDED: "Strömmen mättes inte, så ett villkor på ström kunde inte prövas",
    FindingCode.NO_MATCHING_ELEMENT: "Ingen del av prislistan gällde för en del av laddningen",
    FindingCode.VAT_ABSENT: "Prislistan säger inget om moms",
    FindingCode.IDLE_AND_PARKING: "Prislistan tar ut både parkeringstid och tomgångsavgift",
    FindingCode.UNPLUG_UNKNOWN: "Det är inte känt när kabeln drogs ur",
    FindingCode.MIN_PRICE_APPLIED: "Priset höjdes till prislistans lägsta pris",
    FindingCode.MAX_PRICE_APPLIED: "Priset sänktes till prislistans högsta pris",
    FindingCode.TARIFF_NOT_IN_FORCE: "Prislistan gällde inte när laddningen började",
    FindingCode.TIME_UNACCOUNTED: "En del av tiden saknar uppgift om vad uttaget gjorde",
    FindingCode.ENERGY_SPREAD: "Energi fördelades jämnt över tid utan avläsning",
    FindingCode.ENERGY_DIFFERS: "Periodernas energi skiljer sig från totalen",
    FindingCode.SETTLED_MONTHLY: "Det abonnemanget ger för den här energin räknas av på månadens faktura",
    FindingCode.CREDIT: "Beloppet är en kreditering",
    FindingCode.RESERVATION_EXPIRED: "Bokningen förföll",
    FindingCode.PRICE_PENDING: "Marknadspriset är inte känt än för en del av energin; den är inte prissatt",
    FindingCode.NOT_BELOW_NOTHING: "Summan blev mindre än noll; laddningen kostar 0",
}

_rating = msgspec.json.Decoder(Rating)


@get("/sessions/{session_id:str}/price")
async def show_price(request: ApiRequest, session_id: FromPath[str]) -> PriceView | NoPrice:
    """The price with its lines, or the reason why there is none."""
    parts, tenant = parts_of(request), request.user.tenant
    async with asked(request) as connection:
        return await price_of(connection, parts.prices, tenant, normalise_session_id(session_id), parts.clock.now())


async def price_of(
    connection: asyncpg.Connection, prices: Prices, tenant: int, session_id: str, now: datetime
) -> PriceView | NoPrice:
    """The issued price of a session, else the running one, else the reason why there is none.

    Args: connection: in the name of somebody of the tenant. now: business time.
    Raises: NotFound.
    """
    issued = await connection.fetchrow(query("session_cdr"), session_id)
    if issued is not None:
        tariff = TariffRef(issued["tariff_id"], issued["tariff_version"])
        terms = await _terms(connection, prices, tenant, tariff)
        return price_view(_rating.decode(issued["rating"]), tariff, issued["issued_at"], final=True, terms=terms)
    row = await connection.fetchrow(query("session_body"), session_id)
    if row is None:
        raise NotFound("session", session_id)
    facts = facts_of(row["body"])
    if reason := missing_reason(row["origin"], row["state"], facts):
        return NoPrice(reason)
    running = await prices.running(connection, row["body"], min(now, row["silent_since"] or now))
    if isinstance(running, str):
        return NoPrice(running)
    assert facts.tariff is not None
    rating, as_of = running
    tariff = TariffRef(facts.tariff.tariff_id, facts.tariff.version)
    terms = await _terms(connection, prices, tenant, tariff)
    return price_view(rating, tariff, as_of, final=False, terms=terms)


async def _terms(connection: asyncpg.Connection, prices: Prices, tenant: int, ref: TariffRef) -> Tariff | None:
    """The tariff's version as it can be read; None: it can't."""
    try:
        return await prices.tariff(connection, tenant, TariffChoice(ref.id, ref.version))
    except Invalid:
        return None


def price_view(
    rating: Rating, tariff: TariffRef, as_of: datetime, *, final: bool, terms: Tariff | None = None
) -> PriceView:
    """A rating as it looks from outside. Args: terms: the tariff that priced it, so that its conditions are told."""
    return PriceView(
        rating.currency, rating.excl_vat, rating.incl_vat, final, as_of, tariff, rating.tax_included,
        [_line(line, rating.currency, terms) for line in rating.lines],
        [finding_view(finding) for finding in rating.findings],
    )  # fmt: skip


def _line(line: RatedLine, currency: str, terms: Tariff | None) -> PriceLine:
    unit, price_unit = UNITS.get(line.kind, ("1", "session"))
    return PriceLine(
        line.kind.value, line.quantity, unit, line.price, price_unit, line.excl_vat, line.vat_percent, line.incl_vat,
        Text(explain(line, currency, "sv", terms), explain(line, currency, "en", terms)), line.start_at, line.end_at,
        restriction_of(terms, line.element), line.parts, line.pending,
    )  # fmt: skip


def restriction_of(terms: Tariff | None, element: int | None) -> Text | None:
    """When the prices of a tariff's element apply, in words; None: always, or not known."""
    restrictions = terms.elements[element].restrictions if terms and element is not None else None
    text = Text(when(restrictions, "sv"), when(restrictions, "en")) if restrictions else None
    return text if text and text.en else None


def finding_view(finding: Finding) -> PriceFinding:
    """A finding in both languages."""
    text = Text(_FINDINGS_SV.get(finding.code, finding.text), finding.text)
    return PriceFinding(finding.code.value, text, finding.field)

"""Which documents are set and looked at? Each is drafted from sessions that were really rated."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from laddbok.billing.draft import draft
from laddbok.billing.examples import COMPANY, OCTOBER, SELLER
from laddbok.billing.freeze import Series, numbered
from laddbok.billing.list_page import ListHead
from laddbok.billing.totals import totals_of
from laddbok.model.apartment_share import ApartmentShare
from laddbok.model.billing import Customer, Position, SellerTerms
from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.home_charging import DatedPrice
from laddbok.model.ids import session_id
from laddbok.model.invoice import (
    Address,
    Buyer,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Reference,
    Text,
    Unit,
    VatRate,
)
from laddbok.model.refund import Refund
from laddbok.model.spot_prices import QUARTER_S, SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.rating.compile import CompiledTariff, compile_tariff
from laddbok.rating.cost_share import MonthCost, share_cost
from laddbok.rating.rate import rate
from laddbok.rating.reimbursement import reimburse

ZONE = "Europe/Stockholm"
OCTOBER_AT = datetime(2026, 10, 3, 6, tzinfo=UTC)
SERIES = Series(prefix="1", next_number=17)
PLACES = ("Storgatan 12, Umeå", "Hamnvägen 3, Holmsund", "Flygplatsvägen 1, Umeå")
CONSUMER = Customer(
    buyer=Buyer(
        id="kund-412",
        name="Åsa Öberg",
        address=Address(street="Ängsvägen 4 B", postal_code="903 39", city="Umeå"),
        email="asa@example.com",
    )
)
DAY = {
    "id": "dag",
    "currency": "SEK",
    "elements": [
        {"price_components": [{"type": "FLAT", "price": "5.00", "vat": 25}, {"type": "ENERGY", "price": "3.992", "vat": 25}]}
    ],
    "laddbok": {"idle": {"per_min": "1.00", "grace_s": 900, "cap": "100.00", "vat": 25}},
}  # fmt: skip
SPOT = {
    "id": "spot",
    "currency": "SEK",
    "elements": [],
    "laddbok": {
        "spot": {"zone": "SE2", "markup": "0.05", "grid": [{"per_kwh": "0.25"}], "energy_tax": [{"per_kwh": "0.36"}], "vat": 25}
    },
}  # fmt: skip
WITH_VAT = {
    "id": "inkl",
    "currency": "SEK",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "4.99", "vat": 25}]}],
}


def compiled(document: dict[str, Any]) -> CompiledTariff:
    return compile_tariff(parse_tariff(document), ZONE)


def cdr(number: int, start_at: datetime, minutes: int, wh: int, idle_minutes: int = 0) -> Cdr:
    """A session that charged evenly, then stood."""
    full_at, end_at = start_at + timedelta(minutes=minutes), start_at + timedelta(minutes=minutes + idle_minutes)
    periods = [ChargingPeriod(start_at=start_at, end_at=full_at, activity=Activity.CHARGING, energy_wh=wh)]
    if idle_minutes:
        periods.append(ChargingPeriod(start_at=full_at, end_at=end_at, activity=Activity.IDLE, energy_wh=0))
    return Cdr(
        session_id=session_id(1, 1, number),
        started_at=start_at,
        charging_ended_at=full_at,
        transaction_ended_at=end_at,
        unplugged_at=end_at,
        last_contact_at=end_at,
        energy_wh=wh,
        periods=tuple(periods),
        time_zone=ZONE,
    )


def position(
    number: int, document: Cdr, tariff: CompiledTariff, prices: SpotPrices | None = None, **more: Any
) -> Position:
    rating = rate(document, tariff, prices=prices)
    begin_wh = 1_000_000 + 50_000 * number
    defaults: dict[str, Any] = {
        "place": PLACES[number % 3],
        "station": f"CP-{number % 7 + 1:02d}",
        "root": sha256(document.session_id.encode()).hexdigest(),
        "driver": f"Förare {number % 5 + 1}",
        "contract_id": "bil-1",
    }
    return Position(
        session_id=document.session_id,
        revision=1,
        kind="cdr",
        cdr=document,
        rating=rating,
        begin_wh=begin_wh,
        end_wh=begin_wh + document.energy_wh,
        **defaults | more,
    )


def sessions(count: int, **more: Any) -> list[Position]:
    """So many sessions over the month, every fourth of which stood too long."""
    tariff = compiled(DAY)
    return [
        position(n, cdr(n, OCTOBER_AT + timedelta(minutes=41_000 * n // count), 40 + n % 90, 4_321 + 613 * (n % 53),
        idle_minutes=47 if n % 4 == 0 else 0), tariff, cost_centre=more.get("cost_centre", ("4100", "4200", "")[n % 3] or None))
        for n in range(count)
    ]  # fmt: skip


def quarter_prices(start_at: datetime, quarters: int) -> SpotPrices:
    """A day's prices: cheap at night, dear in the evening, below nothing at noon."""
    by_start_s = {
        int(start_at.timestamp()) + QUARTER_S * n: Decimal((n * 37) % 180 - 20).scaleb(-2) for n in range(quarters)
    }
    return SpotPrices(zone="SE2", currency="SEK", source="elprisetjustnu", by_start_s=by_start_s)


def spot_session(quarters: int = 96) -> Position:
    start_at = datetime(2026, 10, 5, 22, tzinfo=UTC)
    document = cdr(1, start_at, 15 * quarters, 48_000)
    return position(1, document, compiled(SPOT), quarter_prices(start_at, quarters))


def paper(positions: list[Position], customer: Customer = COMPANY, language: str = "sv", **more: Any) -> Invoice:
    """The numbered document of some sessions."""
    in_language = replace(customer, buyer=replace(customer.buyer, language=language))
    return numbered(draft(TERMS, in_language, positions, OCTOBER, **more), SERIES)


TERMS = replace(SELLER, late_terms={"reminder_fee": "60", "interest_points": "8", "reference_rates": "2026-07-01 1.75"})
MONTH_FEE = InvoiceLine(
    number=0,
    text=Text(sv="Månadsavgift Ladda Mer, oktober", en="Monthly fee Ladda Mer, October"),
    quantity=Decimal(1),
    unit=Unit.MONTH,
    unit_price=Decimal("99.00"),
    net=Decimal("99.00"),
    vat=VatRate(percent=Decimal(25)),
)


def one_session(language: str = "sv") -> Invoice:
    return paper(sessions(1), replace(CONSUMER, whole_units=True), language, charges=[MONTH_FEE])


def company_month(language: str = "sv", count: int = 60) -> Invoice:
    return paper(sessions(count), language=language)


def credit_note(language: str = "sv") -> Invoice:
    credits = [replace(each, kind="credit", billed_on=Reference("10000004", date(2026, 10, 3))) for each in sessions(2)]
    return paper(
        credits,
        language=language,
        kind=InvoiceKind.CREDIT_NOTE,
        refers_to=Reference("10000004", date(2026, 10, 3)),
        reason=Text(sv="Laddningen har rättats", en="The session was corrected"),
    )


def receipt(language: str = "sv") -> Invoice:
    """Of an ad hoc session, prices with VAT, paid already."""
    document = cdr(5, OCTOBER_AT, 42, 17_250)
    guest = Customer(buyer=Buyer(id="gast", name="Kortkund"))
    made = paper([position(5, document, compiled(WITH_VAT), driver=None, contract_id=None)], guest, language,
        kind=InvoiceKind.RECEIPT)  # fmt: skip
    _, totals = totals_of([(line.vat, line.net) for line in made.lines], "SEK", prepaid=made.totals.gross)
    return replace(made, totals=totals)


def spot_invoice(language: str = "sv") -> Invoice:
    return paper([spot_session()], CONSUMER, language)


def self_billed(language: str = "sv") -> Invoice:
    """What we owe a host: its name stands as the seller's."""
    host = SellerTerms(
        seller=replace(SELLER.seller, id="brf", name="Brf Björken", bankgiro="5050-1055", organisation_number="7696000006",
            vat_number="SE769600000601", endpoint=None)
    )  # fmt: skip
    us = Customer(buyer=replace(COMPANY.buyer, name=SELLER.seller.name, id="norrladd", language=language))
    fee = replace(
        MONTH_FEE,
        text=Text(sv="Del av laddintäkter, oktober", en="Share of charging revenue, October"),
        unit=Unit.ONE,
        unit_price=Decimal("1834.20"),
        net=Decimal("1834.20"),
    )
    made = draft(host, us, [], OCTOBER, kind=InvoiceKind.SELF_BILLED, charges=[fee])
    return numbered(made, SERIES)


def endless_names() -> Invoice:
    """Nothing in it is short."""
    name = "Aktiebolaget" + "Norrländskaelbilsladdningskonsortiet" * 4
    buyer = replace(COMPANY.buyer, name=name, buyer_reference="R" * 120, order_reference="Ordernummer " * 12)
    positions = [replace(each, place="Platsen " * 40, station="S" * 60, driver="D" * 90) for each in sessions(3)]
    made = draft(SELLER, replace(COMPANY, buyer=buyer), positions, OCTOBER)
    return numbered(replace(made, note=Text(sv="Ord " * 200, en="Words " * 200)), SERIES)


def list_head(language: str = "sv") -> ListHead:
    return ListHead(
        seller=SELLER.seller,
        to=("Brf Björken", "Björkvägen 1", "903 60 Umeå"),
        number="2026-10",
        period_start=OCTOBER.start,
        period_end=OCTOBER.end,
        issue_date=OCTOBER.issue,
        language=language,
    )


def refund() -> Refund:
    prices = [
        DatedPrice(per_kwh=Decimal("1.85")),
        DatedPrice(per_kwh=Decimal("2.05"), from_date=date(2026, 10, 15)),
    ]
    return reimburse([each.cdr for each in sessions(12)], prices, "SEK")


def shares(count: int = 24) -> tuple[ApartmentShare, ...]:
    used = {f"{1001 + n}": (n * 7_919) % 90_000 for n in range(count)}
    return share_cost(
        MonthCost(net=Decimal("4321.55"), vat_percent=Decimal(25), fixed_net=Decimal("600.00")), used, "SEK"
    )

"""Which documents do the worked examples use? One invoice over one session of 13.337 kWh at 3.992 (case B47)."""

from datetime import UTC, date, datetime
from decimal import Decimal

from laddbok.billing.draft import Period, draft
from laddbok.billing.freeze import Series, numbered
from laddbok.model.billing import Customer, Position, SellerTerms
from laddbok.model.cdr import Activity, Cdr, ChargingPeriod
from laddbok.model.invoice import Address, Buyer, BuyerKind, Endpoint, Seller
from laddbok.model.payment import OpenInvoice, Payment, Remitted
from laddbok.model.rated import LineKind, RatedLine, Rating

START_AT, END_AT = datetime(2026, 10, 3, 8, tzinfo=UTC), datetime(2026, 10, 3, 10, tzinfo=UTC)
SELLER = SellerTerms(
    seller=Seller(
        id="norrladd",
        name="Norrladd AB",
        organisation_number="5560360793",
        vat_number="SE556036079301",
        address=Address(street="Storgatan 1", postal_code="903 26", city="Umeå"),
        bankgiro="991-2346",
        email="faktura@norrladd.example",
        endpoint=Endpoint("0007", "5560360793"),
    )
)
COMPANY = Customer(
    buyer=Buyer(
        id="bageriet",
        name="Bageriet i Backen AB",
        kind=BuyerKind.COMPANY,
        address=Address(street="Backvägen 2", postal_code="903 60", city="Umeå"),
        organisation_number="2021005489",
        vat_number="SE202100548901",
        email="ekonomi@bageriet.example",
        endpoint=Endpoint("0007", "2021005489"),
        buyer_reference="Ref 7",
    ),
    e_invoice=True,
)
CDR = Cdr(
    session_id="AWQD-K011-CEHY-SPKN",
    started_at=START_AT,
    charging_ended_at=END_AT,
    transaction_ended_at=END_AT,
    unplugged_at=END_AT,
    last_contact_at=END_AT,
    energy_wh=13_337,
    periods=(ChargingPeriod(start_at=START_AT, end_at=END_AT, activity=Activity.CHARGING, energy_wh=13_337),),
    time_zone="Europe/Stockholm",
)
RATING = Rating(
    tariff_id="dag",
    currency="SEK",
    tax_included=False,
    excl_vat=Decimal("53.24"),
    incl_vat=Decimal("66.55"),
    final=True,
    lines=(
        RatedLine(
            kind=LineKind.ENERGY,
            quantity=13_337,
            measured=13_337,
            price=Decimal("3.992"),
            excl_vat=Decimal("53.24"),
            incl_vat=Decimal("66.55"),
            vat_percent=Decimal(25),
            start_at=START_AT,
            end_at=END_AT,
            element=0,
        ),
    ),
)
POSITION = Position(
    session_id=CDR.session_id,
    revision=1,
    kind="cdr",
    contract_id="bil-1",
    place="Storgatan 12, Umeå",
    station="CP-1",
    cdr=CDR,
    rating=RATING,
    begin_wh=1_204_500,
    end_wh=1_217_837,
    cost_centre="4100",
    driver="A. Berg",
)
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 3), date(2026, 12, 3))
DRAFT = draft(SELLER, COMPANY, [POSITION], OCTOBER)
FINAL = numbered(DRAFT, Series(prefix="2026", next_number=7))
PAID_INVOICE = OpenInvoice(
    id="norrladd-20260000007",
    number="20260000007",
    payment_reference=FINAL.payment_reference,
    payer_id="bageriet",
    currency="SEK",
    due_date=FINAL.due_date,
    open=FINAL.totals.payable,
)
PAYMENT = Payment(
    provider="bank",
    reference="A-1/2026-12-01/100.00SEK/0",
    received_on=date(2026, 12, 1),
    amount=Decimal("100.00"),
    currency="SEK",
    remitted=(Remitted("2026000000730"),),
    payer_name="Bageriet i Backen AB",
)

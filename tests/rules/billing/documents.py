"""Which documents do the tests of e-invoices use? Each is built from its lines, its sums from `totals_of`."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.payment_reference import ocr
from laddbok.billing.totals import totals_of
from laddbok.model.invoice import (
    Address,
    Buyer,
    BuyerKind,
    Endpoint,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Reference,
    Seller,
    Text,
    Unit,
    VatRate,
)
from laddbok.model.money import round_money

SELLER = Seller(
    id="torgladd",
    name="Torgladdning AB",
    organisation_number="556036-0793",
    vat_number="SE556036079301",
    address=Address(street="Storgatan 1", postal_code="111 22", city="Stockholm"),
    bankgiro="991-2346",
    email="faktura@torgladdning.example",
    phone="08-123 45 67",
    contact="Ekonomi",
)
BUYER = Buyer(
    id="kommunen",
    name="Exempelstads kommun & bolag",
    kind=BuyerKind.PUBLIC,
    address=Address(street="Torget 2", postal_code="222 33", city="Exempelstad"),
    organisation_number="212000-1355",
    email="faktura@exempelstad.example",
    endpoint=Endpoint("0007", "2120001355"),
    buyer_reference="ABC123",
)
S25, S12, S6 = (VatRate(percent=Decimal(percent)) for percent in (25, 12, 6))
EXEMPT, REVERSE, OUTSIDE = (VatRate(category=category, percent=Decimal(0)) for category in ("E", "AE", "O"))
FORMER = Reference("20250007", date(2026, 10, 2))
FIRST = date(2026, 10, 1)


def line(quantity: str, price: str, net: str, vat: VatRate = S25, per: str = "1", **more: Any) -> InvoiceLine:
    """A line of so many kWh."""
    defaults: dict[str, Any] = {"unit": Unit.KWH, "text": Text(sv="Laddning, Torget", en="Charging, Torget")}
    amounts = dict(
        zip(("quantity", "unit_price", "net", "per"), map(Decimal, (quantity, price, net, per)), strict=True)
    )
    return InvoiceLine(number=1, vat=vat, **defaults | amounts | more)


def session_line(wh: int, net: Decimal, vat: VatRate = S25, **more: Any) -> InvoiceLine:
    """A session, as a draft has it: its kWh for what they came to."""
    kwh, sign = str(Decimal(wh).scaleb(-3)), "-" if net < 0 else ""
    return line(sign + kwh, str(abs(net)), str(net), vat, kwh, **more)


def document(
    lines: Iterable[InvoiceLine],
    kind: InvoiceKind = InvoiceKind.INVOICE,
    prepaid: str = "0",
    whole_units: bool = False,
    **more: Any,
) -> Invoice:
    """A document that adds up."""
    numbered = tuple(replace(each, number=number) for number, each in enumerate(lines, 1))
    rates = [(each.vat, each.net) for each in numbered]
    sums, totals = totals_of(rates, "SEK", prepaid=Decimal(prepaid), whole_units=whole_units)
    is_invoice = kind is InvoiceKind.INVOICE
    defaults: dict[str, Any] = {
        "number": "20260001",
        "seller": SELLER,
        "buyer": BUYER,
        "payment_reference": ocr("20260001") if is_invoice else None,
        "refers_to": FORMER if kind is InvoiceKind.CREDIT_NOTE else None,
        "terms": Text(sv="30 dagar netto", en="30 days net"),
    }
    dates = {"issue_date": date(2026, 11, 2), "due_date": date(2026, 12, 2)}
    period = {"period_start": FIRST, "period_end": date(2026, 10, 31)}
    sums_of = {"lines": numbered, "vat": sums, "totals": totals}
    return Invoice(kind=kind, currency="SEK", **defaults | dates | period | sums_of | more)


def simple(**more: Any) -> Invoice:
    """Case B47: 13.337 kWh at 3.992 are 53.24, 13.31 VAT, 66.55."""
    day = date(2026, 10, 7)
    session = session_line(13_337, Decimal("53.24"), start_date=day, end_date=day, session_id="7KQ2-9FXM-A2B3-C4D5")
    return document([session], **more)


def thousand_lines() -> Invoice:
    """A month of a large fleet: a thousand sessions, each with its own energy, price and day."""
    return document(
        session_line(
            7_001 + 13 * number,
            Decimal(2_801 + 7 * number).scaleb(-2),
            start_date=FIRST + timedelta(days=number % 31),
            session_id=f"7KQ2-{number:04d}-A2B3-C4D5",
            cost_centre=f"Bil {number % 40}",
        )
        for number in range(1_000)
    )


_nets = st.integers(-20_000, 90_000).map(lambda minor: Decimal(minor).scaleb(-2))
_days = st.integers(-40, 30).map(lambda days: FIRST + timedelta(days=days))
_words = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=20).filter(str.strip)
_lines = st.builds(
    session_line,
    st.integers(1, 300_000),
    _nets,
    st.sampled_from((S25, S12, S6, EXEMPT)),
    start_date=st.none() | _days,
    text=st.builds(Text, _words, _words),
    session_id=st.none() | st.just("7KQ2-9FXM-A2B3-C4D5"),
    cost_centre=st.none() | _words,
)
_fees = st.builds(
    lambda days, minor, vat: line(
        str(days),
        str(Decimal(minor).scaleb(-2)),
        str(round_money(Decimal(minor * days) / 3100, "SEK")),
        vat,
        "31",
        unit=Unit.MONTH,
    ),
    st.integers(1, 31),
    st.integers(0, 50_000),
    st.sampled_from((S25, S6)),
)
_of_one_kind = st.sampled_from((REVERSE, OUTSIDE)).flatmap(
    lambda rate: st.lists(
        st.builds(session_line, st.integers(1, 300_000), _nets, st.just(rate)), min_size=1, max_size=3
    )
)
_places = st.builds(
    Address, street=_words, postal_code=_words, city=_words, country=st.sampled_from(("SE", "NO", "DE"))
)
_buyers = st.builds(
    Buyer,
    id=st.just("any"),
    name=_words,
    kind=st.sampled_from(BuyerKind),
    address=_places,
    organisation_number=st.just("212000-1355"),
    vat_number=st.none() | st.just("SE212000135501"),
    endpoint=st.sampled_from((Endpoint("0007", "2120001355"), Endpoint("0088", "7350053850019"))),
    buyer_reference=_words,
    order_reference=st.none() | _words,
    language=st.sampled_from(("sv", "en")),
)
_sellers = st.builds(
    replace,
    st.just(SELLER),
    f_skatt=st.booleans(),
    bankgiro=st.sampled_from(("991-2346", "5050-1055")),
    iban=st.none() | st.just("SE4550000000058398257466"),
    contact=st.none() | _words,
)
documents = st.builds(
    document,
    st.lists(_lines | _fees, min_size=1, max_size=6) | _of_one_kind,
    st.sampled_from((InvoiceKind.INVOICE, InvoiceKind.RECEIPT, InvoiceKind.CREDIT_NOTE)),
    prepaid=st.integers(0, 50_000).map(lambda minor: str(Decimal(minor).scaleb(-2))),
    whole_units=st.booleans(),
    note=st.none() | st.builds(Text, _words, _words),
    buyer=_buyers,
    seller=_sellers,
    contract_id=st.none() | _words,
).filter(lambda each: each.buyer.kind is not BuyerKind.CONSUMER or each.vat[0].rate != REVERSE)
"""Documents that add up, of which an e-invoice must pass every official rule."""

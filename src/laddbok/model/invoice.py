"""What stands on an invoice?

The content of an invoice, credit note, receipt or self-billed statement, as it is frozen when it gets its number: parties
as they were that day, lines, VAT by category, totals, and the appendix with every session. Amounts are whole minor units
of the currency; the names in brackets are those of EN 16931. PDF and XML are made of this content and nothing else.

Lines are net; a line's net is its quantity times its unit price for so many units (`per`), exactly, so that a session's
13.337 kWh can stand with what they came to:

>>> line = InvoiceLine(number=1, text=Text(sv="Laddning", en="Charging"), quantity=Decimal("13.337"), unit=Unit.KWH,
...     unit_price=Decimal("53.24"), per=Decimal("13.337"), net=Decimal("53.24"), vat=VatRate(percent=Decimal(25)))
>>> line.quantity * line.unit_price / line.per == line.net
True
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.model.exchange import ExchangeRate
from laddbok.model.rated import RatedLine


class InvoiceKind(StrEnum):
    """What kind of document it is [BT-3]."""

    INVOICE = "invoice"
    """To a customer with a contract [380]."""
    CREDIT_NOTE = "credit_note"
    """Takes back an invoice or a part of it; its amounts are positive, as EN 16931 wants them [381]."""
    RECEIPT = "receipt"
    """Of an ad hoc session that is paid already: a simplified invoice [380]."""
    SELF_BILLED = "self_billed"
    """What we owe a host, written by us in the host's name [389]."""


class BuyerKind(StrEnum):
    """Who buys: it decides which fields must be there, and what a late payment may cost."""

    CONSUMER = "consumer"
    COMPANY = "company"
    PUBLIC = "public"


class Unit(StrEnum):
    """Units of measure. Source: UNECE Recommendation 20, as EN 16931 BT-130 wants them."""

    KWH = "KWH"
    ONE = "C62"
    MONTH = "MON"
    MINUTE = "MIN"
    HOUR = "HUR"


class Text(msgspec.Struct, frozen=True):
    """Words for people, in both languages."""

    sv: str
    en: str


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address [BG-5, BG-8]. `country` is ISO 3166-1 alpha-2."""

    street: str
    postal_code: str
    city: str
    country: str = "SE"


class Endpoint(msgspec.Struct, frozen=True):
    """Where e-invoices go [BT-34, BT-49]: `scheme` such as 0007 (Swedish organisation number), and the id in it."""

    scheme: str
    id: str


class Seller(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The legal entity that sells [BG-4], as it was when the document was issued."""

    id: str
    name: str
    organisation_number: str
    vat_number: str
    address: Address
    f_skatt: bool = True
    bankgiro: str | None = None
    iban: str | None = None
    bic: str | None = None
    email: str | None = None
    phone: str | None = None
    contact: str | None = None
    endpoint: Endpoint | None = None


class Buyer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is billed [BG-7]."""

    id: str
    name: str
    kind: BuyerKind = BuyerKind.CONSUMER
    address: Address | None = None
    organisation_number: str | None = None
    vat_number: str | None = None
    email: str | None = None
    endpoint: Endpoint | None = None
    buyer_reference: str | None = None
    """[BT-10]"""
    order_reference: str | None = None
    """[BT-13]"""
    language: str = "sv"


class VatRate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A VAT category [BT-118, BT-119]: S standard, AE reverse charge, E exempt, O outside; with its percentage."""

    category: str = "S"
    percent: Decimal


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line [BG-25]: `net` [BT-131] = `quantity` [BT-129] x `unit_price` [BT-146] / `per` [BT-149].

    A line that takes money back has a negative quantity: unit prices can't be negative (BR-27).
    """

    number: int
    text: Text
    quantity: Decimal
    unit: Unit
    unit_price: Decimal
    per: Decimal = Decimal(1)
    net: Decimal
    vat: VatRate
    start_date: date | None = None
    end_date: date | None = None
    session_id: str | None = None
    cost_centre: str | None = None
    corrects: "Reference | None" = None
    """The document from which this line of an invoice takes back: one that has no room for a credit note [BT-25]."""


class VatSum(msgspec.Struct, frozen=True, kw_only=True):
    """The VAT of one category [BG-23]: on the sum of its lines, rounded once (BR-CO-17)."""

    rate: VatRate
    net: Decimal
    vat: Decimal


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sums [BG-22]: net [BT-109] + vat [BT-110] = gross [BT-112]; payable [BT-115] = gross - prepaid + rounding."""

    net: Decimal
    vat: Decimal
    gross: Decimal
    prepaid: Decimal = Decimal(0)
    """[BT-113]"""
    rounding: Decimal = Decimal(0)
    """[BT-114]"""
    payable: Decimal


class SessionItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session in the appendix: where and when, what the meter showed, what it cost, and the root of its proof."""

    session_id: str
    revision: int
    kind: str
    """cdr, or credit: then all its amounts are taken back."""
    place: str
    station: str
    started_at: datetime
    ended_at: datetime
    time_zone: str
    energy_wh: int
    begin_wh: int | None = None
    end_wh: int | None = None
    net: Decimal
    gross: Decimal | None
    rated: tuple[RatedLine, ...] = ()
    """Its price, line by line, as it was rated; a document says them in words (rating.explain)."""
    tax_included: bool = False
    """Whether the prices in these lines contain VAT."""
    driver: str | None = None
    cost_centre: str | None = None
    root: str | None = None
    part_of: Decimal | None = None
    """Where others pay some of the session: what the lines in `rated` come to before VAT; `net` is this buyer's part."""


class InvoiceBooks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The VAT of a document in the currency of the seller's books [BT-6], where that is another one.

    `vat` is that of each category, in the order of the document's; `total` their sum [BT-111]. `rate` is None while a draft
    lacks one.
    """

    currency: str
    rate: ExchangeRate | None = None
    vat: tuple[Decimal, ...] = ()
    total: Decimal = Decimal(0)


class Reference(msgspec.Struct, frozen=True):
    """The document that this one refers to [BG-3]."""

    number: str
    issue_date: date


class LateCharges(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was agreed, when the document was issued, that paying late costs; None: nothing was."""

    reminder_fee: Decimal | None = None
    compensation: Decimal | None = None
    """Of companies and public bodies, instead of the fee."""
    interest_points: Decimal | None = None
    """Above the reference rate [per cent a year]."""


class Invoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of a document. Dates are local to the seller; `number` is None while it is a draft."""

    kind: InvoiceKind
    number: str | None = None
    """[BT-1]"""
    seller: Seller
    buyer: Buyer
    contract_id: str | None = None
    period_start: date
    period_end: date
    """The last day of the period."""
    issue_date: date
    """[BT-2]"""
    due_date: date
    """[BT-9]"""
    currency: str
    """[BT-5]"""
    lines: tuple[InvoiceLine, ...]
    vat: tuple[VatSum, ...]
    totals: Totals
    payment_reference: str | None = None
    """OCR [BT-83]"""
    terms: Text | None = None
    """[BT-20]"""
    note: Text | None = None
    """[BT-22]"""
    refers_to: Reference | None = None
    reason: Text | None = None
    """Why it was credited."""
    sessions: tuple[SessionItem, ...] = ()
    sessions_gross: Decimal | None = None
    """What the sessions were shown to cost, each with its own VAT; the VAT on the sum may differ by some öre (I6)."""
    late: LateCharges | None = None
    """What paying late costs, as `terms` says it in words."""
    books: InvoiceBooks | None = None
    """In another currency than the seller's books: its VAT in that of the books."""

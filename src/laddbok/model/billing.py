"""What is billed, to whom, and what stands in the books?

A position is one issued CDR, or the credit of one, that waits to be billed. A customer account is a payer with what it
agreed. A journal entry is a row of postings that sums to 0: debit above, credit below.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.model.cdr import Cdr
from laddbok.model.exchange import DailyRate
from laddbok.model.invoice import Buyer, Reference, Seller, Text
from laddbok.model.rated import RatedLine, Rating


class PaidPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one of several payers pays of a CDR, as it is kept with its position.

    `rating` has the part's amounts: the CDR's own lines where it is all of a kind, else one line per kind and rate of VAT.
    """

    name: Text
    """What it is for: energy, idle fee."""
    rating: Rating
    is_all: bool = False
    """Nobody else pays any of the CDR."""
    names_driver: bool = True
    has_included: bool = False
    """Whether what the contract's included energy changes of the CDR stands on this payer's invoice."""
    since: datetime
    """Since when the agreement holds by which it was shared out."""
    month: str
    """The CDR's month, 2026-10."""
    taken: dict[int, Decimal] = {}
    """What it counts towards the limits of shares that end at an amount in a month, by the number of the share, with VAT."""


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CDR (`kind` "cdr") or the credit of one ("credit") that is to be billed, or a payer's part of it, with what the appendix
    tells of it.

    `billed_on` of a credit is the document on which its CDR stands. `rating` of a part is the part's; `shown` are the lines of
    the CDR of which it is one (none: those of the rating).
    """

    session_id: str
    revision: int
    kind: str
    contract_id: str | None
    tariff_version: int | None = None
    place: str
    station: str
    cdr: Cdr
    rating: Rating
    begin_wh: int | None = None
    end_wh: int | None = None
    root: str | None = None
    driver: str | None = None
    cost_centre: str | None = None
    billed_on: Reference | None = None
    part: int = 0
    paid: PaidPart | None = None
    shown: tuple[RatedLine, ...] = ()


class RateNet(msgspec.Struct, frozen=True):
    """An amount before VAT, at a rate of VAT [%]."""

    percent: Decimal
    net: Decimal


class ChargedSession(msgspec.Struct, frozen=True, kw_only=True):
    """What included energy changed of one session: where each tier ends in it [Wh], and what that came to."""

    session_id: str
    revision: int
    energy_wh: int
    tier_ends_wh: tuple[int, ...]
    nets: tuple[RateNet, ...]


class ChargeKind(StrEnum):
    """What a contract is charged beside its sessions."""

    MONTH_FEE = "month_fee"
    INCLUDED = "included"
    """What included energy changes of sessions."""
    INCLUDED_BACK = "included_back"
    """That of a session that was corrected, given back."""


class ContractCharge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A charge of a contract and month (2026-10) on one document. `number` counts those of its kind in the month.

    `net` is what it adds to what the contract pays, and `nets` the same by rate of VAT.
    """

    contract_id: str
    kind: ChargeKind
    month: str
    number: int
    tariff_id: str
    net: Decimal
    nets: tuple[RateNet, ...] = ()
    days: int | None = None
    sessions: tuple[ChargedSession, ...] = ()


SIMPLIFIED_UP_TO = Decimal(4_000)
"""What a simplified invoice may come to, unless its seller says otherwise."""


class SellerTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A legal entity and how it bills. `time_zone` governs its periods and its books."""

    seller: Seller
    currency: str = "SEK"
    books: str | None = None
    """The currency of its books; None: the same."""
    rates: tuple[DailyRate, ...] = ()
    """The newest exchange rates of both currencies, where they are two."""
    time_zone: str = "Europe/Stockholm"
    payment_days: int = 30
    draft_days: int = 3
    """So long drafts follow late sessions after the period; then they become final."""
    late_terms: dict[str, str] = {}
    accounts: dict[str, str] = {}
    simplified_up_to: Decimal = SIMPLIFIED_UP_TO
    """What a simplified invoice may come to, VAT included."""


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payer as it stands today, and what it agreed."""

    buyer: Buyer
    e_invoice: bool = False
    whole_units: bool = False


class Posting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An amount on an account: debit above 0, credit below. `book_amount` is it in the currency of the books, if another.

    What moves money that came in before goes at the exchange rate of that day (`valued_on`), beside what `stood` there of it.
    """

    account: str
    amount: Decimal
    invoice_id: str | None = None
    payer_id: str | None = None
    book_amount: Decimal | None = None
    valued_on: date | None = None
    stood: Decimal = Decimal(0)


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Postings that sum to 0. `source` names what they follow from, so that nothing is posted twice."""

    date: date
    text: str
    source_kind: str
    source_id: str
    currency: str
    postings: tuple[Posting, ...]
    book_currency: str | None = None
    """Of the book amounts, which each posting has then."""

    def __post_init__(self) -> None:
        assert sum(posting.amount for posting in self.postings) == 0, (self.source_kind, self.source_id)
        assert sum(posting.book_amount or 0 for posting in self.postings) == 0, (self.source_kind, self.source_id)

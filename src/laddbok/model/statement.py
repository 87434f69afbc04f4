"""What stands on a month's list of a co-operative, or on a month's statement of charging at home?

The content as it is frozen: who writes to whom, the month, every session that was counted with its CDR's revision, what each
pays or gets, and what differs from the revision before. Files for people are made of it and of nothing else.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from laddbok.model.apartment_share import ApartmentShare
from laddbok.model.invoice import Seller
from laddbok.model.refund import Refund


class StatementKind(StrEnum):
    """What kind of statement, and of what: of a site's apartments, or of a contract at home."""

    APARTMENTS = "apartments"
    HOME = "home"


class MonthBill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a site's electricity cost, as the bill says, at one rate of VAT [%]; `fixed_net` of it does not depend on use.

    `vat` is the amount on the bill, if it is not just that of the net; `number` the bill's own.
    """

    period_start: date
    period_end: date
    net: Decimal
    vat_percent: Decimal = Decimal(25)
    fixed_net: Decimal = Decimal(0)
    vat: Decimal | None = None
    number: str | None = None


class CountedSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session with the revision of its CDR that stands; `apartment` None: nobody's, or at home."""

    session_id: str
    revision: int
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    apartment: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What differs from the revision before: of a session, of an apartment, or of what is nobody's (then it names neither).

    None: it was not there, or is not any more. Amounts are what an apartment pays with VAT, or a session gives back.
    """

    apartment: str | None = None
    session_id: str | None = None
    before_wh: int | None = None
    after_wh: int | None = None
    before: Decimal | None = None
    after: Decimal | None = None


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of either: `subject_id` is the site or the contract, `name` its name; `to` an address line by line."""

    seller: Seller
    to: tuple[str, ...]
    subject_id: str
    name: str
    month: str
    revision: int
    period_start: date
    period_end: date
    issue_date: date
    time_zone: str
    currency: str
    language: str = "sv"

    @property
    def number(self) -> str:
        """As it stands on the page."""
        return f"{self.month}-{self.revision}"


class ApartmentList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A month of a site's apartments.

    The share with apartment "" is of sessions that belong to no apartment. `waiting` are sessions of the month that had no CDR yet.
    """

    head: Head
    terms_version: int
    bill: MonthBill
    shares: tuple[ApartmentShare, ...]
    sessions: tuple[CountedSession, ...]
    changes: tuple[Change, ...] = ()
    waiting: tuple[str, ...] = ()
    by_parts: bool = False
    """What is fixed was shared by parts, not equally."""

    @property
    def energy_wh(self) -> int:
        """Of all sessions [Wh]."""
        return sum(each.energy_wh for each in self.shares)

    @property
    def total(self) -> Decimal:
        """With VAT: what the bill came to."""
        return sum((each.gross for each in self.shares), Decimal(0))


class HomeStatement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A month of charging at home, for the employer."""

    head: Head
    terms_version: int
    driver: str
    refund: Refund
    sessions: tuple[CountedSession, ...]
    changes: tuple[Change, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def energy_wh(self) -> int:
        """Of all sessions [Wh]."""
        return self.refund.energy_wh

    @property
    def total(self) -> Decimal:
        """What is paid back."""
        return self.refund.total


Statement = ApartmentList | HomeStatement

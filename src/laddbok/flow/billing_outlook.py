"""What will happen before it happens, and what happened, as people in finance read it?

The sums of all documents that a run makes, the documents one by one as far as a page can hold them, what is in the way of
some customers, and the sessions that are left out.

>>> from laddbok.billing.examples import DRAFT
>>> from laddbok.model.billing import Customer
>>> outlook = Outlook()
>>> add(outlook, Planned(Customer(buyer=DRAFT.buyer), DRAFT, ()))
>>> outlook.documents, outlook.net, outlook.payable
(1, Decimal('53.24'), Decimal('66.55'))
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from laddbok.flow.billing_run import InTheWay, Planned
from laddbok.model.invoice import InvoiceKind

MAX_TOLD = 200
"""Documents, obstacles and sessions that are told one by one; all are counted."""
_ZERO = Decimal(0)


class PlannedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that would be made; the amounts of a credit note are negative here."""

    kind: str
    payer_id: str
    name: str
    sessions: int
    net: Decimal
    vat: Decimal
    payable: Decimal


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the period that has no price yet: held for a person, or waiting for something."""

    session_id: str
    state: str
    reasons: list[str]
    ended_at: datetime


class Outlook(msgspec.Struct, kw_only=True):
    """What a run would do, or did. Credit notes are taken off the sums."""

    documents: int = 0
    sessions: int = 0
    customers: int = 0
    netted: int = 0
    nothing: int = 0
    currency: str = "SEK"
    net: Decimal = _ZERO
    vat: Decimal = _ZERO
    payable: Decimal = _ZERO
    items: list[PlannedDocument] = []
    in_the_way_count: int = 0
    in_the_way: list[InTheWay] = []
    left_out_count: int = 0
    left_out: list[LeftOut] = []


def add(outlook: Outlook, planned: Planned) -> None:
    """Count a document that is to be made, and list it while there is room."""
    told = document_of(planned)
    outlook.documents += 1
    outlook.currency = planned.invoice.currency
    outlook.net += told.net
    outlook.vat += told.vat
    outlook.payable += told.payable
    if len(outlook.items) < MAX_TOLD:
        outlook.items.append(told)


def document_of(planned: Planned) -> PlannedDocument:
    """A draft in one line."""
    invoice = planned.invoice
    sign = -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1
    totals = invoice.totals
    return PlannedDocument(
        kind=invoice.kind.value,
        payer_id=invoice.buyer.id,
        name=invoice.buyer.name,
        sessions=len(planned.positions),
        net=sign * totals.net,
        vat=sign * totals.vat,
        payable=sign * totals.payable,
    )


def obstruct(outlook: Outlook, in_the_way: Iterable[InTheWay], left_out: Iterable[LeftOut]) -> None:
    """Tell what is in the way, and what is left out."""
    obstacles, left = list(in_the_way), list(left_out)
    outlook.in_the_way_count, outlook.in_the_way = len(obstacles), obstacles[:MAX_TOLD]
    outlook.left_out_count, outlook.left_out = len(left), left[:MAX_TOLD]

"""Does every priced session of a run end in the books, once, and do they balance?

The office bills three times: when the faults end, before stations that slept tell what they kept, and in the end, what
corrects sessions that were billed before included. Then it holds the documents against the CDRs, position by position.
"""

from datetime import date, datetime
from decimal import Decimal

from laddbok.billing.check import check
from laddbok.billing.credit import check_credit
from laddbok.billing.draft import Period
from laddbok.billing.examples import SELLER
from laddbok.billing.freeze import Series
from laddbok.flow.billing_run import AT_ONCE, Final, Plan, PositionKey, finals, key_of, plan
from laddbok.flow.changes import CdrIssued
from laddbok.model.billing import Customer, Position
from laddbok.model.errors import LaddbokError
from laddbok.model.invoice import Address, Buyer, Invoice, InvoiceKind, Reference
from tests.sim.world import Violation

NOBODY = "nobody"
"""Pays for sessions without a contract; a consumer like the others."""


class Books:
    """Documents and journal of one run."""

    def __init__(self) -> None:
        self._series = {kind: Series(prefix=prefix, next_number=1) for kind, prefix in _PREFIXES.items()}
        self.documents: list[Final] = []
        self._on: dict[PositionKey, Final] = {}
        self._closed: set[PositionKey] = set()

    def bill(self, issued: list[CdrIssued], now: datetime) -> None:
        """Bill everything that is open. Raises: Violation."""
        positions = [self._position(each) for each in issued]
        waiting = [each for each in positions if key_of(each) not in self._closed]
        by_payer: dict[str, list[Position]] = {}
        for position in waiting:
            by_payer.setdefault(position.contract_id or NOBODY, []).append(position)
        today = now.date()
        planned = plan(
            SELLER,
            Period(date(2026, 1, 1), today, today, today),
            [(_customer(p), each) for p, each in sorted(by_payer.items())],
        )
        if planned.in_the_way:
            raise Violation("what is priced can be billed", str(planned.in_the_way))
        self._closed |= {*planned.netted, *planned.nothing}
        self._make_final(planned)

    def check(self, issued: list[CdrIssued]) -> None:
        """Hold documents and journal against the CDRs. Raises: Violation."""
        open_keys = {key_of(self._position(each)) for each in issued} - self._closed
        if open_keys:
            raise Violation("every CDR is billed", str(sorted(open_keys)[:3]))
        priced = sum(
            ((-1 if each.kind == "credit" else 1) * (each.rating.excl_vat or 0) for each in issued), Decimal(0)
        )
        billed = sum((_net(each.frozen.invoice) for each in self.documents), Decimal(0))
        if priced != billed:
            raise Violation("what was priced was billed", f"{priced} priced, {billed} billed")
        if off := sum((p.amount for each in self.documents for p in each.entry.postings), Decimal(0)):
            raise Violation("the books balance", f"off by {off}")

    def _make_final(self, planned: Plan) -> None:
        for kind, series in self._series.items():
            of_kind = [each for each in planned.drafts if each.invoice.kind is kind]
            for start in range(0, len(of_kind), AT_ONCE):
                made, series = finals(of_kind[start : start + AT_ONCE], series, SELLER)
                for document in made:
                    self._keep(document)
            self._series[kind] = series

    def _keep(self, document: Final) -> None:
        invoice = document.frozen.invoice
        if faults := check(invoice):
            raise Violation("documents add up", f"{invoice.number}: {faults[0].text.en}")
        if invoice.refers_to is not None:
            self._check_credit(invoice)
        for key in document.positions:
            if key in self._closed:
                raise Violation("nothing is billed twice", f"{key} on {invoice.number}")
            self._closed.add(key)
            self._on[key] = document
        self.documents.append(document)

    def _check_credit(self, credit: Invoice) -> None:
        assert credit.refers_to is not None
        numbers = {each.frozen.invoice.number: each.frozen.invoice for each in self.documents}
        others = [d for d in numbers.values() if d.refers_to == credit.refers_to]
        try:
            check_credit(numbers[credit.refers_to.number], others, credit)
        except LaddbokError as error:
            raise Violation("no credit exceeds what remains", str(error)) from None

    def _position(self, issued: CdrIssued) -> Position:
        session = issued.session
        revision = issued.cdr.revision
        billed = self._on.get(PositionKey(session.id, revision, "cdr")) if issued.kind == "credit" else None
        return Position(
            session_id=session.id,
            revision=revision,
            kind=issued.kind,
            contract_id=session.contract_id,
            place=session.station,
            station=session.station,
            cdr=issued.cdr,
            rating=issued.rating,
            billed_on=None if billed is None else _reference(billed.frozen.invoice),
        )


_PREFIXES = {InvoiceKind.INVOICE: "1", InvoiceKind.CREDIT_NOTE: "5"}


def _reference(invoice: Invoice) -> Reference:
    assert invoice.number is not None
    return Reference(invoice.number, invoice.issue_date)


def _net(invoice: Invoice) -> Decimal:
    return -invoice.totals.net if invoice.kind is InvoiceKind.CREDIT_NOTE else invoice.totals.net


def _customer(payer: str) -> Customer:
    address = Address(street="Gatan 1", postal_code="903 26", city="Umeå")
    return Customer(buyer=Buyer(id=payer, name=payer, address=address))

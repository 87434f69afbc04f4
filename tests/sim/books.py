"""Does every priced session of a run end in the books, once, and do they balance?

The office bills three times: when the faults end, before stations that slept tell what they kept, and in the end, what
corrects sessions that were billed before included. Who has no contract paid at once what the session came to when it was first
priced, or what was held on the card, and gets a receipt. Then it holds the documents against the CDRs, position by position.
"""

from datetime import date, datetime
from decimal import Decimal

from laddbok.billing.check import check
from laddbok.billing.credit import Credits, check_credit
from laddbok.billing.draft import Period
from laddbok.billing.examples import SELLER
from laddbok.billing.freeze import Series
from laddbok.billing.receipt import claim, correction, cost_of, receipt
from laddbok.flow.billing_run import (
    AT_ONCE,
    CORRECTED,
    Final,
    Plan,
    Planned,
    PositionKey,
    finals,
    key_of,
    plan,
    sort_out,
)
from laddbok.flow.changes import CdrIssued
from laddbok.model.billing import Customer, Position
from laddbok.model.errors import LaddbokError
from laddbok.model.invoice import Address, Buyer, Invoice, InvoiceKind, Reference
from tests.sim.world import Violation


class Books:
    """Documents and journal of one run."""

    def __init__(self) -> None:
        self._tills: dict[str, Till] = {}
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
            by_payer.setdefault(position.contract_id or f"session/{position.session_id}", []).append(position)
        today = now.date()
        period = Period(date(2026, 1, 1), today, today, today)
        at_once = {payer: by_payer.pop(payer) for payer in sorted(by_payer) if payer.startswith("session/")}
        planned = plan(SELLER, period, [(_customer(p), each) for p, each in sorted(by_payer.items())])
        if planned.in_the_way:
            raise Violation("what is priced can be billed", str(planned.in_the_way))
        self._closed |= {*planned.netted, *planned.nothing}
        self._make_final(planned)
        for driver_id, each in at_once.items():
            self._settle(driver_id, each, period)

    def _settle(self, driver_id: str, positions: list[Position], period: Period) -> None:
        """What follows for a driver who pays at once; what is left to their credit goes back."""
        sorted_out = sort_out(positions)
        self._closed |= {*map(key_of, sorted_out.netted), *map(key_of, sorted_out.nothing)}
        for position in sorted(sorted_out.billed, key=lambda each: (each.kind != "credit", each.revision)):
            till = self._tills.setdefault(driver_id, Till(cost_of(position)))
            if position.kind == "credit":
                assert position.billed_on is not None
                numbers = {each.frozen.invoice.number: each.frozen.invoice for each in self.documents}
                billed = Credits(document=numbers[position.billed_on.number])
                made = correction(SELLER, billed, [position], period, CORRECTED)
                till.credit += made.totals.prepaid
            elif (paid := min(cost_of(position), till.credit)) > 0:
                made = receipt(SELLER, driver_id, position, period, paid)
                till.credit -= paid
            else:
                made = claim(SELLER, driver_id, position, period)
            document = Planned(Customer(buyer=made.buyer), made, (key_of(position),))
            self._make_final(Plan(drafts=(document,), netted=(), nothing=(), in_the_way=()))
        if till := self._tills.get(driver_id):
            till.give_back()

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
        taken = sum(
            (p.amount for each in self.documents for p in each.entry.postings if p.account == "2420"), Decimal(0)
        )
        kept = sum((till.captured - till.refunded for till in self._tills.values()), Decimal(0))
        if taken != kept:
            raise Violation("receipts take what was paid and not paid back", f"{taken} taken, {kept} kept")
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


HELD = Decimal(60)
"""On the card of each; some sessions come to more."""


class Till:
    """What one driver without a contract paid, and has to their credit."""

    def __init__(self, captured: Decimal) -> None:
        self.captured = self.credit = max(Decimal(0), min(captured, HELD))
        self.refunded = Decimal(0)

    def give_back(self) -> None:
        """What is left goes back."""
        self.refunded, self.credit = self.refunded + self.credit, Decimal(0)


_PREFIXES = {InvoiceKind.INVOICE: "1", InvoiceKind.CREDIT_NOTE: "5", InvoiceKind.RECEIPT: "7"}


def _reference(invoice: Invoice) -> Reference:
    assert invoice.number is not None
    return Reference(invoice.number, invoice.issue_date)


def _net(invoice: Invoice) -> Decimal:
    """What its sessions come to; a receipt may be over less than that."""
    net = sum((each.net for each in invoice.sessions), Decimal(0))
    return -net if invoice.kind is InvoiceKind.CREDIT_NOTE else net


def _customer(payer: str) -> Customer:
    address = Address(street="Gatan 1", postal_code="903 26", city="Umeå")
    return Customer(buyer=Buyer(id=payer, name=payer, address=address))

"""Do all documents of a customer come to what its sessions cost now, whatever was corrected, voided and credited on the way?"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from laddbok.billing.credit import Credits, CreditWish, check_credit, credit_note, rooms
from laddbok.billing.examples import COMPANY, OCTOBER, POSITION, SELLER
from laddbok.billing.freeze import Series, numbered
from laddbok.flow.billing_run import key_of, plan
from laddbok.model.billing import Position
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, Reference, VatRate

RATES = (Decimal(25), Decimal(12))
Nets = tuple[int, int]
"""A session's net at each rate [öre]."""


def session(number: int, revision: int, nets: Nets) -> Position:
    start_at = POSITION.cdr.started_at + timedelta(hours=number)
    amounts = [(Decimal(ore).scaleb(-2), percent) for ore, percent in zip(nets, RATES, strict=True)]
    lines = tuple(
        replace(POSITION.rating.lines[0], excl_vat=net, incl_vat=net, vat_percent=percent) for net, percent in amounts
    )
    total = sum((net for net, _ in amounts), Decimal(0))
    rating = replace(POSITION.rating, lines=lines, excl_vat=total, incl_vat=total)
    cdr = replace(POSITION.cdr, session_id=f"S{number}", started_at=start_at, transaction_ended_at=start_at)
    return replace(POSITION, session_id=f"S{number}", revision=revision, cdr=cdr, rating=rating)


class Books:
    """A customer's sessions and documents, billed and corrected as runs and people do it."""

    def __init__(self) -> None:
        self.now: dict[int, Position] = {}
        self.open: list[Position] = []
        self.documents: list[Invoice] = []
        self.billed_on: dict[tuple[str, int], Reference] = {}
        self.taken_back: dict[str, list[Position]] = {}

    def add(self, nets: Nets) -> None:
        number = len(self.now)
        self.now[number] = session(number, 1, nets)
        self.open.append(self.now[number])

    def correct(self, number: int, nets: Nets) -> None:
        old = self.now[number % len(self.now)]
        on = self.billed_on.get((old.session_id, old.revision))
        self.open.append(replace(old, kind="credit", billed_on=on))
        self.now[number % len(self.now)] = session(number % len(self.now), old.revision + 1, nets)
        self.open.append(self.now[number % len(self.now)])

    def run(self) -> None:
        known = {invoice.number or "": self.credits(invoice) for invoice in self.invoices()}
        by_key = {key_of(each): each for each in self.open}
        planned = plan(SELLER, OCTOBER, [(COMPANY, self.open)], known)
        assert planned.in_the_way == ()
        for each in planned.drafts:
            document = self._final(each.invoice)
            for key in each.positions:
                position = by_key[key]
                if position.kind == "cdr":
                    self.billed_on[key.session_id, key.revision] = Reference(document.number or "", document.issue_date)
                elif position.billed_on is not None:
                    self.taken_back.setdefault(position.billed_on.number, []).append(position)
        done = {key for each in planned.drafts for key in each.positions} | {*planned.netted, *planned.nothing}
        assert done == by_key.keys()
        self.open = []

    def credit(self, number: int, gross_ore: int | None, percent: Decimal) -> None:
        """What a person credits: so much of a rate, or all that is left; what is more than that is refused."""
        invoices = self.invoices()
        if not invoices:
            return
        wish = CreditWish(reason="Kulans")
        if gross_ore is not None:
            wish = CreditWish(reason="Kulans", gross=Decimal(gross_ore).scaleb(-2), vat_percent=percent)
        try:
            self._final(credit_note(self.credits(invoices[number % len(invoices)]), wish, OCTOBER.issue))
        except (Conflict, Invalid):
            return

    def invoices(self) -> list[Invoice]:
        return [each for each in self.documents if each.kind is InvoiceKind.INVOICE]

    def notes(self, invoice: Invoice) -> list[Invoice]:
        return [each for each in self.documents if each.refers_to and each.refers_to.number == invoice.number]

    def credits(self, invoice: Invoice) -> Credits:
        later = [each for each in self.invoices() if any(_corrects(line.corrects, invoice) for line in each.lines)]
        return Credits(document=invoice, notes=tuple(self.notes(invoice)), later=tuple(later))

    def _final(self, invoice: Invoice) -> Invoice:
        if invoice.kind is InvoiceKind.CREDIT_NOTE:
            of = next(each for each in self.invoices() if invoice.refers_to and each.number == invoice.refers_to.number)
            check_credit(of, self.notes(of), invoice)
        self.documents.append(numbered(invoice, Series(prefix="1", next_number=len(self.documents) + 1)))
        return self.documents[-1]

    def owed(self, rate: Decimal) -> Decimal:
        return sum((_sign(each) * _net(each, rate) for each in self.documents), Decimal(0))

    def kept(self, rate: Decimal) -> Decimal:
        """What of persons' credits stands: as much of each as stands of its invoice without them."""
        total = Decimal(0)
        for invoice in self.invoices():
            given = sum((_net(each, rate) for each in self.notes(invoice) if not each.sessions), Decimal(0))
            standing = _own(invoice, rate) - _cost(self.taken_back.get(invoice.number or "", ()), rate)
            total += min(max(standing, min(given, Decimal(0))), max(given, Decimal(0)))
        return total


def _corrects(reference: Reference | None, invoice: Invoice) -> bool:
    return reference is not None and reference.number == invoice.number


def _sign(invoice: Invoice) -> int:
    return -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1


def _net(invoice: Invoice, rate: Decimal) -> Decimal:
    return sum((each.net for each in invoice.vat if each.rate.percent == rate), Decimal(0))


def _own(invoice: Invoice, rate: Decimal) -> Decimal:
    return sum((line.net for line in invoice.lines if line.vat.percent == rate), Decimal(0))


def _cost(positions: Iterable[Position], rate: Decimal) -> Decimal:
    lines = [line for each in positions for line in each.rating.lines if line.vat_percent == rate]
    return sum((line.excl_vat or Decimal(0) for line in lines), Decimal(0))


NETS = st.tuples(*[st.one_of(st.just(0), st.integers(-5_000, 10_000))] * 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NETS),
        st.tuples(st.just("correct"), st.integers(0, 5), st.one_of(st.just((0, 0)), NETS)),
        st.tuples(st.just("credit"), st.integers(0, 3), st.one_of(st.none(), st.integers(1, 9_000)), st.sampled_from(RATES)),
        st.tuples(st.just("run")),
    ),
    max_size=20,
)  # fmt: skip


@given(STEPS)
def test_all_documents_come_to_what_the_sessions_cost_now_less_what_persons_credited(
    steps: list[tuple[object, ...]],
) -> None:
    """No credit note exceeds what is left of its invoice: `check_credit` is asked for each."""
    books = Books()
    for name, *arguments in steps:
        if name != "correct" or books.now:
            getattr(books, str(name))(*arguments)
    books.run()
    for rate in RATES:
        assert books.owed(rate) == _cost(books.now.values(), rate) - books.kept(rate)
    documents = len(books.documents)
    books.run()
    assert len(books.documents) == documents


def test_what_a_person_may_credit_is_what_stands() -> None:
    books = Books()
    books.add((10_000, 0))
    books.add((-3_000, 0))
    books.run()
    [invoice] = books.invoices()
    books.correct(0, (0, 0))
    books.run()
    room = rooms(books.credits(invoice))[VatRate(percent=Decimal(25))]
    assert (room.left, room.standing, room.available) == (Decimal("70.00"), Decimal("-30.00"), 0)

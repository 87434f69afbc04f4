"""How do a month's priced sessions become invoices?

    open positions --plan--> drafts and what is in the way --freeze--> documents, postings, and positions that are billed

A plan only reads: it can be shown before anything happens. Final is what one transaction writes: numbers, frozen content,
journal entries and the mark on every position, all or nothing. The same run twice finds nothing left to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from laddbok.billing.books import at_rate_of, entry_in_books
from laddbok.billing.credit import Credits, fits, rooms, sessions_off, taken_off
from laddbok.billing.draft import Period, draft
from laddbok.billing.freeze import Frozen, Series, freeze
from laddbok.model.billing import ContractCharge, Customer, JournalEntry, Position, SellerTerms
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Reference, Text

AT_ONCE = 500
"""Documents that one transaction makes final."""
CORRECTED = Text(sv="Laddningen har rättats", en="The session was corrected")


class PositionKey(msgspec.Struct, frozen=True, order=True):
    """What names a position."""

    session_id: str
    revision: int
    kind: str
    part: int = 0


class Planned(msgspec.Struct, frozen=True):
    """A draft, and the positions that it bills."""

    customer: Customer
    invoice: Invoice
    positions: tuple[PositionKey, ...]
    charges: tuple[ContractCharge, ...] = ()
    rests_on: dict[str, int] = {}
    """Documents from which it takes back, by number, and how many credit notes there were to each when it was planned."""


class Charged(msgspec.Struct, frozen=True):
    """A charge and its lines."""

    charge: ContractCharge
    lines: tuple[InvoiceLine, ...]


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """What contracts of a customer are charged beside their sessions: on the invoice, and on the credit note of a credit."""

    charges: tuple[Charged, ...] = ()
    backs: dict[PositionKey, Charged] = {}


NO_EXTRAS = Extras()


class InTheWay(msgspec.Struct, frozen=True):
    """Why a customer's document can't become final: which field of what is to be mended."""

    payer_id: str | None
    field: str
    reason: str
    text: Text | None = None
    """The reason in both languages, where it is known in both."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do for some customers. `netted` are CDRs that were credited before anybody was billed for them."""

    drafts: tuple[Planned, ...]
    netted: tuple[PositionKey, ...]
    nothing: tuple[PositionKey, ...]
    """They came to 0 (B19): no line on any invoice."""
    in_the_way: tuple[InTheWay, ...]


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is final, with its id, its journal entry and the positions on it."""

    id: str
    frozen: Frozen
    entry: JournalEntry
    positions: tuple[PositionKey, ...]
    charges: tuple[ContractCharge, ...] = ()


def period_of(month: str, terms: SellerTerms, now: datetime) -> Period:
    """The month "2026-10", billed today: dates by the seller's clock. Raises: Invalid when it is no month."""
    start, end = month_of(month)
    today = now.astimezone(ZoneInfo(terms.time_zone)).date()
    return Period(start, end, today, today + timedelta(days=terms.payment_days))


def month_of(text: str) -> tuple[date, date]:
    """The first and last day of a month as people write it. Raises: Invalid when it is none.

    >>> month_of("2026-02")[1].day
    28
    """
    try:
        start = date.fromisoformat(f"{text}-01")
        return start, (start + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError):
        raise Invalid("period", f"{text!r} is not a month such as 2026-10") from None


def ends_before(period: Period, terms: SellerTerms) -> datetime:
    """Sessions that ended before this instant are billed: the seller's midnight after the period's last day (B11)."""
    next_day = period.end + timedelta(days=1)
    return datetime(next_day.year, next_day.month, next_day.day, tzinfo=ZoneInfo(terms.time_zone))


def is_final_time(period: Period, terms: SellerTerms) -> bool:
    """Whether late sessions were awaited long enough after the period's end."""
    return period.issue > period.end + timedelta(days=terms.draft_days)


def plan(
    terms: SellerTerms,
    period: Period,
    customers: Iterable[tuple[Customer, Sequence[Position]]],
    before: Mapping[str, Credits] | None = None,
    extras: Mapping[str, Extras] | None = None,
) -> Plan:
    """What a run does for these customers: invoices over CDRs, credit notes over credits of CDRs that were billed.

    Args: before, the documents on which something is corrected, by number, with what takes back from them; extras, what contracts are charged beside their sessions, by payer.
    Source: our choice, docs/rules.md "Billing run"; cases B11, B19, B26.
    """
    drafts: list[Planned] = []
    netted: list[PositionKey] = []
    nothing: list[PositionKey] = []
    in_the_way: list[InTheWay] = []
    for customer, positions in customers:
        sorted_out = sort_out(positions)
        netted += map(key_of, sorted_out.netted)
        nothing += map(key_of, sorted_out.nothing)
        extra = (extras or {}).get(customer.buyer.id, NO_EXTRAS)
        try:
            drafts += _documents(terms, period, customer, sorted_out.billed, before or {}, extra)
        except Invalid as error:
            in_the_way.append(InTheWay(customer.buyer.id, error.field, error.reason))
    return Plan(drafts=tuple(drafts), netted=tuple(netted), nothing=tuple(nothing), in_the_way=tuple(in_the_way))


class SortedOut(NamedTuple):
    """Positions that were credited before they were billed, that came to nothing, and that are billed."""

    netted: list[Position]
    nothing: list[Position]
    billed: list[Position]


def sort_out(positions: Sequence[Position]) -> SortedOut:
    """What becomes of each position."""
    open_cdrs = {_of_cdr(p) for p in positions if p.kind == "cdr"}
    taken_back = open_cdrs & {_of_cdr(p) for p in positions if p.kind == "credit"}
    netted = [p for p in positions if _of_cdr(p) in taken_back]
    rest = [p for p in positions if _of_cdr(p) not in taken_back]
    return SortedOut(netted, [p for p in rest if _is_nothing(p)], [p for p in rest if not _is_nothing(p)])


def _documents(
    terms: SellerTerms,
    period: Period,
    customer: Customer,
    positions: Sequence[Position],
    before: Mapping[str, Credits],
    extras: Extras,
) -> list[Planned]:
    """One invoice over what was used and charged, and a credit note for each document on which something was corrected.

    What a credit note has no room for is taken back on the invoice.
    """
    billed = [p for p in positions if p.kind == "cdr"]
    lines = [line for each in extras.charges for line in each.lines]
    charges = [each.charge for each in extras.charges]
    notes: list[Planned] = []
    rests_on: dict[str, int] = {}
    for reference, credits in _by_document(positions).items():
        keys = tuple(map(key_of, credits))
        backs = [extras.backs[key] for key in keys if key in extras.backs]
        known = before.get(reference.number)
        note, has_room = _credit_note(terms, period, customer, credits, reference, known, backs)
        of_backs = tuple(back.charge for back in backs)
        count = {} if known is None else {reference.number: len(known.notes)}
        if has_room:
            notes.append(Planned(customer, note, keys, of_backs, count))
            continue
        billed += credits
        lines += [_on_invoice(line, reference) for line in note.lines if line.session_id is None]
        charges += of_backs
        rests_on |= count
    if not billed and not charges:
        return notes
    invoice = draft(terms, customer, billed, period, charges=lines)
    return [Planned(customer, invoice, tuple(map(key_of, billed)), tuple(charges), rests_on), *notes]


def _by_document(positions: Iterable[Position]) -> dict[Reference, list[Position]]:
    """Credits by the document on which their CDRs stand."""
    found: dict[Reference, list[Position]] = {}
    for position in positions:
        if position.kind == "credit" and position.billed_on is not None:
            found.setdefault(position.billed_on, []).append(position)
    return found


def _credit_note(
    terms: SellerTerms,
    period: Period,
    customer: Customer,
    credits: Sequence[Position],
    reference: Reference,
    known: Credits | None,
    backs: Sequence[Charged],
) -> tuple[Invoice, bool]:
    """What was corrected on one document, with its included energy, less what of it a person credited before; and whether that
    is left of the document."""
    kind = InvoiceKind.CREDIT_NOTE
    drawn = partial(draft, terms, customer, credits, period, kind=kind, refers_to=reference, reason=CORRECTED)
    of_backs = [line for back in backs for line in back.lines]
    note = drawn(charges=of_backs)
    if known is None:
        return note, True
    found = rooms(known)
    if named := sessions_off(known, {each.session_id for each in credits}):
        note = drawn(charges=[*named, *of_backs])
    if less := taken_off(found, note):
        note = drawn(charges=[*less, *named, *of_backs])
    return at_rate_of(known.document, note), fits(found, note)


def _on_invoice(line: InvoiceLine, reference: Reference) -> InvoiceLine:
    """A line of a credit note as it stands on an invoice."""
    return replace(line, quantity=-line.quantity, net=-line.net, corrects=reference)


def finals(planned: Sequence[Planned], series: Series, terms: SellerTerms) -> tuple[tuple[Final, ...], Series]:
    """The documents under the next numbers of one series, and the series after them.

    Args: planned, at most AT_ONCE, all of one kind.
    """
    assert len(planned) <= AT_ONCE
    made: list[Final] = []
    for each in planned:
        assert each.invoice.books is None or each.invoice.books.rate is not None, each.customer.buyer.id
        frozen, series = freeze(each.invoice, series)
        document_id = f"{terms.seller.id}-{frozen.invoice.number}"
        entry = entry_in_books(frozen.invoice, document_id, terms.accounts)
        made.append(Final(id=document_id, frozen=frozen, entry=entry, positions=each.positions, charges=each.charges))
    return tuple(made), series


def key_of(position: Position) -> PositionKey:
    """What names a position."""
    return PositionKey(position.session_id, position.revision, position.kind, position.part)


def _of_cdr(position: Position) -> tuple[str, int, int]:
    return position.session_id, position.revision, position.part


def _is_nothing(position: Position) -> bool:
    return not position.rating.excl_vat and not position.rating.incl_vat

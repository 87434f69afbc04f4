"""How is an invoice taken back, in part or whole?

A credit note refers to its invoice and takes back at most what is left of it, VAT category by category, whatever was
credited before. Its amounts are positive. Where a corrected session is more than what is left, for another one on the
invoice came to less than nothing, it is taken back on the next invoice instead. A sum that was paid with VAT in it is taken
apart at the category's rate:

>>> from laddbok.billing.examples import FINAL
>>> line = credited(Credits(document=FINAL), VatRate(percent=Decimal(25)), Decimal("10.00"), Text(sv="Kulans", en="Goodwill"))
>>> line.net, remaining(FINAL, [])[VatRate(percent=Decimal(25))]
(Decimal('8.00'), Decimal('53.24'))
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from laddbok.billing.books import at_rate_of
from laddbok.billing.totals import totals_of
from laddbok.model.billing import RateNet
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.invoice import Invoice, InvoiceKind, InvoiceLine, Reference, Text, Totals, Unit, VatRate
from laddbok.model.money import from_minor, net_of, round_money

CREDITABLE = frozenset({InvoiceKind.INVOICE, InvoiceKind.RECEIPT})
TAKEN_OFF = Text(sv="Avgår: redan krediterat på denna faktura", en="Less: credited on this invoice before")
"""By these words the lines are known by which less is taken back than the sessions cost."""
SESSION_OFF = Text(sv="Avgår: sessionen är redan krediterad", en="Less: the session is credited already")
INCLUDED = Text(sv="Inkluderad energi för laddningen", en="Included energy of the session")
_ZERO = Decimal(0)


class CreditWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be taken back: all that is left, `gross` at one rate of VAT [%], or the lines of one session. `reason` stands on
    the credit note. `dispute`: the number of the dispute that it answers; what answers another one is another wish."""

    reason: str
    gross: Decimal | None = None
    vat_percent: Decimal | None = None
    session_id: str | None = None
    dispute: int | None = None


class Credits(msgspec.Struct, frozen=True, kw_only=True):
    """A final document, the credit notes to it, and later invoices on which sessions of it were taken back. `included`: what
    included energy changes on it of a session that is to be credited, before VAT."""

    document: Invoice
    notes: tuple[Invoice, ...] = ()
    later: tuple[Invoice, ...] = ()
    included: tuple[RateNet, ...] = ()


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of a document in one category of VAT, before VAT."""

    left: Decimal
    """Less its credit notes: none takes back more than this."""
    standing: Decimal
    """Less the sessions that were corrected, wherever they were taken back; what persons credited is not counted."""
    by_persons: Decimal
    taken_off: Decimal
    """What of that was taken off again when sessions were corrected."""

    @property
    def available(self) -> Decimal:
        """What a person may credit: what is left, and was not taken back on a later invoice."""
        free = self.standing - self.by_persons + self.taken_off
        return max(min(self.left, free), Decimal(0)) if self.left > 0 else min(max(self.left, free), Decimal(0))


def credit_note(credits: Credits, wish: CreditWish, issue: date) -> Invoice:
    """The draft of a credit note that takes back what is left of a final document, or a part of it.

    Args: credits, a document of a kind that is credited, with what takes back from it; issue, the day by the seller's clock.
    Returns: where nothing was taken back before, a whole one has the document's own lines, else one per VAT category.
    Its VAT in the books is at the document's own exchange rate, so that it takes back what stands there.
    Raises: Conflict when nothing is left; Invalid when it is more than what is left.
    Source: ML (2023:200) 17 kap. 22 §; EN 16931 (credit note); case B51.
    """
    invoice = credits.document
    assert invoice.kind in CREDITABLE, invoice.number
    reason = Text(sv=wish.reason, en=wish.reason)
    lines = _lines(credits, wish, reason)
    if not lines:
        raise Conflict(f"nothing is left to be credited of {invoice.number}")
    sums, totals = totals_of([(line.vat, line.net) for line in lines], invoice.currency)
    assert invoice.number is not None
    note = replace(
        invoice,
        kind=InvoiceKind.CREDIT_NOTE,
        number=None,
        payment_reference=None,
        issue_date=issue,
        due_date=issue,
        lines=lines,
        vat=sums,
        totals=_as_rounded(invoice, totals) if lines == invoice.lines else totals,
        terms=None,
        note=None,
        refers_to=Reference(invoice.number, invoice.issue_date),
        reason=reason,
        sessions=(),
        sessions_gross=None,
        late=None,
    )
    return to_credit(invoice, credits.notes, at_rate_of(invoice, note), wish.gross)


def to_credit(invoice: Invoice, credits: Iterable[Invoice], note: Invoice, gross: Decimal | None = None) -> Invoice:
    """The credit note to a receipt: that is paid, so what is taken back is to the payer's credit, to the öre that was paid.

    Args: gross, so much; None: all that is left. Another document's credit note is as it was: it lowers what is owed.
    Source: our choice, docs/rules.md "Receipt".
    """
    if invoice.kind is not InvoiceKind.RECEIPT:
        return note
    left = invoice.totals.prepaid - sum((each.totals.prepaid for each in credits), Decimal(0))
    back = round_money(left if gross is None else min(gross, left), note.currency)
    totals = replace(note.totals, prepaid=back, rounding=back - note.totals.gross, payable=from_minor(0, note.currency))
    return replace(note, totals=totals)


def _lines(credits: Credits, wish: CreditWish, reason: Text) -> tuple[InvoiceLine, ...]:
    invoice = credits.document
    if wish.gross is not None:
        return (credited(credits, _rate(invoice, wish.vat_percent), wish.gross, reason),)
    if wish.session_id is not None:
        return session_lines(credits, wish.session_id)
    left = {rate: room.available for rate, room in rooms(credits).items() if room.available}
    if left and not credits.notes and not credits.later:
        return invoice.lines
    return tuple(_of_category(number, rate, net, reason) for number, (rate, net) in enumerate(left.items(), start=1))


def session_lines(credits: Credits, session_id: str) -> tuple[InvoiceLine, ...]:
    """The lines of a document that one session came to, less what it got as included energy.

    Raises: Invalid when it has none, or less is left; Conflict when the session is credited already.
    Source: our choice, docs/rules.md "Dispute".
    """
    invoice = credits.document
    later = [each for each in credits.later for line in each.lines if line.session_id == session_id and line.corrects]
    noted = [each for each in credits.notes for line in each.lines if line.session_id == session_id]
    if noted or later:
        raise Conflict(f"session {session_id} is credited already, on {[*noted, *later][0].number}")
    lines = [line for line in invoice.lines if line.session_id == session_id and not line.corrects]
    lines += [
        replace(_of_category(0, each.rate, change.net, INCLUDED), session_id=session_id)
        for change in credits.included
        for each in invoice.vat
        if each.rate.percent == change.percent and change.net
    ]
    nets: dict[VatRate, Decimal] = {}
    for line in lines:
        _add(nets, line.vat, line.net)
    if not any(nets.values()):
        raise Invalid("session_id", f"came to nothing on {invoice.number}")
    left = {rate: room.available for rate, room in rooms(credits).items()}
    for rate, net in nets.items():
        _check(rate, net, left)
    return tuple(replace(line, number=number) for number, line in enumerate(lines, start=1))


def _rate(invoice: Invoice, percent: Decimal | None) -> VatRate:
    """The VAT category of the document with this rate, or its only one. Raises: Invalid."""
    found = [each.rate for each in invoice.vat if percent is None or each.rate.percent == percent]
    if len(found) != 1:
        told = ", ".join(f"{each.rate.percent} %" for each in invoice.vat)
        raise Invalid("vat", f"the document has VAT of {told}: say one of them")
    return found[0]


def _of_category(number: int, rate: VatRate, net: Decimal, reason: Text) -> InvoiceLine:
    quantity = Decimal(-1 if net < 0 else 1)
    return InvoiceLine(
        number=number, text=reason, quantity=quantity, unit=Unit.ONE, unit_price=abs(net), net=net, vat=rate
    )


def _as_rounded(invoice: Invoice, totals: Totals) -> Totals:
    """A document that is taken back whole takes its rounding with it."""
    rounding = invoice.totals.rounding
    return replace(totals, rounding=rounding, payable=totals.gross + rounding)


def down_to(left: Mapping[VatRate, Decimal], note: Invoice, text: Text) -> tuple[InvoiceLine, ...]:
    """The lines by which a credit note comes to no more than is left of its document, in each category of VAT.

    Args: left, of the document; text, what the lines say. Source: our choice, docs/rules.md "Receipt".
    """
    lines = []
    for each in note.vat:
        rest = left.get(each.rate, _ZERO)
        over = each.net - (max(rest, _ZERO) if each.net > 0 else min(rest, _ZERO))
        if over and (over > 0) is (each.net > 0):
            lines.append(_of_category(0, each.rate, -over, text))
    return tuple(lines)


def rooms(credits: Credits) -> dict[VatRate, Room]:
    """What stands of a document, by category of VAT."""
    number = credits.document.number
    by_persons, by_sessions, taken_off = ({each.rate: _ZERO for each in credits.document.vat} for _ in range(3))
    for note in credits.notes:
        for each in note.vat:
            _add(by_sessions if note.sessions else by_persons, each.rate, each.net)
    here = [(1, line) for note in credits.notes for line in note.lines]
    later = [
        (-1, line) for each in credits.later for line in each.lines if line.corrects and line.corrects.number == number
    ]
    for sign, line in later:
        _add(by_sessions, line.vat, sign * line.net)
    for sign, line in here + later:
        if line.text == TAKEN_OFF:
            _add(taken_off, line.vat, -sign * line.net)
    left = remaining(credits.document, credits.notes)
    named: dict[VatRate, Decimal] = {}
    for line in _of_sessions(credits):
        _add(named, line.vat, line.net)
    return {
        rate: Room(
            left=net,
            standing=_billed(credits.document, rate)
            - named.get(rate, _ZERO)
            - by_sessions.get(rate, _ZERO)
            - taken_off.get(rate, _ZERO),
            by_persons=by_persons.get(rate, _ZERO) - named.get(rate, _ZERO),
            taken_off=taken_off.get(rate, _ZERO),
        )
        for rate, net in left.items()
    }


def sessions_off(credits: Credits, session_ids: Collection[str]) -> tuple[InvoiceLine, ...]:
    """The lines of a credit note of corrected sessions for those of them that a person credited, each as a session, before.

    Source: our choice, docs/rules.md "Credit".
    """
    return tuple(
        replace(line, text=SESSION_OFF, quantity=-line.quantity, net=-line.net)
        for line in _of_sessions(credits)
        if line.session_id in session_ids
    )


def _of_sessions(credits: Credits) -> Iterator[InvoiceLine]:
    """The lines by which persons credited sessions."""
    for note in credits.notes:
        if not note.sessions:
            yield from (line for line in note.lines if line.session_id is not None)


def taken_off(found: Mapping[VatRate, Room], note: Invoice) -> tuple[InvoiceLine, ...]:
    """The lines of a credit note of corrected sessions for what a person credited on its document before.

    What is credited by a person is credited of what the document billed: it goes as far as that is taken back itself, so
    that nothing is given back twice.

        100.00 billed, 20.00 credited by a person, the session corrected to 50.00: 100.00 - 20.00 back, 50.00 billed anew

    Args: found, what stood of the document. Source: our choice, docs/rules.md "Credit".
    """
    lines = []
    for each in note.vat:
        room = found.get(each.rate)
        if room is None:
            continue
        standing, given = room.standing - each.net, room.by_persons
        kept = min(max(standing, min(given, _ZERO)), max(given, _ZERO))
        if more := given - kept - room.taken_off:
            lines.append(_of_category(0, each.rate, -more, TAKEN_OFF))
    return tuple(lines)


def fits(found: Mapping[VatRate, Room], note: Invoice) -> bool:
    """Whether a credit note takes back at most what is left of its document, in each category of VAT."""
    left = {rate: room.left for rate, room in found.items()}
    return all(_is_within(each.net, left.get(each.rate, _ZERO)) for each in note.vat)


def _add(sums: dict[VatRate, Decimal], rate: VatRate, net: Decimal) -> None:
    sums[rate] = sums.get(rate, _ZERO) + net


def _billed(document: Invoice, rate: VatRate) -> Decimal:
    return sum((each.net for each in document.vat if each.rate == rate), _ZERO)


def remaining(invoice: Invoice, credits: Iterable[Invoice]) -> dict[VatRate, Decimal]:
    """What is left of the net amount of each VAT category after these credit notes."""
    left = {each.rate: each.net for each in invoice.vat}
    for credit in credits:
        for each in credit.vat:
            left[each.rate] = left.get(each.rate, _ZERO) - each.net
    return left


def credited(credits: Credits, rate: VatRate, gross: Decimal, reason: Text) -> InvoiceLine:
    """The line of a credit note that takes back this amount, VAT included.

    Raises: Invalid when it is not above 0, or more than what is left of the category.
    Source: EN 16931 (credit note); case B51.
    """
    if not (gross.is_finite() and gross > 0):
        raise Invalid("gross", "a credit is an amount above 0")
    net = net_of(gross, rate.percent, credits.document.currency)
    _check(rate, net, {each: room.available for each, room in rooms(credits).items()})
    return InvoiceLine(number=1, text=reason, quantity=Decimal(1), unit=Unit.ONE, unit_price=net, net=net, vat=rate)


def check_credit(invoice: Invoice, credits: Iterable[Invoice], credit: Invoice) -> None:
    """Raises: Invalid when a credit note takes back more than is left of a VAT category of its invoice."""
    left = remaining(invoice, credits)
    for each in credit.vat:
        _check(each.rate, each.net, left)


def _check(rate: VatRate, net: Decimal, left: dict[VatRate, Decimal]) -> None:
    rest = left.get(rate, _ZERO)
    if not _is_within(net, rest):
        raise Invalid("credit", f"{net} net at {rate.percent} % VAT is more than the {rest} that are left")


def _is_within(net: Decimal, rest: Decimal) -> bool:
    """An invoice of a session that came to less than nothing is credited downwards, too."""
    return not net or (abs(net) <= abs(rest) and (net > 0) is (rest > 0))

"""What is lost on an invoice that nobody will pay?

What is given up comes off what the customer owes, the invoice first and then what reminders claimed, as a payment would. It is a
cost; the VAT in it is taken back only where finance says that the loss is established, each rate's share exactly, so that
parts that come to the whole take back the whole VAT. What is paid later, credited or undone takes the write-off back: first that
part whose VAT was taken back, which is owed again.

>>> from laddbok.billing.examples import FINAL
>>> ground = Ground(invoice_id="s-1", credits=Credits(document=FINAL), open=Decimal("66.55"), principal=Decimal("66.55"))
>>> step = written_off(ground, WriteOffWish(reason="Konkurs", vat_relief=True), date(2027, 3, 1))
>>> [(each.account, str(each.amount)) for each in entry_of_write_off(step, "p-1", FINAL.number, {}).postings]
[('1510', '-66.55'), ('2611', '13.31'), ('6351', '53.24')]
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from laddbok.billing.credit import Credits
from laddbok.billing.ledger import account, rate_name
from laddbok.model.billing import JournalEntry, Posting
from laddbok.model.errors import Conflict, Invalid
from laddbok.model.invoice import Invoice, VatRate
from laddbok.model.money import divide_half_up, from_minor, minor_digits, round_money
from laddbok.model.write_off import VatShare, WriteOff, WriteOffKind

WRITE_OFF = "write_off"
"""What journal entries of write-offs follow from: `source_kind`."""
MAX_REASON_CHARS = 500
_NOTHING = Decimal(0)


class WriteOffWish(msgspec.Struct, frozen=True, kw_only=True):
    """What finance gives up: `amount`, VAT and claims included, or all that is open; `vat_relief`, whether its VAT is taken back."""

    reason: str
    amount: Decimal | None = None
    vat_relief: bool = False


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice with its credit notes, what is open of it, with and without claims, and the steps that were taken."""

    invoice_id: str
    credits: Credits
    open: Decimal
    principal: Decimal
    """What is open of the invoice itself; below 0 when claims are paid, too."""
    steps: tuple[WriteOff, ...] = ()


class _Vat(msgspec.Struct, frozen=True):
    """The VAT by rate in a whole amount."""

    whole: Decimal
    shares: tuple[VatShare, ...]


def standing(steps: Sequence[WriteOff]) -> Decimal:
    """What stands written off after these steps."""
    return sum((each.amount for each in steps), _NOTHING)


def written_off(ground: Ground, wish: WriteOffWish, day: date) -> WriteOff:
    """The step that gives up what is open, or a part of it.

    Raises: Conflict when nothing is open; Invalid when the amount is none, or more than what is open.
    Source: ML (2023:200) 8 kap. 14 § (the taxable amount is lowered by an established loss); docs/rules.md "Write-off".
    """
    document = ground.credits.document
    amount = ground.open if wish.amount is None else wish.amount
    if ground.open <= 0:
        raise Conflict(f"nothing is open on {document.number}")
    if amount <= 0 or amount != round_money(amount, document.currency):
        raise Invalid("amount", "is not an amount above 0 in whole minor units of the currency")
    if amount > ground.open:
        raise Invalid("amount", f"{amount} is more than the {ground.open} that are open")
    relieved = min(amount, max(ground.principal, _NOTHING)) if wish.vat_relief else _NOTHING
    vat = _shares(_vat_left(ground), relieved, document)
    return _step(ground, WriteOffKind.WRITTEN_OFF, day, round_money(amount, document.currency), relieved, vat)


def taken_back(ground: Ground, kind: WriteOffKind, amount: Decimal, day: date) -> WriteOff:
    """The step that takes so much of what stands written off back: first that of which VAT was taken back, but for
    claims, in which there is none.

    Args: amount, above 0 and at most what stands. Source: our choice, docs/rules.md "Write-off".
    """
    stands = standing(ground.steps)
    assert 0 < amount <= stands, (ground.invoice_id, amount)
    relieved = sum((each.relieved for each in ground.steps), _NOTHING)
    without = stands - relieved if kind is WriteOffKind.CANCELLED else _NOTHING
    part = min(max(amount - without, _NOTHING), relieved)
    vat = _shares(_Vat(relieved, _summed(ground.steps)), part, ground.credits.document)
    return _step(ground, kind, day, -amount, -part, tuple(map(_turned, vat)))


def given_way(ground: Ground, kind: WriteOffKind, day: date) -> WriteOff | None:
    """The step by which a write-off gives way to what was paid, or is no longer owed; None: it need not."""
    over = min(-ground.open, standing(ground.steps))
    return taken_back(ground, kind, over, day) if over > 0 else None


def entry_of_write_off(step: WriteOff, payer_id: str, number: str | None, accounts: Mapping[str, str]) -> JournalEntry:
    """The journal entry of a step: off what is owed, its VAT back, and the rest is a loss; or all of it turned round.

    Args: number, of the invoice.
    Source: BAS 2026: 6351 for losses, 3950 for what was written off and is paid after all; docs/rules.md "Write-off".
    """
    what = "Kundförlust" if step.kind is WriteOffKind.WRITTEN_OFF else "Återförd kundförlust"
    lost = account("recovered" if step.kind is WriteOffKind.PAID else "bad_debt", accounts)
    book_vat = [each.book_vat or _NOTHING for each in step.vat]
    book_loss = None if step.book_amount is None else step.book_amount - sum(book_vat, _NOTHING)
    owed = Posting(
        account=account("receivable", accounts), amount=-step.amount, invoice_id=step.invoice_id, payer_id=payer_id,
        book_amount=None if step.book_amount is None else -step.book_amount,
    )  # fmt: skip
    vat = [
        Posting(account=account(f"vat_{rate_name(each.rate)}", accounts), amount=each.vat, book_amount=each.book_vat)
        for each in step.vat
    ]
    return JournalEntry(
        date=step.day,
        text=f"{what} {number}",
        source_kind=WRITE_OFF,
        source_id=f"{step.invoice_id}/{step.number}",
        currency=step.currency,
        postings=tuple(
            each
            for each in (owed, *vat, Posting(account=lost, amount=step.loss, book_amount=book_loss))
            if each.amount or each.book_amount
        ),
        book_currency=step.book_currency,
    )


def _step(
    ground: Ground, kind: WriteOffKind, day: date, amount: Decimal, relieved: Decimal, vat: tuple[VatShare, ...]
) -> WriteOff:
    """In the books, what is open goes out at the document's own rate, to the öre with the last of it."""
    books = ground.credits.document.books
    book_amount, currency = None, None
    if books is not None and books.rate is not None:
        rate, currency = books.rate.rate, books.currency
        book_amount = round_money(ground.open * rate, currency) - round_money((ground.open - amount) * rate, currency)
    return WriteOff(
        invoice_id=ground.invoice_id,
        number=len(ground.steps) + 1,
        kind=kind,
        day=day,
        currency=ground.credits.document.currency,
        amount=amount,
        relieved=relieved,
        vat=vat,
        book_currency=currency,
        book_amount=book_amount,
    )


def _vat_left(ground: Ground) -> _Vat:
    """The VAT of an invoice less that of its credit notes, and less what was taken back of it already."""
    document, notes = ground.credits.document, ground.credits.notes
    whole = _whole(document) - sum((_whole(each) for each in notes), _NOTHING)
    left: dict[VatRate, tuple[Decimal, Decimal]] = {}
    for sign, each in ((1, document), *((-1, note) for note in notes)):
        for rate, vat, book_vat in _vat_of(each):
            before = left.get(rate, (_NOTHING, _NOTHING))
            left[rate] = (before[0] + sign * vat, before[1] + sign * book_vat)
    for share in _summed(ground.steps):
        vat, book_vat = left[share.rate]
        left[share.rate] = (vat - share.vat, book_vat - (share.book_vat or _NOTHING))
    relieved = sum((each.relieved for each in ground.steps), _NOTHING)
    shares = tuple(VatShare(rate=rate, vat=vat, book_vat=in_books) for rate, (vat, in_books) in left.items())
    return _Vat(whole - relieved, shares)


def _whole(document: Invoice) -> Decimal:
    """What a document comes to, with its rounding."""
    return document.totals.payable + document.totals.prepaid


def _vat_of(document: Invoice) -> Iterator[tuple[VatRate, Decimal, Decimal]]:
    books = document.books
    in_books = books.vat if books is not None and books.rate is not None else [_NOTHING] * len(document.vat)
    for each, book_vat in zip(document.vat, in_books, strict=True):
        yield each.rate, each.vat, book_vat


def _shares(of: _Vat, amount: Decimal, document: Invoice) -> tuple[VatShare, ...]:
    """The VAT of each rate in an amount of the whole: its share, rounded once; all of it in all of the whole."""
    if not amount:
        return ()
    assert 0 < amount <= of.whole, (document.number, amount, of.whole)
    part, books = Fraction(amount) / Fraction(of.whole), document.books
    return tuple(
        VatShare(
            rate=each.rate,
            vat=_part(each.vat, part, document.currency),
            book_vat=None if books is None else _part(each.book_vat or _NOTHING, part, books.currency),
        )
        for each in of.shares
        if each.vat
    )


def _part(amount: Decimal, part: Fraction, currency: str) -> Decimal:
    minor = Fraction(amount) * part * 10 ** minor_digits(currency)
    return from_minor(divide_half_up(minor.numerator, minor.denominator), currency)


def _summed(steps: Sequence[WriteOff]) -> tuple[VatShare, ...]:
    """The VAT that stands taken back, rate by rate."""
    found: dict[VatRate, VatShare] = {}
    for each in (share for step in steps for share in step.vat):
        before = found.get(each.rate)
        if before is None:
            found[each.rate] = each
        else:
            in_books = None if each.book_vat is None else each.book_vat + (before.book_vat or _NOTHING)
            found[each.rate] = VatShare(rate=each.rate, vat=before.vat + each.vat, book_vat=in_books)
    return tuple(found.values())


def _turned(share: VatShare) -> VatShare:
    in_books = None if share.book_vat is None else -share.book_vat
    return VatShare(rate=share.rate, vat=-share.vat, book_vat=in_books)

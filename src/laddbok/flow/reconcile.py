"""Does everything that came in come out again, to the frame, the CDR and the öre?

A check compares two sides: what came in with where it went, the books with the documents, each document with the one before
it. What differs is named by its id. 0 differences is the only good number; a check that could not be made says why, and is
never 0.

>>> figures = {"frames_in": 10, "frames_of_sessions": 8, "frames_orphaned": 1, "frames_rejected": 0}
>>> summed("frames", figures, Found())
Checked(check='frames', differences=1, counted={'frames_in': 10, 'frames_of_sessions': 8, 'frames_orphaned': 1, 'frames_rejected': 0}, items=())
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256

import msgspec

from laddbok.billing.books import entry_in_books
from laddbok.model.invoice import Invoice, InvoiceKind

MAX_NAMED = 100
"""So many differences of a check are named; all are counted."""
SUMS = {
    "frames": ("frames_in", "frames_of_sessions", "frames_orphaned", "frames_rejected"),
    "cdrs": ("cdrs", "cdrs_billed", "cdrs_pending", "cdrs_netted", "cdrs_of_nothing", "cdrs_shared"),
    "parts": ("parts", "parts_billed", "parts_pending", "parts_netted", "parts_of_nothing"),
}
"""The whole of a check, and the parts that must come to it."""

_invoice = msgspec.json.Decoder(Invoice)


class Item(msgspec.Struct, frozen=True):
    """One difference."""

    id: str
    detail: str


class Found(msgspec.Struct, frozen=True):
    """Differences that were found: the first of them, and how many there are."""

    items: tuple[Item, ...] = ()
    count: int = 0


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found; `counted` are both sides of a sum."""

    check: str
    differences: int
    counted: dict[str, int] = {}
    items: tuple[Item, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A final document as it is stored, with the amounts of its journal entry and of the positions that it bills."""

    id: str
    number: int
    number_text: str
    content: bytes
    previous_hash: bytes | None
    hash: bytes
    net: Decimal
    vat: Decimal
    gross: Decimal
    payable: Decimal
    currency: str
    payer_id: str | None
    issue_date: date
    due_date: date
    payment_reference: str | None
    refers_to: str | None
    amounts: tuple[Decimal, ...] | None
    sessions: int = 0
    excl_vat: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    """What contracts were charged on it beside their sessions, as it is kept for the next run."""


def summed(check: str, figures: Mapping[str, int], found: Found) -> Checked:
    """A check of a whole with its parts; what is listed can't be more than what the sum says, or both are told.

    Source: our choice, docs/rules.md "Reconciliation".
    """
    whole, *parts = SUMS[check]
    off = abs(figures[whole] - sum(figures[part] for part in parts))
    counted = {name: figures[name] for name in SUMS[check]}
    return Checked(check=check, differences=max(off, found.count), counted=counted, items=found.items)


def listed(check: str, found: Found) -> Checked:
    """A check that is nothing but a list of what is wrong."""
    return Checked(check=check, differences=found.count, items=found.items)


class Chain:
    """The walk along a series: each document is held against the one before it. One walk per series, in order of numbers."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        """Args: accounts, the seller's own ones by name."""
        self._accounts = accounts
        self._before: bytes | None = None
        self._next = 1
        self.missing = Found()
        self.wrong = Found()

    def add(self, document: Document) -> None:
        """The next document of the series."""
        self._skip_to(document.number)
        self.wrong = together([self.wrong, found_of(differences(self._before, document, self._accounts))])
        self._before, self._next = document.hash, document.number + 1

    def end(self, series: str, next_number: int, last_hash: bytes | None) -> None:
        """The series as it stands: what number comes next, and what it is chained to."""
        self._skip_to(next_number)
        if self._before != last_hash:
            item = Item(series, "the series does not end with its last document")
            self.wrong = together([self.wrong, found_of([item])])

    def _skip_to(self, number: int) -> None:
        gap = range(self._next, number)
        items = [Item(str(each), "no document has this number") for each in gap[:MAX_NAMED]]
        self.missing = together([self.missing, Found(tuple(items), len(gap))])


def differences(before: bytes | None, document: Document, accounts: Mapping[str, str]) -> list[Item]:
    """What of a document does not fit: the chain, its columns, its journal entry, its sessions.

    Args: before, the hash of the document before it in its series.
    Source: our choice, docs/rules.md "Reconciliation".
    """
    content = _invoice.decode(document.content)
    hashed = sha256((document.previous_hash or b"") + document.content).digest()
    return [
        Item(document.id, what)
        for what, is_wrong in (
            ("is not chained to the document before it", document.previous_hash != before),
            ("its hash is not that of its content", document.hash != hashed),
            (
                "its columns are not those of its content",
                _columns(document) != _columns_of(content),
            ),
            ("its journal entry is not what follows from it", not _is_booked(content, document, accounts)),
            ("its sessions are not the positions that it bills", not _has_its_positions(content, document)),
            ("its charges beside sessions are not those that are kept", not _has_its_charges(content, document)),
        )
        if is_wrong
    ]


def _columns(document: Document) -> tuple[object, ...]:
    totals = (document.net, document.vat, document.gross, document.payable, document.currency)
    days = (document.issue_date, document.due_date)
    return (document.number_text, *totals, *days, document.payer_id, document.payment_reference, document.refers_to)


def _columns_of(content: Invoice) -> tuple[object, ...]:
    totals = (content.totals.net, content.totals.vat, content.totals.gross, content.totals.payable, content.currency)
    days = (content.issue_date, content.due_date)
    refers_to = content.refers_to.number if content.refers_to else None
    return (content.number, *totals, *days, content.buyer.id, content.payment_reference, refers_to)


def _is_booked(content: Invoice, document: Document, accounts: Mapping[str, str]) -> bool:
    """The amounts, not the accounts: a seller may have got other accounts since."""
    right = tuple(each.amount for each in entry_in_books(content, document.id, accounts).postings)
    return right == document.amounts


def _has_its_positions(content: Invoice, document: Document) -> bool:
    if content.kind is InvoiceKind.SELF_BILLED:
        return True
    sign = -1 if content.kind is InvoiceKind.CREDIT_NOTE else 1
    net = sum((each.net for each in content.sessions), Decimal(0))
    return (len(content.sessions), net) == (document.sessions, sign * document.excl_vat)


def _has_its_charges(content: Invoice, document: Document) -> bool:
    """A month's fee that was not kept would be charged again. What is given back stands on credit notes, or says what it corrects."""
    if content.kind is not InvoiceKind.INVOICE:
        return True
    beside = [line.net for line in content.lines if line.session_id is None and line.corrects is None]
    return sum(beside, Decimal(0)) == document.charged


def found_of(items: Sequence[Item]) -> Found:
    """All of these differences."""
    return Found(tuple(items[:MAX_NAMED]), len(items))


def together(found: Iterable[Found]) -> Found:
    """Differences of several places."""
    every = list(found)
    items = tuple(item for each in every for item in each.items)
    return Found(items[:MAX_NAMED], sum(each.count for each in every))

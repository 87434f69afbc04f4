"""How does the bookkeeping program of the seller get the journal?

As a SIE 4 file of transactions: code page 437, CRLF, each entry a #VER that sums to 0. What the code page can't say is
written as people would without it: an ö stays an ö, a ł becomes an l.

>>> from laddbok.billing.examples import FINAL, SELLER
>>> from laddbok.billing.ledger import entry_of
>>> numbered = [(7, entry_of(FINAL, "s-1", {}))]
>>> text = sie4(SELLER.seller, numbered, date(2026, 11, 5)).decode("cp437")
>>> text.splitlines()[-6:-3]
['#VER L 7 20261103 "Faktura 20260000007 Bageriet i Backen AB"', '{', '#TRANS 1510 {} 66.55']
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date

from laddbok.model.billing import JournalEntry
from laddbok.model.errors import Invalid
from laddbok.model.invoice import Seller

SERIES = "L"
"""Of our entries in the seller's books; the number is the journal's own, and stays the same in every export."""
MAX_TEXT = 100
_NAMES = {
    "1510": "Kundfordringar",
    "1580": "Fordringar för kontokort",
    "1790": "Övriga interimsfordringar",
    "1930": "Företagskonto",
    "2420": "Förskott från kunder",
    "2440": "Leverantörsskulder",
    "2611": "Utgående moms 25 %",
    "2621": "Utgående moms 12 %",
    "2631": "Utgående moms 6 %",
    "2641": "Debiterad ingående moms",
    "2899": "Övriga kortfristiga skulder",
    "2999": "OBS-konto",
    "3001": "Försäljning 25 % moms",
    "3002": "Försäljning 12 % moms",
    "3003": "Försäljning 6 % moms",
    "3004": "Försäljning momsfri",
    "3740": "Öres- och kronutjämning",
    "3930": "Påminnelseavgifter",
    "3950": "Återvunna, tidigare avskrivna kundfordringar",
    "3960": "Valutakursvinster",
    "4010": "Ersättning till värdar",
    "6570": "Bankkostnader",
    "6351": "Konstaterade förluster på kundfordringar",
    "7960": "Valutakursförluster",
    "8313": "Ränteintäkter",
}
_SPELLED = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "€": "EUR",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
}


def sie4(seller: Seller, entries: Sequence[tuple[int, JournalEntry]], made_on: date) -> bytes:
    """The file over these entries.

    Args: entries, with the journal's own number of each, in order.
    Raises: Invalid when they are in several currencies: a SIE file has one.
    Source: SIE 4B, SIE-Gruppen, sections 5 and 11 (transactions).
    """
    currencies = {entry.book_currency or entry.currency for _, entry in entries}
    if len(currencies) > 1:
        raise Invalid(
            "entries",
            f"they are in {', '.join(sorted(currencies))}: a SIE file has one currency; reconciling names what waits for a rate",
        )
    lines = [*_head(seller, entries, currencies, made_on), *(line for each in entries for line in _entry(*each))]
    return "".join(f"{line}\r\n" for line in lines).encode("cp437")


def name_of(account: str) -> str | None:
    """What an account of the usual chart is called in Swedish; None: it is the seller's own."""
    return _NAMES.get(account)


def in_code_page(text: str) -> str:
    """The text with what code page 437 does not have spelled in letters that it has; a control character is a blank.

    >>> in_code_page("Łukasz Ångström, 5 €")
    'Lukasz Ångström, 5 EUR'
    """
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if not letter.isprintable():
        return " "
    for form in (letter, _SPELLED.get(letter, ""), unicodedata.normalize("NFKD", letter)[0]):
        try:
            form.encode("cp437")
        except UnicodeEncodeError:
            continue
        if form:
            return form
    return "?"


def _head(
    seller: Seller, entries: Sequence[tuple[int, JournalEntry]], currencies: set[str], made_on: date
) -> Iterator[str]:
    yield from ("#FLAGGA 0", "#FORMAT PC8", "#SIETYP 4", '#PROGRAM "Laddbok" 0.1', f"#GEN {made_on:%Y%m%d}")
    yield f"#FNAMN {_quoted(seller.name)}"
    number = seller.organisation_number
    yield f"#ORGNR {number[:6]}-{number[6:]}"
    for n, year in enumerate(sorted({entry.date.year for _, entry in entries}, reverse=True)):
        yield f"#RAR {-n} {year}0101 {year}1231"
    yield from (f"#VALUTA {currency}" for currency in currencies)
    for account in sorted({posting.account for _, entry in entries for posting in entry.postings}):
        yield f"#KONTO {account} {_quoted(_NAMES.get(account, account))}"


def _entry(number: int, entry: JournalEntry) -> Iterator[str]:
    yield f"#VER {SERIES} {number} {entry.date:%Y%m%d} {_quoted(entry.text)}"
    yield "{"
    for posting in entry.postings:
        amount = posting.amount if posting.book_amount is None else posting.book_amount
        yield f"#TRANS {posting.account} {{}} {amount:.2f}"
    yield "}"


def _quoted(text: str) -> str:
    escaped = in_code_page(text)[:MAX_TEXT].replace("\\", "/").replace('"', '\\"')
    return f'"{escaped}"'

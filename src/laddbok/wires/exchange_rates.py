"""How do exchange rates come in?

From a file as the European Central Bank publishes its reference rates: XML (`eurofxref-daily.xml`, `eurofxref-hist.xml`) or
CSV (`eurofxref.csv`, `eurofxref-hist.csv`). All are so many of a currency for one euro. A file is read whole before anything
of it is kept.

>>> read_rates(b"Date, USD, SEK,\\n20 November 2026, 1.0583, 11.0350,\\n")[1]
DailyRate(base='EUR', currency='SEK', day=datetime.date(2026, 11, 20), rate=Decimal('11.0350'), source='ECB')
>>> [each.currency for each in read_rates(b"Date,USD,CYP,SEK,\\n2026-11-20,1.0583,N/A,11.0350,\\n")]
['USD', 'SEK']
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from laddbok.model.errors import Invalid
from laddbok.model.exchange import DailyRate
from laddbok.model.money import number_of
from laddbok.wires.bank_xml import MAX_FILE_BYTES, root_of

BASE = "EUR"
SOURCE = "ECB"
MAX_RATE = Decimal(10) ** 9
_NO_RATE = ("", "N/A")
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_WRITTEN_DAY = re.compile(r"(\d{1,2}) ([A-Z][a-z]+) (\d{4})", re.ASCII)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_Row = tuple[str, str, str, str]
"""Where it stands, and day, currency and rate as they are written."""


def read_rate_file(path: Path) -> list[DailyRate]:
    """The rates in a file. Raises: Invalid when it can't be read (`read_rates`)."""
    try:
        with path.open("rb") as file:
            return read_rates(file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise Invalid(str(path), f"can't be read: {error.strerror}") from None


def read_rates(content: bytes) -> list[DailyRate]:
    """The rates in what the European Central Bank published, XML or CSV.

    Raises: Invalid, naming row or element, when it is something else, has a rate that is no number above 0, two rates of a day, or none.
    Source: European Central Bank, euro foreign exchange reference rates: eurofxref.xml, eurofxref.csv.
    """
    if len(content) > MAX_FILE_BYTES:
        raise Invalid("file", f"has more than {MAX_FILE_BYTES // 1_000_000} MB")
    rows = _xml_rows(content) if content.lstrip().startswith(b"<") else _csv_rows(content)
    rates: dict[tuple[date, str], DailyRate] = {}
    for at, day, currency, rate in rows:
        made = _rate(at, day, currency, rate)
        if (made.day, made.currency) in rates:
            raise Invalid(at, f"{made.currency} of {made.day} stands twice")
        rates[made.day, made.currency] = made
    if not rates:
        raise Invalid("file", "has no exchange rates as the European Central Bank publishes them")
    return list(rates.values())


def _xml_rows(content: bytes) -> Iterator[_Row]:
    root = root_of(content)
    for of_day in root.iter("{*}Cube"):
        day = of_day.get("time")
        for number, each in enumerate(of_day.iterchildren("{*}Cube") if day else ()):
            yield f"Cube {day}[{number}]", str(day), each.get("currency") or "", each.get("rate") or ""


def _csv_rows(content: bytes) -> Iterator[_Row]:
    try:
        lines = list(csv.reader(content.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid("file", f"is neither XML nor CSV in UTF-8: {error}") from None
    head = [each.strip() for each in lines[0]] if lines else []
    if head[:1] != ["Date"]:
        raise Invalid("row 1", "is not Date and the currencies, as the European Central Bank has them")
    for number, line in enumerate(lines[1:], start=2):
        cells = [each.strip() for each in line]
        if len(cells) != len(head):
            raise Invalid(f"row {number}", f"has {len(cells)} columns, not {len(head)}")
        for currency, rate in zip(head[1:], cells[1:], strict=True):
            if rate not in _NO_RATE:
                yield f"row {number}.{currency}", cells[0], currency, rate


def _rate(at: str, day: str, currency: str, rate: str) -> DailyRate:
    if not _CURRENCY.fullmatch(currency) or currency == BASE:
        raise Invalid(at, f"{currency[:10]!r} is no currency beside {BASE}")
    number = number_of(rate)
    if number is None or not 0 < number < MAX_RATE:
        raise Invalid(at, f"{rate[:40]!r} is no rate above 0")
    return DailyRate(BASE, currency, _day(at, day), number, SOURCE)


def _day(at: str, text: str) -> date:
    """2026-11-20, or 20 November 2026 as in the file of one day."""
    written = _WRITTEN_DAY.fullmatch(text)
    try:
        if written and written[2] in _MONTHS:
            return date(int(written[3]), _MONTHS.index(written[2]) + 1, int(written[1]))
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(at, f"{text[:40]!r} is no day") from None

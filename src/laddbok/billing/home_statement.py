"""How does an employee show the employer what charging at home cost?

One line per session: when, which, kWh, the price of that day, the amount; the sum is what is paid back. It is no invoice, and
there is no VAT on it.
"""

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from laddbok.billing.list_page import ListHead, home_page
from laddbok.billing.page_text import language_of
from laddbok.billing.page_words import word
from laddbok.billing.pdf import typeset
from laddbok.billing.spreadsheet import Cell, spreadsheet
from laddbok.model.refund import Refund, RefundLine


def home_pdf(refund: Refund, head: ListHead, driver: str, time_zone: str, remarks: Sequence[str] = ()) -> bytes:
    """The statement as a PDF. Args: time_zone, of the home; remarks, what else is to be said below it.

    Source: our choice, docs/rules.md "Home charging".
    """
    return typeset("list", home_page(refund, head, driver, time_zone, remarks))


def home_csv(refund: Refund, time_zone: str, language: str) -> bytes:
    """The statement as a file for a spreadsheet; its last row is the sum. Args: time_zone, of the home."""
    spoken, zone = language_of(language), ZoneInfo(time_zone)
    columns = ("session_id", "started", "register_begin", "register_end", "energy", "per_kwh", "amount")
    total: list[Cell] = [word("sum", spoken), "", "", "", _kwh(refund.energy_wh), "", refund.total]
    return spreadsheet(
        [
            [word(each, spoken) for each in columns],
            *(_row(line, zone, word("by_tariff", spoken)) for line in refund.lines),
            total,
        ],
        spoken,
    )


def _row(line: RefundLine, zone: ZoneInfo, by_tariff: str) -> list[Cell]:
    registers = ["" if wh is None else _kwh(wh) for wh in (line.begin_wh, line.end_wh)]
    price = by_tariff if line.per_kwh is None else line.per_kwh
    began = f"{line.started_at.astimezone(zone):%Y-%m-%d %H:%M}"
    return [line.session_id, began, *registers, _kwh(line.energy_wh), price, line.amount]


def _kwh(wh: int) -> Decimal:
    return Decimal(wh).scaleb(-3)

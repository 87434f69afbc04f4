"""How does a housing co-operative read what each apartment pays?

As a file for its spreadsheet and as a page. The file is what a Swedish Excel opens at a double click: UTF-8 with a byte order
mark, semicolons between, a decimal comma, CRLF; its last row is the sum of the others. What belongs to no
apartment is a row of its own.

>>> shares = [ApartmentShare(apartment="1001", energy_wh=30_500, net=Decimal("100.00"), vat=Decimal("25.00"))]
>>> print(apartment_csv(shares, "sv").decode("utf-8-sig").replace(chr(13), ""), end="")
Lägenhet;kWh;Exkl. moms;Moms;Inkl. moms
1001;30,500;100,00;25,00;125,00
Summa;30,500;100,00;25,00;125,00
"""

from collections.abc import Sequence
from decimal import Decimal

from laddbok.billing.list_page import ListHead, apartment_page, name_of, total_of
from laddbok.billing.page_text import language_of
from laddbok.billing.page_words import word
from laddbok.billing.pdf import typeset
from laddbok.billing.spreadsheet import Cell, spreadsheet
from laddbok.model.apartment_share import ApartmentShare


def apartment_csv(shares: Sequence[ApartmentShare], language: str) -> bytes:
    """The list as a file. In English the decimal sign is a point and a comma stands between.

    Source: our choice, docs/rules.md "Documents".
    """
    spoken = language_of(language)
    named = [*((name_of(each, spoken), each) for each in shares), (word("sum", spoken), total_of(shares))]
    rows: list[list[Cell]] = [
        [name, Decimal(share.energy_wh).scaleb(-3), share.net, share.vat, share.gross] for name, share in named
    ]
    head = [word(each, spoken) for each in ("apartment", "energy", "net", "vat", "gross")]
    return spreadsheet([head, *rows], spoken)


def apartment_pdf(
    shares: Sequence[ApartmentShare], head: ListHead, currency: str, remarks: Sequence[str] = ()
) -> bytes:
    """The list as a PDF. Args: remarks, what else is to be said below it."""
    return typeset("list", apartment_page(shares, head, currency, remarks))

"""How does a table become a file that a spreadsheet opens at a double click?

UTF-8 with a byte order mark, CRLF; in Swedish semicolons and a decimal comma, in English commas and a decimal point. A text that a
spreadsheet would take for a formula has an apostrophe before it.

>>> spreadsheet([["A", "kr"], ["=1+1", Decimal("2.50")]], "sv").decode("utf-8-sig").split(chr(13) + chr(10))
['A;kr', "'=1+1;2,50", '']
"""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | Decimal | int


def spreadsheet(rows: Iterable[Sequence[Cell]], language: str) -> bytes:
    """The rows as a file. Args: language, "sv" or "en".

    Source: our choice, docs/rules.md "Documents".
    """
    file = io.StringIO(newline="")
    out = csv.writer(file, delimiter=";" if language == "sv" else ",", lineterminator="\r\n")
    out.writerows([_cell(cell, language) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _cell(cell: Cell, language: str) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return text.replace(".", ",") if language == "sv" else text

"""Which export formats of other systems can be read?

A format is recognised by the columns it must have; its function turns rows into sessions.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from laddbok.wires.importers import acn, elaadnl, laddbok_csv, norway_12, perth_kinross
from laddbok.wires.importers.row import ImportedSession, Rejected, Row


class Format(msgspec.Struct, frozen=True):
    """An export format: the columns or fields that it must have, and the function that reads its rows."""

    columns: frozenset[str]
    read: Callable[[Iterable[Row]], Iterator[ImportedSession | Rejected]]


FORMATS = {
    "perth_kinross": Format(perth_kinross.COLUMNS, perth_kinross.perth_kinross),
    "norway_12": Format(norway_12.COLUMNS, norway_12.norway_12),
    "elaadnl": Format(elaadnl.COLUMNS, elaadnl.elaadnl),
    "acn": Format(acn.COLUMNS, acn.acn),
    "laddbok_csv": Format(laddbok_csv.COLUMNS, laddbok_csv.laddbok_csv),
}


def recognise(columns: Iterable[str]) -> str | None:
    """The name of the format whose columns are all there, or None."""
    present = frozenset(columns)
    return next((name for name, known in FORMATS.items() if known.columns <= present), None)

"""What is known of this model?

A table, not code: each row is a match on vendor, model and firmware, named flags, and a source. What the flags do is in
the rules that read them; a new model needs a row only. The rows that ship with the platform stand in `quirks.toml`; an
operator adds their own.

>>> table = read_quirks('[[quirk]]\\nvendor = "Norr*"\\nflags = ["stamps_mean_nothing"]\\nsource = "our lab"')
>>> [quirk.value for quirk in quirks_of(table, "NORRBOKS", "Vik 11", "4.2.1")], quirks_of(table, "Other", None, None)
(['stamps_mean_nothing'], ())
"""

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from laddbok.model.errors import Invalid
from laddbok.model.traits import Quirk

MAX_ROWS = 10_000
ANY = "*"


class QuirkRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: patterns with * and ?, compared in lower case; the flags that hold where all three match; who says so."""

    vendor: str = ANY
    model: str = ANY
    firmware: str = ANY
    flags: tuple[Quirk, ...]
    source: str

    def matches(self, vendor: str | None, model: str | None, firmware: str | None) -> bool:
        """Whether a station that calls itself so is meant; what it does not say matches only "any"."""
        pairs = ((self.vendor, vendor), (self.model, model), (self.firmware, firmware))
        return all(fnmatchcase((value or "").strip().lower(), pattern.lower()) for pattern, value in pairs)


QuirkTable = tuple[QuirkRow, ...]


def read_quirks(text: str) -> QuirkTable:
    """The rows of a table in TOML.

    Raises: Invalid, naming the row, when it is no TOML, a flag or field is unknown, or a row means every station.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("quirks", str(error)) from error
    unknown = sorted(set(document) - {"quirk"})
    if unknown:
        raise Invalid(f"quirks.{unknown[0]}", "is unknown; a row is a [[quirk]]")
    rows = document.get("quirk", [])
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise Invalid("quirks.quirk", f"must be at most {MAX_ROWS} rows [[quirk]]")
    return tuple(_row(number, row) for number, row in enumerate(rows, start=1))


def _row(number: int, row: Any) -> QuirkRow:
    try:
        made = msgspec.convert(row, QuirkRow)
    except msgspec.ValidationError as error:
        raise Invalid(f"quirks.quirk[{number}]", str(error)) from error
    if made.vendor.strip("*") == made.model.strip("*") == made.firmware.strip("*") == "":
        raise Invalid(
            f"quirks.quirk[{number}]", "a row that names no vendor, model or firmware would mean every station"
        )
    return made


def quirks_of(table: QuirkTable, vendor: str | None, model: str | None, firmware: str | None) -> tuple[Quirk, ...]:
    """The flags that hold for a station that calls itself so, each once, in the order of their names.

    Source: our choice, docs/rules.md "Known models".
    """
    flags = {flag for row in table if row.matches(vendor, model, firmware) for flag in row.flags}
    return tuple(sorted(flags))


@cache
def known_quirks() -> QuirkTable:
    """The rows that ship with the platform."""
    return read_quirks(files("laddbok.sessions").joinpath("quirks.toml").read_text(encoding="utf-8"))

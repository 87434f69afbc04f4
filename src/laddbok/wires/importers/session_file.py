"""How is a file of sessions read, whatever it is packed in?

A file is CSV (comma, semicolon or tab; UTF-8) or JSON (an array of objects, or an object that holds one), plain or
gzipped, which its first bytes tell. CSV is read line by line. JSON is read whole, at most `MAX_JSON_BYTES` of it. A file
that can't be read raises `Invalid` with the place; a row that can't be read is the format's affair.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from laddbok.model.errors import Invalid
from laddbok.wires.importers import FORMATS, recognise
from laddbok.wires.importers.row import WRONG_COLUMNS, Row

MAX_JSON_BYTES = 256 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
DELIMITERS = ",;\t"
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DAMAGE = (EOFError, OSError, zlib.error, UnicodeDecodeError, csv.Error)
"""How a file shows, while it is read, that it is broken or not text."""


_json_as_written = msgspec.json.Decoder(float_hook=str)
"""Fractions stay the text that they were: one that is too large for a number rejects its row, not the file."""


class SessionFile:
    """An open file of sessions: the name of its format, its rows (once), and how much of it has been read."""

    def __init__(self, raw: IO[bytes], size_bytes: int, format_name: str | None) -> None:
        self._raw = raw
        self._size_bytes = size_bytes
        unpacked = unpacked_file(raw)
        columns, self.rows = _json(unpacked) if _is_json(unpacked) else _csv(unpacked)
        self.format_name = _format_name(columns, format_name)

    @property
    def share_read(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return min(1.0, self._raw.tell() / self._size_bytes)


@contextmanager
def open_sessions(path: Path, format_name: str | None = None) -> Iterator[SessionFile]:
    """Open a file of sessions.

    Args: format_name: one of FORMATS; None: recognised by its columns.
    Raises: Invalid: there is no such file, it has no format that we know, or it is damaged (also later, from its rows).
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Invalid(str(path), error.strerror or str(error)) from error
    with raw:
        yield SessionFile(raw, max(1, path.stat().st_size), format_name)


def unpacked_file(raw: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
    """The file as it is, or unzipped when its first bytes say so."""
    is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    raw.seek(0)
    return gzip.open(raw) if is_gzip else raw


def _is_json(unpacked: IO[bytes] | gzip.GzipFile) -> bool:
    try:
        start = unpacked.read(64)
        unpacked.seek(0)
    except DAMAGE as error:
        raise Invalid("file", str(error)) from error
    return start.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] in (b"[", b"{")


def _json(unpacked: IO[bytes] | gzip.GzipFile) -> tuple[list[str], Iterator[Row]]:
    """The fields that the first object has, and the objects as rows of text."""
    try:
        text = unpacked.read(MAX_JSON_BYTES + 1)
        if len(text) > MAX_JSON_BYTES:
            raise Invalid("file", f"JSON of more than {MAX_JSON_BYTES} bytes")
        document = _json_as_written.decode(text.removeprefix(BYTE_ORDER_MARK))
    except (*DAMAGE, msgspec.DecodeError, RecursionError) as error:
        raise Invalid("file", f"it is no JSON that can be read: {error}") from error
    found = document if isinstance(document, list) else next((v for v in document.values() if isinstance(v, list)), [])
    return [*_as_row(found[0])] if found else [], map(_as_row, found)


def _as_row(value: object) -> Row:
    """The plain fields of an object as text; null is empty, what is nested is left out."""
    if not isinstance(value, dict):
        return {WRONG_COLUMNS: "it is no object"}
    plain = {key: field for key, field in value.items() if not isinstance(field, dict | list)}
    return {key: "" if field is None else str(field) for key, field in plain.items()}


def _csv(unpacked: IO[bytes] | gzip.GzipFile) -> tuple[list[str], Iterator[Row]]:
    """The columns of the header, and the rows."""
    lines = bounded_lines(unpacked)
    header = next(lines, "")
    delimiter = max(DELIMITERS, key=header.count)
    columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    return columns, _csv_rows(lines, columns, delimiter)


def _csv_rows(lines: Iterator[str], columns: list[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for values in filter(None, reader):
            if len(values) == len(columns):
                yield dict(zip(columns, values, strict=True))
            else:
                yield {WRONG_COLUMNS: f"{len(values)} values for {len(columns)} columns"}
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num + 1}", str(error)) from error


def bounded_lines(unpacked: IO[bytes] | gzip.GzipFile) -> Iterator[str]:
    """The lines, each of a bounded length."""
    number = 0
    try:
        while line := unpacked.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES:
                raise Invalid(f"line {number}", f"it is longer than {MAX_LINE_BYTES} bytes")
            yield line.removeprefix(BYTE_ORDER_MARK).decode()
    except DAMAGE as error:
        raise Invalid(f"line {number or 1}", f"it can't be read: {error}") from error


def _format_name(columns: list[str], wanted: str | None) -> str:
    """Which format this is; the columns of the one that was asked for must be there."""
    if wanted is None:
        if name := recognise(columns):
            return name
        shown = ", ".join(columns)[:300]
        raise Invalid("header", f"no known format has these columns: {shown or '(none)'}")
    if wanted not in FORMATS:
        raise Invalid("format", f"{wanted!r} is not one of {', '.join(FORMATS)}")
    if missing := FORMATS[wanted].columns.difference(columns):
        raise Invalid("header", f"{wanted} needs the columns {', '.join(sorted(missing))}")
    return wanted

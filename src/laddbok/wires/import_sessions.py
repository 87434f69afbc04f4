"""How does an operator's history come in?

A file is read in chunks; the store takes each chunk in one transaction and tells which sessions were new. A session
that is there already, from this file or an earlier run, is a duplicate, so an import that was interrupted is simply run
again. Every row is counted once: imported + rejected + duplicates = rows.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from laddbok.wires.importers import FORMATS
from laddbok.wires.importers.row import ImportedSession, Rejected, happened
from laddbok.wires.importers.session_file import open_sessions

CHUNK_ROWS = 2_000
"""Rows in memory, and sessions in one transaction."""

Progress = Callable[[int, float], None]
"""Told after each chunk: rows so far, and how much of the file has been read (0 to 1)."""


class SessionStore(Protocol):
    """Where imported sessions go."""

    async def import_sessions(self, tenant: str, rows: Sequence[ImportedSession]) -> set[str]:
        """Store the sessions whose identity is new to the tenant, durably; returns the identities that were new.

        No two of the rows have one identity.
        """
        ...


class ImportResult(msgspec.Struct, kw_only=True):
    """What became of the rows of a file."""

    rows: int = 0
    imported: int = 0
    rejected: int = 0
    duplicates: int = 0
    rejected_by_reason: dict[str, int] = msgspec.field(default_factory=dict)


async def import_sessions(
    store: SessionStore,
    path: Path,
    format_name: str | None,
    tenant: str,
    now: datetime,
    progress: Progress | None = None,
) -> ImportResult:
    """Import a file of sessions; what is there already stays as it is.

    Args: format_name: one of FORMATS; None: recognised by its columns. now: a session that ends later than
    a day after it is rejected.
    Returns: the counts.
    Raises: Invalid: the file can't be read; the chunks before the damage are stored.
    """
    result = ImportResult()
    with open_sessions(path, format_name) as file:
        rows = (happened(row, now) for row in FORMATS[file.format_name].read(file.rows))
        while chunk := [*islice(rows, CHUNK_ROWS)]:
            await _take(store, tenant, chunk, result)
            if progress:
                progress(result.rows, file.share_read)
    return result


async def _take(
    store: SessionStore, tenant: str, chunk: Sequence[ImportedSession | Rejected], result: ImportResult
) -> None:
    reasons = Counter(row.reason for row in chunk if isinstance(row, Rejected))
    read = [row for row in chunk if isinstance(row, ImportedSession)]
    by_identity = {session.identity: session for session in read}
    new = await store.import_sessions(tenant, [*by_identity.values()])
    result.rows += len(chunk)
    result.imported += len(new)
    result.duplicates += len(read) - len(new)
    result.rejected += reasons.total()
    result.rejected_by_reason = dict(Counter(result.rejected_by_reason) + reasons)

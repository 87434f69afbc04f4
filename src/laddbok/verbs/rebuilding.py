"""How does `laddbok rebuild` run?

Every session that was settled, held or voided is derived anew from its evidence and compared with what is stored. It
reads only: `--check` finds errors, `--with-current` finds what today's tables would make otherwise, and neither changes
a session.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import takewhile
from typing import Any

import asyncpg
import msgspec
from tqdm import tqdm

from laddbok.flow.evidence import EvidenceIncomplete
from laddbok.flow.rebuild import Difference, proposal, question_of, rebuild
from laddbok.flow.store import SessionEvidence
from laddbok.model.errors import NotFound
from laddbok.model.ids import normalise_session_id
from laddbok.model.session import OPEN_STATES
from laddbok.sessions.quirks import QuirkTable, quirks_of
from laddbok.settings import Settings, quirk_table
from laddbok.store.database import open_database
from laddbok.store.postgres import PostgresStore
from laddbok.store.sql import query

PAGE = 500
MAX_REPORTED = 1_000
"""Sessions whose differences are listed; all are counted."""
BEFORE_CHARS = 40
"""What is shown before the place where two values part."""
SHOWN_CHARS = 120


class Report(msgspec.Struct):
    """What a rebuild found. `items`: the sessions that come out otherwise, with their fields."""

    sessions: int = 0
    open: int = 0
    differences: int = 0
    incomplete: int = 0
    items: list[dict[str, Any]] = []

    def add(self, session_id: str, differences: tuple[Difference, ...]) -> None:
        """Count one session."""
        self.sessions += 1
        if differences:
            self.differences += 1
            if len(self.items) < MAX_REPORTED:
                self.items.append({"session_id": session_id, "fields": msgspec.to_builtins(differences)})

    def add_incomplete(self, error: EvidenceIncomplete, session_id: str) -> None:
        """Count one session that can't be derived at all."""
        self.sessions += 1
        self.incomplete += 1
        if len(self.items) < MAX_REPORTED:
            self.items.append({"session_id": session_id, "error": str(error)})


async def run_rebuild(
    settings: Settings, session_id: str | None, since: datetime | None, with_current: bool, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Derive sessions anew and report. Returns: the report, and the exit code: 1 when a check found a difference.

    Raises: NotFound when the one session that was asked for is not there.
    """
    report, quirks = Report(), quirk_table(settings) if with_current else None
    wanted = normalise_session_id(session_id) if session_id else None
    async with open_database(settings.database_url, settings.state_folder) as database:
        pool = await database.pool()
        store = PostgresStore(pool)
        try:
            async with pool.acquire() as connection:
                total = await connection.fetchval(query("rebuild_count"), wanted, since)
                if wanted is not None and not total:
                    raise NotFound("session", wanted)
                with tqdm(total=total, desc="rebuild", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
                    async for tenant, each in _sessions(connection, wanted, since):
                        await _one(store, tenant, each, quirks, report)
                        bar.update()
        finally:
            await pool.close()
    if not as_json:
        _print(report, with_current)
    found: dict[str, Any] = msgspec.to_builtins(report)
    return found, 1 if report.incomplete or (report.differences and not with_current) else 0


async def _one(store: PostgresStore, tenant: int, session_id: str, quirks: QuirkTable | None, report: Report) -> None:
    evidence = await store.session_evidence(tenant, session_id)
    if evidence.session.state in OPEN_STATES:
        report.open += 1
        return
    try:
        differences = rebuild(evidence) if quirks is None else await _proposed(store, evidence, quirks)
    except EvidenceIncomplete as error:
        return report.add_incomplete(error, session_id)
    report.add(session_id, differences)


async def _proposed(store: PostgresStore, evidence: SessionEvidence, table: QuirkTable) -> tuple[Difference, ...]:
    question, station = question_of(evidence)
    [found] = await store.look_up([question])
    return proposal(evidence, found, quirks_of(table, station.vendor, station.model, station.firmware_version))


async def _sessions(
    connection: asyncpg.Connection, wanted: str | None, since: datetime | None
) -> AsyncIterator[tuple[int, str]]:
    """(tenant, session id) of what is to be derived anew, page by page."""
    after = (0, "")
    while rows := await connection.fetch(query("rebuild_page"), wanted, since, *after, PAGE):
        for row in rows:
            yield row["tenant"], row["id"]
        after = (rows[-1]["tenant"], rows[-1]["id"])


def where_they_part(stored: str, derived: str) -> tuple[str, str]:
    """Both texts around the first character in which they differ, so that the difference is in sight.

    Source: our choice

    >>> where_they_part('{"energy_wh":1500,"gap_wh":0}', '{"energy_wh":1500,"gap_wh":500}')
    ('{"energy_wh":1500,"gap_wh":0}', '{"energy_wh":1500,"gap_wh":500}')
    >>> where_they_part("a" * 200 + "1", "a" * 200 + "2")[1] == "..." + "a" * 40 + "2"
    True
    """
    pairs = zip(stored, derived, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    begin = 0 if same <= BEFORE_CHARS else same - BEFORE_CHARS
    dots = "..." if begin else ""
    shown_stored, shown_derived = (dots + text[begin : begin + SHOWN_CHARS] for text in (stored, derived))
    return shown_stored, shown_derived


def _print(report: Report, with_current: bool) -> None:
    for item in report.items:
        print(f"{item['session_id']}  {item.get('error', '')}")
        for field in item.get("fields", ()):
            stored, derived = where_they_part(field["stored"], field["derived"])
            print(f"    {field['field']}: stored {stored}, derived {derived}")
    of_what = "would come out otherwise today" if with_current else "differ from what is stored"
    print(f"{report.sessions} sessions derived anew, {report.differences} {of_what}, ", end="")
    print(f"{report.incomplete} without complete evidence; {report.open} are still open")
    for field, times in Counter(f["field"] for i in report.items for f in i.get("fields", ())).most_common():
        print(f"    {times:6} {field}")

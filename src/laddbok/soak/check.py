"""Is everything there that was acknowledged, and nothing twice?

The fleet knows what the platform answered and what its meters showed. After the kills all of it is held against the
database: each answered message with its answer, byte for byte, against the evidence; each transaction against its
session and CDR. What is wrong is named.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from laddbok.compare import Comparison, Difference, compare
from laddbok.fleet.ledger import Answered, FleetRecord, TransactionRecord
from laddbok.store.database import Database
from laddbok.store.sql import query

MAX_NAMED = 100
"""So many findings are named; all are counted."""
ROWS_AT_ONCE = 5_000


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: what, where, and the figures."""

    what: str
    station: str
    transaction_id: str | None = None
    session_id: str | None = None
    detail: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What came of a soak. All of it but `acknowledged`, `sessions` and `metered_wh` is 0 when nothing is wrong."""

    acknowledged: int
    lost: int
    double: int
    energy_difference_wh: int
    sessions: int
    review: int
    unanswered: int
    jobs_failed: int
    metered_wh: int
    findings: list[Finding]

    @property
    def is_right(self) -> bool:
        """Nothing lost, nothing twice, the energy right, nothing left undone."""
        return not (self.lost or self.double or self.energy_difference_wh or self.unanswered or self.jobs_failed)


async def check(database: Database, record: FleetRecord, since: datetime) -> Verdict:
    """Hold what the fleet knows against the database.

    Args: record: with its `answers`. since: when the soak began.
    """
    found = await compare(database, record.transactions, since)
    connection = await database.connect()
    try:
        lost = await _not_in_evidence(connection, record, found, since)
        priced_twice = [_of_row("priced twice", row) for row in await connection.fetch(query("soak_priced_twice"))]
        failed = [
            Finding("job failed", "", None, row["key"], f"{row['kind']}: {row['last_error']}")
            for row in await connection.fetch(query("soak_failed_jobs"))
        ]
    finally:
        await connection.close()
    missing = [_of_transaction("no session", each) for each in found.missing]
    extra = [Finding("one session too many", e.station, e.transaction_id, e.id, e.state) for e in found.extra]
    unanswered = [_of_transaction("never answered", t) for t in record.transactions if not t.acknowledged]
    findings = [*lost, *missing, *extra, *priced_twice, *_energies(found), *unanswered, *failed]
    return Verdict(
        acknowledged=len(record.answers or ()),
        lost=len(lost) + len(missing),
        double=len(extra) + len(priced_twice),
        energy_difference_wh=found.energy_difference_wh,
        sessions=len(found.sessions),
        review=found.in_review,
        unanswered=len(unanswered) + record.lost_messages,
        jobs_failed=len(failed),
        metered_wh=sum(each.energy_wh for each in record.transactions),
        findings=findings[:MAX_NAMED],
    )


async def _not_in_evidence(
    connection: asyncpg.Connection, record: FleetRecord, found: Comparison, since: datetime
) -> list[Finding]:
    """The answered messages that are not stored word for word with the very answer that the station got."""
    answers = {(each.station, each.message_id): each for each in record.answers or ()}
    other: dict[tuple[str, str], Answered] = {}
    async for row in _evidence(connection, since):
        place = (row["identity"], row["message_id"])
        answered = answers.pop(place, None)
        if answered is not None and answered.digest != row["digest"]:
            other[place] = answered
    pairs = {pair.transaction.key: pair for pair in found.pairs}
    return [
        *(_of_answer("answered, but not in the evidence", each, pairs) for each in answers.values()),
        *(_of_answer("stored with other words", each, pairs) for each in other.values()),
    ]


async def _evidence(connection: asyncpg.Connection, since: datetime) -> AsyncIterator[Any]:
    async with connection.transaction():
        async for row in connection.cursor(query("soak_evidence"), since, prefetch=ROWS_AT_ONCE):
            yield row


def _of_answer(what: str, answered: Answered, pairs: dict[str, Difference]) -> Finding:
    about = pairs.get(answered.transaction or "")
    number = about.transaction.transaction_id if about else None
    session_id = about.session.id if about and about.session else None
    return Finding(what, answered.station, number, session_id, f"{answered.action} {answered.message_id}")


def _of_transaction(what: str, each: TransactionRecord) -> Finding:
    return Finding(what, each.station, each.transaction_id, None, f"{each.key}: {each.energy_wh} Wh")


def _of_row(what: str, row: asyncpg.Record) -> Finding:
    return Finding(what, row["station"], row["transaction_id"], row["id"])


def _energies(found: Comparison) -> list[Finding]:
    return [_energy(pair) for pair in found.differing if pair.session is not None]


def _energy(pair: Difference) -> Finding:
    assert pair.session is not None
    billed = "no CDR" if pair.session.cdr_wh is None else f"billed {pair.session.cdr_wh} Wh"
    detail = f"metered {pair.transaction.energy_wh} Wh, {billed}, {pair.session.state}"
    return Finding("energy", pair.session.station, pair.session.transaction_id, pair.session.id, detail)

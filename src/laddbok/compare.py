"""Do the virtual stations' meters and our CDRs agree?

A fleet keeps a record of its own: one line per transaction, with the registers that it reported. Held against our
sessions and CDRs it shows what was lost, invented or counted twice, to the Wh. The demo and the soak end with it.

>>> extra = OurSession(id="7K2", station="LB-0001", transaction_id="9", state="settled", ended_at=None, cdr_wh=40)
>>> compared([], [extra]).energy_difference_wh
40
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from laddbok.fleet.ledger import TransactionRecord
from laddbok.store.database import Database
from laddbok.store.sql import query

SETTLE_TIMEOUT_S = 60.0
"""How long the last CDR is waited for [s of the wall clock]."""
LOOK_EVERY_S = 0.2


class OurSession(msgspec.Struct, frozen=True):
    """A session with the energy of its CDR [Wh]; None: it has no CDR."""

    id: str
    station: str
    transaction_id: str | None
    state: str
    ended_at: datetime | None
    cdr_wh: int | None


class Difference(msgspec.Struct, frozen=True):
    """What one transaction metered and what was billed for it [Wh]; no session: nothing was."""

    transaction: TransactionRecord
    session: OurSession | None

    @property
    def energy_wh(self) -> int:
        """How far apart they are [Wh]."""
        return abs(self.transaction.energy_wh - (self.session.cdr_wh or 0 if self.session else 0))


class Comparison(msgspec.Struct, frozen=True):
    """The fleet's transactions against our sessions.

    `extra` are sessions that no transaction of the fleet has, or that one has more of: its first session counts as its own.
    """

    sessions: tuple[OurSession, ...]
    pairs: tuple[Difference, ...]
    extra: tuple[OurSession, ...]

    @property
    def missing(self) -> list[TransactionRecord]:
        """Transactions without a session."""
        return [pair.transaction for pair in self.pairs if pair.session is None]

    @property
    def differing(self) -> list[Difference]:
        """Transactions whose CDR does not say what was metered, or that have none though energy flowed."""
        return [pair for pair in self.pairs if pair.energy_wh]

    @property
    def in_review(self) -> int:
        """How many sessions are held for a person."""
        return sum(each.state == "review" for each in self.sessions)

    @property
    def energy_difference_wh(self) -> int:
        """The sum of all differences [Wh]: those of a transaction without a CDR, and of a CDR without one, are whole."""
        return sum(pair.energy_wh for pair in self.pairs) + sum(each.cdr_wh or 0 for each in self.extra)


async def compare(database: Database, transactions: Iterable[TransactionRecord], since: datetime) -> Comparison:
    """The fleet's record against our sessions and CDRs that began since then, those that are void left out."""
    connection = await database.connect()
    try:
        rows = await connection.fetch(query("demo_sessions"), since)
    finally:
        await connection.close()
    return compared(transactions, [OurSession(**row) for row in rows])


def compared(transactions: Iterable[TransactionRecord], sessions: Sequence[OurSession]) -> Comparison:
    """Find the session of each transaction, by station and transaction id."""
    ours: dict[tuple[str, str | None], list[OurSession]] = {}
    for session in sessions:
        ours.setdefault((session.station, session.transaction_id), []).append(session)
    pairs = []
    for each in transactions:
        found = ours.get((each.station, each.transaction_id or ""))
        pairs.append(Difference(each, found.pop(0) if found else None))
    extra = tuple(session for left in ours.values() for session in left)
    return Comparison(tuple(sessions), tuple(pairs), extra)


async def all_settled(database: Database, since: datetime) -> None:
    """Wait until no session that began since then is open any more, for a bounded time."""
    deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
    connection = await database.connect()
    try:
        while time.monotonic() < deadline_s:
            if not await connection.fetchval(query("demo_open"), since):
                return
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await connection.close()

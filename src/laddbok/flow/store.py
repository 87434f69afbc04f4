"""What do the flows need from a store?

The whole contract between the rules' flows and a database: few methods, each for a whole batch. `postgres` is the real
one; the deterministic simulation has one of dicts. What only people read (lists, search, reports) is not here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from laddbok.flow.changes import CdrIssued, Changes, Decision, FrameRow, Job
from laddbok.model.session import FramePosition, Session
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.station import StationState
from laddbok.model.tariff import Tariff
from laddbok.model.traits import Traits
from laddbok.sessions.facts import StartFacts

LEASE = timedelta(minutes=5)
"""How long a worker holds a job; longer ones renew it by being taken again."""
MAX_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=2)


class Claim(msgspec.Struct, frozen=True):
    """A station taken over by a gateway under a new connection epoch, with its memory as stored."""

    epoch: int
    state: StationState
    unfolded: tuple[FrameRow, ...]
    """Frames that are stored but not yet folded into the sessions of `state`, oldest first."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What must be looked up before one event can be taken in."""

    tenant: int
    station_no: int
    evse_id: int | None
    token: str | None
    """Normalised."""
    reversed_token: str | None = None
    """Its other reading, to be tried when the token is unknown."""
    asks_to_charge: bool = True
    """Whether it matters that the token charges elsewhere; not at the end of a transaction."""
    at: datetime
    start_key: str | None = None
    transaction_id: str | None = None


class Found(msgspec.Struct, frozen=True):
    """The answer to a question: facts for a start, and the session that has this start key or transaction id."""

    facts: StartFacts
    session: Session | None
    traits: Traits = Traits()
    """What is known of the station by now; it may be newer than what its owner holds."""


class SessionEvidence(msgspec.Struct, frozen=True):
    """A session as stored, with everything that it is folded from, in order."""

    session: Session
    frames: tuple[FrameRow, ...]
    decisions: tuple[Decision, ...]
    tariffs: dict[tuple[str, int], Tariff]
    """By id and version: those that its row, its start and its decisions name."""
    issued: CdrIssued | None = None
    """The CDR of its present revision, once it is settled."""
    traits: Traits = Traits()
    """What is known of its station by now."""
    tariff_documents: dict[tuple[str, int], str] = {}
    """The JSON texts of `tariffs`, as they are kept."""

    def tariff_of(self, session: Session) -> Tariff | None:
        """The tariff version that this state of the session names; None when it names none, or it is not stored."""
        choice = session.tariff
        return None if choice is None else self.tariffs.get((choice.tariff_id, choice.version))


class LeasedJob(msgspec.Struct, frozen=True):
    """A job that this worker holds until its lease runs out."""

    id: int
    job: Job
    attempts: int
    requests: int
    """How often it had been queued when it was leased."""


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When a job that failed comes again, each time twice as late; None: it was the last attempt.

    Source: our choice, design "jobs".
    """
    return None if attempts >= MAX_ATTEMPTS else now + FIRST_RETRY * 2**attempts


class Store(Protocol):
    """Load, commit, and take work. Every method may raise StoreDown."""

    async def claim(self, station_numbers: Sequence[int], gateway: str, at: datetime) -> dict[int, Claim]:
        """Take stations over: a new epoch each, and their memory."""
        ...

    async def look_up(self, questions: Sequence[Question]) -> list[Found]:
        """The answers, in the order of the questions."""
        ...

    async def stored(self, positions: Sequence[tuple[int, FramePosition]]) -> set[tuple[int, FramePosition]]:
        """Which of these (station_no, position) are in the evidence."""
        ...

    async def transaction_numbers(self) -> range:
        """A block of fresh 1.6 transaction ids, never given out before."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write all of it or nothing. Raises Stale, Withdrawn, BadData, OutcomeUnknown."""
        ...

    async def checkpoint(self, sessions: Sequence[Session], at: datetime) -> None:
        """Publish what the owner believes of live sessions. Need not be durable."""
        ...

    async def session_evidence(self, tenant: int, session_id: str) -> SessionEvidence:
        """One session with its evidence. Raises NotFound."""
        ...

    async def spot_prices(
        self, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime
    ) -> SpotPrices:
        """The day-ahead prices of the quarter hours that touch the span from `start_at` up to before `end_at`."""
        ...

    async def take_jobs(self, worker: str, now: datetime, limit: int) -> list[LeasedJob]:
        """Due jobs, leased to this worker."""
        ...

    async def finish_job(self, leased: LeasedJob, again_at: datetime | None = None) -> None:
        """The job is done, or shall come again."""
        ...

    async def fail_job(self, leased: LeasedJob, error: str, now: datetime) -> None:
        """The job failed: back off, or give up after the last attempt and leave it for a person."""
        ...

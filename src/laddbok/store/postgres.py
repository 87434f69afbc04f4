"""How do the flows read and write PostgreSQL?

The one database behind `flow.store.Store`. A commit is one transaction with one statement per table that it touches; a
batch of plain meter values is a single COPY. Errors come back as what they mean to the flow: a value that the database
refuses, a state that somebody else moved, a commit whose outcome is unknown, a database that is not there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from laddbok.flow.changes import (
    BadData,
    Changes,
    CommandMoved,
    FrameRow,
    Job,
    OutcomeUnknown,
    Stale,
    StoreDown,
    Withdrawn,
)
from laddbok.flow.evidence import tariffs_named
from laddbok.flow.store import LEASE, Claim, Found, LeasedJob, Question, SessionEvidence, next_try
from laddbok.model.errors import NotFound
from laddbok.model.market_prices import Kept, PriceQuote
from laddbok.model.session import FramePosition, Session
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import parse_tariff
from laddbok.store import rows, spot_prices, values
from laddbok.store.database import borrowed, throw_away
from laddbok.store.gives_way import retried
from laddbok.store.live import Published
from laddbok.store.sql import query

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.TooManyConnectionsError,
    TimeoutError,
)
"""What means that the database is gone, or does not answer."""
_BAD = (
    asyncpg.exceptions.DataError,
    asyncpg.exceptions.CharacterNotInRepertoireError,
    asyncpg.exceptions.ProgramLimitExceededError,
    asyncpg.exceptions.IntegrityConstraintViolationError,
    UnicodeError,
    OverflowError,
)
_NUMBERED = frozenset({"decision_pkey", "session_range_pkey"})
"""Rows that are numbered within their session: the same number twice means that somebody else wrote just now."""


class PostgresStore:
    """`flow.store.Store` on a pool of connections whose user owns the tables."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._published = Published()

    async def claim(self, station_numbers: Sequence[int], gateway: str, at: datetime) -> dict[int, Claim]:
        """Take stations over: a new epoch each, and their memory."""
        return await retried(lambda: self._claim_once(station_numbers, gateway, at))

    async def _claim_once(self, station_numbers: Sequence[int], gateway: str, at: datetime) -> dict[int, Claim]:
        async with self._connection() as connection, connection.transaction():
            claimed = await connection.fetch(query("claim_stations"), list(station_numbers), gateway, at)
            numbers = [row["station_no"] for row in claimed]
            found = await connection.fetch(query("outlets_of_stations"), [row["tenant"] for row in claimed], numbers)
            outlets = values.outlets_by_station(found)
            sessions = values.newest_sessions(await connection.fetch(query("open_sessions_of"), numbers))
            frames = await self._unfolded(connection, sessions)
        return {row["station_no"]: values.claim_of(row, outlets, sessions, frames) for row in claimed}

    async def look_up(self, questions: Sequence[Question]) -> list[Found]:
        """The answers, in the order of the questions."""
        async with self._connection() as connection:
            found = await connection.fetch(query("look_up"), rows.as_json(rows.plain_rows(questions)))
        return [values.found_of(row) for row in found]

    async def stored(self, positions: Sequence[tuple[int, FramePosition]]) -> set[tuple[int, FramePosition]]:
        """Which of these (station_no, position) are in the evidence."""
        columns = zip(*((number, place.epoch, place.seq) for number, place in positions), strict=True)
        async with self._connection() as connection:
            found = await connection.fetch(query("frames_stored"), *map(list, columns))
        return {(row["station_no"], FramePosition(row["connection_epoch"], row["seq"])) for row in found}

    async def transaction_numbers(self) -> range:
        """A block of fresh 1.6 transaction ids, never given out before."""
        async with self._connection() as connection:
            first = await connection.fetchval(query("transaction_block"))
        return range(first, first + 100)

    async def commit(self, changes: Changes) -> None:
        """Write all of it or nothing. Raises Stale, Withdrawn, BadData, OutcomeUnknown, StoreDown."""
        await retried(lambda: self._commit(changes))

    async def checkpoint(self, sessions: Sequence[Session], at: datetime) -> None:
        """Publish what the owner believes of live sessions; a crash may lose the last seconds of it."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = off")
            if lost := await self._publish(connection, sessions, at):
                self._published.forget(lost)
                await self._publish(connection, [session for session in sessions if session.id in lost], at)

    async def session_evidence(self, tenant: int, session_id: str) -> SessionEvidence:
        """One session with its evidence, as it stands at one instant. Raises NotFound."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            row = await connection.fetchrow(query("evidence_session"), tenant, session_id)
            if row is None:
                raise NotFound("session", session_id)
            session = values.session_of(row["body"])
            frames = await connection.fetch(query("evidence_frames"), tenant, session_id)
            found = await connection.fetch(query("evidence_decisions"), tenant, session_id)
            issued = await connection.fetchrow(query("evidence_cdr"), tenant, session_id, session.revision)
            decisions = tuple(values.decision_of(tenant, session_id, each) for each in found)
            choices = list(tariffs_named(session, decisions))
            found = await connection.fetch(
                query("evidence_tariffs"), tenant, [c.tariff_id for c in choices], [c.version for c in choices]
            )
            documents = {(each["tariff_id"], each["version"]): each["document"] for each in found}
        return SessionEvidence(
            session=session,
            frames=tuple(FrameRow(*frame) for frame in frames),
            decisions=decisions,
            tariffs={version: parse_tariff(text.encode()) for version, text in documents.items()},
            issued=None if issued is None else values.issued_of(session, issued),
            traits=values.traits_of(row["traits"]),
            tariff_documents=documents,
        )

    async def spot_prices(
        self, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime
    ) -> SpotPrices:
        """The day-ahead prices of the quarter hours that touch the span from `start_at` up to before `end_at`."""
        async with self._connection() as connection:
            return await spot_prices.read_prices(connection, tenant, zone, currency, start_at, end_at)

    async def keep_prices(
        self, tenants: Sequence[int], quotes: Sequence[PriceQuote], source: str, received_at: datetime
    ) -> Kept:
        """Keep day-ahead prices for these tenants, all or none."""
        async with self._connection() as connection:
            return await spot_prices.keep_prices(connection, tenants, quotes, source, received_at)

    async def take_jobs(self, worker: str, now: datetime, limit: int) -> list[LeasedJob]:
        """Due jobs, leased to this worker."""
        async with self._connection() as connection:
            taken = await connection.fetch(query("take_jobs"), worker, now, now + LEASE, limit)
        return [
            LeasedJob(
                row["id"],
                Job(tenant=row["tenant"], kind=row["kind"], key=row["key"], due_at=row["due_at"]),
                row["attempts"],
                row["requests"],
            )
            for row in taken
        ]

    async def finish_job(self, leased: LeasedJob, again_at: datetime | None = None) -> None:
        """The job is done, or shall come again; one that was queued again while it ran comes again by itself."""
        async with self._connection() as connection:
            if again_at is None and await connection.fetchval(query("finish_job"), leased.id, leased.requests):
                return
            await connection.execute(query("release_job"), leased.id, again_at, leased.requests)

    async def fail_job(self, leased: LeasedJob, error: str, now: datetime) -> None:
        """Back off, twice as long each time; after the last attempt leave it for a person."""
        again_at = next_try(leased.attempts, now)
        failed_at = now if again_at is None else None
        async with self._connection() as connection:
            await connection.execute(
                query("fail_job"), leased.id, error[:1000], again_at or now, failed_at, leased.requests
            )

    async def create_frame_partitions(self, today: datetime, days: int) -> None:
        """Make room for the evidence of the days to come."""
        async with self._connection() as connection:
            await connection.execute(query("frame_days"), today.date(), days)

    async def _publish(self, connection: asyncpg.Connection, sessions: Sequence[Session], at: datetime) -> set[str]:
        """Returns: the sessions of which the database has not what was published before."""
        found = await connection.fetch(query("publish_live"), rows.as_json(self._published.rows(sessions, at)))
        return {row["id"] for row in found}

    async def _unfolded(
        self, connection: asyncpg.Connection, sessions: dict[int, list[Session]]
    ) -> dict[int, list[FrameRow]]:
        """The frames that came after the stored state of each station's open sessions."""
        if not sessions:
            return {}
        oldest = {number: min(each, key=lambda s: s.through) for number, each in sessions.items()}
        found = await connection.fetch(
            query("frames_after"),
            list(oldest),
            [s.through.epoch for s in oldest.values()],
            [s.through.seq for s in oldest.values()],
            [s.last_contact_at for s in oldest.values()],
        )
        frames: dict[int, list[FrameRow]] = {}
        for row in found:
            frames.setdefault(row["station_no"], []).append(FrameRow(*row))
        return frames

    async def _commit(self, changes: Changes) -> None:
        statements = _statements(changes)
        committing = False
        try:
            async with borrowed(self._pool) as connection, _rolled_back(connection):
                if not statements:
                    committing = True
                    return await _copy_frames(connection, changes.frames)
                await connection.execute("BEGIN")
                await _copy_frames(connection, changes.frames)
                for statement in statements:
                    await statement(connection)
                committing = True
                await connection.execute("COMMIT")
        except _BAD as error:
            if getattr(error, "constraint_name", None) in _NUMBERED:
                raise asyncpg.exceptions.SerializationError(str(error)) from error
            raise BadData(str(error)) from error
        except LOST as error:
            reason = str(error) or type(error).__name__
            raise (OutcomeUnknown if committing else StoreDown)(reason) from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            async with borrowed(self._pool) as connection:
                yield connection
        except LOST as error:
            raise StoreDown(str(error) or type(error).__name__) from error


Statement = Callable[[asyncpg.Connection], Awaitable[Any]]


def _statements(changes: Changes) -> list[Statement]:
    """One statement for each table that the commit touches, in an order that foreign keys allow."""
    statements: list[Statement] = []

    def add(name: str, values: list[Any]) -> None:
        if values:
            statements.append(lambda connection: connection.execute(query(name), rows.as_json(values)))

    if changes.opened:
        statements.append(lambda connection: _open(connection, changes.opened))
        add("open_ranges", rows.opening_rows(changes.opened))
    if changes.moved:
        statements.append(lambda connection: _move(connection, changes.moved))
    add("add_decisions", rows.decision_rows(changes.decisions))
    add("see_evses", rows.outlet_rows(changes.outlets))
    add("see_outlets", rows.outlet_rows(changes.outlets))
    add("see_boots", rows.plain_rows(changes.boots))
    add("add_orphans", rows.plain_rows(changes.orphans))
    if changes.quarantined:
        statements.append(lambda connection: _quarantine(connection, changes))
    add("match_orphans", rows.plain_rows(changes.orphans_matched))
    add("add_ranges", rows.closing_rows(changes.attributed))
    add("issue_cdrs", rows.cdr_rows(changes.cdrs))
    add("issue_lines", rows.line_rows(changes.cdrs))
    add("issue_proofs", rows.proof_rows(changes.cdrs))
    add("close_ranges", rows.closing_rows(changes.closed_ranges))
    add("drop_live", rows.closing_rows(changes.closed_ranges))
    add("learn_traits", rows.traits_rows(changes.traits))
    add("keep_curves", rows.plain_rows(changes.curves))
    add("add_jobs", rows.plain_rows(changes.jobs))
    add("queue_commands", rows.queued_rows(changes.commands_queued))
    if changes.commands:
        statements.append(lambda connection: _move_commands(connection, changes.commands))
    return statements


async def _copy_frames(connection: asyncpg.Connection, frames: Sequence[FrameRow]) -> None:
    if frames:
        records = [rows.frame_tuple(row) for row in frames]
        await connection.copy_records_to_table("frame", records=records, columns=rows.FRAME_COLUMNS)


async def _quarantine(connection: asyncpg.Connection, changes: Changes) -> None:
    columns = ("tenant", "station_no", "connection_epoch", "seq", "received_at", "reason", "raw")
    records = [tuple(getattr(each, name) for name in columns) for each in changes.quarantined]
    await connection.copy_records_to_table("quarantine", records=records, columns=columns)


async def _open(connection: asyncpg.Connection, opened: Sequence[Session]) -> None:
    stored = await connection.fetch(query("insert_sessions"), rows.as_json(rows.session_rows(opened)))
    _demand_all(opened, stored)


async def _move(connection: asyncpg.Connection, moved: Sequence[Session]) -> None:
    stored = await connection.fetch(query("update_sessions"), rows.as_json(rows.session_rows(moved)))
    _demand_all(moved, stored)


def _demand_all(sessions: Sequence[Session], stored: Sequence[asyncpg.Record]) -> None:
    done = {row["id"] for row in stored}
    stale = frozenset(session.station_no for session in sessions if session.id not in done)
    if stale:
        raise Stale(stale)


async def _move_commands(connection: asyncpg.Connection, moves: Sequence[CommandMoved]) -> None:
    moved = await connection.fetch(query("move_commands"), rows.as_json(rows.command_rows(moves)))
    done = {row["id"] for row in moved}
    withdrawn = frozenset(m.command_id for m in moves if m.status == "sent" and m.command_id not in done)
    if withdrawn:
        raise Withdrawn(withdrawn)


@asynccontextmanager
async def _rolled_back(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """After an error nothing stays of the transaction. A connection that may hang is not asked to roll back."""
    try:
        yield
    except Exception:
        try:
            await connection.execute("ROLLBACK")
        except LOST:
            throw_away(connection)
        raise
    except BaseException:
        throw_away(connection)
        raise

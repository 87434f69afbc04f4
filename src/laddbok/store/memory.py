"""How do the flows run without a database?

`flow.store.Store` on dicts, with the checks that PostgreSQL makes: a commit is written whole or not at all, a start
opens one session, a session moves only from the version that was read, the same work is queued once, text holds no NUL.
Nothing here ever waits, so one `coroutine.send(None)` runs any of its methods to the end. It serves fast tests and the
deterministic simulation; `terms` holds what people keep, `prices` the market's, `jobs` what waits.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import (
    Attributed,
    BadData,
    CdrIssued,
    Changes,
    CommandMoved,
    CommandQueued,
    Decision,
    FrameRow,
    Orphan,
    Quarantined,
    RangeClosed,
    Stale,
    Withdrawn,
)
from laddbok.flow.evidence import tariffs_named
from laddbok.flow.store import Claim, Found, LeasedJob, Question, SessionEvidence
from laddbok.model.errors import NotFound
from laddbok.model.events import AuthorizationStatus
from laddbok.model.market_prices import Kept, PriceQuote
from laddbok.model.session import OPEN_STATES, RUNNING_STATES, FramePosition, LastRegister, Session
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.station import Outlet, Station, StationState
from laddbok.model.traits import Traits
from laddbok.sessions.advance import LOST_STOP_AFTER
from laddbok.sessions.facts import StartFacts
from laddbok.store.memory_jobs import JobTable
from laddbok.store.memory_prices import PriceTable
from laddbok.store.memory_terms import Terms

TRANSACTION_BLOCK = 100
_CLOCK_SLACK = timedelta(days=1)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StationRow(msgspec.Struct):
    """A station and what it said."""

    station: Station
    epoch: int = 0
    outlets: dict[tuple[int, int], Outlet] = {}
    frames: dict[FramePosition, FrameRow] = {}
    sessions: list[str] = []
    traits: Traits = Traits()


class Stretch(msgspec.Struct):
    """The frames from one place to another (None: still running) that bear on a session."""

    begin: FramePosition
    begin_at: datetime
    end: FramePosition | None = None
    end_at: datetime | None = None

    def covers(self, place: FramePosition, at: datetime) -> bool:
        """Whether a frame lies in it. Receive times bound it only roughly, as partitions do: our clock may step back."""
        begun = place >= self.begin and at >= self.begin_at - _CLOCK_SLACK
        is_early = self.end_at is None or at <= self.end_at + _CLOCK_SLACK
        return begun and is_early and (self.end is None or place <= self.end)


class SessionRow(msgspec.Struct):
    """A session as stored, as its owner last published it, and what it depends on."""

    session: Session
    stretches: list[Stretch]
    live: Session | None = None
    decisions: list[Decision] = []

    @property
    def newest(self) -> Session:
        """The session as last believed: its row moves with its state, the published one with its meter."""
        live = self.live
        if live is None or live.version != self.session.version or live.through <= self.session.through:
            return self.session
        return live


class CommandRow(msgspec.Struct):
    """A command of our own, and how it moved last; one that did not go out is queued again."""

    queued: CommandQueued
    moved: CommandMoved | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.moved is None or self.moved.status == "sent"


class MemoryStore:
    """`flow.store.Store` on dicts, for one process and without a disk."""

    def __init__(self) -> None:
        self.terms = Terms()
        self.prices = PriceTable()
        self.jobs = JobTable()
        self.stations: dict[int, StationRow] = {}
        self.sessions: dict[tuple[int, str], SessionRow] = {}
        self.cdrs: dict[tuple[int, str, int, str], CdrIssued] = {}
        self.orphans: dict[tuple[int, FramePosition], Orphan] = {}
        self.commands: dict[str, CommandRow] = {}
        self.curves: dict[tuple[int, str], bytes] = {}
        self.quarantined: list[Quarantined] = []
        self._starts: dict[tuple[int, str], str] = {}
        self._numbers_given = 0

    def add_station(self, station: Station) -> None:
        """A station of ours."""
        self.stations[station.station_no] = StationRow(station)

    async def claim(self, station_numbers: Sequence[int], gateway: str, at: datetime) -> dict[int, Claim]:
        """Take stations over: a new epoch each, and their memory."""
        return {number: self._claim(self.stations[number]) for number in station_numbers if number in self.stations}

    async def look_up(self, questions: Sequence[Question]) -> list[Found]:
        """The answers, in the order of the questions."""
        stations = [self.stations[question.station_no] for question in questions]
        return [
            Found(self._facts(question, row), self._known(question, row), row.traits)
            for question, row in zip(questions, stations, strict=True)
        ]

    async def stored(self, positions: Sequence[tuple[int, FramePosition]]) -> set[tuple[int, FramePosition]]:
        """Which of these (station_no, position) are in the evidence."""
        return {(number, place) for number, place in positions if place in self.stations[number].frames}

    async def transaction_numbers(self) -> range:
        """A block of fresh 1.6 transaction ids, never given out before."""
        first = self._numbers_given + 1
        self._numbers_given += TRANSACTION_BLOCK
        return range(first, first + TRANSACTION_BLOCK)

    async def commit(self, changes: Changes) -> None:
        """Write all of it or nothing. Raises Stale, Withdrawn, BadData."""
        self._check(changes)
        for frame in changes.frames:
            place = FramePosition(frame.connection_epoch, frame.seq)
            self.stations[frame.station_no].frames[place] = frame
        for session in changes.opened:
            self._open(session)
        for session in changes.moved:
            self.sessions[session.tenant, session.id].session = replace(session, version=session.version + 1)
        for decision in changes.decisions:
            stored = replace(decision, body=msgspec.json.decode(msgspec.json.encode(decision.body)))
            self.sessions[decision.tenant, decision.session_id].decisions.append(stored)
        for issued in changes.cdrs:
            self.cdrs[_cdr_key(issued)] = issued
        for curve in changes.curves:
            self.curves[curve.tenant, curve.session_id] = curve.body
        self._attribute(changes.attributed, changes.closed_ranges)
        self._see(changes)
        for learned in changes.traits:
            if self.stations[learned.station_no].traits.version == learned.known_version:
                self.stations[learned.station_no].traits = learned.traits
        self.jobs.queue(changes.jobs)

    async def checkpoint(self, sessions: Sequence[Session], at: datetime) -> None:
        """Publish what the owner believes of live sessions."""
        for session in sessions:
            row = self.sessions[session.tenant, session.id]
            if row.session.state in OPEN_STATES:
                row.live = session

    async def session_evidence(self, tenant: int, session_id: str) -> SessionEvidence:
        """One session with its evidence. Raises NotFound."""
        row = self.sessions.get((tenant, session_id))
        if row is None:
            raise NotFound("session", session_id)
        frames = sorted(self.stations[row.session.station_no].frames.items(), key=lambda item: item[0])
        covered = (f for place, f in frames if any(s.covers(place, f.received_at) for s in row.stretches))
        named = tariffs_named(row.session, row.decisions)
        tariffs = {(each.tariff_id, each.version): self.terms.tariff(tenant, each) for each in named}
        issued = self.cdrs.get((tenant, session_id, row.session.revision, "cdr"))
        traits = self.stations[row.session.station_no].traits
        texts = {(each.tariff_id, each.version): self.terms.tariff_document(tenant, each) for each in named}
        return SessionEvidence(row.session, tuple(covered), tuple(row.decisions), tariffs, issued, traits, texts)

    async def spot_prices(
        self, tenant: int, zone: str, currency: str, start_at: datetime, end_at: datetime
    ) -> SpotPrices:
        """The day-ahead prices of the quarter hours that touch the span from `start_at` up to before `end_at`."""
        return self.prices.read(tenant, zone, currency, start_at, end_at)

    async def keep_prices(
        self, tenants: Sequence[int], quotes: Sequence[PriceQuote], source: str, received_at: datetime
    ) -> Kept:
        """Keep day-ahead prices for these tenants, all or none."""
        return self.prices.keep(tenants, quotes, source, received_at)

    async def take_jobs(self, worker: str, now: datetime, limit: int) -> list[LeasedJob]:
        """Due jobs, leased to this worker."""
        return self.jobs.take(now, limit)

    async def finish_job(self, leased: LeasedJob, again_at: datetime | None = None) -> None:
        """The job is done, or shall come again; one that was queued again while it ran comes again by itself."""
        self.jobs.finish(leased, again_at)

    async def fail_job(self, leased: LeasedJob, error: str, now: datetime) -> None:
        """Back off, or give up after the last attempt and leave it for a person."""
        self.jobs.fail(leased, error, now)

    def _claim(self, row: StationRow) -> Claim:
        row.epoch += 1
        kept = [self.sessions[row.station.tenant, session_id] for session_id in row.sessions]
        believed = [each.newest for each in kept if each.session.state in OPEN_STATES]
        by_transaction = {session.transaction_id: session for session in believed}
        station = replace(row.station, traits=row.traits)
        state = StationState(station=station, outlets=dict(row.outlets), sessions=by_transaction)
        oldest = min((session.through for session in believed), default=None)
        later = (place for place in row.frames if oldest is not None and place > oldest)
        unfolded = (row.frames[place] for place in sorted(later))
        return Claim(row.epoch, state, tuple(frame for frame in unfolded if frame.direction == b"i"))

    def _facts(self, question: Question, row: StationRow) -> StartFacts:
        """The terms, and where the session before left the register of this EVSE."""
        own = (self.sessions[row.station.tenant, session_id].newest for session_id in row.sessions)
        before = [s for s in own if s.evse_id == question.evse_id and s.started_at < question.at]
        read = [s for s in before if s.meter.mark_wh is not None and s.transaction_id != question.transaction_id]
        last = max(read, key=lambda each: (each.started_at, each.id), default=None)
        register = None
        if last is not None and last.meter.mark_wh is not None:
            was_stopped = last.ended_by == "stop" and last.meter.doubt is None
            register = LastRegister(last.id, last.meter.mark_wh, last.meter.mark_at, was_stopped)
        return replace(self._terms(question, row.station), before=register)

    def _terms(self, question: Question, station: Station) -> StartFacts:
        facts = self.terms.facts(question, station)
        token = facts.token
        if token is None or not token.single_session or not question.asks_to_charge:
            return facts
        name = token.known_as or question.token
        elsewhere = any(self._occupies(name, each.newest, question) for each in self.sessions.values())
        return replace(facts, token=replace(token, charges_elsewhere=elsewhere))

    def _occupies(self, token: str | None, session: Session, question: Question) -> bool:
        """Whether a session that lives has this token, at another outlet than the one that is asked for (S20)."""
        is_here = session.station_no == question.station_no and question.evse_id in (None, session.evse_id)
        is_other = (session.tenant, session.token) == (question.tenant, token) and not is_here
        if not is_other or session.started_at > question.at:
            return False
        frames = self.stations[session.station_no].frames
        heard_at = frames[next(reversed(frames))].received_at if frames else session.started_at
        is_alive = session.state in RUNNING_STATES and session.due_at is None
        is_heard = heard_at >= question.at - LOST_STOP_AFTER
        return is_alive and is_heard and session.authorization is AuthorizationStatus.ACCEPTED

    def _known(self, question: Question, row: StationRow) -> Session | None:
        """The session that this start opened already, else the last one of this transaction id."""
        started = self._starts.get((question.station_no, question.start_key or ""))
        if started is not None:
            return self.sessions[row.station.tenant, started].session
        own = (self.sessions[row.station.tenant, session_id].session for session_id in row.sessions)
        named = (each for each in own if each.transaction_id == question.transaction_id)
        return max(named, key=lambda each: each.started_at, default=None)

    def _check(self, changes: Changes) -> None:
        """Refuse what the real store refuses, before anything is written."""
        try:
            text = msgspec.json.encode(changes)
        except UnicodeEncodeError as error:
            raise BadData(str(error)) from error
        if b"\\u0000" in text and _NUL.search(text):
            raise BadData("a NUL in a text")
        if any(_cdr_key(issued) in self.cdrs for issued in changes.cdrs):
            raise BadData("a CDR is issued once")
        stale = {s.station_no for s in changes.moved if not self._is_current(s)}
        starts = set(self._starts)
        for session in changes.opened:
            start = session.station_no, session.start_key or session.id
            if start in starts or (session.tenant, session.id) in self.sessions:
                stale.add(session.station_no)
            starts.add(start)
        if stale:
            raise Stale(frozenset(stale))
        sent = (moved.command_id for moved in changes.commands if moved.status == "sent")
        withdrawn = frozenset(each for each in sent if each not in self.commands or self.commands[each].moved)
        if withdrawn:
            raise Withdrawn(withdrawn)

    def _is_current(self, session: Session) -> bool:
        row = self.sessions.get((session.tenant, session.id))
        return row is not None and row.session.version == session.version

    def _open(self, session: Session) -> None:
        stretch = Stretch(session.opened, session.last_contact_at)
        self.sessions[session.tenant, session.id] = SessionRow(session, [stretch])
        self.stations[session.station_no].sessions.append(session.id)
        self._starts[session.station_no, session.start_key or session.id] = session.id

    def _attribute(self, singles: Iterable[Attributed], closed: Iterable[RangeClosed]) -> None:
        for each in singles:
            place = each.session.through
            row = self.sessions[each.session.tenant, each.session.id]
            row.stretches.append(Stretch(place, each.at, place, each.at))
        for last in closed:
            row = self.sessions[last.session.tenant, last.session.id]
            row.live = None
            if row.stretches[0].end is None:
                row.stretches[0].end, row.stretches[0].end_at = last.session.through, last.at

    def _see(self, changes: Changes) -> None:
        """What stations and commands last said, and what could not be used."""
        for seen in changes.outlets:
            self.stations[seen.station_no].outlets[seen.outlet.evse_id, seen.outlet.connector_id] = seen.outlet
        for boot in changes.boots:
            row = self.stations[boot.station_no]
            fields = {name: getattr(boot, name) for name in ("protocol", "vendor", "model", "firmware_version")}
            row.station = replace(row.station, booted_at=boot.at, **fields)
        for orphan in changes.orphans:
            self.orphans[orphan.station_no, FramePosition(orphan.connection_epoch, orphan.seq)] = orphan
        for found in changes.orphans_matched:
            if found.session_id is not None:
                del self.orphans[found.station_no, FramePosition(found.connection_epoch, found.seq)]
        for queued in changes.commands_queued:
            self.commands.setdefault(queued.command_id, CommandRow(queued))
        for moved in changes.commands:
            command = self.commands.get(moved.command_id)
            if command is not None and command.is_open and not (moved.from_queue and command.moved):
                command.moved = None if moved.status == "not_connected" else moved
        self.quarantined += changes.quarantined


def _cdr_key(issued: CdrIssued) -> tuple[int, str, int, str]:
    return issued.session.tenant, issued.session.id, issued.session.revision, issued.kind

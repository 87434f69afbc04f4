"""How does a batch of messages become stored changes and answers?

Load, decide, commit, then answer. `Desk` holds the working memory of the stations that one gateway owns. For a batch it
looks up what the rules need, lets them decide message by message, commits everything at once, and only then makes the
new state visible and gives out the answers. A message that breaks a rule's invariant, or holds a value that the
database refuses, ends alone in quarantine; its neighbours are committed and answered.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from laddbok.flow.changes import BadData, Changes, CommandQueued, OutcomeUnknown, Stale, StoreDown, Withdrawn
from laddbok.flow.decide import Decided, decide, quarantine, to_ask
from laddbok.flow.messages import (
    Asked,
    Commanded,
    Elapsed,
    Entry,
    Received,
    Reply,
    StationMemory,
    counts_kwh,
    understood,
)
from laddbok.flow.store import Claim, Found, Question, Store
from laddbok.model.events import Event, TransactionEnded, TransactionStarted
from laddbok.model.session import RUNNING_STATES, FramePosition, Session, SessionState
from laddbok.model.station import Station, StationState
from laddbok.ocpp import transaction_status
from laddbok.ocpp.frame import Undecodable
from laddbok.sessions.advance import AVAILABLE_GRACE, advance, concerns, is_lost, names_transaction, superseded
from laddbok.sessions.facts import Facts
from laddbok.sessions.open import is_same_start
from laddbok.sessions.quirks import QuirkTable, known_quirks, quirks_of

MAX_ENDED_KEPT = 8
"""Ended sessions that a station's memory keeps, for repeated stops and for the unplugging."""


class Desk:
    """The stations of one gateway, and the one way in which their state changes."""

    def __init__(self, store: Store, quirks: QuirkTable | None = None) -> None:
        """Args: quirks: what is known of models; None: what ships with the platform."""
        self._store = store
        self._quirks = known_quirks() if quirks is None else quirks
        self.stations: dict[int, StationMemory] = {}
        self._numbers: Iterator[int] = iter(())
        self._changed: dict[str, Session] = {}
        self._returned: dict[int, dict[str, datetime]] = {}
        """The transactions that ran on stations that came back, and the last reading of each; we may have to ask."""

    def take_over(self, claim: Claim, protocol: str | None = None, now: datetime | None = None) -> StationMemory:
        """Begin to hold a station: its stored state with the frames folded in that came after it.

        Args: protocol: what this connection speaks, "1.6" or "2.0.1"; None: what the last one spoke. now: from when on
            it has time to send what it kept, before a stop counts as lost.
        """
        station = claim.state.station
        station = self._with_quirks(replace(station, protocol=protocol or station.protocol))
        state = replace(claim.state, station=station)
        memory = StationMemory(state=state, epoch=claim.epoch)
        memory.held_since = now
        for in_kwh in (False, True):
            read_so = {key for key, session in state.sessions.items() if counts_kwh(session) is in_kwh}
            for asked in understood(claim.unfolded, in_kwh) if read_so else ():
                if asked.event is not None:
                    _catch_up(state.sessions, read_so, asked)
        memory.look_at_units()
        self.stations[station.station_no] = memory
        ran = {key: session.meter.mark_at for key, session in state.sessions.items() if session.state in RUNNING_STATES}
        if ran:
            self._returned[station.station_no] = ran
        return memory

    def drop(self, station_no: int, epoch: int) -> None:
        """Stop holding a station, unless a newer connection holds it by now (case S64)."""
        memory = self.stations.get(station_no)
        if memory is not None and memory.epoch == epoch:
            del self.stations[station_no]

    def lost_sessions(self, now: datetime, silent: bool = False, among: Iterable[int] | None = None) -> list[Elapsed]:
        """The sessions whose stop has not come in time, as messages to take in.

        A station that is connected and says nothing of a transaction may well be charging: only one that said something
        else meanwhile (Available, a boot) has lost its stop, and not before it had time to send what it kept.

        Args: silent: the stations held are those that nobody hears, so that long silence alone counts. among: look at
            these stations only; who holds very many looks at them in portions.
        """
        numbers = self.stations if among is None else (number for number in among if number in self.stations)
        held = ((number, self.stations[number]) for number in numbers)
        return [
            Elapsed(station_no=station_no, epoch=memory.epoch, received_at=now, transaction_id=session.transaction_id)
            for station_no, memory in held
            if silent or memory.held_since is None or now >= memory.held_since + AVAILABLE_GRACE
            for session in memory.state.sessions.values()
            if (silent or session.due_at is not None) and is_lost(session, now)
        ]

    async def ask(self, now: datetime) -> list[CommandQueued]:
        """Queue questions to stations that came back and had time to speak of what ran; each station is asked once.

        Returns: what was queued. Raises: StoreDown and OutcomeUnknown; the next call queues the same questions.
        """
        self._returned = {number: ran for number, ran in self._returned.items() if number in self.stations}
        ready = {n: ran for n, ran in self._returned.items() if self.stations[n].is_settled_in(now)}
        questions = [each for n, ran in ready.items() for each in to_ask(self.stations[n], ran, now)]
        if questions:
            await self._store.commit(Changes(commands_queued=questions))
        for number, ran in ready.items():
            if self._returned.get(number) is ran:  # it may have come back once more while this was stored
                del self._returned[number]
        return questions

    def changed_sessions(self) -> list[Session]:
        """The sessions that changed since the last call, for the readers."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    async def apply(self, entries: Sequence[Entry]) -> list[Reply]:
        """Take a batch in: at most one message of each station.

        Returns: what to do with each connection, only after the commit. Raises: StoreDown, and OutcomeUnknown when
        not even a second look tells whether the commit happened; those stations are held no longer.
        """
        live: list[Entry] = []
        gone: list[Reply] = []
        for entry in entries:
            memory = self._memory_of(entry)
            if memory is None:
                gone.append(Reply.dropped(entry))
            else:
                live.append(_as_it_counts(entry, memory))
        if not live:
            return gone
        found = await self._look_up(live)
        if any(found):  # what is known of a station may be news
            live = [_as_it_counts(entry, self.stations[entry.station_no]) for entry in live]
        decided = [self._decide(entry, answer) for entry, answer in zip(live, found, strict=True)]
        try:
            await self._commit(decided)
        except BadData as error:
            return gone + await self._split(live, str(error))
        except Stale as stale:
            fresh = [entry for entry in live if entry.station_no not in stale.station_numbers]
            for entry in live:
                if entry.station_no in stale.station_numbers:
                    gone.append(Reply.dropped(entry))
                    self.stations.pop(entry.station_no, None)
            return gone + await self.apply(fresh)
        except Withdrawn as withdrawn:
            still, idle = _without_commands(live, withdrawn.command_ids)
            return gone + idle + await self.apply(still)
        except OutcomeUnknown:  # what is remembered may lag behind what is stored: nothing may be decided on it
            for entry in live:
                self.drop(entry.station_no, entry.epoch)
            raise
        return gone + [self._absorb(each) for each in decided]

    def _memory_of(self, entry: Entry) -> StationMemory | None:
        """The station's memory; None: it is not held, or not under the message's epoch."""
        memory = self.stations.get(entry.station_no)
        return memory if memory is not None and memory.epoch == entry.epoch else None

    async def _commit(self, decided: Sequence[Decided]) -> None:
        """Commit; when the connection broke meanwhile, look whether it happened and, if not, commit once more."""
        changes = Changes()
        for each in decided:
            each.add_to(changes)
        try:
            await self._store.commit(changes)
        except OutcomeUnknown as unknown:
            positions = [(row.station_no, each.stamp.position) for each in decided for row in each.frames[:1]]
            if positions and await self._is_stored(positions[0], unknown):
                return
            await self._store.commit(changes)

    async def _is_stored(self, position: tuple[int, FramePosition], unknown: OutcomeUnknown) -> bool:
        """A store that can't be asked leaves it unknown: to take the batch for unwritten would write it twice."""
        try:
            return bool(await self._store.stored([position]))
        except StoreDown:
            raise unknown from None

    async def _split(self, entries: Sequence[Entry], reason: str) -> list[Reply]:
        """Halve the batch until the message that can't be stored stands alone."""
        if len(entries) > 1:
            half = len(entries) // 2
            written = await self.apply(entries[:half])
            try:
                return written + await self.apply(entries[half:])
            except StoreDown as error:
                raise OutcomeUnknown("a part of the batch is written") from error
        memory = self.stations[entries[0].station_no]
        alone = quarantine(entries[0], memory, f"can't be stored: {reason}")
        await self._commit([alone])
        return [self._absorb(alone)]

    def _with_quirks(self, station: Station) -> Station:
        """The station with what is known of its model, which it may have told only now."""
        flags = quirks_of(self._quirks, station.vendor, station.model, station.firmware_version)
        return station if flags == station.quirks else replace(station, quirks=flags)

    async def _look_up(self, entries: Sequence[Entry]) -> list[Found | None]:
        """What the rules need of the tables, in one query for the whole batch; None where nothing is needed."""
        questions: dict[int, Question] = {}
        for index, entry in enumerate(entries):
            if isinstance(entry, Received) and (question := entry.question(self.stations[entry.station_no])):
                questions[index] = question
        answers = await self._store.look_up(list(questions.values())) if questions else []
        found: list[Found | None] = [None] * len(entries)
        for index, answer in zip(questions, answers, strict=True):
            found[index] = answer
            memory = self.stations[entries[index].station_no]
            if answer.traits.version > memory.state.station.traits.version:
                memory.state = replace(memory.state, station=replace(memory.state.station, traits=answer.traits))
                memory.look_at_units()
            if answer.session is not None:
                _remember(memory.state.sessions, answer.session)
        if any(question.start_key for question in questions.values()):
            await self._refill_numbers(len(entries))
        return found

    async def _refill_numbers(self, count: int) -> None:
        kept = list(self._numbers)
        while len(kept) < count:
            kept.extend(await self._store.transaction_numbers())
        self._numbers = iter(kept)

    def _decide(self, entry: Entry, found: Found | None) -> Decided:
        memory = self.stations[entry.station_no]
        number = None
        if found is not None and isinstance(entry, Received) and entry.needs_number:
            number = next(self._numbers)
        try:
            return decide(entry, memory, found, number)
        except Exception as error:  # a broken invariant parks this message, never the platform
            return quarantine(entry, memory, f"{type(error).__name__}: {error}")

    def _absorb(self, decided: Decided) -> Reply:
        """Make what was committed visible."""
        entry = decided.entry
        memory = self.stations[entry.station_no]
        memory.next_seq += len(decided.frames)
        memory.heard_at = memory.heard_at or entry.received_at
        if type(entry) is Commanded and entry.action == transaction_status.ACTION:
            memory.asked[entry.command_id] = entry.raw
        state = memory.state
        for session in decided.sessions:
            if decided.moved and any(session is each for each in decided.moved):
                session = replace(session, version=session.version + 1)
            state.sessions[_key(state.sessions, session)] = session
            self._changed[session.id] = session
        if decided.outlet is not None:
            state.outlets[decided.outlet.evse_id, decided.outlet.connector_id] = decided.outlet
        if decided.opened is not None:
            _prune(state.sessions)
        if decided.booted is not None:
            memory.state = replace(state, station=self._with_quirks(decided.booted))
        if decided.booted is not None or decided.opened is not None:
            memory.look_at_units()
        return Reply(entry, decided.payload, decided.error)


def _remember(sessions: dict[str, Session], known: Session) -> None:
    """Keep a session that the store knows; beside the newer one, where a station gave its transaction id again (S25)."""
    held = sessions.setdefault(known.transaction_id, known)
    if held.id != known.id:
        sessions.setdefault(_aside(known), known)


def _aside(session: Session) -> str:
    """Under what a session is kept whose transaction id a newer one has: it only answers what is repeated of it."""
    return f"{session.transaction_id} of {session.id}"


def _key(sessions: dict[str, Session], session: Session) -> str:
    held = sessions.get(session.transaction_id)
    if held is not None and held.id == session.id:
        return session.transaction_id
    return _aside(session) if _aside(session) in sessions else session.transaction_id


def _as_it_counts(entry: Entry, memory: StationMemory) -> Entry:
    """A call of a station that counts kWh and calls them Wh, read rightly; a session is read as when it opened (S38)."""
    if not memory.counts_kwh or not isinstance(entry, Received):
        return entry
    session = _meant(memory.state, entry.event)
    return entry.in_kwh() if counts_kwh(session or memory.state.station) else entry


def _meant(state: StationState, event: Event | Undecodable) -> Session | None:
    """The session that a call is about, as far as it can be told before it is read: by start, transaction, or outlet."""
    if isinstance(event, TransactionStarted):
        return next((s for s in state.sessions.values() if is_same_start(event, s)), None)
    if not isinstance(event, Undecodable) and names_transaction(event):
        return state.sessions.get(getattr(event, "transaction_id", ""))
    evse_id = getattr(event, "evse_id", None)
    running = (s for s in state.sessions.values() if s.state in RUNNING_STATES and evse_id in (None, s.evse_id))
    return next(running, None)


def _without_commands(entries: Sequence[Entry], command_ids: frozenset[str]) -> tuple[list[Entry], list[Reply]]:
    """The messages without these commands, and for each of those a reply that sends nothing."""
    still: list[Entry] = []
    idle: list[Reply] = []
    for entry in entries:
        if isinstance(entry, Commanded) and entry.command_id in command_ids:
            idle.append(Reply(entry))
        else:
            still.append(entry)
    return still, idle


def _catch_up(sessions: dict[str, Session], among: Iterable[str], asked: Asked) -> None:
    """Fold a stored message into those of these sessions that it concerns and that have not seen it."""
    event, place = asked.event, asked.stamp.position
    opened = next((session for session in sessions.values() if session.opened == place), None)
    for key in among:
        session = sessions[key]
        if place <= session.through:
            continue
        if opened is not None and opened.evse_id == session.evse_id and not isinstance(event, TransactionEnded):
            sessions[key] = superseded(session, event, asked.stamp)
        elif concerns(event, session):
            sessions[key] = advance(event, session, asked.stamp, Facts())


def _prune(sessions: dict[str, Session]) -> None:
    """Keep what runs and the few that ended last."""
    ended = [key for key, session in sessions.items() if session.state not in RUNNING_STATES]
    waiting = {key for key in ended if sessions[key].state is SessionState.ENDED}
    for key in ended[: max(0, len(ended) - MAX_ENDED_KEPT)]:
        if key not in waiting or sessions[key].unplugged_at is not None:
            del sessions[key]

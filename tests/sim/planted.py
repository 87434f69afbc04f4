"""Which bugs must the simulation find?

Seven that platforms of this kind have had, each planted by a subclass or a patch of one rule. If one of them is not found
within ten seeds, the simulation is blind, and it is the simulation that is to be mended.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from laddbok.flow import billing_run
from laddbok.flow.apply import Desk
from laddbok.flow.billing_run import Planned as PlannedDocument
from laddbok.flow.billing_run import SortedOut, sort_out
from laddbok.flow.changes import Changes
from laddbok.flow.charge_to_cash import settle
from laddbok.flow.decide import Decided
from laddbok.flow.messages import Entry, Received, Reply, StationMemory
from laddbok.flow.store import Found, LeasedJob
from laddbok.model.billing import Position
from laddbok.model.events import TransactionEnded
from laddbok.model.invoice import InvoiceKind
from laddbok.model.session import SessionState
from laddbok.sessions.open import start_key
from laddbok.workers.settle import Settler
from tests.sim.gateway import Gateway
from tests.sim.run import Parts
from tests.sim.shaken_store import ShakenStore
from tests.sim.wire import Socket, Wire


@dataclass(frozen=True)
class Planted:
    """A bug: what it puts in the place of what is right."""

    violates: str
    """The invariant that shows it."""
    parts: Parts | None = None
    patched: Callable[[], AbstractContextManager[None]] = nullcontext


class AnswersFirst(Desk):
    """Gives the answers out before the commit."""

    answer: Callable[[list[Reply]], None]

    async def _commit(self, decided: Sequence[Decided]) -> None:
        told = [each for each in decided if isinstance(each.entry, Received)]
        self.answer([Reply(entry=each.entry, payload=each.payload, error=each.error) for each in told])
        await super()._commit(decided)


class AnsweringGateway(Gateway):
    """The gateway of such a desk."""

    def start(self) -> None:
        super().start()
        assert isinstance(self.desk, AnswersFirst)
        self.desk.answer = self.board.settle


class MarksFirst(Desk):
    """Makes the new state visible, then commits."""

    async def _commit(self, decided: Sequence[Decided]) -> None:
        for each in decided:
            super()._absorb(each)
        await super()._commit(decided)

    def _absorb(self, decided: Decided) -> Reply:
        return Reply(entry=decided.entry, payload=decided.payload, error=decided.error)


class Unfenced(Desk):
    """Takes in what an older connection of a station left behind."""

    def _memory_of(self, entry: Entry) -> StationMemory | None:
        return self.stations.get(entry.station_no)


class UnfencedGateway(Gateway):
    """Leaves the older connection of a station open when a newer one comes."""

    def admits(self, wire: Wire) -> Socket | None:
        before = self.board.lines.get(wire.box.number)
        if before is not None:
            before.connection.close = _stay_open  # type: ignore[method-assign]
        return super().admits(wire)


def _stay_open(code: int, reason: str = "") -> None:
    pass


class DropsStops(Desk):
    """Answers a stop in a hundred and forgets it."""

    def __init__(self, store: ShakenStore) -> None:
        super().__init__(store)
        self.stops = 0

    def _decide(self, entry: Entry, found: Found | None) -> Decided:
        decided = super()._decide(entry, found)
        if isinstance(entry, Received) and isinstance(entry.event, TransactionEnded):
            self.stops += 1
            if self.stops % 10 == 0:
                return Decided(entry=entry, stamp=decided.stamp, payload=decided.payload)
        return decided


class SettlesTwice(Settler):
    """Settles what is settled once more, as if it had not been."""

    async def __call__(self, leased: LeasedJob) -> datetime | None:
        again_at = await super().__call__(leased)
        evidence = await self._store.session_evidence(leased.job.tenant, leased.job.key)
        if evidence.session.state is SessionState.SETTLED:
            row = replace(evidence.session, state=SessionState.ENDED, revision=evidence.session.revision + 1)
            changes = settle(replace(evidence, session=row), self._now()).changes
            await self._store.commit(changes or Changes())
        return again_at


@contextmanager
def no_deduplication() -> Iterator[None]:
    """Every start is another one, and has a key of its own."""
    with (
        patch("laddbok.sessions.receive.is_another", lambda event, session: True),
        patch("laddbok.sessions.open.stored_key", lambda event, stamp: f"{start_key(event)} {stamp.position}"),
    ):
        yield


@contextmanager
def no_credit_notes() -> Iterator[None]:
    """What was corrected after it was billed is billed anew, and what was billed first is not taken back."""

    def invoices_only(*asked: Any) -> Iterator[PlannedDocument]:
        return (each for each in documents(*asked) if each.invoice.kind is InvoiceKind.INVOICE)

    def without_credits(positions: Sequence[Position]) -> SortedOut:
        found = sort_out(positions)
        return found._replace(billed=[each for each in found.billed if each.kind == "cdr"])

    documents = billing_run._documents
    of_contracts = patch("laddbok.flow.billing_run._documents", invoices_only)
    of_paid_at_once = patch("tests.sim.books.sort_out", without_credits)
    with of_contracts, of_paid_at_once:
        yield


PLANTED: dict[str, Planted] = {
    "corrections without credit notes": Planted("every CDR is billed", patched=no_credit_notes),
    "no de-duplication of starts": Planted("no transaction in two sessions", patched=no_deduplication),
    "answer before commit": Planted("acknowledged means durable", Parts(desk=AnswersFirst, gateway=AnsweringGateway)),
    "apply, then mark": Planted("visible means stored", Parts(desk=MarksFirst)),
    "double settle": Planted("settled once", Parts(settler=SettlesTwice)),
    "the epoch fence is off": Planted("the epoch fences", Parts(desk=Unfenced, gateway=UnfencedGateway)),
    "a stop is acknowledged and dropped": Planted("acknowledged means durable", Parts(desk=DropsStops)),
}

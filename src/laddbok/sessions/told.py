"""What did the station tell of one session's energy, all in all?

When a session settles, everything that bears on its energy is laid side by side: the registers of start and stop, every
reading once however often it was sent (cases S5, S48), signed values, and the stamps as they came. The estimates of the
energy are drawn from this and from nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from laddbok.model.events import (
    Event,
    MetersRead,
    Sample,
    TransactionEnded,
    TransactionStarted,
    TransactionUpdated,
)
from laddbok.model.session import Session
from laddbok.model.traits import Quirk
from laddbok.sessions.facts import Stamp
from laddbok.sessions.timekeeping import instant

Said = tuple[Event, Stamp]
BEGIN, END = "Transaction.Begin", "Transaction.End"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that was told of one session. `samples` in time order, each once, with instants that are believed."""

    start_wh: int | None = None
    stop_wh: int | None = None
    samples: tuple[Sample, ...] = ()


def tell(session: Session, said: Iterable[Said]) -> Told:
    """What the messages that concern a session told of its energy.

    Args: said: events with their stamps, in order of receipt. The first start and the stop that ended it count, and
        readings between them; closing values count as of the end (S23).
    """
    start_wh = stop_wh = None
    samples: dict[tuple[datetime | None, str, int | None, int | None], Sample] = {}
    for event, stamp in said:
        if (
            isinstance(event, TransactionStarted)
            and start_wh is None
            and not is_placeholder(event.register_wh, session)
        ):
            start_wh = event.register_wh
        if isinstance(event, TransactionEnded) and stop_wh is None:
            stop_wh = event.register_wh
        for sample in _samples_of(event, session):
            if sample.context == BEGIN and is_placeholder(sample.register_wh, session):
                continue
            at, _ = instant(sample.at, stamp.received_at, session.clock)
            if session.transaction_ended_at is not None and sample.context == END:
                at = min(at, session.transaction_ended_at)
            if stop_wh is not None and _refines_the_stop(event, sample, session):
                stop_wh = sample.register_wh
            if session.started_at <= at <= (session.transaction_ended_at or at):
                samples.setdefault(_identity(sample, at), replace(sample, at=at))
    in_time = sorted(samples.values(), key=lambda sample: _instant_of(sample))
    return Told(start_wh=start_wh, stop_wh=stop_wh, samples=tuple(in_time))


def _refines_the_stop(event: Event, sample: Sample, session: Session) -> bool:
    """Whether a reading behind the stop is one that the meter took in as its last (case S23)."""
    is_closing = isinstance(event, MetersRead) and sample.context == END
    return is_closing and sample.register_wh is not None and sample.register_wh == session.meter.mark_wh


def is_placeholder(register_wh: int | None, session: Session) -> bool:
    """Whether a begin says nothing of the register: a nought of a model that is known for it (case S33)."""
    return register_wh == 0 and Quirk.ZERO_BEGIN in session.quirks


def stamps_of(said: Sequence[Said]) -> list[tuple[datetime, datetime]]:
    """(stamped, received) of the messages of a session, as the station stamped them: the latest stamp of each message."""
    stamps = []
    for event, stamp in said:
        told = [getattr(event, "at", None), *(s.at for s in getattr(event, "samples", ()))]
        own = [at for at in told if at is not None]
        if own:
            stamps.append((max(own), stamp.received_at))
    return stamps


def _samples_of(event: Event, session: Session) -> tuple[Sample, ...]:
    """The readings in a message; the station's own meter (outlet 0) is not that of a session at an outlet (S48)."""
    if isinstance(event, MetersRead) and event.evse_id == 0 and session.evse_id != 0:
        return ()
    if isinstance(event, MetersRead | TransactionStarted | TransactionUpdated | TransactionEnded):
        return event.samples
    return ()


def _identity(sample: Sample, at: datetime) -> tuple[datetime | None, str, int | None, int | None]:
    return at, sample.context, sample.register_wh, sample.interval_wh


def _instant_of(sample: Sample) -> datetime:
    assert sample.at is not None
    return sample.at

"""Does the evidence make the same session again, to the byte?

A session that was settled, held or voided is derived anew from its frames and decisions, with the versions that were
recorded, and compared with what is stored: session, CDR and price. Any difference is an error. With today's tables
instead a difference is a proposal: it is listed, and changes nothing.
"""

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.charge_to_cash import CORRECTION_HELD, SETTLED, as_settled, found_when_settled, price
from laddbok.flow.evidence import VERDICT, Taken, Today, conclude, station_at_start
from laddbok.flow.market_prices import recorded_prices
from laddbok.flow.store import Found, Question, SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.model.session import OPEN_STATES, FramePosition, Session, SessionState
from laddbok.model.station import Station
from laddbok.model.traits import Quirk
from laddbok.sessions.authorize import normalise_token
from laddbok.sessions.close import cdr

_encoder = msgspec.json.Encoder(order="sorted")
NOT_COMPARED = frozenset({"version"})
"""How often a row was moved says nothing of the session."""


_LOOKED_UP = frozenset({"session.traits", "session.quirks"})
"""What is looked up itself: with today's tables it differs, and only what follows from it is news."""
_GAP = re.compile(r',?"gap_wh":-?\d+')
"""It is told only once a station's register is known to count for life, and changes no session."""


class Difference(msgspec.Struct, frozen=True):
    """A field of a session, its CDR or its price that comes out otherwise; both values as JSON text."""

    field: str
    stored: str
    derived: str


def rebuild(evidence: SessionEvidence) -> tuple[Difference, ...]:
    """What comes out otherwise when the session is derived anew with what was recorded; nothing: all is as stored.

    Raises: EvidenceIncomplete.
    Source: our choice, docs/rules.md "Rebuild".
    """
    return _compared(evidence, None)


def proposal(evidence: SessionEvidence, found: Found, quirks: tuple[Quirk, ...]) -> tuple[Difference, ...]:
    """What would come out otherwise with today's tables: tariff, contract, habits of the station and of its model.

    Args: found: what is looked up for the session's start today. quirks: those that hold for its station today.
    Raises: EvidenceIncomplete.
    """
    return tuple(each for each in _compared(evidence, _today(found, quirks)) if not _is_looked_up(each))


def question_of(evidence: SessionEvidence) -> tuple[Question, Station]:
    """What must be looked up to know what the session's start would take from our tables today; and its station then.

    Raises: EvidenceIncomplete.
    """
    row = evidence.session
    station = station_at_start(evidence)
    question = Question(
        tenant=row.tenant,
        station_no=row.station_no,
        evse_id=row.evse_id,
        token=normalise_token(row.id_token.value) if row.id_token and row.id_token.value else None,
        at=row.started_at,
    )
    return question, station


def _is_looked_up(difference: Difference) -> bool:
    if difference.field == "session.energy":
        return _GAP.sub("", difference.stored) == _GAP.sub("", difference.derived)
    return difference.field in _LOOKED_UP


def _today(found: Found, quirks: tuple[Quirk, ...]) -> Today:
    def instead(taken: Taken) -> Taken:
        station = replace(taken.station, traits=found.traits, quirks=quirks)
        # Where the register stood before is no table of today but what had happened by then.
        start = replace(found.facts, before=taken.facts.start.before)
        return replace(taken, station=station, facts=replace(taken.facts, start=start))

    return instead


def _compared(evidence: SessionEvidence, today: Today | None) -> tuple[Difference, ...]:
    """An open session, or one that came alive again after a guessed end, has nothing final to compare."""
    row = evidence.session
    if row.state in OPEN_STATES:
        return ()
    whole = conclude(evidence, today).session
    if whole.state is not SessionState.ENDED:
        return ()

    def concluded(part: SessionEvidence) -> Session:
        return whole if part is evidence else conclude(part, today).session

    taken_in, when_issued = as_taken_in(evidence), as_issued(evidence)
    session = as_settled(concluded(taken_in), row.state, found_when_settled(taken_in))
    differences = _between("session", row, session)
    if row.state is not SessionState.SETTLED or evidence.issued is None:
        return differences
    billed = as_settled(concluded(when_issued), row.state, ())
    document = cdr(billed)
    return (
        *differences,
        *_between("cdr", evidence.issued.cdr, document),
        *_between("rating", evidence.issued.rating, _rated(when_issued, billed, document)),
    )


def as_taken_in(evidence: SessionEvidence) -> SessionEvidence:
    """The evidence without a correction that was held: what a person must see first is in no row yet.

    Returns: the evidence itself when none was held.
    Source: our choice, docs/rules.md "Late messages".
    """
    kinds = [decision.kind for decision in evidence.decisions]
    settled = max((n for n, kind in enumerate(kinds) if kind == SETTLED), default=None)
    if settled is None or CORRECTION_HELD not in kinds[settled:]:
        return evidence
    through = evidence.session.through
    frames = tuple(f for f in evidence.frames if FramePosition(f.connection_epoch, f.seq) <= through)
    decisions = tuple(d for n, d in enumerate(evidence.decisions) if n <= settled or d.kind != VERDICT)
    return replace(evidence, frames=frames, decisions=decisions)


def as_issued(evidence: SessionEvidence) -> SessionEvidence:
    """The evidence as it was when the present CDR was issued: what was learned later is on record, but not in the CDR.

    Returns: the evidence itself when nothing was learned later.
    Source: our choice, ADR-0007.
    """
    numbers = [n for n, d in enumerate(evidence.decisions) if d.kind == SETTLED and d.body["state"] == "settled"]
    if not numbers:
        return evidence
    through = msgspec.convert(evidence.decisions[numbers[-1]].body["through"], FramePosition)
    frames = tuple(f for f in evidence.frames if FramePosition(f.connection_epoch, f.seq) <= through)
    decisions = evidence.decisions[: numbers[-1] + 1]
    if (len(frames), len(decisions)) == (len(evidence.frames), len(evidence.decisions)):
        return evidence
    return replace(evidence, frames=frames, decisions=decisions)


def _rated(evidence: SessionEvidence, session: Session, document: Cdr) -> Rating | dict[str, Any]:
    """The price anew, or why there is none."""
    tariff, prices = evidence.tariff_of(session), recorded_prices(evidence.decisions)
    try:
        return {"error": "its tariff is not stored"} if tariff is None else price(document, tariff, prices)
    except Invalid as error:
        return {"error": str(error)}


def _between(name: str, stored: Any, derived: Any) -> tuple[Difference, ...]:
    """The fields that differ, byte by byte as they are written."""
    before, after = _fields(stored), _fields(derived)
    keys = sorted((before.keys() | after.keys()) - NOT_COMPARED)
    return tuple(
        Difference(f"{name}.{key}", before.get(key, "null"), after.get(key, "null"))
        for key in keys
        if before.get(key) != after.get(key)
    )


def _fields(value: Any) -> dict[str, str]:
    fields = msgspec.json.decode(_encoder.encode(value), type=dict[str, msgspec.Raw])
    return {key: bytes(text).decode() for key, text in fields.items()}

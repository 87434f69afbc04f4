"""How does a frame become money?

The whole way on one page. While a session runs, each message goes `decode -> receive -> advance` in the batch that
commits it (`flow.apply`); this page continues from there: stored evidence -> session -> CDR -> rated lines.

    frame --decode--> event --receive--> session      (gateway, per message, committed before it is answered)
    evidence --conclude--> session --cdr--> CDR --rate--> rating      (worker, once, when the session settles)
    session --cdr--> provisional CDR --rate--> running price        (whoever looks)
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import CdrIssued, Changes, Decision, RangeClosed, TraitsLearned
from laddbok.flow.corrected_start import question_of_start
from laddbok.flow.evidence import VERDICT, Conclusion, EvidenceIncomplete, closed_softly, conclude
from laddbok.flow.market_prices import PricesWanted, prices_wanted, recorded_prices
from laddbok.flow.proof import prove
from laddbok.flow.store import Question, SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.model.session import RUNNING_STATES, ReviewReason, Session, SessionState, VerdictKind
from laddbok.model.spot_prices import SpotPrices
from laddbok.model.tariff import Tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.sessions.advance import UNPLUG_TIMEOUT, due_at
from laddbok.sessions.close import cdr, held_because, never_charged, with_reason
from laddbok.sessions.learn import learn

RULES_VERSION = 3
"""Of the rules that make a CDR of evidence; recorded with each session that they settled."""
SETTLED = "settled"
"""The kind of the decision that says what became of an ended session."""
CORRECTION_HELD = "correction_held"
"""The kind of the decision that says that what came later was not taken in: the session stays as it was."""
_OUTCOMES = frozenset({SETTLED, CORRECTION_HELD})


class Settlement(msgspec.Struct, frozen=True):
    """What the settling of a session writes; or when it is to be tried again."""

    changes: Changes | None = None
    again_at: datetime | None = None
    question: Question | None = None
    """What must be looked up and recorded first: it began at another time than was believed."""
    prices: PricesWanted | None = None
    """The market prices that must be looked up and recorded first."""


def settle(evidence: SessionEvidence, now: datetime) -> Settlement:
    """A finished session becomes a CDR with its price, or is held for a person, or is void.

    It is concluded from the stored evidence, never from a gateway's memory. Settling again changes nothing, unless
    messages that came later, or a person, tell that something was otherwise.
    Source: our choice, design "The session".
    """
    row = evidence.session
    if row.state in RUNNING_STATES:
        return Settlement()
    conclusion = conclude(evidence)
    session = conclusion.session
    if row.state is not SessionState.ENDED:
        later = _on_that_evidence(_learned_later(evidence, session, now))
        return _counting_verdicts(_proven(later, evidence, conclusion), evidence)
    if session.state is not SessionState.ENDED:
        raise EvidenceIncomplete(session.id, "its row has ended, its evidence says that it still runs")
    if (wait_until := _waits_until(session)) > now:
        return Settlement(again_at=wait_until)
    if (question := question_of_start(evidence, session)) is not None:
        return Settlement(question=question)
    settlement = _first(evidence, session, now)
    _learn(evidence, conclusion, now, settlement)
    return _counting_verdicts(_proven(settlement, evidence, conclusion), evidence)


def _counting_verdicts(settlement: Settlement, evidence: SessionEvidence) -> Settlement:
    """Beside what became of the session stands how many decisions of people were taken in: see `_was_decided`."""
    for decision in settlement.changes.decisions if settlement.changes else ():
        if decision.kind in _OUTCOMES:
            decision.body["verdicts"] = _verdict_count(evidence)
    return settlement


def _was_decided(evidence: SessionEvidence, session: Session) -> bool:
    """Whether a person decided since the session was settled last. To say the same once more is a decision, too."""
    last = next((each for each in reversed(evidence.decisions) if each.kind in _OUTCOMES), None)
    taken_in = None if last is None else last.body.get("verdicts")
    is_again = taken_in is not None and _verdict_count(evidence) > taken_in
    return is_again or session.verdict != evidence.session.verdict


def _verdict_count(evidence: SessionEvidence) -> int:
    return sum(decision.kind == VERDICT for decision in evidence.decisions)


def _proven(settlement: Settlement, evidence: SessionEvidence, conclusion: Conclusion) -> Settlement:
    """With each CDR goes the proof of what it was made of."""
    cdrs = settlement.changes.cdrs if settlement.changes else []
    for number, issued in enumerate(cdrs):
        if issued.kind == "cdr":
            cdrs[number] = replace(issued, proof=prove(evidence, conclusion, issued.cdr, issued.rating, RULES_VERSION))
    return settlement


def _first(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """What becomes of a session that nobody has looked at yet."""
    if never_charged(session):
        return Settlement(_closed(session, SessionState.VOID, "never_charged", now))
    if held_because(session):
        return Settlement(_closed(session, SessionState.REVIEW, "held", now))
    return _priced(evidence, session, now)


def _learn(evidence: SessionEvidence, conclusion: Conclusion, now: datetime, settlement: Settlement) -> None:
    """What the session taught of its station goes into the same commit."""
    session = conclusion.session
    learned = learn(evidence.traits, session, conclusion.told, conclusion.clock)
    if learned is not evidence.traits and settlement.changes is not None:
        settlement.changes.traits.append(
            TraitsLearned(
                tenant=session.tenant,
                station_no=session.station_no,
                session_id=session.id,
                at=now,
                traits=learned,
                known_version=evidence.traits.version,
            )
        )


def running_price(session: Session, tariff: Tariff, heard_at: datetime, prices: SpotPrices | None = None) -> Rating:
    """The price so far, by the same function as the final one.

    Args: heard_at: when its station was last heard, now for one that is connected: nothing is counted after that. prices:
        of the market, as far as they are known.
    Raises: Invalid when the tariff can't be used.
    """
    return price(cdr(session, until=heard_at), tariff, prices)


def price(document: Cdr, tariff: Tariff, prices: SpotPrices | None = None) -> Rating:
    """The price of a CDR under a tariff. Raises: Invalid when the tariff can't be used for it.

    Args: prices, of the market; those of another zone or currency than the tariff's say nothing.
    """
    spot = tariff.laddbok.spot
    is_asked = (
        prices is not None and spot is not None and (prices.zone, prices.currency) == (spot.zone, tariff.currency)
    )
    return rate(document, compile_tariff(tariff, document.time_zone), prices=prices if is_asked else None)


def _priced(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """The session is settled with its price; or held because it has none, or waits for the market's prices."""
    document, tariff = cdr(session), evidence.tariff_of(session)
    prices = recorded_prices(evidence.decisions)
    try:
        if tariff is None:
            raise Invalid("tariff", f"version {session.tariff} is not stored")
        if (wanted := prices_wanted(session.tenant, document, tariff, prices)) is not None:
            return Settlement(prices=wanted)
        rating = price(document, tariff, prices)
        if rating.excl_vat is None or not rating.final:
            raise Invalid("tariff", "it gives no final amount before VAT")
    except Invalid as error:
        return Settlement(_closed(session, SessionState.REVIEW, str(error), now, ReviewReason.NOT_PRICEABLE))
    changes = _closed(session, SessionState.SETTLED, "settled", now)
    [settled] = changes.moved
    changes.cdrs.append(CdrIssued(session=settled, cdr=document, rating=rating, at=now))
    return Settlement(changes)


def as_settled(session: Session, state: SessionState, also: tuple[ReviewReason, ...]) -> Session:
    """The concluded session as its row says it from then on.

    Args: also: reasons for a review that the settling itself found; the others follow from the session.
    """
    reasons = {*also, *(held_because(session) if state is SessionState.REVIEW else session.review_reasons)}
    in_order = tuple(reason for reason in ReviewReason if reason in reasons)
    return replace(session, state=state, due_at=None, review_reasons=in_order)


def found_when_settled(evidence: SessionEvidence) -> tuple[ReviewReason, ...]:
    """The reasons that the last settling itself found, as it wrote them down."""
    last = next((d for d in reversed(evidence.decisions) if d.kind == SETTLED), None)
    return () if last is None else tuple(ReviewReason(reason) for reason in last.body.get("also", ()))


def _closed(session: Session, state: SessionState, why: str, now: datetime, *also: ReviewReason) -> Changes:
    closed = as_settled(session, state, also)
    body = {
        "state": state,
        "why": why,
        "reasons": closed.review_reasons,
        "also": also,
        "energy_wh": closed.energy_wh,
        "through": msgspec.to_builtins(closed.through),
        "rules": RULES_VERSION,
    }
    decision = Decision(tenant=closed.tenant, session_id=closed.id, at=now, kind=SETTLED, body=body)
    return Changes(moved=[closed], decisions=[decision], closed_ranges=[RangeClosed(closed, now)])


def _learned_later(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """What later messages, or a person, make of a session that was settled, held or void: `session` is what is known now."""
    row = evidence.session
    if session.state is not SessionState.ENDED:
        return _alive_again(session, now)
    if _was_decided(evidence, session):
        return _decided(evidence, session, now)
    if (session.energy_wh, session.transaction_ended_at) != (row.energy_wh, row.transaction_ended_at):
        if row.state is SessionState.SETTLED:
            return _corrected(evidence, session, now)
        changes = _closed(session, SessionState.REVIEW, "late_messages", now, ReviewReason.LATE_MESSAGES)
        return Settlement(changes)
    return _noted(evidence, session)


def _on_that_evidence(settlement: Settlement) -> Settlement:
    """What came after the settling is attributed message by message; what lies between was not read, and stays out.

    Else a rebuild would read more than the correction was made of.
    """
    if settlement.changes is not None:
        settlement.changes.closed_ranges.clear()
    return settlement


def _alive_again(session: Session, now: datetime) -> Settlement:
    """It was closed at a guess and spoke again: its stop is awaited as any other, and what was metered since is not lost."""
    if now < due_at(session):
        return Settlement(again_at=due_at(session))
    return Settlement(Changes(decisions=[closed_softly(session, now)]), again_at=now)


def _noted(evidence: SessionEvidence, session: Session) -> Settlement:
    """What changes neither energy nor end, like the unplugging, stays on record; nothing is priced again."""
    row = evidence.session
    learned = as_settled(session, row.state, found_when_settled(evidence))
    return Settlement() if learned == row else Settlement(Changes(moved=[learned]))


def _decided(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """What a person decided: accepted or corrected is priced, void is taken back if it was billed, reopened is held.

    Source: our choice, docs/rules.md "Review".
    """
    row, verdict = evidence.session, session.verdict
    assert verdict is not None
    if verdict.kind is VerdictKind.REOPEN:
        changes = _closed(session, SessionState.REVIEW, "reopened", now, ReviewReason.REOPENED)
        return Settlement(_taken_back(evidence, changes, now))
    if verdict.kind is VerdictKind.VOID:
        return Settlement(_taken_back(evidence, _closed(session, SessionState.VOID, "voided", now), now))
    if row.state is SessionState.SETTLED:
        return _corrected(evidence, session, now)
    if held_because(session):
        return Settlement(_closed(session, SessionState.REVIEW, "still_held", now))
    return _priced(evidence, _after_a_credit(evidence, session), now)


def _after_a_credit(evidence: SessionEvidence, session: Session) -> Session:
    """A session whose CDR was credited gets its next one under the next revision."""
    return session if evidence.issued is None else replace(session, revision=evidence.session.revision + 1)


def _taken_back(evidence: SessionEvidence, changes: Changes, now: datetime) -> Changes:
    """A CDR that stands is credited when its session is voided or looked at once more."""
    if evidence.session.state is SessionState.SETTLED and evidence.issued is not None:
        changes.cdrs.append(replace(evidence.issued, kind="credit", at=now))
    return changes


def _corrected(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """The issued CDR is credited and a new revision issued; a correction that a person must see changes nothing yet.

    What a person decided is not overruled by late messages: then, too, a person must see it.
    Source: OCPI 2.2.1 mod_cdrs (credit CDR); case B24.
    """
    row = evidence.session
    reasons = held_because(session)
    if row.verdict is not None and not _was_decided(evidence, session):
        reasons = with_reason(reasons, ReviewReason.LATE_MESSAGES)
    revised = replace(session, revision=row.revision + 1)
    priced = Settlement() if reasons else _priced(evidence, revised, now)
    if priced.prices is not None:
        return priced
    changes = priced.changes
    if evidence.issued is None or changes is None or not changes.cdrs:
        body = {"reasons": list(reasons), "energy_wh": session.energy_wh}
        if _is_held_already(evidence, session, body):
            return Settlement()
        held = Decision(tenant=session.tenant, session_id=session.id, at=now, kind=CORRECTION_HELD, body=body)
        return Settlement(Changes(decisions=[held]))
    changes.cdrs.insert(0, replace(evidence.issued, kind="credit", at=now))
    return Settlement(changes)


def _is_held_already(evidence: SessionEvidence, session: Session, body: dict[str, Any]) -> bool:
    """Whether the last thing on record is that this correction was held: a station may repeat its stop without end."""
    last = next((each for each in reversed(evidence.decisions) if each.kind in _OUTCOMES), None)
    if last is None or last.kind != CORRECTION_HELD or _was_decided(evidence, session):
        return False
    return all(last.body.get(name) == value for name, value in body.items())


def _waits_until(session: Session) -> datetime:
    """Closing values are awaited a little, the unplugging as long as the tariff bills for it."""
    ended_at = session.due_at or session.last_contact_at
    if session.waits_for_unplug and session.unplugged_at is None and session.ended_by == "stop":
        return max(ended_at, session.last_contact_at + UNPLUG_TIMEOUT)
    return ended_at

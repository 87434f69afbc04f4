"""How does a frame become money?

The whole way on one page. While a session runs, each message goes `decode -> receive -> advance` in the batch that
commits it (`flow.apply`); this page continues from there: stored evidence -> session -> CDR -> rated lines.

    frame --decode--> event --receive--> session      (gateway, per message, committed before it is answered)
    evidence --refold--> session --cdr--> CDR --rate--> rating      (worker, once, when the session settles)
    session --cdr--> provisional CDR --rate--> running price        (whoever looks)
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import CdrIssued, Changes, Decision, RangeClosed
from laddbok.flow.evidence import EvidenceIncomplete, refold
from laddbok.flow.store import SessionEvidence
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.rated import Rating
from laddbok.model.session import RUNNING_STATES, ReviewReason, Session, SessionState
from laddbok.model.tariff import Tariff, parse_tariff
from laddbok.rating.compile import compile_tariff
from laddbok.rating.rate import rate
from laddbok.sessions.advance import UNPLUG_TIMEOUT
from laddbok.sessions.close import cdr, held_because, never_charged


class Settlement(msgspec.Struct, frozen=True):
    """What the settling of a session writes; or when it is to be tried again."""

    changes: Changes | None = None
    again_at: datetime | None = None


def settle(evidence: SessionEvidence, now: datetime) -> Settlement:
    """A finished session becomes a CDR with its price, or is held for a person, or is void.

    It is folded from the stored evidence, never from a gateway's memory. Settling again changes nothing, unless messages
    that came later tell that the unplugging, or the end that we had guessed, was another.
    Source: our choice, design "The session".
    """
    row = evidence.session
    if row.state in RUNNING_STATES:
        return Settlement()
    session = refold(evidence)
    if row.state is not SessionState.ENDED:
        return _learned_later(evidence, session, now)
    if session.state is not SessionState.ENDED:
        raise EvidenceIncomplete(session.id, "its row has ended, its evidence says that it still runs")
    if (wait_until := _waits_until(session)) > now:
        return Settlement(again_at=wait_until)
    if never_charged(session):
        return Settlement(_closed(session, SessionState.VOID, "never_charged", now))
    reasons = held_because(session)
    if reasons:
        return Settlement(_closed(replace(session, review_reasons=reasons), SessionState.REVIEW, "held", now))
    return _priced(session, evidence.tariff, now)


def running_price(session: Session, tariff_document: dict[str, Any], heard_at: datetime) -> Rating:
    """The price so far, by the same function as the final one.

    Args: heard_at: when its station was last heard, now for one that is connected: nothing is counted after that.
    Raises: Invalid when the tariff can't be used.
    """
    return price(cdr(session, until=heard_at), parse_tariff(tariff_document))


def price(document: Cdr, tariff: Tariff) -> Rating:
    """The price of a CDR under a tariff. Raises: Invalid when the tariff can't be used for it."""
    return rate(document, compile_tariff(tariff, document.time_zone))


def _priced(session: Session, tariff: Tariff | None, now: datetime) -> Settlement:
    document = cdr(session)
    try:
        if tariff is None:
            raise Invalid("tariff", f"version {session.tariff} is not stored")
        rating = price(document, tariff)
        if rating.excl_vat is None or not rating.final:
            raise Invalid("tariff", "it gives no final amount before VAT")
    except Invalid as error:
        held = replace(session, review_reasons=(*session.review_reasons, ReviewReason.NOT_PRICEABLE))
        return Settlement(_closed(held, SessionState.REVIEW, str(error), now))
    changes = _closed(session, SessionState.SETTLED, "settled", now)
    [settled] = changes.moved
    changes.cdrs.append(CdrIssued(session=settled, cdr=document, rating=rating, at=now))
    return Settlement(changes)


def _closed(session: Session, state: SessionState, why: str, now: datetime) -> Changes:
    closed = replace(session, state=state, due_at=None)
    body = {"state": state, "why": why, "reasons": closed.review_reasons, "energy_wh": closed.energy_wh}
    decision = Decision(tenant=closed.tenant, session_id=closed.id, at=now, kind="settled", body=body)
    return Changes(moved=[closed], decisions=[decision], closed_ranges=[RangeClosed(closed, now)])


def _learned_later(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """What later messages make of a session that was settled, held or void: `session` is what the evidence says now."""
    row = evidence.session
    if session.state is not SessionState.ENDED:
        return Settlement()
    if (session.energy_wh, session.transaction_ended_at) != (row.energy_wh, row.transaction_ended_at):
        if row.state is SessionState.SETTLED:
            return _corrected(evidence, session, now)
        reasons = (*session.review_reasons, *row.review_reasons, ReviewReason.LATE_MESSAGES)
        held = replace(session, review_reasons=tuple(dict.fromkeys(reasons)))
        return Settlement(_closed(held, SessionState.REVIEW, "late_messages", now))
    if row.state is SessionState.SETTLED and row.unplugged_at is None and session.unplugged_at is not None:
        learned = replace(
            row, unplugged_at=session.unplugged_at, through=session.through, last_contact_at=session.last_contact_at
        )
        return Settlement(Changes(moved=[learned]))
    return Settlement()


def _corrected(evidence: SessionEvidence, session: Session, now: datetime) -> Settlement:
    """The issued CDR is credited and a new revision issued; a correction that a person must see changes nothing yet.

    Source: OCPI 2.2.1 mod_cdrs (credit CDR); case B24.
    """
    reasons = held_because(session)
    revised = replace(session, revision=evidence.session.revision + 1)
    changes = _priced(revised, evidence.tariff, now).changes
    if reasons or evidence.issued is None or changes is None or not changes.cdrs:
        body = {"reasons": reasons, "energy_wh": session.energy_wh}
        held = Decision(tenant=session.tenant, session_id=session.id, at=now, kind="correction_held", body=body)
        return Settlement(Changes(decisions=[held]))
    changes.cdrs.insert(0, replace(evidence.issued, kind="credit", at=now))
    return Settlement(changes)


def _waits_until(session: Session) -> datetime:
    """Closing values are awaited a little, the unplugging as long as the tariff bills for it."""
    ended_at = session.due_at or session.last_contact_at
    if session.waits_for_unplug and session.unplugged_at is None and session.ended_by == "stop":
        return max(ended_at, session.last_contact_at + UNPLUG_TIMEOUT)
    return ended_at

"""Which terms has a session whose start was stamped by a wrong clock?

Tariff, contract and seller are those of the session's start. Where its stamps prove, when it settles, that the start was
at another time than the gateway believed, the tables are asked once more for that instant, and the answer is recorded
beside the first: the later record counts, in every rebuild too.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from laddbok.flow.changes import Decision
from laddbok.flow.evidence import FACTS, Taken
from laddbok.flow.store import Found, Question, SessionEvidence
from laddbok.model.session import Session
from laddbok.sessions.facts import StartFacts

SAME = timedelta(seconds=1)


def question_of_start(evidence: SessionEvidence, session: Session) -> Question | None:
    """What must be looked up because the session began at another time than its row says; None: nothing, or it was.

    Args: session: as concluded from the evidence. Source: our choice, docs/rules.md "Choice of tariff"; case S28.
    """
    row = evidence.session
    was_asked = len(_taken_at(evidence, row)) > 1
    if was_asked or abs(session.started_at - row.started_at) < SAME:
        return None
    return Question(
        tenant=row.tenant,
        station_no=row.station_no,
        evse_id=row.evse_id,
        token=session.token,
        at=session.started_at,
    )


def terms_of_start(evidence: SessionEvidence, found: Found, now: datetime) -> list[Decision]:
    """What was taken from our tables, recorded once more with the terms of the corrected start."""
    row = evidence.session
    taken = [msgspec.convert(each.body, Taken) for each in evidence.decisions if each.kind == FACTS]
    return [
        Decision(
            tenant=row.tenant,
            session_id=row.id,
            at=now,
            kind=FACTS,
            body=msgspec.to_builtins(replace(each, facts=replace(each.facts, start=_terms(each.facts.start, found)))),
        )
        for each in taken
    ]


def _terms(start: StartFacts, found: Found) -> StartFacts:
    """Where the register stood and what the outlet can give is no matter of terms, and stays."""
    contract_id = found.facts.token.contract_id if found.facts.token else None
    return replace(
        start,
        tariff=found.facts.tariff,
        seller_id=found.facts.seller_id,
        waits_for_unplug=found.facts.waits_for_unplug,
        token=start.token and replace(start.token, contract_id=contract_id),
    )


def _taken_at(evidence: SessionEvidence, row: Session) -> list[Decision]:
    opened = msgspec.to_builtins(row.opened)
    return [each for each in evidence.decisions if each.kind == FACTS and each.body["position"] == opened]

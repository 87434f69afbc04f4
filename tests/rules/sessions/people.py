"""What people do while a stage plays: they name a model's quirks, decide about sessions, and assign tariffs."""

from typing import Any

import msgspec
from msgspec.structs import replace

from laddbok.flow.apply import Desk
from laddbok.flow.changes import Changes, Decision, Job
from laddbok.flow.decide import SETTLE
from laddbok.flow.evidence import VERDICT
from laddbok.model.session import Session, Verdict, VerdictKind
from laddbok.model.traits import Quirk
from laddbok.sessions.quirks import QuirkTable, read_quirks
from laddbok.sessions.review import checked
from tests.rules.sessions.stage import Stage, step

VENDOR, MODEL = "Norrboks", "Vik"


def quirk_table(*quirks: Quirk) -> QuirkTable:
    """A table that says this of the station on the stage."""
    if not quirks:
        return ()
    return read_quirks(f'[[quirk]]\nvendor = "{VENDOR}"\nflags = {[str(quirk) for quirk in quirks]}\nsource = "a test"')


def knows(stage: Stage, *quirks: Quirk, time_zone: str = "UTC") -> Stage:
    """The stage, where from now on this is known of the station's model; it comes in anew."""
    row = stage.store.stations[1]
    row.station = replace(row.station, vendor=VENDOR, model=MODEL, time_zone=time_zone)
    stage.desk = Desk(stage.store, quirk_table(*quirks))
    stage.connect()
    return stage


def decides(stage: Stage, session: Session, kind: VerdictKind, reason: str = "seen", **fields: Any) -> Session:
    """The session after a person decided, and the workers did what follows."""
    verdict = checked(Verdict(kind=kind, reason=reason, **fields), session)
    body = {"verdict": msgspec.to_builtins(verdict)}
    decision = Decision(tenant=1, session_id=session.id, at=stage.now, kind=VERDICT, body=body)
    job = Job(tenant=1, kind=SETTLE, key=session.id, due_at=stage.now)
    step(stage.store.commit(Changes(decisions=[decision], jobs=[job])))
    stage.work()
    return next(each for each in stage.sessions() if each.id == session.id)

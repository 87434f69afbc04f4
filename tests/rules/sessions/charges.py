"""Whole charges in either dialect, for tests of the energy that is found in them."""

from laddbok.model.energy import EnergyFinding
from laddbok.model.session import Session
from laddbok.model.traits import RegisterKind, Traits
from tests.rules.sessions.stage import TOKEN, Stage, text_of

DIALECTS = ["1.6", "2.0.1"]


def charge(stage: Stage, begin_wh: int, *read_wh: int, end_wh: int | None, step_s: float = 600) -> Session:
    """One charge in the stage's dialect, settled; `end_wh` None: the stop names no register."""
    number = len(stage.sessions()) + 1
    if stage.protocol == "1.6":
        transaction_id = stage.starts_16(begin_wh, after_s=60)["transactionId"]
        for register_wh in read_wh:
            stage.reads_16(register_wh, transaction_id, after_s=step_s)
        stop = {"transactionId": transaction_id, "timestamp": text_of(stage.now)}
        if end_wh is None:
            stage.says_16("StopTransaction", stop, after_s=step_s)
        else:
            stage.stops_16(end_wh, transaction_id, after_s=step_s)
        return stage.settle()
    of = f"tx-{number}"
    stage.event_201("Started", register_wh=begin_wh, state="Charging", token=TOKEN, transaction_id=of, after_s=60)
    for register_wh in read_wh:
        stage.event_201("Updated", register_wh=register_wh, transaction_id=of, after_s=step_s)
    stage.event_201("Ended", register_wh=end_wh, transaction_id=of, after_s=step_s)
    return stage.settle()


def found(session: Session) -> EnergyFinding:
    """What the settling found of its energy."""
    assert session.energy is not None
    return session.energy


def is_of(stage: Stage, kind: RegisterKind) -> Stage:
    """The stage, whose station is known to have such a register."""
    stage.store.stations[1].traits = Traits(version=1, register_kind=kind)
    stage.connect()
    return stage

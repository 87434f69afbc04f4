"""What holds of every proof, whatever the station said and in whatever order?"""

from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.flow.charge_to_cash import RULES_VERSION
from laddbok.flow.evidence import conclude
from laddbok.flow.evidence_file import write
from laddbok.flow.proof import as_proven, items_of, leaf, root_of, signed_readings
from laddbok.flow.recheck import recheck
from laddbok.wires.ocmf import check_reading
from tests.rules.sessions.test_properties import MAX_STEPS, Conversation, Step, steps_16, steps_201


def check_proofs(protocol: str, steps: list[Step]) -> None:
    """Each issued CDR's proof comes out of what is stored in the end, and every session's file follows from itself."""
    conversation = Conversation(protocol)
    for each in steps:
        conversation.goes(*each)
    stage = conversation.stage
    stage.waits(days=2)
    stage.work()
    for session in stage.sessions():
        evidence = stage.evidence(session)
        items = items_of(evidence, conclude(evidence), None, None, RULES_VERSION)
        readings = [(each, check_reading(each)) for each in signed_readings(conclude(evidence).bearing)]
        assert recheck(write(items, readings, None), check_reading).differences == ()
    for issued in stage.store.cdrs.values():
        if issued.kind == "cdr":
            assert issued.proof is not None
            used = as_proven(stage.evidence(issued.session), issued.proof, issued.session.revision)
            items = items_of(used, conclude(used), issued.cdr, issued.rating, RULES_VERSION)
            assert root_of([leaf(kind, item) for kind, item in items.in_order()]).hex() == issued.proof.root
            readings = [(each, check_reading(each)) for each in signed_readings(used.frames)]
            found = recheck(write(items, readings, None), check_reading)
            assert (found.differences, found.root) == ((), issued.proof.root)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps_16, max_size=MAX_STEPS))
def test_every_proof_follows_16(steps: list[Step]) -> None:
    check_proofs("1.6", steps)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps_201, max_size=MAX_STEPS))
def test_every_proof_follows_201(steps: list[Step]) -> None:
    check_proofs("2.0.1", steps)

"""Are a station's habits read back from the evidence as they were written into it?"""

from msgspec.structs import replace

from laddbok.flow.evidence import Taken, facts_used, station_at_start
from laddbok.model.session import FramePosition
from laddbok.model.traits import EvsePhases, Sighting, Traits
from laddbok.sessions.facts import Facts, Stamp
from tests.store.stores import Ground, commit, minutes
from tests.store.test_contract import evidence, opened

LEARNED = Traits(
    version=3, phases=(EvsePhases(1, (1, 2, 3)), EvsePhases(2, (2,))), watched={"clock_offset_s": Sighting(3600, 2)}
)


def test_phases_by_evse_come_back_as_they_were(ground: Ground) -> None:
    """JSON has text for keys and no tuples: what does not survive it leaves a session that can never be settled."""
    station = replace(ground.new_station("CP"), traits=LEARNED)
    session = opened(station)
    stamp = Stamp(FramePosition(1, 1), minutes(1))
    used = facts_used(session, stamp, Taken(stamp.position, Facts(), station, None))
    commit(ground, opened=[session], decisions=[used])
    assert station_at_start(evidence(ground, session)).traits == LEARNED

"""Do 50,000 spoilt frames do harm to nobody? `make long` sends a million."""

import pytest

from laddbok.ocpp.frame import OcppVersion
from laddbok.ocpp.messages import v16_in, v201_in
from tests.mutations.corpus import actions, frames
from tests.mutations.house import Broken, House
from tests.mutations.run import spoil

COUNT = 50_000
SEED = 7
FLAT_BLOCKS = 2_000
"""So much may be allocated more after 15 further houses: a hundredth of a block for each frame would be 400."""


def test_spoilt_frames_do_harm_to_nobody_and_memory_stays_flat() -> None:
    report = spoil(COUNT, SEED)
    assert report.counts["mutated"] == COUNT
    assert min(report.counts[name] for name in ("answered", "refused", "quarantined")) > COUNT // 100
    assert report.grown_blocks < FLAT_BLOCKS


def test_the_same_seed_spoils_the_same_frames() -> None:
    assert spoil(300, 3) == spoil(300, 3)
    assert spoil(300, 3).counts != spoil(300, 4).counts


@pytest.mark.parametrize(("version", "known"), [(OcppVersion.V16, v16_in), (OcppVersion.V201, v201_in)])
def test_every_action_is_among_the_frames(version: OcppVersion, known: object) -> None:
    assert actions(version) == set(known.REQUESTS)  # type: ignore[attr-defined]


def test_what_is_not_spoilt_is_understood() -> None:
    for version in OcppVersion:
        for frame in frames(version):
            if frame.startswith(b"[2"):
                house = House(_NoChance(frame))  # type: ignore[arg-type]
                house._take_in(house.peers[version], frame)
                assert (house.counts["refused"], house.counts["quarantined"]) == (0, 0), frame


class _NoChance:
    def __init__(self, frame: bytes) -> None:
        self.frame = frame

    def random(self) -> float:
        return 1.0


def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr("laddbok.ocpp.payload.whole_number", broken)
    with pytest.raises(Broken, match="KeyError"):
        spoil(2_000, 1)

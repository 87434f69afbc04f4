"""What do sessions teach of their station, and when is it believed?"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laddbok.flow.rebuild import rebuild
from laddbok.model.traits import RegisterKind, Sighting, Traits
from laddbok.sessions.learn import TIMES, watched
from tests.rules.sessions.stage import NOON, Stage, text_of

MOST_VERSIONS = 5
"""Kind of register, readings from nought, unit, clock, phases: each is learned once."""


@pytest.fixture
def stage() -> Stage:
    return Stage()


def traits(stage: Stage) -> Traits:
    return stage.store.stations[1].traits


def charge(stage: Stage, begin_wh: int, end_wh: int, *read_wh: int, off_s: int = 0, **reading: Any) -> None:
    """One charge, settled; `reading`: what its first sampled value says besides."""
    step_s = 1200

    def stamp(after_s: int) -> str:
        return text_of(stage.now + timedelta(seconds=after_s + off_s))

    number = stage.starts_16(begin_wh, after_s=600, timestamp=stamp(600))["transactionId"]
    for register_wh in read_wh:
        values = [{"value": str(register_wh)}, *reading.get("values", ())]
        stage.reads_16(0, number, step_s, meterValue=[{"timestamp": stamp(step_s), "sampledValue": values}])
    stage.stops_16(end_wh, number, step_s, timestamp=stamp(step_s))
    stage.work()


# ------------------------------------------------------------------ the kind of register
def test_S34_a_register_that_goes_on_counts_for_life(stage: Stage) -> None:
    for begin_wh in (5_000, 7_000, 9_000):
        charge(stage, begin_wh, begin_wh + 2_000)
    assert traits(stage).register_kind is RegisterKind.LIFETIME and traits(stage).version == 1


def test_S35_also_if_it_lags_a_little(stage: Stage) -> None:
    for begin_wh in (5_000, 6_950, 8_900):
        charge(stage, begin_wh, begin_wh + 2_000)
    assert traits(stage).register_kind is RegisterKind.LIFETIME


def test_a_register_that_begins_at_nought_counts_each_session(stage: Stage) -> None:
    for _ in range(3):
        charge(stage, 0, 2_000, 900)
    assert traits(stage).register_kind is RegisterKind.SESSION


def test_a_register_that_begins_lower_counts_since_the_boot(stage: Stage) -> None:
    for begin_wh in (50_000, 8_000, 4_000):
        charge(stage, begin_wh, begin_wh + 2_000)
    assert traits(stage).register_kind is RegisterKind.BOOT


def test_once_is_a_chance(stage: Stage) -> None:
    for begin_wh, end_wh in ((5_000, 7_000), (7_000, 9_000)):
        charge(stage, begin_wh, end_wh)
    assert traits(stage).register_kind is RegisterKind.UNKNOWN
    assert traits(stage).watched == {"register_kind": Sighting("lifetime", 1)}
    assert stage.session().traits.version == 0


def test_S33_a_begin_of_0_that_is_no_register_tells_nothing_of_its_kind(stage: Stage) -> None:
    charge(stage, 5_000, 9_000)
    for end_wh in (9_083, 9_166, 9_249):
        charge(stage, 0, end_wh)
    assert traits(stage).register_kind is not RegisterKind.SESSION


def test_a_small_register_tells_nothing(stage: Stage) -> None:
    for _ in range(3):
        charge(stage, 0, 900)
    assert traits(stage) == Traits()


# ------------------------------------------------------------------ readings, clock, phases
def test_S34_readings_from_nought_are_learned(stage: Stage) -> None:
    for begin_wh in (100_000, 102_000):
        charge(stage, begin_wh, begin_wh + 2_000, 800, 1_600)
    assert traits(stage).samples_from_zero
    charge(stage, 104_000, 106_000, 104_800, 105_600)
    assert traits(stage).samples_from_zero and stage.session().energy_wh == 2_000
    charge(stage, 106_000, 108_000, 106_800, 107_600)
    assert not traits(stage).samples_from_zero


def test_S28_a_clock_proves_itself_in_one_session(stage: Stage) -> None:
    charge(stage, 1_000, 3_000, 1_500, 2_000, 2_500, off_s=3600)
    assert (traits(stage).clock_offset_s, traits(stage).version) == (-3600, 1)
    assert stage.session().traits.clock_offset_s == 0
    charge(stage, 3_000, 5_000, 3_500, 4_000, 4_500, off_s=3600 + 20)
    assert (traits(stage).clock_offset_s, traits(stage).version) == (-3600, 1)


def phases(stage: Stage) -> dict[int, tuple[int, ...]]:
    """The lines of each EVSE."""
    return {each.evse_id: each.lines for each in traits(stage).phases}


def test_phases_that_ever_carried_current(stage: Stage) -> None:
    def lines(*amperes: float) -> list[dict[str, str]]:
        return [
            {"value": str(a), "measurand": "Current.Import", "phase": f"L{n}", "unit": "A"}
            for n, a in enumerate(amperes, start=1)
        ]

    charge(stage, 1_000, 3_000, 2_000, values=lines(15.2, 0.0, 0.3))
    assert phases(stage) == {1: (1,)}
    charge(stage, 3_000, 5_000, 4_000, values=lines(15.2, 15.1, 0))
    assert phases(stage) == {1: (1, 2)}
    charge(stage, 5_000, 7_000, 6_000, values=lines(15.2, 0, 0))
    assert phases(stage) == {1: (1, 2)}


# ------------------------------------------------------------------ versions
def test_a_session_keeps_the_version_with_which_it_opened(stage: Stage) -> None:
    for begin_wh in (5_000, 7_000, 9_000, 11_000):
        charge(stage, begin_wh, begin_wh + 2_000)
    assert [session.traits.version for session in stage.sessions()] == [0, 0, 0, 1]
    assert [rebuild(stage.evidence(session)) for session in stage.sessions()] == [()] * 4


def test_a_habit_is_believed_the_second_time_in_a_row() -> None:
    seen = [Traits()]
    for kind in (RegisterKind.BOOT, RegisterKind.SESSION, RegisterKind.BOOT, RegisterKind.BOOT):
        seen.append(watched(seen[-1], "register_kind", kind))
    assert [t.register_kind for t in seen][-2:] == [RegisterKind.UNKNOWN, RegisterKind.BOOT]
    assert (seen[-1].version, seen[-1].watched) == (1, {})


habits = st.sampled_from(list(RegisterKind)[1:])


@given(st.lists(habits, max_size=30), habits)
def test_what_is_seen_again_and_again_is_believed_and_then_rests(
    before: list[RegisterKind], always: RegisterKind
) -> None:
    known = Traits()
    for kind in before:
        known = watched(known, "register_kind", kind)
    for _ in range(TIMES):
        known = watched(known, "register_kind", always)
    assert known.register_kind is always
    assert watched(known, "register_kind", always) is known


class Manner:
    """A way in which a station behaves, for ever."""

    def __init__(self, is_lifetime: bool, reads: str, off_s: int, drift_s: int) -> None:
        self.is_lifetime, self.reads, self.off_s, self.drift_s = is_lifetime, reads, off_s, drift_s

    def charges(self, stage: Stage, number: int, energy_wh: int) -> None:
        begin_wh = 100_000 + 10_000 * number if self.is_lifetime else 0
        first_wh = {"none": None, "same": begin_wh, "from zero": 0}[self.reads]
        steps = (energy_wh // 3, energy_wh // 2, energy_wh - 1)
        read = () if first_wh is None else tuple(first_wh + wh for wh in steps)
        charge(stage, begin_wh, begin_wh + energy_wh, *read, off_s=self.off_s + self.drift_s * (number % 2))


manners = st.builds(
    Manner,
    st.booleans(),
    st.sampled_from(["none", "same", "from zero"]),
    st.sampled_from([0, 3600, -7200, 1000]),
    st.sampled_from([0, 1, 7, 25]),
)


@settings(max_examples=60, deadline=None)
@given(manners, st.lists(st.integers(1_500, 9_900), min_size=8, max_size=8))
def test_a_station_that_behaves_the_same_for_ever_gets_few_versions(manner: Manner, energies: list[int]) -> None:
    stage = Stage()
    for number, energy_wh in enumerate(energies):
        manner.charges(stage, number, energy_wh)
    learned = traits(stage)
    assert learned.version <= MOST_VERSIONS
    assert abs(learned.clock_offset_s + manner.off_s) <= 60 + 90 or manner.reads == "none"
    for number in range(8, 11):
        manner.charges(stage, number, 5_000)
    assert traits(stage).version <= MOST_VERSIONS
    assert traits(stage).clock_offset_s == learned.clock_offset_s
    assert all(session.started_at >= NOON - timedelta(hours=3) for session in stage.sessions())

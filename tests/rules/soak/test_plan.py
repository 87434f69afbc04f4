"""Is a plan of kills the same for the same seed, and is every part killed?"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from laddbok.soak.plan import PAUSE_MAX_S, Part, plan

SEEDS = st.integers(min_value=0)


@given(SEEDS)
def test_a_seed_is_one_plan(seed: int) -> None:
    assert list(plan(seed, 20)) == list(plan(seed, 20))


@given(SEEDS, st.integers(0, 30))
def test_each_part_is_killed_in_every_three_kills(seed: int, kills: int) -> None:
    planned = list(plan(seed, kills))
    assert len(planned) == kills
    counts = Counter(part for kill in planned for part in kill.parts)
    assert all(counts[part] >= kills // 3 for part in Part)


@given(SEEDS)
def test_parts_that_die_together_are_two_and_pauses_are_bounded(seed: int) -> None:
    planned = list(plan(seed, 200))
    assert all(len(set(kill.parts)) == len(kill.parts) <= 2 for kill in planned)
    assert any(len(kill.parts) == 2 for kill in planned)
    assert all(0 <= kill.pause_s <= PAUSE_MAX_S for kill in planned)
